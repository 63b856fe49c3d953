"""Compares wildcard texts with symbols in them, in three answers, and asks the caller about parameters that matter.

A GENERATED symbol is a letter of its own. An OPAQUE one equals itself; anything else is not known. A VARIABLE is
settled first: the caller is told which values would change the answer, and it either fixes the variable (by an
exception of its own) or lets it stand for some value that equals none of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from trailguard.cloudformation.scenarios.reasons import open_value
from trailguard.cloudformation.scenarios.values import GENERATED, OPAQUE, VARIABLE, Symbol, told
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.iam.globs import SOME, STAR, WORDS, Glob, Token, Wild, digits_apart, meet
from trailguard.iam.inclusion import Effort, Group, TooComplex, includes, sampled
from trailguard.iam.logic import NO, YES, Tri, maybe, of
from trailguard.iam.slices import Firm, likely_parts, loose, narrow, slices, spare_parts


class Settle(Protocol):
    """Finds out whether a variable equals one of some candidates, or else a value that is known of it and that matters.

    Returns when it equals none of them; what leaves that open travels as an exception.
    """

    def __call__(
        self, symbol: Symbol, candidates: Sequence[str | Symbol], matters: Callable[[str], bool] = ..., /
    ) -> None:
        """Settle it. Without `matters` every value that is known of the variable does."""


TOO_COMPLEX = "the wildcards take too long to compare"
GENERATED_NAME = "whether the name that AWS generates fits the wildcards is known only at deployment"
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


def overlaps(globs: Sequence[Glob], target: Glob, settle: Settle, effort: Effort | None = None) -> Tri:
    """Tell whether some string of the target is one of some glob; several questions may share an effort."""
    return _decide((Group(tuple(globs)),), target, True, settle, effort)


def surely_overlaps(globs: Iterable[Glob], target: Glob) -> bool:
    """Tell whether some string of the target is one of some glob, whatever their symbols stand for."""
    return any(meet(tokens, target) for tokens in globs)


def may_overlap(globs: Sequence[Glob], target: Glob) -> bool:
    """Tell whether some string of the target may be one of some glob, for some value of their symbols."""
    loose = tuple(STAR if isinstance(token, Symbol) else token for token in target)
    return any(meet(tuple(STAR if isinstance(t, Symbol) else t for t in tokens), loose) for tokens in globs)


def _decide(groups: Sequence[Group], target: Glob, some: bool, settle: Settle, effort: Effort | None = None) -> Tri:
    key = (tuple(groups), target, some)
    if key in _hopeless:
        return maybe(TOO_COMPLEX)
    question = Question(groups, target, some, effort or Effort())
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
    named = [part for part in _parts(asked.target) if any(map(_is_generated, part))]
    if not named:
        return False
    globs = [tokens for group in asked.groups if not group.negated for tokens in group.globs]
    fitted = [one for tokens in globs for one in _fitted(tokens, named, asked.effort)]
    if not fitted:
        return False
    question = asked._replace(groups=(Group((*globs, *fitted)),))
    firm = frozenset(token for token in question.tokens() if isinstance(token, Symbol) and token.kind == VARIABLE)
    return question.canonical().possible(firm) is not False


def _fitted(tokens: Glob, named: Iterable[Glob], effort: Effort) -> list[Glob]:
    """The same glob with parts that hold a generated name in the place of parts that may fit it."""
    parts = _parts(tokens)
    variants = [parts]
    for name in named:
        fits = [place for place, part in enumerate(parts) if _is_mixed(part) and may_overlap((part,), name)]
        effort.spend(len(variants) * len(fits) * len(tokens))
        variants += [[*one[:place], name, *one[place + 1 :]] for one in variants for place in fits]
    return [tuple(token for part in one for token in part) for one in variants[1:]]


def _parts(tokens: Glob) -> list[Glob]:
    """What stands between delimiters, and the delimiters."""
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token in ("/", ":"):
            found += [[token], []]
        else:
            found[-1].append(token)
    return [tuple(part) for part in found]


def _is_generated(token: Token) -> bool:
    return isinstance(token, Symbol) and token.kind == GENERATED


def _is_mixed(part: Glob) -> bool:
    """Tell whether letters stand beside a wildcard, or `?`: a generated name may fit."""
    wilds = [token for token in part if isinstance(token, Wild)]
    return bool(wilds) and (len(wilds) < len(part) or any(not wild.is_long for wild in wilds))


def _answer(question: Question, settle: Settle) -> Tri:
    found = question.sure(_NOTHING)
    if found:
        return YES
    if not any(isinstance(token, Symbol) and token.kind != GENERATED for token in question.tokens()):
        return maybe(TOO_COMPLEX) if found is None else NO
    return question.canonical().trimmed().resolve(settle)


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

    def trimmed(self) -> Question:
        """The same question without what all begin with, which decides nothing: letters, accounts, Regions."""
        size = 0
        if any(group.globs for group in self.groups):
            globs = [self.target, *(tokens for group in self.groups for tokens in group.globs)]
            alike = itertools.takewhile(_is_same, zip(*globs, strict=False))
            size = sum(1 for _ in alike)
        groups = [Group(tuple(tokens[size:] for tokens in group.globs), group.negated) for group in self.groups]
        return Question(groups, self.target[size:], self.some, self.effort)

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
        plain, target = [group for group in self.groups if not group.negated], self.target
        if any(isinstance(token, Wild) and not token.is_long for token in self.tokens()):
            plain = [Group(tuple(map(digits_apart, group.globs))) for group in plain]
            target = digits_apart(target)
        if self.some:
            return any(meet(pattern, target) for group in plain for pattern in group.globs)
        found = includes(plain, target, self.effort) if plain else False
        if found or len(plain) == len(self.groups):
            return found
        groups = [
            Group(tuple(narrow(tokens, firm) for tokens in group.globs), True) if group.negated else group
            for group in self.groups
        ]
        return includes(groups, narrow(self.target, firm), self.effort)

    def possible(self, firm: Firm) -> bool | None:
        """Tell whether it may be so for some value of the symbols that are not firm."""
        if self.some:
            target = narrow(self.target, firm)
            return any(meet(narrow(tokens, firm), target) for group in self.groups for tokens in group.globs)
        if not any(group.negated for group in self.groups):
            text = narrow(tuple(sampled(self.target)), firm)
            if not any(meet(narrow(tokens, firm), text) for group in self.groups for tokens in group.globs):
                return False  # this one string of the target is in none of them
        groups = []
        for group in self.groups:
            if group.negated:
                fixed = tuple(tokens for tokens in group.globs if narrow(tokens, firm) == tokens)
                groups.append(Group(fixed, True))
            else:
                groups.append(Group(tuple(narrow(tokens, firm) for tokens in group.globs)))
        return includes(groups, loose(self.target, firm, SOME), self.effort)

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
            otherwise = self._answers(firm | {symbol}, DEPTH)
            likely = self._likely(symbol, firm)
            for parts in (likely, [part for part in self._spare(symbol) if part not in likely]):
                values, strange = self._candidates(symbol, firm, otherwise, parts)
                if values:  # once it comes back, the variable is none of them
                    settle(symbol, values, partial(self._matters, symbol, firm, otherwise))
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
        return open_value(symbol)

    def _matters(self, symbol: Symbol, firm: Firm, otherwise: set[bool | None], value: str) -> bool:
        """Tell whether a value of a variable changes the answer, in whatever letter case it counts."""
        if len(otherwise) > 1 or "*" in value or "?" in value:
            return True  # perhaps: there is more to settle first
        spellings = {value, value.lower()}
        return any(self.substituted(symbol, tuple(one))._answers(firm, DEPTH) != otherwise for one in spellings)

    def _candidates(
        self, symbol: Symbol, firm: Firm, otherwise: set[bool | None], parts: Iterable[Glob]
    ) -> tuple[list[str | Symbol], str]:
        """The values of a variable that change the answer, and why some value that cannot be told may change it."""
        values: list[str | Symbol] = []
        doubt = ""
        for value in parts:
            single = value[0] if len(value) == 1 else None
            if self.substituted(symbol, value)._answers(firm, DEPTH) == otherwise:
                continue  # it does not matter
            if isinstance(single, Symbol):
                values.append(single)
            elif any(isinstance(token, Symbol) for token in value):
                doubt = doubt or f"whether {told(symbol)} is {spelt(value)} is not known"
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
        for value in self._likely(symbol, firm):
            answers |= self.substituted(symbol, value)._answers(firm, depth - 1)
        if not answers >= {True, False}:
            for value in self._spare(symbol):
                answers |= self.substituted(symbol, value)._answers(firm, depth - 1)
        return answers

    def _likely(self, symbol: Symbol, firm: Firm) -> list[Glob]:
        """What may stand on the other side where a variable stands."""
        found = (part for side in self._sides() for part in likely_parts(slices(symbol, *side, firm, self.effort)))
        return list(dict.fromkeys(found))

    def _spare(self, symbol: Symbol) -> list[Glob]:
        """What may stand there besides, should the variable be nothing that is likely."""
        firm = frozenset(token for token in self.tokens() if isinstance(token, Symbol))
        found = (part for side in self._sides() for part in spare_parts(slices(symbol, *side, firm, self.effort)))
        return list(dict.fromkeys(found))

    def _sides(self) -> list[tuple[Glob, Glob]]:
        """Each pattern and the target, both ways round."""
        patterns = (pattern for group in self.groups for pattern in group.globs)
        return [side for pattern in patterns for side in ((self.target, pattern), (pattern, self.target))]


def _is_same(tokens: tuple[Token, ...]) -> bool:
    """Tell whether some tokens are the same, and neither a wildcard nor a value that may hold one."""
    first = tokens[0]
    is_plain = isinstance(first, str) or (isinstance(first, Symbol) and bare(first.name) in WORDS)
    return is_plain and all(token == first for token in tokens)


def spelt(tokens: Glob) -> str:
    """A glob for people."""
    return "".join(told(t) if isinstance(t, Symbol) else t.name if isinstance(t, Wild) else t for t in tokens)
