"""Whether a composite alarm tells somebody in place of the alarms that go off below it.

Source: as for the rules of composite alarms, and https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
alarm-suppression.html (an alarm that suppresses the actions of another)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, Pieces, Symbol, show, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, is_empty, no, reason_unknown, unknown
from trailguard.trails.facts.names import same_name, same_place
from trailguard.trails.watching import composites
from trailguard.trails.watching.composites import Rule, Tri
from trailguard.trails.watching.reactions import acts

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"

MAX_DEPTH = 50  # composite alarms, one above the other
BEFORE: Final = "before"  # nothing has happened, and every other alarm is quiet
AFTER: Final = "after"  # an event has come, and every other alarm is quiet
ANYHOW: Final = "anyhow"  # an event has come, and every other alarm is in any state


def below(scenario: Scenario, composite: Resource) -> list[Resource] | None:
    """The metric alarms that the rule of a composite alarm hinges on; None when that is not known."""
    found: dict[str, Resource] = {}
    pending, known = [composite], {composite.id}
    while pending:
        rule = _rule(scenario, pending.pop())
        if isinstance(rule, str):
            return None
        for name in composites.alarms_of(rule):
            alarm = _named(scenario, name, composite)
            if alarm is None and _is_hidden(name):
                return None
            if alarm is None or alarm.id in known:
                continue
            known.add(alarm.id)
            if alarm.type == COMPOSITE:
                pending.append(alarm)
            else:
                found[alarm.id] = alarm
    return list(found.values())


def tells(scenario: Scenario, composite: Resource, off: Mapping[str, bool | None]) -> Fact:
    """Whether a composite alarm tells somebody when others go off.

    `off` holds the alarms that an event sets off, by logical ID: None for those that it may set off.
    """
    rule = _rule(scenario, composite)
    stated = scenario.value_of(composite, "AlarmRule")
    if isinstance(rule, str):
        return unknown(stated.node, rule, f"whether {composite.id} acts for others is not known")
    world = _World(scenario, composite, off)
    before, after, anyhow = (world.holds(rule, moment, (composite.id,)) for moment in (BEFORE, AFTER, ANYHOW))
    if after is False:
        because = (
            f"{composite.id} does not go off because of {world.named} alone: AlarmRule is {_shown(scenario, composite)}"
        )
        return no(stated.node, because)
    if before is True:
        return no(
            stated.node, f"{composite.id} is in ALARM before the event: AlarmRule is {_shown(scenario, composite)}"
        )
    own = acts(scenario, composite)
    if own.value is False:
        return own
    if not anyhow or before is None:
        reason = f"AlarmRule of {composite.id} also hinges on other alarms: {_shown(scenario, composite)}"
        return unknown(stated.node, reason, f"whether {composite.id} acts for {world.named} each time is not known")
    suppressor = scenario.value_of(composite, "ActionsSuppressor")
    if not is_empty(suppressor):
        reason = "its actions are suppressed while its ActionsSuppressor is in ALARM"
        return unknown(suppressor.node, reason, f"whether {composite.id} acts for {world.named} each time is not known")
    return own


def _shown(scenario: Scenario, composite: Resource) -> str:
    text = text_of(scenario.value_of(composite, "AlarmRule"))
    return "" if text is None else f'"{show(text)}"'


def _rule(scenario: Scenario, composite: Resource) -> Rule | str:
    """The rule of a composite alarm, or why it cannot be read."""
    value = scenario.value_of(composite, "AlarmRule")
    text = text_of(value)
    if text is None:
        return "it has no AlarmRule"
    if len(text.pieces) == 1 and reason_unknown(text) is not None:
        return str(reason_unknown(text))
    try:
        return composites.parse(text.pieces)
    except composites.Unreadable as refusal:
        return str(refusal)


class _World:
    """The states of the alarms of a template at some moment. `named` are those that the event sets off."""

    def __init__(self, scenario: Scenario, composite: Resource, off: Mapping[str, bool | None]) -> None:
        self.scenario = scenario
        self.composite = composite
        self.off = off
        self.named = " and ".join(off)
        self._held: dict[tuple[str, str], Tri] = {}  # what the rules of composite alarms come to at each moment

    def holds(self, rule: Rule, moment: str, above: tuple[str, ...]) -> Tri:
        """Tell whether a rule holds at a moment; `above` are the composite alarms that hinge on it."""
        return composites.evaluate(rule, lambda state, name: self._is_in(state, name, moment, above))

    def _is_in(self, state: str, name: Pieces, moment: str, above: tuple[str, ...]) -> Tri:
        alarm = _named(self.scenario, name, self.composite)
        if alarm is None and _is_hidden(name):
            return None
        if alarm is not None and alarm.type == COMPOSITE:
            held = self._composite_holds(alarm, moment, above)
            if state == "INSUFFICIENT_DATA":
                return False
            return held if held is None or state == "ALARM" else not held
        if alarm is not None and alarm.id in self.off and moment != BEFORE:
            goes_off = self.off[alarm.id]
            return None if goes_off is None else state == "ALARM"
        if moment == ANYHOW or state != "ALARM":
            return None
        return False

    def _composite_holds(self, alarm: Resource, moment: str, above: tuple[str, ...]) -> Tri:
        if alarm.id in above or len(above) > MAX_DEPTH:  # CloudWatch stops where alarms hinge on each other
            return None
        key = alarm.id, moment
        if key not in self._held:
            rule = _rule(self.scenario, alarm)
            self._held[key] = None if isinstance(rule, str) else self.holds(rule, moment, (*above, alarm.id))
        return self._held[key]


def _named(scenario: Scenario, name: Pieces, composite: Resource) -> Resource | None:
    """The alarm of the template that has a name, or an ARN; one of the composite alarm's own account and Region."""
    return scenario.once(("alarm", name, composite.id), lambda: _find(scenario, name, composite))


def _find(scenario: Scenario, name: Pieces, composite: Resource) -> Resource | None:
    names = scenario.once("names of alarms", lambda: _names(scenario))
    ways = [name] if name in names else [way for way in names if same_name(scenario, name, way)]
    found = (alarm for way in ways for alarm in names[way] if scenario.active(alarm))
    return next((alarm for alarm in found if same_place(scenario, alarm, composite)), None)


def _names(scenario: Scenario) -> dict[Pieces, list[Resource]]:
    """The alarms of the template by their names and ARNs; two under exclusive conditions may share one."""
    template = scenario.model.template
    found: dict[Pieces, list[Resource]] = {}
    for alarm in (*template.of_type(ALARM), *template.of_type(COMPOSITE)):
        for way in ("Ref", "Arn"):
            found.setdefault(scenario.returned_pieces(alarm, way), []).append(alarm)
    return found


def _is_hidden(name: Pieces) -> bool:
    return any(isinstance(piece, Symbol) and piece.kind == OPAQUE for piece in name)
