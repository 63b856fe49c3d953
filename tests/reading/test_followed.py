"""Files that are followed as they change are what a scan would collect."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailguard import Settings
from trailguard.reading.collected import Found, collect
from trailguard.reading.followed import Followed
from trailguard.reading.memory import Kept, Memory
from trailguard.rulebook.shelf import load

RULES = load(Settings()).selected
TRAIL = "Resources: {Trail: {Type: AWS::CloudTrail::Trail}}\n"
QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trail.yaml").write_text(TRAIL, encoding="utf-8")
    (tmp_path / "queue.yaml").write_text(QUEUE, encoding="utf-8")
    (tmp_path / "notes.yaml").write_text("a: 1\n", encoding="utf-8")
    return tmp_path


def followed(exclude: tuple[str, ...] = ()) -> Followed:
    files = Followed(["."], Settings(exclude=exclude), RULES)
    files.refresh()
    return files


def collected(exclude: tuple[str, ...] = ()) -> Found:
    return collect(["."], (), exclude, "", RULES, None)


def test_changes_on_disk_are_seen(folder: Path) -> None:
    files = followed()
    assert files.found() == collected()
    assert files.refresh() == set()
    (folder / "queue.yaml").write_text(TRAIL + "# another\n", encoding="utf-8")
    (folder / "new.json").write_text("{}", encoding="utf-8")
    (folder / "notes.yaml").unlink()
    assert files.refresh() == {str(folder / name) for name in ("queue.yaml", "new.json", "notes.yaml")}
    assert files.found() == collected()


def test_a_buffer_goes_before_its_file(folder: Path) -> None:
    files = followed()
    path = folder / "queue.yaml"
    assert files.put(str(path), TRAIL.encode())
    assert not files.put(str(path), TRAIL.encode())
    assert files.refresh() == set()
    told = files.found()
    path.write_text(TRAIL, encoding="utf-8")
    assert told == collected()
    path.write_text(QUEUE, encoding="utf-8")
    files.refresh()
    assert files.found() == told
    assert files.put(str(path), None)
    assert files.found() == collected()


@pytest.mark.parametrize(("name", "is_found"), [("new.yaml", True), ("new.txt", False), ("out/new.yaml", False)])
def test_a_buffer_without_a_file(name: str, is_found: bool, folder: Path) -> None:
    files = followed(("out",))
    path = folder / name
    files.put(str(path), TRAIL.encode())
    assert files.holds(str(path)) is is_found
    files.refresh()
    assert files.holds(str(path)) is is_found
    path.parent.mkdir(exist_ok=True)
    path.write_text(TRAIL, encoding="utf-8")
    assert set(files.found().files) == set(collected(("out",)).files)
    path.unlink()
    files.put(str(path), None)
    assert not files.holds(str(path))


def test_other_rules_look_at_other_files(folder: Path) -> None:
    every = load(Settings(profile="all")).selected
    (folder / "lake.yaml").write_text("Resources: {L: {Type: AWS::CloudTrail::EventDataStore}}\n", encoding="utf-8")
    (folder / "alarm.yaml").write_text("Resources: {A: {Type: AWS::KMS::Key}}\n", encoding="utf-8")
    assert followed().among(every) == collect(["."], (), (), "", every, None)


def test_what_is_kept_hinges_on_the_bytes() -> None:
    kept, none = Kept(), Memory()
    asked: list[str] = []

    def answer(memory: Memory, data: bytes) -> str:
        def build() -> str:
            asked.append("once")
            return data.decode()

        return memory.once("/a", data, "key", build)

    assert [answer(kept, data) for data in (b"1", b"1", b"2", b"1")] == ["1", "1", "2", "1"]
    assert len(asked) == 3
    assert [answer(none, b"1"), answer(none, b"1")] == ["1", "1"]
    assert len(asked) == 5
    kept.keep([])
    answer(kept, b"1")
    assert len(asked) == 6


def test_the_last_answers_are_kept() -> None:
    kept = Kept()
    asked: list[int] = []

    def build(about: int) -> int:
        asked.append(about)
        return about

    def ask(about: int) -> int:
        return kept.latest("/a", b"", "key", about, lambda: build(about))

    assert [ask(about) for about in (1, 2, 3, 4, 1, 5, 2, 1)] == [1, 2, 3, 4, 1, 5, 2, 1]
    assert asked == [1, 2, 3, 4, 5, 1]
