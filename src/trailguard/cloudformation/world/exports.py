"""Which export an import means, when the names of both are known in part only.

Two names may be the same when their literal ends fit, and when what is literal in one of them is found in the other:
`${LogStack}-bucket` and `${AWS::StackName}-bucket` share a word. A name of which nothing is known fits nothing.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.scenarios import Scenarios, TooManyScenarios
from trailguard.cloudformation.scenarios.values import (
    VARIABLE,
    Piece,
    Pieces,
    Symbol,
    clash,
    join_pieces,
    text_of,
    trim,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.stacks.renaming import SHARED, bare
from trailguard.cloudformation.stacks.stacks import Stack

_WORD = re.compile(r"[A-Za-z0-9]{2,}")

Environment: TypeAlias = "tuple[str | None, str | None]"  # account and Region


class End(NamedTuple):
    """An import or an export: the stack, which of its imports or exports it is, and the shapes that its name can have.

    `output` is the output that exports, "" for an import; `tree` the tree of stacks that the stack is in. Of an import,
    `counts` tells that what it stands in may count, `has_say` that it may have a say in what is exported.
    """

    stack: Stack
    place: int
    output: str
    tree: int
    shapes: tuple[Pieces, ...]
    counts: bool = False
    has_say: bool = False


class Exports:
    """Exports by their names, so that finding those that an import may mean does not take a look at each."""

    def __init__(self, ends: Iterable[End]) -> None:
        self._exact: dict[str, list[End]] = {}
        self._by_word: dict[str, list[tuple[Pieces, frozenset[str], End]]] = {}
        for end in ends:
            for shape in end.shapes:
                exact = _exact(shape)
                if exact is not None:
                    self._exact.setdefault(exact, []).append(end)
                found = frozenset(words(shape))
                for word in found:
                    self._by_word.setdefault(word, []).append((shape, found, end))

    def fitting(self, wanted: End, environment: Callable[[int], Environment]) -> list[End]:
        """The exports that an import may mean. One with exactly its name is meant, whatever else would fit."""
        found: dict[tuple[int, int], End] = {}
        for shape in wanted.shapes:
            exact = _exact(shape)
            same = self._exact.get(exact, []) if exact is not None else []
            found.update(((end.stack.number, end.place), end) for end in same or self._alike(shape))
        here = environment(wanted.tree)
        ends = (end for end in found.values() if end.stack is not wanted.stack)
        return [end for end in ends if _agree(here, environment(end.tree))]

    def _alike(self, shape: Pieces) -> Iterable[End]:
        own = frozenset(words(shape))
        for word in own:
            for other, theirs, end in self._by_word.get(word, ()):
                if _are_alike(shape, own, other, theirs):
                    yield end


def may_mean(wanted: Pieces, offered: Pieces) -> bool:
    """Tell whether the name of an import may be that of an export, as far as the two alone can tell."""
    if wanted == offered and is_whole(wanted):
        return True
    return _are_alike(wanted, frozenset(words(wanted)), offered, frozenset(words(offered)))


def _are_alike(wanted: Pieces, own: frozenset[str], offered: Pieces, theirs: frozenset[str]) -> bool:
    """Tell whether two names that are not known whole may be the same: `own` and `theirs` are the words in them."""
    is_exact = is_whole(wanted)
    is_told = theirs <= own or (not is_exact and own <= theirs)
    if not is_told or own.isdisjoint(theirs) or (is_exact and is_whole(offered)):
        return False
    return not clash(*trim(wanted, offered))


def is_whole(shape: Pieces) -> bool:
    """Tell whether a name is known from end to end."""
    return _exact(shape) is not None


def words(shape: Pieces) -> Iterable[str]:
    """The words that are literal in a name."""
    return (word for piece in shape if isinstance(piece, str) for word in _WORD.findall(piece))


def shapes(scenarios: Scenarios, name: Node) -> tuple[Pieces, ...]:
    """The texts that a name can be: parameters left open, and with their defaults."""
    try:
        leaves = scenarios.explore(lambda scenario: text_of(scenario.resolve(name)))
    except (TooManyScenarios, Unbuildable):
        return ()
    found = dict.fromkeys(leaf.answer.pieces for leaf in leaves if leaf.answer is not None)
    variables = scenarios.model.space.variables

    def usual(piece: Piece) -> Piece:
        if isinstance(piece, Symbol) and piece.kind == VARIABLE and piece.name in variables:
            return variables[piece.name].default or piece
        return piece

    bare_ones = [shape for shape in found if not any(words(shape))]  # nothing of them is known but the default
    found.update((join_pieces(map(usual, shape)), None) for shape in bare_ones)
    return tuple(found)


def take_turns(ends: Sequence[End]) -> bool:
    """Tell whether exports are outputs of one stack with the same name, of which conditions leave one."""
    first = ends[0]
    is_same = all(end.stack is first.stack and end.shapes == first.shapes for end in ends)
    return is_same and len(first.shapes) == 1 and is_whole(first.shapes[0])


def own_names(shape: Pieces, tree: int) -> Pieces:
    """A shape in which what is a template's own has a name of its own: two templates' parameters are two."""
    return tuple(
        piece if isinstance(piece, str) or piece.name in SHARED else piece._replace(name=f"{piece.name}#{tree}")
        for piece in shape
    )


def ambiguous(end: End, found: list[End]) -> str:
    """Why it is not known which export an import means."""
    name = "".join(piece if isinstance(piece, str) else "${" + bare(piece.name) + "}" for piece in end.shapes[0])
    names = sorted({f"{other.stack.file} ({other.output})" for other in found})
    return f'several scanned templates may export "{re.sub("#[0-9]+}", "}", name)}": {", ".join(names)}'


def _exact(shape: Pieces) -> str | None:
    return shape[0] if len(shape) == 1 and isinstance(shape[0], str) else None


def _agree(one: Environment, other: Environment) -> bool:
    """Tell whether two stacks may be in the same account and Region."""
    return all(left is None or right is None or left == right for left, right in zip(one, other, strict=True))
