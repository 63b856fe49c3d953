"""Comments of what goes stay."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

from trailguard.cloudformation.source.comments import comments
from trailguard.fixes.edits import Edit, applied
from trailguard.fixes.remarks import keeping_comments

TEXT = "a:\n  b: 1  # one\n  # two\n  c:\n    - x  # three\n    - y\n  d: '# none'\n"


LINES = TEXT.splitlines(keepends=True)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("first", "last"), [(i, j) for i in range(1, 7) for j in range(i + 1, 8)])
def test_no_comment_is_lost(first: int, last: int, end: str) -> None:
    lines = [line.replace("\n", end) for line in LINES]
    text = "".join(lines)
    edit = Edit(len("".join(lines[:first])), len("".join(lines[:last])), "")
    try:
        yaml.safe_load(applied(text, [edit]))
    except yaml.YAMLError:
        return  # no such edit is made
    after = applied(text, keeping_comments(text, [edit]))
    assert Counter(one.text for one in comments(after)) == Counter(one.text for one in comments(text))
    assert yaml.safe_load(after) == yaml.safe_load(applied(text, [edit]))


def test_they_stand_before_what_changes() -> None:
    start, end = TEXT.index("c:"), TEXT.index("  d:")
    edits = keeping_comments(TEXT, [Edit(start, end, "c: [y]\n")])
    assert applied(TEXT, edits) == "a:\n  b: 1  # one\n  # two\n  # three\n  c: [y]\n  d: '# none'\n"


def test_comments_that_stay_are_left_alone() -> None:
    edit = Edit(TEXT.index("1"), TEXT.index("  # two"), "2  # one\n")
    assert keeping_comments(TEXT, [edit]) == [edit]
