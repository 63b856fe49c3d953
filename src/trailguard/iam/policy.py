"""Reads a policy document into statements, whatever its shape: objects or lists, scalars or lists, a JSON string.

What AWS would refuse is kept as a statement that nobody can decide, with the reason; nothing is raised.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trailguard.cloudformation import source
from trailguard.cloudformation.source import Node, Scalar, SourceError, literal, parse
from trailguard.cloudformation.values import (
    OPAQUE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Piece,
    Pieces,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
    text_of,
)

ELEMENTS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
VARIABLES_VERSION = "2012-10-17"

_MARK = re.compile("\ue000(\\d+)\ue001")
_POLICY_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_ESCAPED = {"*": "\ue02a", "?": "\ue03f", "$": "$"}


class Statement(NamedTuple):
    """One statement. `elements` holds what it says by element name; `fault` why AWS would refuse it, or None."""

    position: int
    node: Node
    sid: str
    effect: str
    elements: dict[str, Value]
    variables: bool
    fault: str | None

    @property
    def label(self) -> str:
        """What to call it: its number, and its Sid when it has one."""
        return f"statement {self.position + 1}" + (f" ({self.sid})" if self.sid else "")

    def place(self, *names: str) -> Node:
        """The node of the first of the elements that is there, else of the statement."""
        return next((self.elements[name].node for name in names if name in self.elements), self.node)


class Policy(NamedTuple):
    """A policy document. `unknown` says why it cannot be read at all, or None.

    `memo` keeps what was found out about its statements, for the one scenario in which it was read.
    """

    node: Node
    statements: tuple[Statement, ...]
    unknown: str | None
    memo: dict[object, object]

    def resource_texts(self) -> list[Pieces]:
        """The resources that its statements name, as patterns."""
        found: list[Pieces] = []
        for statement in self.statements:
            for value in values_of(statement.elements.get("Resource")):
                text = text_of(value)
                if text is not None:
                    found.append(pattern_of(text, statement.variables))
        return found


def read_policy(value: Value) -> Policy:
    """Read a resolved policy document: a map, or text that spells one in JSON."""
    if isinstance(value, Text):
        value = _from_json(value)
    if isinstance(value, Unknown):
        return Policy(value.node, (), value.reason, {})
    if isinstance(value, (Absent, Null)) or not isinstance(value, MapValue):
        return Policy(value.node, (), "the policy document is no map" if not isinstance(value, Absent) else None, {})
    version = value.entries.get("Version")
    text = text_of(version) if version is not None else None
    variables = text is not None and text.literal == VARIABLES_VERSION
    statements = value.entries.get("Statement")
    if isinstance(statements, Unknown):
        return Policy(value.node, (), statements.reason, {})
    items = values_of(statements)
    return Policy(value.node, tuple(_statement(index, item, variables) for index, item in enumerate(items)), None, {})


def values_of(value: Value | None) -> tuple[Value, ...]:
    """The items of a list, or the single value that stands for a list."""
    if value is None or isinstance(value, Absent):
        return ()
    return value.items if isinstance(value, ListValue) else (value,)


def _statement(index: int, value: Value, variables: bool) -> Statement:
    node = value.node
    if isinstance(value, Unknown):
        return Statement(index, node, "", "", {}, variables, value.reason)
    if not isinstance(value, MapValue):
        return Statement(index, node, "", "", {}, variables, "a statement is no map, which AWS refuses")
    entries = value.entries
    sid, effect = (text_of(entries[name]) if name in entries else None for name in ("Sid", "Effect"))
    spelt = effect.literal if effect is not None else None
    return Statement(
        index,
        node,
        (sid.literal or "") if sid is not None else "",
        spelt or "",
        entries,
        variables,
        _fault(entries, effect),
    )


def _fault(entries: dict[str, Value], effect: Text | None) -> str | None:
    if effect is None:
        return "a statement without Effect is refused by AWS"
    if effect.literal is None:
        return next((item.reason for item in effect.symbols if item.reason), "the Effect of a statement is not known")
    if effect.literal not in ("Allow", "Deny"):
        return f'Effect "{effect.literal}" is refused by AWS'
    for name in ("Principal", "Action", "Resource"):
        if name in entries and f"Not{name}" in entries:
            return f"a statement with both {name} and Not{name} is refused by AWS"
        if name not in entries and f"Not{name}" not in entries:
            return f"a statement without {name} is refused by AWS"
    strange = next((name for name in entries if name not in ELEMENTS), None)
    return f"a statement with {strange} is refused by AWS" if strange else None


def pattern_of(text: Text, variables: bool) -> Pieces:
    """A resource or condition value as a pattern: policy variables become symbols where the version knows them."""
    if not variables or not any("${" in piece for piece in text.pieces if isinstance(piece, str)):
        return text.pieces
    pieces: list[Piece] = []
    for piece in text.pieces:
        if isinstance(piece, Symbol):
            pieces.append(piece)
            continue
        for index, part in enumerate(_POLICY_VARIABLE.split(piece)):
            if index % 2 == 0:
                pieces.append(part)
            elif part in _ESCAPED:
                pieces.append(_ESCAPED[part])
            else:
                reason = f"the policy variable ${{{part}}} is filled in when a request is made"
                pieces.append(Symbol(OPAQUE, f"${{{part}}}", reason))
    return join_pieces(pieces)


def _from_json(text: Text) -> Value:
    """The document that a JSON string spells, its symbols in their places."""
    symbols = text.symbols
    spelt = ""
    for piece in text.pieces:
        spelt += piece if isinstance(piece, str) else f"\ue000{symbols.index(piece)}\ue001"
    try:
        root = parse(spelt.encode("utf-8", "replace")).root
    except SourceError as error:
        return Unknown("policy", f"the policy document is no JSON: {error.message}", text.node)
    return _to_value(root, text.node, symbols)


def _to_value(node: Node, place: Node, symbols: tuple[Symbol, ...]) -> Value:
    if isinstance(node, source.Mapping):
        entries = {name: _to_value(child, place, symbols) for name, child in node.values.items()}
        return MapValue(entries, dict.fromkeys(entries, place), place)
    if isinstance(node, source.Sequence):
        return ListValue(tuple(_to_value(child, place, symbols) for child in node.items), place)
    value = literal(node) if isinstance(node, Scalar) else None
    if not isinstance(value, str):
        return Null(place) if value is None else Flag(value, place)
    parts = _MARK.split(value)
    pieces = [symbols[int(part)] if index % 2 else part for index, part in enumerate(parts)]
    return Text(join_pieces(pieces), place)
