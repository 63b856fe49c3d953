"""Takes entries and items out of maps and lists, with the comments that are their own."""

from __future__ import annotations

import re

from trailguard.fixes.edits import Edit
from trailguard.fixes.layout import Layout
from trailguard.fixes.pieces import Piece, after_gap
from trailguard.fixes.slots import Slots

_COMMENT = re.compile(r"[ \t]*#")


class Remover:
    """Takes entries and items out of the maps and lists of a document."""

    def __init__(self, text: str, layout: Layout, slots: Slots) -> None:
        self.text = text
        self.layout = layout
        self.slots = slots

    def edits(self, container: Piece, numbers: set[int]) -> list[Edit]:
        """The edits that take some entries or items out; at least one stays."""
        if container.style == "block":
            return [self._from_block(container, number) for number in sorted(numbers)]
        return self._from_flow(container, numbers)

    def _from_block(self, container: Piece, number: int) -> Edit:
        layout = self.layout
        start = self._start(container, number)
        line = layout.line_start(start)
        end = layout.next_line(container.items[number].end)
        if self.text[line:start].strip():  # the first entry, behind a dash
            following = self.layout.next_line(container.items[number].end)
            while following < self._start(container, number + 1):
                if _COMMENT.match(self.text, following):  # it is about the next entry
                    return Edit(start, self.text.index("#", following), "")
                following = self.layout.next_line(following)
            return Edit(start, self._start(container, number + 1), "")
        while line > 0:
            above = layout.line_start(self._before_break(line))
            written = self.text[above:line]
            if not _COMMENT.match(written) or len(written) - len(written.lstrip()) != layout.column(start):
                break
            line = above
        line, end = self._with_blank_line(container, number, line, end)
        if end >= len(self.text) and not self.text.endswith(("\n", "\r")) and line > 0:
            return Edit(self._before_break(line), len(self.text), "")
        return Edit(line, end, "")

    def _with_blank_line(self, container: Piece, number: int, line: int, end: int) -> tuple[int, int]:
        """The lines of an entry with the blank line that sets it apart: the one below, or the one above the last."""
        if number < len(container.items) - 1:
            below = self.layout.next_line(end)
            is_apart = line == 0 or not self.text[self.layout.line_start(self._before_break(line)) : line].strip()
            if is_apart and end < below and not self.text[end:below].strip():
                return line, below
        elif line > 0 and number > 0:
            above = self.layout.line_start(self._before_break(line))
            if not self.text[above:line].strip() and container.items[number - 1].style not in ("|", ">"):
                return above, end
        return line, end

    def _before_break(self, line: int) -> int:
        """Where the line before the one that starts at an index ends."""
        return line - 2 if self.text[line - 2 : line] == "\r\n" else line - 1

    def _start(self, container: Piece, number: int) -> int:
        if container.kind == "list":
            return self.slots.dash(container, number)
        key = container.keys[number]
        if not number:
            return container.start
        asked = self.layout.line_start(key.first) + self.layout.column(container.start)
        return asked if self.text[asked] == "?" else key.first

    def _from_flow(self, container: Piece, numbers: set[int]) -> list[Edit]:
        """Take entries out of flow style, each with one comma."""
        starts = container.keys or container.items
        count = len(container.items)
        kept = [number for number in range(count) if number not in numbers]
        edits = [
            Edit(self._first(starts[number]), self._first(starts[number + 1]), "")
            for number in sorted(numbers)
            if number < kept[-1]
        ]
        if kept[-1] < count - 1:
            edits += self._from_end(container, starts, kept[-1])
        return edits

    def _first(self, piece: Piece) -> int:
        return min(piece.first, piece.start)

    def _from_end(self, container: Piece, starts: list[Piece], last: int) -> list[Edit]:
        """Take out all that is behind an entry; whether a comma ends the last one stays as it is."""
        text, layout = self.text, self.layout
        comma = after_gap(text, self.slots.end(container.items[last], starts[last]))
        end = self.slots.end(container.items[-1], starts[-1])
        following = after_gap(text, end)
        has_comma = text[following : following + 1] == ","
        if has_comma:
            end = following + 1
        edits = [] if has_comma else [Edit(comma, comma + 1, "")]
        line = layout.line_start(self._first(starts[last + 1]))
        if line <= comma:
            return [*edits, Edit(comma + 1, end, "")]
        stop = layout.line_end(end)
        rest = text[end:stop].strip(" \t")
        return [*edits, Edit(self._before_break(line), stop if not rest or rest.startswith("#") else end, "")]
