"""What a parameter may be, what a scenario has decided about it, and how an open question splits a scenario in two.

A scenario starts with nothing decided. When a decision needs to know whether a parameter equals some literal, the
scenario is split: into one in which it does, and one in which it does not. So only parameters that can change a
result are enumerated, each over the literals that matter, and together the scenarios cover every stack that the
template can become.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from trailguard.cloudformation.template.template import LONGEST, Parameter, number_of

if TYPE_CHECKING:
    from trailguard.cloudformation.scenarios.regexes import Language

# Values offered as "some other value" in a witness, when nothing restricts it.
SAMPLES = ("other", "another", "1", "0", "2", "100", "a", "example", "Example1", "other-value-1", "x1")


class Same(NamedTuple):
    """The value of another variable, whatever it is."""

    name: str


Candidate: TypeAlias = "str | Same"


class Constraint(NamedTuple):
    """What a scenario knows of a variable: its value, or which values it does not have."""

    value: Candidate | None
    excluded: frozenset[Candidate]


FREE = Constraint(None, frozenset())
Assignment: TypeAlias = "Mapping[str, Constraint]"


def others_of(constraint: Constraint) -> list[str]:
    """The variables that a constraint compares with."""
    return [item.name for item in (constraint.value, *constraint.excluded) if isinstance(item, Same)]


def ties(assignment: Assignment) -> frozenset[tuple[str, Constraint]]:
    """What an assignment says of variables in terms of each other, and what it says of those otherwise."""
    tied = {name: others for name, known in assignment.items() if (others := others_of(known))}
    names = {*tied, *(other for others in tied.values() for other in others)}
    return frozenset((name, assignment[name]) for name in names if name in assignment)


class Watched(dict[str, Constraint]):
    """An assignment that notes the names of the variables that somebody asks about, apart from those in `ties`."""

    __slots__ = ("names",)

    def __init__(self, assignment: Assignment, names: set[str]) -> None:
        super().__init__(assignment)
        self.names = names

    def get(self, name: str, default: Any = None, /) -> Any:
        """What is known of a variable."""
        self.names.add(name)
        return super().get(name, default)


def decided(assignment: Assignment) -> set[str]:
    """The variables that an assignment says something about, those that others are compared with among them."""
    return {*assignment, *(name for value in assignment.values() for name in others_of(value))}


class Split(Exception):
    """A question, not an error: raised when a decision hinges on whether `name` is one of `candidates`.

    `closed` tells that only the candidates can occur in a stack that works (the keys of a map, a Boolean's two values).
    """

    def __init__(self, name: str, candidates: Sequence[Candidate], closed: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.candidates = candidates
        self.closed = closed


class Variable:
    """A parameter or pseudo parameter whose value the template leaves open.

    `opaque` gives the reason why nobody can know the value before
    deployment (results that hinge on it are unknown), None for what the user chooses; `accepts` and `samples` narrow
    and exemplify the values of a pseudo parameter.
    """

    __slots__ = (
        "_accepts",
        "_allowed",
        "_default",
        "_is_read",
        "_language",
        "_narrower",
        "_parameter",
        "_samples",
        "name",
        "opaque",
    )

    def __init__(
        self,
        name: str,
        parameter: Parameter | None = None,
        opaque: str | None = None,
        accepts: Callable[[str], bool] | None = None,
        samples: Sequence[str] = SAMPLES,
    ) -> None:
        self.name = name
        self.opaque = opaque
        self._default = None if opaque or parameter is None else parameter.default
        self._parameter = None if opaque else parameter
        self._accepts = accepts
        self._samples = samples
        self._language: Language | None = None
        self._allowed: tuple[str, ...] | None = None
        self._narrower: tuple[Variable, ...] = ()
        self._is_read = self._parameter is None  # reading a pattern takes time, and most are never asked for

    def _read(self) -> None:
        self._is_read = True
        if self._parameter is None:
            return
        self._default = self._parameter.default
        if self._parameter.allowed_pattern is not None:
            from trailguard.cloudformation.scenarios.regexes import Language

            self._language = Language(self._parameter.allowed_pattern)
        self._allowed = self._parameter.allowed_values
        if self._allowed is None and self._language is not None and self._language.finite:
            self._allowed = tuple(text for text in self._language.texts if self._fits(text))
        for other in self._narrower:
            if self._allowed is None:
                self._allowed = other.allowed
        if self._allowed is not None:
            self._allowed = tuple(text for text in self._allowed if all(item.permits(text) for item in self._narrower))
        if self._default is not None and not self.permits(self._default):
            self._default = None  # CloudFormation does not take it, so it must be overridden

    def narrow(self, to: Variable) -> None:
        """Let another parameter, to which the value is handed on, have a say in what is accepted."""
        self._narrower = (*self._narrower, to)
        self._is_read = False

    @property
    def default(self) -> str | None:
        """The value when the user gives none; None when there is none that CloudFormation accepts."""
        if not self._is_read:
            self._read()
        return self._default

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """All values, where they are few."""
        if not self._is_read:
            self._read()
        return self._allowed

    def permits(self, value: str) -> bool:
        """Tell whether CloudFormation accepts the value."""
        if self._accepts is not None and not self._accepts(value):
            return False
        if self.allowed is not None and value not in self.allowed:
            return False
        if self._language is not None and not self._language.matches(value):
            return False
        return self._fits(value) and all(other.permits(value) for other in self._narrower)

    def may_equal(self, other: Variable) -> bool:
        """Tell whether two variables have a value in common, as far as examples show: an account is no organization."""
        return any(map(other.permits, self._values())) or any(map(self.permits, other._values()))

    def _values(self) -> Iterator[str]:
        """All values where they are few, else its default and examples."""
        if self.default is not None:
            yield self.default
        yield from filter(self.permits, self._examples(0))

    def _fits(self, value: str) -> bool:
        parameter = self._parameter
        if parameter is None:
            return True
        if parameter.type == "Number":
            return _is_number(value, parameter)
        longest = LONGEST if parameter.max_length is None else parameter.max_length
        return (parameter.min_length or 0) <= len(value) <= longest

    def other(self, excluded: frozenset[Candidate]) -> str | None:
        """A value that is none of the excluded ones and that CloudFormation accepts, or None when there is none."""
        if self.opaque is not None and self._parameter is None and not self.name.startswith("?"):
            return next((value for value in self._samples if value not in excluded), "<another value>")
        examples = self._examples(len(excluded))
        return next((value for value in examples if value not in excluded and self.permits(value)), None)

    @property
    def endless(self) -> bool:
        """Tell whether there is always another value, even if no example of it is found."""
        return self.allowed is None and (self._language is not None or any(item.endless for item in self._narrower))

    def _examples(self, excluded: int) -> Iterator[str]:
        """Values that may be permitted, more of them than are excluded."""
        if self.allowed is not None:
            yield from self.allowed
            return
        yield from self._samples
        if self._language is not None:
            yield from self._language.texts
        for other in self._narrower:
            yield from other._examples(excluded)
        parameter = self._parameter
        if parameter is None:
            return
        if parameter.type == "Number":
            yield from _numbers(parameter, excluded)
            return
        length = min(max(parameter.min_length or 1, 1), LONGEST)
        yield from (letter * length for letter in "xyz1")
        yield from (f"{number:x>{length}}" for number in range(excluded + 1))
        yield ""


def _numbers(parameter: Parameter, excluded: int) -> Iterator[str]:
    low, high = parameter.min_value, parameter.max_value
    start = math.ceil(low) if low is not None else math.floor(high) - excluded if high is not None else 0
    yield from (f"{number}" for number in range(start, start + excluded + 1))
    yield from (f"{bound:g}" for bound in (low, high) if bound is not None)


def _is_number(value: str, parameter: Parameter) -> bool:
    number = number_of(value)
    low, high = parameter.min_value, parameter.max_value
    return number is not None and (low is None or number >= low) and (high is None or number <= high)


class Space:
    """All variables of a template, and what can be said of them in a scenario."""

    __slots__ = ("variables",)

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}

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
        return all(self.variables[other].permits(value) for other in {name, *twins})

    def split_known(self, name: str, constraint: Constraint, matters: Callable[[str], bool] | None = None) -> None:
        """Split on the values of a variable that are known, so that only its unknown rest is compared as such.

        With `matters`, on those alone that do.
        """
        variable = self.variables[name]
        known = variable.allowed or (() if variable.default is None else (variable.default,))
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

    def sample(self, assignment: Assignment, name: str) -> str:
        """A value that the variable may have in the scenario: the known one, or an example."""
        root, constraint = self.lookup(assignment, name)
        if isinstance(constraint.value, str):
            return constraint.value
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


def compatible(left: Constraint, right: Constraint) -> bool:
    """Tell whether some value satisfies both constraints, as far as literals go."""
    if isinstance(left.value, str) and isinstance(right.value, str):
        return left.value == right.value
    if isinstance(left.value, str):
        return left.value not in right.excluded
    return not isinstance(right.value, str) or right.value not in left.excluded


def merged(left: Assignment, right: Assignment) -> Assignment:
    """What two compatible assignments say together."""
    found = {**left}
    for name, constraint in right.items():
        known = found.get(name, FREE)
        value = constraint.value if known.value is None else known.value
        found[name] = Constraint(value, known.excluded | constraint.excluded)
    return found
