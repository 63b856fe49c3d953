"""Every condition operator: present, missing, several values, IfExists, set operators, letter case, bad values."""

# ruff: noqa: E501  (tables: one case, one line)

from __future__ import annotations

from typing import Any

import pytest

from tests.iam.helpers import ACCOUNT, BUCKET, IMPORTED, NODE, PREFIX, TRAIL, Ledger, refuse, sent, unknown, value
from trailguard.cloudformation.scenarios.values import Text
from trailguard.iam.conditions import Undecided, conditions_hold, read_clauses, told
from trailguard.iam.operators import read_operator
from trailguard.iam.reading import Problems


def ask(operator: str, wanted: Any, given: Any, known: bool = True, variables: bool = True) -> tuple[str, str]:
    problems = Problems()
    clauses = read_clauses(value({operator: {"K": wanted}}), variables, problems)
    assert problems.found == ()
    answer = conditions_hold(clauses, sent({"k": given}) if known else {}, refuse).answer
    return answer.state, answer.reason


YES, NO = ("yes", ""), ("no", "")
SHORT = (
    'what {} makes of "{}", which has not the six parts of an ARN, is not documented; spell them out (arn:*:*:*:*:*), '
    "or use a String operator"
)

CASES = [
    # operator, values of the policy, value of the request, answer
    ("StringEquals", "a", "a", YES),
    ("StringEquals", "a", "A", NO),
    ("StringEquals", "a*", "ab", NO),
    ("StringEquals", "a*", "a*", YES),
    ("StringEquals", ["b", "a"], "a", YES),
    ("StringEquals", [], "a", NO),
    ("StringEquals", "a", None, NO),
    ("StringEquals", True, "true", YES),
    ("StringEquals", 12, "12", YES),
    ("stringequals", "a", "a", YES),
    ("StringNotEquals", "a", "a", NO),
    ("StringNotEquals", "a", "b", YES),
    ("StringNotEquals", ["b", "a"], "a", NO),
    ("StringNotEquals", ["b", "c"], "a", YES),
    ("StringNotEquals", "a", None, YES),
    ("StringEqualsIgnoreCase", "Ab", "aB", YES),
    ("StringEqualsIgnoreCase", "Ab", "b", NO),
    ("StringNotEqualsIgnoreCase", "Ab", "aB", NO),
    ("StringNotEqualsIgnoreCase", "Ab", None, YES),
    ("StringLike", "a*", "ab", YES),
    ("StringLike", "a?", "a", NO),
    ("StringLike", ["x", "*"], "", YES),
    ("StringLike", "*", None, NO),
    ("StringLike", "a*", "a*", YES),
    ("StringLike", "ab", "a*", NO),
    ("StringNotLike", "a*", "ab", NO),
    ("StringNotLike", "a*", "b", YES),
    ("StringNotLike", "a*", None, YES),
    ("NumericEquals", "1.0", "1", YES),
    ("NumericEquals", 2, "1", NO),
    ("NumericNotEquals", [2, 3], "1", YES),
    ("NumericNotEquals", [2, 1], "1", NO),
    ("NumericNotEquals", 1, None, YES),
    ("NumericLessThan", "1.2", "1.2", NO),
    ("NumericLessThan", "1.3", "1.2", YES),
    ("NumericLessThan", "1.3", None, NO),
    ("NumericLessThanEquals", "1.2", "1.2", YES),
    ("NumericGreaterThan", "1.1", "1.2", YES),
    ("NumericGreaterThan", "1.2", "1.2", NO),
    ("NumericGreaterThanEquals", "1e1", "10", YES),
    ("DateEquals", "2020-01-01T00:00:00Z", "1577836800", YES),
    ("DateEquals", "2020-01-01", "2020-01-01T02:00:00+02:00", YES),
    ("DateNotEquals", "2020-01", "2020-02", YES),
    ("DateLessThan", "2020", "2019-12-31T23:59:59.5Z", YES),
    ("DateLessThanEquals", "2020", "2020-01-01T00:00:00Z", YES),
    ("DateGreaterThan", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00-0100", YES),
    ("DateGreaterThanEquals", "2020-01-01", "2019-12-31", NO),
    ("DateLessThan", "2020-01-01", None, NO),
    ("Bool", "false", "true", NO),
    ("Bool", True, "true", YES),
    ("Bool", "TRUE", "true", YES),
    ("Bool", "true", None, NO),
    ("BoolIfExists", "true", None, YES),
    ("BinaryEquals", "QQ==", "QQ==", YES),
    ("BinaryEquals", "QQ==", "Qg==", NO),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", YES),
    ("IpAddress", "203.0.113.7", "203.0.113.9", NO),
    ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", YES),
    ("IpAddress", "203.0.113.0/24", None, NO),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.9", NO),
    ("NotIpAddress", "203.0.113.0/24", None, YES),
    ("NotIpAddressIfExists", "203.0.113.0/24", None, YES),
    ("ArnEquals", "arn:aws:sns:*:1:x*", "arn:aws:sns:eu-west-1:1:xy", YES),
    ("ArnLike", "arn:aws:sns:*:1:x", "arn:aws:sns:a:b:1:x", NO),
    ("StringLike", "arn:aws:sns:*:1:x", "arn:aws:sns:a:b:1:x", YES),
    ("ArnLike", "*", "arn:aws:sns:a:1:x", ("unknown", SHORT.format("ArnLike", "*"))),
    ("ArnNotLike", "*", "arn:aws:sns:a:1:x", ("unknown", SHORT.format("ArnNotLike", "*"))),
    ("ArnEquals", ["*", "arn:aws:sns:*:1:x"], "arn:aws:sns:a:1:x", YES),
    ("ArnNotEquals", ["*", "arn:aws:sns:*:1:x"], "arn:aws:sns:a:1:x", NO),
    ("ArnEquals", "*", None, NO),
    ("ArnNotLike", "*", None, YES),
    ("ArnLikeIfExists", "*", None, YES),
    ("ArnLike", "arn:*", "arn:aws:sns:a:1:x", NO),
    ("ArnLike", "arn:*:*:*:*:*", "arn:aws:sns:a:1:x", YES),
    ("ArnNotLike", "arn:aws:sns:*", "arn:aws:sns:a:1:x", ("unknown", SHORT.format("ArnNotLike", "arn:aws:sns:*"))),
    ("ArnNotLike", ["arn:aws:sns:*", "arn:*:*:*:*:x"], "arn:aws:sns:a:1:x", NO),
    ("ArnNotLike", "arn:*:*:*:*:*", "arn:aws:sns:a:1:x", NO),
    ("ArnNotLike", ("arn:aws:cloudtrail:*:", ACCOUNT, ":trail/*"), TRAIL, NO),
    ("ArnNotEquals", "arn:aws:sns:*:1:x", "arn:aws:sns:a:1:x", NO),
    ("ArnNotLike", "arn:aws:sns:*:1:x", "arn:aws:sns:a:2:x", YES),
    ("ArnNotLike", "arn:aws:sns:*:1:x", None, YES),
    ("Null", "true", None, YES),
    ("Null", True, "a", NO),
    ("Null", "false", "a", YES),
    ("Null", "False", None, NO),
    ("Null", ["true", "false"], None, YES),
    ("StringEqualsIfExists", "a", None, YES),
    ("StringEqualsIfExists", "a", "b", NO),
    ("StringNotEqualsIfExists", "a", None, YES),
    ("StringNotEqualsIfExists", "a", "a", NO),
    ("StringLikeIFEXISTS", "a*", "ab", YES),
    ("ForAnyValue:StringEquals", ["a", "b"], ["x", "b"], YES),
    ("ForAnyValue:StringEquals", ["a", "b"], ["x", "y"], NO),
    ("ForAnyValue:StringEquals", "a", None, NO),
    ("ForAnyValue:StringEquals", "", [""], NO),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "x"], YES),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], NO),
    ("ForAnyValue:StringNotEquals", "a", None, NO),
    ("ForAnyValue:StringEqualsIfExists", "a", None, ("unknown", "whether ForAnyValue:StringEqualsIfExists holds where K is missing, as here, is not documented")),
    ("ForAnyValue:StringNotEqualsIfExists", "a", None, ("unknown", "whether ForAnyValue:StringNotEqualsIfExists holds where K is missing, as here, is not documented")),
    ("ForAnyValue:StringEqualsIfExists", "a", "a", YES),
    ("ForAnyValue:StringEqualsIfExists", "a", "b", NO),
    ("ForAllValues:StringEqualsIfExists", "a", None, YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "x"], NO),
    ("ForAllValues:StringEquals", "a", None, YES),
    ("ForAllValues:StringEquals", "a", [""], YES),
    ("ForAllValues:StringNotLike", "a*", ["b", "c"], YES),
    ("ForAllValues:StringNotLike", "a*", ["b", "ab"], NO),
    ("forallvalues:StringLike", "a*", ["ab", "ac"], YES),
    ("StringEquals", ["a", "b"], ["a", "b"], YES),
    ("StringEquals", "c", ["a", "b"], NO),
    ("StringEquals", "a", ["a", "b"], ("unknown", "StringEquals needs ForAllValues or ForAnyValue where K has several values")),
    # symbols
    ("StringEquals", TRAIL, TRAIL, YES),
    ("StringEquals", BUCKET, "logs", NO),
    ("StringLike", "*", BUCKET, YES),
    ("StringEquals", IMPORTED, "logs", ("unknown", "nobody exports it")),
    ("StringNotEquals", IMPORTED, "logs", ("unknown", "nobody exports it")),
    ("StringNotEquals", ["logs", IMPORTED], "logs", NO),
    ("StringEquals", "logs", IMPORTED, ("unknown", "nobody exports it")),
    ("ArnLike", ("arn:aws:cloudtrail:*:", ACCOUNT, ":trail/*"), TRAIL, YES),
    ("ArnLike", "arn:aws:cloudtrail:*:*:trail/*", TRAIL, YES),
    ("StringEquals", "arn:aws:cloudtrail:*:*:trail/*", TRAIL, NO),
    ("NumericLessThan", IMPORTED, "1", ("unknown", "nobody exports it")),
    ("Null", IMPORTED, "1", ("unknown", "nobody exports it")),
    ("IpAddress", IMPORTED, "10.0.0.1", ("unknown", "nobody exports it")),
    ("IpAddress", "10.0.0.0/8", "nonsense", ("unknown", '"nonsense" cannot be compared with "10.0.0.0/8"')),
    ("NumericEquals", "1", "many", ("unknown", '"many" cannot be compared with "1"')),
    ("StringEquals", "${aws:username}", "x", ("unknown", "the policy variable ${aws:username} is filled in when a request is made")),
    ("StringEquals", "${k}", "x", NO),
    ("StringEquals", "${Bucket}", "${Bucket}", NO),
    ("StringEquals", "${AWS::AccountId}", "1", NO),
    ("StringNotEquals", "${AWS::AccountId}", "1", YES),
    ("StringLike", "a${*}", "ab", NO),
    ("StringEquals", "x", Undecided("the key follows the trail"), ("unknown", "the key follows the trail")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
def test_operators(operator: str, wanted: Any, given: Any, expected: tuple[str, str]) -> None:
    assert ask(operator, wanted, given) == expected


def test_a_key_outside_of_the_context_is_not_known() -> None:
    for operator in ("StringEquals", "StringNotEqualsIfExists", "Null", "ForAllValues:StringLike"):
        found = ask(operator, "true", None, known=False)
        assert found == ("unknown", "the condition key K is not known for this request")


# The request sends aws:SourceArn and k:one, not aws:username; of aws:RequestTag/x and k:hidden nobody knows, k:many are
# two values.
VARIABLES = [
    # operator, value of the policy, value of the request, answer
    ("StringEquals", "${aws:SourceArn}", TRAIL, "yes"),
    ("StringLike", "${AWS:sourceARN}", TRAIL, "yes"),
    ("ArnLike", "${aws:SourceArn}", TRAIL, "yes"),
    ("ArnLike", "${aws:SourceArn}", "arn:aws:cloudtrail:eu-west-1:1:trail/x", "no"),
    ("StringEquals", "a-${k:one}", "a-B*", "yes"),
    ("StringEquals", "${ k:one , 'x' }", "B*", "yes"),
    ("StringLike", "${k:one}", "Bx", "no"),  # what is sent holds no wildcards
    ("StringEqualsIgnoreCase", "A-${k:one}", "a-b*", "yes"),
    ("StringEquals", "${k:one}${k:one}", "B*B*", "yes"),
    ("StringEquals", "${aws:username}", "", "no"),
    ("StringEquals", "${aws:username}", "x", "no"),
    ("StringNotEquals", "${aws:username}", "x", "yes"),
    ("StringNotLike", "*${aws:username}*", "x", "yes"),
    ("StringEquals", ["${aws:username}", "x"], "x", "yes"),
    ("StringNotEquals", ["${aws:username}", "x"], "x", "no"),
    ("StringEquals", "${aws:username, 'x'}", "x", "yes"),
    ("StringEquals", "${aws:username,'x'}", "y", "no"),
    ("StringEquals", "${aws:username, ''}", "", "yes"),
    ("StringLike", "${aws:username, '*'}", "y", "no"),
    ("StringEquals", "${Bucket, 'x'}", "x", "no"),
    ("StringEquals", "${aws:RequestTag/x}", "x", "unknown"),
    ("StringEquals", "${k:hidden}", "x", "unknown"),
    ("StringEquals", "${k:hidden, 'x'}", "x", "unknown"),
    ("StringEquals", "${k:many}", "x", "unknown"),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "expected"), VARIABLES)
def test_policy_variables(operator: str, wanted: Any, given: Any, expected: str) -> None:
    context = {
        "k": given,
        "aws:SourceArn": TRAIL,
        "k:one": "B*",
        "k:many": ["x", "y"],
        "k:hidden": Undecided("nobody knows"),
        "aws:username": None,
    }
    clauses = read_clauses(value({operator: {"K": wanted}}), True, Problems())
    answer = conditions_hold(clauses, sent(context), refuse).answer
    assert answer.state == expected
    assert bool(answer.reason) is (expected == "unknown")


def test_old_policies_have_no_variables() -> None:
    assert ask("StringEquals", "${aws:username}", "${aws:username}", variables=False) == YES


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"StringMatches": {"k": "v"}}, "there is no condition operator StringMatches"),
        ({"NullIfExists": {"k": "true"}}, "there is no condition operator NullIfExists"),
        ({"ForEachValue:StringEquals": {"k": "v"}}, "there is no condition operator ForEachValue:StringEquals"),
        ({"StringEquals": "v"}, "StringEquals is not a map of condition keys"),
        ({"StringEquals": {"k": {"v": "w"}}}, "a value of StringEquals k is neither text nor a number nor a Boolean"),
        ({"StringEquals": {"k": [["v"]]}}, "a value of StringEquals k is neither text nor a number nor a Boolean"),
        ({"NumericEquals": {"k": "many"}}, '"many" is not a number, as NumericEquals k needs'),
        ({"DateLessThan": {"k": "tomorrow"}}, '"tomorrow" is not a date, as DateLessThan k needs'),
        ({"DateLessThan": {"k": "2020-13-01"}}, '"2020-13-01" is not a date, as DateLessThan k needs'),
        ({"IpAddress": {"k": "10.0.0.0/33"}}, '"10.0.0.0/33" is not a range of IP addresses, as IpAddress k needs'),
        ({"BinaryEquals": {"k": "???"}}, '"???" is not base64, as BinaryEquals k needs'),
        ({"Null": {"k": "maybe"}}, '"maybe" is neither true nor false, as Null k needs'),
        ("v", "Condition is not a map"),
    ],
)
def test_what_aws_would_refuse(block: Any, message: str) -> None:
    problems = Problems()
    read_clauses(value(block), True, problems)
    assert [problem.message for problem in problems.found] == [message]


def test_all_clauses_must_hold_and_the_failing_one_is_told() -> None:
    block = {"StringEquals": {"a": "1", "b": ["2", "3", "4", "5"]}, "Bool": {"c": "true"}}
    clauses = read_clauses(value(block), True, Problems())
    context = sent({"a": "1", "b": "9", "c": None})
    found = conditions_hold(clauses, context, refuse)
    assert found.answer.is_no
    assert found.clause is not None
    assert told(found.clause, context) == 'StringEquals b wants "2" or "3" or "4" or 1 more, the request sends "9"'
    assert told(clauses[2], context) == 'Bool c wants "true", the request does not send c'


def test_a_no_outweighs_a_doubt_and_a_doubt_a_yes() -> None:
    clauses = read_clauses(value({"StringEquals": {"what": "1", "a": "1"}}), True, Problems())
    assert conditions_hold(clauses, sent({"a": "2"}), refuse).answer.is_no
    found = conditions_hold(clauses, sent({"a": "1"}), refuse)
    assert (found.answer.state, found.answer.reason) == (
        "unknown",
        "the condition key what is not known for this request",
    )
    assert found.answer.node is clauses[0].node


def test_an_unknown_block_is_not_known() -> None:
    for block in (unknown("nobody exports it"), {"StringEquals": unknown("nobody exports it")}):
        found = conditions_hold(read_clauses(value(block), True, Problems()), sent({}), refuse).answer
        assert (found.state, found.reason) == ("unknown", "nobody exports it")


def test_variables_are_settled_as_they_are_spelt() -> None:
    clauses = read_clauses(value({"StringEqualsIgnoreCase": {"k": PREFIX}}), True, Problems())
    ledger = Ledger()
    assert conditions_hold(clauses, {"k": (Text(("Private",), NODE),)}, ledger).answer.is_no
    assert ledger.asked == [("Prefix", ["Private"])]


def test_operator_names() -> None:
    found = read_operator("ForAllValues:NumericLessThanEqualsIfExists")
    assert found is not None
    assert (found.kind, found.negated, found.every, found.if_exists) == ("number", False, True, True)
    assert found.order(1, 1)
    assert read_operator("NumericLike") is None
    assert read_operator("") is None
