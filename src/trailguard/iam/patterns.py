"""Compares wildcard texts with symbols in them, in three answers, and asks the caller about parameters that matter.

A GENERATED symbol is a letter of its own. An OPAQUE one equals itself; anything else is not known. A VARIABLE is
settled first: the caller is told which values would change the answer, and it either fixes the variable (by an
exception of its own) or lets it stand for some value that equals none of them.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.values import GENERATED, OPAQUE, VARIABLE, Symbol
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.iam.globs import ANY, PART_ANY, PART_STAR, SOME, STAR, Glob, Token, Wild, meet, numbers, rows
from trailguard.iam.inclusion import Effort, Group, TooComplex, includes
from trailguard.iam.logic import NO, YES, Tri, maybe, of

Settle: TypeAlias = Callable[[Symbol, Sequence["str | Symbol"]], None]
Firm: TypeAlias = "frozenset[Symbol]"

TOO_COMPLEX = "the wildcards take too long to compare"
GENERATED_NAME = "whether the name that AWS generates fits the wildcards is known only at deployment"
MAX_CANDIDATES = 6  # values of a variable that are offered for one pattern
# Variables whose values hold no delimiter of an ARN.
WORDS = frozenset(("AWS::AccountId", "AWS::Partition", "AWS::Region"))
DEPTH = 2  # further variables that are looked at to tell whether the value of one matters

MAX_HOPELESS = 100

_NOTHING: Firm = frozenset()
_hopeless: set[tuple[tuple[Group, ...], Glob, bool]] = set()  # questions that took too long: many rules ask the same


def covers(groups: Sequence[Group], target: Glob, settle: Settle) -> Tri:
    """Tell whether every string of the target is in one of the groups."""
    return _decide(groups, target, False, settle)


def covered_by(pattern: Glob, target: Glob, settle: Settle) -> Tri:
    """Tell whether every string of the target is one of the pattern."""
    if pattern == target:
        return YES
    return _decide((Group((pattern,)),), target, False, settle)


def overlaps(globs: Sequence[Glob], target: Glob, settle: Settle) -> Tri:
    """Tell whether some string of the target is one of some glob."""
    return _decide((Group(tuple(globs)),), target, True, settle)


def may_overlap(globs: Sequence[Glob], target: Glob) -> bool:
    """Tell whether some string of the target may be one of some glob, for some value of their symbols."""
    loose = tuple(STAR if isinstance(token, Symbol) else token for token in target)
    return any(meet(tuple(STAR if isinstance(t, Symbol) else t for t in tokens), loose) for tokens in globs)


def _decide(groups: Sequence[Group], target: Glob, some: bool, settle: Settle) -> Tri:
    key = (tuple(groups), target, some)
    if key in _hopeless:
        return maybe(TOO_COMPLEX)
    question = Question(groups, target, some, Effort())
    try:
        answer = _answer(question, settle)
        if answer.is_no and _may_fit(question):
            return maybe(GENERATED_NAME)
    except TooComplex:
        if len(_hopeless) >= MAX_HOPELESS:
            _hopeless.clear()
        _hopeless.add(key)
        return maybe(TOO_COMPLEX)
    return answer


def _may_fit(asked: Question) -> bool:
    """Tell whether a generated name may fit where a pattern mixes letters and wildcards (`prod-*`).

    Letters alone are never a generated name, and `*` alone takes any.
    """
    names = {token for token in asked.target if isinstance(token, Symbol) and token.kind == GENERATED}
    globs = (tokens for group in asked.groups if not group.negated for tokens in group.globs)
    mixed = tuple(tokens for tokens in globs if names.isdisjoint(tokens) and _is_mixed(tokens)) if names else ()
    if not mixed:
        return False
    question = asked._replace(groups=(Group(mixed),)).mapped(_unnamed)
    firm = frozenset(token for token in question.tokens() if isinstance(token, Symbol) and token.kind == VARIABLE)
    return question.canonical().possible(firm) is not False


def _is_mixed(tokens: Glob) -> bool:
    """Tell whether a glob has letters beside a wildcard, or `?`, between two delimiters."""
    letters = wild = False
    for token in (*tokens, "/"):
        if token in ("/", ":"):
            if letters and wild:
                return True
            letters = wild = False
        elif isinstance(token, Wild):
            wild = True
            letters = letters or token is ANY or token is PART_ANY
        else:
            letters = True
    return False


def _unnamed(token: Token) -> Token:
    """A generated name as one that may be anything."""
    return token._replace(kind=OPAQUE) if isinstance(token, Symbol) and token.kind == GENERATED else token


def _answer(question: Question, settle: Settle) -> Tri:
    found = question.sure(_NOTHING)
    if found:
        return YES
    if not any(isinstance(token, Symbol) and token.kind != GENERATED for token in question.tokens()):
        return maybe(TOO_COMPLEX) if found is None else NO
    return question.canonical().resolve(settle)


class Question(NamedTuple):
    """Whether all (or with `some`, any) strings of a target are in one of some groups.

    Finding out raises TooComplex when it takes more than an effort.
    """

    groups: Sequence[Group]
    target: Glob
    some: bool
    effort: Effort

    def tokens(self) -> list[Token]:
        """All tokens of both sides."""
        return [*self.target, *(token for group in self.groups for tokens in group.globs for token in tokens)]

    def canonical(self) -> Question:
        """The same question with one symbol object per kind and name, whatever the reasons that they carry."""
        known: dict[tuple[str, str], Symbol] = {}
        return self.mapped(lambda token: known.setdefault(token[:2], token) if isinstance(token, Symbol) else token)

    def mapped(self, change: Callable[[Token], Token]) -> Question:
        """The same question with each token changed."""

        def put(tokens: Glob) -> Glob:
            return tuple(map(change, tokens))

        groups = [Group(tuple(map(put, group.globs)), group.negated) for group in self.groups]
        return Question(groups, put(self.target), self.some, self.effort)

    def substituted(self, symbol: Symbol, value: Glob) -> Question:
        """The same question with a value in the place of a symbol."""

        def put(tokens: Glob) -> Glob:
            if symbol not in tokens:
                return tokens
            return tuple(part for token in tokens for part in (value if token == symbol else (token,)))

        groups = [Group(tuple(map(put, group.globs)), group.negated) for group in self.groups]
        return Question(groups, put(self.target), self.some, self.effort)

    # --- two ways to look at symbols that may be anything ----------------------------------------------------------

    def sure(self, firm: Firm) -> bool | None:
        """Tell whether it is so whatever the symbols that are not firm stand for; None when it takes too long."""
        if self.some:
            return any(meet(pattern, self.target) for group in self.groups for pattern in group.globs)
        plain = [group for group in self.groups if not group.negated]
        found = includes(plain, self.target, self.effort) if plain else False
        if found or len(plain) == len(self.groups):
            return found
        groups = [
            Group(tuple(_loose(tokens, firm, STAR) for tokens in group.globs), True) if group.negated else group
            for group in self.groups
        ]
        return includes(groups, _loose(self.target, firm, STAR), self.effort)

    def possible(self, firm: Firm) -> bool | None:
        """Tell whether it may be so for some value of the symbols that are not firm."""
        if self.some:
            target = _loose(self.target, firm, STAR)
            return any(meet(_loose(tokens, firm, STAR), target) for group in self.groups for tokens in group.globs)
        groups = []
        for group in self.groups:
            if group.negated:
                fixed = tuple(tokens for tokens in group.globs if _loose(tokens, firm, STAR) == tokens)
                groups.append(Group(fixed, True))
            else:
                groups.append(Group(tuple(_loose(tokens, firm, STAR) for tokens in group.globs)))
        return includes(groups, _loose(self.target, firm, SOME), self.effort)

    def truth(self, firm: Firm) -> bool | None:
        """Yes or no when it is the same whatever the symbols that are not firm stand for, else None."""
        if self.sure(firm):
            return True
        return False if self.possible(firm) is False else None

    # --- asking about variables ------------------------------------------------------------------------------------

    def resolve(self, settle: Settle) -> Tri:
        """The answer, once the caller has settled the variables on which it hinges."""
        found = self.truth(_NOTHING)
        if found is not None:
            return of(found)
        waiting = self._variables(_NOTHING)
        for symbol in waiting:
            if self._has_neighbour(symbol):  # where one ends and the other begins hinges on what both may be
                settle(symbol, ())
        firm, doubt = _NOTHING, ""
        while waiting and found is None:
            symbol = next((one for one in waiting if self.truth(firm | {one}) is not None), waiting[0])
            waiting.remove(symbol)
            values, strange = self._candidates(symbol, firm)
            if values:
                settle(symbol, values)
            doubt = doubt or strange
            firm |= {symbol}
            found = self.truth(firm)
        if found is None:
            return maybe(self._reason(firm))
        return maybe(doubt) if doubt else of(found)

    def _variables(self, firm: Firm) -> list[Symbol]:
        found = dict.fromkeys(token for token in self.tokens() if isinstance(token, Symbol))
        return [symbol for symbol in found if symbol.kind == VARIABLE and symbol not in firm]

    def _has_neighbour(self, symbol: Symbol) -> bool:
        """Tell whether another variable stands beside a variable."""
        globs = (self.target, *(tokens for group in self.groups for tokens in group.globs))
        pairs = (pair for tokens in globs if symbol in tokens for pair in itertools.pairwise(tokens) if symbol in pair)
        return any(isinstance(one, Symbol) and isinstance(other, Symbol) for one, other in pairs)

    def _reason(self, firm: Firm) -> str:
        """Why it is not known: the symbol that decides, or the first that may."""
        symbols = dict.fromkeys(t for t in self.tokens() if isinstance(t, Symbol) and t.kind == OPAQUE)
        if not symbols:
            return TOO_COMPLEX
        first = next(iter(symbols))
        symbol = next((item for item in symbols if self.truth(firm | {item}) is not None), first)
        return symbol.reason or f"{symbol.name} is not known"

    def _candidates(self, symbol: Symbol, firm: Firm) -> tuple[list[str | Symbol], str]:
        """The values of a variable that change the answer, and why some value that cannot be told may change it."""
        values: list[str | Symbol] = []
        doubt = ""
        otherwise = self._answers(firm | {symbol}, DEPTH)
        known = set(otherwise)
        for value, likely in self._aligned(symbol, firm, known):
            single = value[0] if len(value) == 1 else None
            answers = self.substituted(symbol, value)._answers(firm, DEPTH)
            if answers == otherwise or (not likely and answers <= known):
                continue  # it does not matter
            known |= answers
            if isinstance(single, Symbol):
                values.append(single)
            elif any(isinstance(token, Symbol) for token in value):
                doubt = doubt or f"whether ${{{symbol.name}}} is {spelt(value)} is not known"
            else:
                values.append("".join(token for token in value if isinstance(token, str)))
        return values, doubt

    def _answers(self, firm: Firm, depth: int) -> set[bool | None]:
        """Every answer that the variables may bring about."""
        found = self.truth(firm)
        waiting = self._variables(firm) if found is None and depth else []
        if not waiting:
            return {found}
        symbol = waiting[0]
        answers = self._answers(firm | {symbol}, depth - 1)
        for value, _ in self._aligned(symbol, firm, answers):
            answers |= self.substituted(symbol, value)._answers(firm, depth - 1)
        return answers

    def _aligned(self, symbol: Symbol, firm: Firm, known: set[bool | None]) -> Iterator[tuple[Glob, bool]]:
        """What stands on the other side where a variable stands, and whether it is likely to matter.

        What is less likely is given only while an answer is lacking among those that are known by then.
        """
        sides = [sides for group in self.groups for pattern in group.globs
                 for sides in ((self.target, pattern), (pattern, self.target))]  # fmt: skip
        likely = dict.fromkeys(part for side in sides for part in _likely(_slices(symbol, *side, firm, self.effort)))
        yield from ((part, True) for part in likely)
        if not known >= {True, False}:
            letters = frozenset(token for token in self.tokens() if isinstance(token, Symbol))
            spare = dict.fromkeys(
                part for side in sides for part in _spare(_slices(symbol, *side, letters, self.effort))
            )
            yield from ((part, False) for part in spare if part not in likely)


def _loose(tokens: Glob, firm: Firm, wild: Wild) -> Glob:
    """The glob with a wildcard for each symbol that may be anything."""
    for token in tokens:
        if isinstance(token, Symbol) and token.kind != GENERATED and token not in firm:
            break
    else:
        return tokens
    return tuple(
        wild if isinstance(token, Symbol) and token.kind != GENERATED and token not in firm else token
        for token in tokens
    )


class _Slice(NamedTuple):
    """What stands on the other side where a symbol stands in one place.

    `vague` tells that a wildcard nearby leaves other slices as well, `open_end` that the slice ends within a part.
    """

    place: int
    part: Glob
    vague: bool
    open_end: bool


def _slices(symbol: Symbol, mine: Glob, other: Glob, firm: Firm, effort: Effort) -> Iterator[_Slice]:
    """The parts of the other side that a symbol of mine would have to equal for both to have a text in common."""
    if symbol not in mine:
        return
    one, two = _loose(mine, firm, STAR), _loose(other, firm, STAR)
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
                effort.spend(1 + (end - start) // 64)
                part = other[start:end]
                near = vague or any(t is STAR or t is PART_STAR for t in two[max(start - 1, 0) : end + 1])
                open_end = bool(part) and other[end : end + 1] not in (("/",), (":",), ())
                yield _Slice(place, _sample(part), near, open_end)


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
        return bare(token.name) in WORDS - {bare(word.name)}
    return token in (":", "/")


def _likely(slices: Iterable[_Slice]) -> list[Glob]:
    """Where a wildcard leaves many slices, a few that stand for all; a path stands for longer ones around it."""
    found = list(slices)
    parts = dict.fromkeys(one.part for one in found if not one.vague)
    if not parts:
        ends = {one.part: one.open_end for one in found}
        parts = dict.fromkeys(sorted(ends, key=lambda part: (ends[part], _ragged(part), len(part)))[:2])
    short = [part for part in parts if not any(_extends(part, one) for one in parts if one)]
    return sorted(short, key=lambda part: (_ragged(part), len(part)))[:MAX_CANDIDATES]


def _spare(slices: Iterable[_Slice]) -> list[Glob]:
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
    """A text of a glob: nothing for each `*`, a zero for each `?`."""
    return tuple("0" if t is ANY or t is PART_ANY else t for t in part if t is not STAR and t is not PART_STAR)


def _ragged(part: Glob) -> bool:
    """Tell whether a text begins or ends with a delimiter, as a value rarely does."""
    return bool(part) and (part[0] in ("/", ":") or part[-1] in ("/", ":"))


def spelt(tokens: Glob) -> str:
    """A glob for people."""
    return "".join(
        "${" + t.name + "}" if isinstance(t, Symbol) else t.name if isinstance(t, Wild) else t for t in tokens
    )
