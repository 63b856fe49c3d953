"""Patterns of file names, which mean the same wherever they are given, and the same as in `.gitignore`.

`*` stops at `/`, `**` stands for any number of folders, a folder for all that is below it. A pattern without `/`, or
with one at its end only, fits at any depth; any other is seen from a folder: that of the configuration, or the working
directory for what the command line says. `!` takes back what an earlier pattern of the same list fits.
Source: https://git-scm.com/docs/gitignore
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

_WILD = frozenset("*?[]\\!#")
_HERE = re.compile(r"(?:\./+)+")
_UP = re.compile(r"(?:\.\./+)+")


class Globs:
    """Some patterns, seen from a folder ("" for the working directory).

    Most are names, paths or endings, which are compared without the library for the others, as importing it takes time.
    """

    def __init__(self, patterns: Iterable[str], base: str = "") -> None:
        self._base = base
        self._lines = [cleaned(pattern, base) for pattern in patterns]
        self._tests: list[Callable[[str], bool]] = []
        self._others = self._lines
        if not any(line.startswith("!") for line in self._lines):  # else their order counts
            tests = [(line, _simple(line)) for line in self._lines]
            self._tests = [test for _, test in tests if test is not None]
            self._others = [line for line, test in tests if test is None]
        self._spec: Any = None

    def fits(self, path: str, is_folder: bool = False) -> bool:
        """Tell whether a pattern fits a path, as seen from the working directory, or a folder that it is in."""
        return bool(self._lines) and self.fits_below(seen_from(path, self._base), is_folder)

    def fits_below(self, path: str, is_folder: bool = False) -> bool:
        """Tell whether a pattern fits a path as seen from the folder of the patterns, with slashes."""
        if is_folder:
            path += "/"
        if any(test(path) for test in self._tests):
            return True
        if not self._others:
            return False
        if self._spec is None:
            import warnings

            from pathspec import GitIgnoreSpec

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about what Python may read otherwise one day
                self._spec = GitIgnoreSpec.from_lines(self._others)
        return bool(self._spec.match_file(path))


@lru_cache(maxsize=4096)
def globs(patterns: tuple[str, ...], base: str = "") -> Globs:
    """Some patterns, seen from a folder ("" for the working directory)."""
    return Globs(patterns, base)


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern; None when nothing is."""
    bare = pattern.strip().removeprefix("!")
    if not bare.strip("/") or bare.startswith("#"):
        return "fits nothing: it names no file or folder"
    if (len(bare) - len(bare.rstrip("\\"))) % 2:
        return "ends in a backslash, which must stand before a character"
    return None


def suffixes(patterns: Sequence[str]) -> tuple[str, ...]:
    """The ends of names that are enough for a file to fit."""
    if any(pattern.strip().startswith("!") for pattern in patterns):
        return ()
    return tuple(pattern[1:] for pattern in patterns if _is_suffix(pattern))


def seen_from(path: str, base: str = "") -> str:
    """A path from the working directory as it is seen from a folder, with slashes."""
    if not base and not os.path.isabs(path):
        return os.path.normpath(path).replace(os.sep, "/")
    return os.path.relpath(path, base or None).replace(os.sep, "/")


def moved(pattern: str, base: str) -> str:
    """A pattern that is seen from the working directory, as it is to be written to be seen from another folder."""
    line = cleaned(pattern, "")
    sign = "!" if line.startswith("!") else ""
    bare = line.removeprefix("!")
    if not base or "/" not in bare.rstrip("/"):
        return sign + bare
    up = _UP.match(bare)
    way = seen_from(up[0] if up is not None else os.curdir, base)
    rest = bare[up.end() :] if up is not None else bare.lstrip("/")
    way = "".join(f"\\{char}" if char in _WILD or char == " " else char for char in way)
    return sign + {".": f"/{rest}"}.get(way, f"{way}/{rest}")


def cleaned(pattern: str, base: str) -> str:
    """A pattern as `.gitignore` would have it: what begins with `./`, or is the path of something below the folder."""
    line = pattern.strip()
    sign = "!" if line.startswith("!") else ""
    bare = line.removeprefix("!")
    if bare.startswith("/"):
        top = os.path.join(os.path.abspath(base or os.curdir), "").replace(os.sep, "/")
        bare = "/" + bare.removeprefix(top).lstrip("/") if bare.startswith(top) else bare
    here = _HERE.match(bare)
    if here is not None:
        bare = "/" + bare[here.end() :]
    return sign + ("**" if bare in (".", "/") else bare)


def _simple(line: str) -> Callable[[str], bool] | None:
    """How to tell whether a pattern fits a path, where a comparison does."""
    if _is_suffix(line):
        ending = line[1:]
        return lambda path: path.endswith(ending) or f"{ending}/" in path
    is_open = line.endswith("/**")
    bare = line.removesuffix("/**").rstrip("/")
    if not bare.strip("/") or set(bare) & _WILD or "//" in line:
        return None
    is_folder = is_open or line.endswith("/")
    if "/" in bare or is_open:  # seen from the folder
        whole = bare.removeprefix("/")
        head = whole + "/"
        if is_open:
            return lambda path: path.startswith(head) and path != head
        return lambda path: path.startswith(head) or (not is_folder and path == whole)
    inner, first = f"/{bare}/", f"{bare}/"
    if is_folder:
        return lambda path: path.startswith(first) or inner in path
    last = f"/{bare}"
    return lambda path: path == bare or path.startswith(first) or inner in path or path.endswith(last)


def _is_suffix(pattern: str) -> bool:
    return pattern.startswith("*.") and not set(pattern[1:]) & {*_WILD, "/"}
