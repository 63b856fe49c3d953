"""Combinations and values that AWS refuses when it creates a trail.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html (errors),
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudtrail-trail.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    VARIABLE,
    ListValue,
    MapValue,
    Pieces,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.errors import nearest
from trailguard.trails.facts.facts import BOOLEAN_TEXTS, Fact, boolean, is_empty, no, unknown, yes
from trailguard.trails.facts.names import is_free, may_be_arn, spelt
from trailguard.trails.watching import logs
from trailguard.trails.watching.roles import may_be_role_arn

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudtrail-trail.html
PROPERTIES = (
    "AdvancedEventSelectors", "AggregationConfigurations", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn",
    "EnableLogFileValidation", "EventSelectors", "IncludeGlobalServiceEvents", "InsightSelectors", "IsLogging",
    "IsMultiRegionTrail", "IsOrganizationTrail", "KMSKeyId", "S3BucketName", "S3KeyPrefix", "SnsTopicName", "Tags",
    "TrailName",
)  # fmt: skip

# What the read side of the API, or a slip of the pen, calls a property.
_MISNOMERS = {
    "LogFileValidationEnabled": "EnableLogFileValidation",
    "CloudWatchLogsLogGroup": "CloudWatchLogsLogGroupArn",
}

_BOOLEANS = (
    "IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation", "IsOrganizationTrail",
)  # fmt: skip

MAX_SELECTORS = 5
MAX_DATA_RESOURCES = 250
MAX_ADVANCED_VALUES = 500

_TRAIL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_ADJACENT = re.compile(r"[._-]{2}")
_BAD_LETTERS = "which holds or ends in something else than letters, digits, and . _ - between them"
_SIDE_BY_SIDE = "which has two of . _ - side by side"
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def known_properties(scenario: Scenario, trail: Resource) -> Fact:
    """Whether every property is one that a trail has, spelt right."""
    properties = scenario.unwrap(trail.attribute("Properties"))
    if not isinstance(properties, MapNode):
        return yes(trail.key, f"{trail.id} has no misspelt property")
    for name, key in properties.keys.items():
        if name not in PROPERTIES and not name.startswith(("Fn::", "!")) and name != "Ref":
            near = _nearest(name)
            hint = f"; the property is called {near}" if near else ""
            return no(key, f"{name} of {trail.id} is no property of a trail{hint}")
    return yes(trail.key, f"{trail.id} has no misspelt property")


def _nearest(name: str) -> str | None:
    return _MISNOMERS.get(name) or nearest(name, PROPERTIES, 0.75)


def required_properties(scenario: Scenario, trail: Resource) -> Fact:
    """Whether S3BucketName and IsLogging are set."""
    for name in ("S3BucketName", "IsLogging"):
        if is_empty(scenario.value_of(trail, name)):
            return no(trail.key, f"{trail.id} does not set {name}, which CloudFormation requires")
    return yes(trail.key, f"{trail.id} sets S3BucketName and IsLogging")


def booleans(scenario: Scenario, trail: Resource) -> Fact:
    """Whether every Boolean property holds a Boolean."""
    for name in _BOOLEANS:
        value = scenario.value_of(trail, name)
        if isinstance(value, Text) and value.literal is None and not _may_be_no_boolean(scenario, value):
            continue
        meaning = boolean(scenario, value)
        if isinstance(meaning, str):
            return no(value.node, f'{name} of {trail.id} is "{meaning}", which is no Boolean')
    return yes(trail.key, f"the Boolean properties of {trail.id} hold Booleans")


def _may_be_no_boolean(scenario: Scenario, value: Text) -> bool:
    """Tell whether a parameter is known to take a text that is no Boolean, by its default or its allowed values."""
    symbol = value.symbols[0]
    if len(value.pieces) > 1 or symbol.kind != VARIABLE:
        return False
    variable = scenario.model.space.variables[symbol.name]
    known = variable.allowed or (() if variable.default is None else (variable.default,))
    return any(text not in BOOLEAN_TEXTS for text in known)


def global_events(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a multi-Region trail includes global service events, without which CloudTrail refuses it."""
    multi = scenario.value_of(trail, "IsMultiRegionTrail")
    events = scenario.value_of(trail, "IncludeGlobalServiceEvents")
    is_multi = boolean(scenario, multi)
    if is_multi in (None, False) or isinstance(is_multi, str):
        return yes(trail.key, f"{trail.id} is no multi-Region trail")
    included = boolean(scenario, events)
    if included is True:
        return yes(events.node, f"{trail.id} includes global service events")
    if isinstance(is_multi, Unknown):
        return unknown(multi.node, is_multi.reason)
    if isinstance(included, Unknown):
        return unknown(events.node, included.reason)
    if included is None:
        because = (
            f"{trail.id} is a multi-Region trail and does not set IncludeGlobalServiceEvents, which CloudFormation "
            "then takes as false"
        )
        return no(multi.node, because)
    return no(events.node, f"{trail.id} is a multi-Region trail, but IncludeGlobalServiceEvents is false")


def selector_kinds(scenario: Scenario, trail: Resource) -> Fact:
    """Whether at most one kind of event selectors is used, within CloudTrail's limits."""
    basic = scenario.value_of(trail, "EventSelectors")
    advanced = scenario.value_of(trail, "AdvancedEventSelectors")
    basics = basic.items if isinstance(basic, ListValue) else ()
    advanceds = advanced.items if isinstance(advanced, ListValue) else ()
    if basics and advanceds:
        because = f"{trail.id} has both EventSelectors and AdvancedEventSelectors, and CloudTrail takes only one kind"
        return no(basic.node, because, ((advanced.node, "the other kind"),))
    if len(basics) > MAX_SELECTORS:
        return no(basic.node, f"{trail.id} has {len(basics)} event selectors, and CloudTrail takes {MAX_SELECTORS}")
    resources = sum(_data_resources(item) for item in basics)
    if resources > MAX_DATA_RESOURCES:
        return no(
            basic.node, f"the selectors name {resources} data resources, and CloudTrail takes {MAX_DATA_RESOURCES}"
        )
    values = sum(_advanced_values(item) for item in advanceds)
    if values > MAX_ADVANCED_VALUES:
        return no(advanced.node, f"the selectors hold {values} values, and CloudTrail takes {MAX_ADVANCED_VALUES}")
    return yes(trail.key, f"the event selectors of {trail.id} are of one kind")


def _data_resources(selector: Value) -> int:
    items = selector.entries.get("DataResources") if isinstance(selector, MapValue) else None
    count = 0
    for item in items.items if isinstance(items, ListValue) else ():
        values = item.entries.get("Values") if isinstance(item, MapValue) else None
        count += len(values.items) if isinstance(values, ListValue) else 0
    return count


def _advanced_values(selector: Value) -> int:
    fields = selector.entries.get("FieldSelectors") if isinstance(selector, MapValue) else None
    count = 0
    for field in fields.items if isinstance(fields, ListValue) else ():
        if isinstance(field, MapValue):
            count += sum(len(value.items) for value in field.entries.values() if isinstance(value, ListValue))
    return count


def cloudwatch_pair(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the log group and the role that writes to it are set both or neither."""
    group = scenario.value_of(trail, "CloudWatchLogsLogGroupArn")
    role = scenario.value_of(trail, "CloudWatchLogsRoleArn")
    if is_empty(group) is is_empty(role):
        return yes(trail.key, f"{trail.id} sets a log group and a role, or neither")
    present, missing = ("CloudWatchLogsRoleArn", "CloudWatchLogsLogGroupArn")
    at = role
    if is_empty(role):
        present, missing, at = missing, present, group
    return no(at.node, f"{trail.id} sets {present} without {missing}, and CloudTrail takes them only together")


def return_values(scenario: Scenario, trail: Resource) -> Fact:
    """Whether each property gets what it takes: a name where a name goes, an ARN where an ARN goes."""
    for name, fault_of in _TAKEN.items():
        value = scenario.value_of(trail, name)
        text = text_of(value)
        if text is None or not text.pieces:
            continue
        fault = fault_of(text.pieces)
        if fault is not None:
            return no(value.node, f"{name} of {trail.id} is {show(text)}, {fault}{_hint(scenario, value.node, name)}")
        _try_faulty(scenario, text, fault_of)
    return yes(trail.key, f"the properties of {trail.id} get names and ARNs where they take them")


def _try_faulty(scenario: Scenario, text: Text, fault_of: Callable[[Pieces], str | None]) -> None:
    """Raise Split on the parameters that put a fault into a text with their default or one of their allowed values."""
    for symbol in filter(is_free, text.symbols):
        variable = scenario.model.space.variables[symbol.name]
        for value in variable.allowed or (variable.default,):
            put = join_pieces(value or "" if piece == symbol else piece for piece in text.pieces)
            if value is not None and put and fault_of(put) is not None:
                scenario.fix(symbol.name)


def _bucket_fault(pieces: Pieces) -> str | None:
    return "an ARN where a bucket name goes" if spelt(pieces).startswith("arn:") else None


def _log_group_fault(pieces: Pieces) -> str | None:
    fault = logs.arn_fault(pieces)
    if fault == "other":
        return "no ARN of a log group"
    if fault == "two ends":
        return 'with one ":*" too many, because the log group\'s Arn ends in it already'
    return None  # what else may be wrong with it is said where the way to the log group is judged


def _role_fault(pieces: Pieces) -> str | None:
    return None if may_be_role_arn(pieces) else "no ARN of a role"


def _key_fault(pieces: Pieces) -> str | None:
    return _other_arn(pieces, "kms", "key")


def _topic_fault(pieces: Pieces) -> str | None:
    return _other_arn(pieces, "sns", "topic")


def _other_arn(pieces: Pieces, service: str, what: str) -> str | None:
    """What is wrong with a text where a name or an ARN of a service goes: it is an ARN of another service."""
    other = spelt(pieces).startswith("arn:") and not may_be_arn(pieces, service)
    return f"the ARN of something else than a {what}" if other else None


_TAKEN: Mapping[str, Callable[[Pieces], str | None]] = {
    "S3BucketName": _bucket_fault,
    "CloudWatchLogsLogGroupArn": _log_group_fault,
    "CloudWatchLogsRoleArn": _role_fault,
    "KMSKeyId": _key_fault,
    "SnsTopicName": _topic_fault,
}


def _hint(scenario: Scenario, node: Node, name: str) -> str:
    """What to write instead of a `Ref` or `GetAtt` that returns something else."""
    function = function_of(node)
    if function is None or not isinstance(function[1], TextNode):
        return ""
    kind, target = function[0], function[1].value.partition(".")[0]
    if target in scenario.model.template.parameters:
        return ""
    if kind == "Ref" and name.endswith("Arn"):
        return f"; use !GetAtt {target}.Arn"
    if kind == "Fn::GetAtt" and name == "S3BucketName":
        return f"; use !Ref {target}"
    return ""


def trail_name(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail's name is one that CloudTrail accepts."""
    value = scenario.value_of(trail, "TrailName")
    text = text_of(value)
    if text is None:
        return yes(trail.key, f"{trail.id} has a generated name")
    symbol = text.symbols[0] if text.symbols else None
    if isinstance(symbol, Symbol) and len(text.pieces) == 1 and symbol.kind == VARIABLE:
        scenario.fix(symbol.name)
    fault = _name_fault(text.literal) if text.literal is not None else _part_fault(text)
    if fault is not None:
        return no(value.node, f'TrailName of {trail.id} is "{show(text)}", {fault}')
    return yes(value.node, f'TrailName of {trail.id} is "{show(text)}"')


def _part_fault(text: Text) -> str | None:
    """What is wrong with a name whatever its unknown parts are."""
    ends = (text.pieces[0], text.pieces[-1])
    for piece in text.pieces:
        if isinstance(piece, str):
            padded = f"{'' if piece is ends[0] else 'x'}{piece}{'' if piece is ends[1] else 'x'}"
            if not _TRAIL_NAME.fullmatch(padded):
                return _BAD_LETTERS
            if _ADJACENT.search(piece):
                return _SIDE_BY_SIDE
    return None


def _name_fault(name: str) -> str | None:
    if not 3 <= len(name) <= 128:
        return f"which is {len(name)} characters long and not 3 to 128"
    if not _TRAIL_NAME.fullmatch(name):
        return _BAD_LETTERS
    if _ADJACENT.search(name):
        return _SIDE_BY_SIDE
    if _ADDRESS.fullmatch(name):
        return "which looks like an IP address"
    return None
