"""One scenario of a template: what its conditions, parameters, properties and references are worth.

Resolving gives a value, never an exception for what a template may say. Two answers travel as exceptions: `Split` (the
scenario leaves a question open that decides the value) and `Unbuildable` (no stack can be made here).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, cast

from trailguard.cloudformation.scenarios import crossing
from trailguard.cloudformation.scenarios.intrinsics import Unbuildable, call, make_text
from trailguard.cloudformation.scenarios.model import Model
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
    different,
    join_pieces,
    spell,
    text_of,
    trim,
)
from trailguard.cloudformation.scenarios.variables import Assignment, Same, Split, Variable
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.template.template import PLACEHOLDER, Resource, function_of

T = TypeVar("T")


class Scenario:
    """One scenario of a model: resolves nodes, conditions and properties under an assignment.

    `once` keeps what others work out in this scenario, under keys of their own; `busy` what is just being resolved.
    """

    __slots__ = ("_conditions", "_open", "_returned_pieces", "_values", "assignment", "busy", "memo", "model")

    def __init__(self, model: Model, assignment: Assignment) -> None:
        self.model = model
        self.assignment = assignment
        self.memo: dict[object, object] = {}
        self._conditions: dict[str, bool] = {}
        self._open: dict[str, Split] = {}
        self.busy: set[object] = set()
        self._values: dict[tuple[str, str], Value] = {}
        self._returned_pieces: dict[tuple[str, str], tuple[Piece, ...]] = {}

    def once(self, key: object, build: Callable[[], T]) -> T:
        """What `build` gives; it is asked once in this scenario for each key. What it raises is not kept."""
        if key not in self.memo:
            self.memo[key] = build()
        return cast("T", self.memo[key])

    # --- deciding -------------------------------------------------------------------------------------------------

    def settle(self, symbol: Symbol, candidates: Iterable[str | Symbol]) -> None:
        """Return when a variable is known to equal none of the candidates here; else raise Split.

        What hinges on the variable may hinge on its default and its allowed values too, so these come first.
        """
        self.fix(symbol.name)
        for candidate in candidates:
            if isinstance(candidate, str):
                self.model.space.decide(self.assignment, symbol.name, candidate)
            elif candidate.kind == VARIABLE:
                self.model.space.decide(self.assignment, symbol.name, Same(candidate.name))

    def equal(self, left: Value, right: Value) -> bool:
        """Compare two values as `Fn::Equals` does: as text, case-sensitively. Raises Split when it is open."""
        first, second = text_of(left), text_of(right)
        if first is None or second is None:
            return self._equal_items(left, right)
        one, other = trim(first.pieces, second.pieces)
        if not one and not other:
            return True
        if different(one, other):
            return False
        return self.decide_pieces(one, other)

    def _equal_items(self, left: Value, right: Value) -> bool:
        if not isinstance(left, ListValue) or not isinstance(right, ListValue):
            reason = next((side.reason for side in (left, right) if isinstance(side, Unknown)), "it is no text")
            question = f"{_place(left.node)} = {_place(right.node)}"
            return self.assume(question, f"whether {question} cannot be told: {reason}")
        pairs = zip(left.items, right.items, strict=False)
        return len(left.items) == len(right.items) and all(self.equal(one, other) for one, other in pairs)

    def decide_pieces(self, left: tuple[Piece, ...], right: tuple[Piece, ...]) -> bool:
        """Decide whether two texts are equal that differ from their first to their last piece."""
        space = self.model.space
        for one, other in ((left, right), (right, left)):
            if len(one) != 1 or not isinstance(one[0], Symbol) or one[0].kind != VARIABLE:
                continue
            if not other:
                return space.decide(self.assignment, one[0].name, "")
            if len(other) == 1:
                piece = other[0]
                if isinstance(piece, str):
                    return space.decide(self.assignment, one[0].name, piece)
                if piece.kind == VARIABLE:
                    return space.decide(self.assignment, one[0].name, Same(piece.name))
        for piece in (*left, *right):  # a text that cannot be compared as it stands: try what is known of its parts
            if isinstance(piece, Symbol) and piece.kind == VARIABLE:
                self.fix(piece.name)
        question = f"{spell(left)} = {spell(right)}"
        reasons = [piece.reason for piece in (*left, *right) if isinstance(piece, Symbol) and piece.reason]
        return self.assume(question, reasons[0] if reasons else f"whether {question} cannot be told")

    def fix(self, name: str) -> str | None:
        """The value of a variable here; None for "some other value". Splits on its default and its allowed values."""
        space = self.model.space
        name, constraint = space.lookup(self.assignment, name)
        if isinstance(constraint.value, str):
            return constraint.value
        space.split_known(name, constraint)
        return None

    def is_list(self, symbol: Symbol) -> bool:
        """Tell whether a symbol stands for all items of a list parameter."""
        parameter = self.model.template.parameters.get(symbol.name) if symbol.kind == VARIABLE else None
        return parameter is not None and parameter.is_list

    def choose(self, name: str, keys: list[str], closed: bool) -> bool:
        """Split on those of the keys that a variable may be; False when it can be none of them."""
        name, constraint = self.model.space.lookup(self.assignment, name)
        variable = self.model.space.variables[name]
        candidates = [key for key in keys if key not in constraint.excluded and variable.permits(key)]
        if candidates:
            raise Split(name, candidates, closed)
        return False

    def assume(self, question: str, reason: str) -> bool:
        """Answer a yes/no question both ways, each in a scenario of its own; results that differ are unknown."""
        name = f"?{question}"
        variables = self.model.space.variables
        if name not in variables:
            variables[name] = Variable(name, None, reason, ("yes", "no").__contains__, ("no",))
        return self.model.space.decide(self.assignment, name, "yes")

    # --- conditions and existence ---------------------------------------------------------------------------------

    def condition(self, name: str) -> bool:
        """Tell whether a named condition holds. An undefined or circular one is answered both ways, as unknown."""
        known = self._conditions.get(name)
        if known is not None:
            return known
        node = self.model.template.conditions.get(name)
        key = ("condition", name)
        if node is None:
            return self.assume(f"condition {name}", f"the template does not define condition {name}")
        if key in self.busy:
            return self.assume(f"condition {name}", f"condition {name} refers to itself")
        question = self._open.get(name)
        if question is not None:  # asked before; with And and Or on top of each other it is asked very often
            raise Split(question.name, question.candidates, question.closed)
        self.busy.add(key)
        try:
            held = self._conditions[name] = self.holds(node)
        except Split as split:
            self._open[name] = split
            raise
        finally:
            self.busy.discard(key)
        return held

    def holds(self, node: Node) -> bool:
        """Evaluate a condition: And, Or, Not, Equals, Condition, or a function that only `Rules` know."""
        if isinstance(node, MapNode) and len(node.values) == 1:
            ((name, argument),) = node.values.items()
            if name == "Condition" and isinstance(argument, TextNode):
                return self.condition(argument.value)
            items = argument.items if isinstance(argument, ListNode) else []
            if name == "Fn::Not" and len(items) == 1:
                return not self.holds(items[0])
            if name in ("Fn::And", "Fn::Or") and items:
                return self._first(items, stop=name == "Fn::Or")
            if name == "Fn::Equals" and len(items) == 2:
                return self.equal(self.resolve(items[0]), self.resolve(items[1]))
            if name in ("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn") and len(items) == 2:
                return self._members(name, items[0], items[1])
            return self.assume(f"{name} on line {node.line}", f"{name} cannot be evaluated as a condition")
        value = self.resolve(node)
        if isinstance(value, Flag):
            return value.value
        return self.assume(f"condition on line {node.line}", "the condition is not one that CloudFormation knows")

    def _first(self, items: list[Node], stop: bool) -> bool:
        """Kleene's And (stop at false) or Or (stop at true): an open item only matters when no other one decides."""
        open_question: Split | None = None
        for item in items:
            try:
                if self.holds(item) is stop:
                    return stop
            except Split as split:
                open_question = open_question or split
        if open_question is not None:
            raise open_question
        return not stop

    def _members(self, name: str, first: Node, second: Node) -> bool:
        members, other = self.resolve(first), self.resolve(second)
        if not isinstance(members, ListValue) or (name == "Fn::EachMemberIn" and not isinstance(other, ListValue)):
            return self.assume(f"{name} on line {first.line}", f"{name} looks at values known only at deployment")
        if name == "Fn::Contains":
            return any(self.equal(member, other) for member in members.items)
        if name == "Fn::EachMemberEquals":
            return all(self.equal(member, other) for member in members.items)
        allowed = other.items if isinstance(other, ListValue) else ()
        return all(any(self.equal(member, value) for value in allowed) for member in members.items)

    def active(self, resource: Resource) -> bool:
        """Tell whether the resource is made in this scenario."""
        return resource.condition is None or self.condition(resource.condition)

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
            return Absent(resource.key)
        node = properties.values.get(name)
        if node is not None:
            return self.resolve(node)
        function = function_of(properties)
        if function is not None:
            reason = f"the properties of {resource.id} come from {function[0]}"
            return Unknown(f"{resource.id}.{name}", reason, properties)
        for key, child in properties.values.items():
            if key.startswith(("Fn::Transform", "Fn::ForEach::")):
                return Unknown(f"{resource.id}.{name}", f"a macro in the properties may set {name}", child)
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
            if name.startswith(("Fn::Transform", "Fn::ForEach::")):
                return Unknown(f"{name} on line {child.line}", "a macro writes part of it", node)
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
        if name == "AWS::NotificationARNs":
            return Unknown(name, "the stack's notification topics are chosen at deployment", node)
        return Unknown(f"Ref {name}", f"the template does not define {name}", node)

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
        items = [item.strip() for item in value.split(",")] if value else []
        return ListValue(tuple(Text((item,) if item else (), node) for item in items), node)

    def attribute(self, target: str, attribute: str, node: Node) -> Value:
        """The value of `Fn::GetAtt`."""
        resource = self.model.template.resources.get(target)
        if resource is None:
            return Unknown(f"{target}.{attribute}", f"the template does not define {target}", node)
        return self._returned(resource, attribute, node)

    def _returned(self, resource: Resource, attribute: str, node: Node) -> Value:
        """What `Ref` or an attribute of a resource returns."""
        if not self.active(resource):
            raise Unbuildable(f"{resource.id} is not made in this scenario")
        children = self.model.stacks.children.get(resource.id)
        if children is not None and attribute.startswith("Outputs."):
            return crossing.given_up(self, children[0], resource.id, attribute, node)
        if attribute not in self.model.returns.get(resource.type, {}):
            what = f"Ref {resource.id}" if attribute == "Ref" else f"{resource.id}.{attribute}"
            reason = f"{resource.type} {resource.id} gives it at deployment"
            return Unknown(what, self.model.stacks.unread.get(resource.id, reason), node)
        return Text(self.returned_pieces(resource, attribute), node)

    def returned_pieces(self, resource: Resource, attribute: str) -> tuple[Piece, ...]:
        """What `Ref` or a known attribute of a resource returns once it is made, whether or not it is made here."""
        key = (resource.id, attribute)
        known = self._returned_pieces.get(key)
        if known is not None:
            return known
        if key in self.busy:
            return (Symbol(OPAQUE, f"{resource.id}.{attribute}", f"{resource.id} refers to itself"),)
        self.busy.add(key)
        try:
            pieces: list[Piece] = []
            for index, part in enumerate(PLACEHOLDER.split(self.model.returns[resource.type][attribute])):
                pieces.extend(self._spec_part(resource, part) if index % 2 else (part,))
        finally:
            self.busy.discard(key)
        return self._returned_pieces.setdefault(key, join_pieces(pieces))

    def _spec_part(self, resource: Resource, name: str) -> tuple[Piece, ...]:
        is_pseudo = name.startswith("AWS::")
        value = self.pseudo(name, resource, resource.key) if is_pseudo else self.value_of(resource, name)
        text = text_of(value)
        if text is not None:
            return text.pieces
        primary = self.model.returns[resource.type].get("Ref", "").endswith("${" + name + "}")
        symbol = resource.id if primary else f"{resource.id}.{name}"
        return (Symbol(GENERATED, symbol, f"the {name} of {resource.id}, made at deployment"),)


def _place(node: Node) -> str:
    return f"the value on line {node.line}:{node.column}"
