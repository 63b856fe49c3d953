"""What messages and reasons are made of: words that somebody can act on, and nothing of what is inside trailguard."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import ROOT
from trailguard import init_template
from trailguard.findings import OPEN, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.factsheet import facts
from trailguard.judging.results import FileResult, Task
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.settings.settings import Settings

# What no sentence for people holds: private letters, symbols in symbols, long ways up, Python's own words and values.
RAW = re.compile(
    r"[\ue000-\uf8ff]|\$\{\{\{|\$\{\$\{|\.\./\.\.|(?<!unit )\bNone\b|\bobject at 0x|\bfrozenset\b|\['|\{'|\('"
    r"|\b(?:Text|Unknown|Symbol|Flag|Null|ListValue|MapValue|Absent|TextNode|ListNode|MapNode|Split)\("
    r"|  |: *$|;;|; *$|\(\)|\bused in a way\b|\bgives it at deployment\b"
)
TEMPLATES = sorted(
    str(path)
    for folder in ("rules", "examples")
    for path in (ROOT / folder).glob("**/*")
    if path.suffix in (".yaml", ".json") and path.name not in ("rule.yaml", "expected.json")
)
SETTINGS = Settings(profile="all")


@cache
def rulebook() -> Rulebook:
    return load(SETTINGS)


def judged(text: str) -> FileResult:
    return judge_file("template.json", text.encode(), Task(SETTINGS, rulebook()))


def sentences(finding: Finding) -> Iterator[str]:
    yield finding.message
    if finding.reason is not None:
        yield finding.reason
    yield from (place.message for place in finding.related)


def raw(result: FileResult) -> list[str]:
    """The sentences in which something shines through."""
    told = [sentence for finding in result.findings for sentence in sentences(finding)]
    told += [item.message for part in (result.errors, result.notices) for item in part]
    return [sentence for sentence in told if RAW.search(sentence)]


@pytest.mark.parametrize("folder", ["rules", "examples"])
def test_findings_of_all_examples_are_in_plain_words(folder: str) -> None:
    found = {path: raw(judged(Path(path).read_text(encoding="utf-8"))) for path in TEMPLATES if f"/{folder}/" in path}
    assert {path: sentences for path, sentences in found.items() if sentences} == {}


@pytest.mark.slow
def test_facts_of_all_examples_are_in_plain_words_in_every_scenario() -> None:
    found = {}
    for path in TEMPLATES:
        document: Any = facts(path, SETTINGS)
        for subject in document["subjects"]:
            for name, values in subject["facts"].items():
                told = [str(value[key]) for value in values for key in ("because", "unknown") if value.get(key)]
                odd = [sentence for sentence in told if RAW.search(sentence)]
                if odd:
                    found[path, name] = odd
    assert found == {}


# --- values of every odd kind in every place ------------------------------------------------------------------------

WHOLE: Any = json.loads(init_template.template(("kms", "cloudwatch", "sns"), "json"))
ODD: tuple[Any, ...] = (
    {"Fn::Transform": {"Name": "OurMacro"}},
    {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://snippets/part.yaml"}}},
    "{{resolve:ssm:/audit/value}}",
    {"Fn::Sub": "{{resolve:ssm:/${Name}/value}}-x"},
    {"Fn::ImportValue": "audit-value"},
    {"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-value"}},
    {"Ref": "Name"},
    {"Ref": "Names"},
    {"Ref": "Stored"},
    {"Ref": "Nobody"},
    {"Ref": "AWS::NoValue"},
    {"Ref": ["Name"]},
    {"Fn::GetAtt": ["Made", "Value"]},
    {"Fn::GetAtt": ["LogBucket", "Colour"]},
    {"Fn::GetAtt": ["Name", "Arn"]},
    {"Fn::Sub": ["${A}", {}, {}]},
    {"Fn::Sub": "${Nobody}/${}"},
    {"Fn::Join": ["-", "text"]},
    {"Fn::Select": [7, ["a"]]},
    {"Fn::Select": [1, {"Ref": "Names"}]},
    {"Fn::Select": [1, {"Fn::Split": ["-", {"Ref": "AWS::Region"}]}]},
    {"Fn::Split": ["", "a"]},
    {"Fn::FindInMap": ["Nobody", "a", "b"]},
    {"Fn::If": ["Nobody", "a", "b"]},
    {"Fn::If": [{"Fn::Equals": ["a"]}, "a", "b"]},
    {"Fn::Cidr": ["10.0.0.0/16", 1, 8]},
    {"Fn::Length": "a"},
    {"Fn::ToJsonString": "a"},
    {"!Made": "x"},
    {"Key": "value"},
    ["a", {"Ref": "Nobody"}],
    None,
    17,
    True,
    "",
)


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to all values below a node."""
    entries = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


PLACES = [
    ("Resources", name, "Properties", *path)
    for name, resource in WHOLE["Resources"].items()
    for path in places(resource.get("Properties", {}))
]


def changed(path: tuple[str | int, ...], value: Any) -> str:
    """The template with another value in one place."""
    made = copy.deepcopy(WHOLE)
    made.setdefault("Parameters", {}).update(
        Name={"Type": "String"},
        Names={"Type": "CommaDelimitedList"},
        Stored={"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/audit/stored"},
    )
    made["Resources"]["Made"] = {"Type": "Custom::Made"}
    *way, last = path
    holder = made
    for step in way:
        holder = holder[step]
    holder[last] = value
    return json.dumps(made)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), st.sampled_from(ODD))
def test_odd_values_are_told_in_plain_words(path: tuple[str | int, ...], value: Any) -> None:
    result = judged(changed(path, value))
    assert not any("internal error" in error.message for error in result.errors)
    assert raw(result) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), st.sampled_from(ODD))
def test_every_unknown_has_a_reason(path: tuple[str | int, ...], value: Any) -> None:
    """A verdict that asks for attention says what it is about; an unknown one also why, and that is a sentence."""
    for finding in judged(changed(path, value)).findings:
        if finding.verdict in OPEN:
            assert finding.message.strip()
        if finding.verdict == UNKNOWN:
            assert " " in (finding.reason or "")
