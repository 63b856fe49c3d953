"""Lets CloudFormation fill the partition into the ARNs of a delivery chain that spell it out.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html (AWS::Partition)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Change, Data, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import function_of
from trailguard.trails.facts.repairs import PROPERTIES, Fault, Repair
from trailguard.trails.whole.portability import PROSE, chain, is_telling

_ARN = re.compile(r"\barn:aws(?:-[a-z]+)*(?=:|$)")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_NAMED = re.compile(r"\barn:\$\{\s*([^}!\s]+)\s*\}")  # what a text takes for the partition
_FILLED = "arn:${AWS::Partition}"


def portable(fault: Fault) -> Iterator[Repair]:
    """Replace each partition that is written out, whatever else decides whether it counts."""
    scenario = fault.scenario
    changes: list[Change] = []
    for resource in chain(scenario, fault.resource):
        properties = scenario.unwrap(resource.attribute(PROPERTIES))
        for name, node in properties.values.items() if isinstance(properties, MapNode) else ():
            changes += _below(scenario, node) if name not in PROSE else ()
    if changes:
        yield Repair("Write ${AWS::Partition} in place of the partition", tuple(changes))


def _below(scenario: Scenario, root: Node) -> Iterator[Change]:
    """The changes at or below a node. What a condition that tells the partition chooses is right as it is."""
    pending = [root]
    while pending:
        node = pending.pop()
        call = function_of(node)
        if call is not None and call[0] == "Fn::Sub":
            yield from _sub(scenario, call[1])
        elif call is not None and call[0] == "Fn::Join":
            yield from _join(scenario, call[1])
        elif call is not None and call[0] == "Fn::If" and isinstance(call[1], ListNode) and call[1].items:
            test = call[1].items[0]
            if not (isinstance(test, TextNode) and is_telling(scenario, test.value)):
                pending.extend(reversed(call[1].items[1:]))
        elif isinstance(node, TextNode):
            yield from _text(node)
        elif isinstance(node, MapNode):
            pending.extend(reversed(node.values.values()))
        elif isinstance(node, ListNode):
            pending.extend(reversed(node.items))


def _text(node: TextNode) -> Iterator[Change]:
    """A text without a function: `${` in it is none of Fn::Sub, and stays as it is."""
    spelt = bare(node.value)
    if _ARN.search(spelt):
        filled: Data = {"Fn::Sub": _ARN.sub(_FILLED, spelt.replace("${", "${!"))}
        yield Replace(at(node), filled)


def _sub(scenario: Scenario, argument: Node) -> Iterator[Change]:
    """A text in which references are filled in, from names of its own too."""
    first, *others = argument.items if isinstance(argument, ListNode) and argument.items else [argument]
    spelt = bare(first.value) if isinstance(first, TextNode) else ""
    if _ARN.search(spelt):
        yield Replace(at(first), _ARN.sub(_FILLED, spelt))
    named = set(_NAMED.findall(spelt))
    for names in (item for item in others if isinstance(item, MapNode)):
        for name, node in names.values.items():
            if name in named and isinstance(node, TextNode) and _PARTITION.fullmatch(node.value):
                yield Replace(at(node), {"Ref": "AWS::Partition"})
            else:
                yield from _below(scenario, node)


def _join(scenario: Scenario, argument: Node) -> Iterator[Change]:
    """A text that is joined: the partition may stand in an item by itself, behind the one that begins the ARN."""
    items = argument.items if isinstance(argument, ListNode) else []
    parts = items[1].items if len(items) == 2 and isinstance(items[1], ListNode) else []
    between = items[0].value if items and isinstance(items[0], TextNode) else ""
    for index, part in enumerate(parts):
        before = parts[index - 1] if index else None
        begun = f"{before.value}{between}".endswith("arn:") if isinstance(before, TextNode) else False
        if begun and isinstance(part, TextNode) and _PARTITION.fullmatch(part.value):
            yield Replace(at(part), {"Ref": "AWS::Partition"})
        else:
            yield from _below(scenario, part)
