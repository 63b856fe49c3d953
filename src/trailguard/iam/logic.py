"""Three answers: yes, no, and unknown with a reason. False and unknown is false, true or unknown is true (Kleene)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from trailguard.cloudformation.source.nodes import Node

State: TypeAlias = Literal["yes", "no", "unknown"]


class Tri(NamedTuple):
    """An answer; `reason` says why it is unknown, `node` which place makes it so."""

    state: State
    reason: str = ""
    node: Node | None = None

    @property
    def is_yes(self) -> bool:
        """Tell whether it is certainly so."""
        return self.state == "yes"

    @property
    def is_no(self) -> bool:
        """Tell whether it is certainly not so."""
        return self.state == "no"

    @property
    def is_unknown(self) -> bool:
        """Tell whether it is not known."""
        return self.state == "unknown"

    def negated(self) -> Tri:
        """The answer to the opposite question."""
        if self.state == "unknown":
            return self
        return NO if self.state == "yes" else YES

    def at(self, node: Node) -> Tri:
        """The same answer; when it is unknown and no place is named yet, `node` is the place that makes it so."""
        return self if self.state != "unknown" or self.node is not None else Tri(self.state, self.reason, node)


YES = Tri("yes")
NO = Tri("no")


def maybe(reason: str, node: Node | None = None) -> Tri:
    """Not known, and why."""
    return Tri("unknown", reason, node)


def of(truth: bool) -> Tri:
    """A certain answer."""
    return YES if truth else NO


def both(answers: Iterable[Tri]) -> Tri:
    """Kleene's and: the first doubt is told when nothing is false. Stops asking at the first no."""
    result = YES
    for answer in answers:
        if answer.state == "no":
            return NO
        if answer.state == "unknown" and result.state == "yes":
            result = answer
    return result


def either(answers: Iterable[Tri]) -> Tri:
    """Kleene's or: the first doubt is told when nothing is true. Stops asking at the first yes."""
    result = NO
    for answer in answers:
        if answer.state == "yes":
            return YES
        if answer.state == "unknown" and result.state == "no":
            result = answer
    return result
