"""What CloudFormation is certain to refuse, wherever it stands in the templates that a trail needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trailguard import Settings, scan
from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN, Finding

Template = dict[str, Any]

TRAIL = {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "audit-logs", "IsLogging": True}}
TOPIC = {"Type": "AWS::SNS::Topic"}
BEFORE_B = {**TOPIC, "DependsOn": "B"}
EMPTY = {**TOPIC, "Properties": None}
ON = {
    "Parameters": {"On": {"Type": "String", "Default": "no", "AllowedValues": ["yes", "no"]}},
    "Conditions": {"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}},
}


def found(folder: Path, **templates: Template) -> dict[str, Finding]:
    """What TG212 says of the trails in some templates of a folder, by file and logical ID of the trail."""
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(template, indent=1))
    report = scan([str(folder)], Settings(select=("TG212",)))
    assert report.errors == ()
    told = {Path(item.subject_file or item.place.file).stem: item for item in report.results}
    assert len(told) == len(report.results)
    return told


def single(folder: Path, resources: Template, **sections: Any) -> Finding:
    """What TG212 says of the only trail of a template."""
    return found(folder, one={**sections, "Resources": {"Trail": TRAIL, **resources}})["one"]


def nested(template: str, **more: Any) -> Template:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"{template}.json", **more}}


# --- null -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sections", "resources", "words"),
    [
        ({"Parameters": None}, {}, "Parameters is null"),
        ({"Parameters": {"P": {"Type": "String", "Default": None}}}, {}, "Parameters.P.Default is null"),
        ({"Mappings": {"M": {"A": {"B": None}}}}, {}, "Mappings.M.A.B is null"),
        ({"Outputs": {"O": {"Value": "x", "Description": None}}}, {}, "Outputs.O.Description is null"),
        ({"Metadata": {"Notes": None}}, {}, "Metadata.Notes is null"),
        ({}, {"Topic": {**TOPIC, "Metadata": {"Notes": [None]}}}, "Metadata.Notes.0 of Topic is null"),
        ({}, {"Topic": EMPTY}, "Properties of Topic is null"),
        ({}, {"Topic": {**TOPIC, "DependsOn": None}}, "DependsOn of Topic is null"),
        ({}, {"Topic": {**TOPIC, "Properties": {"Tags": [{"Key": None}]}}}, "Tags.0.Key of Topic is null"),
        ({}, {"Topic": {**EMPTY, "Condition": "IsOn"}}, "Properties of Topic is null"),
        ({"Transform": "AWS::Serverless-2016-10-31"}, {"Topic": EMPTY}, "Properties of Topic is null"),
    ],
)  # fmt: skip
def test_null_is_refused_wherever_it_stands(
    tmp_path: Path, sections: Template, resources: Template, words: str
) -> None:
    finding = single(tmp_path, resources, **{**ON, **sections})
    assert finding.verdict == FAIL
    assert words in finding.message
    assert "null" in (tmp_path / "one.json").read_text().splitlines()[finding.place.span.line - 1]


@pytest.mark.parametrize(
    ("sections", "resources"),
    [
        ({}, {"Topic": {**TOPIC, "Properties": {"TopicName": "null", "DisplayName": "~"}}}),
        (
            {},
            {"Steps": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"Definition": {"ResultPath": None}}}},
        ),
        ({"Transform": "AWS::Serverless-2016-10-31"}, {"F": {"Type": "AWS::Serverless::Function", "Properties": None}}),
        ({"AWSTemplateFormatVersion": "2010-09-09-OC"}, {"Topic": EMPTY}),
        ({"Globals": {"Function": None}, "Transform": "AWS::Serverless-2016-10-31"}, {}),
    ],
)
def test_what_is_no_null_or_is_rewritten(tmp_path: Path, sections: Template, resources: Template) -> None:
    assert single(tmp_path, resources, **sections).verdict == PASS


def test_the_trail_s_own_null_is_the_one_that_is_told(tmp_path: Path) -> None:
    own = {"Type": TRAIL["Type"], "Properties": {"S3BucketName": "audit-logs", "IsLogging": None}}
    resources = {"Topic": EMPTY, "Trail": own}
    assert "IsLogging of Trail is null" in single(tmp_path, resources).message
    report = scan([str(tmp_path)], Settings(select=("TG106", "TG113", "TG212")))
    causes = {item.rule.id: item.cause for item in report.results if item.verdict == FAIL}
    assert causes["TG106"] == causes["TG212"]


# --- DependsOn --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depends", "verdict", "words"),
    [
        ("Topic", PASS, ""),
        (["Topic", "Topic"], PASS, ""),
        ([], PASS, ""),
        ({"Ref": "Topic"}, FAIL, "holds Ref"),
        ([{"Fn::If": ["IsOn", "Topic", {"Ref": "AWS::NoValue"}]}], FAIL, "holds Fn::If"),
        ({"Ref": "AWS::NoValue"}, FAIL, "holds Ref"),
        ([["Topic"]], FAIL, "holds a list"),
        ({"Topic": "x"}, FAIL, "holds a map"),
        ("Topick", FAIL, "did you mean Topic?"),
        ("On", FAIL, 'names "On"'),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, PASS, ""),
    ],
)
def test_depends_on_takes_logical_ids(tmp_path: Path, depends: Any, verdict: str, words: str) -> None:
    finding = single(tmp_path, {"Topic": TOPIC, "Other": {**TOPIC, "DependsOn": depends}}, **ON)
    assert finding.verdict == verdict
    assert words in finding.message


@pytest.mark.parametrize(
    ("transform", "depends", "verdict"),
    [
        ("AWS::Serverless-2016-10-31", "ApiStage", PASS),  # SAM makes further resources
        ("AWS::LanguageExtensions", "ApiStage", FAIL),
        ("AWS::LanguageExtensions", {"Fn::Sub": "${On}"}, UNKNOWN),
        ("AWS::LanguageExtensions", {"Ref": "Topic"}, FAIL),
    ],
)
def test_depends_on_beside_macros(tmp_path: Path, transform: str, depends: Any, verdict: str) -> None:
    resources = {"Topic": TOPIC, "Other": {**TOPIC, "DependsOn": depends}}
    assert single(tmp_path, resources, Transform=transform, **ON).verdict == verdict


def test_a_function_in_depends_on_takes_no_stack_away(tmp_path: Path) -> None:
    """A Ref to what is not made is refused elsewhere, but then there would be no trail to speak of."""
    resources = {"Topic": {**TOPIC, "Condition": "IsOn"}, "Other": {**TOPIC, "DependsOn": {"Ref": "Topic"}}}
    never = {"Conditions": {"IsOn": {"Fn::Equals": ["a", "b"]}}}
    assert single(tmp_path, resources, **never).verdict == FAIL


# --- circles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resources", "verdict", "words"),
    [
        ({"A": {**TOPIC, "DependsOn": "A"}}, FAIL, "A refers to itself"),
        ({"A": BEFORE_B, "B": {**TOPIC, "DependsOn": "A"}}, FAIL, "A waits for B, and B for A"),
        (
            {"A": BEFORE_B, "B": {**TOPIC, "DependsOn": "C"}, "C": {**TOPIC, "DependsOn": "Trail"},
             "Trail": {**TRAIL, "DependsOn": "A"}},
            FAIL,
            "Trail waits for A, A for B, B for C, and C for Trail",
        ),
        ({"A": BEFORE_B, "B": {**TOPIC, "DependsOn": {"Ref": "A"}}}, FAIL, "DependsOn of B holds Ref"),
        ({"A": BEFORE_B, "B": {**TOPIC, "DependsOn": "A", "Condition": "IsOn"}}, CONDITIONAL, "A waits for B"),
        (
            {"A": {"Type": "AWS::Serverless::Function", "Properties": {"Role": {"Ref": "B"}}},
             "B": {**TOPIC, "DependsOn": "A"}},
            PASS,
            "",
        ),
    ],
)  # fmt: skip
def test_circles(tmp_path: Path, resources: Template, verdict: str, words: str) -> None:
    finding = single(tmp_path, resources, **ON)
    assert finding.verdict == verdict
    assert words in finding.message
    if verdict == CONDITIONAL:
        assert finding.witness == {"On": "yes"}


def test_a_circle_through_what_nested_stacks_hand_each_other(tmp_path: Path) -> None:
    child = {
        "Parameters": {"Key": {"Type": "String"}},
        "Resources": {"Trail": {**TRAIL, "Properties": {**TRAIL["Properties"], "KMSKeyId": {"Ref": "Key"}}}},  # type: ignore[dict-item]
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Trail", "Arn"]}}},
    }
    keys = {
        "Parameters": {"Trail": {"Type": "String"}},
        "Resources": {"Topic": {**TOPIC, "Metadata": {"For": {"Ref": "Trail"}}}},
        "Outputs": {"Key": {"Value": "alias/logs"}},
    }
    parent = {
        "Resources": {
            "Audit": nested("child", Parameters={"Key": {"Fn::GetAtt": ["Keys", "Outputs.Key"]}}),
            "Keys": nested("keys", Parameters={"Trail": {"Fn::GetAtt": ["Audit", "Outputs.Arn"]}}),
        }
    }
    finding = found(tmp_path, parent=parent, child=child, keys=keys)["child"]
    assert finding.verdict == FAIL
    assert "Audit waits for Keys, and Keys for Audit" in finding.message
    assert finding.place.file.endswith("parent.json")


# --- several stacks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "verdict", "witness"),
    [({}, FAIL, {}), ({"Condition": "IsOn"}, CONDITIONAL, {"On": "yes"})],
)
def test_a_nested_stack_that_is_refused(
    tmp_path: Path, condition: Template, verdict: str, witness: dict[str, str]
) -> None:
    """It takes its parent with it, where it is made."""
    parent = {**ON, "Resources": {"Trail": TRAIL, "Child": {**nested("child"), **condition}}}
    finding = found(tmp_path, parent=parent, child={"Resources": {"Topic": EMPTY}})["parent"]
    assert (finding.verdict, dict(finding.witness)) == (verdict, witness)
    assert finding.place.file.endswith("child.json")


@pytest.mark.parametrize("imports", [True, False])
def test_a_stack_that_is_imported_from_is_refused(tmp_path: Path, imports: bool) -> None:
    name: Any = {"Fn::ImportValue": "logs"} if imports else "audit-logs"
    taker = {"Resources": {"Trail": {**TRAIL, "Properties": {"S3BucketName": name, "IsLogging": True}}}}
    giver = {
        "Metadata": {"Notes": None},
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"Logs": {"Value": {"Ref": "Bucket"}, "Export": {"Name": "logs"}}},
    }
    finding = found(tmp_path, taker=taker, giver=giver)["taker"]
    assert finding.verdict == (FAIL if imports else PASS)
    if imports:
        assert finding.place.file.endswith("giver.json")


# --- how many trails --------------------------------------------------------------------------------------------------


def test_trails_of_nested_stacks_add_up(tmp_path: Path) -> None:
    child = {"Resources": {f"Trail{number}": TRAIL for number in range(3)}}
    parent = {"Resources": {"One": nested("child"), "Two": nested("child")}}
    for name, template in (("parent", parent), ("child", child)):
        (tmp_path / f"{name}.json").write_text(json.dumps(template))
    report = scan([str(tmp_path)], Settings(select=("TG212",)))
    assert {item.verdict for item in report.results} == {FAIL}
    assert all("6 trails are made in one Region" in item.message for item in report.results)
