"""How the partition of an ARN comes to be filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixes.repairing import lines

TEMPLATE = """
Conditions:
  Strict: !Equals [!Ref AWS::StackName, strict]
  InChina: !Equals [!Ref AWS::Partition, aws-cn]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{{Effect: Allow, Principal: {{Service: cloudtrail.amazonaws.com}}, Action: sts:AssumeRole}}]
      Policies:
        - PolicyName: logs
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: [logs:CreateLogStream, logs:PutLogEvents]
                Resource: {resource}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: example-audit-logs
      IsLogging: true
      CloudWatchLogsLogGroupArn: !ImportValue audit-log-group
      CloudWatchLogsRoleArn: !GetAtt Role.Arn
"""

WRITTEN = [
    ("arn:aws:logs:*:*:*", "!Sub 'arn:${AWS::Partition}:logs:*:*:*'"),
    ("!Sub 'arn:aws:logs:${AWS::Region}:*:*'", "!Sub 'arn:${AWS::Partition}:logs:${AWS::Region}:*:*'"),
    ("!Join [':', [arn, aws, logs, '*', '*', '*']]", "!Join [':', [arn, !Ref AWS::Partition, logs, '*', '*', '*']]"),
    ("!Join ['', ['arn:aws:logs:', '*:*:*']]", "!Join ['', [!Sub 'arn:${AWS::Partition}:logs:', '*:*:*']]"),
    ("!Sub ['arn:${P}:logs:*:*:*', {P: aws}]", "!Sub ['arn:${P}:logs:*:*:*', {P: !Ref AWS::Partition}]"),
    (
        "!If [Strict, 'arn:aws:logs:*:*:*', 'arn:aws-us-gov:logs:*:*:*']",
        "!If [Strict, !Sub 'arn:${AWS::Partition}:logs:*:*:*', !Sub 'arn:${AWS::Partition}:logs:*:*:*']",
    ),
    (
        "'arn:aws:logs:*:*:log-group:${aws:username}'",
        "!Sub 'arn:${AWS::Partition}:logs:*:*:log-group:${!aws:username}'",
    ),
]


@pytest.mark.parametrize(("said", "wanted"), WRITTEN)
def test_the_partition_is_filled_in(tmp_path: Path, said: str, wanted: str) -> None:
    found = lines("TG210", tmp_path, TEMPLATE.format(resource=said))
    assert [line.replace("'", "") for line in found] == [
        f"- Resource: {said}".replace("'", ""),
        f"+ Resource: {wanted}".replace("'", ""),
    ]


def test_a_condition_that_tells_the_partition_keeps_its_branches(tmp_path: Path) -> None:
    telling = "!If [InChina, 'arn:aws-cn:logs:*:*:*', 'arn:aws:logs:*:*:*']"
    text = TEMPLATE.format(resource=f"[{telling}, 'arn:aws:logs:*:*:*']")
    (_, added) = lines("TG210", tmp_path, text)
    assert telling in added
