"""What a document is made of: scalars, mappings and sequences, each with the span of text that it was read from."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, NamedTuple, TypeVar

MAX_DEPTH = 100  # levels of nesting: real templates stay below 30, and who walks a tree by recursion must be safe
_LINE_BREAK = re.compile(r"\r\n?|\n")
# A number of JSON that is not so large that reading it would take long, or give infinity.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})((?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}


class Node:
    """A piece of a document. Lines and columns count from 1, columns in code points; the end column is exclusive.

    `file` is set on nodes that stand beside those of another file only: see `file_of`.
    """

    __slots__ = ("column", "end_column", "end_line", "file", "line")

    file: str

    def __init__(self, line: int, column: int, end_line: int, end_column: int) -> None:
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.line}:{self.column}-{self.end_line}:{self.end_column}>"


AnyNode = TypeVar("AnyNode", bound=Node)


def beside(node: Node, made: AnyNode, file: str = "") -> AnyNode:
    """A node that was made from another one, in the file of that one; in the given one where that has none."""
    file = getattr(node, "file", file)
    if file:
        made.file = file
    return made


def file_of(node: Node) -> str:
    """The file in which a node was written, as reports show it; "" for the file of the template that it is part of."""
    return getattr(node, "file", "")


def set_file(root: Node, name: str, down: int = 0) -> None:
    """Let the nodes of a document know their file; they stand some lines further down there than they were read."""
    pending = [root]
    while pending:
        node = pending.pop()
        if file_of(node):
            continue
        node.file = name
        node.line += down
        node.end_line += down
        if isinstance(node, MapNode):
            pending.extend((*node.keys.values(), *node.values.values()))
        elif isinstance(node, ListNode):
            pending.extend(node.items)


class TextNode(Node):
    """A text. `plain` tells that it was written without quotes and without a tag, and may thus mean something else."""

    __slots__ = ("plain", "value")

    # The three constructors set their spans themselves: most of the time that a scan takes goes by in here.
    def __init__(self, value: str, plain: bool, line: int, column: int, end_line: int, end_column: int) -> None:
        self.value = value
        self.plain = plain
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column


class MapNode(Node):
    """A map: `keys` are the nodes of its keys, `values` those of its values, both by key and in the same order."""

    __slots__ = ("keys", "values")

    def __init__(self, line: int, column: int, end_line: int = 0, end_column: int = 0) -> None:
        self.keys: dict[str, TextNode] = {}
        self.values: dict[str, Node] = {}
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column


class ListNode(Node):
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(self, line: int, column: int, end_line: int = 0, end_column: int = 0) -> None:
        self.items: list[Node] = []
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column


def scalar_at(place: Node, text: str, plain: bool = False, file: str = "") -> TextNode:
    """A scalar that is made where another node stands."""
    return beside(place, TextNode(text, plain, place.line, place.column, place.end_line, place.end_column), file)


def mapping_at(
    place: Node, keys: dict[str, TextNode] | None = None, values: dict[str, Node] | None = None, file: str = ""
) -> MapNode:
    """A map that is made where another node stands."""
    made = beside(place, MapNode(place.line, place.column, place.end_line, place.end_column), file)
    made.keys, made.values = keys or {}, values or {}
    return made


def sequence_at(place: Node, items: list[Node], file: str = "") -> ListNode:
    """A list that is made where another node stands."""
    made = beside(place, ListNode(place.line, place.column, place.end_line, place.end_column), file)
    made.items = items
    return made


def call_at(place: Node, function: str, argument: Node) -> MapNode:
    """A function call, or another map of one entry, that is made where another node stands."""
    return mapping_at(place, {function: scalar_at(place, function)}, {function: argument})


class SourceError(Exception):
    """Something in a document that cannot be read: what is wrong, in one line, and where (both from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        if not message.isprintable():  # it quotes a line break, or worse
            message = "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class SyntaxFault(SourceError):
    """A document that is not written in the language that it was read as, but may be in another."""


class Document(NamedTuple):
    """A document as read: its root node, its decoded text, and what is wrong in it though the rest can be read.

    `parts` are the texts of what it includes.
    """

    root: Node
    text: str
    problems: tuple[SourceError, ...]
    parts: tuple[str, ...] = ()


class Places:
    """Finds line and column of an index into a text, both from 1. Only LF, CRLF and CR end a line, as in editors."""

    __slots__ = ("_length", "_starts")

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._starts = [0]
        self._starts += [found.end() for found in _LINE_BREAK.finditer(text)]

    def at(self, index: int) -> tuple[int, int]:
        """Line and column of an index; those of the end of the text when it lies beyond."""
        index = min(index, self._length)
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def index(self, line: int, column: int) -> int:
        """Give the index of a place."""
        return self._starts[line - 1] + column - 1


def literal(scalar: TextNode) -> str | bool | None:
    """Give what a scalar means to CloudFormation: a Boolean, None for null, or its text.

    Unquoted words mean what YAML 1.1 says, `y` and `n` included. Numbers and dates are text, as they are everywhere in
    CloudFormation: `012345670123` is an account ID, not an octal number.
    """
    value = scalar.value
    if scalar.plain and len(value) <= 5:
        return _WORDS.get(value, value)
    return value


def scalar_text(node: Node | None) -> str | None:
    """The text of a scalar as CloudFormation sees it (a bare `yes` is "true"); None for anything else and for null."""
    if not isinstance(node, TextNode):
        return None
    value = literal(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def plain(node: Node) -> Any:
    """Plain data: maps, lists, and of texts what they mean to CloudFormation; numbers as JSON writes them are numbers.

    What JSON would not take for a number stays text: `012345670123` is an account ID and keeps its zero.
    """
    if isinstance(node, MapNode):
        return {name: plain(child) for name, child in node.values.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    value = literal(node) if isinstance(node, TextNode) else None
    number = _NUMBER.fullmatch(value) if isinstance(value, str) and isinstance(node, TextNode) and node.plain else None
    if number is None or value is None:
        return value
    return float(value) if number[1] else int(value)


def shown(text: str) -> str:
    """Quote a text in a message, cut when it is long."""
    return f'"{cut(text)}"'


def cut(text: str) -> str:
    """Cut a text that is too long for a message."""
    return text if len(text) <= 60 else text[:57] + "..."
