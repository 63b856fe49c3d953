"""The insights that a trail looks for, and whether the events that they need are recorded.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html,
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_InsightSelector.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, ListValue, MapValue, Unknown, Value
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, no, one_of, reason_unknown, unknown, yes
from trailguard.trails.facts.lists import apart, by_item
from trailguard.trails.recording.eventsets import Universe, in_common
from trailguard.trails.recording.selectors import (
    ADVANCED,
    BASIC,
    DATA,
    KINDS,
    MANAGEMENT,
    MANAGEMENT_EVENTS,
    SELECTORS,
    recorded,
)

CALL_RATE, ERROR_RATE = "ApiCallRateInsight", "ApiErrorRateInsight"
# The management events that each looks at: the values of readOnly, and what they are called.
NEEDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    CALL_RATE: (("false",), "write management events"),
    ERROR_RATE: (tuple(KINDS), "management events"),
}
_DATA_EVENTS = Universe({"eventCategory": (DATA,)})


class Insight(NamedTuple):
    """An insight into events of a category; `doubt` says why it is not known which one it is, or whether it is one."""

    kind: str
    category: str
    node: Node
    doubt: str | None = None


def stated(scenario: Scenario, trail: Resource) -> tuple[list[Insight], Value]:
    """The insights that a trail asks for, and the property that says so."""
    value = scenario.value_of(trail, "InsightSelectors")
    if isinstance(value, Unknown):
        return [Insight("", MANAGEMENT, value.node, value.reason)], value
    items = value.items if isinstance(value, ListValue) else ()
    return [insight for item in items for insight in _insights(scenario, item)], value


def _insights(scenario: Scenario, item: Value) -> list[Insight]:
    """What an insight selector asks for: without categories, insights into management events."""
    if not isinstance(item, MapValue):
        reason = reason_unknown(item)
        return [] if reason is None else [Insight("", MANAGEMENT, item.node, reason)]
    kind, _, doubt = one_of(scenario, item.entries.get("InsightType"), tuple(NEEDS), "")
    if doubt is None and kind not in NEEDS:
        return []
    categories = item.entries.get("EventCategories")
    if isinstance(categories, Unknown):
        return [Insight("", MANAGEMENT, item.node, categories.reason)]
    listed = categories.items if isinstance(categories, ListValue) else ()
    named = [one_of(scenario, category, (MANAGEMENT, DATA), "") for category in listed]
    known = [name for name, _, reason in named if reason is None]
    found = [Insight("" if doubt else kind, category, item.node, doubt) for category in known or (MANAGEMENT,)]
    unclear = next((reason for _, _, reason in named if reason), None)
    if unclear is None or MANAGEMENT in known:
        return found
    return [*(found if known else ()), Insight("", MANAGEMENT, item.node, unclear)]


def complete(scenario: Scenario, trail: Resource) -> Fact:
    """Whether both insights into management events are on, and the events that they need are recorded."""
    every, value = stated(scenario, trail)
    found = [insight for insight in every if insight.category == MANAGEMENT]
    if isinstance(value, Unknown):
        return unknown(value.node, value.reason, f"the insight selectors of {trail.id} are not known")
    if not isinstance(value, ListValue) or not value.items:
        at = trail.key if isinstance(value, Absent) else value.node
        return no(at, f"{trail.id} has no insight selectors")
    chosen = {insight.kind: insight.node for insight in found if insight.doubt is None}
    doubts = [(insight.node, insight.doubt) for insight in found if insight.doubt is not None]
    missing = [kind for kind in NEEDS if kind not in chosen]
    if len(doubts) < len(missing):
        return no(value.node, f"{trail.id} has no {' and no '.join(missing)} of management events")
    node = recorded(scenario, trail, MANAGEMENT)[1]
    fine = yes(next(iter(chosen.values()), node), f"{trail.id} has both insights into management events")
    words = "{} needs {}, which " + trail.id + " does not record"
    related = ((node, "the selectors"),)
    needed = (_fed(scenario, trail, kind, chosen[kind], words) for kind in NEEDS if kind in chosen)
    fact = all_of((fact._replace(related=related) if fact.value is False else fact for fact in needed), fine)
    if fact.value is not False and missing:
        return unknown(*doubts[0], f"an insight selector of {trail.id} is not known")
    return fact


def fed(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the events that the insight selectors need are recorded."""
    found, value = stated(scenario, trail)
    fine = yes(trail.key, f"{trail.id} records the events that its insights need")
    if isinstance(value, Absent) or (isinstance(value, ListValue) and not value.items):
        return fine
    words = "{} of " + trail.id + " needs {}, which its event selectors do not record"
    return all_of((_fed_whatever(scenario, trail, insight, words) for insight in found), fine)


def _fed_whatever(scenario: Scenario, trail: Resource, insight: Insight, words: str) -> Fact:
    """Whether what an insight needs is recorded; of one that is not known, whichever it is."""
    if insight.category != MANAGEMENT:
        return _fed_data(scenario, trail, insight)
    kinds = list(NEEDS) if insight.doubt is not None else [insight.kind]
    facts = [_fed(scenario, trail, kind, insight.node, words) for kind in kinds]
    worst = next((fact for fact in facts if fact.value is not True), facts[0])
    if worst.value is True:
        return worst
    if insight.doubt is not None:
        return unknown(insight.node, insight.doubt, f"an insight selector of {trail.id} is not known")
    hidden = next((name for name in (ADVANCED, BASIC) if isinstance(scenario.value_of(trail, name), Unknown)), None)
    if worst.unknown is None or hidden is None:
        return worst
    return worst._replace(because=f"{hidden} of {trail.id} are not known")


def _fed(scenario: Scenario, trail: Resource, kind: str, place: Node, words: str) -> Fact:
    """Whether events that an insight needs are recorded. `words` say of which one which events are not."""
    flags, what = NEEDS[kind]
    events = Universe({**MANAGEMENT_EVENTS.closed, "readOnly": flags})
    parts, node = recorded(scenario, trail, MANAGEMENT)
    if any(part.least is not None and in_common(part.least, (), events) for part in parts):
        return yes(node, f"{trail.id} records what {kind} needs")
    doubts = [part.doubt for part in parts if part.doubt and part.may_record(events)]
    if doubts:
        return unknown(*doubts[0], f"an event selector of {trail.id} is not known")
    return no(place, words.format(kind, what))


def _fed_data(scenario: Scenario, trail: Resource, insight: Insight) -> Fact:
    """Whether a trail that looks for insights into data events records any."""
    parts, node = recorded(scenario, trail, DATA)
    if any(part.least is not None and in_common(part.least, (), _DATA_EVENTS) for part in parts):
        return yes(node, f"{trail.id} records data events")
    doubts = [part.doubt for part in parts if part.doubt and part.may_record(_DATA_EVENTS)]
    if doubts:
        return unknown(*doubts[0], f"an event selector of {trail.id} is not known")
    what = f"{insight.kind or 'an insight'} of {trail.id} looks at data events"
    return no(insight.node, f"{what}, which its event selectors do not record")


_TRUTH: Mapping[str, object] = {"type": "boolean"}

FACTS: Mapping[str, FactSpec] = {
    "insights.complete": FactSpec(
        by_item(complete, {"InsightSelectors": True, **SELECTORS}),
        _TRUTH,
        "call-rate and error-rate insights are on, and the events that they need are recorded",
    ),
    "valid.insights": FactSpec(
        apart("insights.fed", by_item(fed, {"InsightSelectors": False, **SELECTORS})),
        _TRUTH,
        "the events that the insights need are recorded",
    ),
}
