"""Gives event selectors a form that CloudTrail takes, where it is clear what they are to select.

Sources: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html,
API_EventSelector.html and API_AdvancedFieldSelector.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Text, Value, text_of
from trailguard.cloudformation.source.changes import Append, At, Data, Remove, Rename, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import function_of
from trailguard.errors import nearest
from trailguard.trails.facts.repairs import Fault, Repair, decided
from trailguard.trails.recording.forms import FIELDS
from trailguard.trails.recording.selectors import ADVANCED, BASIC, DATA, MANAGEMENT, NETWORK

_CATEGORIES = (MANAGEMENT, DATA, NETWORK)
_TRUTHS = {"yes": "true", "on": "true", "True": "true", "no": "false", "off": "false", "False": "false"}
_OTHER = {"true": "false", "false": "true"}
# An ARN up to its service, whatever follows.
_HEAD = re.compile(r"(arn:(?:\$\{AWS::Partition\}|[a-z-]+):(?:s3|lambda|dynamodb))\b(.*)", re.DOTALL)
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]+[a-z0-9]")
_BUCKET = re.compile(r":::[^/*]+")
_ALL = {
    "AWS::S3::Object": "arn:${AWS::Partition}:s3",
    "AWS::Lambda::Function": "arn:${AWS::Partition}:lambda",
    "AWS::DynamoDB::Table": "arn:${AWS::Partition}:dynamodb",
}
_MORE = "the selector then records more events"


class _Field(NamedTuple):
    """A field selector in its selector, with the name of the field."""

    name: str
    value: MapValue
    selector: MapValue


def forms(fault: Fault) -> Iterator[Repair]:
    """Correct the selector at fault."""
    scenario, trail, node = fault.scenario, fault.resource, fault.found.node
    for name, correct in ((ADVANCED, _advanced), (BASIC, _basic)):
        value = scenario.value_of(trail, name)
        for item in value.items if isinstance(value, ListValue) else ():
            if isinstance(item, MapValue):
                yield from correct(fault, item, node)


# --- basic selectors --------------------------------------------------------------------------------------------------


def _basic(fault: Fault, selector: MapValue, node: Node) -> Iterator[Repair]:
    excluded = selector.entries.get("ExcludeManagementEventSources")
    if excluded is not None and excluded.node is node:
        key = selector.keys["ExcludeManagementEventSources"]
        yield Repair("Remove ExcludeManagementEventSources", (Remove(at(key)),))
    resources = selector.entries.get("DataResources")
    for resource in resources.items if isinstance(resources, ListValue) else ():
        if not isinstance(resource, MapValue):
            continue
        kind = text_of(resource.entries.get("Type", resource))
        values = resource.entries.get("Values")
        for value in values.items if isinstance(values, ListValue) else ():
            if value.node is node and kind is not None and kind.literal in _ALL:
                yield from _data_resource(fault, kind.literal or "", node)


def _data_resource(fault: Fault, kind: str, node: Node) -> Iterator[Repair]:
    """Correct the value of a data resource: an ARN of one thing, of all of a bucket, or of all that there is."""
    call = function_of(node)
    text = call[1] if call is not None and call[0] == "Fn::Sub" else node
    resolved = text_of(fault.scenario.resolve(node))
    named = (resolved.literal or "").rstrip("/*") if resolved is not None else ""
    bucket = fault.scenario.model.template.resources.get(named)
    if bucket is not None and bucket.type == "AWS::S3::Bucket" and kind == "AWS::S3::Object":
        yield Repair(f"Select all of {named}", (Replace(at(node), {"Fn::Sub": "${" + named + ".Arn}/"}),))
        return
    if not isinstance(text, TextNode):
        made = _reference(fault, kind, call) if call is not None else None
        if made is not None:
            yield Repair(f"Select {made}", (Replace(at(node), {"Fn::Sub": made}),), decided(fault.scenario, node))
        return
    spelt = bare(text.value)
    corrected = _corrected(kind, spelt) or spelt
    if corrected != spelt or ("${" in spelt and call is None):
        is_filled = "${" in corrected
        where = text if is_filled == (call is not None) else node
        value: Data = {"Fn::Sub": corrected} if is_filled and call is None else corrected
        yield Repair(f"Select {corrected}", (Replace(at(where), value),))


def _reference(fault: Fault, kind: str, call: tuple[str, Node]) -> str | None:
    """The ARN of the function, or of all in the bucket, that a reference means."""
    template = fault.scenario.model.template
    parts = (
        [item.value for item in call[1].items if isinstance(item, TextNode)] if isinstance(call[1], ListNode) else []
    )
    parts = parts or (call[1].value.split(".", 1) if isinstance(call[1], TextNode) else [])
    if not parts:
        return None
    name = bare(parts[0])
    parameter = template.parameters.get(parts[0])
    if parameter is not None and kind == "AWS::S3::Object":
        found = _HEAD.fullmatch(parameter.default or "")
        return "${" + name + "}/" if found is not None and _BUCKET.fullmatch(found[2]) else None
    made = template.resources.get(parts[0])
    if made is not None and call[0] == "Ref" and made.type == kind:
        return "${" + name + ".Arn}"
    if made is None or made.type != "AWS::S3::Bucket" or kind != "AWS::S3::Object":
        return None
    return "arn:${AWS::Partition}:s3:::${" + name + "}/" if call[0] == "Ref" else "${" + name + ".Arn}/"


def _corrected(kind: str, spelt: str) -> str | None:
    """The value that is meant by one that CloudTrail does not take."""
    if spelt in ("*", "arn:*", "arn:aws:*"):
        return _ALL[kind]
    found = _HEAD.fullmatch(spelt)
    if found is None:
        is_bucket = kind == "AWS::S3::Object" and _NAME.fullmatch(spelt) is not None
        return f"arn:${{AWS::Partition}}:s3:::{spelt}/" if is_bucket else None
    head, rest = found.groups()
    if kind == "AWS::DynamoDB::Table" and ":table:" in rest:
        return head + rest.replace(":table:", ":table/")
    if kind != "AWS::S3::Object":
        return head if "*" in rest and rest.endswith((":function:*", ":table/*", ":*")) else None
    if rest.rstrip("*") in (":::", "::", ":"):
        return head
    if _BUCKET.fullmatch(rest):
        return f"{head}{rest}/"
    return head + rest.rstrip("*") if rest.endswith("/*") and "*" not in rest[:-1] else None


# --- advanced selectors -----------------------------------------------------------------------------------------------


def _advanced(_: Fault, selector: MapValue, node: Node) -> Iterator[Repair]:
    listed = selector.entries.get("FieldSelectors")
    items = listed.items if isinstance(listed, ListValue) else ()
    fields = [
        _Field(_literal(item.entries.get("Field")), item, selector) for item in items if isinstance(item, MapValue)
    ]
    names = [field.name for field in fields]
    if selector.node is node and isinstance(listed, ListValue) and isinstance(listed.node, ListNode):
        if "eventCategory" not in names:
            category = DATA if any(name.startswith("resources.") for name in names) else MANAGEMENT
            more: Data = {"Field": "eventCategory", "Equals": [category]}
            yield Repair(f"Let the selector take events of category {category}", (Append(at(listed.node), (), more),))
        return
    for field in fields:
        yield from _field(field, node, isinstance(listed, ListValue) and isinstance(listed.node, ListNode))


def _literal(value: Value | None) -> str:
    text = None if value is None else text_of(value)
    return (text.literal or "") if text is not None else ""


def _field(field: _Field, node: Node, in_list: bool) -> Iterator[Repair]:
    """Correct a field selector, or a value in it."""
    for operator, value in field.value.entries.items():
        for item in value.items if isinstance(value, ListValue) else ():
            if item.node is node and isinstance(item, Text) and isinstance(node, TextNode):
                yield from _value(field, operator, item.literal or "", node, value)
    if field.value.node is not node:
        return
    named = field.value.entries.get("Field")
    near = nearest(field.name, FIELDS, 0.75) if field.name not in FIELDS else None
    if near is not None and named is not None:
        yield Repair(f"Set Field to {near}", (Replace(at(named.node), near),))
        return
    if field.name == "readOnly" and "NotEquals" in field.value.entries:
        values = field.value.entries["NotEquals"]
        told = [_literal(item) for item in values.items] if isinstance(values, ListValue) else []
        if len(told) == 1 and told[0] in _OTHER:
            change = (
                Rename(at(field.value.keys["NotEquals"]), "Equals"),
                Replace(at(values.node), [_OTHER[told[0]]]),
            )
            yield Repair(f"Let readOnly equal {_OTHER[told[0]]}", change)
        return
    if field.name == "eventCategory":
        category = _category(field)
        if category is not None:
            yield category
    elif in_list and isinstance(field.value.node, MapNode):
        yield Repair(f"Remove the field selector on {field.name}", (Remove(at(field.value.node)),), _MORE)


def _category(field: _Field) -> Repair | None:
    """The category that is meant by a word that is none."""
    values = field.value.entries.get("Equals")
    item = values.items[0] if isinstance(values, ListValue) and len(values.items) == 1 else None
    if item is None or not isinstance(item.node, TextNode):
        return None
    folded = {name.lower(): name for name in _CATEGORIES}
    spelt = _literal(item)
    near = folded.get(spelt.lower()) or nearest(spelt, _CATEGORIES, 0.6)
    return None if near is None or near == spelt else Repair(f"Set it to {near}", (Replace(at(item.node), near),))


def _value(field: _Field, operator: str, spelt: str, node: TextNode, values: Value) -> Iterator[Repair]:
    """Correct one value of an operator."""
    if field.name == "readOnly":
        near = _TRUTHS.get(spelt) or _TRUTHS.get(spelt.lower())
        if near is not None:
            yield Repair(f"Set readOnly to {near}", (Replace(at(node), near),))
    elif field.name == "errorCode":
        yield Repair("Set errorCode to VpceAccessDenied", (Replace(at(node), "VpceAccessDenied"),))
    elif field.name == "eventSource" and operator == "NotEquals" and isinstance(values, ListValue):
        whole: At = at(node if len(values.items) > 1 else field.value.node)
        yield Repair(f"Do not exclude {spelt}", (Remove(whole),), _MORE)
