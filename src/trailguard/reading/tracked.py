"""Which files git tracks: what is in a repository counts, also where a `.gitignore` that came later matches it.

The index is read as it is: it is one file, and git need not be installed. Names that share their beginnings with others
(version 4) are put together.
Source: https://git-scm.com/docs/index-format
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

_HEADER = struct.Struct(">4sLL")
_STAT = 40  # bytes before the hash
_LONG = 0x4000  # a flag: two more bytes of flags follow
_SAME = 0xFFF  # a name of this length, or a longer one


class Tracked:
    """The files that git tracks in a repository, by their paths from its top. Without an index there are none."""

    def __init__(self, top: str) -> None:
        self._names = sorted(_names_in(top))
        self._known = frozenset(self._names)

    def holds(self, path: str) -> bool:
        """Tell whether a file is tracked."""
        return path in self._known

    def is_above(self, folder: str) -> bool:
        """Tell whether a tracked file is below a folder."""
        from bisect import bisect_left

        start = folder + "/"
        place = bisect_left(self._names, start)
        return place < len(self._names) and self._names[place].startswith(start)


def _names_in(top: str) -> list[str]:
    """The names in the index of a repository."""
    folder = _git_folder(top)
    if folder is None:
        return []
    try:
        with open(os.path.join(folder, "index"), "rb") as stream:
            data = stream.read()
        size = 32 if _has_long_hashes(folder) else 20
        return [os.fsdecode(name) for name in _entries(data, size)]
    except (OSError, ValueError, struct.error, IndexError):
        return []  # then what is ignored stays so, as in a folder without git


def _git_folder(top: str) -> str | None:
    """The folder in which git keeps the index: `.git`, or where that file says, as in worktrees."""
    path = os.path.join(top, ".git")
    if os.path.isdir(path):
        return path
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            kind, _, place = stream.read(4096).strip().partition(": ")
    except OSError:
        return None
    return os.path.join(top, place) if kind == "gitdir" else None


def _has_long_hashes(folder: str) -> bool:
    """Tell whether hashes are SHA-256 ones."""
    common = folder
    try:
        with open(os.path.join(folder, "commondir"), encoding="utf-8") as stream:
            common = os.path.join(folder, stream.read().strip())
    except OSError:
        pass
    with open(os.path.join(common, "config"), encoding="utf-8", errors="replace") as stream:
        return "objectformat = sha256" in stream.read().lower()


def _entries(data: bytes, size: int) -> Iterator[bytes]:
    """The names of the entries of an index with hashes of some size."""
    mark, version, count = _HEADER.unpack_from(data)
    if mark != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("no index")
    place = _HEADER.size
    name = b""
    for _ in range(count):
        start = place
        place += _STAT + size
        (flags,) = struct.unpack_from(">H", data, place)
        place += 4 if flags & _LONG else 2
        if version == 4:
            left, place = _number(data, place)
            end = data.index(b"\0", place)
            name = name[: len(name) - left] + data[place:end]
            place = end + 1
        else:
            length = flags & _SAME
            end = place + length if length < _SAME else data.index(b"\0", place)
            name = data[place:end]
            place = start + (end - start) // 8 * 8 + 8  # one NUL at least, up to a multiple of eight
        yield name


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, each but the last with one added, and the place behind it."""
    number = data[place] & 127
    while data[place] & 128:
        place += 1
        number = ((number + 1) << 7) | (data[place] & 127)
    return number, place + 1
