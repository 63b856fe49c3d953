"""Which templates make stacks of others: where these lie is told from the bytes, where that is possible."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.world.nesting import decoded, nested_of
from trailguard.reading import mentions
from trailguard.reading.assemblies import TEMPLATE
from trailguard.reading.holdings import Holdings
from trailguard.reading.loader import Loader
from trailguard.reading.mentions import Place
from trailguard.trails.facts.returns import RETURNS


class Children(NamedTuple):
    """The files that a template makes stacks of, those that are found for certain and all that may be meant."""

    certain: set[str]
    possible: set[str]


class _Named(NamedTuple):
    """Which files are named by those that make stacks: paths, names, endings of names."""

    paths: set[str]
    names: set[str]
    endings: set[str]


class Parents:
    """The files that make stacks of others.

    Files which no scan looks at by itself are read when one of these names them. `met` are the files that may have to
    do with what was asked about.
    """

    def __init__(self, loader: Loader, holdings: Holdings, pins: Sequence[Pins]) -> None:
        self._loader = loader
        self._holdings = holdings
        self._pins = pins
        self._places: dict[str, list[Place] | None] = {}  # where the children of each maker lie, as its bytes say
        self._children: dict[str, Children] = {}
        self._named = _Named(set(), set(), set())
        self.met: set[str] = set()
        self._see()

    def _see(self) -> None:
        """Take note of where the templates lie that others make stacks of, and read those that no scan looks at."""
        pending = sorted(self._holdings.makers)
        while pending:
            path = pending.pop()
            is_told = path not in self._holdings.parts and not path.endswith(TEMPLATE)
            places = self._places[path] = mentions.nested(self._loader.files[path].data) if is_told else None
            for child in self.children_of(path).possible if places is None else self._named_by(path, places):
                self._named.paths.add(child)
                if child in self._holdings.noted or self._loader.is_named(child) or self._loader.file(child) is None:
                    continue
                self._holdings.note(child)
                pending.extend([child] if child in self._holdings.makers else [])

    def _named_by(self, path: str, places: Iterable[Place]) -> Iterator[str]:
        """Take note of the places that a file names; the files there which no scan looks at by itself."""
        for place in places:
            if place.path:
                child = self._loader.beside(path, place.path)
                yield child
            else:
                is_whole = "/" in place.ending
                for name in dict.fromkeys((place.name, decoded(place.name))):
                    (self._named.names if is_whole else self._named.endings).add(name)
                    others = self._loader.others(name)
                    yield from (child for child in others if not is_whole or os.path.basename(child) == name)

    def leading(self, targets: Set[str]) -> set[str]:
        """The files that make stacks of some files, or of others that do, and the makers among these files."""
        reached = set(targets)
        found: set[str] = set()
        while True:
            names = {os.path.basename(path) for path in reached}
            makers = self._places.keys() - found
            more = {path for path in makers if path in reached or self._leads(path, reached, names)}
            if not more:
                return found
            found |= more
            reached |= more

    def _leads(self, path: str, reached: set[str], names: set[str]) -> bool:
        """Tell whether a file makes a stack of one that is reached, or of one that is not there."""
        places = self._places[path]
        if places is not None and not any(self._may_lead(path, place, reached, names) for place in places):
            return False
        self.met.update([path] if reached else [])
        return any(child in reached or self._loader.file(child) is None for child in self.children_of(path).possible)

    def _may_lead(self, path: str, place: Place, reached: set[str], names: set[str]) -> bool:
        if place.path:
            child = self._loader.beside(path, place.path)
            return child in reached or not (self._loader.is_named(child) or self._loader.file(child))
        ends = (place.name, decoded(place.name))
        if "/" in place.ending and names.isdisjoint(ends):
            return False
        if place.is_sure:
            return not reached.isdisjoint(self._loader.fitting(path, place.ending))
        return any(name.endswith(ends) for name in names)

    def children_of(self, path: str) -> Children:
        """The files that a template makes stacks of in some deployment."""
        if path not in self._children:
            self._children[path] = Children(set(), set())
            with self._loader.faults_of(path):
                self._look_for_children(path, self._children[path])
        return self._children[path]

    def _look_for_children(self, path: str, found: Children) -> None:
        for template, pins in self._loader.variants(path, self._pins):
            for nested in nested_of(Scenario(Model(template, pins, RETURNS), {})):
                found.possible.update(self._loader.possible(path, nested))
                child = self._loader.locate(path, nested)
                found.certain.update([child] if isinstance(child, str) else [])

    def may_be_nested(self, path: str) -> bool:
        """Tell whether a template may be handed parameters by another one."""
        name = os.path.basename(path)
        return path in self._named.paths or name in self._named.names or name.endswith(tuple(self._named.endings))

    def strangers(self) -> set[str]:
        """The files that were parsed only to see what they lead to, and lead to nothing that was asked about."""
        return self._places.keys() - self.met
