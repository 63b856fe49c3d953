"""Keeps the comments of what edits take away: each becomes a line of its own before the line that changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trailguard.cloudformation.source.comments import comments
from trailguard.cloudformation.source.nodes import Places
from trailguard.fixes.edits import Edit, applied, ordered


def keeping_comments(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """The edits of a text, and what puts the comments back that would be lost."""
    if not any("#" in text[edit.start : edit.end] for edit in edits):
        return list(edits)
    before = comments(text)
    lost = Counter(one.text for one in before) - Counter(one.text for one in comments(applied(text, edits)))
    if not lost:
        return list(edits)
    places = Places(text)
    kept: list[Edit] = []
    for line, words, _ in before:
        start = text.index(words, places.index(line, 1))
        edit = next((one for one in edits if one.start <= start < one.end), None)
        if lost[words] and edit is not None:
            lost[words] -= 1
            first = places.index(places.at(edit.start)[0], 1)
            kept.append(Edit(first, first, _line(text, first, words)))
    return ordered(text, [*kept, *edits])


def _line(text: str, start: int, words: str) -> str:
    """A comment as a line, indented as the line that begins at an index."""
    end = start
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text else "\r"
    return f"{text[start:end]}{words}{newline}"
