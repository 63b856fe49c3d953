"""Which templates belong together: those with subjects of the rules, and those that these refer to.

What makes stacks of each other, what imports from each other, and what speaks of the same thing by its name is looked
at together. Files that have nothing to do
with a subject of the rules are not parsed.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.source.nodes import Node, SourceError, scalar_text
from trailguard.cloudformation.stacks.exchanges import Taken
from trailguard.cloudformation.template.inline import inline
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.nesting import MAKERS, Nested
from trailguard.cloudformation.world.standing import NOTHING_STANDS
from trailguard.cloudformation.world.trees import Guess, Member, Missing
from trailguard.cloudformation.world.world import Matter, World
from trailguard.findings import FileError
from trailguard.reading.accounts import Accounts
from trailguard.reading.collected import File
from trailguard.reading.deployed import Stacks
from trailguard.reading.discovery import may_hold
from trailguard.reading.faults import internal
from trailguard.reading.loader import Loader
from trailguard.reading.relatives import Relatives
from trailguard.trails import catalog
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.namesakes import NAMING
from trailguard.trails.whole.unseen import speaks_of_trails


class Kinship:
    """The templates that are to be looked at together, `loaded` by path, and how they make worlds."""

    def __init__(self, loader: Loader, accounts: Accounts | None = None) -> None:
        self._loader = loader
        self.accounts = accounts
        self.stacks = Stacks(accounts) if accounts is not None else None
        self._strangers: set[str] = set()
        self._markers: tuple[bytes, ...] = ()
        self._pins: Sequence[Pins] = ()
        self._matter = Matter(self._concerns, self._counts, catalog.has_say, NAMING)
        self.loaded: dict[str, Template] = {}
        self._kept: list[Template] = []  # worlds know templates by their identity

    @property
    def errors(self) -> list[FileError]:
        """What could not be read among the files that others refer to, unless it has nothing to do with these."""
        return [error for path, error in self._loader.errors.items() if path not in self._strangers]

    def name(self, path: str) -> str:
        """The name of a loaded file in reports."""
        return self._loader.name(path)

    def names(self) -> set[str]:
        """The names of all loaded files."""
        return {self.name(path) for path in self.loaded}

    def files(self) -> dict[str, File]:
        """All files that were read, by their names."""
        return {file.name: file for file in self._loader.files.values()}

    def pieces(self) -> set[str]:
        """The names of what loaded templates include, so that it need not be looked at by itself."""
        return self._loader.pieces

    def includers(self, names: Iterable[str]) -> set[str]:
        """The names of the templates that include some files."""
        return {includer for name in names for includer in self._loader.includers.get(name, ())}

    def touched_before(self, paths: Iterable[str]) -> set[str]:
        """The names of the files that changed ones had to do with before the change."""
        from trailguard.reading.before import touched_before

        found = touched_before(paths, self._loader, self.loaded, self._pins)
        return {self.name(path) for path in found if path in self._loader.files}

    def meant(self, stack: str, paths: Iterable[str]) -> Mapping[str, str]:
        """Which of some templates a stack was made of that the user names for them: the one that is most like it."""
        if self.stacks is None or stack not in self.stacks.known:
            return {}
        known = self.stacks
        likeness = {path: known.likeness(stack, self.loaded[path]) for path in sorted(paths)}
        best = max(likeness, key=lambda path: likeness[path])
        return {best: stack}

    def texts(self, wanted: Container[str]) -> dict[str, tuple[Template | None, str]]:
        """The loaded templates and their texts, by name, and the texts of what they include.

        Of what exists only those that are wanted, which are large.
        """
        found: dict[str, tuple[Template | None, str]] = {
            name: (None, text) for name, text in self._loader.parts.items()
        }
        if self.accounts is not None:
            found.update((name, (None, text)) for name, text in self.accounts.texts(wanted))
        if self.stacks is not None:
            found.update((name, (None, text)) for name, text in self.stacks.texts(wanted))
        return found | {self.name(path): (item, item.document.text) for path, item in self.loaded.items()}

    def members(self, paths: Iterable[str], pins: Pins, stacks: Mapping[str, str] | None = None) -> dict[str, Member]:
        """The templates at some paths, as members of a world in which some values are fixed.

        `stacks` are the deployed ones that the user names, by path; None where no stack is to be looked for.
        """
        found = self._loader.members(paths, pins)
        if self.stacks is None or stacks is None:
            return found
        return self.stacks.members(found, stacks)

    def constructs(self) -> dict[tuple[str, str], str]:
        """The constructs that resources were made from, by file and logical ID, as the assemblies have them."""
        found: dict[tuple[str, str], str] = {}
        for path in self.loaded:
            for resource, construct in self._loader.assemblies.constructs(path):
                found.setdefault((self.name(path), resource), construct)
        return found

    def gather(self, markers: Sequence[bytes], pins: Sequence[Pins], idle: Iterable[str] = ()) -> None:
        """Find the templates that are to be looked at together: `loaded`.

        `markers` are bytes without which a file holds nothing to judge, `pins` what is fixed in the deployments, `idle`
        the paths of templates that were not read because they hold nothing to judge. If this goes wrong, each is judged
        by itself, and those that refer to others have an error.
        """
        self._markers, self._pins = tuple(markers), pins
        try:
            relatives = Relatives(self._loader, self._markers, pins, self._matter, map(os.path.abspath, idle))
            self.loaded = relatives.find()
            if self.accounts is not None:
                self._load_all()
            self._strangers = relatives.strangers()
        except Exception as error:
            self.loaded = {}
            faults = [internal(file.name, error) for file in self._loader.files.values() if file.refers]
            self._loader.errors.update((f"{fault.file}: {fault.message}", fault) for fault in faults)

    def _load_all(self) -> None:
        """Load all that may hold something to judge: each may speak of what exists."""
        for path in [path for path, file in self._loader.files.items() if file.marked and path not in self.loaded]:
            template = self._loader.template(path)
            if template is not None:
                self.loaded[path] = template

    def live(
        self,
        gone: Mapping[str, frozenset[str]],
        twins: Container[tuple[str | None, str | None, str]],
        types: Iterable[str],
        folders: Iterable[str],
    ) -> World:
        """The world of what is live in the snapshots in some folders; see `Accounts.live`."""
        if self.accounts is None or self.stacks is None:
            return World([], Pins(), RETURNS, _nothing, self._matter)
        members = [self.stacks.twinned(one) for one in self.accounts.live(gone, twins, types, folders)]
        return World(members, Pins(), RETURNS, _nothing, self._matter)

    def _inside(self, owner: Member, nested: Nested, body: Node) -> Member | Missing:
        """The template that a stack set holds as text."""
        try:
            inner = inline(body, owner.template.document.text)
        except SourceError as error:
            self._loader.errors[f"{owner.file}:{error.line}"] = FileError(
                owner.file, error.line, error.column, error.message
            )
            return Missing(f"the template of {nested.resource.id} cannot be read", False)
        if inner is None:
            text = f"the template of {nested.resource.id} is made at deployment, so what is in it is not judged"
            return Missing(text, True)
        self._kept.append(inner.template)
        return Member(owner.file, inner.template, handed=inner.handed)

    def world(self, members: Mapping[str, Member], pins: Pins) -> World:
        """The world of some templates, by path; those that they make stacks of are found among all that are loaded."""
        paths = {id(member.template): path for path, member in members.items()}
        known = {id(member.template): member for member in members.values()}

        def locate(owner: Member, nested: Nested) -> Member | Guess | Missing:
            if nested.body is not None:
                inside = self._inside(owner, nested, nested.body)
                if isinstance(inside, Member):  # what it names is looked for beside the file that it stands in
                    paths[id(inside.template)] = paths[id(owner.template)]
                return inside
            found = self._loader.locate(paths[id(owner.template)], nested)
            if isinstance(found, Missing):
                return found if found.text else found._replace(hides=_speaks_of_trails(nested))
            template = self._loader.template(found, _literals(nested.arguments))
            if template is None:
                return Missing("", False)
            if id(template) not in known:
                known[id(template)] = Member(self._loader.files[found].name, template)
                paths[id(template)] = found
            member = known[id(template)]
            is_guess = self._matters(template) and self._loader.is_guess(paths[id(owner.template)], nested)
            return Guess(member) if is_guess else member

        stands = self.accounts.stands if self.accounts is not None else NOTHING_STANDS
        return World(list(members.values()), pins, RETURNS, locate, self._matter, stands)

    def _concerns(self, template: Template) -> bool:
        """Tell whether a template may hold something to judge."""
        texts = (template.document.text, *template.document.parts)
        return any(may_hold(text.encode("utf-8", "replace"), self._markers) for text in texts)

    def _matters(self, template: Template) -> bool:
        """Tell whether a template may hold something to judge, or make stacks that do."""
        return self._concerns(template) or any(template.of_type(kind) for kind in MAKERS)

    def _counts(self, use: Taken) -> bool:
        """Tell whether an import may count for what is judged in the stack that imports."""
        return catalog.counts(use) or use.kind.encode("utf-8", "replace").startswith(self._markers)


def _nothing(owner: Member, nested: Nested) -> Missing:
    """Say that what exists makes no stacks."""
    return Missing("", False)


def _speaks_of_trails(nested: Nested) -> bool:
    """Tell whether a stack whose template nobody has is about a trail, by its names and those of what it is handed."""
    handed = nested.arguments if isinstance(nested.arguments, dict) else ()
    return any(map(speaks_of_trails, (nested.resource.id, nested.ending, *handed)))


def _literals(arguments: Mapping[str, Node] | Node) -> dict[str, str]:
    """What is handed down as it is written."""
    given = arguments if isinstance(arguments, dict) else {}
    texts = ((name, scalar_text(node)) for name, node in given.items())
    return {name: text for name, text in texts if text is not None}
