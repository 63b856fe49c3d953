"""The extension for Visual Studio Code: npm builds it, and it is packed as the marketplace takes it."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests import ROOT
from trailguard.servers.actions import ASK_REASON
from trailguard.servers.session import SCOPES
from trailguard.settings.settings import KEYS

SOURCE = ROOT / "editors" / "vscode"


def test_its_settings_are_those_of_the_server() -> None:
    manifest = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    properties = manifest["contributes"]["configuration"]["properties"]
    own = {"command", "trace.server", "scope"}
    assert {name.partition(".")[2] for name in properties} - own <= set(KEYS)
    assert properties["trailguard.scope"]["enum"] == list(SCOPES)
    assert f'registerCommand("{ASK_REASON}"' in (SOURCE / "extension.js").read_text(encoding="utf-8")


@pytest.mark.servers
def test_it_is_built_and_packed(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    assert npm is not None, "npm is not installed"
    place = tmp_path / "vscode"
    shutil.copytree(SOURCE, place, ignore=shutil.ignore_patterns("node_modules", "*.vsix"))
    for command in (["install", "--no-audit", "--no-fund"], ["run", "package"]):
        done = subprocess.run([npm, *command], cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (packed,) = place.glob("*.vsix")
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
    assert {"extension/package.json", "extension/extension.js"} <= names
    assert any(name.startswith("extension/node_modules/vscode-languageclient/") for name in names)
