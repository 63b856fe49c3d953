"""Files and the templates in them, with what they include and what a cloud assembly says of them.

A template is found by its path or, behind a URL, by its name. A reference never leads out of the folders that are
scanned: what lies elsewhere is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.source.nodes import Document, MapNode, Node, SourceError, set_file
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.includes import INCLUDE, include, locations
from trailguard.cloudformation.template.serverless import files, with_files
from trailguard.cloudformation.template.strays import resources_of
from trailguard.cloudformation.template.template import Template, expands, looks_like_template
from trailguard.cloudformation.world.nesting import Nested, decoded
from trailguard.cloudformation.world.trees import Member, Missing
from trailguard.errors import display_name
from trailguard.findings import FileError
from trailguard.reading.assemblies import Assemblies, StackArtifact
from trailguard.reading.collected import File
from trailguard.reading.discovery import Content, read
from trailguard.reading.faults import internal
from trailguard.reading.memory import Memory

FILE = "${file("  # with which a file of the Serverless Framework names another one


class Loader:
    """Files and the templates in them, parsed when they are needed and once.

    `folders` are those in which references may lead to further files, unless `is_excluded`; `names` are the paths of
    all files that may be found by their name, `others` gives those of further ones by the end of their name. `tick` is
    told how many files have been parsed. `files` are those that were read, by absolute path. `errors` holds what could
    not be read among the files that others refer to, `parts` the texts of included files by name, `pieces` those among
    them that need not be looked at by themselves, `includers` the names of the files that include them. `memory` keeps
    what is found out about the bytes of files.
    """

    def __init__(
        self,
        files: Iterable[File],
        folders: Sequence[str],
        names: Iterable[str],
        is_excluded: Callable[[str], bool] = lambda path: False,
        others: Callable[[str], Iterable[str]] = lambda name: (),
        tick: Callable[[int], object] = lambda done: None,
        memory: Memory | None = None,
    ) -> None:
        self._tick = tick
        self.memory = memory or Memory()
        self._is_excluded = is_excluded
        self.files = {os.path.abspath(file.path): file for file in reversed(list(files))}
        self._folders = [os.path.join(os.path.realpath(folder), "") for folder in folders]
        self._by_name: dict[str, list[str]] = {}
        self._others = others
        self._names = set(map(os.path.abspath, names))
        for path in sorted(self._names):
            self._by_name.setdefault(os.path.basename(path), []).append(path)
        self._sources: dict[str, Document | SourceError | None] = {}
        self._documents: dict[str, Document | None] = {}
        self._templates: dict[tuple[str, tuple[tuple[str, str], ...]], Template] = {}
        self.parts: dict[str, str] = {}
        self.pieces: set[str] = set()
        self.includers: dict[str, set[str]] = {}
        self.errors: dict[str, FileError] = {}
        self.assemblies = Assemblies(self._bytes, self.errors)

    @contextmanager
    def faults_of(self, path: str) -> Iterator[None]:
        """Make what goes wrong with a file, while it is looked at, an error of that file."""
        try:
            yield
        except Exception as error:
            fault = internal(self.name(path), error)
            self.errors[f"{path}: {fault.message}"] = fault

    def named(self, name: str) -> Sequence[str]:
        """The paths of the files of a name."""
        return [*self._by_name.get(name, ()), *(path for path in self.others(name) if os.path.basename(path) == name)]

    def others(self, ending: str) -> list[str]:
        """The paths of files that no scan looks at by itself, by the end of their names."""
        return [os.path.abspath(path) for path in self._others(ending)]

    def is_named(self, path: str) -> bool:
        """Tell whether a scan looks at a file by itself."""
        return path in self._names

    @staticmethod
    def beside(path: str, location: str) -> str:
        """The absolute path of a location, seen from a file; "" when it is a URL."""
        return "" if "://" in location else os.path.normpath(os.path.join(os.path.dirname(path), location))

    def file(self, path: str) -> File | None:
        """The file at an absolute path, read if need be; None when it lies outside or is not there."""
        if path not in self.files and (data := self._bytes(path)) is not None:
            self.files[path] = File(path, display_name(path), data, False)
        return self.files.get(path)

    def peek(self, path: str) -> bytes:
        """The bytes of a file at an absolute path, which are not kept; none when it cannot be read."""
        return self._bytes(path) or b""

    def name(self, path: str) -> str:
        """The name of a loaded file in reports."""
        return self.files[path].name

    def template(self, path: str, pinned: Mapping[str, str] | None = None) -> Template | None:
        """The template in a file; None when it cannot be read (then that is an error) or is none.

        `pinned` parameter values make another template of it where it loops over them.
        """
        with self.faults_of(path):
            return self._template(path, pinned)
        return None

    def _template(self, path: str, pinned: Mapping[str, str] | None) -> Template | None:
        document = self._document(path)
        if document is None:
            return None
        key = (path, tuple(sorted(pinned.items())) if pinned and expands(document) else ())
        if key not in self._templates:
            try:
                self._templates[key] = Template(document, pinned)
            except SourceError as error:
                self._fail(path, error)
                return None
        return self._templates[key]

    def _document(self, path: str) -> Document | None:
        """The document in a file with what it includes; None when it cannot be read or is no template."""
        if path not in self._documents:
            self._documents[path] = None
            self._tick(len(self._documents))
            document = self._read(path)
            if isinstance(document, SourceError):
                self._fail(path, document)
            elif document is not None:
                parts: dict[str, Document] = {}
                whole = self._with_includes(path, document, parts)
                if _is_template(whole, document):
                    self._documents[path] = whole
                    self._note_parts(path, whole, parts)
        return self._documents[path]

    def _note_parts(self, path: str, whole: Document, parts: Mapping[str, Document]) -> None:
        """Take note of what a template includes: its resources are part of it where they are among its own."""
        made = {id(item.body) for item in Template(whole).resources.values()} if parts else set()
        for name, part in parts.items():
            self.parts[name] = part.text
            self.includers.setdefault(name, set()).add(self.name(path))
            if made.issuperset(map(id, resources_of(part.root))):
                self.pieces.add(name)

    def _read(self, path: str) -> Document | SourceError | None:
        """The document in a file as it stands there; None when the file is not to be had."""
        if path not in self._sources:
            file = self.file(path)
            self._sources[path] = None
            if file is not None:
                self._sources[path] = self.memory.once(path, file.data, "document", lambda: _parsed(file.data))
        return self._sources[path]

    def included(self, path: str) -> list[File]:
        """The files that a template includes, as far as they can be read."""
        document: Document | SourceError | None = None
        with self.faults_of(path):
            document = self._read(path)
        if not isinstance(document, Document):
            return []
        named = chain((item.value for item in locations(document.root)), files(document.root))
        return [file for name in named if (place := self.beside(path, name)) and (file := self.file(place)) is not None]

    def _with_includes(self, path: str, document: Document, parts: dict[str, Document]) -> Document:
        """A document with what it includes from files in the scanned folders: `parts`, by name."""
        if not isinstance(document.root, MapNode) or not any(word in document.text for word in (INCLUDE, FILE)):
            return document

        def fetch(location: str) -> Node | None:
            place = self.beside(path, location)
            file = self.file(place) if place else None
            if file is None:
                return None
            try:
                part = parse(file.data)
            except SourceError as error:
                self._fail(place, error)
                return None
            set_file(part.root, file.name)
            parts[file.name] = part
            return part.root

        root = include(with_files(document.root, fetch), fetch)
        return document._replace(root=root, parts=tuple(part.text for part in parts.values()))

    def _fail(self, path: str, error: SourceError) -> None:
        self.errors[path] = FileError(self.files[path].name, error.line, error.column, error.message)

    def artifact(self, path: str) -> StackArtifact | None:
        """What a cloud assembly of the CDK says of a template."""
        return self.assemblies.artifact(path)

    def members(self, paths: Iterable[str], pins: Pins) -> dict[str, Member]:
        """The templates at some paths, as members of a world in which some values are fixed."""
        found = ((path, self.template(path, pins.parameters), self.artifact(path)) for path in paths)
        return {path: _member(self.name(path), item, pins, stack) for path, item, stack in found if item is not None}

    def variants(self, path: str, all_pins: Iterable[Pins]) -> Iterator[tuple[Template, Pins]]:
        """A template as it is in some deployments, and what is fixed there."""
        for pins in all_pins:
            for member in self.members([path], pins).values():
                yield member.template, pins._replace(parameters={**pins.parameters, **member.parameters})

    def _bytes(self, path: str) -> bytes | None:
        """The bytes of a file that references may lead to; None when it lies outside or cannot be read."""
        return self.memory.bytes_of(path, lambda: _contents(path)) if self._is_inside(path) else None

    def _is_inside(self, path: str) -> bool:
        is_below = any(os.path.realpath(path).startswith(folder) for folder in self._folders)
        return is_below and not self._is_excluded(path)

    def locate(self, path: str, nested: Nested) -> str | Missing:
        """The absolute path of the template that a resource makes a stack of; else why there is none.

        Nobody needs to be told of a template that lies behind a URL.
        """
        what = f"the template of {nested.resource.id}"
        if nested.path:
            found = self.beside(path, nested.path)
            shown = nested.path
            if self.file(found) is not None:
                is_read = self.template(found) is not None
                return found if is_read else Missing(f"{what} cannot be read: {shown}", False)
            if os.path.lexists(found):
                text = f"{what} lies outside of what is scanned, or cannot be read: {shown}"
                return Missing(text, not self._is_excluded(found))
            return Missing(f"{what} is not there: {shown}", True)
        return self._by_ending(path, nested.ending, what)

    def _by_ending(self, path: str, ending: str, what: str) -> str | Missing:
        """Find a template by the end of its URL: the file of that name, the one whose folders fit best."""
        best = self.fitting(path, ending)
        if len(best) > 1:
            names = ", ".join(sorted(map(display_name, best)))
            return Missing(f"{what} may be any of these: {names}", False)
        return best[0] if best and self.template(best[0]) is not None else Missing("", False)

    def fitting(self, path: str, ending: str) -> list[str]:
        """The files that the end of a URL fits best, as it is or decoded; several when it fits them equally."""
        return max((self._fitting(path, parts) for parts in _spelt(ending)), key=bool)

    def _fitting(self, path: str, parts: Sequence[str]) -> list[str]:
        asset = self._asset(path, parts)
        if asset is not None:
            return [asset]
        candidates = [found for found in self.named(parts[-1]) if found != path] if parts[-1] else []
        return _closest(parts, candidates)

    def is_guess(self, path: str, nested: Nested) -> bool:
        """Tell whether nothing but the name of a file, and no folder in a URL, speaks for a stack of it."""
        found = self.fitting(path, nested.ending)[0].split(os.sep) if not nested.path else []
        ways = [] if nested.path else _spelt(nested.ending)
        return bool(ways) and all(self._asset(path, parts) is None and _common(parts, found) < 2 for parts in ways)

    def _asset(self, path: str, parts: Sequence[str]) -> str | None:
        """The template that a cloud assembly uploads under a name."""
        assembly = self.assemblies.of(path)
        asset = assembly.assets.get(parts[-1].partition(".")[0]) if assembly is not None else None
        return asset if asset is not None and self.template(asset) is not None else None

    def possible(self, path: str, nested: Nested) -> list[str]:
        """The paths that a resource may make a stack of, also of files that cannot be read."""
        return [self.beside(path, nested.path)] if nested.path else self.fitting(path, nested.ending)


def _contents(path: str) -> bytes | None:
    """The bytes of a file; None when they cannot be read."""
    content = read(path, True, ()) if os.path.isfile(path) else None
    return content.data if isinstance(content, Content) else None


def _parsed(data: bytes) -> Document | SourceError:
    """The document that some bytes are, or why they are none."""
    try:
        return parse(data)
    except SourceError as error:
        return error


def _spelt(ending: str) -> list[list[str]]:
    """The parts of the end of a URL, as they stand and as they are meant: `a%20b` is `a b`."""
    return [each.split("/") for each in dict.fromkeys((ending, decoded(ending)))]


def _is_template(whole: Document, written: Document) -> bool:
    """Tell whether a document is a template with what it includes, or as it is written: that may be empty."""
    return looks_like_template(whole.root) or looks_like_template(written.root)


def _member(name: str, template: Template, pins: Pins, stack: StackArtifact | None) -> Member:
    """A template as a member of a world: what its assembly says of it goes behind what the user says."""
    if stack is None:
        return Member(name, template, pins.parameters, (pins.account_id, pins.region))
    parameters = {"AWS::StackName": stack.name, **stack.parameters, **pins.parameters}
    return Member(name, template, parameters, (pins.account_id or stack.account_id, pins.region or stack.region))


def _closest(parts: Sequence[str], candidates: Iterable[str]) -> list[str]:
    """The paths that have most in common with the end of a URL."""
    fitting: dict[int, list[str]] = {}
    for found in candidates:
        fitting.setdefault(_common(parts, found.split(os.sep)), []).append(found)
    return fitting[max(fitting)] if fitting else []


def _common(parts: Sequence[str], path: Sequence[str]) -> int:
    """How many folders and names two paths have in common at their ends."""
    size = 0
    for one, other in zip(reversed(parts), reversed(path), strict=False):
        if one != other:
            break
        size += 1
    return size
