"""Places in texts, in all encodings, with letters that take one, two and four bytes, and one unit or two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, PositionEncodingKind, Range

from trailguard.findings import Span
from trailguard.servers.positions import Lines, changed, split

ENCODINGS = {
    PositionEncodingKind.Utf8: lambda text: len(text.encode()),
    PositionEncodingKind.Utf16: lambda text: len(text.encode("utf-16-le")) // 2,
    PositionEncodingKind.Utf32: len,
}
LETTERS = st.sampled_from("ab :é€😀𐍈\u2028\x0c")
TEXTS = st.lists(st.text(LETTERS, max_size=8), min_size=1, max_size=5)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(lines=TEXTS, data=st.data())
def test_a_place_there_and_back(encoding: PositionEncodingKind, lines: list[str], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(lines) - 1))
    column = data.draw(st.integers(0, len(lines[number])))
    known = Lines(lines, encoding)
    position = known.position(number + 1, column + 1)
    assert position == Position(number, ENCODINGS[encoding](lines[number][:column]))
    assert known.place(position) == (number + 1, column + 1)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(lines=TEXTS, end=st.sampled_from(["\n", "\r\n", "\r"]), put=st.text(LETTERS, max_size=3), data=st.data())
def test_a_change_of_a_range(
    encoding: PositionEncodingKind, lines: list[str], end: str, put: str, data: st.DataObject
) -> None:
    text = end.join(lines)
    places = [(number, column) for number, line in enumerate(lines) for column in range(len(line) + 1)]
    first, last = sorted([data.draw(st.sampled_from(places)), data.draw(st.sampled_from(places))])
    known = Lines(lines, encoding)
    area = Range(known.position(first[0] + 1, first[1] + 1), known.position(last[0] + 1, last[1] + 1))

    def index(place: tuple[int, int]) -> int:
        return sum(len(line) + len(end) for line in lines[: place[0]]) + place[1]

    assert changed(text, area, put, encoding) == text[: index(first)] + put + text[index(last) :]


def test_what_lies_behind_the_end_is_the_end() -> None:
    lines = Lines(split("a: 1\n😀"))
    assert lines.position(9, 9) == Position(1, 2)
    assert lines.position(1, 99) == Position(0, 4)
    assert lines.place(Position(7, 0)) == (2, 2)
    assert lines.place(Position(1, 99)) == (2, 2)
    assert lines.range(Span(2, 1, 2, 2)) == Range(Position(1, 0), Position(1, 2))
    assert lines.line(1) == Range(Position(0, 0), Position(0, 4))
