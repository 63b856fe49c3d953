"""`trailguard facts`: what rules see, in every scenario, in the shape that its JSON Schema promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests import ROOT
from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.judging.factsheet import facts, told_fact
from trailguard.judging.subjects import JudgedTemplate
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings
from trailguard.trails import catalog
from trailguard.trails.catalog import FACTS, KnownFact, known_facts
from trailguard.trails.facts.properties import Wanted

SCHEMA = json.loads(files("trailguard").joinpath("schemas/facts.schema.json").read_text(encoding="utf-8"))
EXAMPLES = ROOT / "examples"

OPTIONAL = b"""\
Parameters:
  Multi: {Type: String, Default: 'true', AllowedValues: ['true', 'false']}
  Name: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /trail/name}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: elsewhere
      TrailName: !Ref Name
      IsMultiRegionTrail: !Ref Multi
"""


def told(data: bytes, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    document: Any = facts("t.yaml", Settings(**settings), data)
    Draft202012Validator(SCHEMA).validate(document)
    (subject,) = document["subjects"]
    assert (subject["subject"], subject["resource"], subject["line"]) == ("trail", "Trail", 5)
    known: dict[str, list[dict[str, Any]]] = subject["facts"]
    return known


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_fact_tells_each_value_with_the_parameters_that_give_it() -> None:
    known = told(OPTIONAL)
    assert known["properties.IsMultiRegionTrail"] == [
        {
            "value": True,
            "because": "IsMultiRegionTrail of Trail is true (from Multi)",
            "when": {"Multi": "true"},
            "default": True,
            "line": 10,
            "column": 27,
        },
        {
            "value": False,
            "because": "IsMultiRegionTrail of Trail is false (from Multi)",
            "when": {"Multi": "false"},
            "default": False,
            "line": 10,
            "column": 27,
        },
    ]


def test_missing_property_tells_what_it_means() -> None:
    (value,) = told(OPTIONAL)["properties.IsLogging"]
    assert value["value"] is False
    assert value["because"] == "Trail does not set IsLogging, which CloudFormation requires"


def test_unknown_fact_tells_why() -> None:
    (value,) = told(OPTIONAL)["policy.log_write_allowed"]
    assert value["value"] is None
    assert value["unknown"] == (
        "neither this template nor one that is connected with it makes bucket elsewhere or a policy for it; "
        "scan the template that does together with this one"
    )


def test_pinned_parameter_leaves_one_value() -> None:
    values = told(OPTIONAL, parameters={"Multi": "false"})["properties.IsMultiRegionTrail"]
    assert [(value["value"], value["when"]) for value in values] == [(False, {})]


def test_compliant_example_has_all_its_facts_true() -> None:
    document: Any = facts(str(EXAMPLES / "compliant" / "everything.yaml"), Settings())
    Draft202012Validator(SCHEMA).validate(document)
    trail = next(item for item in document["subjects"] if item["subject"] == "trail")
    worked_out = {
        name: values
        for name, values in trail["facts"].items()
        if "." in name and FACTS["trail"].get(name) is not None and FACTS["trail"][name].schema == {"type": "boolean"}
    }
    assert [value["value"] for value in trail["facts"]["valid.properties"]] == [[]]  # none is misspelt
    assert {(name, value["value"]) for name, values in worked_out.items() for value in values} == {
        (name, "alarm" if name == "alarm.watched_by" else True) for name in worked_out
    }


# --- what facts say of themselves ------------------------------------------------------------------------------------

RULES = load(Settings(profile="all")).selected


@cache
def known(subject: str, name: str) -> KnownFact | None:
    """What is documented of a fact; a property is documented by name where it has a default."""
    return next((fact for fact in known_facts() if fact.name == name and subject in fact.subjects), None)


def values(rule: Rule) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every value that the facts of a rule, and those about its subject, take in its examples."""
    wanted = {item.fact: item.wanted for item in (*rule.when, *rule.require)}
    worked_out = catalog.FACTS.get(rule.subject, {})
    for path in (*rule.examples("pass"), *rule.examples("fail")):
        judged = JudgedTemplate(path, Template(parse(Path(path).read_bytes())), Pins())
        for subject in judged.subjects(rule.subject):
            for name in wanted if subject.outside is None else ():
                if name in worked_out or known(rule.subject, name):
                    for value in told_fact(judged, rule.subject, subject, name, wanted.get(name, Wanted())):
                        yield path, name, value


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_values_are_what_the_schema_says(rule: Rule) -> None:
    for path, name, value in values(rule):
        fact = known(rule.subject, name)
        assert fact is not None, name
        told = Draft202012Validator(fact.schema).is_valid(value["value"])
        assert told or "unknown" in value, (path, name, value)


def test_every_fact_is_documented_with_a_schema() -> None:
    for fact in known_facts():
        Draft202012Validator.check_schema(fact.schema)
        assert fact.description
    documented = {(subject, fact.name) for fact in known_facts() for subject in fact.subjects}
    assert {(subject, name) for subject, specs in catalog.FACTS.items() for name in specs} <= documented
    stated = {name for fact in known_facts() if not fact.subjects for name in [fact.name]}
    assert stated == {
        "properties.NAME",
        "properties.NAME.INNER",
        *(f"attributes.{name}" for name in catalog.ATTRIBUTES),
    }


def test_rules_can_ask_for_what_is_documented() -> None:
    for fact in known_facts():
        for subject in fact.subjects or ("AWS::Any::Type",):
            assert catalog.knows_fact(subject, fact.name) is None, fact
