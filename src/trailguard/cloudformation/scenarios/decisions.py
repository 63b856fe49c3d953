"""What one scenario has decided of parameters: whether texts are equal, which value a parameter has.

Whatever the scenario leaves open and somebody needs to know travels as a `Split`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.parts import COUNT, Part, items_of
from trailguard.cloudformation.scenarios.reasons import kind_of, line, open_value
from trailguard.cloudformation.scenarios.samples import SAMPLES
from trailguard.cloudformation.scenarios.sharing import Sharing
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    VARIABLE,
    ListValue,
    Piece,
    Symbol,
    Text,
    Unknown,
    Value,
    different,
    every_value,
    spell,
    text_of,
    trim,
)
from trailguard.cloudformation.scenarios.variables import Assignment, Same, Split, Variable, decided
from trailguard.cloudformation.source.nodes import Node

_COUNTS = tuple(map(str, range(1, 100)))  # how many items a list may have
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html: 4,096 bytes
_MOST_ITEMS = 4097


class Decisions(Sharing):
    """What an assignment decides about the variables of a model. `busy` is what is just being resolved."""

    __slots__ = ("busy",)

    def __init__(self, model: Model, assignment: Assignment) -> None:
        super().__init__(model, assignment)
        self.busy: set[object] = set()

    def settle(
        self, symbol: Symbol, candidates: Iterable[str | Symbol], matters: Callable[[str], bool] = every_value, /
    ) -> None:
        """Return when a variable is known to equal none of the candidates here; else raise Split.

        What hinges on the variable may hinge on its default and its allowed values too, so these come first, as far as
        they matter.
        """
        space = self.model.space
        name, constraint = space.lookup(self.assignment, symbol.name)
        if constraint.value is None:
            space.split_known(name, constraint, matters)
        for candidate in candidates:
            if isinstance(candidate, str):
                self.model.space.decide(self.assignment, symbol.name, candidate)
            elif candidate.kind == VARIABLE:
                self.model.space.decide(self.assignment, symbol.name, Same(candidate.name))

    def equal(self, left: Value, right: Value) -> bool:
        """Compare two values as `Fn::Equals` does: as text, case-sensitively. Raises Split when it is open."""
        first, second = text_of(left), text_of(right)
        if first is None or second is None:
            return self._equal_items(left, right)
        one, other = trim(first.pieces, second.pieces)
        if not one and not other:
            return True
        if different(one, other):
            return False
        return self.decide_pieces(one, other)

    def _equal_items(self, left: Value, right: Value) -> bool:
        if not isinstance(left, ListValue) or not isinstance(right, ListValue):
            pair = (left, right)
            odd = next(side for side in pair if text_of(side) is None)
            why = f"{kind_of(odd)} on {line(odd.node)} is compared, where text is expected"
            reason = next((side.reason for side in pair if isinstance(side, Unknown)), why)
            return self.assume(f"{_place(left.node)} = {_place(right.node)}", reason)
        pairs = zip(left.items, right.items, strict=False)
        return len(left.items) == len(right.items) and all(self.equal(one, other) for one, other in pairs)

    def decide_pieces(self, left: tuple[Piece, ...], right: tuple[Piece, ...]) -> bool:
        """Decide whether two texts are equal that differ from their first to their last piece."""
        space = self.model.space
        for one, other in ((left, right), (right, left)):
            if len(one) != 1 or not isinstance(one[0], Symbol) or one[0].kind != VARIABLE:
                continue
            if not other:
                return space.decide(self.assignment, one[0].name, "")
            if len(other) == 1:
                piece = other[0]
                if isinstance(piece, str):
                    return space.decide(self.assignment, one[0].name, piece)
                if piece.kind == VARIABLE:
                    return space.decide(self.assignment, one[0].name, Same(piece.name))
        for piece in (*left, *right):  # a text that cannot be compared as it stands: try what is known of its parts
            if isinstance(piece, Symbol) and piece.kind == VARIABLE:
                self.fix(piece.name)
        symbols = [piece for piece in (*left, *right) if isinstance(piece, Symbol)]
        hidden = next((symbol.reason for symbol in symbols if symbol.kind != GENERATED and symbol.reason), None)
        why = f"whether {spell(left)} is {spell(right)} is not known: {open_value(symbols[0])}"
        return self.assume(f"{spell(left)} = {spell(right)}", hidden or why)

    def fix(self, name: str) -> str | None:
        """The value of a variable here; None for "some other value". Splits on its default and its allowed values."""
        space = self.model.space
        name, constraint = space.lookup(self.assignment, name)
        if isinstance(constraint.value, str):
            return constraint.value
        space.split_known(name, constraint)
        return None

    def is_list(self, symbol: Symbol) -> bool:
        """Tell whether a symbol stands for all items of a list parameter."""
        parameter = self.model.template.parameters.get(symbol.name) if symbol.kind == VARIABLE else None
        return parameter is not None and parameter.is_list

    def part(self, symbol: Symbol, delimiter: str, index: int) -> tuple[Piece, ...] | None:
        """An item of what an open parameter gives when it is split; None where nobody can tell what that may be."""
        space = self.model.space
        owner = space.variables.get(symbol.name)
        parameter = self.model.template.parameters.get(symbol.name)
        if owner is None or parameter is None or owner.opaque is not None or symbol.name in space.parts:
            return None
        if parameter.allowed_pattern is not None or not (parameter.is_list or parameter.type == "String"):
            return None
        count = space.lookup(self.assignment, Part(symbol.name, delimiter, COUNT).name)[1].value
        if isinstance(count, str) and index >= int(count):
            raise Unbuildable(f"{symbol.name} has {count} items here")
        part = Part(symbol.name, delimiter, index)
        if part.name not in space.parts:
            space.parts[part.name] = part
            space.variables[part.name] = _variable(part, parameter.allowed_values if parameter.is_list else None)
        root, constraint = space.lookup(self.assignment, part.name)
        if isinstance(constraint.value, str):
            return (constraint.value,) if constraint.value else ()
        return (Symbol(VARIABLE, root),)

    def known_parts(self, symbol: Symbol, more: int) -> list[Text] | None:
        """The items of an open list about which something is decided, as far as they go, and `more` of them.

        None where nobody can tell what they may be. What else is in the list may be chosen freely.
        """
        parts = (self.model.space.parts.get(name) for name in decided(self.assignment))
        last = max((part.position for part in parts if part is not None and part.owner == symbol.name), default=-1)
        pieces = [self.part(symbol, ",", index) for index in range(max(last + 1 + more, 1))]
        node = self.model.template.parameters[symbol.name].node
        return [Text(one, node) for one in pieces if one is not None] if None not in pieces else None

    def choose(self, name: str, keys: list[str], closed: bool) -> bool:
        """Split on those of the keys that a variable may be; False when it can be none of them."""
        name, constraint = self.model.space.lookup(self.assignment, name)
        variable = self.model.space.variables[name]
        candidates = [key for key in keys if key not in constraint.excluded and variable.permits(key)]
        if candidates:
            raise Split(name, candidates, closed)
        return False

    def assume(self, question: str, reason: str) -> bool:
        """Answer a yes/no question both ways, each in a scenario of its own; results that differ are unknown."""
        name = f"?{question}"
        variables = self.model.space.variables
        if name not in variables:
            variables[name] = Variable(name, None, reason, ("yes", "no").__contains__, ("no",))
        return self.model.space.decide(self.assignment, name, "yes")


def _may_count(text: str) -> bool:
    """Tell whether a text is a number of items that the value of a parameter may have."""
    return re.fullmatch("[1-9][0-9]{0,3}", text) is not None and int(text) <= _MOST_ITEMS


def _variable(part: Part, members: Sequence[str] | None) -> Variable:
    """The variable that an item is; `members` are the values that all items may have, where these are few."""
    if part.position == COUNT:
        return Variable(part.name, accepts=_may_count, samples=_COUNTS)

    def accepts(value: str) -> bool:
        return items_of(value, part.delimiter) == [value] and (members is None or value in members)

    return Variable(part.name, accepts=accepts, samples=members or SAMPLES)


def _place(node: Node) -> str:
    return f"the value on line {node.line}:{node.column}"
