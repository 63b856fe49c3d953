"""Where in a template a node is: the path that leads to it, and its span."""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, file_of
from trailguard.cloudformation.template.template import Template
from trailguard.findings import Span

Path = tuple["str | int", ...]


class Places:
    """The paths of a template's nodes, worked out one top-level entry at a time."""

    __slots__ = ("_known", "_sections", "_template")

    def __init__(self, template: Template) -> None:
        self._template = template
        self._known: dict[int, Path] = {}
        self._sections: set[tuple[str, str]] = set()

    def path(self, node: Node, resource: str) -> Path:
        """The path to a node, which is most likely part of the named resource; `()` when it is nowhere."""
        for names in ((resource,), self._owners(node)):
            for name in names:
                self._index("Resources", name)
                path = self._known.get(id(node))
                if path is not None:
                    return path
        for section, entries in self._template.root.values.items():
            for name in entries.values if isinstance(entries, MapNode) else ():
                self._index(section, name)
        return self._known.get(id(node), ())

    def _owners(self, node: Node) -> Iterator[str]:
        """The resources whose text a node lies in."""
        place, file = (node.line, node.column), file_of(node)
        for item in self._template.resources.values():
            is_there = (item.key.line, item.key.column) <= place <= (item.body.end_line, item.body.end_column)
            if is_there and file_of(item.key) == file:
                yield item.id

    def _index(self, section: str, name: str) -> None:
        if (section, name) in self._sections:
            return
        self._sections.add((section, name))
        entries = self._template.root.values.get(section)
        if not isinstance(entries, MapNode) or name not in entries.values:
            return
        known = self._known
        known.setdefault(id(entries.keys[name]), (section, name))
        pending: list[tuple[Node, Path]] = [(entries.values[name], (section, name))]
        while pending:
            node, path = pending.pop()
            if id(node) in known:
                continue
            known[id(node)] = path
            if isinstance(node, MapNode):
                for key, child in node.values.items():
                    known.setdefault(id(node.keys[key]), (*path, key))
                    pending.append((child, (*path, key)))
            elif isinstance(node, ListNode):
                pending.extend((child, (*path, index)) for index, child in enumerate(node.items))


def span_of(node: Node) -> Span:
    """The place of a node in its file."""
    return Span(node.line, node.column, node.end_line, node.end_column)
