"""What leads out of the folder is refused, by whatever way; what lies in it is found, by whatever way."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.errors import UserError
from trailguard.servers.mcp_root import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A folder with files, links of all kinds, and something beside it that nobody may see."""
    inside, outside = tmp_path / "work", tmp_path / "work-secret"
    for folder in (inside / "sub", outside):
        folder.mkdir(parents=True)
    for path in (inside / "a.yaml", inside / "sub" / "b.yaml", inside / "-", outside / "secret.yaml"):
        path.write_text("Resources: {}\n", encoding="utf-8")
    (inside / "out").symlink_to(outside / "secret.yaml")
    (inside / "folder-out").symlink_to(outside)
    (inside / "up").symlink_to("..")
    (inside / "twice").symlink_to("out")
    (inside / "loop").symlink_to("loop")
    (inside / "nowhere").symlink_to(outside / "none.yaml")
    (inside / "in").symlink_to("sub/b.yaml")
    os.mkfifo(inside / "pipe")
    return Root(str(inside))


@pytest.mark.parametrize(
    "name",
    [
        "..", "../work-secret", "../work-secret/secret.yaml", "sub/../../work-secret/secret.yaml", "out", "twice",
        "folder-out/secret.yaml", "up", "up/work-secret/secret.yaml", "nowhere", "/", "/etc/passwd", "//etc/passwd",
        "/proc/self/environ",
    ],
)  # fmt: skip
def test_what_leads_out_is_refused(root: Root, name: str) -> None:
    for way in (root.there, root.meant):
        with pytest.raises(UserError, match="leads out of the folder"):
            way(name)
    absolute = os.path.join(root.folder, name)
    with pytest.raises(UserError, match="leads out of the folder"):
        root.there(absolute)


@pytest.mark.parametrize("name", ["C:\\Windows\\win.ini", "\\\\server\\share\\a.yaml", "~/a.yaml", "none.yaml", "loop"])
def test_what_means_something_elsewhere_or_nothing_is_not_there(root: Root, name: str) -> None:
    with pytest.raises(UserError, match=r"cannot be read|leads out"):
        root.there(name)


@pytest.mark.parametrize("name", ["", "a\0b", "\0"])
def test_what_is_no_path_is_refused(root: Root, name: str) -> None:
    with pytest.raises(UserError, match="at least one character, and no NUL"):
        root.there(name)


def test_a_path_that_is_too_long_is_refused(root: Root) -> None:
    with pytest.raises(UserError, match=r"cannot be read|not one of a file"):
        root.there("x/" * 5000)


def test_what_is_neither_file_nor_folder_is_refused(root: Root) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        place = os.path.relpath(os.path.join(root.folder, "socket"))  # a socket's name must be short
        server.bind(place)
        for name in ("pipe", "socket"):
            with pytest.raises(UserError, match="neither a regular file nor a folder"):
                root.there(name)
            with pytest.raises(UserError, match="not a regular file"):
                root.meant(name)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.yaml", "a.yaml"),
        (".", "."),
        ("sub/../../work", "."),
        ("./sub//b.yaml", "sub/b.yaml"),
        ("in", "sub/b.yaml"),
        ("-", "./-"),
    ],
)
def test_what_lies_inside_is_found(root: Root, name: str, path: str) -> None:
    assert root.there(name) == path
    assert root.there(os.path.join(root.folder, name)) == path


def test_a_file_may_be_meant_before_it_is_there(root: Root) -> None:
    assert root.meant("sub/new.yaml") == "sub/new.yaml"
    with pytest.raises(UserError, match="not a regular file"):
        root.meant("sub")


def test_a_root_that_is_reached_by_a_link_is_the_folder_behind_it(root: Root, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root.folder)
    behind = Root(str(link))
    assert behind.there("a.yaml") == behind.there(str(link / "a.yaml")) == "a.yaml"


def test_a_root_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        Root(str(tmp_path / "none"))


PARTS = st.sampled_from(
    ["..", ".", "", "sub", "up", "folder-out", "out", "in", "a.yaml", "secret.yaml", "work", "work-secret"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PARTS, min_size=1, max_size=7), absolute=st.booleans())
def test_nothing_outside_is_ever_given(root: Root, parts: list[str], absolute: bool) -> None:
    """What is given lies in the folder when the system itself follows the path."""
    name = os.path.join(root.folder, *parts) if absolute else "/".join(parts)
    try:
        path = root.there(name)
    except UserError:
        return
    real = Path(root.folder, path).resolve(strict=True)
    assert real == Path(root.folder) or Path(root.folder) in real.parents
    with suppress(OSError):  # the system does not follow "file/..", which is no way out
        assert real.samefile(os.path.join(root.folder, name))
