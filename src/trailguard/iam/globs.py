"""Wildcard texts as languages: is every string of one in the union of others, do two have a string in common.

A glob is a run of tokens: characters, wildcards and symbols. A symbol is a letter of its own, equal to itself only and
taken by `*` alone, except where a caller loosens it first. The answers are exact: patterns are run side by side over
the target, as the set of places that they may have reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.values import OPAQUE, Piece, Symbol


class Wild:
    """A wildcard."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


STAR = Wild("*")  # any text
ANY = Wild("?")  # any character
PART_STAR = Wild("*")  # any text without a colon: within one of the first five parts of an ARN
PART_ANY = Wild("?")  # any character but a colon
MAX_PAIRS = 50_000  # places in two globs that are compared; hostile wildcards would take many more

SOME = Wild("some")  # in a target: one text that nobody knows, and that may be just what it takes

Token: TypeAlias = "str | Wild | Symbol"
Glob: TypeAlias = "tuple[Token, ...]"
States: TypeAlias = "frozenset[int]"

LIMIT = 2_000  # pairs of a place in the target and a set of places in the patterns; beyond that nothing is claimed
MAX_WILDCARDS = 60  # in a target

_WILD = {"*": STAR, "?": ANY}
_LITERAL = {"*": "*", "?": "?", "$": "$"}
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_OTHER = "\0"  # stands for every character that the patterns do not name


def glob(pieces: Iterable[Piece], wild: bool = True, variables: bool = False) -> Glob:
    """Make a glob of text.

    `wild` tells whether `*` and `?` are wildcards in it, `variables` whether `${…}` is a policy variable: `${*}`,
    `${?}` and `${$}` stand for the characters themselves, any other for a text known only when a request is made.
    """
    tokens: list[Token] = []
    for piece in pieces:
        if isinstance(piece, Symbol):
            tokens.append(piece)
        elif variables and "${" in piece:
            for index, part in enumerate(_VARIABLE.split(piece)):
                if index % 2 == 0:
                    _add(tokens, part, wild)
                else:
                    tokens.append(_LITERAL.get(part) or policy_variable(part))
        else:
            _add(tokens, piece, wild)
    return tuple(tokens)


def _add(tokens: list[Token], text: str, wild: bool) -> None:
    if not wild or ("*" not in text and "?" not in text):
        tokens.extend(text)
        return
    for character in text:
        token = _WILD.get(character, character)
        if token is not STAR or not tokens or tokens[-1] is not STAR:
            tokens.append(token)


def policy_variable(name: str) -> Symbol:
    """The text that AWS puts in the place of a policy variable."""
    return Symbol(OPAQUE, f"${{{name}}}", f"the policy variable ${{{name}}} is filled in when a request is made")


def arn_glob(tokens: Glob) -> Glob:
    """The same glob for ARNs: wildcards before the fifth colon stay within their part. A mere `*` takes every ARN."""
    if tokens == (STAR,):
        return tokens
    colons = 0
    found: list[Token] = []
    for token in tokens:
        if token == ":":
            colons += 1
        if colons < 5 and isinstance(token, Wild):
            found.append(PART_STAR if token is STAR else PART_ANY)
        else:
            found.append(token)
    return tuple(found)


def folded(tokens: Glob) -> Glob:
    """The same glob without regard to letter case."""
    return tuple(token.lower() if isinstance(token, str) else token for token in tokens)


class Group(NamedTuple):
    """A union of globs or, when `negated`, everything but that union."""

    globs: tuple[Glob, ...]
    negated: bool = False


def _common(one: Glob, other: Glob) -> int:
    """How many tokens two globs have in common at their start, wildcards not counted."""
    for index, (a, b) in enumerate(zip(one, other)):  # noqa: B905  (one may be shorter)
        if a != b or isinstance(a, Wild):
            return index
    return min(len(one), len(other))


def includes(groups: Sequence[Group], target: Glob) -> bool | None:
    """Tell whether every string of the target is in one of the groups; None when it takes too long to find out."""
    if any(group.negated for group in groups):
        return Inclusion(groups, target).decide()
    near: list[Glob] = []
    for group in groups:
        for pattern in group.globs:
            start = _common(pattern, target)
            left = len(target) - start
            if start == len(pattern):
                if not left:
                    return True
                if not isinstance(target[start], Wild):
                    continue
            elif pattern[start] is STAR and start + 1 == len(pattern):
                return True
            elif left and not isinstance(pattern[start], Wild) and not isinstance(target[start], Wild):
                continue
            near.append(pattern)
    return Inclusion([Group(tuple(near))], target).decide() if near else False


class Inclusion:
    """One question of inclusion. `_code` holds all patterns one after the other, each with None at its end."""

    __slots__ = ("_code", "_exhausted", "_full", "_groups", "_memo", "_negated", "_owner", "_target")

    def __init__(self, groups: Sequence[Group], target: Glob) -> None:
        self._groups = groups
        self._target = target
        self._code: list[Token | None] = []
        self._owner: list[int] = []
        self._full: set[int] = set()
        self._memo: dict[tuple[int, States], bool] = {}
        self._exhausted = False
        self._negated = frozenset(index for index, group in enumerate(groups) if group.negated)

    def decide(self) -> bool | None:
        """Tell whether every string of the target is in one of the groups; None when that takes too long."""
        if sum(isinstance(token, Wild) for token in self._target) > MAX_WILDCARDS:
            return None
        starts = []
        for index, group in enumerate(self._groups):
            for pattern in group.globs:
                starts.append(len(self._code))
                self._code.extend(pattern)
                self._code.append(None)
                self._owner.extend([index] * (len(pattern) + 1))
                if pattern and pattern[-1] is STAR and not group.negated:
                    self._full.add(len(self._code) - 2)
        found = self._covered(0, self._closed(starts))
        return None if self._exhausted and not found else found

    def _covered(self, place: int, states: States) -> bool:
        """Tell whether what follows in the target is taken from these states, whatever it is."""
        target = self._target
        while place < len(target):
            if not self._negated:
                if not states:
                    return False
                if not self._full.isdisjoint(states):
                    return True
            token = target[place]
            if isinstance(token, Wild):
                return self._branch(place, token, states)
            states = self._after(states, token)
            place += 1
        return self._accepts(states)

    def _branch(self, place: int, token: Wild, states: States) -> bool:
        key = (place, states)
        if key not in self._memo:
            if len(self._memo) >= LIMIT:
                self._exhausted = True
                return False
            nexts = (
                self._stepped(states) if token is ANY else self._reachable(states, token is SOME or bool(self._negated))
            )
            answers = (self._covered(place + 1, following) for following in nexts)
            found = any(answers) if token is SOME else all(answers) and not self._exhausted
            self._memo[key] = found
        return self._memo[key]

    def _stepped(self, states: States) -> Iterator[States]:
        """Every set of states in which a single character may leave the patterns."""
        return (self._after(states, letter) for letter in self._letters(states))

    def _reachable(self, states: States, symbols: bool) -> Iterator[States]:
        """Every set of states in which some text may leave the patterns.

        `symbols` tells whether that text may be what a symbol stands for: it matters where something is excepted.
        """
        seen = {states}
        pending = [states]
        while pending:
            current = pending.pop()
            yield current
            if len(seen) > LIMIT:
                self._exhausted = True  # too many to look at: nothing may be claimed
                return
            for letter in self._letters(current, symbols):
                following = self._after(current, letter)
                if following not in seen:
                    seen.add(following)
                    pending.append(following)

    def _letters(self, states: States, symbols: bool = False) -> list[Token]:
        """The letters that make a difference from here: those that some pattern waits for, and any other."""
        found: dict[Token, None] = {_OTHER: None}
        for state in states:
            token = self._code[state]
            if isinstance(token, Wild):
                if token is PART_STAR or token is PART_ANY:
                    found[":"] = None
            elif isinstance(token, str) or (symbols and token is not None):
                found[token] = None
        return list(found)

    def _after(self, states: States, letter: Token) -> States:
        """The states after one letter."""
        code, reached = self._code, []
        character = isinstance(letter, str)
        for state in states:
            token = code[state]
            if token is STAR or (token is PART_STAR and letter != ":"):
                reached.append(state)
            elif token == letter or (character and (token is ANY or (token is PART_ANY and letter != ":"))):
                reached.append(state + 1)
        return self._closed(reached)

    def _closed(self, states: Iterable[int]) -> States:
        """The states and those behind a `*` that takes nothing."""
        code = self._code
        found = set(states)
        for state in tuple(found):
            while code[state] is STAR or code[state] is PART_STAR:
                state += 1  # noqa: PLW2901
                found.add(state)
        return frozenset(found)

    def _accepts(self, states: States) -> bool:
        ended = {self._owner[state] for state in states if self._code[state] is None}
        return any((index in ended) is not group.negated for index, group in enumerate(self._groups))


class TooComplex(Exception):
    """Raised when two globs take too long to compare."""


@lru_cache(maxsize=4096)
def meet(one: Glob, other: Glob) -> bool:
    """Tell whether two globs have a string in common."""
    start = _common(one, other)
    one, other = one[start:], other[start:]
    end = _common(one[::-1], other[::-1])
    one, other = one[: len(one) - end], other[: len(other) - end]
    if not one or not other:
        return all(token is STAR or token is PART_STAR for token in one or other)
    if one == (STAR,) or other == (STAR,):
        return True
    for place in (0, -1):  # both begin, or end, with letters that differ
        if not isinstance(one[place], Wild) and not isinstance(other[place], Wild):
            return False
    return (len(one), len(other)) in paths(one, other)


def paths(one: Glob, other: Glob) -> set[tuple[int, int]]:
    """Every pair of places, one in each glob, to which a common text leads."""
    seen = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        i, j = pending.pop()
        for step in _steps(one, other, i, j):
            if step not in seen:
                seen.add(step)
                pending.append(step)
        if len(seen) > MAX_PAIRS:
            raise TooComplex
    return seen


def _steps(one: Glob, other: Glob, i: int, j: int) -> list[tuple[int, int]]:
    a = one[i] if i < len(one) else None
    b = other[j] if j < len(other) else None
    steps = []
    long_a, long_b = a is STAR or a is PART_STAR, b is STAR or b is PART_STAR
    if long_a:
        steps.append((i + 1, j))
        if b is not None and not long_b and not (a is PART_STAR and b == ":"):
            steps.append((i, j + 1))
    if long_b:
        steps.append((i, j + 1))
        if a is not None and not long_a and not (b is PART_STAR and a == ":"):
            steps.append((i + 1, j))
    if a is not None and b is not None and not long_a and not long_b and (a == b or _takes(a, b) or _takes(b, a)):
        steps.append((i + 1, j + 1))
    return steps


def _takes(token: Token, letter: Token) -> bool:
    """Tell whether `?` takes a letter (or what another `?` takes)."""
    if isinstance(letter, Symbol) or not isinstance(token, Wild):
        return False
    return not (token is PART_ANY and letter == ":")
