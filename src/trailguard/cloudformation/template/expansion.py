"""Loops of `AWS::LanguageExtensions`, written out as CloudFormation does before it deploys.

`Fn::ForEach` stands in Resources, Conditions, Outputs and in properties; it makes one entry for each item of its
collection. The entries keep the places of the loop's body, so that findings point there.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Map
from operator import is_
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import (
    ListNode,
    MapNode,
    Node,
    SourceError,
    TextNode,
    mapping_at,
    scalar_at,
    scalar_text,
    sequence_at,
)

LOOP = "Fn::ForEach::"
# What CloudFormation takes in a template whose loops are written out.
LIMITS = {"Resources": 500, "Outputs": 200}
MAX_ENTRIES = 10_000  # that all loops of a template make
MAX_NODES = 500_000  # that are looked at to make them
MAX_CHARACTERS = 4_000_000  # that items are put into: CloudFormation takes 1 MB
MAX_NESTING = 5
_SECTIONS = ("Resources", "Conditions", "Outputs")
_SPECIAL = re.compile(r"[^A-Za-z0-9]")
_PLACEHOLDER = re.compile(r"([$&])\{([^{}!]+)\}")


class Expansion(NamedTuple):
    """A template's tree with its loops written out, what is wrong with them, and those that stay open.

    `open_loops` are loops among the resources whose items are not known for sure, by key: they may make other resources
    than those that are written out.
    """

    root: MapNode
    problems: tuple[SourceError, ...]
    open_loops: dict[str, TextNode]


class _Items(NamedTuple):
    """The items of a collection; `sure` tells that no parameter can change them."""

    texts: list[str]
    sure: bool


class _Scope:
    """What the identifiers stand for in one turn of a loop, and what was made there: an alias is followed once."""

    __slots__ = ("made", "names")

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.made: dict[int, Node] = {}


def has_loops(root: MapNode) -> bool:
    """Tell whether a template has loops to write out."""
    sections = (root.values.get(name) for name in _SECTIONS)
    return any(isinstance(section, MapNode) and _has_loop(section) for section in sections)


def _has_loop(node: Node) -> bool:
    pending: list[Node] = [node]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, MapNode):
            if any(key.startswith(LOOP) for key in current.values):
                return True
            pending.extend(current.values.values())
        elif isinstance(current, ListNode):
            pending.extend(current.items)
    return False


def expand(root: MapNode, pinned: Map[str, str] | None = None) -> Expansion:
    """Write out the loops of a template; `pinned` are parameter values that are known.

    The tree that is given stays as it is; what holds no loop is shared with the new one.
    """
    return _Expander(root, pinned or {}).expand()


class _Expander:
    def __init__(self, root: MapNode, pinned: Map[str, str]) -> None:
        self._root = root
        self._pinned = pinned
        self._problems: list[SourceError] = []
        self._open: dict[str, TextNode] = {}
        self._turns = 0
        self._made: dict[str, int] = {}  # entries that loops made, by section
        self._nodes = 0
        self._characters = 0
        self._is_full = False

    def expand(self) -> Expansion:
        if not has_loops(self._root):
            return Expansion(self._root, (), {})
        scope = _Scope({})
        values = {
            key: self._entries(node, scope, key) if key in _SECTIONS and isinstance(node, MapNode) else node
            for key, node in self._root.values.items()
        }
        root = mapping_at(self._root, self._root.keys, values)
        return Expansion(root, tuple(self._problems), self._open)

    def _entries(self, node: MapNode, scope: _Scope, section: str = "") -> MapNode:
        """A map, its loops replaced by what they make and identifiers by their items; itself where nothing changes.

        `section` is that of the template whose entries these are, "" below one.
        """
        made = mapping_at(node)
        for key, value in node.values.items():
            place = node.keys[key]
            if key.startswith(LOOP):
                for scalar, entry in self._loop(key, place, value, scope, section):
                    self._add(made, scalar, entry, place)
            else:
                self._made[section] = self._made.get(section, 0) + bool(scope.names)
                self._add(made, self._named(place, scope.names), self._entry(value, scope, section), place)
        return node if _is_same(node, made) else made

    def _entry(self, node: Node, scope: _Scope, section: str) -> Node:
        copy = self._copy(node, scope)
        return self._with_condition(copy) if section == "Resources" and scope.names else copy

    def _with_condition(self, resource: Node) -> Node:
        """A resource, the name of its condition looked up where a mapping holds it by the item."""
        condition = resource.values.get("Condition") if isinstance(resource, MapNode) else None
        if not isinstance(resource, MapNode) or not isinstance(condition, MapNode):
            return resource
        found = self._looked_up(condition.values.get("Fn::FindInMap"), {})
        if not isinstance(found, TextNode):
            return resource
        values = {**resource.values, "Condition": scalar_at(condition, found.value)}
        return mapping_at(resource, resource.keys, values)

    def _add(self, made: MapNode, key: TextNode, value: Node, place: TextNode) -> None:
        if key.value in made.values:
            if not key.value.startswith(LOOP):  # that stays open for several items of the loop around it
                self._problem(f'the loop makes "{key.value}" twice', place)
            return
        made.keys[key.value] = key
        made.values[key.value] = value

    def _loop(
        self, key: str, place: TextNode, node: Node, scope: _Scope, section: str
    ) -> Iterator[tuple[TextNode, Node]]:
        parts = node.items if isinstance(node, ListNode) else []
        identifier = parts[0].value if parts and isinstance(parts[0], TextNode) else ""  # `Y` is a name here
        body = parts[2] if len(parts) == 3 else None
        if not identifier or not isinstance(body, MapNode):
            self._problem(f"{key} must be a list of an identifier, a collection and a map", place)
            return
        if len(scope.names) >= MAX_NESTING:
            self._problem(f"{key} is nested too deeply: CloudFormation takes {MAX_NESTING} loops in each other", place)
            return
        if identifier in scope.names:
            self._problem(f'{key} uses the identifier "{identifier}" of a loop around it', place)
            return
        items = self._items(parts[1], scope.names)
        if section == "Resources" and (items is None or not items.sure):
            self._open[key] = place
        if items is None or not (items.sure or section):  # properties must not be told from a default
            yield place, node
            return
        for text in items.texts:
            self._turns += 1
            inner = self._entries(body, _Scope({**scope.names, identifier: text}), section)
            if self._too_much(key, place, section):
                return
            yield from ((inner.keys[name], inner.values[name]) for name in inner.values)

    def _too_much(self, key: str, place: TextNode, section: str) -> bool:
        """Tell whether the loops made more than CloudFormation takes, or than is looked at."""
        limit = LIMITS.get(section)
        what = ""
        if limit is not None and self._made.get(section, 0) > limit:
            what = f"the loops make more than {limit} {section.lower()}, which is all that CloudFormation takes"
        elif self._characters > MAX_CHARACTERS:
            what = "the loops make more than 1 MB, which is all that CloudFormation takes"
        elif self._turns > MAX_ENTRIES:
            what = f"the loops make more than {MAX_ENTRIES} entries"
        elif self._nodes > MAX_NODES:
            what = "the loops make too much to be looked at"
        if what and section == "Resources":
            self._open[key] = place
        if what and not self._is_full:
            self._is_full = True
            self._problem(what, place)
        return bool(what)

    def _copy(self, node: Node, scope: _Scope) -> Node:
        """A value, identifiers replaced; the node itself where there is nothing to do."""
        if isinstance(node, TextNode):
            self._nodes += 1
            return self._named(node, scope.names)
        made = scope.made.get(id(node))
        if made is None:
            self._nodes += 1
            made = scope.made[id(node)] = self._copy_inner(node, scope)
        return made

    def _copy_inner(self, node: Node, scope: _Scope) -> Node:
        if isinstance(node, ListNode):
            items = [self._copy(item, scope) for item in node.items]
            return node if all(map(is_, items, node.items)) else sequence_at(node, items)
        if not isinstance(node, MapNode):
            return node
        if len(node.values) == 1 and scope.names:
            ((function, argument),) = node.values.items()
            if function == "Ref" and isinstance(argument, TextNode) and argument.value in scope.names:
                return scalar_at(node, scope.names[argument.value])
            if function == "Fn::Sub":
                return self._substituted(node, argument, scope)
            if function == "Fn::If":
                return self._chosen(node, argument, scope)
        return self._entries(node, scope)

    def _substituted(self, node: MapNode, argument: Node, scope: _Scope) -> Node:
        """A call of `Fn::Sub`; its text where nothing is left to put in, so that it may name a resource in `Ref`."""
        if isinstance(argument, TextNode):
            text = self._put(argument.value, scope.names)
            if "${" not in text:
                return scalar_at(node, text)
        if not isinstance(argument, ListNode) or len(argument.items) != 2:
            return self._entries(node, scope)
        text_node, own = argument.items
        inner = {name: text for name, text in scope.names.items() if name not in getattr(own, "values", ())}
        items = [self._copy(text_node, _Scope(inner)), self._copy(own, scope)]
        return mapping_at(node, node.keys, {"Fn::Sub": sequence_at(argument, items)})

    def _chosen(self, node: MapNode, argument: Node, scope: _Scope) -> Node:
        """A call of `Fn::If`: its condition is a name, in which CloudFormation resolves no function."""
        if not isinstance(argument, ListNode) or not argument.items or isinstance(argument.items[0], TextNode):
            return self._entries(node, scope)
        items = [argument.items[0], *(self._copy(item, scope) for item in argument.items[1:])]
        return mapping_at(node, node.keys, {"Fn::If": sequence_at(argument, items)})

    # --- collections ----------------------------------------------------------------------------------------------

    def _items(self, node: Node, names: dict[str, str]) -> _Items | None:
        """The items of a collection; None when they are not known."""
        if isinstance(node, ListNode):
            texts: list[str] = []
            sure = True
            for item in node.items:
                found = self._item(item, names)
                if found is None:
                    return None
                texts.extend(found.texts)
                sure = sure and found.sure
            return _Items(texts, sure)
        if not isinstance(node, MapNode) or len(node.values) != 1:
            return None
        ((function, argument),) = node.values.items()
        if function == "Ref" and isinstance(argument, TextNode):
            return self._parameter(argument.value, is_list=True)
        if function == "Fn::FindInMap":
            listed = self._looked_up(argument, names)
            return self._items(listed, {}) if isinstance(listed, ListNode) else None
        if function == "Fn::Split":
            return self._split(argument, names)
        return None

    def _item(self, node: Node, names: dict[str, str]) -> _Items | None:
        """One item of a written list: a text, or a reference to a parameter that is no list."""
        if isinstance(node, TextNode):
            return _Items([self._put(scalar_text(node) or "", names)], True)
        reference = node.values.get("Ref") if isinstance(node, MapNode) and len(node.values) == 1 else None
        if not isinstance(reference, TextNode):
            return None
        if reference.value in names:
            return _Items([names[reference.value]], True)
        return self._parameter(reference.value, is_list=False)

    def _parameter(self, name: str, is_list: bool) -> _Items | None:
        """The items of a parameter: those that are known, else its default, which is not sure."""
        section = self._root.values.get("Parameters")
        node = section.values.get(name) if isinstance(section, MapNode) else None
        if not isinstance(node, MapNode):
            return None
        kind = node.values.get("Type")
        if not isinstance(kind, TextNode) or kind.value.startswith("AWS::SSM::"):
            return None
        if is_list != (kind.value == "CommaDelimitedList" or kind.value.startswith("List<")):
            return None
        default = node.values.get("Default")
        text = self._pinned.get(name)
        if text is None and isinstance(default, TextNode):
            text = scalar_text(default) or ""
        if text is None or (is_list and not text):  # whether an empty list has an item depends on the resource
            return None
        return _Items([item.strip() for item in text.split(",")] if is_list else [text], name in self._pinned)

    def _looked_up(self, argument: Node | None, names: dict[str, str]) -> Node | None:
        """What a mapping holds under keys that are known."""
        keys = argument.items[:3] if isinstance(argument, ListNode) else []
        found = self._root.values.get("Mappings")
        for key in keys:
            item = self._item(key, names)
            if item is None or not item.sure or not isinstance(found, MapNode):
                return None
            found = found.values.get(item.texts[0])
        return found if len(keys) == 3 else None

    def _split(self, argument: Node, names: dict[str, str]) -> _Items | None:
        parts = argument.items if isinstance(argument, ListNode) else []
        if len(parts) != 2 or not isinstance(parts[0], TextNode) or not parts[0].value:
            return None
        item = self._item(parts[1], names)
        if item is None:
            return None
        return _Items(item.texts[0].split(parts[0].value), item.sure)

    def _named(self, node: TextNode, names: dict[str, str]) -> TextNode:
        text = self._put(node.value, names) if "{" in node.value else node.value
        return node if text == node.value else scalar_at(node, text)

    def _put(self, text: str, names: dict[str, str]) -> str:
        """A text in which items stand for identifiers: `${Name}`, or `&{Name}` with letters and digits only."""
        if not names or "{" not in text:
            return text
        size = len(text) + sum(len(names.get(found[2], "")) for found in _PLACEHOLDER.finditer(text))
        self._characters += size
        if self._characters > MAX_CHARACTERS:
            return text  # the loop ends with an error

        def item(found: re.Match[str]) -> str:
            known = names.get(found[2])
            if known is None:
                return found[0]
            return known if found[1] == "$" else _SPECIAL.sub("", known)

        return _PLACEHOLDER.sub(item, text)

    def _problem(self, message: str, place: TextNode) -> None:
        self._problems.append(SourceError(message, place.line, place.column))


def _is_same(node: MapNode, made: MapNode) -> bool:
    """Tell whether a map was made of the same keys and values, in their order."""
    return list(node.values) == list(made.values) and all(map(is_, node.values.values(), made.values.values()))
