"""What is to be changed in a document, told by its nodes: what becomes of them, and not yet how that is written.

A change names the node that it is about by its file, its span, and, where a text holds a whole document (a policy as
JSON, an inline template), the way from that document's root. Values are plain data, in which a function is the map that
stands for it: `{"Fn::GetAtt": ["Bucket", "Arn"]}`; whoever writes them follows the style of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, file_of

Way: TypeAlias = "tuple[str | int, ...]"  # keys and indexes that lead from a node to one below it
Data: TypeAlias = "str | bool | int | Sequence[Any] | Mapping[str, Any] | At | None"


class At(NamedTuple):
    """Where a node was written. `file` is "" for that of the template. As a value: what stands there, copied.

    `line` to `end_column` are the node's span. `kind` is "map", "list" or "text": a map and its first key begin at one
    place. `inside` leads from the root of the document that the text there holds to the node that is meant.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    inside: Way = ()
    is_inside: bool = False

    def below(self, *way: str | int) -> At:
        """A node in the document that the text here holds."""
        return self._replace(inside=(*self.inside, *way), is_inside=True)


class Put(NamedTuple):
    """In the map here, the entry at the end of the way becomes the value; maps that are missing on the way are made.

    An item of a list that is there may be on the way, too. Where a node has several users, as an anchor has, the way
    tells which of them is meant: the one that it comes through.
    """

    at: At
    way: Way
    value: Data


class Append(NamedTuple):
    """The list at the end of the way from the map here gets one more item; "" is the way to the node itself.

    Where there is none, one is made; a single item that stands there without a list becomes the first of it.
    """

    at: At
    way: Way
    value: Data


class Replace(NamedTuple):
    """The node here becomes the value. A text keeps its quotes where they fit."""

    at: At
    value: Data


class Rename(NamedTuple):
    """The key here gets another name."""

    at: At
    name: str


class Remove(NamedTuple):
    """The entry with this key, or this item of a list, goes, with the comments that are its own."""

    at: At


Change: TypeAlias = "Put | Append | Replace | Rename | Remove"


def at(node: Node) -> At:
    """Where a node was written."""
    kind = "map" if isinstance(node, MapNode) else "list" if isinstance(node, ListNode) else "text"
    return At(file_of(node), node.line, node.column, node.end_line, node.end_column, kind)
