"""Which resource waits for which, held against an oracle that tries every choice of parameters.

The oracle is written from the documentation of DependsOn, Ref, Fn::GetAtt, Fn::Sub and Fn::If: it makes the graph of
one choice as plain names, and follows it step by step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloudformation.resolving import model_of
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.scenarios.variables import Constraint
from trailguard.cloudformation.scenarios.waiting import circle, encircled, reaches, rings

Template = dict[str, Any]
Graph = dict[str, set[str]]

PARAMETERS = ("P", "Q", "R")
NAMES = ("A", "B", "C", "D", "E")
VALUES = ("yes", "no")


def references() -> st.SearchStrategy[Any]:
    named = st.sampled_from(NAMES)
    return st.one_of(
        named.map(lambda name: {"Ref": name}),
        named.map(lambda name: {"Fn::GetAtt": [name, "Arn"]}),
        named.map(lambda name: {"Fn::GetAtt": f"{name}.Arn"}),
        named.map(lambda name: {"Fn::Sub": f"arn:${{{name}}}/*"}),
        named.map(lambda name: {"Fn::Sub": [f"${{{name}.Arn}}/${{Own}}", {"Own": "x"}]}),
        named.map(lambda name: {"Fn::Sub": f"${{!{name}}}"}),  # no reference
        named.map(lambda name: {"Fn::Sub": [f"${{{name}}}", {name: "x"}]}),  # nor this one
    )


def conditions() -> st.SearchStrategy[Any]:
    one = st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(VALUES)).map(
        lambda pair: {"Fn::Equals": [{"Ref": pair[0]}, pair[1]]}
    )
    both = st.tuples(one, one).map(list)
    return st.one_of(one, one.map(lambda test: {"Fn::Not": [test]}), both.map(lambda pair: {"Fn::And": pair}))


def values() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.one_of(st.just("x"), references()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            inner.map(lambda value: {"Key": value}),
            st.tuples(st.sampled_from(PARAMETERS), inner, inner).map(
                lambda parts: {"Fn::If": [f"Is{parts[0]}", parts[1], parts[2]]}
            ),
        ),
        max_leaves=3,
    )


@st.composite
def templates(draw: st.DrawFn) -> Template:
    resources: Template = {}
    for name in NAMES:
        body: Template = {
            "Type": "Custom::Thing",
            draw(st.sampled_from(["Properties", "Metadata"])): {"V": draw(values())},
        }
        depends = draw(
            st.one_of(
                st.none(),
                st.sampled_from(NAMES),
                st.lists(st.sampled_from(NAMES), max_size=2),
                st.sampled_from(NAMES).map(lambda one: {"Ref": one}),  # refused, and orders nothing
                st.sampled_from(NAMES).map(lambda one: [{"Ref": one}]),
            )
        )
        if depends is not None:
            body["DependsOn"] = depends
        if draw(st.integers(0, 3)) == 0:
            body["Condition"] = f"Is{draw(st.sampled_from(PARAMETERS))}"
        resources[name] = body
    return {
        "Parameters": {name: {"Type": "String", "AllowedValues": list(VALUES)} for name in PARAMETERS},
        "Conditions": {f"Is{name}": draw(conditions()) for name in PARAMETERS},
        "Resources": resources,
    }


# --- the oracle -------------------------------------------------------------------------------------------------------


def holds(test: Any, choice: dict[str, str]) -> bool:
    ((name, argument),) = test.items()
    if name == "Fn::Equals":
        return bool(choice[argument[0]["Ref"]] == argument[1])
    results = [holds(one, choice) for one in argument]
    return not results[0] if name == "Fn::Not" else all(results)


def mentions(value: Any, held: dict[str, bool]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from mentions(item, held)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref":
                yield argument
            elif name == "Fn::GetAtt":
                yield argument[0] if isinstance(argument, list) else argument.split(".")[0]
            elif name == "Fn::Sub":
                text, own = argument if isinstance(argument, list) else (argument, {})
                parts = (part.split("}")[0] for part in text.split("${")[1:])
                yield from (part.split(".")[0] for part in parts if part not in own and not part.startswith("!"))
            elif name == "Fn::If":
                yield from mentions(argument[1 if held[argument[0]] else 2], held)
            else:
                yield from mentions(argument, held)


def graph_of(template: Template, choice: dict[str, str]) -> Graph:
    """The resources that are made with a choice of parameters, each with those that it waits for."""
    held = {name: holds(test, choice) for name, test in template["Conditions"].items()}
    made = {name: body for name, body in template["Resources"].items() if held.get(body.get("Condition"), True)}
    graph: Graph = {}
    for name, body in made.items():
        depends = body.get("DependsOn", [])
        named = [one for one in ([depends] if isinstance(depends, str) else depends) if isinstance(one, str)]
        said = [*mentions(body.get("Properties", {}), held), *mentions(body.get("Metadata", {}), held)]
        graph[name] = {other for other in (*named, *said) if other in made}
    return graph


def steps_to(graph: Graph, start: str, goal: str) -> int | None:
    """After how many steps, one at least, the goal is reached."""
    reached = graph[start]
    for count in range(1, len(graph) + 1):
        if goal in reached:
            return count
        reached = reached.union(*(graph[name] for name in reached))
    return None


# --- held against it --------------------------------------------------------------------------------------------------

CHOICES = [dict(zip(PARAMETERS, one, strict=True)) for one in itertools.product(VALUES, repeat=len(PARAMETERS))]


def at(template: Template, choice: dict[str, str]) -> Scenario:
    fixed = {name: Constraint(value, frozenset()) for name, value in choice.items()}
    return Scenario(model_of(template), fixed)


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(templates(), st.sampled_from(CHOICES))
def test_paths_and_circles_of_one_choice(template: Template, choice: dict[str, str]) -> None:
    scenario = at(template, choice)
    resources = scenario.model.template.resources
    graph = graph_of(template, choice)
    for one, other in itertools.permutations(graph, 2):
        there = steps_to(graph, one, other) is not None
        back = steps_to(graph, other, one) is not None
        assert reaches(scenario, resources[one], resources[other]) is there
        assert encircled(scenario, resources[one], resources[other]) is (there and back)
    found = [circle(scenario, ring) for ring in rings(scenario.model, None)]
    lengths = [steps_to(graph, name, name) for name in graph]
    assert any(found) is any(lengths)
    for names in filter(None, found):
        assert all(other in graph[one] for one, other in zip(names, (*names[1:], names[0]), strict=True))
        ring = next(ring for ring in rings(scenario.model, None) if set(names) <= set(ring))
        assert len(names) == min(steps_to(graph, name, name) or 99 for name in ring if name in graph)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(templates())
def test_what_is_open_is_split_on(template: Template) -> None:
    """Without any choice the question finds out itself what it hinges on, and gives both answers if there are both."""

    def is_closed(scenario: Scenario) -> bool:
        return any(circle(scenario, ring) for ring in rings(scenario.model, None))

    def ordered(scenario: Scenario) -> bool:
        resources = scenario.model.template.resources
        one, other = resources["A"], resources["B"]
        return scenario.active(one) and scenario.active(other) and reaches(scenario, one, other)

    model = model_of(template)
    for question in (is_closed, ordered):
        leaves = Scenarios(model).explore(question)
        assert leaves or not any(map(sound(template), CHOICES))
        for leaf in leaves:
            named = {name: model.space.sample(leaf.stack, name) for name in leaf.assignment}
            expected = {answer(question.__name__, template, one) for one in CHOICES if named.items() <= one.items()}
            assert expected == {leaf.answer}


def answer(question: str, template: Template, choice: dict[str, str]) -> bool:
    graph = graph_of(template, choice)
    if question == "is_closed":
        return any(steps_to(graph, name, name) for name in graph)
    return {"A", "B"} <= graph.keys() and steps_to(graph, "A", "B") is not None


def sound(template: Template) -> Any:
    """Whether no resource refers to one that is not made, which makes a choice impossible."""

    def test(choice: dict[str, str]) -> bool:
        held = {name: holds(one, choice) for name, one in template["Conditions"].items()}
        made = graph_of(template, choice).keys()
        bodies = (template["Resources"][name] for name in made)
        return all(
            name in made for body in bodies for name in mentions([body.get("Properties"), body.get("Metadata")], held)
        )

    return test


@pytest.mark.parametrize("size", [2, 30])
def test_circles_that_no_choice_closes_cost_nothing(size: int) -> None:
    """Pairs that refer to each other under opposite conditions: each has a parameter of its own."""
    resources: Template = {}
    for number in range(size):
        pair = (f"A{number}", f"B{number}")
        for index, name in enumerate(pair):
            branches = [{"Ref": pair[1 - index]}, "x"][:: 1 if index else -1]
            resources[name] = {"Type": "Custom::Thing", "Properties": {"V": {"Fn::If": [f"C{number}", *branches]}}}
    model = model_of(
        {
            "Parameters": {f"P{number}": {"Type": "String"} for number in range(size)},
            "Conditions": {f"C{number}": {"Fn::Equals": [{"Ref": f"P{number}"}, "a"]} for number in range(size)},
            "Resources": resources,
        }
    )

    def question(scenario: Scenario) -> bool:
        found = rings(scenario.model, None)
        return any(scenario.agreed(("circle", ring), partial(circle, ring=ring)) for ring in found)

    (leaf,) = Scenarios(model).explore(question)
    assert leaf.answer is False
    assert leaf.assignment == {}
