"""`trailguard init`: a template of an audit trail that passes every rule, from `init_template.yaml`.

Lines of that file between `#if NAME…` and `#end` are for those who want all that is named, those after `#unless NAME…`
for everybody else. To YAML these are comments, so that the file as it stands is a template too, with everything in it.
What a switch leaves out is accepted in the template itself, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trailguard.cloudformation.source.nodes import plain
from trailguard.cloudformation.source.reading import parse

SWITCHES = ("organization", "kms", "cloudwatch", "sns")


def template(wanted: Collection[str], form: str = "yaml") -> str:
    """Write the template with the parts that are wanted: `yaml` with comments that explain it, or `json`."""
    from importlib.resources import files

    whole = files("trailguard").joinpath("init_template.yaml").read_text(encoding="utf-8")
    text = _chosen(whole, frozenset(wanted))
    return text if form == "yaml" else as_json(text)


def as_json(text: str) -> str:
    """The same template as JSON, which has no comments."""
    import json

    return json.dumps(_spelled(plain(parse(text.encode()).root)), indent=2) + "\n"


def _chosen(whole: str, wanted: frozenset[str]) -> str:
    """Keep the lines that are for everybody, and those of the parts that are wanted."""
    kept: list[str] = []
    keep = True
    for line in whole.splitlines():
        if line.startswith("#if "):
            keep = wanted.issuperset(line.split()[1:])
        elif line.startswith("#unless "):
            keep = not wanted.issuperset(line.split()[1:])
        elif line == "#end":
            keep = True
        elif keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _spelled(data: Any) -> Any:
    """Plain data of a template as JSON has it: the two parts of `Fn::GetAtt` apart."""
    if isinstance(data, dict):
        target = data.get("Fn::GetAtt")
        if isinstance(target, str):
            return {"Fn::GetAtt": target.split(".", 1)}
        return {name: _spelled(inner) for name, inner in data.items()}
    return [_spelled(item) for item in data] if isinstance(data, list) else data
