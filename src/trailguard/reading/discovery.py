"""Which files a scan looks at, and which of them cannot hold what the rules are about.

Nothing outside the given folders is read: symbolic links that lead out of them are not followed. A file that cannot be
read is reported, never skipped in silence. What is no regular file (a pipe, a device) is not opened.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from trailguard.cloudformation.source.reading import UTF16
from trailguard.reading.ignored import Ignored
from trailguard.settings.globs import globs, seen_from, suffixes

DEFAULT_INCLUDE = ("*.yaml", "*.yml", "*.json", "*.template", "*.cfn")
MARK = "snapshot.json"  # in the folder of a snapshot
_WORLD = "world.yaml"
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages", "bower_components", "venv"})
MAX_BYTES = 8 * 1024 * 1024  # CloudFormation takes 1 MB; a generous multiple, so that nothing legal is refused
TEMPLATE = "template"
# A template holds one of these, whatever it includes.
_SECTIONS = (b"Resources", b"AWSTemplateFormatVersion", b"AWS::Include", b"${file(")
_CHUNK = 1024 * 1024

# An escape that may spell a letter, a digit or a colon, as in "AWS::\u0043loudTrail::Trail"; \u003c and the like, which
# JSON writers are fond of, spell none.
_ESCAPE = re.compile(rb"\\(?:u00|x|U000000)(?:3[0-9aA]|4[1-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA])")
_CONTINUED = re.compile(rb"\\(?:\r\n|\r|\n)[ \t]*")


class Candidate(NamedTuple):
    """A file to look at: where it is, and whether the user named it."""

    path: str
    explicit: bool


class SnapshotFolder(NamedTuple):
    """A folder that holds a snapshot, which is read as one: no file in it stands for itself."""

    path: str


class Unreadable(NamedTuple):
    """A file or folder that could not be read, and why."""

    path: str
    message: str


def discover(
    paths: Sequence[str], include: Sequence[str] = (), exclude: Sequence[str] = (), base: str = ""
) -> Iterator[Candidate | Unreadable | SnapshotFolder]:
    """The files below the paths, and the snapshots, each once. Files that are named are always given, and first.

    Patterns mean what `settings.globs` says, seen from `base`, the folder of the configuration ("" for the working
    directory). The usual ones take capital letters, too (`.YAML`).
    """
    seen: set[str] = set()
    named: list[Candidate | Unreadable] = []
    folders: list[str] = []
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            named.append(Unreadable(path, _reason(error)))
            continue
        if is_folder:
            folders.append(path)
        else:
            named.append(Candidate(path, True))
    walks = (_walk(folder, _Patterns(folder, base, include or DEFAULT_INCLUDE, exclude)) for folder in folders)
    for item in chain(named, *walks):
        key = os.path.abspath(item.path) if len(paths) > 1 else item.path
        if key not in seen:
            seen.add(key)
            yield item


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


class _Patterns:
    """What to read in a folder and what to leave out; paths are those of what is found below the folder."""

    def __init__(self, root: str, base: str, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._start = 0 if root == os.curdir else len(os.path.join(root, ""))
        way = seen_from(root, base)
        self._way = "" if way == os.curdir else f"{way}/"
        self._usual = suffixes(include) if include is DEFAULT_INCLUDE else ()  # cheap to test
        self._include = globs(tuple(include), base)
        self._exclude = globs(tuple(exclude), base) if exclude else None

    def wanted(self, name: str, path: str) -> bool:
        """Tell whether a file is one of those to read."""
        if name.startswith("."):
            return False
        if self._usual:
            return name.lower().endswith(self._usual)
        return self._include.fits_below(self._seen(path))

    def excluded(self, path: str, is_folder: bool) -> bool:
        """Tell whether a file or folder is left out."""
        return self._exclude is not None and self._exclude.fits_below(self._seen(path), is_folder)

    def _seen(self, path: str) -> str:
        return self._way + path[self._start :].replace(os.sep, "/")


class Others:
    """The files below some folders that a scan does not look at by itself; `known` are those that it does."""

    def __init__(
        self,
        folders: Sequence[str],
        include: Sequence[str],
        exclude: Sequence[str],
        base: str,
        known: Iterable[str],
    ) -> None:
        self._known = known
        self._folders = folders
        self._include = include or DEFAULT_INCLUDE
        self._exclude = exclude
        self._base = base
        self._names: dict[str, list[str]] | None = None

    def ending(self, ending: str) -> list[str]:
        """The paths of those whose name ends in a certain way. The folders are only walked through if need be."""
        shown = ending.lower() if self._include is DEFAULT_INCLUDE else ending
        if not self._folders or shown.endswith(suffixes(self._include)):
            return []
        if self._names is None:
            self._names = {}
            looked_at = set(self._known)
            for item in discover(self._folders, ("*",), self._exclude, self._base):
                if isinstance(item, Candidate) and item.path not in looked_at:
                    self._names.setdefault(os.path.basename(item.path), []).append(item.path)
        return [path for name, paths in self._names.items() if name.endswith(ending) for path in paths]


def excluded(path: str, exclude: Sequence[str], base: str = "") -> bool:
    """Tell whether patterns leave out a file."""
    return bool(exclude) and globs(tuple(exclude), base).fits(path)


def would_find(path: str, folder: str, include: Sequence[str], exclude: Sequence[str], base: str) -> bool:
    """Tell whether a file that is not there yet would be found below a folder, as far as its name tells."""
    inside = os.path.relpath(path, folder)
    parts = inside.split(os.sep)
    if parts[0] == os.pardir or any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts):
        return False
    shown = inside if folder == os.curdir else os.path.join(folder, inside)
    patterns = _Patterns(folder, base, include or DEFAULT_INCLUDE, exclude)
    folders = [os.sep.join([*([] if folder == os.curdir else [folder]), *parts[:end]]) for end in range(1, len(parts))]
    is_left_out = patterns.excluded(shown, False) or any(patterns.excluded(above, True) for above in folders)
    return patterns.wanted(parts[-1], shown) and not is_left_out


def _walk(root: str, patterns: _Patterns) -> Iterator[Candidate | Unreadable | SnapshotFolder]:
    ignored = Ignored(root)
    files: list[str] = []
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
        if any(entry.name == MARK for entry in entries) and _is_snapshot(folder, entries):
            yield SnapshotFolder(folder)
            continue
        ignored.read(folder, entries)
        inner: list[str] = []
        for entry in entries:
            name, path = entry.name, entry.path if folder != "." else entry.name
            if entry.is_dir(follow_symlinks=False):
                hidden = name.startswith(".") or name in SKIPPED_FOLDERS
                if not hidden and not ignored.covers(path, True) and not patterns.excluded(path, True):
                    inner.append(path)
            elif patterns.wanted(name, path) and not ignored.covers(path, False) and not patterns.excluded(path, False):
                if entry.is_symlink():
                    links.append(path)
                elif entry.is_file(follow_symlinks=False):
                    files.append(path)
                    yield Candidate(path, False)
        pending.extend(reversed(inner))
    if links:
        yield from _linked(root, links, files)


def state_of(path: str) -> tuple[object, ...]:
    """What can be seen of a file, or of all files in a folder, without reading them: it differs when they change."""
    if not os.path.isdir(path):
        return _stamp(path)
    return tuple(_stamp(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in sorted(names))


def _stamp(path: str) -> tuple[object, ...]:
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return (path,)
    return (path, info.st_mtime_ns, info.st_size, info.st_ino)


def _is_snapshot(folder: str, entries: Iterable[os.DirEntry[str]]) -> bool:
    """Tell whether what is called like a snapshot is one of ours: it says so, or stands beside a world."""
    if any(entry.name == _WORLD for entry in entries):
        return True
    try:
        with open(os.path.join(folder, MARK), "rb") as stream:
            return b"trailguard-snapshot" in stream.read(_CHUNK)
    except OSError:
        return False


def _linked(root: str, links: list[str], files: list[str]) -> Iterator[Candidate | Unreadable]:
    """Symbolic links to files inside the root that are not given anyway; one that leads nowhere is reported."""
    top = os.path.join(os.path.realpath(root), "")
    given = {os.path.join(top, os.path.relpath(path, root)) for path in files}
    for path in links:
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            yield Unreadable(path, _reason(error))
            continue
        target = os.path.realpath(path)
        if stat.S_ISREG(mode) and target.startswith(top) and target not in given:
            given.add(target)
            yield Candidate(path, False)


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")


class Content(NamedTuple):
    """A file's bytes. `marked` tells whether it may hold what the rules are about; else others may refer to it."""

    data: bytes
    marked: bool


def read(
    path: str, explicit: bool, markers: Sequence[bytes], links: Sequence[bytes] = ()
) -> Content | str | Unreadable | None:
    """A file's bytes, when it may hold a resource that the rules are about, or `links` to other templates.

    TEMPLATE stands for a template that holds neither, None for a file of another kind or no regular file.
    """
    try:
        with open(
            os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
        ) as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                return Unreadable(path, "is not a regular file") if explicit else None
            if info.st_size > MAX_BYTES:
                return _too_large(stream, path, info.st_size, explicit, markers)
            data = stream.read()
    except OSError as error:
        return Unreadable(path, _reason(error))
    return sifted(data, explicit, markers, links)


def sifted(data: bytes, explicit: bool, markers: Sequence[bytes], links: Sequence[bytes] = ()) -> Content | str | None:
    """What `read` gives for a file that holds some bytes."""
    if explicit or may_hold(data, markers):
        return Content(data, True)
    if links and may_hold(data, links) and may_hold(data, _SECTIONS):
        return Content(data, False)
    return TEMPLATE if b"Resources" in data and b"AWS::" in data else None


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
    """Tell whether bytes may name one of the markers: as they are, escaped, on two lines, in UTF-16, between NULs."""
    return held(data, (markers,))[0]


def held(data: bytes, groups: Iterable[Sequence[bytes]]) -> list[bool]:
    """Tell of each group of markers whether bytes may name one of them."""
    if data[:2] in UTF16:
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    if b"\0" in data:  # UTF-16 or UTF-32 without a mark, or letters that nobody sees: whoever parses it says so
        data = data.replace(b"\0", b"")
    has_escapes: bool | None = None
    found = []
    for markers in groups:
        holds = any(marker in data for marker in markers)
        if not holds and b"\\" in data:
            if has_escapes is None:
                has_escapes = _ESCAPE.search(data) is not None
            holds = has_escapes or _continued(data, markers)
        found.append(holds)
    return found


def _continued(data: bytes, markers: Sequence[bytes]) -> bool:
    if _CONTINUED.search(data) is None:
        return False
    joined = _CONTINUED.sub(b"", data)
    return any(marker in joined for marker in markers)
