"""Templates that are scanned together are one world: this finds out which of them belong together, and joins them.

A template that another one makes a stack of is looked at with what its parent hands it, once for each parent. Stacks
that import from each other are looked at together. Names of exports need not be literal: an import and an export belong
together when the shapes of their names fit and no other export's does.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.intrinsics import Unbuildable
from trailguard.cloudformation.model import Model, Pins
from trailguard.cloudformation.nesting import Nested, nested_of
from trailguard.cloudformation.renaming import bare
from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.scenarios import Scenarios, TooManyScenarios
from trailguard.cloudformation.source import Node
from trailguard.cloudformation.stacks import Arguments, Export, Import, Stack, Stacks, composed
from trailguard.cloudformation.template import Template
from trailguard.cloudformation.values import Piece, Text, show, text_of, trim

MAX_STACKS = 2000  # that one root makes: an operation on nested stacks is limited to 2,500 resources
MAX_DEPTH = 20

Returns: TypeAlias = "Mapping[str, Mapping[str, str]]"


class Member(NamedTuple):
    """A template of the world: its file as reports show it, and what is known of its deployment."""

    file: str
    template: Template
    parameters: Mapping[str, str] = {}
    environment: tuple[str | None, str | None] = (None, None)  # account and Region


class Remark(NamedTuple):
    """Something about how the templates belong together that their author should know."""

    file: str
    node: Node
    text: str


class Unit(NamedTuple):
    """What is judged together: one template, made of one stack or of several. `files` are those that it comes from."""

    template: Template
    stacks: Stacks | None
    files: tuple[str, ...]
    pins: Pins


# Finds the template that a resource of a member makes a stack of; a text says why there is none ("": no need to tell).
Locate: TypeAlias = "Callable[[Member, Nested], Member | str]"


class World:
    """Members and how they belong together. `units` cover every member; `remarks` tell what did not fit."""

    def __init__(self, members: Sequence[Member], pins: Pins, returns: Returns, locate: Locate) -> None:
        self._pins = pins
        self._returns = returns
        self._locate = locate
        self._numbers = count(1)
        self._nested: dict[int, list[tuple[Nested, Member | str]]] = {}
        self.remarks: list[Remark] = []
        self._unread: dict[int, dict[str, str]] = {}
        self._members = {id(member.template): member for member in members}
        self._trees = [self._tree(member) for member in self._roots()]
        self.units = list(self._units())

    # --- nested stacks --------------------------------------------------------------------------------------------

    def _children(self, member: Member) -> list[tuple[Nested, Member | str]]:
        """The stacks that a member makes, each with the member that it is a stack of, or why there is none."""
        key = id(member.template)
        if key not in self._nested:
            scenario = Scenario(Model(member.template, self._pins, self._returns), {})
            self._nested[key] = found = []
            for nested in nested_of(scenario):
                target = self._locate(member, nested)
                found.append((nested, target))
                if isinstance(target, str) and target:
                    self.remarks.append(Remark(member.file, nested.place, target))
        return self._nested[key]

    def _roots(self) -> list[Member]:
        """The members that no other one makes a stack of; of a circle, one member."""
        made: set[int] = set()
        pending = list(self._members)
        for key in pending:
            for _, target in self._children(self._members[key]):
                if isinstance(target, Member):
                    made.add(id(target.template))
                    if id(target.template) not in self._members:
                        self._members[id(target.template)] = target
                        pending.append(id(target.template))
        roots: list[Member] = []
        reached: set[int] = set()
        for key in [*(key for key in pending if key not in made), *pending]:
            if key not in reached:
                roots.append(self._members[key])
                self._reach(self._members[key], reached)
        return roots

    def _reach(self, member: Member, reached: set[int]) -> None:
        pending = [member]
        while pending:
            current = pending.pop()
            if id(current.template) not in reached:
                reached.add(id(current.template))
                pending.extend(target for _, target in self._children(current) if isinstance(target, Member))

    def _tree(self, member: Member) -> list[Stack]:
        """The stack of a root and all stacks that it makes, the parents first."""
        root = Stack(next(self._numbers), member.file, member.template, None, member.parameters)
        stacks = [root]
        line: dict[int, tuple[int, ...]] = {
            root.number: (id(member.template),)
        }  # the templates above each stack, itself included
        pending = [(root, member)]
        while pending:
            stack, owner = pending.pop()
            for nested, target in self._children(owner):
                maker = nested.resource.id + stack.ending
                why = self._refuse(stack, nested, target, line[stack.number], len(stacks))
                if why is not None or isinstance(target, str):
                    self._unread.setdefault(root.number, {})[maker] = why or _unread(nested)
                    continue
                arguments = Arguments(stack, maker, stack.handed(nested.arguments), nested.is_set, nested.label)
                child = Stack(next(self._numbers), target.file, target.template, arguments)
                self._tell_misfits(owner, nested, child)
                line[child.number] = (*line[stack.number], id(target.template))
                stacks.append(child)
                pending.append((child, target))
        return stacks

    def _refuse(
        self, stack: Stack, nested: Nested, target: Member | str, line: tuple[int, ...], size: int
    ) -> str | None:
        """Say why a nested stack cannot be followed; None when it can."""
        if isinstance(target, str):
            return None
        if id(target.template) in line:
            text = f"{nested.resource.id} makes a stack of {target.file}, which makes this one: a circle"
        elif size >= MAX_STACKS or len(line) >= MAX_DEPTH:
            text = f"{nested.resource.id} is one of too many nested stacks; {target.file} is not followed from here"
        else:
            return None
        self.remarks.append(Remark(stack.file, nested.place, text))
        return text

    def _tell_misfits(self, owner: Member, nested: Nested, child: Stack) -> None:
        given = nested.arguments
        if not isinstance(given, dict):
            return
        for name in child.unbound:
            text = f"{nested.resource.id} hands {child.file} nothing for its parameter {name}, which has no default"
            self.remarks.append(Remark(owner.file, nested.place, text))
        for name, node in given.items():
            if name not in child.template.parameters and not child.template.macros:
                text = f"{nested.resource.id} hands {child.file} a parameter {name} that it does not have"
                self.remarks.append(Remark(owner.file, node, text))

    # --- exports and imports --------------------------------------------------------------------------------------

    def _units(self) -> Iterator[Unit]:
        """Join the trees that import from each other."""
        ends: list[End] = [end for number, tree in enumerate(self._trees) for end in self._ends(number, tree)]
        exports = _Exports(end for end in ends if isinstance(end.item, Export))
        joined = _Sets(len(self._trees))
        exporters: dict[int, Export] = {}
        unexported: dict[int, str] = {}
        for end in ends:
            if isinstance(end.item, Export):
                continue
            call = end.item.node
            found = exports.fitting(end, self._environment)
            if len(found) == 1 and isinstance(export := found[0].item, Export):
                macros = export.stack.template.macros
                if macros:
                    reason = f"macro {macros[0]} may rewrite {export.stack.file}, which exports it"
                    unexported[id(call)] = reason
                    continue
                exporters[id(call)] = export
                joined.join(end.tree, found[0].tree)
            elif found:
                unexported[id(call)] = _ambiguous(end, found)
        for group in joined.groups():
            yield self._unit([self._trees[number] for number in group], exporters, unexported)

    def _environment(self, tree: int) -> tuple[str | None, str | None]:
        return self._place(self._trees[tree])

    def _place(self, tree: list[Stack]) -> tuple[str | None, str | None]:
        """The account and the Region of a tree, as far as they are known."""
        return self._members[id(tree[0].template)].environment

    def _ends(self, number: int, tree: list[Stack]) -> Iterator[End]:
        """The imports and exports of a tree, each with the shapes that its name can have."""
        if not any(stack.imports or stack.exports for stack in tree):
            return
        template, stacks = composed(tree)
        scenarios = Scenarios(Model(template, self._pins, self._returns, stacks))
        for stack in tree:
            items: list[Import | Export] = [*stack.imports, *stack.exports]
            for item in items:
                yield End(item, number, _shapes(scenarios, item.name))

    def _unit(self, trees: list[list[Stack]], exporters: dict[int, Export], unexported: dict[int, str]) -> Unit:
        stacks = [stack for tree in trees for stack in tree]
        root = self._members[id(stacks[0].template)]
        files = tuple(dict.fromkeys(stack.file for stack in stacks))
        account, region = next((place for tree in trees if any(place := self._place(tree))), (None, None))
        pins = self._pins._replace(
            parameters={**self._pins.parameters, **root.parameters},
            account_id=account or self._pins.account_id,
            region=region or self._pins.region,
        )
        if len(stacks) == 1 and not stacks[0].imports and not self._unread.get(stacks[0].number):
            return Unit(stacks[0].template, None, files, pins)
        template, joined = composed(stacks)
        imports = [id(item.node) for stack in stacks for item in stack.imports]
        joined.exporters = {key: exporters[key] for key in imports if key in exporters}
        joined.unexported = {key: unexported[key] for key in imports if key in unexported}
        for tree in trees:
            joined.unread.update(self._unread.get(tree[0].number, {}))
        return Unit(template, joined, files, pins)


class End(NamedTuple):
    """An import or an export, the tree that it is in, and the shapes that its name can have."""

    item: Import | Export
    tree: int
    shapes: tuple[tuple[Piece, ...], ...]


class _Exports:
    """Exports by their names, so that finding those that an import may mean does not take a look at each."""

    def __init__(self, ends: Iterable[End]) -> None:
        self._exact: dict[str, list[End]] = {}
        self._open: dict[str, list[End]] = {}  # by the last literal piece of the name
        for end in ends:
            for shape in end.shapes:
                exact = _exact(shape)
                table = self._open if exact is None else self._exact
                table.setdefault(_tail(shape) if exact is None else exact, []).append(end)

    def fitting(self, wanted: End, environment: Callable[[int], tuple[str | None, str | None]]) -> list[End]:
        """The exports that an import may mean. One with exactly the name is meant, whatever else would fit."""
        exact: dict[int, End] = {}
        others: dict[int, End] = {}
        here = environment(wanted.tree)
        for shape in wanted.shapes:
            name = _exact(shape)
            for end in self._exact.get(name, ()) if name is not None else ():
                exact[id(end.item)] = end
            tail = _tail(shape)
            tables = [self._open] if name is not None else [self._open, self._exact]
            for table in tables:
                for key, ends in table.items():
                    if key.endswith(tail) or tail.endswith(key):
                        others.update((id(end.item), end) for end in ends if _fits(shape, end))
        found = exact if exact and all(_exact(shape) is not None for shape in wanted.shapes) else {**others, **exact}
        return [
            end
            for end in found.values()
            if end.item.stack is not wanted.item.stack and _agree(here, environment(end.tree))
        ]


class _Sets:
    """Which trees belong together."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def _find(self, item: int) -> int:
        while self._parents[item] != item:
            self._parents[item] = item = self._parents[self._parents[item]]
        return item

    def join(self, one: int, other: int) -> None:
        """Put two trees, and all that belong to them, together."""
        first, second = sorted((self._find(one), self._find(other)))
        self._parents[second] = first

    def groups(self) -> list[list[int]]:
        """The trees that belong together, in their order."""
        found: dict[int, list[int]] = {}
        for item in range(len(self._parents)):
            found.setdefault(self._find(item), []).append(item)
        return list(found.values())


def _unread(nested: Nested) -> str:
    return f"the template of {nested.resource.id} is not among the scanned files"


def _ambiguous(end: End, found: list[End]) -> str:
    name = bare(show(Text(end.shapes[0], end.item.name))) if end.shapes else "it"
    exports = [other.item for other in found if isinstance(other.item, Export)]
    names = sorted({f"{export.stack.file} ({bare(export.key.value)})" for export in exports})
    return f'several scanned templates may export "{name}": {", ".join(names)}'


def _shapes(scenarios: Scenarios, name: Node) -> tuple[tuple[Piece, ...], ...]:
    """The texts that a name can be, parameters left open."""
    try:
        leaves = scenarios.explore(lambda scenario: text_of(scenario.resolve(name)))
    except (TooManyScenarios, Unbuildable):
        return ()
    return tuple(dict.fromkeys(leaf.answer.pieces for leaf in leaves if leaf.answer is not None))


def _exact(shape: tuple[Piece, ...]) -> str | None:
    return shape[0] if len(shape) == 1 and isinstance(shape[0], str) else None


def _tail(shape: tuple[Piece, ...]) -> str:
    return shape[-1] if shape and isinstance(shape[-1], str) else ""


def _fits(shape: tuple[Piece, ...], end: End) -> bool:
    return any(_alike(shape, other) for other in end.shapes)


def _alike(left: tuple[Piece, ...], right: tuple[Piece, ...]) -> bool:
    """Tell whether two texts may be the same, whatever their symbols stand for."""
    left, right = trim(left, right)
    for one, other in ((left, right), (right, left)):
        if not one and any(isinstance(piece, str) for piece in other):
            return False
    ends = ((left[:1], right[:1]), (left[-1:], right[-1:]))
    return not any(one and other and isinstance(one[0], str) and isinstance(other[0], str) for one, other in ends)


def _agree(one: tuple[str | None, str | None], other: tuple[str | None, str | None]) -> bool:
    """Tell whether two stacks may be in the same account and Region."""
    return all(left is None or right is None or left == right for left, right in zip(one, other, strict=True))
