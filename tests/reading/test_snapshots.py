"""Snapshots that are not as they should be: an error at its place, and the rest is judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.snapshots import HERE, bucket, policy, trail, write
from trailguard import Report, Settings, scan
from trailguard.findings import FileError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "snap", {HERE: [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs")]})
    properties = "{S3BucketName: audit-logs, IsLogging: true}"
    text = f"Resources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties: {properties}\n"
    (tmp_path / "trail.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def judged(*paths: str) -> Report:
    """What is found; something was not as it should be."""
    report = scan(paths or ["trail.yaml", "snap"], Settings(), on="2026-11-21")
    assert report.status() == 2
    assert any(item.place.file == "trail.yaml" for item in report.results)  # the rest is judged
    return report


def edit(name: str, old: str, new: str) -> None:
    """Change a file of the snapshot."""
    path = Path("snap", name)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def live(report: Report) -> bool:
    """Tell whether the live trail was judged."""
    return any(item.place.file.startswith("snap/") for item in report.results)


KNOWN = "trailguard-snapshot/1"
OTHER = 'the schema "trailguard-snapshot/2" is not one that is read here'
NONE = f'a snapshot says "schema": "{KNOWN}", and this one says none'


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [(KNOWN, "trailguard-snapshot/2", 2, OTHER), (f'"schema": "{KNOWN}",', "", 1, NONE)],
)
def test_a_form_that_is_not_known_is_refused(old: str, new: str, line: int, message: str) -> None:
    edit("snapshot.json", old, new)
    report = judged()
    assert [(item.file, item.line) for item in report.errors] == [("snap/snapshot.json", line)]
    assert report.errors[0].message.startswith(message)
    assert not live(report)


def test_a_day_that_cannot_be_read() -> None:
    edit("snapshot.json", "2026-11-20T08:00:00Z", "yesterday")
    report = judged()
    assert [(item.file, item.line) for item in report.errors] == [("snap/snapshot.json", 3)]
    assert live(report)


def test_a_snapshot_that_is_not_json() -> None:
    edit("snapshot.json", "{", "{{")
    (error,) = judged().errors
    assert (error.file, error.line) == ("snap/snapshot.json", 1)


def test_a_world_that_is_not_yaml_leaves_what_the_folders_say() -> None:
    edit("world.yaml", "contexts:", "contexts: [}")
    report = judged()
    assert [(item.file, item.line) for item in report.errors] == [("snap/world.yaml", 1)]
    assert live(report)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("../*.yaml", "must name files below the snapshot"),
        ("/etc/*.yaml", "must name files below the snapshot"),
        ("none/*.yaml", "no file fits none/*.yaml"),
    ],
)
def test_a_context_that_names_no_file_of_the_snapshot(new: str, message: str) -> None:
    edit("world.yaml", f"{HERE}/existing-*.yaml", new)
    (error,) = judged().errors
    assert (error.file, error.line, error.message) == ("snap/world.yaml", 4, message)


def test_lists_and_maps_that_are_something_else() -> None:
    edit("world.yaml", "exports: []", "exports: {a: b}")
    assert [(item.file, item.message) for item in judged().errors] == [("snap/world.yaml", "exports must be a list")]


def test_a_resource_that_is_broken_has_its_line_and_the_others_are_judged() -> None:
    edit(f"{HERE}/existing-1.yaml", "BucketName: audit-logs", "BucketName: [audit-logs")
    report = judged()
    (error,) = {(item.file, item.line) for item in report.errors}
    assert error[0] == f"snap/{HERE}/existing-1.yaml"
    lines = Path(error[0]).read_text(encoding="utf-8").splitlines()
    assert "[audit-logs" in "".join(lines[error[1] - 2 : error[1] + 1])
    assert live(report)


def test_a_file_called_so_of_somebody_else_is_none() -> None:
    Path("other").mkdir()
    Path("other/snapshot.json").write_text(json.dumps({"version": 1}), encoding="utf-8")
    Path("other/trail.yaml").write_bytes(Path("trail.yaml").read_bytes())
    report = scan(["other"], Settings())
    assert report.errors == ()
    assert report.templates == 1


def test_beside_a_world_it_is_one_that_lacks_its_schema() -> None:
    Path("snap/snapshot.json").write_text("{}", encoding="utf-8")
    (error,) = judged().errors
    assert error == FileError("snap/snapshot.json", 1, 1, error.message)


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("Resources:\n  A:\n    Type: AWS::CloudTrail::Trail\n", encoding="utf-8")
    Path("snap", HERE, "existing-2.yaml").symlink_to(secret)
    report = scan(["snap"], Settings(), on="2026-11-21")
    assert not [item for item in report.results if item.resource == "A"]
