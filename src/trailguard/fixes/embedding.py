"""Documents that a text of another document holds, and what edits of them are in the outer one.

A policy as JSON in quotes or in a block scalar, an inline template, the text of `Fn::Sub` with its placeholders.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from trailguard.fixes import scalars
from trailguard.fixes.edits import Edit, Unwritable
from trailguard.fixes.pieces import Piece

_HEADER = re.compile(r"[|>][-+0-9]*[^\r\n]*(?:\r\n?|\n|$)")
_LINE = re.compile(r"([^\r\n]*)(\r\n?|\n|$)")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\r\n|[\s\S])")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "v": "\v", "e": "\x1b",
          "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}  # fmt: skip


def embedding(text: str, piece: Piece, eol: str) -> Lines | Units:
    """How places in the text of a piece are places in the document with the given text."""
    if piece.kind != "text":
        raise Unwritable("what is to hold a document is not a text")
    return Lines(text, piece, eol) if piece.style == "|" else Units(text, piece, eol)


class Lines:
    """A block scalar whose lines are those of the inner text, indented."""

    def __init__(self, text: str, piece: Piece, eol: str) -> None:
        self.eol = eol
        header = _HEADER.match(text, piece.start)
        index = header.end() if header else piece.start
        inner = piece.value.split("\n")
        self.inner_starts: list[int] = []
        self.starts: list[int] = []
        self.lengths: list[int] = []
        position = 0
        for line in inner:
            found = _LINE.match(text, index)
            length = len(found[1]) if found else 0
            self.inner_starts.append(position)
            self.starts.append(index)
            self.lengths.append(length)
            position += len(line) + 1
            index = found.end() if found else index
        self.width = next(
            (length - len(line) for line, length in zip(inner, self.lengths, strict=True) if line.strip()), 0
        )

    def edit(self, edit: Edit) -> Edit:
        """An edit of the inner text as one of the outer."""
        blanks = " " * self.width
        first, *rest = edit.text.split("\n")
        written = first + "".join(self.eol + (blanks + line if line else "") for line in rest)
        whole = not edit.text and edit.start in self.inner_starts and edit.end in self.inner_starts
        return Edit(self._outer(edit.start, whole), self._outer(edit.end, whole), written)

    def _outer(self, index: int, whole: bool) -> int:
        line = bisect_right(self.inner_starts, index) - 1
        column = index - self.inner_starts[line]
        if whole:
            return self.starts[line]
        return self.starts[line] + min(self.width + column, self.lengths[line])

    def inner(self, index: int) -> int:
        """An index of the outer text as one of the inner."""
        line = bisect_right(self.starts, index) - 1
        if line < 0:
            raise Unwritable("the place is not in the text")
        return self.inner_starts[line] + max(index - self.starts[line] - self.width, 0)


class Units:
    """A text whose letters stand in the outer one in their order, some of them as escapes, with other blanks."""

    def __init__(self, text: str, piece: Piece, eol: str) -> None:
        self.style = piece.style
        self.eol = eol
        header = _HEADER.match(text, piece.start) if piece.style == ">" else None
        begin = header.end() if header else piece.start + (piece.style in ("'", '"'))
        stop = piece.end - (piece.style in ("'", '"'))
        self.begins: list[int] = []
        self.ends: list[int] = []
        units = _units(text, begin, stop, piece.style)
        number = 0
        for char in piece.value:
            ahead = number
            while ahead < len(units) and units[ahead][2] != char and units[ahead][2].isspace():
                ahead += 1
            if ahead < len(units) and units[ahead][2] == char:
                self.begins.append(units[ahead][0])
                self.ends.append(units[ahead][1])
                number = ahead + 1
            elif char.isspace():
                self.begins.append(-1)
                self.ends.append(-1)
            else:
                raise Unwritable("the document inside of a text cannot be found in it letter by letter")
        found = _LINE.match(text, begin)
        self.indent = " " * (len(found[1]) - len(found[1].lstrip(" "))) if found and header else ""

    def edit(self, edit: Edit) -> Edit:
        """An edit of the inner text as one of the outer."""
        start = self._after(edit.start) if edit.start == edit.end else self._before(edit.start)
        end = start if edit.start == edit.end else self._after(edit.end)
        return Edit(start, max(start, end), self._escaped(edit.text))

    def _before(self, index: int) -> int:
        return next((begin for begin in self.begins[index:] if begin >= 0), self._after(index))

    def _after(self, index: int) -> int:
        for end in reversed(self.ends[:index]):
            if end >= 0:
                return end
        return next(begin for begin in self.begins if begin >= 0)

    def _escaped(self, text: str) -> str:
        if self.style == '"':
            return scalars.escaped(text)
        if self.style == ">":
            return text.replace("\n", self.eol + self.indent)
        if "\n" in text:
            text = " ".join(line.strip() for line in text.split("\n"))
        return text.replace("'", "''") if self.style == "'" else text

    def inner(self, index: int) -> int:
        """An index of the outer text as one of the inner."""
        if index in self.begins:
            return self.begins.index(index)
        raise Unwritable("the place is not in the text")


def _units(text: str, index: int, stop: int, style: str) -> list[tuple[int, int, str]]:
    """What stands for one character each: begin, end, and the character."""
    units = []
    while index < stop:
        char, end = text[index], index + 1
        if style == '"' and char == "\\":
            found = _ESCAPE.match(text, index)
            if found is not None:
                end = found.end()
                code = found[1] or found[2] or found[3]
                char = chr(int(code, 16)) if code else _NAMED.get(text[index + 1], text[index + 1])
                if 0xD800 <= ord(char) < 0xDC00 and (low := _ESCAPE.match(text, end)) is not None and low[2]:
                    char = chr(0x10000 + ((ord(char) - 0xD800) << 10) + (int(low[2], 16) - 0xDC00))
                    end = low.end()
        elif style == "'" and text.startswith("''", index):
            end = index + 2
        if not (char in "\r\n" and text[index] == "\\" and end - index > 1 and text[index + 1] in "\r\n"):
            units.append((index, end, char))
        index = end
    return units
