"""Reads a policy document that a template spells as a JSON string, with symbols wherever they stand inside strings."""

from __future__ import annotations

import json
import re
from collections import Counter

from trailguard.cloudformation.scenarios.reasons import open_value
from trailguard.cloudformation.scenarios.values import (
    Flag,
    ListValue,
    MapValue,
    Null,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
)
from trailguard.cloudformation.source.letters import SYMBOL
from trailguard.cloudformation.source.nodes import Node
from trailguard.iam.reading import Problems

_MARK = re.compile(SYMBOL.pattern)


def read_json(text: Text, problems: Problems) -> Value:
    """The document that a text spells. Every value of it is placed where the text is.

    What is not JSON is Unknown, and a problem unless symbols in the text may make it JSON.
    """
    symbols = text.symbols
    if any(isinstance(piece, str) and SYMBOL.open in piece for piece in text.pieces):
        reason = f"it holds the letter U+{ord(SYMBOL.open):04X}, which is nobody's but trailguard's"
        return Unknown(f"policy on line {text.node.line}", reason, text.node)
    places = {symbol: place for place, symbol in enumerate(symbols)}
    spelt = "".join(piece if isinstance(piece, str) else SYMBOL.around(places[piece]) for piece in text.pieces)
    try:
        document = json.loads(spelt, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        if not symbols:
            problems.add(text.node, f"it is not JSON: {getattr(error, 'msg', 'it is nested too deeply')}")
            reason = problems.told()
        else:
            hidden = open_value(symbols[0])
            reason = hidden if len(text.pieces) == 1 else f"part of the policy's text is not known: {hidden}"
        return Unknown(f"policy on line {text.node.line}", reason, text.node)
    return _value(document, text.node, symbols, problems)


class _Pairs(list[tuple[str, object]]):
    """The pairs of an object, to tell them from the items of an array."""


def _value(item: object, node: Node, symbols: tuple[Symbol, ...], problems: Problems) -> Value:
    if isinstance(item, _Pairs):
        pairs = dict(item)
        if len(pairs) < len(item):
            twice = next(key for key, count in Counter(key for key, _ in item).items() if count > 1)
            problems.add(node, f"{twice} stands twice in one object")
            return Unknown(twice, problems.told(len(problems.found) - 1), node)
        entries = {key: _value(value, node, symbols, problems) for key, value in pairs.items()}
        return MapValue(entries, dict.fromkeys(pairs, node), node)
    if isinstance(item, list):
        return ListValue(tuple(_value(value, node, symbols, problems) for value in item), node)
    if isinstance(item, bool):
        return Flag(item, node)
    if not isinstance(item, str):
        return Null(node)
    parts = _MARK.split(item)
    return Text(join_pieces(symbols[int(part)] if at % 2 else part for at, part in enumerate(parts)), node)
