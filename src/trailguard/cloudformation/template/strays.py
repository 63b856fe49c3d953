"""Resources that stand where CloudFormation makes none: beside the sections, in another resource, in an output.

A line that is indented too little or too much is enough.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from trailguard.cloudformation.source.nodes import (
    Document,
    ListNode,
    MapNode,
    Node,
    SourceError,
    TextNode,
    mapping_at,
    scalar_at,
)
from trailguard.cloudformation.template.template import FUNCTION_PREFIX, Template, is_typed

_BODY = "TemplateBody"
_FREE = ("Metadata", _BODY)  # hold whatever somebody likes, or a template
_SECTION = re.compile(r"""\bResources["']?\s*:""")


def strays(template: Template, kinds: Collection[str]) -> Iterator[SourceError]:
    """What is wrong with resources of some types that are outside of Resources, each at its logical ID."""
    document = template.document
    places = {id(item.body.values["Type"]) for item in template.resources.values() if item.type in kinds}
    if sum(text.count(kind) for kind in kinds for text in (document.text, *document.parts)) <= len(places):
        return  # each mention of them is a resource
    for key, body in _typed(template.root, kinds):
        what, name = body.values["Type"], key.value
        shown = what.value if isinstance(what, TextNode) else ""
        message = f"{name} ({shown}) stands outside of Resources, where CloudFormation makes no resource: move it there"
        yield SourceError(message, key.line, key.column)


def _typed(root: MapNode, kinds: Collection[str]) -> Iterator[tuple[TextNode, MapNode]]:
    """The resources of some types outside of Resources, with their keys."""
    pending: list[tuple[TextNode, Node, bool]] = []  # whether a resource may stand there
    for name, node in reversed(root.values.items()):
        if name == "Resources" and isinstance(node, MapNode):
            entries = reversed(node.values.items())
            pending += [(node.keys[key], body, True) for key, body in entries if not key.startswith(FUNCTION_PREFIX)]
        elif name not in _FREE:
            pending.append((root.keys[name], node, False))
    seen: set[int] = set()
    while pending:
        key, node, is_made = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ListNode):
            pending.extend((key, item, False) for item in reversed(node.items))
        elif isinstance(node, MapNode):
            if not is_made and is_resource(node, kinds):
                yield key, node
            inner = reversed(node.values.items())
            pending.extend((node.keys[name], child, False) for name, child in inner if name not in _FREE)


def is_resource(node: Node, kinds: Collection[str]) -> bool:
    """Tell whether a node is a resource of one of some types."""
    if not isinstance(node, MapNode) or not isinstance(node.values.get("Properties"), MapNode):
        return False
    kind = node.values.get("Type")
    return isinstance(kind, TextNode) and kind.value in kinds


def resources_of(root: Node) -> list[Node]:
    """What looks like a resource in a template, or in a map of resources."""
    section = root.values.get("Resources", root) if isinstance(root, MapNode) else None
    return [body for body in section.values.values() if is_typed(body)] if isinstance(section, MapNode) else []


def as_template(document: Document, kinds: Collection[str]) -> Document | None:
    """A document that is no template but holds resources of some types, as one; None when it holds none.

    It is a map of resources, one resource, or what stands under the keys `resources` or `TemplateBody` (as `aws
    cloudformation get-template` writes it). Raises SourceError where it is a template as text.
    """
    root = document.root
    if isinstance(root, TextNode):
        _refuse_text(root, kinds)
    if not isinstance(root, MapNode):
        return None
    if "Resources" in root.values:  # of a shape that is none, which whoever reads it says
        return document if any(_typed(root, kinds)) else None
    body = root.values.get(_BODY)
    if isinstance(body, TextNode):
        _refuse_text(body, kinds)
    if isinstance(body, MapNode) and any(is_resource(item, kinds) for item in resources_of(body)):
        return document._replace(root=body)
    made = next(filter(None, (_resources_in(part, kinds) for part in _parts(root))), None)
    if made is None:
        return None
    return document._replace(root=mapping_at(root, {"Resources": scalar_at(root, "Resources")}, {"Resources": made}))


def _parts(root: MapNode) -> Iterator[MapNode]:
    """What may be the resources in a file that is no template."""
    yield root
    kind = root.values.get("Type")
    if isinstance(kind, TextNode):
        name = kind.value.rpartition("::")[2]
        yield mapping_at(root, {name: scalar_at(root, name)}, {name: root})
    yield from (node for name, node in root.values.items() if name.lower() == "resources" and isinstance(node, MapNode))


def _resources_in(part: MapNode, kinds: Collection[str]) -> MapNode | None:
    """The resources in a map, when there are some of certain types among them."""
    if not any(is_resource(body, kinds) for body in part.values.values()):
        return None
    made = {key: body for key, body in part.values.items() if is_typed(body)}
    return mapping_at(part, {key: part.keys[key] for key in made}, dict(made))


def _refuse_text(node: TextNode, kinds: Collection[str]) -> None:
    """Say that a text is a template, which nobody reads there."""
    if _SECTION.search(node.value) is not None and any(kind in node.value for kind in kinds):
        message = "this is a template as one text, not a map: scan the template itself (JSON takes no comments)"
        raise SourceError(message, node.line, node.column)
