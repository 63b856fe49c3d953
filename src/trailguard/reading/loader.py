"""Reads the templates that belong together: those with subjects of the rules, and those that these refer to.

A template is found by its path or, behind a URL, by its name. A reference never leads out of the folders that are
scanned: what lies elsewhere is not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.nodes import Document, ListNode, MapNode, Node, SourceError, file_of, scalar_text
from trailguard.cloudformation.source.reading import UTF16, parse
from trailguard.cloudformation.stacks.exchanges import exports_of, imports_of
from trailguard.cloudformation.template.expansion import LOOP
from trailguard.cloudformation.template.includes import INCLUDE, include
from trailguard.cloudformation.template.inline import inline
from trailguard.cloudformation.template.template import Template, expands, looks_like_template
from trailguard.cloudformation.world.exports import shapes, words
from trailguard.cloudformation.world.nesting import Nested, nested_of
from trailguard.cloudformation.world.world import Member, World
from trailguard.errors import AssemblyError, display_name
from trailguard.findings import FileError
from trailguard.reading.assemblies import TEMPLATE, Assembly, StackArtifact, read_assembly
from trailguard.reading.collected import EXPORTS, IMPORTS, INCLUDES, MAKERS, File
from trailguard.reading.discovery import Content, may_hold, read
from trailguard.trails import catalog
from trailguard.trails.facts.returns import RETURNS

_FILE_NAME = re.compile(rb"(?<![\w.@+-])\.*([\w@+-][\w.@+-]*\.[A-Za-z0-9]+)")  # each word is looked at once
_EXPORT, _IMPORT = re.compile(rb"\bExport\b"), re.compile(rb"ImportValue")
_WORD = re.compile(rb"[A-Za-z0-9]{2,}")
_NEAR = 400  # bytes behind such a word in which the name is written
# What gives a name that is written somewhere else, or in pieces.
_HIDDEN = re.compile(rb"Ref[^A-Za-z]+(?!AWS::)[A-Za-z]|FindInMap|\bIf\b|Join[^A-Za-z0-9]*(?:\'\'|\"\")|Select|Split")


class Loader:
    """Files and the templates in them, parsed when they are needed and once.

    `folders` are those in which references may lead to further files, unless `is_excluded`; `names` are the paths of
    all files that may be found by their name. `errors` holds what could not be read among the files that others refer
    to, `loaded` the templates of the world by path.
    """

    def __init__(
        self,
        files: Iterable[File],
        folders: Sequence[str],
        names: Iterable[str],
        is_excluded: Callable[[str], bool] = lambda path: False,
    ) -> None:
        self._is_excluded = is_excluded
        self._files = {os.path.abspath(file.path): file for file in reversed(list(files))}
        self._folders = [os.path.join(os.path.realpath(folder), "") for folder in folders]
        self._by_name: dict[str, list[str]] = {}
        for name in names:
            self._by_name.setdefault(os.path.basename(name), []).append(os.path.abspath(name))
        self._documents: dict[str, Document | None] = {}
        self._templates: dict[tuple[str, tuple[tuple[str, str], ...]], Template] = {}
        self.parts: dict[str, str] = {}  # the texts of included files by name
        self._kept: list[Template] = []  # worlds know templates by their identity
        self.errors: dict[str, FileError] = {}
        self.loaded: dict[str, Template] = {}
        self._assemblies: dict[str, Assembly | None] = {}

    def file(self, path: str) -> File | None:
        """The file at an absolute path, read if need be; None when it lies outside or is not there."""
        if path not in self._files and (data := self._bytes(path)) is not None:
            self._files[path] = File(path, display_name(path), data, False)
        return self._files.get(path)

    def name(self, path: str) -> str:
        """The name of a loaded file in reports."""
        return self._files[path].name

    def names(self) -> set[str]:
        """The names of all loaded files."""
        return {self.name(path) for path in self.loaded}

    def texts(self) -> dict[str, tuple[Template | None, str]]:
        """The loaded templates and their texts, by name, and the texts of what they include."""
        found: dict[str, tuple[Template | None, str]] = {name: (None, text) for name, text in self.parts.items()}
        return found | {self.name(path): (item, item.document.text) for path, item in self.loaded.items()}

    def members(self, paths: Iterable[str], pins: Pins) -> dict[str, Member]:
        """The templates at some paths, as members of a world in which some values are fixed."""
        found = ((path, self.template(path, pins.parameters), self.artifact(path)) for path in paths)
        return {path: _member(self.name(path), item, pins, stack) for path, item, stack in found if item is not None}

    def artifact(self, path: str) -> StackArtifact | None:
        """What a cloud assembly of the CDK says of a template."""
        assembly = self._assembly(path)
        return assembly.stacks.get(path) if assembly is not None else None

    def constructs(self) -> dict[tuple[str, str], str]:
        """The constructs that resources were made from, by file and logical ID, as the assemblies have them."""
        found: dict[tuple[str, str], str] = {}
        for path in self.loaded:
            assembly = self._assemblies.get(os.path.dirname(path))
            for stack in assembly.stacks.values() if assembly is not None else ():
                for resource, construct in stack.constructs.items():
                    found.setdefault((self.name(path), resource), construct)
        return found

    def _assembly(self, path: str) -> Assembly | None:
        """The cloud assembly that a template is part of."""
        folder = os.path.dirname(path)
        if not path.endswith(TEMPLATE):
            return None
        if folder not in self._assemblies:
            self._assemblies[folder] = None
            try:
                self._assemblies[folder] = read_assembly(folder, self._bytes)
            except AssemblyError as error:
                self.errors[error.file] = FileError(display_name(error.file), 0, 0, error.message)
        return self._assemblies[folder]

    def _bytes(self, path: str) -> bytes | None:
        """The bytes of a file that references may lead to; None when it lies outside or cannot be read."""
        content = read(path, True, ()) if os.path.isfile(path) and self._is_inside(path) else None
        return content.data if isinstance(content, Content) else None

    def _is_inside(self, path: str) -> bool:
        is_below = any(os.path.realpath(path).startswith(folder) for folder in self._folders)
        return is_below and not self._is_excluded(path)

    def template(self, path: str, pinned: Mapping[str, str] | None = None) -> Template | None:
        """The template in a file; None when it cannot be read (then that is an error) or is none.

        `pinned` parameter values make another template of it where it loops over them.
        """
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
        if path not in self._documents:
            file = self.file(path)
            self._documents[path] = None
            if file is not None:
                try:
                    document = parse(file.data)
                    if looks_like_template(document.root):
                        self._documents[path] = self._with_includes(path, document)
                except SourceError as error:
                    self._fail(path, error)
        return self._documents[path]

    def _with_includes(self, path: str, document: Document) -> Document:
        """A document with what it includes from files in the scanned folders."""
        if INCLUDE not in document.text or not isinstance(document.root, MapNode):
            return document

        def fetch(location: str) -> Node | None:
            if "://" in location:
                return None
            place = os.path.normpath(os.path.join(os.path.dirname(path), location))
            file = self.file(place)
            if file is None:
                return None
            try:
                part = parse(file.data)
            except SourceError as error:
                self._fail(place, error)
                return None
            _set_file(part.root, file.name)
            self.parts[file.name] = part.text
            return part.root

        return document._replace(root=include(document.root, fetch))

    def _fail(self, path: str, error: SourceError) -> None:
        self.errors[path] = FileError(self._files[path].name, error.line, error.column, error.message)

    def gather(self) -> None:
        """Find the templates that are to be looked at together: `loaded`."""
        including = self._holding(INCLUDES)
        marked = {path for path, file in self._files.items() if file.marked}
        self._load({*self._makers(), *(including & marked), *filter(self.artifact, marked)})
        self._follow()
        importers = self._holding(IMPORTS)
        pending = {path for path in importers if self._files[path].marked or path in self.loaded}
        exporters = self._holding(EXPORTS) if pending else set()
        while pending:  # what a template imports may itself be made of imports
            self._load(pending)
            wanted = self._words(pending, imports=True)
            found = {path for path in exporters - self.loaded.keys() if self._may_name(path, _EXPORT, wanted)}
            self._load(found)
            exporters -= found
            pending = found & importers & self.loaded.keys()
        givers = {path for path in self._holding(EXPORTS) if self._files[path].marked or path in self.loaded}
        helpers = catalog.helper_marks()
        takers = {path for path in importers - self.loaded.keys() if may_hold(self._files[path].data, helpers)}
        if givers and takers:
            wanted = self._words(givers, imports=False)
            takers = {path for path in takers if self._may_name(path, _IMPORT, wanted)}
            self._load(takers | (givers if takers else set()))

    def _holding(self, marks: Sequence[bytes]) -> set[str]:
        return {path for path, file in self._files.items() if may_hold(file.data, marks)}

    def _may_name(self, path: str, call: re.Pattern[bytes], wanted: frozenset[bytes]) -> bool:
        """Tell whether a file may import or export a name with one of the words: those stand where the call is."""
        data = self._files[path].data
        if b"\\" in data or data[:2] in UTF16:
            return may_hold(data, tuple(wanted))
        places = (data[found.end() : found.end() + _NEAR] for found in call.finditer(data))
        return any(_HIDDEN.search(place) or not wanted.isdisjoint(_WORD.findall(place)) for place in places)

    def _makers(self) -> set[str]:
        """The files that make stacks, as far as they hold something to judge or lead to a file that does."""
        makers = self._holding(MAKERS)
        names = {path: None if path.endswith(TEMPLATE) else _names(self._files[path].data) for path in makers}
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

    def _words(self, paths: Iterable[str], imports: bool) -> frozenset[bytes]:
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
        return frozenset(word.encode() for word in found)

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
                return f"{what} lies outside of what is scanned, or cannot be read: {shown}"
            return f"{what} is not there: {shown}"
        return self._by_ending(path, nested.ending, what)

    def _by_ending(self, path: str, ending: str, what: str) -> str:
        """Find a template by the end of its URL: the file of that name, the one whose folders fit best."""
        parts = ending.split("/")
        assembly = self._assembly(path)
        asset = assembly.assets.get(parts[-1].partition(".")[0]) if assembly is not None else None
        if asset is not None and self.template(asset) is not None:
            return asset
        candidates = [found for found in self._by_name.get(parts[-1], ()) if found != path] if parts[-1] else []
        fitting: dict[int, list[str]] = {}
        for found in candidates:
            fitting.setdefault(_common(parts, found.split(os.sep)), []).append(found)
        best = fitting[max(fitting)] if fitting else []
        if len(best) > 1:
            names = ", ".join(sorted(map(display_name, best)))
            return f"{what} may be any of these: {names}"
        return best[0] if best and self.template(best[0]) is not None else ""

    def _inside(self, owner: Member, nested: Nested, body: Node) -> Member | str:
        """The template that a stack set holds as text."""
        try:
            inner = inline(body, owner.template.document.text)
        except SourceError as error:
            self.errors[f"{owner.file}:{error.line}"] = FileError(owner.file, error.line, error.column, error.message)
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
            found = self.locate(paths[id(owner.template)], nested)
            if not os.path.isabs(found):
                return found
            template = self.template(found, _literals(nested.arguments))
            if template is None:
                return ""
            if id(template) not in known:
                known[id(template)] = Member(self._files[found].name, template)
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


def _set_file(root: Node, name: str) -> None:
    """Let the nodes of an included file know it."""
    pending = [root]
    while pending:
        node = pending.pop()
        if file_of(node):
            continue
        node.file = name
        if isinstance(node, MapNode):
            pending.extend((*node.keys.values(), *node.values.values()))
        elif isinstance(node, ListNode):
            pending.extend(node.items)


def _common(parts: Sequence[str], path: Sequence[str]) -> int:
    """How many folders and names two paths have in common at their ends."""
    size = 0
    for one, other in zip(reversed(parts), reversed(path), strict=False):
        if one != other:
            break
        size += 1
    return size
