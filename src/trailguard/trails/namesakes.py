"""The names by which templates speak of the parts of a delivery chain, so that those that mean the same are joined.

Bucket names are unique in a partition: equal names are the same bucket, whoever makes it. The others are unique in an
account and a Region. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, Pieces, Value, join_pieces, split_pieces, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.cloudformation.world.names import Naming, Role, Said
from trailguard.trails.facts.properties import step_into

_BUCKET, _ALIAS, _TOPIC, _GROUP, _ROLE, _METRIC = "bucket", "alias", "topic", "log group", "role", "metric"

# What a resource makes, and which of its return values is the name.
_MADE: Mapping[str, tuple[str, str]] = {
    "AWS::S3::Bucket": (_BUCKET, "Ref"),
    "AWS::KMS::Alias": (_ALIAS, "Ref"),
    "AWS::SNS::Topic": (_TOPIC, "TopicName"),
    "AWS::Logs::LogGroup": (_GROUP, "Ref"),
    "AWS::IAM::Role": (_ROLE, "Ref"),
}
# The properties that name something, by whether the resource has a say in it.
_NAMED: Mapping[str, tuple[Role, Mapping[str, str]]] = {
    "AWS::CloudTrail::Trail": (
        "uses",
        {
            "S3BucketName": _BUCKET,
            "KMSKeyId": _ALIAS,
            "SnsTopicName": _TOPIC,
            "CloudWatchLogsLogGroupArn": _GROUP,
            "CloudWatchLogsRoleArn": _ROLE,
        },
    ),
    "AWS::CloudTrail::EventDataStore": ("uses", {"KmsKeyId": _ALIAS}),
    "AWS::S3::BucketPolicy": ("says", {"Bucket": _BUCKET}),
    "AWS::SNS::TopicPolicy": ("says", {"Topics": _TOPIC}),
    "AWS::SNS::TopicInlinePolicy": ("says", {"TopicArn": _TOPIC}),
    "AWS::IAM::Policy": ("says", {"Roles": _ROLE}),
    "AWS::IAM::ManagedPolicy": ("says", {"Roles": _ROLE}),
    "AWS::IAM::RolePolicy": ("says", {"RoleName": _ROLE}),
    "AWS::Logs::MetricFilter": ("says", {"LogGroupName": _GROUP}),
}
_FILTER, _ALARM = "AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm"

_MORE: Mapping[str, Mapping[str, Mapping[Role, str]]] = {
    _BUCKET: {"BucketName": {"makes": "AWS::S3::Bucket"}},
    _ALIAS: {"AliasName": {"makes": "AWS::KMS::Alias"}},
    _TOPIC: {"TopicName": {"makes": "AWS::SNS::Topic"}},
    _GROUP: {"LogGroupName": {"makes": "AWS::Logs::LogGroup", "says": _FILTER}},
    _ROLE: {
        "Roles": {"says": "AWS::IAM::"},
        "RoleName": {"makes": "AWS::IAM::Role", "says": "AWS::IAM::RolePolicy"},
    },
    _METRIC: {"MetricName": {"makes": _FILTER, "says": _ALARM}},
}
# The properties that hold names of a kind, as they stand in the text of a template, and what is said there by which
# type of resource. Of a metric the name is enough to tell that two templates may mean the same one.
PROPERTIES: Mapping[str, Mapping[str, Mapping[Role, str]]] = {
    kind: {
        **{
            name: {role: type_}
            for type_, (role, names) in _NAMED.items()
            for name, named in names.items()
            if named == kind
        },
        **more,
    }
    for kind, more in _MORE.items()
}
# The properties that make something only in another one, and only speak of it elsewhere.
MADE_IN: Mapping[str, str] = {"MetricName": "MetricTransformations"}
# The kinds that have a say only where a trail, or what stands in its stead, names one: by the bytes of the property.
USED_BY: Mapping[str, bytes] = {
    _ALIAS: b"KMSKeyId",
    _TOPIC: b"SnsTopicName",
    _GROUP: b"CloudWatchLogsLogGroupArn",
    _ROLE: b"CloudWatchLogsRoleArn",
    _METRIC: b"CloudWatchLogsLogGroupArn",
}
# How parameters are called that hold such names.
CALLED: Mapping[str, tuple[bytes, ...]] = {
    _BUCKET: (b"bucket",),
    _ALIAS: (b"kms", b"alias"),
    _TOPIC: (b"topic",),
    _GROUP: (b"group",),
    _ROLE: (b"role",),
}
LEADS_TO: Mapping[str, str] = {_GROUP: _METRIC}  # who has a say in one has a say in the other


def _said(scenario: Scenario, resource: Resource) -> Iterator[Said]:
    """What a resource speaks of in a scenario in which it is made."""
    if resource.type in _MADE:
        kind, attribute = _MADE[resource.type]
        yield Said(kind, scenario.returned_pieces(resource, attribute), "makes")
    if resource.type in _NAMED:
        role, names = _NAMED[resource.type]
        for name, kind in names.items():
            value = scenario.value_of(resource, name)
            for item in value.items if isinstance(value, ListValue) else (value,):
                text = text_of(item)
                if text is not None:
                    yield Said(kind, _in_arn(kind, text.pieces), role)
    if resource.type == _FILTER:
        value = scenario.value_of(resource, "MetricTransformations")
        for item in value.items if isinstance(value, ListValue) else (value,):
            yield from _metric(item, "MetricNamespace", "makes")
    if resource.type == _ALARM:
        yield from _metrics_of(scenario, resource)


def _metrics_of(scenario: Scenario, alarm: Resource) -> Iterator[Said]:
    """The metrics that an alarm looks at."""
    pieces = (text_of(scenario.value_of(alarm, name)) for name in ("Namespace", "MetricName"))
    namespace, name = pieces
    if namespace is not None and name is not None:
        yield Said(_METRIC, join_pieces((*namespace.pieces, "\n", *name.pieces)), "says")
    value = scenario.value_of(alarm, "Metrics")
    for item in value.items if isinstance(value, ListValue) else ():
        yield from _metric(step_into(step_into(item, "MetricStat"), "Metric"), "Namespace", "says")


def _metric(value: Value, namespace: str, role: Role) -> Iterator[Said]:
    where, name = (text_of(step_into(value, part)) for part in (namespace, "MetricName"))
    if where is not None and name is not None:
        yield Said(_METRIC, join_pieces((*where.pieces, "\n", *name.pieces)), role)


def _in_arn(kind: str, pieces: Pieces) -> Pieces:
    """The name in an ARN; other text as it is.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    if not pieces or not isinstance(pieces[0], str) or not pieces[0].startswith("arn:"):
        return pieces
    parts = split_pieces(pieces, ":")
    if kind == _GROUP:
        return parts[6] if len(parts) > 6 else pieces
    last = parts[5] if len(parts) > 5 else ()
    return split_pieces(last, "/")[-1] if kind == _ROLE else last


NAMING = Naming(frozenset({*_MADE, *_NAMED, _ALARM}), _said)
