"""Loops of `AWS::LanguageExtensions`, written out as CloudFormation does before it deploys.

`Fn::ForEach` stands in Resources, Conditions, Outputs and in properties; it makes one entry for each item of its
collection. The entries keep the places of the loop's body, so that findings point there. Where the collection is not
known, the body of a loop among resources or conditions is written out once, for any item: `Trail${Name}` is then
`Trail<Name>`, and `<Name>` the value that nobody knows.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

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
    call_at,
    mapping_at,
    plain,
    scalar_at,
    sequence_at,
)
from trailguard.cloudformation.source.tags import LOOP
from trailguard.cloudformation.template.loopitems import MAX_CHARACTERS, Collections, Items, Texts, any_item, is_any

# What CloudFormation takes in a template whose loops are written out.
LIMITS = {"Resources": 500, "Outputs": 200}
MAX_ENTRIES = 10_000  # that all loops of a template make
MAX_NODES = 500_000  # that are looked at to make them
MAX_NESTING = 5
_SECTIONS = ("Resources", "Conditions", "Outputs")
_FOR_ANY = ("Resources", "Conditions")  # the sections whose loops are written out for any item
_NAMING = frozenset({"Type", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy"})  # take no function


class Expansion(NamedTuple):
    """A template's tree with its loops written out, what is wrong with them, and those that stay open.

    `open_loops` are loops among the resources whose items are not known for sure, by key: they may make other resources
    than those that are written out. `any_loops` are those among them that are written out for any item, `items` the
    texts that stand for any item, and why it is not known.
    """

    root: MapNode
    problems: tuple[SourceError, ...]
    open_loops: dict[str, TextNode]
    any_loops: frozenset[str]
    items: dict[str, str]


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
        self._texts = Texts()
        self._collections = Collections(root, pinned, self._texts)
        self._problems: list[SourceError] = []
        self._open: dict[str, TextNode] = {}
        self._any: dict[str, str] = {}  # what stands for any item, by the collection
        self._any_loops: set[str] = set()
        self._items: dict[str, str] = {}
        self._turns = 0
        self._made: dict[str, int] = {}  # entries that loops made, by section
        self._nodes = 0
        self._is_full = False

    def expand(self) -> Expansion:
        if not has_loops(self._root):
            return Expansion(self._root, (), {}, frozenset(), {})
        scope = _Scope({})
        values = {
            key: self._entries(node, scope, key) if key in _SECTIONS and isinstance(node, MapNode) else node
            for key, node in self._root.values.items()
        }
        root = mapping_at(self._root, self._root.keys, values)
        return Expansion(root, tuple(self._problems), self._open, frozenset(self._any_loops), self._items)

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
                self._add(made, self._texts.named(place, scope.names), self._entry(value, scope, section), place)
        return node if _is_same(node, made) else made

    def _entry(self, node: Node, scope: _Scope, section: str) -> Node:
        if section != "Resources" or not scope.names:
            return self._copy(node, scope)
        if not isinstance(node, MapNode) or "Type" not in node.values or not any(map(is_any, scope.names.values())):
            return self._with_condition(self._copy(node, scope))
        return self._with_condition(self._resource(node, scope))

    def _resource(self, node: MapNode, scope: _Scope) -> MapNode:
        """A resource that is made for any item, in which some attributes are names."""
        values = {
            key: self._name(value, scope) if key in _NAMING else self._copy(value, scope)
            for key, value in node.values.items()
        }
        return node if all(map(is_, values.values(), node.values.values())) else mapping_at(node, node.keys, values)

    def _name(self, node: Node, scope: _Scope) -> Node:
        """A name, or a list that begins with one; a function that gives one."""
        if isinstance(node, TextNode):
            return self._texts.named(node, scope.names)
        if isinstance(node, ListNode):
            items = [self._texts.named(item, scope.names) if isinstance(item, TextNode) else self._copy(item, scope)
                     for item in node.items]  # fmt: skip
            return node if all(map(is_, items, node.items)) else sequence_at(node, items)
        return self._copy(node, scope)

    def _with_condition(self, resource: Node) -> Node:
        """A resource, the name of its condition looked up where a mapping holds it by the item."""
        condition = resource.values.get("Condition") if isinstance(resource, MapNode) else None
        if not isinstance(resource, MapNode) or not isinstance(condition, MapNode):
            return resource
        found = self._collections.looked_up(condition.values.get("Fn::FindInMap"), {})
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
        items = self._collections.items(parts[1], scope.names)
        if section == "Resources" and (items is None or not items.sure):
            self._open[key] = place
        if items is None and section in _FOR_ANY:
            items = Items([self._any_item(identifier, key, parts[1], scope)], False)
            self._any_loops.add(key)
        if items is None or not (items.sure or section):  # properties must not be told from a default
            yield place, node
            return
        for text in items.texts:
            self._turns += 1
            inner = self._entries(body, _Scope({**scope.names, identifier: text}), section)
            if self._too_much(key, place, section):
                return
            yield from ((inner.keys[name], inner.values[name]) for name in inner.values)

    def _any_item(self, identifier: str, key: str, collection: Node, scope: _Scope) -> str:
        """What stands for any item of a collection: the same in all loops over it."""
        known = repr(plain(self._copy(collection, scope)))
        if known not in self._any:
            number = sum(item.startswith(any_item(identifier)[:-1]) for item in self._items)
            self._any[known] = name = any_item(f"{identifier}{number + 1 if number else ''}")
            reference = collection.values.get("Ref") if isinstance(collection, MapNode) else None
            why = f"the items that {key} goes over are not known before the deployment"
            if isinstance(reference, TextNode):
                why = f"the items of {reference.value} are not known; give them with --parameter"
            self._items[name] = why
        return self._any[known]

    def _too_much(self, key: str, place: TextNode, section: str) -> bool:
        """Tell whether the loops made more than CloudFormation takes, or than is looked at."""
        limit = LIMITS.get(section)
        what = ""
        if limit is not None and self._made.get(section, 0) > limit:
            what = f"the loops make more than {limit} {section.lower()}, which is all that CloudFormation takes"
        elif self._texts.characters > MAX_CHARACTERS:
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
            return self._texts.valued(node, scope.names)
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
                item = scope.names[argument.value]
                return call_at(node, "Ref", scalar_at(node, item)) if is_any(item) else scalar_at(node, item)
            if function == "Fn::Sub":
                return self._substituted(node, argument, scope)
            if function == "Fn::If":
                return self._chosen(node, argument, scope)
            if function in ("Ref", "Condition", "Fn::GetAtt"):
                made = self._name(argument, scope)
                return node if made is argument else mapping_at(node, node.keys, {function: made})
        return self._entries(node, scope)

    def _substituted(self, node: MapNode, argument: Node, scope: _Scope) -> Node:
        """A call of `Fn::Sub`; its text where nothing is left to put in, so that it may name a resource in `Ref`."""
        if isinstance(argument, TextNode):
            text = self._texts.put(argument.value, scope.names, is_value=True)
            if "${" not in text:
                return scalar_at(node, text)
            return mapping_at(node, node.keys, {"Fn::Sub": scalar_at(argument, text)})
        text_node, own = argument.items if isinstance(argument, ListNode) and len(argument.items) == 2 else (None, node)
        if not isinstance(text_node, TextNode):
            return self._entries(node, scope)
        inner = {name: text for name, text in scope.names.items() if name not in getattr(own, "values", ())}
        text = self._texts.put(text_node.value, inner, is_value=True)
        texts = scalar_at(text_node, text) if text != text_node.value else text_node
        items = [texts, self._copy(own, scope)]
        return mapping_at(node, node.keys, {"Fn::Sub": sequence_at(argument, items)})

    def _chosen(self, node: MapNode, argument: Node, scope: _Scope) -> Node:
        """A call of `Fn::If`: its condition is a name, in which CloudFormation resolves no function."""
        if not isinstance(argument, ListNode) or not argument.items:
            return self._entries(node, scope)
        test = argument.items[0]
        name = self._texts.named(test, scope.names) if isinstance(test, TextNode) else test
        items = [name, *(self._copy(item, scope) for item in argument.items[1:])]
        return mapping_at(node, node.keys, {"Fn::If": sequence_at(argument, items)})

    def _problem(self, message: str, place: TextNode) -> None:
        self._problems.append(SourceError(message, place.line, place.column))


def _is_same(node: MapNode, made: MapNode) -> bool:
    """Tell whether a map was made of the same keys and values, in their order."""
    return list(node.values) == list(made.values) and all(map(is_, node.values.values(), made.values.values()))
