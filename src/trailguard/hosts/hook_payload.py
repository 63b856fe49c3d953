"""Fetches what is to be deployed: the document behind `requestData.payload`, and the template in it.

Source: https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html
(for STACK and CHANGE_SET "the Amazon S3 presigned URL containing a JSON object", with `template` as JSON or YAML text).
"""

from __future__ import annotations

import ipaddress
import json
import os
import time
from http.client import HTTPException, responses
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import BaseHandler, HTTPRedirectHandler, ProxyHandler, Request, build_opener

from trailguard.hosts.hook_event import Event, HookError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.client import HTTPMessage
    from typing import IO

# A template has 1 MB at most, and there are two of them, escaped, with the properties of what changes.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST = 32_000_000  # bytes
PATIENCE = 8.0  # seconds, for all of it
_CHUNK = 1 << 16


def template_of(event: Event) -> tuple[bytes, str]:
    """The template that is to be deployed, and what there is to say of where it comes from ("" for nothing).

    Raises HookError when it cannot be had. A resource is a template of its own, which holds nothing else.
    """
    if event.target == "RESOURCE":
        name = "".join(filter(str.isalnum, event.logical_id)) or "Resource"
        resource = {"Type": event.kind, "Properties": event.properties}
        return _encoded(json.dumps({"Resources": {name: resource}}, indent=1)), ""
    document = _document(fetch(event.payload))
    template, previous = document.get("template"), document.get("previousTemplate")
    if isinstance(template, str) and template.strip():
        return _encoded(template), ""
    if event.operation == "update" and isinstance(previous, str) and previous.strip():
        return _encoded(previous), "the payload names no new template, so the stack's present one was judged"
    raise HookError('the document behind requestData.payload has no "template"')


def fetch(url: str, most: int = MOST, patience: float = PATIENCE) -> bytes:
    """What is at an address, which is asked once; raises HookError, which never quotes the address.

    It has to begin with https://, as it carries a signature. Only where `AWS_ENDPOINT_URL` points to this machine,
    which is how a hook is tried out, http:// to this machine is taken, too. `most` is in bytes, `patience` in seconds.
    """
    end = time.monotonic() + patience
    _check(url)
    handlers: list[BaseHandler] = [_Redirects()]
    if _is_loopback(url):
        handlers.append(ProxyHandler({}))
    opener = build_opener(*handlers)
    opener.addheaders = []
    try:
        with opener.open(Request(url), timeout=patience) as answer:  # noqa: S310  # see _check
            data = bytearray()
            while chunk := answer.read1(_CHUNK):
                data += chunk
                if len(data) > most:
                    raise HookError(f"the payload has more than {most:,} bytes")
                if time.monotonic() > end:
                    raise HookError(f"the payload did not arrive within {patience:g} s")
            return bytes(data)
    except HTTPError as error:
        error.close()
        phrase = responses.get(error.code, "")  # the reason may be an address
        raise HookError(f"the payload cannot be fetched: {error.code} {phrase}".rstrip()) from None
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise HookError(f"the payload cannot be fetched: {_reason(reason)}") from None


class _Redirects(HTTPRedirectHandler):
    """Follows S3 to another of its addresses, but not around in circles and not to where a payload may not be."""

    max_redirections = 3
    max_repeats = 2

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            _check(newurl)
        except HookError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str) -> None:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        raise HookError("the address of the payload is malformed") from None
    if not host or not (scheme == "https" or (scheme == "http" and _is_local_trial() and _is_loopback(url))):
        raise HookError("the address of the payload does not begin with https://")


def _is_local_trial() -> bool:
    """Whether AWS itself is played by a program on this machine."""
    return _is_loopback(os.environ.get("AWS_ENDPOINT_URL", ""))


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return type(error).__name__


def _document(data: bytes) -> dict[str, object]:
    try:
        document = json.loads(data)
    except RecursionError:
        raise HookError("the payload is nested too deeply") from None
    except ValueError:
        raise HookError("the payload is not JSON") from None
    if not isinstance(document, dict):
        raise HookError("the payload is not a JSON object")
    return document


def _encoded(text: str) -> bytes:
    """The bytes of a text; half a surrogate pair stays what it is, and is found when the template is read."""
    return text.encode("utf-8", "surrogatepass")
