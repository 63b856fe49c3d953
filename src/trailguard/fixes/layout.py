"""How the neighbourhood of a place is written: indentation, quotes, functions, Booleans, spaces of flow style."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from trailguard.cloudformation.source.tags import SHORT_FORMS
from trailguard.fixes.pieces import Piece
from trailguard.fixes.scalars import is_plain

_LINE_BREAK = re.compile(r"\r\n?|\n")
_FUNCTIONS = frozenset(SHORT_FORMS.values())
_NEAR = 60  # how many pieces around a place are looked at
_MANY = 10_000  # how many of a document tell what is usual in it

# The two words that go together, by each of them.
WORDS = {
    word: pair
    for pair in (
        ("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("yes", "no"), ("Yes", "No"), ("YES", "NO"),
        ("on", "off"), ("On", "Off"), ("ON", "OFF"),
    )
    for word in pair
}  # fmt: skip


class Style(NamedTuple):
    """How something new is written at a place.

    mode: "block", "flow", or "json" (flow style with double quotes and no tags).
    step: what one level of a map is indented by; offset: what a block list is indented by below its key.
    quote: that of texts that need one; quoted: whether the neighbours quote all of theirs; key_quote: that of keys.
    words: those for true and false; word_quote: their quotes. is_short: whether functions are written as tags.
    colon, comma, pad: the spaces of flow style; spread: whether it has a line for each entry.
    """

    mode: str
    eol: str
    step: str
    offset: int
    quote: str
    quoted: bool
    key_quote: str
    words: tuple[str, str]
    word_quote: str
    is_short: bool
    colon: str
    comma: str
    pad: str
    spread: bool


class Layout:
    """The layout of a document, worked out where it is asked for."""

    def __init__(self, text: str, root: Piece) -> None:
        self.text = text
        self.root = root
        found = _LINE_BREAK.search(text)
        self.eol = found[0] if found else "\n"
        self._starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]
        self._step: int | None = None
        self._offset: int | None = None
        self._is_short: bool | None = None
        self._quote: str | None = None

    # Lines

    def line_start(self, index: int) -> int:
        """Where the line of an index begins."""
        return self._starts[bisect_right(self._starts, index) - 1]

    def line_end(self, index: int) -> int:
        """Where the line of an index ends, before its line break."""
        end = self.next_line(index)
        if self.text[end - 1 : end] not in ("\n", "\r") or end <= self.line_start(index):
            return end
        return end - 2 if self.text[end - 2 : end] == "\r\n" else end - 1

    def next_line(self, index: int) -> int:
        """Where the line after that of an index begins; the end of the text after the last one."""
        following = bisect_right(self._starts, index)
        return self._starts[following] if following < len(self._starts) else len(self.text)

    def column(self, index: int) -> int:
        """How many characters stand before an index in its line."""
        return index - self.line_start(index)

    def indentation(self, index: int) -> str:
        """The blanks at the start of the line of an index."""
        start = self.line_start(index)
        end = start
        while end < len(self.text) and self.text[end] in " \t":
            end += 1
        return self.text[start:end]

    # What is asked for

    def style(self, container: Piece) -> Style:
        """How an entry of a map or list is written."""
        mode = self.mode(container)
        near = list(islice(_near(container), _NEAR))
        words, word_quote = self._words(container, near)
        quote, quoted = self._quotes(container)
        colon, comma, pad = self._spaces(container, near, mode)
        step = self.step(container)
        if mode == "json":
            quote, quoted, key_quote = '"', True, '"'
            word_quote = word_quote and '"'
            words = ("true", "false")
        else:
            key_quote = self._key_quote(container)
        return Style(
            mode=mode, eol=self.eol, step=step if mode == "json" else " " * max(len(step), 1),
            offset=self.offset(container), quote=quote, quoted=quoted, key_quote=key_quote, words=words,
            word_quote=word_quote, is_short=mode != "json" and self.is_short(), colon=colon, comma=comma, pad=pad,
            spread=mode == "json" and self.spread(container),
        )  # fmt: skip

    def mode(self, container: Piece) -> str:
        """The style of a container, and of what is put into it."""
        if container.style == "block":
            return "block"
        inner: Piece | None = None  # the innermost map
        outer = container
        for piece in container.around():
            if piece.style == "block":
                is_json = inner is not None and inner.keys[0].style == '"' and not self._has_short_calls(outer)
                return "json" if is_json else "flow"
            if piece.keys and piece.style == "flow":
                inner = inner or piece
            outer = piece
        return "json" if inner is None or inner.keys[0].style == '"' else "flow"

    def _has_short_calls(self, outer: Piece) -> bool:
        """Whether functions are tags in one line of flow style, or would be as they are in the rest of the document."""
        if self.line_end(outer.start) < outer.end:
            return any(piece.style == "call" for piece in islice(outer.below(), _MANY))
        inside = [piece for piece in islice(outer.below(), _MANY) if piece.keys and piece.keys[0].value in _FUNCTIONS]
        has_any = any(piece.style == "call" for piece in islice(self.root.below(), _MANY))
        return has_any and self.is_short() and all(piece.style == "call" for piece in inside)

    def step(self, container: Piece) -> str:
        """What the entries of a map are indented by below its key."""
        tabs = "\t" in self.text and self.mode(container) == "json"
        for piece in container.around():
            for child in islice(piece.items, 20):
                step = self._step_of(piece, child)
                if step:
                    return ("\t" if tabs and self.text[self.line_start(child.end - 1)] == "\t" else " ") * step
            if piece.parent is not None:
                step = self._step_of(piece.parent, piece)
                if step:
                    return ("\t" if tabs and self.text[self.line_start(piece.end - 1)] == "\t" else " ") * step
        if self._step is None:
            steps = Counter(
                step
                for piece in islice(self.root.below(), _MANY)
                for child in piece.items
                if (step := self._step_of(piece, child))
            )
            self._step = steps.most_common(1)[0][0] if steps else 0
        return " " * (self._step or (4 if self.root.style == "flow" else 2))

    def _step_of(self, piece: Piece, child: Piece) -> int:
        if not child.items or child.kind == "alias":
            return 0
        first = (child.keys or child.items)[0]
        if child.style == "flow":
            if self.line_start(first.first) <= child.start:
                return 0
            return len(self.indentation(first.first)) - len(self.indentation(child.start))
        if piece.kind != "map" or child.kind != "map" or piece.style != "block" or child.style != "block":
            return 0
        return self.column(first.first) - self.column(piece.keys[0].first)

    def offset(self, container: Piece) -> int:
        """What a block list is indented by below its key."""
        for piece in container.around():
            for child in islice(piece.items, 20):
                if piece.style == child.style == "block" and piece.kind == "map" and child.kind == "list":
                    return self.column(child.start) - self.column(piece.keys[0].first)
        if self._offset is None:
            offsets = Counter(
                self.column(child.start) - self.column(piece.keys[0].first)
                for piece in islice(self.root.below(), _MANY)
                if piece.kind == "map" and piece.style == "block"
                for child in piece.items
                if child.kind == "list" and child.style == "block"
            )
            self._offset = offsets.most_common(1)[0][0] if offsets else -1
        return self._offset if self._offset >= 0 else len(self.step(container))

    def is_short(self) -> bool:
        """Whether functions are written as tags, as most are in the document; so are they where there is none."""
        if self._is_short is None:
            counts = Counter(
                piece.style == "call"
                for piece in islice(self.root.below(), _MANY)
                if piece.kind == "map" and len(piece.keys) == 1 and piece.keys[0].value in _FUNCTIONS
            )
            self._is_short = counts[True] >= counts[False]
        return self._is_short

    def _quotes(self, container: Piece) -> tuple[str, bool]:
        """The quotes of texts that need some, and whether all texts near have quotes, those too that need none."""
        texts = [piece for piece in islice(container.items, 50) if piece.kind == "text" and piece.value]
        texts = [piece for piece in texts if piece.style not in ("|", ">") and is_plain(piece.value, False)]
        styles = {piece.style for piece in texts}
        if len(styles) == 1 and (style := styles.pop()) in ("'", '"'):
            return style, True
        if self._quote is None:
            counts = Counter(piece.style for piece in islice(self.root.below(), _MANY) if piece.style in ("'", '"'))
            self._quote = "'" if counts["'"] > counts['"'] else '"'
        near = Counter(piece.style for piece in texts if piece.style in ("'", '"'))
        return near.most_common(1)[0][0] if near else self._quote, False

    def _key_quote(self, container: Piece) -> str:
        map_ = next((piece for piece in container.around() if piece.keys and piece.style != "call"), None)
        styles = {key.style for key in islice(map_.keys, 50)} if map_ is not None else set()
        return styles.pop() if len(styles) == 1 else ""

    def _words(self, container: Piece, near: list[Piece]) -> tuple[tuple[str, str], str]:
        """How Booleans are written, and their quotes: as most are near, else in the document."""
        counts = Counter((WORDS[piece.value], piece.style) for piece in near if is_boolean(piece))
        for piece in container.items:
            if is_boolean(piece):
                counts[WORDS[piece.value], piece.style] += _NEAR
        return counts.most_common(1)[0][0] if counts else (("true", "false"), "")

    def _spaces(self, container: Piece, near: list[Piece], mode: str) -> tuple[str, str, str]:
        """The colon with its spaces, what separates entries in one line, and the blanks inside of braces."""
        colon, comma, pad = "", "", None
        for piece in (container, *near):
            if piece.style != "flow" or not piece.items:
                continue
            if mode != "block" and piece.keys and (piece.keys[0].style == '"') != (mode == "json"):
                continue
            if colon and comma and pad is not None:
                break
            first = (piece.keys or piece.items)[0]
            if piece.keys and not colon:
                between = self.text[piece.keys[0].end : piece.items[0].first]
                colon = between if re.fullmatch(r" *: *", between) else ""
            if len(piece.items) > 1 and not comma:
                between = self.text[piece.items[0].end : (piece.keys or piece.items)[1].first]
                comma = between if re.fullmatch(", *", between) else ""
            if pad is None and piece.kind == "map":
                between = self.text[piece.start + 1 : first.first]
                pad = between if not between.strip(" ") else None
        if mode != "json":
            colon, comma = ": ", comma.rstrip() + " " if comma else ", "
        minified = mode == "json" and "\n" not in self.text.strip() and colon == ":"
        return colon or ": ", comma or ("," if minified else ", "), pad or ""

    def spread(self, container: Piece) -> bool:
        """Whether maps and lists in flow style have a line for each entry."""
        for piece in container.around():
            if piece.style != "flow":
                return False
            if piece.items and piece.style == "flow":
                first = (piece.keys or piece.items)[0]
                return self.line_start(first.first) > piece.start
        return False

    def is_spaced(self, container: Piece) -> bool:
        """Whether blank lines separate the entries of a block."""
        starts = container.keys or container.items
        if len(starts) < 2:
            return False
        gaps = [
            self._has_blank_line(previous.end, entry.first)
            for previous, entry in islice(zip(container.items, starts[1:], strict=False), 50)
        ]
        return gaps.count(True) * 2 > len(gaps)

    def _has_blank_line(self, start: int, end: int) -> bool:
        lines = _LINE_BREAK.split(self.text[start:end])
        return any(not line.strip() for line in lines[1:-1])


def is_boolean(piece: Piece) -> bool:
    """Whether a piece is a Boolean to CloudFormation, for which "true" and "false" in quotes are some, too."""
    return piece.kind == "text" and piece.value in (WORDS if not piece.style and piece.plain else ("true", "false"))


def _near(container: Piece) -> Iterator[Piece]:
    """The pieces near a place, nearest first: what is inside, then what is inside of the containers around it."""
    for piece in islice(container.around(), 4):
        yield from islice(piece.below(), _NEAR // 3)
