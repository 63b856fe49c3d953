"""What stands at a place of a document."""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.source.nodes import Document, ListNode, MapNode, Node
from trailguard.findings import Span
from trailguard.judging.places import span_of


class Step(NamedTuple):
    """A node, and the key or the number under which its owner has it."""

    name: str | int
    node: Node
    key: Node | None = None


def covers(span: Span, line: int, column: int) -> bool:
    """Tell whether a place lies in a span, or at its end."""
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def steps(document: Document, line: int, column: int) -> list[Step]:
    """The nodes that lead from the root to a place, which the last one holds, or its key."""
    found: list[Step] = []
    node: Node | None = document.root
    while node is not None:
        step = _inner(node, line, column)
        if step is not None:
            found.append(step)
        node = step.node if step is not None else None
    return found


def _inner(node: Node, line: int, column: int) -> Step | None:
    if isinstance(node, MapNode):
        for name, child in node.values.items():
            key = node.keys[name]
            if covers(span_of(key), line, column) or covers(span_of(child), line, column):
                return Step(name, child, key)
    elif isinstance(node, ListNode):
        for number, child in enumerate(node.items):
            if covers(span_of(child), line, column):
                return Step(number, child)
    return None


def resource_at(path: list[Step]) -> str:
    """The logical ID of the resource that a path leads into; "" when it leads elsewhere."""
    names = [step.name for step in path]
    return str(names[1]) if len(names) > 1 and names[0] == "Resources" else ""
