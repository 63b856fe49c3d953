"""Reads a policy document of a template as far as a scenario decides it; what is open stays apart.

Statements, and the actions, resources and principals in them, are often optional: each hinges on a parameter of its
own. Most have no say in a question. They are asked about only where they do, instead of each time in every combination.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias, TypeGuard

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, ListValue, MapValue, Text, Value, text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.iam.policy import RESOURCE_POLICY, OpenPart, Policy, read_policy, read_statements, values_of
from trailguard.iam.reading import Problems

_ADDING = ("Action", "Resource")  # elements that say more the longer they are

Item: TypeAlias = "Value | _Open"


class _Open(NamedTuple):
    """The place of an open part: its index."""

    part: int


class _Partial(NamedTuple):
    """A statement in which only some actions, resources or principals are open, by element (and kind of principal)."""

    value: MapValue
    open: tuple[tuple[str, str, tuple[Item, ...]], ...]


def read_document(scenario: Scenario, resource: Resource, name: str, parts: frozenset[str] = RESOURCE_POLICY) -> Policy:
    """Read the policy document in a property of a resource.

    What is open in it stays open where it only adds to what the document allows or denies. Raises Split for all else.
    """
    try:
        return read_policy(scenario.value_of(resource, name), parts)
    except Split:
        body = scenario.unwrap(scenario.property_node(resource, name))
        if not _is_plain(body):
            raise
        listed = scenario.unwrap(body.values.get("Statement"))
        if listed is None or function_of(listed) is not None:
            raise
        draft = _Draft(scenario, parts)
        draft.read(body, listed.items if isinstance(listed, ListNode) else [listed])
        return draft.with_parts(())._replace(draft=draft) if draft.parts else draft.with_parts(())


def _is_plain(node: Node | None) -> TypeGuard[MapNode]:
    """Tell whether a node is a map that is written out, without a macro in it."""
    if not isinstance(node, MapNode) or function_of(node) is not None:
        return False
    return not any(name.startswith("Fn::") for name in node.values)


class _Draft:
    """A document with open parts."""

    def __init__(self, scenario: Scenario, kind: frozenset[str]) -> None:
        self._scenario = scenario
        self._kind = kind
        self.parts: list[OpenPart] = []
        self._statements: list[tuple[int, Value | _Open | _Partial]] = []
        self._made: dict[frozenset[int], Policy] = {}
        self._document: MapValue | None = None

    def read(self, body: MapNode, items: Iterable[Node]) -> None:
        """Read what is decided, and note what is open."""
        rest = {name: self._scenario.resolve(child) for name, child in body.values.items() if name != "Statement"}
        entries: dict[str, Value] = {name: one for name, one in rest.items() if not isinstance(one, Absent)}
        self._document = MapValue(entries, dict(body.keys), body)
        index = 0
        for item in items:
            statement = self._statement(item)
            if not isinstance(statement, Absent):
                self._statements.append((index, statement))
                index += 1

    def _statement(self, node: Node) -> Value | _Open | _Partial:
        try:
            return self._scenario.resolve(node)
        except Split:
            before = len(self.parts)
            partial = self._partial(node) if _is_plain(node) else None
            if partial is not None:
                return partial
            del self.parts[before:]
        return self._whole(node)

    def _whole(self, node: Node) -> _Open:
        """A statement that is open as a whole. Raises Split when it may both allow and deny."""
        outcomes = self._scenario.outcomes(("policy", id(node)), lambda scenario: scenario.resolve(node))
        variants = tuple(value for value in outcomes.answers if not isinstance(value, Absent))
        effects = {_effect(value) for value in variants}
        if outcomes.split is not None and (len(effects) > 1 or None in effects):
            raise outcomes.split
        return self._open(variants, outcomes.split, effects != {"Deny"})

    def _open(self, variants: tuple[Value, ...], split: Split | None, allows: bool) -> _Open:
        if split is None:
            raise ValueError("nothing is open")
        self.parts.append(OpenPart(variants, split, allows))
        return _Open(len(self.parts) - 1)

    def _partial(self, node: MapNode) -> _Partial | None:
        """A statement of which only what adds to it is open; None when it is another one."""
        scenario = self._scenario
        entries: dict[str, Value] = {}
        pending: list[tuple[str, str, Node]] = []
        for name, child in node.values.items():
            try:
                value = scenario.resolve(child)
            except Split:
                if name in _ADDING:
                    pending.append((name, "", child))
                elif name == "Principal" and _is_plain(child):
                    pending.extend((name, kind, item) for kind, item in child.values.items())
                else:
                    return None
            else:
                if not isinstance(value, Absent):
                    entries[name] = value
        effect = _effect(MapValue(entries, {}, node))
        if effect is None:
            return None
        read = tuple((name, kind, self._items(child, effect == "Allow")) for name, kind, child in pending)
        for name, _, _ in pending:
            entries[name] = MapValue({}, {}, node.values[name])  # its place
        return _Partial(MapValue(entries, dict(node.keys), node), read)

    def _items(self, node: Node, allows: bool) -> tuple[Item, ...]:
        """The items of a list, or of what stands for one, with those that are open."""
        return tuple(
            found
            for item in (node.items if isinstance(node, ListNode) else [node])
            if not isinstance(found := self._item(item, allows), Absent)
        )

    def _item(self, node: Node, allows: bool) -> Item:
        try:
            return self._scenario.resolve(node)
        except Split:
            outcomes = self._scenario.outcomes(("policy", id(node)), lambda scenario: scenario.resolve(node))
            return self._open(tuple(outcomes.answers), outcomes.split, allows)

    def with_parts(self, chosen: Iterable[int]) -> Policy:
        """The policy in which the chosen parts are all that they may be, and the others nothing."""
        key = frozenset(chosen)
        if key not in self._made:
            self._made[key] = self._policy(key)
        return self._made[key]

    def _policy(self, chosen: frozenset[int]) -> Policy:
        if self._document is None:
            raise ValueError("nothing was read")
        items = [
            (index, value) for index, statement in self._statements for value in self._values_of(statement, chosen)
        ]
        return read_statements(self._document, items, self._kind, Problems())

    def _values_of(self, statement: Value | _Open | _Partial, chosen: frozenset[int]) -> Iterable[Value]:
        if isinstance(statement, _Open):
            return self.parts[statement.part].variants if statement.part in chosen else ()
        if isinstance(statement, _Partial):
            return (self._filled(statement, chosen),)
        return (statement,)

    def _filled(self, partial: _Partial, chosen: frozenset[int]) -> MapValue:
        entries = dict(partial.value.entries)
        principals: dict[str, Value] = {}
        node = partial.value.node
        for name, kind, items in partial.open:
            values = [value for item in items for value in self._flat(item, chosen)]
            if kind:
                principals[kind] = ListValue(tuple(values), node)
                entries[name] = MapValue(dict(principals), {}, entries[name].node)
            else:
                entries[name] = ListValue(tuple(values), entries[name].node)
        return partial.value._replace(entries=entries)

    def _flat(self, item: Item, chosen: frozenset[int]) -> Iterable[Value]:
        if not isinstance(item, _Open):
            return (item,)
        variants = self.parts[item.part].variants if item.part in chosen else ()
        return (value for variant in variants for value in values_of(variant))


def _effect(value: Value) -> str | None:
    """The effect of a statement; None when it is neither of the two, or not known."""
    effect = value.entries.get("Effect") if isinstance(value, MapValue) else None
    text: Text | None = text_of(effect) if effect is not None else None
    return text.literal if text is not None and text.literal in ("Allow", "Deny") else None
