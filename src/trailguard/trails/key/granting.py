"""Lets CloudTrail, and what it hands events to, use a key: statements of the key's policy, and the key's own settings.

Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html (what the
key policy must grant) and https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html (the policy of
a key that states none)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent
from trailguard.cloudformation.source.changes import Append, Data, Put, Replace, at
from trailguard.cloudformation.source.nodes import MapNode, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket.reordering import waiting
from trailguard.trails.bucket.requests import SERVICE
from trailguard.trails.facts.policies import (
    VERSION,
    any_trail,
    document_of,
    exempting,
    names_only,
    root_statement,
    trail_arn,
)
from trailguard.trails.facts.repairs import (
    Fault,
    Repair,
    arn_of,
    decided,
    name_of,
    put,
    same_stack,
    setting,
    together,
)
from trailguard.trails.key import grants, keys, kinds

REPLACED = "a key of another kind is another key, and what the old one encrypted stays with that"
SYMMETRIC: Mapping[str, Data] = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
_READERS = "whoever reads the logs then needs the key as well"


# --- the trail's key --------------------------------------------------------------------------------------------------


def encryption(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail make data keys for its log files."""
    yield from _for_trail(fault, _ENCRYPT, "encrypt with {}")


def description(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail look the key up."""
    yield from _for_trail(fault, "kms:DescribeKey", "look {} up")


def decryption(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail decrypt."""
    yield from _for_trail(fault, "kms:Decrypt", "decrypt with {}")


_ENCRYPT = "kms:GenerateDataKey*"
_SIDS = {
    _ENCRYPT: "AWSCloudTrailEncryptLogs",
    "kms:DescribeKey": "AWSCloudTrailDescribeKey",
    "kms:Decrypt": "AWSCloudTrailDecrypt",
}


def _for_trail(fault: Fault, action: str, what: str) -> Iterator[Repair]:
    scenario, trail = fault.scenario, fault.resource
    named = keys.key_of(scenario, trail)
    key = named.link.resource if named is not None else None
    if key is None:
        return
    arn = trail_arn(scenario, key, trail)
    bound: dict[str, Data] = {} if arn is None else {"StringEquals": {"aws:SourceArn": arn}}
    if action == _ENCRYPT:
        context = f"kms:EncryptionContext:{grants.CLOUDTRAIL_CONTEXT}"
        bound["StringLike"] = {context: any_trail(scenario, key, trail)}
    statement: dict[str, Data] = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": action,
        "Resource": "*",
        **({"Condition": bound} if bound else {}),
    }
    yield from granting(fault, key, [statement], f"Let CloudTrail {what.format(bare(key.id))}", _SIDS[action])


def granting(
    fault: Fault, key: Resource, statements: Sequence[Mapping[str, Data]], title: str, sid: str
) -> Iterator[Repair]:
    """The ways to grant something in a key's policy: widen a statement for the same caller, add one, exempt a Deny."""
    scenario = fault.scenario
    if isinstance(scenario.value_of(key, "KeyPolicy"), Absent):
        written = scenario.property_node(key, "KeyPolicy")
        policy: Data = {"Version": VERSION, "Statement": [root_statement(), *statements]}
        yield Repair(title, (put(key, "KeyPolicy", policy) if written is None else Replace(at(written), policy),))
        return
    document = document_of(scenario, key, "KeyPolicy")
    if document is None:
        return
    node = document.holding(fault.found.node)
    if isinstance(node, MapNode) and not {"Resource", "NotResource"} & node.values.keys():
        yield Repair(f"{title} by a Resource", (Put(at(node), ("Resource",), "*"),))
    principal = statements[0]["Principal"]
    if isinstance(principal, Mapping) and isinstance(principal.get("Service"), str):
        yield from exempting(document, fault.found.node, title, principal["Service"])
    if len(statements) == 1:
        for one in document.nodes:
            if isinstance(one, MapNode) and names_only(one, statements[0]) and "Condition" not in one.values:
                yield Repair(title, (Append(at(one), ("Action",), statements[0]["Action"]),))
                break
    yield Repair(title, tuple(document.adding(statement, sid) for statement in statements))


def enabled(fault: Fault) -> Iterator[Repair]:
    """Enable the key."""
    yield from _on_key(fault, {"Enabled": True}, "")


def symmetric(fault: Fault) -> Iterator[Repair]:
    """Make the key a symmetric one that encrypts."""
    for rotated in (False, True):
        values: dict[str, Data] = {**SYMMETRIC, **({"EnableKeyRotation": True} if rotated else {})}
        yield from _on_key(fault, values, REPLACED)


def _on_key(fault: Fault, values: Mapping[str, Data], unsafe: str) -> Iterator[Repair]:
    named = keys.key_of(fault.scenario, fault.resource)
    key = named.link.resource if named is not None else None
    if key is not None:
        yield from settings_of(fault, key, values, unsafe)


def settings_of(fault: Fault, key: Resource, values: Mapping[str, Data], unsafe: str) -> Iterator[Repair]:
    """Give a key other settings, those that it states or must state."""
    each = []
    for name, value in values.items():
        found = fault.scenario.value_of(key, name)
        if isinstance(found, Absent) and name in SYMMETRIC:
            continue
        about = fault._replace(resource=key, found=fault.found._replace(node=found.node))
        each.append(list(setting(about, name, value, unsafe)))
    for index in range(max(map(len, each), default=0)):
        yield together([ways[min(index, len(ways) - 1)] for ways in each])


# --- how it is named --------------------------------------------------------------------------------------------------


def key_set(fault: Fault) -> Iterator[Repair]:
    """Name the one key that there is, or let `Fn::Sub` fill in the name."""
    scenario, user = fault.scenario, fault.resource
    name = keys.property_of(user)
    node = fault.found.node
    written = scenario.property_node(user, name)
    if isinstance(node, TextNode) and "${" in node.value and written is not None:
        yield Repair(f"Let Fn::Sub fill in {name}", (Replace(at(node), {"Fn::Sub": bare(node.value)}),))
        return
    made = [one for one in scenario.model.template.of_type(keys.KEY) if _is_near(scenario, user, one)]
    if len(made) != 1:
        return
    arn = arn_of(scenario, user, made[0])
    if arn is not None:
        ways = setting(fault, name, arn, _READERS)
        yield from (way._replace(title=f"Encrypt with {bare(made[0].id)}") for way in ways)


def _is_near(scenario: Scenario, user: Resource, key: Resource) -> bool:
    """Tell whether a key is one that could encrypt with, and that lets CloudTrail in."""
    if not same_stack(scenario, user, key) or not scenario.active(key):
        return False
    return SERVICE in str(scenario.value_of(key, "KeyPolicy")) and kinds.symmetric(scenario, key).value is True


def address(fault: Fault) -> Iterator[Repair]:
    """Name the key that is made here by a reference."""
    scenario, user = fault.scenario, fault.resource
    named = keys.key_of(scenario, user)
    written = scenario.property_node(user, keys.property_of(user))
    if named is None or written is None:
        return
    made = named.alias or named.link.resource
    if made is None:
        return
    reference = name_of(scenario, user, made) if named.alias is not None else arn_of(scenario, user, made)
    if reference is not None:
        unsafe = decided(scenario, written) if written is fault.found.node else ""
        yield Repair(f"Refer to {bare(made.id)}", (Replace(at(fault.found.node), reference),), unsafe)


def alias_ready(fault: Fault) -> Iterator[Repair]:
    """Make the trail wait for the alias of its key."""
    named = keys.key_of(fault.scenario, fault.resource)
    if named is not None and named.alias is not None:
        yield from waiting(fault.scenario, fault.resource, named.alias)


# --- event data stores ------------------------------------------------------------------------------------------------


def usable_by_lake(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail encrypt and decrypt the events of an event data store, for which it names no source."""
    named = keys.key_of(fault.scenario, fault.resource)
    key = named.link.resource if named is not None else None
    if key is not None:
        statement: dict[str, Data] = {
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": "*",
        }
        title = f"Let CloudTrail use {bare(key.id)} for {bare(fault.resource.id)}"
        yield from granting(fault, key, [statement], title, "AWSCloudTrailEventDataStore")
