"""AWS as a hook sees it, played by a server on this machine: payloads, stacks, change sets, objects in S3.

The answers have the form of recorded ones. botocore asks over HTTP, as it does in Lambda.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

EVENTS = Path(__file__).with_name("hook_events")
_PAGE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

Parameter = Mapping[str, str | bool]


class Reply(NamedTuple):
    """An answer to an HTTP request; `body` may write by itself, which takes its time."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes | Callable[[BaseHTTPRequestHandler], None] = b""


class Aws:
    """What is there, and what was asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, Reply] = {}
        self.parameters: dict[str, Sequence[Parameter]] = {}  # by the name of a stack, the ARN of a change set
        self.status = "CREATE_IN_PROGRESS"
        self.refused: set[str] = set()
        self.calls: list[str] = []

    def payload(self, template: str | None, **more: object) -> str:
        """Put a payload there, and give its address."""
        document = {"template": template, **more}
        self.pages["/payload"] = Reply(body=json.dumps(document).encode())
        return f"{self.url}/payload?X-Amz-Signature=secret"

    def page(self, reply: Reply) -> str:
        """Put anything there in the place of a payload."""
        self.pages["/payload"] = reply
        return f"{self.url}/payload?X-Amz-Signature=secret"

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object into a bucket."""
        mark = hashlib.md5(data).hexdigest()
        headers = {"ETag": f'"{mark}"', "Content-Type": "application/octet-stream"}
        self.pages[f"/{bucket}/{key}"] = Reply(headers=headers, body=data)

    def called(self, form: Mapping[str, str]) -> Reply:
        """Answer a call of CloudFormation's API."""
        action = form.get("Action", "")
        self.calls.append(action)
        if action in self.refused:
            return _fault(403, "AccessDenied", "User is not authorized to perform this")
        if action == "DescribeChangeSet":
            name = form["ChangeSetName"]
            if name not in self.parameters:
                return _fault(404, "ChangeSetNotFound", "ChangeSet does not exist")
            told = f"<ChangeSetId>{name}</ChangeSetId>{_members(self.parameters[name])}"
            return _result(action, told)
        if action == "DescribeStacks":
            name = form["StackName"].rpartition(":stack/")[2].partition("/")[0]
            if name not in self.parameters:
                return _fault(400, "ValidationError", "Stack does not exist")
            told = f"<StackName>{name}</StackName><CreationTime>2026-11-29T10:00:00Z</CreationTime>"
            told += f"<StackStatus>{self.status}</StackStatus>{_members(self.parameters[name])}"
            return _result(action, f"<Stacks><member>{told}</member></Stacks>")
        return _fault(400, "InvalidAction", action)


def _members(parameters: Sequence[Parameter]) -> str:
    told = ""
    for item in parameters:
        texts = {key: str(value).lower() if isinstance(value, bool) else value for key, value in item.items()}
        told += f"<member>{''.join(f'<{key}>{escape(text)}</{key}>' for key, text in texts.items())}</member>"
    return f"<Parameters>{told}</Parameters>"


def _result(action: str, told: str) -> Reply:
    ident = "<ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>"
    text = f'<{action}Response xmlns="{_PAGE}"><{action}Result>{told}</{action}Result>{ident}</{action}Response>'
    return Reply(headers={"Content-Type": "text/xml"}, body=text.encode())


def _fault(status: int, code: str, message: str) -> Reply:
    fault = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    text = f'<ErrorResponse xmlns="{_PAGE}">{fault}<RequestId>b9b4b068</RequestId></ErrorResponse>'
    return Reply(status, {"Content-Type": "text/xml"}, text.encode())


@contextmanager
def serving() -> Iterator[Aws]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            aws.calls.append(urlsplit(self.path).path)
            self._send(aws.pages.get(urlsplit(self.path).path, Reply(404)))

        do_HEAD = do_GET  # noqa: N815

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(aws.called({key: values[0] for key, values in parse_qs(text).items()}))

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if callable(reply.body):
                self.end_headers()
                reply.body(self)
                return
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aws = Aws(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def event(name: str, payload: object = None, **more: Any) -> dict[str, Any]:
    """A recorded event, with a payload and other keys of its own."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    if payload is not None:
        found["requestData"]["payload"] = payload
    return {**found, **more}
