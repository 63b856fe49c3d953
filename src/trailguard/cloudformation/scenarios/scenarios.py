"""Every scenario that matters for a question, and which of them can happen.

A question is a function of a `Scenario`. It is asked first with nothing decided; where the answer hinges on a
parameter, the scenario is split and the question asked again in each part. The leaves cover every stack that the
template can become. What else a stack needs, by parameters that have no say in the answer, is searched for once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from trailguard.cloudformation.scenarios.intrinsics import TooHard, Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.variables import Assignment, Constraint, Split

if TYPE_CHECKING:
    from trailguard.cloudformation.scenarios.existence import Existence

MAX_LEAVES = 4096  # combinations of parameter values that one question may hinge on
_SUSPECT = 256  # combinations from which on a question is compared with those that were too many
_LEVELS = 12  # decisions, one below the other, that are open when a question is suspected to have too many answers
_KEPT = 256  # scenarios that are kept for the next question

T = TypeVar("T")


class TooManyScenarios(Exception):
    """Raised when a question hinges on more than MAX_LEAVES combinations of values of the parameters in `names`."""

    def __init__(self, names: Collection[str] = ()) -> None:
        super().__init__()
        self.names = tuple(sorted(names))


class Leaf(Generic[T]):
    """An answer, what was decided to get it, and a choice of parameters by which a stack is made in that way."""

    __slots__ = ("answer", "assignment", "stack")

    def __init__(self, assignment: Assignment, answer: T, stack: Assignment | None = None) -> None:
        self.assignment = assignment
        self.answer = answer
        self.stack = assignment if stack is None else stack


class _Growth:
    """Finds out early that a question has too many answers: a part of it has many, and so has quite another part.

    Parts that do not multiply, such as a chain of alternatives, are large on one side only.
    """

    def __init__(self) -> None:
        self._suspect = _SUSPECT
        self._started: tuple[int, int] | None = None  # how many answers there were, and what was left, at the trial

    def is_hopeless(self, count: int, pending: list[Assignment]) -> bool:
        """Tell so from the number of answers and what is left; the part that is tried goes to the end of that."""
        if self._started is None:
            if count >= self._suspect and _levels(pending) >= _LEVELS:
                self._started = count, len(pending) - 1
                pending.append(pending.pop(0))
            return False
        before, left = self._started
        if len(pending) <= left:
            self._started, self._suspect = None, 2 * count
            return False
        return count - before >= _SUSPECT // 2 and _levels(pending[left:]) >= _LEVELS // 2


def _levels(pending: list[Assignment]) -> int:
    return len({len(assignment) for assignment in pending})


class Scenarios:
    """The scenarios of a model. What is found out in one is kept for a while, so that others need not ask again."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._cache: OrderedDict[frozenset[tuple[str, Constraint]], Scenario] = OrderedDict()
        self._too_many: list[frozenset[str]] = []  # what questions hinged on that had too many answers

    @cached_property
    def existence(self) -> Existence:
        """Which stacks can be made: asked where something is decided, or where the template has `Rules`."""
        from trailguard.cloudformation.scenarios.existence import Existence

        return Existence(self.model)

    def at(self, assignment: Assignment) -> Scenario:
        """The scenario of an assignment."""
        key = frozenset(assignment.items())
        scenario = self._cache.get(key)
        if scenario is None:
            scenario = self._cache[key] = Scenario(self.model, assignment)
            if len(self._cache) > _KEPT:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return scenario

    def explore(self, question: Callable[[Scenario], T]) -> list[Leaf[T]]:
        """Ask a question in every scenario that it hinges on and that can happen.

        Raises TooManyScenarios when there are more than MAX_LEAVES.
        """
        return list(self._leaves(question))

    def ever(self, predicate: Callable[[Scenario], bool]) -> bool:
        """Tell whether something is so in any scenario that can happen. Raises TooManyScenarios as `explore` does."""
        return any(leaf.answer for leaf in self._leaves(predicate))

    @property
    def _has_rules(self) -> bool:
        return bool(self.model.template.rules)

    def _leaves(self, question: Callable[[Scenario], T]) -> Iterator[Leaf[T]]:
        pending: list[Assignment] = [{}] if not self._has_rules or self.existence.possible else []
        names: set[str] = set()
        count = 0
        growth = _Growth()
        while pending:
            if growth.is_hopeless(count, pending):
                self._limit(MAX_LEAVES + 1, names)
            assignment = pending.pop()
            try:
                stack = self.existence.stack(assignment) if assignment or self._has_rules else assignment
                if stack is None:
                    continue
                answer = question(self.at(assignment))
            except Split as split:
                pending.extend(reversed(self.model.space.children(assignment, split)))
                names.add(split.name)
                self._limit(count + len(pending), names)
            except Unbuildable:
                continue
            except TooHard as hard:
                raise TooManyScenarios(hard.names & self.model.space.variables.keys()) from None
            else:
                count += 1
                yield Leaf(assignment, answer, stack)

    def _limit(self, count: int, names: set[str]) -> None:
        """Stop a question that hinges on too much, earlier when another one was stopped for the same parameters."""
        if count > MAX_LEAVES:
            self._too_many.append(frozenset(names))
        elif count <= _SUSPECT or not any(known <= names for known in self._too_many):
            return
        raise TooManyScenarios(names)
