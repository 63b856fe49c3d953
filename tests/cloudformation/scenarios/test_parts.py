"""Lists that nobody has given yet: their items, their number and their text, held against trying all short lists."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloudformation.resolving import explored, resolve, resolve_all, unknown
from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.scenarios.parts import COUNT, Part, composed, items_of, owner_of

L = {"Ref": "L"}
OPEN = unknown("parameter S may have any value; give it with --parameter S=VALUE")


def item(position: int, of: Any = L) -> dict[str, Any]:
    return {"Fn::Select": [position, of]}


def listed(**more: Any) -> dict[str, Any]:
    return {"L": {"Type": "CommaDelimitedList", **more}}


@pytest.mark.parametrize(("value", "items"), [
    ("", [""]), ("a", ["a"]), ("a,b", ["a", "b"]), (" a , b ", ["a", "b"]), (",", ["", ""]),
])  # fmt: skip
def test_items_of_a_list_that_is_given(value: str, items: list[str]) -> None:
    """An empty list parameter holds one empty text: https://github.com/aws-cloudformation/cfn-language-discussion/issues/102."""
    assert resolve(L, Pins({"L": value}), Parameters=listed()) == items
    assert resolve({"Fn::Length": L}, Pins({"L": value}), Parameters=listed()) == str(len(items))


def test_an_empty_default_is_one_empty_item() -> None:
    test = {"Fn::If": [{"Fn::Equals": [item(0), ""]}, "empty", "filled"]}
    found = resolve_all(test, Parameters=listed(Default=""))
    assert [(values["L"], answer) for values, answer in found] == [
        ("", "empty"), (",other", "empty"), ("other", "filled"),
    ]  # fmt: skip


@pytest.mark.parametrize(("default", "witness"), [("a", "b"), ("b", "a")])
def test_allowed_values_are_those_of_each_item(default: str, witness: str) -> None:
    parameters = listed(AllowedValues=["a", "b"], Default=f"{default},a")
    found = resolve_all({"Fn::If": [{"Fn::Equals": [item(0), witness]}, "yes", "no"]}, Parameters=parameters)
    assert {(values["L"].partition(",")[0], answer) for values, answer in found} == {(default, "no"), (witness, "yes")}


@pytest.mark.parametrize("more", [{"AllowedPattern": "[a-z]+"}, {"Type": "AWS::SSM::Parameter::Value<List<String>>"}])
def test_items_that_nobody_can_tell(more: dict[str, Any]) -> None:
    ((_, value),) = resolve_all(item(1), Parameters=listed(**more))
    assert value[0] == "unknown"


@pytest.mark.parametrize(("parameter", "text", "expected"), [
    ({}, {"Ref": "S"}, '<part 1 of S split at "-">'),
    ({"Default": "a-b"}, {"Ref": "S"}, "b"),
    ({"AllowedPattern": "[a-z-]*"}, {"Ref": "S"}, OPEN),
    ({}, {"Fn::Sub": "x${S}"}, OPEN),
])  # fmt: skip
def test_parts_of_a_text(parameter: dict[str, Any], text: Any, expected: Any) -> None:
    split = item(1, {"Fn::Split": ["-", text]})
    answers = [answer for _, answer in resolve_all(split, Parameters={"S": {"Type": "String", **parameter}})]
    assert expected in answers


@pytest.mark.parametrize("size", ["", "many", "\u00b2", "0", "01", "4098", "1000000000"])
def test_what_no_list_has_as_many_items(size: str) -> None:
    test = {"Fn::If": [{"Fn::Equals": [{"Fn::Length": L}, size]}, "yes", "no"]}
    assert {answer for _, answer in resolve_all(test, Parameters=listed())} == {"no"}


def test_names_of_items() -> None:
    names = [Part("P", ",", 2).name, Part("P", ",", COUNT).name, Part("P", "a b", 0).name]
    assert names == ["item 2 of P", "item count of P", 'part 0 of P split at "a b"']
    assert {owner_of(name) for name in (*names, "P")} == {"P"}


# --- held against all short lists -----------------------------------------------------------------------------------

LETTERS = ("a", "b", "q")  # q stands for what nobody compares with
LISTS = [",".join(items) for size in range(1, 5) for items in itertools.product(LETTERS, repeat=size)]

TESTS = st.one_of(
    st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from(["a", "b"])).map(
        lambda p: {"Fn::Equals": [item(p[0]), p[1]]}
    ),
    st.sampled_from(["1", "2", "3"]).map(lambda size: {"Fn::Equals": [{"Fn::Length": L}, size]}),
    st.sampled_from(["a", "a,b", "b,a", "a,b,a"]).map(lambda text: {"Fn::Equals": [{"Fn::Join": [",", L]}, text]}),
    st.just({"Fn::Equals": [item(0), item(1)]}),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        inner.map(lambda one: {"Fn::Not": [one]}),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: {"Fn::And": some}),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: {"Fn::Or": some}),
    ),
    max_leaves=4,
)


def value(node: Any, items: list[str]) -> str | None:
    """What a text is for a list; None for an item that is not there."""
    if isinstance(node, str):
        return node
    ((name, argument),) = node.items()
    if name == "Fn::Length":
        return str(len(items))
    if name == "Fn::Join":
        return ",".join(items)
    return items[argument[0]] if argument[0] < len(items) else None


def holds(node: Any, items: list[str], strict: bool) -> bool | None:
    """Whether a condition holds for a list; None where no stack is made.

    When `strict`, an item that is not there is one too many even where the others decide.
    """
    ((name, argument),) = node.items()
    if name == "Fn::Equals":
        left, right = (value(one, items) for one in argument)
        return None if left is None or right is None else left == right
    found = [holds(one, items, strict) for one in argument]
    if name == "Fn::Not":
        return None if found[0] is None else not found[0]
    if strict and None in found:
        return None
    stop = name == "Fn::Or"
    return stop if stop in found else None if None in found else not stop


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONDITIONS, st.sampled_from([None, "", "a", "a,b", "q,q,q"]))
def test_conditions_on_a_list(condition: Any, default: str | None) -> None:
    """Just those answers come out that some list brings about, and each scenario has a list that does."""
    template = {
        "Parameters": listed(**({} if default is None else {"Default": default})),
        "Conditions": {"C": condition},
        "Resources": {"Probe": {"Type": "Custom::Probe", "Properties": {"V": {"Fn::If": ["C", "yes", "no"]}}}},
    }
    found = explored(template)
    known = [*LISTS, *([] if default is None else [default])]
    strict, lenient = ({holds(condition, items_of(text), mode) for text in known} - {None} for mode in (True, False))
    assert strict <= {answer == "yes" for _, answer in found} <= lenient
    for values, answer in found:
        if "L" in values:
            assert holds(condition, items_of(values["L"]), False) in (answer == "yes", None)


@given(
    st.dictionaries(st.integers(0, 3), st.sampled_from(LETTERS), min_size=1),
    st.one_of(st.none(), st.sampled_from(LISTS)),
    st.frozensets(st.sampled_from(LISTS), max_size=3),
)
def test_a_list_that_is_put_together_has_the_items(
    known: dict[int, str], default: str | None, taken: frozenset[str]
) -> None:
    text = composed({Part("L", ",", position): letter for position, letter in known.items()}, default, taken, ())
    items = items_of(text)
    assert text not in taken
    assert {position: items[position] for position in known} == known
