"""Lets CloudFormation fill the partition into the ARNs of a delivery chain that spell it out.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html (AWS::Partition)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trailguard.cloudformation.source.changes import Change, Data, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import function_of
from trailguard.trails.facts.repairs import Fault, Repair
from trailguard.trails.whole.portability import spelt_places

_ARN = re.compile(r"\barn:aws(?:-[a-z]+)*(?=:|$)")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_NAMED = re.compile(r"\barn:\$\{\s*([^}!\s]+)\s*\}")  # what a text takes for the partition
_FILLED = "arn:${AWS::Partition}"


def portable(fault: Fault) -> Iterator[Repair]:
    """Replace each partition that is written out."""
    places = {id(node) for node in spelt_places(fault.scenario, fault.resource)}
    changes: list[Change] = []
    for resource in fault.scenario.model.template.resources.values():
        changes += _below(resource.body, places, False)
    if changes:
        yield Repair("Write ${AWS::Partition} in place of the partition", tuple(changes))


def _below(root: Node, places: set[int], meant: bool) -> Iterator[Change]:
    """The changes at or below a node; `meant` tells that it is part of a text in which a partition is spelt out."""
    pending: list[tuple[Node, bool]] = [(root, meant)]
    while pending:
        node, inside = pending.pop()
        inside = inside or id(node) in places
        call = function_of(node)
        if call is not None and call[0] in ("Fn::Sub", "Fn::Join"):
            yield from (_sub if call[0] == "Fn::Sub" else _join)(call[1], places, inside)
        elif isinstance(node, TextNode):
            yield from _text(node) if inside else ()
        elif call is not None and call[0] == "Fn::If" and isinstance(call[1], ListNode):
            pending.extend((item, inside) for item in reversed(call[1].items[1:]))
        elif isinstance(node, MapNode):
            pending.extend((child, False) for child in reversed(node.values.values()))
        elif isinstance(node, ListNode):
            pending.extend((item, False) for item in reversed(node.items))


def _text(node: TextNode) -> Iterator[Change]:
    """A text without a function: `${` in it is none of Fn::Sub, and stays as it is."""
    spelt = bare(node.value)
    if _ARN.search(spelt):
        filled: Data = {"Fn::Sub": _ARN.sub(_FILLED, spelt.replace("${", "${!"))}
        yield Replace(at(node), filled)


def _sub(argument: Node, places: set[int], inside: bool) -> Iterator[Change]:
    items = argument.items if isinstance(argument, ListNode) else [argument]
    first = items[0] if items else None
    if isinstance(first, TextNode) and (
        inside or id(first) in places or any(id(one) in places for one in _all(items[1:]))
    ):
        spelt = bare(first.value)
        if _ARN.search(spelt):
            yield Replace(at(first), _ARN.sub(_FILLED, spelt))
        named = set(_NAMED.findall(spelt))
        for names in (item for item in items[1:] if isinstance(item, MapNode)):
            for name, node in names.values.items():
                if name in named and isinstance(node, TextNode) and _PARTITION.fullmatch(node.value):
                    yield Replace(at(node), {"Ref": "AWS::Partition"})
                else:
                    yield from _below(node, places, True)
        return
    for item in items[1:]:
        yield from _below(item, places, inside)


def _join(argument: Node, places: set[int], inside: bool) -> Iterator[Change]:
    items = argument.items if isinstance(argument, ListNode) else []
    parts = items[1].items if len(items) == 2 and isinstance(items[1], ListNode) else []
    if not (inside or any(id(one) in places for one in _all(parts))):
        for part in parts:
            yield from _below(part, places, False)
        return
    is_colon = isinstance(items[0], TextNode) and items[0].value == ":"
    for index, part in enumerate(parts):
        before = parts[index - 1] if index else None
        if not isinstance(part, TextNode):
            yield from _below(part, places, True)
        elif is_colon and isinstance(before, TextNode) and before.value == "arn" and _PARTITION.fullmatch(part.value):
            yield Replace(at(part), {"Ref": "AWS::Partition"})
        else:
            yield from _text(part)


def _all(nodes: list[Node]) -> Iterator[Node]:
    """Some nodes with all that is below them."""
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, MapNode):
            pending.extend(reversed(node.values.values()))
        elif isinstance(node, ListNode):
            pending.extend(reversed(node.items))
