"""What comes first on the page: how it ended, how it was judged, and where findings are, by severity, rule and file."""

from __future__ import annotations

from collections import Counter

from trailguard.findings import CONDITIONAL, FAIL, OPEN, PASS, SEVERITIES, UNKNOWN, VERDICTS
from trailguard.reporters.common import by_cause, judged, open_findings, severity_rank
from trailguard.reporters.html_text import Html, badge, counted, join, rule_link, severity, table, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailguard.findings import Report

SHORT = 40  # rows of a table that is read as a whole


def summary(report: Report) -> Html:
    """How it ended: in words, as numbers, and by severity."""
    counts = report.summary()
    broken = sum(counts[verdict] for verdict in OPEN)
    looked = f"{counted(counts['files'], 'file')}, {counted(counts['templates'], 'template')}, "
    looked += f"{counted(counts['subjects'], 'subject')}, {counted(len(report.rules), 'rule')}."
    tiles = [tag("li", tag("strong", f"{counts[kind]:,}"), " ", badge(kind)) for kind in (*VERDICTS, "suppressed")]
    tiles.append(tag("li", tag("strong", f"{counts['errors']:,}"), " error" if counts["errors"] == 1 else " errors"))
    parts: list[str] = [tag("p", _outcome(report, counts, broken), class_="outcome"), tag("p", looked)]
    parts.append(tag("ul", *tiles, class_="tiles"))
    if broken:
        rows = _rows((item.rule.severity, item.verdict) for item in open_findings(report))
        found = [(severity(name), rows.get(name, Counter())) for name in SEVERITIES]
        found += [(severity(name), row) for name, row in rows.items() if name not in SEVERITIES]
        parts.append(_table("Severity", found, "Findings by severity"))
    return join(parts)


def _outcome(report: Report, counts: Mapping[str, int], broken: int) -> str:
    outcome = "Every rule that was applied holds." if counts[PASS] else "There was nothing to judge."
    if counts["suppressed"]:
        outcome = f"No open finding, {counts['suppressed']:,} accepted."
    if broken:
        outcome = f"{counted(broken, 'finding')}: {counts[FAIL]:,} fail, {counts[CONDITIONAL]:,} conditional, "
        outcome += f"{counts[UNKNOWN]:,} unknown."
        causes = len(by_cause(report))
        if causes < broken:
            outcome += f" They come from {counted(causes, 'cause')}; what has one cause is shown once."
    if counts["errors"]:
        outcome += f" {counted(counts['errors'], 'error')}: not everything could be judged."
    return outcome


def circumstances(report: Report) -> Html:
    """How the templates were judged, as a list of terms."""
    pairs = ((tag("dt", key[:1].upper() + key[1:]), tag("dd", told)) for key, told in judged(report))
    return tag("dl", *(part for pair in pairs for part in pair), class_="judged")


def overview(report: Report) -> Html:
    """Where the open findings are: how many each rule has, and each file. The most severe rule first.

    Of the files only those with most: the templates with verdicts are all listed at the end of the page.
    """
    items = open_findings(report)
    if not items:
        return Html()
    severities = {item.rule.id: item.rule.severity for item in items}
    titles = {item.rule.id: item.rule.title for item in items}
    by_rule = _rows((item.rule.id, item.verdict) for item in items)
    order = sorted(by_rule, key=lambda rule: (severity_rank(severities[rule]), -by_rule[rule].total(), rule))
    rules = [(join([rule_link(rule, titles), " ", titles[rule], " ", severity(severities[rule])]), by_rule[rule])
             for rule in order]  # fmt: skip
    by_file = _rows((item.place.file, item.verdict) for item in items)
    files = [(join([file]), row) for file, row in sorted(by_file.items(), key=lambda pair: (-pair[1].total(), pair[0]))]
    more = f"{counted(len(files) - SHORT, 'more file')} with findings; all templates are listed under Scope."
    parts = [_folded("Findings by rule", _table("Rule", rules, "Findings by rule"), len(rules))]
    parts.append(_folded("Findings by file", _table("File", files[:SHORT], "Findings by file"), len(files)))
    return join([*parts, *((tag("p", more, class_="quiet"),) if len(files) > SHORT else ())])


def _rows(pairs: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for name, verdict in pairs:
        found.setdefault(name, Counter())[verdict] += 1
    return found


def _table(head: str, rows: Iterable[tuple[Html, Counter[str]]], caption: str) -> Html:
    cells = [
        tag("tr", tag("th", name, scope="row"), *(_number(row[kind]) for kind in OPEN), _number(row.total()))
        for name, row in rows
    ]
    return table((head, "Fail#", "Conditional#", "Unknown#", "All#"), cells, caption, "counts")


def _number(value: int) -> Html:
    return tag("td", f"{value:,}")


def _folded(title: str, body: Html, rows: int) -> Html:
    return tag("details", tag("summary", tag("h3", f"{title} ({rows:,})")), body, open=True)
