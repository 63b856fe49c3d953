"""The key of a trail: whether CloudTrail can use it when the trail is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, no, unknown, yes
from trailguard.trails.facts.links import ANY_ORDER, Link
from trailguard.trails.key import grants, keys, kinds

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_OF_KEY: Mapping[str, object] = {"type": ["boolean", "null"]}
_NO_KEY = "; null when the trail names no key of yours"


def key_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The key of a trail; None when it names none that can be a customer's own."""
    named = keys.key_of(scenario, trail)
    return None if named is None else named.link


def alias_ready(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the alias by which a trail names its key is made before the trail."""
    named = keys.key_of(scenario, trail)
    if named is None or named.alias is None:
        return yes(trail.key, f"{trail.id} names no alias that is made here")
    alias, node = named.alias, named.link.node
    if reaches(scenario, trail, alias):
        return yes(node, f"{trail.id} is created after alias {alias.id}")
    if scenario.model.stacks.meeting(trail.id, alias.id) is None:
        because = f"nothing in the templates says whether {trail.id} is created after alias {alias.id}"
        return unknown(node, ANY_ORDER, because)
    because = f"{trail.id} names alias {alias.id} as text and nothing makes it wait, so the alias may not exist yet"
    return no(node, because, ((alias.key, "the alias that must exist first"),))


def _of_key(build: Callable[[Scenario, Resource, Resource], Fact]) -> Callable[[Scenario, Resource], Fact]:
    """A fact about the key of a trail; null when it names no key of yours."""

    def fact(scenario: Scenario, trail: Resource) -> Fact:
        named = keys.key_of(scenario, trail)
        if named is None:
            return Fact(None, trail.key, f"{trail.id} names no key of yours")
        node, key, elsewhere = named.link
        if key is None:
            return unknown(node, elsewhere, f"the key of {trail.id} is made elsewhere")
        return build(scenario, trail, key)

    return fact


def _enabled(scenario: Scenario, _: Resource, key: Resource) -> Fact:
    return kinds.enabled(scenario, key)


def _symmetric(scenario: Scenario, _: Resource, key: Resource) -> Fact:
    return kinds.symmetric(scenario, key)


FACTS: Mapping[str, FactSpec] = {
    "encryption.key_named": FactSpec(keys.key_named, _TRUTH, "KMSKeyId is set to something"),
    "encryption.key_set": FactSpec(
        keys.key_set, _TRUTH, "a key of the customer's own is named, in a form that CloudTrail takes"
    ),
    "key.grants_encryption": FactSpec(
        _of_key(grants.encryption), _OF_KEY, "the key's policy lets CloudTrail encrypt" + _NO_KEY
    ),
    "key.grants_describe": FactSpec(
        _of_key(grants.description), _OF_KEY, "the key's policy lets CloudTrail look the key up" + _NO_KEY
    ),
    "key.grants_decrypt": FactSpec(
        _of_key(grants.decryption),
        _OF_KEY,
        "the key's policy lets CloudTrail decrypt where the bucket has an S3 Bucket Key" + _NO_KEY,
    ),
    "key.enabled": FactSpec(_of_key(_enabled), _OF_KEY, "the key is enabled" + _NO_KEY),
    "key.symmetric": FactSpec(
        _of_key(_symmetric), _OF_KEY, "the key is symmetric, encrypts, and has key material" + _NO_KEY
    ),
    "key.alias_ready": FactSpec(alias_ready, _TRUTH, "the key's alias is made before the trail"),
    "key.address_right": FactSpec(
        keys.address_right, _TRUTH, "an ARN by which a key made here is named is of the key's Region and account"
    ),
}
KEY_FACTS: Mapping[str, FactSpec] = {
    "key.rotatable": FactSpec(kinds.rotatable, _TRUTH, "KMS can rotate the key by itself"),
}
