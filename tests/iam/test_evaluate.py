"""Requests put to whole policies: grants, denials, who is named, and how it is told."""

# ruff: noqa: E501  (tables: one case, one line)

from __future__ import annotations

from typing import Any

import pytest

from tests.iam.helpers import (
    ACCOUNT,
    ARN,
    BUCKET,
    IMPORTED,
    LEGACY,
    LOGS,
    PREFIX,
    SERVICE,
    TRAIL,
    Ledger,
    Settled,
    allow,
    deny,
    policy,
    refuse,
    request,
)
from trailguard.cloudformation.scenarios.values import Pieces, Symbol
from trailguard.iam.conditions import Undecided
from trailguard.iam.evaluate import allowed, denials, denied_wholly, grantors, grants

OWN: Pieces = (ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/*")
ACL = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
TOLD_LOGS = f"{ARN}${{LogBucket}}/AWSLogs/${{AWS::AccountId}}/CloudTrail/*"

GRANTED = [
    ("classic", [allow(Resource=OWN, Condition=ACL)], "yes"),
    ("service in a list", [allow(Principal={"Service": ["config.amazonaws.com", SERVICE]})], "yes"),
    ("everybody", [allow(Principal="*")], "yes"),
    ("every AWS principal", [allow(Principal={"AWS": ["1", "*"]})], "yes"),
    ("legacy account", [allow(Principal={"AWS": LEGACY})], "yes"),
    ("legacy root", [allow(Principal={"AWS": f"arn:aws:iam::{LEGACY}:root"})], "yes"),
    ("user of the legacy account", [allow(Principal={"AWS": f"arn:aws:iam::{LEGACY}:user/x"})], "no"),
    ("the account's root", [allow(Principal={"AWS": ("arn:aws:iam::", ACCOUNT, ":root")})], "no"),
    ("an account like a service", [allow(Principal={"AWS": SERVICE})], "no"),
    ("federated", [allow(Principal={"Federated": SERVICE})], "no"),
    ("another service", [allow(Principal={"Service": "config.amazonaws.com"})], "no"),
    ("everybody but another service", [allow(NotPrincipal={"Service": "config.amazonaws.com"})], "yes"),
    ("everybody but this service", [allow(NotPrincipal={"Service": SERVICE})], "no"),
    ("imported service", [allow(Principal={"Service": IMPORTED})], "unknown"),
    ("imported principal", [allow(Principal={"AWS": IMPORTED})], "unknown"),
    ("all but reading", [allow(NotAction="s3:Get*")], "yes"),
    ("all but writing", [allow(NotAction=["s3:get*", "S3:PUT*"])], "no"),
    ("all but another folder", [allow(NotResource=(ARN, BUCKET, "/reports/*"))], "yes"),
    ("all but a part", [allow(NotResource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/x"))], "no"),
    ("all but a part, which is allowed too", [allow(NotResource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/x*")), allow(Resource=(ARN, BUCKET, "/AWSLogs/*"))], "yes"),
    ("two halves", [allow(Resource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/")), allow(Resource=(ARN, BUCKET, "/AWSLogs/*/?*"))], "yes"),
    ("one half", [allow(Resource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/?*"))], "no"),
    ("half granted, half unknown", [allow(Resource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/?*")), allow(Resource=(ARN, BUCKET, "/*"), Condition={"Bool": {"x:y": True}})], "unknown"),
    ("unknown, but elsewhere", [allow(Resource=(ARN, BUCKET, "/reports/*"), Condition={"Bool": {"x:y": True}})], "no"),
    ("ACL and source", [allow(Resource=OWN, Condition={**ACL, "ArnLike": {"AWS:SourceArn": TRAIL}})], "yes"),
    ("another ACL", [allow(Condition={"StringEquals": {"s3:x-amz-acl": "private"}})], "no"),
    ("organization", [allow(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], "no"),
    ("unknown key", [allow(Condition={"StringEquals": {"s3:RequestObjectTag/x": "o-1"}})], "unknown"),
    ("unknown key and a false one", [allow(Condition={"StringEquals": {"s3:RequestObjectTag/x": "o-1", "s3:x-amz-acl": "private"}})], "no"),
    ("denials do not count", [allow(), deny()], "yes"),
    ("nothing", [], "no"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "outcome"), [c[1:] for c in GRANTED], ids=[c[0] for c in GRANTED])
def test_grants(statements: list[Any], outcome: str) -> None:
    decision = grants(policy(*statements), request(), refuse)
    assert decision.outcome == outcome
    assert decision.because
    assert bool(decision.reason) is (outcome == "unknown")


TOLD = [
    ("yes", [allow(Resource=OWN)], "statement 1 allows s3:PutObject", ""),
    ("yes", [allow(Sid="A", Resource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/")), allow(Resource=(ARN, BUCKET, "/AWSLogs/*/?*"))], "statement 1 (A) and statement 2 allow s3:PutObject", ""),
    ("no", [allow(Sid="Read", Action="s3:GetBucketAcl", Resource=(ARN, BUCKET))], f"no statement allows s3:PutObject to {SERVICE}", ""),
    ("no", [], f"no statement allows s3:PutObject to {SERVICE}", ""),
    ("no", [allow(Action="s3:PutObjectAcl")], "statement 1 allows s3:PutObjectAcl, not s3:PutObject", "Action"),
    ("no", [allow(NotAction="s3:Put*")], "statement 1 allows all but s3:Put*, not s3:PutObject", "Action"),
    ("no", [allow(Action="s3:Get*"), allow(Sid="Write", Resource=(ARN, BUCKET, "/logs/*"))], f"statement 2 (Write) allows s3:PutObject on {ARN}${{LogBucket}}/logs/*, not on {TOLD_LOGS}", "Resource"),
    ("no", [allow(NotResource=(ARN, BUCKET, "/AWSLogs/*"))], f"statement 1 allows s3:PutObject on all but {ARN}${{LogBucket}}/AWSLogs/*, not on {TOLD_LOGS}", "Resource"),
    ("no", [allow(Condition={"StringEquals": {"s3:x-amz-acl": "private"}})], 'statement 1 allows s3:PutObject, but its condition StringEquals s3:x-amz-acl wants "private", the request sends "bucket-owner-full-control"', "Condition"),
    ("no", [allow(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], 'statement 1 allows s3:PutObject, but its condition StringEquals aws:PrincipalOrgID wants "o-1", the request does not send aws:PrincipalOrgID', "Condition"),
    ("no", [allow(Condition={"Null": {"aws:SourceArn": True}})], 'statement 1 allows s3:PutObject, but its condition Null aws:SourceArn "true", and the request sends "arn:aws:cloudtrail:eu-west-1:${AWS::AccountId}:trail/audit"', "Condition"),
    ("no", [allow(Principal={"Service": "config.amazonaws.com"})], f"statement 1 allows s3:PutObject to config.amazonaws.com, not to {SERVICE}", "Principal"),
    ("unknown", [allow(Condition={"Bool": {"x:y": True}})], "whether statement 1 allows s3:PutObject is not known: the condition key x:y is not known for this request", "Condition"),
    ("unknown", [allow(Resource=(ARN, IMPORTED, "/*"))], f"whether statement 1 covers {TOLD_LOGS} is not known: nobody exports it", "Resource"),
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "statements", "because", "element"), TOLD)
def test_what_is_told_and_where(outcome: str, statements: list[Any], because: str, element: str) -> None:
    found = policy(*statements)
    decision = grants(found, request(), refuse)
    assert (decision.outcome, decision.because) == (outcome, because)
    if not element:
        assert decision.node in ([one.node for one in found.statements] or [found.node])
    elif element == "Condition":
        assert decision.node is found.statements[-1].clauses[0].node
    else:
        assert decision.node is found.statements[-1].place(element, f"Not{element}")


# aws-semantics.md, section B7.
def only(**condition: Any) -> dict[str, Any]:
    return deny(Action="s3:*", Condition={op.replace("__", ":"): keys for op, keys in condition.items()})


SSE, KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
EXEMPT = {"Bool": {"aws:PrincipalIsAWSService": False}}
DENIED = [
    ("plain http", only(Bool={"aws:SecureTransport": "false"}), "no"),
    ("plain http, bare boolean", only(Bool={"aws:SecureTransport": False}), "no"),
    ("unless aws:kms", only(StringNotEquals={SSE: "aws:kms"}), "yes"),
    ("unless aws:kms or AES256", only(StringNotEquals={SSE: ["aws:kms", "AES256"]}), "no"),
    ("no encryption header", only(Null={SSE: "true"}), "no"),
    ("unless one key", only(StringNotEquals={KEY: "arn:aws:kms:eu-west-1:1:key/x"}), "yes"),
    ("unless one key, if a key is named", only(StringNotEquals={KEY: "k"}, Null={KEY: "false"}), "no"),
    ("unless the organization", only(StringNotEquals={"aws:PrincipalOrgID": "o-1"}), "yes"),
    ("unless the organization, if it exists", only(StringNotEqualsIfExists={"aws:PrincipalOrgID": "o-1"}), "yes"),
    ("unless the account", only(StringNotEquals={"aws:PrincipalAccount": "1"}), "yes"),
    ("unless a role", only(ArnNotLike={"aws:PrincipalArn": "arn:aws:iam::1:role/x"}), "yes"),
    ("unless the organization, services exempt", only(StringNotEquals={"aws:PrincipalOrgID": "o-1"}, **EXEMPT), "no"),
    ("unless the organization, services exempt if exists", only(StringNotEquals={"aws:PrincipalOrgID": "o-1"}, BoolIfExists={"aws:PrincipalIsAWSService": "false"}), "no"),
    ("unless a VPC", only(StringNotEquals={"aws:SourceVpc": "vpc-1"}), "yes"),
    ("unless an endpoint", only(StringNotEquals={"aws:SourceVpce": "vpce-1"}), "yes"),
    ("unless an address", only(NotIpAddress={"aws:SourceIp": "10.0.0.0/8"}), "yes"),
    ("unless an address, services exempt", only(NotIpAddress={"aws:SourceIp": "10.0.0.0/8"}, **EXEMPT), "no"),
    ("an address", only(IpAddress={"aws:SourceIp": "10.0.0.0/8"}), "no"),
    ("all but a role", deny(NotPrincipal={"AWS": "arn:aws:iam::1:role/x"}), "yes"),
    ("all but the service", deny(NotPrincipal={"Service": SERVICE}), "no"),
    ("all but a role and the service", deny(NotPrincipal={"AWS": "1", "Service": [SERVICE]}), "no"),
    ("unless the owner's ACL", only(StringNotEquals={"s3:x-amz-acl": "bucket-owner-full-control"}), "no"),
    ("the owner's ACL", only(StringEquals={"s3:x-amz-acl": "bucket-owner-full-control"}), "yes"),
    ("deletion", deny(Action=["s3:DeleteObject*", "s3:PutBucketPolicy"]), "no"),
    ("everything", deny(Action="s3:*"), "yes"),
    ("putting", deny(Action="s3:Put*"), "yes"),
    ("all but reading", deny(NotAction="s3:Get*"), "yes"),
    ("digests only", deny(Resource=(ARN, "*/CloudTrail-Digest/*")), "yes"),
    ("another folder", deny(Resource=(ARN, BUCKET, "/reports/*")), "no"),
    ("all but the logs", deny(NotResource=(ARN, BUCKET, "/AWSLogs/*")), "no"),
    ("all but the reports", deny(NotResource=(ARN, BUCKET, "/reports/*")), "yes"),
    ("a legacy account", deny(Principal={"AWS": LEGACY}), "no"),
    ("old TLS", only(NumericLessThan={"s3:TlsVersion": 1.2}), "no"),
    ("unless this trail", only(ArnNotEquals={"aws:SourceArn": TRAIL}), "no"),
    ("unless this trail, by StringNotEquals with a wildcard", only(StringNotEquals={"aws:SourceArn": "arn:aws:cloudtrail:*"}), "yes"),
    ("unknown key", only(StringEquals={"aws:RequestedRegion": "eu-west-1"}), "unknown"),
    ("imported organization", only(StringNotEquals={"aws:PrincipalOrgID": IMPORTED}), "yes"),
    ("imported ACL", only(StringNotEquals={"s3:x-amz-acl": IMPORTED}), "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "outcome"), [c[1:] for c in DENIED], ids=[c[0] for c in DENIED])
def test_denials(statement: dict[str, Any], outcome: str) -> None:
    found = policy(allow(Resource=OWN), statement)
    decision = denials(found, request(), refuse)
    assert decision.outcome == outcome
    assert decision.because.startswith(
        {"yes": "statement 2 denies", "no": "no statement denies", "unknown": "whether statement 2 denies"}[outcome]
    )
    whole = allowed(found, request(), refuse)
    assert whole.outcome == {"yes": "no", "no": "yes", "unknown": "unknown"}[outcome]
    if outcome != "no":
        assert decision.node is found.statements[1].node or outcome == "unknown"


def test_a_denial_tells_its_condition() -> None:
    decision = denials(policy(only(StringNotEquals={SSE: "aws:kms"})), request(), refuse)
    assert decision.because == (
        f'statement 1 denies s3:PutObject on {TOLD_LOGS}: its condition StringNotEquals {SSE} wants "aws:kms", '
        'the request sends "AES256"'
    )


def test_denied_wholly_needs_every_string() -> None:
    part = policy(deny(Resource=(ARN, BUCKET, "/*/eu-west-1/*")))
    assert denials(part, request(), refuse).outcome == "yes"
    assert denied_wholly(part, request(), Ledger()).outcome == "no"
    assert denied_wholly(policy(deny(Resource=(ARN, BUCKET, "/*"))), request(), refuse).outcome == "yes"
    doubtful = policy(deny(Condition={"Bool": {"x:y": True}}))
    found = denied_wholly(doubtful, request(), refuse)
    assert (found.outcome, found.reason) == ("unknown", "the condition key x:y is not known for this request")


def test_a_grant_to_everybody_can_be_left_out() -> None:
    for statement in (allow(Principal="*"), allow(Principal={"AWS": "*"}), allow(NotPrincipal={"AWS": "1"})):
        assert grants(policy(statement), request(), refuse).outcome == "yes"
        assert grants(policy(statement), request(everyone=False), refuse).outcome == "no"


def test_grantors_are_the_statements_that_let_it_through_or_may() -> None:
    found = policy(
        allow(Principal={"Service": SERVICE, "AWS": ["*", LEGACY]}, Resource=(ARN, BUCKET, "/AWSLogs/*/x")),
        allow(Condition={"StringEquals": {"s3:x-amz-acl": "private"}}),
        allow(Resource=(ARN, BUCKET, "/reports/*")),
        allow(Condition={"Bool": {"x:y": True}}),
        deny(),
    )
    assert [(one.index, answer.state) for one, answer in grantors(found, request(), refuse)] == [
        (0, "yes"),
        (3, "unknown"),
    ]


def test_a_key_whose_value_nobody_knows() -> None:
    hidden = request(s3__x_amz_acl=Undecided("it follows the trail"))
    decision = grants(policy(allow(Condition=ACL)), hidden, refuse)
    assert (decision.outcome, decision.reason) == ("unknown", "it follows the trail")


def test_variables_are_settled_only_where_the_answer_hinges_on_them() -> None:
    hinging = [
        allow(Resource=(ARN, BUCKET, "/AWSLogs/1/*")),
        allow(Condition={"StringEquals": {"aws:SourceAccount": "1"}}),
        allow(Action=PREFIX),
        allow(Effect=PREFIX),
        allow(Principal={"Service": PREFIX}),
        allow(Principal={"AWS": PREFIX}),
        allow(Principal=PREFIX),
    ]
    for statement in hinging:
        with pytest.raises(Settled):
            grants(policy(statement), request(), refuse)
        away = {**statement, "Resource": (ARN, BUCKET, "/reports"), "Action": "s3:GetObject"}
        if "Effect" in statement and statement["Effect"] == "Allow":
            assert grants(policy(away), request(), refuse).outcome == "no"
        assert grants(policy(allow(), statement), request(), refuse).outcome == "yes"


def test_candidates_that_are_offered() -> None:
    def asked(*statements: Any) -> list[tuple[str, list[str]]]:
        ledger = Ledger()
        grants(policy(*statements), request(), ledger)
        return ledger.asked

    assert asked(allow(Resource=(ARN, BUCKET, "/AWSLogs/111122223333/*"))) == [("AWS::AccountId", ["111122223333"])]
    assert asked(allow(Condition={"StringEquals": {"aws:SourceAccount": "1"}})) == [("AWS::AccountId", ["1"])]
    assert asked(allow(Effect=PREFIX)) == [("Prefix", ["Allow"])]
    assert asked(allow(Principal={"Service": (PREFIX, ".amazonaws.com")})) == [("Prefix", ["cloudtrail"])]
    trail = {"ArnEquals": {"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:1:trail/audit"}}
    assert asked(allow(Condition=trail)) == [("AWS::AccountId", ["1"])]


def test_a_policy_is_put_to_several_requests() -> None:
    found = policy(allow(Resource=OWN))
    digests: Pieces = (ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail-Digest/*")
    other: Pieces = (ARN, BUCKET, "/AWSLogs/", Symbol("generated", "organization"), "/*")
    outcomes = [grants(found, request(resource=one), refuse).outcome for one in (LOGS, digests, other, LOGS)]
    assert outcomes == ["yes", "yes", "no", "yes"]
    assert grants(found, request("s3:GetBucketAcl", (ARN, BUCKET)), refuse).outcome == "no"
