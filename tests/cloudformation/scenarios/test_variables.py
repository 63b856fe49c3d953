"""What a parameter may be, and how an open question splits the space of all stacks."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cloudformation.resolving import model_of, read
from trailguard.cloudformation.scenarios.space import Space
from trailguard.cloudformation.scenarios.variables import (
    FREE,
    Assignment,
    Candidate,
    Constraint,
    Same,
    Split,
    Variable,
)
from trailguard.cloudformation.scenarios.witnesses import compatible


def variable(body: dict[str, Any]) -> Variable:
    template = read({"Parameters": {"P": body}, "Resources": {}})
    return Variable("P", template.parameters["P"])


PERMITS: dict[str, tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]] = {
    "anything": ({}, ("", "x", "x" * 4096), ("x" * 4097,)),
    "allowed": ({"AllowedValues": ["a", "b"]}, ("a", "b"), ("", "c", "A")),
    "allowed-and-pattern": ({"AllowedValues": ["a", "b"], "AllowedPattern": "a"}, ("a",), ("b",)),
    "pattern-finite": ({"AllowedPattern": "^(a|b)$"}, ("a", "b"), ("", "c")),
    "pattern-infinite": ({"AllowedPattern": "^a+$"}, ("a", "aaa"), ("", "b")),
    "pattern-is-whole": ({"AllowedPattern": "a"}, ("a",), ("xax",)),
    "pattern-broken": ({"AllowedPattern": "("}, ("anything",), ()),
    "pattern-hostile": ({"AllowedPattern": "(a+)+$"}, ("a", "a" * 4000), ("b", "a" * 4000 + "!")),
    "min-length": ({"MinLength": 2}, ("ab", "abc"), ("", "a")),
    "max-length": ({"MaxLength": "2"}, ("", "ab"), ("abc",)),
    "number": ({"Type": "Number"}, ("1", "-1", "1.5"), ("", "x", "1_0", "nan", "inf")),
    "number-range": ({"Type": "Number", "MinValue": 1, "MaxValue": 3}, ("1", "2", "3"), ("0", "4", "x")),
    "number-allowed": ({"Type": "Number", "AllowedValues": [1, 2]}, ("1", "2"), ("3",)),
}


@pytest.mark.parametrize(("body", "accepted", "refused"), PERMITS.values(), ids=PERMITS.keys())
def test_permits(body: dict[str, Any], accepted: tuple[str, ...], refused: tuple[str, ...]) -> None:
    found = variable(body)
    assert [value for value in accepted if not found.permits(value)] == []
    assert [value for value in refused if found.permits(value)] == []


DEFAULTS: dict[str, tuple[dict[str, Any], str | None]] = {
    "none": ({}, None),
    "given": ({"Default": "x"}, "x"),
    "not-allowed": ({"Default": "x", "AllowedValues": ["a"]}, None),
    "allowed": ({"Default": "a", "AllowedValues": ["a"]}, "a"),
    "too-short": ({"Default": "", "MinLength": 1}, None),
    "not-matching": ({"Default": "x", "AllowedPattern": "y"}, None),
    "not-a-number": ({"Type": "Number", "Default": "x"}, None),
    "too-large": ({"Type": "Number", "Default": 9, "MaxValue": 8}, None),
}


@pytest.mark.parametrize(("body", "expected"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_default(body: dict[str, Any], expected: str | None) -> None:
    assert variable(body).default == expected


OTHERS: dict[str, tuple[dict[str, Any], set[Candidate], str | None]] = {
    "anything": ({}, set(), "other"),
    "taken": ({}, {"other"}, "another"),
    "allowed": ({"AllowedValues": ["a", "b"]}, {"a"}, "b"),
    "exhausted": ({"AllowedValues": ["a", "b"]}, {"a", "b"}, None),
    "pattern": ({"AllowedPattern": "^ab+$"}, {"ab"}, "abb"),
    "pattern-exhausted": ({"AllowedPattern": "^(a|b)$"}, {"a", "b"}, None),
    "pattern-account": ({"AllowedPattern": r"^\d{12}$"}, set(), "1" * 12),
    "number": ({"Type": "Number"}, set(), "1"),
    "number-range": ({"Type": "Number", "MinValue": 50, "MaxValue": 51}, {"50"}, "51"),
    "longest": ({"MinLength": 10**12}, set(), None),
    "negative": ({"MinLength": -5}, set(), "other"),
    "no-example-found": ({"AllowedPattern": "^(?=.*ZZ)[A-Z]{4}$"}, set(), None),
    "long": ({"MinLength": 20, "MaxLength": 20}, set(), "x" * 20),
    "long-taken": ({"MinLength": 20, "MaxLength": 20}, {"x" * 20}, "y" * 20),
    "empty-only": ({"MaxLength": 0}, set(), ""),
    "empty-only-taken": ({"MaxLength": 0}, {""}, None),
}


@pytest.mark.parametrize(("body", "excluded", "expected"), OTHERS.values(), ids=OTHERS.keys())
def test_other(body: dict[str, Any], excluded: set[Candidate], expected: str | None) -> None:
    assert variable(body).other(frozenset(excluded)) == expected


MEETINGS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "open": ({}, {}, True),
    "allowed": ({"AllowedValues": ["a", "b"]}, {"AllowedValues": ["c", "b"]}, True),
    "allowed-apart": ({"AllowedValues": ["a", "b"]}, {"AllowedValues": ["c", "d"]}, False),
    "allowed-against-pattern": ({"AllowedValues": ["x", "ab"]}, {"AllowedPattern": "^a.*$"}, True),
    "default-in-pattern": ({"AllowedPattern": "^[a-z]+x$", "Default": "yx"}, {"AllowedPattern": "^y[a-z]+$"}, True),
    "account-and-organization": ({"AllowedPattern": r"^\d{12}$"}, {"AllowedPattern": "^o-[a-z0-9]{10,32}$"}, False),
    "lengths": ({"MinLength": 3}, {"MaxLength": 5}, True),
    "numbers": ({"Type": "Number", "MinValue": 5}, {"Type": "String"}, True),
}


@pytest.mark.parametrize(("left", "right", "expected"), MEETINGS.values(), ids=MEETINGS.keys())
def test_may_equal(left: dict[str, Any], right: dict[str, Any], expected: bool) -> None:
    assert variable(left).may_equal(variable(right)) is expected
    assert variable(right).may_equal(variable(left)) is expected


def test_there_is_always_another_value_of_an_open_parameter() -> None:
    found = variable({})
    taken: set[Candidate] = set()
    for _ in range(50):
        value = found.other(frozenset(taken))
        assert value is not None
        assert value not in taken
        taken.add(value)


def test_an_open_number_has_other_values_beside_many() -> None:
    found = variable({"Type": "Number"})
    assert found.other(frozenset(str(number) for number in range(200))) is not None


def test_a_pattern_without_examples_still_leaves_other_values() -> None:
    body = {"AllowedPattern": "^(?=.*ZZ)[A-Z]{4}$"}
    children = space(P=body).children({}, Split("P", ["AAZZ"]))
    assert children == [{"P": constraint("AAZZ")}, {"P": constraint(None, "AAZZ")}]


# --- the space ----------------------------------------------------------------------------------------------------


def space(**bodies: dict[str, Any]) -> Space:
    return model_of({"Parameters": bodies, "Resources": {}}).space


def constraint(value: Candidate | None = None, *excluded: Candidate) -> Constraint:
    return Constraint(value, frozenset(excluded))


def test_children_of_an_open_parameter() -> None:
    children = space(P={}).children({}, Split("P", ["a", "b"]))
    assert children == [{"P": constraint("a")}, {"P": constraint("b")}, {"P": constraint(None, "a", "b")}]


def test_children_of_a_closed_question() -> None:
    assert space(P={}).children({}, Split("P", ["a"], closed=True)) == [{"P": constraint("a")}]


def test_the_last_allowed_value_is_known() -> None:
    children = space(P={"AllowedValues": ["a", "b"]}).children({}, Split("P", ["a"]))
    assert children == [{"P": constraint("a")}, {"P": constraint("b", "a")}]


def test_decide_follows_what_is_known() -> None:
    found = space(P={}, Q={}, A={"AllowedValues": ["a"]})
    assert found.decide({"P": constraint("a")}, "P", "a")
    assert not found.decide({"P": constraint("a")}, "P", "b")
    assert not found.decide({"P": constraint(None, "a")}, "P", "a")
    assert not found.decide({}, "A", "b")
    assert found.decide({"P": constraint(Same("Q"))}, "P", Same("Q"))
    assert found.decide({"P": constraint(Same("Q"))}, "Q", Same("P"))
    assert found.decide({"P": constraint(Same("Q")), "Q": constraint("a")}, "P", "a")
    assert not found.decide({"P": constraint(None, Same("Q"))}, "P", Same("Q"))
    assert not found.decide({"P": constraint(None, Same("Q"))}, "Q", Same("P"))
    assert not found.decide({"P": constraint(None, Same("Q")), "Q": constraint("a")}, "P", "a")
    with pytest.raises(Split):
        found.decide({}, "P", "a")
    with pytest.raises(Split):
        found.decide({}, "P", Same("Q"))


def test_twins_share_what_is_allowed() -> None:
    found = space(P={}, Q={"AllowedValues": ["a", "b"]})
    twins: Assignment = {"P": FREE, "Q": constraint(Same("P"))}
    assert not found.decide(twins, "P", "c")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (FREE, FREE, True),
        (constraint("a"), constraint("a"), True),
        (constraint("a"), constraint("b"), False),
        (constraint("a"), constraint(None, "a"), False),
        (constraint(None, "a"), constraint("a"), False),
        (constraint(None, "a"), constraint("b"), True),
        (constraint(None, "a"), constraint(None, "b"), True),
    ],
)
def test_compatible(left: Constraint, right: Constraint, expected: bool) -> None:
    assert compatible(left, right) is expected


def test_changed_defaults() -> None:
    found = space(P={"Default": "a"}, Q={"Default": "b"}, N={})
    assert found.changed({"P": constraint("a"), "N": constraint("x")}) == set()
    assert found.changed({"P": constraint("c")}) == {"P"}
    assert found.changed({"P": constraint(None, "a")}) == {"P"}
    assert found.changed({"P": constraint(None, "c")}) == set()
    assert "P" in found.changed({"P": constraint(Same("Q"))})


# --- every value fits exactly one child ---------------------------------------------------------------------------

LITERALS = ("a", "b", "c")
DOMAIN = (*LITERALS, "z1", "z2", "z3")
BODIES = st.sampled_from(
    ({}, {"AllowedValues": ["a", "b"]}, {"AllowedPattern": "^(b|c)$"}, {"AllowedValues": ["z1", "b"]})
)


def fits(assignment: Assignment, values: dict[str, str]) -> bool:
    """Whether concrete values lie in a scenario."""

    def value_of(candidate: Candidate) -> str:
        return values[candidate.name] if isinstance(candidate, Same) else candidate

    return all(
        (known.value is None or value_of(known.value) == values[name])
        and all(value_of(item) != values[name] for item in known.excluded)
        for name, known in assignment.items()
    )


QUESTIONS = st.tuples(
    st.sampled_from(("P", "Q", "R")),
    st.one_of(st.sampled_from(LITERALS), st.sampled_from(("P", "Q", "R")).map(Same)),
)


@settings(deadline=None, max_examples=200)
@given(bodies=st.tuples(BODIES, BODIES, BODIES), questions=st.lists(QUESTIONS, min_size=1, max_size=4))
def test_children_partition_the_space(
    bodies: tuple[dict[str, Any], ...], questions: list[tuple[str, Candidate]]
) -> None:
    found = space(**dict(zip("PQR", bodies, strict=True)))
    domains = [[value for value in DOMAIN if found.variables[name].permits(value)] for name in "PQR"]
    points = [dict(zip("PQR", values, strict=True)) for values in itertools.product(*domains)]
    leaves: list[tuple[Assignment, list[bool]]] = []
    pending: list[Assignment] = [{}]
    while pending:
        assignment = pending.pop()
        answers = []
        try:
            for name, candidate in questions:
                answers.append(found.decide(assignment, name, candidate))
        except Split as split:
            pending.extend(found.children(assignment, split))
        else:
            leaves.append((assignment, answers))
    for point in points:
        reached = [answers for assignment, answers in leaves if fits(assignment, point)]
        truth = [
            point[name] == (point[candidate.name] if isinstance(candidate, Same) else candidate)
            for name, candidate in questions
        ]
        assert reached == [truth], point


@settings(deadline=None)
@given(BODIES, st.lists(st.sampled_from(LITERALS), unique=True), st.booleans(), st.sets(st.sampled_from(LITERALS)))
def test_children_of_one_split(body: dict[str, Any], candidates: list[str], closed: bool, excluded: set[str]) -> None:
    found = space(P=body)
    start: Assignment = {"P": Constraint(None, frozenset(excluded))} if excluded else {}
    children = found.children(start, Split("P", candidates, closed))
    for value in DOMAIN:
        if not found.variables["P"].permits(value) or value in excluded:
            continue
        count = sum(fits(child, {"P": value}) for child in children)
        assert count == (0 if closed and value not in candidates else 1)
