"""Wildcard texts, and whether two of them have a string in common.

A glob is a run of tokens: characters, wildcards and symbols. A symbol is a letter of its own, equal to itself only and
taken by `*` alone, except where a caller loosens it first. Places in globs are bits of a number, so that all places
that a text may lead to are worked out at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
SOME = Wild("some")  # in a target: one text that nobody knows, and that may be just what it takes

Token: TypeAlias = "str | Wild | Symbol"
Glob: TypeAlias = "tuple[Token, ...]"
Places: TypeAlias = int  # a bit for each place


_WILD = {"*": STAR, "?": ANY}
_LITERAL = {"*": "*", "?": "?", "$": "$"}
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


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


class Lanes:
    """Globs side by side: a place before each of their tokens and one at the end of each.

    `ends` are the places at the ends, `full` those before a `*` that is the last token, `starts` the first of each.
    """

    __slots__ = ("_long", "_places", "_steps", "ends", "everywhere", "full", "size", "stars", "starts")

    def __init__(self, globs: Iterable[Glob]) -> None:
        places: dict[Token | None, list[int]] = {}
        self.starts: list[int] = []
        self.size = 0
        for tokens in globs:
            self.starts.append(self.size)
            for token in (*tokens, None):
                places.setdefault(token, []).append(self.size)
                self.size += 1
        self.ends = _bits(places.pop(None, ()))
        self._places = {token: _bits(found) for token, found in places.items() if token is not None}
        self.everywhere = (1 << self.size) - 1
        self.stars = self.at(STAR)
        self.full = self.stars & self.ends >> 1
        self._long = self.stars | self.at(PART_STAR)
        self._steps: dict[Token, tuple[Places, Places]] = {}

    def at(self, token: Token) -> Places:
        """The places before a token."""
        return self._places.get(token, 0)

    def awaited(self, places: Places, symbols: bool) -> list[Token]:
        """The letters that make a difference at some places; with `symbols`, these too."""
        found: list[Token] = [
            token
            for token, own in self._places.items()
            if own & places and (isinstance(token, str) or (symbols and isinstance(token, Symbol)))
        ]
        if ":" not in found and places & (self.at(PART_STAR) | self.at(PART_ANY)):
            found.append(":")
        return found

    def closed(self, places: Places) -> Places:
        """The places, and those behind a `*` that takes nothing."""
        while more := (places & self._long) << 1 & ~places:
            places |= more
        return places

    def after(self, places: Places, token: Token) -> Places:
        """The places to which a token of another glob leads: a letter, a symbol, or a wildcard but `*`."""
        step = self._steps.get(token)
        if step is None:
            step = self._steps[token] = self._step(token)
        return self.closed((places & step[0]) << 1 | places & step[1])

    def _step(self, token: Token) -> tuple[Places, Places]:
        """The places at which a token leads on to the next, and those at which it leads nowhere else."""
        singles, colon = self.at(ANY) | self.at(PART_ANY), self.at(":")
        if isinstance(token, Symbol):
            return self.at(token), self._long
        if isinstance(token, Wild):
            letters = 0
            for other, found in self._places.items():
                letters |= found if isinstance(other, str) else 0
            return singles | (letters & ~colon if token is PART_ANY else letters), self._long
        if token == ":":
            return self.at(ANY) | colon, self.stars
        return singles | self.at(token), self._long

    def beyond(self, places: Places, token: Token) -> Places:
        """The places to which `*` of another glob leads."""
        open_ = self.everywhere & ~self.ends & ~(0 if token is STAR else self.at(":"))
        allowed = open_ << 1  # to which some letter leads
        shift = 1
        while shift <= self.size:
            places |= allowed & places << shift
            allowed &= allowed << shift
            shift *= 2
        return self.closed(places)

    def follow(self, places: Places, token: Token) -> Places:
        """The places to which a token of another glob leads, whatever it is."""
        is_long = token is STAR or token is PART_STAR
        return self.beyond(places, token) if is_long else self.after(places, token)

    def beside(self, places: Places, tokens: Glob) -> Iterator[Places]:
        """The places to which the tokens of another glob lead, one after the other."""
        for token in tokens:
            places = self.follow(places, token)
            yield places


def _bits(places: Iterable[int]) -> Places:
    found = 0
    for place in places:
        found |= 1 << place
    return found


def numbers(places: Places) -> Iterator[int]:
    """The numbers of places, in their order."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


@lru_cache(maxsize=256)
def lane_of(tokens: Glob) -> Lanes:
    """The lane of a single glob."""
    return Lanes((tokens,))


def rows(one: Glob, other: Glob) -> Iterator[Places]:
    """For each place in a glob, and its end, the places in another one to which some text in common leads."""
    lane = lane_of(other)
    places = lane.closed(1)
    yield places
    yield from lane.beside(places, one)


@lru_cache(maxsize=1024)
def meet(one: Glob, other: Glob) -> bool:
    """Tell whether two globs have a string in common."""
    if one == (STAR,) or other == (STAR,):
        return True
    for place in (0, -1):  # both begin, or end, with letters that differ
        ends = {tokens[place] for tokens in (one, other) if tokens}
        if len(ends) == 2 and not any(isinstance(token, Wild) for token in ends):
            return False
    places = 0
    for places in rows(one, other):
        if not places:
            return False
    return bool(places >> len(other))
