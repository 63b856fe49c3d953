"""What a template imports and exports.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.template.references import Way, calls


def imports_of(sections: Mapping[str, Node], services: tuple[str, ...] = ("",)) -> Iterator[tuple[Node, Node, Way]]:
    """The uses of `Fn::ImportValue` in the sections of a template: the call, the name, and when it counts.

    `services` are the beginnings of the resource types that are of interest; outputs always are.
    """
    for section in ("Resources", "Outputs"):
        entries = sections.get(section)
        for body in entries.values.values() if isinstance(entries, MapNode) else ():
            kind = body.values.get("Type") if isinstance(body, MapNode) else None
            if section == "Resources" and not (isinstance(kind, TextNode) and kind.value.startswith(services)):
                continue
            condition = condition_of(body)
            guard: Way = ((condition.value, True),) if condition is not None else ()
            for call in calls(body):
                if call.function == "Fn::ImportValue":
                    yield call.node, call.argument, (*guard, *call.way)


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
