"""`trailguard lsp`: a language server over standard input and output.

It says what `trailguard scan` would say if all buffers were written. This module listens; judging is done in another
thread, is put off while somebody types, and ends early when what it is about has changed.
Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, BinaryIO, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from trailguard import __version__
from trailguard.errors import display_name
from trailguard.servers import chains, hovering
from trailguard.servers.actions import FIX_ALL, Offering
from trailguard.servers.positions import changed
from trailguard.servers.session import Publication, Session
from trailguard.servers.worker import Heed, Stale, Worker
from trailguard.servers.workspace import Workspace

Answer = TypeVar("Answer")

SHOW_CHAIN = "trailguard.showChain"
PAUSE = 0.1  # seconds without a change after which is judged
_CONTENT_MODIFIED = -32801
_WATCHED = (
    "**/*.{yaml,yml,json,template,cfn}", "**/.trailguard.{yaml,yml}", "**/pyproject.toml", "**/.gitignore",
)  # fmt: skip


class Server(LanguageServer):
    """The server. `status` is what the process ends with: 0 after a shutdown, as the protocol wants it, else 1."""

    def __init__(self) -> None:
        super().__init__("trailguard", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
        self.status = 1
        self.session: Session | None = None
        self._worker = Worker()
        self._texts: dict[str, str] = {}  # what the client has in its buffers, by address
        self._timer: asyncio.TimerHandle | None = None
        self._judging: set[asyncio.Task[None]] = set()
        self._asks = False

    # --- the client's life ------------------------------------------------------------------------------------------

    def start(self, params: lsp.InitializeParams) -> None:
        """Take up what the client works on."""
        folders = [to_fs_path(one.uri) for one in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [to_fs_path(params.root_uri)]
        known = [os.path.abspath(folder) for folder in folders if folder and os.path.isdir(folder)]
        if known:
            os.chdir(known[0])
            known[0] = os.getcwd()
        encoding = str(self.workspace.position_encoding or lsp.PositionEncodingKind.Utf16)
        loop = asyncio.get_running_loop()

        def publish(what: Publication) -> None:
            loop.call_soon_threadsafe(self._publish, what)

        def say(kind: lsp.MessageType, text: str) -> None:
            loop.call_soon_threadsafe(self._say, kind, text)

        self.session = Session(known, encoding, publish, say)
        given = params.initialization_options if isinstance(params.initialization_options, dict) else {}
        self._asks = bool(given.get("asks_for_reasons"))
        self.configure({key: value for key, value in given.items() if key != "asks_for_reasons"})

    def configure(self, given: Any) -> None:
        """Take over what the client configures: our section, alone or among others."""
        table = given.get("trailguard", given) if isinstance(given, dict) else None
        if isinstance(table, dict) and self.session is not None:
            self.session.configured(table)

    def end(self) -> None:
        """The client is about to leave; what goes on ends."""
        self.status = 0
        if self._timer is not None:
            self._timer.cancel()
        self._worker.interrupt()

    def shutdown(self) -> None:
        """End the process's work."""
        self._worker.close()
        super().shutdown()  # type: ignore[no-untyped-call]

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong; the server lives on."""
        self._say(lsp.MessageType.Error, f"internal error: {type(error).__name__}: {error} (please report it)")

    def _say(self, kind: lsp.MessageType, text: str) -> None:
        self.window_log_message(lsp.LogMessageParams(kind, text))

    def _publish(self, what: Publication) -> None:
        params = lsp.PublishDiagnosticsParams(what.uri, what.diagnostics, what.version)
        self.text_document_publish_diagnostics(params)

    # --- buffers ----------------------------------------------------------------------------------------------------

    def opened(self, document: lsp.TextDocumentItem) -> None:
        """A document was opened."""
        if self.session is not None:
            self._texts[document.uri] = document.text
            self.session.changed(self.session.addresses.opened(document.uri), document.text, document.version)
            self.judge_soon(0)

    def edited(self, document: lsp.VersionedTextDocumentIdentifier, edits: Sequence[Any]) -> None:
        """A document was edited."""
        if self.session is None or document.uri not in self._texts:
            return
        text = self._texts[document.uri]
        for one in edits:
            area = getattr(one, "range", None)
            text = one.text if area is None else changed(text, area, one.text, self.session.encoding)
        self._texts[document.uri] = text
        self.session.changed(self.session.addresses.path(document.uri), text, document.version)
        self.judge_soon()

    def closed(self, uri: str) -> None:
        """A document was closed: its file is what is on disk."""
        if self.session is not None and self._texts.pop(uri, None) is not None:
            self.session.changed(self.session.addresses.closed(uri), None)
            self.judge_soon()

    def touched(self, uris: Sequence[str]) -> None:
        """Files changed on disk."""
        if self.session is not None:
            self.session.touched([self.session.addresses.path(uri) for uri in uris])
            self.judge_soon()

    def moved(self, uris: Sequence[str]) -> None:
        """Other folders are worked on."""
        if self.session is not None:
            folders = (self.session.addresses.path(uri) for uri in uris)
            self.session.moved([folder for folder in folders if os.path.isdir(folder)])
            self.judge_soon()

    # --- judging ----------------------------------------------------------------------------------------------------

    def judge_soon(self, pause: float = PAUSE) -> None:
        """Judge when nothing has changed for a while; what is being judged is of no more use."""
        self._worker.interrupt()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(pause, self._judge)

    def _judge(self) -> None:
        task = asyncio.get_running_loop().create_task(self._settle())
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    async def _settle(self) -> None:
        session = self.session
        if session is None:
            return
        try:
            await self._worker.do(session.settle)
        except Stale:
            return
        except Exception as error:
            self._log_fault(error)

    def _log_fault(self, error: Exception) -> None:
        trace = "".join(traceback.format_exception(error))
        self._say(lsp.MessageType.Error, f"internal error (please report it): {trace}")

    async def answer(self, uri: str, work: Callable[[Session, Workspace, str, Heed], Answer]) -> Answer | None:
        """Do some work on a document as it is now; None when it belongs to no workspace, or the work goes wrong."""
        session = self.session
        if session is None:
            return None

        def run(heed: Heed) -> Answer | None:
            session.settle(heed, everything=False)
            path = session.addresses.path(uri)
            space = session.space(path)
            return work(session, space, display_name(path), heed) if space is not None else None

        try:
            return await self._worker.do(run)
        except Stale:
            raise JsonRpcException("the document has changed", _CONTENT_MODIFIED) from None
        except Exception as error:
            self._log_fault(error)
            return None

    # --- answers ----------------------------------------------------------------------------------------------------

    def hover(self, uri: str, position: lsp.Position) -> Awaitable[lsp.Hover | None]:
        """What there is to tell of a place."""

        def work(session: Session, space: Workspace, name: str, heed: Heed) -> lsp.Hover | None:
            lines = session.lines(space, name)
            line, column = lines.place(position)
            texts = hovering.of_findings(space.told(name).findings, line, column)
            document = None if space.is_broken(name) else space.document(name)
            span = None
            if document is not None:
                more, span = hovering.of_document(document, name, space.settings, line, column)
                texts += more
            content = lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n---\n\n".join(texts))
            return lsp.Hover(content, lines.range(span) if span is not None else None) if texts else None

        return self.answer(uri, work)

    def actions(self, params: lsp.CodeActionParams) -> Awaitable[list[lsp.CodeAction] | None]:
        """What there is to do about the findings at a place."""

        def work(session: Session, space: Workspace, name: str, heed: Heed) -> list[lsp.CodeAction]:
            offering = Offering(session, space, name, heed, self._resolves, self._asks)
            return list(offering.actions(params.range, params.context))

        return self.answer(params.text_document.uri, work)

    @property
    def _resolves(self) -> bool:
        """Whether the client asks for the edit of an action when somebody chooses it."""
        document = self.client_capabilities.text_document
        support = document.code_action.resolve_support if document and document.code_action else None
        return support is not None and "edit" in support.properties

    async def resolved(self, action: lsp.CodeAction) -> lsp.CodeAction:
        """An action with its edit."""
        uri = action.data.get("fix_all") if isinstance(action.data, dict) else None
        if not isinstance(uri, str):
            return action

        def work(session: Session, space: Workspace, name: str, heed: Heed) -> lsp.WorkspaceEdit | None:
            return Offering(session, space, name, heed, True, self._asks).fix_all()

        action.edit = await self.answer(uri, work)
        return action

    def lenses(self, uri: str) -> Awaitable[list[lsp.CodeLens] | None]:
        """The chain of each trail in a document."""

        def work(session: Session, space: Workspace, name: str, heed: Heed) -> list[lsp.CodeLens]:
            lines = session.lines(space, name)
            found = []
            for number, chain in enumerate(space.told(name).chains if not space.is_broken(name) else ()):
                arguments = [uri, number]
                command = lsp.Command(chains.title(chain), SHOW_CHAIN, arguments=arguments)
                found.append(lsp.CodeLens(lines.line(chain.parts[0].line), command))
            return found

        return self.answer(uri, work)

    async def show_chain(self, uri: str, number: int) -> str | None:
        """Show a chain of a document."""

        def work(session: Session, space: Workspace, name: str, heed: Heed) -> str | None:
            known = space.told(name).chains
            return chains.text(known[number]) if 0 <= number < len(known) else None

        text = await self.answer(uri, work)
        if text is not None:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))
        return text

    def links(self, uri: str) -> Awaitable[list[lsp.DocumentLink] | None]:
        """Where the parts of chains, nested templates and includes are."""

        def work(session: Session, space: Workspace, name: str, heed: Heed) -> list[lsp.DocumentLink]:
            document = None if space.is_broken(name) else space.document(name)
            if document is None:
                return []
            lines = session.lines(space, name)
            found = chains.links(document, name, space.told(name).chains)
            return [
                lsp.DocumentLink(lines.range(span), session.addresses.uri(file) + (f"#L{line}" if line else ""))
                for span, file, line in found
            ]

        return self.answer(uri, work)


def serve(stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Serve a client until it leaves; gives the exit status."""
    server = Server()
    _connect(server)
    server.start_io(stdin, stdout)
    return server.status


def _connect(server: Server) -> None:
    """Connect what clients send with what the server does."""
    _connect_life(server)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.opened(params.text_document)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def edited(params: lsp.DidChangeTextDocumentParams) -> None:
        server.edited(params.text_document, params.content_changes)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        return await server.hover(params.text_document.uri, params.position)

    kinds = [lsp.CodeActionKind.QuickFix, FIX_ALL]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(kinds, resolve_provider=True))
    async def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction] | None:
        return await server.actions(params)

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    async def resolve(params: lsp.CodeAction) -> lsp.CodeAction:
        return await server.resolved(params)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    async def lenses(params: lsp.CodeLensParams) -> list[lsp.CodeLens] | None:
        return await server.lenses(params.text_document.uri)

    @server.command(SHOW_CHAIN)
    async def show_chain(uri: str, number: int) -> str | None:
        return await server.show_chain(uri, number)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def links(params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink] | None:
        return await server.links(params.text_document.uri)


def _connect_life(server: Server) -> None:
    """Connect what is said of the client itself, its folders and its files."""

    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.start(params)

    @server.feature(lsp.INITIALIZED)
    async def initialized(params: lsp.InitializedParams) -> None:
        await _watch(server)
        await _ask_for_configuration(server)
        server.judge_soon(0)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(params: lsp.DidChangeConfigurationParams) -> None:
        if params.settings:
            server.configure(params.settings)
        else:
            await _ask_for_configuration(server)
        server.judge_soon()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def touched(params: lsp.DidChangeWatchedFilesParams) -> None:
        server.touched([one.uri for one in params.changes])

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.touched([params.text_document.uri])

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def moved(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        server.moved([folder.uri for folder in server.workspace.folders.values()])

    @server.feature(lsp.SHUTDOWN)
    def shutdown(params: None) -> None:
        server.end()


async def _watch(server: Server) -> None:
    """Ask the client to tell of files that change, where it can be asked."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace is not None else None
    if watching is None or not watching.dynamic_registration:
        return
    options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(glob) for glob in _WATCHED])
    method = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES
    registration = lsp.Registration("trailguard-files", method, options)
    try:
        await server.client_register_capability_async(lsp.RegistrationParams([registration]))
    except JsonRpcException as error:
        server.report_server_error(error, JsonRpcException)


async def _ask_for_configuration(server: Server) -> None:
    """Ask the client for its settings, where it can be asked."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    params = lsp.ConfigurationParams([lsp.ConfigurationItem(section="trailguard")])
    try:
        found = await server.workspace_configuration_async(params)
    except JsonRpcException as error:
        server.report_server_error(error, JsonRpcException)
        return
    if found and isinstance(found[0], dict):
        server.configure(found[0])
