"""Whom an alarm on changes of a trail tells, and when one is offered."""

from __future__ import annotations

from pathlib import Path

from tests.fixes.repairing import fixed, lines

TEMPLATE = """
Resources:
  Group:
    Type: AWS::Logs::LogGroup
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: example-audit-logs
      IsLogging: true
      CloudWatchLogsLogGroupArn: !GetAtt Group.Arn
      CloudWatchLogsRoleArn: arn:aws:iam::111122223333:role/to-logs
"""
TOPIC = "  News:\n    Type: AWS::SNS::Topic\n"
ALARM = """
  Costs:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmActions: [arn:aws:sns:eu-west-1:111122223333:pager]
      ComparisonOperator: GreaterThanThreshold
      EvaluationPeriods: 1
      MetricName: EstimatedCharges
      Namespace: AWS/Billing
      Period: 300
      Statistic: Maximum
      Threshold: 100
"""


def test_the_one_topic_is_told(tmp_path: Path) -> None:
    added = lines("TG403", tmp_path, TEMPLATE + TOPIC, unsafe=True)
    assert "+ - !Ref News" in added
    assert "+ LogGroupName: !Ref Group" in added
    assert (
        "a metric and an alarm are charged"
        in fixed("TG403", tmp_path, {"template.yaml": TEMPLATE + TOPIC}, unsafe=True).unsafe
    )


def test_those_whom_another_alarm_tells_are_told(tmp_path: Path) -> None:
    added = lines("TG403", tmp_path, TEMPLATE + TOPIC + ALARM, unsafe=True)
    assert any("arn:aws:sns:eu-west-1:111122223333:pager" in line for line in added)


def test_without_anybody_to_tell_it_is_for_people(tmp_path: Path) -> None:
    several = TEMPLATE + TOPIC + TOPIC.replace("News", "Others")
    for text in (TEMPLATE, several):
        assert not fixed("TG403", tmp_path, {"template.yaml": text}, unsafe=True).texts
