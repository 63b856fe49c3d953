"""Every verdict as a line of comma-separated values, for spreadsheets."""

from __future__ import annotations

import csv
import io

from trailguard.reporters.common import assignments, readable
from trailguard.terminal import defuse, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from trailguard.findings import Report

COLUMNS = (
    "verdict", "severity", "rule", "name", "file", "line", "column", "subject", "resource", "subject_file", "contexts",
    "message", "when", "reason", "controls", "accepted", "accepted_until", "fingerprint",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for a formula at the beginning of a cell


def render(report: Report) -> str:
    """Write the results, passes too, then what could not be judged and what there is to notice.

    These are lines with the verdicts `error` and `notice`.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in report.results:
        controls = "; ".join(
            f"{framework} {' '.join(names)}" + ("" if firm else " (unverified)")
            for framework, names, firm in item.rule.relations()
        )
        accepted, rule, place = item.suppressed, item.rule, item.place
        writer.writerow(
            _cells(
                item.verdict, rule.severity, rule.id, rule.name, place.file, place.span.line, place.span.column,
                item.subject, item.resource, item.home, "; ".join(item.contexts), item.message,
                assignments(item.witness), item.reason, controls, accepted and accepted.reason,
                accepted and accepted.expires, item.fingerprint,
            )
        )  # fmt: skip
    told = [("error", *error) for error in report.errors]
    told += [("notice", notice.file, notice.line, 0, notice.message) for notice in report.notices]
    for verdict, file, line, column, message in told:
        cells: dict[str, object] = dict.fromkeys(COLUMNS, "")
        cells.update(verdict=verdict, file=file, line=line or "", column=column or "", message=message)
        writer.writerow(_cells(*cells.values()))
    return stream.getvalue()


def _cells(*values: object) -> Iterable[str]:
    for value in values:
        text = defuse(visible(readable("" if value is None else str(value))))
        yield "'" + text if text.startswith(_FORMULA) else text
