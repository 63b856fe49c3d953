"""What is known of a text that cannot be read at the moment: what was said of it last, outside of the broken place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trailguard.findings import FileError, Finding, Notice, Span
from trailguard.servers.diagnostics import Told


class Broken(NamedTuple):
    """A text that cannot be read, and why; and the one before it that could, both in lines."""

    error: FileError
    now: Sequence[str]
    good: Sequence[str]


class _Shift(NamedTuple):
    """What two texts have in common: so many lines at the start, and those from a line on, which moved."""

    head: int
    tail: int
    moved: int

    def line(self, number: int) -> int | None:
        """Where a line is now; None when it is in what changed."""
        if number <= self.head:
            return number
        return number + self.moved if number > self.tail else None

    def span(self, span: Span) -> Span | None:
        """Where a span is now; None when it is in what changed."""
        first, last = self.line(span.line), self.line(span.end_line)
        if first is None or last is None or last - first != span.end_line - span.line:
            return None
        return span._replace(line=first, end_line=last)


def outside(told: Told, file: str, broken: Broken) -> Told:
    """What was told of the last text that could be read, where it still stands, and what is wrong with this one."""
    shift = _shift(broken)
    findings = [found for one in told.findings if (found := _finding(one, file, shift)) is not None]
    notices = [Notice(one.file, line, one.message) for one in told.notices if (line := shift.line(one.line))]
    return Told(tuple(findings), (broken.error,), tuple(notices), told.chains)


def _finding(finding: Finding, file: str, shift: _Shift) -> Finding | None:
    span = shift.span(finding.place.span)
    if span is None:
        return None
    related = []
    for place in finding.related:
        moved = shift.span(place.span) if place.file == file else place.span
        if moved is not None:
            related.append(place._replace(span=moved))
    return finding._replace(place=finding.place._replace(span=span), related=tuple(related))


def _shift(broken: Broken) -> _Shift:
    good, now = broken.good, broken.now
    most = min(len(good), len(now))
    head = next((number for number in range(most) if good[number] != now[number]), most)
    most -= head
    tail = next((number for number in range(most) if good[-1 - number] != now[-1 - number]), most)
    return _Shift(head, len(good) - tail, len(now) - len(good))
