"""Loops are written out as CloudFormation does, and point to where they were written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cloudformation.resolving import data, root_of
from trailguard.cloudformation.source.nodes import MapNode
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.expansion import MAX_ENTRIES, expand, has_loops
from trailguard.cloudformation.template.template import Template


def made(text: str, **pinned: str) -> Any:
    expansion = expand(root_of(text), pinned)
    assert expansion.problems == ()
    return data(expansion.root)


HEAD = """
Parameters:
  Names: {Type: CommaDelimitedList, Default: "a, b"}
  Open: {Type: CommaDelimitedList}
  One: {Type: String, Default: x}
  Empty: {Type: CommaDelimitedList, Default: ""}
  Stored: {Type: "AWS::SSM::Parameter::Value<CommaDelimitedList>", Default: /names}
Mappings:
  Stages: {prod: {Names: [p, q], One: p}, dev: {Names: [r]}}
"""


def many(count: int) -> str:
    return f"[{', '.join(map(str, range(count)))}]"


def loop(collection: str, body: str = '{"R${X}": {Type: "T::T::${X}"}}') -> str:
    return f"{HEAD}Resources:\n  Fn::ForEach::L: [X, {collection}, {body}]\n"


COLLECTIONS: list[tuple[str, list[str], bool]] = [
    ("[a, b]", ["a", "b"], True),
    ("[]", [], True),
    ("[a, !Ref One]", ["a", "x"], False),
    ("!Ref Names", ["a", "b"], False),
    ("!FindInMap [Stages, prod, Names]", ["p", "q"], True),
    ("!Split ['|', 'a|b|']", ["a", "b", ""], True),
    ("[yes, 'no']", ["true", "no"], True),
]


@pytest.mark.parametrize(("collection", "items", "sure"), COLLECTIONS, ids=[item[0] for item in COLLECTIONS])
def test_collections(collection: str, items: list[str], sure: bool) -> None:
    expansion = expand(root_of(loop(collection)))
    assert data(expansion.root)["Resources"] == {f"R{item}": {"Type": f"T::T::{item}"} for item in items}
    assert list(expansion.open_loops) == ([] if sure else ["Fn::ForEach::L"])


UNKNOWN = [
    "!Ref Open", "!Ref Stored", "!Ref Nobody", "!GetAZs ''", "[!GetAtt A.B]", "text",
    "!FindInMap [Stages, !Ref One, Names]", "!FindInMap [Nothing, a, b]", "!FindInMap [Stages, prod, One]",
    "!Ref One", "!Ref Empty", "[a, !Ref Names]",
]  # fmt: skip


@pytest.mark.parametrize("collection", UNKNOWN)
def test_collections_that_are_not_known_are_those_of_any_item(collection: str) -> None:
    expansion = expand(root_of(loop(collection)))
    assert data(expansion.root)["Resources"] == {"R<X>": {"Type": "T::T::<X>"}}
    assert list(expansion.open_loops) == ["Fn::ForEach::L"]
    assert list(expansion.items) == ["<X>"]


ANY: list[tuple[str, Any]] = [
    ('{"${X}": {Ref: X}}', {"<X>": {"Ref": "<X>"}}),
    ('{"R${X}": {K: "p-${X}-${Y}"}}', {"R<X>": {"K": {"Fn::Sub": "p-${<X>}-${!Y}"}}}),
    ('{"R${X}": {K: !Sub "p-${X}-${Y}-${B${X}.Arn}"}}', {"R<X>": {"K": {"Fn::Sub": "p-${<X>}-${Y}-${B<X>.Arn}"}}}),
    ('{"R${X}": {K: !Sub ["${X}${Y}", {Y: !Ref X}]}}',
     {"R<X>": {"K": {"Fn::Sub": ["${<X>}${Y}", {"Y": {"Ref": "<X>"}}]}}}),
    ('{"R${X}": {K: [!Ref "B${X}", !GetAtt "B${X}.Arn", !GetAtt ["B${X}", Arn], !If ["Is${X}", "a${X}", b]]}}',
     {"R<X>": {"K": [{"Ref": "B<X>"}, {"Fn::GetAtt": "B<X>.Arn"}, {"Fn::GetAtt": ["B<X>", "Arn"]},
                     {"Fn::If": ["Is<X>", {"Fn::Sub": "a${<X>}"}, "b"]}]}}),
    ('{"R${X}": {Type: "A::${X}::B", Condition: "Is${X}", DependsOn: ["P${X}"], Properties: {K: "${X}"}}}',
     {"R<X>": {"Type": "A::<X>::B", "Condition": "Is<X>", "DependsOn": ["P<X>"],
               "Properties": {"K": {"Fn::Sub": "${<X>}"}}}}),
    ('{"Fn::ForEach::M": [Y, [1, 2], {"R${X}${Y}": {K: "${Y}"}}]}', {"R<X>1": {"K": "1"}, "R<X>2": {"K": "2"}}),
    ('{"Fn::ForEach::M": [Y, ["k${X}"], {"R${X}${Y}": {K: "${Y}"}}]}',
     {"R<X><Y>": {"K": {"Fn::Sub": "${<Y>}"}}}),
    ('{"Fn::ForEach::M": [Y, !Split [",", !Ref X], {"R${X}${Y}": 1}]}', {"R<X><Y>": "1"}),
    ('{"Fn::ForEach::M": [Y, [!Ref X], {"R${X}${Y}": {K: !Ref Y}}]}', {"R<X><X>": {"K": {"Ref": "<X>"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), ANY, ids=range(len(ANY)))
def test_bodies_of_any_item(body: str, expected: Any) -> None:
    assert made(loop("!Ref Open", body))["Resources"] == expected


def test_loops_over_one_collection_go_over_the_same_item() -> None:
    text = """
Conditions:
  Fn::ForEach::C: [Name, !Ref Open, {"Is${Name}": !Equals [!Ref Name, a]}]
Resources:
  Fn::ForEach::A: [X, !Ref Open, {"A${X}": {Condition: "Is${X}"}}]
  Fn::ForEach::B: [X, !GetAZs "", {"B${X}": 1}]
"""
    assert made(text) == {
        "Conditions": {"Is<Name>": {"Fn::Equals": [{"Ref": "<Name>"}, "a"]}},
        "Resources": {"A<Name>": {"Condition": "Is<Name>"}, "B<X>": "1"},
    }
    twice = 'Resources: {"Fn::ForEach::A": [X, !Ref P, {"A${X}": 1}], "Fn::ForEach::B": [X, !Ref Q, {"B${X}": 1}]}'
    assert list(made(twice)["Resources"]) == ["A<X>", "B<X2>"]


def test_a_known_parameter_decides() -> None:
    expansion = expand(root_of(loop("!Ref Open")), {"Open": "k,l"})
    assert list(data(expansion.root)["Resources"]) == ["Rk", "Rl"]
    assert expansion.open_loops == {}


BODIES: list[tuple[str, Any]] = [
    ('{"${X}": {Ref: X}}', {"a": "a"}),
    ('{"${X}": !Sub "${X}-${!X}-${Y}"}', {"a": {"Fn::Sub": "a-${!X}-${Y}"}}),
    ('{"${X}": !Sub ["${X}", {X: !Ref X}]}', {"a": {"Fn::Sub": ["${X}", {"X": "a"}]}}),
    ('{"${X}": !GetAtt "B${X}.Arn"}', {"a": {"Fn::GetAtt": "Ba.Arn"}}),
    ('{"${X}": {DependsOn: ["P${X}"], Condition: "C${X}"}}', {"a": {"DependsOn": ["Pa"], "Condition": "Ca"}}),
    ('{"${X}": {"K${X}": 1}, "Q${X}": 2}', {"a": {"Ka": "1"}, "Qa": "2"}),
    (
        '{"${X}": [!Ref {"Fn::Sub": "B${X}"}, !GetAtt [!Sub "B${X}", Arn]]}',
        {"a": [{"Ref": "Ba"}, {"Fn::GetAtt": ["Ba", "Arn"]}]},
    ),
    ('{"${X}": !If [!Sub "Is${X}", !Ref X, 2]}', {"a": {"Fn::If": [{"Fn::Sub": "Is${X}"}, "a", "2"]}}),
    ('{"${X}": !If ["Is${X}", 1, 2]}', {"a": {"Fn::If": ["Isa", "1", "2"]}}),
]


@pytest.mark.parametrize(("body", "expected"), BODIES, ids=range(len(BODIES)))
def test_bodies(body: str, expected: Any) -> None:
    assert made(loop("[a]", body))["Resources"] == expected


def test_letters_and_digits_only() -> None:
    assert made(loop("['10.0.0/8']", '{"R&{X}": {Value: "${X}"}}'))["Resources"] == {"R10008": {"Value": "10.0.0/8"}}


def test_loops_in_each_other() -> None:
    body = '{"Fn::ForEach::M": [Y, [1, 2], {"${X}${Y}": [!Ref X, !Ref Y]}]}'
    assert made(loop("[a, b]", body))["Resources"] == {
        "a1": ["a", "1"], "a2": ["a", "2"], "b1": ["b", "1"], "b2": ["b", "2"],
    }  # fmt: skip


def test_the_inner_collection_may_hinge_on_the_outer_item() -> None:
    body = '{"Fn::ForEach::M": [Y, !FindInMap [Stages, !Ref X, Names], {"${X}${Y}": 1}]}'
    assert list(made(loop("[prod, dev]", body))["Resources"]) == ["prodp", "prodq", "devr"]


def test_loops_in_properties_conditions_and_outputs() -> None:
    text = """
Conditions:
  Fn::ForEach::C: [X, [a], {"Is${X}": !Equals [!Ref P, !Ref X]}]
Resources:
  R:
    Type: T
    Properties:
      Keep: 1
      Fn::ForEach::P: [X, [a, b], {"Prop${X}": !Ref X}]
Outputs:
  Fn::ForEach::O: [X, [a], {"Out${X}": {Value: !Ref X}}]
"""
    expansion = expand(root_of(text))
    assert expansion.open_loops == {}
    assert data(expansion.root) == {
        "Conditions": {"Isa": {"Fn::Equals": [{"Ref": "P"}, "a"]}},
        "Resources": {"R": {"Type": "T", "Properties": {"Keep": "1", "Propa": "a", "Propb": "b"}}},
        "Outputs": {"Outa": {"Value": "a"}},
    }


def test_an_inner_loop_is_open_once() -> None:
    body = '{"Fn::ForEach::M": [Y, !Ref Open, {"${X}${Y}": 1}], "${X}": 1}'
    expansion = expand(root_of(loop("[a, b]", body)))
    assert expansion.problems == ()
    assert list(expansion.open_loops) == ["Fn::ForEach::M"]
    assert list(data(expansion.root)["Resources"]) == ["a<Y>", "a", "b<Y>", "b"]


def test_properties_are_not_told_from_a_default() -> None:
    text = HEAD + 'Resources: {R: {Type: T, Properties: {"Fn::ForEach::P": [X, !Ref Names, {"${X}": 1}]}}}'
    assert made(text) == data(root_of(text))
    assert made(text, Names="c")["Resources"]["R"]["Properties"] == {"c": "1"}


@pytest.mark.parametrize(("known", "condition"), [("x", "IsX"), ("z", {"Fn::FindInMap": ["Conditions", "of", "z"]})])
def test_a_condition_is_looked_up(known: str, condition: Any) -> None:
    text = "Mappings: {Conditions: {of: {x: IsX}}}\nResources: {'Fn::ForEach::L': [X, [%s], {'R${X}': %s}]}"
    body = "{Type: T, Condition: !FindInMap [Conditions, of, !Ref X]}"
    assert made(text % (known, body))["Resources"][f"R{known}"]["Condition"] == condition


def test_aliases_are_followed_once() -> None:
    levels = "".join(f"  a{level}: &a{level} [*a{level - 1}, *a{level - 1}]\n" for level in range(1, 15))
    items = ", ".join(map(str, range(500)))
    text = (
        f"Metadata:\n  a0: &a0 ['${{X}}']\n{levels}Resources: {{'Fn::ForEach::L': [X, [{items}], {{'R${{X}}': *a14}}]}}"
    )
    expansion = expand(root_of(text))
    assert expansion.problems == ()
    resources = expansion.root.values["Resources"]
    assert isinstance(resources, MapNode)
    assert len(resources.values) == 500


def test_what_does_not_hinge_on_the_item_is_shared() -> None:
    root = root_of("Resources: {'Fn::ForEach::L': [X, [a, b], {'R${X}': {Type: T, Properties: {A: 1}}}]}")
    resources = expand(root).root.values["Resources"]
    assert isinstance(resources, MapNode)
    assert resources.values["Ra"] is resources.values["Rb"]


@pytest.mark.slow
def test_work_ends() -> None:
    wide = ", ".join(["'${X}'"] * 1000)
    items = ", ".join(map(str, range(5000)))
    expansion = expand(root_of(f"Resources: {{'Fn::ForEach::L': [X, [{items}], {{'R${{X}}': [{wide}]}}]}}"))
    assert [problem.message for problem in expansion.problems] == ["the loops make too much to be looked at"]
    assert list(expansion.open_loops) == ["Fn::ForEach::L"]


SHAPE = "Fn::ForEach::L must be a list of an identifier, a collection and a map"
PROBLEMS: list[tuple[str, str]] = [
    (loop("[a]", "text"), SHAPE),
    ("Resources: {'Fn::ForEach::L': [X, [a]]}", SHAPE),
    ("Resources: {'Fn::ForEach::L': {X: 1}}", SHAPE),
    (loop("[a, b]", "{R: 1}"), 'the loop makes "R" twice'),
    (loop("[a]", '{"Fn::ForEach::M": [X, [b], {"${X}": 1}]}'),
     'Fn::ForEach::M uses the identifier "X" of a loop around it'),
    (loop(many(501)), "the loops make more than 500 resources, which is all that CloudFormation takes"),
    (loop(many(251), '{"A${X}": {Type: a}, "B${X}": {Type: a}}'),
     "the loops make more than 500 resources, which is all that CloudFormation takes"),
    (f"Outputs: {{'Fn::ForEach::L': [X, {many(201)}, {{'R${{X}}': {{Value: a}}}}]}}",
     "the loops make more than 200 outputs, which is all that CloudFormation takes"),
    (f"Conditions: {{'Fn::ForEach::L': [X, {many(MAX_ENTRIES + 1)}, {{'R${{X}}': a}}]}}",
     f"the loops make more than {MAX_ENTRIES} entries"),
    (loop(f"[{'a' * 1_000_000}]", '{"R": {Type: "${X}${X}${X}${X}"}}'),
     "the loops make more than 1 MB, which is all that CloudFormation takes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), PROBLEMS, ids=range(len(PROBLEMS)))
def test_problems_have_a_place(text: str, message: str) -> None:
    (problem,) = expand(root_of(text)).problems
    assert problem.message == message
    assert text.split("\n")[problem.line - 1][problem.column - 1 :].lstrip("'\"").startswith("Fn::ForEach::")


def test_what_follows_too_long_a_loop_is_kept() -> None:
    found = expand(root_of(loop(many(501)) + "  Last: {Type: T}\nOutputs: {O: {Value: a}}\n"))
    resources = found.root.values["Resources"]
    assert isinstance(resources, MapNode)
    assert list(resources.values)[-1] == "Last"
    assert len(resources.values) == 501
    assert list(found.open_loops) == ["Fn::ForEach::L"]
    assert "Outputs" in found.root.values


def test_nesting_ends() -> None:
    body = '{"${X0}${X1}${X2}${X3}${X4}${X5}": 1}'
    for number in reversed(range(6)):
        body = f'{{"Fn::ForEach::L{number}": [X{number}, [a], {body}]}}'
    problems = expand(root_of(f"Resources: {body}")).problems
    assert [problem.message for problem in problems] == [
        "Fn::ForEach::L5 is nested too deeply: CloudFormation takes 5 loops in each other"
    ]


def test_places_are_those_of_the_body() -> None:
    text = loop("[a, b]", '{"R${X}": {Type: T, Properties: {Name: !Ref X}}}')
    resources = expand(root_of(text)).root.values["Resources"]
    assert isinstance(resources, MapNode)
    column = text.split("\n")[-2].index('"R${X}"') + 1
    line = len(text.split("\n")) - 1
    assert [(key.value, key.line, key.column) for key in resources.keys.values()] == [
        ("Ra", line, column),
        ("Rb", line, column),
    ]


def test_a_template_without_loops_is_left_alone() -> None:
    root = root_of("Resources: {A: {Type: T}}")
    assert not has_loops(root)
    assert expand(root) == (root, (), {}, frozenset(), {})
    assert expand(root).root is root


def test_without_the_transform_nothing_is_written_out() -> None:
    template = Template(parse(loop("[a]").encode()))
    assert list(template.resources) == []
    assert list(template.generators) == ["Fn::ForEach::L"]
    template = Template(parse(("Transform: AWS::LanguageExtensions" + loop("[a]")).encode()))
    assert list(template.resources) == ["Ra"]
    assert template.generators == {}


def test_modules_stand_for_resources() -> None:
    template = Template(parse(b"Resources: {M: {Type: 'Org::Team::Bucket::MODULE'}}"))
    assert list(template.generators) == ["M"]


# --- against a brute force oracle -------------------------------------------------------------------------------------

NAMES = ("X", "Y", "Z")
ITEMS = st.lists(st.sampled_from(["a", "b", "c1", "-", "x y"]), max_size=3, unique=True)


def values(depth: int) -> st.SearchStrategy[Any]:
    leaf = st.one_of(
        st.sampled_from(["plain", "${X}", "p${Y}q", "${X}${Y}${Z}", "${!X}", "&{X}"]),
        st.sampled_from(NAMES).map(lambda name: {"Ref": name}),
        st.sampled_from(["${X}", "${Y}.${X}", "${!Z}${Z}"]).map(lambda text: {"Fn::Sub": text}),
    )
    if depth == 0:
        return leaf
    inner = values(depth - 1)
    return st.one_of(leaf, st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["k", "l"]), inner, max_size=2))


@st.composite
def bodies(draw: st.DrawFn, depth: int = 2, used: tuple[str, ...] = ()) -> dict[str, Any]:
    """A map with loops in it, in which every entry has a key of its own."""
    made_: dict[str, Any] = {}
    suffix = "".join("${" + name + "}" for name in used)
    number = draw(st.integers(0, 999))
    made_[f"E{number}{suffix}"] = draw(values(2))
    free = [name for name in NAMES if name not in used]
    if depth and free and draw(st.booleans()):
        name = free[0]
        inner = draw(bodies(depth - 1, (*used, name)))
        made_[f"Fn::ForEach::L{number}"] = [name, draw(ITEMS), inner]
    return made_


def written_out(value: Any, names: dict[str, str]) -> Any:
    """What the documentation says, on plain data."""
    if isinstance(value, str):
        for name, item in names.items():
            value = value.replace("${" + name + "}", item)
            value = value.replace("&{" + name + "}", "".join(char for char in item if char.isalnum()))
        return value
    if isinstance(value, list):
        return [written_out(item, names) for item in value]
    if set(value) == {"Ref"} and value["Ref"] in names:
        return names[value["Ref"]]
    if set(value) == {"Fn::Sub"} and names:
        text: str = written_out(value["Fn::Sub"], names)
        return {"Fn::Sub": text} if "${" in text else text
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key.startswith("Fn::ForEach::"):
            for text in item[1]:
                found.update(written_out(item[2], {**names, item[0]: text}))
        else:
            found[written_out(key, names)] = written_out(item, names)
    return found


@given(bodies())
def test_loops_mean_what_they_say(resources: dict[str, Any]) -> None:
    root = root_of(json.dumps({"Resources": resources}))
    expansion = expand(root)
    assert expansion.problems == ()
    assert data(expansion.root) == {"Resources": written_out(resources, {})}
    assert data(root) == {"Resources": resources}  # what was given stays as it is


def settled(value: Any, item: str) -> Any:
    """What was written out for any item, for one; what `Fn::Sub` has nothing to put in is a text."""
    if isinstance(value, str):
        return value.replace("<X>", item)
    if isinstance(value, list):
        return [settled(child, item) for child in value]
    if value == {"Ref": "<X>"}:
        return item
    if set(value) == {"Fn::Sub"}:
        text = value["Fn::Sub"].replace("${<X>}", item)
        return {"Fn::Sub": text} if "${" in text.replace("${!", "") else text.replace("${!", "${")
    return {settled(key, item): settled(child, item) for key, child in value.items()}


@given(bodies(used=("X",)), st.sampled_from(["a", "b", "c1"]))
def test_what_holds_for_any_item_holds_for_each(body: dict[str, Any], item: str) -> None:
    template = {
        "Parameters": {"Open": {"Type": "CommaDelimitedList"}},
        "Resources": {"Fn::ForEach::L": ["X", {"Ref": "Open"}, body]},
    }
    root = root_of(json.dumps(template))
    of_any, of_one = (data(expand(root, pinned).root)["Resources"] for pinned in ({}, {"Open": item}))
    assert settled(of_any, item) == settled(of_one, item)
