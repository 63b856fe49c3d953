"""The language server, as an editor sees it: a process that is talked to over its streams."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from tests import ROOT
from tests.servers.editor import CAPABILITIES, applied, editing

pytestmark = pytest.mark.servers

BROKEN = ROOT / "examples" / "broken"
RULES = sorted(path.name for path in (ROOT / "rules").iterdir() if path.is_dir())
SAMPLE = int(os.environ.get("LSP_EXAMPLES", "4"))  # examples of each rule; 0 for all


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "trailguard", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def scanned(folder: Path, *arguments: str) -> dict[str, Any]:
    """The JSON report of a folder."""
    report: dict[str, Any] = json.loads(run(folder, "scan", "--format", "json", *arguments).stdout)
    return report


def units(path: Path, line: int, column: int) -> tuple[int, int]:
    """A place of ours as UTF-16 has it, from 0."""
    text = path.read_bytes().decode().replace("\r\n", "\n").split("\n")[line - 1]
    return line - 1, len(text[: column - 1].encode("utf-16-le")) // 2


def area_of(path: Path, result: dict[str, Any]) -> lsp.Range:
    """The range of a result."""
    start = units(path, result["line"], result["column"])
    return lsp.Range(lsp.Position(*start), lsp.Position(*units(path, result["end_line"], result["end_column"])))


def is_open(result: dict[str, Any]) -> bool:
    return result["verdict"] in ("fail", "conditional", "unknown") and result["suppressed"] is None


def examples(rule: str) -> list[Path]:
    """Some examples of a rule, which are files."""
    found = sorted(
        path for kind in ("pass", "fail") for path in (ROOT / "rules" / rule / kind).iterdir() if path.is_file()
    )
    return random.Random(rule).sample(found, min(SAMPLE, len(found))) if SAMPLE else found


@pytest.mark.parametrize("rule", RULES)
def test_examples_are_told_as_a_scan_tells_them(rule: str, tmp_path: Path) -> None:
    files = [Path(shutil.copy(path, tmp_path / f"{number}-{path.name}")) for number, path in enumerate(examples(rule))]
    if not files:
        pytest.skip("its examples are folders")
    report = scanned(tmp_path, "--profile", "all", ".")
    wanted: dict[str, list[tuple[str, str, lsp.Range, str]]] = {path.as_uri(): [] for path in files}
    for one in filter(is_open, report["results"]):
        path = tmp_path / one["file"]
        wanted.setdefault(path.as_uri(), []).append(
            (one["rule"], one["verdict"], area_of(path, one), one["fingerprint"])
        )

    async def scenario() -> None:
        async with editing(tmp_path, {"profile": "all"}) as editor:

            def told(uri: str) -> list[tuple[str, str, lsp.Range, str]]:
                known = editor.shown[uri].diagnostics if uri in editor.shown else []
                found = [(one, json.loads(json.dumps(one.data, default=vars))) for one in known if one.code]
                return [(str(one.code), data["verdict"], one.range, data["fingerprint"]) for one, data in found]

            for path in files:
                editor.open(path)
            key = str
            await editor.until(
                lambda: all(sorted(told(uri), key=key) == sorted(one, key=key) for uri, one in wanted.items())
            )
            assert not [one.message for one in editor.log if "internal" in one.message]

    asyncio.run(scenario())


FIXED = ("no-depends-on.yaml", "no-log-file-validation.yaml", "topic-without-policy.yaml", "any-of-two-acls.yaml")


@pytest.mark.parametrize("name", FIXED)
def test_fixes_are_those_of_a_scan(name: str, tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / name, tmp_path / name))
    results = [one for one in scanned(tmp_path, ".")["results"] if is_open(one)]
    assert results

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = editor.open(path)
            await editor.told(uri)
            for one in results:
                actions = await editor.actions(uri, area_of(path, one))
                mine = [item for item in actions if item.title.startswith(f"{one['rule']}: ")]
                assert len(mine) == (1 if one["fix"] else 0)
                if not mine:
                    continue
                assert mine[0].is_preferred is one["fix"]["safe"]
                assert ("unsafe" in mine[0].title) is not one["fix"]["safe"]
                assert mine[0].edit is not None
                assert mine[0].edit.document_changes is not None
                (change,) = mine[0].edit.document_changes
                assert isinstance(change, lsp.TextDocumentEdit)
                assert change.text_document.version == 1
                made = [(edit.range, edit.new_text) for edit in change.edits if isinstance(edit, lsp.TextEdit)]
                assert made == [(area_of(path, edit), edit["text"]) for edit in one["fix"]["edits"]]

    asyncio.run(scenario())


@pytest.mark.parametrize("is_lazy", [True, False])
def test_fix_all_does_what_fix_does(is_lazy: bool, tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "no-log-file-validation.yaml", tmp_path / "trail.yaml"))
    path.write_text(path.read_text(encoding="utf-8").replace("IsLogging: true", "IsLogging: false"), encoding="utf-8")
    text = path.read_text(encoding="utf-8")

    async def scenario() -> str:
        async with editing(tmp_path, capabilities=CAPABILITIES if is_lazy else lsp.ClientCapabilities()) as editor:
            uri = editor.open(path)
            await editor.told(uri)
            place = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
            (action,) = await editor.actions(uri, place, ["source.fixAll"])
            assert action.kind == "source.fixAll.trailguard"
            assert (action.edit is None) is is_lazy
            if is_lazy:
                action = await editor.code_action_resolve_async(action)
            assert action.edit is not None
            assert action.edit.document_changes is not None
            (change,) = action.edit.document_changes
            assert isinstance(change, lsp.TextDocumentEdit)
            return applied(text, change.edits)

    fixed = asyncio.run(scenario())
    assert fixed != text
    run(tmp_path, "fix", ".")
    assert path.read_text(encoding="utf-8") == fixed


def test_a_suppression_asks_for_its_reason(tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "single-region.yaml", tmp_path / "trail.yaml"))
    text = path.read_text(encoding="utf-8")

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = editor.open(path)
            (found,) = [one for one in await editor.told(uri) if one.code == "TG101"]
            (action,) = [
                one for one in await editor.actions(uri, found.range) if one.title.startswith("Suppress TG101")
            ]
            assert action.edit is not None
            assert action.edit.document_changes is not None
            assert action.diagnostics == (found,) or action.diagnostics == [found]
            (change,) = action.edit.document_changes
            assert isinstance(change, lsp.TextDocumentEdit)
            after = applied(text, change.edits)
            told = await editor.told(uri, editor.write(uri, after))
            assert [one.code for one in told] == [None]
            assert "gives no reason" in told[0].message
            reasoned = after.replace("ignore[TG101]", "ignore[TG101] another trail covers it")
            assert await editor.told(uri, editor.write(uri, reasoned)) == []

    asyncio.run(scenario())


def test_columns_count_in_utf_16(tmp_path: Path) -> None:
    note = 'Metadata: {Note: "😀 𐍈 é"}'
    flow = f'Resources: {{Trail: {{Type: "AWS::CloudTrail::Trail", {note}, Properties: {{IsLogging: true}}}}}}\n'
    path = tmp_path / "trail.yaml"
    path.write_text(flow, encoding="utf-8")

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = editor.open(path)
            await editor.told(uri)
            column = len(flow[: flow.index("true")].encode("utf-16-le")) // 2
            told = await editor.told(uri, editor.type(uri, 0, column, "false", end=(0, column + 4)))
            (found,) = [one for one in told if one.code == "TG106"]
            assert found.range == lsp.Range(lsp.Position(0, column), lsp.Position(0, column + 5))

    asyncio.run(scenario())


def test_buffers_of_several_files_are_one_world(tmp_path: Path) -> None:
    trail = (
        (BROKEN / "no-depends-on.yaml")
        .read_text(encoding="utf-8")
        .replace("IsMultiRegionTrail: true", "IsMultiRegionTrail: !Ref All")
    )
    inner = "Parameters:\n  All: {Type: String}\n" + trail.partition("\n")[2]
    nested = "Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml, Parameters: {All: %s}}"
    outer = "Resources: {Child: {" + nested + "}}\n"
    (tmp_path / "inner.yaml").write_text(inner, encoding="utf-8")
    (tmp_path / "outer.yaml").write_text(outer % "true", encoding="utf-8")

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            child, parent = editor.open(tmp_path / "inner.yaml"), editor.open(tmp_path / "outer.yaml")
            both = (child, parent)
            await editor.until(lambda: "TG104" in [code for uri in both for code in editor.codes(uri)])
            assert "TG101" not in [code for uri in both for code in editor.codes(uri)]
            editor.write(parent, outer % "false")
            await editor.until(lambda: "TG101" in [code for uri in both for code in editor.codes(uri)])
            links = await editor.text_document_document_link_async(
                lsp.DocumentLinkParams(lsp.TextDocumentIdentifier(parent))
            )
            assert child in [one.target for one in links or ()]
            editor.close(parent)  # what is on disk counts again
            await editor.until(lambda: "TG101" not in [code for uri in both for code in editor.codes(uri)])

    asyncio.run(scenario())


def test_explanations_at_a_place(tmp_path: Path) -> None:
    path = Path(shutil.copy(BROKEN / "no-depends-on.yaml", tmp_path / "trail.yaml"))
    lines = path.read_text(encoding="utf-8").splitlines()

    async def scenario() -> None:
        async with editing(tmp_path) as editor:
            uri = editor.open(path)
            document = lsp.TextDocumentIdentifier(uri)
            (found,) = await editor.told(uri)

            async def at(line: int, column: int) -> str:
                hover = await editor.text_document_hover_async(lsp.HoverParams(document, lsp.Position(line, column)))
                return hover.contents.value if hover and isinstance(hover.contents, lsp.MarkupContent) else ""

            why = await at(found.range.start.line, found.range.start.character)
            assert "TG104" in why
            assert "**To do:**" in why
            assert "`ordering.after_bucket_policy`" in why
            number = next(number for number, line in enumerate(lines) if "s3:PutObject" in line)
            assert "allows s3:PutObject to CloudTrail on arn:" in await at(number, lines[number].index("s3:"))
            assert await at(0, 0) == ""
            (lens,) = await editor.text_document_code_lens_async(lsp.CodeLensParams(document)) or ()
            assert lens.range.start.line == found.range.start.line
            assert lens.command is not None
            assert "bucket policy TrailBucketPolicy: fail" in lens.command.title
            asked = lsp.ExecuteCommandParams(lens.command.command, lens.command.arguments)
            assert "is governed by TrailBucketPolicy" in str(await editor.workspace_execute_command_async(asked))
            links = await editor.text_document_document_link_async(lsp.DocumentLinkParams(document)) or ()
            bucket = next(number for number, line in enumerate(lines, 1) if line.strip() == "TrailBucket:")
            assert {one.target for one in links} == {f"{uri}#L{bucket}"}

    asyncio.run(scenario())
