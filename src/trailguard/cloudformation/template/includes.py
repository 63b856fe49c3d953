"""`AWS::Include` with a local file: what it includes is put into the template.

Before `aws cloudformation package` the location is a path; in S3 nothing is known of what is included.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
"""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import TypeAlias

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, mapping_at, sequence_at

INCLUDE = "AWS::Include"
_FUNCTION, _SECTION = "Fn::Transform", "Transform"

Fetch: TypeAlias = "Callable[[str], Node | None]"


def include(root: MapNode, fetch: Fetch) -> MapNode:
    """A template with its local includes in place; the same node where there are none.

    `fetch` gives the root of an included file by its location, None when it is not known: then the transform stays, and
    what it brings is unknown. Included files include nothing themselves: what they name so stays too. Of two entries
    with the same key the template's own goes before. The tree that is given stays as it is.
    """
    if not includes_something(root):
        return root
    done: dict[int, Node] = {}
    values = {key: node if key == _SECTION else _copied(node, fetch, done) for key, node in root.values.items()}
    return _with_parts(mapping_at(root, root.keys, values), _SECTION, fetch, deep=True)


def includes_something(root: Node) -> bool:
    """Tell whether there is anything to include."""
    return bool(locations(root))


def locations(root: Node) -> list[TextNode]:
    """The locations of all that is included, as far as they are written out."""
    found: list[TextNode] = []
    pending = [root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ListNode):
            pending.extend(reversed(node.items))
        elif isinstance(node, MapNode):
            calls = node.values.get(_SECTION if node is root else _FUNCTION)
            found.extend(place for call in _listed(calls) if (place := location(call)) is not None)
            pending.extend(reversed(node.values.values()))
    return found


def _copied(node: Node, fetch: Fetch, done: dict[int, Node]) -> Node:
    """A node with what is included in it; the node itself where that is nothing. `done` follows aliases once."""
    if isinstance(node, TextNode):
        return node
    made = done.get(id(node))
    if made is None:
        made = done[id(node)] = _copied_inner(node, fetch, done)
    return made


def _copied_inner(node: Node, fetch: Fetch, done: dict[int, Node]) -> Node:
    if isinstance(node, ListNode):
        items = [_copied(item, fetch, done) for item in node.items]
        return node if all(map(is_, items, node.items)) else sequence_at(node, items)
    if not isinstance(node, MapNode):
        return node
    values = {key: child if key == _FUNCTION else _copied(child, fetch, done) for key, child in node.values.items()}
    is_same = all(map(is_, values.values(), node.values.values()))
    return _with_parts(node if is_same else mapping_at(node, node.keys, values), _FUNCTION, fetch, deep=False)


def _with_parts(node: MapNode, name: str, fetch: Fetch, *, deep: bool) -> MapNode:
    """A map with what the calls under a key of it include; those that are not known stay there.

    `deep` puts the entries of sections together.
    """
    kept: list[Node] = []
    parts: list[MapNode] = []
    for call in _listed(node.values.get(name)):
        place = location(call)
        part = fetch(place.value) if place is not None else None
        if isinstance(part, MapNode):
            parts.append(part)
            kept.extend(_listed(part.values.get(name)))
        else:
            kept.append(call)
    if not parts:
        return node
    made = mapping_at(node, dict(node.keys), dict(node.values))
    if kept:
        made.values[name] = kept[0] if len(kept) == 1 else sequence_at(node.values[name], kept)
    else:
        del made.keys[name], made.values[name]
    for part in parts:
        for key, child in part.values.items():
            known = made.values.get(key)
            if known is None and key != name:
                made.keys[key], made.values[key] = part.keys[key], child
            elif deep and key != name and isinstance(known, MapNode) and isinstance(child, MapNode):
                keys, values = known.keys | child.keys | known.keys, known.values | child.values | known.values
                made.values[key] = mapping_at(known, keys, values)
    return made


def is_include(node: Node) -> bool:
    """Tell whether a node is a call of AWS::Include."""
    name = node.values.get("Name") if isinstance(node, MapNode) else None
    return isinstance(name, TextNode) and name.value == INCLUDE


def location(node: Node) -> TextNode | None:
    """The location that a call of AWS::Include names; None when it is another one, or a function gives it."""
    parameters = node.values.get("Parameters") if isinstance(node, MapNode) and is_include(node) else None
    place = parameters.values.get("Location") if isinstance(parameters, MapNode) else None
    return place if isinstance(place, TextNode) else None


def _listed(node: Node | None) -> list[Node]:
    if isinstance(node, ListNode):
        return list(node.items)
    return [] if node is None else [node]
