"""Which resources wait for which: the order in which CloudFormation makes them, and circles, which it refuses.

A resource waits for what DependsOn names and for what Ref, GetAtt or Sub mention anywhere else in its body (its
Metadata included). DependsOn takes logical IDs only: a function there is refused and orders nothing. A nested stack
waits for what the resource that makes it waits for, and is complete when all in it is; a stack that imports a value
comes after the stack that exports it.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias, cast

from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.stacks.stacks import Stack
from trailguard.cloudformation.template.references import Way, references_of
from trailguard.cloudformation.template.template import Resource

_SAM, _NESTED = "AWS::Serverless::", "AWS::Serverless::Application"

# The names that a resource waits for, each with the branches under which it does (none: always).
Edges: TypeAlias = "dict[str, list[Way]]"


def reaches(scenario: Scenario, start: Resource, goal: Resource) -> bool:
    """Tell whether a dependency path leads from one resource to another in this scenario.

    What was observed is there: nothing has to wait for it, and it waits for nothing. Nor has anything to wait for what
    another stack holds already.
    """
    model = scenario.model
    stacks = model.stacks
    if any(stacks.observed(one.id) is not None for one in (start, goal)):
        return True
    if goal.id in stacks.generated and stacks.root_of(start.id) != stacks.root_of(goal.id):
        return True  # another stack made it before
    return _path(scenario, {name: _edges(model, name) for name in _leading(model, start.id, goal.id)}, start, goal)


def encircled(scenario: Scenario, one: Resource, other: Resource) -> bool:
    """Tell whether two resources of one stack wait for each other in this scenario."""
    model = scenario.model
    found = rings(model, model.stacks.stack_of(one.id))
    ring = next((ring for ring in found if one.id in ring and other.id in ring), ())
    edges = {name: _own(model, name) for name in ring}
    return _path(scenario, edges, one, other) and _path(scenario, edges, other, one)


def _path(scenario: Scenario, edges: Mapping[str, Edges], start: Resource, goal: Resource) -> bool:
    """Tell whether a path leads from one resource to another by way of those that have edges."""
    if start.id not in edges:
        return False
    seen = {start.id}
    pending = [start.id]
    open_: Split | None = None  # a way that is open matters only where none is known
    while pending:
        current = pending.pop()
        if current == goal.id:
            return True
        for name, ways in edges[current].items():
            if name in seen or name not in edges:
                continue
            try:
                follows = _waits(scenario, ways, name, name == goal.id)
            except Split as split:
                open_ = open_ or split
                continue
            if follows:
                seen.add(name)
                pending.append(name)
    if open_ is not None:
        raise open_
    return False


def _leading(model: Model, start: str, goal: str) -> set[str]:
    """The resources on paths from one resource to another, were all conditions as these need them."""
    resources = model.template.resources
    backwards: dict[str, list[str]] = {start: []}
    pending = [start]
    while pending:
        current = pending.pop()
        for name in _edges(model, current) if current != goal else ():
            if name in resources:
                if name not in backwards:
                    backwards[name] = []
                    pending.append(name)
                backwards[name].append(current)
    found: set[str] = set()
    pending = [goal] if goal in backwards else []
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(backwards[name])
    return found


def _waits(scenario: Scenario, ways: Iterable[Way], name: str, is_made: bool = False) -> bool:
    """Tell whether one of the ways to a resource is taken, and the resource is made, if that is not known."""
    taken = any(all(scenario.condition(test) is branch for test, branch in way) for way in ways)
    return taken and (is_made or scenario.active(scenario.model.template.resources[name]))


# --- circles ----------------------------------------------------------------------------------------------------------


def circle(scenario: Scenario, ring: Collection[str]) -> tuple[str, ...]:
    """The shortest circle among the resources of a ring in this scenario; `()` without any.

    Each resource waits for the one behind it, the last for the first. Raises the Split of a way that has a say.
    """
    model = scenario.model
    known: dict[str, list[str]] = {}
    maybe: dict[str, list[str]] = {}
    splits: dict[tuple[str, str], Split] = {}
    for name in ring:
        known[name], maybe[name] = [], []
        for target, ways in _own(model, name).items():
            if target not in ring:
                continue
            try:
                follows = scenario.active(model.template.resources[name]) and _waits(scenario, ways, target)
            except Split as split:
                splits[name, target] = split
                maybe[name].append(target)
                continue
            if follows:
                known[name].append(target)
                maybe[name].append(target)
    found = _shortest(known)
    possible = () if found else _shortest(maybe)
    steps = zip(possible, (*possible[1:], *possible[:1]), strict=True)
    open_ = next((splits[step] for step in steps if step in splits), None)
    if open_ is not None:
        raise open_
    return found


def _shortest(edges: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The shortest circle of a graph, the first in its order; `()` without any."""
    best: tuple[str, ...] = ()
    for start in edges:
        came_from: dict[str, str] = {}
        level = [start]
        while level and start not in came_from:
            following = []
            for name in level:
                for target in edges[name]:
                    if target not in came_from:
                        came_from[target] = name
                        following.append(target)
            level = following
        if start in came_from:
            way = [start]
            while came_from[way[-1]] != start:
                way.append(came_from[way[-1]])
            if not best or len(way) < len(best):
                best = (start, *reversed(way[1:]))
    return best


def rings(model: Model, stack: Stack | None) -> list[tuple[str, ...]]:
    """The resources of a stack that would wait for each other, were all conditions as that needs them.

    Each ring is a strongly connected part of the graph, in the template's order. What SAM makes of its own types does
    not refer to all that these mention, so they are in none.
    """
    key = ("rings", stack and stack.number)
    known = model.memo.get(key)
    if known is None:
        resources = model.template.resources
        names = (name for name in (resources if stack is None else stack.resources) if name in resources)
        types = {name: resources[name].type for name in names}
        kept = {name: _own(model, name) for name, kind in types.items() if kind == _NESTED or not kind.startswith(_SAM)}
        known = model.memo[key] = _connected({name: [one for one in kept[name] if one in kept] for name in kept})
    return cast("list[tuple[str, ...]]", known)


def _connected(graph: Mapping[str, list[str]]) -> list[tuple[str, ...]]:
    """The strongly connected parts of a graph that hold a circle, by Kosaraju's two walks."""
    order: list[str] = []
    seen: set[str] = set()
    for start in graph:
        if start in seen:
            continue
        seen.add(start)
        walk = [(start, iter(graph[start]))]
        while walk:
            name, targets = walk[-1]
            following = next((target for target in targets if target not in seen), None)
            if following is None:
                order.append(name)
                walk.pop()
            else:
                seen.add(following)
                walk.append((following, iter(graph[following])))
    backwards: dict[str, list[str]] = {name: [] for name in graph}
    for name in graph:
        for target in graph[name]:
            backwards[target].append(name)
    found = []
    for start in reversed(order):
        if start not in seen:
            continue
        members = set()
        left = [start]
        while left:
            name = left.pop()
            if name in seen:
                seen.discard(name)
                members.add(name)
                left.extend(backwards[name])
        if len(members) > 1 or start in graph[start]:
            found.append(tuple(name for name in graph if name in members))
    places = {name: place for place, name in enumerate(graph)}
    return sorted(found, key=lambda ring: places[ring[0]])


# --- who waits for whom -----------------------------------------------------------------------------------------------


def _edges(model: Model, name: str) -> Edges:
    """What a resource waits for, in its own stack and by way of other stacks."""
    stacks = model.stacks
    if not stacks.members:
        return _own(model, name)
    key = ("edges", name)
    known = model.memo.get(key)
    if known is None:
        edges = {target: [*ways] for target, ways in _own(model, name).items()}
        for maker in stacks.makers(name):
            for target, ways in _own(model, maker).items():
                edges.setdefault(target, []).extend(ways)
        for names, way in stacks.awaited(name):
            for target in names:
                edges.setdefault(target, []).append(way)
        known = model.memo[key] = edges
    return cast("Edges", known)


def _own(model: Model, name: str) -> Edges:
    """What a resource itself waits for."""
    key = ("own edges", name)
    known = model.memo.get(key)
    if known is None:
        resource = model.template.resources[name]
        edges: Edges = {}
        for named in resource.depends_on():
            edges.setdefault(named.value, []).append(())
        for target, guards in references_of(resource):
            edges.setdefault(target, []).append(guards)
        for ways in edges.values():
            ways.sort(key=len)
        known = model.memo[key] = edges
    return cast("Edges", known)
