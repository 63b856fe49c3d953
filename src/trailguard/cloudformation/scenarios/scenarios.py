"""Every scenario that matters for a question, and which of them can happen.

A question is a function of a `Scenario`. It is asked first with nothing decided; where the answer hinges on a
parameter, the scenario is split and the question asked again in each part. The leaves cover every stack that the
template can become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.variables import Assignment, Constraint, Split, decided
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.template.references import references

MAX_LEAVES = 4096  # combinations of parameter values that one question may hinge on

T = TypeVar("T")


class TooManyScenarios(Exception):
    """Raised when a question hinges on more than MAX_LEAVES combinations of parameter values."""


class Leaf(Generic[T]):
    """An answer, and what was decided to get it."""

    __slots__ = ("answer", "assignment")

    def __init__(self, assignment: Assignment, answer: T) -> None:
        self.assignment = assignment
        self.answer = answer


class Hazard(NamedTuple):
    """A reference that CloudFormation refuses when its owner is made and its target is not."""

    owner: str | None  # condition of the resource or output that holds the reference
    guards: tuple[tuple[str, bool], ...]  # branches of Fn::If on the way to it
    target: str  # condition of the resource that is referred to


class TemplateRule(NamedTuple):
    """A rule of the `Rules` section, the parameters that it looks at, and whether their defaults break it."""

    node: Node
    names: frozenset[str]
    broken: bool


class Scenarios:
    """The scenarios of a model. Everything found out in one is kept, so that the next question need not ask again."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._cache: dict[frozenset[tuple[str, Constraint]], Scenario] = {}
        self._hazards: list[tuple[Hazard, frozenset[str]]] | None = None
        self._rules: list[TemplateRule] | None = None
        self._condition_names: dict[str, frozenset[str]] = {}
        self._possible: bool | None = None

    def at(self, assignment: Assignment) -> Scenario:
        """The scenario of an assignment."""
        key = frozenset(assignment.items())
        scenario = self._cache.get(key)
        if scenario is None:
            scenario = self._cache[key] = Scenario(self.model, assignment)
        return scenario

    def explore(self, question: Callable[[Scenario], T]) -> list[Leaf[T]]:
        """Ask a question in every scenario that it hinges on and that can happen.

        Raises TooManyScenarios when there are more than MAX_LEAVES.
        """
        pending: list[Assignment] = [{}] if self._rules_can_hold() else []
        leaves: list[Leaf[T]] = []
        while pending:
            assignment = pending.pop()
            scenario = self.at(assignment)
            try:
                answer = question(scenario)
                if self._buildable(scenario):
                    leaves.append(Leaf(assignment, answer))
            except Split as split:
                pending.extend(reversed(self.model.space.children(assignment, split)))
            except Unbuildable:
                continue
            if len(leaves) + len(pending) > MAX_LEAVES:
                raise TooManyScenarios
        return leaves

    # --- which scenarios can happen -------------------------------------------------------------------------------

    def _buildable(self, scenario: Scenario) -> bool:
        """Tell whether `Rules` allow the scenario and all references hold, as far as its parameters have a say."""
        known = scenario.memo.get("buildable")
        if known is None:
            known = scenario.memo["buildable"] = self._rules_hold(scenario) and self._references_hold(scenario)
        return bool(known)

    def _rules_can_hold(self) -> bool:
        """Tell whether any choice of parameters satisfies the template's `Rules`."""
        if self._possible is None:
            self._possible = True
            rules = self.model.template.rules.values()
            if rules:
                try:
                    held = self.explore(lambda scenario: all(_rule_holds(scenario, rule) for rule in rules))
                    self._possible = any(leaf.answer for leaf in held)
                except TooManyScenarios:  # then nothing is ruled out
                    pass
        return self._possible

    def _rules_hold(self, scenario: Scenario) -> bool:
        """Tell whether the `Rules` hold about which the scenario has decided something, or which defaults break.

        Where the defaults break a rule, whoever makes a stack has to choose something else, whatever is asked.
        """
        if self._rules is None:
            rules = self.model.template.rules.values()
            self._rules = [self._read_rule(rule) for rule in rules]
        known = decided(scenario.assignment) if self._rules else set()
        return all(
            _rule_holds(scenario, rule.node) for rule in self._rules if rule.broken or not rule.names.isdisjoint(known)
        )

    def _read_rule(self, node: Node) -> TemplateRule:
        names = frozenset(self._parameters_of(node))
        variables = self.model.space.variables
        defaults = {name: variables[name].default for name in names if name in variables}
        usual = {name: Constraint(default, frozenset()) for name, default in defaults.items() if default is not None}
        try:
            return TemplateRule(node, names, not _rule_holds(self.at(usual), node))
        except (Split, Unbuildable):
            return TemplateRule(node, names, False)

    def _references_hold(self, scenario: Scenario) -> bool:
        if not scenario.assignment:
            return True
        if self._hazards is None:
            self._hazards = [
                (hazard, frozenset(self._hazard_parameters(hazard))) for hazard in dict.fromkeys(self._find_hazards())
            ]
        known = decided(scenario.assignment) if self._hazards else set()
        for hazard, names in self._hazards:
            if names.isdisjoint(known):
                continue
            made = hazard.owner is None or scenario.condition(hazard.owner)
            if (
                made
                and all(scenario.condition(name) is branch for name, branch in hazard.guards)
                and not scenario.condition(hazard.target)
            ):
                return False
        return True

    def _find_hazards(self) -> Iterable[Hazard]:
        template = self.model.template
        conditional = {
            resource.id: resource.condition
            for resource in template.resources.values()
            if resource.condition is not None and resource.condition in template.conditions
        }
        if not conditional:
            return
        owners: list[tuple[str | None, Node]] = [(item.condition, item.body) for item in template.resources.values()]
        for _, node in template.outputs.values():
            condition = node.values.get("Condition") if isinstance(node, MapNode) else None
            owners.append((condition.value if isinstance(condition, TextNode) else None, node))
        for owner, node in owners:
            for name, guards in references(node):
                target = conditional.get(name)
                if target is not None and target != owner and (target, True) not in guards:
                    known = tuple(guard for guard in guards if guard[0] in template.conditions)
                    if owner is None or owner in template.conditions:
                        yield Hazard(owner, known, target)

    def _hazard_parameters(self, hazard: Hazard) -> set[str]:
        names = {hazard.target, *(name for name, _ in hazard.guards)}
        if hazard.owner is not None:
            names.add(hazard.owner)
        return {parameter for name in names for parameter in self.parameters_of_condition(name)}

    def parameters_of_condition(self, name: str) -> frozenset[str]:
        """The parameters and pseudo parameters on which a named condition depends."""
        known = self._condition_names.get(name)
        if known is None:
            self._condition_names[name] = frozenset()  # a condition that refers to itself adds nothing
            node = self.model.template.conditions.get(name)
            known = frozenset(self._parameters_of(node)) if node is not None else frozenset()
            self._condition_names[name] = known
        return known

    def _parameters_of(self, node: Node) -> set[str]:
        bindings = self.model.stacks.bindings
        names: set[str] = set()
        pending = [node]
        while pending:
            current = pending.pop()
            for name, _ in references(current):
                if name in bindings and name not in names:  # what a parent hands down hinges on the parent's parameters
                    pending.append(bindings[name].argument)
                names.add(name)
            for name in condition_names(current):
                names |= self.parameters_of_condition(name)
        return names


def _rule_holds(scenario: Scenario, rule: Node) -> bool:
    """Tell whether a rule of the template's `Rules` section lets the scenario through."""
    if not isinstance(rule, MapNode):
        return True
    condition = rule.values.get("RuleCondition")
    if condition is not None and not scenario.holds(condition):
        return True
    assertions = rule.values.get("Assertions")
    items = assertions.items if isinstance(assertions, ListNode) else []
    tests = [item.values["Assert"] for item in items if isinstance(item, MapNode) and "Assert" in item.values]
    return all(scenario.holds(test) for test in tests)


def condition_names(node: Node) -> Iterable[str]:
    """The conditions that a condition or a rule refers to by name."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, ListNode):
            pending.extend(current.items)
        elif isinstance(current, MapNode):
            for name, child in current.values.items():
                if name == "Condition" and isinstance(child, TextNode):
                    yield child.value
                else:
                    pending.append(child)
