"""Diffs that `git apply` and `patch` take; git itself is asked in the tests of the command."""

from __future__ import annotations

import pytest

from trailguard.fixes.diff import unified

LINES = b"".join(b"%d\n" % number for number in range(20))


def test_nothing_is_no_diff() -> None:
    assert unified("a.yaml", LINES, LINES) == b""


def test_a_change_in_its_surroundings() -> None:
    told = unified("a/b.yaml", LINES, LINES.replace(b"10\n", b"ten\n"))
    assert told.decode() == (
        "diff --git a/a/b.yaml b/a/b.yaml\n--- a/a/b.yaml\n+++ b/a/b.yaml\n"
        "@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n"
    )


@pytest.mark.parametrize(
    ("name", "shown"), [("a b.yaml", "a b.yaml\t"), ('a"b.yaml', '"a/a\\"b.yaml"'), ("a\nb.yaml", '"a/a\\nb.yaml"')]
)
def test_odd_names(name: str, shown: str) -> None:
    first = unified(name, b"1\n", b"2\n").decode().split("\n")[1]
    assert first == f"--- {shown if shown.startswith(chr(34)) else f'a/{shown}'}"


def test_a_missing_last_line_end_is_said() -> None:
    assert unified("a", b"1\n2", b"1\n3").endswith(
        b" 1\n-2\n\\ No newline at end of file\n+3\n\\ No newline at end of file\n"
    )


def test_bytes_stay_bytes() -> None:
    assert b"-\xff\r\n+\xfe\x85\r\n" in unified("a", b"\xff\r\n", b"\xfe\x85\r\n")
