"""Reads JSON that YAML does not take: surrogate pairs, control characters, keys of more than 1,024 characters, tabs.

As lenient as CloudFormation is said to be (a comma may trail), and as strict about duplicate keys as the YAML reader.
"""

from __future__ import annotations

import json
import re

from trailguard.cloudformation.source.nodes import (
    MAX_DEPTH,
    ListNode,
    MapNode,
    Node,
    Places,
    SourceError,
    TextNode,
    shown,
)

_BLANKS = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"[^"\\\x00-\x08\x0a-\x1f]*(?:\\[^\x00-\x1f][^"\\\x00-\x08\x0a-\x1f]*)*')  # but the closing quote
_WORD = re.compile(r'[^\s,:"\[\]{}]+')
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(text: str) -> Node:
    """Read a JSON document. Raises SourceError when it is none, nests too deep, or names a key twice."""
    return _Reader(text).read()


class _Reader:
    """A place in a text, and the containers that are open there. Iterative: nesting must not exhaust the stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places = Places(text)
        self.index = 0
        self.open: list[MapNode | ListNode] = []
        self.keys: list[str] = []  # the last key of each open container; "" for a list

    def read(self) -> Node:
        """Read the whole text as one value."""
        self._skip_blanks()
        while True:
            node = self._begin()
            while node is not None and self.open:
                node = self._add(node)
            if node is not None:
                break
        self._skip_blanks()
        if self.index < len(self.text):
            raise self._error("there is text after the end of the document")
        return node

    def _begin(self) -> Node | None:
        """Read a value; None when it is a container that now stands open before its first value."""
        char = self._peek()
        if char == '"':
            return self._string()
        if not char or char not in "{[":
            return self._literal()
        if len(self.open) >= MAX_DEPTH:
            raise self._error(f"nested more than {MAX_DEPTH} levels deep")
        container = (MapNode if char == "{" else ListNode)(*self.places.at(self.index))
        self.index += 1
        self._skip_blanks()
        if self._closes(container):
            return container
        self.open.append(container)
        self.keys.append(self._key(container))
        return None

    def _add(self, node: Node) -> Node | None:
        """Add a value to the innermost container: None when another follows, else the container, which is complete."""
        container = self.open[-1]
        if isinstance(container, MapNode):
            container.values[self.keys[-1]] = node
        else:
            container.items.append(node)
        self._skip_blanks()
        if self._peek() == ",":
            self.index += 1
            self._skip_blanks()
        elif self._peek() not in ("}", "]", ""):
            raise self._error(f'expected "," or "{_closing(container)}" in {_described(container)}')
        elif not self._peek():
            raise self._never_closed(container)
        if not self._closes(container):
            if self._peek() in ("}", "]"):
                raise self._error(f'expected "{_closing(container)}" at the end of {_described(container)}')
            self.keys[-1] = self._key(container)
            return None
        self.keys.pop()
        return self.open.pop()

    def _closes(self, container: MapNode | ListNode) -> bool:
        if self._peek() != _closing(container):
            return False
        self.index += 1
        container.end_line, container.end_column = self.places.at(self.index)
        return True

    def _key(self, container: MapNode | ListNode) -> str:
        """Read the key before a map's next value, and the colon after it; lists have none."""
        if isinstance(container, ListNode):
            return ""
        if not self._peek():
            raise self._never_closed(container)
        if self._peek() != '"':
            raise self._error("expected a key in double quotes")
        key = self._string()
        first = container.keys.setdefault(key.value, key)
        if first is not key:
            message = f"duplicate key {shown(key.value)}: it is first set on line {first.line}"
            raise SourceError(message, key.line, key.column)
        self._skip_blanks()
        if self._peek() != ":":
            raise self._error(f'expected ":" after the key {shown(key.value)}')
        self.index += 1
        self._skip_blanks()
        return key.value

    def _string(self) -> TextNode:
        line, column = self.places.at(self.index)
        start = self.index
        found = _STRING.match(self.text, start)
        end = found.end() if found else start
        if self.text[end : end + 1] != '"':
            rest = self.text[end : end + 1]
            if rest in ("", "\r", "\n", "\\"):
                raise SourceError("this string is not closed before the end of the line", line, column)
            self.index = end
            raise self._error(f"the control character U+{ord(rest):04X} must be escaped in a string")
        self.index = end + 1
        try:
            value: str = json.loads(self.text[start : self.index], strict=False)
        except json.JSONDecodeError as error:
            self.index = self.text.rfind("\\", start, start + error.pos + 1)
            raise self._error("this escape does not exist in JSON: write \\\\ for a backslash") from None
        if _SURROGATE.search(value):  # half a pair, which no output could encode
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return TextNode(value, False, line, column, line, column + self.index - start)

    def _literal(self) -> TextNode:
        line, column = self.places.at(self.index)
        found = _WORD.match(self.text, self.index)
        if found is None:
            raise SourceError("expected a value" if self._peek() else "the text ends before its value", line, column)
        word = found[0]
        if not _LITERAL.fullmatch(word):
            raise SourceError(f"{shown(word)} is not a JSON value: quote it if it is a text", line, column)
        self.index = found.end()
        return TextNode(word, True, line, column, line, column + len(word))

    def _peek(self) -> str:
        return self.text[self.index : self.index + 1]

    def _skip_blanks(self) -> None:
        found = _BLANKS.match(self.text, self.index)
        self.index = found.end() if found else self.index

    def _error(self, message: str) -> SourceError:
        return SourceError(message, *self.places.at(self.index))

    def _never_closed(self, container: MapNode | ListNode) -> SourceError:
        opening = "{" if isinstance(container, MapNode) else "["
        return SourceError(f'this "{opening}" is never closed', container.line, container.column)


def _closing(container: MapNode | ListNode) -> str:
    return "}" if isinstance(container, MapNode) else "]"


def _described(container: MapNode | ListNode) -> str:
    kind = "map" if isinstance(container, MapNode) else "list"
    return f"the {kind} that starts on line {container.line}"
