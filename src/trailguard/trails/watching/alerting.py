"""Has an alarm go off when a trail is changed: a metric filter on its log group, and an alarm on what that counts.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html (CloudWatch.5: the pattern and
the alarm), https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Data, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.repairs import Fault, Repair, making, name_of, same_stack
from trailguard.trails.watching import logs
from trailguard.trails.watching.alarms import FILTER
from trailguard.trails.watching.escalation import ALARM
from trailguard.trails.watching.filterpatterns import EVENTS
from trailguard.trails.watching.topics import TOPIC

_COSTS = "a metric and an alarm are charged"
_NAMESPACE = "CloudTrailMetrics"
_METRIC = "TrailChanges"


def watched_by(fault: Fault) -> Iterator[Repair]:
    """Add a filter and an alarm that tells whom the template's other alarms tell, or its one topic."""
    scenario, trail = fault.scenario, fault.resource
    link = logs.log_group_link(scenario, trail)
    group = link.resource if link is not None else None
    told = _told(scenario, group) if group is not None else None
    if group is None or told is None:
        return
    namespace = _namespace(scenario, group)
    condition: Mapping[str, Data] = {"Condition": bare(group.condition)} if group.condition else {}
    pattern = " || ".join(f"($.eventName = {name})" for name in EVENTS)
    counted: Data = {"MetricName": _METRIC, "MetricNamespace": namespace, "MetricValue": "1"}
    watch: Data = {
        "Type": FILTER,
        **condition,
        "Properties": {
            "LogGroupName": name_of(scenario, group, group),
            "FilterPattern": f"{{ {pattern} }}",
            "MetricTransformations": [counted],
        },
    }
    alarm: Data = {
        "Type": ALARM,
        **condition,
        "Properties": {
            "AlarmDescription": "A trail was created, changed, deleted, started or stopped.",
            "Namespace": namespace,
            "MetricName": _METRIC,
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": told,
        },
    }
    made = [making(scenario, group, f"{_METRIC}{kind}", body) for kind, body in (("Filter", watch), ("Alarm", alarm))]
    changes = tuple(change for change in made if change is not None)
    if len(changes) == len(made):
        yield Repair(f"Add a metric filter and an alarm on changes of {bare(trail.id)}", changes, _COSTS)


def _told(scenario: Scenario, group: Resource) -> Data | None:
    """Whom an alarm tells: those whom another alarm of the template tells, else its one topic."""
    template = scenario.model.template
    for alarm in template.of_type(ALARM):
        listed = scenario.unwrap(scenario.property_node(alarm, "AlarmActions"))
        if same_stack(scenario, alarm, group) and isinstance(listed, ListNode) and listed.items:
            return at(listed)
    found = [one for one in template.of_type(TOPIC) if same_stack(scenario, one, group) and scenario.active(one)]
    return [{"Ref": bare(found[0].id)}] if len(found) == 1 else None


def _namespace(scenario: Scenario, group: Resource) -> str:
    """The namespace that the template's other filters count in."""
    for other in scenario.model.template.of_type(FILTER):
        listed = scenario.property_node(other, "MetricTransformations")
        first = listed.items[0] if isinstance(listed, ListNode) and listed.items else None
        named = first.values.get("MetricNamespace") if isinstance(first, MapNode) else None
        if isinstance(named, TextNode) and same_stack(scenario, other, group):
            return named.value
    return _NAMESPACE
