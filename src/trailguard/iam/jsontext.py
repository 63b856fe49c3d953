"""Reads a policy document that a template spells as a JSON string, with symbols wherever they stand inside strings."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from trailguard.cloudformation.scenarios.reasons import open_value
from trailguard.cloudformation.scenarios.values import (
    Flag,
    ListValue,
    MapValue,
    Null,
    Piece,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
    show,
)
from trailguard.cloudformation.source.letters import Marks, unused
from trailguard.cloudformation.source.nodes import Node
from trailguard.iam.globs import is_word
from trailguard.iam.reading import Problems

_HALF = re.compile("[\ud800-\udfff]")


def read_json(text: Text, problems: Problems) -> Value:
    """The document that a text spells. Every value of it is placed where the text is.

    What is not JSON is Unknown, and a problem unless symbols in the text may make it JSON: one that stands where it
    goes wrong, or holds who knows what (a name that AWS makes, or an account, holds no quote).
    """
    symbols = text.symbols
    places = {symbol: place for place, symbol in enumerate(symbols)}
    marks = _marks(text)
    spelt = "".join(piece if isinstance(piece, str) else marks.around(places[piece]) for piece in text.pieces)
    try:
        document = json.loads(spelt, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        if all(map(is_word, symbols)) and not re.compile(marks.pattern).match(spelt, getattr(error, "pos", 0)):
            problems.add(text.node, f"it is not JSON: {getattr(error, 'msg', 'it is nested too deeply')}")
            reason = problems.told()
        else:
            hidden = open_value(symbols[0])
            reason = hidden if len(text.pieces) == 1 else f"part of the policy's text is not known: {hidden}"
        return Unknown(f"policy on line {text.node.line}", reason, text.node)
    return _Reader(text.node, symbols, marks, problems).value(document)


def _marks(text: Text) -> Marks:
    """Letters to stand around the number of a symbol: some that the text neither holds nor escapes."""
    letters = unused("".join(piece for piece in text.pieces if isinstance(piece, str)))
    return Marks(next(letters), next(letters))


class _Pairs(list[tuple[str, object]]):
    """The pairs of an object, to tell them from the items of an array."""


class _Reader:
    """Makes values of what JSON spells, with symbols in the place of their marks."""

    def __init__(self, node: Node, symbols: tuple[Symbol, ...], marks: Marks, problems: Problems) -> None:
        self._node = node
        self._symbols = symbols
        self._mark = re.compile(marks.pattern)
        self._problems = problems

    def value(self, item: object) -> Value:
        """The value of an item."""
        node = self._node
        if isinstance(item, _Pairs):
            return self._map(item)
        if isinstance(item, list):
            return ListValue(tuple(map(self.value, item)), node)
        if isinstance(item, bool):
            return Flag(item, node)
        return Null(node) if not isinstance(item, str) else Text(join_pieces(self._pieces(item)), node)

    def _map(self, item: _Pairs) -> Value:
        names = [show(Text(join_pieces(self._pieces(key)), self._node)) for key, _ in item]
        twice = next((name for name, times in Counter(names).items() if times > 1), None)
        if twice is not None:
            self._problems.add(self._node, f"{twice} stands twice in one object")
            return Unknown(twice, self._problems.told(len(self._problems.found) - 1), self._node)
        entries = {name: self.value(value) for name, (_, value) in zip(names, item, strict=True)}
        return MapValue(entries, dict.fromkeys(names, self._node), self._node)

    def _pieces(self, text: str) -> Iterator[Piece]:
        for index, part in enumerate(self._mark.split(text)):
            # JSON can name half of a pair of code units, which is no character.
            yield self._symbols[int(part)] if index % 2 else _HALF.sub("\ufffd", part)
