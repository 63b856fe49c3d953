"""Which texts an `AllowedPattern` lets through: all of them when they are few, some examples otherwise.

A pattern that cannot be read, or takes too long to be held against a text, allows everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, product
from typing import Any

from trailguard.cloudformation.scenarios.automata import REPEATS, Machine, TooLong, Unreadable, parse
from trailguard.cloudformation.template.template import LONGEST

LIMIT = 64  # texts enumerated for one pattern
CLASS_LIMIT = 16  # characters of a class that are tried


class Language:
    """The texts that a pattern matches as a whole.

    `texts` holds up to LIMIT of them, simple ones first; `finite` tells that these are all.
    """

    __slots__ = ("_answers", "_complete", "_found", "_machine", "_texts")

    def __init__(self, pattern: str) -> None:
        self._machine: Machine | None = None
        self._answers: dict[str, bool] = {}
        self._found: list[str] = []
        self._complete = False
        self._texts: tuple[str, ...] | None = None
        try:
            tree = parse(pattern)
            self._machine = Machine(tree)
        except Unreadable:
            return
        self._found, complete = _sequence(tree)
        self._complete = complete and not tree.state.flags & re.IGNORECASE

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts that match."""
        if self._texts is None:  # most are never asked for, and it takes time
            texts: list[str] = []
            try:
                if self._machine is not None:
                    texts.extend(filter(self._machine.matches, dict.fromkeys(self._found)))
            except TooLong:
                self._complete = False
            self._texts = tuple(texts)
        return self._texts

    @property
    def finite(self) -> bool:
        """Tell whether `texts` are all that match."""
        if self._complete:
            _ = self.texts  # it may take too long to find them all
        return self._complete

    def matches(self, text: str) -> bool:
        """Tell whether the whole text matches (true when that cannot be found out)."""
        if self._machine is None or len(text) > LONGEST:
            return True
        if text not in self._answers:
            if len(self._answers) >= LIMIT:
                self._answers.clear()
            self._answers[text] = self._matches(self._machine, text)
        return self._answers[text]

    def _matches(self, machine: Machine, text: str) -> bool:
        try:
            return len(text) >= machine.least and machine.matches(text)
        except TooLong:
            return True


@lru_cache(maxsize=256)
def language(pattern: str) -> Language:
    """The texts that a pattern matches; templates of one author share most of theirs."""
    return Language(pattern)


def _sequence(tree: Iterable[Any]) -> tuple[list[str], bool]:
    """Some texts of a sequence of items, and whether they are all."""
    texts, complete = [""], True
    for operator, argument in tree:
        parts, whole = _item(str(operator), argument)
        pairs = (left + right for left, right in product(texts, parts) if len(left) + len(right) <= LONGEST)
        joined = list(islice(pairs, LIMIT + 1))
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
        texts, whole = _sequence(argument[3])
        return texts, whole and not argument[1] & re.IGNORECASE
    if name == "BRANCH":
        branches = [_sequence(branch) for branch in argument[1]]
        texts = [text for branch, _ in branches for text in branch]
        return texts[:LIMIT], all(whole for _, whole in branches) and len(texts) <= LIMIT
    if name in REPEATS:
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
            found.extend(text * count for text in texts[:1] if len(text) * count <= LONGEST)
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
