"""Reads deployed stacks: their templates, the parameters that they were deployed with, and what they export.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.asking import Gone, Refused
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part
from trailguard.cloudformation.source.nodes import SourceError, plain
from trailguard.cloudformation.source.reading import parse

_HIDDEN = "****"  # what stands for the value of a NoEcho parameter
_UNMADE = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")  # of a change set that was not executed; deleted while we read
_MISSING = ("ValidationError",)  # "Stack with id … does not exist"
_STACKS = KINDS["stacks"].types
_NESTED = "AWS::CloudFormation::Stack"
# A trail has to do with these. What stacks say of others is neither needed nor kept: it may hold secrets.
TYPES = frozenset(
    {
        *(each for kind in KINDS.values() for each in kind.types),
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        "AWS::SNS::TopicInlinePolicy",
        _NESTED,
    }
)
_KEPT = ("Type", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy")  # of a resource of another type


def read(part: Part) -> None:
    """Read the exports of this account and Region, and the stacks that hold something a trail has to do with."""
    for read_some in (_exports, _stacks):
        try:
            read_some(part)
        except Refused as error:
            part.note(error)
            part.lacks(_STACKS, error.reason)


def _exports(part: Part) -> None:
    part.exports += (
        {
            "account": part.account,
            "region": part.region,
            "name": export["Name"],
            "value": export["Value"],
            "stack": _name(export["ExportingStackId"]),
        }
        for export in part.items("cloudformation:ListExports", "Exports")
        if part.wanted is None or part.wanted.takes(export["Name"])
    )


def _stacks(part: Part) -> None:
    told = list(part.items("cloudformation:DescribeStacks", "Stacks"))
    made = [stack for stack in told if stack["StackStatus"] not in _UNMADE]
    part.stacks += part.asker.each(lambda stack: _stack(part, stack), made)


def _name(stack_id: str) -> str:
    return stack_id.split("/")[1] if "/" in stack_id else stack_id


def _stack(part: Part, told: dict[str, Any]) -> list[dict[str, Any]]:
    """A stack that holds something of interest."""
    name, arn = told["StackName"], told["StackId"]
    try:
        resources = [
            (item["ResourceType"], item.get("PhysicalResourceId", ""), item["LogicalResourceId"])
            for item in part.items("cloudformation:ListStackResources", "StackResourceSummaries", arn, StackName=name)
            if item["ResourceType"] in TYPES and item.get("ResourceStatus") != "DELETE_COMPLETE"
        ]
        ids = ((logical_id, kind) for kind, _, logical_id in resources)
        if not resources or not (part.wanted is None or part.wanted.makes(ids)):
            return []
        answer = part.ask("cloudformation:GetTemplate", arn, StackName=name, TemplateStage="Processed")
    except Gone:
        return []
    except Refused as error:
        if error.refusal.code not in _MISSING:
            part.note(error)
            part.lacks(_STACKS, f"{error.reason} for {name}")
        return []
    body = template(answer["TemplateBody"])
    if body is None:
        part.lacks(_STACKS, f"the template of {name} cannot be read")
        return []
    hidden = _drop_secrets(body)
    given = {each["ParameterKey"]: each for each in told.get("Parameters") or ()}
    values = {
        key: str(each.get("ResolvedValue", each.get("ParameterValue", "")))
        for key, each in sorted(given.items())
        if key not in hidden and each.get("ParameterValue") != _HIDDEN
    }
    return [{"name": name, "arn": arn, "parameters": values, "resources": sorted(resources), "template": body}]


def template(body: Any) -> dict[str, Any] | None:
    """A template as plain data, its short tags written in full; None for a text that cannot be read."""
    if not isinstance(body, str):
        return dict(body)
    try:
        found = plain(parse(body.encode()).root)
    except SourceError:
        return None
    return found if isinstance(found, dict) else None


def _drop_secrets(body: dict[str, Any]) -> set[str]:
    """Take out of a template what may hold secrets; gives the names of its NoEcho parameters."""
    hidden = set()
    for name, parameter in (body.get("Parameters") or {}).items():
        if isinstance(parameter, dict) and str(parameter.get("NoEcho", "")).lower() == "true":
            parameter.pop("Default", None)
            hidden.add(name)
    resources = body.get("Resources") or {}
    for name, resource in resources.items():
        if isinstance(resource, dict) and resource.get("Type") not in TYPES:
            resources[name] = {key: resource[key] for key in _KEPT if key in resource}
        elif isinstance(resource, dict) and resource.get("Type") == _NESTED:
            _drop_texts(resource)
    return hidden


def _drop_texts(nested: dict[str, Any]) -> None:
    """Take out the texts that a stack hands to a nested one, which may mark them NoEcho: that has its own values."""
    properties = nested.get("Properties")
    if isinstance(properties, dict) and isinstance(handed := properties.get("Parameters"), dict):
        properties["Parameters"] = {key: value for key, value in handed.items() if isinstance(value, dict)}
