"""How well an event data store of CloudTrail Lake keeps its events: its key, and for how long.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html (event data
stores), https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateEventDataStore.html (billing modes)
"""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ABSENT
from trailguard.trails.bucket.requests import service_context
from trailguard.trails.facts.facts import Fact, FactSpec, unknown, yes
from trailguard.trails.facts.properties import Wanted, property_fact
from trailguard.trails.key import keys
from trailguard.trails.key.grants import permits

# For how many days events are kept when RetentionPeriod is not set, by billing mode. The first is the default one.
DEFAULT_DAYS = {"EXTENDABLE_RETENTION_PRICING": 366, "FIXED_RETENTION_PRICING": 2557}


def usable_by_lake(scenario: Scenario, store: Resource) -> Fact:
    """Whether the key of an event data store, when it is made here, lets CloudTrail encrypt and decrypt.

    For an event data store CloudTrail sends neither aws:SourceArn nor aws:SourceAccount.
    """
    named = keys.key_of(scenario, store)
    if named is None or named.link.resource is None:
        return yes(store.key, f"{store.id} uses no key that is made here")
    context = {**service_context(store.key), "aws:sourcearn": ABSENT, "aws:sourceaccount": ABSENT}
    asked = [(action, context) for action in ("kms:GenerateDataKey", "kms:Decrypt")]
    return permits(scenario, named.link.resource, asked)


def default_days(scenario: Scenario, store: Resource) -> Fact:
    """For how many days events are kept because the template does not say; nothing when it does."""
    stated = property_fact(scenario, store, "RetentionPeriod", {})
    if stated.value is not None or stated.unknown is not None:
        return Fact(None, stated.node, f"{store.id} sets RetentionPeriod")
    mode = property_fact(scenario, store, "BillingMode", {}, Wanted(tuple(DEFAULT_DAYS)))
    if mode.unknown is not None:
        return unknown(mode.node, mode.unknown, mode.because)
    name = next(iter(DEFAULT_DAYS)) if mode.value is None else str(mode.value)
    days = DEFAULT_DAYS.get(name)
    if days is None:
        return unknown(mode.node, f"{name} is not a known billing mode", mode.because)
    return Fact(days, mode.node, f"{store.id} does not set RetentionPeriod, which means {days} days with {name}")


FACTS: Mapping[str, FactSpec] = {
    "encryption.key_set": FactSpec(
        keys.key_set, {"type": "boolean"}, "a key of the customer's own is named, in a form that CloudTrail takes"
    ),
    "key.usable_by_lake": FactSpec(
        usable_by_lake, {"type": "boolean"}, "the key's policy, when the template makes the key, lets CloudTrail use it"
    ),
    "retention.default_days": FactSpec(
        default_days, {"type": ["integer", "null"]}, "days for which events are kept when RetentionPeriod is not set"
    ),
}
