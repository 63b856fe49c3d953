"""What git tracks is looked at, whatever `.gitignore` says; files in odd encodings do not vanish."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from trailguard.reading.tracked import Tracked
from trailguard.scanning import scan
from trailguard.settings.settings import Settings, load

TRAIL = "Resources:\n  T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: b, IsLogging: false}}\n"
NAMES = ["a.yaml", "dist/b.yaml", f"dist/deep/{'x' * 200}/c.yaml", "ü ber/q.yaml", "dis.yaml"]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
    return done.stdout.decode()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_index_is_read_as_git_reads_it(version: int, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "index.version", str(version))
    for name in [*NAMES, *(f"f{number % 7}/g{number}.yaml" for number in range(40))]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    git(tmp_path, "add", "-A")
    if version == 3:  # git writes it when an entry has more flags
        git(tmp_path, "rm", "-q", "--cached", "a.yaml")
        git(tmp_path, "add", "-N", "a.yaml")
    assert (tmp_path / ".git" / "index").read_bytes()[4:8] == struct.pack(">L", version)
    tracked = Tracked(str(tmp_path))
    listed = git(tmp_path, "ls-files", "-z").split("\0")[:-1]
    assert [name for name in listed if not tracked.holds(name)] == []
    assert not tracked.holds("b.yaml")
    assert not tracked.holds("dist")
    assert [tracked.is_above(name) for name in ("dist", "dist/deep", "dis", "ü ber", "a.yaml")] == [
        True, True, False, True, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    "index", [b"", b"DIRC", b"DIRC" + struct.pack(">LL", 9, 1), b"DIRC" + struct.pack(">LL", 2, 9)]
)
def test_an_index_that_cannot_be_read_tracks_nothing(index: bytes, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("[core]\n")
    (tmp_path / ".git" / "index").write_bytes(index)
    assert not Tracked(str(tmp_path)).is_above("dist")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_tracked_files_are_scanned_though_they_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    for name in ("dist/tracked.yaml", "dist/made.yaml", "out.yaml", "gone.yaml", "other/made.yaml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(TRAIL)
    git(tmp_path, "add", "dist/tracked.yaml", "out.yaml")
    Path(".gitignore").write_text("dist/\nout.yaml\ngone.yaml\nother/\n")
    report = scan(["."], Settings(select=("TG106",)))
    assert [item.place.file for item in report.results] == ["dist/tracked.yaml", "out.yaml"]
    git(tmp_path, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x")
    git(tmp_path, "worktree", "add", "-q", "../beside")
    monkeypatch.chdir(tmp_path.parent / "beside")
    Path(".gitignore").write_text("dist/\nout.yaml\n")
    Path("dist/made.yaml").write_text(TRAIL)
    report = scan(["."], Settings(select=("TG106",)))
    assert [item.place.file for item in report.results] == ["dist/tracked.yaml", "out.yaml"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_templates_in_other_encodings_are_errors(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(TRAIL.encode(encoding))
    (error,) = scan([str(tmp_path)], Settings()).errors
    assert "UTF-16 without a byte order mark" in error.message


def test_a_nul_hides_no_trail(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TRAIL.replace("CloudTrail", "Cloud\0Trail"))
    (error,) = scan([str(tmp_path)], Settings()).errors
    assert (error.line, "U+0000" in error.message) == (2, True)


def test_a_project_file_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trailguard.errors import ConfigError

    (tmp_path / "pyproject.toml").write_bytes("[tool.trailguard]\nprofile = 'all'\n".encode("utf-16-le"))
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        load(str(tmp_path))

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(ConfigError, match="Permission denied"):
        load(str(tmp_path))
