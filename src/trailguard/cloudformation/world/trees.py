"""Trees of stacks: one for each template that no other one makes a stack of, with the stacks that are made in turn.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model, Pins, Returns
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.stacks.observed import Deployed, Observed
from trailguard.cloudformation.stacks.renaming import mark
from trailguard.cloudformation.stacks.stacks import Arguments, Stack
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.nesting import Nested, nested_of

MAX_STACKS = 2000  # that one root makes: an operation on nested stacks is limited to 2,500 resources
MAX_DEPTH = 20


class Member(NamedTuple):
    """A template of the world: its file as reports show it, and what is known of its deployment.

    `deployed` is the stack that was made of it before, `observed` tells that what is in it exists, `is_borrowed` that
    nobody has the template but who looked at that stack.
    """

    file: str
    template: Template
    parameters: Mapping[str, str] = {}
    environment: tuple[str | None, str | None] = (None, None)  # account and Region
    handed: Mapping[str, Node] = {}  # by the template that holds it as text, besides what its resource hands it
    deployed: Deployed | None = None
    observed: Observed | None = None
    is_borrowed: bool = False


class Remark(NamedTuple):
    """Something about how the templates belong together that their author should know."""

    file: str
    node: Node
    text: str


class Missing(NamedTuple):
    """Why a nested stack cannot be followed, "" where nobody needs to be told.

    `hides` tells that it may hold what is looked for.
    """

    text: str
    hides: bool


class Guess(NamedTuple):
    """A member that a resource may make a stack of: only a name speaks for it."""

    member: Member


# Finds the template that a resource of a member makes a stack of.
Locate: TypeAlias = "Callable[[Member, Nested], Member | Guess | Missing]"

# A resource that makes a stack: the identity of the document in which it stands, and its logical ID.
Maker: TypeAlias = "tuple[int, str]"


class Trees:
    """The trees of stacks of some members, and of those that these make stacks of.

    `trees` hold the stack of each root first, then those that it makes. `members` are all templates by their identity,
    `remarks` tell what did not fit, `unread` why stacks could not be followed: by the number of their root and by the
    resource that makes them. `hidden` are those among them that may hold what is looked for. `again` are the numbers of
    trees of which there is only a guess who makes a stack of their root: it is looked at by itself, too. `unmade` are
    resources that never make a stack.
    """

    def __init__(
        self,
        members: Sequence[Member],
        pins: Pins,
        returns: Returns,
        locate: Locate,
        unmade: Container[Maker] = (),
    ) -> None:
        self._unmade = unmade
        self._guessed: dict[int, Member] = {}  # by the identity of the document
        self._pins = pins
        self._returns = returns
        self._locate = locate
        self._nested: dict[int, list[tuple[Nested, Member | Missing]]] = {}
        self.remarks: list[Remark] = []
        self.unread: dict[int, dict[str, str]] = {}
        self.hidden: dict[int, set[str]] = {}
        self.members = {id(member.template): member for member in members}
        self.trees: list[list[Stack]] = []
        numbers = count(1)
        roots = self._roots()
        for member in roots:
            self.trees.append(self._tree(member, numbers))
        followed = {id(stack.template.document) for tree in self.trees for stack in tree}
        for member in list(self.members.values()):  # nested too deeply, or one of too many
            if id(member.template.document) not in followed:
                self.trees.append(self._tree(member, numbers))
                followed.update(id(stack.template.document) for stack in self.trees[-1])
        alone = {id(tree[0].template.document) for tree in self.trees}
        first = len(self.trees)
        self.trees += [self._tree(member, numbers) for key, member in self._guessed.items() if key not in alone]
        self.again = range(first, len(self.trees))

    def apart(self, root: Stack, site: Stack) -> list[Stack]:
        """The tree of a root anew, in the account and Region of some root's own; its stacks have the same numbers."""
        return self._tree(self.members[id(root.template)], count(root.number), site.ending)

    def standing(self, member: Member, number: int, site: str | None) -> list[Stack]:
        """The tree of what exists, in the account and Region of some root; None for that of its own."""
        return self._tree(member, count(number), mark(number) if site is None else site)

    def _children(self, member: Member) -> list[tuple[Nested, Member | Missing]]:
        """The stacks that a member makes, each with the member that it is a stack of, or why there is none."""
        key = id(member.template)
        if key not in self._nested:
            scenario = Scenario(Model(member.template, self._pins, self._returns), {})
            self._nested[key] = found = []
            for nested in nested_of(scenario):
                target = self._located(member, nested)
                found.append((nested, target))
                if isinstance(target, Missing) and target.text:
                    self.remarks.append(Remark(member.file, nested.place, target.text))
        return self._nested[key]

    def _located(self, member: Member, nested: Nested) -> Member | Missing:
        """The member that a resource makes a stack of, or why there is none."""
        target = self._locate(member, nested)
        name = nested.resource.id
        if isinstance(target, Missing):
            return _borrowed(member, name) or target
        guess, target = (target, target.member) if isinstance(target, Guess) else (None, target)
        is_made = (id(member.template.document), name) not in self._unmade
        if not is_made and nested.body is None:  # what is in a text stands nowhere by itself
            return Missing(f"{name} never makes a stack of {target.file}, which is judged by itself", False)
        if guess is not None:
            self._guessed.setdefault(id(target.template.document), target)
            text = f"{name} is assumed to make a stack of {target.file} because of its name alone"
            text += ", so that file is also judged by itself"
            self.remarks.append(Remark(member.file, nested.place, text))
        return target

    def _roots(self) -> list[Member]:
        """The members that no other one makes a stack of; of a circle, one member."""
        made: set[int] = set()
        pending = list(self.members)
        for key in pending:
            for _, target in self._children(self.members[key]):
                if isinstance(target, Member):
                    made.add(id(target.template.document))
                    if id(target.template) not in self.members:
                        self.members[id(target.template)] = target
                        pending.append(id(target.template))
        roots: list[Member] = []
        reached: set[int] = set()
        free = (key for key in pending if id(self.members[key].template.document) not in made)
        for key in [*free, *pending]:
            if id(self.members[key].template.document) not in reached:
                roots.append(self.members[key])
                self._reach(self.members[key], reached)
        return roots

    def _reach(self, member: Member, reached: set[int]) -> None:
        pending = [member]
        while pending:
            current = pending.pop()
            if id(current.template.document) not in reached:
                reached.add(id(current.template.document))
                pending.extend(target for _, target in self._children(current) if isinstance(target, Member))

    def _tree(self, member: Member, numbers: Iterator[int], site: str = "") -> list[Stack]:
        """The stack of a root and all stacks that it makes, the parents first."""
        known = zip(("AWS::AccountId", "AWS::Region"), member.environment if site else (), strict=False)
        pins = {**member.parameters, **{name: value for name, value in known if value is not None}}
        number = next(numbers)
        root = Stack(number, member.file, member.template, None, pins, site, member.observed, member.deployed)
        stacks = [root]
        # The templates above each stack, itself included.
        line: dict[int, tuple[int, ...]] = {root.number: (id(member.template.document),)}
        pending = [(root, member)]
        while pending:
            stack, owner = pending.pop()
            for nested, target in self._children(owner):
                maker = nested.resource.id + stack.ending
                why = self._refuse(stack, nested, target, line[stack.number], len(stacks))
                if why is not None or isinstance(target, Missing):
                    text = why or (target.text if isinstance(target, Missing) else "") or _unread(nested)
                    self.unread.setdefault(root.number, {})[maker] = text
                    if isinstance(target, Missing) and target.hides:
                        self.hidden.setdefault(root.number, set()).add(maker)
                    continue
                given = nested.arguments
                if isinstance(given, dict):
                    given = {**given, **target.handed}
                    self._tell_misfits(owner, nested, target, given)
                arguments = Arguments(stack, maker, stack.handed(given), nested.is_set, nested.label)
                twin = stack.deployed.nested.get(nested.resource.id) if stack.deployed is not None else None
                child = Stack(next(numbers), target.file, target.template, arguments, deployed=twin)
                child.is_borrowed = target.is_borrowed
                line[child.number] = (*line[stack.number], id(target.template.document))
                stacks.append(child)
                pending.append((child, target))
        return stacks

    def _refuse(
        self, stack: Stack, nested: Nested, target: Member | Missing, line: tuple[int, ...], size: int
    ) -> str | None:
        """Say why a nested stack cannot be followed; None when it can."""
        if isinstance(target, Missing):
            return None
        if id(target.template.document) in line:
            text = f"{nested.resource.id} makes a stack of {target.file}, which makes this one: a circle"
        elif size >= MAX_STACKS or len(line) >= MAX_DEPTH:
            text = f"{nested.resource.id} is one of too many nested stacks; {target.file} is judged by itself"
        else:
            return None
        self.remarks.append(Remark(stack.file, nested.place, text))
        return text

    def _tell_misfits(self, owner: Member, nested: Nested, child: Member, given: Mapping[str, Node]) -> None:
        parameters = child.template.parameters
        for item in parameters.values():
            if item.default is None and not item.is_stored and item.name not in given:
                text = f"{nested.resource.id} hands {child.file} nothing for its parameter {item.name}"
                self.remarks.append(Remark(owner.file, nested.place, text))
        for name, node in given.items():
            if name not in parameters and not child.template.macros:
                text = f"{nested.resource.id} hands {child.file} a parameter {name} that it does not have"
                self.remarks.append(Remark(owner.file, node, text))


def _borrowed(member: Member, name: str) -> Member | None:
    """What a stack was made of whose template is not there, as somebody saw it."""
    known = member.deployed.nested.get(name) if member.deployed is not None else None
    if known is None or known.template is None:
        return None
    return Member(known.file, known.template, deployed=known, is_borrowed=True)


def _unread(nested: Nested) -> str:
    return f"the template of {nested.resource.id} is not among the scanned files"
