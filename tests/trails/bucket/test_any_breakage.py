"""Whatever is broken in a good bucket policy, by mistakes that people make: it is repaired, however it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.findings import CONDITIONAL, FAIL, Report
from trailguard.fixes.repairing import repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import Key, key_of
from trailguard.settings.settings import Settings

RULES = ("TG105", "TG201", "TG202", "TG203", "TG204", "TG205", "TG206")
Break = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], None]  # check, write, trail

ARN = "${Bucket.Arn}"
ANY_TRAIL = "arn:aws:cloudtrail:*:${AWS::AccountId}:trail/*"


def _without_condition(check: dict[str, Any], write: dict[str, Any], trail: dict[str, Any]) -> None:
    check.pop("Condition", None)
    write.pop("Condition", None)


def _set(which: int, name: str, value: Any) -> Break:
    def breaking(*parts: dict[str, Any]) -> None:
        parts[which][name] = value

    return breaking


BREAKS: dict[str, Break] = {
    "no condition": _without_condition,
    "everybody": _set(1, "Principal", "*"),
    "old account": _set(1, "Principal", {"AWS": "arn:aws:iam::086441151436:root"}),
    "wrong service": _set(0, "Principal", {"Service": "config.amazonaws.com"}),
    "wrong prefix": _set(1, "Resource", f"{ARN}/audit/AWSLogs/${{AWS::AccountId}}/*"),
    "no folder": _set(1, "Resource", f"{ARN}/AWSLogs/${{AWS::AccountId}}/CloudTrail/eu-west-1/*"),
    "wrong action": _set(1, "Action", "s3:PutObjectAcl"),
    "objects": _set(0, "Resource", f"{ARN}/*"),
    "wrong account": _set(0, "Condition", {"StringEquals": {"aws:SourceAccount": "nobody"}}),
    "wrong ACL": _set(1, "Condition", {"StringEquals": {"s3:x-amz-acl": "private"}}),
    "loose ACL": _set(1, "Condition", {"StringLike": {"s3:x-amz-acl": "bucket-owner-*"}}),
    "pattern": _set(0, "Condition", {"StringEquals": {"aws:SourceArn": ANY_TRAIL}}),
    "prefix": _set(2, "S3KeyPrefix", "logs"),
    "organization": _set(2, "IsOrganizationTrail", True),
}
DENIES: tuple[dict[str, Any], ...] = (
    {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
    {"Null": {"aws:SourceVpc": "true"}},
)


def policy(breaks: list[str], denied: dict[str, Any] | None, trail: dict[str, Any]) -> dict[str, Any]:
    """A policy as a text of `Fn::Sub` spells it, broken."""
    service = {"Service": "cloudtrail.amazonaws.com"}
    bound = {"aws:SourceAccount": "${AWS::AccountId}"}
    check: dict[str, Any] = {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": ARN}
    check["Condition"] = {"StringEquals": dict(bound)}
    write: dict[str, Any] = {"Effect": "Allow", "Principal": service, "Action": "s3:PutObject"}
    write["Resource"] = f"{ARN}/AWSLogs/${{AWS::AccountId}}/*"
    write["Condition"] = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **bound}}
    for name in breaks:
        BREAKS[name](check, write, trail)
    statements = [check, write]
    if denied is not None:
        deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{ARN}/*"}
        statements.append({**deny, "Condition": denied})
    return {"Version": "2012-10-17", "Statement": statements}


def substituted(data: Any) -> Any:
    """The same data for a map, in which each text with names is filled in by itself."""
    if isinstance(data, dict):
        return {key: substituted(value) for key, value in data.items()}
    if isinstance(data, list):
        return [substituted(item) for item in data]
    if data == ARN:
        return {"Fn::GetAtt": ["Bucket", "Arn"]}
    return {"Fn::Sub": data} if isinstance(data, str) and "${" in data else data


def template(document: Any, trail: dict[str, Any]) -> bytes:
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document},
        },
        "Trail": {"Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": trail},
    }
    return json.dumps({"Resources": resources}, indent=2).encode()


def faults(report: Report) -> list[Key]:
    found = (one for one in report.results if one.rule.id in RULES and one.verdict in (FAIL, CONDITIONAL))
    return [key_of(one) for one in found]


@pytest.mark.slow
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(sorted(BREAKS)), max_size=3, unique=True),
    st.sampled_from([None, *DENIES]),
    st.booleans(),
    st.booleans(),
)
def test_it_is_repaired(breaks: list[str], denied: dict[str, Any] | None, as_text: bool, is_named: bool) -> None:
    trail: dict[str, Any] = {"S3BucketName": {"Ref": "Bucket"}, "IsLogging": True}
    if is_named:
        trail["TrailName"] = "audit"
    document = policy(breaks, denied, trail)
    spelt = {"Fn::Sub": json.dumps(document)} if as_text else substituted(document)
    look = look_at([], Settings(), given=("template.json", template(spelt, trail)))
    before = look.outcome()
    assert not before.report.errors
    result = repaired(look, before, faults(before.report))
    assert {key.rule: why for key, why in result.left.items()} == {}
    assert not faults(result.outcome.report)
