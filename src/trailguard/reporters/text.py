"""The report for people: each finding with its place, the source underlined, what decides it, and what to do.

Files come in order and findings in the order of the file, so that a reader walks through a template once, from top to
bottom, as an editor shows it; the summary says how bad it is.
"""

from __future__ import annotations

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, OPEN, PASS, UNKNOWN, VERDICTS, Span
from trailguard.reporters.common import also, assignments, by_cause, circumstances, judged, link, remedy, unusual
from trailguard.reporters.excerpt import excerpt
from trailguard.terminal import PLAIN, cells, defuse, paragraph, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailguard.findings import FileError, Finding, Report
    from trailguard.reporters.common import Shared
    from trailguard.terminal import Style

COLOURS = {FAIL: "red", CONDITIONAL: "yellow", UNKNOWN: "magenta", PASS: "green", NOT_APPLICABLE: "dim"}
SEVERITY_COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}
RELATED = 4  # places beside the main one that are drawn
MARGIN = "  "


def render(report: Report, style: Style = PLAIN, width: int = 100, verbosity: int = 0) -> str:
    """Draw the report; `verbosity` is -1 for one line per finding, 1 to tell of passes and skipped files as well."""
    if verbosity < 0:
        return "".join(defuse(line) + "\n" for line in _brief(report, style))
    blocks = [_error(error, report, style, width) for error in report.errors]
    blocks += [_finding(shared, report, style, width) for shared in _in_order(report)]
    if verbosity > 0:
        blocks += [_list(lines) for lines in (_settled(report, style, width), _skipped(report, style, width))]
    blocks.append(_list(_notices(report, style, width)))
    blocks.append(_list(_circumstances(judged(report) if verbosity > 0 else unusual(report), style, width)))
    blocks.append(_list(_summary(report, style, width)))
    return defuse("\n".join(block for block in blocks if block))


def _place(finding: Finding) -> tuple[str, Span, str]:
    return finding.place.file, finding.place.span, finding.rule.id


def _in_order(report: Report) -> list[Shared]:
    return sorted(by_cause(report), key=lambda shared: _place(shared.lead))


def _at(file: str, line: int, column: int = 0) -> str:
    place = visible(file)
    if line:
        place += f":{line}"
    return f"{place}:{column}" if line and column else place


def _brief(report: Report, style: Style) -> Iterator[str]:
    """Give one line for each error, finding and notice, in the form that editors and grep understand."""
    for error in report.errors:
        place = _at(error.file, error.line, error.column)
        yield f"{place}: {style.paint('error', 'red', 'bold')}: {visible(error.message)}"
    for shared in _in_order(report):
        item = shared.lead
        place = _at(item.place.file, item.place.span.line, item.place.span.column)
        head = f"{style.paint(item.verdict, COLOURS[item.verdict], 'bold')}: {item.rule.severity} {item.rule.id}"
        tail = "".join(f" ({part})" for part in _because(shared))
        yield f"{place}: {head} {visible(item.rule.name)}: {visible(item.message)}{tail}"
    for notice in report.notices:
        yield f"{_at(notice.file, notice.line)}: {style.paint('notice', 'yellow')}: {visible(notice.message)}"


def _because(shared: Shared) -> Iterator[str]:
    item = shared.lead
    for label, text in circumstances(item):
        yield f"{label} {visible(text)}"
    if item.witness:
        yield f"when {visible(assignments(item.witness))}"
    if item.reason:
        yield visible(item.reason)
    if shared.others:
        yield f"also {visible(also(shared))}"


def _finding(shared: Shared, report: Report, style: Style, width: int) -> str:
    """Draw one finding: title, message, place, excerpt, then what decides it and what to do."""
    item = shared.lead
    colour = COLOURS[item.verdict]
    lines = [_title(item, style, width), paragraph(visible(item.message), width, MARGIN), ""]
    lines.append(MARGIN + style.paint(_at(item.place.file, item.place.span.line, item.place.span.column), "cyan"))
    lines += _excerpt(report, item.place.file, item.place.span, width, style, colour)
    lines.append("")
    for related in item.related[:RELATED]:
        place = _at(related.file, related.span.line, related.span.column)
        lines += [_labelled("note", visible(related.message), style, width), MARGIN + style.paint(place, "cyan")]
        lines += [*_excerpt(report, related.file, related.span, width, style, "blue", before=0, under="-"), ""]
    if len(item.related) > RELATED:
        lines.append(_labelled("note", f"{len(item.related) - RELATED} more places", style, width))
    for label, text in _remarks(shared):
        lines.append(_labelled(label, text, style, width))
    return _list(lines)


def _title(item: Finding, style: Style, width: int) -> str:
    """Write the heading, over several lines where the terminal is narrow."""
    parts = [
        (item.verdict.upper(), (COLOURS[item.verdict], "bold")),
        (item.rule.severity, (SEVERITY_COLOURS.get(item.rule.severity, "dim"),)),
        (f"{item.rule.id} {visible(item.rule.name)}", ("bold",)),
        (visible(item.resource), ("dim",)),
    ]
    lines, used = [""], 0
    for text, colours in parts:
        if not text:
            continue
        if used and used + 2 + cells(text) > width:
            lines.append(MARGIN)
            used = len(MARGIN)
        elif used:
            lines[-1] += "  "
            used += 2
        lines[-1] += style.paint(text, *colours)
        used += cells(text)
    return "\n".join(lines)


def _excerpt(
    report: Report, file: str, span: Span, width: int, style: Style, colour: str, before: int = 1, under: str = "^"
) -> list[str]:
    drawn = excerpt(report.sources.get(file, ()), span, width - len(MARGIN), style, colour, before, under)
    return [MARGIN + line for line in drawn]


def _remarks(shared: Shared) -> Iterator[tuple[str, str]]:
    item = shared.lead
    for label, text in circumstances(item):
        yield label, visible(text)
    if item.witness:
        yield "when", visible(assignments(item.witness))
    if item.reason:
        yield "because", visible(item.reason)
    if shared.others:
        yield "also", visible(also(shared))
    if remedy(item):
        yield "remedy", visible(remedy(item))
    address = link(item.rule.references)
    if address:
        yield "see", visible(address)


def _labelled(label: str, text: str, style: Style, width: int) -> str:
    """Set a remark in two columns; under 60 columns the second one starts close to the margin."""
    column = 9 if width >= 60 else len(label) + 1
    indent = MARGIN + " " * (9 if width >= 60 else 2)
    body = paragraph(text, width, indent, MARGIN + " " * column)
    return MARGIN + style.paint(label, "bold") + body[len(MARGIN) + len(label) :]


def _error(error: FileError, report: Report, style: Style, width: int) -> str:
    place = _at(error.file, error.line, error.column)
    lines = [
        style.paint("ERROR", "red", "bold") + "  cannot be judged",
        paragraph(visible(error.message), width, MARGIN),
    ]
    lines += ["", MARGIN + style.paint(place, "cyan")]
    if error.line:
        span = Span(error.line, error.column, error.line, error.column)
        lines += _excerpt(report, error.file, span, width, style, "red", before=2)
    return _list(lines)


def _settled(report: Report, style: Style, width: int) -> Iterator[str]:
    """Name what passed, did not apply or is accepted, one paragraph each."""
    for item in sorted(report.results, key=_place):
        place = _at(item.place.file, item.place.span.line)
        if item.suppressed is not None:
            until = f", until {item.suppressed.expires}" if item.suppressed.expires else ""
            verdict, tail = "suppressed", f": {item.suppressed.reason} ({item.suppressed.kind}{until})"
        elif item.verdict in (PASS, NOT_APPLICABLE):
            verdict, tail = item.verdict.replace("_", " "), f": {item.reason}" if item.reason else ""
        else:
            continue
        text = f"{item.rule.id} {item.rule.name}  {place}  {item.resource}".rstrip() + tail
        yield _row(
            verdict,
            visible(text),
            COLOURS.get(item.verdict if item.suppressed is None else UNKNOWN, "dim"),
            style,
            width,
        )


def _skipped(report: Report, style: Style, width: int) -> Iterator[str]:
    for file, reason in report.ignored:
        yield _row("skipped", f"{visible(file)}: {visible(reason)}", "dim", style, width)


def _notices(report: Report, style: Style, width: int) -> Iterator[str]:
    for notice in report.notices:
        yield _row("notice", f"{_at(notice.file, notice.line)}: {visible(notice.message)}", "yellow", style, width)


def _row(label: str, text: str, colour: str, style: Style, width: int) -> str:
    """Set a label before a paragraph that hangs below it."""
    body = paragraph(text, width, "    ", " " * (len(label) + 2))
    return style.paint(label, colour) + body[len(label) :]


def _summary(report: Report, style: Style, width: int) -> Iterator[str]:
    """Count everything."""
    counts = report.summary()
    looked = f"{_count(counts['files'], 'file')}, {_count(counts['templates'], 'template')}, "
    looked += f"{_count(counts['subjects'], 'subject')}, profile {visible(report.profile)}"
    yield paragraph(looked, width)
    parts = [
        (f"{counts[verdict]} {verdict.replace('_', ' ')}", COLOURS[verdict], counts[verdict]) for verdict in VERDICTS
    ]
    parts.append((f"{counts['suppressed']} suppressed", "magenta", counts["suppressed"]))
    parts.append((_count(counts["errors"], "error"), "red", counts["errors"]))
    lines, used = [""], 0
    for text, colour, number in parts:
        if used and used + 2 + len(text) + 1 > width:
            lines[-1] += ","
            lines.append("")
            used = 0
        elif used:
            lines[-1] += ", "
            used += 2
        lines[-1] += style.paint(text, *((colour,) if colour == "dim" else (colour, "bold")) if number else ("dim",))
        used += len(text)
    yield from lines
    found, causes = sum(counts[verdict] for verdict in OPEN), len(by_cause(report))
    if causes < found:
        yield paragraph(
            f"{_count(found, 'finding')} from {_count(causes, 'cause')}: what has one cause is shown once", width
        )
    yield paragraph(verdict_in_words(report), width)


def _circumstances(told: list[tuple[str, str]], style: Style, width: int) -> Iterator[str]:
    """How the templates were judged, one paragraph for each thing."""
    for key, value in told:
        yield _row("judged", f"{visible(key)}: {visible(value)}", "dim", style, width)


def verdict_in_words(report: Report) -> str:
    """The exit status and why it is so."""
    if report.errors:
        return f"exit status 2: {_count(len(report.errors), 'error')}, so not everything could be judged"
    threshold = report.threshold
    number = sum(map(threshold.counts, report.results))
    *others, last = VERDICTS[: VERDICTS.index(threshold.fail_on) + 1]
    kinds = f"{', '.join(others)} or {last}" if others else last
    least = "" if threshold.fail_severity == "info" else f" and severity {threshold.fail_severity} or higher"
    status = f"{report.status()}{' (--exit-zero)' if threshold.forgiven and number else ''}"
    return f"exit status {status}: {_count(number, 'finding') if number else 'no finding'} with verdict {kinds}{least}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _list(lines: list[str] | Iterator[str]) -> str:
    """Join lines into a block with one blank line inside at most, and none at its end."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line.rstrip())
    while kept and not kept[-1]:
        kept.pop()
    return "\n".join(kept) + "\n" if kept else ""
