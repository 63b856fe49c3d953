"""Builds nodes from PyYAML's parser events.

PyYAML's own composer recurses, and takes the process down on deep nesting; its constructor turns account IDs into octal
numbers. So nodes are made from events, in one loop, with limits on nesting and on what aliases expand to.
"""

from __future__ import annotations

import re
from typing import Any, Protocol, cast

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
from trailguard.cloudformation.source.letters import unused
from trailguard.cloudformation.source.nodes import (
    MAX_DEPTH,
    ListNode,
    MapNode,
    Node,
    Places,
    SourceError,
    TextNode,
    cut,
    shown,
)
from trailguard.cloudformation.source.yamlfaults import explain

MAX_NODES = 250_000  # how many nodes the aliases of a document may stand for
_MAX_PROBLEMS = 50
_MERGE = "<<"
_BLOCK_STYLES = frozenset({"|", ">"})
_BLANKS = " \t\r\n"
# A tag or an anchor before a node, and what may stand between it and the node.
_PROPERTY = re.compile(r"(?:(!<[^>\s]*>|![^\s,]*)|&[0-9A-Za-z_-]+)(?:[ \t\r\n]|#[^\r\n]*)*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_LINE_BREAK = re.compile(r"[\r\n]")
_EXOTIC_BREAKS = "\x85\u2028\u2029"  # YAML 1.1 ends lines at these too; editors, JSON and YAML 1.2 do not


class _Parser(Protocol):
    def get_event(self) -> Any:
        """Give the next event: `yaml.events.Event`, but typeshed knows neither their attributes nor marks."""


def read_yaml(text: str) -> tuple[Node, list[SourceError]]:
    """Read a document of YAML 1.1: its root node, and the problems that leave the rest readable.

    Raises SyntaxFault when it is not YAML, SourceError when it is YAML that no template may be.
    """
    stand_ins = _stand_ins(text) if any(char in text for char in _EXOTIC_BREAKS) else {}
    builder = _Builder(text, {ord(stand_in): char for char, stand_in in stand_ins.items()})
    for char, stand_in in stand_ins.items():
        text = text.replace(char, stand_in)
    return builder.read(text), builder.problems


def new_parser(text: str) -> _Parser:
    """Make a parser of events: libyaml's where PyYAML was built with it."""
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # typeshed hides it
    except ImportError:
        from trailguard.cloudformation.source.pureyaml import PureParser

        return PureParser(text)
    return cast(_Parser, CParser(text))


def _stand_ins(text: str) -> dict[str, str]:
    """Characters to read in place of the exotic line breaks: such as the text neither holds nor names."""
    return dict(zip(_EXOTIC_BREAKS, unused(text), strict=False))


class _Builder:
    """Makes the nodes of one document."""

    def __init__(self, text: str, originals: dict[int, str]) -> None:
        self.text = text
        self.originals = originals  # what the stand-ins stand for
        self.document = ListNode(1, 1)  # holds the root
        self.container: MapNode | ListNode = self.document  # the innermost one that is open
        self.outer: list[MapNode | ListNode] = []  # those around it
        self.last: Node = self.document  # the last node that was complete: a block ends where it ends
        self.ended = False
        self.short_forms: dict[Node, MapNode] = {}  # open collections that are the argument of a short tag
        self.anchored: dict[Node, str] = {}  # open collections that have an anchor
        self.anchors: dict[str, Node | None] = {}  # None while the node is open
        self.extents: dict[Node, tuple[int, int]] = {}
        self.expanded = 0  # how many nodes the aliases so far stand for
        self.problems: list[SourceError] = []
        self.unknown_tags: set[str] = set()
        self._places: Places | None = None

    def read(self, text: str) -> Node:
        """Make the tree of a document from the parser's events; `text` is the text with stand-ins."""
        try:
            return self._build(new_parser(text))
        except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML lets some of Python's own escape
            raise explain(error, self.text, self.container) from None

    def _build(self, parser: _Parser) -> Node:
        """Run through the events. Most of the time that a scan takes goes by in this loop."""
        get_event = parser.get_event
        rewritten = bool(self.originals)
        items: list[Node] | None = self.document.items  # of the innermost container: its items, or its keys and values
        keys: dict[str, TextNode] = {}
        values: dict[str, Node] = {}
        key: str | None = None  # waits for its value
        node: Node | None
        while True:
            event = get_event()
            kind = event.__class__
            if kind is ScalarEvent:
                value = event.value
                style = event.style
                if event.tag or event.anchor or style in _BLOCK_STYLES or rewritten or not (value or style):
                    node = self._scalar(event)
                else:
                    start = event.start_mark
                    end = event.end_mark
                    node = TextNode(value, not style, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
                self.last = node
            else:
                node = self._structure(event)
                container = self.container
                if isinstance(container, MapNode):
                    keys, values, items = container.keys, container.values, None
                    key = next(reversed(keys)) if len(keys) > len(values) else None
                else:
                    items, key = container.items, None
                if node is None:
                    if self.ended:
                        return self.document.items[0]
                    continue
            if key is not None:
                values[key] = node
                key = None
            elif items is not None:
                items.append(node)
            else:
                key = self._key(node)

    def _key(self, node: Node) -> str:
        """Add a key to the map that is open."""
        if not isinstance(node, TextNode):
            raise self._key_error(node)
        first = cast(MapNode, self.container).keys.setdefault(node.value, node)
        if first is not node:
            message = f"duplicate key {shown(node.value)}: it is first set on line {first.line}"
            raise SourceError(message, node.line, node.column)
        return node.value

    def _key_error(self, node: Node) -> SourceError:
        container = self.container
        message = f"a key must be a text, not a {'list' if isinstance(node, ListNode) else 'map'}"
        if self.text.startswith("!", Places(self.text).index(node.line, node.column)):
            return SourceError("a tag cannot stand before a key: begin a line after it", node.line, node.column)
        if (container.line, container.column + 1) == (node.line, node.column) and isinstance(node, MapNode):
            return SourceError(f'{message}: quote "{{{{" when it is a placeholder', container.line, container.column)
        return SourceError(message, node.line, node.column)

    def _structure(self, event: Any) -> Node | None:
        """Take any event but a scalar: give the node that is complete with it, or None."""
        kind = event.__class__
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            self._open(event)
            return None
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            self.last = node = self._close(event)
            return node
        if kind is AliasEvent:
            return self._alias(event)
        if kind is DocumentStartEvent and self.document.items:
            raise self._error("more than one YAML document", event.start_mark.index)
        if kind is StreamEndEvent:
            self._end()
        return None

    def _end(self) -> None:
        root = self.document.items[0] if self.document.items else None
        if root is None or (isinstance(root, TextNode) and not root.value and root.plain):
            raise SourceError("the document is empty", 1, 1)
        self.ended = True

    # Collections

    def _open(self, event: Any) -> None:
        mark = event.start_mark
        if len(self.outer) + len(self.short_forms) >= MAX_DEPTH:
            raise self._error(f"nested more than {MAX_DEPTH} levels deep", mark.index)
        mapping = event.__class__ is MappingStartEvent
        make = MapNode if mapping else ListNode
        container: MapNode | ListNode
        if event.tag is None and event.anchor is None:
            container = make(mark.line + 1, mark.column + 1)
        else:
            written, tagged, index = self._properties(event)
            container = make(*self._place(index, mark))
            if event.tag and event.tag not in (tags.MAPPING_TAGS if mapping else tags.SEQUENCE_TAGS):
                self.short_forms[container] = self._short_form(event.tag, written, self._place(tagged, mark))
            if event.anchor:
                self.anchored[container] = event.anchor
                self.anchors[event.anchor] = None
        self.outer.append(self.container)
        self.container = container

    def _close(self, event: Any) -> Node:
        """End the innermost collection: give it, or the map that its short tag stands for."""
        container = self.container
        self.container = self.outer.pop()
        start = event.start_mark
        end = event.end_mark
        if end.index > start.index and self.text[start.index] in "]}":
            container.end_line = end.line + 1
            container.end_column = end.column + 1
        else:  # libyaml ends a block where the next one starts
            container.end_line = self.last.end_line
            container.end_column = self.last.end_column
        if isinstance(container, MapNode) and _MERGE in container.keys and container.keys[_MERGE].plain:
            _merge(container)
        node: Node = container
        if self.short_forms and container in self.short_forms:
            node = _complete(self.short_forms.pop(container), container)
        if self.anchored and container in self.anchored:
            anchor = self.anchored.pop(container)
            self.anchors[anchor] = self.anchors[anchor] or node  # one inside may have taken the name
        return node

    # Scalars that are not simply text from mark to mark

    def _scalar(self, event: Any) -> Node:
        start, end, tag = event.start_mark, event.end_mark, event.tag
        value = event.value.translate(self.originals) if self.originals else event.value
        block = event.style in _BLOCK_STYLES
        index, written, tagged = start.index, "", 0
        if tag or event.anchor:
            written, tagged, index = self._properties(event)
        stop = end.index
        if block:
            stop = self._end_of_block(index, stop)
        elif not event.style and not value:
            index = stop = self._after_text(stop)
        plain = not event.style if tag is None else tag in tags.VALUE_TAGS
        argument = TextNode(value, plain, *self._place(index, start), *self._place(stop, end))
        node: Node = argument
        if tag and tag not in tags.TEXT_TAGS and tag not in tags.VALUE_TAGS:
            node = _complete(self._short_form(tag, written, self._place(tagged, start)), argument)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _end_of_block(self, start: int, stop: int) -> int:
        """Where the last line with text ends in a block scalar; libyaml says where the next token starts."""
        text = self.text
        while stop > start and text[stop - 1] in _BLANKS:
            stop -= 1
        header = _BLOCK_HEADER.match(text, start)
        if header is not None and not _LINE_BREAK.search(text, header.end(), stop):
            return header.end()  # there is no text, but perhaps a comment
        line_break = _LINE_BREAK.search(text, stop)
        return line_break.start() if line_break else len(text)

    def _after_text(self, index: int) -> int:
        """Where an empty value is: right after its colon, even if libyaml only missed it at the next token."""
        while index > 0 and self.text[index - 1] in _BLANKS:
            index -= 1
        return index

    # Tags, anchors and aliases

    def _properties(self, event: Any) -> tuple[str, int, int]:
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

    def _short_form(self, tag: str, written: str, place: tuple[int, int]) -> MapNode:
        """Make the map that a short tag stands for, still without its argument."""
        name = tags.SHORT_FORMS.get(tag)
        if name is None:
            name = written
            if tag not in self.unknown_tags and len(self.problems) < _MAX_PROBLEMS:
                message = tags.problem(tag, written, len(self.unknown_tags))
                if message is not None:
                    self.problems.append(SourceError(message, *place))
            self.unknown_tags.add(tag)
        line, column = place
        mapping = MapNode(line, column)
        mapping.keys[name] = TextNode(name, False, line, column, line, column + len(written))
        return mapping

    def _alias(self, event: Any) -> Node:
        """Give the node that an alias names, and count what it stands for."""
        mark, name = event.start_mark, event.anchor
        written = cut(f"*{name}")
        if name not in self.anchors:
            message = f'no anchor comes before the alias {written}: quote a text that begins with "*"'
            raise self._error(message, mark.index)
        node = self.anchors[name]
        if node is None:
            raise self._error(f"the alias {written} stands inside the node that it names", mark.index)
        size, height = self._extent(node)
        self.expanded += size
        if self.expanded > MAX_NODES:
            raise self._error(f"the aliases expand to more than {MAX_NODES:,} nodes", mark.index)
        if len(self.outer) + len(self.short_forms) + height > MAX_DEPTH:
            raise self._error(f"nested more than {MAX_DEPTH} levels deep by the alias {written}", mark.index)
        place = self._place(mark.index, mark) + self._place(event.end_mark.index, event.end_mark)
        self.last = Node(*place)
        container = self.container
        if (
            isinstance(container, MapNode)
            and len(container.keys) == len(container.values)
            and isinstance(node, TextNode)
        ):
            return TextNode(node.value, node.plain, *place)  # a key has a place of its own
        return node

    def _extent(self, node: Node) -> tuple[int, int]:
        """How many nodes a node holds when its aliases are expanded, itself included, and how many levels."""
        if isinstance(node, TextNode):
            return 1, 0
        extent = self.extents.get(node)
        if extent is None:
            size, height = 1, 0
            for child in node.values.values() if isinstance(node, MapNode) else cast(ListNode, node).items:
                child_size, child_height = self._extent(child)
                size += child_size
                height = max(height, child_height)
            extent = self.extents[node] = size, height + 1
        return extent

    # Places

    def _place(self, index: int, mark: Any) -> tuple[int, int]:
        """Line and column of an index: that of a mark, or near it."""
        if index == mark.index and index < len(self.text):  # libyaml starts a line of its own at the end of the text
            return mark.line + 1, mark.column + 1
        if index > mark.index and not _LINE_BREAK.search(self.text, mark.index, index):
            return mark.line + 1, mark.column + 1 + index - mark.index
        if self._places is None:
            self._places = Places(self.text)
        return self._places.at(index)

    def _error(self, message: str, index: int) -> SourceError:
        return SourceError(message, *Places(self.text).at(index))


def _complete(short_form: MapNode, argument: Node) -> MapNode:
    """Give a short tag's map its argument, with which it ends."""
    (name,) = short_form.keys
    short_form.values[name] = argument
    short_form.end_line = argument.end_line
    short_form.end_column = argument.end_column
    return short_form


def _merge(mapping: MapNode) -> None:
    """Take in the maps under `<<`: a map's own keys win, then those of the earlier map."""
    key = mapping.keys.pop(_MERGE)
    value = mapping.values.pop(_MERGE)
    for other in value.items if isinstance(value, ListNode) else [value]:
        if not isinstance(other, MapNode):
            raise SourceError("<< merges only a map or a list of maps", key.line, key.column)
        for name, node in other.values.items():
            if name not in mapping.values:
                mapping.keys[name] = other.keys[name]
                mapping.values[name] = node
