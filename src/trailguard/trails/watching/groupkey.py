"""Whether CloudWatch Logs can use the key of a trail's log group: without it the log group is not made.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html (the service principal, what
it must be allowed, the encryption context, symmetric keys only) and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html (an ARN)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import GENERATED, Pieces, Text, join_pieces, show, text_of
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ContextValue, Undecided
from trailguard.iam.evaluate import Request
from trailguard.trails.bucket.requests import service_context
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, is_empty, no, unknown, via, yes
from trailguard.trails.facts.properties import pseudo
from trailguard.trails.key import kinds
from trailguard.trails.key.grants import CONTEXT_KEYS, ENCRYPTION_CONTEXT, VIA_SERVICE, lets_through, literal
from trailguard.trails.key.keys import address_right, key_of, key_set
from trailguard.trails.watching.logs import log_group_link, without_end

_KEY_ID = "KmsKeyId"
_USER = "CloudWatch Logs"
_GROUP_CONTEXT = "aws:logs:arn"
# What CloudWatch Logs cannot do without, to write events and to read them.
_NEEDED = ("kms:GenerateDataKey", "kms:Decrypt")
_DOCUMENTED = ("kms:Encrypt",)
_EVERYWHERE = "logs.amazonaws.com"


def group_key(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a log group that is made here has no key, or one that CloudWatch Logs can use."""
    link = log_group_link(scenario, trail)
    group = None if link is None else link.resource
    if group is None:
        return yes(trail.key, f"the log group of {trail.id} is not made by this template")
    fine = yes(group.key, f"{group.id} is not encrypted with a key, or with one that {_USER} can use")
    named = key_of(scenario, group)
    value = scenario.value_of(group, _KEY_ID)
    if is_empty(value):
        return fine
    fault = _no_arn(group, text_of(value))
    if fault is not None:
        return fault
    if named is None:
        return key_set(scenario, group)
    node, key, reason = named.link
    if key is None:
        return unknown(node, reason, f"the key of {group.id} is made elsewhere")
    return all_of(_answers(scenario, group, key), fine)


def _no_arn(group: Resource, text: Text | None) -> Fact | None:
    """What is wrong with a key that is not named by an ARN; None when it is, or may be."""
    first = text.pieces[0] if text is not None and text.pieces else None
    if text is None or (isinstance(first, str) and first.startswith("arn:")):
        return None
    if isinstance(first, str) and "arn:".startswith(first) and len(text.pieces) > 1:
        return None
    if first is not None and not isinstance(first, str) and first.kind != GENERATED:
        return None
    shown = f"{_KEY_ID} of {group.id} is {show(text)}{via(text.node)}"
    return no(text.node, f"{shown}, which is not the ARN of a key")


def _answers(scenario: Scenario, group: Resource, key: Resource) -> Iterator[Fact]:
    yield address_right(scenario, group)
    yield kinds.enabled(scenario, key)
    yield kinds.symmetric(scenario, key, _USER)
    for action in _NEEDED:
        yield _granted(scenario, group, key, action)
    for action in _DOCUMENTED:
        found = _granted(scenario, group, key, action)
        if found.value is False:
            reason = f"AWS documents that {_USER} needs {action}; whether the log group is made without it is not"
            yield unknown(found.node, reason, found.because)


def _granted(scenario: Scenario, group: Resource, key: Resource, action: str) -> Fact:
    """Whether the key's policy lets CloudWatch Logs make a call, under its name in the Region of the log group."""
    regional = join_pieces(("logs.", *pseudo(scenario, "Region", group), ".", *pseudo(scenario, "URLSuffix", group)))
    found = lets_through(scenario, key, [_call(scenario, group, key, action, regional)], _USER)
    if found.value is False:
        everywhere = lets_through(scenario, key, [_call(scenario, group, key, action, (_EVERYWHERE,))], _USER)
        if everywhere.value is True:
            reason = f"whether {_USER} uses keys as {_EVERYWHERE} too is not documented"
            return unknown(found.node, reason, found.because)
    return found


def _call(scenario: Scenario, group: Resource, key: Resource, action: str, service: Pieces) -> Request:
    node = group.key
    hidden = Undecided(f"which source {_USER} names to KMS is not documented")
    context: dict[str, ContextValue] = {
        **service_context(node),
        "aws:principalservicename": (Text(service, node),),
        "aws:sourcearn": hidden,
        "aws:sourceaccount": hidden,
        VIA_SERVICE: Undecided(f"whether KMS sees the calls of {_USER} as made by way of it is not documented"),
        CONTEXT_KEYS: (literal(_GROUP_CONTEXT, node),),
        ENCRYPTION_CONTEXT + _GROUP_CONTEXT: (Text(without_end(scenario.returned_pieces(group, "Arn")), node),),
    }
    return Request(service, (), action, scenario.returned_pieces(key, "Arn"), context)


FACTS: Mapping[str, FactSpec] = {
    "logs.group_key": FactSpec(
        group_key, {"type": "boolean"}, "a log group made here has no key, or one that CloudWatch Logs can use"
    ),
}
