"""Which templates belong together: those with subjects of the rules, and those that these refer to.

What makes stacks of each other, and what imports from each other, is looked at together. Files that have nothing to do
with a subject of the rules are not parsed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.nodes import Node, SourceError, scalar_text
from trailguard.cloudformation.source.reading import UTF16
from trailguard.cloudformation.stacks.exchanges import exports_of, imports_of
from trailguard.cloudformation.template.expansion import LOOP
from trailguard.cloudformation.template.inline import inline
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.exports import shapes, words
from trailguard.cloudformation.world.nesting import Nested, nested_of
from trailguard.cloudformation.world.world import Member, World
from trailguard.findings import FileError
from trailguard.reading.assemblies import TEMPLATE, StackArtifact
from trailguard.reading.collected import EXPORTS, IMPORTS, INCLUDES, MAKERS
from trailguard.reading.discovery import may_hold
from trailguard.reading.loader import Loader
from trailguard.trails import catalog
from trailguard.trails.facts.returns import RETURNS

_FILE_NAME = re.compile(rb"[\w@+-][\w.@+-]*\.[A-Za-z0-9]+")
_EXPORT, _IMPORT = re.compile(rb"\bExport\b"), re.compile(rb"ImportValue")
_WORD = re.compile(rb"[A-Za-z0-9]{2,}")
_NEAR = 400  # bytes behind such a word in which the name is written
# What gives a name that is written somewhere else, or in pieces.
_HIDDEN = re.compile(rb"Ref[^A-Za-z]+(?!AWS::)[A-Za-z]|FindInMap|\bIf\b|Join[^A-Za-z0-9]*(?:\'\'|\"\")|Select|Split")


class Kinship:
    """The templates that are to be looked at together, `loaded` by path, and how they make worlds."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.loaded: dict[str, Template] = {}
        self._kept: list[Template] = []  # worlds know templates by their identity

    @property
    def errors(self) -> list[FileError]:
        """What could not be read among the files that others refer to."""
        return list(self._loader.errors.values())

    def name(self, path: str) -> str:
        """The name of a loaded file in reports."""
        return self._loader.name(path)

    def names(self) -> set[str]:
        """The names of all loaded files."""
        return {self.name(path) for path in self.loaded}

    def texts(self) -> dict[str, tuple[Template | None, str]]:
        """The loaded templates and their texts, by name, and the texts of what they include."""
        found: dict[str, tuple[Template | None, str]] = {
            name: (None, text) for name, text in self._loader.parts.items()
        }
        return found | {self.name(path): (item, item.document.text) for path, item in self.loaded.items()}

    def members(self, paths: Iterable[str], pins: Pins) -> dict[str, Member]:
        """The templates at some paths, as members of a world in which some values are fixed."""
        found = ((path, self._loader.template(path, pins.parameters), self._loader.artifact(path)) for path in paths)
        return {path: _member(self.name(path), item, pins, stack) for path, item, stack in found if item is not None}

    def constructs(self) -> dict[tuple[str, str], str]:
        """The constructs that resources were made from, by file and logical ID, as the assemblies have them."""
        found: dict[tuple[str, str], str] = {}
        for path in self.loaded:
            for resource, construct in self._loader.constructs(path):
                found.setdefault((self.name(path), resource), construct)
        return found

    def gather(self) -> None:
        """Find the templates that are to be looked at together: `loaded`."""
        including = self._holding(INCLUDES)
        marked = {path for path, file in self._loader.files.items() if file.marked}
        self._load({*self._makers(), *(including & marked), *filter(self._loader.artifact, marked)})
        self._follow()
        importers = self._holding(IMPORTS)
        pending = {path for path in importers if self._loader.files[path].marked or path in self.loaded}
        exporters = self._holding(EXPORTS) if pending else set()
        while pending:  # what a template imports may itself be made of imports
            self._load(pending)
            wanted = self._words(pending, imports=True)
            found = {path for path in exporters - self.loaded.keys() if self._may_name(path, _EXPORT, wanted)}
            self._load(found)
            exporters -= found
            pending = found & importers & self.loaded.keys()
        givers = {path for path in self._holding(EXPORTS) if self._loader.files[path].marked or path in self.loaded}
        helpers = catalog.helper_marks()
        takers = {path for path in importers - self.loaded.keys() if may_hold(self._loader.files[path].data, helpers)}
        if givers and takers:
            wanted = self._words(givers, imports=False)
            takers = {path for path in takers if self._may_name(path, _IMPORT, wanted)}
            self._load(takers | (givers if takers else set()))

    def _holding(self, marks: Sequence[bytes]) -> set[str]:
        return {path for path, file in self._loader.files.items() if may_hold(file.data, marks)}

    def _may_name(self, path: str, call: re.Pattern[bytes], wanted: frozenset[bytes]) -> bool:
        """Tell whether a file may import or export a name with one of the words: those stand where the call is."""
        data = self._loader.files[path].data
        if b"\\" in data or data[:2] in UTF16:
            return may_hold(data, tuple(wanted))
        places = (data[found.end() : found.end() + _NEAR] for found in call.finditer(data))
        return any(_HIDDEN.search(place) or not wanted.isdisjoint(_WORD.findall(place)) for place in places)

    def _makers(self) -> set[str]:
        """The files that make stacks, as far as they hold something to judge or lead to a file that does."""
        makers = self._holding(MAKERS)
        names = {path: None if path.endswith(TEMPLATE) else _names(self._loader.files[path].data) for path in makers}
        reached = {os.path.basename(path) for path, file in self._loader.files.items() if file.marked}
        found: set[str] = set()
        while True:
            more = {
                path
                for path in names.keys() - found
                if self._loader.files[path].marked or names[path] is None or not reached.isdisjoint(names[path] or ())
            }
            if not more:
                return found
            found |= more
            reached |= {os.path.basename(path) for path in more}

    def _words(self, paths: Iterable[str], imports: bool) -> frozenset[bytes]:
        """The words in the names that some templates import, or that they export."""
        found: set[str] = set()
        for path in paths:
            template = self._loader.template(path)
            if template is None:
                continue
            scenarios = Scenarios(Model(template, Pins(), RETURNS))
            sections = template.root.values
            if imports:
                names = [name for _, name, _ in imports_of(sections, catalog.SERVICES)]
            else:
                names = [name for _, name, _ in exports_of(sections)]
            found.update(word for name in names for shape in shapes(scenarios, name) for word in words(shape))
        return frozenset(word.encode() for word in found)

    def _load(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            template = self._loader.template(path)
            if template is not None:
                self.loaded[path] = template

    def _follow(self) -> None:
        """Load the templates that loaded ones make stacks of."""
        pending = list(self.loaded)
        while pending:
            path = pending.pop()
            scenario = Scenario(Model(self.loaded[path], Pins(), RETURNS), {})
            for nested in nested_of(scenario):
                found = self._loader.locate(path, nested)
                if os.path.isabs(found) and found not in self.loaded:
                    self._load([found])
                    pending.extend([found] if found in self.loaded else [])

    def _inside(self, owner: Member, nested: Nested, body: Node) -> Member | str:
        """The template that a stack set holds as text."""
        try:
            inner = inline(body, owner.template.document.text)
        except SourceError as error:
            self._loader.errors[f"{owner.file}:{error.line}"] = FileError(
                owner.file, error.line, error.column, error.message
            )
            return f"the template of {nested.resource.id} cannot be read"
        if inner is None:
            return f"the template of {nested.resource.id} is made at deployment, so what is in it is not judged"
        self._kept.append(inner.template)
        return Member(owner.file, inner.template, handed=inner.handed)

    def world(self, members: Mapping[str, Member], pins: Pins) -> World:
        """The world of some templates, by path; those that they make stacks of are found among all that are loaded."""
        paths = {id(member.template): path for path, member in members.items()}
        known = {id(member.template): member for member in members.values()}

        def locate(owner: Member, nested: Nested) -> Member | str:
            if nested.body is not None:
                return self._inside(owner, nested, nested.body)
            found = self._loader.locate(paths[id(owner.template)], nested)
            if not os.path.isabs(found):
                return found
            template = self._loader.template(found, _literals(nested.arguments))
            if template is None:
                return ""
            if id(template) not in known:
                known[id(template)] = Member(self._loader.files[found].name, template)
                paths[id(template)] = found
            return known[id(template)]

        return World(list(members.values()), pins, RETURNS, locate)


def _names(data: bytes) -> set[str] | None:
    """The names of files that a template may mention; None when they cannot be told."""
    if data[:2] in UTF16 or LOOP.encode() in data or may_hold(data, ()):
        return None
    return {name.decode() for name in _FILE_NAME.findall(data)}


def _member(name: str, template: Template, pins: Pins, stack: StackArtifact | None) -> Member:
    """A template as a member of a world: what its assembly says of it goes behind what the user says."""
    if stack is None:
        return Member(name, template, pins.parameters, (pins.account_id, pins.region))
    parameters = {"AWS::StackName": stack.name, **stack.parameters, **pins.parameters}
    return Member(name, template, parameters, (pins.account_id or stack.account_id, pins.region or stack.region))


def _literals(arguments: Mapping[str, Node] | Node) -> dict[str, str]:
    """What is handed down as it is written."""
    given = arguments if isinstance(arguments, dict) else {}
    texts = ((name, scalar_text(node)) for name, node in given.items())
    return {name: text for name, text in texts if text is not None}
