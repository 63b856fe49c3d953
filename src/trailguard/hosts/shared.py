"""What every host needs: one scan of all that the host looks at, and what it says of each file.

A host hands over one template or one resource at a time, and trailguard judges templates together. So all files that
the host was started for are scanned when the first verdict is asked for, and the verdicts are looked up in the report.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from trailguard.errors import UserError
from trailguard.findings import FileError, Finding, Notice, Place, Report, Span
from trailguard.reporters.common import readable, remarks
from trailguard.rulebook.rule import Rule
from trailguard.settings.settings import Settings
from trailguard.terminal import visible

STDIN = "<stdin>"


class Told(NamedTuple):
    """What is to be told in a file: verdicts whose place is there, errors and notices.

    `subjects` are the verdicts on resources of the file, whose place may be in another one.
    """

    results: tuple[Finding, ...] = ()
    errors: tuple[FileError, ...] = ()
    notices: tuple[Notice, ...] = ()
    subjects: tuple[Finding, ...] = ()


class Gate:
    """The rules of the configuration, and their verdicts on the files that a host looks at.

    Nothing here raises. What stops a scan (a broken configuration, a bug) is an error of every file that is asked for.
    """

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self.settings = Settings()
        self.rules: tuple[Rule, ...] = ()
        self._paths = list(paths)
        self.trouble = ""
        self._told: dict[str, Told] | None = None
        self._stamps: dict[str, tuple[int, int]] = {}
        try:
            from trailguard.rulebook import shelf
            from trailguard.settings import settings

            self.settings = settings.load(os.curdir)
            self.rules = shelf.load(self.settings).selected
        except Exception as error:
            self.trouble = _said(error)

    def counts(self, finding: Finding) -> bool:
        """Tell whether a finding alone makes `trailguard scan` end with status 1."""
        return self.settings.threshold.counts(finding)

    def told(self, file: str) -> Told:
        """What there is to tell in a file, judged together with the other files of the host."""
        if self.trouble:
            return Told(errors=(FileError(file, 0, 0, self.trouble),))
        place = _place(file)
        if self._told is None:
            self._told = self._scanned(self._paths)
        if place not in self._told or self._stamps.get(place) != _stamp(place):
            self._told.update(self._scanned([file]))  # the host looks at it all the same, or it has changed
            self._told.setdefault(place, Told())
            self._stamps[place] = _stamp(place)
        return self._told[place]

    def told_of_text(self, data: bytes) -> Told:
        """What there is to tell of a template that comes from standard input."""
        if self.trouble:
            return Told(errors=(FileError(STDIN, 0, 0, self.trouble),))
        return self._scanned(["-"], data).get(_place(STDIN), Told())

    def files(self) -> Iterable[str]:
        """The absolute paths of all files that the host looks at."""
        if self._told is None and not self.trouble:
            self._told = self._scanned(self._paths)
        return tuple(self._told or ())

    def _scanned(self, paths: Sequence[str], stdin: bytes | None = None) -> dict[str, Told]:
        if not paths:
            return {}
        try:
            from trailguard.reading.collected import names_below
            from trailguard.scanning import scan

            report = scan(paths, self.settings, stdin=stdin, stdin_filename=STDIN)
        except Exception as error:
            whole = Told(errors=(FileError("", 0, 0, _said(error)),))
            return {_place(STDIN if path == "-" else path): whole for path in paths}
        found = _by_file(report, paths)
        named = [path for path in paths if path != "-"]
        for name in names_below(named, self.settings.include, self.settings.exclude, self.settings.root):
            found.setdefault(_place(name), Told())  # looked at, and nothing to tell
        self._stamps.update((place, _stamp(place)) for place in found)
        return found


def sentence(finding: Finding) -> str:
    """All that is to be said of a finding in one line: the message, its witness, its reason, the deployments."""
    parts = [finding.message, *(f"({text})" for text in remarks(finding))]
    return visible(readable(" ".join(parts)))


def _by_file(report: Report, paths: Sequence[str]) -> dict[str, Told]:
    """Sort what a report says by the files that the host looks at, which are those named or below a named folder.

    A template may be judged because a named one nests it. What is found there is told where the named one begins.
    """
    homes = _Homes([STDIN if path == "-" else path for path in paths])
    results: dict[str, list[Finding]] = {}
    subjects: dict[str, list[Finding]] = {}
    errors: dict[str, list[FileError]] = {}
    notices: dict[str, list[Notice]] = {}
    for finding in report.results:
        file, span, _ = finding.place
        home = homes.find(file, finding.contexts)
        told = finding
        if home != _place(file):
            message = f"{file}:{span.line}: {finding.message}"
            told = finding._replace(place=Place(home, Span(1, 1, 1, 1)), message=message)
        results.setdefault(home, []).append(told)
        owner = homes.find(finding.home, finding.contexts)
        subjects.setdefault(owner, []).append(finding)
    for error in report.errors:
        errors.setdefault(homes.find(error.file), []).append(error)
    for notice in report.notices:
        notices.setdefault(homes.find(notice.file), []).append(notice)
    return {
        place: Told(
            tuple(results.get(place, ())),
            tuple(errors.get(place, ())),
            tuple(notices.get(place, ())),
            tuple(subjects.get(place, ())),
        )
        for place in {*results, *subjects, *errors, *notices}
    }


class _Homes:
    """The files in which to tell what is found: those that the host looks at."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._files = {_place(root) for root in roots}
        self._folders = tuple(place + os.sep for place in self._files if os.path.isdir(place))
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}

    def find(self, file: str, contexts: tuple[str, ...] = ()) -> str:
        """The absolute path of the file itself, or of the named one that nests it."""
        if (file, contexts) not in self._known:
            place = _place(file)
            if place not in self._files and not place.startswith(self._folders):
                nesting = (root for root in self._roots if any(text.endswith(f" of {root}") for text in contexts))
                place = _place(next(nesting, self._roots[0]))
            self._known[file, contexts] = place
        return self._known[file, contexts]


@cache
def _place(file: str) -> str:
    """The one absolute path of a file."""
    return os.path.realpath(file)


def _stamp(place: str) -> tuple[int, int]:
    """When a file was changed, and its size: a host may live longer than one version of a template."""
    try:
        found = os.stat(place)
    except (OSError, ValueError):
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _said(error: Exception) -> str:
    """The text of an error; of our own kinds with its place."""
    if not isinstance(error, UserError):
        return f"internal error, please report it: {type(error).__name__}: {error}"
    return str(error)
