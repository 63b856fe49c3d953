"""Which partitions are written in the ARNs of a delivery chain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.whole import portability

HEAD: dict[str, Any] = {
    "Parameters": {"P": {"Type": "String", "Default": "aws"}, "Stage": {"Type": "String", "AllowedValues": ["prod"]}},
    "Mappings": {
        "Regions": {"us-east-1": {"P": "aws", "Arns": ["arn:aws:s3:::a"]}},
        "Stages": {"prod": {"P": "aws", "Arns": ["arn:aws:s3:::a"], "Other": "x"}},
    },
    "Conditions": {
        "China": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]},
        "Commercial": {"Fn::Not": [{"Condition": "China"}]},
        "Suffix": {"Fn::Equals": [{"Ref": "AWS::URLSuffix"}, "amazonaws.com.cn"]},
        "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
    },
}


def facts(value: Any, kind: str = "AWS::S3::BucketPolicy", **others: Any) -> list[Fact]:
    """The fact about a trail with a value somewhere in the properties of its bucket's policy."""
    resources = {
        "Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": {"Ref": "Logs"}, "IsLogging": True}},
        "Logs": {"Type": "AWS::S3::Bucket"},
        "Policy": {"Type": kind, "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": {"Resource": [value]}}},
        **others,
    }
    made = Model(
        Template(parse(json.dumps({**HEAD, "Resources": resources}).encode())), Pins(region="us-east-1"), RETURNS
    )
    trail = made.template.resources["Trail"]
    return [leaf.answer for leaf in Scenarios(made).explore(lambda scene: portability.portable(scene, trail))]


@pytest.mark.parametrize(
    ("value", "portable"),
    [
        ("arn:aws:s3:::logs", False),
        ("arn:aws-cn:s3:::logs", False),
        ("arn:aws-us-gov:s3:::logs", False),
        ("arn:aws-iso-b:s3:::logs", False),
        ("arn:*:s3:::logs", True),
        ("arn:awesome:s3:::logs", True),
        ("barn:aws:s3:::logs", True),
        ('{"Resource": "arn:aws:s3:::logs"}', False),
        ({"Fn::Sub": "arn:aws:s3:::${Logs}"}, False),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Logs}"}, True),
        ({"Fn::Sub": "arn:${P}:s3:::${Logs}"}, True),
        ({"Fn::Sub": ["arn:${X}:s3:::${Logs}", {"X": "aws"}]}, False),
        ({"Fn::Sub": ["arn:${X}:s3:::${Logs}", {"X": {"Ref": "P"}}]}, True),
        ({"Fn::Sub": ["arn:${X}:s3:::a", {"X": {"Fn::If": ["China", "aws-cn", "aws"]}}]}, True),
        ({"Fn::Sub": ["arn:${X}:s3:::a", {"X": {"Fn::If": ["Prod", "aws-cn", "aws"]}}]}, False),
        ({"Fn::Sub": ["arn:${X}:s3:::a", {"X": {"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "P"]}}]}, True),
        ({"Fn::Sub": ["arn:${X}:s3:::a", {"X": {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "P"]}}]}, False),
        ({"Fn::Join": [":", ["arn", "aws", "s3", "", "", "logs"]]}, False),
        ({"Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, "s3", "", "", "logs"]]}, True),
        ({"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Logs"}]]}, False),
        ({"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "Arns"]}, True),
        ({"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Arns"]}, False),
        ({"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Other"]}, True),
        ({"Fn::If": ["China", "arn:aws-cn:s3:::a", "arn:aws:s3:::a"]}, True),
        ({"Fn::If": ["Commercial", "arn:aws:s3:::a", "x"]}, True),
        ({"Fn::If": ["Suffix", "arn:aws-cn:s3:::a", "arn:aws:s3:::a"]}, True),
        ({"Fn::If": ["Prod", "x", "arn:aws:s3:::a"]}, True),
        ({"Fn::If": ["Prod", "arn:aws:s3:::a", "x"]}, False),
        ({"Fn::Select": [0, ["arn:aws:s3:::a"]]}, False),
        ({"Fn::ImportValue": "arn:aws:s3:::a"}, True),
        ({"Ref": "P"}, True),
    ],
)
def test_written_partitions(value: Any, portable: bool) -> None:
    assert {fact.value for fact in facts(value)} == {portable}


PARTS = ("arn:", "arn", ":", "aws", "aws-cn", "s3:::", ":s3:::", {"Ref": "AWS::Partition"}, {"Ref": "P"})


@given(st.sampled_from(["", ":"]), st.lists(st.sampled_from(PARTS), min_size=1, max_size=5))
def test_joined_like_the_text(delimiter: str, parts: list[Any]) -> None:
    """A text that is joined is judged as the text that it becomes, with any stranger's text for a reference."""
    text = delimiter.join(part if isinstance(part, str) else "?" for part in parts)
    (joined,) = facts({"Fn::Join": [delimiter, parts]})
    (plain,) = facts(text)
    assert joined.value is plain.value


def test_unrelated_policies_are_no_matter() -> None:
    assert {fact.value for fact in facts("arn:aws:s3:::a", "AWS::SQS::QueuePolicy")} == {True}
    other = {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "a", "Value": "arn:aws:s3:::a"}]}}
    assert {fact.value for fact in facts("x", Other=other)} == {True}


def test_further_places_are_told() -> None:
    (fact,) = facts({"a": [f"arn:aws:s3:::{index}" for index in range(9)]})
    assert len(fact.related) == 5
    assert "arn:aws:s3:::0 of Policy hard-codes the partition aws" in fact.because
