"""One template of several stacks: their names have endings of their own already, so that nothing collides."""

from __future__ import annotations

from collections.abc import Iterable

from trailguard.cloudformation.source.nodes import Document, MapNode, TextNode, file_of, scalar_at
from trailguard.cloudformation.stacks.stacks import NAMED, Stack, Stacks
from trailguard.cloudformation.template.template import Template


def composed(stacks: Iterable[Stack]) -> tuple[Template, Stacks]:
    """One template of several stacks."""
    members = list(stacks)
    root = MapNode(1, 1)
    for name in NAMED:
        section = MapNode(1, 1)
        for stack in members:
            if (part := stack.sections.get(name)) is not None:
                section.keys.update(part.keys)
                section.values.update(part.values)
        if section.values or name == "Resources":
            root.keys[name] = TextNode(name, False, 1, 1, 1, 1)
            root.values[name] = section
    documents = list({id(stack.template): stack.template.document for stack in members}.values())
    parts = tuple(part for item in documents for part in item.parts)
    whole = Template(Document(root, "\n".join(document.text for document in documents), (), parts))
    for stack in members:
        for name, maker in stack.template.generators.items():
            whole.generators[name + stack.ending] = maker._replace(key=_in_file(maker.key, stack.file))
        whole.items.update({name + stack.ending: item for name, item in stack.template.items.items()})
    return whole, Stacks(members)


def _in_file(key: TextNode, file: str) -> TextNode:
    return scalar_at(key, key.value, file=file_of(key) or file)
