"""Findings with their source, what was accepted, and what holds, each in the form that suits how many there are.

Findings stand below their rule, whose texts are there once; what holds is a list for each subject.
"""

from __future__ import annotations

from trailguard.findings import OPEN, PASS, VERDICTS
from trailguard.reporters.common import also, by_cause, circumstances, remedy, severity_rank
from trailguard.reporters.html_text import Html, anchor, badge, counted, join, listing, severity, slug, table, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailguard.findings import Finding, Report, RuleInfo
    from trailguard.reporters.common import Shared

RELATED = 6  # places beside the main one that are drawn; the others are named


def findings(report: Report, files: Mapping[str, int]) -> Html:
    """The open findings, one for each cause, by the rule that leads: the worst rule first, then the one with most.

    `files` numbers the files, for the filter.
    """
    by_rule: dict[str, list[Shared]] = {}
    for shared in by_cause(report):
        by_rule.setdefault(shared.lead.rule.id, []).append(shared)
    names: dict[str, int] = {}
    anchored = set(by_rule)
    groups = []
    for items in sorted(by_rule.values(), key=_rank):
        items.sort(key=lambda one: (VERDICTS.index(one.lead.verdict), one.lead.place.file, one.lead.place.span))
        cards = [join([*_anchors(shared, anchored), _card(shared, report, files, names)]) for shared in items]
        groups.append(_group([shared.lead for shared in items], cards))
    return join(groups) if groups else tag("p", "There are none.")


def _rank(items: list[Shared]) -> tuple[int, int, int, str]:
    rule = items[0].lead.rule
    worst = min(VERDICTS.index(shared.lead.verdict) for shared in items)
    return severity_rank(rule.severity), worst, -len(items), rule.id


def _anchors(shared: Shared, anchored: set[str]) -> Iterator[Html]:
    """Where links to the findings of a rule lead that is only named among those of others."""
    for item in shared.others:
        if item.rule.id not in anchored:
            anchored.add(item.rule.id)
            yield tag("span", id=f"findings-{slug(item.rule.id)}", class_="anchor")


def _group(items: list[Finding], cards: list[Html]) -> Html:
    rule = items[0].rule
    counts = [
        badge(verdict, f"{number} {verdict}")
        for verdict in OPEN
        if (number := sum(item.verdict == verdict for item in items))
    ]
    head = tag("h3", tag("span", rule.id, class_="id"), " ", rule.title)
    told = [tag("p", severity(rule.severity), " ", tag("code", rule.name), " ", *counts, class_="chips")]
    about: list[tuple[str, Html]] = []
    if rule.changed:
        about.append(("Changed", join([tag("strong", "; ".join(rule.changed))])))
    if rule.why:
        about.append(("Why", _prose(rule.why)))
    if any(map(remedy, items)):
        about.append(("Remedy", _prose(rule.remedy)))
    if rule.controls:
        about.append(("Controls", join(_controls(rule))))
    if rule.references:
        links = [tag("li", anchor(address, address)) for address in rule.references]
        about.append(("See", tag("ul", *links, class_="links")))
    return tag("section", head, *told, _pairs(about), *cards, class_="rule", id=f"findings-{slug(rule.id)}",
               data_r=rule.id, data_s=rule.severity)  # fmt: skip


def _prose(value: str) -> Html:
    return join([tag("p", line) for line in value.split("\n") if line.strip()])


def _controls(rule: RuleInfo) -> Iterator[Html]:
    for framework, names, firm in rule.relations():
        mark = "" if firm else " (unverified)"
        yield tag("span", tag("b", framework), f" {', '.join(names)}{mark}", class_="control")
    if rule.unverified is not None:
        source, date = rule.unverified.source, rule.unverified.date
        told = f" alone, read {date}: nobody has held it against the framework's own text."
        yield tag("p", "What is marked unverified rests on ", anchor(source, source), told)


def _pairs(pairs: list[tuple[str, Html]]) -> Html:
    parts = [part for label, told in pairs for part in (tag("dt", label), tag("dd", told))]
    return tag("dl", *parts) if parts else Html()


def _card(shared: Shared, report: Report, files: Mapping[str, int], names: dict[str, int]) -> Html:
    item = shared.lead
    known = names[item.fingerprint] = names.get(item.fingerprint, 0) + 1
    name = f"f-{slug(item.fingerprint)}" + (f".{known}" if known > 1 else "")
    place = f"{item.place.file}:{item.place.span.line}:{item.place.span.column}"
    link = tag("a", place, href=f"#{name}", class_="place")
    head = tag("h4", badge(item.verdict), " ", tag("b", item.resource), " ", link)
    body = [head, tag("p", item.message, class_="message"), _source(report, item)]
    body.extend(_places(item, report))
    pairs = []
    if item.witness:
        values = [tag("code", f"{key} = {value or '(empty)'}") for key, value in item.witness.items()]
        pairs.append(("When", join(values, ", ")))
    if item.reason:
        pairs.append(("Because", join([item.reason])))
    pairs += [(label.capitalize(), join([told])) for label, told in circumstances(item)]
    if shared.others:
        pairs.append(("Also", join([also(shared)])))
    named = (file for one in shared.all for file in (one.place.file, one.subject_file))
    number_of = {files[file] for file in named if file in files}
    rules = dict.fromkeys(one.rule.id for one in shared.all)
    return tag("article", *body, _pairs(pairs), class_="finding", id=name, data_v=item.verdict,
               data_f=" ".join(map(str, sorted(number_of))), data_r=" ".join(rules))  # fmt: skip


def _source(report: Report, item: Finding) -> Html:
    return listing(report.sources.get(item.place.file, ()), item.place.span)


def _places(item: Finding, report: Report) -> Iterator[Html]:
    for number, place in enumerate(item.related):
        told = f"{place.file}:{place.span.line}:{place.span.column}"
        yield tag("p", tag("b", "Note"), f" {place.message} ", tag("span", told, class_="place"), class_="note")
        if number < RELATED:
            yield listing(report.sources.get(place.file, ()), place.span, 1, 1)


def accepted(report: Report, files: Mapping[str, int]) -> Html:
    """What is suppressed, as a table: why, by what, and until when."""
    rows = []
    for item in report.results:
        if item.suppressed is None:
            continue
        place = f"{item.place.file}:{item.place.span.line}"
        cells = (
            tag("th", f"{item.rule.id} {item.rule.name}", scope="row"),
            tag("td", f"{item.verdict}, {item.rule.severity}"),
            tag("td", item.resource, " ", tag("span", place, class_="place")),
            tag("td", item.message),
            tag("td", item.suppressed.kind),
            tag("td", item.suppressed.reason),
            tag("td", item.suppressed.expires or "never"),
        )
        rows.append(tag("tr", *cells, data_v="suppressed", data_r=item.rule.id, data_s=item.rule.severity,
                        data_f=files.get(item.place.file, 0)))  # fmt: skip
    heads = ("Rule", "Verdict", "Where", "What", "Accepted by", "Reason", "Expires")
    return table(heads, rows, "Accepted findings") if rows else tag("p", "Nothing is accepted.")


def evidence(report: Report, files: Mapping[str, int]) -> Html:
    """What holds and what does not apply, for each subject: the rule, the line, and what was found there."""
    subjects: dict[tuple[str, str, tuple[str, ...]], list[Finding]] = {}
    for item in report.results:
        if item.suppressed is None and item.verdict not in OPEN:
            subjects.setdefault((item.home, item.resource, item.contexts), []).append(item)
    if not subjects:
        return tag("p", "There is none.")
    blocks = [_subject(key, items, files) for key, items in sorted(subjects.items())]
    passes = sum(item.verdict == PASS for items in subjects.values() for item in items)
    others = sum(map(len, subjects.values())) - passes
    told = f"{counted(passes, 'passed verdict')}, {others:,} not applicable, {counted(len(subjects), 'subject')}"
    return tag("details", tag("summary", told), *blocks, id="holds")


def _subject(key: tuple[str, str, tuple[str, ...]], items: list[Finding], files: Mapping[str, int]) -> Html:
    file, resource, contexts = key
    head = [tag("b", resource), f" {file}"]
    if contexts:
        head.append(f", in {'; '.join(contexts)}")
    ordered = sorted(items, key=lambda item: (item.verdict != PASS, item.rule.id, item.place.file, item.place.span))
    rows = [tag("li", _held(item, file), class_=None if item.verdict == PASS else "n") for item in ordered]
    return tag("div", tag("p", *head), tag("ul", *rows), class_="held", data_f=files.get(file, 0))


def _held(item: Finding, file: str) -> str:
    if item.verdict != PASS:
        return f"{item.rule.id} not applicable: {item.reason or item.message}"
    place = f"line {item.place.span.line}" if item.place.file == file else f"{item.place.file}:{item.place.span.line}"
    return f"{item.rule.id} {place}: {item.message}"
