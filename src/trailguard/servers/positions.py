"""Places in a text as the Language Server Protocol counts them.

Our lines and columns count from 1, in code points. The protocol counts from 0, and columns in the units of an encoding:
UTF-16 unless client and server agree on another one.
Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#textDocuments
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol.types import Position, PositionEncodingKind, Range

from trailguard.findings import Span

_END = re.compile(r"\r\n|\n|\r")


def split(text: str) -> list[str]:
    """The lines of a text without their ends, as the protocol has them: form feeds and the like end none."""
    return _END.split(text)


class Lines:
    """The lines of a text, and the places in them. What lies behind the end of a line or of the text is its end."""

    def __init__(self, lines: Sequence[str], encoding: str = PositionEncodingKind.Utf16) -> None:
        self._lines = lines
        self._encoding = encoding

    def position(self, line: int, column: int) -> Position:
        """The position of a line and a column that count from 1 in code points."""
        number = max(line, 1) - 1
        if number >= len(self._lines):
            last = len(self._lines) - 1
            return Position(max(last, 0), self._units(self._lines[last]) if self._lines else 0)
        return Position(number, self._units(self._lines[number][: max(column, 1) - 1]))

    def range(self, span: Span) -> Range:
        """The range of a span."""
        return Range(self.position(span.line, span.column), self.position(span.end_line, span.end_column))

    def line(self, number: int) -> Range:
        """All of a line, which counts from 1, without the space before it; the first one for 0, which is no line."""
        text = self._lines[number - 1] if 0 < number <= len(self._lines) else ""
        indent = len(text) - len(text.lstrip())
        return self.range(Span(max(number, 1), indent + 1, max(number, 1), len(text.rstrip()) + 1))

    def place(self, position: Position) -> tuple[int, int]:
        """The line and the column, from 1 in code points, of a position."""
        if position.line >= len(self._lines):
            return len(self._lines), len(self._lines[-1]) + 1 if self._lines else 1
        text = self._lines[position.line]
        left, column = position.character, 0
        while column < len(text) and left > 0:
            left -= self._units(text[column])
            column += 1
        return position.line + 1, column + 1

    def _units(self, text: str) -> int:
        """How long a text is in the units of the encoding."""
        if text.isascii() or self._encoding == PositionEncodingKind.Utf32:
            return len(text)
        if self._encoding == PositionEncodingKind.Utf8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(char > "\uffff" for char in text)


def changed(text: str, area: Range, put: str, encoding: str) -> str:
    """A text in which something else stands in a range."""
    starts = [0, *(end.end() for end in _END.finditer(text))]
    lines = Lines(split(text), encoding)

    def index(position: Position) -> int:
        line, column = lines.place(position)
        return starts[line - 1] + column - 1

    return text[: index(area.start)] + put + text[index(area.end) :]
