"""Loops of `AWS::LanguageExtensions`, written out as CloudFormation does before it deploys.

`Fn::ForEach` stands in Resources, Conditions, Outputs and in properties; it makes one entry for each item of its
collection. The entries keep the places of the loop's body, so that findings point there.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import NamedTuple

from trailguard.cloudformation.nodes import Mapping, Node, Scalar, Sequence, SourceError, beside, literal

LOOP = "Fn::ForEach::"
MAX_ENTRIES = 10_000  # that all loops of a template make: a template has at most 500 resources
MAX_NESTING = 5
_SPECIAL = re.compile(r"[^A-Za-z0-9]")


class Expansion(NamedTuple):
    """A template's tree with its loops written out, what is wrong with them, and those that stay open.

    `open_loops` are loops among the resources whose items are not known for sure, by key: they may make other resources
    than those that are written out.
    """

    root: Mapping
    problems: tuple[SourceError, ...]
    open_loops: dict[str, Scalar]


class _Items(NamedTuple):
    """The items of a collection; `sure` tells that no parameter can change them."""

    texts: list[str]
    sure: bool


def has_loops(root: Mapping) -> bool:
    """Tell whether a template has loops to write out."""
    sections = (root.values.get(name) for name in ("Resources", "Conditions", "Outputs"))
    return any(isinstance(section, Mapping) and _has_loop(section) for section in sections)


def _has_loop(node: Node) -> bool:
    pending: list[Node] = [node]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, Mapping):
            if any(key.startswith(LOOP) for key in current.values):
                return True
            pending.extend(current.values.values())
        elif isinstance(current, Sequence):
            pending.extend(current.items)
    return False


def expand(root: Mapping, pinned: Map[str, str] | None = None) -> Expansion:
    """Write out the loops of a template; `pinned` are parameter values that are known.

    The tree that is given stays as it is; what holds no loop is shared with the new one.
    """
    return _Expander(root, pinned or {}).expand()


class _Expander:
    def __init__(self, root: Mapping, pinned: Map[str, str]) -> None:
        self._root = root
        self._pinned = pinned
        self._problems: list[SourceError] = []
        self._open: dict[str, Scalar] = {}
        self._made = 0
        self._inside_resources: Scalar | None = None

    def expand(self) -> Expansion:
        root = _like(self._root)
        for key, node in self._root.values.items():
            root.keys[key] = self._root.keys[key]
            if key in ("Resources", "Conditions", "Outputs") and isinstance(node, Mapping) and _has_loop(node):
                root.values[key] = self._entries(node, {}, 0, key == "Resources")
            else:
                root.values[key] = node
        return Expansion(root, tuple(self._problems), self._open)

    def _entries(self, node: Mapping, names: dict[str, str], depth: int, resources: bool = False) -> Mapping:
        """A map, its loops replaced by what they make and identifiers by their items."""
        made = _like(node)
        for key, value in node.values.items():
            place = node.keys[key]
            if key.startswith(LOOP):
                for scalar, entry in self._loop(key, place, value, names, depth, resources):
                    self._add(made, scalar, entry, place)
            else:
                self._add(made, _named(place, names), self._copy(value, names, depth), place)
        return made

    def _add(self, made: Mapping, key: Scalar, value: Node, place: Scalar) -> None:
        if key.value in made.values:
            self._problem(f'the loop makes "{key.value}" twice', place)
            return
        made.keys[key.value] = key
        made.values[key.value] = value

    def _loop(
        self, key: str, place: Scalar, node: Node, names: dict[str, str], depth: int, resources: bool
    ) -> Iterator[tuple[Scalar, Node]]:
        parts = node.items if isinstance(node, Sequence) else []
        identifier = parts[0].value if parts and isinstance(parts[0], Scalar) else ""  # `Y` is a name here
        body = parts[2] if len(parts) == 3 else None
        if not identifier or not isinstance(body, Mapping):
            self._problem(f"{key} must be a list of an identifier, a collection and a map", place)
            return
        if depth >= MAX_NESTING:
            self._problem(f"{key} is nested too deeply: CloudFormation takes {MAX_NESTING} loops in each other", place)
            return
        if identifier in names:
            self._problem(f'{key} uses the identifier "{identifier}" of a loop around it', place)
            return
        items = self._items(parts[1], names)
        if items is None or not items.sure:
            if resources:
                self._open[key] = place
            if items is None:
                yield place, node
                return
        for text in items.texts:
            self._made += 1
            if self._made > MAX_ENTRIES:
                self._problem(f"the loops make more than {MAX_ENTRIES} entries", place)
                return
            inner = self._entries(body, {**names, identifier: text}, depth + 1, resources)
            yield from ((inner.keys[name], inner.values[name]) for name in inner.values)

    def _copy(self, node: Node, names: dict[str, str], depth: int) -> Node:
        """A value, identifiers replaced; the node itself where there is nothing to do."""
        if not names and not _has_loop(node):
            return node
        if isinstance(node, Scalar):
            return _named(node, names)
        if isinstance(node, Sequence):
            made = beside(node, Sequence(node.line, node.column, node.end_line, node.end_column))
            made.items = [self._copy(item, names, depth) for item in node.items]
            return made
        if not isinstance(node, Mapping):
            return node
        reference = node.values.get("Ref") if len(node.values) == 1 else None
        if isinstance(reference, Scalar) and reference.value in names:
            return _scalar(node, names[reference.value])
        entries = self._entries(node, names, depth)
        if len(node.values) == 1 and "Fn::Sub" in node.values:
            self._put_text(entries.values["Fn::Sub"], node.values["Fn::Sub"], names)
        return entries

    def _put_text(self, made: Node, argument: Node, names: dict[str, str]) -> None:
        """Leave the names to `Fn::Sub` that it gives another meaning to."""
        if isinstance(made, Sequence) and isinstance(argument, Sequence) and len(argument.items) == 2:
            own = argument.items[1]
            inner = {name: text for name, text in names.items() if name not in getattr(own, "values", ())}
            made.items[0] = self._copy(argument.items[0], inner, 0) if inner else argument.items[0]

    # --- collections ----------------------------------------------------------------------------------------------

    def _items(self, node: Node, names: dict[str, str]) -> _Items | None:
        """The items of a collection; None when they are not known."""
        if isinstance(node, Sequence):
            texts: list[str] = []
            sure = True
            for item in node.items:
                found = self._item(item, names)
                if found is None:
                    return None
                texts.extend(found.texts)
                sure = sure and found.sure
            return _Items(texts, sure)
        if not isinstance(node, Mapping) or len(node.values) != 1:
            return None
        ((function, argument),) = node.values.items()
        if function == "Ref" and isinstance(argument, Scalar):
            return self._parameter(argument.value)
        if function == "Fn::FindInMap":
            return self._found(argument, names)
        if function == "Fn::Split":
            return self._split(argument, names)
        return None

    def _item(self, node: Node, names: dict[str, str]) -> _Items | None:
        """One item of a written list: a text, or a reference to a parameter, which may be a list."""
        if isinstance(node, Scalar):
            return _Items([_put(_text(node), names)], True)
        reference = node.values.get("Ref") if isinstance(node, Mapping) and len(node.values) == 1 else None
        if not isinstance(reference, Scalar):
            return None
        if reference.value in names:
            return _Items([names[reference.value]], True)
        return self._parameter(reference.value)

    def _parameter(self, name: str) -> _Items | None:
        """The items of a list parameter: those that are known, else its default, which is not sure."""
        section = self._root.values.get("Parameters")
        node = section.values.get(name) if isinstance(section, Mapping) else None
        if not isinstance(node, Mapping):
            return None
        kind = node.values.get("Type")
        if not isinstance(kind, Scalar) or kind.value.startswith("AWS::SSM::"):
            return None
        is_list = kind.value == "CommaDelimitedList" or kind.value.startswith("List<")
        default = node.values.get("Default")
        text = self._pinned.get(name)
        if text is None and isinstance(default, Scalar):
            text = _text(default)
        if text is None:
            return None
        sure = name in self._pinned
        return _Items([item.strip() for item in text.split(",")] if is_list else [text], sure)

    def _found(self, argument: Node, names: dict[str, str]) -> _Items | None:
        """The items that a mapping holds under keys that are known."""
        keys = argument.items[:3] if isinstance(argument, Sequence) else []
        found: Node | None = self._root.values.get("Mappings")
        for key in keys:
            item = self._item(key, names)
            if item is None or not item.sure or len(item.texts) != 1 or not isinstance(found, Mapping):
                return None
            found = found.values.get(item.texts[0])
        if len(keys) != 3 or found is None:
            return None
        if isinstance(found, Sequence):
            return self._items(found, names)
        return _Items([_text(found)], True) if isinstance(found, Scalar) else None

    def _split(self, argument: Node, names: dict[str, str]) -> _Items | None:
        parts = argument.items if isinstance(argument, Sequence) else []
        if len(parts) != 2 or not isinstance(parts[0], Scalar) or not parts[0].value:
            return None
        item = self._item(parts[1], names)
        if item is None or len(item.texts) != 1:
            return None
        return _Items(item.texts[0].split(parts[0].value), item.sure)

    def _problem(self, message: str, place: Scalar) -> None:
        self._problems.append(SourceError(message, place.line, place.column))


def _text(node: Scalar) -> str:
    value = literal(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value or ""


def _put(text: str, names: dict[str, str]) -> str:
    """A text in which items stand for identifiers: `${Name}`, or `&{Name}` with letters and digits only."""
    for name, item in names.items():
        text = text.replace("${" + name + "}", item).replace("&{" + name + "}", _SPECIAL.sub("", item))
    return text


def _named(node: Scalar, names: dict[str, str]) -> Scalar:
    text = _put(node.value, names) if "{" in node.value else node.value
    return node if text == node.value else _scalar(node, text)


def _scalar(place: Node, text: str) -> Scalar:
    return beside(place, Scalar(text, False, place.line, place.column, place.end_line, place.end_column))


def _like(node: Mapping) -> Mapping:
    return beside(node, Mapping(node.line, node.column, node.end_line, node.end_column))
