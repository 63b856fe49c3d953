"""Which templates have to do with something to judge: those with subjects of the rules, and their relatives.

Templates are related when one makes a stack of the other, or imports what the other exports, or when both speak of the
same thing by its name. Only what may belong to
the world of something to judge is parsed: what cannot is told from the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.scenarios.values import OPAQUE, Pieces, Symbol, clash, trim
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.stacks.exchanges import exports_of, imports_of
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.exports import is_whole, may_mean, own_names, shapes, words
from trailguard.cloudformation.world.world import Matter
from trailguard.reading import mentions
from trailguard.reading.assemblies import TEMPLATE
from trailguard.reading.holdings import Holdings
from trailguard.reading.loader import Loader
from trailguard.reading.mentions import Names
from trailguard.reading.namesakes import Speakers
from trailguard.reading.parents import Parents
from trailguard.trails import catalog
from trailguard.trails.facts.returns import RETURNS

# The words in what Ref and Fn::GetAtt give, besides those of the resource.
_RETURNED = frozenset(
    word
    for given in RETURNS.values()
    for spelling in given.values()
    for text in ((spelling,) if isinstance(spelling, str) else (spelling.text, *(text for _, _, text in spelling.ways)))
    for word in words((re.sub(r"\$\{[^}]*\}", " ", text),))
)

Mentioned: TypeAlias = Callable[[bytes], "Names | None"]  # looks names up in the bytes of a file


class _Name(NamedTuple):
    """The shape of a name; it is loose when another template has a say in it, so that only its ends count."""

    shape: Pieces
    is_loose: bool


class Relatives:
    """Finds the templates that are to be looked at together, `loaded` by path.

    `markers` are bytes without which a file holds nothing to judge, `pins` what is fixed in the deployments that are
    judged: they have a say in what is imported, and in where nested templates lie. `matter` tells which imports count.
    `idle` are templates that hold nothing to judge and refer to no other one, but by a name perhaps.
    """

    def __init__(
        self,
        loader: Loader,
        markers: Sequence[bytes],
        pins: Sequence[Pins],
        matter: Matter,
        idle: Iterable[str] = (),
    ) -> None:
        self._loader = loader
        self._pins = pins
        self._matter = matter
        self._is_pinned = any(any(one) for one in pins)
        self.loaded: dict[str, Template] = {}
        self._holdings = Holdings(loader, markers)
        self._parents = Parents(loader, self._holdings, pins)
        self._speakers = Speakers(loader, {*loader.files, *idle}, pins)
        self._asking: set[str] = set()  # the files of which it is known who exports what they import
        self._giving: set[str] = set()  # those of which it is known who imports what they export
        self._numbers: dict[str, int] = {}
        self._mentioned: dict[tuple[str, object], Names | None] = {}

    def find(self) -> dict[str, Template]:
        """Find them, and load them."""
        marked = self._holdings.marked
        self._load({*(marked & self._holdings.parts.keys()), *filter(self._loader.artifact, marked)})
        linked: set[str] = set()
        size = -1
        while size < len(self.loaded):
            size = len(self.loaded)
            self._load(self._parents.leading(marked | linked | self._holdings.suspects))
            self._follow()
            linked |= self._exporting() | self._importing()
            linked |= self._speakers.sharing(marked | self.loaded.keys())
            self._load(linked)
            importers = self._holdings.importers & self.loaded.keys()
            exporters = self._holdings.exporters & self.loaded.keys()
            if importers and exporters:
                linked |= importers | exporters  # each of their parents gives other names
        return self.loaded

    def strangers(self) -> set[str]:
        """The files that were parsed only to see what they lead to, and lead to nothing that is to be looked at."""
        return self._parents.strangers() | (self._speakers.parsed - self._parents.met)

    def _load(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            self._parents.met.add(path)
            template = self._loader.template(path) if path not in self.loaded else None
            if template is not None:
                self.loaded[path] = template

    def _follow(self) -> None:
        """Load the templates that loaded ones make stacks of."""
        pending = sorted(self.loaded.keys() & self._holdings.makers)
        while pending:
            more = self._parents.children_of(pending.pop()).certain - self.loaded.keys()
            self._load(more)
            pending.extend(more & self.loaded.keys() & self._holdings.makers)

    def _exporting(self) -> set[str]:
        """The files that may export what is imported in those that are looked at."""
        asking = (self._holdings.importers & (self._holdings.marked | self.loaded.keys())) - self._asking
        self._asking |= asking
        self._load(asking)
        wanted = _Names(chain.from_iterable(self._parsed(path, self._counting) for path in asking & self.loaded.keys()))
        rest = self._holdings.exporters - self.loaded.keys() if wanted.all else ()
        return {path for path in rest if self._fits(path, mentions.exported, _exported, wanted, may_mean)}

    def _importing(self) -> set[str]:
        """The files that may import what is exported in those that are looked at, and have a say in the verdicts."""
        takers = self._holdings.importers - self.loaded.keys()
        giving = (self._holdings.exporters & (self._holdings.marked | self.loaded.keys())) - self._giving
        if not takers or not giving:
            return set()
        self._giving |= giving
        offered = _Names(
            name for path in giving for name in self._written(path, mentions.exported) or self._parsed(path, _exported)
        )
        found = takers & self._holdings.marked
        for path in takers - found:
            if self._fits(path, self._handed_on(path), self._saying, offered, _may_be_meant) and offered.meet(
                self._parsed(path, self._saying), _may_be_meant
            ):
                found.add(path)
        return found | giving if found else set()

    def _handed_on(self, path: str) -> Mentioned:
        """What tells the names in a file's imports that may have a say in what another one makes."""
        kinds = [names for kind, names in catalog.SAYS.items() if self._holdings.holds(path, (kind.encode(),))]
        properties = frozenset(chain(*kinds, ["Value"] if path in self._holdings.exporters else []))
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
        if path in self._holdings.marked:
            return True
        if self._is_strange(path, names):
            return False
        written = self._written(path, mentioned, names)
        self._parents.met.update([path] if written is None else [])
        return names.meet(self._parsed(path, named) if written is None else written, fit)

    def _is_strange(self, path: str, names: _Names) -> bool:
        """Tell without a look at what it says that none of some names can be in a file."""
        data = self._loader.files[path].data
        is_own = not (
            self._is_pinned
            or path in self._holdings.parts
            or path.endswith(TEMPLATE)
            or self._parents.may_be_nested(path)
        )
        if not is_own or names.may_be_added() or self._may_stand_in(names, path):
            return False
        return self._loader.memory.once(path, data, "whole", lambda: mentions.says_whole(data))

    def _may_stand_in(self, names: _Names, path: str) -> bool:
        """Tell whether one of the words of some names stands in a file."""
        data, memory = self._loader.files[path].data, self._loader.memory
        return memory.latest(path, data, "stands", memory.same(names.words), lambda: names.may_stand_in(data))

    def _written(self, path: str, mentioned: Mentioned, wanted: _Names | None = None) -> list[_Name] | None:
        """The names that a template imports or exports, from its bytes; None when it has to be parsed for them.

        They need not be told in full where they can be none of the `wanted` ones.
        """
        key = (path, getattr(mentioned, "func", mentioned))
        if key not in self._mentioned:
            self._mentioned[key] = self._mentions(path, mentioned) if path not in self._holdings.parts else None
        names = self._mentioned[key]
        if names is None or names.is_open or (names.is_filled and (self._is_pinned or path.endswith(TEMPLATE))):
            return None
        if names.has_bare and (wanted is None or self._may_stand_in(wanted, path)):
            return None
        return self._own(path, names.shapes)

    def _mentions(self, path: str, mentioned: Mentioned) -> Names | None:
        data = self._loader.files[path].data
        key = (getattr(mentioned, "func", mentioned), *getattr(mentioned, "keywords", {}).items())
        return self._loader.memory.once(path, data, key, lambda: mentioned(data))

    def _parsed(self, path: str, named: Callable[[Template], Iterator[Node]]) -> list[_Name]:
        """The names that a template imports or exports, as far as they are known before the deployment."""
        found: dict[Pieces, None] = {}
        # Values that are given are those of roots.
        nested = [
            pins._replace(parameters={}) for pins in self._pins if pins.parameters and self._parents.may_be_nested(path)
        ]
        with self._loader.faults_of(path):
            for template, pins in self._loader.variants(path, [*self._pins, *nested]):
                scenarios = Scenarios(Model(template, pins, RETURNS))
                for name in named(template):
                    # What cannot be told may be told with what another template hands it.
                    found.update(dict.fromkeys(shapes(scenarios, name) or ((Symbol(OPAQUE, "?"),),)))
        return self._own(path, found)

    def _own(self, path: str, found: Iterable[Pieces]) -> list[_Name]:
        number = self._numbers.setdefault(path, len(self._numbers))
        is_nested = self._parents.may_be_nested(path)
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
        self.words = frozenset(word.encode() for word in self._by_word)

    def may_be_added(self) -> bool:
        """Tell whether something other than a template's own text may give one of them."""
        return bool(self._loose) or not _RETURNED.isdisjoint(self._by_word)

    def may_stand_in(self, data: bytes) -> bool:
        """Tell whether one of their words stands in a text."""
        return any(word in data for word in self.words)

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
