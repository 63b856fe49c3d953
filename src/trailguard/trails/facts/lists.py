"""Facts about properties that are lists of optional items: only the items that have a say are asked about.

An event selector more only ever records more, and a lifecycle rule more only ever deletes more. So a fact that is the
same without all open items and with all of them is the same with any.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, Value
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact

if TYPE_CHECKING:
    from trailguard.cloudformation.scenarios.drafts import Draft, Keys

# The lists in properties of which items may be there or not, by the keys that lead to them.
_LISTS: Mapping[str, Collection[Keys]] = {
    "EventSelectors": ((), ("DataResources",), ("DataResources", "Values")),
    "AdvancedEventSelectors": ((),),
    "InsightSelectors": ((),),
    "AggregationConfigurations": ((),),
    "Tags": ((),),
    "LifecycleConfiguration": (("Rules",),),
}

Ask: TypeAlias = "Callable[[Scenario], Fact]"


def told(fact: Fact) -> object:
    """What counts of a fact: what it is, or why that is not known."""
    return fact.value, fact.unknown


def item_by_item(scenario: Scenario, resource: Resource, lists: Mapping[str, bool], ask: Ask) -> Fact:
    """A fact about a resource with list properties, each of which speaks for (true) or against what the fact says.

    Raises the Split of an open item that has a say.
    """
    try:
        return ask(scenario)
    except Split:
        drafts = {name: draft for name in lists if (draft := _draft(scenario, resource, name)) is not None}
        if not drafts:
            raise
    from trailguard.cloudformation.scenarios.drafts import settled  # late: most lists are decided

    where = [(name, index) for name, draft in drafts.items() for index in range(len(draft.parts))]

    def with_parts(chosen: Collection[int]) -> Fact:
        values: dict[tuple[str, str], Value] = {}
        for name, draft in drafts.items():
            mine = {where[one][1] for one in chosen if where[one][0] == name}
            values[resource.id, name] = draft.value(mine)
        return ask(scenario.assuming(values))

    splits = [drafts[name].parts[index].split for name, index in where]
    return settled(splits, [lists[name] for name, _ in where], with_parts, told)


def by_item(build: Callable[..., Fact], lists: Mapping[str, bool]) -> Callable[..., Fact]:
    """How to work out a fact item by item, from how to work it out."""

    def fact(scenario: Scenario, resource: Resource, *more: object) -> Fact:
        return item_by_item(scenario, resource, lists, lambda one: build(one, resource, *more))

    return fact


def apart(key: str, build: Callable[..., Fact]) -> Callable[..., Fact]:
    """How to work out a fact by itself: what it hinges on is open for other facts, unless it decides this one.

    So the questions of several facts add up and do not multiply. It takes facts that are the same in all scenarios in
    which they are true, in their words too.
    """

    def fact(scenario: Scenario, resource: Resource, *more: object) -> Fact:
        return scenario.agreed((key, resource.id, *more), lambda one: build(one, resource, *more))

    return fact


def _draft(scenario: Scenario, resource: Resource, name: str) -> Draft | None:
    """A property with open items; None when nothing is open in it, or something else than items of lists.

    A list that may be empty is left out, too: that is often no list of nothing, but means something of its own.
    """
    node = scenario.property_node(resource, name)
    if node is None:
        return None
    from trailguard.cloudformation.scenarios.drafts import Draft

    try:
        draft = Draft(scenario, node, _LISTS[name].__contains__)
    except Split:
        return None
    value = draft.value()
    may_be_empty = isinstance(value, ListValue) and not value.items
    return draft if draft.parts and not may_be_empty else None
