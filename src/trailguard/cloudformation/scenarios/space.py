"""All variables of a template, and what can be said of them in a scenario: whether they are equal, how to split it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trailguard.cloudformation.scenarios.parts import COUNT, Part, composed
from trailguard.cloudformation.scenarios.variables import (
    FREE,
    Assignment,
    Candidate,
    Constraint,
    Same,
    Split,
    Variable,
    decided,
    ties,
)


class Space:
    """All variables of a template, and what can be said of them in a scenario."""

    __slots__ = ("parts", "variables")

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self.parts: dict[str, Part] = {}  # the variables that are items of others, by name

    def lookup(self, assignment: Assignment, name: str) -> tuple[str, Constraint]:
        """What the scenario knows of a variable, under the name of the one that it was found to be the same as."""
        constraint = assignment.get(name, FREE)
        while isinstance(constraint.value, Same):
            name = constraint.value.name
            constraint = assignment.get(name, FREE)
        return name, constraint

    def decide(self, assignment: Assignment, name: str, candidate: Candidate) -> bool:
        """Tell whether a variable equals a candidate in the scenario; raises Split when the scenario leaves it open."""
        name, constraint = self.lookup(assignment, name)
        if isinstance(candidate, Same):
            other, known = self.lookup(assignment, candidate.name)
            if other == name:
                return True
            candidate = known.value if isinstance(known.value, str) else Same(other)
            if constraint.value is not None and isinstance(candidate, Same):
                name, candidate, constraint = other, str(constraint.value), known
            elif isinstance(candidate, Same):
                if not self.variables[name].may_equal(self.variables[other]):
                    return False
                self.split_known(name, constraint)
                self.split_known(other, known)
        if constraint.value is not None:
            return constraint.value == candidate
        if isinstance(candidate, str) and (text := self._spelt_out(assignment, name)) is not None:
            return text == candidate
        if candidate in constraint.excluded or self._apart(assignment, name, candidate):
            return False
        if isinstance(candidate, str) and not self._permits(assignment, name, candidate):
            return False
        raise Split(name, [candidate])

    def _apart(self, assignment: Assignment, name: str, candidate: Candidate) -> bool:
        """Tell whether two variables were found to differ, and the candidate is (the value of) the other one."""
        for other, constraint in ties(assignment):
            if isinstance(candidate, Same):
                if other == candidate.name and Same(name) in constraint.excluded:
                    return True
            elif constraint.value == candidate:
                mine = assignment.get(name, FREE).excluded
                if Same(other) in mine or Same(name) in constraint.excluded:
                    return True
        return False

    def _permits(self, assignment: Assignment, name: str, value: str) -> bool:
        """Tell whether a variable, and those found to be the same, may have a value."""
        twins = [other for other, _ in ties(assignment) if self.lookup(assignment, other)[0] == name]
        if not all(
            self.variables[other].permits(value) and self._has_parts(assignment, other, value)
            for other in {name, *twins}
        ):
            return False
        part = self.parts.get(name)
        if part is None:
            return True
        text = self._spelt_out({**assignment, name: Constraint(value, frozenset())}, part.owner)
        return text is None or text not in assignment.get(part.owner, FREE).excluded

    def _spelt_out(self, assignment: Assignment, name: str) -> str | None:
        """The value of a list of which a scenario has decided all items and their number; None of any other."""
        known = {
            part.position: assignment.get(item, FREE).value for item, part in self.parts.items() if part.owner == name
        }
        count = known.get(COUNT)
        size = int(count) if isinstance(count, str) else 0
        items = [known.get(position) for position in range(size)] if size < len(known) else []
        texts = [item for item in items if isinstance(item, str)]
        return ",".join(texts) if items and len(texts) == len(items) else None

    def _has_parts(self, assignment: Assignment, name: str, value: str) -> bool:
        """Tell whether the items of a value are what a scenario has decided of them."""
        for item, part in self.parts.items():
            if part.owner == name and (known := assignment.get(item, FREE)) != FREE:
                found = part.of(value)
                if found is None or found in known.excluded or (isinstance(known.value, str) and known.value != found):
                    return False
        return True

    def split_known(self, name: str, constraint: Constraint, matters: Callable[[str], bool] | None = None) -> None:
        """Split on the values of a variable that are known, so that only its unknown rest is compared as such.

        With `matters`, on those alone that do.
        """
        variable = self.variables[name]
        known = variable.allowed or variable.likely
        candidates = [value for value in known if value not in constraint.excluded and variable.permits(value)]
        candidates = [value for value in candidates if matters is None or matters(value)]
        if candidates:
            raise Split(name, candidates)

    def children(self, assignment: Assignment, split: Split) -> list[Assignment]:
        """The scenarios that a split makes of one; together they cover it (or, when closed, what can work of it)."""
        name, constraint = self.lookup(assignment, split.name)
        variable = self.variables[name]
        children: list[Assignment] = []
        for candidate in split.candidates:
            if candidate in constraint.excluded:
                continue
            child = {**assignment, name: Constraint(candidate, constraint.excluded)}
            if isinstance(candidate, Same):  # what this variable is not, the other one is not either
                twin = assignment.get(candidate.name, FREE)
                child[candidate.name] = Constraint(twin.value, twin.excluded | constraint.excluded)
            elif not self._permits(assignment, name, candidate):
                continue
            children.append(child)
        excluded = constraint.excluded.union(split.candidates)
        rest = variable.other(excluded)
        if not split.closed and (rest is not None or variable.endless):
            only = rest is not None and variable.allowed is not None and variable.other(excluded | {rest}) is None
            children.append({**assignment, name: Constraint(rest if only else None, excluded)})
        return children

    def changed(self, assignment: Assignment) -> frozenset[str]:
        """The parameters whose default the scenario rules out."""
        return frozenset(name for name in assignment if not self._keeps_default(assignment, name))

    def _keeps_default(self, assignment: Assignment, name: str) -> bool:
        default = self.variables[name].default
        if default is None:
            return True
        constraint = assignment[name]
        if isinstance(constraint.value, Same):
            root, known = self.lookup(assignment, name)
            same = known.value if isinstance(known.value, str) else self.variables[root].default
            return (same is None or same == default) and default not in known.excluded | constraint.excluded
        if constraint.value is not None:
            return constraint.value == default
        others = (self.variables[item.name].default for item in constraint.excluded if isinstance(item, Same))
        return default not in constraint.excluded and default not in others

    def _composed(self, assignment: Assignment, name: str, items: Sequence[str]) -> str:
        """A value of a variable with the items that a scenario has decided."""
        sizes: frozenset[Candidate] = frozenset()
        known: dict[Part, str] = {}
        for item in items:
            constraint = self.lookup(assignment, item)[1]
            if self.parts[item].position == COUNT and constraint.value is None:
                sizes = constraint.excluded
            else:
                known[self.parts[item]] = self.sample(assignment, item)
        taken = assignment.get(name, FREE).excluded
        return composed(known, self.variables[name].default, taken, sizes)

    def sample(self, assignment: Assignment, name: str) -> str:
        """A value that the variable may have in the scenario: the known one, or an example."""
        root, constraint = self.lookup(assignment, name)
        if isinstance(constraint.value, str):
            return constraint.value
        items = [item for item, part in self.parts.items() if part.owner == root and item in decided(assignment)]
        if items:
            return self._composed(assignment, root, items)
        taken = {self.sample(assignment, item.name) for item in constraint.excluded if isinstance(item, Same)}
        for other in assignment.values():  # those that were found to differ from it
            if isinstance(other.value, str) and Same(root) in other.excluded:
                taken.add(other.value)
        excluded = constraint.excluded | taken
        default = self.variables[root].default
        if default is not None and default not in excluded:
            return default
        example = self.variables[root].other(excluded)
        return "<any other value>" if example is None else example
