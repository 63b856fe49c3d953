"""What a client works on: its folders, its buffers, what it configures, and what is reported about all of it.

Everything but `Session.changed` and `Session.configured` runs in the thread that judges.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lsprotocol import types as lsp

from trailguard.errors import ConfigError, UserError, display_name, nearest
from trailguard.findings import FileError
from trailguard.servers.addresses import Addresses
from trailguard.servers.diagnostics import Told, Where, diagnostics
from trailguard.servers.positions import Lines, split
from trailguard.servers.worker import Heed
from trailguard.servers.workspace import Workspace
from trailguard.settings import settings as configuration
from trailguard.settings.settings import NAMES, Settings

GIVEN = "the editor's settings"
SCOPES = ("workspace", "open")
_ROUNDS = 25  # of judging, after which what is of no more use is looked for
_CLIENTS = ("command", "trace")  # settings that the client keeps to itself


class Publication(NamedTuple):
    """What is shown of a document from now on."""

    uri: str
    version: int | None
    diagnostics: list[lsp.Diagnostic]


Publish = Callable[[Publication], None]
Say = Callable[[lsp.MessageType, str], None]


class Session:
    """What a client works on. `folders` are absolute paths; the first one is the working directory."""

    def __init__(self, folders: Sequence[str], encoding: str, publish: Publish, say: Say) -> None:
        self.addresses = Addresses()
        self.encoding = encoding
        self._folders = list(folders)
        self._publish = publish
        self._say = say
        self._given: Mapping[str, Any] = {}
        self._scope = SCOPES[0]
        self._buffers: dict[str, tuple[str, int | None]] = {}  # as the judging thread knows them, by path
        self._pending: dict[str, tuple[str, int | None] | None] = {}
        self._is_reloading = True
        self._is_refreshing = False
        self._spaces: list[Workspace] = []
        self._alone: dict[str, Workspace] = {}  # files outside of all folders, by path
        self._dirty: dict[int, set[str] | None] = {}  # what is to be judged again, by workspace: None for all
        self._published: set[str] = set()
        self._settled = 0
        self._faults: dict[str, list[FileError]] = {}

    # --- told by the listening thread ------------------------------------------------------------------------------

    def changed(self, path: str, text: str | None, version: int | None = None) -> None:
        """Take note of what a buffer holds; None when it was closed."""
        self._pending[path] = None if text is None else (text, version)

    def configured(self, given: Mapping[str, Any]) -> None:
        """Take note of what the client configures, by the keys of a configuration file."""
        self._given = {key: value for key, value in given.items() if value not in (None, "", [], {})}
        self._is_reloading = True

    def touched(self, paths: Sequence[str]) -> None:
        """Take note that files changed on disk."""
        names = {os.path.basename(path) for path in paths}
        if names & {*NAMES, "pyproject.toml"} or any(map(self._decides, paths)):
            self._is_reloading = True
        self._is_refreshing = True

    def moved(self, folders: Sequence[str]) -> None:
        """Take note of the folders that are worked on from now on."""
        self._folders = list(folders)
        self._is_reloading = True

    def _decides(self, path: str) -> bool:
        """Tell whether a file has a say in all verdicts."""
        for space in self._spaces:
            settings = space.settings
            files = [settings.source, settings.baseline, *(context.source for context in settings.contexts)]
            folders = [os.path.join(os.path.realpath(folder), "") for folder in settings.rule_dirs]
            real = os.path.realpath(path)
            if any(one and os.path.realpath(one) == real for one in files) or real.startswith(tuple(folders)):
                return True
        return False

    # --- judging ----------------------------------------------------------------------------------------------------

    def settle(self, heed: Heed, everything: bool = True) -> None:
        """Judge what has changed and tell of it; with `everything`, also what else is not judged yet."""
        self._apply()
        for space in [*self._spaces, *self._alone.values()]:
            names = self._dirty.get(id(space), set())
            if names is None:  # first what somebody looks at
                names = {display_name(path) for path in self._buffers if space.holds(path)}
            if names:
                self._tell(space, space.judge(names, heed))
            if self._dirty.get(id(space)) is not None or not self._is_wide(space):
                self._dirty[id(space)] = set()
        for space in self._spaces if everything else ():
            if self._dirty.get(id(space), set()) is None:
                self._tell(space, space.judge_all(heed))
                self._dirty[id(space)] = set()
            self._tell(space, space.follow(heed))
        self._settled += 1
        if not self._settled % _ROUNDS:  # templates and worlds are full of cycles, which the command line lets be
            gc.collect()

    def _is_wide(self, space: Workspace) -> bool:
        return self._scope == SCOPES[0] and space in self._spaces

    def _apply(self) -> None:
        """Take over what was noted."""
        if self._is_reloading:
            self._is_reloading = False
            self._reload()
        if self._is_refreshing:
            self._is_refreshing = False
            for space in self._spaces:
                if space.refresh():
                    self._dirty[id(space)] = None
        while self._pending:
            path, buffer = self._pending.popitem()
            if buffer is None:
                self._buffers.pop(path, None)
            else:
                self._buffers[path] = buffer
            self._put(path, None if buffer is None else buffer[0])

    def _put(self, path: str, text: str | None) -> None:
        space = self._space_for(path)
        if space is None:
            return
        names = space.put(path, text)
        known = self._dirty.setdefault(id(space), set())
        if known is not None:
            known |= names
        if space.is_broken(display_name(path)) or text is None:
            self._tell(space, {display_name(path)})
        if text is None and self._alone.pop(path, None) is not None:
            self._show(Publication(self.addresses.uri(display_name(path)), None, []))

    def _space_for(self, path: str) -> Workspace | None:
        """The workspace that a file belongs to; one of its own outside of all folders, none where it is left out."""
        known = self.space(path)
        if known is not None:
            return known
        is_inside = any(path.startswith(os.path.join(folder, "")) for folder in self._folders)
        if is_inside and not self.addresses.is_unwritten(path):
            # It may not be there yet; then it belongs to its folder as soon as it has something to say.
            return next((one for one in self._spaces if one.takes(path)), None)
        space = self._alone[path] = self._opened([path], os.path.dirname(path))
        self._dirty[id(space)] = set()
        return space

    def space(self, path: str) -> Workspace | None:
        """The workspace that holds a file, by absolute path."""
        return self._alone.get(path) or next((one for one in self._spaces if one.holds(path)), None)

    def _reload(self) -> None:
        """Read the configuration and all files again."""
        self._faults.clear()
        self._spaces = []
        self._alone = {}
        for folder in self._folders:
            self._spaces.append(self._opened([os.path.relpath(folder) if folder == os.getcwd() else folder], folder))
        self._dirty = {id(space): None for space in self._spaces}
        for path, (text, _) in self._buffers.items():
            self._put(path, text)
        for uri in list(self._published):
            if not any(
                name in space.names() for space in self._spaces for name in [display_name(self.addresses.path(uri))]
            ):
                self._show(Publication(uri, None, []))
        for name in self._faults:
            self._show(Publication(self.addresses.uri(name), None, list(self._of_faults(name))))

    def _opened(self, paths: Sequence[str], folder: str) -> Workspace:
        """A workspace with its configuration; what is wrong with that is reported and left out."""
        settings = Settings()
        try:
            settings = configuration.load(os.path.relpath(folder) if folder == os.getcwd() else folder)
        except UserError as error:
            self._refuse(error)
        try:
            settings = configuration.overridden(settings, self._own(), GIVEN)
        except UserError as error:
            self._refuse(error)
        today = time.strftime("%Y-%m-%d")
        try:
            return Workspace(paths, settings, today)
        except UserError as error:
            self._refuse(error)
        return Workspace(paths, Settings(root=settings.root), today)

    def _own(self) -> dict[str, Any]:
        """What the client configures that is not about how findings are shown."""
        given = {key: value for key, value in self._given.items() if key not in (*_CLIENTS, "scope")}
        scope = self._given.get("scope", SCOPES[0])
        if scope not in SCOPES:
            close = nearest(str(scope), SCOPES)
            hint = f'; did you mean "{close}"?' if close else f" (one of {', '.join(SCOPES)})"
            raise ConfigError(GIVEN, 0, 0, f'scope "{scope}" is not known{hint}')
        self._scope = str(scope)
        return given

    def _refuse(self, error: UserError) -> None:
        """Tell what is wrong with a configuration, and where."""
        self._say(lsp.MessageType.Error, f"{error}; this is left out")
        if error.file and error.file != GIVEN and os.path.isfile(error.file):
            name = display_name(error.file)
            fault = FileError(name, error.line, error.column, error.message)
            self._faults.setdefault(name, []).append(fault)

    # --- telling ----------------------------------------------------------------------------------------------------

    def _tell(self, space: Workspace, names: set[str]) -> None:
        for name in sorted(names):
            path = os.path.abspath(name)
            if os.path.isdir(path):
                continue
            if self._scope != SCOPES[0] and path not in self._buffers:
                self._show(Publication(self.addresses.uri(name), None, []))
                continue
            found = diagnostics(space.told(name), self.where(space), self.lines(space, name), space.settings.threshold)
            found += self._of_faults(name)
            version = self._buffers[path][1] if path in self._buffers else None
            self._show(Publication(self.addresses.uri(name), version, found))

    def _of_faults(self, name: str) -> Iterator[lsp.Diagnostic]:
        """What is wrong with a configuration file."""
        told = Told(errors=tuple(self._faults.get(name, ())))
        with_lines = Lines(_read(name), self.encoding)
        yield from diagnostics(told, Where(self.addresses.uri, lambda _: with_lines), with_lines, Settings().threshold)

    def _show(self, what: Publication) -> None:
        if what.diagnostics or what.uri in self._published:
            self._publish(what)
            (self._published.add if what.diagnostics else self._published.discard)(what.uri)

    def lines(self, space: Workspace, name: str) -> Lines:
        """The lines of a file as it was judged."""
        return Lines(split(space.text(name)), self.encoding)

    def where(self, space: Workspace) -> Where:
        """How the files of a workspace become addresses, and places in them positions."""
        known: dict[str, Lines] = {}

        def lines(name: str) -> Lines:
            if name not in known:
                known[name] = self.lines(space, name)
            return known[name]

        return Where(self.addresses.uri, lines)

    def version(self, name: str) -> int | None:
        """The version of the buffer of a file; None when it is not open."""
        buffer = self._buffers.get(os.path.abspath(name))
        return buffer[1] if buffer is not None else None


def _read(name: str) -> list[str]:
    try:
        with open(name, encoding="utf-8", errors="replace") as stream:
            return split(stream.read())
    except OSError:
        return []
