"""What exists already beside the templates, as far as these speak of it: stacks that nobody has to make.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.scenarios.values import Pieces
from trailguard.cloudformation.source.nodes import TextNode
from trailguard.cloudformation.stacks.stacks import Export, Import, Stack
from trailguard.cloudformation.world.exports import End
from trailguard.cloudformation.world.names import Role
from trailguard.cloudformation.world.trees import Member


class Wanted(NamedTuple):
    """What some templates speak of: themselves as members and stacks, the names that they use, what they import.

    `names` and `imports` are texts in which something may be left open; with a name goes whether something of it is
    made, said or just used. `pins` is what is fixed for the first of them.
    """

    members: Sequence[Member]
    stacks: Sequence[Stack]
    names: Set[tuple[Pieces, Role]]
    imports: Sequence[Pieces]
    pins: Pins


# Gives what exists of what is wanted: members that were observed, each for an account and a Region.
Stands: TypeAlias = "Callable[[Wanted], Sequence[Member]]"


def NOTHING_STANDS(wanted: Wanted) -> Sequence[Member]:  # noqa: N802 - it is compared with, like a constant
    """Say that nothing is known of what exists."""
    return ()


Taken: TypeAlias = "tuple[Import, tuple[Pieces, ...]]"  # an import, and the names that it can have


def unsettled(
    ends: Iterable[End], stacks: Iterable[Stack], meant: Mapping[tuple[int, int], tuple[End, ...] | str]
) -> list[Taken]:
    """The imports of some stacks of which no template is known to export what is `meant`."""
    known = {stack.number: stack for stack in stacks}
    left = (end for end in ends if not isinstance(meant.get((end.stack.number, end.place)), tuple))
    return [(known[end.stack.number].imports[end.place], end.shapes) for end in left if end.stack.number in known]


class Standing(NamedTuple):
    """The trees of what exists, and the imports that it may settle, with the names that each can have."""

    trees: Sequence[Sequence[Stack]]
    imports: Sequence[Taken]

    def exporters(self) -> Mapping[int, tuple[Export, ...]]:
        """What settles each import, by the identity of its call: the one export that exists under its name."""
        offered: dict[str, list[Export]] = {}
        for tree in self.trees:
            for export in (item for stack in tree for item in stack.exports):
                name = export.name.value if isinstance(export.name, TextNode) else ""
                offered.setdefault(name, []).append(export)
        found: dict[int, tuple[Export, ...]] = {}
        for taken, shapes in self.imports:
            names = {shape[0] if len(shape) == 1 and isinstance(shape[0], str) else None for shape in shapes}
            only = names.pop() if len(names) == 1 else None
            exports = offered.get(only, []) if only is not None else []
            if len(exports) == 1:
                found[id(taken.node)] = (exports[0],)
        return found
