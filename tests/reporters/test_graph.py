"""The graph of the delivery chains: its parts, its connections with their verdicts, and what it is written in."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from trailguard.commands.cli import main

SCHEMA = json.loads(files("trailguard").joinpath("schemas/graph.schema.json").read_text(encoding="utf-8"))

POLICY = """
  LogBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref LogBucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: s3:GetBucketAcl, Resource: "*"}
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: s3:PutObject, Resource: "*"}
"""
LOGS = f"""
Parameters:
  Open: {{Type: String, Default: "yes", AllowedValues: ["yes", "no"]}}
Conditions:
  IsOpen: !Equals [!Ref Open, "yes"]
Resources:
  LogBucket:
    Type: AWS::S3::Bucket
{POLICY}
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: false
      KeyPolicy: {{Version: "2012-10-17", Statement: []}}
Outputs:
  Bucket: {{Value: !Ref LogBucket, Export: {{Name: audit-bucket}}}}
  Key: {{Value: !GetAtt Key.Arn, Export: {{Name: audit-key}}}}
"""
TRAIL = """
Parameters:
  Send: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
Conditions:
  Sends: !Equals [!Ref Send, "yes"]
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      S3BucketName: !ImportValue audit-bucket
      KMSKeyId: !ImportValue audit-key
      SnsTopicName: some-topic
      CloudWatchLogsLogGroupArn: !If [Sends, !GetAtt Group.Arn, !Ref AWS::NoValue]
      CloudWatchLogsRoleArn: !If [Sends, !GetAtt Role.Arn, !Ref AWS::NoValue]
  Group:
    Type: AWS::Logs::LogGroup
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs.yaml").write_text(LOGS)
    (tmp_path / "trail.yaml").write_text(TRAIL)
    return tmp_path


def graph(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["graph", *arguments]) == 0
    return capsys.readouterr().out


def drawn(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found = json.loads(graph(capsys, "--format", "json", *arguments))
    jsonschema.validate(found, SCHEMA)
    assert isinstance(found, dict)
    return found


def test_parts_and_connections(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chain,) = drawn(capsys, "--profile", "all")["chains"]
    assert [(part["kind"], part["name"], part["file"], part["verdict"]) for part in chain["parts"] if part["file"]] == [
        ("trail", "Trail", "trail.yaml", "fail"),
        ("bucket", "LogBucket", "logs.yaml", "fail"),
        ("key", "Key", "logs.yaml", "fail"),
        ("log_group", "Group", "trail.yaml", "fail"),
        ("role", "Role", "trail.yaml", "not_applicable"),
        ("policy", "LogBucketPolicy", "logs.yaml", "not_applicable"),
    ]
    names = [part["name"] if part["file"] else part["kind"] for part in chain["parts"]]
    told = [
        (names[item["from"]], names[item["to"]], item["kind"], item["always"], item["verdict"])
        for item in chain["connections"]
    ]
    assert told == [
        ("Trail", "LogBucket", "bucket", True, "fail"),
        ("Trail", "Key", "key", True, "fail"),
        ("Trail", "Group", "log_group", False, "fail"),
        ("Trail", "topic", "topic", True, "unknown"),
        ("Group", "Role", "role", False, "fail"),
        ("LogBucket", "LogBucketPolicy", "policy", True, "fail"),
        ("Trail", "LogBucketPolicy", "order", True, "pass"),
    ]


def test_a_connection_says_which_rule_breaks_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chain,) = drawn(capsys)["chains"]
    (broken,) = [item for item in chain["connections"] if item["kind"] == "policy"]
    rulings = {item["rule"]: item["verdict"] for item in broken["rules"]}
    assert rulings == {rule: "fail" if rule == "TG105" else "pass" for rule in rulings}
    assert {"TG105", "TG201", "TG202", "TG203", "TG204", "TG206"} == set(rulings)


def test_a_nested_trail_says_where_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    body = "Resources: {Trail: {Type: AWS::CloudTrail::Trail, Properties: {IsLogging: true, S3BucketName: logs-1}}}"
    (tmp_path / "child.yaml").write_text(body)
    nested = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}"
    (tmp_path / "parent.yaml").write_text(f"Resources: {{A: {nested}, B: {nested}}}")
    assert [chain["contexts"] for chain in drawn(capsys)["chains"]] == [["A of parent.yaml"], ["B of parent.yaml"]]
    assert graph(capsys).count("in A of parent.yaml") == 1


HOSTILE = 'x"]\n  click n0 call alert()\x1b[31m<script>%%{init}%%;#quot'


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_names_do_not_become_markup(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    trail = {"Type": "AWS::CloudTrail::Trail", "Properties": {"IsLogging": True, "S3BucketName": "b"}}
    (tmp_path / 'odd";name.json').write_text(json.dumps({"Resources": {HOSTILE: trail}}))
    lines = graph(capsys, "--format", form).splitlines()
    assert not any("\x1b" in line or 'alert()"' in line for line in lines)
    for line in lines:
        quotes = re.sub(r"\\.", "", line).count('"')
        assert quotes % 2 == 0, line
        assert "<script>" not in line or form == "dot"
    assert not any(line.strip().startswith("click") for line in lines)


def test_dot_and_mermaid_name_every_part_and_connection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chain,) = drawn(capsys)["chains"]
    mermaid, dot = graph(capsys), graph(capsys, "--format", "dot")
    for part in chain["parts"]:
        assert part["file"] is None or (part["name"] in mermaid and part["name"] in dot)
    assert len(re.findall(r"^  n\d+ -[.-]+>", mermaid, re.MULTILINE)) == len(chain["connections"])
    assert len(re.findall(r"^  n\d+ -> n\d+ \[", dot, re.MULTILINE)) == len(chain["connections"])
    assert mermaid.count("linkStyle") == len(chain["connections"])


def test_nothing_to_draw_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["graph", "--format", "json"]) == 0
    told = capsys.readouterr()
    assert (json.loads(told.out)["chains"], told.err) == ([], "no trail in .\n")


def test_what_cannot_be_read_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.yaml").write_text("Resources: {A: {Type: AWS::CloudTrail::Trail")
    assert main(["graph"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: broken.yaml:1:")
    assert "LogBucketPolicy" in told.out
