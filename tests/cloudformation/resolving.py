"""Builds small templates, resolves one expression in them, and shows values as plain Python data."""

from __future__ import annotations

import json
from typing import Any

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.scenarios.values import (
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Text,
    Unknown,
    Value,
    show,
)
from trailguard.cloudformation.scenarios.variables import Assignment
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.returns import RETURNS

ABSENT = ("absent",)
NOTHING = Pins()


def unknown(reason: str) -> tuple[str, str]:
    """What `plain` makes of an unknown value."""
    return ("unknown", reason)


def read(template: str | dict[str, Any]) -> Template:
    """A template from YAML, or from data."""
    text = template if isinstance(template, str) else json.dumps(template)
    return Template(parse(text.encode()))


def root_of(text: str) -> MapNode:
    """The root of a document, before it is read as a template."""
    root = parse(text.encode()).root
    assert isinstance(root, MapNode)
    return root


def data(node: Node) -> Any:
    """Nodes as data."""
    if isinstance(node, MapNode):
        return {key: data(value) for key, value in node.values.items()}
    if isinstance(node, ListNode):
        return [data(item) for item in node.items]
    assert isinstance(node, TextNode)
    return node.value


def with_probe(expression: Any, **sections: Any) -> dict[str, Any]:
    """A template in which resource Probe has the property V; `Resources` in sections are added to it."""
    resources = {"Probe": {"Type": "Custom::Probe", "Properties": {"V": expression}}, **sections.pop("Resources", {})}
    return {**sections, "Resources": resources}


def model_of(template: str | dict[str, Any], pins: Pins = NOTHING) -> Model:
    """The model of a template."""
    return Model(read(template), pins, RETURNS)


def probe(scenario: Scenario) -> Value:
    """The value of the probe in a scenario."""
    return scenario.value_of(scenario.model.template.resources["Probe"], "V")


def plain(value: Value) -> Any:
    """A value as data: text with its symbols as ${Name}, unknown with its reason."""
    if isinstance(value, Text):
        return show(value)
    if isinstance(value, Flag):
        return value.value
    if isinstance(value, Null):
        return None
    if isinstance(value, ListValue):
        return [plain(item) for item in value.items]
    if isinstance(value, MapValue):
        return {name: plain(item) for name, item in value.entries.items()}
    if isinstance(value, Unknown):
        return unknown(value.reason)
    assert isinstance(value, Absent)
    return ABSENT


def resolve(expression: Any, pins: Pins = NOTHING, assignment: Assignment | None = None, **sections: Any) -> Any:
    """The expression's value in one scenario, as data."""
    model = model_of(with_probe(expression, **sections), pins)
    return plain(probe(Scenario(model, assignment or {})))


def resolve_all(expression: Any, pins: Pins = NOTHING, **sections: Any) -> list[tuple[dict[str, str], Any]]:
    """The expression's values in all scenarios, each with an example of what leads to it."""
    return explored(with_probe(expression, **sections), pins)


def explored(template: str | dict[str, Any], pins: Pins = NOTHING) -> list[tuple[dict[str, str], Any]]:
    """The probe's values in all scenarios in which it is made, each with an example of what leads to it."""
    model = model_of(template, pins)
    resource = model.template.resources["Probe"]

    def question(scenario: Scenario) -> Any:
        return plain(scenario.value_of(resource, "V")) if scenario.active(resource) else ABSENT

    leaves = Scenarios(model).explore(question)
    return [
        ({name: model.space.sample(leaf.stack, name) for name in sorted(leaf.assignment)}, leaf.answer)
        for leaf in leaves
    ]
