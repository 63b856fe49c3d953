"""Changes named by the ways to their nodes, for documents that are yet to be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trailguard.cloudformation.source.changes import Append, At, Change, Put, Remove, Rename, Replace, Way, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node
from trailguard.cloudformation.source.reading import parse
from trailguard.fixes.changing import edits_for
from trailguard.fixes.edits import applied

Later = Callable[[str], Change]


def node_at(text: str, way: Way) -> Node:
    """The node at the end of a way from the root of a document."""
    node = parse(text.encode()).root
    for key in way:
        if isinstance(node, MapNode):
            node = node.values[str(key)]
        else:
            assert isinstance(node, ListNode)
            node = node.items[int(key)]
    return node


def key_at(text: str, way: Way) -> At:
    """The place of the key of an entry, or of an item."""
    holder = node_at(text, way[:-1])
    return at(holder.keys[str(way[-1])] if isinstance(holder, MapNode) else node_at(text, way))


def put(way: Way, below: tuple[str, ...], value: Any) -> Later:
    return lambda text: Put(at(node_at(text, way)), below, value)


def append(way: Way, below: tuple[str, ...], value: Any) -> Later:
    return lambda text: Append(at(node_at(text, way)), below, value)


def replace(way: Way, value: Any) -> Later:
    return lambda text: Replace(at(node_at(text, way)), value)


def remove(way: Way) -> Later:
    return lambda text: Remove(key_at(text, way))


def rename(way: Way, name: str) -> Later:
    return lambda text: Rename(key_at(text, way), name)


def written(text: str, *changes: Later, apart: bool = False) -> str:
    """The text with changes made to it."""
    return applied(text, edits_for(text, [change(text) for change in changes], apart=apart))
