"""Optional parts of what stands behind a trail: role, key, topic, filters and alarms, judged for each choice."""

from __future__ import annotations

import itertools
import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.judging.test_open_parts import NAMES, NO_VALUE, expected, judge
from trailguard.findings import CONDITIONAL, FAIL, PASS

EVENTS = ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
GROUP = {"Fn::GetAtt": ["Group", "Arn"]}

Template = dict[str, Any]


class Maker:
    """Makes a template of random choices; many parts hinge on one of three conditions."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def condition(self) -> str:
        return f"C{self.random.randrange(len(NAMES))}"

    def optional(self, item: Any, otherwise: Any = NO_VALUE) -> Any:
        return item if self.random.random() < 0.5 else {"Fn::If": [self.condition(), item, otherwise]}

    def some(self, items: list[Any], least: int = 1, most: int = 3) -> list[Any]:
        """A few of some items, each of them optional."""
        return [self.optional(self.random.choice(items)) for _ in range(self.random.randint(least, most))]

    def perhaps(self, resource: Template) -> Template:
        """A resource that may be made under a condition."""
        return {**resource, "Condition": self.condition()} if self.random.random() < 0.5 else resource

    def statement(self, actions: list[str], resources: list[Any]) -> Template:
        effect = self.random.choice(["Allow", "Allow", "Allow", "Deny"])
        return {"Effect": effect, "Action": self.some(actions), "Resource": self.some(resources, 1, 2)}

    def document(self, statement: Any, first: tuple[Template, ...] = ()) -> Template:
        statements = [self.optional(statement()) for _ in range(self.random.randint(1, 3))]
        return {"Version": "2012-10-17", "Statement": [*first, *statements]}

    def for_service(self, actions: list[str]) -> Template:
        services = {"Service": [self.optional("cloudtrail.amazonaws.com"), "s3.amazonaws.com"]}
        return {**self.statement(actions, ["*"]), "Principal": services}

    def pattern(self) -> str:
        names = self.random.choice([EVENTS, EVENTS[:3], EVENTS[3:], ("RunInstances",)])
        return "{ " + " || ".join(f"($.eventName = {name})" for name in names) + " }"

    def template(self) -> Template:
        defaults = [self.random.choice([None, "yes", "no"]) for _ in NAMES]
        return {
            "Parameters": {
                name: {"Type": "String", "AllowedValues": ["yes", "no"], **({"Default": value} if value else {})}
                for name, value in zip(NAMES, defaults, strict=True)
            },
            "Conditions": {f"C{number}": {"Fn::Equals": [{"Ref": name}, "yes"]} for number, name in enumerate(NAMES)},
            "Resources": {**self.trail(), **self.role(), **self.key_and_topic(), **self.filters(), **self.alarms()},
        }

    def trail(self) -> Template:
        properties = {
            "S3BucketName": "logs",
            "IsLogging": True,
            "CloudWatchLogsLogGroupArn": GROUP,
            "CloudWatchLogsRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "KMSKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
            "SnsTopicName": {"Fn::GetAtt": ["Topic", "TopicName"]},
        }
        waits = self.random.choice([["TopicPolicy"], ["TopicPolicy", "Extra"]])
        trail = {"Type": "AWS::CloudTrail::Trail", "DependsOn": waits, "Properties": properties}
        return {"Trail": trail, "Group": {"Type": "AWS::Logs::LogGroup"}}

    def role(self) -> Template:
        def statement() -> Template:
            actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:*", "s3:GetObject", "*"]
            return self.statement(actions, ["*", GROUP, "arn:aws:s3:::files/*"])

        def trust() -> Template:
            services = {"Service": [self.optional("cloudtrail.amazonaws.com"), "ec2.amazonaws.com"]}
            return {"Effect": "Allow", "Principal": services, "Action": "sts:AssumeRole"}

        policies = [{"PolicyName": f"p{number}", "PolicyDocument": self.document(statement)} for number in range(2)]
        extra = {"PolicyName": "extra", "Roles": [{"Ref": "Role"}], "PolicyDocument": self.document(statement)}
        role = {"AssumeRolePolicyDocument": self.document(trust), "Policies": [self.optional(one) for one in policies]}
        return {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Extra": self.perhaps({"Type": "AWS::IAM::Policy", "Properties": extra}),
        }

    def key_and_topic(self) -> Template:
        root = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
        owner = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
        uses = ["kms:GenerateDataKey*", "kms:DescribeKey", "kms:*"]
        key = self.document(lambda: self.for_service(uses), (owner,))
        topic = self.document(lambda: self.for_service(["sns:Publish", "sns:*", "sns:Subscribe"]))
        policy = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": topic}
        return {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key}},
            "Topic": {"Type": "AWS::SNS::Topic"},
            "TopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy},
        }

    def filters(self) -> Template:
        def one() -> Template:
            metric = self.optional("one", "two")
            properties = {
                "LogGroupName": self.random.choice([{"Ref": "Group"}, {"Ref": "Group"}, "another"]),
                "FilterPattern": self.optional(self.pattern(), self.pattern()),
                "MetricTransformations": [{"MetricName": metric, "MetricNamespace": "n", "MetricValue": "1"}],
            }
            return self.perhaps({"Type": "AWS::Logs::MetricFilter", "Properties": properties})

        return {f"Filter{number}": one() for number in range(self.random.randint(1, 3))}

    def alarms(self) -> Template:
        def one() -> Template:
            properties = {
                "MetricName": self.random.choice(["one", "two"]),
                "Namespace": "n",
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "EvaluationPeriods": 1,
                "Period": 60,
                "Statistic": "Sum",
                "Threshold": 1,
                "ActionsEnabled": self.optional(True, False),
                "AlarmActions": ["arn:aws:sns:us-east-1:111122223333:alerts"] if self.random.random() < 0.8 else [],
            }
            return self.perhaps({"Type": "AWS::CloudWatch::Alarm", "Properties": properties})

        return {f"Alarm{number}": one() for number in range(self.random.randint(1, 3))}


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["TG207", "TG208", "TG209", "TG210", "TG403"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_a_verdict_is_that_of_every_choice(rule: str, random: Random) -> None:
    template = Maker(random).template()
    content = json.dumps(template).encode()
    found: dict[tuple[str, ...], str] = {
        values: judge(rule, content, dict(zip(NAMES, values, strict=True))).verdict
        for values in itertools.product(("yes", "no"), repeat=len(NAMES))
    }
    finding = judge(rule, content, {})
    assert finding.verdict == expected(template, found), found
    if finding.verdict == CONDITIONAL:
        assert judge(rule, content, finding.witness).verdict == FAIL


@pytest.mark.parametrize("where", ["in a list", "in a statement"])
def test_an_attached_policy_that_lists_nothing_in_some_scenario_is_asked_about(where: str) -> None:
    """IAM refuses it there, even if what it says with other values has nothing to do with logs."""
    template = Maker(Random(0)).template()
    nothing = {"Ref": "AWS::NoValue"}
    role = template["Resources"]["Role"]["Properties"]
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    grant = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    role["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [trust]}
    role["Policies"] = [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [grant]}}]
    files = "arn:aws:s3:::files/*"
    statement: Template = {"Effect": "Deny", "Action": [{"Fn::If": ["C1", "s3:GetObject", nothing]}], "Resource": files}
    if where == "in a statement":
        statement["Action"].append({"Fn::If": ["C2", "s3:PutObject", nothing]})
        statement = {"Fn::If": ["C0", statement, nothing]}
    other = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::files"}
    document = {"Version": "2012-10-17", "Statement": [statement, other]}
    properties = {"PolicyName": "extra", "Roles": [{"Ref": "Role"}], "PolicyDocument": document}
    template["Resources"]["Extra"] = {"Type": "AWS::IAM::Policy", "Properties": properties}
    finding = judge("TG208", json.dumps(template).encode(), {})
    assert finding.verdict in (FAIL, CONDITIONAL)
    assert "has no Action" in finding.message
    assert judge("TG208", json.dumps(template).encode(), {"P1": "yes", "P2": "yes"}).verdict == PASS
