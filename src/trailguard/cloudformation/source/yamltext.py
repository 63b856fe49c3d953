"""Where the nodes of a YAML document stand in its text: libyaml marks tokens, which begin and end elsewhere."""

from __future__ import annotations

import re
from typing import Any

from trailguard.cloudformation.source.nodes import Places, SourceError

_BLANKS = " \t\r\n"
# A tag or an anchor before a node, and what may stand between it and the node.
_PROPERTY = re.compile(r"(?:(!<[^>\s]*>|![^\s,]*)|&[0-9A-Za-z_-]+)(?:[ \t\r\n]|#[^\r\n]*)*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_LINE_BREAK = re.compile(r"[\r\n]")


class YamlText:
    """The text of a document, and places in it."""

    __slots__ = ("_places", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._places: Places | None = None

    @property
    def places(self) -> Places:
        """Lines and columns of the whole text, worked out when they are first asked for."""
        if self._places is None:
            self._places = Places(self.text)
        return self._places

    def place(self, index: int, mark: Any) -> tuple[int, int]:
        """Line and column of an index: that of a mark, or near it."""
        if index == mark.index and index < len(self.text):  # libyaml starts a line of its own at the end of the text
            return mark.line + 1, mark.column + 1
        if index > mark.index and not _LINE_BREAK.search(self.text, mark.index, index):
            return mark.line + 1, mark.column + 1 + index - mark.index
        return self.places.at(index)

    def error(self, message: str, index: int) -> SourceError:
        """An error at an index."""
        return SourceError(message, *self.places.at(index))

    def properties(self, event: Any) -> tuple[str, int, int]:
        """Find a node after its tag and anchor: the tag as written, its index, and the index of the node itself."""
        index = event.start_mark.index
        written, tagged = event.tag or "", index
        for _ in range((event.tag is not None) + (event.anchor is not None)):
            found = _PROPERTY.match(self.text, index)
            if found is None:
                break
            if found[1]:
                written, tagged = found[1], index
            index = found.end()
        return written, tagged, index

    def end_of_block(self, start: int, stop: int) -> int:
        """Where the last line with text ends in a block scalar; libyaml says where the next token starts."""
        text = self.text
        while stop > start and text[stop - 1] in _BLANKS:
            stop -= 1
        header = _BLOCK_HEADER.match(text, start)
        if header is not None and not _LINE_BREAK.search(text, header.end(), stop):
            return header.end()  # there is no text, but perhaps a comment
        line_break = _LINE_BREAK.search(text, stop)
        return line_break.start() if line_break else len(text)

    def after_text(self, index: int) -> int:
        """Where an empty value is: right after its colon, even if libyaml only missed it at the next token."""
        while index > 0 and self.text[index - 1] in _BLANKS:
            index -= 1
        return index
