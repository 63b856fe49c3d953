"""What is found step by step in buffers is what a scan finds when they are written."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reading.test_folders import World, folder, worlds
from trailguard import Settings, scan
from trailguard.findings import FileError, Finding
from trailguard.servers.workspace import Workspace

TODAY = "2026-11-29"


def nothing() -> None:
    """Let the judging go on."""


def told(space: Workspace) -> tuple[list[Finding], set[FileError]]:
    """Everything that asks for attention in a workspace."""
    known = [space.told(name) for name in space.names()]
    findings = [one for item in known for one in item.findings if one.is_open]
    return sorted(findings, key=repr), {error for item in known for error in item.errors}


def scanned() -> tuple[list[Finding], set[FileError]]:
    """The same, as a scan of the folder has it."""
    report = scan(["."], Settings(), on=TODAY)
    return sorted((one for one in report.results if one.is_open), key=repr), set(report.errors)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("EDIT_EXAMPLES", "60")), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(worlds(), worlds(), st.data())
def test_steps_lead_to_what_a_scan_finds(world: World, other: World, data: st.DataObject) -> None:
    with folder(world) as root:
        space = Workspace(["."], Settings(), TODAY)
        space.judge_all(nothing)
        assert told(space) == scanned()
        names = sorted(world.files)
        texts = [
            json.dumps(tree, ensure_ascii=False, indent=2) for tree in (*world.files.values(), *other.files.values())
        ]
        for _ in range(data.draw(st.integers(1, 4))):
            name = data.draw(st.sampled_from(names))
            text = data.draw(st.sampled_from([*texts, None]))
            path = root / name
            dirty = space.put(str(path), text)
            if text is not None:
                path.write_text(text, encoding="utf-8")
            if dirty:
                space.judge(dirty, nothing)
                space.follow(nothing)
            assert told(space) == scanned()
