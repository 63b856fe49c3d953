"""Templates inside the files of the Serverless Framework, which adds them to what it makes itself.

`resources` is a map of sections, or a list of such maps; a part may be read from another file by `${file(path):key}`.
`extensions` changes what is there already. Variables are filled in before the deployment; what they are is unknown.
Source: https://www.serverless.com/framework/docs/providers/aws/guide/resources,
https://www.serverless.com/framework/docs/guides/variables/file
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from trailguard.cloudformation.source.nodes import (
    ListNode,
    MapNode,
    Node,
    TextNode,
    mapping_at,
    scalar_at,
    sequence_at,
)

_FILE = re.compile(r"\$\{file\(\s*([^(){}]+?)\s*\)(?::([\w.-]+))?\s*\}")

Fetch: TypeAlias = "Callable[[str], Node | None]"


def inner_of(root: MapNode) -> MapNode | None:
    """The template inside a file of the framework, made one of its parts; None when it is no such file.

    A part that is not known stands among its Resources, its text as a key.
    """
    inner = root.values.get("resources")
    if inner is None or "service" not in root.values or "Resources" in root.values:
        return None
    if isinstance(inner, MapNode) and _is_plain(inner):
        return inner
    made = mapping_at(inner)
    extensions: list[Node] = []
    for part in inner.items if isinstance(inner, ListNode) else [inner]:
        _add(made, part)
        extensions += [part.values["extensions"]] if isinstance(part, MapNode) and "extensions" in part.values else []
    for extension in extensions:  # of what all parts bring, in whatever order they stand
        _extend(made, extension)
    return made if made.values else None


def _is_plain(inner: MapNode) -> bool:
    """Tell whether a template can stay as it is."""
    return "extensions" not in inner.values and not any(isinstance(part, TextNode) for part in inner.values.values())


def _add(made: MapNode, part: Node) -> None:
    """Add a part to a template: later ones win."""
    if isinstance(part, TextNode):
        _add_unknown(made, part)
    if not isinstance(part, MapNode):
        return
    for name, section in part.values.items():
        known = made.values.get(name)
        if name == "extensions":
            continue
        if name == "Resources" and isinstance(section, TextNode):
            _add_unknown(made, section)
        elif isinstance(section, TextNode) and section.value.startswith("${"):
            continue  # no resource is in it
        elif isinstance(known, MapNode) and isinstance(section, MapNode):
            made.values[name] = mapping_at(known, known.keys | section.keys, known.values | section.values)
        else:
            made.keys[name], made.values[name] = part.keys[name], section


def _add_unknown(made: MapNode, part: TextNode) -> None:
    if part.value.startswith("${"):
        section = mapping_at(part, {part.value: part}, {part.value: part})
        _add(made, mapping_at(part, {"Resources": scalar_at(part, "Resources")}, {"Resources": section}))


def _extend(made: MapNode, extensions: Node) -> None:
    """Change resources that are there: the properties that an extension names, and other attributes as a whole."""
    section = made.values.get("Resources")
    if not isinstance(section, MapNode) or not isinstance(extensions, MapNode):
        return
    changed: dict[str, Node] = {}
    for name, extension in extensions.values.items():
        body = section.values.get(name)
        if isinstance(body, MapNode) and isinstance(extension, MapNode):
            changed[name] = _merged(body, extension, _merged_properties(body, extension))
    made.values["Resources"] = mapping_at(section, section.keys, {**section.values, **changed})


def _merged_properties(body: MapNode, extension: MapNode) -> dict[str, Node]:
    old, new = body.values.get("Properties"), extension.values.get("Properties")
    if not isinstance(old, MapNode) or not isinstance(new, MapNode):
        return {}
    return {"Properties": _merged(old, new, {})}


def _merged(old: MapNode, new: MapNode, last: Mapping[str, Node]) -> MapNode:
    return mapping_at(old, old.keys | new.keys, {**old.values, **new.values, **last})


def files(root: Node) -> Iterator[str]:
    """The paths of the files that parts of the template are read from."""
    for node in _below(root):
        found = _FILE.fullmatch(node.value) if isinstance(node, TextNode) else None
        if found is not None:
            yield found[1]


def _below(root: Node) -> Iterator[Node]:
    pending = [root.values["resources"]] if isinstance(root, MapNode) and "resources" in root.values else []
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            pending.extend(node.items if isinstance(node, ListNode) else ())
            pending.extend(node.values.values() if isinstance(node, MapNode) else ())


def with_files(root: MapNode, fetch: Fetch) -> MapNode:
    """A file of the framework with the parts in place that it reads from others; `fetch` gives them by their path."""
    done: dict[int, Node] = {}  # aliases are followed once

    def copied(node: Node) -> Node:
        if id(node) not in done:
            done[id(node)] = made(node)
        return done[id(node)]

    def made(node: Node) -> Node:
        if isinstance(node, TextNode):
            return _part(node, fetch) or node
        if isinstance(node, ListNode):
            return sequence_at(node, [copied(item) for item in node.items])
        if isinstance(node, MapNode):
            return mapping_at(node, dict(node.keys), {key: copied(child) for key, child in node.values.items()})
        return node

    if "resources" not in root.values or "service" not in root.values or not any(files(root)):
        return root
    return mapping_at(root, root.keys, {**root.values, "resources": copied(root.values["resources"])})


def _part(node: TextNode, fetch: Fetch) -> Node | None:
    """What a text stands for that is read from a file; None when it is not known."""
    found = _FILE.fullmatch(node.value)
    if found is None:
        return None
    part = fetch(found[1])
    for key in found[2].split(".") if found[2] else ():
        part = part.values.get(key) if isinstance(part, MapNode) else None
    return part
