"""Optional parts of policies, selectors and lifecycle rules: a verdict is that of judging each choice by itself."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.settings.settings import Settings

NAMES = ("P0", "P1", "P2")
RULES = ("TG105", "TG107", "TG110", "TG111", "TG202", "TG203", "TG204", "TG205", "TG206", "TG301", "TG305", "TG308")
NO_VALUE = {"Ref": "AWS::NoValue"}
CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}

Template = dict[str, Any]


def optional(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An item that is there, is there or not, or is one of two."""
    conditions = st.sampled_from([f"C{number}" for number in range(len(NAMES))])
    choices = st.tuples(conditions, items, st.one_of(items, st.just(NO_VALUE))).map(lambda one: {"Fn::If": list(one)})
    return st.one_of(items, choices)


def listed(items: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[list[Any]]:
    return st.lists(optional(items), min_size=least, max_size=3)


def arn(path: str) -> dict[str, str]:
    return {"Fn::Sub": "${Bucket.Arn}" + path}


PATHS = st.sampled_from(
    ["/*", "/AWSLogs/*", "/AWSLogs/${AWS::AccountId}/*", "/AWSLogs/${AWS::AccountId}/CloudTrail/*", ""]
)
ACTIONS = st.sampled_from(["s3:PutObject", "s3:GetBucketAcl", "s3:*", "s3:GetObject"])
PRINCIPALS = st.one_of(
    st.just(CLOUDTRAIL),
    st.just("*"),
    listed(st.sampled_from(["arn:aws:iam::111122223333:root", "*"])).map(lambda names: {"AWS": names}),
    listed(st.sampled_from(["cloudtrail.amazonaws.com", "s3.amazonaws.com"])).map(lambda names: {"Service": names}),
)
TESTS = st.one_of(
    st.just({}),
    listed(st.sampled_from(["bucket-owner-full-control", "private"])).map(
        lambda acls: {"StringEquals": {"s3:x-amz-acl": acls}}
    ),
    listed(st.sampled_from(["bucket-owner-full-control", "private"])).map(
        lambda acls: {"StringNotEquals": {"s3:x-amz-acl": acls}}
    ),
    st.just({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}),
    st.just({"Bool": {"aws:SecureTransport": "false"}}),
)


@st.composite
def statements(draw: st.DrawFn) -> Template:
    made: Template = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])), "Principal": draw(PRINCIPALS)}
    made[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(listed(ACTIONS))
    made[draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))] = draw(listed(PATHS.map(arn)))
    tests = draw(TESTS)
    return {**made, **({"Condition": tests} if tests else {})}


SELECTORS = st.fixed_dictionaries(
    {
        "ReadWriteType": st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
        "IncludeManagementEvents": st.booleans(),
        "DataResources": listed(
            st.fixed_dictionaries(
                {
                    "Type": st.just("AWS::S3::Object"),
                    "Values": listed(st.sampled_from(["arn:aws:s3", "arn:aws:s3:::one/"])),
                }
            ),
            0,
        ),
    }
)
LIFECYCLE = st.fixed_dictionaries(
    {
        "Status": st.sampled_from(["Enabled", "Disabled"]),
        "Prefix": st.sampled_from(["", "AWSLogs/", "other/"]),
        "ExpirationInDays": st.sampled_from([30, 365, 400]),
    }
)
INSIGHTS = st.sampled_from(["ApiCallRateInsight", "ApiErrorRateInsight"]).map(lambda kind: {"InsightType": kind})


@st.composite
def templates(draw: st.DrawFn) -> Template:
    defaults = draw(st.tuples(*[st.sampled_from([None, "yes", "no"])] * len(NAMES)))
    trail: Template = {
        "S3BucketName": {"Ref": "Bucket"},
        "IsLogging": True,
        "EnableLogFileValidation": draw(st.booleans()),
    }
    for name, items in (("EventSelectors", SELECTORS), ("InsightSelectors", INSIGHTS)):
        if draw(st.booleans()):
            trail[name] = draw(listed(items))
    bucket = {"LifecycleConfiguration": {"Rules": draw(listed(LIFECYCLE))}} if draw(st.booleans()) else {}
    document = {"Version": "2012-10-17", "Statement": draw(st.lists(optional(statements()), min_size=1, max_size=4))}
    return {
        "Parameters": {
            name: {
                "Type": "String",
                "AllowedValues": ["yes", "no"],
                **({} if default is None else {"Default": default}),
            }
            for name, default in zip(NAMES, defaults, strict=True)
        },
        "Conditions": {f"C{number}": {"Fn::Equals": [{"Ref": name}, "yes"]} for number, name in enumerate(NAMES)},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document},
            },
            "Trail": {"Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": trail},
        },
    }


@cache
def book(rule: str) -> Rulebook:
    return load(Settings(select=(rule,)))


def judge(rule: str, content: bytes, parameters: Mapping[str, str]) -> Finding:
    chosen = Settings(select=(rule,), parameters=parameters)
    result = judge_file("t.json", content, Task(chosen, book(rule)))
    assert result.errors == ()
    (finding,) = result.findings
    return finding


def expected(template: Template, found: dict[tuple[str, ...], str]) -> str:
    """The verdict that follows from those of all choices."""
    defaults = [body.get("Default") for body in template["Parameters"].values()]

    def changes(values: tuple[str, ...]) -> int:
        return sum(default not in (None, value) for value, default in zip(values, defaults, strict=True))

    applicable = {values: verdict for values, verdict in found.items() if verdict != NOT_APPLICABLE}
    if not applicable:
        return NOT_APPLICABLE
    usual = [verdict for values, verdict in found.items() if not changes(values)]
    if all(verdict == FAIL for verdict in usual):
        return FAIL
    return next((CONDITIONAL if one == FAIL else one for one in (FAIL, UNKNOWN) if one in applicable.values()), PASS)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(templates())
def test_a_verdict_is_that_of_every_choice(rule: str, template: Template) -> None:
    content = json.dumps(template).encode()
    found: dict[tuple[str, ...], str] = {
        values: judge(rule, content, dict(zip(NAMES, values, strict=True))).verdict
        for values in itertools.product(("yes", "no"), repeat=len(NAMES))
    }
    finding = judge(rule, content, {})
    assert finding.verdict == expected(template, found), found
    if finding.verdict == CONDITIONAL:
        assert judge(rule, content, finding.witness).verdict == FAIL
