"""A template that another one holds as text: the `TemplateBody` of a stack set.

`Fn::Sub` or `Fn::Join` around the text fills in values of the outer template; they become parameters of the inner one,
handed down. `${!Name}` in it is `${Name}` of the inner template. `Fn::ToJsonString` makes the text of a map, in which
every function is one of the outer template.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-stackset.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trailguard.cloudformation.source.letters import FILLED
from trailguard.cloudformation.source.nodes import (
    Document,
    ListNode,
    MapNode,
    Node,
    SourceError,
    TextNode,
    call_at,
    mapping_at,
    scalar_at,
    sequence_at,
)
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template, function_of, looks_like_template

_PLACEHOLDER = re.compile(r"\$\{(!?)([^{}]*)\}")
_TOKEN = re.compile(FILLED.pattern)


class Inline(NamedTuple):
    """The inner template, and what the outer one hands it for parameters that stand for its own values."""

    template: Template
    handed: dict[str, Node]


def inline(body: Node, text: str) -> Inline | None:
    """The template in a node of a document with the given text; None when another function than those above makes it.

    Raises SourceError, with its place in the outer document, when it cannot be read.
    """
    filled: list[Node] = []
    function, argument = function_of(body) or ("", body)
    if isinstance(argument, MapNode) and function in ("", "Fn::ToJsonString"):
        return _of_map(argument, text, filled)
    inner = _written(body, filled)
    if inner is None:
        return None
    # A text of several parts is taken as one at the place of their function.
    scalar = _scalar(argument) if function != "Fn::Join" else scalar_at(body, inner)
    shift = _Shift(scalar, text)
    try:
        document = parse(inner.encode("utf-8", "surrogatepass"))
        if not looks_like_template(document.root):
            return None
        shift.move(document.root)
        root = _with_parameters(document.root, filled)
        problems = tuple(shift.error(problem) for problem in document.problems)
        template = Template(Document(root, text, problems))
    except SourceError as error:
        if function == "Fn::Join" and filled:
            return None  # what is filled in may be more than a value
        raise shift.error(error) from None
    return Inline(template, _handed(filled))


def _handed(filled: list[Node]) -> dict[str, Node]:
    return {_parameter(number): node for number, node in enumerate(filled)}


def _of_map(body: MapNode, text: str, filled: list[Node]) -> Inline | None:
    """The template in a map, whose functions give values of the outer template."""

    def copied(node: Node) -> Node:
        if function_of(node) is not None:
            filled.append(node)
            return call_at(node, "Ref", scalar_at(node, _parameter(len(filled) - 1)))
        if isinstance(node, ListNode):
            return sequence_at(node, [copied(item) for item in node.items])
        if isinstance(node, MapNode):
            return mapping_at(node, dict(node.keys), {key: copied(child) for key, child in node.values.items()})
        return node

    root = copied(body)
    if not looks_like_template(root):
        return None
    _declare(root, filled)
    return Inline(Template(Document(root, text, ())), _handed(filled))


def _scalar(argument: Node) -> TextNode:
    """The text of `Fn::Sub`, which may come with a map."""
    first = argument.items[0] if isinstance(argument, ListNode) else argument
    return first if isinstance(first, TextNode) else scalar_at(argument, "")


def _written(node: Node, filled: list[Node]) -> str | None:
    """A text with tokens for what the outer template fills in; None when it is not written out."""
    function, argument = function_of(node) or ("", node)
    if function == "Fn::Sub":
        mapping = argument.items[1] if isinstance(argument, ListNode) and len(argument.items) == 2 else None
        names = dict(mapping.values) if isinstance(mapping, MapNode) else {}
        return _filled(_scalar(argument), names, filled)
    if function == "Fn::Join":
        return _joined(argument, filled)
    return node.value if isinstance(node, TextNode) else None


def _joined(argument: Node, filled: list[Node]) -> str | None:
    delimiter, listed = argument.items if isinstance(argument, ListNode) and len(argument.items) == 2 else (None, None)
    if not isinstance(delimiter, TextNode) or not isinstance(listed, ListNode):
        return None
    parts: list[str] = []
    for item in listed.items:
        part = _written(item, filled)
        if part is None:
            filled.append(item)
            part = FILLED.around(len(filled) - 1)
        parts.append(part)
    return delimiter.value.join(parts)


def _filled(scalar: TextNode, names: dict[str, Node], filled: list[Node]) -> str:
    """The inner text, with a token for each value that the outer template fills in."""

    def token(found: re.Match[str]) -> str:
        name = found[2].strip()
        if found[1]:
            return "${" + name + "}"
        filled.append(names[name] if name in names else _reference(name, scalar))
        return FILLED.around(len(filled) - 1)

    return _PLACEHOLDER.sub(token, scalar.value)


def _reference(name: str, place: TextNode) -> Node:
    """`Ref` or `Fn::GetAtt`, as `${Name}` and `${Name.Attribute}` stand for."""
    return call_at(place, "Fn::GetAtt" if "." in name else "Ref", scalar_at(place, name))


def _parameter(number: int) -> str:
    return f"Outer{number}"


def _with_parameters(root: Node, filled: list[Node]) -> Node:
    if filled:
        _insert(root)
        _declare(root, filled)
    return root


def _declare(root: Node, filled: list[Node]) -> None:
    """Make parameters of what the outer template fills in."""
    if not filled or not isinstance(root, MapNode):
        return
    section = root.values.get("Parameters")
    if not isinstance(section, MapNode):
        section = mapping_at(root)
        root.keys["Parameters"] = scalar_at(root, "Parameters")
        root.values["Parameters"] = section
    for number in range(len(filled)):
        name = _parameter(number)
        section.keys[name] = scalar_at(root, name)
        section.values[name] = call_at(root, "Type", scalar_at(root, "String"))


def _insert(node: Node) -> None:
    """Put references to the parameters where the tokens are."""
    if isinstance(node, ListNode):
        node.items = [_replaced(item) for item in node.items]
    elif isinstance(node, MapNode):
        function = function_of(node)
        if function is not None and function[0] == "Fn::Sub":
            text = function[1].items[0] if isinstance(function[1], ListNode) and function[1].items else function[1]
            if isinstance(text, TextNode):
                text.value = _with_names(text.value)
        for key, child in node.values.items():
            node.values[key] = _replaced(child)


def _replaced(node: Node) -> Node:
    if not isinstance(node, TextNode):
        _insert(node)
        return node
    if FILLED.open not in node.value:
        return node
    return call_at(node, "Fn::Sub", scalar_at(node, _with_names(node.value.replace("${", "${!"))))


def _with_names(text: str) -> str:
    """A text with the names of the parameters for the tokens."""
    return _TOKEN.sub(lambda found: "${" + _parameter(int(found[1])) + "}", text)


class _Shift:
    """Where the places of an inner document are in the outer one."""

    def __init__(self, scalar: TextNode, text: str) -> None:
        self._scalar = scalar
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        inner = scalar.value.split("\n")
        below = lines[scalar.line : scalar.line + len(inner)]
        first = next((line for line in inner if line.strip()), "")
        outer = next((line for line in below if line.strip()), "")
        self._columns = len(outer) - len(first) if outer.endswith(first) and first else -1
        same = all(line.strip() == other.strip() for line, other in zip(below, inner, strict=False))
        self._is_block = same and self._columns >= 0  # written line by line below the key

    def move(self, root: Node) -> None:
        """Move all nodes of the inner document to their places in the outer one."""
        pending: list[Node] = [root]
        seen: set[int] = set()
        while pending:
            node = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            node.line, node.column = self._place(node.line, node.column)
            node.end_line, node.end_column = self._place(node.end_line, node.end_column, end=True)
            if isinstance(node, ListNode):
                pending.extend(node.items)
            elif isinstance(node, MapNode):
                pending.extend((*node.keys.values(), *node.values.values()))

    def error(self, error: SourceError) -> SourceError:
        """What is wrong with the inner document, at its place in the outer one."""
        return SourceError(f"in the template inside: {error.message}", *self._place(error.line, error.column))

    def _place(self, line: int, column: int, end: bool = False) -> tuple[int, int]:
        if self._is_block:
            return line + self._scalar.line, column + self._columns
        if end:
            return self._scalar.end_line, self._scalar.end_column
        return self._scalar.line, self._scalar.column
