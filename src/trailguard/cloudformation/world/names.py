"""What templates speak of by its physical name, so that those that speak of the same thing can be judged together.

Which properties of which resources hold names, the caller tells. A name counts as far as it is known before the
deployment: literal, with a parameter's default or allowed values, with the account and the Region left open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, product
from typing import Literal, NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import VARIABLE, Piece, Pieces, Symbol, join_pieces
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.stacks.renaming import ELSEWHERE, bare
from trailguard.cloudformation.template.template import Resource

MOST_MAKERS = 4  # templates that make something of one name, from which on none of them is taken to be meant
_MOST = 16  # names that one property may hold

# What is called so, and its name.
Key: TypeAlias = "tuple[str, Pieces]"

# How a resource speaks of something: it makes it, it is about it and has a say in the verdicts on it, it just uses it.
Role: TypeAlias = Literal["makes", "says", "uses"]


class Said(NamedTuple):
    """That a resource speaks of something, by the kind of it and its name."""

    kind: str
    name: Pieces
    role: Role


class Naming(NamedTuple):
    """What speaks of things by name: resources of some `types`; `said` gives what such a one says in a scenario."""

    types: frozenset[str]
    said: Callable[[Scenario, Resource], Iterable[Said]]


def spoken_of(model: Model, naming: Naming) -> Iterator[tuple[Key, Role]]:
    """What the resources of a template speak of, by each name that is known before the deployment."""
    for resource in model.template.resources.values():
        if resource.type in naming.types:
            yield from _of(model, resource, naming)


def _of(model: Model, resource: Resource, naming: Naming) -> Iterator[tuple[Key, Role]]:
    def ask(scenario: Scenario) -> tuple[Said, ...]:
        return tuple(naming.said(scenario, resource)) if scenario.active(resource) else ()

    try:
        answers = Scenario(model, {}).outcomes(("spoken of", resource.id), ask).answers
    except Split:
        return
    for said in dict.fromkeys(said for answer in answers for said in answer):
        for name in _known(model, said.name):
            yield (said.kind, name), said.role


def _known(model: Model, name: Pieces) -> list[Pieces]:
    """The texts that a name is known to be, or may be by what is known of its parameters; none when it is not known."""
    choices = [_choices(model, piece) for piece in name]
    if not all(choices):
        return []
    found = [join_pieces(chosen) for chosen in islice(product(*choices), _MOST + 1)]
    return [] if len(found) > _MOST else [text for text in found if any(isinstance(piece, str) for piece in text)]


def _choices(model: Model, piece: Piece) -> tuple[Piece, ...]:
    """What a piece of a name may be; nothing when that is not known."""
    if not isinstance(piece, Symbol):
        return (piece,)
    if piece.kind != VARIABLE:
        return ()
    if bare(piece.name) in ELSEWHERE:
        return (Symbol(VARIABLE, bare(piece.name)),)
    variable = model.space.variables[piece.name]
    if variable.opaque is not None:
        return ()
    return variable.allowed or (() if variable.default is None else (variable.default,))


class Namesakes:
    """Who speaks of what, by its name: so that finding who means the same does not take a look at each.

    `speakers` are numbers, each with what that one speaks of.
    """

    def __init__(self, speakers: Iterable[tuple[int, Iterable[tuple[Key, Role]]]]) -> None:
        self._said: dict[int, dict[Key, set[Role]]] = {}
        self._by_key: dict[Key, dict[Role, list[int]]] = {}
        for number, spoken in speakers:
            own = self._said.setdefault(number, {})
            for key, role in spoken:
                roles = own.setdefault(key, set())
                if role not in roles:
                    roles.add(role)
                    self._by_key.setdefault(key, {}).setdefault(role, []).append(number)

    def related(self, number: int) -> Iterator[int]:
        """Those who make what one speaks of, unless it makes that itself, and those who have a say in it."""
        for key, roles in self._said.get(number, {}).items():
            others = self._by_key[key]
            makers = others.get("makes", [])
            if len(makers) > MOST_MAKERS:
                continue
            yield from () if "makes" in roles else makers
            yield from (other for other in others.get("says", ()) if other != number)
