"""Where the value of a key or an item stands, and how another one takes its place there."""

from __future__ import annotations

import re
from itertools import islice

from trailguard.fixes.edits import Edit, Unwritable
from trailguard.fixes.layout import Layout
from trailguard.fixes.pieces import Piece, after_gap
from trailguard.fixes.rendering import Rendered, Renderer

_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_BLOCK = ("block", "|", ">")


class Slots:
    """The places of values in a document."""

    def __init__(self, text: str, layout: Layout) -> None:
        self.text = text
        self.layout = layout
        self._prefers_flow: bool | None = None

    def container(self, piece: Piece) -> Piece | None:
        """The map or list that a piece stands in, tags not counted."""
        parent = piece.parent
        while parent is not None and parent.style == "call":
            parent = parent.parent
        return parent

    def span(self, piece: Piece) -> tuple[int, int]:
        """What is replaced with a piece: its tag is, its anchor is not."""
        return piece.start, piece.end

    def end(self, piece: Piece, key: Piece) -> int:
        """Where an entry of flow style ends."""
        return max(piece.end, key.end)

    def empty(self, piece: Piece) -> tuple[int, int]:
        """Where the value of an entry of flow style is put that has none."""
        index = after_gap(self.text, piece.start)
        if self.text[index : index + 1] == ":":
            return index + 1, index + 1
        before = self.text[: piece.start].rstrip()
        if not before.endswith(":"):
            raise Unwritable("there is no place for a value behind this key")
        return piece.start, piece.start

    def is_not_indented(self, listed: Piece) -> bool:
        """Whether a block list begins in the column of its key."""
        holder = self.container(listed)
        if holder is None or holder.kind != "map" or holder.style != "block":
            return False
        return self.layout.column(holder.start) == self.layout.column(listed.start)

    def prefers_flow_lists(self) -> bool:
        """Whether short lists are written in one line, as most are in the document; so are they where there is none."""
        if self._prefers_flow is None:
            flow = block = 0
            for piece in islice(self.layout.root.below(), 10_000):
                if piece.kind == "list" and piece.items and all(item.kind == "text" for item in islice(piece.items, 8)):
                    flow += piece.style == "flow"
                    block += piece.style == "block"
            self._prefers_flow = flow >= block
        return self._prefers_flow

    def slot(self, piece: Piece) -> int:
        """Where the line of a value begins in block style: behind the colon, the dash, the tag, the anchor."""
        text = self.text
        parent = piece.parent
        if piece.first < piece.start and (found := _PROPERTY.match(text, piece.first)):
            index = found.end()
            while (found := _PROPERTY.match(text, after_gap(text, index))) and after_gap(text, index) < piece.start:
                index = found.end()
            return index
        if parent is None:
            return piece.start
        if parent.style == "call":
            return parent.keys[0].end
        number = parent.items.index(piece)
        if parent.kind == "map":
            index = after_gap(text, parent.keys[number].end)
            return index + 1 if text[index : index + 1] == ":" else parent.keys[number].end
        return self.dash(parent, number) + 1

    def dash(self, listed: Piece, number: int) -> int:
        """Where the dash of an item of a block list is."""
        if not number:
            return listed.start
        return after_gap(self.text, listed.items[number - 1].end)

    def column(self, piece: Piece) -> tuple[int, str]:
        """The column that a value of block style is indented from, and whether that is one of a key or of a dash."""
        container = self.container(piece)
        if container is None:
            return 0, "root"
        if container.kind == "map":
            return self.layout.column(container.start), "key"
        return self.layout.column(container.start), "dash"

    def replaced(self, piece: Piece, value: Rendered, renderer: Renderer) -> list[Edit]:
        """The edits that put a value of block style in the place of a piece."""
        column, kind = self.column(piece)
        head, lines = self._shape(piece, value, renderer, kind)
        eol = self.layout.eol
        blanks = " " * column
        below = "".join(eol + blanks + line if line else eol for line in lines)
        slot = self.slot(piece)
        layout = self.layout
        if kind == "root":
            return [Edit(piece.start, piece.end, below[len(eol) :])]
        if piece.style == "block" and piece.start < layout.line_end(slot):  # behind a dash, or in an explicit entry
            return [Edit(slot, piece.end, (" " + head if head else "") + below)]
        start, stop, has_block = self._prefix(piece, slot)
        edits = [Edit(slot if not head else start, stop, "") if stop > start else Edit(slot, slot, "")]
        edits[0] = self._first(edits[0], head, slot, start, stop)
        line_end = layout.line_end(stop)
        if has_block:
            edits.append(Edit(line_end, layout.line_end(max(piece.end, line_end)), below))
        elif below:
            edits.append(Edit(line_end, line_end, below))
        return edits

    def _first(self, edit: Edit, head: str, slot: int, start: int, stop: int) -> Edit:
        """The edit of the line with the key."""
        if stop > start:
            gap = "" if self.text[slot:start].strip(" ") or start > slot else " "
            if head:
                return Edit(start, stop, gap + head)
            blanks = self.text[stop : self.layout.line_end(stop)]
            tabs = len(blanks) - len(blanks.lstrip(" \t"))
            return Edit(slot, stop + tabs, " ") if "\t" in blanks[:tabs] else Edit(slot, stop, "")
        return Edit(slot, slot, " " + head) if head else edit

    def _shape(self, piece: Piece, value: Rendered, renderer: Renderer, kind: str) -> tuple[str, list[str]]:
        """What stands in the line of the slot, and the lines below, relative to the column of the key or dash."""
        if kind != "dash":
            return renderer.below_key(value) if kind == "key" else (value.head, list(value.lines))
        if value.kind == "text" or piece.first < piece.start or (piece.parent and piece.parent.style == "call"):
            return value.head, ["  " + line if line else "" for line in value.lines]
        width = 2
        if piece.style != "block" and self.layout.line_start(piece.start) <= self.slot(piece) < piece.start:
            width = piece.start - self.slot(piece) + 1  # as many blanks as there are behind the dash
        return value.lines[0], [" " * width + line if line else "" for line in value.lines[1:]]

    def _prefix(self, piece: Piece, slot: int) -> tuple[int, int, bool]:
        """What of a piece stands in the line of the slot, from where up to where, and whether more is below."""
        start = piece.start
        innermost = piece
        while innermost.style == "call":
            innermost = innermost.items[0]
        if innermost.style in ("|", ">"):
            found = _HEADER.match(self.text, innermost.start)
            return start, found.end() if found else innermost.start, True
        if innermost.style != "block":
            return start, piece.end, False
        if innermost is piece:
            return slot, slot, True
        tag = innermost.parent
        return start, tag.keys[0].end if tag is not None else start, True
