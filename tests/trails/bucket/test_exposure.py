"""Who a log bucket lets in, held against oracles that know only what AWS documents."""

from __future__ import annotations

import itertools
import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.bucket import exposure
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS

ARN = "arn:aws:s3:::logs"
FILES = f"{ARN}/*"


def facts(name: str, *documents: Any, parameters: Any = None, **properties: Any) -> list[Fact]:
    """The fact about a bucket with some policies, in every scenario."""
    resources: dict[str, Any] = {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs", **properties}}
    }
    for index, document in enumerate(documents):
        body = {"Bucket": "logs", "PolicyDocument": document}
        resources[f"Policy{index}"] = {"Type": "AWS::S3::BucketPolicy", "Properties": body}
    text = json.dumps({"Parameters": parameters or {}, "Resources": resources})
    made = Model(Template(parse(text.encode())), Pins(region="us-east-1", account_id="111122223333"), RETURNS)
    bucket = made.template.resources["Logs"]
    spec = exposure.FACTS[name]
    return [leaf.answer for leaf in Scenarios(made).explore(lambda scenario: spec.build(scenario, bucket))]


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(condition: Any = None, **changed: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": FILES, **changed}
    return statement if condition is None else {**statement, "Condition": condition}


def deny(condition: Any = None, **changed: Any) -> dict[str, Any]:
    return allow(condition, **{"Effect": "Deny", "Action": "s3:*", "Resource": [ARN, FILES], **changed})


def keeps_out(*statements: Any) -> bool | None:
    """Whether a policy keeps strangers out; None when it is not known."""
    (only,) = facts("access.no_public_statement", policy(*statements))
    assert (only.value is None) is (only.unknown is not None)
    return only.value  # type: ignore[no-any-return]


# --- strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (None, False),
        ({"StringEquals": {"AWS:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/a"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/a"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/*"}}, False),
        ({"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}}, True),
        ({"StringLike": {"aws:PrincipalOrgID": ["o-abcde12345", "*"]}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abcde12345"}}, False),
        (
            {"StringEqualsIfExists": {"aws:SourceAccount": "1"}, "Null": {"aws:SourceAccount": "false"}},
            True,
        ),
        ({"Null": {"aws:SourceAccount": "false"}}, False),
        ({"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-b/"}}, False),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-b/"}}, True),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0"]}}, False),
        ({"IpAddress": {"aws:SourceIp": "::/0"}}, False),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
        ({"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-east-1:111122223333:accesspoint/*"}}, True),
        ({"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-east-1:*:accesspoint/*"}}, False),
        ({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, False),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, None),
        ({"StringEquals": {"aws:PrincipalTag/team": "audit"}}, None),
        ({"StringEquals": {"aws:SourceOrgID": "o-abcde12345"}}, None),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, None),
    ],
)
def test_condition_decides_whether_strangers_get_in(condition: Any, kept: bool | None) -> None:
    assert keeps_out(allow(condition)) is kept


@pytest.mark.parametrize(
    ("principal", "kept"),
    [
        ({"Principal": {"AWS": "*"}}, False),
        ({"Principal": {"AWS": ["111122223333", "*"]}}, False),
        ({"Principal": {"AWS": "111122223333"}}, True),
        ({"Principal": {"Service": "cloudtrail.amazonaws.com"}}, True),
        ({"Principal": {"CanonicalUser": "ab"}}, True),
        ({"Principal": {"AWS": {"Fn::ImportValue": "reader"}}}, None),
        ({"Principal": "everybody"}, None),
        ({"Effect": "allow"}, None),
        ({"Effect": "Deny", "Principal": "everybody"}, True),
    ],
)
def test_principal_decides_whether_strangers_get_in(principal: Any, kept: bool | None) -> None:
    assert keeps_out(allow(**principal)) is kept


def test_not_principal_lets_everybody_else_in() -> None:
    statement = allow()
    del statement["Principal"]
    assert keeps_out({**statement, "NotPrincipal": {"AWS": "111122223333"}}) is False


@pytest.mark.parametrize(
    ("denials", "kept"),
    [
        ([deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcde12345"}})], True),
        ([deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}, Action="s3:PutObject")], False),
        ([deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}, Resource=ARN)], False),
        ([deny({"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}})], False),
        ([deny({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], True),
        ([deny({"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], False),
        ([deny({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}})], None),
        ([deny({"Bool": {"aws:SecureTransport": "false"}})], False),
        ([deny({"StringNotEquals": {"aws:PrincipalTag/team": "audit"}})], None),
        ([deny()], True),
        ([deny(Resource=f"{ARN}/a*"), deny(Resource=f"{ARN}/b*")], None),
        ([deny(Principal="somebody")], None),
    ],
)
def test_deny_may_shut_strangers_out_again(denials: list[Any], kept: bool | None) -> None:
    assert keeps_out(allow(), *denials) is kept


KEYS = ("aws:SourceArn", "aws:PrincipalOrgID", "s3:x-amz-acl")
OPERATORS = ("StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAnyValue:StringEquals", "Null")


def meets(operator: str, sent: str | None, wanted: str) -> bool:
    """What IAM documents of a few operators, for one value."""
    if operator == "Null":
        return (sent is None) is (wanted == "true")
    if sent is None:
        return operator in ("StringNotEquals", "StringEqualsIfExists")
    return (sent == wanted) is (operator != "StringNotEquals")


@given(
    st.dictionaries(
        st.sampled_from(OPERATORS),
        st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["fixed", "other"]), min_size=1),
    )
)
def test_strangers_are_told_from_others(condition: dict[str, dict[str, str]]) -> None:
    asked = {
        operator: {
            key: ("true" if value == "fixed" else "false") if operator == "Null" else value
            for key, value in keys.items()
        }
        for operator, keys in condition.items()
    }
    strangers = (dict(zip(KEYS[:2], sent, strict=True)) for sent in itertools.product((None, "mine"), repeat=2))
    public = any(
        all(
            meets(operator, stranger[key], wanted)
            for operator, keys in asked.items()
            for key, wanted in keys.items()
            if key in stranger
        )
        for stranger in strangers
    )
    assert keeps_out(allow(asked) if asked else allow()) is not public


# --- plain HTTP ------------------------------------------------------------------------------------------------------

HTTP = {"Bool": {"aws:SecureTransport": "false"}}
ACTIONS = ("s3:*", "*", "S3:*", "s3:Get*", "s3:PutObject", "iam:*")
RESOURCES = (ARN, FILES, f"{ARN}*", "arn:aws:s3:::*", f"{ARN}/AWSLogs/*", "arn:aws:s3:::other/*")
CALLS = [
    (action, resource)
    for action in ("s3:GetObject", "s3:PutObject", "s3:Other")
    for resource in (ARN, f"{ARN}/AWSLogs/a", f"{ARN}/b")
]
statements = st.builds(
    lambda action, negated, resources: {
        "Effect": "Deny",
        "Principal": "*",
        "NotAction" if negated else "Action": action,
        "Resource": resources,
        "Condition": HTTP,
    },
    st.sampled_from(ACTIONS),
    st.booleans(),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2, unique=True),
)


def denied(statement: dict[str, Any], action: str, resource: str) -> bool:
    stated = statement.get("Action") or statement["NotAction"]
    about = fnmatchcase(action.lower(), stated.lower()) is ("Action" in statement)
    return about and any(fnmatchcase(resource, one) for one in statement["Resource"])


@given(st.lists(statements, min_size=1, max_size=3))
def test_plain_http_is_denied_when_every_call_is(made: list[dict[str, Any]]) -> None:
    (only,) = facts("access.tls_only", policy(*made))
    wanted = all(any(denied(statement, *call) for statement in made) for call in CALLS)
    assert only.unknown is None
    assert only.value is wanted


@pytest.mark.parametrize(
    ("condition", "only"),
    [
        (HTTP, True),
        ({"Bool": {"aws:SecureTransport": False}}, True),
        ({"BoolIfExists": {"AWS:SECURETRANSPORT": "False"}}, True),
        ({"StringEquals": {"aws:SecureTransport": "false"}}, True),
        ({"StringNotEquals": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": ["true", "false"]}}, True),
        (None, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"Null": {"aws:SecureTransport": "true"}}, False),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, False),
        ({"NumericLessThanIfExists": {"s3:TlsVersion": "1.2"}}, True),
        ({**HTTP, "StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}, None),
    ],
)
def test_condition_of_the_deny(condition: Any, only: bool | None) -> None:
    (fact,) = facts("access.tls_only", policy(deny(condition)))
    assert fact.value is only


def test_two_policies_must_agree() -> None:
    (fact,) = facts("access.tls_only", policy(deny(HTTP)), policy(allow()))
    assert fact.unknown == "two policies of the bucket overwrite each other, and only one stays"
    (fact,) = facts("access.tls_only", policy(deny(HTTP)), policy(deny(HTTP)))
    assert fact.value is True


# --- the ACL and the block -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acl", "private"),
    [
        ("Private", True),
        ("LogDeliveryWrite", True),
        ("AwsExecRead", True),
        *((acl, False) for acl in exposure.PUBLIC_ACLS),
    ],
)
def test_canned_acl(acl: str, private: bool) -> None:
    (fact,) = facts("access.no_public_acl", AccessControl=acl)
    assert fact.value is private


@given(st.dictionaries(st.sampled_from(exposure.SETTINGS), st.sampled_from([True, False, "true", "false"])))
def test_all_four_settings_must_be_on(block: dict[str, Any]) -> None:
    (on,) = facts("access.blocks_public", PublicAccessBlockConfiguration=block)
    (off,) = facts("access.not_unblocked", PublicAccessBlockConfiguration=block)
    meant = {name: value in (True, "true") for name, value in block.items()}
    assert on.value is (list(meant.values()) == [True] * 4)
    assert off.value is all(meant.values())
    assert on.value or all((name in on.because) is not meant.get(name, False) for name in exposure.SETTINGS)


def test_setting_of_a_parameter_is_either() -> None:
    block = dict.fromkeys(exposure.SETTINGS, True) | {"BlockPublicAcls": {"Ref": "Block"}}
    found = facts(
        "access.blocks_public", parameters={"Block": {"Type": "String"}}, PublicAccessBlockConfiguration=block
    )
    assert sorted(fact.value for fact in found) == [False, True]
