"""What a rule is about: every resource of a type, or the bucket, key, log group and topic that a trail uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

RULE = """\
id: X1
name: locked
title: It is locked
severity: low
subject: {subject}
require: [{{fact: {fact}, must: {must}, message: "it is not as it should be"}}]
why: so that it is tested
remedy: set it
"""

Verdicts = list[tuple[str, int, str]]
Judge = Callable[..., Verdicts]

TRAIL = """\
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      S3BucketName: {bucket}
"""
POLICY = """\
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref {bucket}
      PolicyDocument:
        Statement: [{{Effect: {effect}, Principal: {{Service: {principal}}}, Action: 's3:PutObject', Resource: '*'}}]
"""
BUCKETS = """\
Parameters: {Name: {Type: String, Default: ''}}
Conditions: {Own: !Equals [!Ref Name, '']}
Resources:
  Locked: {Type: AWS::S3::Bucket, Properties: {ObjectLockEnabled: true}}
  Open: {Type: AWS::S3::Bucket}
  Optional: {Type: AWS::S3::Bucket, Condition: Own}
"""


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Judge a template by one rule of the user's: (resource, line, verdict) of each finding."""

    def judged(
        template: str, subject: str = "bucket", fact: str = "properties.ObjectLockEnabled", must: str = "{const: true}"
    ) -> Verdicts:
        folder = tmp_path / "X1-locked"
        folder.mkdir(exist_ok=True)
        (folder / "rule.yaml").write_text(RULE.format(subject=subject, fact=fact, must=must))
        settings = Settings(rule_dirs=(str(tmp_path),), select=("X1",))
        result = judge_file("t.yaml", template.encode(), Task(settings, load(settings)))
        assert result.errors == ()
        return [(finding.resource, finding.place.span.line, finding.verdict) for finding in result.findings]

    return judged


@pytest.mark.parametrize(
    ("bucket", "found"),
    [
        ("!Ref Locked", [("Locked", 4, "pass")]),
        ("!Ref Open", [("Open", 5, "fail")]),
        ("elsewhere", [("Trail", 11, "unknown")]),
        ("!ImportValue LogBucket", [("Trail", 11, "unknown")]),
        ("!If [Own, !Ref Optional, !Ref Name]", [("Optional", 6, "fail"), ("Trail", 11, "unknown")]),
        ("!If [Own, !Ref Locked, !Ref Open]", [("Locked", 4, "pass"), ("Open", 5, "fail")]),
    ],
)
def test_a_rule_about_a_bucket_is_about_the_trail_s(judge: Judge, bucket: str, found: Verdicts) -> None:
    assert judge(BUCKETS + TRAIL.format(bucket=bucket)) == found


def test_two_trails_with_one_bucket_give_one_finding(judge: Judge) -> None:
    second = TRAIL.format(bucket="!Ref Open").replace("Trail:", "Second:", 1)
    assert judge(BUCKETS + TRAIL.format(bucket="!Ref Open") + second) == [("Open", 5, "fail")]


def test_a_rule_about_every_bucket_is_about_all_of_them(judge: Judge) -> None:
    found = judge(BUCKETS + TRAIL.format(bucket="!Ref Open"), subject="AWS::S3::Bucket")
    assert found == [("Locked", 4, "pass"), ("Open", 5, "fail"), ("Optional", 6, "fail")]


def test_a_trail_under_its_type_is_a_trail(judge: Judge) -> None:
    template = BUCKETS + TRAIL.format(bucket="!Ref Open")
    known = {"fact": "management_events.complete"}
    assert judge(template, subject="AWS::CloudTrail::Trail", **known) == judge(template, subject="trail", **known)


def test_what_a_trail_does_not_use_does_not_apply(judge: Judge) -> None:
    found = judge(BUCKETS + TRAIL.format(bucket="!Ref Open"), "key", "properties.EnableKeyRotation")
    assert found == [("Trail", 7, "not_applicable")]


@pytest.mark.parametrize(
    ("effect", "principal", "found"),
    [
        ("Allow", "cloudtrail.amazonaws.com", [("Open", 5, "fail")]),
        ("Allow", "[config.amazonaws.com, cloudtrail.amazonaws.com]", [("Open", 5, "fail")]),
        ("Allow", "config.amazonaws.com", []),
        ("Deny", "cloudtrail.amazonaws.com", []),
    ],
)
def test_a_bucket_whose_policy_lets_cloudtrail_in_is_a_log_bucket(
    judge: Judge, effect: str, principal: str, found: Verdicts
) -> None:
    assert judge(BUCKETS + POLICY.format(bucket="Open", effect=effect, principal=principal)) == found


def test_a_folder_of_such_a_bucket_is_read(tmp_path: Path) -> None:
    template = BUCKETS + POLICY.format(bucket="Open", effect="Allow", principal="cloudtrail.amazonaws.com")
    (tmp_path / "archive.yaml").write_text(template)
    found = {finding.rule.id: finding.resource for finding in scan([str(tmp_path)], Settings(profile="all")).results}
    assert found["TG306"] == "Open"
    assert scan([str(tmp_path)], Settings(select=("TG101",))).results == ()


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("30", "fail"),
        ("'30'", "fail"),
        ("365", "pass"),
        ("'400'", "pass"),
        ("!Ref Days", "conditional"),
        ("!Ref AWS::NoValue", "pass"),
        ("!ImportValue Days", "unknown"),
    ],
)
def test_numbers_are_read_as_numbers(judge: Judge, value: str, verdict: str) -> None:
    template = f"""\
Parameters: {{Days: {{Type: Number, Default: 365, MinValue: 1}}}}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      RetentionInDays: {value}
"""
    found = judge(template, "AWS::Logs::LogGroup", "properties.RetentionInDays", "{minimum: 365}")
    assert [item[2] for item in found] == [verdict]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("true", "pass"), ("'true'", "pass"), ("'True'", "pass"), ("no", "fail"), ("!Ref On", "conditional")],
)
def test_booleans_are_read_as_booleans(judge: Judge, value: str, verdict: str) -> None:
    template = f"""\
Parameters: {{On: {{Type: String, Default: 'true'}}}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: {value}
"""
    found = judge(template, "AWS::SQS::Queue", "properties.FifoQueue")
    assert [item[2] for item in found] == [verdict]


@pytest.mark.parametrize(("value", "verdict"), [("Retain", "pass"), ("Delete", "fail")])
def test_attributes_beside_the_properties_are_facts(judge: Judge, value: str, verdict: str) -> None:
    template = f"Resources:\n  Queue: {{Type: AWS::SQS::Queue, DeletionPolicy: {value}}}\n"
    found = judge(template, "AWS::SQS::Queue", "attributes.DeletionPolicy", "{const: Retain}")
    assert [item[2] for item in found] == [verdict]


@pytest.mark.parametrize(
    ("stated", "verdict"),
    [("", "unknown"), ("elsewhere: unknown\n", "unknown"), ("elsewhere: not_applicable\n", "not_applicable")],
)
def test_a_rule_says_what_it_makes_of_a_bucket_that_is_made_elsewhere(
    tmp_path: Path, stated: str, verdict: str
) -> None:
    folder = tmp_path / "X1-locked"
    folder.mkdir()
    rule = RULE.format(subject="bucket", fact="properties.ObjectLockEnabled", must="{const: true}")
    (folder / "rule.yaml").write_text(rule + stated)
    settings = Settings(rule_dirs=(str(tmp_path),), select=("X1",))
    template = BUCKETS + TRAIL.format(bucket="elsewhere")
    (finding,) = judge_file("t.yaml", template.encode(), Task(settings, load(settings))).findings
    assert finding.verdict == verdict
