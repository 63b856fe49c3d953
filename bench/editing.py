"""How long an editor waits, and what the server holds: `python bench/editing.py [--edits 20] [--soak 1000]`.

In a folder of 2,000 files a template of some 300 lines is edited; each edit changes a verdict and a name. Measured is
the time from the change to the diagnostics of that version, with the pause that the server waits for the next
keystroke, and for comparison a cold `trailguard scan` of the folder. With --soak, edits go on and the memory of the
server is told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

import folders

SETS = "      IsMultiRegionTrail: true"
NAMED = 15  # the line with the default of the trail's name, from 0


class Client:
    """The least that a client of a language server is: it sends, and waits for what it is told."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "trailguard", "lsp"]
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._out = cast("IO[bytes]", self.process.stdin)
        self._in = cast("IO[bytes]", self.process.stdout)
        self._number = 0

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while (message := self.read()).get("id") != number or "method" in message:
            pass
        return message.get("result")

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def diagnostics(self, version: int) -> list[Any]:
        """Wait for the diagnostics of a version of the document that is open."""
        while True:
            message = self.read()
            if (
                message.get("method") == "textDocument/publishDiagnostics"
                and message["params"].get("version") == version
            ):
                return list(message["params"]["diagnostics"])

    def read(self) -> dict[str, Any]:
        """Read one message."""
        size = 0
        while (line := self._in.readline().strip()) or not size:
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        return cast("dict[str, Any]", json.loads(self._in.read(size)))

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._out.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._out.flush()

    def memory(self) -> float:
        """The memory that the server holds, in MiB; 0 where nobody tells."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def leave(self) -> int:
        """End the server; gives its status."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.process.wait(30)


def main() -> int:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="files in the folder")
    parser.add_argument("--trails", type=int, default=20, help="templates with a trail among them")
    parser.add_argument("--edits", type=int, default=20, help="edits that are timed")
    parser.add_argument("--soak", type=int, default=0, help="edits that follow, for the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        folders.ordinary(folder, options.files - 1, options.trails)
        template = folder / "trail.yaml"
        written = subprocess.run(
            [sys.executable, "-m", "trailguard", "init", "--no-kms"], capture_output=True, text=True, check=True
        )
        template.write_text(written.stdout, encoding="utf-8")
        scans = [_cold(folder) for _ in range(3)]
        print(f"cold scan of {options.files} files: {median(scans):.2f} s (of {len(scans)})")
        _edit(folder, template, options.edits, options.soak, median(scans))
    return 0


def _cold(folder: Path) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "trailguard", "scan", "--jobs", "1", "."]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - start


def _edit(folder: Path, template: Path, edits: int, soak: int, cold: float) -> None:
    client = Client(folder)
    client.ask("initialize", {"capabilities": {}, "processId": None, "rootUri": folder.as_uri()})
    client.tell("initialized", {})
    text, uri = template.read_text(encoding="utf-8"), template.as_uri()
    start = time.perf_counter()
    document = {
        "uri": uri,
        "languageId": "yaml",
        "version": 1,
        "text": text.replace(SETS, SETS.replace("true", "false")),
    }
    client.tell("textDocument/didOpen", {"textDocument": document})
    found = client.diagnostics(1)
    print(f"first diagnostics of the template: {time.perf_counter() - start:.2f} s, {len(found)} of them")
    time.sleep(max(3 * cold, 3))  # the rest of the folder is judged, too
    line = text.splitlines().index(SETS)
    times = [_typed(client, uri, line, version) for version in range(2, edits + 2)]
    share = median(times) / cold
    lines = len(text.splitlines())
    print(
        f"from edit to diagnostics, {lines} lines, {edits} edits: median {median(times):.3f} s, most {max(times):.3f} s"
    )
    print(f"that is {share:.0%} of a cold scan")
    before = client.memory()
    for version in range(edits + 2, edits + 2 + soak):
        _typed(client, uri, line, version)
        if not (version - edits - 1) % max(soak // 10, 1):
            print(f"after {version - 1} edits: {client.memory():.1f} MiB ({client.memory() - before:+.1f})")
    print(f"status: {client.leave()}")


def _typed(client: Client, uri: str, line: int, version: int) -> float:
    """Change a verdict, and wait for it."""
    column = SETS.index("true")
    word, other = ("true", "false") if version % 2 == 0 else ("false", "true")
    area = {"start": {"line": line, "character": column}, "end": {"line": line, "character": column + len(other)}}
    start = time.perf_counter()
    name = {"start": {"line": NAMED, "character": 0}, "end": {"line": NAMED + 1, "character": 0}}
    changes = [{"range": area, "text": word}, {"range": name, "text": f"    Default: trail-{version}\n"}]
    client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})
    found = client.diagnostics(version)
    spent = time.perf_counter() - start
    if ("TG101" in [one.get("code") for one in found]) is not (word == "false"):
        raise SystemExit(f"version {version} is told wrongly: {[one.get('code') for one in found]}")
    return spent


if __name__ == "__main__":
    sys.exit(main())
