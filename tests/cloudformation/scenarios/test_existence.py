"""Which stacks can be made, held against an oracle that tries every choice of parameters."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloudformation.resolving import model_of, plain, probe
from trailguard.cloudformation.scenarios.scenarios import Scenarios

NAMES = ("P0", "P1", "P2", "P3")
VALUES = ("", "a", "b")
FRESH = "other"
CONDITIONS = ("C0", "C1", "C2", "C3")

Template = dict[str, Any]
Choice = dict[str, str]


def equals() -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(
        lambda pair: {"Fn::Equals": [{"Ref": pair[0]}, pair[1]]}
    )


def conditions_over(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(equals(), st.sampled_from(known).map(lambda name: {"Condition": name})) if known else equals()
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: {"Fn::Not": [one]}),
            st.lists(inner, min_size=2, max_size=3).map(lambda some: {"Fn::And": some}),
            st.lists(inner, min_size=2, max_size=3).map(lambda some: {"Fn::Or": some}),
        ),
        max_leaves=3,
    )


def assertions() -> st.SearchStrategy[Any]:
    lists = st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True)
    member = st.tuples(lists, st.sampled_from(NAMES)).map(lambda one: {"Fn::Contains": [one[0], {"Ref": one[1]}]})
    return st.one_of(conditions_over(()), member)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    parameters = {}
    for name in NAMES:
        default = draw(st.sampled_from([None, *VALUES]))
        parameters[name] = {"Type": "String", **({} if default is None else {"Default": default})}
    conditions = {name: draw(conditions_over(CONDITIONS[:number])) for number, name in enumerate(CONDITIONS)}
    names = [f"R{number}" for number in range(4)]
    resources: Template = {
        "Probe": {
            "Type": "Custom::Probe",
            "Properties": {"V": {"Fn::If": [draw(st.sampled_from(CONDITIONS)), "yes", "no"]}},
        }
    }
    for number, name in enumerate(names):
        value: Any = "x"
        if number:
            value = {"Ref": names[draw(st.integers(0, number - 1))]}
            if draw(st.booleans()):
                branches = draw(st.permutations([value, "x"]))
                value = {"Fn::If": [draw(st.sampled_from(CONDITIONS)), *branches]}
        resources[name] = {"Type": "Custom::Thing", "Properties": {"V": value}}
        if draw(st.booleans()):
            resources[name]["Condition"] = draw(st.sampled_from(CONDITIONS))
    rules = {
        f"Rule{number}": {
            **({"RuleCondition": draw(conditions_over(()))} if draw(st.booleans()) else {}),
            "Assertions": [{"Assert": draw(assertions())}],
        }
        for number in range(draw(st.integers(0, 2)))
    }
    return {
        "Parameters": parameters,
        "Conditions": conditions,
        "Resources": resources,
        **({"Rules": rules} if rules else {}),
    }


class Oracle:
    """One choice of all parameters, evaluated as the documentation says."""

    def __init__(self, template: Template, values: Choice) -> None:
        self.template = template
        self.values = values

    def holds(self, test: Any) -> bool:
        ((name, argument),) = test.items()
        if name == "Condition":
            return self.holds(self.template["Conditions"][argument])
        if name == "Fn::Not":
            return not self.holds(argument[0])
        if name in ("Fn::And", "Fn::Or"):
            return (all if name == "Fn::And" else any)(self.holds(one) for one in argument)
        if name == "Fn::Contains":
            return self.values[argument[1]["Ref"]] in argument[0]
        return bool(self.values[argument[0]["Ref"]] == argument[1])

    def is_made(self, name: str) -> bool:
        condition = self.template["Resources"][name].get("Condition")
        return condition is None or self.holds({"Condition": condition})

    def can_be(self) -> bool:
        """Whether CloudFormation makes a stack of it."""
        for rule in self.template.get("Rules", {}).values():
            if "RuleCondition" in rule and not self.holds(rule["RuleCondition"]):
                continue
            if not all(self.holds(one["Assert"]) for one in rule["Assertions"]):
                return False
        return all(
            self.fits(body["Properties"]["V"])
            for name, body in self.template["Resources"].items()
            if self.is_made(name)
        )

    def fits(self, value: Any) -> bool:
        value = self.chosen(value)
        return not isinstance(value, dict) or self.is_made(value["Ref"])

    def chosen(self, value: Any) -> Any:
        while isinstance(value, dict) and "Fn::If" in value:
            condition, yes, no = value["Fn::If"]
            value = yes if self.holds({"Condition": condition}) else no
        return value

    def answer(self) -> str:
        found: str = self.chosen(self.template["Resources"]["Probe"]["Properties"]["V"])
        return found


def defaults_of(template: Template) -> Choice:
    return {name: body["Default"] for name, body in template["Parameters"].items() if "Default" in body}


def changed(template: Template, values: Choice) -> int:
    return sum(values[name] != default for name, default in defaults_of(template).items())


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(templates())
def test_the_answers_are_those_of_the_stacks_that_can_be(template: Template) -> None:
    choices = [dict(zip(NAMES, one, strict=True)) for one in itertools.product((*VALUES, FRESH), repeat=len(NAMES))]
    stacks = [oracle for oracle in (Oracle(template, choice) for choice in choices) if oracle.can_be()]
    model = model_of(template)
    leaves = Scenarios(model).explore(lambda scenario: plain(probe(scenario)))
    # A reference that is never sound matters only where its parameters have a say, so that nothing is passed over.
    if stacks or template.get("Rules"):
        assert {leaf.answer for leaf in leaves} >= {oracle.answer() for oracle in stacks}
    fewest = {
        answer: [changed(template, one.values) for one in stacks if one.answer() == answer] for answer in ("yes", "no")
    }
    for leaf in leaves:
        named = {name: model.space.sample(leaf.stack, name) for name in leaf.stack}
        values = {**dict.fromkeys(NAMES, FRESH), **defaults_of(template), **named}
        concerned = Oracle(template, values)
        assert concerned.answer() == leaf.answer
        assert not stacks or any(named.items() <= one.values.items() for one in stacks)
        if concerned.can_be():
            assert changed(template, values) >= min(fewest[leaf.answer])


@pytest.mark.parametrize("size", [2, 40])
def test_a_chain_of_optional_resources_costs_what_the_question_hinges_on(size: int) -> None:
    """Whether each thing is handed in or made here: only the first of them has a say."""
    numbers = range(size)
    template = {
        "Parameters": {f"Existing{number}": {"Type": "String", "Default": ""} for number in numbers},
        "Conditions": {
            **{f"Make{number}": {"Fn::Equals": [{"Ref": f"Existing{number}"}, ""]} for number in numbers},
            **{f"Use{number}": {"Fn::Not": [{"Condition": f"Make{number}"}]} for number in numbers},
        },
        "Resources": {
            "Probe": {"Type": "Custom::Probe", "Properties": {"V": {"Fn::If": ["Make0", "made", "handed"]}}},
            **{
                f"R{number}": {
                    "Type": "Custom::Thing",
                    "Condition": f"Make{number}",
                    "Properties": {
                        "V": {
                            "Fn::If": [f"Use{number - 1}", {"Ref": f"Existing{number - 1}"}, {"Ref": f"R{number - 1}"}]
                        }
                        if number
                        else "x"
                    },
                }
                for number in numbers
            },
        },
    }
    scenarios = Scenarios(model_of(template))
    asked: list[int] = []

    def question(scenario: Any) -> Any:
        asked.append(1)
        return plain(probe(scenario))

    assert [leaf.answer for leaf in scenarios.explore(question)] == ["made", "handed"]
    assert len(asked) == 3


def test_what_one_choice_demands_of_another_is_part_of_the_stack() -> None:
    """The first thing handed in demands all others: each refers to one that is not made then."""
    numbers = range(20)
    template = {
        "Parameters": {f"Existing{number}": {"Type": "String", "Default": ""} for number in numbers},
        "Conditions": {f"Make{number}": {"Fn::Equals": [{"Ref": f"Existing{number}"}, ""]} for number in numbers},
        "Resources": {
            "Probe": {"Type": "Custom::Probe", "Properties": {"V": {"Fn::If": ["Make0", "made", "handed"]}}},
            **{
                f"R{number}": {
                    "Type": "Custom::Thing",
                    "Condition": f"Make{number}",
                    "Properties": {"V": {"Ref": f"R{number - 1}"} if number else "x"},
                }
                for number in numbers
            },
        },
    }
    made, handed = Scenarios(model_of(template)).explore(lambda scenario: plain(probe(scenario)))
    assert (made.answer, handed.answer) == ("made", "handed")
    model = model_of(template)
    assert model.space.changed(made.stack) == frozenset()
    assert model.space.changed(handed.stack) == {f"Existing{number}" for number in numbers}
