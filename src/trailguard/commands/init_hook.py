"""`trailguard init --hook`: a template of a CloudFormation Hook that judges deployments, from `init_hook.yaml`."""

from __future__ import annotations

from trailguard.init_template import as_json


def template(form: str = "yaml") -> str:
    """Write the template: `yaml` with comments that explain it, or `json`."""
    from importlib.resources import files

    text = files("trailguard.commands").joinpath("init_hook.yaml").read_text(encoding="utf-8")
    return text if form == "yaml" else as_json(text)
