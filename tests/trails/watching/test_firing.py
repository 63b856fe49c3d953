"""Whether one event sets off an alarm, held against an oracle that plays through what CloudWatch would do.

The oracle is written from https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and
alarms-and-missing-data.html: it publishes values, takes the statistic of each period, moves from state to state, and
asks whether the alarm comes to ALARM from another state in the period of the event.
"""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.trails.watching.firing import COMPARISONS, STATISTICS, Counted, Setting, is_percentile, silence

OK, ALARM, NOTHING = "OK", "ALARM", "INSUFFICIENT_DATA"


def statistic(name: str, values: list[float]) -> float:
    """A statistic of the values of a period."""
    if name == "Sum":
        return math.fsum(values)
    if name == "SampleCount":
        return len(values)
    if name == "Average":
        return math.fsum(values) / len(values)
    if name == "Minimum":
        return min(values)
    if name == "Maximum":
        return max(values)
    rank = math.ceil(float(name[1:]) / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


def over(operator: str, value: float, threshold: float) -> bool:
    """Whether a value is on the wrong side of the threshold."""
    above, equal = value > threshold, value == threshold
    return {
        "GreaterThanThreshold": above,
        "GreaterThanOrEqualToThreshold": above or equal,
        "LessThanThreshold": not above and not equal,
        "LessThanOrEqualToThreshold": not above,
    }[operator]


def next_state(setting: Setting, state: str, values: list[float], missing: str) -> str:
    """The state after a period in which these values were published."""
    if values:
        return ALARM if over(setting.operator, statistic(setting.statistic, values), setting.threshold) else OK
    if setting.filled is not None:
        return ALARM if over(setting.operator, setting.filled, setting.threshold) else OK
    return {"missing": NOTHING, "ignore": state, "breaching": ALARM, "notBreaching": OK}[missing]


def acts(setting: Setting, counted: Counted, missing: str, before: int, beside: int, events: int) -> bool:
    """Whether the alarm acts in the period of some events, with other events before and beside them."""
    other = [] if counted.default is None else [counted.default]
    state = NOTHING
    for _ in range(3):
        state = next_state(setting, state, other * before, missing)
    after = next_state(setting, state, [counted.value] * events + other * beside, missing)
    return after == ALARM and state != ALARM


def always_acts(setting: Setting, counted: Counted, missing: str) -> bool:
    """Whether it does whatever else comes in."""
    worlds = itertools.product((0, 1, 300), (0, 1, 2, 300), (1, 2, 3, 300))
    return all(acts(setting, counted, missing, *world) for world in worlds)


VALUES = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 10.0])
SETTINGS = st.builds(
    Setting,
    statistic=st.sampled_from([*STATISTICS, "p50", "p90"]),
    operator=st.sampled_from(sorted(COMPARISONS)),
    threshold=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 5.0, 20.0]),
    short=st.booleans(),
    filled=st.none() | st.sampled_from([0.0, 1.0]),
)


@settings(deadline=None)
@given(
    SETTINGS, st.builds(Counted, VALUES, st.none() | VALUES), st.sampled_from(["missing", "breaching", "notBreaching"])
)
def test_alarm_goes_off_when_it_does_in_every_world(setting: Setting, counted: Counted, missing: str) -> None:
    setting = setting._replace(breaching=missing == "breaching")
    found = silence(setting, counted)
    assert (found is None) is always_acts(setting, counted, missing), found
    if found is not None and not found.certain:  # only what other events of the same minute count as is open
        assert setting.short
        assert acts(setting, counted, missing, 1, 0, 1)


@pytest.mark.parametrize(
    ("setting", "counted", "goes_off"),
    [
        (Setting("Sum", "GreaterThanOrEqualToThreshold", 1), Counted(1), True),
        (Setting("Sum", "GreaterThanThreshold", 0), Counted(1), True),
        (Setting("Sum", "GreaterThanThreshold", 1), Counted(1), False),
        (Setting("Sum", "GreaterThanOrEqualToThreshold", 1), Counted(0), False),
        (Setting("Sum", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), True),
        (Setting("Sum", "GreaterThanOrEqualToThreshold", 0), Counted(1, 0), False),
        (Setting("Sum", "LessThanThreshold", 1), Counted(1), False),
        (Setting("Sum", "LessThanThreshold", 5), Counted(1), False),
        (Setting("SampleCount", "GreaterThanOrEqualToThreshold", 1), Counted(1), True),
        (Setting("SampleCount", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), False),
        (Setting("Average", "GreaterThanThreshold", 0), Counted(1, 0), True),
        (Setting("Average", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), False),
        (Setting("Maximum", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), True),
        (Setting("p100", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), True),
        (Setting("p100.0", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), True),
        (Setting("p0", "GreaterThanOrEqualToThreshold", 1), Counted(1, 0), False),
        (Setting("p99.9", "GreaterThanOrEqualToThreshold", 1), Counted(1), True),
    ],
)
def test_what_sets_an_alarm_off(setting: Setting, counted: Counted, goes_off: bool) -> None:
    assert (silence(setting, counted) is None) is goes_off


@pytest.mark.parametrize(
    ("name", "known"),
    [("p0", True), ("p99", True), ("p99.95", True), ("p100", True), ("p100.0", True), ("p101", False), ("p", False),
     ("tm90", False), ("IQM", False), ("Sum", False), ("PR(1:)", False), ("TM(10%:90%)", False)],
)  # fmt: skip
def test_percentiles(name: str, known: bool) -> None:
    assert is_percentile(name) is known
