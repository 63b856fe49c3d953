"""What is found out once: in one scenario, or for all scenarios that agree in what was looked at.

Parts of a template hinge on parameters of their own mostly. What one of them comes to is then the same in many
scenarios; and where every way to decide what is open comes to the same, the part has no say and nothing is split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.variables import FREE, Assignment, Constraint, Split, Watched, ties

T = TypeVar("T")
AnyScenario = TypeVar("AnyScenario", bound="Sharing")

MOST_OUTCOMES = 128  # ways to decide what is open that are tried beside each other
_KEPT = 64  # scenarios that differ in what is looked at, for which outcomes are kept


class Outcomes(Generic[T]):
    """The different answers to a question in a scenario, and what is open there; None when nothing is.

    `looked_at` is what is known of the variables on which they hinge. With `too_many` there are no answers.
    """

    __slots__ = ("answers", "looked_at", "split", "too_many")

    def __init__(self, answers: tuple[T, ...], split: Split | None, too_many: bool = False) -> None:
        self.answers = answers
        self.split = split
        self.too_many = too_many
        self.looked_at: tuple[tuple[str, Constraint], ...] = ()


class Sharing:
    """A scenario of a model, as far as it keeps what others find out in it. `memo` is for `once` alone."""

    __slots__ = ("assignment", "memo", "model")

    def __init__(self, model: Model, assignment: Assignment) -> None:
        self.model = model
        self.assignment = assignment
        self.memo: dict[object, object] = {}

    def once(self, key: object, build: Callable[[], T]) -> T:
        """What `build` gives; it is asked once in this scenario for each key. What it raises is not kept."""
        if key not in self.memo:
            self.memo[key] = build()
        return cast("T", self.memo[key])

    def outcomes(self: AnyScenario, key: object, build: Callable[[AnyScenario], T]) -> Outcomes[T]:
        """What `build` comes to in this scenario, in each way to decide what is open here.

        It is found out once for each key and for all scenarios that agree in what `build` looks at. Raises the first
        Split when there are more than MOST_OUTCOMES ways.
        """
        items = len(self.model.space.parts)  # what is decided of an item decides about its parameter
        known: list[Outcomes[T]] = self.model.shared.setdefault((key, ties(self.assignment), items), [])
        found = next((one for one in known if self._agrees(one)), None)
        if found is None:
            names: set[str] = set()
            found = self._every(build, names)
            found.looked_at = tuple((name, self.assignment.get(name, FREE)) for name in sorted(names))
            if len(known) == _KEPT:
                known.pop(0)
            known.append(found)
        if found.too_many and found.split is not None:
            raise found.split
        return found

    def _agrees(self, known: Outcomes[T]) -> bool:
        """Tell whether outcomes hold in this scenario too."""
        return all(self.assignment.get(name, FREE) == constraint for name, constraint in known.looked_at)

    def _every(self: AnyScenario, build: Callable[[AnyScenario], T], names: set[str]) -> Outcomes[T]:
        """Ask in each part of this scenario; `names` collects the variables that are looked at."""
        found: list[T] = []
        first: Split | None = None
        pending: list[Assignment] = [self.assignment]
        count = 0
        while pending:
            part = Watched(pending.pop(), names)
            try:
                answer = build(type(self)(self.model, part))
            except Split as split:
                first = first or split
                pending.extend(reversed(self.model.space.children(part, split)))
            except Unbuildable:
                pass
            else:
                count += 1
                if answer not in found:
                    found.append(answer)
            if count + len(pending) > MOST_OUTCOMES:
                return Outcomes((), first, True)
        return Outcomes(tuple(found), first)

    def agreed(self: AnyScenario, key: object, build: Callable[[AnyScenario], T]) -> T:
        """What `build` comes to when that does not hinge on anything that is open here. Raises Split when it does."""
        try:
            return build(self)
        except Split:
            outcomes = self.outcomes(key, build)
            if len(outcomes.answers) != 1:
                raise
            return outcomes.answers[0]

    def among(
        self: AnyScenario,
        kind: str,
        asks: Iterable[tuple[object, Callable[[AnyScenario], T]]],
        matters: Callable[[T], object],
    ) -> tuple[list[T], Split | None]:
        """What is known of several independent parts, and the first question that is open of those that may matter.

        Each part has a key and is asked by itself, so that they add up and do not multiply. `matters` tells whether an
        answer has a say: a part that is open but has none in any way is left out.
        """
        known: list[T] = []
        first: Split | None = None
        for key, ask in asks:
            try:
                known.append(ask(self))
            except Split:
                outcomes = self.outcomes((kind, key), ask)
                if first is None and any(map(matters, outcomes.answers)):
                    first = outcomes.split
        return known, first
