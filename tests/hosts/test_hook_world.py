"""The snapshot that a hook knows: a folder of its package, or an archive that is fetched when it has changed."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.hosts.hooking import Aws
from trailguard.hosts import hook_world
from trailguard.hosts.hook_event import HookError
from trailguard.hosts.hook_world import unpack, world

FILES = {"snapshot.json": b"{}", "123456789012/eu-west-1/existing-1.yaml": b"Resources: {}\n"}
PLACE = "s3://snapshots/latest/world"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("folder/", b"")
        for name, text in files.items():
            packed.writestr(name, text)
    return data.getvalue()


def tarred(files: dict[str, bytes], *more: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        for member in more:
            archive.addfile(member)
    return data.getvalue()


def below(folder: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def test_none_is_wanted(aws: Aws) -> None:
    assert world("", "/nowhere", None) == []
    assert aws.calls == []


def test_a_folder_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "known").mkdir()
    assert world("known", str(tmp_path), None) == [str(tmp_path / "known")]
    with pytest.raises(HookError, match="TRAILGUARD_WORLD names gone, which is not a folder of the package"):
        world("gone", str(tmp_path), None)


@pytest.mark.parametrize(
    "data",
    [zipped(FILES), tarred(FILES), tarred(FILES, mode="w"), tarred(FILES, mode="w:xz")],
    ids=["zip", "gz", "tar", "xz"],
)
def test_an_archive_is_fetched_when_it_has_changed(aws: Aws, data: bytes) -> None:
    aws.put("snapshots", "latest/world", data)
    (first,) = world(PLACE, "/nowhere", "eu-west-1")
    assert below(first) == FILES
    assert world(PLACE, "/nowhere", "eu-west-1") == [first]
    assert aws.calls == ["/snapshots/latest/world"] * 3  # the second time it was only asked whether it has changed
    aws.put("snapshots", "latest/world", zipped({**FILES, "more.yaml": b"x"}))
    (second,) = world(PLACE, "/nowhere", "eu-west-1")
    assert below(second) == {**FILES, "more.yaml": b"x"}
    assert os.listdir(os.path.dirname(second)) == [os.path.basename(second)]  # there is not room for many


@pytest.mark.parametrize("address", ["s3://", "s3://bucket", "s3:///key"])
def test_an_address_has_two_parts(address: str) -> None:
    with pytest.raises(HookError, match="must be s3://BUCKET/KEY"):
        world(address, "/nowhere", None)


def test_an_archive_that_is_not_there(aws: Aws) -> None:
    with pytest.raises(
        HookError, match=r"^the snapshot s3://snapshots/gone cannot be read: HeadObject was answered with 404$"
    ):
        world("s3://snapshots/gone", "/nowhere", "eu-west-1")


def _link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be unpacked: ReadError"),
        (b"PK\x03\x04 no archive", "cannot be unpacked: ReadError"),
        (zipped(FILES)[:-40], "cannot be unpacked: ReadError"),
        (tarred(FILES)[:60], "cannot be unpacked: EOFError"),
        (zipped({"../out": b""}), "has a file outside of its folder"),
        (tarred({"a/../../out": b""}), "has a file outside of its folder"),
        (tarred({"/etc/out": b""}), "has a file outside of its folder"),
        (zipped({"a": b"", "a/b": b""}), "cannot be unpacked: "),
    ],
    ids=["empty", "text", "cut zip", "cut tar", "zip out", "tar out", "tar absolute", "file and folder"],
)
def test_what_is_no_archive_leaves_nothing_behind(aws: Aws, tmp_path: Path, data: bytes, why: str) -> None:
    aws.put("snapshots", "latest/world", data)
    with pytest.raises(HookError, match=f"^the snapshot {PLACE} {why}"):
        world(PLACE, "/nowhere", "eu-west-1")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_links_are_passed_over(tmp_path: Path) -> None:
    place = str(tmp_path / "there" / "world")
    device = _link("device", "", tarfile.CHRTYPE)
    unpack(
        tarred(FILES, _link("to", "/etc/passwd"), _link("hard", "/etc/passwd", tarfile.LNKTYPE), device),
        place,
        "s3://x/y",
    )
    assert below(place) == FILES


def test_there_is_an_end_to_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_world, "MOST", 1_000_000)
    monkeypatch.setattr(hook_world, "MOST_FILES", 3)
    with pytest.raises(HookError, match="more than 1,000,000 bytes when it is unpacked"):
        unpack(zipped({"big": b"0" * 2_000_000}), str(tmp_path / "a" / "b"), "s3://x/y")
    with pytest.raises(HookError, match="more than 3 files"):
        unpack(zipped({str(number): b"" for number in range(4)}), str(tmp_path / "a" / "b"), "s3://x/y")


def test_an_archive_that_is_too_large_is_not_unpacked(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_world, "MOST_PACKED", 100)
    aws.put("snapshots", "latest/world", zipped(FILES))
    with pytest.raises(HookError, match="more than 100 bytes"):
        world(PLACE, "/nowhere", "eu-west-1")


def test_another_process_may_have_been_faster(tmp_path: Path) -> None:
    place = tmp_path / "there" / "world"
    unpack(zipped(FILES), str(place), "s3://x/y")
    unpack(zipped({"other": b""}), str(place), "s3://x/y")
    assert below(str(place)) == FILES
