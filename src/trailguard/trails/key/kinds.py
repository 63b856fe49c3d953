"""What kind of key a template makes, and whether AWS can encrypt with it.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html, and
https://docs.aws.amazon.com/kms/latest/developerguide/services-cloudtrail.html (symmetric keys only)
"""

from __future__ import annotations

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import VARIABLE, Text, show, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import (
    Fact,
    all_of,
    boolean,
    is_empty,
    no,
    not_boolean,
    reason_unknown,
    unknown,
    via,
    yes,
)
from trailguard.trails.key.keys import REPLICA

# What a key that a service can encrypt with says of itself, if anything, an example of what it must not say, and what
# comes of that.
_KINDS = (
    ("KeySpec", ("SYMMETRIC_DEFAULT",), "RSA_2048", "and {user} encrypts with symmetric keys only"),
    ("KeyUsage", ("ENCRYPT_DECRYPT",), "SIGN_VERIFY", "and {user} needs a key that encrypts"),
    ("Origin", ("AWS_KMS",), "EXTERNAL", "so it has no key material when CloudFormation has made it"),
)


def enabled(scenario: Scenario, key: Resource) -> Fact:
    """Whether a key is enabled."""
    value = scenario.value_of(key, "Enabled")
    meaning = boolean(scenario, value)
    if meaning is None or meaning is True:
        return yes(value.node, f"{key.id} is enabled")
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"whether {key.id} is enabled is not known")
    told = not_boolean(meaning) if isinstance(meaning, str) else "is false"
    return no(value.node, f"Enabled of {key.id} {told}{via(value.node)}")


def symmetric(scenario: Scenario, key: Resource, user: str = "CloudTrail") -> Fact:
    """Whether a key is symmetric, encrypts, and has key material. `user` is the service that is to encrypt with it."""
    if key.type == REPLICA:
        return unknown(key.key, f"{key.id} is a copy of a key in another Region, which is not in the scanned files")
    fine = yes(key.key, f"{key.id} is a symmetric key with key material")
    kinds = ((name, good, bad, told.format(user=user)) for name, good, bad, told in _KINDS)
    return all_of((_kind(scenario, key, fine, *kind) for kind in kinds), fine)


def rotatable(scenario: Scenario, key: Resource) -> Fact:
    """Whether KMS can rotate a key by itself: a symmetric one with its own material, and not a copy of another key."""
    if key.type == REPLICA:
        return no(key.key, f"{key.id} is a copy of a key in another Region and is rotated with that key")
    return symmetric(scenario, key)


def _kind(
    scenario: Scenario, key: Resource, fine: Fact, name: str, good: tuple[str, ...], bad: str, consequence: str
) -> Fact:
    value = scenario.value_of(key, name)
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"{name} of {key.id} is not known")
    text = text_of(value)
    if is_empty(value) or is_one_of(scenario, text, good, (bad,)):
        return fine
    told = show(text) if text is not None else "a list or a map"
    return no(value.node, f"{name} of {key.id} is {told}{via(value.node)}, {consequence}")


def is_one_of(scenario: Scenario, text: Text | None, good: tuple[str, ...], bad: tuple[str, ...]) -> bool:
    """Tell whether a text is one of the good ones; a parameter ranges over what is known of it, or good and bad."""
    if text is None:
        return False
    symbol = text.symbols[0] if len(text.pieces) == 1 and text.symbols else None
    if symbol is not None and symbol.kind == VARIABLE:
        scenario.fix(symbol.name)
        scenario.choose(symbol.name, [*good, *bad], closed=True)
        raise Unbuildable(f"{symbol.name} is none of the values that AWS takes here")
    return text.literal in good
