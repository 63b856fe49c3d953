"""What CloudFormation asks a hook, in the forms that its user guide shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hosts.hooking import event
from trailguard.hosts.hook_event import Event, HookError, read, token_of

STACK = "arn:aws:cloudformation:us-west-2:123456789012:stack/MyStack/1a2345b6-0000-00a0-a123-00abc0abc000"
CHANGES = "arn:aws:cloudformation:us-west-2:123456789012:changeSet/SampleChangeSet/1a2345b6-0000-00a0-a123-00abc0abc000"


def test_the_change_of_a_stack() -> None:
    asked = read(event("stack", "https://s3.example/x"))
    assert asked == Event(
        token="f8da6d11-b23f-48f4-814c-0fb6a667f50e",
        target="STACK",
        operation="update",
        account="123456789012",
        region="us-west-2",
        partition="aws",
        stack="MyStack",
        stack_id=STACK,
        payload="https://s3.example/x",
    )
    assert (asked.name, asked.title) == ("123456789012/us-west-2/MyStack", "stack MyStack")


def test_a_change_set() -> None:
    asked = read(event("change_set"))
    assert (asked.target, asked.operation, asked.change_set) == ("CHANGE_SET", "create", CHANGES)
    assert asked.title == "change set for stack MyStack"


def test_a_change_set_as_the_syntax_shows_it() -> None:
    """The page lists neither its point nor `changeSetId` in one of its places, and writes some keys otherwise."""
    found = event("change_set")
    del found["actionInvocationPoint"], found["changeSetId"]
    found["clientRequesttoken"], found["stackID"] = found.pop("clientRequestToken"), found.pop("stackId")
    assert read(found) == read(event("change_set"))


def test_a_resource() -> None:
    asked = read(event("resource"))
    assert (asked.target, asked.operation, asked.kind, asked.logical_id) == (
        "RESOURCE", "create", "AWS::CloudTrail::Trail", "Trail",
    )  # fmt: skip
    assert asked.properties["S3BucketName"] == "central-audit-logs"
    assert asked.title == "AWS::CloudTrail::Trail Trail of stack MyStack"


def test_a_resource_of_the_cloud_control_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    found = event("resource", stackId=None)
    found["requestData"]["targetType"] = "RESOURCE"
    asked = read(found)
    assert (asked.target, asked.stack, asked.stack_id, asked.region) == ("RESOURCE", "", "", "eu-south-1")
    function = "arn:aws-cn:lambda:cn-north-1:210987654321:function:Gate"
    there = read({**found, "awsAccountId": None}, function)
    assert (there.region, there.partition, there.account) == ("cn-north-1", "aws-cn", "210987654321")


def test_what_is_deleted_needs_no_payload() -> None:
    found = event("stack", actionInvocationPoint="DELETE_PRE_PROVISION")
    del found["requestData"]["payload"]
    assert read(found).operation == "delete"
    gone = event("resource", actionInvocationPoint="DELETE_PRE_PROVISION")
    gone["requestData"]["targetModel"] = None
    assert read(gone).operation == "delete"


def _without(name: str, *path: str) -> dict[str, Any]:
    found = inner = event(name)
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return found


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        ({}, "no requestData"),
        ({"requestData": 1}, "no requestData"),
        ({"requestData": {}}, "about nothing, which is not STACK"),
        ({"requestData": {"targetType": "MODULE"}}, "about MODULE, which is not STACK"),
        (_without("stack", "requestData", "payload"), "stack MyStack has no requestData.payload"),
        (_without("stack", "actionInvocationPoint"), 'the invocation point ""'),
        (event("stack", actionInvocationPoint="POST"), 'the invocation point "POST"'),
        (_without("resource", "requestData", "targetModel"), "Trail has no requestData.targetModel.resourceProperties"),
    ],
)
def test_what_is_no_event_is_refused(asked: object, why: str) -> None:
    with pytest.raises(HookError, match=why):
        read(asked)


VALUES: st.SearchStrategy[object] = st.sampled_from(
    (
        None,
        True,
        7,
        "",
        "x",
        "STACK",
        "AWS::S3::Bucket",
        "arn:aws:x:eu-west-1:1:stack/../..",
        "arn:::::stack/a/b",
        [],
        {},
    )
) | st.text("aZ9:/._ ", max_size=9)
KEYS = st.sampled_from(("targetName", "targetType", "targetLogicalId", "payload", "targetModel"))
TOP = st.sampled_from(("awsAccountId", "stackId", "changeSetId", "actionInvocationPoint", "clientRequestToken"))


@given(
    st.sampled_from(("stack", "change_set", "resource")), st.dictionaries(KEYS, VALUES), st.dictionaries(TOP, VALUES)
)
def test_whatever_is_in_an_event_it_is_read_or_refused(name: str, data: dict[str, object], top: dict[str, Any]) -> None:
    found = event(name, **top)
    found["requestData"].update(data)
    assert isinstance(token_of(found), str)
    try:
        asked = read(found)
    except HookError:
        return
    assert asked.target in ("STACK", "CHANGE_SET", "RESOURCE")
    assert ".." not in asked.stack
    assert "/" not in asked.stack
