"""A parameter file may say that the stack keeps a parameter's value, which nobody here knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trailguard.cloudformation.source.letters import RESOLVED
from trailguard.commands.options import parse
from trailguard.commands.settings_of import settings_of
from trailguard.scanning import scan

PARENT = """\
Parameters: {Multi: {Type: String, Default: "true", AllowedValues: ["true", "false"]}}
Resources:
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: trail.yaml, Parameters: {Multi: !Ref Multi}}}
"""
TRAIL = """\
Parameters: {Multi: {Type: String, Default: "true", AllowedValues: ["true", "false"]}}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: logs-of-mine, IsMultiRegionTrail: !Ref Multi}
"""
LOOP = """\
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: ""}}
Resources:
  Fn::ForEach::Trails:
    - Name
    - !Ref Names
    - Trail${Name}:
        Type: AWS::CloudTrail::Trail
        Properties: {IsLogging: true, S3BucketName: logs-of-mine, IsMultiRegionTrail: false}
"""
REASON = "the stack keeps the value that parameter Multi has (UsePreviousValue); give it with --parameter Multi=VALUE"


def judged(folder: Path, *options: str) -> list[tuple[str, str | None]]:
    report = scan([str(folder)], settings_of(parse("scan", ["--select", "TG101", *options]), quiet=True))
    assert report.errors == ()
    return [(item.verdict, item.reason) for item in report.results]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in ("Multi", "Names")]
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    (tmp_path / "given.json").write_text('["Multi=true"]')
    return tmp_path / "in"


@pytest.mark.parametrize("nested", [False, True])
def test_a_value_that_the_stack_keeps_is_not_known(folder: Path, nested: bool) -> None:
    (folder / "trail.yaml").write_text(TRAIL)
    if nested:
        (folder / "parent.yaml").write_text(PARENT)
    assert judged(folder) == [("conditional", None)]
    assert judged(folder, "--parameters", "kept.json") == [("unknown", REASON)]


def test_what_comes_later_counts(folder: Path) -> None:
    (folder / "trail.yaml").write_text(TRAIL)
    kept, given = ("--parameters", "kept.json"), ("--parameters", "given.json")
    assert judged(folder, *kept, *given) == [("pass", None)]
    assert judged(folder, *given, *kept) == [("unknown", REASON)]
    assert judged(folder, *kept, "--parameter", "Multi=false") == [("fail", None)]


def test_a_context_may_keep_a_value(folder: Path) -> None:
    (folder / "trail.yaml").write_text(TRAIL)
    (folder.parent / ".trailguard.yaml").write_text(
        "parameters: {Multi: 'true'}\ncontexts: [{name: prod, templates: in, parameters: kept.json}]\n"
    )
    assert judged(folder) == [("unknown", REASON)]
    assert judged(folder, "--parameter", "Multi=true") == [("pass", None)]


def test_a_loop_over_a_value_that_the_stack_keeps_is_judged_for_any_item(folder: Path) -> None:
    (folder / "trail.yaml").write_text(LOOP)
    assert [verdict for verdict, _ in judged(folder, "--parameters", "kept.json")] == ["fail"]


# --- what the parameter store gave --------------------------------------------------------------------------------

STORED = TRAIL.replace(
    '{Type: String, Default: "true", AllowedValues: ["true", "false"]}',
    "{Type: 'AWS::SSM::Parameter::Value<String>', Default: /trail/multi, AllowedValues: [/trail/multi]}",
)
LISTED = """\
Parameters: {Buckets: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /buckets}}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: logs-of-mine, IsMultiRegionTrail: !Select [1, !Ref Buckets]}
"""


def described(path: Path, key: str, value: str, resolved: str | None) -> None:
    """The parameters of a stack, as `aws cloudformation describe-stacks` prints them."""
    found = {"ParameterKey": key, "ParameterValue": value}
    path.write_text(json.dumps([found if resolved is None else {**found, "ResolvedValue": resolved}]))


@pytest.mark.parametrize(("resolved", "verdict"), [("true", "pass"), ("false", "fail"), (None, "unknown")])
def test_a_value_that_was_looked_up_is_known(folder: Path, resolved: str | None, verdict: str) -> None:
    (folder / "trail.yaml").write_text(STORED)
    assert [found for found, _ in judged(folder)] == ["unknown"]
    described(folder.parent / "described.json", "Multi", "/trail/multi", resolved)
    assert [found for found, _ in judged(folder, "--parameters", "described.json")] == [verdict]


@pytest.mark.parametrize(("resolved", "verdict"), [("x,true", "pass"), ("x,false", "fail")])
def test_a_list_that_was_looked_up_is_known(folder: Path, resolved: str, verdict: str) -> None:
    (folder / "trail.yaml").write_text(LISTED)
    described(folder.parent / "described.json", "Buckets", "/buckets", resolved)
    assert [found for found, _ in judged(folder, "--parameters", "described.json")] == [verdict]


def test_a_report_shows_what_was_looked_up(folder: Path) -> None:
    (folder / "trail.yaml").write_text(STORED)
    described(folder.parent / "described.json", "Multi", "/trail/multi", "false")
    report = scan([str(folder)], settings_of(parse("scan", ["--parameters", "described.json"]), quiet=True))
    assert dict(report.how)["parameters"] == "Multi = false"
    assert RESOLVED not in repr(report)


def test_a_loop_over_a_value_that_was_looked_up_names_no_resource_oddly(folder: Path) -> None:
    (folder / "trail.yaml").write_text(LOOP)
    described(folder.parent / "described.json", "Names", "Main", "Main")
    report = scan([str(folder)], settings_of(parse("scan", ["--parameters", "described.json"]), quiet=True))
    assert {item.resource for item in report.results} == {"TrailMain"}
