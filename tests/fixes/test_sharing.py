"""Text that makes several things: a safe fix changes none of which no finding is at fault."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from trailguard.fixes.edits import applied
from trailguard.fixes.repairing import Repaired, repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import key_of
from trailguard.settings.settings import Settings

LOOP = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Buckets:
  - Name
  - [Logs, Web]
  - Bucket${Name}:
      Type: AWS::S3::Bucket
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: !Ref BucketLogs}
"""
ANCHOR = """\
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration: &open {BlockPublicAcls: false}
  Web:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration: *open
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: !Ref Logs}
"""
MERGED = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: &trail {IsLogging: true, S3BucketName: audit-logs}
  Copy:
    Type: Custom::Copy
    Properties:
      <<: *trail
      ServiceToken: arn:aws:lambda:eu-west-1:111122223333:function:copy
"""
STATEMENTS = """\
Resources:
  Logs: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
        - Effect: Allow
          Principal: {Service: config.amazonaws.com}
          Action: s3:PutObject
          Resource: !Sub ${Logs.Arn}/config/*
          Condition: &full {StringEquals: {'s3:x-amz-acl': bucket-owner-full-control}}
        - Effect: Allow
          Principal: {Service: cloudtrail.amazonaws.com}
          Action: s3:PutObject
          Resource: !Sub ${Logs.Arn}/AWSLogs/${AWS::AccountId}/*
          Condition: *full
        - Effect: Allow
          Principal: {Service: cloudtrail.amazonaws.com}
          Action: s3:GetBucketAcl
          Resource: !GetAtt Logs.Arn
          Condition: {StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties: {IsLogging: true, S3BucketName: !Ref Logs}
"""
PARENT = """\
Resources:
  Logs: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./bucket.yaml}}
  Web: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./bucket.yaml}}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: !GetAtt Logs.Outputs.Name}
"""
CHILD = """\
Resources:
  Bucket: {Type: AWS::S3::Bucket}
Outputs:
  Name: {Value: !Ref Bucket}
"""
LOOP_OF_TRAILS = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Trails:
  - Name
  - [A, B]
  - Trail${Name}:
      Type: AWS::CloudTrail::Trail
      %sProperties: {IsLogging: true, S3BucketName: audit-logs}
"""


def fixed(folder: Path, rule: str, files: dict[str, str], resources: tuple[str, ...] = ()) -> Repaired:
    """What comes of fixing what a rule finds, as far as that is safe, or only what it finds about some resources."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    look = look_at([str(folder)], Settings(profile="all"))
    before = look.outcome()
    wanted = [key_of(one) for one in before.report.results if one.is_open and one.rule.id == rule]
    return repaired(look, before, [key for key in wanted if not resources or key.resource in resources])


@pytest.mark.parametrize(
    ("rule", "files", "reason"),
    [
        ("TG302", {"loop": LOOP}, "the same text makes BucketLogs and BucketWeb"),
        ("TG307", {"loop": LOOP}, "the same text makes BucketLogs and BucketWeb"),
        ("TG301", {"anchor": ANCHOR}, "the same text makes Logs and Web"),
        ("TG103", {"merged": MERGED}, "the same text makes Trail and Copy"),
        ("TG302", {"parent": PARENT, "bucket": CHILD}, "the same text makes Logs/Bucket and Web/Bucket"),
        ("TG201", {"parent": PARENT, "bucket": CHILD}, "the same text makes Logs and Web"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("TG") else None,
)
def test_what_makes_others_too_is_for_a_person_to_look_at(
    tmp_path: Path, rule: str, files: dict[str, str], reason: str
) -> None:
    result = fixed(tmp_path, rule, files)
    assert not result.edits
    assert result.left
    assert all(f"({reason})" in left for left in result.left.values())


def test_what_all_are_at_fault_of_is_fixed_for_all(tmp_path: Path) -> None:
    result = fixed(tmp_path, "TG103", {"loop": LOOP_OF_TRAILS % ""})
    assert not result.left
    assert [plan.unsafe for plan in result.plans] == ["", ""]


def test_what_somebody_accepted_of_one_iteration_is_left(tmp_path: Path) -> None:
    """Only one of the two is to be fixed."""
    result = fixed(tmp_path, "TG103", {"loop": LOOP_OF_TRAILS % ""}, resources=("TrailA",))
    assert not result.edits
    assert "the same text makes TrailA and TrailB" in "".join(result.left.values())


def test_a_template_that_makes_one_stack_is_used_once(tmp_path: Path) -> None:
    parent = PARENT.replace("  Web: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./bucket.yaml}}\n", "")
    result = fixed(tmp_path, "TG302", {"parent": parent, "bucket": CHILD})
    assert not result.left
    assert [plan.unsafe for plan in result.plans] == [""]


def test_an_alias_is_written_out_where_its_text_is_somebody_else_s(tmp_path: Path) -> None:
    """The settings of the bucket that is no log bucket stay, and those of the log bucket become its own."""
    turned = ANCHOR.replace("Ref Logs", "Ref Web")
    result = fixed(tmp_path, "TG301", {"anchor": turned})
    (edits,) = result.edits.values()
    assert applied(turned, edits) == turned.replace("*open", "{BlockPublicAcls: true}")
    assert [plan.unsafe for plan in result.plans] == [""]


def test_a_statement_of_another_service_keeps_the_condition_that_it_shares(tmp_path: Path) -> None:
    result = fixed(tmp_path, "TG205", {"policy": STATEMENTS})
    (edits,) = result.edits.values()
    start = STATEMENTS.index("*full")
    assert [(edit.start >= start, edit.end <= start + len("*full")) for edit in edits] == [(True, True)]
    assert [plan.unsafe for plan in result.plans] == [""]
