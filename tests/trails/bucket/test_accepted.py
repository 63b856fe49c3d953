"""Which bucket policies S3 is certain to refuse (aws-semantics K6), and what the other rules then say."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any

import pytest

from tests import ROOT
from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings
from trailguard.trails.bucket.accepted import refusal_fact
from trailguard.trails.facts.returns import RETURNS

EVIDENCE = ROOT / "tests" / "iam" / "evidence"
TASK = Task(Settings(profile="all"), load(Settings(profile="all")))
SERVICE = {"Service": "cloudtrail.amazonaws.com"}
BUCKET = {"Fn::GetAtt": ["Logs", "Arn"]}
OBJECTS = {"Fn::Sub": "${Logs.Arn}/AWSLogs/${AWS::AccountId}/*"}
READ = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:GetBucketAcl", "Resource": BUCKET}
GUARD = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
WRITE = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:PutObject", "Resource": OBJECTS, "Condition": GUARD}
OTHER = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": OBJECTS}
NO_VALUE = {"Ref": "AWS::NoValue"}


def found(*statements: Any, document: Any = None, version: Any = "2012-10-17") -> dict[str, Finding]:
    """What the rules find in a template with a policy on the trail's bucket, by rule."""
    policy = document if document is not None else {"Version": version, "Statement": list(statements)}
    template = {
        "Parameters": {
            "Strict": {"Type": "String", "Default": "no", "AllowedValues": ["yes", "no"]},
            "Wide": {"Type": "String", "Default": "no", "AllowedValues": ["yes", "no"]},
        },
        "Conditions": {
            "IsStrict": {"Fn::Equals": [{"Ref": "Strict"}, "yes"]},
            "IsWide": {"Fn::Equals": [{"Ref": "Wide"}, "yes"]},
        },
        "Resources": {
            "Logs": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": policy},
            },
            "Trail": {
                "Type": "AWS::CloudTrail::Trail",
                "DependsOn": "Policy",
                "Properties": {"S3BucketName": {"Ref": "Logs"}, "IsLogging": True},
            },
        },
    }
    result = judge_file("t.json", json.dumps(template).encode(), TASK)
    assert result.errors == ()
    return {item.rule.id: item for item in result.findings if item.resource == "Trail"}


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"Principal": NO_VALUE}, "a statement has no Principal"),
    ({"Action": NO_VALUE}, "a statement has no Action"),
    ({"Action": []}, "statement 3 has no Action"),
    ({"Resource": NO_VALUE}, "a statement has no Resource"),
    ({"Resource": []}, "statement 3 has no Resource"),
    ({"Effect": "allow"}, 'Effect "allow" is neither Allow nor Deny'),
    ({"Effect": NO_VALUE}, "a statement has no Effect"),
    ({"NotAction": "s3:*"}, "a statement has both Action and NotAction"),
    ({"NotResource": OBJECTS}, "a statement has both Resource and NotResource"),
    ({"NotPrincipal": "*"}, "a statement has both Principal and NotPrincipal"),
    ({"Principals": "*"}, "a statement has no element Principals"),
    ({"Principal": {"User": "x"}}, "User is not a kind of principal"),
    ({"Condition": {"StringsEqual": {"aws:SourceAccount": "1"}}}, "there is no condition operator StringsEqual"),
    ({"Condition": {"Null": {"s3:x-acl": "true"}}}, "did you mean s3:x-amz-acl?"),
    ({"Condition": {"Null": {"S3:NoSuchThing": "true"}}}, "S3:NoSuchThing, which S3 does not have"),
    ({"Resource": "arn:aws:s3:::another/*"}, 'Resource "arn:aws:s3:::another/*" of statement 3 is neither'),
    ({"Resource": [OBJECTS, "arn:aws:s3:::another"]}, 'Resource "arn:aws:s3:::another" of statement 3 is neither'),
    ({"Resource": {"Fn::Sub": "${Logs}/*"}}, "is neither the bucket nor anything in it"),
    ({"Resource": "arn:aws:sns:eu-west-1:111122223333:topic"}, "is neither the bucket nor anything in it"),
    ({"Resource": BUCKET}, "Action s3:DeleteObject of statement 3 is about objects"),
    ({"Action": "s3:*Object", "Resource": BUCKET}, "Action s3:*Object of statement 3 is about objects"),
    ({"Action": ["s3:DeleteObject", "s3:ListBucket"]}, "Action s3:ListBucket of statement 3 is about"),
    ({"Action": "S3:listbucket"}, "Action S3:listbucket of statement 3 is about the bucket itself"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "because"), REFUSED)
def test_one_statement_that_s3_refuses_voids_the_others(change: dict[str, Any], because: str) -> None:
    by_rule = found(READ, WRITE, {**OTHER, **change})
    refusal = by_rule["TG212"]
    assert refusal.verdict == FAIL
    assert because in refusal.message
    assert refusal.message.startswith("S3 refuses bucket policy Policy as a whole, so it grants nothing: ")
    assert {by_rule[rule].verdict for rule in ("TG202", "TG203")} == {FAIL}
    assert {by_rule[rule].verdict for rule in ("TG105", "TG204", "TG205", "TG206")} == {NOT_APPLICABLE}
    assert "S3 refuses bucket policy Policy" in str(by_rule["TG204"].reason)
    assert {by_rule[rule].cause for rule in ("TG202", "TG203")} == {refusal.cause}
    assert by_rule["TG201"].verdict == PASS


TAKEN: tuple[dict[str, Any], ...] = (
    {},
    {"Resource": "*"},
    {"Resource": "arn:aws:s3:::*"},
    {"Resource": {"Fn::Sub": "arn:aws:s3:::${Logs}*"}},
    {"Resource": [BUCKET, OBJECTS], "Action": "s3:*"},
    {"Action": ["s3:*", "s3:PutObject"]},
    {"Action": "*"},
    {"Action": "s3:NotOfOurs"},
    {"Sid": "not only letters"},
    {"NotResource": BUCKET, "Resource": NO_VALUE},
    {"Condition": {"Null": {"s3:ExistingObjectTag/team": "true"}}},
    {"Condition": {"Null": {"S3:X-Amz-Acl": "true"}}},
    {"Condition": {"Bool": {"aws:NoSuchKey": "true"}}},
)


@pytest.mark.parametrize("change", TAKEN)
def test_what_is_not_certain_to_be_refused_passes(change: dict[str, Any]) -> None:
    assert found(READ, WRITE, {**OTHER, **change})["TG212"].verdict == PASS


def test_of_a_statement_that_is_not_known_it_is_not_known() -> None:
    by_rule = found(READ, WRITE, {"Fn::Transform": {"Name": "Mine"}})
    assert by_rule["TG212"].verdict == UNKNOWN


def choice(condition: str, value: Any) -> Any:
    return {"Fn::If": [condition, value, NO_VALUE]}


def test_a_refusal_that_a_parameter_decides_names_it() -> None:
    refused = choice("IsStrict", {**OTHER, "Resource": BUCKET})
    by_rule = found(READ, WRITE, refused, choice("IsWide", OTHER))
    for rule in ("TG202", "TG203", "TG212"):
        assert (by_rule[rule].verdict, dict(by_rule[rule].witness)) == (CONDITIONAL, {"Strict": "yes"})


def test_what_only_two_choices_together_bring_about_is_seen() -> None:
    statement: dict[str, Any] = {**OTHER, "Action": ["s3:DeleteObject", choice("IsWide", "s3:ListBucket")]}
    by_rule = found(READ, WRITE, {**statement, "Resource": [OBJECTS, choice("IsStrict", BUCKET)]})
    assert dict(by_rule["TG212"].witness) == {"Wide": "yes"}
    both: dict[str, Any] = {**OTHER, "Resource": [OBJECTS, choice("IsStrict", BUCKET)]}
    assert found(READ, WRITE, both)["TG212"].verdict == PASS


def test_many_optional_statements_that_matter_to_nobody_are_no_scenarios() -> None:
    optional: list[Any] = [
        choice("IsStrict" if index % 2 else "IsWide", {**OTHER, "Sid": f"S{index}"}) for index in range(12)
    ]
    assert found(READ, WRITE, *optional)["TG212"].verdict == PASS


@pytest.mark.parametrize(
    ("document", "because"),
    [
        ("{", "it is not JSON"),
        ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', ""),
        ({"Version": "2012-10-17"}, "the policy document has no Statement"),
        ({"Version": "2012-10-18", "Statement": [READ, WRITE]}, 'Version "2012-10-18"'),
        (["x"], "the policy document is not a map"),
    ],
)
def test_whole_documents(document: Any, because: str) -> None:
    refusal = found(document=document)["TG212"]
    assert refusal.verdict == FAIL
    assert because in refusal.message


@pytest.mark.slow
def test_how_many_of_the_policies_with_a_known_outcome_s3_would_refuse() -> None:
    data = gzip.decompress((EVIDENCE / "golden-bucket-policies.json.gz").read_bytes())
    policies = [entry["policy"] for entry in json.loads(data)]
    told = Counter(refusal(policy) for policy in policies)
    # README says so; each by what the service authorization reference says an action is about
    assert (len(policies), told[""]) == (2500, 1992)
    assert told == {
        "": 1992,
        "about the bucket itself, which no Resource beside it names": 347,
        "about objects, which no Resource beside it names": 50,
        "neither the bucket nor anything in it": 111,
    }


def refusal(policy: Any) -> str:
    """Why S3 refuses a policy on the bucket of the collection; nothing when it does not."""
    resources = {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "audit-logs-111122223333"}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": policy},
        },
    }
    template = Template(parse(json.dumps({"Resources": resources}).encode()))
    scenarios = Scenarios(Model(template, Pins(), RETURNS))
    (leaf,) = scenarios.explore(lambda scenario: refusal_fact(scenario, template.resources["Policy"]))
    return "" if leaf.answer is None else leaf.answer.because.rpartition(" is ")[2]
