"""Reads the templates that belong together: those with subjects of the rules, and those that these refer to.

A template is found by its path or, behind a URL, by its name. A reference never leads out of the folders that are
scanned: what lies elsewhere is not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from trailguard.cloudformation.exports import shapes, words
from trailguard.cloudformation.model import Model, Pins
from trailguard.cloudformation.nesting import MARKS, Nested, nested_of
from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.scenarios import Scenarios
from trailguard.cloudformation.source import Document, SourceError, parse
from trailguard.cloudformation.stacks import exports_of, imports_of
from trailguard.cloudformation.template import Template, looks_like_template
from trailguard.cloudformation.world import Member, World
from trailguard.collecting import File
from trailguard.discovery import Content, display_name, may_hold, read
from trailguard.findings import FileError
from trailguard.trails import catalog
from trailguard.trails.returns import RETURNS

_FILE_NAME = re.compile(rb"[\w@+-][\w.@+-]*\.[A-Za-z0-9]+")
_BYTE_ORDER = (b"\xff\xfe", b"\xfe\xff")
_EXPORT = re.compile(rb"\bExport\b")
_NEAR = 400  # bytes behind "Export" in which its name is written
_HIDDEN = re.compile(rb"Ref[^A-Za-z]+(?!AWS::)[A-Za-z]|FindInMap|\bIf\b")  # the name may be written somewhere else
IMPORTS, EXPORTS = (b"ImportValue",), (b"Export",)


class Loader:
    """Files and the templates in them, parsed when they are needed and once.

    `errors` holds what could not be read among the files that others refer to; `loaded` the templates of the world, by
    path.
    """

    def __init__(self, files: Iterable[File], folders: Sequence[str], names: Iterable[str]) -> None:
        self._files = {os.path.abspath(file.path): file for file in files if file.path}
        self._folders = [os.path.join(os.path.realpath(folder), "") for folder in folders]
        self._by_name: dict[str, list[str]] = {}
        for name in names:
            self._by_name.setdefault(os.path.basename(name), []).append(os.path.abspath(name))
        self._documents: dict[str, Document | None] = {}
        self._templates: dict[str, Template] = {}
        self.errors: dict[str, FileError] = {}
        self.loaded: dict[str, Template] = {}

    def file(self, path: str) -> File | None:
        """The file at an absolute path, read if need be; None when it lies outside or is not there."""
        known = self._files.get(path)
        if known is None and os.path.isfile(path) and self._is_inside(path):
            content = read(path, True, ())
            if isinstance(content, Content):
                known = self._files[path] = File(path, display_name(path), content.data, False)
        return known

    def name(self, path: str) -> str:
        """The name of a loaded file in reports."""
        return self._files[path].name

    def names(self) -> set[str]:
        """The names of all loaded files."""
        return {self.name(path) for path in self.loaded}

    def texts(self) -> dict[str, tuple[Template | None, str]]:
        """The loaded templates and their texts, by name."""
        return {self.name(path): (template, template.document.text) for path, template in self.loaded.items()}

    def members(self, paths: Iterable[str], pins: Pins) -> dict[str, Member]:
        """The templates at some paths, as members of a world in which some values are fixed."""
        return {
            path: Member(self.name(path), self.loaded[path], pins.parameters, (pins.account_id, pins.region))
            for path in paths
        }

    def _is_inside(self, path: str) -> bool:
        return any(os.path.realpath(path).startswith(folder) for folder in self._folders)

    def template(self, path: str) -> Template | None:
        """The template in a file; None when it cannot be read (then that is an error) or is none."""
        if path not in self._templates:
            document = self._document(path)
            if document is None:
                return None
            try:
                self._templates[path] = Template(document)
            except SourceError as error:
                self._fail(path, error)
                return None
        return self._templates[path]

    def _document(self, path: str) -> Document | None:
        if path not in self._documents:
            file = self.file(path)
            self._documents[path] = None
            if file is not None:
                try:
                    document = parse(file.data)
                    self._documents[path] = document if looks_like_template(document.root) else None
                except SourceError as error:
                    self._fail(path, error)
        return self._documents[path]

    def _fail(self, path: str, error: SourceError) -> None:
        self.errors[path] = FileError(self._files[path].name, error.line, error.column, error.message)

    def gather(self) -> None:
        """Find the templates that are to be looked at together: `loaded`."""
        self._load(self._makers())
        self._follow()
        importers = self._holding(IMPORTS)
        pending = {path for path in importers if self._files[path].marked or path in self.loaded}
        exporters = self._holding(EXPORTS) if pending else set()
        while pending:  # what a template imports may itself be made of imports
            self._load(pending)
            wanted = self._words(pending, imports=True)
            found = {path for path in exporters - self.loaded.keys() if self._may_export(path, wanted)}
            self._load(found)
            exporters -= found
            pending = found & importers & self.loaded.keys()
        givers = {path for path in self._holding(EXPORTS) if self._files[path].marked or path in self.loaded}
        helpers = catalog.helper_marks()
        takers = {path for path in importers - self.loaded.keys() if may_hold(self._files[path].data, helpers)}
        if givers and takers:
            wanted = self._words(givers, imports=False)
            takers = {path for path in takers if may_hold(self._files[path].data, wanted)}
            self._load(takers | (givers if takers else set()))

    def _holding(self, marks: Sequence[bytes]) -> set[str]:
        return {path for path, file in self._files.items() if may_hold(file.data, marks)}

    def _may_export(self, path: str, wanted: tuple[bytes, ...]) -> bool:
        """Tell whether a file may export a name that holds one of the words: those stand where the export is."""
        data = self._files[path].data
        if b"\\" in data or data[:2] in _BYTE_ORDER:
            return may_hold(data, wanted)
        places = (data[found.end() : found.end() + _NEAR] for found in _EXPORT.finditer(data))
        return any(_HIDDEN.search(place) or any(word in place for word in wanted) for place in places)

    def _makers(self) -> set[str]:
        """The files that make stacks, as far as they hold something to judge or lead to a file that does."""
        names = {path: _names(self._files[path].data) for path in self._holding(MARKS)}
        reached = {os.path.basename(path) for path, file in self._files.items() if file.marked}
        found: set[str] = set()
        while True:
            more = {
                path
                for path in names.keys() - found
                if self._files[path].marked or names[path] is None or not reached.isdisjoint(names[path] or ())
            }
            if not more:
                return found
            found |= more
            reached |= {os.path.basename(path) for path in more}

    def _words(self, paths: Iterable[str], imports: bool) -> tuple[bytes, ...]:
        """The words in the names that some templates import, or that they export."""
        found: set[str] = set()
        for path in paths:
            template = self.template(path)
            if template is None:
                continue
            scenarios = Scenarios(Model(template, Pins(), RETURNS))
            sections = template.root.values
            if imports:
                names = [name for _, name, _ in imports_of(sections, catalog.SERVICES)]
            else:
                names = [name for _, name, _ in exports_of(sections)]
            found.update(word for name in names for shape in shapes(scenarios, name) for word in words(shape))
        return tuple(word.encode() for word in found)

    def _load(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            template = self.template(path)
            if template is not None:
                self.loaded[path] = template

    def _follow(self) -> None:
        """Load the templates that loaded ones make stacks of."""
        pending = list(self.loaded)
        while pending:
            path = pending.pop()
            scenario = Scenario(Model(self.loaded[path], Pins(), RETURNS), {})
            for nested in nested_of(scenario):
                found = self.locate(path, nested)
                if os.path.isabs(found) and found not in self.loaded:
                    self._load([found])
                    pending.extend([found] if found in self.loaded else [])

    def locate(self, path: str, nested: Nested) -> str:
        """The absolute path of the template that a resource makes a stack of; else a text that says why there is none.

        The text is empty when nobody needs to be told: the template lies behind a URL.
        """
        what = f"the template of {nested.resource.id}"
        if nested.path:
            found = os.path.normpath(os.path.join(os.path.dirname(path), nested.path))
            shown = nested.path
            if self.file(found) is not None:
                return found if self.template(found) is not None else f"{what} cannot be read: {shown}"
            if os.path.lexists(found):
                return f"{what} lies outside of what is scanned: {shown}"
            return f"{what} is not there: {shown}"
        return self._by_ending(path, nested.ending, what)

    def _by_ending(self, path: str, ending: str, what: str) -> str:
        """Find a template by the end of its URL: the file of that name, the one whose folders fit best."""
        parts = ending.split("/")
        candidates = [found for found in self._by_name.get(parts[-1], ()) if found != path] if parts[-1] else []
        fitting: dict[int, list[str]] = {}
        for found in candidates:
            fitting.setdefault(_common(parts, found.split(os.sep)), []).append(found)
        best = fitting[max(fitting)] if fitting else []
        if len(best) > 1:
            names = ", ".join(sorted(map(display_name, best)))
            return f"{what} may be any of these: {names}"
        return best[0] if best and self.template(best[0]) is not None else ""

    def world(self, members: Mapping[str, Member], pins: Pins) -> World:
        """The world of some templates, by path; those that they make stacks of are found among all that are loaded."""
        paths = {id(member.template): path for path, member in members.items()}
        known = dict(members)

        def locate(owner: Member, nested: Nested) -> Member | str:
            found = self.locate(paths[id(owner.template)], nested)
            if not os.path.isabs(found):
                return found
            if found not in known:
                template = self.template(found)
                if template is None:
                    return ""
                known[found] = Member(self._files[found].name, template)
                paths[id(template)] = found
            return known[found]

        return World(list(members.values()), pins, RETURNS, locate)


def _names(data: bytes) -> set[str] | None:
    """The names of files that a template may mention; None when they cannot be told."""
    if data[:2] in _BYTE_ORDER or may_hold(data, ()):
        return None
    return {name.decode() for name in _FILE_NAME.findall(data)}


def _common(parts: Sequence[str], path: Sequence[str]) -> int:
    """How many folders and names two paths have in common at their ends."""
    size = 0
    for one, other in zip(reversed(parts), reversed(path), strict=False):
        if one != other:
            break
        size += 1
    return size
