"""Whether every string of a wildcard text is in a union of others, or of what others leave out.

The patterns are run side by side over the target, as the set of places that they may have reached; the answers are
exact. Of one pattern a set holds few places: behind a `*`, all that comes before it in the pattern is of no more use.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trailguard.iam.globs import SOME, STAR, Glob, Lanes, Places, Token, Wild, lane_of, meet, numbers

LIMIT = 2_000  # pairs of a place in the target and a set of places in the patterns; beyond that nothing is claimed
MAX_WILDCARDS = 60  # in a target
MAX_PLACES = 100_000  # in the patterns
EFFORT = 250_000  # steps for all that one answer takes


class Group(NamedTuple):
    """A union of globs or, when `negated`, everything but that union."""

    globs: tuple[Glob, ...]
    negated: bool = False


class TooComplex(Exception):
    """Raised when wildcards take too long to compare."""


class Effort:
    """What may still be spent on an answer: `left`."""

    __slots__ = ("left",)

    def __init__(self, steps: int = EFFORT) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take note of some steps. Raises TooComplex when there were too many."""
        self.left -= steps
        if self.left < 0:
            raise TooComplex


def includes(groups: Sequence[Group], target: Glob, effort: Effort) -> bool | None:
    """Tell whether every string of the target is in one of the groups; None when it takes too long to find out.

    Raises TooComplex when nothing may be spent any more.
    """
    effort.spend(sum(8 + len(tokens) for group in groups for tokens in group.globs))
    if not any(isinstance(token, Wild) for token in target):
        return _holds(groups, target)
    if any(_begins(tokens, target) for group in groups if not group.negated for tokens in group.globs):
        return True
    if SOME not in target and not _holds(groups, tuple(sampled(target))):
        return False
    near = _near(groups, target)
    if any(group.negated and not group.globs for group in near):
        return True
    near = [group for group in near if group.globs]
    if not near or (len(near) == 1 and near[0].negated and any(_touches(tokens, target) for tokens in near[0].globs)):
        return False
    return Inclusion(near, target, effort).decide()


def _holds(groups: Sequence[Group], text: Glob) -> bool:
    """Tell whether a text without wildcards is in one of the groups."""
    return any(any(meet(tokens, text) for tokens in group.globs) is not group.negated for group in groups)


def sampled(target: Glob) -> Iterator[Token]:
    """The tokens of one string of the target."""
    for token in target:
        yield from token.sample if isinstance(token, Wild) else (token,)


def _begins(pattern: Glob, target: Glob) -> bool:
    """Tell whether a pattern is the target or its beginning and a `*`, as it mostly is."""
    return pattern == target or (pattern[-1:] == (STAR,) and pattern[:-1] == target[: len(pattern) - 1])


def _near(groups: Sequence[Group], target: Glob) -> list[Group]:
    """The groups without the globs that have nothing in common with the target."""
    wide = tuple(STAR if token is SOME else token for token in target)
    return [Group(tuple(tokens for tokens in group.globs if meet(tokens, wide)), group.negated) for group in groups]


def _touches(pattern: Glob, target: Glob) -> bool:
    """Tell whether the target has a string of the pattern for certain, whatever its SOME stands for.

    Of a text that nobody knows it is certain only that a `*` takes it.
    """
    lane = lane_of(pattern)
    places = lane.closed(1)
    for token in target:
        places = lane.closed(places & lane.stars) if token is SOME else lane.follow(places, token)
    return bool(places & lane.ends)


class Inclusion:
    """One question of inclusion."""

    __slots__ = (
        "_alone",
        "_effort",
        "_ends",
        "_exhausted",
        "_full",
        "_lanes",
        "_memo",
        "_negated",
        "_plain",
        "_target",
    )

    def __init__(self, groups: Sequence[Group], target: Glob, effort: Effort) -> None:
        self._target = target
        self._effort = effort
        self._lanes = Lanes(tokens for group in groups for tokens in group.globs)
        self._ends: list[tuple[Places, bool]] = []  # those of each group, and whether it is negated
        self._full = 0  # from which everything is taken
        self._memo: dict[tuple[int, Places], bool] = {}
        self._exhausted = False
        self._negated = any(group.negated for group in groups)
        self._plain = len(target) - target[::-1].index(SOME) if SOME in target else 0
        self._alone = self._negated and len(groups) == 1
        start = 0
        for globs, negated in groups:
            end = start + sum(len(tokens) + 1 for tokens in globs)
            own = (1 << end) - (1 << start)
            self._ends.append((self._lanes.ends & own, negated))
            self._full |= 0 if negated else self._lanes.full & own
            start = end

    def decide(self) -> bool | None:
        """Tell whether every string of the target is in one of the groups; None when that takes too long."""
        if sum(isinstance(token, Wild) for token in self._target) > MAX_WILDCARDS or self._lanes.size > MAX_PLACES:
            return None
        starts = sum(1 << start for start in self._lanes.starts)
        found = self._covered(0, self._useful(self._lanes.closed(starts), 0))
        return None if self._exhausted and not found else found

    def _covered(self, place: int, places: Places) -> bool:
        """Tell whether what follows in the target is taken from these places, whatever it is."""
        target = self._target
        if self._alone and place >= self._plain:
            return not self._meets(place, places)
        while place < len(target):
            if not self._negated:
                if not places:
                    return False
                if places & self._full:
                    return True
            token = target[place]
            if isinstance(token, Wild):
                return self._branch(place, token, places)
            places = self._after(places, token)
            place += 1
        return any(bool(ends & places) is not negated for ends, negated in self._ends)

    def _meets(self, place: int, places: Places) -> bool:
        """Tell whether some text that may follow in the target leads to the end of a pattern."""
        self._effort.spend((len(self._target) - place) * (1 + self._lanes.size // 4096))
        *_, last = (places, *self._lanes.beside(places, self._target[place:]))
        return bool(last & self._lanes.ends)

    def _branch(self, place: int, token: Wild, places: Places) -> bool:
        key = (place, places)
        if key not in self._memo:
            if len(self._memo) >= LIMIT:
                self._exhausted = True
                return False
            nexts = self._reachable(token, places) if token.is_long or token is SOME else self._stepped(token, places)
            answers = (self._covered(place + 1, following) for following in nexts)
            found = any(answers) if token is SOME else all(answers) and not self._exhausted
            self._memo[key] = found
        return self._memo[key]

    def _stepped(self, token: Wild, places: Places) -> Iterator[Places]:
        """Every set of places in which a single character may leave the patterns."""
        return (self._after(places, letter) for letter in self._lanes.letters_for(token, places, False))

    def _reachable(self, token: Wild, places: Places) -> Iterator[Places]:
        """Every set of places in which some text may leave the patterns.

        That text may be what a symbol stands for: it matters where something is excepted.
        """
        symbols = token is SOME or (self._negated and token.letters is None)
        seen = {places}
        pending = [places]
        while pending:
            current = pending.pop()
            yield current
            if len(seen) > LIMIT:
                self._exhausted = True  # too many to look at: nothing may be claimed
                return
            for letter in self._lanes.letters_for(token, current, symbols):
                following = self._after(current, letter)
                if following not in seen:
                    seen.add(following)
                    pending.append(following)

    def _after(self, places: Places, letter: Token) -> Places:
        self._effort.spend(1 + self._lanes.size // 4096)
        return self._useful(self._lanes.after(places, letter), places)

    def _useful(self, places: Places, before: Places) -> Places:
        """The places without those before a `*` of the same pattern that was reached now."""
        starts = self._lanes.starts
        for star in numbers(places & self._lanes.stars & ~before):
            places &= ~((1 << star) - (1 << starts[bisect_right(starts, star) - 1]))
        return places
