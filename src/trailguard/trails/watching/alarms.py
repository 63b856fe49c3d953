"""Whether somebody is told when a trail is changed: a metric filter on its log group, and an alarm.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html (the five calls that change a
trail), https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html (metric filters)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    VARIABLE,
    ListValue,
    MapValue,
    Symbol,
    Text,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, any_of, boolean, is_empty, no, reason_unknown, unknown, yes
from trailguard.trails.facts.links import Link
from trailguard.trails.facts.names import same_name
from trailguard.trails.facts.properties import step_into
from trailguard.trails.watching import filterpatterns, logs
from trailguard.trails.watching.filterpatterns import EVENTS, HIDDEN, Term, Unreadable

FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"


class Watch(NamedTuple):
    """A metric filter on the trail's log group: what it lets through, and whether an alarm looks at that."""

    resource: Resource
    place: Node
    pattern: Term | str  # or why it cannot be read
    alarm: Fact

    def sees(self, name: str) -> Fact:
        """Whether the filter matches the event of a call."""
        because = f"{self.resource.id} matches {name}"
        if isinstance(self.pattern, str):
            return unknown(self.place, self.pattern, f"whether {because} is not known")
        found = filterpatterns.matches(self.pattern, filterpatterns.event(name))
        if isinstance(found, str) and filterpatterns.misses(self.pattern, filterpatterns.event(name)):
            return no(self.place, f"{self.resource.id} does not match every call of {name}")
        if isinstance(found, str):
            return unknown(self.place, found, f"whether {because} is not known")
        return yes(self.place, because) if found else no(self.place, f"{self.resource.id} does not match {name}")


def watches_trail_changes(scenario: Scenario, trail: Resource) -> Fact:
    """Whether each call that changes a trail sets off an alarm, by way of the trail's own log group."""
    named = logs.group_set(scenario, trail)
    if named.unknown is not None:
        return named
    link = logs.log_group_link(scenario, trail)
    if named.value is False or link is None:
        return no(trail.key, f"the events of {trail.id} go to no log group, so nothing can watch them")
    watches, doubts, open_ = _watches(scenario, trail)
    if not watches and link.resource is None:
        doubts.append(unknown(link.node, link.elsewhere, f"no filter on the log group of {trail.id} is made here"))
    answers = [_watched(watches, name) for name in EVENTS]
    if open_ is not None and not all(answer is not None and answer.value is True for answer in answers):
        raise open_
    missed = [name for name, answer in zip(EVENTS, answers, strict=True) if answer is None or answer.value is False]
    if missed and doubts:
        return doubts[0]
    if missed:
        told = next((answer for answer in answers if answer is not None and answer.value is False), None)
        return told or _unmatched(watches, missed, trail, link)
    doubtful = next((answer for answer in answers if answer is not None and answer.unknown is not None), None)
    return doubtful or yes(link.node, f"alarms watch the calls that change {trail.id}")


def _unmatched(watches: list[Watch], missed: list[str], trail: Resource, link: Link) -> Fact:
    """Calls that no filter matches."""
    if not watches:
        group = link.resource.key if link.resource is not None else link.node
        return no(group, f"no metric filter watches the log group of {trail.id}")
    filters = " and ".join(watch.resource.id for watch in watches)
    verb = "do" if len(watches) > 1 else "does"
    related = tuple((watch.place, "another filter of the log group") for watch in watches[1:])
    return no(watches[0].place, f"{filters} {verb} not match every call of {', '.join(missed)}", related)


def _watched(watches: list[Watch], name: str) -> Fact | None:
    """Whether a filter matches a call and has an alarm that tells somebody; None when no filter matches it."""
    seen = [(sees, watch.alarm) for watch in watches if (sees := watch.sees(name)).value is not False]
    if not seen:
        return None
    # A filter of which it is not known whether it matches leaves the answer open, unless its alarm tells nobody.
    answers = [alarm if sees.value is True or alarm.value is False else sees for sees, alarm in seen]
    return any_of(answers, answers[0])


# --- metric filters --------------------------------------------------------------------------------------------------


def _watches(scenario: Scenario, trail: Resource) -> tuple[list[Watch], list[Fact], Split | None]:
    """The metric filters on the trail's log group, doubts whether there are more, and a question that is open of them.

    A filter that watches nothing of what changes a trail, however it is decided whether it is made, is no question.
    """
    template = scenario.model.template
    asks = [
        ((trail.id, resource.id), partial(_watch, trail=trail, resource=resource))
        for resource in template.of_type(FILTER)
    ]
    found, open_ = scenario.among("watch", asks, _matters)
    doubts = [one for one in found if isinstance(one, Fact)]
    if template.generator is not None:
        doubts.insert(0, unknown(trail.key, f"{template.generator} may make metric filters and alarms"))
    return [one for one in found if isinstance(one, Watch)], doubts, open_


def _watch(scenario: Scenario, trail: Resource, resource: Resource) -> Watch | Fact | None:
    """What a metric filter does for a trail; None when it is on another log group, a doubt when that is not known."""
    if not scenario.active(resource):
        return None
    group = text_of(scenario.value_of(trail, logs.GROUP_ARN))
    name = () if group is None else logs.group_name(group.pieces)
    on = scenario.value_of(resource, "LogGroupName")
    text = text_of(on)
    if text is not None and same_name(scenario, name, text.pieces):
        pattern = scenario.value_of(resource, "FilterPattern")
        read = _narrowed(scenario, resource) or _pattern(scenario, pattern)
        return Watch(resource, pattern.node, read, _alarm(scenario, resource))
    reason = reason_unknown(on)
    return None if reason is None else unknown(on.node, reason, f"which log group {resource.id} watches is not known")


def _matters(found: Watch | Fact | None) -> bool:
    """Tell whether a metric filter may have a say."""
    return isinstance(found, Fact) or (
        found is not None and any(found.sees(name).value is not False for name in EVENTS)
    )


def _narrowed(scenario: Scenario, resource: Resource) -> str | None:
    """Why a filter sees, or counts, something else than the events as they are; None when it does not."""
    for name in ("ApplyOnTransformedLogs", "EmitSystemFieldDimensions", "FieldSelectionCriteria"):
        value = scenario.value_of(resource, name)
        text = text_of(value)
        if not is_empty(value) and (text is None or text.literal not in ("false", "False", "FALSE")):
            return f"what {name} makes of the events is not known"
    return None


def _pattern(scenario: Scenario, value: Value) -> Term | str:
    """A filter pattern, or why it cannot be read."""
    text = text_of(value)
    if text is None:
        return "the filter has no pattern"
    for symbol in text.symbols:
        if symbol.kind == OPAQUE:
            return symbol.reason
        if symbol.kind == VARIABLE and not symbol.name.startswith("AWS::"):
            scenario.fix(symbol.name)
            return f"the filter pattern holds {symbol.name}, which may be any text"
    try:
        return filterpatterns.parse("".join(HIDDEN if isinstance(one, Symbol) else one for one in text.pieces))
    except Unreadable as refusal:
        return str(refusal)


# --- alarms ----------------------------------------------------------------------------------------------------------


class Metric(NamedTuple):
    """A metric by its name and namespace, and whether it has dimensions. `reason` tells why it is not known."""

    name: Text
    namespace: Text
    divided: bool
    reason: str | None

    @staticmethod
    def read(value: Value, namespace: str) -> Metric | None:
        """The metric that a map names; None when it names none. `namespace` is what its namespace is called there."""
        name, space = (text_of(step_into(value, step)) for step in ("MetricName", namespace))
        if name is None or space is None:
            return None
        dimensions = step_into(value, "Dimensions")
        divided = not is_empty(dimensions) and not (isinstance(dimensions, ListValue) and not dimensions.items)
        return Metric(name, space, divided, reason_unknown(name) or reason_unknown(space) or reason_unknown(dimensions))


def _alarm(scenario: Scenario, resource: Resource) -> Fact:
    """Whether an alarm that tells somebody looks at what a metric filter counts."""
    transformations = scenario.value_of(resource, "MetricTransformations")
    reason = reason_unknown(transformations)
    doubt = None if reason is None else unknown(transformations.node, reason, f"what {resource.id} counts is not known")
    alarms = scenario.model.template.of_type(ALARM)
    asks = [((resource.id, alarm.id), partial(_looks, alarm=alarm, resource=resource)) for alarm in alarms]
    looks, open_ = scenario.among("looks at", asks, bool)
    answers = [answer for answer in (doubt, *(answer for found in looks for answer in found)) if answer is not None]
    counted = _counted(scenario, resource)
    unwatched = no(
        resource.key, f"no alarm looks at the metric {show(counted[0].name) if counted else '(none)'} of {resource.id}"
    )
    answer = any_of(answers, next((answer for answer in answers if answer.value is False), unwatched))
    if open_ is not None and answer.value is not True:
        raise open_
    return answer


def _counted(scenario: Scenario, resource: Resource) -> list[Metric]:
    """The metrics that a metric filter counts."""
    transformations = scenario.value_of(resource, "MetricTransformations")
    items = transformations.items if isinstance(transformations, ListValue) else ()
    return [metric for metric in (Metric.read(item, "MetricNamespace") for item in items) if metric is not None]


def _metrics_of(scenario: Scenario, alarm: Resource) -> list[Metric]:
    """Every metric that an alarm looks at, by itself or in a calculation."""
    own = {name: scenario.value_of(alarm, name) for name in ("MetricName", "Namespace", "Dimensions")}
    queries = scenario.value_of(alarm, "Metrics")
    parts = queries.items if isinstance(queries, ListValue) else ()
    values = [MapValue(own, {}, alarm.key), *(step_into(step_into(part, "MetricStat"), "Metric") for part in parts)]
    return [metric for metric in (Metric.read(value, "Namespace") for value in values) if metric is not None]


def _looks(scenario: Scenario, alarm: Resource, resource: Resource) -> list[Fact]:
    """What an alarm does about each metric that a metric filter counts; nothing when it looks at others."""
    try:
        watched = scenario.once(("metrics of", alarm.id), lambda: _metrics_of(scenario, alarm))
    except Unbuildable:
        if scenario.active(alarm):
            raise
        return []
    looks = (_looks_at(scenario, alarm, one, counted) for counted in _counted(scenario, resource) for one in watched)
    return [answer for answer in looks if answer is not None]


def _looks_at(scenario: Scenario, alarm: Resource, watched: Metric, counted: Metric) -> Fact | None:
    """Whether an alarm tells somebody of a metric; None when it looks at another one."""
    pairs = ((watched.name, counted.name), (watched.namespace, counted.namespace))
    if not all(same_name(scenario, one.pieces, other.pieces) for one, other in pairs):
        reason = watched.reason or counted.reason
        if reason is None or not scenario.active(alarm):
            return None
        return unknown(alarm.key, reason, f"whether {alarm.id} looks at the metric {show(counted.name)} is not known")
    if watched.divided is not counted.divided or not scenario.active(alarm):
        return None  # with dimensions it is another metric
    if watched.divided:
        reason = "the values of its dimensions come from the events"
        return unknown(alarm.key, reason, f"whether {alarm.id} looks at the metric {show(counted.name)} is not known")
    return _acts(scenario, alarm)


def _acts(scenario: Scenario, alarm: Resource) -> Fact:
    """Whether an alarm does something when it goes off."""
    actions = scenario.value_of(alarm, "AlarmActions")
    enabled = scenario.value_of(alarm, "ActionsEnabled")
    meaning = boolean(scenario, enabled)
    composite = any(map(scenario.active, scenario.model.template.of_type(COMPOSITE)))
    if meaning not in (None, True) and not composite:
        reason = reason_unknown(enabled)
        if reason is not None:
            return unknown(enabled.node, reason, f"whether the actions of {alarm.id} are on is not known")
        return no(enabled.node, f"the actions of {alarm.id} are switched off")
    if isinstance(actions, ListValue) and actions.items and meaning in (None, True):
        return yes(alarm.key, f"{alarm.id} tells somebody")
    reason = "a composite alarm may act instead" if composite else reason_unknown(actions)
    if reason is not None:
        return unknown(actions.node, reason, f"whether {alarm.id} does anything is not known")
    return no(actions.node, f"{alarm.id} has no AlarmActions, so it tells nobody")


FACTS: Mapping[str, FactSpec] = {
    "alarm.watches_trail_changes": FactSpec(
        watches_trail_changes, {"type": "boolean"}, "a metric filter and an alarm watch the calls that change trails"
    ),
}
