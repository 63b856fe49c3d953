"""The subjects that rules are about, and the facts that can be known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from trailguard.cloudformation import source
from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.template import Resource
from trailguard.trails import delivery, ordering, selectors, validity
from trailguard.trails.facts import Fact, FactSpec, property_fact

TRAIL = "AWS::CloudTrail::Trail"

# The subjects with a name of their own; any other resource type can be a subject too.
DEFAULT_SUBJECTS: Mapping[str, str] = {
    "trail": TRAIL,
    "event_data_store": "AWS::CloudTrail::EventDataStore",
    "bucket": "AWS::S3::Bucket",
    "key": "AWS::KMS::Key",
    "log_group": "AWS::Logs::LogGroup",
    "topic": "AWS::SNS::Topic",
}

PROPERTY = "properties."

# Boolean properties: what they mean when they are not set, and how to say so.
_NOT_SET = "which means false"
DEFAULTS: Mapping[str, Mapping[str, tuple[bool, str]]] = {
    TRAIL: {
        "IsLogging": (False, "which CloudFormation requires"),
        "IsMultiRegionTrail": (False, _NOT_SET),
        "IncludeGlobalServiceEvents": (False, "and CloudFormation then acts as if it were false"),
        "EnableLogFileValidation": (False, _NOT_SET),
        "IsOrganizationTrail": (False, _NOT_SET),
    },
}

_TRUTH: Mapping[str, object] = {"type": "boolean"}


TRAIL_FACTS: Mapping[str, FactSpec] = {
    "management_events.complete": FactSpec(
        selectors.management_events, _TRUTH, "all management events, read and write, are recorded"
    ),
    "ordering.after_bucket_policy": FactSpec(
        ordering.after_policy, _TRUTH, "a dependency path leads from the trail to its bucket's policy"
    ),
    "valid.properties": FactSpec(validity.known_properties, _TRUTH, "every property is one that a trail has"),
    "valid.required": FactSpec(validity.required_properties, _TRUTH, "S3BucketName and IsLogging are set"),
    "valid.booleans": FactSpec(validity.booleans, _TRUTH, "every Boolean property holds a Boolean"),
    "valid.global_events": FactSpec(
        validity.global_events, _TRUTH, "a multi-Region trail includes global service events"
    ),
    "valid.selectors": FactSpec(validity.selector_kinds, _TRUTH, "one kind of event selectors, within the limits"),
    "valid.cloudwatch_pair": FactSpec(validity.cloudwatch_pair, _TRUTH, "log group and role are set both or neither"),
    "valid.insights": FactSpec(validity.insights, _TRUTH, "the events that the insights need are recorded"),
    "valid.return_values": FactSpec(validity.return_values, _TRUTH, "names where names go, ARNs where ARNs go"),
    "valid.trail_name": FactSpec(validity.trail_name, _TRUTH, "the trail's name is one that CloudTrail accepts"),
    **delivery.FACTS,
}

FACTS: Mapping[str, Mapping[str, FactSpec]] = {"trail": TRAIL_FACTS}


def resource_type(subject: str) -> str:
    """The resource type of a subject."""
    return DEFAULT_SUBJECTS.get(subject, subject)


def subject_name(kind: str) -> str:
    """The short name of a resource type as a subject, or the type itself."""
    return next((name for name, known in DEFAULT_SUBJECTS.items() if known == kind), kind)


def knows_fact(subject: str, fact: str) -> list[str] | None:
    """None when the fact can be known of the subject; else the facts that can."""
    known = FACTS.get(subject, {})
    if fact in known or (fact.startswith(PROPERTY) and fact != PROPERTY):
        return None
    return [*known, *(PROPERTY + name for name in DEFAULTS.get(resource_type(subject), ()))]


def fact_of(scenario: Scenario, resource: Resource, name: str, wanted: Sequence[str] = ()) -> Fact:
    """A fact about a resource in a scenario, worked out once."""
    key = ("fact", resource.id, name)
    known = scenario.memo.get(key)
    if known is None:
        if name.startswith(PROPERTY):
            defaults = DEFAULTS.get(resource.type, {})
            known = property_fact(scenario, resource, name[len(PROPERTY) :], defaults, wanted)
        else:
            known = FACTS[subject_name(resource.type)][name].build(scenario, resource)
        scenario.memo[key] = known
    return cast("Fact", known)


def fact_names(subject: str, resource: Resource) -> list[str]:
    """The facts that are told of a resource: its properties, those with a default too, then what is worked out."""
    body = resource.attribute("Properties")
    written = [name for name in body.keys if "::" not in name] if isinstance(body, source.Mapping) else []
    defaults = DEFAULTS.get(resource.type, {})
    properties = sorted({*written, *defaults})
    return [*(PROPERTY + name for name in properties), *FACTS.get(subject, {})]
