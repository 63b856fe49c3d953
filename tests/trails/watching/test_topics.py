"""The topic of a trail: which one it is, and whether CloudTrail may publish to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.links import Link
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.watching import topics

Json = Any
TOPIC = {"Ref": "Topic"}
IMPORT = {"Fn::ImportValue": "x"}


def model(resources: dict[str, Json], **sections: Json) -> Model:
    text = json.dumps({**sections, "Resources": resources})
    return Model(Template(parse(text.encode())), Pins(), RETURNS)


def facts(name: str, resources: dict[str, Json], **sections: Json) -> list[Fact]:
    judged = model(resources, **sections)
    trail = judged.template.resources["Trail"]
    build = topics.FACTS[name].build
    return [leaf.answer for leaf in Scenarios(judged).explore(lambda scenario: build(scenario, trail))]


def values(resources: dict[str, Json]) -> tuple[bool | None, bool | None]:
    """Whether publishing is allowed, and whether it is not denied."""
    (allowed,) = facts("topic.publish_allowed", resources)
    (free,) = facts("topic.publish_not_denied", resources)
    return allowed.value, free.value


def trail(name: Json = TOPIC) -> dict[str, Json]:
    properties = {"TrailName": "audit", "S3BucketName": "b", "IsLogging": True, "SnsTopicName": name}
    return {"Type": "AWS::CloudTrail::Trail", "Properties": properties}


def topic(**properties: Json) -> dict[str, Json]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def allow(effect: str = "Allow", **more: Json) -> dict[str, Json]:
    statement = {"Effect": effect, "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "SNS:Publish"}
    return {**statement, "Resource": TOPIC, **more}


def policy(*statements: Json, on: Json = (TOPIC,)) -> dict[str, Json]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": on, "PolicyDocument": document}}


def template(*statements: Json, **more: Json) -> dict[str, Json]:
    return {"Trail": trail(), "Topic": topic(), "Policy": policy(*statements), **more}


START = "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:"


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        (TOPIC, {True}),
        ({"Fn::GetAtt": ["Topic", "TopicArn"]}, {True}),
        ({"Fn::GetAtt": ["Topic", "TopicName"]}, {True}),
        ("files", {True}),
        ({"Fn::Sub": START + "files"}, {True}),
        ({"Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${Topic.TopicName}"}, {True}),
        ("other", {False}),
        ({"Fn::Sub": START + "other"}, {False}),
        ("arn:aws:sns:eu-west-1:111122223333:files", {True, False}),  # here, or in another account
        (IMPORT, {False}),
    ],
)
def test_topic_is_found(name: Json, answers: set[bool]) -> None:
    judged = model({"Trail": trail(name), "Topic": topic(TopicName="files")})
    subject = judged.template.resources["Trail"]
    links = [leaf.answer for leaf in Scenarios(judged).explore(lambda s: topics.topic_link(s, subject))]
    assert {isinstance(link, Link) and link.resource is not None for link in links} == answers


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow()], (True, True)),
        ([allow(Action="sns:*", Resource="*")], (True, True)),
        ([allow(Principal="*")], (True, True)),
        ([allow(Principal={"Service": "s3.amazonaws.com"})], (False, True)),
        ([allow(Action="sns:Subscribe")], (False, True)),
        ([allow(Resource="arn:aws:sns:*:*:other")], (False, True)),
        ([allow(), allow("Deny")], (True, False)),
        ([allow(), allow("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], (True, True)),
        ([allow(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/audit"}})], (True, True)),
        ([allow(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/other"}})], (False, True)),
        ([allow(Condition={"StringEquals": {"AWS:SourceOwner": "111122223333"}})], (None, True)),
    ],
)
def test_policy_decides(statements: list[Json], expected: tuple[bool | None, bool | None]) -> None:
    assert values(template(*statements)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Policy": policy(allow(), on=["arn:aws:sns:eu-west-1:111122223333:other"])}, (False, True)),
        ({"Policy": policy(allow(), on=[IMPORT])}, (None, None)),
        ({"Policy": topic()}, (False, True)),
        ({"Second": policy(allow())}, (True, True)),
        ({"Second": policy(allow(Action="sns:Subscribe"))}, (None, True)),
        ({"Second": policy(allow(), allow("Deny"))}, (True, None)),
        ({"Trail": trail(IMPORT)}, (None, None)),
        (
            {
                "Policy": {
                    "Type": "AWS::SNS::TopicInlinePolicy",
                    "Properties": {"TopicArn": TOPIC, "PolicyDocument": {"Statement": allow()}},
                }
            },
            (True, True),
        ),
    ],
)
def test_policies_of_the_topic(change: dict[str, Json], expected: tuple[bool | None, bool | None]) -> None:
    assert values(template(allow(), **change)) == expected


def key(*actions: str, **more: Json) -> dict[str, Json]:
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": list(actions)}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*", **more}]}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document}}


USES = ("kms:GenerateDataKey*", "kms:Decrypt")


def about(name: str, value: Json) -> dict[str, Json]:
    return {"Condition": {"StringEquals": {name: value}}}


@pytest.mark.parametrize(
    ("named", "made", "right"),
    [
        (None, key(), True),
        ("", key(), True),
        ({"Ref": "Key"}, key(*USES), True),
        ({"Fn::GetAtt": ["Key", "Arn"]}, key("kms:*"), True),
        ({"Ref": "Key"}, key(USES[0]), False),
        ({"Ref": "Key"}, key(USES[1]), False),
        ({"Ref": "Key"}, key("kms:Encrypt"), False),
        ({"Ref": "Key"}, key(*USES, **about("kms:EncryptionContext:aws:sns:topicArn", TOPIC)), True),
        ({"Ref": "Key"}, key(*USES, **about("kms:EncryptionContext:aws:sns:topicArn", "other")), False),
        ({"Ref": "Key"}, key(*USES, **about("aws:SourceAccount", {"Ref": "AWS::AccountId"})), None),
        ({"Ref": "Key"}, key(*USES, **about("aws:PrincipalOrgID", "o-abcdefghij")), False),
        ("alias/aws/sns", key(*USES), False),
        ("alias/mine", key(*USES), None),
        (IMPORT, key(*USES), None),
    ],
)
def test_key_of_an_encrypted_topic(named: Json, made: Json, right: bool | None) -> None:
    properties = {} if named is None else {"KmsMasterKeyId": named}
    (found,) = facts("topic.key_usable", template(allow(), Topic=topic(**properties), Key=made))
    assert found.value is right
    assert (found.unknown is not None) is (right is None)


def test_key_by_parameter_is_judged_empty_too() -> None:
    parameters = {"Key": {"Type": "String", "Default": "", "AllowedValues": ["", "alias/aws/sns"]}}
    resources = template(allow(), Topic=topic(KmsMasterKeyId={"Ref": "Key"}))
    assert {item.value for item in facts("topic.key_usable", resources, Parameters=parameters)} == {True, False}
