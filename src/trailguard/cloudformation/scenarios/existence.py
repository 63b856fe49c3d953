"""Whether a stack can be made at all: what a template's `Rules` and its references demand of the parameters.

That is a question of existence. Whoever makes a stack chooses all parameters; those that have no say in an answer may
be chosen so that `Rules` hold and that nothing refers to a resource that is not made. Such a choice is searched for,
starting with the defaults, and only among the parameters that hang together with those of the answer.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from trailguard.cloudformation.scenarios.dependencies import Dependencies
from trailguard.cloudformation.scenarios.intrinsics import TooHard, Unbuildable
from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.parts import owner_of
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.search import Demand, Search, clusters
from trailguard.cloudformation.scenarios.variables import Assignment, Constraint, Split, decided, ties
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.template.references import references, references_of


class Cluster(NamedTuple):
    """Demands that share parameters, so that they have to be met together.

    `rules` tells that some of them are `Rules`, `broken` that the defaults break one of those: then whoever makes a
    stack has to choose something else.
    """

    names: frozenset[str]
    demands: tuple[Demand, ...]
    rules: bool
    broken: bool


def _joined(found: Sequence[Cluster]) -> Cluster:
    return Cluster(
        frozenset(name for one in found for name in one.names),
        tuple(demand for one in found for demand in one.demands),
        any(one.rules for one in found),
        any(one.broken for one in found),
    )


class Existence:
    """The stacks that a template can become."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._dependencies = Dependencies(model)
        self._search = Search(model)
        self._known: dict[object, Assignment | None] = {}

    @cached_property
    def possible(self) -> bool:
        """Whether any choice of parameters satisfies the template's `Rules`."""
        try:
            return all(self._met({}, cluster) is not None for cluster in self._clusters if cluster.rules)
        except TooHard:  # then nothing is ruled out
            return True

    def stack(self, assignment: Assignment) -> Assignment | None:
        """What has to be chosen besides an assignment, and instead of its "none of these", to make a stack.

        It holds the assignment; as few defaults as possible are changed. None when no stack can be made. Raises
        TooHard when the search finds no end.
        """
        stack = assignment
        for cluster in self._concerned(assignment):
            met = self._met(stack, cluster)
            if met is None:
                return None
            stack = met
        return stack

    def can(self, assignment: Assignment) -> bool:
        """Tell whether a stack can be made with an assignment; yes when the search finds no end."""
        try:
            return self.stack(assignment) is not None
        except TooHard:
            return True

    def keeps_defaults(self, assignment: Assignment) -> bool:
        """Tell whether a stack can be made when all that an assignment leaves open keeps its default, if it has one."""
        try:
            concerned = self._concerned(assignment)
            return all(self._search.run(assignment, one.demands, defaults_only=True) is not None for one in concerned)
        except TooHard:
            return True

    def refused_defaults(self) -> Iterator[tuple[frozenset[str], bool]]:
        """The parameters whose defaults, taken together, allow no stack; and whether `Rules` have a say in that."""
        defaults = {name for name, item in self._model.space.variables.items() if item.default is not None}
        for cluster in self._clusters:
            try:
                if self._search.run({}, cluster.demands, defaults_only=True) is None:
                    yield cluster.names & defaults, cluster.rules
            except TooHard:
                continue  # then it cannot be told

    def _concerned(self, assignment: Assignment) -> list[Cluster]:
        """The demands that the assignment has a say in, and those that the defaults break."""
        if not assignment and not any(map(self._is_broken, self._rules)):
            return []
        known = set(map(owner_of, decided(assignment)))
        found = [one for one in self._clusters if one.broken or not one.names.isdisjoint(known)]
        if len(found) > 1 and ties(assignment):  # which may tie the clusters to each other
            return [_joined(found)]
        return found

    def _met(self, assignment: Assignment, cluster: Cluster) -> Assignment | None:
        """The assignment with what else the demands of a cluster need."""
        known = {name: item for name, item in assignment.items() if owner_of(name) in cluster.names} | dict(
            ties(assignment)
        )
        key = (cluster.names, frozenset(known.items()))
        if key not in self._known:
            self._known[key] = self._search.run(known, cluster.demands)
        found = self._known[key]
        return None if found is None else {**assignment, **found}

    # --- what is demanded ------------------------------------------------------------------------------------------

    @cached_property
    def _clusters(self) -> list[Cluster]:
        rules = set(self._rules)
        found = []
        for members in clusters([*self._rules, *self._hazards()], self._model.fixed):
            names = frozenset(name for demand in members for name in demand.names)
            mine = [demand for demand in members if demand in rules]
            found.append(Cluster(names, tuple(members), bool(mine), any(map(self._is_broken, mine))))
        return found

    def _is_broken(self, demand: Demand) -> bool:
        """Tell whether the defaults break a rule."""
        variables = self._model.space.variables
        defaults = {name: variables[name].default for name in demand.names if name in variables}
        usual = {name: Constraint(value, frozenset()) for name, value in defaults.items() if value is not None}
        try:
            return not demand.holds(Scenario(self._model, usual))
        except (Split, Unbuildable):
            return False

    @cached_property
    def _rules(self) -> list[Demand]:
        nodes = self._model.template.rules.values()
        return [Demand(self._dependencies.of(node), partial(_rule_holds, node)) for node in nodes]

    def _hazards(self) -> list[Demand]:
        """The references between conditional resources that may fail."""
        found = []
        for hazard in dict.fromkeys(self._find_hazards()):
            of = self._dependencies.of_condition
            names = frozenset().union(*map(of, hazard.conditions))
            demand = Demand(names, hazard.spares)
            fires = Demand(names, hazard.fires)
            if self._search.run({}, [fires]) is not None:  # else its guards imply that the target is made
                found.append(demand)
        return found

    def _find_hazards(self) -> Iterable[Hazard]:
        template = self._model.template
        conditional = {
            resource.id: resource.condition
            for resource in template.resources.values()
            if resource.condition is not None and resource.condition in template.conditions
        }
        if not conditional:
            return
        owners = [(item.condition, list(references_of(item))) for item in template.resources.values()]
        for _, node in template.outputs.values():
            condition = node.values.get("Condition") if isinstance(node, MapNode) else None
            owners.append((condition.value if isinstance(condition, TextNode) else None, list(references(node))))
        for owner, named in owners:
            if owner is not None and owner not in template.conditions:
                continue
            for name, guards in named:
                target = conditional.get(name)
                if target is not None and target != owner and (target, True) not in guards:
                    known = tuple(guard for guard in guards if guard[0] in template.conditions)
                    yield Hazard(owner, known, target)


class Hazard(NamedTuple):
    """A reference that CloudFormation refuses when its owner is made and its target is not."""

    owner: str | None  # condition of the resource or output that holds the reference
    guards: tuple[tuple[str, bool], ...]  # branches of Fn::If on the way to it
    target: str  # condition of the resource that is referred to

    @property
    def conditions(self) -> set[str]:
        """The conditions that decide about it."""
        return {self.target, *(name for name, _ in self.guards), *([] if self.owner is None else [self.owner])}

    def fires(self, scenario: Scenario) -> bool:
        """Tell whether the reference is used and its target is not made."""
        made = self.owner is None or scenario.condition(self.owner)
        return (
            made
            and all(scenario.condition(name) is branch for name, branch in self.guards)
            and not scenario.condition(self.target)
        )

    def spares(self, scenario: Scenario) -> bool:
        """Tell whether the scenario is free of it."""
        return not self.fires(scenario)


def _rule_holds(rule: Node, scenario: Scenario) -> bool:
    """Tell whether a rule of the template's `Rules` section lets a scenario through."""
    if not isinstance(rule, MapNode):
        return True
    condition = rule.values.get("RuleCondition")
    if condition is not None and not scenario.holds(condition):
        return True
    assertions = rule.values.get("Assertions")
    items = assertions.items if isinstance(assertions, ListNode) else []
    tests = [item.values["Assert"] for item in items if isinstance(item, MapNode) and "Assert" in item.values]
    return all(scenario.holds(test) for test in tests)
