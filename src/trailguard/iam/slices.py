"""What stands on the other side where a symbol stands in a wildcard text: the values that may matter for it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.values import GENERATED, VARIABLE, Symbol
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.iam.globs import STAR, WORD, WORDS, Glob, Token, Wild, numbers, rows
from trailguard.iam.inclusion import Effort

Firm: TypeAlias = "frozenset[Symbol]"

MAX_CANDIDATES = 6  # values of a variable that are offered for one pattern
MAX_SLICES, MAX_KNOWN = 64, 512


def loose(tokens: Glob, firm: Firm, wild: Wild) -> Glob:
    """The glob with a wildcard for each symbol that may be anything. With `*`, a word has one without delimiters."""
    return _put(tokens, firm, lambda symbol: WORD if wild is STAR and bare(symbol.name) in WORDS else wild)


def narrow(tokens: Glob, firm: Firm) -> Glob:
    """The glob with `*` for each symbol that may be anything, and of words only what they can be."""
    return _put(tokens, firm, lambda symbol: WORDS.get(bare(symbol.name), STAR))


def _put(tokens: Glob, firm: Firm, wild: Callable[[Symbol], Wild]) -> Glob:
    for token in tokens:
        if isinstance(token, Symbol) and token.kind != GENERATED and token not in firm:
            break
    else:
        return tokens
    return tuple(
        wild(token) if isinstance(token, Symbol) and token.kind != GENERATED and token not in firm else token
        for token in tokens
    )


class Slice(NamedTuple):
    """What stands on the other side where a symbol stands in one place.

    `vague` tells that a wildcard nearby leaves other slices as well, `open_end` that the slice ends within a part.
    """

    place: int
    part: Glob
    vague: bool
    open_end: bool


# What was found, and at what cost: many rules ask about the same policies.
_known: dict[tuple[Symbol, Glob, Glob, Firm], tuple[int, tuple[Slice, ...]]] = {}


def slices(symbol: Symbol, mine: Glob, other: Glob, firm: Firm, effort: Effort) -> Iterable[Slice]:
    """The parts of the other side that a symbol of mine would have to equal for both to have a text in common."""
    if symbol not in mine:
        return ()
    key = (symbol, mine, other, firm.intersection((*mine, *other)))
    if key not in _known:
        left = effort.left
        found = tuple(_slices(*key, effort))
        if len(found) > MAX_SLICES:
            return found
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[key] = left - effort.left, found
    else:
        effort.spend(_known[key][0])
    return _known[key][1]


def _slices(symbol: Symbol, mine: Glob, other: Glob, firm: Firm, effort: Effort) -> Iterator[Slice]:
    one, two = loose(mine, firm, STAR), loose(other, firm, STAR)
    effort.spend(len(one))
    before = list(rows(one, two))
    after = list(rows(one[::-1], two[::-1]))
    stops = _stops(symbol, other)
    for place, token in enumerate(mine):
        if token != symbol:
            continue
        vague = any(isinstance(t, Wild) for t in (*one[max(place - 1, 0) : place], *one[place + 1 : place + 2]))
        ends = [len(two) - end for end in numbers(after[len(one) - 1 - place])][::-1]
        for start in numbers(before[place]):
            for end in ends[bisect_left(ends, start) : bisect_right(ends, stops[start])]:
                effort.spend(1 + (end - start) // 8)
                part = other[start:end]
                near = vague or any(isinstance(t, Wild) and t.is_long for t in two[max(start - 1, 0) : end + 1])
                open_end = bool(part) and other[end : end + 1] not in (("/",), (":",), ())
                yield Slice(place, _sample(part), near, open_end)


def _stops(symbol: Symbol, other: Glob) -> list[int]:
    """For each place of the other side, how far a value of a symbol may reach from there."""
    is_word = bare(symbol.name) in WORDS
    stop = len(other)
    found = [stop]
    for place in range(len(other) - 1, -1, -1):
        token = other[place]
        is_other = isinstance(token, Symbol) and (token == symbol or token.kind != VARIABLE)
        if is_other or (is_word and _is_none(symbol, token)):
            stop = place
        found.append(stop)
    return found[::-1]


def _is_none(word: Symbol, token: Token) -> bool:
    """Tell whether a token cannot stand in one of WORDS: a delimiter, or another kind of WORDS."""
    if isinstance(token, Symbol):
        return bare(token.name) in WORDS and bare(token.name) != bare(word.name)
    return token in (":", "/")


def likely_parts(slices: Iterable[Slice]) -> list[Glob]:
    """Where a wildcard leaves many slices, a few that stand for all; a path stands for longer ones around it."""
    found = list(slices)
    parts = dict.fromkeys(one.part for one in found if not one.vague)
    if not parts:
        ends = {one.part: one.open_end for one in found}
        parts = dict.fromkeys(sorted(ends, key=lambda part: (ends[part], _ragged(part), len(part)))[:2])
    short = [part for part in parts if not any(_extends(part, one) for one in parts if one)]
    return sorted(short, key=lambda part: (_ragged(part), len(part)))[:MAX_CANDIDATES]


def spare_parts(slices: Iterable[Slice]) -> list[Glob]:
    """What fits where each symbol equals itself alone: another variable, or a text.

    Of the texts that a wildcard leaves, that is the longest for each place: it leaves the wildcards of the other side
    to those around the symbol.
    """
    exact: dict[Glob, None] = {}
    longest: dict[int, Glob] = {}
    for one in slices:
        is_text = not any(isinstance(token, Symbol) for token in one.part)
        if not one.vague and (is_text or len(one.part) == 1):
            exact[one.part] = None
        elif is_text and len(one.part) >= len(longest.get(one.place, ())):
            longest[one.place] = one.part
    return list(dict.fromkeys((*exact, *longest.values())))


def _extends(part: Glob, one: Glob) -> bool:
    """Tell whether a path is another one with folders before or behind it."""
    return part[: len(one) + 1] == (*one, "/") or part[-len(one) - 1 :] == ("/", *one)


def _sample(part: Glob) -> Glob:
    """A text of a glob, with an example for each wildcard."""
    return tuple(one for token in part for one in (token.sample if isinstance(token, Wild) else (token,)))


def _ragged(part: Glob) -> bool:
    """Tell whether a text begins or ends with a delimiter, as a value rarely does."""
    return bool(part) and (part[0] in ("/", ":") or part[-1] in ("/", ":"))
