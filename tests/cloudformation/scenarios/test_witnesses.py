"""What may be claimed from all scenarios, and the smallest parameter values that show a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cloudformation.resolving import model_of
from trailguard.cloudformation.scenarios.scenarios import Leaf
from trailguard.cloudformation.scenarios.space import Space
from trailguard.cloudformation.scenarios.variables import Assignment, Candidate, Constraint, Same
from trailguard.cloudformation.scenarios.witnesses import default_like, disputed, opaque_reason, witness
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

RULEBOOK = load(Settings(select=("TG101",)))


def space(**bodies: dict[str, Any]) -> Space:
    return model_of({"Parameters": bodies, "Resources": {}}).space


def constraint(value: Candidate | None = None, *excluded: Candidate) -> Constraint:
    return Constraint(value, frozenset(excluded))


def leaf(**assignment: Constraint) -> Leaf[str]:
    return Leaf(assignment, "")


DEFAULT = {"Default": "a"}


def test_default_like_keeps_all_defaults() -> None:
    leaves = [leaf(P=constraint("a")), leaf(P=constraint("b")), leaf(P=constraint(None, "a", "b"))]
    assert default_like(space(P=DEFAULT), leaves) == [True, False, False]


def test_default_like_lets_parameters_without_default_range() -> None:
    leaves = [leaf(P=constraint("a")), leaf(P=constraint(None, "a"))]
    assert default_like(space(P={}), leaves) == [True, True]


def test_default_like_changes_as_little_as_possible() -> None:
    found = space(P=DEFAULT, Q=DEFAULT)
    one = leaf(P=constraint("b"), Q=constraint("a"))
    two = leaf(P=constraint("b"), Q=constraint("b"))
    other = leaf(P=constraint("a"), Q=constraint("b"))
    assert default_like(found, [two, one, other]) == [False, True, True]
    assert default_like(found, []) == []


def test_opaque_reason() -> None:
    found = space(P={}, S={"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"})
    reason = 'parameter S is read from the Systems Manager parameter "/x" at deployment'
    assert opaque_reason(found, {"P": constraint("a")}) is None
    assert opaque_reason(found, {"P": constraint("a"), "S": constraint("b")}) == reason


def test_disputed_only_where_the_unknowable_decides() -> None:
    found = space(P={}, S={"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"})
    reason = 'parameter S is read from the Systems Manager parameter "/x" at deployment'
    leaves = [
        leaf(P=constraint("a"), S=constraint("x")),
        leaf(P=constraint("a"), S=constraint(None, "x")),
        leaf(P=constraint(None, "a"), S=constraint("x")),
        leaf(P=constraint(None, "a"), S=constraint(None, "x")),
    ]
    assert disputed(found, leaves, ["pass", "fail", "fail", "fail"]) == [reason, reason, None, None]
    assert disputed(found, leaves, ["pass", "pass", "fail", "fail"]) == [None] * 4


WITNESSES: dict[str, tuple[dict[str, Any], list[tuple[dict[str, Constraint], bool]], tuple[int, dict[str, str]]]] = {
    "nothing-fails": ({"P": {}}, [({}, False)], (0, {})),
    "default-fails": (
        {"P": DEFAULT},
        [({"P": constraint("a")}, True), ({"P": constraint(None, "a")}, False)],
        (0, {}),
    ),
    "one-value": (
        {"P": DEFAULT},
        [({"P": constraint("a")}, False), ({"P": constraint("b")}, True), ({"P": constraint(None, "a", "b")}, False)],
        (1, {"P": "b"}),
    ),
    "some-other-value": (
        {"P": DEFAULT},
        [({"P": constraint("a")}, False), ({"P": constraint(None, "a")}, True)],
        (1, {"P": "other"}),
    ),
    "without-default": (
        {"P": {}},
        [({"P": constraint("a")}, False), ({"P": constraint(None, "a")}, True)],
        (1, {"P": "other"}),
    ),
    "only-what-matters": (
        {"P": DEFAULT, "Q": DEFAULT},
        [
            ({"P": constraint("b"), "Q": constraint("b")}, True),
            ({"P": constraint("b"), "Q": constraint(None, "b")}, True),
            ({"P": constraint(None, "b")}, False),
        ],
        (1, {"P": "b"}),
    ),
    "both-needed": (
        {"P": DEFAULT, "Q": DEFAULT},
        [
            ({"P": constraint("b"), "Q": constraint("b")}, True),
            ({"P": constraint("b"), "Q": constraint(None, "b")}, False),
            ({"P": constraint(None, "b")}, False),
        ],
        (0, {"P": "b", "Q": "b"}),
    ),
    "the-shorter-one": (
        {"P": DEFAULT, "Q": DEFAULT},
        [
            ({"P": constraint("b"), "Q": constraint("b")}, True),
            ({"P": constraint("b"), "Q": constraint(None, "b")}, False),
            ({"P": constraint("c")}, True),
            ({"P": constraint(None, "b", "c")}, False),
        ],
        (2, {"P": "c"}),
    ),
}


@pytest.mark.parametrize(("bodies", "leaves", "expected"), WITNESSES.values(), ids=WITNESSES.keys())
def test_witness(
    bodies: dict[str, Any], leaves: list[tuple[dict[str, Constraint], bool]], expected: tuple[int, dict[str, str]]
) -> None:
    assignments: list[Assignment] = [assignment for assignment, _ in leaves]
    failing = [fails for _, fails in leaves]
    assert witness(space(**bodies), [Leaf(item, "") for item in assignments], failing) == expected


def test_a_witness_of_a_comparison_names_both() -> None:
    leaves = [leaf(P=constraint(Same("Q")), Q=constraint()), leaf(P=constraint(None, Same("Q")))]
    _, values = witness(space(P={}, Q={}), leaves, [True, False])
    assert set(values) == {"P", "Q"}
    assert values["P"] == values["Q"]
    _, values = witness(space(P={}, Q={}), leaves, [False, True])
    assert set(values) == {"P", "Q"}
    assert values["P"] != values["Q"]


# --- through the whole tool: a witness can be given back as parameters, and then it fails ------------------------


def equals(name: str, value: Any) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": name}, value]}


def flag(condition: Any) -> dict[str, Any]:
    """True where the condition does not hold."""
    return {"Fn::If": [condition, False, True]}


def verdict(value: Any, parameters: dict[str, Any], given: dict[str, str] | None = None, **settings: Any) -> Finding:
    properties = {"S3BucketName": "logs", "IsLogging": True, "IsMultiRegionTrail": value}
    template = {
        "Parameters": parameters,
        "Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": properties}},
    }
    chosen = Settings(parameters=given or {}, **settings)
    result = judge_file("t.json", json.dumps(template).encode(), Task(chosen, RULEBOOK))
    assert not result.errors
    (finding,) = result.findings
    return finding


CLAIMS: dict[str, tuple[Any, dict[str, Any], str, dict[str, str]]] = {
    "always": (True, {}, PASS, {}),
    "never": (False, {}, FAIL, {}),
    "default-holds": (flag(equals("P", "b")), {"P": DEFAULT}, CONDITIONAL, {"P": "b"}),
    "default-fails": (flag(equals("P", "a")), {"P": DEFAULT}, FAIL, {}),
    "no-default": (flag(equals("P", "a")), {"P": {}}, CONDITIONAL, {"P": "a"}),
    "allowed-excludes-it": (flag(equals("P", "b")), {"P": {"AllowedValues": ["a", "c"]}}, PASS, {}),
    "pattern-excludes-it": (flag(equals("P", "b")), {"P": {"AllowedPattern": "^(a|c)$"}}, PASS, {}),
    "infinite-pattern-excludes-it": (flag(equals("P", "b")), {"P": {"AllowedPattern": "^a+$"}}, PASS, {}),
    "min-length-excludes-it": (flag(equals("P", "")), {"P": {"MinLength": 1}}, PASS, {}),
    "number-excludes-it": (flag(equals("P", "0")), {"P": {"Type": "Number", "MinValue": 1}}, PASS, {}),
    "default-not-allowed": (
        flag(equals("P", "b")),
        {"P": {"Default": "a", "AllowedValues": ["b", "c"]}},
        CONDITIONAL,
        {"P": "b"},
    ),
    "boolean-parameter": ({"Ref": "P"}, {"P": {"Default": "true"}}, CONDITIONAL, {"P": "false"}),
    "boolean-allowed": (
        {"Ref": "P"},
        {"P": {"AllowedValues": ["true", "false"], "Default": "false"}},
        FAIL,
        {},
    ),
    "two-needed": (
        flag({"Fn::And": [equals("P", "b"), equals("Q", "b")]}),
        {"P": DEFAULT, "Q": DEFAULT},
        CONDITIONAL,
        {"P": "b", "Q": "b"},
    ),
    "either-is-enough": (
        flag({"Fn::Or": [equals("P", "b"), equals("Q", "b")]}),
        {"P": DEFAULT, "Q": DEFAULT},
        CONDITIONAL,
        {"P": "b"},
    ),
    "irrelevant-parameter": (
        {"Fn::If": [equals("Q", "x"), flag(equals("P", "b")), flag(equals("P", "b"))]},
        {"P": DEFAULT, "Q": {}},
        CONDITIONAL,
        {"P": "b"},
    ),
    "other-than-the-default": (
        flag({"Fn::Not": [equals("P", "a")]}),
        {"P": {"Default": "a", "AllowedPattern": "^[a-c]$"}},
        CONDITIONAL,
        {"P": "b"},
    ),
    "region": (
        flag({"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}),
        {},
        CONDITIONAL,
        {"AWS::Region": "eu-west-1"},
    ),
    "account": (flag({"Fn::Equals": [{"Ref": "AWS::AccountId"}, "123456789012"]}), {}, UNKNOWN, {}),
    "many-literals": (
        {"Fn::If": [equals("P", "-1"), True, {"Fn::If": [{"Fn::Or": [
            equals("P", str(number)) for number in (0, 1, 2, 100)
        ]}, True, False]}]},
        {"P": {"Type": "Number", "Default": 0}},
        CONDITIONAL,
        {"P": "3"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("value", "parameters", "expected", "values"), CLAIMS.values(), ids=CLAIMS.keys())
def test_claim(value: Any, parameters: dict[str, Any], expected: str, values: dict[str, str]) -> None:
    bodies = {name: {"Type": "String", **body} for name, body in parameters.items()}
    finding = verdict(value, bodies)
    assert (finding.verdict, dict(finding.witness)) == (expected, values)
    if expected == CONDITIONAL:
        region = values.get("AWS::Region")
        given = {name: text for name, text in values.items() if name != "AWS::Region"}
        assert verdict(value, bodies, given, region=region).verdict == FAIL


def test_pins_decide() -> None:
    value = flag({"Fn::Equals": [{"Ref": "AWS::AccountId"}, "123456789012"]})
    assert verdict(value, {}, account_id="123456789012").verdict == FAIL
    assert verdict(value, {}, account_id="210987654321").verdict == PASS
    value = flag({"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]})
    assert verdict(value, {}).verdict == PASS
    assert verdict(value, {}, partition="aws-cn").verdict == FAIL
    assert verdict(value, {}, region="cn-north-1").verdict == FAIL


def test_a_trail_that_is_never_made() -> None:
    template = """
Conditions: {Never: !Equals [a, b]}
Resources:
  Trail: {Type: AWS::CloudTrail::Trail, Condition: Never, Properties: {S3BucketName: x, IsLogging: true}}
"""
    (finding,) = judge_file("t.yaml", template.encode(), Task(Settings(), RULEBOOK)).findings
    assert (finding.verdict, finding.reason) == (NOT_APPLICABLE, "Trail is made for no allowed choice of parameters")


def unlike(one: str, other: str, rule: dict[str, Any], **parameters: Any) -> Finding:
    """The finding about a trail that covers one Region when two parameters differ, in a template with a rule."""
    template = {
        "Parameters": parameters,
        "Rules": {"Only": {"Assertions": [{"Assert": rule}]}},
        "Conditions": {"Differ": {"Fn::Not": [{"Fn::Equals": [{"Ref": one}, {"Ref": other}]}]}},
        "Resources": {
            "Trail": {
                "Type": "AWS::CloudTrail::Trail",
                "Properties": {"S3BucketName": "logs", "IsMultiRegionTrail": {"Fn::If": ["Differ", False, True]}},
            }
        },
    }
    (finding,) = judge_file("t.json", json.dumps(template).encode(), Task(Settings(), RULEBOOK)).findings
    return finding


STRING = {"Type": "String"}


@pytest.mark.parametrize(("one", "other"), [("P", "Q"), ("Q", "P")])
def test_a_rule_about_the_other_side_of_a_comparison_counts(one: str, other: str) -> None:
    finding = unlike(one, other, {"Fn::Equals": [{"Ref": "P"}, "a"]}, P=STRING, Q=STRING)
    assert finding.verdict == CONDITIONAL
    assert finding.witness["P"] == "a"
    assert finding.witness["Q"] != "a"


def test_what_a_rule_asks_for_instead_of_a_default_belongs_to_the_witness() -> None:
    rule = {"Fn::Equals": [{"Ref": "R"}, "b"]}
    finding = unlike("P", "Q", rule, P=STRING, Q=STRING, R={"Type": "String", "Default": "a"})
    assert finding.witness["R"] == "b"
    kept = unlike("P", "Q", rule, P=STRING, Q=STRING, R={"Type": "String", "Default": "b"})
    assert sorted(kept.witness) == ["P", "Q"]
