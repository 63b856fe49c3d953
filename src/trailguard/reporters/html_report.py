"""One page for reading and for auditors: what was judged, which controls are met, what breaks the chain, what holds.

The page needs nothing but itself: style and script are inside, and a Content-Security-Policy lets nothing else in. It
is complete without the script, which only filters.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files as package_files

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, SEVERITIES, UNKNOWN, VERDICTS, Span
from trailguard.reporters import html_chains, html_controls, html_findings, html_summary
from trailguard.reporters.common import by_cause, open_findings
from trailguard.reporters.html_text import NEWLINE, Html, counted, join, listing, severity, slug, table, tag, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from trailguard.findings import FileError, Report

_FEW = 5  # chains that are worth seeing before the findings


def render(report: Report) -> str:
    """Write the page."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=f"trailguard {report.version}"),
        tag("title", _title(report)),
        tag("style", style),
    )
    body = tag(
        "body", tag("a", "Skip to the report", href="#main", class_="skip"), *_page(report), tag("script", script)
    )
    return join([Html("<!DOCTYPE html>"), NEWLINE, tag("html", head, NEWLINE, body, lang="en"), NEWLINE])


def _asset(name: str) -> Html:
    return Html(package_files("trailguard.reporters").joinpath(name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


def _title(report: Report) -> str:
    counts = report.summary()
    return f"trailguard report: {counts[FAIL]} fail, {counts[CONDITIONAL]} conditional, {counts[UNKNOWN]} unknown"


def _page(report: Report) -> Iterator[Html]:
    numbers = _numbered(report)
    about = "CloudTrail in CloudFormation templates, judged by trailguard"
    part = [tag("p", tag("strong", f"Only what changed since {report.since}, no evidence of the rest"))]
    how = html_summary.circumstances(report)
    yield tag("header", tag("h1", "Audit trail report"), tag("p", about), *(part if report.since else ()), how)
    sections = list(_sections(report, numbers))
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, title, _, _ in sections]
    yield tag("nav", tag("ul", *links), aria_label="Contents")
    names = [item[0] for item in sections]
    first, last = names.index("findings"), names.index("evidence") + 1
    drawn = [_section(*item, is_filtered=first <= number < last) for number, item in enumerate(sections)]
    filtered = tag("div", _filter(report), *drawn[first:last], class_="results")
    yield tag("main", html_chains.markers(), *drawn[:first], filtered, *drawn[last:], id="main")


def _section(name: str, title: str, told: str, body: Html, is_filtered: bool) -> Html:
    intro = [tag("p", told, class_="quiet")] if told else []
    if is_filtered:
        intro.append(tag("p", "Nothing here fits the filter.", class_="none", hidden=True))
    return tag("section", tag("h2", title, id=f"{name}-title"), *intro, body, NEWLINE, id=name,
               aria_labelledby=f"{name}-title")  # fmt: skip


def _sections(report: Report, numbers: Mapping[str, int]) -> Iterator[tuple[str, str, str, Html]]:
    """The name, the title, the introduction and the body of each section."""
    linked = {item.rule.id for item in open_findings(report)}
    yield "summary", "Summary", "", html_summary.summary(report)
    if report.errors:
        told = "These could not be judged as asked. Nothing in this report speaks for them."
        yield "errors", "Errors", told, join([_error(item, report) for item in report.errors])
    if report.frameworks:
        told = "A control is met when every rule behind it was applied and none is broken, nor a prerequisite of it."
        yield "controls", "Controls", told, html_controls.section(report, linked)
    chains = list(_chains(report, linked))
    if len(report.chains) <= _FEW:
        yield from chains
    found = html_findings.findings(report, numbers)
    yield "findings", "Findings", "", join([html_summary.overview(report), found])
    told = "Findings that somebody accepted. They keep their verdict, and their controls are not met."
    yield "accepted", "Accepted findings", told, html_findings.accepted(report, numbers)
    told = "What holds: for every subject the rules that are kept and what was found, as audit evidence."
    folded = tag("p", "What is folded is not printed; open it first.", class_="quiet screen")
    yield "evidence", "Evidence", told, join([folded, html_findings.evidence(report, numbers)])
    if len(report.chains) > _FEW:
        yield from chains
    yield "rules", "Rules", "The rules that were applied, with their verdicts.", _rules(report)
    yield "scope", "Scope", "", _scope(report, numbers)


def _chains(report: Report, linked: Container[str]) -> Iterator[tuple[str, str, str, Html]]:
    if report.chains:
        told = (
            "What each trail delivers to and what that depends on. A dashed line with a sign is broken; "
            "what is accepted says so below the picture. Unbroken chains are folded."
        )
        yield "chains", "Delivery chains", told, html_chains.section(report.chains, linked, report.results)


def _numbered(report: Report) -> dict[str, int]:
    """The files that results are about, with a number each."""
    found = {file for item in report.results for file in (item.place.file, item.subject_file) if file}
    return {file: number for number, file in enumerate(sorted(found))}


def _error(item: FileError, report: Report) -> Html:
    place = f"{item.file}:{item.line}:{item.column}" if item.line else item.file
    head = tag("h3", tag("span", place, class_="place"))
    span = Html()
    if item.line:
        place_of = Span(item.line, item.column, item.line, item.column)
        span = listing(report.sources.get(item.file, ()), place_of)
    return tag("article", head, tag("p", item.message, class_="message"), span, class_="finding", data_v="error")


def _filter(report: Report) -> Html:
    """The form that the script fills and shows; without the script it stays hidden."""

    def choice(name: str, label: str, options: tuple[str, ...]) -> Html:
        made = [tag("option", f"any {label.lower()}", value="")]
        made += [tag("option", item.replace("_", " "), value=item) for item in options]
        return tag("label", label, " ", tag("select", *made, name=name))

    fields = [
        tag("label", "Search", " ", tag("input", type="search", name="q", autocomplete="off", spellcheck="false")),
        choice("verdict", "Verdict", (FAIL, CONDITIONAL, UNKNOWN, "suppressed", PASS, NOT_APPLICABLE)),
        choice("severity", "Severity", SEVERITIES),
        choice("rule", "Rule", ()),
    ]
    if report.frameworks:
        fields.append(choice("control", "Control", ()))
    fields.append(choice("file", "File", ()))
    results = report.results
    accepted = sum(item.suppressed is not None for item in results)
    told = f"{counted(len(by_cause(report)), 'finding')}, {accepted:,} accepted, "
    told += f"{counted(len(results) - accepted - len(open_findings(report)), 'line')} of evidence"
    count = tag("output", told, role="status", aria_live="polite")
    return tag("form", *fields, tag("button", "Show all", type="reset"), count, role="search",
               aria_label="Filter findings and evidence", hidden=True)  # fmt: skip


def _rules(report: Report) -> Html:
    kinds = (*VERDICTS, "suppressed")
    told: dict[str, dict[str, int]] = {}
    for item in report.results:
        row = told.setdefault(item.rule.id, dict.fromkeys(kinds, 0))
        row["suppressed" if item.suppressed else item.verdict] += 1
    rows = []
    for rule in report.rules:
        counts = told.get(rule.id, dict.fromkeys(kinds, 0))
        broken = counts[FAIL] + counts[CONDITIONAL] + counts[UNKNOWN]
        name = tag("a", rule.id, href=f"#findings-{slug(rule.id)}") if broken else text(rule.id)
        changed = (" ", tag("strong", f"Changed: {'; '.join(rule.changed)}")) if rule.changed else ()
        title = tag("td", rule.title, " ", tag("code", rule.name), *changed)
        cells = [
            tag("th", name, scope="row"),
            title,
            tag("td", severity(rule.severity)),
            *(_number(counts[key]) for key in kinds),
        ]
        rows.append(tag("tr", *cells, id=f"rule-{slug(rule.id)}", data_r=rule.id, data_s=rule.severity))
    heads = ("Rule", "What it asks", "Severity", *(f"{kind.replace('_', ' ').capitalize()}#" for kind in kinds))
    return table(heads, rows, "Rules applied", "rules")


def _scope(report: Report, numbers: Mapping[str, int]) -> Html:
    kinds = (FAIL, CONDITIONAL, UNKNOWN, PASS, "suppressed")
    found = {file: dict.fromkeys((*kinds, NOT_APPLICABLE), 0) for file in numbers}
    for item in report.results:
        found[item.place.file]["suppressed" if item.suppressed else item.verdict] += 1
    rows = [
        tag("tr", tag("th", file, scope="row"), *(_number(counts[kind]) for kind in kinds), data_f=numbers[file])
        for file, counts in found.items()
    ]
    heads = ("Template#", "Fail#", "Conditional#", "Unknown#", "Pass#", "Suppressed#")
    judged = table(("Template", *heads[1:]), rows, "Templates with verdicts", "files")
    parts: list[str] = [_folded(f"{counted(len(rows), 'template')} with verdicts", judged, len(rows))]
    if report.notices:
        notes = [tag("li", tag("span", f"{item.file}:{item.line}" if item.line else item.file, class_="place"), " ",
                     item.message) for item in report.notices]  # fmt: skip
        parts.append(join([tag("h3", "Notices"), tag("ul", *notes)]))
    if report.ignored:
        skipped = [tag("tr", tag("th", file, scope="row"), tag("td", reason)) for file, reason in report.ignored]
        listed = table(("File", "Why"), skipped, "Files passed over", "ignored")
        parts.append(_folded(f"{counted(len(skipped), 'file')} passed over", listed, len(skipped)))
    parts.append(
        tag("p", "Excerpts and verdicts are those of the scan; the JSON report of the same scan has all fields.")
    )
    return join(parts)


def _number(value: int) -> Html:
    return tag("td", f"{value:,}")


def _folded(title: str, body: Html, rows: int) -> Html:
    return tag("details", tag("summary", title), body, open=rows <= html_summary.SHORT)
