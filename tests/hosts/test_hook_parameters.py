"""The values of a deployment's parameters: asked of CloudFormation over HTTP, and free where they cannot be had."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.hosts.hooking import Aws, event
from trailguard.cloudformation.source.letters import RESOLVED
from trailguard.hosts.hook_event import Event, read
from trailguard.hosts.hook_parameters import Actual, actual, client

FREE = "judged for every value that the template allows"


def stack(**more: Any) -> Event:
    return read(event("stack", **{"actionInvocationPoint": "CREATE_PRE_PROVISION", **more}))


def change_set() -> Event:
    return read(event("change_set"))


def test_a_stack_that_is_made(aws: Aws) -> None:
    aws.parameters["MyStack"] = [
        {"ParameterKey": "A", "ParameterValue": "1"},
        {"ParameterKey": "B", "ParameterValue": ""},
    ]
    assert actual(stack()) == Actual({"A": "1", "B": ""}, ())
    assert aws.calls == ["DescribeStacks"]


def test_a_stack_that_is_updated(aws: Aws) -> None:
    aws.parameters["MyStack"] = [{"ParameterKey": "A", "ParameterValue": "1"}]
    update = stack(actionInvocationPoint="UPDATE_PRE_PROVISION")
    aws.status = "UPDATE_IN_PROGRESS"
    assert actual(update) == Actual({"A": "1"}, ())
    aws.status = "UPDATE_COMPLETE"
    before = "the stack is in UPDATE_COMPLETE, and shows those that it had before"
    note = f"the parameters of this deployment are not known ({before}): {FREE}"
    assert actual(update) == Actual({}, (note,), is_known=False)


def test_a_change_set(aws: Aws) -> None:
    aws.parameters[change_set().change_set] = [{"ParameterKey": "A", "ParameterValue": "new"}]
    aws.parameters["MyStack"] = [{"ParameterKey": "A", "ParameterValue": "old"}]
    assert actual(change_set()) == Actual({"A": "new"}, ())
    executed = stack(changeSetId=change_set().change_set, actionInvocationPoint="UPDATE_PRE_PROVISION")
    assert actual(executed) == Actual({"A": "new"}, ())
    assert aws.calls == ["DescribeChangeSet", "DescribeChangeSet"]


def test_a_change_set_that_is_gone_while_it_is_carried_out(aws: Aws) -> None:
    aws.parameters["MyStack"] = [{"ParameterKey": "A", "ParameterValue": "1"}]
    executed = stack(changeSetId=change_set().change_set)
    assert actual(executed) == Actual({"A": "1"}, ())
    assert aws.calls == ["DescribeChangeSet", "DescribeStacks"]
    gone = "DescribeChangeSet was answered with ChangeSetNotFound"
    assert actual(change_set()).notes == (f"the parameters of this deployment are not known ({gone}): {FREE}",)


def test_what_is_masked_is_free(aws: Aws) -> None:
    aws.parameters["MyStack"] = [
        {"ParameterKey": "Password", "ParameterValue": "****"},
        {"ParameterKey": "A", "ParameterValue": "1"},
        {"ParameterKey": "Key", "ParameterValue": "****"},
    ]
    assert actual(stack()) == Actual({"A": "1"}, (f"NoEcho hides the value of Key, Password: {FREE}",))


def test_what_is_looked_up_is_known_as_it_was_found(aws: Aws) -> None:
    """For a parameter of a type of Systems Manager, the value is the name to look up."""
    stored = {"ParameterKey": "Bucket", "ParameterValue": "/logs/bucket", "ResolvedValue": "central-audit-logs"}
    aws.parameters["MyStack"] = [stored]
    assert actual(stack()) == Actual({"Bucket": RESOLVED + "central-audit-logs"}, ())


def test_what_the_stack_keeps_is_the_stack_s(aws: Aws) -> None:
    names = ("Kept", "Hidden", "Lost")
    aws.parameters[change_set().change_set] = [
        {"ParameterKey": "A", "ParameterValue": "1"},
        *[dict[str, str | bool](ParameterKey=name, UsePreviousValue=True) for name in names],
    ]
    aws.parameters["MyStack"] = [
        {"ParameterKey": "A", "ParameterValue": "old"},
        {"ParameterKey": "Kept", "ParameterValue": "2"},
        {"ParameterKey": "Hidden", "ParameterValue": "****"},
    ]
    aws.status = "UPDATE_COMPLETE"
    note = f"the stack keeps the value of Hidden, Lost, which is not known (NoEcho): {FREE}"
    assert actual(change_set()) == Actual({"A": "1", "Kept": "2"}, (note,))
    aws.refused.add("DescribeStacks")
    note = "the stack keeps the value of Hidden, Kept, Lost, which is not known "
    note = f"{note}(DescribeStacks was answered with AccessDenied): {FREE}"
    assert actual(change_set()) == Actual({"A": "1"}, (note,), is_known=False)


@pytest.mark.parametrize("asked", [stack(), change_set()], ids=["stack", "change set"])
def test_no_permission(aws: Aws, asked: Event) -> None:
    aws.refused |= {"DescribeStacks", "DescribeChangeSet"}
    (note,) = actual(asked).notes
    assert "was answered with AccessDenied" in note
    assert note.endswith(FREE)
    assert actual(asked)._replace(notes=()) == Actual({}, (), is_known=False)


def test_no_network(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    (note,) = actual(stack()).notes
    assert "(EndpointConnectionError)" in note


def test_no_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    client.cache_clear()
    monkeypatch.setitem(sys.modules, "boto3", None)
    (note,) = actual(stack()).notes
    assert "(boto3 is not installed)" in note


def test_a_resource_has_none(aws: Aws) -> None:
    assert actual(read(event("resource"))) == Actual()
    assert aws.calls == []
