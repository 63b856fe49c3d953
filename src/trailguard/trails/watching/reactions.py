"""What an alarm does about a single event that a metric filter counts: whether it goes off, and whether it acts.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (what is required,
units, percentiles of few values; actions are carried out when the state changes) and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html (periods without data)
"""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, Text, Value, show, text_of
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import (
    Fact,
    boolean,
    is_empty,
    no,
    one_of,
    reason_unknown,
    unknown,
    via,
    yes,
)
from trailguard.trails.facts.names import is_free
from trailguard.trails.facts.properties import number, step_into
from trailguard.trails.watching import firing
from trailguard.trails.watching.filterpatterns import KNOWN_TEXTS
from trailguard.trails.watching.firing import Counted, Setting
from trailguard.trails.watching.metrics import Look

MISSING_DATA = ("missing", "breaching", "notBreaching", "ignore")


class _Told(Exception):
    """Carries the fact that leaves nothing more to ask."""

    def __init__(self, fact: Fact) -> None:
        super().__init__()
        self.fact = fact


def goes_off(scenario: Scenario, alarm: Resource, look: Look, how: Value) -> Fact:
    """Whether an alarm goes off because of one event that a filter counts; `how` is the filter's transformation."""
    reader = _Reader(scenario, alarm, look, how)
    try:
        if look.reason is not None:
            raise _Told(unknown(look.node, look.reason, f"whether {alarm.id} goes off is not known"))
        reader.check_unit()
        counted = reader.counted()
        setting, place = reader.setting(counted)
        found = firing.silence(setting, counted)
        if found is not None:
            because = f"a single event does not set off {alarm.id}, because {found.reason}"
            if found.certain:
                raise _Told(no(place, because))
            raise _Told(unknown(place, found.reason, f"whether {alarm.id} goes off each time is not known"))
        reader.check_periods(setting, counted)
    except _Told as told:
        return told.fact
    return yes(alarm.key, f"{alarm.id} goes off because of a single event")


class _Reader(NamedTuple):
    """Reads the properties of an alarm and of what a filter counts; raises _Told for what settles the matter."""

    scenario: Scenario
    alarm: Resource
    look: Look
    how: Value

    def counted(self) -> Counted:
        """What is published for an event, matching or not."""
        value = step_into(self.how, "MetricValue")
        text = text_of(value)
        if text is not None and (text.literal or "").startswith("$"):
            raise _Told(_published(text))
        published = self._number(value, "MetricValue of the filter", (1,))
        default = step_into(self.how, "DefaultValue")
        if is_empty(default):
            return Counted(published)
        return Counted(published, self._number(default, "DefaultValue of the filter", (0, published)))

    def setting(self, counted: Counted) -> tuple[Setting, Node]:
        """When the alarm goes off, and the place that says so."""
        statistic = self._statistic()
        operator = self._operator()
        threshold = self.scenario.value_of(self.alarm, "Threshold")
        single = firing.statistic_of(statistic, counted, 1, 0) or 0
        limits = (single, 0, *([] if counted.default is None else [counted.default]))
        level = self._number(threshold, f"Threshold of {self.alarm.id}", limits)
        if is_empty(self.look.period):
            raise _Told(no(self.look.node, f"{self.alarm.id} has no Period, which CloudWatch requires"))
        short = False
        if counted.default is not None and statistic != "Sum":
            short = self._number(self.look.period, f"Period of {self.alarm.id}", (60, 61)) <= 60
        missing = self._word("TreatMissingData", MISSING_DATA, "missing") == "breaching"
        return Setting(statistic, operator, level, short, missing, self.look.filled), threshold.node

    def _statistic(self) -> str:
        alarm, value = self.alarm, self.look.statistic
        if is_empty(value):
            raise _Told(no(self.look.node, f"{alarm.id} has no Statistic, which CloudWatch requires"))
        if all(not is_empty(self.scenario.value_of(alarm, name)) for name in ("Statistic", "ExtendedStatistic")):
            because = f"{alarm.id} has both Statistic and ExtendedStatistic, which CloudWatch refuses"
            raise _Told(no(value.node, because))
        name, reason = self._among(value, firing.STATISTICS)
        if reason is not None:
            raise _Told(unknown(value.node, reason, f"the statistic of {alarm.id} is not known"))
        if firing.is_percentile(name):
            if self._word("EvaluateLowSampleCountPercentile", ("evaluate", "ignore"), "evaluate") == "ignore":
                node = self.scenario.value_of(alarm, "EvaluateLowSampleCountPercentile").node
                because = f"{alarm.id} ignores {name} of few values (EvaluateLowSampleCountPercentile)"
                raise _Told(no(node, f"{because}, and a single event is too few"))
        elif name not in firing.STATISTICS:
            reason = f"what the statistic {name} makes of a single value is not documented"
            raise _Told(unknown(value.node, reason, f"whether {alarm.id} goes off is not known"))
        return name

    def _operator(self) -> str:
        value = self.scenario.value_of(self.alarm, "ComparisonOperator")
        if is_empty(value):
            raise _Told(no(value.node, f"{self.alarm.id} has no ComparisonOperator, which CloudWatch requires"))
        name, reason = self._among(value, tuple(firing.COMPARISONS))
        if reason is None and name in firing.BANDS:
            reason = f"{name} compares with a band that CloudWatch learns from the metric"
        if reason is not None:
            raise _Told(unknown(value.node, reason, f"whether {self.alarm.id} goes off is not known"))
        if name not in firing.COMPARISONS:
            raise _Told(no(value.node, f"ComparisonOperator of {self.alarm.id} is {name}, which CloudWatch refuses"))
        return name

    def _word(self, name: str, known: tuple[str, ...], default: str) -> str:
        """A property of the alarm that is one of a few texts."""
        value = self.scenario.value_of(self.alarm, name)
        text, reason = (default, None) if is_empty(value) else self._among(value, known)
        if reason is not None:
            raise _Told(unknown(value.node, reason, f"{name} of {self.alarm.id} is not known"))
        return text

    def _among(self, value: Value, known: tuple[str, ...]) -> tuple[str, str | None]:
        """A text that is mostly one of a few, or why it is not known."""
        text = text_of(value)
        for symbol in text.symbols if text is not None else ():
            if is_free(symbol):
                self.scenario.fix(symbol.name)  # its default may be another one
        found, _, reason = one_of(self.scenario, value, known, "")
        return found, reason

    def check_unit(self) -> None:
        """An alarm with a unit looks at the values of that unit alone; a filter without one publishes those of None."""
        wanted, stated = (text_of(value) for value in (self.look.unit, step_into(self.how, "Unit")))
        if wanted is None or is_empty(wanted):
            return
        published = Text(("None",), wanted.node) if stated is None or is_empty(stated) else stated
        for text in (wanted, published):
            reason = reason_unknown(text)
            if reason is not None:
                raise _Told(unknown(text.node, reason, f"whether {self.alarm.id} looks at the right unit is not known"))
        if not self.scenario.equal(wanted, published):
            because = f"{self.alarm.id} looks at values of the unit {show(wanted)} only"
            raise _Told(no(wanted.node, f"{because}, and those of the filter have the unit {show(published)}"))

    def check_periods(self, setting: Setting, counted: Counted) -> None:
        """A single event fills one period."""
        periods, needed = (
            self.scenario.value_of(self.alarm, name) for name in ("EvaluationPeriods", "DatapointsToAlarm")
        )
        if is_empty(periods):
            raise _Told(no(periods.node, f"{self.alarm.id} has no EvaluationPeriods, which CloudWatch requires"))
        what = "EvaluationPeriods" if is_empty(needed) else "DatapointsToAlarm"
        asked = periods if is_empty(needed) else needed
        count = self._number(asked, f"{what} of {self.alarm.id}", (1,))
        if count <= 1:
            return
        text = text_of(periods)
        among = show(text) if text is not None else "?"
        because = f"{self.alarm.id} needs {firing.spell(count)} of {among} periods, and a single event fills one"
        # CloudWatch decides by what it has when the periods after that one stay without data, which takes as long.
        late = counted.default is None and setting.filled is None
        late = late and self._word("TreatMissingData", MISSING_DATA, "missing") == "missing"
        raise _Told(no(asked.node, f"{because}, so it goes off late at best" if late else because))

    def _number(self, value: Value, what: str, limits: tuple[float, ...]) -> float:
        found = number(self.scenario, value, limits)
        if isinstance(found, float):
            return found
        if found is None:
            raise _Told(no(value.node, f"{what} is not set, which CloudWatch requires"))
        if isinstance(found, str):
            shown = "" if text_of(value) is None else f" but {found}"
            raise _Told(no(value.node, f"{what} is not a number{shown}{via(value.node)}"))
        raise _Told(unknown(value.node, found.reason, f"{what} is not known"))


def _published(value: Text) -> Fact:
    """What a filter makes of a value that it takes from the event."""
    field = value.literal or ""
    if field in KNOWN_TEXTS:
        return no(value.node, f"the filter counts {field} of the event, which is not a number, so it publishes nothing")
    return unknown(value.node, f"the filter counts {field} of the event", "what the filter publishes is not known")


def acts(scenario: Scenario, alarm: Resource) -> Fact:
    """Whether an alarm, composite or not, does something when it goes off."""
    enabled = scenario.value_of(alarm, "ActionsEnabled")
    meaning = boolean(scenario, enabled)
    if meaning not in (None, True):
        reason = reason_unknown(enabled)
        if reason is not None:
            return unknown(enabled.node, reason, f"whether the actions of {alarm.id} are on is not known")
        return no(enabled.node, f"the actions of {alarm.id} are switched off")
    actions = scenario.value_of(alarm, "AlarmActions")
    if isinstance(actions, ListValue) and actions.items:
        return yes(alarm.key, f"{alarm.id} tells somebody")
    reason = reason_unknown(actions)
    if reason is not None:
        return unknown(actions.node, reason, f"whether {alarm.id} does anything is not known")
    return no(actions.node, f"{alarm.id} has no AlarmActions, so it tells nobody")
