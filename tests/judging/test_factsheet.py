"""`trailguard facts`: what rules see, in every scenario, in the shape that its JSON Schema promises."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from tests import ROOT
from trailguard.judging.factsheet import facts
from trailguard.settings.settings import Settings

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
        if "." in name and name.partition(".")[0] not in ("properties", "attributes")
    }
    assert {(name, value["value"]) for name, values in worked_out.items() for value in values} == {
        (name, True) for name in worked_out
    }
