"""What a parameter may be, what a scenario has decided about it, and how an open question splits a scenario in two.

A scenario starts with nothing decided. When a decision needs to know whether a parameter equals some literal, the
scenario is split: into one in which it does, and one in which it does not. So only parameters that can change a
result are enumerated, each over the literals that matter, and together the scenarios cover every stack that the
template can become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.parts import items_of
from trailguard.cloudformation.scenarios.samples import SAMPLES, is_number, numbers
from trailguard.cloudformation.template.template import LONGEST, Parameter

if TYPE_CHECKING:
    from trailguard.cloudformation.scenarios.regexes import Language


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
    and exemplify the values of a pseudo parameter. `several` says that one deployment may have several of its values.
    """

    __slots__ = (
        "_accepts",
        "_allowed",
        "_default",
        "_is_read",
        "_language",
        "_members",
        "_narrower",
        "_parameter",
        "_samples",
        "name",
        "opaque",
        "several",
    )

    def __init__(
        self,
        name: str,
        parameter: Parameter | None = None,
        opaque: str | None = None,
        accepts: Callable[[str], bool] | None = None,
        samples: Sequence[str] = SAMPLES,
        several: bool = False,
    ) -> None:
        self.name = name
        self.opaque = opaque
        self.several = several
        self._default = None if opaque or parameter is None else parameter.default
        self._parameter = None if opaque else parameter
        self._accepts = accepts
        self._samples = samples
        self._language: Language | None = None
        self._allowed: tuple[str, ...] | None = None
        self._members: tuple[str, ...] | None = None
        self._narrower: tuple[Variable, ...] = ()
        self._is_read = self._parameter is None  # reading a pattern takes time, and most are never asked for

    def _read(self) -> None:
        self._is_read = True
        if self._parameter is None:
            return
        self._default = self._parameter.default
        if self._parameter.allowed_pattern is not None:
            from trailguard.cloudformation.scenarios.regexes import language

            self._language = language(self._parameter.allowed_pattern)
        if self._parameter.is_list:  # what is allowed, and the pattern, are about each item
            self._members = self._parameter.allowed_values
        else:
            self._allowed = self._parameter.allowed_values
        if self._members is None and self._allowed is None and self._language is not None and self._language.finite:
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

    @property
    def likely(self) -> tuple[str, ...]:
        """The default, and each value that the items of a list may have, as a list of its own."""
        default = () if self.default is None else (self.default,)
        return tuple(dict.fromkeys((*default, *(self._members or ()))))

    def permits(self, value: str) -> bool:
        """Tell whether CloudFormation accepts the value."""
        if self._accepts is not None and not self._accepts(value):
            return False
        if self.allowed is not None and value not in self.allowed:
            return False
        items = items_of(value) if self._parameter is not None and self._parameter.is_list else [value]
        if self._members is not None and value not in self._members and not set(items) <= set(self._members):
            return False
        if self._language is not None and not all(map(self._language.matches, items)):
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
            return is_number(value, parameter)
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
        if self._members is not None:
            yield from self._members
            yield from (",".join(self._members[:1] * count) for count in range(2, excluded + 3))
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
            yield from numbers(parameter, excluded)
            return
        length = min(max(parameter.min_length or 1, 1), LONGEST)
        yield from (letter * length for letter in "xyz1")
        yield from (f"{number:x>{length}}" for number in range(excluded + 1))
        yield ""
