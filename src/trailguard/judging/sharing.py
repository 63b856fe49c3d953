"""What else a change of the text changes: the same text may make several resources, or stand for several values.

Iterations of a loop come from one text, so do stacks of one template, and what is named by an anchor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from trailguard.cloudformation.source.changes import Append, At, Change, Put, Way, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, file_of
from trailguard.cloudformation.source.tags import LOOP
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.judging.subjects import JudgedTemplate
from trailguard.trails.facts.repairs import Use

_ALIAS = re.compile(r"(?:^|[\s\[{,])\*[^\s*\"',\]}]|<<")


class Sharing:
    """The places in the text of a judged template that are used more than once."""

    def __init__(self, judged: JudgedTemplate) -> None:
        self._judged = judged
        self._users: dict[At, dict[tuple[str, ...], str]] = {}  # how it is come to, and whose it is then
        self._nodes: dict[At, Node] = {}

    def uses(self, change: Change, by: Resource) -> Iterator[Use]:
        """How often what a change is about is used, if that is more than once. The place of the change has its file."""
        if not self._is_possible:
            return
        if not self._users:
            self._find_users()
        way = change.way if isinstance(change, Put | Append) else ()
        start = change.at._replace(inside=(), is_inside=False)
        place, gone, is_anchored = self._end(start, way[:-1] if isinstance(change, Put) else way)
        users = self._widest(place)
        own = len(self._users.get(start, ()))
        if len(users) > 1:
            names = tuple(dict.fromkeys(users.values()))
            yield Use(place, (change.at, gone), len(users), own, self._shown(by), names, is_anchored)

    @cached_property
    def _is_possible(self) -> bool:
        stacks = self._judged.stacks.members.values()
        documents = [stack.template.document for stack in stacks] or [self._judged.template.document]
        several = len({(stack.file, stack.root.file) for stack in stacks}) < len(stacks)
        return several or any(LOOP in one.text or _ALIAS.search(one.text) for one in documents)

    def _find_users(self) -> None:
        for resource in self._judged.template.resources.values():
            name = self._shown(resource)
            self._take(resource.body, name, (name,))
        for stack in self._judged.stacks.members.values():
            makers = () if stack.arguments is None else (stack.arguments.maker, *self._makers(stack.arguments.maker))
            name = "/".join(bare(maker) for maker in reversed(makers)) or stack.root.file
            root = stack.template.root
            for section, node in (("", root), *root.values.items()):
                self._note(at(node)._replace(file=stack.file), node, name, (stack.root.file, name, section))

    def _makers(self, name: str) -> list[str]:
        return self._judged.stacks.makers(name)

    def _shown(self, resource: Resource) -> str:
        """The logical ID of a resource behind those of the stacks that it is in."""
        return "/".join(bare(name) for name in (*reversed(self._makers(resource.id)), resource.id))

    def _take(self, root: Node, name: str, way: tuple[str, ...]) -> None:
        pending = [(root, way)]
        while pending:
            node, way = pending.pop()
            self._note(self._at(node), node, name, way)
            if isinstance(node, MapNode):
                for key, below in node.values.items():
                    self._note(self._at(node.keys[key]), node.keys[key], name, (*way, key, ""))
                    pending.append((below, (*way, key)))
            elif isinstance(node, ListNode):
                pending.extend((below, (*way, str(number))) for number, below in enumerate(node.items))

    def _note(self, place: At, node: Node, name: str, way: tuple[str, ...]) -> None:
        self._nodes.setdefault(place, node)
        self._users.setdefault(place, {})[way] = name

    def _at(self, node: Node) -> At:
        return at(node)._replace(file=self._judged.place_of(node))

    def _end(self, start: At, way: Way) -> tuple[At, Way, bool]:
        """The last place on a way that there is, how far that is, and whether the way comes to it by an alias."""
        place, node = start, self._nodes.get(start)
        is_anchored = False
        for number, key in enumerate(way):
            if isinstance(node, MapNode) and key in node.values:
                node = node.values[str(key)]
            elif isinstance(node, ListNode) and isinstance(key, int) and key < len(node.items):
                node = node.items[key]
            else:
                return place, way[:number], is_anchored
            below = at(node)._replace(file=file_of(node) or place.file)
            is_anchored = is_anchored or not _is_in(below, place)
            place = below
        return place, way, is_anchored

    def _widest(self, place: At) -> dict[tuple[str, ...], str]:
        """Who uses a place; of a map those that merge it into theirs, too."""
        node = self._nodes.get(place)
        found = self._users.get(place, {})
        keys = node.keys.values() if isinstance(node, MapNode) else ()
        for key in keys:
            where = at(key)._replace(file=file_of(key) or place.file)
            if _is_in(where, place) and len(self._users.get(where, ())) > len(found):
                found = self._users[where]
        return found


def _is_in(inner: At, outer: At) -> bool:
    """Tell whether one place is within another one of the same file."""
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    ends = (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    return inner.file == outer.file and starts and ends
