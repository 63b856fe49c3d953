"""Which templates have to do with something to judge: those with subjects of the rules, and their relatives.

Templates are related when one makes a stack of the other, or imports what the other exports. Only what may belong to
the world of something to judge is parsed: what cannot is told from the bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.scenarios.values import OPAQUE, Pieces, Symbol, clash, trim
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.stacks.exchanges import exports_of, imports_of
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.exports import is_whole, may_mean, own_names, shapes, words
from trailguard.cloudformation.world.nesting import nested_of
from trailguard.cloudformation.world.world import Matter
from trailguard.reading import mentions
from trailguard.reading.assemblies import TEMPLATE
from trailguard.reading.collected import EXPORTS, IMPORTS, INCLUDES, MAKERS
from trailguard.reading.discovery import held, may_hold
from trailguard.reading.loader import Loader
from trailguard.reading.mentions import Names, Place
from trailguard.trails import catalog
from trailguard.trails.facts.returns import RETURNS

# The words in what Ref and Fn::GetAtt give, besides those of the resource.
_RETURNED = frozenset(
    word
    for given in RETURNS.values()
    for text in given.values()
    for word in words((re.sub(r"\$\{[^}]*\}", " ", text),))
)

Mentioned: TypeAlias = Callable[[bytes], "Names | None"]  # looks names up in the bytes of a file


class _Children(NamedTuple):
    """The files that a template makes stacks of, those that are found for certain and all that may be meant."""

    certain: set[str]
    possible: set[str]


class _Named(NamedTuple):
    """Which files are named by those that make stacks: paths, names, endings of names."""

    paths: set[str]
    names: set[str]
    endings: set[str]


class _Name(NamedTuple):
    """The shape of a name; it is loose when another template has a say in it, so that only its ends count."""

    shape: Pieces
    is_loose: bool


class Relatives:
    """Finds the templates that are to be looked at together, `loaded` by path.

    `markers` are bytes without which a file holds nothing to judge, `pins` what is fixed in the deployments that are
    judged: they have a say in what is imported, and in where nested templates lie. `matter` tells which imports count.
    """

    def __init__(self, loader: Loader, markers: Sequence[bytes], pins: Sequence[Pins], matter: Matter) -> None:
        self._loader = loader
        self._markers = markers
        self._pins = pins
        self._matter = matter
        self._is_pinned = any(any(one) for one in pins)
        self.loaded: dict[str, Template] = {}
        self._parts: dict[str, list[bytes]] = {}  # what is included, by the file that does
        self._marked: set[str] = set()
        self._makers: set[str] = set()
        self._importers: set[str] = set()
        self._exporters: set[str] = set()
        self._places: dict[str, list[Place] | None] = {}  # where the children of each maker lie, as its bytes say
        self._children: dict[str, _Children] = {}
        self._named = _Named(set(), set(), set())
        self._asking: set[str] = set()  # the files of which it is known who exports what they import
        self._giving: set[str] = set()  # those of which it is known who imports what they export
        self._met: set[str] = set()  # the files that may be relatives
        self._numbers: dict[str, int] = {}
        self._mentioned: dict[tuple[str, object], Names | None] = {}

    def find(self) -> dict[str, Template]:
        """Find them, and load them."""
        self._see_makers()
        self._load({*(self._marked & self._parts.keys()), *filter(self._loader.artifact, self._marked)})
        linked: set[str] = set()
        size = -1
        while size < len(self.loaded):
            size = len(self.loaded)
            self._load(self._leading(self._marked | linked))
            self._follow()
            linked |= self._exporting() | self._importing()
            self._load(linked)
            importers, exporters = (paths & self.loaded.keys() for paths in (self._importers, self._exporters))
            if importers and exporters:
                linked |= importers | exporters  # each of their parents gives other names
        return self.loaded

    def strangers(self) -> set[str]:
        """The files that were parsed only to see what they lead to, and lead to nothing that is to be looked at."""
        return self._places.keys() - self._met

    def _holds(self, path: str, marks: Sequence[bytes]) -> bool:
        """Tell whether a file, or what it includes, may hold one of some marks."""
        return any(may_hold(data, marks) for data in (self._loader.files[path].data, *self._parts.get(path, ())))

    def _load(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            self._met.add(path)
            template = self._loader.template(path) if path not in self.loaded else None
            if template is not None:
                self.loaded[path] = template

    def _variants(self, path: str, all_pins: Iterable[Pins]) -> Iterator[tuple[Template, Pins]]:
        """A template as it is in some deployments, and what is fixed there."""
        for pins in all_pins:
            for member in self._loader.members([path], pins).values():
                yield member.template, pins._replace(parameters={**pins.parameters, **member.parameters})

    # --- nested stacks --------------------------------------------------------------------------------------------

    def _see_makers(self) -> None:
        """Take note of where the templates lie that others make stacks of, and read those that no scan looks at."""
        noted = set(self._loader.files)
        pending = [path for path in sorted(noted) if self._note(path)]
        while pending:
            path = pending.pop()
            is_told = path not in self._parts and not path.endswith(TEMPLATE)
            places = self._places[path] = mentions.nested(self._loader.files[path].data) if is_told else None
            for child in self._children_of(path).possible if places is None else self._named_by(path, places):
                self._named.paths.add(child)
                if child in noted or self._loader.is_named(child) or self._loader.file(child) is None:
                    continue
                noted.add(child)
                pending.extend([child] if self._note(child) else [])

    def _note(self, path: str) -> bool:
        """Take note of what a file holds; tell whether it makes stacks."""
        file = self._loader.files[path]
        groups = (INCLUDES, MAKERS, IMPORTS, EXPORTS, self._markers)
        held_here = held(file.data, groups)
        if held_here[0]:
            self._parts[path] = [part.data for part in self._loader.included(path)]
        kinds = (self._makers, self._importers, self._exporters, self._marked)
        known = [held_here, *(held(data, groups) for data in self._parts.get(path, ()))]
        for paths, holds in zip(kinds, list(zip(*known, strict=True))[1:], strict=True):
            paths.update([path] if any(holds) else [])
        self._marked.update([path] if file.marked else [])
        return path in self._makers

    def _named_by(self, path: str, places: Iterable[Place]) -> Iterator[str]:
        """Take note of the places that a file names; the files there which no scan looks at by itself."""
        for place in places:
            if place.path:
                child = self._loader.beside(path, place.path)
                yield child
            else:
                (self._named.names if "/" in place.ending else self._named.endings).add(place.name)
                yield from self._loader.others(place.name)

    def _leading(self, targets: Set[str]) -> set[str]:
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
        self._met.update([path] if reached else [])
        return any(child in reached or self._loader.file(child) is None for child in self._children_of(path).possible)

    def _may_lead(self, path: str, place: Place, reached: set[str], names: set[str]) -> bool:
        if place.path:
            child = self._loader.beside(path, place.path)
            return child in reached or not (self._loader.is_named(child) or self._loader.file(child))
        if "/" in place.ending and place.name not in names:
            return False
        if place.is_sure:
            return not reached.isdisjoint(self._loader.fitting(path, place.ending))
        return any(name.endswith(place.name) for name in names)

    def _children_of(self, path: str) -> _Children:
        """The files that a template makes stacks of in some deployment."""
        if path not in self._children:
            found = self._children[path] = _Children(set(), set())
            for template, pins in self._variants(path, self._pins):
                for nested in nested_of(Scenario(Model(template, pins, RETURNS), {})):
                    found.possible.update(self._loader.possible(path, nested))
                    child = self._loader.locate(path, nested)
                    found.certain.update([child] if os.path.isabs(child) else [])
        return self._children[path]

    def _may_be_nested(self, path: str) -> bool:
        """Tell whether a template may be handed parameters by another one."""
        name = os.path.basename(path)
        return path in self._named.paths or name in self._named.names or name.endswith(tuple(self._named.endings))

    def _follow(self) -> None:
        """Load the templates that loaded ones make stacks of."""
        pending = sorted(self.loaded.keys() & self._makers)
        while pending:
            more = self._children_of(pending.pop()).certain - self.loaded.keys()
            self._load(more)
            pending.extend(more & self.loaded.keys() & self._makers)

    # --- exports and imports --------------------------------------------------------------------------------------

    def _exporting(self) -> set[str]:
        """The files that may export what is imported in those that are looked at."""
        asking = (self._importers & (self._marked | self.loaded.keys())) - self._asking
        self._asking |= asking
        self._load(asking)
        wanted = _Names(chain.from_iterable(self._parsed(path, self._counting) for path in asking & self.loaded.keys()))
        rest = self._exporters - self.loaded.keys() if wanted.all else ()
        return {path for path in rest if self._fits(path, mentions.exported, _exported, wanted, may_mean)}

    def _importing(self) -> set[str]:
        """The files that may import what is exported in those that are looked at, and have a say in the verdicts."""
        takers = self._importers - self.loaded.keys()
        giving = (self._exporters & (self._marked | self.loaded.keys())) - self._giving
        if not takers or not giving:
            return set()
        self._giving |= giving
        offered = _Names(
            name for path in giving for name in self._written(path, mentions.exported) or self._parsed(path, _exported)
        )
        found = takers & self._marked
        for path in takers - found:
            if self._fits(path, self._handed_on(path), self._saying, offered, _may_be_meant) and offered.meet(
                self._parsed(path, self._saying), _may_be_meant
            ):
                found.add(path)
        return found | giving if found else set()

    def _handed_on(self, path: str) -> Mentioned:
        """What tells the names in a file's imports that may have a say in what another one makes."""
        kinds = [names for kind, names in catalog.SAYS.items() if self._holds(path, (kind.encode(),))]
        properties = frozenset(chain(*kinds, ["Value"] if path in self._exporters else []))
        return partial(mentions.handed_on, properties=properties) if properties else _nothing

    def _counting(self, template: Template) -> Iterator[Node]:
        return (use.name for use in imports_of(template.root.values) if self._matter.counts(use))

    def _saying(self, template: Template) -> Iterator[Node]:
        return (use.name for use in imports_of(template.root.values) if self._matter.has_say(use))

    def _fits(
        self,
        path: str,
        mentioned: Mentioned,
        named: Callable[[Template], Iterator[Node]],
        names: _Names,
        fit: Callable[[Pieces, Pieces], bool],
    ) -> bool:
        """Tell whether a file may import or export one of some names; if it is parsed anyway, the world tells that."""
        if path in self._marked:
            return True
        if self._is_strange(path, names):
            return False
        written = self._written(path, mentioned, names)
        self._met.update([path] if written is None else [])
        return names.meet(self._parsed(path, named) if written is None else written, fit)

    def _is_strange(self, path: str, names: _Names) -> bool:
        """Tell without a look at what it says that none of some names can be in a file."""
        data = self._loader.files[path].data
        is_own = not (self._is_pinned or path in self._parts or path.endswith(TEMPLATE) or self._may_be_nested(path))
        return is_own and not names.may_be_added() and not names.may_stand_in(data) and mentions.says_whole(data)

    def _written(self, path: str, mentioned: Mentioned, wanted: _Names | None = None) -> list[_Name] | None:
        """The names that a template imports or exports, from its bytes; None when it has to be parsed for them.

        They need not be told in full where they can be none of the `wanted` ones.
        """
        key = (path, getattr(mentioned, "func", mentioned))
        if key not in self._mentioned:
            self._mentioned[key] = mentioned(self._loader.files[path].data) if path not in self._parts else None
        names = self._mentioned[key]
        if names is None or names.is_open or (names.is_filled and (self._is_pinned or path.endswith(TEMPLATE))):
            return None
        if names.has_bare and (wanted is None or wanted.may_stand_in(self._loader.files[path].data)):
            return None
        return self._own(path, names.shapes)

    def _parsed(self, path: str, named: Callable[[Template], Iterator[Node]]) -> list[_Name]:
        """The names that a template imports or exports, as far as they are known before the deployment."""
        found: dict[Pieces, None] = {}
        # Values that are given are those of roots.
        nested = [pins._replace(parameters={}) for pins in self._pins if pins.parameters and self._may_be_nested(path)]
        for template, pins in self._variants(path, [*self._pins, *nested]):
            scenarios = Scenarios(Model(template, pins, RETURNS))
            for name in named(template):
                # What cannot be told may be told with what another template hands it.
                found.update(dict.fromkeys(shapes(scenarios, name) or ((Symbol(OPAQUE, "?"),),)))
        return self._own(path, found)

    def _own(self, path: str, found: Iterable[Pieces]) -> list[_Name]:
        number = self._numbers.setdefault(path, len(self._numbers))
        is_nested = self._may_be_nested(path)
        return [_Name(own_names(shape, number), is_nested and not is_whole(shape)) for shape in found]


def _nothing(data: bytes) -> Names:
    return Names((), False, False, False)


def _exported(template: Template) -> Iterator[Node]:
    return (name for _, name, _ in exports_of(template.root.values))


def _may_be_meant(offered: Pieces, wanted: Pieces) -> bool:
    return may_mean(wanted, offered)


class _Names:
    """Names that some templates import, or export, by the words in them."""

    def __init__(self, names: Iterable[_Name]) -> None:
        self.all = dict.fromkeys(names)
        self._loose = [name.shape for name in self.all if name.is_loose]
        self._by_word: dict[str, dict[Pieces, None]] = {}
        for name in self.all:
            for word in _words(name.shape):
                self._by_word.setdefault(word, {})[name.shape] = None
        self._words = [word.encode() for word in self._by_word]

    def may_be_added(self) -> bool:
        """Tell whether something other than a template's own text may give one of them."""
        return bool(self._loose) or not _RETURNED.isdisjoint(self._by_word)

    def may_stand_in(self, data: bytes) -> bool:
        """Tell whether one of their words stands in a text."""
        return any(word in data for word in self._words)

    def meet(self, others: Iterable[_Name], fit: Callable[[Pieces, Pieces], bool]) -> bool:
        """Tell whether one of these names may be one of some others."""
        for shape, is_loose in others:
            alike = (mine for word in _words(shape) for mine in self._by_word.get(word, ()))
            if any(fit(mine, shape) for mine in alike):
                return True
            rest = (mine.shape for mine in self.all) if is_loose else self._loose
            if any(not clash(*trim(mine, shape)) for mine in rest):
                return True
        return False


def _words(shape: Pieces) -> list[str]:
    """The words of a name; the whole name where it has none and is known."""
    found = list(words(shape))
    return found or (["".join(map(str, shape))] if is_whole(shape) else [])
