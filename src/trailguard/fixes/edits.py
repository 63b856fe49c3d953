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
    """The edits that do at once what `first` does, followed by `then`, which are edits of the text that it leads to.

    Where the second ones touch what the first ones wrote, they become one edit.
    """
    spans: list[tuple[int, int, Edit, bool]] = [(edit.start, edit.end, edit, True) for edit in then]
    shift = 0
    for edit in first:
        start = edit.start + shift
        spans.append((start, start + len(edit.text), edit, False))
        shift += len(edit.text) - (edit.end - edit.start)
    spans.sort(key=lambda span: span[:2])
    result: list[Edit] = []
    shift = number = 0
    while number < len(spans):
        start, end = spans[number][:2]
        before = shift
        inside: list[Edit] = []
        written = ""  # of the text in the middle; what no first edit wrote there is replaced by a second one
        while number < len(spans) and spans[number][0] <= end:
            begin, stop, edit, is_later = spans[number]
            end = max(end, stop)
            if is_later:
                inside.append(Edit(begin - start, stop - start, edit.text))
            else:
                written = written.ljust(begin - start) + edit.text
                shift += len(edit.text) - (edit.end - edit.start)
            number += 1
        result.append(Edit(start - before, end - shift, applied(written.ljust(end - start), inside)))
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
