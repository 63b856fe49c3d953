"""Policy documents of which parts are open: what of them adds to what is let through, and what takes away.

Statements, and the actions, resources, principals and condition values in them, are often optional. They are asked
about only where they have a say in a question, instead of each time in every combination.
"""

from __future__ import annotations

from collections.abc import Iterable

from trailguard.cloudformation.scenarios.drafts import Draft, Keys, OpenPart, Path, is_plain, keys_of
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, ListValue, MapValue, Value, text_of
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.operators import read_operator
from trailguard.iam.policy import Policy, read_statements
from trailguard.iam.reading import Problems

_LISTS = frozenset(("Action", "NotAction", "Resource", "NotResource"))
_PRINCIPALS = frozenset(("Principal", "NotPrincipal"))
STATEMENT = "Statement"


def drafted_policy(scenario: Scenario, resource: Resource, name: str, kind: frozenset[str]) -> Policy | None:
    """The policy in a property of a resource, what is open in its lists left open; None when it is no plain document.

    Raises Split for what is open elsewhere.
    """
    body = scenario.unwrap(scenario.property_node(resource, name))
    if not is_plain(body) or STATEMENT not in body.values:
        return None
    document = _Document(Draft(scenario, body, _is_list), kind)
    policy = document.with_parts(())
    return policy._replace(draft=document) if document.allows else policy


def _is_list(keys: Keys) -> bool:
    """Tell whether some place of a document holds a list, which may be written as a single value."""
    if STATEMENT not in keys:
        return False
    keys = keys[keys.index(STATEMENT) + 1 :]
    if len(keys) < 2:
        return not keys or keys[0] in _LISTS
    return (keys[0] in _PRINCIPALS and len(keys) == 2) or (keys[0] == "Condition" and len(keys) == 3)


class _Document:
    """A document with open parts. `allows` tells of each whether with it more is let through, rather than less."""

    def __init__(self, draft: Draft, kind: frozenset[str]) -> None:
        self._draft = draft
        self._kind = kind
        self._made: dict[frozenset[int], Policy] = {}
        self.allows = tuple(map(self._allows, draft.parts))
        self.splits = tuple(part.split for part in draft.parts)

    def with_parts(self, chosen: Iterable[int]) -> Policy:
        """The policy in which the chosen parts, by their indexes, are all that they may be, and the others nothing."""
        key = frozenset(chosen)
        if key not in self._made:
            value = self._draft.value(key)
            if not isinstance(value, MapValue):
                raise ValueError("a policy document with open parts is a map")
            items = self._draft.numbered(STATEMENT, key)
            self._made[key] = read_statements(value, items, self._kind, Problems())
        return self._made[key]

    def _allows(self, part: OpenPart) -> bool:
        """Tell whether a part lets more through. Raises Split when that is open itself."""
        keys = keys_of(part.path)
        if len(keys) < 2:
            effects = {_effect(variant) for variant in part.variants if isinstance(variant, MapValue)}
            if len(effects) > 1 or None in effects:
                raise part.split
            return effects != {"Deny"}
        statement = part.path[: part.path.index(keys[1])]
        effect = _effect(self._draft.entry(statement))
        if effect is None:
            raise part.split
        return (effect == "Allow") is not _takes_back(keys[1:])


def _takes_back(keys: Keys) -> bool:
    """Tell whether a statement is about less, the more it lists in some place."""
    if keys[0] != "Condition":
        return keys[0].startswith("Not")
    operator = read_operator(keys[1])
    return operator is not None and operator.negated


def _effect(value: Value | None) -> str | None:
    """The effect of a statement; None when it is neither of the two, or not known."""
    effect = value.entries.get("Effect") if isinstance(value, MapValue) else None
    text = text_of(effect) if effect is not None else None
    return text.literal if text is not None and text.literal in ("Allow", "Deny") else None


def drafted_about(scenario: Scenario, node: Node, service: str) -> Value:
    """The value of a node that holds documents, without those open parts that are not about the actions of a service.

    Raises Split for the parts that are, and for those with or without which a statement lists nothing, as it must not.
    """
    draft = Draft(scenario, node, lambda keys: not keys or _is_list(keys))
    for part in draft.parts:
        variants = (*part.variants, *_around(draft, part.path))
        if _is_all(draft, part.path) or any(mentions(variant, service) for variant in variants):
            raise part.split
    return draft.value()


def _is_all(draft: Draft, path: Path) -> bool:
    """Tell whether a statement lists nothing in some place but what is open."""
    keys = keys_of(path)
    if not _LISTS.intersection(keys[-1:]):
        return False
    listed = draft.entry(path if path[-1] == keys[-1] else path[:-1])
    return not isinstance(listed, ListValue) or not listed.items


def _around(draft: Draft, path: Path) -> Iterable[Value]:
    """The actions of the statement that a part of it belongs to."""
    if STATEMENT not in path:
        return
    start = path.index(STATEMENT) + 1
    if start < len(path) and isinstance(path[start], int):
        start += 1
    if start == len(path):  # a whole statement
        return
    for element in ("Action", "NotAction"):
        found = draft.entry((*path[:start], element))
        if found is not None:
            yield MapValue({element: found}, {}, found.node)


def mentions(value: Value, service: str) -> bool:
    """Tell whether actions of a service may be among those that a part of a document names.

    A statement that lists nothing in some place has a say in everything: IAM refuses the whole document.
    """
    if isinstance(value, MapValue):
        if "NotAction" in value.entries or _lists_nothing(value):
            return True
        statements = value.entries.get("Action", value.entries.get(STATEMENT, value.entries.get("PolicyDocument")))
        return statements is not None and mentions(statements, service)
    if isinstance(value, ListValue):
        return any(mentions(item, service) for item in value.items)
    text = text_of(value)
    if text is None or text.literal is None:
        return not isinstance(value, Absent)
    prefix = text.literal.lower().partition(":")[0]
    return any(mark in prefix for mark in "*?") or prefix == service


def _lists_nothing(statement: MapValue) -> bool:
    """Tell whether a statement lists nothing in some place."""
    listed = (statement.entries.get(name) for name in _LISTS)
    return any(isinstance(value, ListValue) and not value.items for value in listed)
