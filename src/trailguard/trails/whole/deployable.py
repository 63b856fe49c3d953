"""Whether CloudFormation takes the templates along a trail's delivery chain, whatever their policies say.

It refuses a template as a whole: a fault anywhere in it keeps the trail from being made. A nested stack that is refused
takes its parent with it, and what imports from a refused stack finds nothing to import. Sources:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html (DependsOn, circles),
https://github.com/aws-cloudformation/cfn-lint/issues/38 ("'null' values are not allowed in templates") and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html (trails in a Region)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple, cast

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.scenarios.waiting import circle, rings
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal, scalar_at
from trailguard.cloudformation.stacks.stacks import Stack
from trailguard.cloudformation.template.references import Way, mentioned, references
from trailguard.cloudformation.template.template import Resource, Template, function_of
from trailguard.errors import nearest
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, no, null, unknown, yes

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_TRAIL = "AWS::CloudTrail::Trail"
MOST_TRAILS = 5

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Rules", "Outputs", "Metadata", "Description")
# What preprocessors rewrite, and a definition in which null has a meaning and that is handed on as text.
OWN_NULLS = ("AWS::Serverless::", "AWS::StepFunctions::StateMachine")
_EXTENSIONS = "AWS::LanguageExtensions"


class Unit(NamedTuple):
    """A template that must be taken for a trail to be made, where one of the ways is open. `stack` is its stack."""

    stack: Stack | None
    template: Template
    ways: tuple[Way, ...]

    @property
    def bodies(self) -> Mapping[str, Node]:
        """What its resources say, by their names among those of all stacks."""
        sections = self.template.root.values if self.stack is None else self.stack.sections
        resources = sections.get("Resources")
        return resources.values if isinstance(resources, MapNode) else {}


def units(scenario: Scenario, trail: Resource) -> list[Unit]:
    """The templates that must be taken for a trail to be made, the trail's own first."""
    model = scenario.model
    own = model.stacks.stack_of(trail.id)
    if own is None:
        return [Unit(None, model.template, ((),))]
    key = ("units", own.number)
    if key not in model.memo:
        found = [Unit(stack, stack.template, ways) for stack, ways in _needed(scenario, own)]
        model.memo[key] = sorted(found, key=lambda unit: unit.stack is not own)
    return cast("list[Unit]", model.memo[key])


def _needed(scenario: Scenario, own: Stack) -> Iterator[tuple[Stack, tuple[Way, ...]]]:
    """The stacks of a stack's tree and of those that they import from, each with the ways in which it is needed."""
    stacks = scenario.model.stacks
    trees: dict[int, list[Stack]] = {}
    for stack in stacks.members.values():
        trees.setdefault(stack.root.number, []).append(stack)
    needed: dict[int, list[Way]] = {}
    pending: list[tuple[int, Way]] = [(own.root.number, ())]
    while pending:
        root, way = pending.pop()
        known = needed.setdefault(root, [])
        if any(set(one) <= set(way) for one in known):
            continue
        known.append(way)
        for stack in trees[root]:
            for item in stack.imports:
                exports = stacks.exporters.get(id(item.node), ())
                pending.extend((export.stack.root.number, (*way, *_made(stack), *item.way)) for export in exports)
    for root, ways in needed.items():
        for stack in trees[root]:
            yield stack, tuple(sorted(((*way, *_made(stack)) for way in ways), key=len))


def _made(stack: Stack) -> Way:
    condition = stack.arguments.condition if stack.arguments is not None else None
    return () if condition is None else ((condition.value, True),)


def _counts(scenario: Scenario, unit: Unit) -> bool:
    """Tell whether a template has to be taken in this scenario."""
    return any(all(scenario.condition(name) is branch for name, branch in way) for way in unit.ways)


class Fault(NamedTuple):
    """Something for which a template is refused; `owner` is the resource that it stands in. `doubt` says why not."""

    owner: str
    node: Node
    because: str
    doubt: str = ""


def _by_faults(kind: str, scenario: Scenario, trail: Resource) -> Fact:
    """Whether the templates have no fault of a kind; the first of the trail's own is told, else the first of any."""
    find, fine = _KINDS[kind]
    own = yes(trail.key, fine.format(trail.id))

    def facts() -> Iterator[Fact]:
        for unit in units(scenario, trail):
            key = ("faults", kind, unit.stack and unit.stack.number)
            if key not in scenario.model.memo:
                scenario.model.memo[key] = [] if _is_rewritten(unit.template) else list(find(scenario, unit))
            faults = cast("list[Fault]", scenario.model.memo[key])
            if faults and _counts(scenario, unit):
                yield from map(_told, sorted(faults, key=lambda fault: fault.owner != trail.id))

    return all_of(facts(), own)


def _is_rewritten(template: Template) -> bool:
    """Tell whether a preprocessor makes the template that CloudFormation reads: Serverless, or org-formation."""
    version = template.root.values.get("AWSTemplateFormatVersion")
    return bool(template.prefix) or (isinstance(version, TextNode) and version.value.endswith("-OC"))


def _told(fault: Fault) -> Fact:
    return unknown(fault.node, fault.doubt, fault.because) if fault.doubt else no(fault.node, fault.because)


# --- null -------------------------------------------------------------------------------------------------------------


def _nulls(scenario: Scenario, unit: Unit) -> Iterator[Fault]:
    """The first null of each resource, and of each other section."""
    for name, body in unit.bodies.items():
        kind = body.values.get("Type") if isinstance(body, MapNode) else None
        if isinstance(kind, TextNode) and kind.value.startswith(OWN_NULLS):
            continue
        found = _first_null(body)
        if found is not None:
            where, path = found
            yield Fault(name, where, null(_within(path), name))
    for section in _SECTIONS:
        node = unit.template.root.values.get(section)
        found = _first_null(node) if node is not None else None
        if found is not None:
            where, path = found
            place = where if unit.stack is None else scalar_at(where, "", file=unit.stack.file)
            yield Fault("", place, null(".".join((section, *path))))


def _within(path: tuple[str, ...]) -> str:
    """A place in a resource, for people: a property by its name, whatever branch of Fn::If it is in."""
    before = ("", *path)
    named = [part for last, part in zip(before, path, strict=False) if "Fn::If" not in (last, part)]
    return ".".join(named[1:] if named[:1] == ["Properties"] and len(named) > 1 else named)


def _first_null(node: Node) -> tuple[Node, tuple[str, ...]] | None:
    """The first null at or below a node, and the way to it."""
    pending: list[tuple[Node, tuple[str, ...]]] = [(node, ())]
    while pending:
        current, way = pending.pop()
        if isinstance(current, TextNode):
            if current.plain and literal(current) is None:
                return current, way
        elif isinstance(current, MapNode):
            pending.extend((child, (*way, name)) for name, child in reversed(current.values.items()))
        elif isinstance(current, ListNode):
            pending.extend((item, (*way, str(index))) for index, item in reversed(list(enumerate(current.items))))
    return None


# --- DependsOn --------------------------------------------------------------------------------------------------------


def dependencies(scenario: Scenario, unit: Unit) -> Iterator[Fault]:
    """What DependsOn takes to be wrong: anything but logical IDs of resources of the same template."""
    bodies = unit.bodies
    is_whole = not unit.template.generators and not set(unit.template.transforms) - {_EXTENSIONS}
    for name, body in bodies.items():
        node = body.values.get("DependsOn") if isinstance(body, MapNode) else None
        for item in node.items if isinstance(node, ListNode) else [node]:
            if isinstance(item, TextNode):
                if is_whole and literal(item) is not None and item.value not in bodies:
                    yield Fault(name, item, _nobody(name, item.value, bodies))
            elif item is not None and (fault := _form(scenario, unit, name, item)) is not None:
                yield fault


def _nobody(name: str, named: str, known: Mapping[str, Node]) -> str:
    close = nearest(named, known)
    hint = f"; did you mean {close}?" if close else ""
    told = f'DependsOn of {name} names "{named}", which is not a resource of the template'
    return f"{told}, so CloudFormation refuses it{hint}"


def _form(scenario: Scenario, unit: Unit, name: str, item: Node) -> Fault | None:
    """What is wrong with something in DependsOn that is no text."""
    function = function_of(item)
    if function is not None and function[0] == "Fn::Transform":
        return None  # what it gives stands there when the template is read
    what = function[0] if function is not None else "a list" if isinstance(item, ListNode) else "a map"
    told = f"DependsOn of {name} holds {what}, and CloudFormation takes nothing there but logical IDs as plain text"
    resources = scenario.model.template.resources
    if _EXTENSIONS in unit.template.transforms and not any(one in resources for one, _ in references(item)):
        return Fault(name, item, told, f"whether {_EXTENSIONS} replaces {what} in DependsOn is not documented")
    return Fault(name, item, f"{told}, so it refuses the template")


# --- circles ----------------------------------------------------------------------------------------------------------


def acyclic(scenario: Scenario, trail: Resource) -> Fact:
    """Whether no resources wait for each other; a circle of trail and bucket policy is told by another fact."""
    fine = yes(trail.key, f"no resources that {trail.id} needs wait for each other")

    def facts() -> Iterator[Fact]:
        for unit in units(scenario, trail):
            for ring in rings(scenario.model, unit.stack):
                ask = partial(_circle, trail=trail, unit=unit, ring=ring)
                found = scenario.agreed(("circle", trail.id, ring[0]), ask)
                if found:
                    yield _closed(scenario, found, trail)

    return all_of(facts(), fine)


def _circle(scenario: Scenario, trail: Resource, unit: Unit, ring: tuple[str, ...]) -> tuple[str, ...]:
    """A circle in a ring that does not hold both a trail and its bucket's policy, one that holds the trail first."""
    if not _counts(scenario, unit):
        return ()
    stacks = scenario.model.stacks
    own = next((name for name in (trail.id, *stacks.makers(trail.id)) if name in ring), None)
    bucket = log_bucket(scenario, trail) if own is not None else None
    policies = {name for one in (bucket.policies if bucket else ()) for name in (one.id, *stacks.makers(one.id))}
    first = circle(scenario, [name for name in ring if name == own or name not in policies])
    if first or own is None or policies.isdisjoint(ring):
        return first
    return circle(scenario, [name for name in ring if name != own])


def _closed(scenario: Scenario, found: tuple[str, ...], trail: Resource) -> Fact:
    """That CloudFormation refuses a circle, told where it leads back to the trail, if that is part of it."""
    resources = scenario.model.template.resources
    own = next((name for name in (trail.id, *scenario.model.stacks.makers(trail.id)) if name in found), found[0])
    names = (*found[found.index(own) :], *found[: found.index(own)])
    if len(names) == 1:
        return no(_mention(resources[own], own), f"{own} refers to itself, a circle that CloudFormation refuses")
    steps = [(one, other) for one, other in zip(names, (*names[1:], own), strict=True)]
    told = [f"{one} {'' if index else 'waits '}for {other}" for index, (one, other) in enumerate(steps)]
    because = f"{', '.join(told[:-1])}, and {told[-1]}: a circle that CloudFormation refuses"
    places = [(_mention(resources[one], other), f"{one} waits for {other}") for one, other in steps]
    return no(places[-1][0], because, tuple(places[:-1]))


def _mention(resource: Resource, name: str) -> Node:
    """The first place in a resource that makes it wait for another one."""
    named = next((item for item in resource.depends_on() if item.value == name), None)
    if named is not None:
        return named
    pending: list[Node] = [node for part, node in reversed(resource.body.values.items()) if part != "DependsOn"]
    while pending:
        node = pending.pop()
        function = function_of(node)
        if function is not None and name in mentioned(*function):
            return node
        if isinstance(node, MapNode):
            pending.extend(reversed(node.values.values()))
        elif isinstance(node, ListNode):
            pending.extend(reversed(node.items))
    return resource.key


# --- how many ---------------------------------------------------------------------------------------------------------


def within_limit(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a Region has room for the trails that are made together with this one."""
    fine = yes(trail.key, f"no more than {MOST_TRAILS} trails are made together with {trail.id}")
    stacks = scenario.model.stacks
    own = stacks.stack_of(trail.id)
    made: list[Resource] = []
    open_: list[Split] = []
    for other in scenario.model.template.of_type(_TRAIL):
        stack = stacks.stack_of(other.id)
        if own is not None and stack is not None and (stack.root, stack.place) != (own.root, own.place):
            continue
        try:
            if scenario.active(other):
                made.append(other)
        except Split as split:
            open_.append(split)
    if len(made) > MOST_TRAILS:
        because = f"{len(made)} trails are made in one Region, which has room for {MOST_TRAILS}"
        return no(made[MOST_TRAILS].key, because, tuple((one.key, "another trail") for one in made[:MOST_TRAILS]))
    if len(made) + len(open_) > MOST_TRAILS:
        raise open_[0]
    return fine


_KINDS = {
    "null": (_nulls, "no null stands in what {} needs"),
    "dependencies": (dependencies, "DependsOn names resources wherever {} needs it"),
}

FACTS: Mapping[str, FactSpec] = {
    "chain.no_null": FactSpec(partial(_by_faults, "null"), _TRUTH, "no null stands in a template that the trail needs"),
    "chain.dependencies_named": FactSpec(
        partial(_by_faults, "dependencies"), _TRUTH, "DependsOn holds nothing but logical IDs of resources"
    ),
    "chain.acyclic": FactSpec(
        acyclic, _TRUTH, "no resources wait for each other, but for a trail and its bucket's policy"
    ),
    "chain.within_limit": FactSpec(within_limit, _TRUTH, "no more trails are made than a Region has room for"),
}
