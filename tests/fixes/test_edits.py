"""Edits of texts and bytes: whatever they do not touch stays as it is."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.source.reading import parse
from trailguard.fixes.edits import Conflict, Edit, applied, composed, decoded, encoded, ordered

letters = st.text("ab\n", max_size=12)


@st.composite
def edits_of(draw: st.DrawFn, text: str) -> list[Edit]:
    """Edits of a text, in order, that neither overlap nor touch."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [Edit(start, end, draw(st.text("xyz", max_size=3))) for start, end in pairs]


@given(st.data(), letters)
def test_composed_edits_do_what_one_after_the_other_does(data: st.DataObject, text: str) -> None:
    first = data.draw(edits_of(text))
    middle = applied(text, first)
    then = data.draw(edits_of(middle))
    both = composed(first, then)
    assert applied(text, both) == applied(middle, then)
    assert applied(text, ordered(text, both)) == applied(text, both)


def test_edits_that_overlap_are_a_conflict() -> None:
    with pytest.raises(Conflict, match="about the same text"):
        ordered("abcdef", [Edit(0, 3, "x"), Edit(2, 4, "y")])


def test_insertions_at_one_place_keep_their_order_and_nothing_is_no_edit() -> None:
    assert ordered("abc", [Edit(2, 2, "x"), Edit(0, 1, "a"), Edit(2, 2, "y")]) == [Edit(2, 2, "xy")]


@pytest.mark.parametrize(
    "data",
    [
        "A: é😀\r\nB: 1".encode(),
        codecs.BOM_UTF8 + b"A: 1\n",
        codecs.BOM_UTF16_LE + "A: é\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "A: 😀\n".encode("utf-16-be"),
        "A: x\u2028y\rB: 1".encode(),
    ],
)
def test_bytes_keep_their_encoding_and_their_mark(data: bytes) -> None:
    text = decoded(data)
    assert text == parse(data).text
    assert encoded(data, text) == data
    assert decoded(encoded(data, text + "# ü")) == text + "# ü"
    assert encoded(data, text + "# ü").startswith(data)
