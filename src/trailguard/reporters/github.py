"""Annotations for GitHub Actions: one workflow command for each error, finding and notice.

GitHub shows ten annotations of each level per step and drops the rest without a word. So the worst ten go out as
commands, the others as plain lines of the log, and a notice says how many they are.
"""

from __future__ import annotations

from typing import NamedTuple

from trailguard.findings import VERDICTS, Span
from trailguard.reporters.common import (
    also,
    by_cause,
    from_root,
    judged,
    level,
    readable,
    remedy,
    sentences,
    severity_rank,
    suggestion,
)
from trailguard.terminal import defuse, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.findings import FileError, Finding, Notice, Report
    from trailguard.reporters.common import Shared

MOST = 10  # annotations of one level in one step
COMMANDS = ("error", "warning", "notice")


class _Annotation(NamedTuple):
    command: str
    file: str
    span: Span | None
    title: str
    text: str


def render(report: Report, root: str, cwd: str) -> str:
    """Write workflow commands; files are named from `root`, where the runner checked the repository out."""
    annotations = [_error(error, root, cwd) for error in report.errors]
    annotations += [
        _finding(shared, root, cwd, report)
        for shared in sorted(by_cause(report), key=lambda shared: _worst_first(shared.lead))
    ]
    annotations.sort(key=lambda item: item.command != "error")
    annotations += [_notice(item, root, cwd) for item in report.notices]
    lines: list[str] = []
    left: list[_Annotation] = []
    counts = dict.fromkeys(COMMANDS, 0)
    crowded = len(annotations) > MOST
    for item in annotations:
        room = MOST - 1 if item.command == "notice" and crowded else MOST  # one is kept for the last line
        counts[item.command] += 1
        if counts[item.command] <= room:
            lines.append(_command(item))
        else:
            left.append(item)
    lines += [_plain(item) for item in left]
    if left:
        more = "1 more is" if len(left) == 1 else f"{len(left)} more are"
        lines.append(f"::notice title=trailguard::{more} in the log of this step: GitHub shows {MOST} of a kind")
    counted = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in report.summary().items())
    lines += [defuse(f"judged: {visible(key)}: {visible(readable(told))}") for key, told in judged(report)]
    lines.append(f"trailguard: {counted}, {len(by_cause(report))} causes")
    return "".join(line + "\n" for line in lines)


def _worst_first(item: Finding) -> tuple[int, int, str, Span, str]:
    return (
        severity_rank(item.rule.severity),
        VERDICTS.index(item.verdict),
        item.place.file,
        item.place.span,
        item.rule.id,
    )


def _error(error: FileError, root: str, cwd: str) -> _Annotation:
    column = error.column or 1
    span = Span(error.line, column, error.line, column) if error.line else None
    return _Annotation("error", from_root(error.file, root, cwd), span, "trailguard: cannot be judged", error.message)


def _notice(notice: Notice, root: str, cwd: str) -> _Annotation:
    span = Span(notice.line, 1, notice.line, 1) if notice.line else None
    return _Annotation("notice", from_root(notice.file, root, cwd), span, "trailguard: notice", notice.message)


def _finding(shared: Shared, root: str, cwd: str, report: Report) -> _Annotation:
    """One annotation for a cause; it is an error when any finding that comes from it makes the exit status 1."""
    item = shared.lead
    title = f"{item.rule.id} {item.rule.name} ({item.rule.severity}, {item.verdict})"
    lines = [item.message, *sentences(item)]
    if shared.others:
        lines.append(f"The same cause also {also(shared)}.")
    if remedy(item):
        lines.append(f"Remedy: {remedy(item)}")
    lines += suggestion(shared.all, report.sources)
    file, span, _ = item.place
    levels = [level(one, report.threshold) for one in shared.all]
    return _Annotation(min(levels), from_root(file, root, cwd), span, title, "\n".join(lines))


def _command(item: _Annotation) -> str:
    """Write one command. Columns count only where a single line is meant."""
    properties = [("file", item.file)]
    if item.span is not None:
        properties += [("line", str(item.span.line)), ("endLine", str(item.span.end_line))]
        if item.span.line == item.span.end_line:
            properties += [("col", str(item.span.column)), ("endColumn", str(item.span.end_column))]
    properties.append(("title", item.title))
    written = ",".join(f"{name}={_escape_property(value)}" for name, value in properties if value)
    return f"::{item.command} {written}::{_escape(item.text)}"


def _escape(text: str) -> str:
    """Escape the text of a command; control characters other than line ends are shown."""
    lines = [visible(line) for line in readable(text).replace("\r\n", "\n").split("\n")]
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _escape_property(text: str) -> str:
    value = visible(readable(text)).replace("%", "%25")
    return value.replace(":", "%3A").replace(",", "%2C")


def _plain(item: _Annotation) -> str:
    place = item.file
    if item.span is not None:
        place += f":{item.span.line}:{item.span.column}"
    first = item.text.split("\n", 1)[0]
    return defuse(f"{item.command}: {visible(place)}: {visible(item.title)}: {visible(first)}")
