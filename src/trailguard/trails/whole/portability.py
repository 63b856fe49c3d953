"""Whether the delivery chain of a trail works in every partition: no ARN in it spells out which one it is in.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html (AWS::Partition)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.dependencies import condition_names
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, Value, text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import PLACEHOLDER, Resource, function_of
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import Fact, FactSpec, no, reason_unknown, unknown, yes

# What a trail can hand its logs and messages to, what stands for it, and the policies that are put on it.
LINKS = frozenset(
    (
        "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias", "AWS::Logs::LogGroup", "AWS::IAM::Role",
        "AWS::SNS::Topic",
    )
)  # fmt: skip
POLICIES = frozenset(
    (
        "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::SNS::TopicPolicy",
        "AWS::SNS::TopicInlinePolicy",
    )
)  # fmt: skip
# Whoever looks at these gives each partition its own text: an account, too, lies in one partition only.
TELLING = frozenset(("AWS::Partition", "AWS::Region", "AWS::URLSuffix", "AWS::AccountId"))
PROSE = frozenset(("Description", "Tags"))

_ARN = re.compile(r"\barn:(aws(?:-[a-z]+)*):[^\"'\s]*")
_OPEN = "\N{HORIZONTAL ELLIPSIS}"  # what is not written in the template
_MOST = 5  # further places that are told


# What holds policy documents.
DOCUMENTS = frozenset(("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument", "Policies"))
_HIDDEN = "\0"  # stands for texts that are not in the scanned files


class Spelt(NamedTuple):
    """An ARN with a partition in it: where, in which resource, the ARN and the partition.

    Without ARN and partition it is a place where there may be one: what stands there is not in the scanned files.
    """

    node: Node
    resource: Resource
    arn: str
    partition: str


def portable(scenario: Scenario, trail: Resource) -> Fact:
    """Whether no ARN of the trail's delivery chain spells out its partition."""
    looked = [_spelt_in(scenario, resource) for resource in chain(scenario, trail)]
    found = [spelt for one in looked for spelt in one.certain if spelt.arn]
    open_ = next((one.open for one in looked if one.open is not None), None)
    if open_ is not None and not found:
        raise open_
    if not found:
        hidden = next((spelt for one in looked for spelt in one.certain), None)
        if hidden is not None:
            return _not_known(scenario, hidden)
        return yes(trail.key, f"no ARN of the delivery chain of {trail.id} spells out its partition")
    first, *others = found
    shown = first.arn if len(first.arn) <= 60 else first.arn[:57] + "..."
    because = f"{shown} of {first.resource.id} hard-codes the partition {first.partition}"
    related = tuple((one.node, f"{one.resource.id} does too") for one in others[:_MOST])
    return no(first.node, because, related)


def _not_known(scenario: Scenario, hidden: Spelt) -> Fact:
    """What there is to say where ARNs may stand that nobody sees here."""
    reason = reason_unknown(scenario.resolve(hidden.node)) or f"{hidden.resource.id} is not in the scanned files"
    return unknown(hidden.node, reason, f"whether {hidden.resource.id} hard-codes a partition is not known")


# --- the chain -------------------------------------------------------------------------------------------------------


def chain(scenario: Scenario, trail: Resource) -> list[Resource]:
    """The trail, its bucket with the policies on it, what else it names, and the policies on that."""
    found = {trail.id: trail}
    bucket = log_bucket(scenario, trail)
    if bucket is not None:
        made = () if bucket.resource is None else (bucket.resource,)
        found.update((resource.id, resource) for resource in (*made, *bucket.policies))
    pending = [trail]
    while pending:
        for target in _named(scenario, pending.pop(), LINKS | {"AWS::IAM::ManagedPolicy"}):
            if target.id not in found:
                found[target.id] = target
                pending.append(target)
    chained = frozenset(found)
    for policy in scenario.model.template.resources.values():
        if policy.type in POLICIES and policy.id not in found and _joins(scenario, policy, chained):
            found[policy.id] = policy
    return list(found.values())


def _joins(scenario: Scenario, policy: Resource, chain: frozenset[str]) -> bool:
    """Tell whether a policy is made here for something of a chain. One that spells out no partition has no say."""

    def ask(here: Scenario) -> bool:
        on = _named(here, policy, frozenset(("AWS::IAM::Role", "AWS::SNS::Topic"))) if here.active(policy) else ()
        return any(target.id in chain for target in on)

    def says(here: Scenario) -> bool:
        looked = _spelt_in(here, policy) if ask(here) else None
        return looked is not None and (bool(looked.certain) or looked.open is not None)

    try:
        return ask(scenario)
    except Split:
        if any(scenario.outcomes(("joins", policy.id, chain), says).answers):
            raise
        return False


def _named(scenario: Scenario, resource: Resource, types: frozenset[str]) -> Iterator[Resource]:
    """The resources of some types that the properties of a resource refer to here."""
    properties = resource.attribute("Properties")
    if properties is None or (resource.type not in LINKS | POLICIES and resource.type != "AWS::CloudTrail::Trail"):
        return
    for name, guards in scenario.model.stacks.references(properties):
        target = scenario.model.template.resources.get(name)
        if target is None or target.type not in types:
            continue
        if all(scenario.condition(test) is branch for test, branch in guards) and scenario.active(target):
            yield target


# --- what is written -------------------------------------------------------------------------------------------------


class _Looked(NamedTuple):
    """The ARNs in a resource that spell out a partition, and what is open of whether there are more."""

    certain: tuple[Spelt, ...]
    open: Split | None


def _spelt_in(scenario: Scenario, resource: Resource) -> _Looked:

    def look() -> _Looked:
        properties = scenario.unwrap(resource.attribute("Properties"))
        nodes = properties.values.items() if isinstance(properties, MapNode) else ()
        open_: list[Split] = []
        places = [
            place for name, node in nodes if name not in PROSE for place in _spelt_at(scenario, name, node, open_)
        ]
        certain = tuple(Spelt(place, resource, arn, partition) for place, arn, partition in places)
        return _Looked(certain, open_[0] if open_ else None)

    return scenario.once(("spelt partitions", resource.id), look)


def _is_hidden(scenario: Scenario, node: Node) -> bool:
    """Tell whether a whole document comes from elsewhere. One that is handed in may differ in each partition."""
    function = function_of(node)
    if function is None:
        return isinstance(node, TextNode) and node.value.startswith("{{resolve:")
    name, argument = function
    if name == "Fn::ToJsonString":
        return _is_hidden(scenario, argument)
    return name in ("Fn::ImportValue", "Fn::GetAtt") and reason_unknown(scenario.resolve(node)) is not None


def _spelt_at(scenario: Scenario, name: str, node: Node, open_: list[Split]) -> list[tuple[Node, str, str]]:
    """The ARNs in the value of a key."""
    is_hidden = name in DOCUMENTS and _is_hidden(scenario, node)
    return [(node, "", "")] if is_hidden else _spelt_below(scenario, node, open_)


def _spelt_below(scenario: Scenario, node: Node, open_: list[Split]) -> list[tuple[Node, str, str]]:
    """The ARNs below a node: place, text and partition. Where it is open whether there is one, that is noted."""
    children: Iterable[Node] = ()
    if isinstance(node, ListNode):
        children = node.items
    elif isinstance(node, MapNode) and function_of(node) is None:
        places = [found for name, child in node.values.items() for found in _spelt_at(scenario, name, child, open_)]
        return [*places, (node, "", "")] if "Fn::Transform" in node.values else places
    else:
        try:
            return _matched(scenario, node)
        except Split:
            outcomes = scenario.outcomes(("spelt partitions", id(node)), lambda part: _matched(part, node))
            open_.extend([outcomes.split] if any(outcomes.answers) and outcomes.split is not None else [])
            return []
    return [found for child in children for found in _spelt_below(scenario, child, open_)]


def _matched(scenario: Scenario, node: Node) -> list[tuple[Node, str, str]]:
    found: list[tuple[Node, str, str]] = []
    for place, text in _texts(scenario, node):
        found += [(place, "", "")] if text is _HIDDEN else [(place, one[0], one[1]) for one in _ARN.finditer(text)]
    return found


def _texts(scenario: Scenario, node: Node) -> Iterator[tuple[Node, str]]:
    """Every text below a node as it is written, with its place."""
    function = function_of(node)
    if function is None:
        children: Iterable[Node] = ()
        if isinstance(node, TextNode):
            yield node, node.value
        elif isinstance(node, ListNode):
            children = node.items
        elif isinstance(node, MapNode):
            children = node.values.values()
        for child in children:
            yield from _texts(scenario, child)
        return
    name, argument = function
    if name == "Fn::If":
        branch = _branch(scenario, node, argument)
        if branch is not None:
            yield from _texts(scenario, branch)
    elif name in ("Fn::Sub", "Fn::Join"):
        yield _place(node), _written(scenario, node)
    elif name == "Fn::FindInMap":
        yield from ((node, text) for text in _looked_up(scenario, node))
    elif name == "Fn::Transform":
        yield node, _HIDDEN
    elif name not in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
        yield from _texts(scenario, argument)


def _branch(scenario: Scenario, node: Node, argument: Node) -> Node | None:
    """The branch of an `Fn::If` that counts, unless the condition looks at the partition or no ARN can be in it."""
    if not isinstance(argument, ListNode) or not argument.items or not _may_spell(node):
        return None
    test = argument.items[0]
    return None if isinstance(test, TextNode) and is_telling(scenario, test.value) else scenario.branch(argument)


def _may_spell(node: Node) -> bool:
    """Tell whether a text that may be the beginning of an ARN, or a look into a mapping, is below a node."""
    if isinstance(node, TextNode):
        return "arn" in node.value or "aws" in node.value
    if isinstance(node, ListNode):
        return any(map(_may_spell, node.items))
    function = function_of(node)
    if function is not None and function[0] in ("Fn::FindInMap", "Fn::Transform"):
        return True
    return isinstance(node, MapNode) and any(map(_may_spell, node.values.values()))


def is_telling(scenario: Scenario, condition: str) -> bool:
    """Tell whether a condition looks at the partition or something that tells it."""
    memo = scenario.model.memo
    key = ("looks at the partition", condition)
    if key not in memo:
        memo[key] = False  # a condition that refers to itself adds nothing
        node = scenario.model.template.conditions.get(condition)
        memo[key] = node is not None and (
            _mentions(node) or any(is_telling(scenario, name) for name in condition_names(node))
        )
    return bool(memo[key])


def _mentions(node: Node) -> bool:
    return any(bare(name) in TELLING for name, _ in references(node))


def _written(scenario: Scenario, node: Node) -> str:
    """A text as the template spells it, with a mark for what comes from outside."""
    if isinstance(node, TextNode):
        return node.value
    function = function_of(node)
    if function is None:
        return _OPEN
    name, argument = function
    items = argument.items if isinstance(argument, ListNode) else []
    if name == "Fn::Sub":
        template, *maps = items or [argument]
        names = maps[0].values if maps and isinstance(maps[0], MapNode) else {}
        return _substituted(scenario, template, names)
    if name == "Fn::Join" and len(items) == 2 and isinstance(items[1], ListNode):
        return _written(scenario, items[0]).join(_written(scenario, item) for item in items[1].items)
    if name == "Fn::FindInMap":
        return next(iter(_looked_up(scenario, node)), _OPEN)
    if name == "Fn::If":
        branch = _branch(scenario, node, argument)
        return _OPEN if branch is None else _written(scenario, branch)
    return _OPEN


def _substituted(scenario: Scenario, template: Node, names: Mapping[str, Node]) -> str:
    def put(match: re.Match[str]) -> str:
        node = names.get(match[1].strip())
        return _OPEN if node is None else _written(scenario, node)

    return PLACEHOLDER.sub(put, template.value) if isinstance(template, TextNode) else _OPEN


def _looked_up(scenario: Scenario, node: Node) -> Iterator[str]:
    """The texts that a mapping gives, unless it is asked by something that tells the partition."""
    if _mentions(node):
        return
    value = scenario.resolve(node)
    items: tuple[Value, ...] = value.items if isinstance(value, ListValue) else (value,)
    yield from (text.literal for text in map(text_of, items) if text is not None and text.literal)


def _place(node: Node) -> Node:
    """The text below a function that begins the ARN; the function when that cannot be told."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, TextNode) and "arn" in current.value:
            return current
        if isinstance(current, ListNode):
            pending.extend(reversed(current.items))
        elif isinstance(current, MapNode):
            pending.extend(reversed(list(current.values.values())))
    return node


FACTS: Mapping[str, FactSpec] = {
    "arns.portable": FactSpec(
        portable, {"type": "boolean"}, "no ARN of the delivery chain spells out the partition that it is in"
    ),
}
