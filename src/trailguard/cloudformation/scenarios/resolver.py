"""One scenario of a template: what its conditions, parameters, properties and references are worth.

Resolving gives a value, never an exception for what a template may say. Two answers travel as exceptions: `Split` (the
scenario leaves a question open that decides the value) and `Unbuildable` (no stack can be made here).
"""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.scenarios import crossing
from trailguard.cloudformation.scenarios.conditions import Conditions
from trailguard.cloudformation.scenarios.filledin import make_text
from trailguard.cloudformation.scenarios.intrinsics import Unbuildable, call
from trailguard.cloudformation.scenarios.model import Model, Spelling
from trailguard.cloudformation.scenarios.parts import items_of
from trailguard.cloudformation.scenarios.reasons import Refused, line, made_at_deployment, written_by
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Piece,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
    text_of,
)
from trailguard.cloudformation.scenarios.variables import Assignment
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.template.template import PLACEHOLDER, TRANSFORM, Resource, function_of

_MACROS = ("Fn::Transform", "Fn::ForEach::")  # keys of a map that bring other keys


class Scenario(Conditions):
    """One scenario of a model: resolves nodes, conditions and properties under an assignment."""

    __slots__ = ("_returned_pieces", "_values")

    def __init__(self, model: Model, assignment: Assignment) -> None:
        super().__init__(model, assignment)
        self._values: dict[tuple[str, str], Value] = {}
        self._returned_pieces: dict[tuple[str, str], tuple[Piece, ...]] = {}

    def assuming(self, values: Mapping[tuple[str, str], Value]) -> Scenario:
        """The same scenario in which some properties, by logical ID and name, have other values."""
        scenario = type(self)(self.model, self.assignment)
        scenario._values.update(values)
        return scenario

    # --- properties -----------------------------------------------------------------------------------------------

    def unwrap(self, node: Node | None) -> Node | None:
        """Follow `Fn::If` to the branch that counts here; None for `AWS::NoValue`."""
        while node is not None and (function := function_of(node)) is not None:
            name, argument = function
            if name == "Ref" and isinstance(argument, TextNode) and argument.value == "AWS::NoValue":
                return None
            if name != "Fn::If":
                return node
            node = self.branch(argument)
        return node

    def property_node(self, resource: Resource, name: str) -> Node | None:
        """The node of a property, unresolved; None when it is not written down."""
        properties = self.unwrap(resource.attribute("Properties"))
        return properties.values.get(name) if isinstance(properties, MapNode) else None

    def value_of(self, resource: Resource, name: str) -> Value:
        """One property of a resource; Absent (at the resource's logical ID) when it is not set."""
        key = (resource.id, name)
        if key not in self._values:
            self._values[key] = self._value_of(resource, name)
        return self._values[key]

    def _value_of(self, resource: Resource, name: str) -> Value:
        properties = self.unwrap(resource.attribute("Properties"))
        if not isinstance(properties, MapNode):
            written = resource.attribute(TRANSFORM)
            why = f"a macro in {resource.id} may set its properties"
            return Absent(resource.key) if written is None else Unknown(f"{resource.id}.{name}", why, written)
        node = properties.values.get(name)
        if node is not None:
            return self.resolve(node)
        function = function_of(properties)
        if function is not None:
            given = self.resolve(properties)
            called = f"{function[0]} gives the properties of {resource.id} ({line(properties)})"
            reason = given.reason if isinstance(given, Unknown) else called
            return Unknown(f"{resource.id}.{name}", reason, properties)
        for key, child in properties.values.items():
            if key.startswith(_MACROS):
                return Unknown(f"{resource.id}.{name}", written_by(key, child, properties.keys[key]), child)
        return Absent(resource.key)

    def branch(self, argument: Node) -> Node | None:
        """The branch of an `Fn::If` that counts here; None when the function is misspelt."""
        if not isinstance(argument, ListNode) or len(argument.items) != 3:
            return None
        test, yes, no = argument.items
        held = self.condition(test.value) if isinstance(test, TextNode) else self.holds(test)
        return yes if held else no

    # --- resolving ------------------------------------------------------------------------------------------------

    @property
    def mappings(self) -> Mapping[str, Node]:
        """The template's mappings."""
        return self.model.template.mappings

    def resolve(self, node: Node) -> Value:
        """The value of a node in this scenario."""
        if isinstance(node, TextNode):
            value = literal(node)
            if isinstance(value, str):
                return make_text((value,), node) if "{" in value else Text((value,) if value else (), node)
            return Null(node) if value is None else Flag(value, node)
        if isinstance(node, ListNode):
            items = [self.resolve(item) for item in node.items]
            return ListValue(tuple(item for item in items if not isinstance(item, Absent)), node)
        function = function_of(node)
        if function is not None:
            return call(self, function[0], function[1], node)
        return self._map(node) if isinstance(node, MapNode) else Null(node)

    def _map(self, node: MapNode) -> Value:
        entries: dict[str, Value] = {}
        for name, child in node.values.items():
            if name.startswith(_MACROS):
                return Unknown(f"{name} on line {child.line}", written_by(name, child, node.keys[name]), node)
            value = self.resolve(child)
            if not isinstance(value, Absent):
                entries[name] = value
        return MapValue(entries, dict(node.keys), node)

    def imported(self, name: Text, node: Node) -> Value:
        """The value that another stack exports under a name."""
        return crossing.imported(self, name, node)

    def reference(self, name: str, node: Node) -> Value:
        """The value of `Ref` to a parameter, a pseudo parameter or a resource."""
        if name == "AWS::NoValue":
            return Absent(node)
        model = self.model
        binding = model.stacks.bindings.get(name)
        if binding is not None:
            return crossing.handed(self, name, binding, node)
        parameter = model.template.parameters.get(name)
        if parameter is not None and parameter.is_list:
            return self._list_parameter(name, node)
        fixed = model.fixed.get(name)
        if fixed is not None:
            return Text((fixed,) if fixed else (), node)
        if parameter is not None or (name.startswith("AWS::") and name in model.space.variables):
            return Text(self._variable(name), node)
        resource = model.template.resources.get(name)
        if resource is not None:
            return self._returned(resource, "Ref", node)
        if name in model.template.items:
            return Unknown(name, model.template.items[name], node)
        if name == "AWS::NotificationARNs":
            return Unknown(name, "the stack's notification topics are chosen at deployment", node)
        return Unknown(name or "nothing", self._undefined(name), node)

    def pseudo(self, name: str, resource: Resource, node: Node) -> Value:
        """The value of a pseudo parameter in the stack of a resource."""
        return self.reference(self.model.pseudo(name, resource.id), node)

    def _variable(self, name: str) -> tuple[Piece, ...]:
        root, constraint = self.model.space.lookup(self.assignment, name)
        if isinstance(constraint.value, str):
            return (constraint.value,) if constraint.value else ()
        return (Symbol(VARIABLE, root, self.model.space.variables[root].opaque or ""),)

    def _list_parameter(self, name: str, node: Node) -> Value:
        variable = self.model.space.variables[name]
        if variable.opaque is not None:
            return Unknown(name, variable.opaque, node)
        value = self.model.fixed.get(name)
        if value is None:
            value = self.fix(name)
        if value is None:
            return ListValue((Text(self._variable(name), node),), node)
        return ListValue(tuple(Text((item,) if item else (), node) for item in items_of(value)), node)

    def attribute(self, target: str, attribute: str, node: Node) -> Value:
        """The value of `Fn::GetAtt`."""
        resource = self.model.template.resources.get(target)
        if resource is None:
            if target in self.model.template.parameters or target.startswith("AWS::"):
                raise Refused(f"{target} is a parameter, and only resources have attributes")
            return Unknown(f"{target}.{attribute}", self._undefined(target), node)
        return self._returned(resource, attribute, node)

    def _undefined(self, name: str) -> str:
        """Why a name that the template does not define stands for nothing."""
        template = self.model.template
        if name.startswith("AWS::"):
            return self.model.undefined("pseudo parameter", name, self.model.space.variables)
        return self.model.undefined("", name, [*template.parameters, *template.resources])

    def _returned(self, resource: Resource, attribute: str, node: Node) -> Value:
        """What `Ref` or an attribute of a resource returns."""
        if not self.active(resource):
            raise Unbuildable(f"{resource.id} is not made in this scenario")
        children = self.model.stacks.children.get(resource.id)
        if children is not None and attribute.startswith("Outputs."):
            return crossing.given_up(self, children[0], resource.id, attribute, node)
        returns = self.model.returns.get(resource.type, {})
        if attribute not in returns:
            what = f"Ref of {resource.id}" if attribute == "Ref" else f"{resource.id}.{attribute}"
            reason = made_at_deployment(resource.id, resource.type, attribute, list(returns))
            return Unknown(what, self.model.stacks.unread.get(resource.id, reason), node)
        return Text(self.returned_pieces(resource, attribute), node)

    def returned_pieces(self, resource: Resource, attribute: str) -> tuple[Piece, ...]:
        """What `Ref` or a known attribute of a resource returns once it is made, whether or not it is made here."""
        key = (resource.id, attribute)
        known = self._returned_pieces.get(key)
        if known is not None:
            return known
        if key in self.busy:
            return (
                Symbol(OPAQUE, f"{resource.id}.{attribute}", f"{resource.id} refers to itself ({line(resource.key)})"),
            )
        whole = self.model.stacks.generated.get(resource.id, {}).get(attribute)
        if whole is not None:
            return self._returned_pieces.setdefault(key, (whole,))
        self.busy.add(key)
        try:
            pieces: list[Piece] = []
            for index, part in enumerate(PLACEHOLDER.split(self._spelling(resource, attribute))):
                pieces.extend(self._spec_part(resource, part) if index % 2 else (part,))
        finally:
            self.busy.discard(key)
        return self._returned_pieces.setdefault(key, join_pieces(pieces))

    def _spelling(self, resource: Resource, attribute: str) -> str:
        """How what `Ref` or an attribute of a resource returns is put together."""
        spelling = self.model.returns[resource.type][attribute]
        if not isinstance(spelling, Spelling):
            return spelling
        if resource.id in self.model.stacks.generated:  # its whole name is known
            return spelling.text
        for name, wanted, text in spelling.ways:
            value = self.value_of(resource, name)
            is_set = not isinstance(value, Absent)
            if is_set and (wanted is None or self.equal(value, Text((wanted,), value.node))):
                return text
        return spelling.text

    def _spec_part(self, resource: Resource, part: str) -> tuple[Piece, ...]:
        name, _, default = part.partition("|")
        is_pseudo = name.startswith("AWS::")
        value = self.pseudo(name, resource, resource.key) if is_pseudo else self.value_of(resource, name)
        text = text_of(value)
        if text is not None:
            return text.pieces
        known = self.model.stacks.generated.get(resource.id, {}).get(name)
        if known is not None:
            return (known,)
        if default:
            return (default,)
        spelling = self.model.returns[resource.type].get("Ref", "")
        primary = (spelling.text if isinstance(spelling, Spelling) else spelling).endswith("${" + name + "}")
        symbol = resource.id if primary else f"{resource.id}.{name}"
        return (Symbol(GENERATED, symbol, f"the {name} of {resource.id} is made at deployment"),)
