"""Which parameters and pseudo parameters a condition, a rule or any other node of a template hinges on."""

from __future__ import annotations

from collections.abc import Iterable

from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.template.references import references


class Dependencies:
    """The names that conditions refer to, by way of other conditions and of what a parent stack hands down."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._conditions: dict[str, frozenset[str]] = {}

    def of_condition(self, name: str) -> frozenset[str]:
        """The names on which a named condition depends."""
        known = self._conditions.get(name)
        if known is None:
            self._conditions[name] = frozenset()  # a condition that refers to itself adds nothing
            node = self._model.template.conditions.get(name)
            # One that is not defined is a variable by itself: nobody knows whether it holds.
            known = self.of(node) if node is not None else frozenset({f"?condition {name}"})
            self._conditions[name] = known
        return known

    def of(self, node: Node) -> frozenset[str]:
        """The names that are mentioned below a node, in the conditions that it names, and in what is handed down."""
        bindings = self._model.stacks.bindings
        names: set[str] = set()
        pending = [node]
        while pending:
            current = pending.pop()
            for name, _ in references(current):
                if name in bindings and name not in names:  # what a parent hands down hinges on the parent's parameters
                    pending.append(bindings[name].argument)
                names.add(name)
            for name in condition_names(current):
                names |= self.of_condition(name)
        return frozenset(names)


def condition_names(node: Node) -> Iterable[str]:
    """The conditions that a condition or a rule refers to by name."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, ListNode):
            pending.extend(current.items)
        elif isinstance(current, MapNode):
            for name, child in current.values.items():
                if name == "Condition" and isinstance(child, TextNode):
                    yield child.value
                else:
                    pending.append(child)
