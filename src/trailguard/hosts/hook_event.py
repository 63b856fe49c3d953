"""What CloudFormation asks a Lambda Hook: the event, read and checked.

The pages of the user guide write some keys in two ways (`stackId` and `stackID`, `clientRequestToken` and
`clientRequesttoken`), so keys of the event itself are taken in any letter case.
Source: https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from trailguard.settings.settings import ACCOUNT_ID, PARTITION, REGION

Target: TypeAlias = Literal["STACK", "CHANGE_SET", "RESOURCE"]
Operation: TypeAlias = Literal["create", "update", "delete"]

_OPERATIONS: Mapping[str, Operation] = {
    "CREATE_PRE_PROVISION": "create", "UPDATE_PRE_PROVISION": "update", "DELETE_PRE_PROVISION": "delete",
}  # fmt: skip
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_NOTHING: Mapping[str, Any] = {}


class HookError(Exception):
    """Why a deployment cannot be judged, in words for whoever deploys it."""


class Event(NamedTuple):
    """A deployment that is about to happen.

    `account`, `region` and `partition` are None where they are not known. `stack` is the name of the stack and
    `stack_id` its ARN, both "" for a resource of the Cloud Control API. `change_set` is the ARN of the change set that
    is made or carried out, "" for none. `payload` is where the templates are to be fetched from (STACK, CHANGE_SET).
    A RESOURCE has a `kind`, which is its type, a `logical_id` and its `properties`.
    """

    token: str
    target: Target
    operation: Operation
    account: str | None = None
    region: str | None = None
    partition: str | None = None
    stack: str = ""
    stack_id: str = ""
    change_set: str = ""
    payload: str = ""
    kind: str = ""
    logical_id: str = ""
    properties: Mapping[str, Any] = _NOTHING

    @property
    def name(self) -> str:
        """What the judged template is called: the account, the Region and the stack, as in a snapshot."""
        return "/".join(filter(None, (self.account, self.region, self.stack or self.logical_id or "resource")))

    @property
    def title(self) -> str:
        """What is deployed, for people."""
        if self.target == "RESOURCE":
            inside = f" of stack {self.stack}" if self.stack else ""
            return f"{self.kind} {self.logical_id}{inside}".strip()
        return f"{'change set for stack' if self.target == 'CHANGE_SET' else 'stack'} {self.stack}"


def token_of(event: object) -> str:
    """The token of a request, by which CloudFormation knows what an answer is to; "" when it has none."""
    return _text(_lowered(event), "clientrequesttoken") if isinstance(event, dict) else ""


def read(event: object, function: str = "") -> Event:
    """Read an event. `function` is the ARN by which the function was called: it tells the Region where no stack does.

    Raises HookError for what is not an event of a Lambda Hook.
    """
    if not isinstance(event, dict):
        raise HookError("the event is not a JSON object")
    given = _lowered(event)
    data = given.get("requestdata")
    if not isinstance(data, dict):
        raise HookError("the event has no requestData: it is not one of a CloudFormation Lambda Hook")
    kind, logical_id = _text(data, "targetName"), _text(data, "targetLogicalId")
    target = _target(_text(data, "targetType"), kind)
    stack_id = _text(given, "stackid")
    place = _place(stack_id) or _place(function)
    account = _text(given, "awsaccountid")
    common = Event(
        token=token_of(event),
        target=target,
        operation=_operation(_text(given, "actioninvocationpoint"), target),
        account=account if re.fullmatch(ACCOUNT_ID, account) else place.get("account"),
        region=place.get("region") or _region(os.environ.get("AWS_REGION", "")),
        partition=place.get("partition"),
        stack=_stack_name(stack_id, logical_id if target == "STACK" else ""),
        stack_id=stack_id,
        change_set=_text(given, "changesetid") or (logical_id if ":changeSet/" in logical_id else ""),
    )
    if target == "RESOURCE":
        return _of_resource(common, data, kind, logical_id)
    payload = _text(data, "payload")
    if not payload and common.operation != "delete":
        raise HookError(f"the event of the {common.title} has no requestData.payload to fetch the template from")
    return common._replace(payload=payload)


def _of_resource(common: Event, data: Mapping[str, Any], kind: str, logical_id: str) -> Event:
    model = data.get("targetModel")
    properties = model.get("resourceProperties") if isinstance(model, dict) else None
    if common.operation != "delete" and not isinstance(properties, dict):
        raise HookError(f"the event of {kind} {logical_id} has no requestData.targetModel.resourceProperties")
    return common._replace(kind=kind, logical_id=logical_id, properties=properties or {})


def _lowered(event: Mapping[Any, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in event.items() if isinstance(key, str)}


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _target(kind: str, name: str) -> Target:
    """What is deployed. For resources CloudFormation writes their type here, the Cloud Control API "RESOURCE"."""
    if kind == "STACK":
        return "STACK"
    if kind == "CHANGE_SET":
        return "CHANGE_SET"
    if "::" in name:
        return "RESOURCE"
    raise HookError(
        f"the event is about {kind or name or 'nothing'}, which is not STACK, CHANGE_SET or a resource type"
    )


def _operation(point: str, target: Target) -> Operation:
    if not point and target == "CHANGE_SET":  # they have one point only, which not every page lists
        return "create"
    if point not in _OPERATIONS:
        raise HookError(f'the event has the invocation point "{point}", which is not one of {", ".join(_OPERATIONS)}')
    return _OPERATIONS[point]


def _place(arn: str) -> dict[str, str]:
    """The partition, Region and account in an ARN, as far as they are well-formed."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return {}
    forms = {"partition": (parts[1], PARTITION), "region": (parts[3], REGION), "account": (parts[4], ACCOUNT_ID)}
    return {key: text for key, (text, form) in forms.items() if re.fullmatch(form, text)}


def _region(text: str) -> str | None:
    return text if re.fullmatch(REGION, text) else None


def _stack_name(arn: str, name: str) -> str:
    """The name in the ARN of a stack, else the name that is given, as far as it can be one."""
    _, _, path = arn.partition(":stack/")
    found = path.partition("/")[0] or name
    return found if _STACK_NAME.fullmatch(found) else ""
