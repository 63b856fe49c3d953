"""How long log files are kept, and what else keeps them, held against an oracle that goes through files one by one."""

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
from trailguard.trails.bucket import archive, exports
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.properties import NOTHING, Wanted
from trailguard.trails.facts.returns import RETURNS

ACCOUNT = "111122223333"
YEAR = Wanted(numbers=(365,))


def facts(
    name: str, properties: Any, trail: Any = None, wanted: Wanted = NOTHING, others: Any = None, **sections: Any
) -> list[Fact]:
    """The fact about the bucket of a trail, in every scenario."""
    resources = {
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {"S3BucketName": {"Ref": "Logs"}, "IsLogging": True, **(trail or {})},
        },
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": properties},
        **(others or {}),
    }
    text = json.dumps({**sections, "Resources": resources})
    made = Model(Template(parse(text.encode())), Pins(region="us-east-1", account_id=ACCOUNT), RETURNS)
    bucket = made.template.resources["Logs"]
    spec = {**archive.FACTS, **exports.FACTS}[name]
    arguments = (wanted,) if spec.takes_wanted else ()
    return [leaf.answer for leaf in Scenarios(made).explore(lambda scene: spec.build(scene, bucket, *arguments))]


def kept(*rules: Any, trail: Any = None, wanted: Wanted = NOTHING, **sections: Any) -> list[Fact]:
    return facts("archive.kept_days", {"LifecycleConfiguration": {"Rules": rules}}, trail, wanted, **sections)


# --- retention -------------------------------------------------------------------------------------------------------

PREFIXES = ("", "AWSLogs/", f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/", "audit/", "a", "b", "AWSLogs/1/", "AWSLogs/2/")
rules = st.lists(
    st.builds(
        lambda status, days, prefix, tags: {
            "Status": status,
            "ExpirationInDays": days,
            **({} if prefix is None else {"Prefix": prefix}),
            **({"TagFilters": [{"Key": "a", "Value": "b"}]} if tags else {}),
        },
        st.sampled_from(["Enabled", "Disabled"]),
        st.integers(1, 999),
        st.sampled_from([None, *PREFIXES]),
        st.booleans(),
    ),
    max_size=4,
)


@given(rules, st.sampled_from(["", "audit"]))
def test_first_rule_that_deletes_a_log_file_counts(made: list[dict[str, Any]], prefix: str) -> None:
    start = f"{prefix}/" if prefix else ""
    files = [
        f"{start}AWSLogs/{ACCOUNT}/CloudTrail/{region}/2026/01/01/x.json.gz" for region in ("us-east-1", "eu-west-1")
    ]
    days = [
        rule["ExpirationInDays"]
        for rule in made
        if rule["Status"] == "Enabled" and "TagFilters" not in rule
        if any(file.startswith(rule.get("Prefix", "")) for file in files)
    ]
    (fact,) = kept(*made, trail={"S3KeyPrefix": prefix} if prefix else None)
    assert fact.unknown is None
    assert fact.value == min(days, default=None)


@pytest.mark.parametrize(
    ("limits", "days"), [((365,), {30, 364, 365, 366}), ((90, 365), {30, 89, 90, 91, 364, 365, 366}), ((10,), {30, 31})]
)
def test_parameter_is_tried_on_both_sides_of_each_limit(limits: tuple[float, ...], days: set[int]) -> None:
    parameters = {"Days": {"Type": "Number", "Default": 30, "MinValue": 30}}
    rule = {"Status": "Enabled", "ExpirationInDays": {"Ref": "Days"}}
    found = kept(rule, wanted=Wanted(numbers=limits), Parameters=parameters)
    assert {fact.value for fact in found} == days


@pytest.mark.parametrize(
    ("made", "value"),
    [
        ([{"ExpirationInDays": {"Fn::ImportValue": "x"}}], None),
        ([{"ExpirationInDays": {"Fn::ImportValue": "x"}}, {"ExpirationInDays": 30}], 30),
        ([{"ExpirationInDays": 400, "Prefix": {"Fn::ImportValue": "x"}}], 400),
        ([{"ExpirationInDays": 30, "Prefix": {"Fn::ImportValue": "x"}}], None),
        ([{"ExpirationInDays": 30, "ObjectSizeLessThan": 100}], None),
        ([{"ExpirationInDays": 30, "Status": {"Fn::ImportValue": "x"}}], None),
        ([{"ExpirationInDays": "30 days"}], None),
        ([{"ExpirationDate": "2030-01-01T00:00:00Z"}], 0),
        ([{"NoncurrentVersionExpirationInDays": 1}], None),
    ],
)
def test_what_is_not_known_matters_only_near_the_limit(made: list[dict[str, Any]], value: int | None) -> None:
    (fact,) = kept(*({"Status": "Enabled", **rule} for rule in made), wanted=YEAR)
    assert fact.value == value
    assert (fact.unknown is None) is (value is not None or "Noncurrent" in str(made))


@pytest.mark.parametrize(
    ("prefix", "value", "known"),
    [
        ("AWSLogs/o-abcde12345/", 30, True),
        ("AWSLogs/o-abcde12345/444455556666/CloudTrail/", 30, True),
        ("AWSLogs/", 30, True),
        ("AWSLogs/o-", 30, True),
        ("AWSLogs/o-abc", None, False),
        ("AWSLogs/o", 30, True),
        ("AWSLogs/p", None, True),
        (f"AWSLogs/o-abcde12345/{ACCOUNT}/CloudTrail/us-east-1/20", 30, True),
        ("AWSLogs/o-abcde12345/444455556666/Config/", None, True),
        (f"AWSLogs/{ACCOUNT}/CloudTrail/private/", None, True),
        (f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/01/private/", None, True),
        ("AWSLogs/444455556666/", None, True),
        (f"AWSLogs/{ACCOUNT}/CloudTrail", 30, True),
        (f"AWSLogs/{ACCOUNT}/elasticloadbalancing/", None, True),
    ],
)
def test_files_of_an_organization(prefix: str, value: int | None, known: bool) -> None:
    rule = {"Status": "Enabled", "Prefix": prefix, "ExpirationInDays": 30}
    (fact,) = kept(rule, trail={"IsOrganizationTrail": True}, wanted=YEAR)
    assert (fact.value, fact.unknown is None) == (value, known)


def test_files_of_other_accounts_are_where_the_policy_lets_them_be() -> None:
    for prefix, value, known in (("AWSLogs/", 30, True), ("inventory/", None, True), ("AWSLogs/1/", None, False)):
        resources = {
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Logs"},
                    "PolicyDocument": {
                        "Statement": {"Effect": "Allow", "Resource": {"Fn::Sub": "${Logs.Arn}/AWSLogs/*"}}
                    },
                },
            }
        }
        rule = {"Status": "Enabled", "Prefix": prefix, "ExpirationInDays": 30}
        (fact,) = kept(rule, trail={"S3BucketName": "elsewhere"}, wanted=YEAR, others=resources)
        assert (fact.value, fact.unknown is None) == (value, known)


# --- versions and access logs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({}, False),
        ({"VersioningConfiguration": {"Status": "Enabled"}}, True),
        ({"VersioningConfiguration": {"Status": "Suspended"}}, False),
        ({"VersioningConfiguration": {"Status": "Suspended"}, "ObjectLockEnabled": True}, False),
        ({"ObjectLockEnabled": "true"}, True),
        ({"ObjectLockEnabled": False}, False),
        ({"ObjectLockEnabled": {"Fn::ImportValue": "x"}}, None),
        ({"VersioningConfiguration": {"Status": {"Fn::ImportValue": "x"}}}, None),
    ],
)
def test_versions(properties: Any, value: bool | None) -> None:
    (fact,) = facts("archive.versioned", properties)
    assert fact.value is value


@pytest.mark.parametrize(
    ("destination", "other", "value"),
    [
        ("access-logs", {}, True),
        ("logs", {}, False),
        ("", {}, False),
        (None, {}, False),
        ({"Ref": "Logs"}, {}, False),
        ({"Ref": "Other"}, {}, True),
        ({"Ref": "Other"}, {"ObjectLockEnabled": True}, False),
        ({"Ref": "Other"}, {"ObjectLockEnabled": {"Fn::ImportValue": "x"}}, None),
        ("other", {"BucketName": "other", "ObjectLockEnabled": "true"}, False),
        ({"Fn::ImportValue": "x"}, {}, None),
        ("{{resolve:ssm:/logs}}", {}, None),
        ({"Fn::Sub": "access-${AWS::AccountId}"}, {}, True),
    ],
)
def test_access_logs_go_to_another_bucket(destination: Any, other: Any, value: bool | None) -> None:
    logging = {"LogFilePrefix": "a/"} if destination is None else {"DestinationBucketName": destination}
    others = {"Other": {"Type": "AWS::S3::Bucket", "Properties": other}}
    (fact,) = facts("archive.access_logged", {"BucketName": "logs", "LoggingConfiguration": logging}, others=others)
    assert fact.value is value


# --- outputs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ({"Ref": "Logs"}, True),
        ({"Fn::Sub": "${Logs}"}, True),
        ("logs", True),
        ({"Fn::GetAtt": "Logs.Arn"}, False),
        ({"Fn::GetAtt": ["Logs", "DomainName"]}, False),
        ({"Fn::ImportValue": "x"}, False),
        ({"Fn::Sub": "${Logs}/"}, False),
        (["logs"], False),
    ],
)
def test_output_is_the_name(output: Any, value: bool) -> None:
    (fact,) = facts("exports.bucket_name", {"BucketName": "logs"}, Outputs={"Name": {"Value": output}})
    assert fact.value is value


def test_loop_may_make_the_output() -> None:
    loop = {"Fn::ForEach::Names": ["Name", ["Logs"], {"${Name}": {"Value": {"Ref": "Logs"}}}]}
    (fact,) = facts("exports.bucket_name", {}, Outputs=loop)
    assert fact.unknown is not None
