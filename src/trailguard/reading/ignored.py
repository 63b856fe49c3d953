"""What `.gitignore` files leave out, inside a git repository. What git tracks all the same is not left out.

Source: https://git-scm.com/docs/gitignore
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from trailguard.reading.tracked import Tracked

_WILD = re.compile(r"[*?\[\]\\]")


class Ignored:
    """What is ignored below a folder. Files of folders above it count, up to the top of the repository."""

    def __init__(self, root: str) -> None:
        self._rules: dict[str, Rules] = {}  # by folder
        self._top = repository(root)
        self._tracked: Tracked | None = None  # read when something is ignored
        if self._top is not None:
            folder = os.path.abspath(root)
            while folder != self._top and len(folder) > len(self._top):
                folder = os.path.dirname(folder)
                self._add(folder)
            if self._matches(root, True):  # whoever names an ignored folder wants to see what is in it
                self._rules.clear()

    def read(self, folder: str, entries: Iterable[os.DirEntry[str]]) -> None:
        """Take note of a folder's own `.gitignore`."""
        if self._top is not None and any(entry.name == ".gitignore" for entry in entries):
            self._add(os.path.abspath(folder))

    def _add(self, folder: str) -> None:
        path = os.path.join(folder, ".gitignore")
        if not os.path.isfile(path):
            return
        try:
            with open(path, encoding="utf-8-sig", errors="replace") as stream:
                lines = stream.read().splitlines()
        except OSError:
            return  # nothing is ignored then, which hides nothing
        self._rules[folder] = Rules(lines)

    def covers(self, path: str, is_folder: bool) -> bool:
        """Tell whether a path is left out; a folder with something in it that git tracks is not."""
        return self._matches(path, is_folder) and not self._is_tracked(path, is_folder)

    def _is_tracked(self, path: str, is_folder: bool) -> bool:
        if self._top is None:
            return False
        if self._tracked is None:
            self._tracked = Tracked(self._top)
        name = os.path.relpath(os.path.abspath(path), self._top).replace(os.sep, "/")
        return self._tracked.is_above(name) if is_folder else self._tracked.holds(name)

    def _matches(self, path: str, is_folder: bool) -> bool:
        """Tell whether a path is ignored: the innermost `.gitignore` that has something to say decides."""
        if not self._rules:
            return False
        folder, name = os.path.split(os.path.abspath(path))
        while True:
            rules = self._rules.get(folder)
            verdict = rules.verdict(name + ("/" if is_folder else "")) if rules is not None else None
            if verdict is not None:
                return verdict
            if folder == self._top or not os.path.basename(folder):
                return False
            folder, last = os.path.split(folder)
            name = f"{last}/{name}"


class Rules:
    """The lines of one `.gitignore`.

    A line is made a pattern when a path may fit it only, which few do: one of its names must be part of the path, or
    the beginning or the end of one.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._names: dict[str, list[int]] = {}
        self._heads: dict[str, list[int]] = {}
        self._tails: dict[str, list[int]] = {}
        self._others: list[int] = []
        self._made: dict[int, Sequence[Any]] = {}
        for number, line in enumerate(lines):
            if not line.startswith("#") and line.strip():
                self._hints(line).append(number)

    def _hints(self, line: str) -> list[int]:
        """The list of lines with the same hint to what may fit."""
        if line.strip() != line.rstrip(" "):
            return self._others  # which blanks count is not for us to say
        parts = [part for part in line.strip().removeprefix("!").split("/") if part]
        names = [part for part in parts if not _WILD.search(part)]
        if names:
            return self._names.setdefault(max(names, key=len), [])
        head = max((_WILD.split(part, maxsplit=1)[0] for part in parts), key=len, default="")
        tail = "" if "\\" in line else max((_WILD.split(part)[-1] for part in parts), key=len, default="")
        if len(head) > len(tail):
            return self._heads.setdefault(head, [])
        return self._tails.setdefault(tail, []) if tail else self._others

    def verdict(self, path: str) -> bool | None:
        """Tell whether a path from the folder of the file is ignored; None when no line is about it."""
        numbers = set(self._others)
        for part in path.split("/"):
            numbers.update(self._names.get(part, ()))
            for end in range(1, len(part) + 1) if self._heads else ():
                numbers.update(self._heads.get(part[:end], ()))
            for start in range(len(part)) if self._tails else ():
                numbers.update(self._tails.get(part[start:], ()))
        if not numbers:
            return None
        from pathspec import GitIgnoreSpec

        patterns = [pattern for number in sorted(numbers) for pattern in self._patterns(number)]
        verdict = GitIgnoreSpec(patterns).check_file(path).include
        return None if verdict is None else bool(verdict)

    def _patterns(self, number: int) -> Sequence[Any]:
        """The pattern of a line; like git, passes over what is none."""
        if number not in self._made:
            import warnings

            from pathspec import GitIgnoreSpec

            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # about what Python may read otherwise one day
                    self._made[number] = list(GitIgnoreSpec.from_lines([self._lines[number]]).patterns)
            except (ValueError, re.error):  # the latter: a range from back to front
                self._made[number] = []
        return self._made[number]


def repository(path: str) -> str | None:
    """The root of the git repository in which a path lies."""
    folder = os.path.abspath(path)
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
