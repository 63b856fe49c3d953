"""The pieces that a text of YAML or JSON is made of, with what the nodes of a document leave out.

These are styles, anchors, aliases, and where properties begin. Kinds and places are those of the nodes: a short tag
makes a map of its own around its argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from trailguard.cloudformation.source import tags
from trailguard.cloudformation.source.jsonsource import read_json
from trailguard.cloudformation.source.nodes import MAX_DEPTH, ListNode, MapNode, Node, Places, SourceError, TextNode
from trailguard.cloudformation.source.yamlsource import new_parser, stand_ins_for
from trailguard.cloudformation.source.yamltext import YamlText
from trailguard.fixes.edits import Unwritable

MERGE = "<<"
_NONE: list[Any] = []  # what a text has below it; most pieces are texts, and time goes by in making lists


_BLOCK_STYLES = frozenset(("|", ">"))


class Piece:
    """A piece of a text.

    kind: "map", "list", "text", or "alias", whose `target` is the piece that it names.
    style: of texts the quote, "|", ">" or "" for none; of maps and lists "block" or "flow"; "call" for a short tag.
    start, end: where it stands; `first` is where its anchor and tag begin. A block ends where its last piece ends.
    keys, items: of a map its keys and values; a list has items only. `uses` counts the aliases of an anchored piece.
    """

    __slots__ = (
        "anchor", "end", "first", "items", "keys", "kind", "parent", "plain", "start", "style", "target", "uses",
        "value",
    )  # fmt: skip

    def __init__(self, kind: str, style: str, first: int, start: int, end: int) -> None:
        self.kind = kind
        self.style = style
        self.first = first
        self.start = start
        self.end = end
        self.value = ""
        self.plain = False
        self.anchor = ""
        self.uses = 0
        self.keys: list[Piece] = _NONE if kind == "text" else []
        self.items: list[Piece] = _NONE if kind == "text" else []
        self.parent: Piece | None = None
        self.target: Piece | None = None

    def __repr__(self) -> str:
        return f"<{self.style} {self.kind} {self.first}:{self.start}-{self.end} {self.value!r}>"

    @property
    def resolved(self) -> Piece:
        """The piece itself, or what the alias names."""
        return self.target or self

    def index(self, key: str) -> int | None:
        """The place of a key among those that the map itself has."""
        return next((number for number, piece in enumerate(self.keys) if piece.value == key), None)

    def around(self) -> Iterator[Piece]:
        """The piece, and those that it is in, from the inside out."""
        piece: Piece | None = self
        while piece is not None:
            yield piece
            piece = piece.parent

    def below(self) -> Iterator[Piece]:
        """All pieces in this one, itself included, in the order of the text, but for keys."""
        pending = [self]
        while pending:
            piece = pending.pop()
            yield piece
            if piece.items:
                pending.extend(reversed(piece.items))


def pieces(text: str) -> Piece:
    """The root of a document. Raises Unwritable when it cannot be read."""
    stand_ins = stand_ins_for(text)
    originals = {ord(stand_in): char for char, stand_in in stand_ins.items()}
    readable = text
    for char, stand_in in stand_ins.items():
        readable = readable.replace(char, stand_in)
    try:
        return _Builder(text, originals).read(readable)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        if text.lstrip().startswith(("{", "[")):
            try:
                return _of_json(read_json(text), Places(text))
            except SourceError as fault:
                raise Unwritable(f"the document cannot be read: {fault}") from None
        raise Unwritable(f"the document cannot be read: {error}") from None


def _of_json(node: Node, places: Places) -> Piece:
    """The pieces of a document that was read as JSON."""
    kind = "map" if isinstance(node, MapNode) else "list" if isinstance(node, ListNode) else "text"
    start = places.index(node.line, node.column)
    piece = Piece(kind, "flow", start, start, places.index(node.end_line, node.end_column))
    if isinstance(node, TextNode):
        piece.value, piece.plain, piece.style = node.value, node.plain, "" if node.plain else '"'
    elif isinstance(node, MapNode):
        piece.keys = [_of_json(key, places) for key in node.keys.values()]
        piece.items = [_of_json(child, places) for child in node.values.values()]
    elif isinstance(node, ListNode):
        piece.items = [_of_json(child, places) for child in node.items]
    for child in (*piece.keys, *piece.items):
        child.parent = piece
    return piece


class _Builder:
    """Makes pieces from the events of a YAML parser."""

    def __init__(self, text: str, originals: dict[int, str]) -> None:
        self.text = text
        self.source = YamlText(text)
        self.originals = originals
        self.anchors: dict[str, Piece] = {}
        self.root = Piece("list", "block", 0, 0, 0)
        self.container = self.root
        self.end = 0  # of the last piece that is complete

    def read(self, readable: str) -> Piece:
        """Run through the events."""
        parser = new_parser(readable)
        depth = 0
        while True:
            event = parser.get_event()
            kind = event.__class__
            if kind is ScalarEvent:
                if event.tag or event.anchor or event.style in _BLOCK_STYLES or self.originals or not event.value:
                    self._add(self._scalar(event))
                    continue
                start, end = event.start_mark.index, event.end_mark.index
                piece = Piece("text", event.style or "", start, start, end)
                piece.value = event.value
                piece.plain = not event.style
                self._add(piece)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                depth += 1
                if depth > MAX_DEPTH:
                    raise Unwritable(f"the document is nested more than {MAX_DEPTH} levels deep")
                self._open(event)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                depth -= 1
                self._close(event)
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent and self.root.items:
                raise Unwritable("there is more than one YAML document in the file")
            elif kind is StreamEndEvent:
                break
        if not self.root.items:
            raise Unwritable("the document is empty")
        root = self.root.items[0]
        root.parent = None
        return root

    def _add(self, piece: Piece) -> None:
        container = self.container
        if container.kind == "map" and len(container.keys) == len(container.items):
            container.keys.append(piece)
        else:
            container.items.append(piece)
        piece.parent = container
        self.end = piece.end

    def _scalar(self, event: Any) -> Piece:
        start, stop = event.start_mark.index, event.end_mark.index
        value = event.value.translate(self.originals) if self.originals else event.value
        style = event.style or ""
        first, written, tagged = start, "", start
        if event.tag or event.anchor:
            written, tagged, start = self.source.properties(event)
        if style in _BLOCK_STYLES:
            stop = self.source.end_of_block(start, stop)
        elif not style and not value:
            start = stop = self.source.after_text(stop)
            first = min(first, start)
        piece = Piece("text", style, first, start, stop)
        piece.value = value
        piece.plain = not style if event.tag is None else event.tag in tags.VALUE_TAGS
        return self._whole(event, piece, written, tagged, tags.TEXT_TAGS | tags.VALUE_TAGS)

    def _whole(self, event: Any, piece: Piece, written: str, tagged: int, known: frozenset[str]) -> Piece:
        """The piece, or the map that its short tag stands for; its anchor names the whole."""
        if event.tag and event.tag not in known:
            call = Piece("map", "call", piece.first, tagged, piece.end)
            key = Piece("text", "", tagged, tagged, tagged + len(written))
            key.value = tags.SHORT_FORMS.get(event.tag, written)
            piece.first = piece.start
            call.keys, call.items = [key], [piece]
            key.parent = piece.parent = call
            piece = call
        if event.anchor:
            piece.anchor = event.anchor
            self.anchors[event.anchor] = piece
        return piece

    def _open(self, event: Any) -> None:
        first = start = tagged = event.start_mark.index
        written = ""
        if event.tag or event.anchor:
            written, tagged, start = self.source.properties(event)
        is_map = event.__class__ is MappingStartEvent
        piece = Piece("map" if is_map else "list", "flow" if event.flow_style else "block", first, start, start)
        known = tags.MAPPING_TAGS if is_map else tags.SEQUENCE_TAGS
        whole = self._whole(event, piece, written, tagged, known)
        self._add(whole)
        self.container = piece

    def _close(self, event: Any) -> None:
        piece = self.container
        piece.end = event.end_mark.index if piece.style == "flow" else max(self.end, piece.start)
        self.end = piece.end
        whole = cast(Piece, piece.parent)
        if whole.style == "call":
            whole.end = piece.end
            whole = cast(Piece, whole.parent)
        self.container = whole

    def _alias(self, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise Unwritable(f"no anchor comes before the alias *{event.anchor}")
        piece = Piece("alias", "", event.start_mark.index, event.start_mark.index, event.end_mark.index)
        piece.target = target
        piece.value = target.value
        target.uses += 1
        self._add(piece)


_GAP = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")


def after_gap(text: str, index: int) -> int:
    """Where the next token begins: after blanks, line breaks and comments."""
    found = _GAP.match(text, index)
    return found.end() if found else index
