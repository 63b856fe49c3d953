"""A server before moto's: it sees each call, answers some of them itself, and hands the others on.

What moto cannot do (event data stores, a trail that fails to deliver, refusals, throttling, an organization in which
doors are shut) is answered here, at the level of HTTP, in the form in which AWS answers.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_OF_BUCKETS = {
    "policy": "GetBucketPolicy",
    "publicAccessBlock": "GetPublicAccessBlock",
    "ownershipControls": "GetBucketOwnershipControls",
    "versioning": "GetBucketVersioning",
    "logging": "GetBucketLogging",
    "lifecycle": "GetBucketLifecycleConfiguration",
    "object-lock": "GetObjectLockConfiguration",
    "encryption": "GetBucketEncryption",
    "acl": "GetBucketAcl",
    "location": "GetBucketLocation",
}
_SERVICES = {"monitoring": "cloudwatch"}  # signed under another name


class Call(NamedTuple):
    """A call as it came in: who signed it, for which Region, what it asks (`service:Operation`), and its body."""

    key: str
    region: str
    name: str
    path: str
    body: bytes

    def says(self, text: str) -> bool:
        """Tell whether a text stands in the call."""
        return text in self.path or text.encode() in self.body


class Answer(NamedTuple):
    """An answer of ours."""

    status: int
    body: bytes
    headers: dict[str, str]


Reply = Callable[[Call], "Answer | None"]


def as_json(told: dict[str, Any]) -> Answer:
    """What services with JSON answer."""
    return Answer(200, json.dumps(told).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def as_xml(text: str) -> Answer:
    """What services with XML answer."""
    return Answer(200, text.encode(), {"Content-Type": "text/xml"})


def error(call: Call, status: int, code: str, message: str = "no") -> Answer:
    """An error as the service of a call words it."""
    service = call.name.partition(":")[0]
    if service == "s3":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Answer(status, text.encode(), {"Content-Type": "application/xml", "x-amz-bucket-region": call.region})
    if service in ("sns", "iam", "sts", "cloudformation"):
        text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        return Answer(status, text.encode(), {"Content-Type": "text/xml"})
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
        return Answer(status, text.encode(), {"Content-Type": "text/xml"})
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-query-error": f"{code};Sender"}
    return Answer(status, json.dumps({"__type": code, "message": message}).encode(), headers)


class Front:
    """The server: `calls` are those that came in, `most` how many were under way at once; `replies` are asked first."""

    def __init__(self, behind: int) -> None:
        self.calls: list[Call] = []
        self.replies: list[Reply] = []
        self.most = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._behind = behind
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_any(self) -> None:
                front._handle(self)

            do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = handle_any  # noqa: N815

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_: object) -> None:
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @contextmanager
    def replying(self, *replies: Reply) -> Iterator[None]:
        """Have some calls answered here, before all others."""
        before = self.replies
        self.replies = [*replies, *before]
        try:
            yield
        finally:
            self.replies = before

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        call = _call(request, body)
        with self._lock:
            self.calls.append(call)
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        try:
            answer = next((found for reply in self.replies if (found := reply(call))), None)
            answer = answer or self._forward(request, body)
        finally:
            with self._lock:
                self._under_way -= 1
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body)

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._behind, timeout=60)
        try:
            connection.request(request.command, request.path, body, dict(request.headers.items()))
            response = connection.getresponse()
            dropped = ("content-length", "connection", "transfer-encoding", "date", "server")
            headers = {name: value for name, value in response.getheaders() if name.lower() not in dropped}
            return Answer(response.status, response.read(), headers)
        finally:
            connection.close()


def _call(request: BaseHTTPRequestHandler, body: bytes) -> Call:
    signed = _SCOPE.search(request.headers.get("Authorization", ""))
    key, region, service = signed.groups() if signed else ("", "", "")
    name = f"{_SERVICES.get(service, service)}:{_operation(request, service, body)}"
    return Call(key, region, name, request.path, body)


def _operation(request: BaseHTTPRequestHandler, service: str, body: bytes) -> str:
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    path = urlsplit(request.path)
    if "/operation/" in path.path:
        return path.path.rpartition("/")[2]
    if service == "s3":
        if request.command == "HEAD":
            return "HeadBucket"
        asked = parse_qs(path.query, keep_blank_values=True)
        return next((name for key, name in _OF_BUCKETS.items() if key in asked), "ListBuckets")
    return parse_qs(body.decode("latin-1")).get("Action", ["?"])[0]
