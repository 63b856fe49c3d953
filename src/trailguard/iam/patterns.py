"""The algebra of wildcard texts: which strings a pattern stands for, and how two such sets lie to each other.

A pattern is a run of pieces. In literal pieces `*` stands for any text and `?` for any one character; a symbol stands
for one text that nobody wrote down. Inclusion and overlap are decided as questions about languages, not by comparing
spellings, and exactly: with three answers, because a symbol may or may not equal what it is compared with.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

from trailguard.cloudformation.values import OPAQUE, VARIABLE, Pieces, Symbol, join_pieces
from trailguard.iam.logic import NO, YES, Tri, maybe

Settle: TypeAlias = Callable[[Symbol, Iterable["str | Symbol"]], None]
Token: TypeAlias = "str | Symbol"  # a character (wildcards spelt * and ?), or a symbol

MAX_STATES = 20_000  # states of an inclusion check; a policy that needs more is not decided
_DELIMITERS = re.compile(r"[/:*?]+")
_PLAIN = {ord("*"): "\ue02a", ord("?"): "\ue03f"}  # letters of the private use area, which no template spells
_OTHER = "\0"  # stands for every character that occurs nowhere


@lru_cache(maxsize=4096)
def tokens(pieces: Pieces) -> tuple[Token, ...]:
    """A pattern, token by token; runs of `*` count as one."""
    found: list[Token] = []
    for piece in pieces:
        if isinstance(piece, Symbol):
            found.append(piece)
            continue
        for character in piece:
            if character != "*" or not found or found[-1] != "*":
                found.append(character)
    return tuple(found)


def covers(patterns: Sequence[Pieces], target: Pieces, settle: Settle) -> Tri:
    """Tell whether every string of the target is a string of some pattern."""
    if any(_covers_alone(pattern, target) for pattern in patterns):
        return YES
    near = [pattern for pattern in patterns if _meet(_loose(pattern), _loose(target))]
    if not near:
        return NO
    if len(near) > 1 and _included(tokens(target), tuple(tokens(pattern) for pattern in near)):
        return YES
    _settle_all(near, target, settle)
    reason = _opaque_reason((*near, target))
    return maybe(reason) if reason is not None and _opaquely(near, target) else NO


def overlaps(pattern: Pieces, target: Pieces, settle: Settle) -> Tri:
    """Tell whether some string of the target is a string of the pattern."""
    if _meet(pattern, target):
        return YES
    if not _meet(_loose(pattern), _loose(target)):
        return NO
    _settle_all([pattern], target, settle)
    reason = _opaque_reason((pattern, target))
    return maybe(reason) if reason is not None and _opaquely([pattern], target) else NO


def _opaque_reason(patterns: Iterable[Pieces]) -> str | None:
    for pattern in patterns:
        for piece in pattern:
            if isinstance(piece, Symbol) and piece.kind == OPAQUE:
                return piece.reason or f"{piece.name} is not known"
    return None


def _opaquely(patterns: Sequence[Pieces], target: Pieces) -> bool:
    """Tell whether they might meet if what is not in the scanned files were what it takes."""
    return any(_meet(_loose(pattern, OPAQUE), _loose(target, OPAQUE)) for pattern in patterns)


@lru_cache(maxsize=4096)
def _loose(pieces: Pieces, *kinds: str) -> Pieces:
    """The pattern with its open symbols replaced by `*`: what it might be at most."""
    wanted = kinds or (OPAQUE, VARIABLE)
    return join_pieces("*" if isinstance(piece, Symbol) and piece.kind in wanted else piece for piece in pieces)


def _settle_all(patterns: Sequence[Pieces], target: Pieces, settle: Settle) -> None:
    """Have the caller decide each variable on which the answer hinges."""
    for pattern in patterns:
        for one, other in ((target, pattern), (pattern, target)):
            for symbol in dict.fromkeys(piece for piece in one if isinstance(piece, Symbol)):
                if symbol.kind == VARIABLE:
                    found = _candidates(symbol, one, other)
                    if found:
                        settle(symbol, found)


@lru_cache(maxsize=4096)
def _candidates(symbol: Symbol, mine: Pieces, other: Pieces) -> tuple[Token, ...]:
    """The values that a variable would need for both sides to meet."""
    pool: dict[Token, None] = {}
    for piece in other:
        if isinstance(piece, Symbol):
            if piece.kind == VARIABLE and not piece.same(symbol):
                pool[piece] = None
            continue
        parts = _DELIMITERS.split(piece)
        pool.update(dict.fromkeys(part for part in parts if part))
    aligned = _aligned(symbol, mine, other)
    pool.update(dict.fromkeys(aligned))
    return tuple(value for value in pool if _fits(symbol, value, mine, other))


def _fits(symbol: Symbol, value: Token, mine: Pieces, other: Pieces) -> bool:
    def put(pieces: Pieces) -> Pieces:
        return join_pieces(value if isinstance(piece, Symbol) and piece.same(symbol) else piece for piece in pieces)

    one, two = put(mine), put(other)
    if isinstance(value, Symbol):
        # Two variables: worth a look only where they stand in each other's place.
        return _meet(_loose_but(one, value), _loose_but(two, value)) and not _meet(_loose_but(mine, value), two)
    return _meet(_loose(one), _loose(two))


def _loose_but(pieces: Pieces, kept: Symbol) -> Pieces:
    return join_pieces(
        "*" if isinstance(piece, Symbol) and piece.kind in (OPAQUE, VARIABLE) and not piece.same(kept) else piece
        for piece in pieces
    )


def _aligned(symbol: Symbol, mine: Pieces, other: Pieces) -> list[str]:
    """What stands in the other side's text where the variable stands, several path segments long perhaps."""
    one, two = list(tokens(mine)), list(tokens(other))
    while one and two and one[0] == two[0]:
        del one[0], two[0]
    if not one or one[0] != symbol:
        return []
    text = "".join(_literal_run(two))
    follow = "".join(_literal_run(one[1:]))
    ends = {text.find(follow[:size]) for size in (len(follow), 1) if follow} if follow else {len(text)}
    return [text[:end] for end in ends if end >= 0]


def _literal_run(items: Sequence[Token]) -> list[str]:
    run: list[str] = []
    for item in items:
        if isinstance(item, Symbol) or item in ("*", "?"):
            break
        run.append(item)
    return run


@lru_cache(maxsize=4096)
def _covers_alone(pattern: Pieces, target: Pieces) -> bool:
    """Inclusion in a single pattern; the usual cases without a look at every character."""
    if pattern == target or pattern == ("*",):
        return True
    left, right = _without_common_start(pattern, target)
    if left == ("*",) or left == right:
        return True
    if not left or (right and isinstance(left[0], str) and isinstance(right[0], str) and not _wild(left[0], right[0])):
        return False
    return _included(tokens(right), (tokens(left),))


def _wild(*texts: str) -> bool:
    return any(text[0] in "*?" for text in texts)


def _without_common_start(left: Pieces, right: Pieces) -> tuple[Pieces, Pieces]:
    """Both without the literal text and symbols with which both begin."""
    while left and right:
        one, other = left[0], right[0]
        if isinstance(one, str) and isinstance(other, str):
            size = 0
            for a, b in zip(one, other, strict=False):
                if a != b or a in "*?":
                    break
                size += 1
            if not size:
                break
            left, right = join_pieces((one[size:], *left[1:])), join_pieces((other[size:], *right[1:]))
        elif one == other:
            left, right = left[1:], right[1:]
        else:
            break
    return left, right


@lru_cache(maxsize=4096)
def _meet(left: Pieces, right: Pieces) -> bool:
    """Tell whether two patterns have a string in common, each symbol a letter of its own."""
    left, right = _without_common_start(left, right)
    if left == right or left == ("*",) or right == ("*",):
        return True
    one, other = tokens(left), tokens(right)
    if one and other and not (one[0] in ("*", "?") or other[0] in ("*", "?")):
        return False  # they begin with different letters
    pending = [(0, 0)]
    seen = {(0, 0)}
    while pending:
        i, j = pending.pop()
        if i == len(one) and j == len(other):
            return True
        for step in _steps(one, other, i, j):
            if step not in seen:
                seen.add(step)
                pending.append(step)
    return False


def _steps(one: tuple[Token, ...], other: tuple[Token, ...], i: int, j: int) -> list[tuple[int, int]]:
    a = one[i] if i < len(one) else None
    b = other[j] if j < len(other) else None
    steps = []
    if a == "*":
        steps.append((i + 1, j))
        if b is not None and b != "*":
            steps.append((i, j + 1))
    if b == "*":
        steps.append((i, j + 1))
        if a is not None and a != "*":
            steps.append((i + 1, j))
    if a is not None and b is not None and a != "*" and b != "*":
        if a == b or (a == "?" and isinstance(b, str)) or (b == "?" and isinstance(a, str)):
            steps.append((i + 1, j + 1))
    return steps


@lru_cache(maxsize=2048)
def _included(target: tuple[Token, ...], patterns: tuple[tuple[Token, ...], ...]) -> bool:
    """Language inclusion of a target in the union of patterns: the patterns are run side by side, as a set of states."""
    letters = {token for pattern in patterns for token in pattern if token not in ("*", "?")}
    letters |= {token for token in target if token not in ("*", "?")}
    characters = [letter for letter in letters if isinstance(letter, str)] + [_OTHER]
    start = _closure(patterns, {(index, 0) for index in range(len(patterns))})
    pending = [(0, start)]
    seen = {(0, start)}
    while pending:
        position, states = pending.pop()
        if position == len(target):
            if not any(place == len(patterns[index]) for index, place in states):
                return False
            continue
        token = target[position]
        successors: list[tuple[int, frozenset[tuple[int, int]]]] = []
        if token == "*":
            successors.append((position + 1, states))
            successors.extend((position, _after(patterns, states, letter)) for letter in characters)
        else:
            read = characters if token == "?" else [token]
            successors.extend((position + 1, _after(patterns, states, letter)) for letter in read)
        for item in successors:
            if item not in seen:
                if len(seen) > MAX_STATES:
                    return False
                seen.add(item)
                pending.append(item)
    return True


def _closure(patterns: tuple[tuple[Token, ...], ...], states: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    pending = list(states)
    while pending:
        index, place = pending.pop()
        if place < len(patterns[index]) and patterns[index][place] == "*" and (index, place + 1) not in states:
            states.add((index, place + 1))
            pending.append((index, place + 1))
    return frozenset(states)


def _after(
    patterns: tuple[tuple[Token, ...], ...], states: frozenset[tuple[int, int]], letter: Token
) -> frozenset[tuple[int, int]]:
    reached = set()
    for index, place in states:
        if place == len(patterns[index]):
            continue
        token = patterns[index][place]
        if token == "*":
            reached.add((index, place))
        elif token == letter or (token == "?" and isinstance(letter, str)):
            reached.add((index, place + 1))
    return _closure(patterns, reached)


def exact(pieces: Pieces, fold: bool = False) -> Pieces:
    """Text as a pattern that stands for itself alone: wildcards become plain letters; `fold` drops letter case."""
    return tuple(
        piece if isinstance(piece, Symbol) else (piece.lower() if fold else piece).translate(_PLAIN) for piece in pieces
    )


def folded(pieces: Pieces) -> Pieces:
    """A pattern without regard to letter case."""
    return tuple(piece if isinstance(piece, Symbol) else piece.lower() for piece in pieces)
