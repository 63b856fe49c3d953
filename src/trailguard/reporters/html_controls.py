"""The controls of each framework with what the verdicts say of them.

A control is met when every rule behind it was asked and none is broken. What is accepted is not met all the same, what
only some parameter values break is not met, and what cannot be told is never called met.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN
from trailguard.reporters.html_text import Html, anchor, badge, counted, join, rule_link, table, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from trailguard.findings import ControlInfo, Finding, FrameworkInfo, Report

NOT_MET, ACCEPTED, UNDECIDED, NOT_JUDGED, BEYOND, MET = (
    "not met",
    "not met, accepted",
    "not decided",
    "not judged",
    "cannot be told from templates",
    "met",
)
# States, worst first, and how they are drawn.
STATES: Mapping[str, str] = {
    NOT_MET: "fail",
    ACCEPTED: "suppressed",
    UNDECIDED: "unknown",
    NOT_JUDGED: "not_applicable",
    BEYOND: "beyond",
    MET: "pass",
}


class Standing(NamedTuple):
    """The state of a control, one of STATES, and why it is so: words, each with the rules that they are about."""

    state: str
    reasons: tuple[tuple[str, tuple[str, ...]], ...]


def standings(framework: FrameworkInfo, report: Report) -> list[tuple[ControlInfo, Standing]]:
    """Each control of a framework with its state."""
    told: dict[str, Counter[str]] = {rule.id: Counter() for rule in report.rules}
    for item in report.results:
        told.setdefault(item.rule.id, Counter())[_kind(item)] += 1
    return [(control, standing(control, told)) for control in framework.controls]


def _kind(item: Finding) -> str:
    return item.verdict if item.suppressed is None else "suppressed"


def standing(control: ControlInfo, told: Mapping[str, Counter[str]]) -> Standing:
    """The state of a control from how often each rule that was asked gave each verdict."""
    if control.undecidable is not None:
        return Standing(BEYOND, ((control.undecidable, ()),))
    asked = tuple(rule for rule in control.rules if rule in told)
    left_out = tuple(rule for rule in control.rules if rule not in told)
    for state, verdicts in (
        (NOT_MET, {FAIL: "broken", CONDITIONAL: "conditional, kept for some parameter values only"}),
        (ACCEPTED, {"suppressed": "broken, and accepted"}),
        (UNDECIDED, {UNKNOWN: "unknown"}),
    ):
        found = {words: tuple(rule for rule in asked if told[rule][verdict]) for verdict, words in verdicts.items()}
        reasons = tuple((words, rules) for words, rules in found.items() if rules)
        if reasons:
            return Standing(state, reasons)
    if left_out or not asked:
        return Standing(NOT_JUDGED, (("not selected", left_out),) if left_out else (("no rule is behind it", ()),))
    kept = tuple(rule for rule in asked if told[rule][PASS])
    if not kept:
        return Standing(NOT_JUDGED, (("nothing here is a subject of", asked),))
    return Standing(MET, (("kept", kept),))


def section(report: Report, linked: Container[str]) -> Html:
    """All frameworks, each to be opened; the one that was asked for is open. `linked` are the rules with findings."""
    parts: list[str] = []
    if report.errors:
        told = f"{counted(len(report.errors), 'error')}: not everything was judged. A state says nothing of the rest."
        parts.append(tag("p", tag("strong", told)))
    for framework in report.frameworks:
        found = standings(framework, report)
        rows = [_row(control, item, linked, _changed(control, report)) for control, item in found]
        parts.append(_framework(framework, found, rows, is_open=framework.name == report.profile))
    return join(parts)


def _framework(
    framework: FrameworkInfo, found: list[tuple[ControlInfo, Standing]], rows: list[Html], is_open: bool
) -> Html:
    counts = Counter(item.state for _, item in found)
    chips = [badge(kind, f"{counts[state]} {state}") for state, kind in STATES.items() if counts[state]]
    head = tag("summary", tag("h3", framework.title), " ", tag("span", *chips, class_="chips"))
    about = [
        tag(
            "p",
            f"{framework.about[:1].upper()}{framework.about[1:]}. Mapping: ",
            anchor(framework.source, framework.source),
            class_="quiet",
        )
    ]
    listed = table(("Control", "Asks for", "State", "Why"), rows, f"Controls of {framework.title}", "controls")
    return tag(
        "details",
        head,
        *(about if framework.about else ()),
        listed,
        open=is_open,
        class_="framework",
        data_name=framework.name,
    )


def _changed(control: ControlInfo, report: Report) -> str:
    """How the rules behind a control differ from how they ship."""
    return "; ".join(f"{rule.id}: {told}" for rule in report.rules if rule.id in control.rules for told in rule.changed)


def _row(control: ControlInfo, item: Standing, linked: Container[str], changed: str) -> Html:
    """A control with its state, and whether that was judged by rules that somebody changed."""
    cells = (
        tag("th", control.id, scope="row"),
        tag("td", control.title),
        tag("td", badge(STATES[item.state], item.state)),
        tag("td", *_why(item, linked), *((". ", tag("strong", f"Changed: {changed}")) if changed else ())),
    )
    return tag("tr", *cells, data_r=" ".join(control.rules))


def _why(item: Standing, linked: Container[str]) -> Iterator[str]:
    for number, (words, rules) in enumerate(item.reasons):
        yield ("; " if number else "") + words + (": " if rules else "")
        yield join((rule_link(rule, linked) for rule in rules), ", ")
