"""The controls of each framework with what the verdicts say of them.

A control is met when every rule behind it was asked and none is broken. What is accepted is not met all the same, what
only some parameter values break is not met, and what cannot be told is never called met.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN
from trailguard.reporters.html_text import Html, anchor, counted, join, table, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailguard.findings import ControlInfo, Finding, FrameworkInfo, Report

NOT_MET, ACCEPTED, UNDECIDED, NOT_JUDGED, BEYOND, MET = (
    "not met",
    "not met, accepted",
    "not decided",
    "not judged",
    "cannot be told from templates",
    "met",
)
# States with the sign and the class that they are drawn with, worst first.
STATES: Mapping[str, tuple[str, str]] = {
    NOT_MET: ("✕", "fail"),
    ACCEPTED: ("≈", "suppressed"),
    UNDECIDED: ("?", "unknown"),
    NOT_JUDGED: ("○", "not_applicable"),
    BEYOND: ("∅", "beyond"),
    MET: ("✓", "pass"),
}


class Standing(NamedTuple):
    """The state of a control, one of STATES, why it is so, and the rules that make it so."""

    state: str
    reason: str
    rules: tuple[str, ...] = ()


def standings(framework: FrameworkInfo, report: Report) -> list[tuple[ControlInfo, Standing]]:
    """Each control of a framework with its state."""
    told: dict[str, Counter[str]] = {rule.id: Counter() for rule in report.rules}
    for item in report.results:
        told.setdefault(item.rule, Counter())[_kind(item)] += 1
    return [(control, standing(control, told)) for control in framework.controls]


def _kind(item: Finding) -> str:
    return item.verdict if item.suppressed is None else "suppressed"


def standing(control: ControlInfo, told: Mapping[str, Counter[str]]) -> Standing:
    """The state of a control from how often each rule that was asked gave each verdict."""
    if control.undecidable is not None:
        return Standing(BEYOND, control.undecidable)
    asked = [rule for rule in control.rules if rule in told]
    left_out = [rule for rule in control.rules if rule not in told]
    for state, verdicts in (
        (NOT_MET, {FAIL: "broken by", CONDITIONAL: "conditional: holds only for some parameter values, by"}),
        (ACCEPTED, {"suppressed": "broken and accepted by way of a suppression:"}),
        (UNDECIDED, {UNKNOWN: "cannot be decided:"}),
    ):
        found = {verdict: tuple(rule for rule in asked if told[rule][verdict]) for verdict in verdicts}
        rules = tuple(dict.fromkeys(rule for names in found.values() for rule in names))
        if rules:
            return Standing(state, "; ".join(_named(verdicts[verdict], found[verdict]) for verdict in found), rules)
    if not asked:
        return Standing(NOT_JUDGED, "its rules were not selected" if left_out else "no rule is behind it")
    if left_out:
        return Standing(NOT_JUDGED, f"only in part: {', '.join(left_out)} not selected", tuple(asked))
    if not any(told[rule][PASS] for rule in asked):
        return Standing(NOT_JUDGED, "nothing in these templates is a subject of its rules", tuple(asked))
    return Standing(MET, "", tuple(rule for rule in asked if told[rule][PASS]))


def _named(words: str, rules: Sequence[str]) -> str:
    return f"{words} {', '.join(rules)}" if rules else ""


def section(report: Report) -> Html:
    """All frameworks, each to be opened; the one that was asked for is open."""
    parts: list[str] = []
    if report.errors:
        told = f"{counted(len(report.errors), 'error')}: not everything was judged. A state says nothing of the rest."
        parts.append(tag("p", tag("strong", told)))
    for framework in report.frameworks:
        found = standings(framework, report)
        parts.append(_framework(framework, found, is_open=framework.name == report.profile))
    return join(parts)


def _framework(framework: FrameworkInfo, found: list[tuple[ControlInfo, Standing]], is_open: bool) -> Html:
    counts = Counter(item.state for _, item in found)
    chips = [_state(state, f"{counts[state]} {state}") for state in STATES if counts[state]]
    head = tag("summary", tag("h3", framework.title), " ", tag("span", *chips, class_="chips"))
    about = [tag("p", framework.about, ". Mapping: ", anchor(framework.source, framework.source), class_="quiet")]
    rows = [_row(control, item) for control, item in found]
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


def _row(control: ControlInfo, item: Standing) -> Html:
    cells = (
        tag("th", control.id, scope="row"),
        tag("td", control.title),
        tag("td", _state(item.state, item.state)),
        tag("td", *_why(item)),
    )
    return tag("tr", *cells, data_r=" ".join(control.rules))


def _why(item: Standing) -> Iterator[str]:
    if item.state == MET:
        yield f"holds: {', '.join(item.rules)}"
    else:
        yield item.reason


def _state(state: str, label: str) -> Html:
    sign, class_ = STATES[state]
    return tag("span", tag("span", sign, class_="sign", aria_hidden="true"), label, class_=f"badge {class_}")
