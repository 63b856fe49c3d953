"""Sections, parameters and resources of every shape; what is misshapen becomes a problem with its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloudformation.resolving import read
from trailguard.cloudformation.source.nodes import SourceError
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Parameter, Template, function_of, looks_like_template

BUCKET = {"Type": "AWS::S3::Bucket"}


def parameter(body: Any) -> Parameter:
    return read({"Parameters": {"P": body}, "Resources": {"R": BUCKET}}).parameters["P"]


DEFAULTS: dict[str, tuple[Any, str | None]] = {
    "none": ({"Type": "String"}, None),
    "text": ({"Default": "x"}, "x"),
    "empty": ({"Default": ""}, ""),
    "null-is-empty": ({"Default": None}, ""),
    "number": ({"Default": 5}, "5"),
    "boolean": ({"Default": True}, "true"),
    "list": ({"Default": ["a", "b"]}, "a,b"),
    "list-of-scalars": ({"Default": ["a", 1, None, True]}, "a,1,,true"),
    "list-of-lists": ({"Default": [["a"]]}, ""),
    "map": ({"Default": {"a": "b"}}, None),
    "null-parameter": (None, None),
    "text-parameter": ("String", None),
    "list-parameter": (["String"], None),
}


@pytest.mark.parametrize(("body", "expected"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_default(body: Any, expected: str | None) -> None:
    assert parameter(body).default == expected


ALLOWED: dict[str, tuple[Any, tuple[str, ...] | None]] = {
    "none": ({}, None),
    "texts": ({"AllowedValues": ["a", "b"]}, ("a", "b")),
    "scalars": ({"AllowedValues": [1, True, ""]}, ("1", "true", "")),
    "empty": ({"AllowedValues": []}, None),
    "text": ({"AllowedValues": "a"}, None),
    "null-inside": ({"AllowedValues": ["a", None]}, ("a",)),
    "only-nulls-allow-anything": ({"AllowedValues": [None]}, None),
    "only-maps-allow-anything": ({"AllowedValues": [{"Ref": "X"}]}, None),
}


@pytest.mark.parametrize(("body", "expected"), ALLOWED.values(), ids=ALLOWED.keys())
def test_allowed_values(body: Any, expected: tuple[str, ...] | None) -> None:
    assert parameter(body).allowed_values == expected


TYPES: dict[str, tuple[Any, str, bool, bool]] = {
    "none": ({}, "String", False, False),
    "string": ({"Type": "String"}, "String", False, False),
    "null": ({"Type": None}, "String", False, False),
    "list": ({"Type": ["String"]}, "String", False, False),
    "number": ({"Type": "Number"}, "Number", False, False),
    "comma": ({"Type": "CommaDelimitedList"}, "CommaDelimitedList", True, False),
    "list-of-numbers": ({"Type": "List<Number>"}, "List<Number>", True, False),
    "vpc": ({"Type": "AWS::EC2::VPC::Id"}, "AWS::EC2::VPC::Id", False, False),
    "stored": ({"Type": "AWS::SSM::Parameter::Value<String>"}, "AWS::SSM::Parameter::Value<String>", False, True),
    "stored-list": (
        {"Type": "AWS::SSM::Parameter::Value<List<String>>"},
        "AWS::SSM::Parameter::Value<List<String>>",
        True,
        True,
    ),
    "stored-comma": (
        {"Type": "AWS::SSM::Parameter::Value<CommaDelimitedList>"},
        "AWS::SSM::Parameter::Value<CommaDelimitedList>",
        True,
        True,
    ),
    "stored-name": ({"Type": "AWS::SSM::Parameter::Name"}, "AWS::SSM::Parameter::Name", False, False),
}


@pytest.mark.parametrize(("body", "kind", "is_list", "is_stored"), TYPES.values(), ids=TYPES.keys())
def test_type(body: Any, kind: str, is_list: bool, is_stored: bool) -> None:
    found = parameter(body)
    assert (found.type, found.is_list, found.is_stored) == (kind, is_list, is_stored)


BOUNDS: dict[str, tuple[Any, int | None]] = {
    "number": (3, 3),
    "text": ("3", 3),
    "float": ("3.0", 3),
    "word": ("three", None),
    "underscore": ("1_0", None),
    "boolean": (True, None),
    "list": ([3], None),
    "null": (None, None),
    "infinite": ("inf", None),
    "not-a-number": ("nan", None),
    "huge": ("1e400", None),
}


@pytest.mark.parametrize(("value", "expected"), BOUNDS.values(), ids=BOUNDS.keys())
def test_bounds(value: Any, expected: int | None) -> None:
    found = parameter({"MinLength": value, "MaxLength": value, "MinValue": value, "MaxValue": value})
    assert (found.min_length, found.max_length) == (expected, expected)
    assert (found.min_value, found.max_value) == (expected, expected)


PROBLEMS: dict[str, tuple[str, list[str]]] = {
    "fine": ("Resources: {R: {Type: T}}", []),
    "no-resources": ("Parameters: {}", ["line 1, column 1: the template has no Resources"]),
    "null-sections": ("Parameters:\nConditions: ~\nMappings: null\nResources: {R: {Type: T}}", []),
    "list-of-parameters": (
        "Resources: {R: {Type: T}}\nParameters: [a]",
        ["line 2, column 13: Parameters must be a map"],
    ),
    "text-resources": ("Resources: many", ["line 1, column 12: Resources must be a map"]),
    "text-outputs": ("Resources: {R: {Type: T}}\nOutputs: x", ["line 2, column 10: Outputs must be a map"]),
    "no-type": ("Resources: {R: {Properties: {}}}", ["line 1, column 13: resource R has no Type"]),
    "null-resource": ("Resources: {R: }", ["line 1, column 13: resource R has no Type"]),
    "text-resource": ("Resources: {R: x}", ["line 1, column 13: resource R has no Type"]),
    "list-type": ("Resources: {R: {Type: [T]}}", ["line 1, column 13: resource R has no Type"]),
    "made-type": ("Resources: {R: {Type: {Fn::Sub: x}}}", []),
    "tagged-resource": ("Resources: {R: !Rain::Module x}", []),
    "transformed-resource": ("Resources: {R: {Fn::Transform: {Name: X}}}", []),
    "number-key": ("Resources: {1: {Type: T}}", []),
}


@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_problems(text: str, expected: list[str]) -> None:
    assert [str(problem) for problem in read(text).problems] == expected


@pytest.mark.parametrize("text", ["[]", "x", "- Resources"])
def test_a_template_is_a_map(text: str) -> None:
    with pytest.raises(SourceError, match="a template is a map with Resources"):
        Template(parse(text.encode()))


def test_resources() -> None:
    template = read(
        """
Resources:
  A: {Type: T, Condition: C, DependsOn: B}
  B: {Type: U, DependsOn: [A, {x: y}, C]}
  C: {Type: T, Condition: [x], DependsOn: {x: y}}
  Fn::ForEach::Loop: [X, [a], {}]
  1: {Type: T}
"""
    )
    assert list(template.resources) == ["A", "B", "C", "1"]
    assert [item.condition for item in template.resources.values()] == ["C", None, "of C", None]
    depends = [[node.value for node in item.depends_on()] for item in template.resources.values()]
    assert depends == [["B"], ["A", "C"], [], []]
    assert [item.id for item in template.of_type("T")] == ["A", "C", "1"]
    assert [(name, item.key.line) for name, item in template.generators.items()] == [("Fn::ForEach::Loop", 6)]


TRANSFORMS: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    "none": (None, (), ()),
    "known": ("AWS::Serverless-2016-10-31", ("AWS::Serverless-2016-10-31",), ()),
    "custom": ("Mine", ("Mine",), ("Mine",)),
    "list": (["AWS::LanguageExtensions", "Mine"], ("AWS::LanguageExtensions", "Mine"), ("Mine",)),
    "include": ({"Name": "AWS::Include", "Parameters": {}}, ("AWS::Include",), ("AWS::Include",)),
    "include-in-list": ([{"Name": "AWS::Include"}], ("AWS::Include",), ("AWS::Include",)),
    "nameless": ({"Parameters": {}}, (), ()),
    "list-in-list": ([["Mine"]], (), ()),
}


@pytest.mark.parametrize(("value", "names", "macros"), TRANSFORMS.values(), ids=TRANSFORMS.keys())
def test_transforms(value: Any, names: tuple[str, ...], macros: tuple[str, ...]) -> None:
    body = {"Resources": {"R": BUCKET}} if value is None else {"Transform": value, "Resources": {"R": BUCKET}}
    template = read(body)
    assert (template.transforms, template.macros) == (names, macros)


LOOKS: dict[str, tuple[str, bool]] = {
    "typed": ("Resources: {R: {Type: AWS::S3::Bucket}}", True),
    "version": ("AWSTemplateFormatVersion: 2010-09-09", True),
    "transform": ("Transform: X\nResources: {}", True),
    "kubernetes": ("apiVersion: v1\nkind: Pod", False),
    "other-resources": ("Resources: {R: {Type: bucket}}", False),
    "resources-list": ("Resources: [a]", False),
    "list": ("[a]", False),
    "text": ("a", False),
    "null-resource": ("Resources: {R: }", False),
}


@pytest.mark.parametrize(("text", "expected"), LOOKS.values(), ids=LOOKS.keys())
def test_looks_like_template(text: str, expected: bool) -> None:
    assert looks_like_template(parse(text.encode()).root) is expected


FUNCTIONS: dict[str, tuple[str, str | None]] = {
    "ref": ("{Ref: x}", "Ref"),
    "full": ("{Fn::Sub: x}", "Fn::Sub"),
    "short": ("!Sub x", "Fn::Sub"),
    "tag": ("!Foo x", "!Foo"),
    "condition-is-none": ("{Condition: x}", None),
    "two-keys": ("{Ref: x, y: z}", None),
    "empty": ("{}", None),
    "list": ("[Ref]", None),
    "text": ("Ref", None),
}


@pytest.mark.parametrize(("text", "expected"), FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_function_of(text: str, expected: str | None) -> None:
    found = function_of(parse(text.encode()).root)
    assert (found and found[0]) == expected
