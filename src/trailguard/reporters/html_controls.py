"""The controls of each framework with what the verdicts say of them."""

from __future__ import annotations

from collections import Counter

from trailguard.findings import ControlInfo
from trailguard.reporters.html_text import Html, anchor, badge, counted, join, rule_link, table, tag, text
from trailguard.reporters.standing import (
    ACCEPTED,
    BEYOND,
    MET,
    NOT_JUDGED,
    NOT_MET,
    STATES,
    UNDECIDED,
    Standing,
    standing,
    standings,
    verdicts_by_rule,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from trailguard.findings import FrameworkInfo, Prerequisites, Report

# How each state is drawn.
BADGES: Mapping[str, str] = {
    NOT_MET: "fail",
    ACCEPTED: "suppressed",
    UNDECIDED: "unknown",
    NOT_JUDGED: "not_applicable",
    BEYOND: "beyond",
    MET: "pass",
}


def section(report: Report, linked: Container[str]) -> Html:
    """The prerequisites, then all frameworks, each to be opened; those that were asked for are open.

    `linked` are the rules with findings.
    """
    parts: list[str] = []
    if report.errors:
        told = f"{counted(len(report.errors), 'error')}: not everything was judged. A state says nothing of the rest."
        parts.append(tag("p", tag("strong", told)))
    shared = dict.fromkeys(item.prerequisites for item in report.frameworks if item.prerequisites is not None)
    parts += [_prerequisites(needed, report, linked) for needed in shared]
    for framework in report.frameworks:
        found = standings(framework, report)
        rows = [_row(control, item, linked, _changed(control, report)) for control, item in found]
        parts.append(_framework(framework, found, rows))
    return join(parts)


def _framework(framework: FrameworkInfo, found: list[tuple[ControlInfo, Standing]], rows: list[Html]) -> Html:
    listed = table(("Control", "Asks for", "State", "Why"), rows, f"Controls of {framework.title}", "controls")
    return tag(
        "details",
        _head(framework.title, [item for _, item in found]),
        *_about(framework),
        listed,
        open=framework.asked,
        class_="framework",
        data_name=framework.name,
    )


def _head(title: str, found: list[Standing]) -> Html:
    """A title, with how many are in each state."""
    counts = Counter(item.state for item in found)
    chips = [badge(BADGES[state], f"{counts[state]} {state}") for state in STATES if counts[state]]
    return tag("summary", tag("h3", title), " ", tag("span", *chips, class_="chips"))


def _about(framework: FrameworkInfo) -> Iterator[Html]:
    """Which part of a framework is meant, where the mapping was read, and what of it is unverified."""
    if framework.about:
        read = f", read {framework.date}" if framework.date else ""
        about = f"{framework.about[:1].upper()}{framework.about[1:]}. Mapping: "
        yield tag("p", about, anchor(framework.source, framework.source), read, class_="quiet")
    if framework.note:
        yield tag("p", framework.note, class_="quiet")
    for source, date in framework.unverified:
        told = f" alone, read {date}: nobody has held it against the framework's own text."
        yield tag("p", "What is marked unverified rests on ", anchor(source, source), told, class_="quiet")


def _prerequisites(needed: Prerequisites, report: Report, linked: Container[str]) -> Html:
    """The rules without which no control that rests on the trail is met, each with its state; open while one is not."""
    told = verdicts_by_rule(report)
    found = [standing(ControlInfo(rule, "", None, (rule,)), told) for rule in needed.rules]
    titles = {rule.id: rule.title for rule in report.rules}
    rows = [
        tag("tr", tag("th", rule_link(rule, linked), scope="row"), tag("td", titles.get(rule, "")),
            tag("td", badge(BADGES[item.state], item.state)))
        for rule, item in zip(needed.rules, found, strict=True)
    ]  # fmt: skip
    listed = table(("Rule", "Asks for", "State"), rows, "Prerequisites of the frameworks", "controls")
    is_broken = any(item.state in (NOT_MET, ACCEPTED, UNDECIDED) for item in found)
    why = tag("p", needed.why, class_="quiet")
    return tag("details", _head(f"Prerequisites: {needed.title}", found), why, listed, open=is_broken,
               class_="prerequisites")  # fmt: skip


def _changed(control: ControlInfo, report: Report) -> str:
    """How the rules behind a control differ from how they ship."""
    behind = (*control.rules, *control.prerequisites)
    return "; ".join(f"{rule.id}: {told}" for rule in report.rules if rule.id in behind for told in rule.changed)


def _row(control: ControlInfo, item: Standing, linked: Container[str], changed: str) -> Html:
    """A control with its state, and whether that was judged by rules that somebody changed."""
    cells = (
        tag("th", control.id, scope="row"),
        tag("td", control.title, _mark(control)),
        tag("td", badge(BADGES[item.state], item.state)),
        tag("td", *_why(item, linked), *((". ", tag("strong", f"Changed: {changed}")) if changed else ())),
    )
    return tag("tr", *cells, data_r=" ".join(control.rules))


def _mark(control: ControlInfo) -> Html:
    """The mark of a control that rests, at least in part, on one unverified mapping alone."""
    if not control.unverified:
        return Html()
    part = "" if set(control.unverified) == set(control.rules) else f": {', '.join(control.unverified)}"
    return join([text(" "), tag("span", f"unverified{part}", class_="severity")])


def _why(item: Standing, linked: Container[str]) -> Iterator[str]:
    for number, (words, rules) in enumerate(item.reasons):
        yield ("; " if number else "") + words + (": " if rules else "")
        yield join((rule_link(rule, linked) for rule in rules), ", ")
