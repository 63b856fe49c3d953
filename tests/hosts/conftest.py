"""What the tests of all hosts share, made once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.hooking import Aws, serving
from tests.hosts.running import Everywhere, attention, cfn_lint, checkov_command, everything
from trailguard.hosts.hook_parameters import client


@pytest.fixture(scope="session", autouse=True)
def installed(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> None:
    """Have checkov at hand where linters are run, and say so when that takes an installation."""
    if not any(item.get_closest_marker("hosts") for item in request.session.items):
        return
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


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """AWS, played by a server on this machine."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "TRAILGUARD_"))]:
        monkeypatch.delenv(name)
    client.cache_clear()
    with serving() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield found
    client.cache_clear()
