"""A text that cannot be read keeps what was said of the last one that could, outside of what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ROOT
from trailguard import Settings
from trailguard.errors import display_name
from trailguard.servers.workspace import Workspace

TRAIL = (ROOT / "examples" / "broken" / "single-region.yaml").read_text(encoding="utf-8")


def nothing() -> None:
    """Let the judging go on."""


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trail.yaml").write_text(TRAIL, encoding="utf-8")
    known = Workspace(["."], Settings(), "2026-11-29")
    known.judge(known.put(str(tmp_path / "trail.yaml"), TRAIL), nothing)
    return known


def lines_of(space: Workspace, code: str) -> list[int]:
    return [one.place.span.line for one in space.told("trail.yaml").findings if one.is_open and one.rule.id == code]


def test_findings_around_the_broken_place_stay_and_move(space: Workspace, tmp_path: Path) -> None:
    path = str(tmp_path / "trail.yaml")
    (line,) = lines_of(space, "TG101")
    head = "# one more line\n"
    assert space.put(path, head + TRAIL.replace("Description:", "Description: [", 1)) == set()
    assert space.is_broken("trail.yaml")
    assert lines_of(space, "TG101") == [line + 1]
    assert len(space.told("trail.yaml").errors) == 1


def test_findings_in_the_broken_place_go(space: Workspace, tmp_path: Path) -> None:
    wrong = TRAIL.replace("IsMultiRegionTrail: false", 'IsMultiRegionTrail: "fal')
    assert space.put(str(tmp_path / "trail.yaml"), wrong) == set()
    assert lines_of(space, "TG101") == []


def test_a_repaired_text_is_judged_again(space: Workspace, tmp_path: Path) -> None:
    path = str(tmp_path / "trail.yaml")
    space.put(path, TRAIL + "\n  - [")
    names = space.put(path, TRAIL.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: true"))
    assert names == {display_name(path)}
    space.judge(names, nothing)
    assert not space.told("trail.yaml").errors
    assert lines_of(space, "TG101") == []


def test_every_prefix_is_survived(space: Workspace, tmp_path: Path) -> None:
    path = str(tmp_path / "trail.yaml")
    for end in range(0, len(TRAIL), 97):
        names = space.put(path, TRAIL[:end])
        if names:
            space.judge(names, nothing)
        assert space.text("trail.yaml") == TRAIL[:end]
        assert not any("internal" in one.message for one in space.told("trail.yaml").errors)


def test_what_is_no_template_is_not_told_of(space: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "pod.yaml"
    other.write_text("kind: Pod\n", encoding="utf-8")
    space.refresh()
    names = space.put(str(other), "kind: [Pod\n")
    space.judge(names, nothing)
    assert space.told("pod.yaml") == type(space.told("pod.yaml"))()
