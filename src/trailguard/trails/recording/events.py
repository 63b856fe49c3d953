"""Which data events a trail records, and what several trails record twice.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Unknown
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, boolean, no, one_of, unknown, yes
from trailguard.trails.facts.lists import by_item
from trailguard.trails.facts.properties import entry
from trailguard.trails.recording import eventsets
from trailguard.trails.recording.eventsets import Universe
from trailguard.trails.recording.selectors import (
    DATA,
    KINDS,
    MANAGEMENT,
    MANAGEMENT_EVENTS,
    S3_ARN,
    S3_OBJECT,
    SELECTORS,
    Part,
    by_advanced,
    recorded,
)

TRAIL = "AWS::CloudTrail::Trail"
# What else records CloudTrail's events, into CloudWatch Logs.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-observabilityadmin-telemetryrule.html
TELEMETRY_RULES = ("AWS::ObservabilityAdmin::TelemetryRule", "AWS::ObservabilityAdmin::OrganizationTelemetryRule")
_EVENTS_OF_CLOUDTRAIL = "AWS::CloudTrail"
_SELECTORS_OF_RULE = ("DestinationConfiguration", "CloudtrailParameters", "AdvancedEventSelectors")

_OBJECT_EVENTS = Universe(
    {
        "eventCategory": (DATA,),
        "resources.type": (S3_OBJECT,),
        "eventSource": ("s3.amazonaws.com",),
        "readOnly": tuple(KINDS),
    },
    {"resources.ARN": S3_ARN},
)
_ORDINARY = ("eventCategory", "resources.type")  # what a selector of S3 objects has anyway


# --- data events --------------------------------------------------------------------------------------------------


def s3_complete(scenario: Scenario, trail: Resource) -> Fact:
    """Whether read and write events of the objects of all buckets are recorded."""
    parts, node = recorded(scenario, trail, DATA)
    try:
        if eventsets.left_out([part.least for part in parts if part.least is not None], _OBJECT_EVENTS) is None:
            return yes(node, f"the event selectors of {trail.id} record the events of all S3 objects")
        if eventsets.left_out([part.most for part in parts], _OBJECT_EVENTS) is None:
            doubts = [part.doubt for part in parts if part.doubt and part.may_record(_OBJECT_EVENTS)]
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
    for flag, kind in KINDS.items():
        events = Universe({**_OBJECT_EVENTS.closed, "readOnly": (flag,)}, _OBJECT_EVENTS.starts)
        if eventsets.left_out([part.most for part in parts], events) is None:
            continue
        recording = [part for part in parts if part.may_record(events)]
        narrow = [(name, at) for part in recording or asking for name, at in part.places.items()]
        narrow.sort(key=lambda pair: (pair[0] == "readOnly") is bool(recording))
        places += [at for name, at in narrow if name not in _ORDINARY]
        what = "records {} events of some S3 objects only" if recording else "does not record {} events of S3 objects"
        clauses.setdefault(what, []).append(kind)
    because = " and ".join(what.format(" and ".join(kinds)) for what, kinds in clauses.items())
    return no(places[0] if places else node, f"{trail.id} {because}")


def _asks(part: Part) -> bool:
    """Tell whether a part is about S3 objects, however it is narrowed."""
    tests = tuple(test for test in part.most if test.field in _ORDINARY)
    return eventsets.in_common(tests, (), _OBJECT_EVENTS)


# --- several trails -----------------------------------------------------------------------------------------------


def recorded_once(scenario: Scenario, trail: Resource) -> Fact:
    """Whether no earlier trail of the template, and no telemetry rule, records some of the same management events.

    The Regions of two trails in one template always overlap: both record at least the Region of the stack. Trails of a
    stack set are those of other accounts.
    """
    stacks = scenario.model.stacks
    here = stacks.scope(trail.id)
    trails = itertools.takewhile(lambda one: one.id != trail.id, scenario.model.template.of_type(TRAIL))
    others = (one for one in trails if scenario.active(one) and stacks.scope(one.id) == here)
    fine = yes(trail.key, f"no earlier trail and no telemetry rule records the management events of {trail.id}")
    rules = (rule for kind in TELEMETRY_RULES for rule in scenario.model.template.of_type(kind))
    beside = (rule for rule in rules if scenario.active(rule) and stacks.scope(rule.id) == here)
    compared = itertools.chain(
        (_compared(scenario, other, trail) for other in others),
        (_beside(scenario, rule, trail) for rule in beside),
    )
    return all_of(compared, fine)


def _beside(scenario: Scenario, rule: Resource, trail: Resource) -> Fact:
    """Whether a telemetry rule and a trail record no management event both."""
    stated = entry(scenario, rule, "Rule", "ResourceType")
    kind, _, doubt = one_of(scenario, stated, (_EVENTS_OF_CLOUDTRAIL,), "")
    parts: list[Part] = []
    if kind == _EVENTS_OF_CLOUDTRAIL or doubt is not None:
        parts = by_advanced(scenario, entry(scenario, rule, "Rule", *_SELECTORS_OF_RULE), MANAGEMENT)
    overlap, reason = _overlap(parts, recorded(scenario, trail, MANAGEMENT)[0])
    if overlap and doubt is not None:
        overlap, reason = None, doubt
    return _twice(scenario, trail, (trail,), (f"telemetry rule {rule.id}", rule.key), overlap, reason)


def _compared(scenario: Scenario, first: Resource, second: Resource) -> Fact:
    """Whether two trails record no management event both."""
    overlap, reason = _overlap(*(recorded(scenario, one, MANAGEMENT)[0] for one in (first, second)))
    return _twice(scenario, second, (first, second), (first.id, first.key), overlap, reason)


def _twice(
    scenario: Scenario,
    trail: Resource,
    trails: tuple[Resource, ...],
    other: tuple[str, Node],
    overlap: bool | None,
    reason: str,
) -> Fact:
    """Whether a trail and something else record no event both, if what they ask for overlaps or may overlap.

    `other` is what the other is called, and where it is; of the two, `trails` record only while they are switched on.
    """
    name, key = other
    apart = yes(trail.key, f"{name} and {trail.id} record no management event both")
    if overlap is False:
        return apart
    for one in trails:
        logging = boolean(scenario, scenario.value_of(one, "IsLogging"))
        if isinstance(logging, Unknown):
            overlap, reason = None, logging.reason
        elif logging is not True:
            return apart
    related = ((key, "the first trail" if len(trails) > 1 else "the telemetry rule"),)
    if overlap:
        return no(trail.key, f"{trail.id} records the same management events as {name}, which is charged", related)
    why = f"whether {trail.id} records the same management events as {name} is not known"
    return Fact(None, trail.key, why, reason, related)


def _overlap(first: list[Part], second: list[Part]) -> tuple[bool | None, str]:
    """Tell whether two trails record some management event both; None, and why, when that is not known."""
    reason = ""
    for one in first:
        for other in second:
            sure = one.least is not None and other.least is not None
            if sure and eventsets.in_common(one.least or (), other.least or (), MANAGEMENT_EVENTS):
                return True, ""
            if eventsets.in_common(one.most, other.most, MANAGEMENT_EVENTS):
                doubt = one.doubt or other.doubt
                reason = reason or (doubt[1] if doubt else "")
    return (None, reason) if reason else (False, "")


_TRUTH: Mapping[str, object] = {"type": "boolean"}

FACTS: Mapping[str, FactSpec] = {
    "data_events.s3_complete": FactSpec(
        by_item(s3_complete, SELECTORS), _TRUTH, "read and write events of the objects of all buckets are recorded"
    ),
    "management_events.recorded_once": FactSpec(
        recorded_once,
        _TRUTH,
        "no earlier trail and no telemetry rule of the template records some of the same management events",
    ),
}
