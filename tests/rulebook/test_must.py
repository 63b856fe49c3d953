from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from trailguard.rulebook.must import holds, literals, refuse_schema, simple

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from((0.0, 1.0, 1.5, -2.0)),
    st.sampled_from(("", "a", "ab", "true", "1", "é𝄞")),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)),
    max_leaves=5,
)
SIZES = st.one_of(st.integers(0, 3), st.just(2.0))
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from((0.5, 1.0)))
TYPES = st.sampled_from(("boolean", "string", "integer", "number", "array", "object", "null"))
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "const": VALUES,
            "enum": st.lists(VALUES, max_size=4),
            "type": TYPES,
            "minimum": NUMBERS,
            "maximum": NUMBERS,
            "minLength": SIZES,
            "minItems": SIZES,
            "maxItems": SIZES,
        },
    ),
    lambda inner: st.builds(
        lambda schema, name, more: {**schema, name: more}, inner, st.sampled_from(("not", "items")), inner
    ),
    max_leaves=3,
)


@given(SCHEMAS, VALUES)
def test_simple_schemas_are_decided_as_jsonschema_decides_them(schema: dict[str, Any], value: Any) -> None:
    assert simple(schema)
    assert refuse_schema(schema) is None
    assert holds(schema, value) is Draft202012Validator(schema).is_valid(value)


@given(VALUES, VALUES)
def test_equality_is_that_of_json(one: Any, other: Any) -> None:
    assert holds({"const": one}, one)
    assert holds({"const": one}, other) is Draft202012Validator({"const": one}).is_valid(other)
    assert holds({"enum": [one, other]}, other)


@given(
    st.dictionaries(
        st.sampled_from(("const", "enum", "type", "minimum", "minLength", "maxItems", "items", "not")), VALUES
    )
)
def test_whatever_is_simple_is_a_schema(schema: dict[str, Any]) -> None:
    assert not simple(schema) or refuse_schema(schema) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "^a"},
        {"items": {"pattern": "^a"}},
        {"items": True},
        {"type": ["string", "null"]},
        {"not": {"pattern": "^a"}},
        {"anyOf": [{"const": 1}]},
        {"not": True},
        {"maxLength": 3},
    ],
)
def test_other_schemas_are_left_to_jsonschema(schema: dict[str, Any]) -> None:
    assert not simple(schema)
    assert refuse_schema(schema) is None
    values: tuple[Any, ...] = (None, True, 1, "a", "b", [], [1], {})
    for value in values:
        assert holds(schema, value) is Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"type": 3},
        {"enum": "a"},
        {"minimum": "1"},
        {"maximum": True},
        {"minLength": -1},
        {"minItems": 1.5},
        {"maxItems": "3"},
        {"not": None},
        {"not": []},
        {"not": {"type": "text"}},
        {"not": {"minimum": None}},
        {"pattern": 3},
    ],
)
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    assert not simple(schema)
    assert refuse_schema(schema)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, []),
        ({"const": "a"}, ["a"]),
        ({"const": True}, []),
        ({"enum": ["b", 1, "a", None]}, ["a", "b"]),
        ({"not": {"enum": ["a", "b"]}}, ["a", "b"]),
        ({"not": {"not": {"const": "a"}}}, ["a"]),
        ({"const": "a", "enum": ["a", "b"]}, ["a", "b"]),
        ({"anyOf": [{"const": "a"}, {"allOf": [{"const": "b"}]}]}, ["a", "b"]),
        ({"if": {"const": "a"}, "then": {"enum": ["b"]}, "else": {"not": {"const": "c"}}}, ["a", "b", "c"]),
        ({"items": {"const": "a"}, "contains": {"enum": ["b"]}}, ["a", "b"]),
        ({"minimum": 3, "type": "string"}, []),
    ],
)
def test_the_texts_that_a_schema_singles_out(schema: dict[str, Any], expected: list[str]) -> None:
    assert literals(schema) == expected


@given(SCHEMAS)
def test_texts_that_are_not_singled_out_and_are_equally_long_are_treated_alike(schema: dict[str, Any]) -> None:
    found = literals(schema)
    one, other = "#" * 3, "~" * 3
    assert one not in found
    assert holds(schema, one) is holds(schema, other)
