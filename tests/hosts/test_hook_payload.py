"""The document behind `requestData.payload`: fetched once, within limits, from where it may come from."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler

import pytest

from tests.hosts.hooking import Aws, Reply, event
from trailguard.hosts.hook_event import HookError, read
from trailguard.hosts.hook_payload import fetch, template_of

TEMPLATE = "Resources: {Trail: {Type: AWS::CloudTrail::Trail}}\n"


def test_the_template_is_fetched_once(aws: Aws) -> None:
    asked = read(event("change_set", aws.payload(TEMPLATE, changedResources=[])))
    assert template_of(asked) == (TEMPLATE.encode(), "")
    assert aws.calls == ["/payload"]


def test_an_update_without_a_template_keeps_the_one_there_is(aws: Aws) -> None:
    asked = read(event("stack", aws.payload("", previousTemplate=TEMPLATE)))
    assert template_of(asked) == (
        TEMPLATE.encode(),
        "the payload names no new template, so the stack's present one was judged",
    )
    made = read(
        event("stack", aws.payload("", previousTemplate=TEMPLATE), actionInvocationPoint="CREATE_PRE_PROVISION")
    )
    with pytest.raises(HookError, match='has no "template"'):
        template_of(made)


def test_a_resource_is_a_template_of_its_own() -> None:
    found = event("resource")
    found["requestData"]["targetLogicalId"] = "AWS::CloudTrail::Trail-8f-2"
    template, note = template_of(read(found))
    assert b'"AWSCloudTrailTrail8f2"' in template
    assert note == ""


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(body=b""), "is not JSON"),
        (Reply(body=b"\x00\xff\xfe\x80" * 999), "is not JSON"),
        (Reply(body=b"<html>"), "is not JSON"),
        (Reply(body=b"[1]"), "is not a JSON object"),
        (Reply(body=b"{}"), 'has no "template"'),
        (Reply(body=b'{"template": {"Resources": {}}}'), 'has no "template"'),
        (Reply(body=b"[" * 1_000_000), "is nested too deeply"),
        (Reply(body=b'{"template": ' + b"9" * 10_000 + b"}"), "is not JSON"),
        (Reply(403, body=b"<Error>"), "cannot be fetched: 403 Forbidden$"),
        (Reply(302, {"Location": "/payload"}), "cannot be fetched: 302"),
        (Reply(302, {"Location": "http://example.com/"}), "does not begin with https://"),
        (Reply(302, {"Location": "file:///etc/hostname?secret"}), "cannot be fetched: 302 Found$"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_payload_is_refused(aws: Aws, reply: Reply, why: str) -> None:
    with pytest.raises(HookError, match=why) as refused:
        template_of(read(event("stack", aws.page(reply))))
    assert "secret" not in str(refused.value)


def test_another_address_of_s3_is_followed(aws: Aws) -> None:
    aws.payload(TEMPLATE)
    aws.pages["/old"] = Reply(307, {"Location": f"{aws.url}/payload"})
    assert template_of(read(event("stack", f"{aws.url}/old"))) == (TEMPLATE.encode(), "")


def _endless(request: BaseHTTPRequestHandler) -> None:
    try:
        while True:
            request.wfile.write(b"x" * 100_000)
    except OSError:
        return


def _drop_by_drop(request: BaseHTTPRequestHandler) -> None:
    try:
        for _ in range(100):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return


def _garbage(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"zz\r\nnot a chunk")


def test_a_payload_without_an_end_is_refused(aws: Aws) -> None:
    with pytest.raises(HookError, match="more than 1,000,000 bytes"):
        fetch(aws.page(Reply(body=_endless)), most=1_000_000)


def test_a_payload_that_comes_too_slowly_is_refused(aws: Aws) -> None:
    began = time.monotonic()
    with pytest.raises(HookError, match=r"did not arrive within 0\.5 s"):
        fetch(aws.page(Reply(body=_drop_by_drop)), patience=0.5)
    assert time.monotonic() - began < 2


def test_no_answer_at_all_is_refused(aws: Aws) -> None:
    with pytest.raises(HookError, match="takes too long"):
        fetch(aws.page(Reply(body=lambda request: time.sleep(1))), patience=0.2)


def test_what_is_no_http_is_refused(aws: Aws) -> None:
    with pytest.raises(HookError, match="cannot be fetched: IncompleteRead"):
        fetch(aws.page(Reply(headers={"Transfer-Encoding": "chunked"}, body=_garbage)))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "data:,{}",
        "https://",
        "//127.0.0.1/x",
        "",
        "http://127.0.0.1.example.com/x",
        "http://[::1/x",
    ],
)
def test_addresses_are_https(aws: Aws, url: str) -> None:
    with pytest.raises(HookError, match=r"^the address of the payload (does not begin with https://|is malformed)$"):
        fetch(url)


def test_this_machine_is_asked_only_where_it_plays_aws(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    url = aws.payload(TEMPLATE)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://vpce-1.example.com")
    with pytest.raises(HookError, match="does not begin with https"):
        fetch(url)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(HookError, match="does not begin with https"):
        fetch(url)
    assert aws.calls == []
