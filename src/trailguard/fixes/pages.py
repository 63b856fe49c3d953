"""A document and those that its texts hold: where nodes stand in them, and the edits of changes to all of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from trailguard.cloudformation.source.changes import At, Change, Remove, Rename
from trailguard.cloudformation.source.nodes import Places
from trailguard.fixes import filled
from trailguard.fixes.edits import Edit, Unwritable, applied, ordered
from trailguard.fixes.embedding import embedding
from trailguard.fixes.layout import Layout
from trailguard.fixes.meaning import data_of
from trailguard.fixes.pieces import Piece, pieces
from trailguard.fixes.planning import Plan, walked
from trailguard.fixes.rendering import is_list
from trailguard.fixes.writing import Writer

_BLANKS = re.compile(r"\s+")


@lru_cache(maxsize=2)  # one text is asked for its edits by every plan, and nothing changes its pieces
def _read(text: str) -> tuple[Piece, Places, Layout]:
    """A document by itself: its pieces, where its lines begin, and how it is laid out."""
    root = pieces(text)
    return root, Places(text), Layout(text, root)


class Page:
    """A document that is to be edited; `holder` is the text of the outer document that holds it, if one does."""

    def __init__(self, text: str, outer: Page | None = None, holder: Piece | None = None) -> None:
        self.text = text
        self.is_filled = holder is not None and filled.is_filled(holder)
        if holder is None:
            self.root, self.places, self.layout = _read(text)
        else:
            self.root = filled.read(text, self.is_filled)
            self.places, self.layout = Places(text), Layout(text, self.root)
        self.embedding = None if outer is None or holder is None else embedding(outer.text, holder, outer.layout.eol)
        self.inner: dict[Piece, Page] = {}
        self.changes: list[tuple[Change, Piece]] = []

    # Where things are

    def find(self, at: At, is_entry: bool = False) -> tuple[Page, Piece]:
        """The piece at a place, and the document that it is part of; of an entry in a text its key.

        Raises Unwritable when there is none.
        """
        try:
            start = self.places.index(at.line, at.column)
            end = self.places.index(at.end_line, at.end_column)
        except IndexError:
            raise Unwritable("the place is beyond the end of the document") from None
        page, piece = self._at(start, end, at.kind)
        if not at.is_inside:
            return page, piece
        page = page.page_in(piece)
        piece = walked_to(page.root, at.inside)
        if is_entry and piece.parent is not None and piece.parent.kind == "map":
            piece = piece.parent.keys[piece.parent.items.index(piece)]
        return page, piece

    def _at(self, start: int, end: int, kind: str) -> tuple[Page, Piece]:
        found = covering(self.root, start)
        matching = [piece for piece in found if piece.start == start and piece.kind == kind]
        for piece in matching:
            if piece.end == end:
                return self, piece
        if matching:
            return self, matching[0]
        innermost = found[-1] if found else self.root
        if innermost.style in ("|", ">") and start > innermost.start:
            page = self.page_in(innermost)
            if page.embedding is not None:
                return page._at(page.embedding.inner(start), page.embedding.inner(end), kind)
        line, column = self.places.at(start)
        raise Unwritable(f"no {kind} begins on line {line}, column {column}")

    def page_in(self, piece: Piece) -> Page:
        """The document that a text holds."""
        if piece not in self.inner:
            if piece.kind != "text":
                raise Unwritable("what is to hold a document is not a text")
            self.inner[piece] = Page(piece.value, self, piece)
        return self.inner[piece]

    # Changes

    def take(self, change: Change) -> None:
        """Take note of a change to this document or one that it holds."""
        page, piece = self.find(change.at, isinstance(change, Rename | Remove))
        page.changes.append((change, piece))

    def edits(self, apart: bool, root: Page | None = None) -> list[Edit]:
        """The edits of all changes, in the order of the text."""
        root = root or self
        plan = Plan(apart)
        for change, piece in self.changes:
            plan.take(change, piece, self.value(getattr(change, "value", None), root))
        plan.settle()
        edits = Writer(self.text, self.layout, plan).written()
        for holder, page in self.inner.items():
            edits += self._inner_edits(holder, page, page.edits(apart, root))
        return ordered(self.text, edits)

    def _inner_edits(self, holder: Piece, page: Page, edits: list[Edit]) -> list[Edit]:
        """The edits of a document in a text as those of this one. Raises Unwritable when they would mean another."""
        if page.embedding is None or not edits:
            return []
        outer = ordered(self.text, [page.embedding.edit(edit) for edit in edits])
        edited = Page(applied(self.text, outer))
        start = holder.start + sum(
            len(edit.text) - (edit.end - edit.start) for edit in outer if edit.end <= holder.start
        )
        expected = _without_blanks(applied(page.text, edits))
        found = [piece for piece in covering(edited.root, start) if piece.kind == "text"]
        if not any(_without_blanks(piece.value) == expected for piece in found):
            raise Unwritable("the text that holds the document cannot be written so that it is read as it should be")
        return outer

    def value(self, data: Any, root: Page) -> Any:
        """Data for this document: what is to be copied is a piece of it, or the data that stand elsewhere."""
        data = _with_pieces(data, self, root)
        if self.embedding is None:
            return data
        return filled.as_text(data, self.is_filled, filled.is_template(self.root))


def covering(piece: Piece, index: int) -> list[Piece]:
    """The pieces that an index lies in, from the outside in, keys among them."""
    found = []
    inside: Piece | None = piece
    while inside is not None:
        found.append(inside)
        number = bisect_left(inside.items, index, key=lambda item: item.end)
        around = (*inside.keys[number : number + 1], *inside.items[number : number + 1])
        inside = next((child for child in around if child.first <= index <= child.end), None)
    return found


def _with_pieces(data: Any, page: Page, root: Page) -> Any:
    if isinstance(data, At):
        owner, piece = root.find(data)
        return piece if owner is page and page.embedding is None else data_of(piece)
    if isinstance(data, Mapping):
        return {key: _with_pieces(value, page, root) for key, value in data.items()}
    if is_list(data):
        return [_with_pieces(item, page, root) for item in data]
    return data


def walked_to(root: Piece, way: Iterable[str | int]) -> Piece:
    """The piece at the end of a way. Raises Unwritable when the way does not lead that far."""
    reached = walked(root, tuple(way))
    if reached.left:
        raise Unwritable(f"there is no {reached.left[0]} in the document that the text holds")
    return reached.piece


def _without_blanks(text: str) -> str:
    return _BLANKS.sub("", text)
