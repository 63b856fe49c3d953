from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.findings import Span
from trailguard.reporters.excerpt import excerpt
from trailguard.terminal import PLAIN, Style, cells

LINES = ("Resources:", "  Trail:", "    IsLogging: false", "\tName: 数据\x1b[31m轨迹 x", "")


def draw(lines: tuple[str, ...], span: tuple[int, int, int, int], width: int = 60, before: int = 1) -> str:
    return "\n".join(excerpt(lines, Span(*span), width, PLAIN, "red", before))


def test_underlines_exactly_the_span() -> None:
    assert draw(LINES, (3, 16, 3, 21)) == (
        "  2 │   Trail:\n"  #
        "  3 │     IsLogging: false\n"
        "    │                ^^^^^"
    )


def test_measures_tabs_wide_characters_and_escapes() -> None:
    assert draw(LINES, (4, 8, 4, 17), before=0) == (
        "  4 │     Name: 数据\\x1b[31m轨迹 x\n"  #
        "    │           ^^^^^^^^^^^^^^^^"
    )


def test_an_empty_span_gets_one_caret() -> None:
    assert draw(LINES, (3, 5, 3, 5), before=0).splitlines()[1] == "    │     ^"
    assert draw(LINES, (5, 9, 5, 9), before=0).splitlines()[1] == "    │ ^"


def test_a_line_that_is_not_there_draws_nothing() -> None:
    assert draw(LINES, (9, 1, 9, 2)) == ""
    assert draw(LINES, (0, 0, 0, 0)) == ""
    assert draw((), (1, 1, 1, 1)) == ""


def test_cuts_a_long_line_around_the_span() -> None:
    line = '{"Resources":' + '{"A":1},' * 500 + '"IsLogging":false' + ',"B":2' * 500 + "}"
    column = line.index("false") + 1
    assert draw((line,), (1, column, 1, column + 5), 40) == (
        '  1 │ …"IsLogging":false,"B":2,"B":2,"B…\n'  #
        "    │              ^^^^^"
    ).replace("…", "…")


def test_shortens_many_lines() -> None:
    lines = tuple(f"  - line {number}" for number in range(1, 30))
    assert draw(lines, (3, 3, 22, 12)) == (
        "  2 │   - line 2\n"
        "  3 ┃   - line 3\n"
        "    ┃   ^^^^^^^^\n"
        "  4 ┃   - line 4\n"
        "  5 ┃   - line 5\n"
        "  6 ┃   - line 6\n"
        "    ⋮ 15 more lines\n"
        " 22 ┃   - line 22"
    )


def test_a_span_that_ends_before_a_line_leaves_it_out() -> None:
    assert draw(LINES, (2, 3, 4, 1), before=0).count("\n") == 2


def test_takes_indentation_away_where_the_terminal_is_narrow() -> None:
    lines = (" " * 20 + "Statement:", " " * 22 + "- Effect: Allow")
    assert draw(lines, (2, 25, 2, 38), 30) == (
        "  1 │   Statement:\n"  #
        "  2 │     - Effect: Allow\n"
        "    │       ^^^^^^^^^^^^^"
    )


def test_ascii_only() -> None:
    lines = tuple("x" * 90 for _ in range(9))
    text = "\n".join(excerpt(lines, Span(1, 1, 9, 3), 40, Style(unicode=False), "red"))
    assert text.isascii()
    assert "4 more lines" in text


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r"), max_size=90), max_size=12).map(tuple),
    st.integers(0, 14),
    st.integers(0, 100),
    st.integers(0, 14),
    st.integers(0, 100),
    st.integers(16, 120),
)
def test_never_crashes_nor_steers_the_terminal(
    lines: tuple[str, ...], line: int, column: int, end_line: int, end_column: int, width: int
) -> None:
    for row in excerpt(lines, Span(line, column, end_line, end_column), width, PLAIN, "red"):
        assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in row), row
        assert not any(char in row for char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
        assert cells(row) <= width + 10  # one glyph that is an escape may stick out


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf"], exclude_characters="^"), max_size=70), st.data())
def test_the_underline_is_as_wide_as_the_span(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, max(0, len(line) - 1)))
    end = data.draw(st.integers(start, len(line)))
    rows = excerpt((line,), Span(1, start + 1, 1, end + 1), 400, PLAIN, "red")
    under = rows[1].partition("│ ")[2]
    if line[start:end].strip(" "):
        assert under.count("^") == max(1, cells(line[start:end]))
        assert len(under) - under.count("^") == cells(line[:start])


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_start_of_the_span_is_always_in_sight(width: int) -> None:
    line = "a" * 300
    for column in (1, 5, 20, 60, 150, 299, 300):
        text, under = excerpt((line,), Span(1, column, 1, column + 1), width, PLAIN, "red")
        assert text[under.index("^")] == "a"
        assert cells(text) <= width
