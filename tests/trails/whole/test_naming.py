"""Which names are written in a template, and which come from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.whole import naming

HEAD = {
    "Parameters": {"Name": {"Type": "String", "Default": "audit"}},
    "Mappings": {"Names": {"us-east-1": {"Name": "audit", "Other": ""}}},
    "Conditions": {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
}


def fact(name: str, trail: Any = None, bucket: Any = None, **others: Any) -> Fact:
    resources = {
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {"S3BucketName": {"Ref": "Logs"}, "IsLogging": True, **(trail or {})},
        },
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": bucket or {}},
        **others,
    }
    made = Model(
        Template(parse(json.dumps({**HEAD, "Resources": resources}).encode())), Pins(region="us-east-1"), RETURNS
    )
    subject = made.template.resources["Trail"]
    build = naming.FACTS[name].build
    found = {leaf.answer.value: leaf.answer for leaf in Scenarios(made).explore(lambda scene: build(scene, subject))}
    (only,) = found.values()
    return only


@pytest.mark.parametrize(
    ("name", "free"),
    [
        (None, True),
        ({"Ref": "AWS::NoValue"}, True),
        ("audit", False),
        ({"Ref": "Name"}, True),
        ({"Fn::Sub": "audit"}, False),
        ({"Fn::Sub": "${Name}"}, True),
        ({"Fn::Sub": ["${Part}-trail", {"Part": "audit"}]}, False),
        ({"Fn::Sub": ["${Part}-trail", {"Part": {"Ref": "Name"}}]}, True),
        ({"Fn::Sub": "${AWS::StackName}-audit"}, True),
        ({"Fn::Join": ["-", ["audit", "trail"]]}, False),
        ({"Fn::Join": ["-", ["audit", {"Ref": "AWS::Region"}]]}, True),
        ({"Fn::FindInMap": ["Names", {"Ref": "AWS::Region"}, "Name"]}, False),
        ({"Fn::If": ["Here", "audit", {"Ref": "Name"}]}, False),
        ({"Fn::If": ["Here", {"Ref": "Name"}, "audit"]}, True),
        ({"Fn::Select": [0, ["audit", "b"]]}, False),
        ({"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Name"}]}]}, True),
        ({"Fn::ImportValue": "audit"}, True),
        ("{{resolve:ssm:/name}}", True),
    ],
)
def test_written_names(name: Any, free: bool) -> None:
    assert fact("naming.trail_name_free", {} if name is None else {"TrailName": name}).value is free
    assert fact("naming.bucket_name_free", bucket={} if name is None else {"BucketName": name}).value is free


def test_empty_name_is_none() -> None:
    assert fact("naming.trail_name_free", {"TrailName": ""}).value is True


def test_name_of_a_bucket_made_elsewhere_is_no_matter() -> None:
    assert fact("naming.bucket_name_free", {"S3BucketName": "x"}, {"BucketName": "audit"}).value is True


def policy(arn: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Condition": {"StringEquals": {"aws:SourceArn": arn}}}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [statement]}}}


@pytest.mark.parametrize(
    ("arn", "free"),
    [
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/audit", True),
        ({"Fn::Sub": "arn:aws:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit"}, True),
        ("arn:aws:cloudtrail:*:111122223333:trail/aud*", True),
        ("arn:aws:cloudtrail:*:111122223333:trail/*", False),
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/audits", False),
        ("arn:aws:cloudtrail:us-east-1:111122223333:channel/audit", False),
    ],
)
def test_name_that_a_policy_needs(arn: Any, free: bool) -> None:
    assert fact("naming.trail_name_free", {"TrailName": "audit"}, Policy=policy(arn)).value is free


def test_policy_that_is_a_text() -> None:
    made = policy("")
    made["Properties"]["PolicyDocument"] = '{"Condition": {"aws:SourceArn": "arn:aws:cloudtrail:a:1:trail/audit"}}'
    assert fact("naming.trail_name_free", {"TrailName": "audit"}, Policy=made).value is True
