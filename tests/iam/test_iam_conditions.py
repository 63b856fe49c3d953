"""Condition operators, one table: what they say of a known, a missing and a many-valued key."""

from __future__ import annotations

from typing import Any

import pytest
from iam_support import IMPORT, MADE, NODE, PARAMETER, Asked, never, otherwise, text, unknown, value

from trailguard.cloudformation.values import Text
from trailguard.iam.conditions import Context, conditions_hold

ARN = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"
CONTEXT: dict[str, list[str]] = {
    "k:word": ["Blue"],
    "k:star": ["*"],
    "k:empty": [""],
    "k:many": ["a", "b"],
    "k:missing": [],
    "k:arn": [ARN],
    "k:true": ["true"],
    "k:number": ["10"],
    "k:date": ["2024-05-01T00:00:00Z"],
    "k:ip": ["10.1.2.3"],
}

CASES: list[tuple[str, str, Any, str]] = [
    # operator, key, wanted, answer
    ("StringEquals", "k:word", "Blue", "yes"),
    ("StringEquals", "k:word", "blue", "no"),
    ("StringEquals", "k:word", "B*", "no"),
    ("StringEquals", "k:word", ["Red", "Blue"], "yes"),
    ("StringEquals", "k:word", ["Red", "Green"], "no"),
    ("StringEquals", "k:word", [], "no"),
    ("StringEquals", "k:word", "", "no"),
    ("StringEquals", "k:empty", "", "yes"),
    ("StringEquals", "k:star", "*", "yes"),
    ("StringEquals", "k:star", "?", "no"),
    ("StringEquals", "K:WORD", "Blue", "yes"),
    ("StringEquals", "k:missing", "Blue", "no"),
    ("StringNotEquals", "k:word", "Blue", "no"),
    ("StringNotEquals", "k:word", ["Red", "Blue"], "no"),
    ("StringNotEquals", "k:word", ["Red", "Green"], "yes"),
    ("StringNotEquals", "k:word", [], "yes"),
    ("StringNotEquals", "k:missing", "Blue", "yes"),
    ("StringEqualsIgnoreCase", "k:word", "bLUE", "yes"),
    ("StringEqualsIgnoreCase", "k:word", "red", "no"),
    ("StringEqualsIgnoreCase", "k:missing", "blue", "no"),
    ("StringNotEqualsIgnoreCase", "k:word", "bLUE", "no"),
    ("StringNotEqualsIgnoreCase", "k:word", "red", "yes"),
    ("StringNotEqualsIgnoreCase", "k:missing", "red", "yes"),
    ("StringLike", "k:word", "B*", "yes"),
    ("StringLike", "k:word", "Bl?e", "yes"),
    ("StringLike", "k:word", "Bl?", "no"),
    ("StringLike", "k:word", "Blue?", "no"),
    ("StringLike", "k:word", "????", "yes"),
    ("StringLike", "k:word", "b*", "no"),
    ("StringLike", "k:word", ["x*", "*e"], "yes"),
    ("StringLike", "k:word", "*", "yes"),
    ("StringLike", "k:empty", "*", "yes"),
    ("StringLike", "k:empty", "?", "no"),
    ("StringLike", "k:star", "a*", "no"),
    ("StringLike", "k:missing", "*", "no"),
    ("StringNotLike", "k:word", "B*", "no"),
    ("StringNotLike", "k:word", "x*", "yes"),
    ("StringNotLike", "k:missing", "*", "yes"),
    ("StringEqualsIfExists", "k:missing", "Blue", "yes"),
    ("StringEqualsIfExists", "k:word", "Red", "no"),
    ("StringLikeIfExists", "k:missing", "Blue", "yes"),
    ("StringNotEqualsIfExists", "k:missing", "Blue", "yes"),
    ("StringNotEqualsIfExists", "k:word", "Blue", "no"),
    ("ForAnyValue:StringEquals", "k:many", "a", "yes"),
    ("ForAnyValue:StringEquals", "k:many", ["b", "c"], "yes"),
    ("ForAnyValue:StringEquals", "k:many", "c", "no"),
    ("ForAnyValue:StringEquals", "k:missing", "a", "no"),
    ("ForAnyValue:StringEqualsIfExists", "k:missing", "a", "yes"),
    ("ForAnyValue:StringNotEquals", "k:many", "a", "yes"),
    ("ForAnyValue:StringNotEquals", "k:many", ["a", "b"], "no"),
    ("ForAnyValue:StringNotEquals", "k:missing", "a", "no"),
    ("ForAnyValue:StringLike", "k:many", "?", "yes"),
    ("ForAnyValue:StringEquals", "k:word", "Blue", "yes"),
    ("ForAllValues:StringEquals", "k:many", ["a", "b", "c"], "yes"),
    ("ForAllValues:StringEquals", "k:many", "a", "no"),
    ("ForAllValues:StringEquals", "k:missing", "a", "yes"),
    ("ForAllValues:StringNotEquals", "k:many", ["c", "d"], "yes"),
    ("ForAllValues:StringNotEquals", "k:many", ["a", "d"], "no"),
    ("ForAllValues:StringNotEquals", "k:missing", "a", "yes"),
    ("Null", "k:missing", "true", "yes"),
    ("Null", "k:missing", True, "yes"),
    ("Null", "k:missing", "false", "no"),
    ("Null", "k:word", "TRUE", "no"),
    ("Null", "k:word", False, "yes"),
    ("Null", "K:Word", "false", "yes"),
    ("Null", "k:word", ["true", "false"], "yes"),
    ("Bool", "k:true", "true", "yes"),
    ("Bool", "k:true", True, "yes"),
    ("Bool", "k:true", "True", "yes"),
    ("Bool", "k:true", "false", "no"),
    ("Bool", "k:true", False, "no"),
    ("Bool", "k:missing", "true", "no"),
    ("Bool", "k:missing", "false", "no"),
    ("BoolIfExists", "k:missing", "false", "yes"),
    ("BoolIfExists", "k:true", "false", "no"),
    ("ArnEquals", "k:arn", ARN, "yes"),
    ("ArnEquals", "k:arn", "arn:aws:cloudtrail:*:111122223333:trail/*", "yes"),
    ("ArnLike", "k:arn", "arn:*:cloudtrail:*:*:*", "yes"),
    ("ArnLike", "k:arn", "arn:*:*:*:*:trail/aud?t", "yes"),
    ("ArnLike", "k:arn", "*", "yes"),
    ("ArnLike", "k:arn", "arn:aws:cloudtrail:*:trail/audit:*", "no"),
    ("ArnLike", "k:arn", "arn:aws:cloudtrail:eu-west-1:111122223333", "no"),
    ("ArnLike", "k:arn", "arn:aws:s3:*:111122223333:trail/*", "no"),
    ("ArnLike", "k:missing", "*", "no"),
    ("ArnLikeIfExists", "k:missing", "*", "yes"),
    ("ArnNotLike", "k:arn", "arn:aws:cloudtrail:*:111122223333:trail/*", "no"),
    ("ArnNotEquals", "k:arn", "arn:aws:cloudtrail:*:999999999999:trail/*", "yes"),
    ("ArnNotEquals", "k:missing", "arn:aws:cloudtrail:*:999999999999:trail/*", "yes"),
    ("NumericEquals", "k:number", "10.0", "yes"),
    ("NumericNotEquals", "k:number", "10", "no"),
    ("NumericNotEquals", "k:missing", "10", "yes"),
    ("NumericLessThan", "k:number", "10", "no"),
    ("NumericLessThan", "k:number", "11", "yes"),
    ("NumericLessThanEquals", "k:number", "10", "yes"),
    ("NumericGreaterThan", "k:number", "9.5", "yes"),
    ("NumericGreaterThanEquals", "k:number", "10", "yes"),
    ("NumericGreaterThanEquals", "k:number", "1e1", "yes"),
    ("NumericLessThan", "k:missing", "11", "no"),
    ("NumericLessThanIfExists", "k:missing", "11", "yes"),
    ("DateEquals", "k:date", "2024-05-01T02:00:00+02:00", "yes"),
    ("DateNotEquals", "k:date", "2024-05-01T00:00:00Z", "no"),
    ("DateLessThan", "k:date", "2024-05-02", "yes"),
    ("DateLessThanEquals", "k:date", "2024-05-01", "yes"),
    ("DateGreaterThan", "k:date", "2024-05-01T00:00:00Z", "no"),
    ("DateGreaterThanEquals", "k:date", "1714521600", "yes"),
    ("IpAddress", "k:ip", "10.0.0.0/8", "yes"),
    ("IpAddress", "k:ip", ["192.168.0.0/16", "10.1.2.3"], "yes"),
    ("IpAddress", "k:ip", "2001:db8::/32", "no"),
    ("NotIpAddress", "k:ip", "10.0.0.0/8", "no"),
    ("NotIpAddress", "k:ip", "192.168.0.0/16", "yes"),
    ("NotIpAddress", "k:missing", "10.0.0.0/8", "yes"),
    ("NotIpAddressIfExists", "k:missing", "10.0.0.0/8", "yes"),
    ("BinaryEquals", "k:word", "Blue", "yes"),
]

UNKNOWN: list[tuple[str, str, Any, str]] = [
    # operator, key, wanted, reason
    ("StringEquals", "k:other", "x", "the condition key k:other is not known for this request"),
    ("Null", "K:Other", "true", "the condition key K:Other is not known for this request"),
    ("StringSame", "k:word", "x", "the condition operator StringSame is not one of IAM's"),
    ("StringSame", "k:missing", "x", "the condition operator StringSame is not one of IAM's"),
    ("NotStringEquals", "k:word", "x", "the condition operator NotStringEquals is not one of IAM's"),
    ("BoolNot", "k:true", "x", "the condition operator BoolNot is not one of IAM's"),
    ("NumericNotLessThan", "k:number", "1", "the condition operator NumericNotLessThan is not one of IAM's"),
    ("NullIfExists", "k:word", "true", "the condition operator NullIfExists is not one of IAM's"),
    ("Some:Null", "k:word", "true", "the condition operator Some:Null is not one of IAM's"),
    (
        "ForSomeValue:StringEquals",
        "k:word",
        "x",
        "the condition operator ForSomeValue:StringEquals is not one of IAM's",
    ),
    ("Null", "k:word", "perhaps", "the value of a Null condition is not known"),
    ("Null", "k:word", IMPORT, "the value of a Null condition is not known"),
    ("StringEquals", "k:word", [["Blue"]], "a condition value is no text"),
    ("StringEquals", "k:word", {"a": "b"}, "a condition value is no text"),
    ("StringEquals", "k:word", None, "a condition value is no text"),
    ("StringEquals", "k:word", unknown("an import"), "an import"),
    ("StringEquals", "k:word", ["Red", unknown("an import")], "an import"),
    ("StringNotEquals", "k:word", ["Red", unknown("an import")], "an import"),
    ("StringEquals", "k:word", ("Bl", IMPORT), IMPORT.reason),
    ("StringLike", "k:word", ("*", IMPORT), IMPORT.reason),
    ("ArnLike", "k:arn", IMPORT, IMPORT.reason),
    ("ArnLike", "k:arn", ("arn:aws:cloudtrail:*:", IMPORT, ":trail/*"), IMPORT.reason),
    ("ArnLike", "k:arn", "arn:aws:cloudtrail:*", '"arn:aws:cloudtrail:*" is not a whole ARN'),
    ("NumericEquals", "k:number", "ten", '"ten" cannot be compared with "10"'),
    ("NumericEquals", "k:number", "1_0", '"1_0" cannot be compared with "10"'),
    ("NumericEquals", "k:number", "nan", '"nan" cannot be compared with "10"'),
    ("NumericLessThan", "k:number", IMPORT, IMPORT.reason),
    ("DateEquals", "k:date", "today", '"today" cannot be compared with "2024-05-01T00:00:00Z"'),
    ("IpAddress", "k:ip", "everywhere", '"everywhere" is no range of addresses'),
    ("IpAddress", "k:ip", IMPORT, "an address is not known"),
]


def named(case: tuple[str, str, Any, str]) -> str:
    return f"{case[0]} {case[1]} {case[2]}".replace(" ", "-")[:90]


def context(**changes: Text) -> Context:
    known = {key: tuple(text(item) for item in items) for key, items in CONTEXT.items()}
    return {**known, **{key.replace("_", ":"): (item,) for key, item in changes.items()}}


def hold(operator: str, key: str, wanted: Any) -> tuple[str, str]:
    outcome = conditions_hold(value({operator: {key: wanted}}), context(), True, never)
    return outcome.answer.state, outcome.answer.reason


@pytest.mark.parametrize(("operator", "key", "wanted", "answer"), CASES, ids=map(named, CASES))
def test_an_operator_answers(operator: str, key: str, wanted: Any, answer: str) -> None:
    assert hold(operator, key, wanted) == (answer, "")


@pytest.mark.parametrize(("operator", "key", "wanted", "reason"), UNKNOWN, ids=map(named, UNKNOWN))
def test_an_operator_leaves_it_open(operator: str, key: str, wanted: Any, reason: str) -> None:
    assert hold(operator, key, wanted) == ("unknown", reason)


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "words"),
    [
        ("StringEquals", "k:word", "Red", 'StringEquals k:word asks for "Red", and CloudTrail sends "Blue"'),
        ("StringLike", "K:Word", ["a", "b"], 'StringLike K:Word asks for "a" or "b", and CloudTrail sends "Blue"'),
        ("StringLike", "k:word", list("abcd"), 'asks for "a" or "b" or "c" or …, and CloudTrail sends "Blue"'),
        ("Bool", "k:missing", True, 'Bool k:missing asks for "true", and CloudTrail does not send it'),
        ("ArnLike", "k:word", ("x", MADE), 'asks for "x${name of LogBucket}", and CloudTrail sends "Blue"'),
    ],
)
def test_a_no_says_what_was_asked_and_what_was_sent(operator: str, key: str, wanted: Any, words: str) -> None:
    outcome = conditions_hold(value({operator: {key: wanted}}), context(), True, never)
    assert outcome.answer.is_no
    assert outcome.node is NODE
    assert words in outcome.because(context())


@pytest.mark.parametrize(
    ("block", "state", "reason"),
    [
        ({}, "yes", ""),
        ({"StringEquals": {}}, "yes", ""),
        ({"StringEquals": {"k:word": "Blue", "k:true": "true"}}, "yes", ""),
        ({"StringEquals": {"k:word": "Blue"}, "Bool": {"k:true": "false"}}, "no", ""),
        ({"StringEquals": {"k:other": "x", "k:word": "Red"}}, "no", ""),
        ({"StringEquals": "Blue", "Bool": {"k:true": "false"}}, "no", ""),
        ({"StringEquals": "Blue"}, "unknown", "StringEquals is no map of keys"),
        ({"StringEquals": unknown("an import")}, "unknown", "an import"),
        ({"StringEquals": {"k:other": "x"}, "Bool": {"k:else": "y"}}, "unknown", "the condition key k:other is not"),
        (unknown("an import"), "unknown", "an import"),
        ("text", "unknown", "the Condition is no map"),
        ([], "unknown", "the Condition is no map"),
    ],
)
def test_all_tests_of_a_condition_must_hold(block: Any, state: str, reason: str) -> None:
    outcome = conditions_hold(value(block), context(), True, never)
    assert outcome.answer.state == state
    assert outcome.answer.reason.startswith(reason)
    assert outcome.because(context()) or state == "yes"


def test_no_condition_always_holds() -> None:
    assert conditions_hold(None, context(), True, never).answer.is_yes


@pytest.mark.parametrize(
    ("operator", "wanted", "sent", "candidate"),
    [
        ("StringEquals", PARAMETER, text("Blue"), "Blue"),
        ("StringEquals", PARAMETER, text("*"), "*"),
        ("StringEquals", "Blue", text(PARAMETER), "Blue"),
        ("StringNotEquals", ("B", PARAMETER), text("Blue"), "lue"),
        ("ArnEquals", PARAMETER, text(ARN), ARN),
        ("ArnLike", ("arn:aws:cloudtrail:*:", PARAMETER, ":trail/*"), text(ARN), "111122223333"),
    ],
)
def test_a_variable_is_asked_for(operator: str, wanted: Any, sent: Text, candidate: str) -> None:
    block = value({operator: {"k:word": wanted}})
    with pytest.raises(Asked) as asked:
        conditions_hold(block, context(k_word=sent), True, never)
    assert asked.value.symbol == PARAMETER
    assert candidate in asked.value.candidates
    answer = conditions_hold(block, context(k_word=sent), True, otherwise).answer
    assert answer.is_yes if "Not" in operator else answer.is_no


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17"])
@pytest.mark.parametrize(
    ("operator", "wanted", "new", "old"),
    [
        ("StringEquals", "${*}", "yes", "no"),
        ("StringLike", "${*}", "yes", "no"),
        ("StringLike", "${?}", "no", "no"),
        ("StringLike", "${k:word}", "unknown", "no"),
        ("StringEquals", "${$}", "no", "no"),
        ("StringEquals", "${", "no", "no"),
    ],
)
def test_policy_variables(version: str, operator: str, wanted: str, new: str, old: str) -> None:
    outcome = conditions_hold(value({operator: {"k:star": wanted}}), context(), version == "2012-10-17", never)
    assert outcome.answer.state == (new if version == "2012-10-17" else old)
