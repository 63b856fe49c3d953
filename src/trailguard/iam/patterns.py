"""The algebra of wildcard texts: which strings a pattern stands for, and how two such sets lie to each other.

A pattern is a run of pieces. In literal pieces `*` stands for any text and `?` for any one character; a symbol stands
for one text that nobody wrote down. Inclusion and overlap are decided as questions about languages, not by comparing
spellings, and exactly: with three answers, because a symbol may or may not equal what it is compared with.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Set
from functools import lru_cache
from typing import TypeAlias

from trailguard.cloudformation.values import GENERATED, OPAQUE, VARIABLE, Pieces, Symbol, join_pieces
from trailguard.iam.logic import NO, YES, Tri, maybe

Settle: TypeAlias = Callable[[Symbol, Iterable["str | Symbol"]], None]
Token: TypeAlias = "str | Symbol"  # a character (wildcards spelt * and ?), or a symbol

MAX_STATES = 20_000  # states of an inclusion check; a policy that needs more is not decided
TOO_MANY = "its wildcards are too many to compare"
_DELIMITERS = re.compile(r"[/:*?]+")
_SEGMENT = re.compile(r"[^/:]*[*?][^/:]*")  # between delimiters, with a wildcard in it
_PLAIN = {ord("*"): "\ue02a", ord("?"): "\ue03f"}  # letters of the private use area, which no template spells
_WRITTEN = {ord(mark): chr(letter) for letter, mark in _PLAIN.items()}
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
    alone = [_covers_alone(pattern, target) for pattern in patterns]
    if True in alone:
        return YES
    near = [pattern for pattern in patterns if _meet(_loose(pattern), _loose(target))]
    together = _included(tokens(target), tuple(tokens(pattern) for pattern in near)) if len(near) > 1 else False
    if together:
        return YES
    settled = _settle_all(near, target, settle)
    reason = _opaque_reason((*near, target))
    if reason is not None and _opaquely(near, target):
        return maybe(reason)
    if together is None or None in alone:
        return maybe(TOO_MANY)
    return _unless_doubtful(patterns, target, settled, _may_fit(tuple(patterns), target))


def overlaps(pattern: Pieces, target: Pieces, settle: Settle) -> Tri:
    """Tell whether some string of the target is a string of the pattern."""
    if _meet(pattern, target):
        return YES
    settled: set[Symbol] = set()
    if _meet(_loose(pattern), _loose(target)):
        settled = _settle_all([pattern], target, settle)
        reason = _opaque_reason((pattern, target))
        if reason is not None and _opaquely([pattern], target):
            return maybe(reason)
    fitting = _relaxed(pattern, target)
    return _unless_doubtful([pattern], target, settled, fitting != pattern and _meet(fitting, target))


def _unless_doubtful(patterns: Sequence[Pieces], target: Pieces, settled: set[Symbol], fitting: bool) -> Tri:
    """A no, unless a name that nobody wrote down may fit a pattern in a way that no single value settles."""
    symbol = next((piece for piece in target if isinstance(piece, Symbol)), None) if fitting else None
    for pattern in patterns:
        symbol = symbol or _spanning(pattern, target, settled)
    return NO if symbol is None else maybe(symbol.reason or f"{symbol.name} is not known")


@lru_cache(maxsize=4096)
def _may_fit(patterns: tuple[Pieces, ...], target: Pieces) -> bool:
    """Tell whether the patterns might cover the target if its names fitted where letters and wildcards are mixed."""
    relaxed = tuple(_relaxed(pattern, target) for pattern in patterns)
    return relaxed != patterns and _included(tokens(target), tuple(map(tokens, relaxed))) is not False


@lru_cache(maxsize=4096)
def _relaxed(pattern: Pieces, target: Pieces) -> Pieces:
    """The pattern with `*` for whatever mixes letters and wildcards (`logs-*`): some names fit there, some do not."""
    kinds = (OPAQUE, VARIABLE, GENERATED)
    if all(isinstance(piece, str) for piece in target) or not _meet(_loose(pattern, *kinds), _loose(target, *kinds)):
        return pattern
    return join_pieces(piece if isinstance(piece, Symbol) else _SEGMENT.sub("*", piece) for piece in pattern)


def _spanning(pattern: Pieces, target: Pieces, settled: set[Symbol]) -> Symbol | None:
    """A variable that would have to be text with other variables in it, which cannot be asked for."""
    for mine, other in ((pattern, target), (target, pattern)):
        one, two = _trimmed(mine, other)
        symbol = one[0] if one else None
        if not isinstance(symbol, Symbol) or symbol.kind != VARIABLE or symbol in settled:
            continue
        for size, token in enumerate(two):
            if token in ("*", "?") or (isinstance(token, Symbol) and token.kind == GENERATED):
                break
            needed, follow = two[: size + 1], one[1:2]
            composed = size and any(isinstance(item, Symbol) for item in needed)
            goes_on = not follow or follow == two[size + 1 : size + 2] or follow[0] in ("*", "?")
            if composed and goes_on and _meet(join_pieces((*needed, *one[1:])), join_pieces(two)):
                return symbol
    return None


def _trimmed(mine: Pieces, other: Pieces) -> tuple[list[Token], list[Token]]:
    """The tokens of both without those with which both begin."""
    one, two = tokens(mine), tokens(other)
    same = 0
    while same < min(len(one), len(two)) and one[same] == two[same]:
        same += 1
    return list(one[same:]), list(two[same:])


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


def _settle_all(patterns: Sequence[Pieces], target: Pieces, settle: Settle) -> set[Symbol]:
    """Have the caller decide each variable on which the answer hinges; gives those that it decided."""
    settled: set[Symbol] = set()
    for pattern in patterns:
        for one, other in ((target, pattern), (pattern, target)):
            for symbol in dict.fromkeys(piece for piece in one if isinstance(piece, Symbol)):
                if symbol.kind == VARIABLE:
                    found = _candidates(symbol, one, other)
                    if found:
                        settle(symbol, [_written(value) for value in found])
                        settled.add(symbol)
    return settled


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
    shared = {piece for piece in one if isinstance(piece, Symbol)} & set(two)
    if isinstance(value, Symbol):
        shared.add(value)
    if not _meet(_loose_but(one, shared), _loose_but(two, shared)):
        return False
    if isinstance(value, str):
        return True
    # Two variables: worth a look only where they stand in each other's place.
    apart = {*shared, symbol}
    return not _meet(_loose_but(mine, apart), _loose_but(other, apart))


def _loose_but(pieces: Pieces, kept: Set[Token]) -> Pieces:
    """The pattern with its open symbols replaced by `*`, but for those that both sides have in common."""
    return join_pieces(
        "*" if isinstance(piece, Symbol) and piece.kind in (OPAQUE, VARIABLE) and piece not in kept else piece
        for piece in pieces
    )


def _aligned(symbol: Symbol, mine: Pieces, other: Pieces) -> list[str]:
    """What stands in the other side's text where the variable stands, several path segments long perhaps."""
    one, two = _trimmed(mine, other)
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
def _covers_alone(pattern: Pieces, target: Pieces) -> bool | None:
    """Inclusion in a single pattern, None when that is too much work; usually without a look at every character."""
    if pattern == target or pattern == ("*",):
        return True
    left, right = _without_common_start(pattern, target)
    if left == ("*",) or left == right:
        return True
    if not left or (right and isinstance(left[0], str) and isinstance(right[0], str) and not _wild(left[0], right[0])):
        return False
    return _included(tokens(right), (tokens(left),))


def _wild(*texts: str) -> bool:
    return any(text[:1] in ("*", "?") for text in texts)


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
    if (
        a is not None
        and b is not None
        and "*" not in (a, b)
        and (a == b or (a == "?" and isinstance(b, str)) or (b == "?" and isinstance(a, str)))
    ):
        steps.append((i + 1, j + 1))
    return steps


@lru_cache(maxsize=2048)
def _included(target: tuple[Token, ...], patterns: tuple[tuple[Token, ...], ...]) -> bool | None:
    """Language inclusion of a target in the union of patterns: the patterns are run side by side, as a set of states.

    Gives None when that takes more than MAX_STATES.
    """
    letters = {token for pattern in patterns for token in pattern if token not in ("*", "?")}
    characters = [letter for letter in letters if isinstance(letter, str)] + [_OTHER]
    start = _closure(patterns, {(index, 0) for index in range(len(patterns))})
    pending = [(0, start)]
    seen = {(0, start)}
    work = 0
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
                work += 1 + len(item[1])
                if work > MAX_STATES:
                    return None
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
    # Whatever can still be read before a star can be read from it too: what lies before the last star is idle.
    last: dict[int, int] = {}
    for index, place in states:
        if place < len(patterns[index]) and patterns[index][place] == "*":
            last[index] = max(place, last.get(index, 0))
    return frozenset(state for state in states if state[1] >= last.get(state[0], 0))


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


def _written(value: Token) -> Token:
    return value if isinstance(value, Symbol) else value.translate(_WRITTEN)


def folded(pieces: Pieces) -> Pieces:
    """A pattern without regard to letter case."""
    return tuple(piece if isinstance(piece, Symbol) else piece.lower() for piece in pieces)
