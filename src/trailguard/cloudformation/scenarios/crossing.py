"""Values that go from one stack to another: exports and imports, a nested stack's parameters and its outputs.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-importvalue.html
and https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-stack.html
"""

from __future__ import annotations

from typing import Protocol

from trailguard.cloudformation.scenarios.asking import Resolver
from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    VARIABLE,
    Absent,
    ListValue,
    Piece,
    Pieces,
    Symbol,
    Text,
    Unknown,
    Value,
    clash,
    join_pieces,
    show,
    split_pieces,
    text_of,
    trim,
)
from trailguard.cloudformation.scenarios.variables import Assignment
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.stacks.stacks import Binding, Stack


class Crossing(Resolver, Protocol):
    """What must be known of a scenario to look from one stack into another."""

    model: Model
    assignment: Assignment
    busy: set[object]

    def condition(self, name: str) -> bool:
        """Tell whether a named condition holds."""

    def decide_pieces(self, left: tuple[Piece, ...], right: tuple[Piece, ...]) -> bool:
        """Decide whether two texts are equal."""


def imported(scenario: Crossing, name: Text, node: Node) -> Value:
    """The value that another stack exports under a name."""
    stacks = scenario.model.stacks
    exports = stacks.exporters.get(id(node))
    shown = show(name)
    if not exports:
        reason = f'no scanned template exports "{shown}"; scan the template that does together with this one'
        return Unknown(f"import of {shown}", stacks.unexported.get(id(node), reason), node)
    *others, last = exports
    for export in others:
        exported = text_of(scenario.resolve(export.name))
        if _is_made(scenario, export.output) and exported is not None and _takes(scenario, name, exported):
            return _output(scenario, export.output, f"the export {show(exported)}", node)
    exported = text_of(scenario.resolve(last.name))
    if exported is None or not _takes(scenario, name, exported):
        raise Unbuildable("the export has another name")
    return _output(scenario, last.output, f"the export {show(exported)}", node)


def _is_made(scenario: Crossing, output: Node) -> bool:
    """Tell whether an output is there in a scenario."""
    condition = output.values.get("Condition") if isinstance(output, MapNode) else None
    return not isinstance(condition, TextNode) or scenario.condition(condition.value)


def _takes(scenario: Crossing, name: Text, exported: Text) -> bool:
    """Tell whether an import takes an export: the shapes of their names fit, and what can be decided is."""
    left, right = trim(name.pieces, exported.pieces)
    if not left and not right:
        return True
    if clash(left, right):
        return False
    for one, other in ((left, right), (right, left)):
        whole = len(one) == 1 and len(other) < 2 and not isinstance(one[0], str) and one[0].kind == VARIABLE
        if whole and (not other or isinstance(other[0], str) or other[0].kind == VARIABLE):
            return scenario.decide_pieces(one, other)
    for piece in (*left, *right):
        if isinstance(piece, Symbol) and piece.kind == VARIABLE:
            scenario.fix(piece.name)
    return True


def given_up(scenario: Crossing, child: Stack, resource: str, attribute: str, node: Node) -> Value:
    """What a nested stack hands up: `Outputs.Name`."""
    name = attribute.removeprefix("Outputs.")
    output = child.output(name)
    what = f"{resource}.{attribute}"
    if child.template.macros:
        reason = f"macro {child.template.macros[0]} may rewrite {child.file} before it is deployed"
        return Unknown(what, reason, node)
    if output is None:
        return Unknown(what, f"{child.file} has no output {name}", node)
    return _output(scenario, output, what, node)


def _output(scenario: Crossing, output: Node, what: str, node: Node) -> Value:
    """The value of an output of another stack, always text."""
    body = output.values if isinstance(output, MapNode) else {}
    if not _is_made(scenario, output):
        raise Unbuildable(f"{what} is not there in this scenario")
    key = ("output", id(output))
    if "Value" not in body or key in scenario.busy:
        return Unknown(what, f"{what} refers to itself" if key in scenario.busy else f"{what} has no value", node)
    scenario.busy.add(key)
    try:
        value = scenario.resolve(body["Value"])
    finally:
        scenario.busy.discard(key)
    if isinstance(value, Unknown):
        return value._replace(node=node)
    text = text_of(value)
    return Unknown(what, f"{what} is not text", node) if text is None else text._replace(node=node)


def handed(scenario: Crossing, name: str, binding: Binding, node: Node) -> Value:
    """The value that a nested stack's parameter is handed by the parent."""
    key = ("handed", name)
    if key in scenario.busy:
        return Unknown(name, f"parameter {name} depends on the nested stack that it is handed to", node)
    scenario.busy.add(key)
    try:
        value = scenario.resolve(binding.argument)
    finally:
        scenario.busy.discard(key)
    parameter = binding.parameter
    if isinstance(value, Absent):
        if parameter.default is None:
            raise Unbuildable(f"parameter {name} is handed nothing")
        value = Text((parameter.default,) if parameter.default else (), node)
    if isinstance(value, Unknown) or (isinstance(value, ListValue) and parameter.is_list):
        return value._replace(node=node)
    text = text_of(value)
    if text is None:
        return Unknown(name, f"what parameter {name} is handed is not text", node)
    _accept(scenario, name, text)
    return _items(name, text, node) if parameter.is_list else text._replace(node=node)


def _accept(scenario: Crossing, name: str, text: Text) -> None:
    """See that a nested stack's parameter accepts what it is handed; no stack is made where it does not."""
    accepts = scenario.model.handed[name]
    space = scenario.model.space
    if text.literal is not None:
        if not accepts.permits(text.literal):
            raise Unbuildable(f"parameter {name} does not accept {text.literal}")
    elif accepts.allowed is not None and len(text.pieces) == 1:
        symbol = text.symbols[0]
        if symbol.kind == VARIABLE and space.variables[symbol.name].opaque is None:
            for value in accepts.allowed:
                space.decide(scenario.assignment, symbol.name, value)
            raise Unbuildable(f"parameter {name} accepts no other value")


def _items(name: str, text: Text, node: Node) -> Value:
    """The items of a list parameter that is handed text with commas; of no text, one empty text."""
    opaque = next((symbol for symbol in text.symbols if symbol.kind == OPAQUE), None)
    if opaque is not None:
        return Unknown(name, opaque.reason, node)
    items = tuple(Text(_stripped(part), node) for part in split_pieces(text.pieces, ","))
    return ListValue(items if text.pieces else (Text((), node),), node)


def _stripped(part: Pieces) -> Pieces:
    """A list parameter's items have no blanks around them."""
    pieces = list(part)
    for index, strip in ((0, str.lstrip), (-1, str.rstrip)):
        if pieces and isinstance(piece := pieces[index], str):
            pieces[index] = strip(piece)
    return join_pieces(pieces)
