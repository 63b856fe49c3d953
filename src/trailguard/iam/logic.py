"""Three answers: yes, no, and unknown with a reason. False and unknown is false, true or unknown is true (Kleene)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Tri(NamedTuple):
    """An answer. `state` is "yes", "no" or "unknown"; `reason` says why it is unknown."""

    state: str
    reason: str = ""

    @property
    def is_yes(self) -> bool:
        """Tell whether it is certainly so."""
        return self.state == "yes"

    @property
    def is_no(self) -> bool:
        """Tell whether it is certainly not so."""
        return self.state == "no"

    def negated(self) -> Tri:
        """The answer to the opposite question."""
        return {"yes": NO, "no": YES}.get(self.state, self)


YES = Tri("yes")
NO = Tri("no")


def maybe(reason: str) -> Tri:
    """Not known, and why."""
    return Tri("unknown", reason)


def of(truth: bool) -> Tri:
    """A certain answer."""
    return YES if truth else NO


def both(answers: Iterable[Tri]) -> Tri:
    """Kleene's and; stops asking at the first no."""
    result = YES
    for answer in answers:
        if answer.is_no:
            return NO
        if not answer.is_yes and result.is_yes:
            result = answer
    return result


def either(answers: Iterable[Tri]) -> Tri:
    """Kleene's or; stops asking at the first yes."""
    result = NO
    for answer in answers:
        if answer.is_yes:
            return YES
        if not answer.is_no and result.is_no:
            result = answer
    return result
