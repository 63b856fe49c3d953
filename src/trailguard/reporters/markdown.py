"""A table in Markdown, for the summary of a job and for comments on a merge request."""

from __future__ import annotations

from trailguard.findings import VERDICTS
from trailguard.reporters.common import (
    also,
    assignments,
    by_cause,
    circumstances,
    judged,
    link,
    readable,
    remedy,
    severity_rank,
)
from trailguard.terminal import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailguard.findings import Report
    from trailguard.reporters.common import Shared

MOST = 200  # rows; GitHub takes 1 MB for a step's summary
_SPECIAL = "\\`*_{}[]<>&|#~$@!"
_SIGNS = {"fail": "❌", "conditional": "⚠️", "unknown": "❔"}


def render(report: Report) -> str:
    """Write the summary, what could not be judged, the findings, the worst first, and what there is to notice."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    counts = report.summary()
    yield "## trailguard"
    yield ""
    told = [f"{counts[verdict]} {verdict.replace('_', ' ')}" for verdict in VERDICTS]
    yield f"**{', '.join(told)}**, {counts['suppressed']} suppressed, {counts['errors']} errors  "
    yield f"{counts['templates']} templates, {counts['subjects']} subjects, {len(by_cause(report))} causes"
    yield ""
    yield from (f"- {_safe(key)}: {_safe(told)}" for key, told in judged(report))
    if report.errors:
        yield from ("", "### Cannot be judged", "", "| file | what is wrong |", "| --- | --- |")
        for error in report.errors:
            place = f"{error.file}:{error.line}:{error.column}" if error.line else error.file
            yield f"| {_safe(place)} | {_safe(error.message)} |"
    found = sorted(by_cause(report), key=_worst_first)
    if found:
        yield from ("", "### Findings", "", "| verdict | rule | where | what | |", "| --- | --- | --- | --- | --- |")
        yield from map(_row, found[:MOST])
    if len(found) > MOST:
        yield from ("", f"{len(found) - MOST} more findings are left out here.")
    if report.notices:
        yield from ("", "### Notices", "", "| where | what |", "| --- | --- |")
        for notice in report.notices[:MOST]:
            place = f"{notice.file}:{notice.line}" if notice.line else notice.file
            yield f"| {_safe(place)} | {_safe(notice.message)} |"
    if len(report.notices) > MOST:
        yield from ("", f"{len(report.notices) - MOST} more notices are left out here.")


def _worst_first(shared: Shared) -> tuple[int, int, str, int, str]:
    item = shared.lead
    rank = severity_rank(item.rule.severity)
    return VERDICTS.index(item.verdict), rank, item.place.file, item.place.span.line, item.rule.id


def _row(shared: Shared) -> str:
    item = shared.lead
    address = link(item.rule.references)
    rule = f"{_safe(item.rule.id)} {_safe(item.rule.name)}"
    plain = address is not None and all(char.isalnum() or char in "-._~:/?#=%" for char in address)
    what = _safe(item.message)
    if item.witness:
        what += f"<br>when {_safe(assignments(item.witness))}"
    if item.reason:
        what += f"<br>because {_safe(item.reason)}"
    for label, text in circumstances(item):
        what += f"<br>{label} {_safe(text)}"
    if shared.others:
        what += f"<br>also {_safe(also(shared))}"
    where = _safe(f"{item.place.file}:{item.place.span.line}")
    cells = (
        f"{_SIGNS[item.verdict]} {item.verdict}, {_safe(item.rule.severity)}",
        f"[{rule}]({address})" if plain else rule,
        where,
        what,
        _safe(remedy(item)),
    )
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """Text that Markdown and HTML take as it is: what is special in them is written as a number."""
    return "".join(f"&#{ord(char)};" if char in _SPECIAL else char for char in visible(readable(text)))
