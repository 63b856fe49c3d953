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
from trailguard.trails.facts.names import same_name
from trailguard.trails.watching import composites
from trailguard.trails.watching.composites import Rule, Tri
from trailguard.trails.watching.reactions import acts

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"

BEFORE: Final = "before"  # nothing has happened, and every other alarm is quiet
AFTER: Final = "after"  # an event has come, and every other alarm is quiet
ANYHOW: Final = "anyhow"  # an event has come, and every other alarm is in any state


def tells(scenario: Scenario, composite: Resource, off: Mapping[str, bool | None]) -> Fact | None:
    """Whether a composite alarm tells somebody when others go off; None when its rule names none of them.

    `off` holds the alarms that an event sets off, by logical ID: None for those that it may set off.
    """
    rule = _rule(scenario, composite)
    stated = scenario.value_of(composite, "AlarmRule")
    if isinstance(rule, str):
        return unknown(stated.node, rule, f"whether {composite.id} acts for others is not known")
    world = _World(scenario, off)
    if not world.concerns(rule, {composite.id}):
        return None
    before, after, anyhow = (world.holds(rule, moment, {composite.id}) for moment in (BEFORE, AFTER, ANYHOW))
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

    def __init__(self, scenario: Scenario, off: Mapping[str, bool | None]) -> None:
        self.scenario = scenario
        self.off = off
        self.named = " and ".join(off)

    def _alarm(self, name: Pieces) -> Resource | None:
        """The alarm of the template that has a name, or an ARN."""
        template = self.scenario.model.template
        for alarm in (*template.of_type(ALARM), *template.of_type(COMPOSITE)):
            ways = (self.scenario.returned_pieces(alarm, way) for way in ("Ref", "Arn"))
            if any(same_name(self.scenario, name, way) for way in ways) and self.scenario.active(alarm):
                return alarm
        return None

    def concerns(self, rule: Rule, busy: set[str]) -> bool:
        """Tell whether a rule names an alarm that the event sets off, or may do so."""
        for name in composites.alarms_of(rule):
            alarm = self._alarm(name)
            if alarm is None:
                if _is_hidden(name):
                    return True
            elif alarm.id in self.off:
                return True
            elif alarm.type == COMPOSITE and alarm.id not in busy:
                inner = _rule(self.scenario, alarm)
                if isinstance(inner, str) or self.concerns(inner, {*busy, alarm.id}):
                    return True
        return False

    def holds(self, rule: Rule, moment: str, busy: set[str]) -> Tri:
        """Tell whether a rule holds at a moment."""
        return composites.evaluate(rule, lambda state, name: self._is_in(state, name, moment, busy))

    def _is_in(self, state: str, name: Pieces, moment: str, busy: set[str]) -> Tri:
        alarm = self._alarm(name)
        if alarm is None and _is_hidden(name):
            return None
        if alarm is not None and alarm.type == COMPOSITE:
            return self._composite_is_in(state, alarm, moment, busy)
        if alarm is not None and alarm.id in self.off and moment != BEFORE:
            goes_off = self.off[alarm.id]
            return None if goes_off is None else state == "ALARM"
        if moment == ANYHOW or state != "ALARM":
            return None
        return False

    def _composite_is_in(self, state: str, alarm: Resource, moment: str, busy: set[str]) -> Tri:
        if alarm.id in busy:
            return None
        rule = _rule(self.scenario, alarm)
        held = None if isinstance(rule, str) else self.holds(rule, moment, {*busy, alarm.id})
        if state == "INSUFFICIENT_DATA":
            return False
        return held if held is None or state == "ALARM" else not held


def _is_hidden(name: Pieces) -> bool:
    return any(isinstance(piece, Symbol) and piece.kind == OPAQUE for piece in name)
