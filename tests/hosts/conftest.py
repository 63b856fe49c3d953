"""What the tests of all hosts share, made once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hosts.running import Everywhere, attention, cfn_lint, checkov_command, everything


@pytest.fixture(scope="session", autouse=True)
def installed(pytestconfig: pytest.Config) -> None:
    """Have checkov at hand, and say so when that takes an installation."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    terminal = pytestconfig.pluginmanager.getplugin("terminalreporter")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write(text)

    checkov_command(say)


@pytest.fixture(scope="session")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Everywhere:
    """All templates that there are, and what a scan finds in them."""
    folder = tmp_path_factory.mktemp("everywhere")
    names = everything(folder)
    return Everywhere(folder, names, attention(folder, "."))


@pytest.fixture(scope="session")
def linted(everywhere: Everywhere) -> list[dict[str, Any]]:
    """What cfn-lint finds in them, ours included."""
    done = cfn_lint(everywhere.folder, "-a", "trailguard.hosts.cfn_lint", "--format", "json", "--", *everywhere.names)
    assert done.out.startswith("["), done.err
    found: list[dict[str, Any]] = json.loads(done.out)
    return found
