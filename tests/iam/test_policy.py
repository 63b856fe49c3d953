"""Reading policy documents of every shape, and what AWS would refuse."""

# ruff: noqa: E501  (tables: one case, one line)

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.iam.helpers import (
    ACCOUNT,
    ARN,
    BUCKET,
    IMPORTED,
    NODE,
    SERVICE,
    allow,
    deny,
    policy,
    refuse,
    request,
    unknown,
    value,
)
from trailguard.cloudformation.scenarios.values import Absent, Text, join_pieces, show, told
from trailguard.iam.evaluate import denials, grants
from trailguard.iam.policy import read_policy

WRITE = allow(Resource=(ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/*"))


def as_json(document: Any) -> Any:
    """The document as JSON text, with `@` for the bucket's name and `#` for the account."""
    spelt = json.dumps(document)
    parts = spelt.replace("@", "\0@\0").replace("#", "\0#\0").split("\0")
    return Text(join_pieces({"@": BUCKET, "#": ACCOUNT}.get(part, part) for part in parts), NODE)


JSON_WRITE = allow(Resource=f"{ARN}@/AWSLogs/#/*")


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(value({"Statement": [WRITE]}), id="list"),
        pytest.param(value({"Statement": WRITE}), id="object"),
        pytest.param(value({"Statement": {**WRITE, "Action": ["s3:PutObject"], "Resource": [WRITE["Resource"]]}}), id="lists"),
        pytest.param(value({"Statement": [{**WRITE, "Action": "S3:putobject"}]}), id="letter case of the action"),
        pytest.param(value({"Statement": [{**WRITE, "Action": "s3:Put*"}]}), id="wildcard in the action"),
        pytest.param(value({"Statement": [{**WRITE, "Action": "*"}]}), id="every action"),
        pytest.param(value({"Statement": [{**WRITE, "Condition": Absent(NODE)}]}), id="no condition"),
        pytest.param(value({"Statement": [{**WRITE, "Condition": {}}]}), id="empty condition"),
        pytest.param(as_json({"Statement": JSON_WRITE}), id="JSON string with symbols"),
        pytest.param(as_json({"Version": "2012-10-17", "Id": "x", "Statement": [JSON_WRITE]}), id="JSON string, whole"),
    ],
)  # fmt: skip
def test_shape_does_not_matter(document: Any) -> None:
    found = read_policy(document)
    assert found.problems == ()
    assert found.unknown is None
    decision = grants(found, request(), refuse)
    assert (decision.outcome, decision.because) == ("yes", "statement 1 allows s3:PutObject")
    assert [show(Text(texts, NODE)) for texts in found.resource_texts()] == [
        f"{ARN}${{LogBucket}}/AWSLogs/${{AWS::AccountId}}/*"
    ]


MALFORMED = [
    ("no effect", allow(Effect=None), "a statement has no Effect"),
    ("lower-case effect", allow(Effect="allow"), 'Effect "allow" is neither Allow nor Deny'),
    ("effect is a list", allow(Effect=["Allow"]), "Effect is neither Allow nor Deny"),
    ("no principal", allow(Principal=None), "a statement has no Principal"),
    ("no action", allow(Action=None), "a statement has no Action"),
    ("no resource", allow(Resource=None), "a statement has no Resource"),
    ("both actions", {**WRITE, "NotAction": "s3:Get*"}, "a statement has both Action and NotAction"),
    ("both principals", {**WRITE, "NotPrincipal": "*"}, "a statement has both Principal and NotPrincipal"),
    ("both resources", {**WRITE, "NotResource": "x"}, "a statement has both Resource and NotResource"),
    ("lower-case element", {**WRITE, "condition": {}}, "a statement has no element condition"),
    ("principal is a name", allow(Principal=SERVICE), f'Principal "{SERVICE}" is neither a map nor *'),
    ("principal is a list", allow(Principal=["*"]), "Principal is neither a map nor *"),
    ("principal of a strange kind", allow(Principal={"service": SERVICE}), "service is not a kind of principal"),
    ("wildcard service", allow(Principal={"Service": "*.amazonaws.com"}), 'Service "*.amazonaws.com" of Principal: wildcards in principals are refused'),
    ("wildcard account", allow(Principal={"AWS": "arn:aws:iam::1:role/*"}), 'AWS "arn:aws:iam::1:role/*" of Principal: wildcards in principals are refused'),
    ("service is a map", allow(Principal={"Service": {"a": "b"}}), "Service of Principal is not text"),
    ("action is a map", allow(Action={"a": "b"}), "Action is not text"),
    ("action is true", allow(Action=True), "Action is not text"),
    ("resource is null", {**WRITE, "Resource": None}, "Resource is not text"),
    ("condition is a list", allow(Condition=[]), "Condition is not a map"),
    ("strange operator", allow(Condition={"StringIs": {"k": "v"}}), "there is no condition operator StringIs"),
    ("statement is text", "s3:*", "a statement is not a map"),
    ("statement is null", None, "a statement is not a map"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "message"), [c[1:] for c in MALFORMED], ids=[c[0] for c in MALFORMED])
def test_malformed_statements_are_undecided(statement: Any, message: str) -> None:
    found = policy(statement)
    assert [problem.message for problem in found.problems] == [message]
    assert found.problems[0].node is not None
    decision = grants(found, request(), refuse)
    assert (decision.outcome, decision.reason) == ("unknown", f"AWS would refuse the policy: {message}")
    assert grants(policy(statement, WRITE), request(), refuse).outcome == "yes"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (value([]), "AWS would refuse the policy: the policy document is not a map"),
        (value({}), "AWS would refuse the policy: the policy document has no Statement"),
        (value("{"), "AWS would refuse the policy: it is not JSON: Expecting property name enclosed in double quotes"),
        (value("Statement: []"), "AWS would refuse the policy: it is not JSON: Expecting value"),
        (
            value('{"Statement": [], "Statement": []}'),
            "AWS would refuse the policy: Statement stands twice in one object",
        ),
        (value("[" * 100_000), "AWS would refuse the policy: it is not JSON: it is nested too deeply"),
        (
            value(('{"Statement": ["', BUCKET, '" "x"]}')),
            "AWS would refuse the policy: it is not JSON: Expecting ',' delimiter",
        ),
        (value(('{"Statement": ["', IMPORTED, '" "x"]}')), "part of the policy's text is not known: nobody exports it"),
        (
            value(('{"Statement": ', ACCOUNT, "}")),
            "part of the policy's text is not known: the account of the deployment is not known",
        ),
        (value(('{"Statement": ', IMPORTED, "}")), "part of the policy's text is not known: nobody exports it"),
        (unknown("nobody exports it"), "nobody exports it"),
        (value({"Statement": unknown("nobody exports it")}), "nobody exports it"),
        (value(IMPORTED), "nobody exports it"),
    ],
)
def test_documents_that_cannot_be_read(document: Any, reason: str) -> None:
    found = read_policy(document)
    assert found.unknown == reason
    for question in (grants, denials):
        decision = question(found, request(), refuse)
        assert (decision.outcome, decision.reason) == ("unknown", reason)


def test_an_absent_document_allows_nothing() -> None:
    decision = grants(read_policy(Absent(NODE)), request(), refuse)
    assert (decision.outcome, decision.because) == ("no", f"no statement allows s3:PutObject to {SERVICE}")


def test_a_strange_version_is_a_problem() -> None:
    assert [p.message for p in policy(WRITE, version="2020-01-01").problems] == [
        'Version "2020-01-01" is none of "2008-10-17" and "2012-10-17"'
    ]


def test_unknown_parts_make_only_what_depends_on_them_unknown() -> None:
    hidden = unknown("nobody exports it")
    for name in ("Action", "Resource", "Condition", "Principal", "Effect"):
        decision = grants(policy({**WRITE, name: hidden}), request(), refuse)
        assert (decision.outcome, decision.reason) == ("unknown", "nobody exports it"), name
        other = grants(
            policy({**WRITE, name: hidden, **({"Action": "s3:GetObject"} if name != "Action" else {"Resource": "x"})}),
            request(),
            refuse,
        )
        assert other.outcome == "no", name
        assert grants(policy({**WRITE, name: hidden}, WRITE), request(), refuse).outcome == "yes", name
    assert grants(policy(hidden), request(), refuse).reason == "nobody exports it"
    assert denials(policy(hidden, deny()), request(), refuse).outcome == "yes"
    assert grants(policy({**WRITE, "Action": ["s3:PutObject", hidden]}), request(), refuse).outcome == "yes"


PRIVATE = [chr(code) for code in (0xE000, 0xE001, 0xE002, 0xE003, 0xE004, 0xE005, 0xE006, 0xE007, 0xF8FF, 0x10FFFD)]


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("letter", PRIVATE)
def test_no_spelling_of_json_turns_into_a_symbol(letter: str, escaped: bool) -> None:
    """Private letters, spelt out or escaped, are letters like any other, whatever stands for symbols meanwhile."""
    for text in (letter, f"{letter}0{letter}", f"{letter}0{chr(ord(letter) + 1)}", f"\ue0040\ue005{letter}"):
        spelt = json.dumps({"Statement": allow(Resource=f"{ARN}@/{text}/*", Sid=text)}, ensure_ascii=escaped)
        before, after = spelt.split("@")
        found = read_policy(Text((before, BUCKET, after), NODE))
        assert found.resource_texts() == [(ARN, BUCKET, f"/{text}/*")]
        assert found.statements[0].sid == text
        assert grants(found, request(), refuse).outcome == "no"


def test_symbols_in_the_keys_of_json_are_shown_by_name() -> None:
    before, after = json.dumps({"Statement": allow(Condition={"StringEquals": {"aws:@": "x"}})}).split("@")
    found = read_policy(Text((before, ACCOUNT, after), NODE))
    decision = grants(found, request(), refuse)
    assert decision.reason == f"the condition key aws:{told(ACCOUNT)} is not known for this request"


def test_half_a_character_in_json_is_no_character() -> None:
    found = read_policy(value(r'{"Statement": {"Sid": "\ud800"}}'))
    assert found.statements[0].sid == "\ufffd"


def test_json_numbers_and_booleans_are_read_as_written() -> None:
    document = value(
        '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition":'
        ' {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"s3:TlsVersion": 1.2}}}}'
    )
    (statement,) = read_policy(document).statements
    assert [[text.literal for text in clause.values] for clause in statement.clauses] == [["false"], ["1.2"]]
