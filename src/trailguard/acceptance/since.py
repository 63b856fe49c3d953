"""What changed since a git revision, and which findings have to do with it.

A finding does when its place, the resource at fault, its subject, or another place that explains it has changed lines.
Files that git does not know yet are new as a whole.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from trailguard.errors import UserError
from trailguard.findings import Block, Finding, Report

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_ALL = (1, 10**9)

Lines: TypeAlias = "Mapping[str, Sequence[tuple[int, int]]]"  # first and last changed line, by file from the folder


def since(revision: str, folder: str) -> Lines:
    """The lines that changed in a folder since a revision, in the names that reports use; raises UserError."""
    if revision.startswith("-"):
        raise UserError("", 0, 0, f'"{revision}" is no git revision')
    changed = _hunks(_git(["diff", "--unified=0", "--no-color", "--no-ext-diff", "--relative", revision, "--"], folder))
    for name in _git(["ls-files", "--others", "--exclude-standard", "-z"], folder).split("\0"):
        if name:
            changed[name] = [_ALL]
    return changed


def _git(arguments: Sequence[str], folder: str) -> str:
    command = ["git", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    except OSError as error:
        raise UserError("", 0, 0, f"git cannot be run: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError("", 0, 0, f"git {arguments[0]}: {said[0] if said else 'failed'}")
    return done.stdout.decode("utf-8", "surrogateescape")


def _hunks(text: str) -> dict[str, list[tuple[int, int]]]:
    """The changed lines in a diff without context; where lines were taken away, those around the place."""
    found: dict[str, list[tuple[int, int]]] = {}
    file = ""
    for line in text.splitlines():
        if line.startswith("+++ "):
            name = line[4:].rstrip("\t")
            file = name[2:] if name.startswith("b/") else ""
        elif file and (hunk := _HUNK.match(line)) is not None:
            first, size = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(file, []).append((first, first + size - 1) if size else (first, first + 1))
    return found


def narrowed(report: Report, revision: str, folder: str) -> tuple[Report, str]:
    """The report about what changed since a revision, and how much was left out; raises UserError."""
    narrow = only(report, since(revision, folder))
    left_out = report.summary()["fail"] - narrow.summary()["fail"]
    return narrow._replace(
        since=revision
    ), f"note: {left_out} failures in what did not change since {revision} are left out"


def only(report: Report, changed: Lines) -> Report:
    """The report with those results alone that have to do with what changed.

    It tells no frameworks: whether a control is met cannot be told from a part of the results.
    """
    return report._replace(results=tuple(item for item in report.results if _is_touched(item, changed)), frameworks=())


def _is_touched(item: Finding, changed: Lines) -> bool:
    places = [Block(item.place.file, item.place.span.line, item.place.span.end_line), *item.blocks]
    places += [Block(place.file, place.span.line, place.span.end_line) for place in item.related]
    return any(
        first <= place.last and place.first <= last
        for place in places
        for first, last in changed.get(os.path.normpath(place.file).replace(os.sep, "/"), ())
    )
