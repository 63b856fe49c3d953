"""One template of several stacks: their sections put together, as their names are told apart already."""

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
            part = stack.sections.get(name)
            if part is not None:
                section.keys.update(part.keys)
                section.values.update(part.values)
        if section.values or name == "Resources":
            root.keys[name] = TextNode(name, False, 1, 1, 1, 1)
            root.values[name] = section
    templates = {id(stack.template): stack.template for stack in members}
    documents = [template.document for template in templates.values()]
    parts = tuple(part for document in documents for part in document.parts)
    whole = Template(Document(root, "\n".join(document.text for document in documents), (), parts))
    for stack in members:
        for name, maker in stack.template.generators.items():
            key = scalar_at(maker.key, maker.key.value, file=file_of(maker.key) or stack.file)
            whole.generators[name + stack.ending] = maker._replace(key=key)
        whole.items.update({name + stack.ending: item for name, item in stack.template.items.items()})
    return whole, Stacks(members)
