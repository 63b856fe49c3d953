"""What a template imports and exports.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from trailguard.cloudformation import source
from trailguard.cloudformation.source import Node, Scalar, Sequence
from trailguard.cloudformation.template import function_of

Way: TypeAlias = "tuple[tuple[str, bool], ...]"  # branches of conditions that must be taken


def imports_of(sections: Mapping[str, Node], services: tuple[str, ...] = ("",)) -> Iterator[tuple[Node, Node, Way]]:
    """The uses of `Fn::ImportValue` in the sections of a template: the call, the name, and when it counts.

    `services` are the beginnings of the resource types that are of interest; outputs always are.
    """
    for section in ("Resources", "Outputs"):
        entries = sections.get(section)
        for body in entries.values.values() if isinstance(entries, source.Mapping) else ():
            kind = body.values.get("Type") if isinstance(body, source.Mapping) else None
            if section == "Resources" and not (isinstance(kind, Scalar) and kind.value.startswith(services)):
                continue
            condition = condition_of(body)
            for node, name, way in _imports(body):
                yield node, name, ((condition.value, True), *way) if condition is not None else way


def exports_of(sections: Mapping[str, Node]) -> Iterator[tuple[Scalar, Node, source.Mapping]]:
    """The outputs in the sections of a template that others may import: the key, the name, and all that it says."""
    outputs = sections.get("Outputs")
    for key, body in outputs.values.items() if isinstance(outputs, source.Mapping) else ():
        export = body.values.get("Export") if isinstance(body, source.Mapping) else None
        name = export.values.get("Name") if isinstance(export, source.Mapping) else None
        if name is not None and isinstance(body, source.Mapping) and isinstance(outputs, source.Mapping):
            yield outputs.keys[key], name, body


def _imports(body: Node) -> Iterator[tuple[Node, Node, Way]]:
    pending: list[tuple[Node, Way]] = [(body, ())]
    seen: set[int] = set()
    while pending:
        node, way = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            pending.extend((item, way) for item in node.items)
        elif isinstance(node, source.Mapping):
            function = function_of(node)
            if function is not None and function[0] == "Fn::ImportValue":
                yield node, function[1], way
            if function is not None and function[0] == "Fn::If" and isinstance(function[1], Sequence):
                items = function[1].items
                name = items[0].value if items and isinstance(items[0], Scalar) else None
                for item, branch in zip(items[1:], (True, False), strict=False):
                    pending.append((item, (*way, (name, branch)) if name is not None else way))
            else:
                pending.extend((child, way) for child in node.values.values())


def condition_of(body: Node) -> Scalar | None:
    """The condition of a resource or an output."""
    condition = body.values.get("Condition") if isinstance(body, source.Mapping) else None
    return condition if isinstance(condition, Scalar) else None
