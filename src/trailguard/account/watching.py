"""Reads what watches: topics, log groups with their metric filters, alarms, rules of EventBridge.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.asking import Gone, Refused
from trailguard.account.existing import Existing, document, existing, unread
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TOPIC, _TOPIC_POLICY = KINDS["topics"].types
_GROUP, _FILTER = KINDS["logs"].types
_ALARM, _COMPOSITE = KINDS["alarms"].types
(_RULE,) = KINDS["events"].types
_FLAGS = ("FifoTopic", "ContentBasedDeduplication")
_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig", *_FLAGS)
_BOTH = ("AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "InsufficientDataActions", "OKActions")
_METRIC = (
    *_BOTH,
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "MetricName",
    "Metrics",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
)
_TOGETHER = (
    *_BOTH,
    "AlarmRule",
    "ActionsSuppressor",
    "ActionsSuppressorExtensionPeriod",
    "ActionsSuppressorWaitPeriod",
)
# Of targets: neither the text that is sent, which may hold anything, nor how it is sent.
_TARGET = ("Id", "Arn", "RoleArn", "DeadLetterConfig", "RetryPolicy")


def read_topics(part: Part) -> None:
    """Read the topics of this account and Region, with their policies."""

    def topics() -> list[Existing]:
        listed = [topic["TopicArn"] for topic in part.items("sns:ListTopics", "Topics")]
        arns = [arn for arn in listed if part.wants(arn, arn.rpartition(":")[2])]
        return part.each(lambda arn: _topic(part, arn), arns)

    part.listed(KINDS["topics"].types, topics)


def one_topic(part: Part, arn: str) -> None:
    """Read a topic by its ARN; raises Gone when there is none."""
    part.resources += _topic(part, arn)


def _topic(part: Part, arn: str) -> list[Existing]:
    name = arn.rpartition(":")[2]
    try:
        told = part.ask("sns:GetTopicAttributes", arn, TopicArn=arn)["Attributes"]
    except Refused as error:
        part.note(error)
        properties: dict[str, Any] = dict.fromkeys(_ATTRIBUTES, unread(error.reason))
        said: Any = unread(error.reason)
    else:
        properties = {key: told.get(key) or None for key in _ATTRIBUTES}
        for key in _FLAGS:
            properties[key] = told[key] == "true" if key in told else None
        said = document(told["Policy"]) if told.get("Policy") else None
    made = [existing(part.place, _TOPIC, arn, {"TopicName": name, **properties}, name=name, physical=arn)]
    if said is not None:
        made.append(existing(part.place, _TOPIC_POLICY, arn, {"Topics": [arn], "PolicyDocument": said}, name=name))
    return made


def read_logs(part: Part) -> None:
    """Read the log groups and metric filters of this account and Region."""
    part.listed((_GROUP,), lambda: _groups(part))
    part.listed((_FILTER,), lambda: _filters(part))


def one_group(part: Part, name: str) -> None:
    """Read a log group by its name, with its metric filters; raises Gone when there is none."""
    before = len(part.refused)
    part.listed((_GROUP,), lambda: (each for each in _groups(part, logGroupNamePrefix=name) if each.name == name))
    if not part.resources and len(part.refused) == before:
        raise Gone(name)
    part.listed((_FILTER,), lambda: _filters(part, logGroupName=name))


def _groups(part: Part, **request: Any) -> Iterator[Existing]:
    for group in part.items("logs:DescribeLogGroups", "logGroups", **request):
        name = group["logGroupName"]
        properties = {
            "LogGroupName": name,
            "RetentionInDays": group.get("retentionInDays"),
            "KmsKeyId": group.get("kmsKeyId"),
            "LogGroupClass": group.get("logGroupClass"),
            "DeletionProtectionEnabled": group.get("deletionProtectionEnabled"),
        }
        arn = part.arn("logs", f"log-group:{name}")
        if part.wants(name, arn, f"{arn}:*"):
            yield existing(part.place, _GROUP, arn, properties, name=name)


def _filters(part: Part, **request: Any) -> Iterator[Existing]:
    for told in part.items("logs:DescribeMetricFilters", "metricFilters", **request):
        group, name = told["logGroupName"], told["filterName"]
        whole = part.arn("logs", f"log-group:{group}")
        if not part.wants(group, whole, f"{whole}:*"):
            continue
        properties = {
            "FilterName": name,
            "FilterPattern": told.get("filterPattern", ""),
            "LogGroupName": group,
            "MetricTransformations": [_transformation(each) for each in told["metricTransformations"]],
            "ApplyOnTransformedLogs": told.get("applyOnTransformedLogs"),
            "FieldSelectionCriteria": told.get("fieldSelectionCriteria") or None,
            "EmitSystemFieldDimensions": told.get("emitSystemFieldDimensions") or None,
        }
        arn = f"{whole}:metric-filter/{name}"  # it has none: this is for telling it apart
        yield existing(part.place, _FILTER, arn, properties, name=name)


def _transformation(told: dict[str, Any]) -> dict[str, Any]:
    made = {
        "MetricName": told["metricName"],
        "MetricNamespace": told["metricNamespace"],
        "MetricValue": told["metricValue"],
        "DefaultValue": told.get("defaultValue"),
        "Unit": told.get("unit"),
        "Dimensions": [{"Key": key, "Value": value} for key, value in sorted((told.get("dimensions") or {}).items())],
    }
    return {key: value for key, value in made.items() if value not in (None, [])}


def read_alarms(part: Part) -> None:
    """Read the alarms of this account and Region, on metrics and on other alarms."""

    def alarms() -> list[Existing]:
        found = []
        for page in part.asker.pages(
            "cloudwatch:DescribeAlarms", part.region, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        ):
            found += [_alarm(part, _ALARM, told, _METRIC) for told in page.get("MetricAlarms") or ()]
            found += [_alarm(part, _COMPOSITE, told, _TOGETHER) for told in page.get("CompositeAlarms") or ()]
        return found if part.wanted is None else _wanted_alarms(part, found)

    part.listed(KINDS["alarms"].types, alarms)


def _wanted_alarms(part: Part, found: list[Existing]) -> list[Existing]:
    """Alarms that are named or watch what a metric filter counts, and those that are made of such."""
    counted = {
        (each["MetricNamespace"], each["MetricName"])
        for one in part.resources
        if one.type == _FILTER
        for each in one.properties["MetricTransformations"]
    }
    kept = [one for one in found if part.wants(one.name, one.arn) or counted.intersection(_metrics(one.properties))]
    rules = [one for one in found if one.type == _COMPOSITE and one not in kept]
    return kept + [one for one in rules if any(each.name in one.properties["AlarmRule"] for each in kept)]


def _metrics(properties: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Namespaces and names of the metrics that an alarm watches."""
    yield properties.get("Namespace"), properties.get("MetricName")
    for query in properties.get("Metrics", ()):
        metric = query.get("MetricStat", {}).get("Metric", {})
        yield metric.get("Namespace"), metric.get("MetricName")


def _alarm(part: Part, kind: str, told: dict[str, Any], names: tuple[str, ...]) -> Existing:
    properties = {name: told[name] for name in names if told.get(name) not in (None, [], "")}
    return existing(part.place, kind, told["AlarmArn"], properties, name=told["AlarmName"])


def read_rules(part: Part) -> None:
    """Read the rules of EventBridge of this account and Region, on every bus, with their targets."""

    def rules() -> list[Existing]:
        buses = [bus["Name"] for bus in part.items("events:ListEventBuses", "EventBuses")]
        listed = [
            (bus, rule)
            for bus in buses
            for rule in part.items("events:ListRules", "Rules", bus, EventBusName=bus)
            if part.wants(rule["Name"], rule["Arn"])
        ]
        return part.each(lambda item: _rule(part, *item), listed)

    part.listed(KINDS["events"].types, rules)


def _rule(part: Part, bus: str, told: dict[str, Any]) -> list[Existing]:
    name = told["Name"]
    properties = {
        "Name": name,
        "Description": told.get("Description") or None,
        "EventBusName": bus,
        "EventPattern": document(told["EventPattern"]) if told.get("EventPattern") else None,
        "ScheduleExpression": told.get("ScheduleExpression") or None,
        "State": told.get("State"),
        "RoleArn": told.get("RoleArn"),
    }
    try:
        targets = list(part.items("events:ListTargetsByRule", "Targets", told["Arn"], Rule=name, EventBusName=bus))
    except Refused as error:
        part.note(error)
        properties["Targets"] = unread(error.reason)
    else:
        kept = [{key: target[key] for key in _TARGET if key in target} for target in targets]
        properties["Targets"] = sorted(kept, key=lambda target: str(target["Id"])) or None
    physical = name if bus == "default" else f"{bus}|{name}"
    return [existing(part.place, _RULE, told["Arn"], properties, name=name, physical=physical)]
