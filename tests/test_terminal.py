from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.terminal import cells, defuse, paragraph, style_for, visible, width_of, wrap


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("mode", "environ", "expected"),
    [
        ("auto", {}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": ""}, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", {"TERM": "dumb"}, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ("auto", {"CLICOLOR": "0"}, False),
    ],
)
def test_colour_on_a_terminal(mode: str, environ: dict[str, str], expected: bool) -> None:
    assert style_for(mode, Terminal(), environ).colour is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "0"}, False), ({"CLICOLOR_FORCE": "1"}, True)],
)
def test_colour_in_a_pipe(environ: dict[str, str], expected: bool) -> None:
    assert style_for("auto", io.StringIO(), environ).colour is expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("", 100), ("72", 72), ("7", 20), ("5000", 120), ("nonsense", 100), ("99999999999", 100), ("²", 100), ("0", 100)],
)
def test_width(columns: str, expected: int) -> None:
    assert width_of(io.StringIO(), {"COLUMNS": columns}) == expected


def test_control_characters_are_shown() -> None:
    assert visible("a\x00\x1b[2J\x7f\x9b\u202e\ufeff\udc80\r\n\tz") == (
        "a\\x00\\x1b[2J\\x7f\\x9b\\u202e\\ufeff\\udc80\\r\\n\\tz"
    )


def test_commands_of_runners_are_defused() -> None:
    assert defuse("a\n  ::error::x ##[group]\nb::c") == "a\n  \\x3a:error::x ##\\x5bgroup]\nb::c"


def test_wraps_at_spaces_then_after_punctuation_and_keeps_links_whole() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("arn:aws:s3:::bucket/AWSLogs", 16) == ["arn:aws:s3:::", "bucket/AWSLogs"]
    assert wrap("see https://example.com/a/long/one now", 10) == ["see", "https://example.com/a/long/one", "now"]
    assert wrap("数据 轨迹", 4) == ["数据", "轨迹"]
    assert wrap("", 10) == []
    assert paragraph("one two three four", 14, "    ", "  ") == "  one two\n    three four"


@given(st.text(), st.integers(8, 60))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    shown = visible(text)
    lines = wrap(shown, width)
    assert "".join("".join(lines).split()) == "".join(shown.split())
    assert all(cells(line) <= width for line in lines if "http" not in line)
