"""Edits of a text: what they are, how they are applied, one after the other, and to the bytes of a file."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import NamedTuple

from trailguard.cloudformation.source.reading import UTF16


class Edit(NamedTuple):
    """What stands from `start` up to `end` in a text becomes `text`; both are indexes in code points."""

    start: int
    end: int
    text: str


class Unwritable(Exception):
    """A change that cannot be written in this document. `reason` says why, in plain English."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Conflict(Unwritable):
    """Two changes that exclude each other."""


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that are in its order and do not overlap."""
    parts: list[str] = []
    position = 0
    for start, end, written in edits:
        parts += (text[position:start], written)
        position = end
    parts.append(text[position:])
    return "".join(parts)


def ordered(text: str, edits: Iterable[Edit]) -> list[Edit]:
    """Edits in the order of the text, without those that change nothing; those that touch become one.

    Insertions at one place keep their order. Raises Conflict where two overlap.
    """
    joined: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if joined and edit.start < joined[-1].end:
            raise Conflict("two of the changes are about the same text")
        if joined and edit.start == joined[-1].end:
            last = joined.pop()
            joined.append(Edit(last.start, edit.end, last.text + edit.text))
        else:
            joined.append(edit)
    return [edit for edit in joined if text[edit.start : edit.end] != edit.text]


def composed(first: list[Edit], then: list[Edit]) -> list[Edit]:
    """The edits that do at once what `first` does, followed by `then`, which is about the text after it.

    Where the second ones touch what the first ones wrote, the two become one edit.
    """
    result: list[Edit] = []
    shift = 0  # of the text in the middle against the first one
    pending = list(reversed(then))
    groups: list[tuple[list[Edit], int]] = []
    for edit in first:
        groups.append(([edit], shift))
        shift += len(edit.text) - (edit.end - edit.start)
    offset = 0
    for (edit,), before in groups:
        begin, stop = edit.start + before, edit.start + before + len(edit.text)
        inside: list[Edit] = []
        while pending and pending[-1].end < begin:
            later = pending.pop()
            result.append(Edit(later.start - before, later.end - before, later.text))
        while pending and pending[-1].start <= stop:
            inside.append(pending.pop())
        offset = before + len(edit.text) - (edit.end - edit.start)
        result.append(_absorbed(edit, begin, stop, inside, before, offset))
    result += [Edit(later.start - offset, later.end - offset, later.text) for later in reversed(pending)]
    return _joined(result)


def _absorbed(edit: Edit, begin: int, stop: int, inside: list[Edit], before: int, after: int) -> Edit:
    """One edit for an edit and those that touch what it wrote, from `begin` to `stop` in the text in the middle."""
    start, end = edit.start, edit.end
    relative = []
    for later in inside:
        if later.start < begin:
            start = later.start - before
        if later.end > stop:
            end = later.end - after
        relative.append(Edit(max(later.start - begin, 0), min(later.end, stop) - begin, later.text))
    return Edit(start, end, applied(edit.text, relative))


def _joined(edits: list[Edit]) -> list[Edit]:
    result: list[Edit] = []
    for edit in edits:
        if result and edit.start <= result[-1].end:
            last = result.pop()
            result.append(Edit(last.start, max(edit.end, last.end), last.text + edit.text))
        else:
            result.append(edit)
    return result


def decoded(data: bytes) -> str:
    """The text of a file as `source.reading.parse` has it. Raises UnicodeDecodeError."""
    return data.decode(_encoding(data)).lstrip("\ufeff")


def encoded(data: bytes, text: str) -> bytes:
    """The bytes of the edited text in the encoding of the file that it comes from, after the same byte order mark."""
    encoding = _encoding(data)
    before = data.decode(encoding)
    marks = before[: len(before) - len(before.lstrip("\ufeff"))]
    return (marks + text).encode(encoding)


def _encoding(data: bytes) -> str:
    return UTF16.get(data[: len(codecs.BOM_UTF16)], "utf-8")
