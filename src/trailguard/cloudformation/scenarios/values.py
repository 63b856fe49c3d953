"""What a template's expressions mean in one scenario: text (literal or symbolic), flags, lists, maps, unknown, absent.

Resolving never raises and never invents a constant. Text is a run of literal pieces and symbols: a parameter's fresh
value, the name that CloudFormation will generate for a bucket, an export of a stack that was not scanned. Two texts can
be proven equal, proven different, or neither. Every value remembers the node it came from, so that a finding can
point to the exact place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from trailguard.cloudformation.source.nodes import Node

# Kinds of symbols.
VARIABLE: Final = "variable"  # a parameter or pseudo parameter whose value the scenario has not fixed; can be split on
GENERATED: Final = "generated"  # made by AWS at deployment (a generated name): equal to itself, never to a literal
OPAQUE: Final = "opaque"  # not in the scanned files: equal to itself, anything else is undecided

SymbolKind: TypeAlias = Literal["variable", "generated", "opaque"]


class Symbol(NamedTuple):
    """A piece of text that stands for a value nobody wrote down.

    Two symbols with the same kind and name are the same value. `reason` says, for people, why it is not known (for
    OPAQUE) or what it is.
    """

    kind: SymbolKind
    name: str
    reason: str = ""

    def same(self, other: Symbol) -> bool:
        """Tell whether both stand for the same value."""
        return self.kind == other.kind and self.name == other.name


Piece: TypeAlias = "str | Symbol"
Pieces: TypeAlias = "tuple[Piece, ...]"


class Text(NamedTuple):
    """Text: literal pieces and symbols in order, adjacent literals merged, none empty. `()` is the empty string."""

    pieces: Pieces
    node: Node

    @property
    def literal(self) -> str | None:
        """The text itself when no symbol is in it, else None."""
        pieces = self.pieces
        if not pieces:
            return ""
        first = pieces[0]
        return first if len(pieces) == 1 and isinstance(first, str) else None

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols in it, in order."""
        return tuple(piece for piece in self.pieces if not isinstance(piece, str))


class Flag(NamedTuple):
    """A bare `true` or `false` (in YAML also `yes`, `no`, `on`, `off`)."""

    value: bool
    node: Node


class Null(NamedTuple):
    """A bare `null`, which CloudFormation refuses."""

    node: Node


class ListValue(NamedTuple):
    """A list. Items that are `AWS::NoValue` are gone already."""

    items: tuple[Value, ...]
    node: Node


class MapValue(NamedTuple):
    """A map. Entries that are `AWS::NoValue` are gone already; `keys` holds the node of each key."""

    entries: dict[str, Value]
    keys: dict[str, Node]
    node: Node


class Unknown(NamedTuple):
    """A value of any shape that is not in the scanned files. The same `name` twice is the same value."""

    name: str
    reason: str
    node: Node


class Absent(NamedTuple):
    """No value: the property is not there, or is `AWS::NoValue`. `node` is the nearest thing that is there."""

    node: Node


Value: TypeAlias = "Text | Flag | Null | ListValue | MapValue | Unknown | Absent"


def every_value(value: str) -> bool:
    """Say that whatever a variable may be matters."""
    return True


def no_other(value: str) -> bool:
    """Say that no other value matters than those that are asked for."""
    return False


def join_pieces(pieces: Iterable[Piece]) -> Pieces:
    """Merge adjacent literals and drop empty ones."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str):
            if not piece:
                continue
            if merged and isinstance(merged[-1], str):
                merged[-1] += piece
                continue
        merged.append(piece)
    return tuple(merged)


def split_pieces(pieces: Iterable[Piece], delimiter: str) -> list[Pieces]:
    """The parts of a text between delimiters; its symbols hold none."""
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *rest = piece.split(delimiter) if isinstance(piece, str) else (piece,)
        parts[-1].append(first)
        parts.extend([part] for part in rest)
    return [join_pieces(part) for part in parts]


def text_of(value: Value) -> Text | None:
    """The value as CloudFormation would turn it into a string; None when it has no string form (a list, a map)."""
    if isinstance(value, Text):
        return value
    if isinstance(value, Flag):
        return Text(("true" if value.value else "false",), value.node)
    if isinstance(value, Unknown):
        return Text((Symbol(OPAQUE, value.name, value.reason),), value.node)
    return None


def show(text: Text) -> str:
    """The text for people: literals as they are, symbols as `told` says."""
    return spelt(text.pieces)


def spelt(pieces: Iterable[Piece]) -> str:
    """Pieces of text for people."""
    return "".join(piece if isinstance(piece, str) else told(piece) for piece in pieces)


def told(symbol: Symbol) -> str:
    """A symbol for people: `${Name}`; a reference of another kind as it is written; else what it is, in brackets."""
    name = symbol.name
    if name.startswith(("{{", "${")):
        return name
    return f"<{name}>" if " " in name else "${" + name + "}"


def spell(pieces: Iterable[Piece]) -> str:
    """A text for people, in quotes."""
    return f'"{spelt(pieces)}"'


def trim(left: Pieces, right: Pieces) -> tuple[Pieces, Pieces]:
    """Take away what two texts have in common at their ends: without it they are equal just as well."""
    left, right = trim_start(left, right)
    one, other = trim_start(_reversed(left), _reversed(right))
    return _reversed(one), _reversed(other)


def _reversed(pieces: Pieces) -> Pieces:
    return tuple(piece[::-1] if isinstance(piece, str) else piece for piece in pieces[::-1])


def trim_start(left: Pieces, right: Pieces) -> tuple[Pieces, Pieces]:
    """Take away what two texts have in common at their beginning."""
    while left and right:
        one, other = left[0], right[0]
        if isinstance(one, str) and isinstance(other, str):
            size = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
            )
            if not size:
                break
            left = join_pieces((one[size:], *left[1:]))
            right = join_pieces((other[size:], *right[1:]))
        elif isinstance(one, Symbol) and isinstance(other, Symbol) and one.same(other):
            left, right = left[1:], right[1:]
        else:
            break
    return left, right


def different(left: Pieces, right: Pieces) -> bool:
    """Tell whether two trimmed texts cannot be equal, whatever their symbols stand for."""
    for one, other in ((left, right), (right, left)):
        if _generated(one) - _generated(other) and not any(_is(piece, OPAQUE) for piece in other):
            return True  # nothing else is ever spelt like a generated name
    return clash(left, right)


def clash(left: Pieces, right: Pieces) -> bool:
    """Tell whether two trimmed texts cannot be equal because of what is literal at their ends."""
    for one, other in ((left, right), (right, left)):
        if not other and any(isinstance(piece, str) for piece in one):
            return True  # literal text against nothing
    ends = ((left[:1], right[:1]), (left[-1:], right[-1:]))
    return any(one and other and isinstance(one[0], str) and isinstance(other[0], str) for one, other in ends)


def _generated(pieces: Pieces) -> set[str]:
    return {piece.name for piece in pieces if isinstance(piece, Symbol) and piece.kind == GENERATED}


def _is(piece: Piece, kind: SymbolKind) -> bool:
    return isinstance(piece, Symbol) and piece.kind == kind
