"""Corrects the words for which AWS refuses a policy as a whole, where it is clear which one is meant.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trailguard.cloudformation.source.changes import Data, Remove, Rename, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal, plain
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.errors import nearest
from trailguard.iam.policy import ELEMENTS, KINDS, VARIABLES_VERSION
from trailguard.trails.bucket.accepted import nearest_key
from trailguard.trails.facts.policies import document_of, root_statement
from trailguard.trails.facts.repairs import Fault, Repair
from trailguard.trails.whole.cleaning import Spot, spots

_EFFECTS = {
    **dict.fromkeys(("allow", "allowed", "permit", "grant", "accept"), "Allow"),
    **dict.fromkeys(("deny", "denied", "forbid", "block", "refuse"), "Deny"),
}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
_OPERATORS = (
    "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "BinaryEquals", "Bool", "DateEquals", "DateGreaterThan",
    "DateGreaterThanEquals", "DateLessThan", "DateLessThanEquals", "DateNotEquals", "IpAddress", "NotIpAddress", "Null",
    "NumericEquals", "NumericGreaterThan", "NumericGreaterThanEquals", "NumericLessThan", "NumericLessThanEquals",
    "NumericNotEquals", "StringEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotEquals",
    "StringNotEqualsIgnoreCase", "StringNotLike",
)  # fmt: skip
_ARN_OF_BUCKET = re.compile(r"arn:[^:]+:s3:::([^/]+)")


def policies(fault: Fault) -> Iterator[Repair]:
    """Correct what is at fault in a policy."""
    node = fault.found.node
    for resource in fault.scenario.model.template.resources.values():
        body = resource.attribute("Properties")
        for spot in spots(body) if body is not None else ():
            if spot.key is node:
                yield from _key(spot, resource)
            elif spot.node is node:
                yield from _value(spot, resource)
                if spot.key is not None and spot.key.value.startswith("s3:"):
                    yield from _key(spot, resource)


def _key(spot: Spot, resource: Resource) -> Iterator[Repair]:
    """A misspelt element, operator or kind of principal."""
    name = spot.key.value if spot.key is not None else ""
    known: tuple[str, ...] = {"Condition": _OPERATORS, "Principal": KINDS}.get(spot.outer, tuple(sorted(ELEMENTS)))
    near = nearest(name, known)
    if near is None and name.lower().startswith("s3:"):
        near = nearest_key(name)
    if spot.key is None or near is None or not isinstance(spot.holder, MapNode):
        return
    if near not in spot.holder.values:
        yield Repair(f"Rename {name} to {near} in {bare(resource.id)}", (Rename(at(spot.key), near),))
    elif plain(spot.holder.values[near]) == plain(spot.node):
        yield Repair(f"Remove {name} from {bare(resource.id)}", (Remove(at(spot.key)),))


def _value(spot: Spot, resource: Resource) -> Iterator[Repair]:
    name = spot.key.value if spot.key is not None else spot.outer
    here = bare(resource.id)
    if name.startswith("Not") and spot.key is not None and name.removeprefix("Not") in _names(spot.holder):
        kept = name.removeprefix("Not")
        yield Repair(f"Remove {name} from {here}", (Remove(at(spot.key)),), f"{kept} stays, and one of both is wrong")
    if name == "Bucket":
        yield from _bucket(spot, resource)
    if name == "Resource" and spot.key is None and isinstance(spot.holder, ListNode) and len(spot.holder.items) > 1:
        yield Repair(f"Remove what {here} cannot be about", (Remove(at(spot.node)),))
    text = spot.node
    if not isinstance(text, TextNode):
        return
    if literal(text) is None and spot.key is not None:
        yield Repair(f"Remove {name} from {here}", (Remove(at(spot.key)),))
    spelt = bare(text.value)
    if name == "Effect" and spelt.strip().lower() in _EFFECTS:
        yield Repair(f"Correct Effect in {here}", (Replace(at(text), _EFFECTS[spelt.strip().lower()]),))
    elif name == "Version":
        yield Repair(f"Correct Version of {here}", (Replace(at(text), VARIABLES_VERSION),))
    elif name == "Sid":
        yield Repair(f"Correct Sid in {here}", (Replace(at(text), _sid(spelt, resource)),))
    elif name == "AWS" and "${" in spelt:
        yield Repair(f"Let Fn::Sub fill in a principal of {here}", (Replace(at(text), {"Fn::Sub": spelt}),))


def _names(holder: MapNode | ListNode) -> frozenset[str]:
    return frozenset(holder.values) if isinstance(holder, MapNode) else frozenset()


def _sid(spelt: str, resource: Resource) -> str:
    """A Sid of letters and digits that the resource has nowhere else."""
    words = re.split(r"[^A-Za-z0-9]+", spelt)
    made = words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])
    used = str(plain(resource.body))
    numbered = (f"{made}{number or ''}" for number in range(100))
    return next((name for name in numbered if f"'{name}'" not in used), made)


def _bucket(spot: Spot, resource: Resource) -> Iterator[Repair]:
    """The name of a bucket in place of its ARN."""
    title = f"Put {bare(resource.id)} on the bucket by its name"
    call = function_of(spot.node)
    argument: Node = spot.node if call is None else call[1]
    if call is not None and call[0] == "Fn::GetAtt":
        first = argument.items[0] if isinstance(argument, ListNode) and argument.items else argument
        if isinstance(first, TextNode):
            yield Repair(title, (Replace(at(spot.node), {"Ref": bare(first.value.partition(".")[0])}),))
    elif isinstance(argument, TextNode) and (call is None or call[0] == "Fn::Sub"):
        found = _ARN_OF_BUCKET.fullmatch(bare(argument.value).replace("${AWS::Partition}", "aws"))
        if found is not None:
            value: Data = {"Fn::Sub": found[1]} if "${" in found[1] else found[1]
            yield Repair(title, (Replace(at(spot.node), value),))


def changeable(fault: Fault) -> Iterator[Repair]:
    """Let the key's account change its policy, as KMS does by default."""
    for key in fault.scenario.model.template.resources.values():
        if not key.type.startswith("AWS::KMS::"):
            continue
        document = document_of(fault.scenario, key, "KeyPolicy")
        written = fault.scenario.unwrap(fault.scenario.property_node(key, "KeyPolicy"))
        if document is None or written is not fault.found.node:
            continue
        change = document.adding(root_statement(), "EnableIAMUserPermissions")
        yield Repair(f"Let the account of {bare(key.id)} manage it", (change,))
