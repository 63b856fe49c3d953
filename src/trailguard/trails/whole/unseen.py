"""Trails that may be where nobody sees them: what a macro, a module or a template that is not there may make.

What makes them is a subject in their place, of which nothing is known. Not every nested stack is suspected: one whose
template should lie here and does not is; one behind a URL only when its name, or what it is handed, speaks of a trail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.source.tags import LOOP
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.stacks.stacks import Stacks
from trailguard.cloudformation.template.template import MODULE, VARIABLE, Generator, Resource, Template
from trailguard.trails.facts.facts import Fact, unknown

TRAIL = "AWS::CloudTrail::Trail"
SERVICE = "AWS::CloudTrail::"
# Bytes of what may make trails in a template that has no other word of them.
MARKS = (b"Fn::Transform", b"!Transform", b"AWS::Include", MODULE.encode(), b"${file(", b"!Include", b"Fn::Include")
# In the type of a resource: any item of a loop, and what is filled in before the deployment.
_ANY = re.compile(r"<[^<>]*>|\{\{[^{}]*\}\}|\$\{[^{}]*\}")
_PLACES = ("TemplateURL", "TemplateBody", "Location")


def speaks_of_trails(name: str) -> bool:
    """Tell whether the name of something that nobody sees says that it has to do with a trail."""
    return "trail" in name.lower()


class Unseen(NamedTuple):
    """What may make a trail that nobody sees: resources, of which one has to be there, and a fact that is not known."""

    makers: tuple[Resource, ...]
    fact: Fact


def unseen(template: Template, stacks: Stacks) -> Iterator[Unseen]:
    """What may make trails that nobody sees; the nested stacks of one template together."""
    document = template.document
    has_word = any(SERVICE in text for text in (document.text, *document.parts))
    for name, maker in template.generators.items():
        resource = _resource(template, name, maker)
        if maker.why and (has_word or _may_make(bare(name), resource.type)):
            yield Unseen((resource,), unknown(maker.key, maker.why, f"what {bare(name)} makes cannot be judged"))
    for resource in template.resources.values():
        items = _ANY.findall(resource.type)
        if items and _fits(resource.type) and (has_word or items[0].startswith("<")):
            filled = f"{items[0]} is filled in before the deployment"
            reason = next((why for name, why in template.items.items() if bare(name) == items[0]), filled)
            because = f"the type of {resource.id} is not known, which may be a trail"
            yield Unseen((resource,), unknown(resource.body.values["Type"], reason, because))
    hidden: dict[str, list[Resource]] = {}
    for resource in template.resources.values():
        if resource.id in stacks.hidden:
            hidden.setdefault(resource.id[len(bare(resource.id)) :], []).append(resource)
    yield from (_nested(makers, stacks) for makers in hidden.values())


def _nested(makers: Sequence[Resource], stacks: Stacks) -> Unseen:
    """The nested stacks of one template whose templates nobody has."""
    first, *others = makers
    more = f" and {len(others)} more" if others else ""
    because = f"the stack of {first.id}{more} cannot be judged, in which a trail may be"
    related = tuple((_place(other), stacks.unread[other.id]) for other in others)
    return Unseen(tuple(makers), Fact(None, _place(first), because, stacks.unread[first.id], related))


def _may_make(name: str, kind: str) -> bool:
    """Tell whether something may make a trail in a template that has no word of trails."""
    if name.startswith(LOOP):
        return False  # its types stand in the template
    is_open = name == "Transform" or name.startswith(("Fn::", "!", VARIABLE))
    return is_open or speaks_of_trails(name) or speaks_of_trails(kind)


def _resource(template: Template, name: str, maker: Generator) -> Resource:
    """What makes resources, as if it were one."""
    if name in template.resources:
        return template.resources[name]
    section = template.root.values.get("Resources")
    body = section.values.get(name) if isinstance(section, MapNode) else None
    if not isinstance(body, MapNode):
        key = maker.key
        body = MapNode(key.line, key.column, key.end_line, key.end_column)
    condition = body.values.get("Condition")
    return Resource(name, "", maker.key, body, condition.value if isinstance(condition, TextNode) else None)


def _fits(kind: str) -> bool:
    """Tell whether a type that hinges on the items of a loop may be that of a trail."""
    return re.fullmatch(".+".join(map(re.escape, _ANY.split(kind))), TRAIL) is not None


def _place(resource: Resource) -> Node:
    """Where a nested stack says which template it is a stack of."""
    properties = resource.attribute("Properties")
    values = properties.values if isinstance(properties, MapNode) else {}
    return next((values[name] for name in _PLACES if name in values), resource.key)
