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
            return Edit(start, self._start(container, number + 1), "")
        while line > 0:
            above = layout.line_start(self._before_break(line))
            written = self.text[above:line]
            if not _COMMENT.match(written) or len(written) - len(written.lstrip()) != layout.column(start):
                break
            line = above
        if end >= len(self.text) and not self.text.endswith(("\n", "\r")) and line > 0:
            return Edit(self._before_break(line), len(self.text), "")
        return Edit(line, end, "")

    def _before_break(self, line: int) -> int:
        """Where the line before the one that starts at an index ends."""
        return line - 2 if self.text[line - 2 : line] == "\r\n" else line - 1

    def _start(self, container: Piece, number: int) -> int:
        if container.kind == "list":
            return self.slots.dash(container, number)
        key = container.keys[number]
        return container.start if not number else min(key.first, key.start)

    def _from_flow(self, container: Piece, numbers: set[int]) -> list[Edit]:
        """Take entries out of flow style, each with one comma."""
        text, layout = self.text, self.layout
        starts = container.keys or container.items
        count = len(container.items)
        edits = []
        kept = [number for number in range(count) if number not in numbers]
        for number in sorted(numbers):
            start = min(starts[number].first, starts[number].start)
            end = self.slots.end(container.items[number], starts[number])
            if number < kept[-1]:
                following = starts[number + 1]
                stop = min(following.first, following.start)
                edits.append(Edit(start, stop, ""))
                continue
            previous = number - 1
            begin = self.slots.end(container.items[previous], starts[previous])
            comma = after_gap(text, begin)
            if number == kept[-1] + 1:
                edits.append(Edit(comma, comma + 1, ""))
            line = layout.line_start(start)
            own_line = line > comma
            after = after_gap(text, end)
            if number == count - 1 and text[after : after + 1] == ",":
                end = after + 1
            if own_line:
                edits.append(
                    Edit(
                        self._before_break(line),
                        layout.line_end(end) if not text[end : layout.line_end(end)].strip(" ,\t") else end,
                        "",
                    )
                )
            else:
                edits.append(Edit(comma + 1, end, ""))
        return edits
