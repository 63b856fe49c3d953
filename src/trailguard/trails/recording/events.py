"""Which data events and insights a trail records, and what several trails record twice.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, ListValue, MapValue, Unknown, Value
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, boolean, no, one_of, reason_unknown, unknown, yes
from trailguard.trails.recording import eventsets, selectors
from trailguard.trails.recording.eventsets import Universe
from trailguard.trails.recording.recording import S3_ARN, S3_OBJECT, Part, recorded

TRAIL = "AWS::CloudTrail::Trail"
CALL_RATE, ERROR_RATE = "ApiCallRateInsight", "ApiErrorRateInsight"

_WRITE_FIRST = ("false", "true")  # of readOnly
_OBJECT_EVENTS = Universe(
    {
        "eventCategory": ("Data",),
        "resources.type": (S3_OBJECT,),
        "eventSource": ("s3.amazonaws.com",),
        "readOnly": _WRITE_FIRST,
    },
    {"resources.ARN": S3_ARN},
)
# The kinds of insights, and the values of readOnly and the name of the management events that each looks at.
NEEDS = (
    (CALL_RATE, ("false",), "write management events"),
    (ERROR_RATE, _WRITE_FIRST, "management events"),
)
_MANAGEMENT_EVENTS = Universe({"eventCategory": ("Management",), "readOnly": _WRITE_FIRST})
_ORDINARY = ("eventCategory", "resources.type")  # what a selector of S3 objects has anyway


# --- data events --------------------------------------------------------------------------------------------------


def s3_complete(scenario: Scenario, trail: Resource) -> Fact:
    """Whether read and write events of the objects of all buckets are recorded."""
    parts, node = recorded(scenario, trail)
    try:
        if eventsets.left_out([part.least for part in parts if part.least is not None], _OBJECT_EVENTS) is None:
            return yes(node, f"the event selectors of {trail.id} record the events of all S3 objects")
        if eventsets.left_out([part.most for part in parts], _OBJECT_EVENTS) is None:
            doubts = [part.doubt for part in parts if part.doubt and _some(part, _OBJECT_EVENTS)]
            place, reason = doubts[0]
            return unknown(place, reason, f"an event selector of {trail.id} is not known")
        return _gap(trail, parts, node)
    except eventsets.TooMany:
        return unknown(node, "its event selectors are too many to compare")


def _gap(trail: Resource, parts: list[Part], node: Node) -> Fact:
    """Say which events of S3 objects are missing, and point to what leaves them out."""
    asking = [part for part in parts if _asks(part)]
    if not asking:
        if node is trail.key:
            return no(node, f"{trail.id} has no event selectors, and without them no data events are recorded")
        return no(node, f"no event selector of {trail.id} asks for the data events of S3 objects")
    places: list[Node] = []
    clauses: dict[str, list[str]] = {}
    for mode, flag in ((selectors.WRITE, "false"), (selectors.READ, "true")):
        events = Universe({**_OBJECT_EVENTS.closed, "readOnly": (flag,)}, _OBJECT_EVENTS.starts)
        if eventsets.left_out([part.most for part in parts], events) is None:
            continue
        recording = [part for part in parts if _some(part, events)]
        narrow = [(name, at) for part in recording or asking for name, at in part.places.items()]
        narrow.sort(key=lambda pair: (pair[0] == "readOnly") is bool(recording))
        places += [at for name, at in narrow if name not in _ORDINARY]
        what = "records {} events of some S3 objects only" if recording else "does not record {} events of S3 objects"
        clauses.setdefault(what, []).append(mode)
    because = " and ".join(what.format(" and ".join(modes)) for what, modes in clauses.items())
    return no(places[0] if places else node, f"{trail.id} {because}")


def _asks(part: Part) -> bool:
    """Tell whether a part is about S3 objects, however it is narrowed."""
    tests = tuple(test for test in part.most if test.field in _ORDINARY)
    return eventsets.in_common(tests, (), _OBJECT_EVENTS)


def _some(part: Part, events: Universe) -> bool:
    """Tell whether a part may record any of the events."""
    return eventsets.in_common(part.most, (), events)


# --- insights -----------------------------------------------------------------------------------------------------


def insights(scenario: Scenario, trail: Resource) -> Fact:
    """Whether both insights into management events are on, and the events that they need are recorded."""
    value = scenario.value_of(trail, "InsightSelectors")
    if isinstance(value, Unknown):
        return unknown(value.node, value.reason, f"the insight selectors of {trail.id} are not known")
    items = value.items if isinstance(value, ListValue) else ()
    if not items:
        at = trail.key if isinstance(value, Absent) else value.node
        return no(at, f"{trail.id} has no insight selectors")
    chosen: dict[str, Node] = {}
    doubts: list[tuple[Node, str]] = []
    for item in items:
        kind, reason = _insight(scenario, item)
        if kind:
            chosen[kind] = item.node
        elif reason:
            doubts.append((item.node, reason))
    missing = [kind for kind in (CALL_RATE, ERROR_RATE) if kind not in chosen]
    if len(doubts) < len(missing):
        return no(value.node, f"{trail.id} has no {' and no '.join(missing)} of management events")
    fact = _needed_events(scenario, trail, chosen)
    if fact.value is not False and missing:
        return unknown(*doubts[0], f"an insight selector of {trail.id} is not known")
    return fact


def _insight(scenario: Scenario, item: Value) -> tuple[str, str | None]:
    """The type of an insight selector that looks at management events, and why it is not known."""
    if not isinstance(item, MapValue):
        return "", reason_unknown(item)
    kind, _, doubt = one_of(scenario, item.entries.get("InsightType"), (CALL_RATE, ERROR_RATE), "")
    categories = item.entries.get("EventCategories")
    if isinstance(categories, ListValue) and categories.items:
        named = [one_of(scenario, category, ("Management", "Data"), "") for category in categories.items]
        if all(name != "Management" for name, _, _ in named):
            unsure = next((reason for _, _, reason in named if reason), None)
            return "", unsure
    elif isinstance(categories, Unknown):
        return "", categories.reason
    return ("", doubt) if doubt else (kind, None)


def _needed_events(scenario: Scenario, trail: Resource, chosen: Mapping[str, Node]) -> Fact:
    """Whether write events are recorded for the call rate, and read or write events for the error rate."""
    parts, node = recorded(scenario, trail)
    fine = yes(next(iter(chosen.values()), node), f"{trail.id} has both insights into management events")

    def answer(kind: str, flags: tuple[str, ...], what: str) -> Fact:
        events = Universe({**_MANAGEMENT_EVENTS.closed, "readOnly": flags})
        if any(part.least is not None and eventsets.in_common(part.least, (), events) for part in parts):
            return fine
        doubts = [part.doubt for part in parts if part.doubt and _some(part, events)]
        if doubts:
            return unknown(*doubts[0], f"an event selector of {trail.id} is not known")
        return no(chosen[kind], f"{kind} needs {what}, which {trail.id} does not record", ((node, "the selectors"),))

    return all_of((answer(*needs) for needs in NEEDS if needs[0] in chosen), fine)


# --- several trails -----------------------------------------------------------------------------------------------


def recorded_once(scenario: Scenario, trail: Resource) -> Fact:
    """Whether no trail that comes earlier in the template records some of the same management events.

    The Regions of two trails in one template always overlap: both record at least the Region of the stack. Trails of a
    stack set are those of other accounts.
    """
    stacks = scenario.model.stacks
    here = stacks.scope(trail.id)
    trails = itertools.takewhile(lambda one: one.id != trail.id, scenario.model.template.of_type(TRAIL))
    others = (one for one in trails if scenario.active(one) and stacks.scope(one.id) == here)
    fine = yes(trail.key, f"no earlier trail of the template records the management events of {trail.id}")
    return all_of((_compared(scenario, other, trail) for other in others), fine)


def _compared(scenario: Scenario, first: Resource, second: Resource) -> Fact:
    """Whether two trails record no management event both."""
    apart = yes(second.key, f"{first.id} and {second.id} record no management event both")
    overlap, reason = _overlap(recorded(scenario, first)[0], recorded(scenario, second)[0])
    if overlap is False:
        return apart
    for trail in (first, second):
        logging = boolean(scenario, scenario.value_of(trail, "IsLogging"))
        if isinstance(logging, Unknown):
            overlap, reason = None, logging.reason
        elif logging is not True:
            return apart
    related = ((first.key, "the first trail"),)
    if overlap:
        return no(
            second.key, f"{second.id} records the same management events as {first.id}, which is charged", related
        )
    why = f"whether {second.id} records the same management events as {first.id} is not known"
    return Fact(None, second.key, why, reason, related)


def _overlap(first: list[Part], second: list[Part]) -> tuple[bool | None, str]:
    """Tell whether two trails record some management event both; None, and why, when that is not known."""
    reason = ""
    for one in first:
        for other in second:
            sure = one.least is not None and other.least is not None
            if sure and eventsets.in_common(one.least or (), other.least or (), _MANAGEMENT_EVENTS):
                return True, ""
            if eventsets.in_common(one.most, other.most, _MANAGEMENT_EVENTS):
                doubt = one.doubt or other.doubt
                reason = reason or (doubt[1] if doubt else "")
    return (None, reason) if reason else (False, "")


_TRUTH: Mapping[str, object] = {"type": "boolean"}

FACTS: Mapping[str, FactSpec] = {
    "data_events.s3_complete": FactSpec(
        s3_complete, _TRUTH, "read and write events of the objects of all buckets are recorded"
    ),
    "insights.complete": FactSpec(
        insights, _TRUTH, "call-rate and error-rate insights are on, and the events that they need are recorded"
    ),
    "management_events.recorded_once": FactSpec(
        recorded_once, _TRUTH, "no earlier trail of the template records some of the same management events"
    ),
}
