"""Who names whom: the parameters and resources that the functions below a node mention.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.template.template import Resource, function_of

Way: TypeAlias = "tuple[tuple[str, bool], ...]"  # branches of conditions that must be taken


class Call(NamedTuple):
    """A function call, its whole node, and the `Fn::If` branches that lead to it."""

    function: str
    argument: Node
    node: Node
    way: Way


def calls(node: Node) -> Iterator[Call]:
    """The function calls below a node, `Fn::If` apart."""
    pending: list[tuple[Node, Way]] = [(node, ())]
    while pending:
        current, way = pending.pop()
        if isinstance(current, ListNode):
            pending.extend((item, way) for item in current.items)
        elif isinstance(current, MapNode):
            function = function_of(current)
            if function is None:
                pending.extend((child, way) for child in current.values.values())
            elif function[0] == "Fn::If" and isinstance(function[1], ListNode) and len(function[1].items) == 3:
                test, yes, no = function[1].items
                name = test.value if isinstance(test, TextNode) else ""
                pending.extend(((yes, (*way, (name, True))), (no, (*way, (name, False)))))
            else:
                yield Call(*function, current, way)
                pending.append((function[1], way))


def references(node: Node) -> Iterator[tuple[str, Way]]:
    """The names that Ref, GetAtt and Sub mention below a node, each with the `Fn::If` branches that lead to it."""
    for call in calls(node):
        for name in mentioned(call.function, call.argument):
            yield name, call.way


def references_of(resource: Resource) -> Iterator[tuple[str, Way]]:
    """What a resource refers to. DependsOn takes logical IDs only, so that a function in it refers to nothing."""
    for part, node in resource.body.values.items():
        if part != "DependsOn":
            yield from references(node)


def mentioned(function: str, argument: Node) -> list[str]:
    """The parameters and resources that one function call names itself."""
    return [name.partition(".")[0] for name in named(function, argument)]


def named(function: str, argument: Node) -> list[str]:
    """What one function call names itself: `Name`, or `Name.Attribute`."""
    if function == "Ref" and isinstance(argument, TextNode):
        return [argument.value]
    if function == "Fn::GetAtt":
        parts = argument.items if isinstance(argument, ListNode) else [argument]
        texts = [part.value for part in parts if isinstance(part, TextNode)]
        return [".".join(texts)] if texts and isinstance(parts[0], TextNode) else []
    if function == "Fn::Sub":
        names: Iterable[str] = ()
        if isinstance(argument, ListNode) and argument.items:
            mapping = argument.items[1] if len(argument.items) > 1 else None
            names = mapping.values if isinstance(mapping, MapNode) else ()
            argument = argument.items[0]
        if isinstance(argument, TextNode) and "${" in argument.value:
            found = [part.partition("}")[0].strip() for part in argument.value.split("${")[1:] if "}" in part]
            return [name for name in found if name not in names and not name.startswith("!")]
    return []
