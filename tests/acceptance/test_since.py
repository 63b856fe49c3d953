"""`--diff`: findings about what changed since a git revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from trailguard.acceptance.since import only, since
from trailguard.commands.cli import main
from trailguard.errors import UserError
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

TRAILS = """\
Resources:
  First:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: false
      S3BucketName: logs
  Second:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: false
      S3BucketName: logs
"""


def git(*arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trails.yaml").write_text(TRAILS)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    return tmp_path


def told(*paths: str, rules: tuple[str, ...] = ("TG101", "TG103")) -> list[tuple[str, str, str]]:
    report = only(scan(paths or ["."], Settings(select=rules)), since("HEAD", "."))
    return sorted((item.rule.id, item.place.file, item.resource) for item in report.results)


def test_nothing_changed(folder: Path) -> None:
    assert told() == []
    assert main(["scan", "--diff", "HEAD"]) == 0
    assert main(["scan"]) == 1


def test_a_changed_line_is_about_its_resource(folder: Path) -> None:
    second = TRAILS.rindex("S3BucketName: logs")
    (folder / "trails.yaml").write_text(TRAILS[:second] + "S3BucketName: other\n")
    assert told() == [("TG101", "trails.yaml", "Second"), ("TG103", "trails.yaml", "Second")]
    assert main(["scan", "--diff", "HEAD"]) == 1


def test_a_line_that_was_taken_away(folder: Path) -> None:
    (folder / "trails.yaml").write_text(TRAILS.replace("      IsMultiRegionTrail: false\n", "", 1))
    assert told() == [("TG101", "trails.yaml", "First"), ("TG103", "trails.yaml", "First")]


def test_moved_lines_are_no_change(folder: Path) -> None:
    (folder / "trails.yaml").write_text("# why\n# not\n" + TRAILS)
    assert told() == []


@pytest.mark.parametrize("name", ["new.yaml", "two words.yaml", "ü.yaml", "deep/er/new.yaml"])
@pytest.mark.parametrize("is_added", [True, False])
def test_new_files_count_as_a_whole(name: str, is_added: bool, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(TRAILS)
    if is_added:
        git("add", "-A")
    assert told(rules=("TG101",)) == [("TG101", name, "First"), ("TG101", name, "Second")]


def test_below_the_repository_s_root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "infra").mkdir()
    (folder / "infra" / "new.yaml").write_text(TRAILS)
    git("add", "-A")
    monkeypatch.chdir(folder / "infra")
    assert told(rules=("TG101",)) == [("TG101", "new.yaml", "First"), ("TG101", "new.yaml", "Second")]


def test_a_change_elsewhere_that_explains_a_finding(folder: Path) -> None:
    head = 'Parameters:\n  Multi:\n    Type: String\n    Default: "false"\n'
    child = head + TRAILS.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: !Ref Multi")
    parent = (
        "Resources:\n  Audit:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: trails.yaml\n"
    )
    handed = "      Parameters:\n        Multi: "
    (folder / "trails.yaml").write_text(child)
    (folder / "parent.yaml").write_text(parent + handed + '"true"\n')
    git("add", "-A")
    git("commit", "-q", "-m", "two")
    (folder / "parent.yaml").write_text(parent + handed + '"false"\n')
    assert told(rules=("TG101", "TG102")) == [("TG101", "trails.yaml", "First"), ("TG101", "trails.yaml", "Second")]


def test_what_is_left_out_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--select", "TG101", "--diff", "HEAD"]) == 0
    assert "note: 2 failures in what did not change since HEAD are left out" in capsys.readouterr().err


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=x", "-h"])
def test_a_revision_that_is_none(revision: str, folder: Path) -> None:
    with pytest.raises(UserError):
        since(revision, ".")
    assert not (folder / "x").exists()
    assert main(["scan", f"--diff={revision}"]) == 2


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="git diff: "):
        since("HEAD", ".")
