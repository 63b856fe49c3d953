"""`AWS::Include` with a local file: what it includes is put into the template.

Before `aws cloudformation package` the location is a path; in S3 nothing is known of what is included.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from trailguard.cloudformation.nodes import Mapping, Node, Scalar, Sequence, beside

INCLUDE = "AWS::Include"
MARK = b"AWS::Include"
_TRANSFORM = "Fn::Transform"

Fetch: TypeAlias = "Callable[[str], Node | None]"


def include(root: Mapping, fetch: Fetch) -> Mapping:
    """A template with its local includes in place; the same node where there are none.

    `fetch` gives the root of an included file by its location, None when it is not known: then the transform stays, and
    what it brings is unknown. Included files include nothing themselves. The tree that is given stays as it is.
    """
    if not any(True for _ in _calls(root)):
        return root
    made = _like(root)
    for key, node in root.values.items():
        if key == "Transform":
            kept = [item for item in _listed(node) if _location(item) is None or not _merge(made, item, fetch)]
            if kept:
                made.keys[key] = root.keys[key]
                made.values[key] = kept[0] if len(kept) == 1 else _sequence(node, kept)
            continue
        inner = _copied(node, fetch)
        known = made.values.get(key)
        if isinstance(known, Mapping) and isinstance(inner, Mapping):  # an include brought some of it
            inner.keys.update((name, item) for name, item in known.keys.items() if name not in inner.keys)
            inner.values.update((name, item) for name, item in known.values.items() if name not in inner.values)
        made.keys[key] = root.keys[key]
        made.values[key] = inner
    return made


def _merge(made: Mapping, call: Node, fetch: Fetch) -> bool:
    """Put the entries of what a call includes beside those that are there, which go before; False when unknown."""
    location = _location(call)
    found = fetch(location) if location is not None else None
    if not isinstance(found, Mapping):
        return False
    for key, node in found.values.items():
        known = made.values.get(key)
        if isinstance(known, Mapping) and isinstance(node, Mapping):
            both = _like(known)
            both.keys, both.values = {**node.keys, **known.keys}, {**node.values, **known.values}
            made.values[key] = both
        elif known is None:
            made.keys[key] = found.keys[key]
            made.values[key] = node
    return True


def _copied(node: Node, fetch: Fetch) -> Node:
    if isinstance(node, Sequence):
        return _sequence(node, [_copied(item, fetch) for item in node.items])
    if not isinstance(node, Mapping):
        return node
    made = _like(node)
    for key, child in node.values.items():
        if key != _TRANSFORM or _location(child) is None:
            made.keys[key] = node.keys[key]
            made.values[key] = _copied(child, fetch)
    call = node.values.get(_TRANSFORM)
    if call is not None and _location(call) is not None and not _merge_flat(made, call, fetch):
        made.keys[_TRANSFORM] = node.keys[_TRANSFORM]
        made.values[_TRANSFORM] = call
    return made


def _merge_flat(made: Mapping, call: Node, fetch: Fetch) -> bool:
    location = _location(call)
    found = fetch(location) if location is not None else None
    if not isinstance(found, Mapping):
        return False
    for key, node in found.values.items():
        if key not in made.values:
            made.keys[key] = found.keys[key]
            made.values[key] = node
    return True


def _calls(root: Node) -> Iterator[Node]:
    """The calls of AWS::Include with a location in a tree."""
    pending = [root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            pending.extend(node.items)
        elif isinstance(node, Mapping):
            if _location(node) is not None:
                yield node
            pending.extend(node.values.values())


def _location(node: Node) -> str | None:
    """The location that a call of AWS::Include names; None when it is another one, or a function gives it."""
    if not isinstance(node, Mapping):
        return None
    name, parameters = node.values.get("Name"), node.values.get("Parameters")
    if not isinstance(name, Scalar) or name.value != INCLUDE or not isinstance(parameters, Mapping):
        return None
    location = parameters.values.get("Location")
    return location.value if isinstance(location, Scalar) else None


def _listed(node: Node) -> list[Node]:
    return list(node.items) if isinstance(node, Sequence) else [node]


def _like(node: Mapping) -> Mapping:
    return beside(node, Mapping(node.line, node.column, node.end_line, node.end_column))


def _sequence(node: Node, items: list[Node]) -> Sequence:
    made = beside(node, Sequence(node.line, node.column, node.end_line, node.end_column))
    made.items = items
    return made
