"""Changes of statements: the same ones do the same to a document that is a map and to one that is a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Change
from trailguard.cloudformation.source.nodes import plain
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.fixes.changing import edits_for
from trailguard.fixes.edits import applied
from trailguard.iam.documents import read_document
from trailguard.iam.policy import Statement
from trailguard.judging.subjects import JudgedTemplate
from trailguard.trails.facts.statements import Paper, new_sid, paper_of

Edit = Callable[[Paper, Statement], Sequence[Change]]
KEY = "s3:x-amz-acl"


def changed(document: dict[str, Any], as_text: bool, edit: Edit) -> dict[str, Any]:
    """A policy after a change of its first statement."""
    stated: Any = json.dumps(document) if as_text else document
    properties = {"Bucket": "logs", "PolicyDocument": stated}
    text = json.dumps({"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}}, indent=1)
    judged = JudgedTemplate("t", Template(parse(text.encode())), Pins())

    def ask(scenario: Scenario) -> Sequence[Change]:
        resource = judged.template.resources["Policy"]
        paper = paper_of(scenario, resource)
        assert paper is not None
        assert paper.in_text is as_text
        return edit(paper, read_document(scenario, resource, "PolicyDocument").statements[0])

    (leaf,) = judged.scenarios.explore(ask)
    after: Any = plain(parse(applied(text, edits_for(text, leaf.answer)).encode()).root)
    found = after["Resources"]["Policy"]["Properties"]["PolicyDocument"]
    result: dict[str, Any] = json.loads(found) if as_text else found
    return result


def policy(*conditions: Any, listed: bool = True) -> dict[str, Any]:
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs/*",
            **({"Condition": condition} if condition else {}),
        }
        for condition in conditions
    ]
    return {"Version": "2012-10-17", "Statement": statements if listed else statements[0]}


def first(document: dict[str, Any]) -> dict[str, Any]:
    stated = document["Statement"]
    found: dict[str, Any] = stated[0] if isinstance(stated, list) else stated
    return found


OPERATORS = st.sampled_from(["StringEquals", "StringLike", "StringNotEquals", "StringEqualsIfExists", "Null", "Bool"])
KEYS = st.sampled_from([KEY, KEY.upper(), "aws:SourceArn", "aws:SourceAccount"])
CONDITIONS = st.dictionaries(OPERATORS, st.dictionaries(KEYS, st.just("true"), min_size=1, max_size=3), max_size=3)


@given(CONDITIONS, st.booleans(), st.booleans())
def test_a_key_is_asked_for_once_and_all_others_stay(condition: Any, as_text: bool, listed: bool) -> None:
    spellings = [key for asked in condition.values() for key in asked if key.lower() == KEY]
    if any(len([key for key in asked if key.lower() == KEY]) > 1 for asked in condition.values()):
        return  # S3 refuses a key that stands twice under one operator
    document = policy(condition, listed=listed)
    after = first(changed(document, as_text, lambda paper, one: paper.ask(one, "StringEquals", KEY, "mine")))
    asked = [(operator, key) for operator, keys in after["Condition"].items() for key in keys if key.lower() == KEY]
    assert len(asked) == 1
    assert asked[0][0] == "StringEquals"
    assert after["Condition"]["StringEquals"][asked[0][1]] == "mine"
    assert asked[0][1] in (*spellings, KEY)
    others = {(op, key) for op, keys in condition.items() for key in keys if key.lower() != KEY}
    kept = {(op, key) for op, keys in after["Condition"].items() for key in keys if key.lower() != KEY}
    assert kept == others
    assert all(after["Condition"].values())


@pytest.mark.parametrize("as_text", [False, True])
def test_a_condition_goes_with_its_last_key(as_text: bool) -> None:
    document = policy({"StringEquals": {KEY: "a"}})
    way = ("Condition", "StringEquals", KEY)
    assert "Condition" not in first(changed(document, as_text, lambda paper, one: [paper.remove(one, way)]))
    document = policy({"StringEquals": {KEY: "a", "aws:SourceArn": "b"}})
    after = first(changed(document, as_text, lambda paper, one: [paper.remove(one, way)]))
    assert after["Condition"] == {"StringEquals": {"aws:SourceArn": "b"}}
    document = policy({"StringEquals": {KEY: "a"}, "Bool": {"aws:SecureTransport": "true"}})
    after = first(changed(document, as_text, lambda paper, one: [paper.remove(one, way)]))
    assert after["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_statements_and_resources_are_added(as_text: bool, listed: bool) -> None:
    document = policy(None, listed=listed)
    more = {"Effect": "Deny"}
    after = changed(document, as_text, lambda paper, one: [paper.new(more)])
    assert after["Statement"] == [first(document), more]
    after = changed(document, as_text, lambda paper, one: [paper.append(one, ("Resource",), "arn:aws:s3:::logs")])
    assert first(after)["Resource"] == ["arn:aws:s3:::logs/*", "arn:aws:s3:::logs"]


def test_a_sid_is_given_where_all_others_have_one() -> None:
    found: list[dict[str, Any]] = []

    def edit(paper: Paper, one: Statement) -> Sequence[Change]:
        found.append(dict(new_sid(read_document(paper.scenario, paper.resource, "PolicyDocument"), "Mine")))
        return ()

    for sids in (["", "Mine"], ["Mine", "Other"], ["Other", "Another"]):
        document = policy(None, None)
        document["Statement"] = [{**({"Sid": sid} if sid else {}), **first(document)} for sid in sids]
        changed(document, False, edit)
    assert found == [{}, {"Sid": "Mine2"}, {"Sid": "Mine"}]


@given(CONDITIONS, st.booleans())
def test_one_key_is_asked_for_in_place_of_others(condition: Any, as_text: bool) -> None:
    others = ("aws:SourceArn", "aws:SourceAccount")
    gone = [(operator, key) for operator, keys in condition.items() for key in keys if key in others]
    document = policy(condition)
    after = first(
        changed(
            document, as_text, lambda paper, one: paper.ask_instead(one, "StringEquals", "aws:SourceVpc", "v", gone)
        )
    )
    found = [(operator, key) for operator, keys in after["Condition"].items() for key in keys]
    kept = [(operator, key) for operator, keys in condition.items() for key in keys if key not in others]
    assert sorted(found) == sorted([*kept, ("StringEquals", "aws:SourceVpc")])
    assert all(after["Condition"].values())
