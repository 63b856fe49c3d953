"""Templates that are scanned together are one world: this finds out which of them belong together, and joins them.

A template that another one makes a stack of is looked at with what its parent hands it, once for each parent. Stacks
that import from each other are looked at together. Names of exports need not be literal: an import and an export belong
together when the shapes of their names fit and no other export's does. Stacks that speak of the same thing by its
physical name are looked at together, too, each in an account and a Region of its own unless these are known.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model, Pins, Returns
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.scenarios.values import Pieces
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.stacks.composing import composed
from trailguard.cloudformation.stacks.exchanges import Taken, exports_of, imports_of
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.stacks.stacks import Stack, Stacks
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.exports import End, Exports, ambiguous, own_names, shapes, take_turns
from trailguard.cloudformation.world.names import Key, Namesakes, Naming, Role, spoken_of
from trailguard.cloudformation.world.standing import NOTHING_STANDS, Standing, Stands, Wanted, unsettled
from trailguard.cloudformation.world.trees import Locate, Member, Trees
from trailguard.cloudformation.world.unmade import unmade


class Group(NamedTuple):
    """What is judged together: the numbers of some trees of stacks, and the files that these come from."""

    trees: tuple[int, ...]
    files: tuple[str, ...]


class Unit(NamedTuple):
    """What is judged together, as one template: made of one stack or of several."""

    template: Template
    stacks: Stacks | None
    pins: Pins


_Linked: TypeAlias = "tuple[Stack, list[Taken], list[tuple[TextNode, Node, MapNode]]]"  # what a stack imports, exports


class Matter(NamedTuple):
    """What makes stacks belong together.

    `concerns` tells whether a template may hold something to judge. A stack belongs with those that import from each
    other where `counts` tells of the import that it may count for the one that imports, or `has_say` that it may for
    the one that exports: a policy that is put on an imported bucket. `naming` tells which resources speak of things by
    their names.
    """

    concerns: Callable[[Template], bool]
    counts: Callable[[Taken], bool]
    has_say: Callable[[Taken], bool]
    naming: Naming


class World:
    """Members and how they belong together. `remarks` tell what did not fit.

    `stands` gives what exists already of what some of them speak of.
    """

    def __init__(
        self,
        members: Sequence[Member],
        pins: Pins,
        returns: Returns,
        locate: Locate,
        matter: Matter,
        stands: Stands = NOTHING_STANDS,
    ) -> None:
        self._stands = stands
        self._pins = pins
        self._returns = returns
        self._matter = matter
        self._composed: dict[int, tuple[Template, Stacks]] = {}  # trees of several stacks, by the number of their root
        self._take(Trees(members, pins, returns, locate))
        dead = unmade(self._trees, self._scenarios, matter.concerns)
        if dead:
            self._composed.clear()
            self._take(Trees(members, pins, returns, locate, dead))
        self._linked: dict[int, list[_Linked]] = {}  # by the number of the tree
        self._wanted: dict[int, list[End]] = {}
        self._meant: dict[tuple[int, int], tuple[End, ...] | str] = {}  # what each import takes, or why it is not known
        self._tied = _Sets(len(self._trees))  # the trees that import from each other: in one account and Region
        self._groups = self._joined()

    def _take(self, made: Trees) -> None:
        self._made = made
        self._members, self._trees, self.remarks = made.members, made.trees, made.remarks
        self._unread, self._hidden = made.unread, made.hidden

    def groups(self, files: Container[str]) -> Iterator[Group]:
        """What is judged together, as far as one of some files takes part in it. All of them cover every member."""
        for numbers in self._groups:
            found = dict.fromkeys(stack.file for number in numbers for stack in self._trees[number])
            if any(file in files for file in found):
                yield Group(tuple(numbers), tuple(found))

    def stacks(self) -> Iterator[Stack]:
        """All stacks."""
        return (stack for tree in self._trees for stack in tree)

    def _joined(self) -> list[list[int]]:
        """The numbers of the trees that have a say in what is judged of each other."""
        joined = _Sets(len(self._trees))
        seen: set[int] = set()
        for number in self._made.again:
            for end in self._imports(number):
                self._meant[end.stack.number, end.place] = "it is judged by itself here, without what it imports from"
        for seed, tree in enumerate(self._trees):
            if seed in self._made.again or not any(self._matter.concerns(stack.template) for stack in tree):
                continue
            pending = [seed]
            while pending:
                number = pending.pop()
                joined.join(seed, number)
                if number not in seen:
                    seen.add(number)
                    for other in self._related(number):
                        self._tied.join(number, other)
                        pending.append(other)
                    pending.extend(self._namesakes.related(number))
        return joined.groups()

    @property
    def _whole(self) -> range:
        """The numbers of the trees, without those that are only looked at again."""
        return range(self._made.again.start)

    @cached_property
    def _namesakes(self) -> Namesakes:
        """Which trees speak of what by its name. A tree by itself needs not be asked."""
        numbers = self._whole if len(self._trees) > 1 else ()
        return Namesakes((number, self._spoken_of(number)) for number in numbers)

    def _spoken_of(self, number: int) -> Iterator[tuple[Key, Role]]:
        naming = self._matter.naming
        if any(
            item.type in naming.types for stack in self._trees[number] for item in stack.template.resources.values()
        ):
            yield from spoken_of(self._scenarios(number, is_placed=True).model, naming)

    def _related(self, number: int) -> Iterator[int]:
        """The trees that a tree imports from, and those that import from it and have a say in what it is."""
        for end in self._imports(number):
            found = self._exports.fitting(end, self._environment)
            key = (end.stack.number, end.place)
            if len(found) > 1 and not take_turns(found):
                self._meant[key] = ambiguous(end, found)
            elif found and (macros := found[0].stack.template.macros):
                self._meant[key] = f"macro {macros[0]} may rewrite {found[0].stack.file}, which exports it"
            elif found:
                self._meant[key] = tuple(found)
                if end.counts:
                    yield found[0].tree
        if any(exports for _, _, exports in self._names(number)):
            yield from self._takers.get(number, ())

    @cached_property
    def _exports(self) -> Exports:
        """The exports of all trees."""
        return Exports(end for number in self._whole for end in self._ends(number, exports=True))

    @cached_property
    def _takers(self) -> Mapping[int, Sequence[int]]:
        """For each tree, those that import from it and have a say in what it is."""
        found: dict[int, list[int]] = {}
        for number in self._whole:
            for end in self._imports(number):
                exports = self._exports.fitting(end, self._environment) if end.has_say else []
                is_one = len(exports) == 1 or (len(exports) > 1 and take_turns(exports))
                if is_one and not exports[0].stack.template.macros:
                    found.setdefault(exports[0].tree, []).append(number)
        return found

    def _environment(self, tree: int) -> tuple[str | None, str | None]:
        """The account and the Region of a tree, as far as they are known."""
        return self._members[id(self._trees[tree][0].template)].environment

    def _names(self, number: int) -> list[_Linked]:
        """What the stacks of a tree import and export."""
        if number not in self._linked:
            tree = self._trees[number]
            parts = [(stack, stack.template.root.values if len(tree) == 1 else stack.sections) for stack in tree]
            self._linked[number] = [(stack, list(imports_of(part)), list(exports_of(part))) for stack, part in parts]
        return self._linked[number]

    def _imports(self, number: int) -> list[End]:
        if number not in self._wanted:
            self._wanted[number] = list(self._ends(number, exports=False))
        return self._wanted[number]

    def _ends(self, number: int, *, exports: bool, is_placed: bool = False) -> Iterator[End]:
        """The imports or the exports of a tree, each with the shapes that its name can have."""
        linked = self._names(number)
        if not any(given if exports else taken for _, taken, given in linked):
            return
        scenarios = self._scenarios(number, is_placed)
        for stack, taken, given in linked:
            if exports:
                for index, (key, name, _) in enumerate(given):
                    yield End(stack, index, bare(key.value), number, self._shapes(scenarios, name, number))
                continue
            for index, use in enumerate(taken):
                names = self._shapes(scenarios, use.name, number)
                yield End(stack, index, "", number, names, self._matter.counts(use), self._matter.has_say(use))

    @staticmethod
    def _shapes(scenarios: Scenarios, name: Node, number: int) -> tuple[Pieces, ...]:
        return tuple(own_names(shape, number) for shape in shapes(scenarios, name))

    def _scenarios(self, number: int, is_placed: bool = False) -> Scenarios:
        """The scenarios of a tree by itself; if it `is_placed`, in the account and Region that are known of it."""
        tree = self._trees[number]
        pins = self._pins_of([number])
        if not is_placed:
            pins = pins._replace(account_id=self._pins.account_id, region=self._pins.region)
        if len(tree) == 1:
            return Scenarios(Model(tree[0].template, pins, self._returns))
        if tree[0].number not in self._composed:
            self._composed[tree[0].number] = composed(tree)
        template, stacks = self._composed[tree[0].number]
        return Scenarios(Model(template, pins, self._returns, stacks))

    def _pins_of(self, numbers: Sequence[int]) -> Pins:
        """What is fixed for some trees in one account and Region; the first one's parameters are among it."""
        member = self._members[id(self._trees[numbers[0]][0].template)]
        account, region = next((place for number in numbers if any(place := self._environment(number))), (None, None))
        return self._pins._replace(
            parameters={**self._pins.parameters, **member.parameters},
            account_id=account or self._pins.account_id,
            region=region or self._pins.region,
        )

    def _sites(self, numbers: Sequence[int]) -> list[list[int]]:
        """Trees in groups that are in one account and Region: they import from each other, or both are known."""
        sites = _Sets(len(self._trees))
        first: dict[object, int] = {}
        for number in numbers:
            place = self._environment(number)
            for key in (self._tied.find(number), *([place] if all(place) else [])):
                sites.join(number, first.setdefault(key, number))
        found: dict[int, list[int]] = {}
        for number in numbers:
            found.setdefault(sites.find(number), []).append(number)
        return list(found.values())

    def unit(self, group: Group) -> Unit:
        """One template of all that is judged together."""
        here, *elsewhere = self._sites(group.trees)
        trees = {number: self._trees[number] for number in group.trees}
        for site in elsewhere:
            lead = self._trees[site[0]][0]
            trees.update((number, self._made.apart(trees[number][0], lead)) for number in site)
        stacks = [stack for number in group.trees for stack in trees[number]]
        root = stacks[0]
        pins = self._pins_of(here)
        meant = self._meant_in(stacks)
        standing = self._standing(group.trees, trees, pins)
        stacks += [stack for tree in standing.trees for stack in tree]
        if len(stacks) == 1 and not meant and not self._unread.get(root.number) and not _is_known(root):
            return Unit(root.template, None, pins)
        known = self._composed.get(root.number) if len(trees) == 1 and not standing.trees else None
        template, joined = known or composed(stacks)
        joined.exporters.update(standing.exporters())
        members = {stack.number: stack for stack in stacks}
        for (stack, index), found in meant.items():
            node = stack.imports[index].node
            if isinstance(found, str):
                joined.unexported[id(node)] = found
            else:
                exports = [members[export.stack.number].exports[export.place] for export in found]
                joined.exporters[id(node)] = tuple(exports)
        for tree in trees.values():
            joined.unread.update(self._unread.get(tree[0].number, {}))
            joined.hidden.update(self._hidden.get(tree[0].number, ()))
        return Unit(template, joined, pins)

    def _standing(self, numbers: Sequence[int], trees: Mapping[int, list[Stack]], pins: Pins) -> Standing:
        """What exists of what some trees speak of, in stacks of its own."""
        if self._stands is NOTHING_STANDS:
            return Standing((), ())
        members = [self._members[id(self._trees[number][0].template)] for number in numbers]
        stacks = [stack for number in numbers for stack in trees[number]]
        names = {(text, role) for number in numbers for (_, text), role in self._spoken_of(number)}
        ends = [end for number in numbers for end in self._ends(number, exports=False, is_placed=True)]
        takes = unsettled(ends, stacks, self._meant)
        found = self._stands(Wanted(members, stacks, names, [shape for _, all_ in takes for shape in all_], pins))
        last = max(stack.number for tree in self._trees for stack in tree)
        sites = {self._environment(number): tree[0].site for number, tree in trees.items() if tree[0].site}
        sites[pins.account_id, pins.region] = ""  # that of the first
        made = [
            self._made.standing(member, number, sites.get(member.environment))
            for number, member in enumerate(found, last + 1)
        ]
        return Standing(made, takes)

    def _meant_in(self, stacks: Sequence[Stack]) -> dict[tuple[Stack, int], tuple[End, ...] | str]:
        """What the imports of some stacks take from each other, or why that is not known."""
        known = {stack.number: stack for stack in stacks}
        return {
            (known[number], index): export
            for (number, index), export in self._meant.items()
            if number in known and (isinstance(export, str) or export[0].stack.number in known)
        }


def _is_known(root: Stack) -> bool:
    """Tell whether more is known of a stack than its template says."""
    return root.observed is not None or root.deployed is not None


class _Sets:
    """Which trees belong together."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def find(self, item: int) -> int:
        """The first of those that belong with a tree."""
        while self._parents[item] != item:
            self._parents[item] = item = self._parents[self._parents[item]]
        return item

    def join(self, one: int, other: int) -> None:
        """Put two trees, and all that belong to them, together."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parents[second] = first

    def groups(self) -> list[list[int]]:
        """The trees that belong together, in their order."""
        found: dict[int, list[int]] = {}
        for item in range(len(self._parents)):
            found.setdefault(self.find(item), []).append(item)
        return list(found.values())
