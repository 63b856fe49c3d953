"""Statements against a request: principals, actions, resources, shapes and faults, each with what is said about it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from iam_support import (
    BUCKET,
    IMPORT,
    MADE,
    PARAMETER,
    SERVICE,
    Asked,
    never,
    otherwise,
    policy,
    request,
    statement,
    unknown,
    value,
)

from trailguard.iam.evaluate import allowed, denials, denied_wholly, grantors, grants
from trailguard.iam.policy import read_policy

KEY = f"{BUCKET}/AWSLogs/111122223333/CloudTrail/*"
ROLE = "arn:aws:iam::111122223333:role/x"
DENY = {"Effect": "Deny"}

PRINCIPALS: list[tuple[str, Any, str, str]] = [
    ("service", {"Service": SERVICE}, "yes", ""),
    ("service-in-a-list", {"Service": ["config.amazonaws.com", SERVICE]}, "yes", ""),
    ("service-among-kinds", {"AWS": ROLE, "Service": SERVICE}, "yes", ""),
    ("other-service", {"Service": "config.amazonaws.com"}, "no", ""),
    ("service-in-capitals", {"Service": "CloudTrail.amazonaws.com"}, "no", ""),
    ("wildcard-in-service", {"Service": "cloudtrail.*"}, "no", ""),
    ("every-service", {"Service": "*"}, "no", ""),
    ("service-from-elsewhere", {"Service": IMPORT}, "unknown", IMPORT.reason),
    ("service-with-a-suffix", {"Service": ("cloudtrail.", IMPORT)}, "unknown", IMPORT.reason),
    ("other-service-with-a-suffix", {"Service": ("config.", IMPORT)}, "no", ""),
    ("star", "*", "yes", ""),
    ("star-in-a-list", ["*"], "yes", ""),
    ("aws-star", {"AWS": "*"}, "yes", ""),
    ("aws-star-in-a-list", {"AWS": [ROLE, "*"]}, "yes", ""),
    ("canonical-star", {"CanonicalUser": "*"}, "no", ""),
    ("account", {"AWS": "086441151436"}, "yes", ""),
    ("account-root", {"AWS": "arn:aws:iam::086441151436:root"}, "yes", ""),
    ("account-user", {"AWS": "arn:aws:iam::086441151436:user/086441151436"}, "no", ""),
    ("other-account", {"AWS": "111122223333"}, "no", ""),
    ("role", {"AWS": ROLE}, "no", ""),
    ("role-of-the-template", {"AWS": MADE}, "no", ""),
    ("partial-wildcard", {"AWS": "arn:aws:iam::*:root"}, "no", ""),
    ("aws-from-elsewhere", {"AWS": IMPORT}, "unknown", IMPORT.reason),
    ("aws-role-from-elsewhere", {"AWS": ("arn:aws:iam::1:role/", IMPORT)}, "no", ""),
    ("federated", {"Federated": SERVICE}, "no", ""),
    ("text", SERVICE, "no", ""),
    ("text-from-elsewhere", IMPORT, "unknown", IMPORT.reason),
    ("unknown", unknown("an import"), "unknown", "an import"),
    ("unknown-in-a-list", [unknown("an import")], "unknown", "an import"),
    ("unknown-entry", {"Service": unknown("an import")}, "unknown", "an import"),
    ("unknown-account", {"AWS": unknown("an import")}, "unknown", "an import"),
    ("nothing", {}, "no", ""),
    ("no-items", {"Service": []}, "no", ""),
    ("null", {"Service": None}, "no", ""),
]


@pytest.mark.parametrize(("principal", "state", "reason"), [c[1:] for c in PRINCIPALS], ids=[c[0] for c in PRINCIPALS])
def test_principals(principal: Any, state: str, reason: str) -> None:
    found = grants(policy(statement(Principal=principal)), request(), never)
    assert (found.outcome, found.reason) == (state, reason)
    if state == "no":
        assert found.because == f"statement 1 grants s3:PutObject to somebody else than {SERVICE}"
    # NotPrincipal names everybody else.
    denied = denials(policy(statement(**DENY, Principal=None, NotPrincipal=principal)), request(), never)
    assert denied.outcome == {"yes": "no", "no": "yes", "unknown": "unknown"}[state]


@pytest.mark.parametrize("everybody", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_everybody_counts_only_when_asked(everybody: Any) -> None:
    strict = request(everyone=False)
    assert grants(policy(statement(Principal=everybody)), strict, never).outcome == "no"
    spared = policy(statement(**DENY, Principal=None, NotPrincipal=everybody))
    assert denials(spared, strict, never).outcome == "no"


@pytest.mark.parametrize(
    ("element", "wanted", "state"),
    [
        ("Action", "s3:PutObject", "yes"),
        ("Action", "S3:putobject", "yes"),
        ("Action", "s3:Put*", "yes"),
        ("Action", "s3:PUTOBJEC?", "yes"),
        ("Action", "s3:*", "yes"),
        ("Action", "*", "yes"),
        ("Action", ["s3:GetObject", "s3:PutObject"], "yes"),
        ("Action", "s3:PutObjectAcl", "no"),
        ("Action", "s3:GetBucketAcl", "no"),
        ("Action", [], "no"),
        ("Action", "PutObject", "no"),
        ("Action", unknown("an import"), "unknown"),
        ("Action", ["s3:Get*", unknown("an import")], "unknown"),
        ("Action", ("s3:", IMPORT), "unknown"),
        ("Action", ("sns:", IMPORT), "no"),
        ("NotAction", "s3:PutObject", "no"),
        ("NotAction", "S3:PUT*", "no"),
        ("NotAction", "s3:Get*", "yes"),
        ("NotAction", ["s3:Get*", unknown("an import")], "unknown"),
        ("NotAction", [], "yes"),
        ("Resource", KEY, "yes"),
        ("Resource", f"{BUCKET}/*", "yes"),
        ("Resource", [BUCKET, f"{BUCKET}/*"], "yes"),
        ("Resource", "*", "yes"),
        ("Resource", f"{BUCKET}*", "yes"),
        ("Resource", f"{BUCKET}/AWSLogs/*/CloudTrail/*", "yes"),
        ("Resource", BUCKET, "no"),
        ("Resource", f"{BUCKET}/AWSLogs/111122223333", "no"),
        ("Resource", f"{BUCKET}//AWSLogs/*", "no"),
        ("Resource", f"{BUCKET}/AWSLogs/*/eu-west-1/*", "no"),
        ("Resource", "arn:aws:s3:::LOGS/*", "no"),
        ("Resource", [], "no"),
        ("Resource", IMPORT, "unknown"),
        ("Resource", ("arn:aws:s3:::", IMPORT, "/*"), "unknown"),
        ("Resource", ("arn:aws:s3:::", MADE, "/*"), "no"),
        ("Resource", f"{BUCKET}/${{aws:username}}/*", "unknown"),
        ("Resource", f"{BUCKET}/${{*}}", "no"),
        ("NotResource", f"{BUCKET}/*", "no"),
        ("NotResource", "arn:aws:s3:::other/*", "yes"),
        ("NotResource", IMPORT, "unknown"),
        ("NotResource", [], "yes"),
    ],
)
def test_actions_and_resources(element: str, wanted: Any, state: str) -> None:
    changes: dict[str, Any] = {element.removeprefix("Not"): None, element: wanted}
    assert grants(policy(statement(**changes)), request(), never).outcome == state


def test_policy_variables_are_plain_text_in_the_old_version() -> None:
    old = policy(statement(Resource=f"{BUCKET}/${{aws:username}}/*"), version="2008-10-17")
    assert grants(old, request(), never).outcome == "no"
    assert grants(old, request(f"{BUCKET}/${{aws:username}}/*"), never).outcome == "yes"


FAULTS: list[tuple[str, Any, str]] = [
    ("no-effect", statement(Effect=None), "a statement without Effect is refused by AWS"),
    ("effect-case", statement(Effect="allow"), 'Effect "allow" is refused by AWS'),
    ("effect-empty", statement(Effect=""), 'Effect "" is refused by AWS'),
    ("effect-list", statement(Effect=["Allow"]), "a statement without Effect is refused by AWS"),
    ("effect-parameter", statement(Effect=PARAMETER), "the Effect of a statement is not known"),
    ("effect-import", statement(Effect=IMPORT), IMPORT.reason),
    ("no-principal", statement(Principal=None), "a statement without Principal is refused by AWS"),
    ("no-action", statement(Action=None), "a statement without Action is refused by AWS"),
    ("no-resource", statement(Resource=None), "a statement without Resource is refused by AWS"),
    (
        "two-principals",
        statement(NotPrincipal="*"),
        "a statement with both Principal and NotPrincipal is refused by AWS",
    ),
    ("two-actions", statement(NotAction="a"), "a statement with both Action and NotAction is refused by AWS"),
    ("two-resources", statement(NotResource="a"), "a statement with both Resource and NotResource is refused by AWS"),
    ("strange", statement(Conditions={}), "a statement with Conditions is refused by AWS"),
    ("lower-case", statement(sid="x"), "a statement with sid is refused by AWS"),
    ("text", "statement", "a statement is no map, which AWS refuses"),
    ("null", None, "a statement is no map, which AWS refuses"),
    ("unknown", unknown("an import"), "an import"),
]


@pytest.mark.parametrize(("item", "fault"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_what_aws_refuses_is_never_decided(item: Any, fault: str) -> None:
    for question in (grants, denials, denied_wholly, allowed):
        found = question(policy(item), request(), never)
        assert (found.outcome, found.reason) == ("unknown", fault), question.__name__
    assert grantors(policy(item), request(), never) == []
    assert grants(policy(item, statement()), request(), never).outcome == "yes"
    assert denials(policy(item, statement(**DENY)), request(), never).outcome == "yes"


def test_shapes_do_not_matter() -> None:
    whole: dict[str, Any] = {"Version": "2012-10-17", "Statement": statement(Sid="Write")}
    listed = {"Version": "2012-10-17", "Statement": [statement(Action=["s3:PutObject"], Resource=[f"{BUCKET}/*"])]}
    for document in (whole, listed, json.dumps(whole), json.dumps(listed, indent=2)):
        assert grants(read_policy(value(document)), request(), never).outcome == "yes"
    spelt = json.dumps(whole).replace("arn:aws:s3:::logs", "arn:aws:s3:::@")
    before, after = spelt.split("@")
    made = request(("arn:aws:s3:::", MADE, "/AWSLogs/1/*"))
    assert grants(read_policy(value((before, MADE, after))), made, never).outcome == "yes"
    assert grants(read_policy(value((before, MADE, after))), request(), never).outcome == "no"


@pytest.mark.parametrize(
    ("document", "state", "reason"),
    [
        (unknown("an import"), "unknown", "an import"),
        ("{", "unknown", "the policy document is no JSON: "),
        ([], "unknown", "the policy document is no map"),
        (None, "unknown", "the policy document is no map"),
        ({"Statement": unknown("an import")}, "unknown", "an import"),
        ({}, "no", ""),
        ({"Statement": []}, "no", ""),
    ],
)
def test_documents_that_hold_no_statement(document: Any, state: str, reason: str) -> None:
    for question in (grants, denials, denied_wholly, allowed):
        found = question(read_policy(value(document)), request(), never)
        assert found.outcome == state
        assert found.reason.startswith(reason)


ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"Action": "s3:GetObject"}, "statement 1 (Write) does not allow s3:PutObject"),
        ({"Resource": BUCKET}, f"statement 1 (Write) allows s3:PutObject on {BUCKET}, not on {KEY}"),
        (
            {"Resource": f"{BUCKET}/AWSLogs/*/x"},
            f"statement 1 (Write) allows s3:PutObject on {BUCKET}/AWSLogs/*/x, not",
        ),
        ({"Resource": None, "NotResource": "*"}, "statement 1 (Write) allows s3:PutObject on other resources, not on"),
        (
            {"Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}},
            'statement 1 (Write): its condition StringEquals s3:x-amz-acl asks for "private", and CloudTrail sends '
            '"bucket-owner-full-control"',
        ),
        (
            {"Condition": ORG},
            'statement 1 (Write): its condition StringEquals aws:PrincipalOrgID asks for "o-1", and CloudTrail does not '
            "send it",
        ),
        ({"Action": "s3:GetObject", "Resource": BUCKET}, f"no statement allows s3:PutObject to {SERVICE}"),
    ],
)
def test_the_nearest_miss_is_told(changes: dict[str, Any], because: str) -> None:
    found = grants(policy(statement(Sid="Write", **changes)), request(), never)
    assert found.outcome == "no"
    assert found.because.startswith(because)


def test_allows_cover_together_and_a_deny_hits_in_part() -> None:
    halves = policy(statement(Resource=f"{BUCKET}/a*"), statement(Resource=[f"{BUCKET}/", f"{BUCKET}/?*"]))
    assert grants(halves, request(f"{BUCKET}/*"), never).outcome == "yes"
    part = policy(statement(), statement(**DENY, Resource=f"{KEY}x"))
    assert allowed(part, request(), never).outcome == "no"
    assert denials(part, request(), never).because == f"statement 2 denies s3:PutObject on {KEY}"
    assert denied_wholly(part, request(), never).outcome == "no"
    assert denied_wholly(policy(statement(**DENY)), request(), never).outcome == "yes"
    conditional = policy(statement(**DENY, Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}))
    found = denials(conditional, request(), never)
    assert found.because.endswith(" (its condition StringNotEquals aws:PrincipalOrgID holds for CloudTrail)")
    open_ = policy(statement(**DENY, Condition={"Bool": {"aws:Foo": "true"}}))
    assert denials(open_, request(), never).because == (
        "whether statement 1 denies s3:PutObject is not known: the condition key aws:Foo is not known for this request"
    )


def test_a_parameter_is_asked_for_as_aws_spells_the_action() -> None:
    with pytest.raises(Asked) as asked:
        grants(policy(statement(Action=("s3:", PARAMETER))), request(), never)
    assert "PutObject" in asked.value.candidates
    assert grants(policy(statement(Action=("s3:", PARAMETER))), request(), otherwise).outcome == "no"
    assert grants(policy(statement(Action=("sns:", PARAMETER))), request(), never).outcome == "no"


def test_many_hostile_statements_take_a_bounded_time() -> None:
    start = time.perf_counter()
    items = [statement(Resource=f"{BUCKET}/" + f"*a{number}" * 20) for number in range(60)]
    found = allowed(policy(*items), request(f"{BUCKET}/" + "*b" * 20), never)
    assert found.outcome in ("no", "unknown")
    assert time.perf_counter() - start < 10
