"""What repairs a fact that breaks a rule: changes of the template, told by its nodes.

A repair is an offer. Nothing here has to be sure that it helps: it is judged before anybody sees it, and one that does
not make the rule pass, or makes something else worse, is dropped. So the ways to repair something are given in order,
the one that changes least first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Append, At, Change, Data, Put, Replace, Way, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, file_of, plain
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import calls, mentioned
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.trails.facts.facts import BOOLEAN_TEXTS, Fact, to_json
from trailguard.trails.facts.properties import TAKES, entry

PROPERTIES = "Properties"

Item = TypeVar("Item")


class Fault(NamedTuple):
    """A fact that breaks a rule in one scenario: about which resource, its name, what it is, and what it must be."""

    scenario: Scenario
    resource: Resource
    name: str
    found: Fact
    must: Mapping[str, Any] = {}


class Use(NamedTuple):
    """A place in the text that is used more than once, and that one of the changes of a repair comes to.

    `change` tells how: from the place of the change, by a way. `times` is how often the place is used, `own` how often
    the place of the change is, `by` for whose finding that is, `names` which resources or stacks use it. With
    `is_anchored` an alias leads there: once that is written out, the place of the change alone counts.
    """

    place: At
    change: tuple[At, Way]
    times: int
    own: int
    by: str
    names: tuple[str, ...]
    is_anchored: bool


class Repair(NamedTuple):
    """Changes that may repair a fault, what they do in a few words, and why a person should look at them first.

    `title` is an imperative without a full stop: "Set IsMultiRegionTrail to true". `unsafe` is "" for what changes only
    what the finding is about, replaces nothing, costs nothing, and no parameter can undo. `uses` are found out later.
    """

    title: str
    changes: tuple[Change, ...]
    unsafe: str = ""
    uses: tuple[Use, ...] = ()


Repairer: TypeAlias = "Callable[[Fault], Iterator[Repair]]"


def put(resource: Resource, name: str, value: Data, *below: str) -> Change:
    """Set a property of a resource, or what is below it in maps."""
    return Put(at(resource.body), (PROPERTIES, name, *below), value)


def append(resource: Resource, name: str, value: Data, *below: str) -> Change:
    """Add an item to a list among the properties of a resource."""
    return Append(at(resource.body), (PROPERTIES, name, *below), value)


def making(scenario: Scenario, beside: Resource, name: str, body: Data) -> Change | None:
    """One resource more in the template of another one, under a name that is free there; None where there is no place.

    `beside` is the other one.
    """
    stack = scenario.model.stacks.stack_of(beside.id)
    template = scenario.model.template if stack is None else stack.template
    section = template.root.values.get("Resources")
    if not isinstance(section, MapNode):
        return None
    place = at(section)._replace(file=file_of(beside.body))
    return Put(place, (free_name(scenario, beside, name),), body)


def free_name(scenario: Scenario, beside: Resource, name: str) -> str:
    """A logical ID that no resource of the template of another one has."""
    stack = scenario.model.stacks.stack_of(beside.id)
    template = scenario.model.template if stack is None else stack.template
    section = template.root.values.get("Resources")
    known = {*template.resources, *template.parameters, *(section.values if isinstance(section, MapNode) else ())}
    return next(one for one in (f"{name}{number or ''}" for number in range(len(known) + 1)) if one not in known)


def setting(fault: Fault, name: str, value: Data, unsafe: str = "") -> Iterator[Repair]:
    """The ways to give a property of the resource at fault a value, whatever decides it now.

    `name` may lead into the property: `Outer.Inner`. `unsafe` is why it should be looked at in any case.
    """
    title = f"Set {name} to {spelt(value)}"
    first, *rest = name.split(".")
    written, way = _innermost(fault, first, rest)
    if written is None:
        yield Repair(title, (put(fault.resource, first, value, *rest),), unsafe)
        return
    if way:
        yield Repair(title, (Put(at(written), way, value),), unsafe)
        return
    literal = handed_down(fault.scenario, written)
    if literal is not None:
        yield Repair(title, (Replace(at(literal), value),), unsafe)
    handed = (binding.argument for binding in fault.scenario.model.stacks.bindings.values())
    is_told = any(holds(outer, fault.found.node) for outer in (written, *handed))
    node = _branch(fault.scenario, fault.found.node if is_told else written)
    yield Repair(title, (Replace(at(node), value),), unsafe or decided(fault.scenario, node))
    yield Repair(title, (Replace(at(written), value),), unsafe or decided(fault.scenario, written))
    if not rest:  # what is written may be an anchor's, which others use as well
        yield Repair(title, (put(fault.resource, first, value),), unsafe or decided(fault.scenario, written))


def handed_down(scenario: Scenario, node: Node) -> TextNode | None:
    """What is written where a value comes from that a node refers to, when parents hand it down as it is written."""
    bindings = scenario.model.stacks.bindings
    found: Node = node
    for _ in range(len(bindings) + 1):
        call = function_of(found)
        if call is None or call[0] != "Ref" or not isinstance(call[1], TextNode) or call[1].value not in bindings:
            break
        found = bindings[call[1].value].argument
    return found if isinstance(found, TextNode) and found is not node else None


def _branch(scenario: Scenario, node: Node) -> Node:
    """The branch of `Fn::If` that counts here, be it one that sets nothing."""
    while (call := function_of(node)) is not None and call[0] == "Fn::If":
        branch = scenario.branch(call[1])
        if branch is None:
            return node
        node = branch
    return node


def _innermost(fault: Fault, first: str, rest: Sequence[str]) -> tuple[Node | None, tuple[str, ...]]:
    """What is written of a property, as far in as it is, and the way that is left from there."""
    written = fault.scenario.property_node(fault.resource, first)
    for index, step in enumerate(rest):
        inner = fault.scenario.unwrap(written)
        if not isinstance(inner, MapNode) or function_of(inner) is not None:
            return written, ()
        if step not in inner.values:
            return inner, tuple(rest[index:])
        written = inner.values[step]
    return written, ()


def attribute(fault: Fault, name: str, value: Data, unsafe: str = "") -> Iterator[Repair]:
    """The way to give the resource at fault an attribute that stands beside its properties."""
    written = fault.resource.attribute(name)
    unsafe = unsafe or ("" if written is None else decided(fault.scenario, written))
    yield Repair(f"Set {name} to {spelt(value)}", (Put(at(fault.resource.body), (name,), value),), unsafe)


def stated(fix: Mapping[str, Any]) -> Repairer:
    """The repairs that a rule states as data: `{set: {Property: value}}`, `{attribute: {DeletionPolicy: Retain}}`.

    What has its value already stays as it is. `unsafe` says why a person should look at it first.
    """
    unsafe = str(fix.get("unsafe", ""))

    def repairs(fault: Fault) -> Iterator[Repair]:
        each = [
            tuple(setting(fault, name, _takes(fault.resource, name, value), unsafe))
            for name, value in fix.get("set", {}).items()
            if not _is_set(fault, name, value)
        ]
        each += [
            tuple(attribute(fault, name, value, unsafe))
            for name, value in fix.get("attribute", {}).items()
            if (node := fault.resource.attribute(name)) is None or plain(node) != value
        ]
        yield from map(together, in_step(each))

    return repairs


def together(repairs: Sequence[Repair]) -> Repair:
    """Several repairs as one, of which the first reason to look at it is enough."""
    return joined(repairs)._replace(unsafe=next((repair.unsafe for repair in repairs if repair.unsafe), ""))


def joined(repairs: Sequence[Repair]) -> Repair:
    """Several repairs as one."""
    titles = dict.fromkeys(part for one in repairs for part in one.title.split("; "))
    reasons = dict.fromkeys(one.unsafe for one in repairs if one.unsafe)
    changes = distinct(change for one in repairs for change in one.changes)
    uses = dict.fromkeys(use for one in repairs for use in one.uses)
    return Repair("; ".join(titles), tuple(changes), "; ".join(reasons), tuple(uses))


def distinct(items: Iterable[Item]) -> list[Item]:
    """Each of some things once; they may hold data that cannot be hashed."""
    return list({repr(item): item for item in items}.values())


def in_step(ways: Sequence[Sequence[Repair]]) -> Iterator[list[Repair]]:
    """The first of each of some ways, then the next of each, and so on; of those that have no more, the last."""
    for index in range(max(map(len, ways), default=0)):
        yield [way[min(index, len(way) - 1)] for way in ways]


def _is_set(fault: Fault, name: str, value: Data) -> bool:
    """Tell whether a property has a value here, whatever decides it."""
    text = to_json(entry(fault.scenario, fault.resource, *name.split(".")))
    return text == value or (isinstance(text, str) and BOOLEAN_TEXTS.get(text, text) in (value, str(value)))


def _takes(resource: Resource, name: str, value: Data) -> Data:
    """The value, or the next higher number that can be deployed, where a property takes few."""
    able = TAKES.get((resource.type, name), ())
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return next((number for number in able if number >= value), value)


def decided(scenario: Scenario, node: Node) -> str:
    """Why replacing a node takes a choice away from somebody; "" when it does not: nothing but the template decides."""
    pending = [node]
    while pending:
        current = pending.pop()
        call = function_of(current)
        if call is not None and call[0] in _CHOICES:
            return f"{_CHOICES[call[0]]} decides it now"
        if call is not None and call[0] not in _PLAIN:
            return f"{call[0]} decides it now"
        if call is not None and call[0] in ("Ref", "Fn::Sub"):
            told = next(filter(None, (_parameter(scenario, name) for name in mentioned(*call))), "")
            if told:
                return told
        if isinstance(current, MapNode):
            pending.extend(current.values.values())
        elif isinstance(current, ListNode):
            pending.extend(current.items)
    return ""


# Functions that choose, and those that put together what is there.
_CHOICES = {"Fn::FindInMap": "a mapping", "Fn::If": "a condition", "Fn::ImportValue": "what another stack exports"}
_PLAIN = ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split")


def _parameter(scenario: Scenario, name: str) -> str:
    """That a parameter decides, if a name is that of one."""
    if name in scenario.model.stacks.bindings:
        return f"what is handed to parameter {bare(name)} decides it now"
    return f"parameter {bare(name)} decides it now" if name in scenario.model.template.parameters else ""


def chosen(scenario: Scenario, node: Node) -> str:
    """Which parameter or mapping has a say in what stands at a node; "" when none has."""
    for call in calls(node):
        if call.function == "Fn::FindInMap":
            return "a mapping decides it now"
        told = next(filter(None, (_parameter(scenario, name) for name in mentioned(call.function, call.argument))), "")
        if told:
            return told
    call_here = function_of(node)
    return "a condition decides it now" if call_here is not None and call_here[0] == "Fn::If" else ""


class Home(NamedTuple):
    """The map that a template consists of, and where it is written."""

    node: MapNode
    at: At


def root_of(scenario: Scenario, resource: Resource) -> Home:
    """The template that a resource is written in."""
    stack = scenario.model.stacks.stack_of(resource.id)
    template = scenario.model.template if stack is None else stack.template
    place = at(template.root)
    return Home(template.root, place if stack is None else place._replace(file=stack.file))


def holds(outer: Node, node: Node) -> bool:
    """Tell whether a node is another one, or below it."""
    pending = [outer]
    while pending:
        current = pending.pop()
        if current is node:
            return True
        if isinstance(current, MapNode):
            pending.extend(current.values.values())
        elif isinstance(current, ListNode):
            pending.extend(current.items)
    return False


def spelt(value: Data) -> str:
    """A value in a title."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else "what is asked for"


def name_of(scenario: Scenario, here: Resource, target: Resource) -> Data | None:
    """How a resource says the name of another one, as `Ref` gives it; None when it cannot.

    That is a reference in its own stack, and a parameter of its stack that the other one is handed to.
    """
    return _told(scenario, here, target, "Ref", "")


def arn_of(scenario: Scenario, here: Resource, target: Resource) -> Data | None:
    """How a resource says the ARN of another one; None when it cannot."""
    return _told(scenario, here, target, "Fn::GetAtt", "Arn")


def _told(scenario: Scenario, here: Resource, target: Resource, function: str, attribute_name: str) -> Data | None:
    own, other = (scenario.model.stacks.stack_of(item.id) for item in (here, target))
    if own is other:
        name = bare(target.id)
        return {"Ref": name} if function == "Ref" else {"Fn::GetAtt": [name, attribute_name]}
    for name, binding in scenario.model.stacks.bindings.items():
        if scenario.model.stacks.stack_of(name) is own and _names(binding.argument, target, attribute_name):
            return {"Ref": bare(name)}
    return None


def _names(node: Node, target: Resource, attribute_name: str) -> bool:
    """Tell whether a node is a reference to a resource, or to an attribute of it."""
    call = function_of(node)
    if call is None:
        return False
    function, argument = call
    if isinstance(argument, ListNode):
        parts = [item.value for item in argument.items if isinstance(item, TextNode)]
    else:
        parts = argument.value.split(".", 1) if isinstance(argument, TextNode) else []
    wanted = [target.id, attribute_name] if attribute_name else [target.id]
    return function == ("Fn::GetAtt" if attribute_name else "Ref") and parts == wanted


def same_stack(scenario: Scenario, one: Resource, other: Resource) -> bool:
    """Tell whether two resources are written in one template, where either can refer to the other."""
    return scenario.model.stacks.stack_of(one.id) is scenario.model.stacks.stack_of(other.id)
