"""Conditions, properties and references in one scenario; and expressions held against a plain evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloudformation.resolving import ABSENT, explored, model_of, plain, probe, read, resolve, unknown, with_probe
from trailguard.cloudformation.scenarios.intrinsics import FUNCTIONS, Unbuildable
from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Symbol, Text
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.scenarios.witnesses import opaque_reason
from trailguard.cloudformation.source.nodes import Document, ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.returns import RETURNS

STRING = {"Type": "String"}
YES, NO = {"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}
OPEN = {"Fn::Equals": [{"Ref": "Free"}, "x"]}
UNDEFINED = {"Condition": "Nobody"}


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Fn::Equals": [left, right]}


def both(name: str, values: tuple[str, str] = ("yes", "no")) -> list[tuple[dict[str, str], bool]]:
    """Answers when an open question decides."""
    return [({name: values[0]}, True), ({name: values[1]}, False)]


def assumed(question: str) -> list[tuple[dict[str, str], bool]]:
    return both(f"?{question}")


CONDITIONS: dict[str, tuple[Any, list[tuple[dict[str, str], bool]]]] = {
    "equal": (YES, [({}, True)]),
    "different": (NO, [({}, False)]),
    "case-sensitive": (equals("True", "true"), [({}, False)]),
    "boolean-as-text": (equals(True, "true"), [({}, True)]),
    "boolean-not-python": (equals(True, "True"), [({}, False)]),
    "false-as-text": (equals(False, "false"), [({}, True)]),
    "number-as-text": (equals(1, "1"), [({}, True)]),
    "empty": (equals("", ""), [({}, True)]),
    "lists": (equals(["a", "b"], ["a", "b"]), [({}, True)]),
    "lists-of-different-length": (equals(["a"], ["a", "b"]), [({}, False)]),
    "not": ({"Fn::Not": [YES]}, [({}, False)]),
    "and": ({"Fn::And": [YES, YES]}, [({}, True)]),
    "and-false": ({"Fn::And": [YES, NO]}, [({}, False)]),
    "or": ({"Fn::Or": [NO, YES]}, [({}, True)]),
    "or-false": ({"Fn::Or": [NO, NO]}, [({}, False)]),
    "nested": ({"Fn::Not": [{"Fn::Or": [NO, {"Fn::And": [YES, NO]}]}]}, [({}, True)]),
    "kleene-and-open-first": ({"Fn::And": [OPEN, NO]}, [({}, False)]),
    "kleene-or-open-first": ({"Fn::Or": [OPEN, YES]}, [({}, True)]),
    "kleene-and-undefined": ({"Fn::And": [UNDEFINED, NO]}, [({}, False)]),
    "kleene-or-undefined": ({"Fn::Or": [UNDEFINED, YES]}, [({}, True)]),
    "kleene-nested": ({"Fn::And": [{"Fn::Not": [OPEN]}, {"Fn::Or": [NO, NO]}]}, [({}, False)]),
    "and-open": ({"Fn::And": [OPEN, YES]}, both("Free", ("x", "other"))),
    "not-open": ({"Fn::Not": [OPEN]}, [({"Free": "x"}, False), ({"Free": "other"}, True)]),
    "condition": ({"Condition": "Named"}, [({}, True)]),
    "condition-open": ({"Condition": "Opened"}, both("Free", ("x", "other"))),
    "undefined": (UNDEFINED, assumed("condition Nobody")),
    "undefined-twice-is-the-same": ({"Fn::Or": [UNDEFINED, {"Fn::Not": [UNDEFINED]}]}, [
        ({"?condition Nobody": "yes"}, True), ({"?condition Nobody": "no"}, True),
    ]),
    "circular": ({"Condition": "Circle"}, assumed("condition Circle")),
    "circular-decided": ({"Fn::And": [NO, {"Condition": "Circle"}]}, [({}, False)]),
    "not-two": ({"Fn::Not": [YES, NO]}, assumed("Fn::Not on line 1:26")),
    "and-empty": ({"Fn::And": []}, assumed("Fn::And on line 1:26")),
    "equals-one": ({"Fn::Equals": ["a"]}, assumed("Fn::Equals on line 1:26")),
    "made-up": ({"Fn::Nand": [YES, NO]}, assumed("Fn::Nand on line 1:26")),
    "text": ("maybe", assumed("condition on line 1:26")),
    "flag": (True, [({}, True)]),
    "null": (None, assumed("condition on line 1:26")),
    "list": ([YES], assumed("condition on line 1:26")),
    "by-map": (equals({"Fn::FindInMap": ["M", "a", "x"]}, "1"), [({}, True)]),
    "by-if": (equals({"Fn::If": ["Named", "a", "b"]}, "a"), [({}, True)]),
    "parameter": (equals({"Ref": "Free"}, "x"), both("Free", ("x", "other"))),
    "parameter-right": (equals("x", {"Ref": "Free"}), both("Free", ("x", "other"))),
    "parameter-empty": (equals({"Ref": "Free"}, ""), both("Free", ("", "other"))),
    "parameter-itself": (equals({"Ref": "Free"}, {"Ref": "Free"}), [({}, True)]),
    "parameter-other": (equals({"Ref": "Free"}, {"Ref": "Free2"}), both("Free", ("other", "another"))),
    "parameter-not-allowed": (equals({"Ref": "Stage"}, "test"), [({}, False)]),
    "parameter-allowed": (equals({"Ref": "Stage"}, "prod"), both("Stage", ("prod", "dev"))),
    "allowed-against-free": (
        equals({"Ref": "Stage"}, {"Ref": "Free"}),
        [
            ({"Free": "dev", "Stage": "dev"}, True),
            ({"Free": "other", "Stage": "dev"}, False),
            ({"Free": "prod", "Stage": "prod"}, True),
            ({"Free": "other", "Stage": "prod"}, False),
        ],
    ),
    "prefix-apart": (equals({"Fn::Sub": "a-${Free}"}, {"Fn::Sub": "b-${Free}"}), [({}, False)]),
    "prefix-common": (equals({"Fn::Sub": "a-${Free}"}, "a-x"), both("Free", ("x", "other"))),
    "suffix-apart": (equals({"Fn::Sub": "${Free}-a"}, "x-b"), [({}, False)]),
    "longer": (equals({"Fn::Sub": "${Free}x"}, {"Ref": "Free"}), [({}, False)]),
    "two-parameters": (
        equals({"Fn::Sub": "${Free}${Free2}"}, "xy"),
        assumed('"${Free}${Free2}" = "xy"'),
    ),
    "unquoted-list": (equals({"Fn::Join": ["", {"Ref": "Many"}]}, ""), both("Many", ("", "other"))),
    "region-inside": (equals({"Ref": "AWS::Region"}, "eu-west-1"), both("AWS::Region", ("eu-west-1", "us-east-1"))),
    "region-outside-partition": (equals({"Ref": "AWS::Region"}, "cn-north-1"), [({}, False)]),
    "region-no-region": (equals({"Ref": "AWS::Region"}, "nowhere"), [({}, False)]),
    "partition": (equals({"Ref": "AWS::Partition"}, "aws-cn"), [({}, False)]),
    "account": (
        equals({"Ref": "AWS::AccountId"}, "123456789012"),
        both("AWS::AccountId", ("123456789012", "111122223333")),
    ),
    "account-no-account": (equals({"Ref": "AWS::AccountId"}, "dev"), [({}, False)]),
    "stack-name": (equals({"Ref": "AWS::StackName"}, "x"), both("AWS::StackName", ("x", "audit"))),
    "stored": (equals({"Ref": "Stored"}, "x"), both("Stored", ("x", "other"))),
    "dynamic": (equals("{{resolve:ssm:x}}", "y"), assumed('"{{resolve:ssm:x}}" = "y"')),
    "dynamic-itself": (equals("{{resolve:ssm:x}}", "{{resolve:ssm:x}}"), [({}, True)]),
    "undefined-reference": (equals({"Ref": "Nobody"}, "x"), assumed('"${Nobody}" = "x"')),
    "undefined-reference-itself": (equals({"Ref": "Nobody"}, {"Ref": "Nobody"}), [({}, True)]),
    "contains": ({"Fn::Contains": [["a", "b"], "b"]}, [({}, True)]),
    "contains-not": ({"Fn::Contains": [["a", "b"], "c"]}, [({}, False)]),
    "contains-open": ({"Fn::Contains": [["x", "y"], {"Ref": "Free"}]}, [
        ({"Free": "x"}, True), ({"Free": "y"}, True), ({"Free": "other"}, False),
    ]),
    "each-equals": ({"Fn::EachMemberEquals": [["a", "a"], "a"]}, [({}, True)]),
    "each-equals-not": ({"Fn::EachMemberEquals": [["a", "b"], "a"]}, [({}, False)]),
    "each-in": ({"Fn::EachMemberIn": [["a", "b"], ["b", "a"]]}, [({}, True)]),
    "each-in-not": ({"Fn::EachMemberIn": [["a", "c"], ["b", "a"]]}, [({}, False)]),
    "each-in-unknown": (
        {"Fn::EachMemberIn": [{"Fn::ValueOfAll": ["T", "x"]}, ["a"]]},
        assumed("Fn::EachMemberIn on line 1"),
    ),
    "each-in-unknown-second": (
        {"Fn::EachMemberIn": [["a"], {"Fn::RefAll": "T"}]},
        assumed("Fn::EachMemberIn on line 1"),
    ),
}  # fmt: skip

SECTIONS: dict[str, Any] = {
    "Parameters": {
        "Free": STRING,
        "Free2": STRING,
        "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"]},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"},
        "Many": {"Type": "CommaDelimitedList"},
    },
    "Mappings": {"M": {"a": {"x": "1"}}},
}


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_condition(condition: Any, expected: list[tuple[dict[str, str], bool]]) -> None:
    conditions = {
        "Asked": condition,
        "Named": YES,
        "Opened": OPEN,
        "Circle": {"Condition": "Circle2"},
        "Circle2": {"Condition": "Circle"},
    }
    template = with_probe({"Fn::If": ["Asked", True, False]}, Conditions=conditions, **SECTIONS)
    assert [(_known(values), answer) for values, answer in explored(template)] == expected


def _known(values: dict[str, str]) -> dict[str, str]:
    """Without the twin that a comparison of two parameters mentions."""
    return {name: value for name, value in values.items() if name != "Free2"}


PINNED: dict[str, tuple[Any, Pins, bool]] = {
    "parameter": (OPEN, Pins({"Free": "x"}), True),
    "parameter-other": (OPEN, Pins({"Free": "y"}), False),
    "region": (equals({"Ref": "AWS::Region"}, "eu-west-1"), Pins(region="eu-west-1"), True),
    "partition-by-region": (equals({"Ref": "AWS::Partition"}, "aws-cn"), Pins(region="cn-north-1"), True),
    "partition": (equals({"Ref": "AWS::Partition"}, "aws-us-gov"), Pins(partition="aws-us-gov"), True),
    "suffix": (equals({"Ref": "AWS::URLSuffix"}, "amazonaws.com.cn"), Pins(partition="aws-cn"), True),
    "account": (equals({"Ref": "AWS::AccountId"}, "123456789012"), Pins(account_id="123456789012"), True),
    "account-other": (equals({"Ref": "AWS::AccountId"}, "123456789012"), Pins(account_id="210987654321"), False),
    "list": (equals({"Fn::Join": ["|", {"Ref": "Many"}]}, "a|b"), Pins({"Many": "a, b"}), True),
    "empty-list": (equals({"Fn::Join": ["|", {"Ref": "Many"}]}, ""), Pins({"Many": ""}), True),
    "length": (equals({"Fn::Length": {"Ref": "Many"}}, "2"), Pins({"Many": "a,b"}), True),
    "undeclared-is-ignored": (YES, Pins({"Nobody": "x"}), True),
}


@pytest.mark.parametrize(("condition", "pins", "expected"), PINNED.values(), ids=PINNED.keys())
def test_pins(condition: Any, pins: Pins, expected: bool) -> None:
    template = with_probe({"Fn::If": ["Asked", True, False]}, Conditions={"Asked": condition}, **SECTIONS)
    assert explored(template, pins) == [({}, expected)]


def test_a_stored_parameter_cannot_be_pinned() -> None:
    model = model_of(with_probe({"Ref": "Stored"}, **SECTIONS), Pins({"Stored": "/y"}))
    assert plain(probe(Scenario(model, {}))) == "${Stored}"


def test_pins_that_the_template_refuses() -> None:
    model = model_of(with_probe("x", **SECTIONS), Pins({"Stage": "test", "Free": "anything", "Many": "a"}))
    assert model.refused_pins() == ["Stage"]


@pytest.mark.parametrize(
    ("word", "expected"), [("true", True), ("yes", True), ("on", True), ("y", True), ("'yes'", False)]
)
def test_unquoted_words_equal_true(word: str, expected: bool) -> None:
    template = f"""
Conditions: {{Asked: !Equals [{word}, 'true']}}
Resources: {{Probe: {{Type: Custom::Probe, Properties: {{V: !If [Asked, true, false]}}}}}}
"""
    assert explored(template) == [({}, expected)]


def test_opaque_decisions_say_why() -> None:
    model = model_of(with_probe("x", Conditions={"C": equals({"Fn::ImportValue": "X"}, "y")}))
    with pytest.raises(Split) as split:
        Scenario(model, {}).condition("C")
    children = model.space.children({}, split.value)
    reason = 'no scanned template exports "X"; scan the template that does together with this one'
    assert [opaque_reason(model.space, child) for child in children] == [reason, reason]


def test_account_literal_is_opaque() -> None:
    model = model_of(with_probe("x", Conditions={"C": equals({"Ref": "AWS::AccountId"}, "123456789012")}))
    with pytest.raises(Split) as split:
        Scenario(model, {}).condition("C")
    reason = "the account of the deployment is not known; give it with --account-id"
    assert [opaque_reason(model.space, child) for child in model.space.children({}, split.value)] == [reason, reason]


# --- properties and references ------------------------------------------------------------------------------------

PROPERTIES: dict[str, tuple[Any, Any]] = {
    "missing": ({"Type": "T"}, ABSENT),
    "null": ({"Type": "T", "Properties": None}, ABSENT),
    "list": ({"Type": "T", "Properties": ["V"]}, ABSENT),
    "other": ({"Type": "T", "Properties": {"W": "x"}}, ABSENT),
    "if-yes": ({"Type": "T", "Properties": {"Fn::If": ["Yes", {"V": "x"}, {"V": "y"}]}}, "x"),
    "if-nothing": ({"Type": "T", "Properties": {"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, {"V": "y"}]}}, ABSENT),
    "function": (
        {"Type": "T", "Properties": {"Fn::FindInMap": ["a", "b", "c"]}},
        unknown("the template does not define mapping a"),
    ),
    "transform-alone": (
        {"Type": "T", "Properties": {"Fn::Transform": {"Name": "X"}}},
        unknown("macro X writes it at deployment (line 1); scan the template that it makes to have it judged"),
    ),
    "transform-beside": (
        {"Type": "T", "Properties": {"W": "x", "Fn::Transform": {"Name": "X"}}},
        unknown("macro X writes it at deployment (line 1); scan the template that it makes to have it judged"),
    ),
    "no-value": ({"Type": "T", "Properties": {"V": {"Ref": "AWS::NoValue"}}}, ABSENT),
    "tag": (
        {"Type": "T", "Properties": {"!Include": "x"}},
        unknown("!Include on line 1 is not a tag of CloudFormation: what a preprocessor makes of it is not known"),
    ),
}


@pytest.mark.parametrize(("body", "expected"), PROPERTIES.values(), ids=PROPERTIES.keys())
def test_property(body: Any, expected: Any) -> None:
    template = {"Conditions": {"Yes": YES}, "Resources": {"Probe": body}}
    assert plain(probe(Scenario(model_of(template), {}))) == expected


def test_a_symbol_of_a_generated_name_is_one_and_the_same() -> None:
    logs: dict[str, Any] = {"B": {"Type": "AWS::S3::Bucket"}}
    condition = equals({"Fn::Sub": "arn:aws:s3:::${B}"}, {"Fn::GetAtt": "B.Arn"})
    template = with_probe({"Fn::If": [condition, "same", "other"]}, Resources=logs)
    assert explored(template) == [({}, "same")]


def test_generated_names_differ_from_each_other_and_from_literals() -> None:
    logs: dict[str, Any] = {"A": {"Type": "AWS::S3::Bucket"}, "B": {"Type": "AWS::S3::Bucket"}}
    for other in ({"Ref": "B"}, "my-logs"):
        template = with_probe({"Fn::If": [equals({"Ref": "A"}, other), "same", "other"]}, Resources=logs)
        assert explored(template) == [({}, "other")]


def test_circular_references() -> None:
    resources: dict[str, Any] = {
        "A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "B"}}},
        "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${A}"}}},
    }
    value = probe(Scenario(model_of(with_probe({"Ref": "A"}, Resources=resources)), {}))
    assert isinstance(value, Text)
    (piece,) = value.pieces
    assert isinstance(piece, Symbol)
    assert (piece.kind, piece.reason) == (OPAQUE, "A refers to itself (line 1)")


@pytest.mark.parametrize("attribute", sorted((kind, name) for kind, names in RETURNS.items() for name in names))
def test_every_known_return_value_resolves(attribute: tuple[str, str]) -> None:
    kind, name = attribute
    expression: Any = {"Ref": "R"} if name == "Ref" else {"Fn::GetAtt": ["R", name]}
    value = probe(Scenario(model_of(with_probe(expression, Resources={"R": {"Type": kind}})), {}))
    assert isinstance(value, Text)
    assert value.pieces


# --- held against a plain evaluator -------------------------------------------------------------------------------

VALUES = {"A": "one", "B": "two,2", "C": "", "D": "a/b/c"}
LISTS = {"L": ["x", "y"], "E": [""]}
TABLE = {"one": {"k": "v1", "two,2": "v2"}, "x": {"k": "v3", "two,2": "v4"}}


class OutsideError(Exception):
    """CloudFormation would refuse the expression."""


def evaluate(node: Any) -> Any:
    """What an expression means, the plain way."""
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return [value for value in map(evaluate, node) if value is not None]
    ((name, argument),) = node.items()
    if name == "Ref":
        return None if argument == "AWS::NoValue" else {**VALUES, **LISTS}[argument]
    if name == "Fn::Sub":
        text, names = argument if isinstance(argument, list) else (argument, {})
        known = {**VALUES, **{key: evaluate(value) for key, value in names.items()}}
        for key in known:
            text = text.replace("${" + key + "}", "\0" + key + "\0")
        parts = text.split("\0")
        return "".join(known[part] if index % 2 else part for index, part in enumerate(parts))
    if name == "Fn::If":
        return evaluate(argument[1] if holds(argument[0]) else argument[2])
    values = [evaluate(item) for item in argument]
    if name == "Fn::Join":
        return values[0].join(values[1])
    if name == "Fn::Split":
        return values[1].split(values[0])
    if name == "Fn::Select":
        if int(values[0]) >= len(values[1]):
            raise OutsideError
        return values[1][int(values[0])]
    assert name == "Fn::FindInMap"
    return TABLE[values[1]][values[2]]


def holds(node: Any) -> bool:
    ((name, argument),) = node.items()
    if name == "Fn::Equals":
        return bool(evaluate(argument[0]) == evaluate(argument[1]))
    parts = [holds(item) for item in argument]
    return {"Fn::Not": not parts[0], "Fn::And": all(parts), "Fn::Or": any(parts)}[name]


LITERALS = st.sampled_from(("", "a", "b", "x", "one", "a/b", "b,c", ",", "two,2"))


def texts(depth: int) -> st.SearchStrategy[Any]:
    simple = st.one_of(LITERALS, st.sampled_from(sorted(VALUES)).map(lambda name: {"Ref": name}))
    if not depth:
        return simple
    inner = texts(depth - 1)
    lists = list_expressions(depth - 1)
    pieces = st.lists(st.sampled_from(("${A}", "${B}", "${C}", "${D}", "a", "/", "$", "}")), max_size=4).map("".join)
    return st.one_of(
        simple,
        st.tuples(LITERALS, lists).map(lambda pair: {"Fn::Join": list(pair)}),
        pieces.map(lambda text: {"Fn::Sub": text}),
        st.tuples(pieces, st.dictionaries(st.sampled_from(("A", "Z")), inner, max_size=2)).map(
            lambda pair: {"Fn::Sub": list(pair)}
        ),
        st.tuples(st.sampled_from(("0", "1", "2")), lists).map(lambda pair: {"Fn::Select": list(pair)}),
        st.tuples(conditions(depth - 1), inner, inner).map(lambda triple: {"Fn::If": list(triple)}),
        st.tuples(st.sampled_from(("x", "one")), st.sampled_from(("k", "two,2"))).map(
            lambda keys: {"Fn::FindInMap": ["T", *keys]}
        ),
        st.just({"Fn::FindInMap": ["T", {"Ref": "A"}, {"Ref": "B"}]}),
    )


def list_expressions(depth: int) -> st.SearchStrategy[Any]:
    inner = texts(depth)
    items = st.one_of(inner, st.just({"Ref": "AWS::NoValue"}))
    return st.one_of(
        st.lists(items, max_size=3),
        st.sampled_from(sorted(LISTS)).map(lambda name: {"Ref": name}),
        st.tuples(st.sampled_from((",", "/", "a/")), inner).map(lambda pair: {"Fn::Split": list(pair)}),
    )


def conditions(depth: int) -> st.SearchStrategy[Any]:
    equal = st.tuples(texts(depth), texts(depth)).map(lambda pair: {"Fn::Equals": list(pair)})
    several = st.lists(equal, min_size=2, max_size=3)
    return st.one_of(
        equal,
        equal.map(lambda item: {"Fn::Not": [item]}),
        several.map(lambda items: {"Fn::And": items}),
        several.map(lambda items: {"Fn::Or": items}),
    )


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(texts(3), list_expressions(2)))
def test_expressions_over_pinned_parameters(expression: Any) -> None:
    parameters: dict[str, Any] = {name: {"Type": "String"} for name in VALUES}
    parameters.update({name: {"Type": "CommaDelimitedList"} for name in LISTS})
    pins = Pins({**VALUES, **{name: ", ".join(items) for name, items in LISTS.items()}})
    try:
        expected = evaluate(expression)
    except OutsideError:
        expected = Unbuildable
    try:
        found = resolve(expression, pins, Parameters=parameters, Mappings={"T": TABLE})
    except (Unbuildable, Split):  # whether a condition holds that is refused is asked both ways
        found = Unbuildable
    if found is Unbuildable:
        assert expected is Unbuildable
    elif expected is not Unbuildable:  # a plain evaluator also looks at what is never used
        assert found == expected


# --- nothing that a template may say makes it raise ---------------------------------------------------------------


def _scalar(value: str, plain: bool) -> Node:
    return TextNode(value, plain, 1, 1, 1, 1)


def _sequence(items: list[Node]) -> Node:
    node = ListNode(1, 1)
    node.items.extend(items)
    return node


def _mapping(entries: Mapping[str, Node]) -> Node:
    node = MapNode(1, 1)
    for key, value in entries.items():
        node.keys[key] = TextNode(key, False, 1, 1, 1, 1)
        node.values[key] = value
    return node


def _typed(kind: str, properties: Node | None = None) -> Node:
    entries = {"Type": _scalar(kind, True)}
    return _mapping(entries if properties is None else {**entries, "Properties": properties})


KEYS = st.one_of(
    st.sampled_from((
        *FUNCTIONS, "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Fn::Contains", "Fn::EachMemberIn", "Condition",
        "Fn::EachMemberEquals", "!X", "a", "DefaultValue", "Fn::ForEach::x", "",
    )),
    st.text(max_size=3),
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(
        (
            "P",
            "L",
            "N",
            "C",
            "Probe",
            "Logs",
            "M",
            "Logs.Arn",
            "${P}",
            "${Logs.Arn}",
            "${!x}",
            "AWS::Region",
            "AWS::NoValue",
        )
    ),
    st.sampled_from(
        (
            "AWS::Region",
            "AWS::NoValue",
            "{{resolve:ssm:x}}",
            "0",
            "1",
            "true",
            "~",
            "",
            "²",
            "-1",
            "AWS::StackId",
            "AWS::NotificationARNs",
            ".",
        )
    ),
    st.text(max_size=4),
)
NODES = st.recursive(
    st.builds(_scalar, WORDS, st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(_sequence),
        st.dictionaries(KEYS, inner, min_size=1, max_size=1).map(_mapping),
        st.dictionaries(KEYS, inner, max_size=3).map(_mapping),
    ),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=NODES, condition=NODES, table=NODES, parameter=NODES)
def test_malformed_trees_never_raise(value: Node, condition: Node, table: Node, parameter: Node) -> None:
    root = _mapping(
        {
            "Parameters": _mapping({"P": _typed("String"), "L": _typed("CommaDelimitedList"), "N": parameter}),
            "Mappings": _mapping({"M": table}),
            "Conditions": _mapping({"C": condition}),
            "Resources": _mapping(
                {
                    "Logs": _typed("AWS::S3::Bucket", _mapping({"BucketName": value})),
                    "Probe": _typed("T", _mapping({"V": value})),
                }
            ),
        }
    )
    for pins in ({}, {"P": "x"}):
        model = Model(Template(Document(root, "", ())), Pins(pins), RETURNS)
        pending: list[Any] = [{}]
        for _ in range(40):
            if not pending:
                break
            assignment = pending.pop()
            scenario = Scenario(model, assignment)
            try:
                probe(scenario)
                scenario.condition("C")
            except Split as split:
                children = model.space.children(assignment, split)
                assert all(child != assignment for child in children)
                pending.extend(children)
            except Unbuildable:
                continue


def test_the_kind_of_a_parameter_symbol() -> None:
    value = probe(Scenario(Model(read(with_probe({"Ref": "P"}, Parameters={"P": STRING})), Pins(), RETURNS), {}))
    assert isinstance(value, Text)
    assert value.symbols == (Symbol(VARIABLE, "P"),)
