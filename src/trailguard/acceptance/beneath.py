"""Looks for files and folders that patterns of the settings fit, whether a scan looks at them or not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from trailguard.errors import nearest
from trailguard.settings.globs import Globs, cleaned, seen_from

_MOST = 20_000  # entries of folders: beyond, nothing is said of what was not found
_MOST_HINTS = 2_000
_WILD = re.compile(r"[*?\[\\]")


class Beneath:
    """What lies below a folder ("" for the working directory), the upper levels first."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._paths: list[str] = []  # from the folder, folders with a slash at their end
        self._pending = [""]
        self._is_whole = True

    def is_idle(self, pattern: str) -> bool:
        """Tell whether a pattern certainly fits nothing; one that takes back what another fits never counts as idle."""
        line = cleaned(pattern, self._base)
        if line.startswith("!"):
            return False
        if line.startswith("../"):
            return not _WILD.search(line) and not os.path.lexists(os.path.join(self._base or os.curdir, line))
        return not self._fits(pattern) and self._is_whole

    def hint(self, pattern: str) -> str:
        """The end of a message about a pattern that fits nothing: the nearest one that fits something."""
        line = cleaned(pattern, self._base).lstrip("/")
        if not _WILD.search(line):
            paths = [path.rstrip("/") for path in self._paths[:_MOST_HINTS]]
            close = nearest(line.rstrip("/"), paths, 0.7)
            if close is not None:
                return f'; did you mean "{close}"?'
        head, _, tail = line.rpartition("/")
        for other in (f"**/{line}", f"{head}/**/{tail}"):
            if head and self._fits(other):
                return f'; did you mean "{other}"?'
        return ""

    def _fits(self, pattern: str) -> bool:
        known = Globs([pattern], self._base)
        return any(known.fits_below(path.rstrip("/"), path.endswith("/")) for path in self._all())

    def _all(self) -> Iterator[str]:
        """All that is there, of which no more is listed than is asked for."""
        yield from self._paths
        while self._pending and self._is_whole:
            folder = self._pending.pop(0)
            start = len(self._paths)
            try:
                with os.scandir(os.path.join(self._base or os.curdir, folder)) as entries:
                    for entry in sorted(entries, key=lambda entry: entry.name):
                        is_folder = entry.is_dir(follow_symlinks=False)
                        self._paths.append(f"{folder}{entry.name}{'/' if is_folder else ''}")
            except OSError:
                continue
            inner = self._paths[start:]
            self._pending.extend(path for path in inner if path.endswith("/") and path != ".git/")
            self._is_whole = len(self._paths) <= _MOST
            yield from inner


def covers(folders: tuple[str, ...], pattern: str, base: str) -> bool:
    """Tell whether all that a pattern may fit lies below one of some folders."""
    line = cleaned(pattern, base)
    head = _WILD.split(line, maxsplit=1)[0].rpartition("/")[0].lstrip("/") if "/" in line.rstrip("/") else ""
    top = os.path.realpath(os.path.join(base or os.curdir, head))
    return any(not seen_from(top, os.path.realpath(folder)).startswith("..") for folder in folders)


def is_only(pattern: str, base: str, files: tuple[str, ...]) -> bool:
    """Tell whether a pattern is the path of one of some files, and so fits no other."""
    path = cleaned(pattern, base).lstrip("/")
    return not _WILD.search(path) and path in {seen_from(file, base) for file in files}
