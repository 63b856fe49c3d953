"""Event selectors that CloudTrail refuses: each by itself is well-formed, but says what no trail can record.

What CloudFormation takes at all (lists, words, Booleans) is another matter; a value that is not known is taken to be
right.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html, API_EventSelector.html,
API_AdvancedEventSelector.html, API_AdvancedFieldSelector.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Pieces, Value, text_of
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.errors import nearest
from trailguard.trails.facts.facts import Fact, boolean, no, unknown, yes
from trailguard.trails.facts.names import HOLE, OPEN, spelt
from trailguard.trails.facts.spelling import brief, either, short, sub_missing, try_faulty
from trailguard.trails.recording.selectors import ADVANCED, BASIC, DATA, EXCLUDABLE, MANAGEMENT, NETWORK

_CATEGORY, _READ_ONLY, _TYPE = "eventCategory", "readOnly", "resources.type"
_SOURCE, _ERROR = "eventSource", "errorCode"
_OPERATORS = ("Equals", "NotEquals", "StartsWith", "NotStartsWith", "EndsWith", "NotEndsWith")


class _Category(NamedTuple):
    """What a selector of a category may filter by, and what it must; `called` are its events."""

    called: str
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()


_CATEGORIES: Mapping[str, _Category] = {
    MANAGEMENT: _Category("management events", (_CATEGORY, _READ_ONLY, _SOURCE)),
    DATA: _Category(
        "data events",
        (
            _CATEGORY, _TYPE, _READ_ONLY, "eventName", _SOURCE, "eventType", "resources.ARN",
            "sessionCredentialFromConsole", "userIdentity.arn",
        ),
        (_TYPE,),
    ),
    NETWORK: _Category(
        "network activity events", (_CATEGORY, _SOURCE, "eventName", _ERROR, "vpcEndpointId"), (_SOURCE,)
    ),
}  # fmt: skip
FIELDS = tuple(dict.fromkeys(field for category in _CATEGORIES.values() for field in category.fields))
_ONLY_EQUALS = (_CATEGORY, _READ_ONLY, _TYPE)
_ONE_VALUE = (_CATEGORY, _TYPE)

# The values of data resources, by the type of these; a part that is not known may be any name.
_NAME = rf"[^:/*?{HOLE}]"
_PART = rf"(?:{_NAME}|{HOLE})"
_VALUES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "AWS::S3::Object": (
        re.compile(rf"arn:{_PART}+:s3(?::::(?:{_PART}+/.*)?)?", re.DOTALL),
        "it takes arn:aws:s3 for all buckets, or the ARN of one bucket without a wildcard, then / and a prefix",
    ),
    "AWS::Lambda::Function": (
        re.compile(rf"arn:{_PART}+:lambda(?::{_PART}+:{_PART}+:function:{_PART}+(?::{_PART}+)?)?"),
        "it takes arn:aws:lambda for all functions, or the ARN of one, without a wildcard",
    ),
    "AWS::DynamoDB::Table": (
        re.compile(rf"arn:{_PART}+:dynamodb(?::{_PART}+:{_PART}+:table/{_PART}+)?"),
        "it takes arn:aws:dynamodb for all tables, or the ARN of one, without a wildcard",
    ),
}
# What an open end of a value may be, in each way in which that can matter.
_ENDS = (
    "", HOLE, f"{HOLE}/", f"::{HOLE}/", f":::{HOLE}/", "s3", "lambda", "dynamodb",
    f"function:{HOLE}", f"{HOLE}:function:{HOLE}", f"{HOLE}:{HOLE}:function:{HOLE}",
    f"table/{HOLE}", f"{HOLE}:table/{HOLE}", f"{HOLE}:{HOLE}:table/{HOLE}",
)  # fmt: skip


class _Refusal(NamedTuple):
    """Why a selector is refused, and where that stands; with a `doubt`, it may be refused."""

    node: Node
    because: str
    doubt: str = ""


def forms(scenario: Scenario, trail: Resource) -> Fact:
    """Whether every event selector has a form that CloudTrail takes. The first that has none decides."""
    doubt: _Refusal | None = None
    for name, refused in ((ADVANCED, _advanced), (BASIC, _basic)):
        value = scenario.value_of(trail, name)
        for item in value.items if isinstance(value, ListValue) else ():
            for refusal in refused(scenario, item) if isinstance(item, MapValue) else ():
                if not refusal.doubt:
                    return no(refusal.node, f"{name} of {trail.id}: {refusal.because}")
                doubt = doubt or refusal
    if doubt is not None:
        return unknown(doubt.node, doubt.doubt, doubt.because)
    return yes(trail.key, f"the event selectors of {trail.id} have forms that CloudTrail takes")


# --- basic selectors --------------------------------------------------------------------------------------------------


def _basic(scenario: Scenario, selector: MapValue) -> Iterator[_Refusal]:
    resources = selector.entries.get("DataResources")
    for resource in resources.items if isinstance(resources, ListValue) else ():
        if isinstance(resource, MapValue):
            yield from _data_resource(scenario, resource)
    excluded = selector.entries.get("ExcludeManagementEventSources")
    included = selector.entries.get("IncludeManagementEvents")
    if not isinstance(excluded, ListValue) or not excluded.items or included is None:
        return
    if boolean(scenario, included) is False:
        because = "ExcludeManagementEventSources is set, and IncludeManagementEvents is false"
        yield _Refusal(excluded.node, f"{because}: what is not recorded cannot be excluded")


def _data_resource(scenario: Scenario, resource: MapValue) -> Iterator[_Refusal]:
    values = resource.entries.get("Values")
    kind = text_of(resource.entries.get("Type", resource))
    if not isinstance(values, ListValue) or kind is None or not values.items:
        return
    if kind.literal is None:
        try_faulty(scenario, kind, lambda _: "each type takes other values")
    taken = _VALUES.get(kind.literal or "")
    if taken is None:
        return

    def fault_of(pieces: Pieces) -> str | None:
        return None if _may_match(pieces, taken[0]) else taken[1]

    for value in values.items:
        text = text_of(value)
        if text is None:
            continue
        fault = fault_of(text.pieces)
        if fault is not None:
            because = f'"{brief(text)}" is not a value of a data resource of {kind.literal}: {fault}{sub_missing(text)}'
            yield _Refusal(value.node, because)
        else:
            try_faulty(scenario, text, fault_of)


def _may_match(pieces: Pieces, pattern: re.Pattern[str]) -> bool:
    """Tell whether a text may match. What is open at an end of it may be anything, elsewhere it is a name."""
    text = spelt(pieces)
    if text.startswith(OPEN):
        return True
    ends = _ENDS if text.endswith(OPEN) else ("",)
    known = text.removesuffix(OPEN).replace(OPEN, HOLE)
    return any(pattern.fullmatch(known + end) is not None for end in ends)


# --- advanced selectors -----------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """A field selector: the field, what stands beside it by operator, and where."""

    name: str
    operators: Mapping[str, Value]
    node: Node


def _advanced(scenario: Scenario, selector: MapValue) -> Iterator[_Refusal]:
    listed = selector.entries.get("FieldSelectors")
    fields: list[_Field] = []
    complete = isinstance(listed, ListValue)  # every field is known
    for item in listed.items if isinstance(listed, ListValue) else ():
        field = _field(scenario, item)
        if field is None:
            complete = False
        else:
            fields.append(field)
    for field in fields:
        yield from _operators(field)
    named = next((field for field in fields if field.name == _CATEGORY), None)
    if named is None:
        if complete and fields:
            yield _Refusal(selector.node, f"a selector has no field {_CATEGORY}, which every one needs")
        return
    category = _one_text(scenario, named)
    if category is None:
        return
    if category not in _CATEGORIES:
        yield _Refusal(named.node, f'{_CATEGORY} is "{category}", which is not {either(tuple(_CATEGORIES))}')
        return
    yield from _in_category(scenario, category, fields, selector.node if complete else None)


def _field(scenario: Scenario, item: Value) -> _Field | None:
    """A field selector; None when its field is not known."""
    field = item.entries.get("Field") if isinstance(item, MapValue) else None
    text = None if field is None else text_of(field)
    if not isinstance(item, MapValue) or text is None:
        return None
    try_faulty(scenario, text, lambda _: "each field takes other operators")
    if text.literal is None:
        return None
    operators = {name: value for name, value in item.entries.items() if name in _OPERATORS}
    return _Field(text.literal, operators, item.node)


def _operators(field: _Field) -> Iterator[_Refusal]:
    """What is wrong with the field and its operators, whatever the category."""
    if field.name not in FIELDS:
        name = short(field.name)
        near = nearest(name, FIELDS, 0.75)
        because = f"{name} is not a field that a trail can select events by"
        if near is not None:
            yield _Refusal(field.node, f"{because}; did you mean {near}?")
        else:
            doubt = f"CloudTrail did not document a field {name} by October 2026; see whether it does now"
            yield _Refusal(field.node, f"whether trails select events by a field {name} is not known", doubt)
        return
    other = next((name for name in field.operators if name != "Equals"), None)
    if field.name in _ONLY_EQUALS and other is not None:
        yield _Refusal(field.node, f"{field.name} takes Equals only, and not {other}")
    values = field.operators.get("Equals")
    if field.name in _ONE_VALUE and isinstance(values, ListValue) and len(values.items) > 1:
        yield _Refusal(values.node, f"{field.name} takes one value; give each its own selector")


def _in_category(scenario: Scenario, category: str, fields: list[_Field], selector: Node | None) -> Iterator[_Refusal]:
    """What is wrong with the fields of a selector of a category. The selector is given if it has no other fields."""
    called, known, required = _CATEGORIES[category]
    for field in fields:
        if field.name not in known and field.name in FIELDS:
            others = "" if category != MANAGEMENT else "; only event data stores do"
            yield _Refusal(field.node, f"a selector of {called} does not take the field {field.name}{others}")
        elif field.name == _READ_ONLY:
            yield from _among(scenario, field, "Equals", ("true", "false"))
        elif field.name == _ERROR:
            yield from _among(scenario, field, "Equals", ("VpceAccessDenied",))
        elif field.name == _SOURCE and category == MANAGEMENT:
            other = next((name for name in field.operators if name != "NotEquals"), None)
            if other is not None:
                yield _Refusal(field.node, f"{_SOURCE} takes NotEquals only in a selector of {called}, and not {other}")
            yield from _among(scenario, field, "NotEquals", EXCLUDABLE)
    names = [field.name for field in fields]
    missing = next((name for name in required if name not in names), None)
    if missing is not None and selector is not None:
        yield _Refusal(selector, f"a selector of {called} has no field {missing}, which it needs")


def _among(scenario: Scenario, field: _Field, operator: str, known: tuple[str, ...]) -> Iterator[_Refusal]:
    """What is wrong with the values of an operator that takes a few only."""

    def fault_of(pieces: Pieces) -> str | None:
        is_literal = all(isinstance(piece, str) for piece in pieces)
        return "not among them" if is_literal and "".join(map(str, pieces)) not in known else None

    values = field.operators.get(operator)
    for value in values.items if isinstance(values, ListValue) else ():
        text = text_of(value)
        if text is None:
            continue
        if fault_of(text.pieces) is not None:
            yield _Refusal(value.node, f'{field.name} is "{brief(text)}", which is not {either(known)}')
        else:
            try_faulty(scenario, text, fault_of)


def _one_text(scenario: Scenario, field: _Field) -> str | None:
    """The one value that a field must equal; None when it is not known, or not one."""
    values = field.operators.get("Equals")
    text = text_of(values.items[0]) if isinstance(values, ListValue) and len(values.items) == 1 else None
    if text is None:
        return None
    try_faulty(scenario, text, lambda _: "each category takes other fields")
    return text.literal
