"""Stacks that are looked at together, made into one template.

The templates of a parent stack and its nested stacks, or of stacks that import from each other, become one: the names
of each stack get an ending of their own, a child's parameters are bound to what its parent hands it, and what one
stack gives to another is found. Everything that knows a template then knows all of them.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import (
    MapNode,
    Node,
    TextNode,
    mapping_at,
    scalar_at,
)
from trailguard.cloudformation.stacks.exchanges import both_of, condition_named, condition_of, exports_of, imports_of
from trailguard.cloudformation.stacks.observed import Deployed, Looks, Observed, Twin
from trailguard.cloudformation.stacks.renaming import Renamer, bare, mark, number_of, spell
from trailguard.cloudformation.template.references import Way, calls, mentioned, named
from trailguard.cloudformation.template.template import Parameter, Template, function_of

# The sections of a template in which names are defined.
NAMED = ("Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs")


class Binding(NamedTuple):
    """A parameter of a nested stack and what its parent hands it."""

    parameter: Parameter
    argument: Node
    always: bool  # whether the nested stack is always made


class Export(NamedTuple):
    """An output that other stacks may import: the node of its name, and all that it says."""

    stack: Stack
    key: TextNode
    name: Node
    output: MapNode

    @property
    def owner(self) -> str:
        """Who exports it, for people."""
        return self.stack.observed.told(bare(self.key.value)) if self.stack.observed else self.stack.file


class Import(NamedTuple):
    """A use of `Fn::ImportValue`: the whole call, the name, and where in its stack it stands."""

    stack: Stack
    node: Node
    name: Node
    way: Way


class Arguments(NamedTuple):
    """What makes a stack that is no root: the resource, what it hands down, and whether it works in other accounts."""

    parent: Stack
    maker: str
    values: Mapping[str, Node] | Node
    is_set: bool
    label: str = ""

    @property
    def condition(self) -> TextNode | None:
        """The condition under which the stack is made."""
        return condition_of(self.parent.resource(self.maker))


class Stack:
    """One stack of a template, its names told apart from those of all other stacks.

    `site` is the ending of the account and Region of a root about which nothing tells that it is where the others are.
    `observed` tells that what is in it exists already, `deployed` as which stack its template was deployed before.
    """

    def __init__(
        self,
        number: int,
        file: str,
        template: Template,
        arguments: Arguments | None = None,
        pins: Mapping[str, str] = {},
        site: str = "",
        observed: Observed | None = None,
        deployed: Deployed | None = None,
    ) -> None:
        self.site = site
        self.observed = observed
        self.deployed = deployed
        self.is_borrowed = False  # whether its template is known from what was deployed only
        self.number = number
        self.ending = mark(number)
        self.file = file
        self.template = template
        self.arguments = arguments
        self.constants: dict[str, str] = {
            name + self.ending: value for name, value in pins.items() if name in template.parameters or "::" in name
        }
        self.pinned = frozenset(self.constants)
        self.bindings = self._bound(arguments) if arguments is not None else {}
        self._rename = Renamer(self.ending, file, self.place)
        self._sections: dict[str, MapNode] | None = None
        self._imports: list[Import] | None = None
        self._exports: list[Export] | None = None

    @property
    def sections(self) -> dict[str, MapNode]:
        """The sections of its template in its own names, copied when they are needed."""
        if self._sections is None:
            rename = self._rename
            ways = {"Conditions": rename.test, "Rules": rename.test, "Resources": rename.resource}
            ways["Outputs"] = rename.resource
            parts = ((name, self.template.root.values.get(name)) for name in NAMED)
            copied = ((name, rename.entries(part, ways.get(name, rename.copy))) for name, part in parts)
            self._sections = {name: part for name, part in copied if part is not None}
            for name in self.bindings:
                section = self._sections["Parameters"]
                del section.keys[name], section.values[name]
            condition = self.arguments.condition if self.arguments is not None else None
            if condition is not None:
                self._only_when(condition)
        return self._sections

    @property
    def imports(self) -> list[Import]:
        """What it imports."""
        if self._imports is None:
            self._imports = [Import(self, *found[:3]) for found in imports_of(self.sections)]
        return self._imports

    @property
    def exports(self) -> list[Export]:
        """What it exports."""
        if self._exports is None:
            self._exports = [Export(self, *found) for found in exports_of(self.sections)]
        return self._exports

    @property
    def place(self) -> str:
        """The ending of its account and Region: a stack set, with what is below it, works in others than its parent."""
        arguments = self.arguments
        if arguments is None:
            return self.site
        return self.ending if arguments.is_set else arguments.parent.place

    @property
    def root(self) -> Stack:
        """The stack that somebody deploys, which makes this one."""
        return self if self.arguments is None else self.arguments.parent.root

    def handed(self, arguments: Mapping[str, Node] | Node) -> Mapping[str, Node] | Node:
        """What one of its resources hands to the stack that it makes, in its own names."""
        if isinstance(arguments, Node):
            return self._rename.copy(arguments)
        return {name: self._rename.copy(node) for name, node in arguments.items()}

    def resource(self, name: str) -> Node:
        """What a resource says."""
        return self._entries("Resources")[name]

    @property
    def resources(self) -> Iterable[str]:
        """The names of its resources."""
        return [name for name in self._entries("Resources") if not name.startswith("Fn::")]

    def output(self, name: str) -> Node | None:
        """What an output says."""
        return self._entries("Outputs").get(name + self.ending)

    def _entries(self, section: str) -> Mapping[str, Node]:
        found = self.sections.get(section)
        return found.values if found is not None else {}

    def _bound(self, arguments: Arguments) -> dict[str, Binding]:
        """What its parent hands to its parameters; those that get nothing have their default, which is a constant."""
        given = arguments.values
        always = arguments.condition is None
        found: dict[str, Binding] = {}
        for name, parameter in self.template.parameters.items():
            if parameter.is_stored:
                continue
            renamed = name + self.ending
            argument = given.get(name) if isinstance(given, dict) else given
            if isinstance(argument, Node):
                found[renamed] = Binding(parameter._replace(name=renamed), argument, always)
            elif parameter.default is not None:
                self.constants[renamed] = parameter.default
        return found

    def _only_when(self, condition: TextNode) -> None:
        """Make what is in the stack only where the stack itself is made."""
        conditions = self.sections.setdefault("Conditions", mapping_at(condition))
        for body in self._entries("Resources").values():
            if not isinstance(body, MapNode):
                continue
            own = body.values.get("Condition")
            name = scalar_at(condition, condition.value)
            if isinstance(own, TextNode):
                name = scalar_at(own, f"{own.value}+{condition.value}")
                conditions.keys.setdefault(name.value, name)
                conditions.values.setdefault(name.value, both_of(own, condition_named(own), condition_named(condition)))
            body.keys["Condition"] = name
            body.values["Condition"] = name
        for rule in self._entries("Rules").values():
            if isinstance(rule, MapNode):
                own = rule.values.get("RuleCondition")
                made = condition_named(condition)
                rule.keys.setdefault("RuleCondition", scalar_at(condition, "RuleCondition"))
                rule.values["RuleCondition"] = made if own is None else both_of(condition, own, made)


class Stacks:
    """The stacks that a template is made of, and what they give each other. Without any, the template is one stack."""

    def __init__(self, members: Iterable[Stack] = ()) -> None:
        self.members = {stack.number: stack for stack in members}
        self.bindings: dict[str, Binding] = {}
        self.constants: dict[str, str] = {}
        self.pinned: frozenset[str] = frozenset()  # the constants that somebody gave
        self.children: dict[str, list[Stack]] = {}  # by the resource that makes them
        self.exporters: dict[int, tuple[Export, ...]] = {}  # by the id of the call; of several, one is there
        self.unexported: dict[int, str] = {}  # why it is not known who exports, likewise
        self.unread: dict[str, str] = {}  # why the template of a nested stack is not known, by resource
        self.hidden: set[str] = set()  # the resources whose stacks are not known and may hold what is looked for
        self.generated: dict[str, Mapping[str, str]] = {}  # what AWS made up for resources that exist
        for stack in self.members.values():
            for known in (stack.deployed, stack.observed):
                named = known.generated.items() if known is not None else ()
                self.generated.update((name + stack.ending, values) for name, values in named)
            self.bindings.update(stack.bindings)
            self.constants.update(stack.constants)
            self.pinned |= stack.pinned
            if stack.arguments is not None:
                self.children.setdefault(stack.arguments.maker, []).append(stack)
        self.looks = Looks(stack.observed for stack in self.members.values())
        self._before: dict[int, list[tuple[Iterable[str], Way]]] = {}

    def stack_of(self, name: str) -> Stack | None:
        """The stack that a name belongs to."""
        number = number_of(name)
        return self.members.get(number) if number is not None else None

    def observed(self, name: str) -> Observed | None:
        """What tells that a resource exists already; None where a template makes it."""
        stack = self.stack_of(name) if self.members else None
        return stack.observed if stack is not None else None

    def twin(self, name: str) -> Twin | None:
        """The resource as it exists, or for what exists as its stack made it; None where that is not known."""
        stack = self.stack_of(name) if self.members else None
        known = (stack.observed or stack.deployed) if stack is not None else None
        return known.twins.get(bare(name)) if known is not None else None

    def scope(self, name: str) -> str:
        """The ending of the account and Region in which a resource is made; "" for those that the roots share."""
        stack = self.stack_of(name)
        return stack.place if stack is not None else ""

    def root_of(self, name: str) -> int:
        """The number of the root whose tree a resource is in; 0 where there is one stack only."""
        stack = self.stack_of(name) if self.members else None
        return stack.root.number if stack is not None else 0

    def makers(self, name: str) -> list[str]:
        """The resources that make the stack of a resource, the innermost first."""
        found = []
        stack = self.stack_of(name)
        while stack is not None and stack.arguments is not None:
            found.append(stack.arguments.maker)
            stack = stack.arguments.parent
        return found

    def meeting(self, one: str, other: str) -> tuple[str, str] | None:
        """The resources of one stack that are, or make the stacks of, two resources; None when no stack holds both."""
        if not self.members:
            return one, other
        ways = {id(self.stack_of(name)): name for name in reversed([one, *self.makers(one)])}
        return next(
            ((ways[key], name) for name in [other, *self.makers(other)] if (key := id(self.stack_of(name))) in ways),
            None,
        )

    def awaited(self, name: str) -> Iterator[tuple[Iterable[str], Way]]:
        """What is complete before a resource is made, apart from what it refers to, and under which conditions.

        A nested stack is complete when all in it is; a stack that imports from another one comes after all of it.
        """
        for child in self.children.get(name, ()):
            yield child.resources, ()
        stack = self.stack_of(name)
        while stack is not None:
            yield from self._imported(stack)
            stack = stack.arguments.parent if stack.arguments is not None else None

    def _imported(self, stack: Stack) -> list[tuple[Iterable[str], Way]]:
        known = self._before.get(stack.number)
        if known is None:
            found: dict[tuple[int, Way], Stack] = {}
            for item in stack.imports:
                for export in self.exporters.get(id(item.node), ()):
                    found.setdefault((export.stack.number, item.way), export.stack)
            known = self._before[stack.number] = [(made.resources, way) for (_, way), made in found.items()]
        return known

    def references(self, node: Node) -> Iterator[tuple[str, Way]]:
        """The names that are mentioned below a node, also by what comes from other stacks, each with its branches."""
        pending: list[tuple[Node, Way]] = [(node, ())]
        seen: set[int] = set()
        while pending:
            current, way = pending.pop()
            if id(current) in seen:
                continue
            seen.add(id(current))
            for call in calls(current):
                here = (*way, *call.way)
                yield from ((name, here) for name in mentioned(call.function, call.argument))
                pending.extend((origin, here) for origin in self._origins(call.function, call.argument, call.node))

    def _origins(self, function: str, argument: Node, node: Node) -> Iterator[Node]:
        """Where what a call gives comes from in other stacks."""
        yield from (export.output for export in self.exporters.get(id(node), ()))
        for name in named(function, argument):
            target, _, attribute = name.partition(".")
            if target in self.bindings:
                yield self.bindings[target].argument
            for child in self.children.get(target, ()):
                output = child.output(attribute.removeprefix("Outputs."))
                if output is not None:
                    yield output

    def label(self, number: int, home: str) -> str:
        """What a stack is called in a file: its own file, seen from there if below, and what makes it if several do."""
        stack = self.members[number]
        seen = posixpath.relpath(stack.file, posixpath.dirname(home) or ".")
        file = stack.file if seen.startswith("..") else seen
        twins = [other for other in self.members.values() if other.file == stack.file]
        return file if len(twins) < 2 else f"{file} ({way_to(stack) or 'itself'})"

    def parameter(self, parameter: str, name: str) -> str:
        """A parameter for people who look at the stack of a named resource: those of its root are told bare."""
        own, stack = self.stack_of(name), self.stack_of(parameter)
        if own is None or stack is None or stack is own.root:
            return bare(parameter)
        return f"{self.label(stack.number, own.file)}:{bare(parameter)}"

    def spell(self, text: str, name: str) -> str:
        """A text for people who look at the stack of a named resource: names of other stacks are told with theirs."""
        own = self.stack_of(name)
        if own is None:
            return bare(text)
        return spell(text, partial(self._told, own))

    def _told(self, own: Stack, number: int, word: str) -> str:
        """A name of some stack for people who look at one of them."""
        if number in self.members and (seen := self.members[number].observed) is not None and word in seen.titles:
            return seen.told(word)
        return word if number == own.number else f"{self.label(number, own.file)}:{word}"


def way_to(stack: Stack) -> str:
    """The logical IDs of the nested stacks that lead to a stack: `Audit/Inner`; "" for a root."""
    names = []
    while stack.arguments is not None:
        names.append(bare(stack.arguments.maker) + (f"[{stack.arguments.label}]" if stack.arguments.label else ""))
        stack = stack.arguments.parent
    return "/".join(reversed(names))


def came_from(stacks: Stacks, node: Node) -> Iterator[tuple[Node, str]]:
    """Where in other stacks a value comes from: what a parent hands down, the output that is imported or handed up."""
    seen: set[int] = set()
    pending = [node]
    while pending and (stacks.bindings or stacks.exporters or stacks.children):
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        function = function_of(current)
        if function is None:
            continue
        for export in stacks.exporters.get(id(current), ()):
            yield export.output, f"what {export.owner} exports"
        for name in mentioned(*function):
            binding = stacks.bindings.get(name)
            if binding is not None:
                yield binding.argument, f"what is handed to parameter {name}"
                pending.append(binding.argument)
