"""`trailguard lsp`: a language server over standard input and output.

It says what `trailguard scan` would say if all buffers were written. What clients send is connected here with what the
server does.
Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

from typing import BinaryIO

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from trailguard.servers.actions import FIX_ALL
from trailguard.servers.answers import SHOW_CHAIN
from trailguard.servers.listening import Server

_WATCHED = (
    "**/*.{yaml,yml,json,template,cfn}", "**/.trailguard.{yaml,yml}", "**/pyproject.toml", "**/.gitignore",
)  # fmt: skip


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
