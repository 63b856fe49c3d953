"""A language server that listens; judging is done in another thread.

It is put off while somebody types, and ends early when what it is about has changed.
Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from trailguard import __version__
from trailguard.errors import display_name
from trailguard.servers import answers
from trailguard.servers.actions import Offering
from trailguard.servers.positions import changed
from trailguard.servers.session import Publication, Session
from trailguard.servers.worker import Heed, Stale, Worker
from trailguard.servers.workspace import Workspace

Answer = TypeVar("Answer")

PAUSE = 0.1  # seconds without a change after which is judged
_CONTENT_MODIFIED = -32801


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
        return self.answer(uri, lambda session, space, name, heed: answers.hover(session, space, name, position))

    def lenses(self, uri: str) -> Awaitable[list[lsp.CodeLens] | None]:
        """The chain of each trail in a document."""
        return self.answer(uri, lambda session, space, name, heed: answers.lenses(session, space, name))

    def links(self, uri: str) -> Awaitable[list[lsp.DocumentLink] | None]:
        """Where the parts of chains, nested templates and includes are."""
        return self.answer(uri, lambda session, space, name, heed: answers.links(session, space, name))

    async def show_chain(self, uri: str, number: int) -> str | None:
        """Show a chain of a document."""
        text = await self.answer(uri, lambda session, space, name, heed: answers.chain_text(space, name, number))
        if text is not None:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))
        return text

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
