"""What a template imports and exports.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode, call_at, sequence_at
from trailguard.cloudformation.template.references import Way, calls
from trailguard.cloudformation.template.template import function_of


class Taken(NamedTuple):
    """A use of `Fn::ImportValue`: the call, the name, and when it counts.

    `kind` is the type of the resource that it stands in, "" for an output; `property` the property of that resource, ""
    when it stands elsewhere.
    """

    node: Node
    name: Node
    way: Way
    kind: str
    property: str


def imports_of(sections: Mapping[str, Node]) -> Iterator[Taken]:
    """The uses of `Fn::ImportValue` in the sections of a template."""
    for section in ("Resources", "Outputs"):
        entries = sections.get(section)
        for body in entries.values.values() if isinstance(entries, MapNode) else ():
            kind = body.values.get("Type") if isinstance(body, MapNode) and section == "Resources" else None
            text = kind.value if isinstance(kind, TextNode) else ""
            if section == "Resources" and not text:
                continue
            condition = condition_of(body)
            guard: Way = ((condition.value, True),) if condition is not None else ()
            for part, name in _parts(body):
                for call in calls(part):
                    if call.function == "Fn::ImportValue":
                        yield Taken(call.node, call.argument, (*guard, *call.way), text, name)


def _parts(body: Node) -> Iterator[tuple[Node, str]]:
    """What a resource or an output says, each property by its name."""
    properties = body.values.get("Properties") if isinstance(body, MapNode) else None
    if not isinstance(body, MapNode) or not isinstance(properties, MapNode) or function_of(properties) is not None:
        yield body, ""
        return
    yield from ((node, name) for name, node in properties.values.items())
    yield from ((node, "") for name, node in body.values.items() if name != "Properties")


def exports_of(sections: Mapping[str, Node]) -> Iterator[tuple[TextNode, Node, MapNode]]:
    """The outputs in the sections of a template that others may import: the key, the name, and all that it says."""
    outputs = sections.get("Outputs")
    for key, body in outputs.values.items() if isinstance(outputs, MapNode) else ():
        export = body.values.get("Export") if isinstance(body, MapNode) else None
        name = export.values.get("Name") if isinstance(export, MapNode) else None
        if name is not None and isinstance(body, MapNode) and isinstance(outputs, MapNode):
            yield outputs.keys[key], name, body


def condition_of(body: Node) -> TextNode | None:
    """The condition of a resource or an output."""
    condition = body.values.get("Condition") if isinstance(body, MapNode) else None
    return condition if isinstance(condition, TextNode) else None


def condition_named(condition: TextNode) -> Node:
    """A test whether a condition holds."""
    return call_at(condition, "Condition", condition)


def both_of(place: TextNode, one: Node, other: Node) -> Node:
    """A test whether two others hold."""
    return call_at(place, "Fn::And", sequence_at(place, [one, other]))
