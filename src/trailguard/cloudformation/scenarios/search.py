"""Searches for values of parameters that meet demands: the first choice that does is enough.

The defaults are tried first, and as few of them are changed as possible. Demands that share no open parameter are met
apart from each other, so that independent ones add up and never multiply.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from trailguard.cloudformation.scenarios.intrinsics import TooHard, Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.variables import FREE, Assignment, Constraint, Split, others_of, ties

EFFORT = 20_000  # scenarios that one search may try
_COUNTED = 500  # scenarios that are tried to find a way with fewer changes


class Demand(NamedTuple):
    """Something that must hold, and the names that it looks at."""

    names: frozenset[str]
    holds: Callable[[Scenario], bool]


class _Open(NamedTuple):
    """A demand that is not decided yet, and the question that is open."""

    demand: Demand
    split: Split


class Search:
    """Looks for an extension of an assignment in which demands hold."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._tried = 0
        self._limit = EFFORT
        self._had_choice = False  # whether something else might have been chosen, too

    def run(self, assignment: Assignment, demands: Sequence[Demand], defaults_only: bool = False) -> Assignment | None:
        """An extension of the assignment that meets all demands and changes the fewest defaults; None without any.

        With `defaults_only` none may be changed that the assignment leaves open. Raises TooHard.
        """
        self._tried, self._limit = 0, EFFORT
        found = self._meet(self._usual(assignment, demands), demands, 0)
        return self._meet(assignment, demands, None) if found is None and not defaults_only else found

    def _usual(self, assignment: Assignment, demands: Sequence[Demand]) -> Assignment:
        """The assignment with the defaults of the parameters that the demands look at, as far as it allows them."""
        space = self._model.space
        tied = {name for name, _ in ties(assignment)}
        usual = {**assignment}
        for name in {name for demand in demands for name in demand.names} - tied:
            variable, known = space.variables.get(name), assignment.get(name, FREE)
            if variable is None or known.value is not None or variable.default is None:
                continue
            if variable.default not in known.excluded:
                usual[name] = Constraint(variable.default, known.excluded)
        return usual

    def _meet(self, assignment: Assignment, demands: Sequence[Demand], changes: int | None) -> Assignment | None:
        """Meet demands with so many changed defaults at most; with None of them, with as few as possible."""
        self._tried += 1
        if self._tried > self._limit:
            raise TooHard({name for demand in demands for name in demand.names})
        scenario = Scenario(self._model, assignment)
        waiting: list[_Open] = []
        for demand in demands:
            try:
                if not demand.holds(scenario):
                    return None
            except Split as split:
                waiting.append(_Open(demand, split))
            except Unbuildable:
                return None
        space = self._model.space
        for group in self._apart(assignment, waiting):
            found = self._fewest(assignment, group, changes)
            if found is None:
                return None
            if changes is not None:
                changes -= len(space.changed(found)) - len(space.changed(assignment))
            assignment = found
        return assignment

    def _fewest(self, assignment: Assignment, group: Sequence[_Open], most: int | None) -> Assignment | None:
        """Meet a group of demands with as few changes as possible."""
        if most is not None:
            counted = (self._branch(assignment, group, changes) for changes in range(most + 1))
            return next((found for found in counted if found is not None), None)
        # Whether there is any way at all is found out first: where there is none, counting changes is in vain.
        self._had_choice = False
        best = self._branch(assignment, group, None)
        space = self._model.space
        changes = 0 if best is None else len(space.changed(best)) - len(space.changed(assignment))
        if best is None or not self._had_choice or not changes:
            return best
        self._limit = self._tried + _COUNTED
        try:
            return self._fewest(assignment, group, changes - 1) or best
        except TooHard:
            return best  # a way, if not the shortest
        finally:
            self._limit = EFFORT

    def _branch(self, assignment: Assignment, group: Sequence[_Open], changes: int | None) -> Assignment | None:
        space = self._model.space
        split = min(group, key=lambda item: len(item.demand.names - assignment.keys())).split
        before = len(space.changed(assignment))
        children = [(len(space.changed(child)) - before, child) for child in space.children(assignment, split)]
        children.sort(key=lambda item: item[0])
        for index, (cost, child) in enumerate(children):
            if changes is not None and cost > changes:
                continue
            left = None if changes is None else changes - cost
            found = self._meet(child, [item.demand for item in group], left)
            if found is not None:
                self._had_choice = self._had_choice or index + 1 < len(children)
                return found
        return None

    def _apart(self, assignment: Assignment, waiting: Sequence[_Open]) -> list[list[_Open]]:
        """The open demands in groups that share no open parameter."""
        if len(waiting) < 2:
            return [[item] for item in waiting]
        closed = {name for name, known in assignment.items() if isinstance(known.value, str)}
        by_demand = {id(item.demand): item for item in waiting}
        tied = [Demand(frozenset({name, *others_of(known)}), _always) for name, known in ties(assignment)]
        groups = clusters([*(item.demand for item in waiting), *tied], closed)
        found = ([by_demand[id(one)] for one in group if id(one) in by_demand] for group in groups)
        return [group for group in found if group]


def _always(scenario: Scenario) -> bool:
    return True


def clusters(demands: Sequence[Demand], closed: Collection[str]) -> list[list[Demand]]:
    """Demands in groups that share no name but closed ones, in the order of their first members."""
    leaders: dict[str, str] = {}

    def leader(name: str) -> str:
        while (above := leaders.setdefault(name, name)) != name:
            leaders[name] = leaders[above]
            name = above
        return name

    for demand in demands:
        shared = [name for name in demand.names if name not in closed]
        for name in shared[1:]:
            leaders[leader(name)] = leader(shared[0])
    groups: dict[object, list[Demand]] = {}
    for demand in demands:
        first = next((name for name in demand.names if name not in closed), None)
        groups.setdefault(id(demand) if first is None else leader(first), []).append(demand)
    return list(groups.values())
