"""What the bytes of files tell of names loses nothing: the report is the one for which every file is asked."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.findings import Finding
from trailguard.reading.namesakes import Speakers
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

Tree: TypeAlias = "dict[str, Any]"
Pick: TypeAlias = "Callable[[list[Any]], Any]"

ACCOUNT, REGION = "111122223333", "eu-west-1"
ANYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
PLACE: Tree = {"account_id": ACCOUNT, "region": REGION}
# The rules about what is joined by name. Others may say less where more files are looked at together.
JOINED = {"TG201", "TG202", "TG203", "TG204", "TG206", "TG209", "TG402", "TG403"}
NAMES = {
    "bucket": ["logs-abc", "logs.abc", f"logs-{ACCOUNT}"],
    "topic": ["ct", "ct-topic", "t"],
    "group": ["ct", "/aws/ct", "g"],
    "role": ["ct", "r", "ct+role@x"],
    "metric": ["Changes", "Trail Changes", "a/b (c), d", 'it"s'],
}
ARNS = {"topic": "sns:{}:{}:{}", "group": "logs:{}:{}:log-group:{}:*", "role": "iam::{1}:role/{2}"}


class Builder:
    """Makes a template in which names are written in many ways."""

    def __init__(self, pick: Pick, names: dict[str, str]) -> None:
        self.pick = pick
        self.names = names
        self.root: Tree = {"Resources": {}}

    def say(self, kind: str, is_arn: bool = False) -> Any:
        text = self.names[kind]
        if is_arn:
            text = "arn:aws:" + ARNS[kind].format(REGION, ACCOUNT, text)
        half = max(1, len(text) // 2)
        key = f"V{sum(len(self.root.get(name, ())) for name in ('Parameters', 'Mappings'))}"
        parameter: Tree = {"Type": "String", "Description": "x: y"}
        way = self.pick(["plain", "plain", "sub", "join", "map", "find", "default", "allowed", "glued", "select"])
        if way == "sub":
            return {"Fn::Sub": text.replace(ACCOUNT, "${AWS::AccountId}")}
        if way == "join":
            return {"Fn::Join": ["", [text[:half], text[half:]]]}
        if way == "map":
            return {"Fn::Sub": [text[:half] + "${Rest}", {"Rest": text[half:]}]}
        if way == "select":
            return {"Fn::Select": [1, ["q", text]]}
        if way == "find":
            self.root.setdefault("Mappings", {})[key] = {"All": {"Text": text}}
            return {"Fn::FindInMap": [key, "All", "Text"]}
        if way == "plain":
            return text
        said: dict[str, Tree] = {
            "default": {"Default": text},
            "allowed": {"AllowedValues": [text]},
            "glued": {"Default": text[half:]},
        }
        self.root.setdefault("Parameters", {})[key] = {**parameter, **said[way]}
        return {"Fn::Sub": text[:half] + "${" + key + "}"} if way == "glued" else {"Ref": key}

    def add(self, kind: str, **properties: Any) -> None:
        self.root["Resources"][kind.rpartition("::")[2]] = {"Type": f"AWS::{kind}", "Properties": properties}

    def trail(self) -> None:
        links = {"SnsTopicName": self.say("topic", self.pick([True, False]))}
        links["CloudWatchLogsLogGroupArn"] = self.say("group", True)
        links["CloudWatchLogsRoleArn"] = self.say("role", True)
        self.add("CloudTrail::Trail", IsLogging=True, S3BucketName=self.say("bucket"), **links)

    def part(self) -> None:
        """Add something that makes what a trail names, or has a say in it."""
        say = self.say
        counted = {"MetricNamespace": "N", "MetricValue": "1"}
        trusts = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusts]}}
        deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "logs:*", "Resource": "*"}]}
        alarm = {"Namespace": "N", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5}
        self.pick(
            [
                lambda: self.add("S3::Bucket", BucketName=say("bucket")),
                lambda: self.add("S3::BucketPolicy", Bucket=say("bucket"), PolicyDocument=ANYBODY),
                lambda: self.add("SNS::Topic", TopicName=say("topic")),
                lambda: self.add("SNS::TopicPolicy", Topics=[say("topic", True)], PolicyDocument=ANYBODY),
                lambda: self.add("Logs::LogGroup", LogGroupName=say("group"), RetentionInDays=7),
                lambda: self.add(
                    "Logs::MetricFilter",
                    LogGroupName=say("group"),
                    FilterPattern='{ $.eventName = "*Trail" || $.eventName = "*Logging" }',
                    MetricTransformations=[{"MetricName": say("metric"), **counted}],
                ),
                lambda: self.add("CloudWatch::Alarm", MetricName=say("metric"), **alarm),
                lambda: self.add("IAM::Role", RoleName=say("role"), **role),
                lambda: self.add("IAM::Policy", PolicyName="p", Roles=[say("role")], PolicyDocument=deny),
            ]
        )()


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, str]:
    """A trail in one file, and in others what it names."""

    def pick(items: list[Any]) -> Any:
        return draw(st.sampled_from(items))

    names = {kind: pick(known) for kind, known in NAMES.items()}
    files: dict[str, str] = {}
    for number in range(draw(st.integers(2, 5))):
        builder = Builder(pick, names)
        builder.part() if number else builder.trail()
        files[f"f{number}.json"] = json.dumps(builder.root, indent=pick([None, 1]))
    return files


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("NAMES_EXAMPLES", "60")), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(worlds(), st.booleans())
def test_no_name_is_overlooked(files: dict[str, str], is_placed: bool) -> None:
    chosen = Settings(profile="all", **(PLACE if is_placed else {}))

    def told(folder: str) -> list[Finding]:
        report = scan([folder], chosen)
        assert report.errors == ()
        found = (item for item in report.results if Path(item.home).name == "f0.json")
        return [item for item in found if item.rule.id in JOINED]

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        found = told(folder)
        patch.setattr(Speakers, "_found", lambda self: set(self._paths))
        assert told(folder) == found
