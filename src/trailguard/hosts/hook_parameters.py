"""The values that the parameters of a stack have in a deployment, as CloudFormation itself tells them.

The payload of a Hook has no parameters, so that they are asked for: the change set's where one is made or carried out,
else the stack's. What a Hook sees is what DescribeChangeSet and DescribeStacks give at this moment:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from trailguard.cloudformation.source.letters import RESOLVED
from trailguard.hosts.hook_event import Event

# What stands for the value of a parameter with NoEcho.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
_MASKED = "****"
# While a stack is in one of these, its parameters are those of what is going on; before, they are those of what was.
_UNDER_WAY = {"create": ("CREATE_IN_PROGRESS",), "update": ("UPDATE_IN_PROGRESS",)}
_FREE = "judged for every value that the template allows"


class Actual(NamedTuple):
    """The values of a deployment's parameters as far as they are known, and what is to be said of the others.

    Without `is_known` there are some of which somebody else may believe to know more, from before.
    """

    values: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    is_known: bool = True


class _Unknown(Exception):
    """Why parameters are not known."""


@cache
def client(service: str, region: str | None) -> Any:
    """A client of an AWS service, which does not wait for long; raises ImportError without boto3, which Lambda has."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client(service, region_name=region, config=config)


def reason_of(error: Exception) -> str:
    """Why AWS gave no answer, in a few words that hold no secret."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = response.get("Error", {}).get("Code")
        return f"{getattr(error, 'operation_name', 'the call')} was answered with {code or 'an error'}"
    return "boto3 is not installed" if isinstance(error, ImportError) else type(error).__name__


def actual(event: Event) -> Actual:
    """The parameters of a deployment. Never raises: what cannot be had is said, and is then free.

    A value that is masked (NoEcho) is left free. One that the stack keeps (UsePreviousValue) is the stack's.
    """
    if event.target == "RESOURCE":  # CloudFormation has filled them in
        return Actual()
    try:
        return _told(_listed(event), event)
    except _Unknown as why:
        return _nothing(str(why))
    except Exception as error:  # botocore has no base of all its errors but this one
        return _nothing(reason_of(error))


def _nothing(why: str) -> Actual:
    return Actual({}, (f"the parameters of this deployment are not known ({why}): {_FREE}",), is_known=False)


def _listed(event: Event) -> list[Mapping[str, Any]]:
    """The list of parameters of what is going on."""
    cloudformation = client("cloudformation", event.region)
    if event.change_set:
        try:
            found: list[Mapping[str, Any]] = cloudformation.describe_change_set(ChangeSetName=event.change_set).get(
                "Parameters", []
            )
            return found
        except cloudformation.exceptions.ChangeSetNotFoundException:
            if event.target == "CHANGE_SET":
                raise
    stack = _stack(event)
    status = stack.get("StackStatus", "")
    if status not in _UNDER_WAY.get(event.operation, ()):
        raise _Unknown(f"the stack is in {status or 'no state'}, and shows those that it had before")
    return list(stack.get("Parameters", []))


def _stack(event: Event) -> Mapping[str, Any]:
    stacks = client("cloudformation", event.region).describe_stacks(StackName=event.stack_id or event.stack)["Stacks"]
    if not stacks:
        raise _Unknown("the stack is not there")
    found: Mapping[str, Any] = stacks[0]
    return found


class _Sorted(NamedTuple):
    """A list of parameters: the values that it shows, and the names of those that it hides or leaves as they are."""

    values: dict[str, str]
    masked: list[str]
    kept: list[str]


def _sorted(listed: Iterable[Mapping[str, Any]]) -> _Sorted:
    found = _Sorted({}, [], [])
    for item in sorted(listed, key=lambda one: str(one.get("ParameterKey"))):
        key, value, resolved = item.get("ParameterKey", ""), item.get("ParameterValue"), item.get("ResolvedValue")
        if resolved is not None:  # it is read from the parameter store, where its value is the name
            found.values[key] = RESOLVED + resolved
        elif value == _MASKED:
            found.masked.append(key)
        elif value is not None:
            found.values[key] = value
        elif item.get("UsePreviousValue"):
            found.kept.append(key)
    return found


def _told(listed: Iterable[Mapping[str, Any]], event: Event) -> Actual:
    values, masked, kept = _sorted(listed)
    notes = [f"NoEcho hides the value of {', '.join(masked)}: {_FREE}"] if masked else []
    if not kept:
        return Actual(values, tuple(notes))
    before = _before(kept, event)
    return Actual({**values, **before.values}, (*notes, *before.notes), before.is_known)


def _before(wanted: Iterable[str], event: Event) -> Actual:
    """The values that the stack keeps, and what is to be said of those that it does not show."""
    has: dict[str, str] = {}
    why, is_known = "NoEcho", True
    try:
        has = _sorted(_stack(event).get("Parameters", [])).values
    except Exception as error:  # as above
        why, is_known = str(error) if isinstance(error, _Unknown) else reason_of(error), False
    lost = [key for key in wanted if key not in has]
    note = f"the stack keeps the value of {', '.join(lost)}, which is not known ({why}): {_FREE}"
    return Actual({key: has[key] for key in wanted if key in has}, (note,) if lost else (), is_known)
