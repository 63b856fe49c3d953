"""Builds nodes from PyYAML's parser events.

PyYAML's own composer recurses, and takes the process down on deep nesting; its constructor turns account IDs into octal
numbers. So nodes are made from events, in one loop, with limits on nesting and on what aliases expand to.
"""

from __future__ import annotations

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
    SourceError,
    TextNode,
    cut,
    shown,
)
from trailguard.cloudformation.source.yamlanchors import Anchors
from trailguard.cloudformation.source.yamlfaults import explain
from trailguard.cloudformation.source.yamltext import YamlText

_MAX_PROBLEMS = 50
_MERGE = "<<"
_BLOCK_STYLES = frozenset({"|", ">"})
_EXOTIC_BREAKS = "\x85\u2028\u2029"  # YAML 1.1 ends lines at these too; editors, JSON and YAML 1.2 do not


class _Parser(Protocol):
    def get_event(self) -> Any:
        """Give the next event: `yaml.events.Event`, but typeshed knows neither their attributes nor marks."""


def read_yaml(text: str) -> tuple[Node, list[SourceError]]:
    """Read a document of YAML 1.1: its root node, and the problems that leave the rest readable.

    Raises SyntaxFault when it is not YAML, SourceError when it is YAML that no template may be.
    """
    stand_ins = stand_ins_for(text)
    builder = _Builder(text, {ord(stand_in): char for char, stand_in in stand_ins.items()})
    for char, stand_in in stand_ins.items():
        text = text.replace(char, stand_in)
    return builder.read(text), builder.short_forms.problems


def new_parser(text: str) -> _Parser:
    """Make a parser of events: libyaml's where PyYAML was built with it."""
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # typeshed hides it
    except ImportError:
        from trailguard.cloudformation.source.pureyaml import PureParser

        return PureParser(text)
    return cast(_Parser, CParser(text))


def stand_ins_for(text: str) -> dict[str, str]:
    """Characters to read in place of the exotic line breaks, if it has any: such as it neither holds nor names."""
    if not any(char in text for char in _EXOTIC_BREAKS):
        return {}
    return dict(zip(_EXOTIC_BREAKS, unused(text), strict=False))


class _ShortForms:
    """The maps that short tags stand for, and what is wrong with tags. `open` are those of open collections."""

    __slots__ = ("_is_extended", "_text", "_unknown", "open", "problems")

    def __init__(self, text: str) -> None:
        self._text = text
        self._is_extended: bool | None = None
        self.open: dict[Node, MapNode] = {}
        self.problems: list[SourceError] = []
        self._unknown: set[str] = set()

    def made(self, tag: str, written: str, place: tuple[int, int]) -> MapNode:
        """The map that a short tag stands for, still without its argument; `written` is the tag in the text."""
        name = tags.SHORT_FORMS.get(tag)
        if name is None:
            name = written
            if tag not in self._unknown and len(self.problems) < _MAX_PROBLEMS:
                if self._is_extended is None:
                    self._is_extended = tags.is_of_org_formation(self._text)
                message = tags.problem(tag, written, len(self._unknown), self._is_extended)
                if message is not None:
                    self.problems.append(SourceError(message, *place))
            self._unknown.add(tag)
        line, column = place
        mapping = MapNode(line, column)
        mapping.keys[name] = TextNode(name, False, line, column, line, column + len(written))
        return mapping


class _Builder:
    """Makes the tree of one document from the parser's events."""

    def __init__(self, text: str, originals: dict[int, str]) -> None:
        self.source = YamlText(text)
        self.originals = originals  # what the stand-ins stand for
        self.document = ListNode(1, 1)  # holds the root
        self.container: MapNode | ListNode = self.document  # the innermost one that is open
        self.outer: list[MapNode | ListNode] = []  # those around it
        self.last: Node = self.document  # the last node that was complete: a block ends where it ends
        self.ended = False
        self.short_forms = _ShortForms(text)
        self.anchors = Anchors(self.source)

    def read(self, text: str) -> Node:
        """Make the tree of a document from the parser's events; `text` is the text with stand-ins."""
        try:
            return self._build(new_parser(text))
        except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML lets some of Python's own escape
            raise explain(error, self.source.text, self.container) from None

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
        if self.source.text.startswith("!", self.source.places.index(node.line, node.column)):
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
            raise self.source.error("more than one YAML document", event.start_mark.index)
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
        if len(self.outer) + len(self.short_forms.open) >= MAX_DEPTH:
            raise self.source.error(f"nested more than {MAX_DEPTH} levels deep", mark.index)
        mapping = event.__class__ is MappingStartEvent
        make = MapNode if mapping else ListNode
        container: MapNode | ListNode
        if event.tag is None and event.anchor is None:
            container = make(mark.line + 1, mark.column + 1)
        else:
            written, tagged, index = self.source.properties(event)
            container = make(*self.source.place(index, mark))
            if event.tag and event.tag not in (tags.MAPPING_TAGS if mapping else tags.SEQUENCE_TAGS):
                place = self.source.place(tagged, mark)
                self.short_forms.open[container] = self.short_forms.made(event.tag, written, place)
            if event.anchor:
                self.anchors.open(event.anchor, container)
        self.outer.append(self.container)
        self.container = container

    def _close(self, event: Any) -> Node:
        """End the innermost collection: give it, or the map that its short tag stands for."""
        container = self.container
        self.container = self.outer.pop()
        start = event.start_mark
        end = event.end_mark
        if end.index > start.index and self.source.text[start.index] in "]}":
            container.end_line = end.line + 1
            container.end_column = end.column + 1
        else:  # libyaml ends a block where the next one starts
            container.end_line = self.last.end_line
            container.end_column = self.last.end_column
        if isinstance(container, MapNode) and _MERGE in container.keys and container.keys[_MERGE].plain:
            _merge(container)
        node: Node = container
        if self.short_forms.open and container in self.short_forms.open:
            node = _complete(self.short_forms.open.pop(container), container)
        if self.anchors.opened and container in self.anchors.opened:
            self.anchors.close(container, node)
        return node

    # Scalars that are not simply text from mark to mark

    def _scalar(self, event: Any) -> Node:
        start, end, tag = event.start_mark, event.end_mark, event.tag
        value = event.value.translate(self.originals) if self.originals else event.value
        block = event.style in _BLOCK_STYLES
        index, written, tagged = start.index, "", 0
        if tag or event.anchor:
            written, tagged, index = self.source.properties(event)
        stop = end.index
        if block:
            stop = self.source.end_of_block(index, stop)
        elif not event.style and not value:
            index = stop = self.source.after_text(stop)
        plain = not event.style if tag is None else tag in tags.VALUE_TAGS
        argument = TextNode(value, plain, *self.source.place(index, start), *self.source.place(stop, end))
        node: Node = argument
        if tag and tag not in tags.TEXT_TAGS and tag not in tags.VALUE_TAGS:
            node = _complete(self.short_forms.made(tag, written, self.source.place(tagged, start)), argument)
        if event.anchor:
            self.anchors.name(event.anchor, node)
        return node

    # Aliases

    def _alias(self, event: Any) -> Node:
        """Give the node that an alias names; as a key it has a place of its own."""
        mark = event.start_mark
        node, height = self.anchors.resolve(event.anchor, mark.index)
        if len(self.outer) + len(self.short_forms.open) + height > MAX_DEPTH:
            written = cut(f"*{event.anchor}")
            raise self.source.error(f"nested more than {MAX_DEPTH} levels deep by the alias {written}", mark.index)
        place = self.source.place(mark.index, mark) + self.source.place(event.end_mark.index, event.end_mark)
        self.last = Node(*place)
        container = self.container
        if (
            isinstance(container, MapNode)
            and len(container.keys) == len(container.values)
            and isinstance(node, TextNode)
        ):
            return TextNode(node.value, node.plain, *place)  # a key has a place of its own
        return node


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
