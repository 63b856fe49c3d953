"""Whether somebody is told when a trail is changed: a metric filter on its log group, and an alarm.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html (the five calls that change a
trail), https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html (metric filters)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Symbol, Value, show, text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, any_of, is_empty, no, reason_unknown, unknown, yes
from trailguard.trails.facts.links import Link
from trailguard.trails.facts.names import same_here, same_name, same_place
from trailguard.trails.facts.properties import NOTHING, Wanted
from trailguard.trails.watching import escalation, eventrules, filterpatterns, logs, metrics
from trailguard.trails.watching.escalation import ALARM, COMPOSITE
from trailguard.trails.watching.filterpatterns import EVENTS, HIDDEN, Term, Unreadable
from trailguard.trails.watching.metrics import Count, Look
from trailguard.trails.watching.reactions import acts, goes_off

FILTER = "AWS::Logs::MetricFilter"
BY_ALARM, BY_RULE, BY_NOBODY = "alarm", "rule", "nobody"


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
    for kind in (FILTER, ALARM):
        unread = scenario.model.stacks.looks.unlisted(kind)
        if unread:  # there may be one that nobody saw
            doubts.append(unknown(link.node, unread, f"what watches the log group of {trail.id} is not known"))
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


def watched_by(scenario: Scenario, trail: Resource, wanted: Wanted = NOTHING) -> Fact:
    """Who is told of each call that changes a trail: an alarm, or, where the rule wants that, a rule of EventBridge."""
    told = watches_trail_changes(scenario, trail)
    if told.value is True:
        return told._replace(value=BY_ALARM)
    if BY_RULE not in wanted.texts:
        because = told.because + _also(scenario, trail)
        return told._replace(because=because, value=None if told.unknown is not None else BY_NOBODY)
    found, open_ = eventrules.watchers(scenario, trail, EVENTS)
    answers = [
        eventrules.seen(scenario, found, name, trail.key) for name in EVENTS if not _alarms(scenario, trail, name)
    ]
    missed = all_of(answers, yes(trail.key, f"a rule of EventBridge watches the calls that change {trail.id}"))
    if missed.value is True:
        return missed._replace(value=BY_RULE)
    if open_ is not None:
        raise open_
    if told.unknown is not None or missed.unknown is not None:
        return told if told.unknown is not None else missed
    return no(told.node, f"{told.because}; {missed.because}")._replace(value=BY_NOBODY)


def _alarms(scenario: Scenario, trail: Resource, name: str) -> bool:
    """Tell whether an alarm certainly tells somebody of a call."""
    if logs.log_group_link(scenario, trail) is None:
        return False
    answer = _watched(_watches(scenario, trail)[0], name)
    return answer is not None and answer.value is True


def _also(scenario: Scenario, trail: Resource) -> str:
    """What to say of rules of EventBridge that watch all the calls, where they do not count."""
    try:
        found, _ = eventrules.watchers(scenario, trail, EVENTS)
        if not found or not all(eventrules.seen(scenario, found, name, trail.key).value for name in EVENTS):
            return ""
    except Split:
        return ""
    names = [watcher.resource.id for watcher in found if watcher.acts.value]
    verb = "watch" if len(names) > 1 else "watches"
    return f"; {' and '.join(names)} {verb} these calls by EventBridge, which counts with the option eventbridge only"


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
    if text is not None and same_here(scenario, resource, text.pieces, trail, name):
        pattern = scenario.value_of(resource, "FilterPattern")
        read = _narrowed(scenario, resource) or _pattern(scenario, pattern)
        unasked = no(resource.key, f"what {resource.id} counts has nothing to do with trails")
        watch = Watch(resource, pattern.node, read, unasked)
        return watch._replace(alarm=_alarm(scenario, resource)) if _matters(watch) else watch
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


class Reaction(NamedTuple):
    """What an alarm does about a metric that a filter counts: whether one event sets it off, and whether it acts."""

    alarm: Resource
    goes_off: Fact
    acts: Fact

    @property
    def tells(self) -> Fact:
        """Whether it tells somebody of a single event."""
        return all_of((self.goes_off, self.acts), self.acts)


def _alarm(scenario: Scenario, resource: Resource) -> Fact:
    """Whether an alarm tells somebody of a single event that a metric filter counts, by itself or by one above it."""
    transformations = scenario.value_of(resource, "MetricTransformations")
    reason = reason_unknown(transformations)
    doubt = None if reason is None else unknown(transformations.node, reason, f"what {resource.id} counts is not known")
    reactions, doubts, open_ = _reactions(scenario, resource, scenario.model.template.of_type(ALARM))
    answers = [*([] if doubt is None else [doubt]), *(reaction.tells for reaction in reactions), *doubts]
    counted = metrics.counted(scenario, resource)
    name = show(counted[0].metric.name) if counted else "(none)"
    unwatched = no(resource.key, f"no alarm looks at the metric {name} of {resource.id}")
    answer = any_of(answers, next((answer for answer in answers if answer.value is False), unwatched))
    if answer.value is not True:
        above, open_above = _above(scenario, resource)
        answer = _with(answer, above)
        open_ = open_ or open_above
    if open_ is not None and answer.value is not True:
        raise open_
    return answer


def _with(answer: Fact, above: list[Fact]) -> Fact:
    """An answer about alarms, with what the composite alarms above them do."""
    found = any_of(above, answer)
    if found.value is True or (found.unknown is not None and answer.unknown is None):
        return found
    refused = [fact for fact in above if fact.value is False]
    if answer.value is not False or not refused:
        return answer
    because = "; ".join((answer.because, *(fact.because for fact in refused)))
    return no(answer.node, because, (*answer.related, *((fact.node, fact.because) for fact in refused)))


def _reactions(
    scenario: Scenario, resource: Resource, alarms: Iterable[Resource]
) -> tuple[list[Reaction], list[Fact], Split | None]:
    """What alarms do about what a filter counts, doubts whether there are more, and a question that is open of them."""
    asks = [((resource.id, alarm.id), partial(_looks, alarm=alarm, resource=resource)) for alarm in alarms]
    looks, open_ = scenario.among("looks at", asks, bool)
    found = [one for answers in looks for one in answers]
    reactions = [one for one in found if isinstance(one, Reaction)]
    return reactions, [one for one in found if isinstance(one, Fact)], open_


def _above(scenario: Scenario, resource: Resource) -> tuple[list[Fact], Split | None]:
    """What composite alarms do about the alarms that go off, and a question that is open of them."""
    composites = scenario.model.template.of_type(COMPOSITE)
    asks = [((resource.id, one.id), partial(_composite, composite=one, resource=resource)) for one in composites]
    answers, open_ = scenario.among("above", asks, lambda answer: answer is not None)
    return [answer for answer in answers if answer is not None], open_


def _composite(scenario: Scenario, composite: Resource, resource: Resource) -> Fact | None:
    """Whether a composite alarm tells somebody of what a filter counts; None when it does not look at that."""
    if not scenario.active(composite):
        return None
    named = escalation.below(scenario, composite)
    alarms = scenario.model.template.of_type(ALARM) if named is None else named
    reactions, _, open_ = _reactions(scenario, resource, alarms)
    if open_ is not None:
        raise open_
    off = {one.alarm.id: one.goes_off.value for one in reactions if one.goes_off.value is not False}
    return escalation.tells(scenario, composite, off) if off else None


def _looks(scenario: Scenario, alarm: Resource, resource: Resource) -> list[Reaction | Fact]:
    """What an alarm does about each metric that a metric filter counts; nothing when it looks at others."""
    try:
        watched = scenario.once(("metrics of", alarm.id), lambda: metrics.looks(scenario, alarm))
    except Unbuildable:
        if scenario.active(alarm):
            raise
        return []
    pairs = ((look, count) for count in metrics.counted(scenario, resource) for look in watched)
    answers = (_looks_at(scenario, alarm, resource, look, count) for look, count in pairs)
    return [answer for answer in answers if answer is not None]


def _looks_at(
    scenario: Scenario, alarm: Resource, resource: Resource, look: Look, count: Count
) -> Reaction | Fact | None:
    """What an alarm does about a metric; None when it looks at another one, a doubt when that is not known."""
    watched, counted = look.metric, count.metric
    pairs = ((watched.name, counted.name), (watched.namespace, counted.namespace))
    if not all(same_name(scenario, one.pieces, other.pieces) for one, other in pairs):
        reason = watched.reason or counted.reason
        if reason is None or not scenario.active(alarm):
            return None
        return unknown(alarm.key, reason, f"whether {alarm.id} looks at the metric {show(counted.name)} is not known")
    if (
        watched.divided is not counted.divided
        or not scenario.active(alarm)
        or not same_place(scenario, alarm, resource)
    ):
        return None  # with dimensions, and elsewhere, it is another metric
    if watched.divided:
        reason = "the values of its dimensions come from the events"
        return unknown(alarm.key, reason, f"whether {alarm.id} looks at the metric {show(counted.name)} is not known")
    return Reaction(alarm, goes_off(scenario, alarm, look, count.how), acts(scenario, alarm))


FACTS: Mapping[str, FactSpec] = {
    "alarm.watched_by": FactSpec(
        watched_by,
        {"enum": [BY_ALARM, BY_RULE, BY_NOBODY]},
        "what reports the calls that change trails: a metric filter's alarm, or an EventBridge rule if that counts",
        takes_wanted=True,
    ),
    "alarm.watches_trail_changes": FactSpec(
        watches_trail_changes, {"type": "boolean"}, "a metric filter and an alarm watch the calls that change trails"
    ),
}
