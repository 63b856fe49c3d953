"""Wildcard texts, and whether two of them have a string in common.

A glob is a run of tokens: characters, wildcards and symbols. A symbol is a letter of its own, equal to itself only and
taken by `*` alone, except where a caller loosens it first. Places in globs are bits of a number, so that all places
that a text may lead to are worked out at once.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.values import GENERATED, OPAQUE, Piece, Symbol
from trailguard.cloudformation.stacks.renaming import bare


class Wild:
    """A wildcard: with `is_long` any text of the letters that it takes, else a single one of them.

    It takes `letters`, or all but those of `without` when there are none. `sample` is an example of what it stands for.
    """

    __slots__ = ("is_long", "letters", "name", "sample", "without")

    def __init__(
        self, name: str, is_long: bool, sample: str, letters: Iterable[str] | None = None, without: str = ""
    ) -> None:
        self.name = name
        self.is_long = is_long
        self.sample = sample
        self.letters = None if letters is None else frozenset(letters)
        self.without = without

    def __repr__(self) -> str:
        return self.name

    def takes(self, letter: str) -> bool:
        """Tell whether a letter may be in what it stands for."""
        return letter not in self.without if self.letters is None else letter in self.letters

    def meets(self, other: Wild) -> bool:
        """Tell whether it has a letter in common with another."""
        if self.letters is None:
            return other.letters is None or any(map(self.takes, other.letters))
        return any(map(other.takes, self.letters))


STAR = Wild("*", True, "")  # any text
ANY = Wild("?", False, "0")  # any character
PART_STAR = Wild("*", True, "", without=":")  # any text without a colon: within one of the first five parts of an ARN
PART_ANY = Wild("?", False, "0", without=":")  # any character but a colon
WORD = Wild("*", True, "", without=":/")  # any text without a delimiter of an ARN
SOME = Wild("some", False, "")  # in a target: one text that nobody knows, and that may be just what it takes

Token: TypeAlias = "str | Wild | Symbol"
Glob: TypeAlias = "tuple[Token, ...]"
Places: TypeAlias = int  # a bit for each place


ORGANIZATION_ID = "organization ID"  # a symbol for what follows `o-`
# Symbols whose values hold no delimiter of an ARN, and what they may be.
WORDS: Mapping[str, Wild] = {
    "AWS::AccountId": Wild("*", True, "1", string.digits),
    "AWS::Partition": Wild("*", True, "aws", string.ascii_lowercase + "-"),
    "AWS::Region": Wild("*", True, "us-east-1", string.ascii_lowercase + string.digits + "-"),
    ORGANIZATION_ID: Wild("*", True, "a", string.ascii_lowercase + string.digits),
}
_WILD = {"*": STAR, "?": ANY}
OTHER = "\0"  # stands for every letter that no glob names
_LITERAL = {"*": "*", "?": "?", "$": "$"}
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_KEY = re.compile(r"[\w.\-/]+:[^:\s].*")  # a service, and the name of one of its keys; AWS::AccountId is none
_DEFAULT = re.compile(r"\s*'([^']*)'\s*")


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


class PolicyVariable(Symbol):
    """A policy variable such as `${aws:SourceAccount}`: the text that AWS puts in its place when a request is made."""

    __slots__ = ()

    @property
    def key(self) -> str:
        """The condition key whose value it is, as a context spells it; nothing when it names none."""
        name = self.name[2:-1].partition(",")[0].strip()
        return name.lower() if _KEY.fullmatch(name) else ""

    @property
    def default(self) -> str | None:
        """The text for requests that do not send the key, or None."""
        found = _DEFAULT.fullmatch(self.name[2:-1].partition(",")[2])
        return found[1] if found is not None else None


def policy_variable(name: str) -> PolicyVariable:
    """The policy variable of a name, which may have a default: `aws:PrincipalTag/team, 'none'`.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    return PolicyVariable(
        OPAQUE, f"${{{name}}}", f"the policy variable ${{{name}}} is filled in when a request is made"
    )


def variables_in(text: str) -> list[PolicyVariable]:
    """What is written like a policy variable in a text, whether or not it can be one."""
    return [policy_variable(name) for name in _VARIABLE.findall(text) if name not in _LITERAL]


def filled(tokens: Glob, value: Callable[[PolicyVariable], Glob | None]) -> Glob | None:
    """A glob with a value for each policy variable; None when one has none, because such a text never matches."""
    found: list[Token] = []
    for token in tokens:
        if not isinstance(token, PolicyVariable):
            found.append(token)
            continue
        part = value(token)
        if part is None:
            return None
        found += part
    return tuple(found)


def has_variable(globs: Iterable[Glob]) -> bool:
    """Tell whether a policy variable is in one of some globs."""
    return any(isinstance(token, PolicyVariable) for tokens in globs for token in tokens)


def arn_glob(tokens: Glob) -> Glob:
    """The same glob for ARNs: wildcards before the fifth colon stay within their part. A mere `*` takes every ARN."""
    return tokens if tokens == (STAR,) else _in_parts(tokens, False)


def resource_glob(tokens: Glob) -> Glob:
    """The same glob for the Resource of a statement: as for ARNs, but a `*` that ends a part goes beyond it.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return _in_parts(tokens, True)


def _in_parts(tokens: Glob, ends_open: bool) -> Glob:
    colons = 0
    found: list[Token] = []
    for place, token in enumerate(tokens):
        if token == ":":
            colons += 1
        if colons == 5 or (isinstance(token, Symbol) and not is_word(token)):
            return (*found, *tokens[place:])  # what follows belongs to the last part, or to none that is known
        is_open = ends_open and token is STAR and tokens[place + 1 : place + 2] in ((), (":",))
        is_held = isinstance(token, Wild) and not is_open
        found.append((PART_STAR if token is STAR else PART_ANY) if is_held else token)
    return tuple(found)


def digits_apart(tokens: Glob) -> Glob:
    """The same glob with each of the twelve digits of an account ID a letter of its own, which `?` takes, too."""
    return tuple(
        letter
        for token in tokens
        for letter in (
            tuple(f"{token.name} {place}" for place in range(12))
            if isinstance(token, Symbol) and bare(token.name) == "AWS::AccountId"
            else (token,)
        )
    )


def is_word(symbol: Symbol) -> bool:
    """Tell whether a symbol holds no delimiter of an ARN."""
    return symbol.kind == GENERATED or bare(symbol.name) in WORDS


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

    __slots__ = (
        "_long",
        "_passes",
        "_places",
        "_steps",
        "_wild",
        "ends",
        "everywhere",
        "full",
        "size",
        "stars",
        "starts",
    )

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
        self._wild = [(token, own) for token, own in self._places.items() if isinstance(token, Wild)]
        self._long = self._of_wild(lambda wild: wild.is_long)
        self._steps: dict[Token, tuple[Places, Places]] = {}
        self._passes: dict[Wild, Places] = {}

    def at(self, token: Token) -> Places:
        """The places before a token."""
        return self._places.get(token, 0)

    def letters_for(self, wild: Wild, places: Places, symbols: bool) -> list[Token]:
        """The letters of a wildcard that make a difference at some places, and one that makes none.

        With `symbols` that may be what a symbol stands for, too.
        """
        awaited = self._awaited(places, symbols)
        found: list[Token] = [one for one in awaited if isinstance(one, Symbol) or wild.takes(one)]
        other = OTHER if wild.letters is None else min(wild.letters.difference(awaited), default=None)
        return found if other is None else [other, *found]

    def _awaited(self, places: Places, symbols: bool) -> list[str | Symbol]:
        found: list[str | Symbol] = [
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
        if isinstance(token, Symbol):
            return self.at(token), self._of_wild(lambda wild: wild.is_long and wild.letters is None)
        if isinstance(token, Wild):
            singles = self._of_wild(lambda wild: not wild.is_long and wild.meets(token))
            return singles | self._taken(token), self._of_wild(lambda wild: wild.is_long and wild.meets(token))
        singles = self._of_wild(lambda wild: not wild.is_long and wild.takes(token))
        return singles | self.at(token), self._of_wild(lambda wild: wild.is_long and wild.takes(token))

    def _of_wild(self, wanted: Callable[[Wild], bool]) -> Places:
        """The places before some wildcards."""
        found = 0
        for wild, own in self._wild:
            if wanted(wild):
                found |= own
        return found

    def _taken(self, wild: Wild) -> Places:
        """The places before letters that a wildcard takes."""
        found = 0
        for token, own in self._places.items():
            if isinstance(token, str) and wild.takes(token):
                found |= own
        return found

    def beyond(self, places: Places, token: Wild) -> Places:
        """The places to which a long wildcard of another glob leads."""
        passed = self._passes.get(token)
        if passed is None:
            passed = self._passes[token] = self._passed(token)
        allowed = passed << 1  # to which some letter leads
        shift = 1
        while shift <= self.size:
            places |= allowed & places << shift
            allowed &= allowed << shift
            shift *= 2
        return self.closed(places)

    def _passed(self, token: Wild) -> Places:
        """The places before all that a long wildcard of another glob passes."""
        if token.letters is not None:
            return self._taken(token) | self._of_wild(lambda wild: wild.is_long or wild.meets(token))
        refusing = sum(own for other, own in self._places.items() if isinstance(other, str) and not token.takes(other))
        return self.everywhere & ~self.ends & ~refusing

    def follow(self, places: Places, token: Token) -> Places:
        """The places to which a token of another glob leads, whatever it is."""
        if isinstance(token, Wild) and token.is_long:
            return self.beyond(places, token)
        return self.after(places, token)

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
