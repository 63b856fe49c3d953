"""A client of the language server, as an editor is one: it starts the server and talks to it over its streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

PATIENCE = 60.0  # seconds, on a machine that may be busy

CAPABILITIES = lsp.ClientCapabilities(
    text_document=lsp.TextDocumentClientCapabilities(
        code_action=lsp.CodeActionClientCapabilities(
            resolve_support=lsp.ClientCodeActionResolveOptions(properties=["edit"])
        )
    ),
    workspace=lsp.WorkspaceClientCapabilities(
        configuration=True,
        did_change_watched_files=lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
    ),
)


class Editor(LanguageClient):
    """An editor: what it was told is kept in `shown` (diagnostics by address), `log` and `messages`."""

    def __init__(self, settings: dict[str, Any] | None = None) -> None:
        super().__init__("tests", "1")
        self.settings = settings or {}
        self.shown: dict[str, lsp.PublishDiagnosticsParams] = {}
        self.log: list[lsp.LogMessageParams] = []
        self.messages: list[str] = []
        self.watched: list[str] = []
        self.configured = asyncio.Event()
        self._told = asyncio.Condition()
        self._versions: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._connect()

    def _connect(self) -> None:
        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def shown(params: lsp.PublishDiagnosticsParams) -> None:
            async with self._told:
                self.shown[params.uri] = params
                self._told.notify_all()

        @self.feature(lsp.WINDOW_LOG_MESSAGE)
        def logged(params: lsp.LogMessageParams) -> None:
            self.log.append(params)

        @self.feature(lsp.WINDOW_SHOW_MESSAGE)
        def said(params: lsp.ShowMessageParams) -> None:
            self.messages.append(params.message)

        @self.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def registered(params: lsp.RegistrationParams) -> None:
            self.watched = [one.method for one in params.registrations]

        @self.feature(lsp.WORKSPACE_CONFIGURATION)
        def configured(params: lsp.ConfigurationParams) -> list[Any]:
            self.configured.set()
            return [self.settings for _ in params.items]

    @property
    def status(self) -> int | None:
        """What the server ended with."""
        return self._server.returncode if self._server is not None else None

    def open(self, path: Path, text: str | None = None) -> str:
        """Open a document; gives its address."""
        uri = path.as_uri()
        self._texts[uri] = path.read_bytes().decode() if text is None else text
        self._versions[uri] = 1
        item = lsp.TextDocumentItem(uri, "yaml", 1, self._texts[uri])
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return uri

    def write(self, uri: str, text: str) -> int:
        """Make the text of a document another one; gives its version."""
        self._texts[uri] = text
        self._versions[uri] += 1
        document = lsp.VersionedTextDocumentIdentifier(self._versions[uri], uri)
        change = lsp.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))
        return self._versions[uri]

    def type(self, uri: str, line: int, column: int, text: str, end: tuple[int, int] | None = None) -> int:
        """Put a text into a document, from 0 in UTF-16 units; gives the version."""
        self._versions[uri] += 1
        document = lsp.VersionedTextDocumentIdentifier(self._versions[uri], uri)
        area = lsp.Range(lsp.Position(line, column), lsp.Position(*(end or (line, column))))
        change = lsp.TextDocumentContentChangePartial(area, text)
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))
        return self._versions[uri]

    def close(self, uri: str) -> None:
        """Close a document."""
        self.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until what was shown is as expected. Raises TimeoutError with what was shown instead."""
        try:
            async with self._told:
                await asyncio.wait_for(self._told.wait_for(holds), PATIENCE)
        except asyncio.TimeoutError:
            codes = {uri: [one.code or one.message for one in told.diagnostics] for uri, told in self.shown.items()}
            raise TimeoutError(f"shown: {codes}; log: {[one.message for one in self.log]}") from None

    async def told(self, uri: str, version: int = 1) -> list[lsp.Diagnostic]:
        """The diagnostics of a version of a document."""
        await self.until(lambda: uri in self.shown and (self.shown[uri].version or 0) >= version)
        return list(self.shown[uri].diagnostics)

    def codes(self, uri: str) -> list[str]:
        """The rules that are broken in a document, as it is shown."""
        return [str(one.code) for one in self.shown[uri].diagnostics if one.code] if uri in self.shown else []

    async def actions(self, uri: str, area: lsp.Range, only: Sequence[str] | None = None) -> list[lsp.CodeAction]:
        """What there is to do at a place."""
        known = list(self.shown[uri].diagnostics) if uri in self.shown else []
        context = lsp.CodeActionContext(known, only=list(only) if only else None)
        params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), area, context)
        found = await self.text_document_code_action_async(params)
        return [one for one in found or () if isinstance(one, lsp.CodeAction)]


@asynccontextmanager
async def editing(
    folder: Path | None,
    settings: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    capabilities: lsp.ClientCapabilities = CAPABILITIES,
) -> AsyncIterator[Editor]:
    """An editor that has opened a folder."""
    editor = Editor(settings)
    await editor.start_io(sys.executable, "-m", "trailguard", "lsp")
    folders = [lsp.WorkspaceFolder(folder.as_uri(), folder.name)] if folder is not None else None
    params = lsp.InitializeParams(capabilities, workspace_folders=folders, initialization_options=options)
    await editor.initialize_async(params)
    editor.initialized(lsp.InitializedParams())
    yield editor
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()


def applied(text: str, edits: Sequence[lsp.TextEdit | lsp.AnnotatedTextEdit | lsp.SnippetTextEdit]) -> str:
    """A text with some edits of an editor in it, which counts in UTF-16 units."""
    lines = text.split("\n")

    def index(place: lsp.Position) -> int:
        before = sum(len(line) + 1 for line in lines[: place.line])
        units = lines[place.line].encode("utf-16-le")[: 2 * place.character]
        return before + len(units.decode("utf-16-le"))

    told = [(index(one.range.start), index(one.range.end), one) for one in edits]
    for start, end, one in sorted(told, key=lambda item: item[:2], reverse=True):
        assert isinstance(one, lsp.TextEdit)
        text = text[:start] + one.new_text + text[end:]
    return text
