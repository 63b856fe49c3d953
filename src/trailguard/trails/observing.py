"""What of the things that exist has to do with a trail: which of them lead to which others, and what AWS calls them.

Source: the pages about each resource type in the CloudFormation template reference, and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.model import Spelling
from trailguard.trails.facts.returns import RETURNS

TRAIL, STORE = "AWS::CloudTrail::Trail", "AWS::CloudTrail::EventDataStore"
_BUCKET, _BUCKET_POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
_KEY, _REPLICA, _ALIAS = "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"
_TOPIC, _TOPIC_POLICY, _SUBSCRIPTION = "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription"
_GROUP, _FILTER = "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"
_ALARM, _COMPOSITE, RULE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::Events::Rule"
_ROLE, _MANAGED = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
_KEYS = frozenset((_KEY, _REPLICA, _ALIAS))
_TOPICS = frozenset((_TOPIC, _TOPIC_POLICY))

# What the things of a type name that has a say in whether logs arrive: the types of these.
NAMES: Mapping[str, frozenset[str]] = {
    TRAIL: frozenset((_BUCKET, _BUCKET_POLICY, *_KEYS, *_TOPICS, _GROUP, _ROLE)),
    STORE: _KEYS,
    _BUCKET: frozenset((_BUCKET, _BUCKET_POLICY, *_KEYS)),
    _BUCKET_POLICY: frozenset((_BUCKET,)),
    _ALIAS: frozenset((_KEY, _REPLICA)),
    _REPLICA: frozenset((_KEY,)),
    _TOPIC: frozenset((*_KEYS, _TOPIC_POLICY)),
    _TOPIC_POLICY: frozenset((_TOPIC,)),
    _GROUP: frozenset((_KEY, _REPLICA)),
    _FILTER: frozenset((_GROUP,)),
    _ALARM: _TOPICS,
    _COMPOSITE: frozenset((_ALARM, *_TOPICS)),
    RULE: _TOPICS,
    _ROLE: frozenset((_MANAGED,)),
    _SUBSCRIPTION: frozenset((_TOPIC,)),
}
# What names the things of a type and has a say in the verdicts about them.
NAMED_BY: Mapping[str, frozenset[str]] = {
    _TOPIC: frozenset((_SUBSCRIPTION,)),
    _GROUP: frozenset((_FILTER,)),
    _FILTER: frozenset((_ALARM,)),
    _ALARM: frozenset((_COMPOSITE,)),
}
# What may name something that a template makes or has a say in.
USERS = frozenset((TRAIL, STORE, _FILTER, _ALARM, _COMPOSITE, _SUBSCRIPTION))
GLOBAL_NAMES = frozenset((_BUCKET, _BUCKET_POLICY))  # whose names are one thing in every account and Region
# The property of a trail that names what a thing of a type is, or belongs to.
PLACES: Mapping[str, str] = {
    _BUCKET: "S3BucketName",
    _BUCKET_POLICY: "S3BucketName",
    **dict.fromkeys(_KEYS, "KMSKeyId"),
    **dict.fromkeys((*_TOPICS, _SUBSCRIPTION), "SnsTopicName"),
    _GROUP: "CloudWatchLogsLogGroupArn",
    _FILTER: "CloudWatchLogsLogGroupArn",
    _ROLE: "CloudWatchLogsRoleArn",
    _MANAGED: "CloudWatchLogsRoleArn",
}
WATCHERS = b"cloudtrail"  # the word without which an event rule has nothing to do with a trail
METRIC = b"MetricName"

_PLACEHOLDER = re.compile(r"\$\{(\w+)(?:\|[^}]*)?\}")


def words_of(arn: str) -> Iterator[str]:
    """The names in an ARN, itself among them, by which others speak of what it means."""
    yield arn
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return
    last = parts[5]
    yield last
    if ":" in last:  # log-group:NAME, alarm:NAME, log-group:NAME:metric-filter/NAME
        yield last.split(":")[1]
    if "/" in last:  # key/ID, role/PATH/NAME, trail/NAME
        yield last.rpartition("/")[2]


def called(kind: str, arn: str) -> str:
    """A thing for people: its ARN; what has none of its own is that of something."""
    return f"the policy of {arn}" if kind in (_BUCKET_POLICY, _TOPIC_POLICY) else arn


def made_up(kind: str, arn: str, properties: Mapping[str, str]) -> dict[str, str]:
    """What a thing of a type is called, by the names in what Ref and Fn::GetAtt return of it.

    `properties` are the texts among its properties.
    """
    if kind == _MANAGED:  # its ARN may be of AWS instead of an account
        return {"Ref": arn, "PolicyArn": arn}
    found: dict[str, str] = {}
    for spelling in RETURNS.get(kind, {}).values():
        text = spelling.text if isinstance(spelling, Spelling) else spelling
        for name in _PLACEHOLDER.findall(text):
            if name == "KeyId":
                found[name] = arn.rpartition("/")[2]
            elif name in properties:
                found[name] = properties[name]
    return found
