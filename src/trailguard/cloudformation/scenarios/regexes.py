"""Which texts an `AllowedPattern` lets through: all of them when they are few, some examples otherwise.

The pattern is read with Python's own regular-expression parser; CloudFormation uses Java's, and the two agree on what
templates use. A pattern that cannot be read allows everything. Matching is bounded, because the pattern comes from the
template: the more repetitions a pattern has, in a row or in one another, the shorter the texts on which it is tried.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import islice, product
from math import comb
from typing import Any

LIMIT = 64  # texts enumerated for one pattern
STEPS = 2_000_000  # ways of matching that may have to be tried for one text
LONGEST = 4096  # longest text that is tried: the longest value of a parameter
CLASS_LIMIT = 16  # characters of a class that are tried

_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


class Language:
    """The texts that a pattern matches as a whole.

    `texts` holds up to LIMIT of them, simple ones first; `finite` tells that these are all.
    """

    __slots__ = ("_compiled", "_longest", "finite", "texts")

    def __init__(self, pattern: str) -> None:
        self._compiled: re.Pattern[str] | None = None
        self._longest = 0
        self.finite = False
        self.texts: tuple[str, ...] = ()
        try:
            tree = _parser.parse(pattern)
            self._compiled = re.compile(pattern)
        except (re.error, RecursionError, OverflowError):
            return
        self._longest = _longest(tree)
        texts, complete = _sequence(tree)
        matching = [text for text in dict.fromkeys(texts) if self.matches(text)]
        self.texts = tuple(matching)
        self.finite = complete and not tree.state.flags & re.IGNORECASE

    def matches(self, text: str) -> bool:
        """Tell whether the whole text matches (true when that cannot be found out)."""
        if self._compiled is None or len(text) > self._longest:
            return True
        return self._compiled.fullmatch(text) is not None


def _longest(tree: Iterable[Any]) -> int:
    """How long a text may be that is matched in a bounded number of steps, even when none of its beginnings fit."""
    count, depth = _repetitions(tree)
    nested = depth > 1

    def steps(length: int) -> int:
        others = count - nested
        return int(depth**length if nested else 1) * comb(length + others, others)

    low, high = 0, LONGEST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if steps(middle) <= STEPS else (low, middle - 1)
    return low


def _repetitions(tree: Iterable[Any], inside: bool = False) -> tuple[int, int]:
    """How many things of variable length follow one another, and how many lie in one another."""
    count = depth = 0
    for operator, argument in tree:
        name = str(operator)
        repeated = name in _REPEATS and argument[1] > 1
        found = [_repetitions(child, inside or repeated) for child in _children(name, argument)]
        most, deepest = max((item[0] for item in found), default=0), max((item[1] for item in found), default=0)
        varies = (name in _REPEATS and argument[0] != argument[1]) or (name == "BRANCH" and inside)
        if repeated and deepest:  # whatever varies, varies in each repetition
            varies = True
        once = varies and not repeated  # `?`, which multiplies nothing by itself
        count += most + 1 if once else 1 if varies else most
        depth = max(depth, deepest, int(inside)) if once else max(depth, deepest + varies)
    return count, depth


def _children(name: str, argument: Any) -> list[Any]:
    if name in _REPEATS:
        return [argument[2]]
    if name == "BRANCH":
        return list(argument[1])
    if name == "SUBPATTERN":
        return [argument[3]]
    return [argument[1]] if name in ("ASSERT", "ASSERT_NOT") else []


def _sequence(tree: Iterable[Any]) -> tuple[list[str], bool]:
    """Some texts of a sequence of items, and whether they are all."""
    texts, complete = [""], True
    for operator, argument in tree:
        parts, whole = _item(str(operator), argument)
        joined = list(islice((left + right for left, right in product(texts, parts)), LIMIT + 1))
        complete = complete and whole and len(joined) <= LIMIT
        texts = joined[:LIMIT]
    return texts, complete


def _item(name: str, argument: Any) -> tuple[list[str], bool]:
    if name == "LITERAL":
        return [chr(argument)], True
    if name == "IN":
        return _character_class(argument)
    if name == "AT":
        return [""], True
    if name == "SUBPATTERN":
        return _sequence(argument[3])
    if name == "BRANCH":
        branches = [_sequence(branch) for branch in argument[1]]
        texts = [text for branch, _ in branches for text in branch]
        return texts[:LIMIT], all(whole for _, whole in branches) and len(texts) <= LIMIT
    if name in _REPEATS:
        return _repeat(*argument)
    if name in ("ANY", "NOT_LITERAL"):
        return ["a", "1", "-"], False
    return [""], False  # assertions, back references: an approximation, checked against the pattern afterwards


def _repeat(low: int, high: int, body: Sequence[Any]) -> tuple[list[str], bool]:
    texts, complete = _sequence(body)
    low, top = int(low), min(int(high), int(low) + 2)
    found: list[str] = []
    for count in range(low, top + 1):
        if count > LIMIT:  # a long fixed length: one example is enough
            found.append(texts[0] * count if texts else "")
            return found, False
        found.extend("".join(parts) for parts in islice(product(texts, repeat=count), LIMIT + 1 - len(found)))
    return found[:LIMIT], complete and top == int(high) and len(found) <= LIMIT


def _character_class(items: Iterable[Any]) -> tuple[list[str], bool]:
    characters: list[str] = []
    complete = True
    for operator, argument in items:
        name = str(operator)
        if name == "LITERAL":
            characters.append(chr(argument))
        elif name == "RANGE":
            low, high = argument
            characters.extend(map(chr, range(low, min(high, low + CLASS_LIMIT) + 1)))
            complete = complete and high <= low + CLASS_LIMIT
        else:  # a negation or a category such as \d
            return ["1", "a", "-", "A", " "], False
    return characters, complete
