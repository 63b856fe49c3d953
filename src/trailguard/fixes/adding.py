"""Puts new entries and items at the end of maps and lists that hold some already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from trailguard.fixes.copying import Copier
from trailguard.fixes.edits import Edit
from trailguard.fixes.layout import Layout
from trailguard.fixes.pieces import Piece, after_gap
from trailguard.fixes.rendering import Renderer
from trailguard.fixes.slots import Slots

_COMMENT = re.compile(r"[ \t]*#")
_HEADER = re.compile(r"([|>][1-9]?)([-+]?)")
_KEEPS = re.compile(r"[|>][0-9]*\+")


class Adder:
    """Puts new entries and items at the end of the maps and lists of a document.

    `gone` are the numbers of the entries and items that are taken out; the edits are added to `edits`.
    """

    def __init__(
        self, layout: Layout, slots: Slots, copy: Copier, gone: dict[Piece, set[int]], edits: list[Edit]
    ) -> None:
        self.text = layout.text
        self.layout = layout
        self.slots = slots
        self.copy = copy
        self.gone = gone
        self.edits = edits

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits.append(Edit(start, end, text))

    def _renderer(self, container: Piece) -> Renderer:
        return Renderer(self.layout.style(container), self.copy)

    def to_block(self, piece: Piece, added: Any) -> None:
        """Put entries or items at the end of a block."""
        renderer = self._renderer(piece)
        column = self.layout.column(piece.start)
        gone = self.gone.get(piece, set())
        last = max(number for number in range(len(piece.items)) if number not in gone)
        position = self._after_block(piece, piece.items[last], column)
        eol = self.layout.eol
        between = eol + eol if self.layout.is_spaced(piece) else eol
        blocks = (
            [renderer.entry(key, value) for key, value in added.items()]
            if piece.kind == "map"
            else [self._item(piece, renderer, value) for value in added]
        )
        for lines in blocks:
            self._edit(position, position, between + self._indented(lines, column))

    def _item(self, piece: Piece, renderer: Renderer, value: Any) -> list[str]:
        """The lines of a new item, with as many blanks behind the dash as the others have."""
        lines = renderer.item(value)
        first = piece.items[0]
        width = first.first - piece.start if self.layout.line_start(first.first) <= piece.start else 2
        more = " " * max(width - 2, 0)
        if not more or (first.kind == "text" and not first.value):
            return lines
        return ["- " + more + lines[0][2:], *(more + line if line else "" for line in lines[1:])]

    def _indented(self, lines: Iterable[str], column: int) -> str:
        blanks = " " * column
        return self.layout.eol.join(blanks + line if line else "" for line in lines)

    def _after_block(self, container: Piece, last: Piece, column: int) -> int:
        """Where something new is put behind the last entry of a block: behind its comments."""
        layout, text = self.layout, self.text
        position = layout.line_end(last.end)
        innermost = last
        while innermost.items:
            innermost = innermost.items[-1]
        is_block = innermost.style in ("|", ">")
        keeps = is_block and _KEEPS.match(text, innermost.start) is not None
        width = len(layout.indentation(layout.next_line(innermost.start))) if is_block else len(text)
        if is_block and position == len(text):
            self._end_without_break(innermost)
        is_loose = container.kind == "list" and self.slots.is_not_indented(container)
        index = position
        while index < len(text):
            start = layout.next_line(index)
            if start >= len(text):
                break
            end = layout.line_end(start)
            line = text[start:end]
            if line.strip():
                keeps, width = False, len(text)
                blanks = len(line) - len(line.lstrip(" \t"))
                if not _COMMENT.match(line) or blanks < column + is_loose:
                    break
                position = end
            elif keeps or end - start > width:  # more blanks than the lines of a text are indented by are part of it
                position = end
            index = end
        return position

    def _has_short_lines(self, piece: Piece) -> bool:
        """Whether the maps and lists in one of flow style, which has a line for each, stand in one line each."""
        inner = [item for item in piece.items if item.items]
        return bool(inner) and all(self.layout.line_end(item.start) >= item.end for item in inner)

    def _end_without_break(self, piece: Piece) -> None:
        """See to it that a block scalar which the text ends with does not get a line break from what follows."""
        found = _HEADER.match(self.text, piece.start)
        edit = Edit(found.end(1), found.end(), "-") if found is not None and found[2] != "-" else None
        if edit is not None and edit not in self.edits:
            self.edits.append(edit)

    def to_flow(self, piece: Piece, added: Any) -> None:
        """Put entries or items at the end of a map or list in flow style."""
        renderer = self._renderer(piece)
        layout, text = self.layout, self.text
        starts = piece.keys or piece.items
        gone = self.gone.get(piece, set())
        last = max(number for number in range(len(piece.items)) if number not in gone)
        end = self.slots.end(piece.items[last], starts[last])
        following = after_gap(text, end)
        has_comma = text[following : following + 1] == ","
        is_spread = layout.line_start(starts[last].first) > piece.start
        indent = layout.indentation(starts[last].first) if is_spread else layout.indentation(piece.start)
        if is_spread and self._has_short_lines(piece):
            renderer = Renderer(renderer.style._replace(spread=False), self.copy)
        written = (
            renderer.flow_entries(added, indent.removesuffix(renderer.style.step if renderer.style.spread else ""))
            if piece.kind == "map"
            else [renderer.flow(item, indent) for item in added]
        )
        if not is_spread:
            position = following + 1 if has_comma and last == len(piece.items) - 1 else end
            comma = renderer.style.comma
            lead = comma[1:] if has_comma and last == len(piece.items) - 1 else comma
            self._edit(position, position, lead + comma.join(written))
            return
        glue = "," + layout.eol + indent
        position = end
        if not (has_comma and last == len(piece.items) - 1):
            self._edit(end, end, ",")
        else:
            position = following + 1
        stop = layout.line_end(position)
        rest = text[position:stop]
        if _COMMENT.match(rest):
            position = stop
        trailing = "," if has_comma and last == len(piece.items) - 1 else ""
        self._edit(position, position, layout.eol + indent + glue.join(written) + trailing)
