"""Symbolic text: what it shows, when two texts are certainly different, and what trimming leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Piece,
    Pieces,
    Symbol,
    Text,
    Unknown,
    different,
    join_pieces,
    show,
    split_pieces,
    text_of,
    trim,
)
from trailguard.cloudformation.source.nodes import TextNode

NODE = TextNode("", False, 1, 1, 1, 1)
V, W = Symbol(VARIABLE, "V"), Symbol(VARIABLE, "W")
G, H = Symbol(GENERATED, "G"), Symbol(GENERATED, "H")
O = Symbol(OPAQUE, "O", "nobody knows")  # noqa: E741

JOINS: dict[str, tuple[Pieces, Pieces]] = {
    "nothing": ((), ()),
    "empty-texts": (("", ""), ()),
    "adjacent": (("a", "b", "c"), ("abc",)),
    "around-a-symbol": (("a", "b", V, "c", "", "d"), ("ab", V, "cd")),
    "symbols-stay-apart": ((V, V), (V, V)),
    "empty-between-symbols": ((V, "", W), (V, W)),
}


@pytest.mark.parametrize(("pieces", "expected"), JOINS.values(), ids=JOINS.keys())
def test_join_pieces(pieces: Pieces, expected: Pieces) -> None:
    assert join_pieces(pieces) == expected


SPLITS: dict[str, tuple[Pieces, list[Pieces]]] = {
    "nothing": ((), [()]),
    "no-delimiter": (("a", V), [("a", V)]),
    "delimiters-only": (("--",), [(), (), ()]),
    "around-a-symbol": (("a-b", V, "c-d"), [("a",), ("b", V, "c"), ("d",)]),
    "at-the-ends": (("-", V, "-"), [(), (V,), ()]),
    "two-symbols": ((V, W, "-", G), [(V, W), (G,)]),
}


@pytest.mark.parametrize(("pieces", "expected"), SPLITS.values(), ids=SPLITS.keys())
def test_split_pieces(pieces: Pieces, expected: list[Pieces]) -> None:
    assert split_pieces(pieces, "-") == expected


LITERALS: dict[str, tuple[Pieces, str | None]] = {
    "empty": ((), ""),
    "text": (("a",), "a"),
    "symbol": ((V,), None),
    "mixed": (("a", V), None),
}


@pytest.mark.parametrize(("pieces", "expected"), LITERALS.values(), ids=LITERALS.keys())
def test_literal(pieces: Pieces, expected: str | None) -> None:
    assert Text(pieces, NODE).literal == expected


def test_show_and_symbols() -> None:
    text = Text(("a-", V, "-", O), NODE)
    assert show(text) == "a-${V}-${O}"
    assert text.symbols == (V, O)


def test_text_of() -> None:
    text = Text(("a",), NODE)
    assert text_of(text) is text
    assert text_of(Flag(True, NODE)) == Text(("true",), NODE)
    assert text_of(Flag(False, NODE)) == Text(("false",), NODE)
    assert text_of(Unknown("O", "nobody knows", NODE)) == Text((O,), NODE)
    for value in (Null(NODE), ListValue((), NODE), MapValue({}, {}, NODE), Absent(NODE)):
        assert text_of(value) is None


def test_the_same_symbol_with_another_reason_is_the_same() -> None:
    assert O.same(Symbol(OPAQUE, "O", "another reason"))
    assert not O.same(Symbol(VARIABLE, "O"))
    assert not O.same(Symbol(OPAQUE, "P"))


TRIMS: dict[str, tuple[Pieces, Pieces, Pieces, Pieces]] = {
    "equal": (("a", V), ("a", V), (), ()),
    "prefix": (("ab",), ("ac",), ("b",), ("c",)),
    "suffix": (("xb",), ("yb",), ("x",), ("y",)),
    "no-overlap": (("aa",), ("aaa",), (), ("a",)),
    "symbols": ((V, "a"), (V, "b"), ("a",), ("b",)),
    "reasons-do-not-matter": ((O,), (Symbol(OPAQUE, "O", "x"),), (), ()),
    "different-symbols": ((V,), (W,), (V,), (W,)),
    "variable-in-the-middle": (("a-", V, "-z"), ("a-b-z",), (V,), ("b",)),
    "empty": ((), ("a",), (), ("a",)),
}


@pytest.mark.parametrize(("left", "right", "one", "other"), TRIMS.values(), ids=TRIMS.keys())
def test_trim(left: Pieces, right: Pieces, one: Pieces, other: Pieces) -> None:
    assert trim(left, right) == (one, other)
    assert trim(right, left) == (other, one)


DIFFERENT: dict[str, tuple[Pieces, Pieces, bool]] = {
    "literals": (("a",), ("b",), True),
    "literal-and-nothing": (("a",), (), True),
    "literal-and-symbol-against-nothing": (("a", V), (), True),
    "symbol-against-nothing": ((V,), (), False),
    "generated-against-literal": ((G,), ("my-bucket",), True),
    "generated-against-nothing": ((G,), (), True),
    "generated-against-generated": ((G,), (H,), True),
    "generated-against-variable": ((G,), (V,), True),
    "generated-against-opaque": ((G,), (O,), False),
    "variable-against-literal": ((V,), ("a",), False),
    "starts-apart": (("a", V), ("b", W), True),
    "ends-apart": ((V, "a"), (W, "b"), True),
    "open": (("a", V), (W, "b"), False),
}


@pytest.mark.parametrize(("left", "right", "expected"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_different(left: Pieces, right: Pieces, expected: bool) -> None:
    assert different(left, right) is expected
    assert different(right, left) is expected


ONE = st.one_of(st.sampled_from((V, W, O)), st.text("ab", min_size=1, max_size=3))
PIECES = st.lists(ONE, max_size=4).map(join_pieces)
WORDS = st.text("ab", max_size=3)


def _filled(pieces: Pieces, values: dict[str, str]) -> str:
    return "".join(piece if isinstance(piece, str) else values[piece.name] for piece in pieces)


@given(PIECES, PIECES, st.fixed_dictionaries({"V": WORDS, "W": WORDS, "O": WORDS}))
def test_trimming_and_difference_agree_with_every_value(left: Pieces, right: Pieces, values: dict[str, str]) -> None:
    one, other = trim(left, right)
    equal = _filled(left, values) == _filled(right, values)
    assert (_filled(one, values) == _filled(other, values)) == equal
    if different(one, other):
        assert not equal
    if not one and not other:
        assert equal


@given(st.lists(st.one_of(st.just(V), st.text("ab", max_size=2)), max_size=6))
def test_joined_pieces_spell_the_same_and_are_normal(pieces: list[Piece]) -> None:
    joined = join_pieces(pieces)
    assert _filled(joined, {"V": "\0"}) == _filled(tuple(pieces), {"V": "\0"})
    assert all(joined)
    assert join_pieces(joined) == joined
