"""The shape of a trail, held against the schema that cfn-lint carries: nothing was forgotten or misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from trailguard.trails.whole.shape import TRAIL, Fields, Many, Shape, Truth, Word

pytestmark = pytest.mark.hosts

TYPE = "AWS::CloudTrail::Trail"
READ_ONLY = {"Arn", "SnsTopicArn"}
# Whose sizes other facts are about, or CloudTrail limits and not CloudFormation.
OWN_RULES = {"TrailName", "SnsTopicName", "EventSelectors", "Tags", "Tags/-/Key", "Tags/-/Value"}


def compare(shape: Shape, schema: dict[str, Any], whole: dict[str, Any], path: str) -> None:
    if "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].rpartition("/")[2]]
    if isinstance(shape, Fields):
        assert schema["additionalProperties"] is False, path
        assert set(shape.of) == set(schema["properties"]) - (READ_ONLY if not path else set()), path
        if path:  # what a trail must have is a fact of its own
            assert set(shape.required) == set(schema.get("required", [])), path
        for name, inner in shape.of.items():
            compare(inner, schema["properties"][name], whole, f"{path}/{name}")
    elif isinstance(shape, Many):
        assert schema["type"] == "array", path
        limits = (schema.get("minItems", 0), schema.get("maxItems"))
        assert schema.get("uniqueItems", False) is shape.unique, path
        assert path.strip("/") in OWN_RULES or limits == (shape.least, shape.most), path
        compare(shape.of, schema["items"], whole, f"{path}/-")
    elif isinstance(shape, Truth):
        assert schema["type"] == "boolean", path
    else:
        assert isinstance(shape, Word)
        assert schema["type"] == "string", path
        sources = path.endswith("/ExcludeManagementEventSources/-")  # CloudTrail takes two, CloudFormation any
        assert sources or set(shape.choices) == set(schema.get("enum", ())), path
        assert path.strip("/") in OWN_RULES or shape.most == schema.get("maxLength"), path


def test_the_shape_is_that_of_the_schema() -> None:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", TYPE).schema
    compare(TRAIL, schema, schema, "")
