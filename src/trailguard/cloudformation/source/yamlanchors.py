"""What the anchors of a YAML document name, and how much its aliases expand to."""

from __future__ import annotations

from typing import cast

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, cut
from trailguard.cloudformation.source.yamltext import YamlText

MAX_NODES = 250_000  # how many nodes the aliases of a document may stand for


class Anchors:
    """The anchors so far. `opened` are the collections that have one and are not complete, each with its anchor."""

    __slots__ = ("_expanded", "_extents", "_nodes", "_text", "opened")

    def __init__(self, text: YamlText) -> None:
        self._text = text
        self._nodes: dict[str, Node | None] = {}  # None while the node is open
        self.opened: dict[Node, str] = {}
        self._extents: dict[Node, tuple[int, int]] = {}
        self._expanded = 0  # how many nodes the aliases so far stand for

    def open(self, anchor: str, container: Node) -> None:
        """Take note of the anchor before a collection that begins."""
        self.opened[container] = anchor
        self._nodes[anchor] = None

    def close(self, container: Node, node: Node) -> None:
        """The collection is complete: it, or the map that its short tag stands for, is what the anchor names."""
        anchor = self.opened.pop(container)
        self._nodes[anchor] = self._nodes[anchor] or node  # one inside may have taken the name

    def name(self, anchor: str, node: Node) -> None:
        """Take note of the anchor before a scalar."""
        self._nodes[anchor] = node

    def resolve(self, anchor: str, index: int) -> tuple[Node, int]:
        """The node that the alias at an index names, and how many levels it is high; raises SourceError."""
        written = cut(f"*{anchor}")
        if anchor not in self._nodes:
            message = f'no anchor comes before the alias {written}: quote a text that begins with "*"'
            raise self._text.error(message, index)
        node = self._nodes[anchor]
        if node is None:
            raise self._text.error(f"the alias {written} stands inside the node that it names", index)
        size, height = self._extent(node)
        self._expanded += size
        if self._expanded > MAX_NODES:
            raise self._text.error(f"the aliases expand to more than {MAX_NODES:,} nodes", index)
        return node, height

    def _extent(self, node: Node) -> tuple[int, int]:
        """How many nodes a node holds when its aliases are expanded, itself included, and how many levels."""
        if isinstance(node, TextNode):
            return 1, 0
        extent = self._extents.get(node)
        if extent is None:
            size, height = 1, 0
            for child in node.values.values() if isinstance(node, MapNode) else cast(ListNode, node).items:
                child_size, child_height = self._extent(child)
                size += child_size
                height = max(height, child_height)
            extent = self._extents[node] = size, height + 1
        return extent
