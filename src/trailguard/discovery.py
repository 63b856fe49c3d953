"""Which files a scan looks at, and which of them cannot hold what the rules are about.

Nothing outside the given folders is read: symbolic links that lead out of them are not followed. A file that cannot be
read is reported, never skipped in silence. What is no regular file (a pipe, a device) is not opened.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

DEFAULT_INCLUDE = ("*.yaml", "*.yml", "*.json", "*.template", "*.cfn")
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages", "bower_components", "venv"})
MAX_BYTES = 8 * 1024 * 1024  # CloudFormation takes 1 MB; a generous multiple, so that nothing legal is refused
_CHUNK = 1024 * 1024

# An escape that may spell a letter or a colon, as in "AWS::\u0043loudTrail::Trail".
_ESCAPE = re.compile(rb"\\(?:u00|x|U000000)[2-7][0-9a-fA-F]")
_CONTINUED = re.compile(rb"\\\r?\n[ \t]*")


class Candidate(NamedTuple):
    """A file to look at: where it is, and whether the user named it."""

    path: str
    explicit: bool


class Unreadable(NamedTuple):
    """A file or folder that could not be read, and why."""

    path: str
    message: str


def discover(
    paths: Sequence[str], include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Iterator[Candidate | Unreadable]:
    """The files below the paths, each once. Files that are named are always given."""
    seen: set[str] = set()
    suffixes, patterns = _split_patterns(include or DEFAULT_INCLUDE)
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            yield Unreadable(path, _reason(error))
            continue
        if not is_folder:
            found: Iterable[Candidate | Unreadable] = [Candidate(path, True)]
        else:
            found = _walk(path, suffixes, patterns, exclude)
        for item in found:
            key = os.path.normpath(item.path)
            if key not in seen:
                seen.add(key)
                yield item


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


def _split_patterns(include: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Suffixes, which are cheap to test, and the other patterns."""
    plain = [item for item in include if item.startswith("*.") and not set(item[1:]) & set("*?[]/")]
    return tuple(item[1:] for item in plain), tuple(item for item in include if item not in plain)


def _walk(
    root: str, suffixes: tuple[str, ...], patterns: tuple[str, ...], exclude: Sequence[str]
) -> Iterator[Candidate | Unreadable]:
    ignored = _Ignored(root)
    links: list[str] = []
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(folder, _reason(error))
            continue
        ignored.read(folder, entries)
        inner: list[str] = []
        for entry in entries:
            name, path = entry.name, entry.path if folder != "." else entry.name
            if entry.is_symlink():
                if _wanted(name, path, root, suffixes, patterns):
                    links.append(path)
                continue
            if entry.is_dir(follow_symlinks=False):
                if not name.startswith(".") and name not in SKIPPED_FOLDERS and not ignored.covers(path, True):
                    if not _excluded(path, root, exclude):
                        inner.append(path)
            elif (
                _wanted(name, path, root, suffixes, patterns)
                and not ignored.covers(path, False)
                and not _excluded(path, root, exclude)
            ):
                if entry.is_file(follow_symlinks=False):
                    yield Candidate(path, False)
        pending.extend(reversed(inner))
    yield from _linked(root, links, exclude)


def _linked(root: str, links: list[str], exclude: Sequence[str]) -> Iterator[Candidate | Unreadable]:
    """Symbolic links to files inside the root; one that leads nowhere cannot be judged, and that is said."""
    top = os.path.realpath(root)
    for path in links:
        if _excluded(path, root, exclude):
            continue
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            yield Unreadable(path, _reason(error))
            continue
        target = os.path.realpath(path)
        if stat.S_ISREG(mode) and target.startswith(top + os.sep):
            yield Candidate(path, False)


def _wanted(name: str, path: str, root: str, suffixes: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if name.startswith("."):
        return False
    return name.endswith(suffixes) or (bool(patterns) and _matches(path, root, patterns))


def _excluded(path: str, root: str, exclude: Sequence[str]) -> bool:
    return bool(exclude) and _matches(path, root, exclude)


def _matches(path: str, root: str, patterns: Sequence[str]) -> bool:
    """Tell whether a path, seen from the root or from the working directory, or its name, matches a pattern."""
    names = {os.path.basename(path), _slashed(path), _slashed(os.path.relpath(path, root))}
    return any(
        fnmatchcase(name, pattern.rstrip("/")) or fnmatchcase(name, pattern.rstrip("/") + "/*")
        for name in names
        for pattern in patterns
    )


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")


class _Ignored:
    """What `.gitignore` files leave out, inside a git repository."""

    def __init__(self, root: str) -> None:
        self._specs: list[tuple[str, Any]] = []
        self._top = _repository(root)
        if self._top is not None:
            folder = os.path.abspath(root)
            above = []
            while folder != self._top and len(folder) > len(self._top):
                folder = os.path.dirname(folder)
                above.append(folder)
            for parent in reversed(above):
                self._add(parent)

    def read(self, folder: str, entries: Sequence[os.DirEntry[str]]) -> None:
        """Take note of a folder's own `.gitignore`."""
        if self._top is not None and any(entry.name == ".gitignore" for entry in entries):
            self._add(os.path.abspath(folder))

    def _add(self, folder: str) -> None:
        path = os.path.join(folder, ".gitignore")
        if not os.path.isfile(path):
            return
        from pathspec import GitIgnoreSpec

        with open(path, encoding="utf-8", errors="replace") as stream:
            self._specs.append((folder + os.sep, GitIgnoreSpec.from_lines(stream)))

    def covers(self, path: str, is_folder: bool) -> bool:
        """Tell whether a path is ignored: the innermost `.gitignore` that has something to say decides."""
        if not self._specs:
            return False
        full = os.path.abspath(path)
        for folder, spec in reversed(self._specs):
            if full.startswith(folder):
                verdict = spec.check_file(_slashed(full[len(folder) :]) + ("/" if is_folder else "")).include
                if verdict is not None:
                    return bool(verdict)
        return False


def _repository(path: str) -> str | None:
    """The root of the git repository in which a path lies."""
    folder = os.path.abspath(path)
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def read(path: str, explicit: bool, markers: Sequence[bytes]) -> bytes | Unreadable | None:
    """A file's bytes; None when it cannot hold a resource that the rules are about, or is no regular file."""
    try:
        with open(
            os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
        ) as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                return Unreadable(path, "is no regular file") if explicit else None
            if info.st_size > MAX_BYTES:
                return _too_large(stream, path, info.st_size, explicit, markers)
            data = stream.read()
    except OSError as error:
        return Unreadable(path, _reason(error))
    return data if explicit or may_hold(data, markers) else None


def _too_large(stream: Any, path: str, size: int, explicit: bool, markers: Sequence[bytes]) -> Unreadable | None:
    message = f"is {size / 1e6:.0f} MB large; CloudFormation takes templates of up to 1 MB"
    if explicit:
        return Unreadable(path, message)
    overlap = max(map(len, markers))
    tail = b""
    while chunk := stream.read(_CHUNK):
        if may_hold(tail + chunk, markers):
            return Unreadable(path, message)
        tail = chunk[-overlap:]
    return None


def may_hold(data: bytes, markers: Sequence[bytes]) -> bool:
    """Tell whether bytes may name one of the markers: as they are, escaped, continued on the next line, or as UTF-16."""
    for marker in markers:
        if marker in data:
            return True
    if b"\\" in data and (_ESCAPE.search(data) is not None or _continued(data, markers)):
        return True
    return data[:2] in (b"\xff\xfe", b"\xfe\xff")


def _continued(data: bytes, markers: Sequence[bytes]) -> bool:
    if _CONTINUED.search(data) is None:
        return False
    joined = _CONTINUED.sub(b"", data)
    return any(marker in joined for marker in markers)
