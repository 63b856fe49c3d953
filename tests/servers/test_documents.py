"""The page about editors: what it says of settings is what the server takes."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from tests import ROOT
from trailguard import Settings
from trailguard.settings.settings import overridden

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def in_json() -> list[dict[str, Any]]:
    """What is handed to the server under `trailguard`, wherever the page has it in JSON or TOML."""
    (settings,) = [json.loads(block) for block in blocks("json")]
    own = {key.partition(".")[2]: value for key, value in settings.items() if key.startswith("trailguard.")}
    (helix,) = [tomllib.loads(block) for block in blocks("toml")]
    (table,) = re.findall(r"\| Configuration \| `(.*?)` \|", PAGE)
    assert own.pop("command") == ["trailguard", "lsp"]
    return [own, helix["language-server"]["trailguard"]["config"]["trailguard"], json.loads(table)["trailguard"]]


@pytest.mark.parametrize("given", in_json())
def test_settings_are_taken_as_copied(given: dict[str, Any]) -> None:
    assert overridden(Settings(select=("TG101",)), given, "the page") == Settings(profile="all")


def test_every_editor_starts_the_server() -> None:
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for name in ("Visual Studio Code", "Neovim", "Helix", "JetBrains", "Emacs"):
        assert re.search(r"trailguard\"?\W+(?:args = \[)?\"?lsp\b", sections[name]), name
        assert '"all"' in sections[name], name
