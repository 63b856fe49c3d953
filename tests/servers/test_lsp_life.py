"""How the language server starts, what it is told besides buffers, what it survives, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests import ROOT
from tests.servers.editor import editing

pytestmark = pytest.mark.servers

BROKEN = ROOT / "examples" / "broken"
SERVER = [sys.executable, "-m", "trailguard", "lsp"]


def message(**content: object) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


HELLO = message(id=1, method="initialize", params={"capabilities": {}, "processId": None, "rootUri": None})
SHUTDOWN, EXIT = message(id=2, method="shutdown"), message(method="exit")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (HELLO + SHUTDOWN + EXIT, 0),
        (HELLO + EXIT, 1),  # without a shutdown
        (HELLO, 1),  # the client went away
        (b"", 1),
    ],
)
def test_how_it_ends(said: bytes, status: int, tmp_path: Path) -> None:
    done = subprocess.run(SERVER, cwd=tmp_path, input=said, capture_output=True, check=False, timeout=60)
    assert done.returncode == status, done.stderr
    rest = done.stdout
    while rest:  # nothing but the protocol
        head, _, rest = rest.partition(b"\r\n\r\n")
        size = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        assert json.loads(rest[:size])["jsonrpc"] == "2.0"
        rest = rest[size:]


def test_without_pygls_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(__name__)\n", encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(SERVER, env=environment, input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b'pip install "trailguard[lsp]"' in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_broken_buffer_keeps_the_rest_and_the_server(tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "trail.yaml"))
    text = path.read_text(encoding="utf-8")
    chance = random.Random(17)

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = editor.open(path)
            (found,) = await editor.told(uri)
            told = await editor.told(
                uri, editor.write(uri, "# new\n" + text.replace("Description:", "Description: [", 1))
            )
            assert {one.code for one in told} == {"TG101", None}
            (moved,) = [one for one in told if one.code]
            assert moved.range.start.line == found.range.start.line + 1
            (wrong,) = [one for one in told if not one.code]
            assert wrong.severity == lsp.DiagnosticSeverity.Error
            for _ in range(30):  # as fast as nobody types
                start, end = sorted(chance.sample(range(len(text)), 2))
                editor.write(uri, text[:start] + chance.choice(["", "{", "- [", "!Sub", "\t", "😀", '"']) + text[end:])
                await asyncio.sleep(chance.choice([0, 0, 0.05, 0.2]))
            told = await editor.told(uri, editor.write(uri, text))
            assert [one.code for one in told] == ["TG101"]
            assert not [one.message for one in editor.log if "internal" in one.message]

    asyncio.run(scenario())


def test_what_is_stale_is_cancelled(tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "trail.yaml"))
    text = path.read_text(encoding="utf-8")

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = editor.open(path)
            (found,) = await editor.told(uri)
            place = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), found.range.start)
            hover = asyncio.ensure_future(editor.text_document_hover_async(place))
            actions = asyncio.ensure_future(editor.actions(uri, found.range))
            for number in range(20):
                version = editor.write(uri, f"# {number}\n{text}")
            answers = await asyncio.gather(hover, actions, return_exceptions=True)
            refused = [one for one in answers if isinstance(one, BaseException)]
            assert all(isinstance(one, JsonRpcException) and one.code in (-32801, -32800) for one in refused)
            told = await editor.told(uri, version)
            assert [one.range.start.line for one in told] == [found.range.start.line + 1]
            assert editor.shown[uri].version == version

    asyncio.run(scenario())


def test_configuration_of_the_client_and_of_the_folder(tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "trail.yaml"))

    async def scenario() -> None:
        async with editing(tmp_path, {"rules": {"ignore": ["TG101"]}, "command": ["x"]}) as editor:
            uri = editor.open(path)
            await asyncio.wait_for(editor.configured.wait(), 30)
            assert editor.watched == [lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES]
            await editor.until(lambda: not editor.codes(uri))

            def configure(given: object) -> None:
                editor.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({"trailguard": given}))

            configure({})
            await editor.until(lambda: editor.codes(uri) == ["TG101"])
            configure({"profle": "all"})
            while not any('unknown key "profle"; did you mean "profile"?' in one.message for one in editor.log):
                await asyncio.sleep(0.05)
            configure({})
            config = tmp_path / ".trailguard.yaml"

            def write(content: str) -> None:
                config.write_text(content, encoding="utf-8")
                event = lsp.FileEvent(config.as_uri(), lsp.FileChangeType.Changed)
                editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

            write("rules: {ignore: [TG101]}\n")
            await editor.until(lambda: not editor.codes(uri))
            write("rules: {ignoer: [TG101]}\n")
            await editor.until(lambda: config.as_uri() in editor.shown)
            (wrong,) = editor.shown[config.as_uri()].diagnostics
            assert "ignore" in wrong.message
            assert wrong.range.start.line == 0
            write("fail_on: unknown\n")
            await editor.until(lambda: not editor.shown[config.as_uri()].diagnostics)
            await editor.until(lambda: editor.codes(uri) == ["TG101"])

    asyncio.run(scenario())


def test_files_that_others_change(tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "trail.yaml"))

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = path.as_uri()
            await editor.until(lambda: editor.codes(uri) == ["TG101"])  # nobody opened it

            def touched(one: Path) -> None:
                event = lsp.FileEvent(one.as_uri(), lsp.FileChangeType.Changed)
                editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

            other = Path(shutil.copy(BROKEN / "no-depends-on.yaml", tmp_path / "other.yaml"))
            touched(other)
            await editor.until(lambda: "TG104" in editor.codes(other.as_uri()))
            path.unlink()
            touched(path)
            await editor.until(lambda: not editor.codes(uri))

    asyncio.run(scenario())


@pytest.mark.parametrize("has_folder", [True, False])
def test_documents_outside_of_all_folders(has_folder: bool, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    path = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "trail.yaml"))

    async def scenario() -> None:
        async with editing(folder if has_folder else None) as editor:
            uri = editor.open(path)
            assert [one.code for one in await editor.told(uri)] == ["TG101"]
            item = lsp.TextDocumentItem("untitled:Untitled-1", "yaml", 1, path.read_text(encoding="utf-8"))
            editor.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
            assert [one.code for one in await editor.told(item.uri)] == ["TG101"]
            editor.close(uri)
            await editor.until(lambda: not editor.codes(uri))

    asyncio.run(scenario())


def test_only_open_documents_are_shown_if_that_is_asked_for(tmp_path: Path) -> None:
    first = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "first.yaml"))
    shutil.copy(BROKEN / "no-depends-on.yaml", tmp_path / "second.yaml")

    async def scenario() -> None:
        async with editing(tmp_path, {"scope": "open"}) as editor:
            uri = editor.open(first)
            assert [one.code for one in await editor.told(uri)] == ["TG101"]
            editor.close(uri)
            await editor.until(lambda: not editor.codes(uri))
            assert set(editor.shown) == {uri}

    asyncio.run(scenario())
