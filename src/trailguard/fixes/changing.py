"""Changes of a document become edits of its text."""

from __future__ import annotations

from collections.abc import Iterable

from trailguard.cloudformation.source.changes import At, Change
from trailguard.cloudformation.source.nodes import Places
from trailguard.fixes.edits import Edit, Unwritable, ordered
from trailguard.fixes.layout import Layout
from trailguard.fixes.pieces import Piece, pieces
from trailguard.fixes.planning import Plan
from trailguard.fixes.writing import Writer


class Page:
    """A document that is to be edited."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = pieces(text)
        self.places = Places(text)
        self.layout = Layout(text, self.root)
        self._index: dict[tuple[int, str], list[Piece]] = {}
        for piece in self.root.below():
            for found in (*piece.keys, piece):
                self._index.setdefault((found.start, found.kind), []).append(found)

    def find(self, at: At) -> Piece:
        """The piece at a place. Raises Unwritable when there is none."""
        try:
            start = self.places.index(at.line, at.column)
            end = self.places.index(at.end_line, at.end_column)
        except IndexError:
            raise Unwritable("the place is beyond the end of the document") from None
        found = self._index.get((start, at.kind), [])
        for piece in found:
            if piece.end == end:
                return piece
        if found:
            return found[0]
        raise Unwritable(f"line {at.line}, column {at.column}: there is no {at.kind} that begins here")

    def edits(self, changes: Iterable[Change]) -> list[Edit]:
        """The edits of changes to this document."""
        plan = Plan(self.find)
        for change in changes:
            plan.take(change, self.find(change.at))
        plan.settle()
        return ordered(self.text, Writer(self.text, self.layout, plan).written())


def edits_for(text: str, changes: Iterable[Change], *, apart: bool = False) -> list[Edit]:
    """The edits that make changes to a document, in the order of its text."""
    return Page(text).edits(changes)
