"""Takes out of a template what CloudFormation refuses: null, wrong words in DependsOn, what closes a circle.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html and
pseudo-parameter-reference.html (AWS::NoValue)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trailguard.cloudformation.source.changes import Change, Data, Remove, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, file_of, literal
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.errors import nearest
from trailguard.trails.facts.policies import trail_arn
from trailguard.trails.facts.repairs import Fault, Repair, holds
from trailguard.trails.whole import deployable
from trailguard.trails.whole.deployable import Unit

_NOTHING: Data = {"Ref": "AWS::NoValue"}


class Spot(NamedTuple):
    """A node and what holds it: a key of a map or an item of a list, and the key that leads to the holder."""

    node: Node
    holder: MapNode | ListNode
    key: TextNode | None
    outer: str


def spots(root: Node) -> Iterator[Spot]:
    """Every node below another one, in the order of the text."""
    pending: list[tuple[Node, str]] = [(root, "")]
    while pending:
        current, outer = pending.pop()
        if isinstance(current, MapNode):
            for name, child in current.values.items():
                yield Spot(child, current, current.keys[name], outer)
            pending.extend((child, name) for name, child in reversed(current.values.items()))
        elif isinstance(current, ListNode):
            for item in current.items:
                yield Spot(item, current, None, outer)
            pending.extend((item, outer) for item in reversed(current.items))


# --- null -------------------------------------------------------------------------------------------------------------


def nulls(fault: Fault) -> Iterator[Repair]:
    """Leave out what is null."""
    changes: list[Change] = []
    for unit in deployable.units(fault.scenario, fault.resource):
        file = next((file_of(body) for body in unit.bodies.values()), "")
        for root in _judged(unit):
            changes += [
                change._replace(at=change.at._replace(file=file))
                for spot in spots(root)
                if isinstance(spot.node, TextNode) and spot.node.plain and literal(spot.node) is None
                for change in _without(spot)
            ]
    if changes:
        yield Repair("Remove what is null", tuple(changes))


def _judged(unit: Unit) -> Iterator[Node]:
    """The parts of a template in which null is refused."""
    for name, node in unit.template.root.values.items():
        if name != "Resources" or not isinstance(node, MapNode):
            yield node
            continue
        for body in node.values.values():
            kind = body.values.get("Type") if isinstance(body, MapNode) else None
            if not (isinstance(kind, TextNode) and kind.value.startswith(deployable.OWN_NULLS)):
                yield body


def _without(spot: Spot) -> Iterator[Remove | Replace]:
    if isinstance(spot.holder, ListNode):
        is_argument = spot.outer.startswith("Fn::")
        yield Replace(at(spot.node), _NOTHING) if is_argument else Remove(at(spot.node))
    elif spot.key is not None:
        yield Remove(at(spot.key))


# --- DependsOn --------------------------------------------------------------------------------------------------------


def dependencies(fault: Fault) -> Iterator[Repair]:
    """Let DependsOn name resources, as plain text."""
    changes: list[Change] = []
    for unit in deployable.units(fault.scenario, fault.resource):
        bodies = unit.bodies
        wrong = {id(one.node) for one in deployable.dependencies(fault.scenario, unit) if not one.doubt}
        for body in bodies.values():
            node = body.values.get("DependsOn") if isinstance(body, MapNode) else None
            if node is not None and isinstance(body, MapNode):
                changes += _named(body, node, wrong, list(bodies))
    if changes:
        yield Repair("Let DependsOn name resources", tuple(changes))


def _named(body: MapNode, node: Node, wrong: set[int], known: list[str]) -> Iterator[Change]:
    items = node.items if isinstance(node, ListNode) else [node]
    meant = {id(item): _meant(item, known) for item in items if id(item) in wrong}
    if not meant:
        return
    left = [item for item in items if meant.get(id(item), ["right"])]
    if not left:
        yield Remove(at(body.keys["DependsOn"]))
    elif len(items) == 1 or any(len(names) > 1 for names in meant.values()):
        names = [
            name for item in items for name in meant.get(id(item), [item.value] if isinstance(item, TextNode) else [])
        ]
        told = [bare(name) for name in dict.fromkeys(names)]
        yield Replace(at(node), told[0] if len(told) == 1 else told)
    else:
        for item in items:
            near = meant.get(id(item))
            if near is not None:
                yield Replace(at(item), bare(near[0])) if near else Remove(at(item))


def _meant(item: Node, known: list[str]) -> list[str]:
    """The resources that something in DependsOn means; none for a name that is like no other."""
    if isinstance(item, TextNode):
        near = nearest(item.value, known)
        return [near] if near is not None else []
    texts = [spot.node.value for spot in spots(item) if isinstance(spot.node, TextNode) and spot.node.value in known]
    return list(dict.fromkeys([*texts, *(name for name, _ in references(item) if name in known)]))


# --- circles ----------------------------------------------------------------------------------------------------------


def circles(fault: Fault) -> Iterator[Repair]:
    """Take a dependency out of a circle that only a DependsOn asks for, or a key's own ARN out of its policy."""
    places = [fault.found.node, *(node for node, _ in fault.found.related)]
    for resource in fault.scenario.model.template.resources.values():
        listed = resource.attribute("DependsOn")
        for item in resource.depends_on():
            if any(place is item for place in places):
                whole = listed is item or (isinstance(listed, ListNode) and len(listed.items) == 1)
                change = Remove(at(resource.body.keys["DependsOn"] if whole else item))
                yield Repair(f"Let {bare(resource.id)} not depend on {bare(item.value)}", (change,))
        yield from _by_name(fault, resource, places)
        policy = resource.attribute("Properties")
        document = policy.values.get("KeyPolicy") if isinstance(policy, MapNode) else None
        for spot in spots(document) if document is not None else ():
            if spot.node is fault.found.node and "Resource" in (spot.outer, spot.key.value if spot.key else ""):
                call = function_of(spot.node)
                if call is not None and any(name == resource.id for name, _ in references(spot.node)):
                    yield Repair(
                        f"Let the policy of {bare(resource.id)} speak of it by *", (Replace(at(spot.node), "*"),)
                    )


def _by_name(fault: Fault, resource: Resource, places: list[Node]) -> Iterator[Repair]:
    """Say the ARN of a trail by its name where a reference to the trail closes the circle."""
    trails = {one.id: one for one in fault.scenario.model.template.of_type("AWS::CloudTrail::Trail")}
    for place in places:
        call = function_of(place)
        if call is None or call[0] != "Fn::GetAtt" or not holds(resource.body, place):
            continue
        trail = next((trails[name] for name, _ in references(place) if name in trails), None)
        arn = trail_arn(fault.scenario, resource, trail) if trail is not None else None
        if arn is not None and trail is not None:
            yield Repair(
                f"Say the ARN of {bare(trail.id)} in {bare(resource.id)} by its name", (Replace(at(place), arn),)
            )
