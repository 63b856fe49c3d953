"""How what CloudFormation refuses is taken out of a template."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixes.repairing import fixed, lines

TRAIL = """
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: example-audit-logs
      IsLogging: true
"""


def test_what_is_null_is_left_out_wherever_it_stands(tmp_path: Path) -> None:
    text = f"""
Parameters:
  Team:
    Type: String
    Default:
Conditions:
  Here: !Equals [!Ref AWS::Region, eu-west-1]
Resources:{TRAIL}
      S3KeyPrefix: ~
      SnsTopicName: !If [Here, news, null]
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName:
"""
    found = lines("TG212", tmp_path, text)
    assert {"- Default:", "- S3KeyPrefix: ~", "- BucketName:"} <= set(found)
    assert "+ SnsTopicName: !If [Here, news, !Ref AWS::NoValue]" in found


DEPENDENCIES = [
    ("!Ref Bucket", ["DependsOn: Bucket"]),
    ("!GetAtt Bucket.Arn", ["DependsOn: Bucket"]),
    ("Buckett", ["DependsOn: Bucket"]),
    ("[Bucket, !Ref Other]", ["DependsOn: [Bucket, Other]"]),
    ("!If [Here, Bucket, Other]", ["DependsOn:", "- Bucket", "- Other"]),
    ("Nobody", []),
    ("[Bucket, Nobody]", ["DependsOn: [Bucket]"]),
]


@pytest.mark.parametrize(("said", "wanted"), DEPENDENCIES)
def test_depends_on_names_resources_as_text(tmp_path: Path, said: str, wanted: list[str]) -> None:
    trail = TRAIL.replace("::Trail\n", f"::Trail\n    DependsOn: {said}\n")
    text = f"""
Conditions:
  Here: !Equals [!Ref AWS::Region, eu-west-1]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
  Other:
    Type: AWS::S3::Bucket
{trail}
"""
    found = lines("TG212", tmp_path, text)
    added = [line[2:].replace("'", "") for line in found if line.startswith("+")]
    assert added in (wanted, ["DependsOn: [Bucket, Other]"] if "If" in said else wanted)


CIRCLE = """
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    DependsOn: {waiting}
    Properties:
      RetentionInDays: 400
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: example-audit-logs
      IsLogging: true
      CloudWatchLogsLogGroupArn: !GetAtt Group.Arn
      CloudWatchLogsRoleArn: arn:aws:iam::111122223333:role/to-logs
  Bucket:
    Type: AWS::S3::Bucket
"""


def test_a_dependency_that_closes_a_circle_goes(tmp_path: Path) -> None:
    assert lines("TG212", tmp_path, CIRCLE.format(waiting="Trail")) == ["- DependsOn: Trail"]
    found = lines("TG212", tmp_path, CIRCLE.format(waiting="[Bucket, Trail]"))
    assert found == ["- DependsOn: [Bucket, Trail]", "+ DependsOn: [Bucket]"]


KEY = """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {{AWS: !Sub "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:root"}}
            Action: kms:*
            Resource: {resource}
          - Effect: Allow
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: [kms:GenerateDataKey*, kms:DescribeKey]
            Resource: '*'
            Condition:
              StringEquals:
                aws:SourceArn: {source}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      TrailName: audit
      S3BucketName: example-audit-logs
      IsLogging: true
      KMSKeyId: !GetAtt Key.Arn
"""
ARN = "!Sub arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit"


def test_a_key_speaks_of_itself_by_a_star_and_of_the_trail_by_its_name(tmp_path: Path) -> None:
    itself = KEY.format(resource="!GetAtt Key.Arn", source=ARN)
    assert lines("TG212", tmp_path, itself) == ["- Resource: !GetAtt Key.Arn", "+ Resource: '*'"]
    circle = KEY.format(resource="'*'", source="!GetAtt Trail.Arn")
    assert lines("TG212", tmp_path, circle) == ["- aws:SourceArn: !GetAtt Trail.Arn", f"+ aws:SourceArn: {ARN}"]
    nameless = circle.replace("      TrailName: audit\n", "")
    assert fixed("TG212", tmp_path, {"template.yaml": nameless}, unsafe=True).left
