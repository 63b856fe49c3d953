"""The templates of a workspace, judged together as they stand in buffers and on disk.

All of this runs in one thread, which the server hands its work to. What is found is that of `trailguard scan` in the
folder, if the buffers were written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from trailguard.cloudformation.source.nodes import Document, Places, SourceError
from trailguard.cloudformation.source.reading import parse
from trailguard.errors import display_name
from trailguard.findings import FileEdit, FileError, Fix, Span
from trailguard.fixes.edits import decoded
from trailguard.fixes.repairing import offered, repaired
from trailguard.judging.offers import Key, key_of
from trailguard.judging.results import Task
from trailguard.reading.collected import File, Found
from trailguard.reading.followed import Followed
from trailguard.reading.memory import Memory
from trailguard.rulebook.shelf import load
from trailguard.scanning import Look, Outcome, Tick
from trailguard.servers.broken import Broken, outside
from trailguard.servers.diagnostics import Told, by_file
from trailguard.servers.positions import split
from trailguard.settings.settings import Settings

Heed = Callable[[], object]


class Workspace:
    """What lies below some paths, one folder or one file, with what was found there: `told`, by name."""

    def __init__(self, paths: Sequence[str], settings: Settings, today: str) -> None:
        self.settings = settings
        book = load(settings)
        self._task = Task(settings, book, today, evidence=True)
        self._followed = Followed(paths, settings, book.selected)
        self._told: dict[str, Told] = {}
        self._groups: dict[str, frozenset[str]] = {}  # what was judged together, by name
        self._joined: frozenset[str] = frozenset()  # what may have a say in verdicts on others, by name
        self._following: set[str] = set()  # what may have to be told otherwise since something changed
        self._good: dict[str, bytes] = {}  # the last contents of buffers that could be read, by absolute path
        self._broken: dict[str, Broken] = {}
        self._version = 0
        self._fixes: dict[str, tuple[int, Mapping[Key, Fix]]] = {}
        self._followed.refresh()

    # --- what changes ---------------------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Look for changes on disk; tells whether there are any."""
        changed = self._followed.refresh()
        self._version += 1
        return bool(changed)

    def put(self, path: str, text: str | None) -> set[str]:
        """Take the file at an absolute path for what a buffer holds, None for what is on disk.

        Gives the names of what is to be judged again. While a buffer cannot be read, its file is what it was before.
        """
        name = display_name(path)
        was_broken = self._broken.pop(name, None)
        self._version += 1
        if text is None:
            self._good.pop(path, None)
            return {name} if self._followed.put(path, None) or was_broken else set()
        data = text.encode("utf-8", "surrogatepass")
        document = self._document(path, data)
        if isinstance(document, SourceError) and path in self._good and self._followed.is_of_interest(path):
            error = FileError(name, document.line, document.column, document.message)
            self._broken[name] = Broken(error, split(text), split(decoded(self._good[path])))
            return set()
        if isinstance(document, Document):
            self._good[path] = data
        return {name} if self._followed.put(path, data) or was_broken else set()

    def holds(self, path: str) -> bool:
        """Tell whether the file at an absolute path belongs to the workspace."""
        return self._followed.holds(path)

    def takes(self, path: str) -> bool:
        """Tell whether a file that is not on disk yet would belong to the workspace."""
        return self._followed.is_new(path)

    def _document(self, path: str, data: bytes) -> Document | SourceError:
        def parsed() -> Document | SourceError:
            try:
                return parse(data)
            except SourceError as error:
                return error

        return self._followed.memory.once(path, data, "document", parsed)

    # --- what is found --------------------------------------------------------------------------------------------

    def judge(self, names: Iterable[str], heed: Heed) -> set[str]:
        """Judge what some files have to do with; gives the names of the files of which else is told now.

        What these files say may change what is known in others, of which they are no part: see `follow`. `heed` is
        called again and again, and may raise to end it: then nothing has changed.
        """
        wanted = set(names).union(*(self._groups.get(name, ()) for name in names))
        outcome = self._look(heed).outcome({}, wanted)
        if not wanted.isdisjoint(self._joined | outcome.joined):
            self._following |= self._joined | outcome.joined
        self._joined = outcome.joined
        self._groups.update(dict.fromkeys(outcome.judged, outcome.judged))
        return self._take(outcome, wanted | outcome.judged)

    def follow(self, heed: Heed) -> set[str]:
        """Judge what else may be told otherwise because of what was judged before, if there is any such thing."""
        if not self._following:
            return set()
        outcome = self._look(heed).outcome({}, self._following)
        wanted, self._following = self._following, set()
        self._joined = outcome.joined
        return self._take(outcome, wanted | outcome.judged)

    def judge_all(self, heed: Heed) -> set[str]:
        """Judge everything; gives the names of the files of which else is told now."""
        outcome = self._look(heed).outcome()
        self._joined = outcome.joined
        self._following = set()
        return self._take(outcome, {*self._told, *by_file(outcome.report)})

    def _look(self, heed: Heed) -> Look:
        how = self._how(self._task, heed)
        return Look([], None, (), *how, found=self._followed.found(), memory=self._memory)

    def _take(self, outcome: Outcome, names: set[str]) -> set[str]:
        """Take over what was found of some files."""
        found = {name: told for name, told in by_file(outcome.report).items() if name in names}
        changed = {name for name in names if self._told.get(name) != found.get(name)}
        for name in names:
            self._told.pop(name, None)
        self._told.update(found)
        return changed

    @property
    def _memory(self) -> Memory:
        return self._followed.memory

    @staticmethod
    def _how(task: Task, heed: Heed) -> tuple[Task, int, Tick]:
        return task._replace(heed=heed), 1, lambda done, total, what: heed()

    def names(self) -> set[str]:
        """The names of all files of which something is told."""
        return self._told.keys() | self._broken.keys()

    def told(self, name: str) -> Told:
        """What there is to tell of a file."""
        told = self._told.get(name, Told())
        return outside(told, name, self._broken[name]) if name in self._broken else told

    def text(self, name: str) -> str:
        """The text of a file as it was judged; of one that cannot be read as it is now, "" when there is none."""
        if name in self._broken:
            return "\n".join(self._broken[name].now)
        data = self._followed.data(os.path.abspath(name))
        try:
            return decoded(data)
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    def document(self, name: str) -> Document | None:
        """The last document in a file that could be read; None when there is none."""
        path = os.path.abspath(name)
        document = self._document(path, self._followed.data(path))
        return document if isinstance(document, Document) else None

    def is_broken(self, name: str) -> bool:
        """Tell whether the buffer of a file cannot be read at the moment."""
        return name in self._broken

    # --- what repairs it ------------------------------------------------------------------------------------------

    def fixes(self, name: str, heed: Heed) -> Mapping[Key, Fix]:
        """The proven fix of each finding in a file that has one, the unsafe ones too."""
        version, known = self._fixes.get(name, (-1, {}))
        if version == self._version:
            return known
        keys = self._faulty(name)
        look = self._near(name, heed) if keys else None
        found = offered(look, look.outcome(), keys) if look is not None else {}
        self._fixes = {name: (self._version, found)}  # of the file at hand alone
        return found

    def fix_all(self, name: str, heed: Heed) -> Sequence[FileEdit]:
        """The edits that repair all that can be repaired safely in a file, proven together."""
        keys = self._faulty(name)
        if not keys:
            return ()
        look = self._near(name, heed)
        before = look.outcome()
        made: list[FileEdit] = []
        for file, edits in repaired(look, before, keys).edits.items():
            places = Places(decoded(before.files[file].data))
            made += [FileEdit(file, Span(*places.at(one.start), *places.at(one.end)), one.text) for one in edits]
        return made

    def _faulty(self, name: str) -> list[Key]:
        """What is to be repaired in a file; nothing while it cannot be read."""
        told = self._told.get(name, Told()) if name not in self._broken else Told()
        return [key_of(one) for one in told.findings if one.is_fault]

    def _near(self, name: str, heed: Heed) -> Look:
        """A look by all rules at what a file has to do with: a fix must not make any of them worse."""
        everything = self.settings._replace(profile="all", select=(), ignore=(), min_severity="info")
        book = load(everything)
        task = Task(everything, book, self._task.today, repairs=True)
        names = {name, *self._groups.get(name, ())}
        return _Near(names, self._followed.among(book.selected), self._how(task, heed), self._memory)


class _Near(Look):
    """A look at a part of what there is: what has to do with some files, and with those that change."""

    def __init__(self, names: set[str], found: Found, how: tuple[Task, int, Tick], memory: Memory) -> None:
        super().__init__([], None, (), *how, found=found, memory=memory)
        self._names = names

    def outcome(self, contents: Mapping[str, File] = {}, names: Iterable[str] | None = None) -> Outcome:
        """Judge what has to do with the files, or with others that are named."""
        return super().outcome(contents, {*self._names, *contents, *(names or ())})
