"""Copies what stands at one place of a document to another: its text where that fits, else its meaning."""

from __future__ import annotations

import re

from trailguard.fixes import scalars
from trailguard.fixes.meaning import data_of, merged
from trailguard.fixes.pieces import Piece
from trailguard.fixes.rendering import Rendered, Renderer

_LINE_BREAK = re.compile(r"\r\n?|\n")


class Copier:
    """Gives the text of pieces for another place of their document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.moved: set[Piece] = set()  # those that do not stay where they are: they keep their anchors

    def __call__(self, piece: Piece, renderer: Renderer) -> Rendered:
        """What stands at a place, as a value in the style of the renderer."""
        piece = piece.resolved
        if renderer.style.mode == "block":
            return self._block(piece, renderer)
        is_flow = piece.style == "flow" and not any(child.kind == "alias" or child.anchor for child in piece.below())
        is_quoted = piece.kind == "text" and piece.style in ("'", '"')
        if (is_flow and renderer.style.mode != "json") or (is_quoted and piece.style == '"'):
            written = self.text[piece.start : piece.end]
            if not _LINE_BREAK.search(written):
                return Rendered(written, (), "text")
        return Rendered(renderer.flow(data_of(piece), ""), (), "text")

    def _block(self, piece: Piece, renderer: Renderer) -> Rendered:
        if piece not in self.moved and any(
            child.kind == "alias" or child.anchor or merged(child) for child in piece.below() if child is not piece
        ):
            return renderer.block(data_of(piece))
        written = self.text[piece.start : piece.end]
        if piece.style == "call":
            self.moved.update(piece.items if piece in self.moved else ())
            value = self._block(piece.items[0], renderer)
            tag = self.text[piece.keys[0].start : piece.keys[0].end]
            return Rendered(f"{tag} {value.head}".rstrip(), tuple(value.lines), "text")
        if piece.style == "block":
            return Rendered("", tuple(self._lines(piece)), piece.kind)
        if not _LINE_BREAK.search(written):
            if piece.kind == "text" and not piece.style and piece.plain and not scalars.is_plain(written, False):
                return Rendered(written or "null", (), "text")
            return Rendered(written, (), "text")
        return renderer.block(data_of(piece))

    def _lines(self, piece: Piece) -> list[str]:
        """The lines of a block, its first column being the first one."""
        start = max(self.text.rfind("\n", 0, piece.start), self.text.rfind("\r", 0, piece.start)) + 1
        column = piece.start - start
        end = _LINE_BREAK.search(self.text, piece.end)
        first, *rest = _LINE_BREAK.split(self.text[piece.start : end.start() if end else len(self.text)])
        return [first, *(line[column:] if not line[:column].strip() else line.lstrip() for line in rest)]
