"""Combinations and values that AWS refuses when it creates a trail.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html (errors),
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudtrail-trail.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Unknown, Value
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, boolean, is_empty, no, unknown, unset, yes
from trailguard.trails.facts.lists import apart, by_item
from trailguard.trails.recording.forms import forms
from trailguard.trails.recording.selectors import SELECTORS
from trailguard.trails.whole import texts, wellformed

MAX_SELECTORS = 5
MAX_DATA_RESOURCES = 250
MAX_ADVANCED_VALUES = 500


def required_properties(scenario: Scenario, trail: Resource) -> Fact:
    """Whether S3BucketName and IsLogging are set."""
    for name in ("S3BucketName", "IsLogging"):
        if is_empty(scenario.value_of(trail, name)):
            because = f"{trail.id} does not set {name}, which CloudFormation requires"
            return unset(no(trail.key, because), trail, name)
    return yes(trail.key, f"{trail.id} sets S3BucketName and IsLogging")


def global_events(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a multi-Region trail includes global service events, without which CloudTrail refuses it."""
    multi = scenario.value_of(trail, "IsMultiRegionTrail")
    events = scenario.value_of(trail, "IncludeGlobalServiceEvents")
    is_multi = boolean(scenario, multi)
    fine = yes(trail.key, f"{trail.id} includes global service events, or is not a multi-Region trail")
    if is_multi in (None, False) or isinstance(is_multi, str):
        return fine
    included = boolean(scenario, events)
    if included is True:
        return fine
    if isinstance(is_multi, Unknown):
        return unknown(multi.node, is_multi.reason)
    if isinstance(included, Unknown):
        return unknown(events.node, included.reason)
    if included is None:
        because = (
            f"{trail.id} is a multi-Region trail and does not set IncludeGlobalServiceEvents, which CloudFormation "
            "then takes as false"
        )
        return unset(no(multi.node, because), trail, "IncludeGlobalServiceEvents")
    because = f"{trail.id} is a multi-Region trail, but IncludeGlobalServiceEvents is false"
    return no(events.node, because).from_(events.node, "IncludeGlobalServiceEvents is false")


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


_TRUTH: Mapping[str, object] = {"type": "boolean"}
_NAMES: Mapping[str, object] = {"type": "array", "items": {"type": "string"}}
_SELECTORS = dict.fromkeys(SELECTORS, False)  # one more can only bring in a fault


def _spec(build: Callable[..., Fact], description: str) -> FactSpec:
    return FactSpec(apart(f"{build.__module__}.{build.__name__}", build), _TRUTH, description)


def _of_selectors(build: Callable[..., Fact], description: str) -> FactSpec:
    fact = by_item(build, _SELECTORS)
    return FactSpec(apart(f"{build.__module__}.{build.__name__}", fact), _TRUTH, description)


FACTS: Mapping[str, FactSpec] = {
    "valid.properties": FactSpec(
        wellformed.property_names,
        _NAMES,
        "the first property, on any level, that a trail does not have; an empty list when there is none",
        takes_wanted=True,
    ),
    "valid.required": _spec(required_properties, "S3BucketName and IsLogging are set"),
    "valid.values": FactSpec(wellformed.values, _TRUTH, "every property, on any level, holds what it takes"),
    "valid.global_events": _spec(global_events, "a multi-Region trail includes global service events"),
    "valid.selectors": _of_selectors(selector_kinds, "one kind of event selectors, within the limits"),
    "valid.selector_forms": _of_selectors(forms, "no event selector has a form that CloudTrail refuses"),
    "valid.cloudwatch_pair": _spec(cloudwatch_pair, "log group and role are set both or neither"),
    "valid.names": FactSpec(texts.names, _TRUTH, "names where names go, ARNs where ARNs go, as AWS takes them"),
    "valid.trail_name": _spec(texts.trail_name, "the trail's name is one that CloudTrail accepts"),
    "valid.name_of_its_own": _spec(texts.name_of_its_own, "no earlier trail of the template has the trail's name"),
}
