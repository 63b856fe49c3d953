"""What metric filters count, and what alarms look at.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    Absent,
    ListValue,
    MapValue,
    Symbol,
    Text,
    Unknown,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import boolean, is_empty, reason_unknown
from trailguard.trails.facts.properties import step_into

_GAPS_FILLED = r"\s*FILL\(\s*([a-z]\w*)\s*,\s*([-+]?\d+(?:\.\d+)?)\s*\)\s*|\s*([a-z]\w*)\s*"


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


class Count(NamedTuple):
    """A metric that a filter publishes; `how` is the map that says how."""

    metric: Metric
    how: Value


class Look(NamedTuple):
    """A metric that an alarm looks at, and how. `filled` is what stands for a period without data.

    `reason` tells why it is not known what the alarm makes of it. `node` is the place that says that it looks.
    """

    metric: Metric
    statistic: Value
    period: Value
    unit: Value
    node: Node
    filled: float | None = None
    reason: str | None = None


def counted(scenario: Scenario, resource: Resource) -> list[Count]:
    """The metrics that a metric filter counts."""
    transformations = scenario.value_of(resource, "MetricTransformations")
    items = transformations.items if isinstance(transformations, ListValue) else ()
    read = ((Metric.read(item, "MetricNamespace"), item) for item in items)
    return [Count(metric, item) for metric, item in read if metric is not None]


def looks(scenario: Scenario, alarm: Resource) -> list[Look]:
    """Every metric that an alarm looks at, by itself or in a calculation."""
    queries = scenario.value_of(alarm, "Metrics")
    if is_empty(queries):
        return _own(scenario, alarm)
    if isinstance(queries, Unknown):
        return [_hidden(queries.node, queries.reason)]
    reason = reason_unknown(queries)
    if reason is None and not is_empty(scenario.value_of(alarm, "ThresholdMetricId")):
        reason = "it compares with a band that CloudWatch learns from the metric (ThresholdMetricId)"
    stated = queries.items if isinstance(queries, ListValue) else ()
    if reason is None:
        watched, filled, reason = _result(scenario, stated)
        if reason is None:
            found = next((item for item in stated if _id(item) == watched), None)
            return [] if found is None else _of_query(found, filled, None)
    return [look for item in stated for look in (*_of_query(item, None, reason), *_of_language(item))]


def _own(scenario: Scenario, alarm: Resource) -> list[Look]:
    names = ("MetricName", "Namespace", "Dimensions")
    metric = Metric.read(MapValue({name: scenario.value_of(alarm, name) for name in names}, {}, alarm.key), "Namespace")
    if metric is None or is_empty(metric.name):
        return []
    statistic, extended, period, unit = (
        scenario.value_of(alarm, name) for name in ("Statistic", "ExtendedStatistic", "Period", "Unit")
    )
    chosen = extended if is_empty(statistic) else statistic
    return [Look(metric, chosen, period, unit, alarm.key)]


def _of_query(query: Value, filled: float | None, reason: str | None) -> list[Look]:
    stated = step_into(query, "MetricStat")
    metric = Metric.read(step_into(stated, "Metric"), "Namespace")
    if metric is None:
        return []
    if reason is None and not is_empty(step_into(query, "AccountId")):
        reason = "it looks at the metric of an account by its AccountId"
    statistic, period, unit = (step_into(stated, name) for name in ("Stat", "Period", "Unit"))
    return [Look(metric, statistic, period, unit, stated.node, filled, reason)]


def _of_language(query: Value) -> list[Look]:
    """What a query in the language of Metrics Insights looks at: any metric, as far as it is told here."""
    expression = step_into(query, "Expression")
    text = text_of(expression)
    if text is None or "SELECT" not in show(text).upper():
        return []
    return [_hidden(expression.node, f'what "{show(text)}" selects is not worked out')]


def _hidden(node: Node, reason: str) -> Look:
    """A look at a metric that is not known."""
    name = Text((Symbol(OPAQUE, reason, reason),), node)
    nothing = Absent(node)
    return Look(Metric(name, name, False, reason), nothing, nothing, nothing, node, None, reason)


def _id(query: Value) -> str | None:
    text = text_of(step_into(query, "Id"))
    return None if text is None else text.literal


def _result(scenario: Scenario, queries: tuple[Value, ...]) -> tuple[str | None, float | None, str | None]:
    """Which query an alarm looks at in the end, with what fills its gaps; or why that is not known."""
    returned = []
    for query in queries:
        meaning = boolean(scenario, step_into(query, "ReturnData"))
        if meaning not in (None, True, False):
            return None, None, "which of its Metrics it looks at (ReturnData) is not known"
        if meaning is not False:
            returned.append(query)
    if len(returned) != 1:
        return None, None, f"{len(returned) or 'none'} of its Metrics return data, where one belongs"
    expression = step_into(returned[0], "Expression")
    if isinstance(expression, Absent):
        return _id(returned[0]), None, None
    text = text_of(expression)
    plain = re.fullmatch(_GAPS_FILLED, text.literal) if text is not None and text.literal is not None else None
    if plain is None:
        shown = "it" if text is None else f'"{show(text)}"'
        return None, None, f"what {shown} makes of the metric is not worked out"
    name, fill, alone = plain.groups()
    return name or alone, float(fill) if fill else None, None
