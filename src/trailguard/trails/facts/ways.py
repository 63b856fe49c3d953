"""Ways into what a resource says, along the branches that count in a scenario, and the changes at their ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Change, Data, Put, Replace, at
from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.cloudformation.template.template import function_of
from trailguard.trails.facts.repairs import PROPERTIES, Fault, Repair, decided, holds, spelt

Way: TypeAlias = "tuple[str, ...]"


def branch_of(scenario: Scenario, node: Node | None) -> Node | None:
    """The branch of `Fn::If` that counts here, and be it `AWS::NoValue`."""
    while node is not None and (call := function_of(node)) is not None and call[0] == "Fn::If":
        node = scenario.branch(call[1])
    return node


def walk(scenario: Scenario, node: Node, way: Way) -> tuple[Node, Way]:
    """As far as a way leads below a node, and what of it is left."""
    for depth, key in enumerate(way):
        below = node.values.get(key) if isinstance(node, MapNode) and function_of(node) is None else None
        child = branch_of(scenario, below)
        if child is None:
            return node, way[depth:]
        node = child
    return node, ()


def placed(scenario: Scenario, node: Node, way: Way, value: Data) -> Change:
    """What is at the end of a way below a node becomes a value.

    The change is told from the innermost branch of `Fn::If` on the way, or from the node: so it is known by which of
    its aliases a part on the way is meant.
    """
    end, rest = walk(scenario, node, way)
    start, left = _last_branch(scenario, node, way[: len(way) - len(rest)])
    if isinstance(end, MapNode) and function_of(end) is None if rest else left:
        return Put(at(start), (*left, *rest), value)
    for key in reversed(rest):
        value = {key: value}
    return Replace(at(end), value)


def _last_branch(scenario: Scenario, node: Node, way: Way) -> tuple[Node, Way]:
    """The innermost branch of `Fn::If` on a way that can be walked, else the node, and the way from there."""
    start, left, here = node, way, node
    for depth, key in enumerate(way):
        below = here.values.get(key) if isinstance(here, MapNode) else None
        child = branch_of(scenario, below)
        if child is None:
            break
        if child is not below:
            start, left = child, way[depth + 1 :]
        here = child
    return start, left


def set_below(fault: Fault, way: Way, value: Data, unsafe: str = "") -> Iterator[Repair]:
    """The ways to give what is inside a property of the resource at fault a value, whatever decides it now."""
    title = f"Set {'.'.join(way)} to {spelt(value)}"
    scenario, node = fault.scenario, fault.found.node
    handed = (binding.argument for binding in scenario.model.stacks.bindings.values())
    if any(holds(outer, node) for outer in handed):
        yield Repair(title, (Replace(at(node), value),), unsafe or decided(scenario, node))
    end, rest = walk(scenario, fault.resource.body, (PROPERTIES, *way))
    change = placed(scenario, fault.resource.body, (PROPERTIES, *way), value)
    yield Repair(title, (change,), unsafe or ("" if rest else decided(scenario, end)))
