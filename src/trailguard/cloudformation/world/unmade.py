"""Nested stacks that are never made: under a condition that never holds, or handed a value that is refused.

A template of which only such stacks are made is one that nobody makes a stack of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios, TooManyScenarios
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.stacks.stacks import Arguments, Stack
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.trees import Maker


def unmade(
    trees: Sequence[list[Stack]],
    scenarios: Callable[[int], Scenarios],
    concerns: Callable[[Template], bool],
) -> frozenset[Maker]:
    """The resources that never make a stack: by the document in which they stand, and their logical IDs.

    `trees` are all trees, `scenarios` gives those of one by its number. Only what is below `concerns` is asked about.
    """
    made: dict[Maker, bool] = {}
    for number, tree in enumerate(trees):
        known: Scenarios | None = None
        for stack, arguments in _doubtful(tree, concerns):
            key = id(arguments.parent.template.document), bare(arguments.maker)
            if not made.get(key):
                known = known or scenarios(number)
                made[key] = _is_made(known, stack, arguments.maker)
    return frozenset(key for key, is_made in made.items() if not is_made)


def _doubtful(tree: list[Stack], concerns: Callable[[Template], bool]) -> Iterator[tuple[Stack, Arguments]]:
    """The stacks of a tree that may never be made, and have something to judge in them or below."""
    wanted: set[int] = set()
    for stack in reversed(tree):  # the parents stand first
        if stack.number in wanted or concerns(stack.template):
            wanted.update([stack.number] if stack.arguments is None else [stack.number, stack.arguments.parent.number])
    for stack in tree:
        if stack.number in wanted and stack.arguments is not None and (stack.bindings or _is_conditional(stack)):
            yield stack, stack.arguments


def _is_conditional(stack: Stack) -> bool:
    """Tell whether a stack, or one that makes it, is made under a condition."""
    while stack.arguments is not None:
        if stack.arguments.condition is not None:
            return True
        stack = stack.arguments.parent
    return False


def _is_made(scenarios: Scenarios, stack: Stack, maker: str) -> bool:
    """Tell whether a stack is made in any scenario, with values that its parameters accept."""
    resource = scenarios.model.template.resources.get(maker)
    if resource is None:
        return True

    def question(scenario: Scenario) -> bool:
        if not scenario.active(resource):
            return False
        for name in stack.bindings:
            scenario.reference(name, resource.key)
        return True

    try:
        return scenarios.ever(question)
    except TooManyScenarios:
        return True
