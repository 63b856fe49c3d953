"""The state of each control of a framework, from what the verdicts say of it.

A control is met when every rule behind it was asked and none is broken, nor a prerequisite where it rests on the trail.
What is accepted is not met all the same, what only some parameter values break is not met, and what cannot be told is
never called met.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN, ControlInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailguard.findings import Finding, FrameworkInfo, Report

NOT_MET, ACCEPTED, UNDECIDED, NOT_JUDGED, BEYOND, MET = (
    "not met",
    "not met, accepted",
    "not decided",
    "not judged",
    "cannot be told from templates",
    "met",
)
# Worst first.
STATES = (NOT_MET, ACCEPTED, UNDECIDED, NOT_JUDGED, BEYOND, MET)


class Standing(NamedTuple):
    """The state of a control, one of STATES, and why it is so: words, each with the rules that they are about."""

    state: str
    reasons: tuple[tuple[str, tuple[str, ...]], ...]


def standings(framework: FrameworkInfo, report: Report) -> list[tuple[ControlInfo, Standing]]:
    """Each control of a framework with its state."""
    told = verdicts_by_rule(report)
    return [(control, standing(control, told)) for control in framework.controls]


def verdicts_by_rule(report: Report) -> Mapping[str, Counter[str]]:
    """How often each rule that was asked gave each verdict."""
    told: dict[str, Counter[str]] = {rule.id: Counter() for rule in report.rules}
    for item in report.results:
        told.setdefault(item.rule.id, Counter())[verdict_that_counts(item)] += 1
    return told


def verdict_that_counts(item: Finding) -> str:
    """The verdict that counts for a control: "suppressed" for what is accepted, whatever was found."""
    return item.verdict if item.suppressed is None else "suppressed"


def standing(control: ControlInfo, told: Mapping[str, Counter[str]]) -> Standing:
    """The state of a control from how often each rule that was asked gave each verdict."""
    if control.undecidable is not None:
        return Standing(BEYOND, ((control.undecidable, ()),))
    behind = (*control.rules, *(rule for rule in control.prerequisites if rule not in control.rules))
    asked = tuple(rule for rule in behind if rule in told)
    left_out = tuple(rule for rule in behind if rule not in told)
    for state, verdicts in (
        (NOT_MET, {FAIL: "broken", CONDITIONAL: "conditional, kept for some parameter values only"}),
        (ACCEPTED, {"suppressed": "broken, and accepted"}),
        (UNDECIDED, {UNKNOWN: "unknown"}),
    ):
        reasons = tuple(_reasons(control, told, verdicts))
        if reasons:
            return Standing(state, reasons)
    if left_out or not asked:
        return Standing(NOT_JUDGED, (("not selected", left_out),) if left_out else (("no rule is behind it", ()),))
    kept = tuple(rule for rule in control.rules if told[rule][PASS])
    if not kept:
        return Standing(NOT_JUDGED, (("nothing here is a subject of", control.rules),))
    return Standing(MET, (("kept", kept),))


def _reasons(
    control: ControlInfo, told: Mapping[str, Counter[str]], verdicts: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rules behind a control, then its prerequisites, that have some verdicts, with the words for each verdict."""
    needed = tuple(rule for rule in control.prerequisites if rule not in control.rules)
    for what, rules in (("", control.rules), ("prerequisite ", needed)):
        for verdict, words in verdicts.items():
            found = tuple(rule for rule in rules if rule in told and told[rule][verdict])
            if found:
                yield what + words, found
