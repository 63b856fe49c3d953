"""The process that answers: it reads and judges, one request after the other, and writes no files.

It is a process of its own so that whatever a template does to it, its end is not the server's, and so that what nobody
waits for any more can be ended. A request is a line of JSON on standard input, an answer a line on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from trailguard.errors import UserError, display_name
from trailguard.servers.mcp_arguments import checked
from trailguard.servers.mcp_quoting import ERROR, safe
from trailguard.servers.mcp_resources import listed, resource
from trailguard.servers.mcp_root import Root
from trailguard.servers.mcp_schemas import tools
from trailguard.servers.mcp_tools import TOOLS, Answer


def main(folder: str) -> None:
    """Answer until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started the server ends it, and it ends this
    root = Root(folder)
    os.chdir(root.folder)  # reports name files from here
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything else prints is no answer
    for line in sys.stdin.buffer:
        answers.write(json.dumps(answered(json.loads(line), root)).encode() + b"\n")
        answers.flush()


def answered(request: Mapping[str, Any], root: Root) -> dict[str, Any]:
    """The answer to a request: `data` and `changes`, or an `error` with the data that tells it."""
    try:
        answer = _answer(str(request["kind"]), str(request["name"]), request.get("arguments"), root)
        changes = [(name, path, _spelled(old), _spelled(new)) for name, path, old, new in answer.changes]
        return {"data": safe(answer.data), "changes": changes}
    except UserError as error:
        return failure(error.message, error.file, error.line, error.column)
    except Exception as error:
        return failure(f"internal error: {type(error).__name__}: {str(error)[:500]} (please report it)")


def _answer(kind: str, name: str, arguments: Mapping[str, Any] | None, root: Root) -> Answer:
    """Do what is asked for: call a tool, or list or read resources."""
    if kind == "tool":
        return TOOLS[name](checked(name, arguments, tools()[name].takes), root)
    return Answer(resource(name, root) if kind == "resource" else listed())


def failure(message: str, file: str = "", line: int = 0, column: int = 0) -> dict[str, Any]:
    """An answer that tells an error, as data."""
    place = {"file": display_name(file) if file else None, "line": line or None, "column": column or None}
    return {"error": safe({"error": {"message": message, **place}, "quoted": list(ERROR)})}


def _spelled(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


if __name__ == "__main__":
    main(sys.argv[1])
