"""Whether an alarm goes off because of a single event that a metric filter counts: the arithmetic of it.

A filter publishes a value for each event that it matches, and a default, if it has one, for each that it does not. The
alarm sees a statistic of the values of a period, and acts when its state changes to ALARM. So it must go off with one
event or with many, whatever else comes in meanwhile, and it must not have gone off before.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html (values, defaults)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

STATISTICS = ("Sum", "SampleCount", "Average", "Maximum", "Minimum")
_PERCENTILE = r"p(\d{1,2}(?:\.\d+)?|100(?:\.0+)?)"

# How a statistic is compared with a threshold: the comparison, and what it asks for.
COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "at least"),
    "GreaterThanThreshold": (operator.gt, "above"),
    "LessThanThreshold": (operator.lt, "below"),
    "LessThanOrEqualToThreshold": (operator.le, "at most"),
}
# Those that compare with what CloudWatch learns of a metric.
BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")

_MANY = 10**9  # events in a period


class Counted(NamedTuple):
    """What a metric filter publishes for an event that it matches, and for any other event; None for nothing."""

    value: float
    default: float | None = None


class Setting(NamedTuple):
    """When an alarm goes off. `operator` is one of COMPARISONS.

    `short` tells that its period is no longer than a minute. `filled` is the value that stands for a period without
    data; without one, `breaching` tells that such a period counts as one over the threshold.
    """

    statistic: str
    operator: str
    threshold: float
    short: bool = False
    breaching: bool = False
    filled: float | None = None

    def breached(self, value: float) -> bool:
        """Tell whether a value of the statistic is on the side of the threshold that sets the alarm off."""
        return COMPARISONS[self.operator][0](value, self.threshold)

    @property
    def wanted(self) -> str:
        """What the statistic must be, for people."""
        return f"{COMPARISONS[self.operator][1]} {spell(self.threshold)}"


class Silence(NamedTuple):
    """Why an alarm does not go off because of a single event, or, unless `certain`, may not."""

    reason: str
    certain: bool = True


def spell(number: float) -> str:
    """A number for people."""
    return f"{number:g}"


def is_percentile(statistic: str) -> bool:
    """Tell whether a statistic is a percentile, such as p99."""
    return re.fullmatch(_PERCENTILE, statistic) is not None


def statistic_of(name: str, counted: Counted, events: int, others: int) -> float | None:
    """A statistic of a period with so many matching and other events; None when nothing is published in it."""
    if counted.default is None:
        others = 0
    if events + others == 0:
        return None
    default = counted.default or 0.0
    if name == "Sum":
        return events * counted.value + others * default
    if name == "SampleCount":
        return float(events + others)
    if name == "Average":
        return (events * counted.value + others * default) / (events + others)
    values = ([counted.value] if events else []) + ([default] if others else [])
    rank = float(name[1:]) if is_percentile(name) else None
    if name == "Minimum" or rank == 0:
        return min(values)
    if name == "Maximum" or rank == 100:
        return max(values)
    return default if others > events else counted.value  # a percentile, where one kind of events is nearly all of them


def silence(setting: Setting, counted: Counted) -> Silence | None:
    """Why a single event does not set off an alarm that looks at what a filter publishes; None when it does."""
    name = setting.statistic

    def goes_off(events: int, others: int) -> bool:
        value = statistic_of(name, counted, events, others)
        return value is not None and setting.breached(value)

    must = f"{name} must be {setting.wanted}"
    single = statistic_of(name, counted, 1, 0)
    if single is None or not setting.breached(single):
        return Silence(f"{must} and is {spell(single or 0)} after it")
    if not all(goes_off(events, 0) for events in (2, _MANY)):
        return Silence(f"{must}, which it no longer is after several events in one period")
    on_already = "it is in ALARM already, as"
    if setting.filled is not None and setting.breached(setting.filled):
        return Silence(f"{on_already} gaps are filled with {spell(setting.filled)}")
    if setting.filled is None and setting.breaching:
        return Silence(f"{on_already} TreatMissingData is breaching and mostly nothing is counted")
    if counted.default is None:
        return None
    other = f"other events count as {spell(counted.default)} (DefaultValue)"
    if any(goes_off(0, others) for others in (1, _MANY)):
        return Silence(f"{on_already} {other}, which sets it off too")
    if all(goes_off(events, others) for events in (1, 2) for others in (1, 2, _MANY)):
        return None
    if setting.short:
        return Silence(f"whether {other} in a minute that holds a match, too, is not documented", certain=False)
    return Silence(f"{must}, and {other} in the same period")
