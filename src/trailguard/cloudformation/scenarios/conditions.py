"""Which conditions of a template hold in one scenario, and so which of its resources are made.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from trailguard.cloudformation.scenarios.decisions import Decisions
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.reasons import line, shape_of
from trailguard.cloudformation.scenarios.values import Flag, ListValue, Symbol, Text, Value
from trailguard.cloudformation.scenarios.variables import Assignment, Split
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.template.template import Resource

_PAIR = "a list of two values"
_ARGUMENTS = {  # of the functions for conditions
    "Condition": "the name of a condition",
    "Fn::Not": "a list of one condition",
    "Fn::And": "a list of conditions",
    "Fn::Or": "a list of conditions",
    "Fn::Equals": _PAIR,
    "Fn::Contains": "a list of texts and a text",
    "Fn::EachMemberEquals": "a list of texts and a text",
    "Fn::EachMemberIn": "two lists of texts",
}


class Conditions(Decisions):
    """The conditions of a model under an assignment."""

    __slots__ = ("_conditions", "_open")

    def __init__(self, model: Model, assignment: Assignment) -> None:
        super().__init__(model, assignment)
        self._conditions: dict[str, bool] = {}
        self._open: dict[str, Split] = {}

    @abstractmethod
    def resolve(self, node: Node) -> Value:
        """The value of a node in this scenario."""

    def condition(self, name: str) -> bool:
        """Tell whether a named condition holds. An undefined or circular one is answered both ways, as unknown."""
        known = self._conditions.get(name)
        if known is not None:
            return known
        node = self.model.template.conditions.get(name)
        key = ("condition", name)
        if node is None:
            why = f"CloudFormation refuses the Condition {name}: it takes the name of a condition"
            if not name.startswith("of "):  # as a resource's condition is called that is not a name
                why = self.model.undefined("condition", name, self.model.template.conditions)
            return self.assume(f"condition {name}", why)
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
            wanted = _ARGUMENTS.get(name)
            why = f"CloudFormation refuses {name} on {line(node)}: it takes {wanted}, not {shape_of(argument)}"
            other = f"{name} on {line(node)} is not a condition"
            return self.assume(f"{name} on line {node.line}:{node.column}", other if wanted is None else why)
        value = self.resolve(node)
        if isinstance(value, Flag):
            return value.value
        why = (
            f"the condition on {line(node)} is {shape_of(node)}, where one of the functions for conditions is expected"
        )
        return self.assume(f"condition on line {node.line}:{node.column}", why)

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
        items = self._items(members, more=name == "Fn::Contains")
        if name == "Fn::Contains":
            return any(self.equal(member, other) for member in items)
        if name == "Fn::EachMemberEquals":
            return all(self.equal(member, other) for member in items)
        allowed = other.items if isinstance(other, ListValue) else ()
        return all(any(self.equal(member, value) for value in allowed) for member in items)

    def _items(self, members: ListValue, more: bool) -> Sequence[Value]:
        """The items of a list; of one that is open, those that have a say, and one more where that may be anything."""
        first = members.items[0] if len(members.items) == 1 else None
        symbol = first.pieces[0] if isinstance(first, Text) and len(first.pieces) == 1 else None
        if not isinstance(symbol, Symbol) or not self.is_list(symbol):
            return members.items
        return self.known_parts(symbol, more=int(more)) or members.items

    def active(self, resource: Resource) -> bool:
        """Tell whether the resource is made in this scenario."""
        return resource.condition is None or self.condition(resource.condition)
