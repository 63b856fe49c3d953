"""Folders of templates to measure on: made up, the same each time, for a checkout without any."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TRAIL = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Trail {number} of the benchmark
Parameters:
  MultiRegion: {{Type: String, AllowedValues: ["true", "false"], Default: "{default}"}}
  Prefix: {{Type: String, Default: {prefix}}}
Conditions:
  HasPrefix: !Not [!Equals [!Ref Prefix, ""]]
Resources:
  LogBucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      VersioningConfiguration: {{Status: Enabled}}
  LogBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref LogBucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: AclCheck
            Effect: Allow
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: s3:GetBucketAcl
            Resource: !GetAtt LogBucket.Arn
          - Sid: Write
            Effect: Allow
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: s3:PutObject
            Resource: !If
              - HasPrefix
              - !Sub "${{LogBucket.Arn}}/${{Prefix}}/AWSLogs/${{AWS::AccountId}}/*"
              - !Sub "${{LogBucket.Arn}}/AWSLogs/${{AWS::AccountId}}/*"
            Condition:
              StringEquals: {{s3:x-amz-acl: bucket-owner-full-control}}
              ArnLike: {{aws:SourceArn: !Sub "arn:${{AWS::Partition}}:cloudtrail:*:${{AWS::AccountId}}:trail/*"}}
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: {depends}
    Properties:
      IsLogging: true
      IsMultiRegionTrail: !Ref MultiRegion
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: {validation}
      S3BucketName: !Ref LogBucket
      S3KeyPrefix: !If [HasPrefix, !Ref Prefix, !Ref AWS::NoValue]
"""

ORDINARY = """\
  Queue{n}:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${{AWS::StackName}}-queue-{n}"
      VisibilityTimeout: {seconds}
      RedrivePolicy:
        deadLetterTargetArn: !ImportValue dead-letters
        maxReceiveCount: 5
  Function{n}:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.13
      Role: !Sub "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/worker"
      Timeout: {seconds}
      Environment:
        Variables: {{QUEUE: !Ref Queue{n}, STAGE: !Ref Stage}}
      Code:
        ZipFile: |
          def handler(event, context):
              return {{"seen": len(event["Records"])}}
"""
HEADER = 'AWSTemplateFormatVersion: "2010-09-09"\nParameters:\n  Stage: {Type: String}\nResources:\n'


def trails(folder: Path, count: int = 60) -> Path:
    """Write a folder of trail templates, some of them wanting."""
    chance = random.Random(count)
    for number in range(count):
        text = TRAIL.format(
            number=number,
            default=chance.choice(["true", "false"]),
            prefix=chance.choice(['""', "audit"]),
            depends=chance.choice(["LogBucketPolicy", "LogBucket"]),
            validation=chance.choice(["true", "false"]),
        )
        _write(folder / f"team-{number % 8}" / f"trail-{number}.yaml", text)
    return folder


def ordinary(folder: Path, count: int = 2000, with_trail: int = 20) -> Path:
    """Write a folder of many templates, few of them with a trail; one in four is JSON."""
    chance = random.Random(count)
    trails(folder / "audit", with_trail)
    for number in range(count - with_trail):
        place = folder / f"service-{number % 40}"
        resources = 1 + int(chance.expovariate(1 / 8))
        if number % 4:
            parts = (ORDINARY.format(n=n, seconds=chance.randrange(30, 900)) for n in range(resources))
            _write(place / f"stack-{number}.yaml", HEADER + "".join(parts))
        else:
            tables = {f"Table{n}": _table(chance) for n in range(resources)}
            _write(place / f"stack-{number}.json", json.dumps({"Resources": tables}, indent=2))
    return folder


CROWD = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: {{Type: String, AllowedValues: [dev, test, prod]}}
{parameters}\
Rules:
{rules}\
Resources:
  Server:
    Type: AWS::EC2::Instance
    Properties:
      InstanceType: !Ref List0
      SubnetId: !ImportValue {{"Fn::Sub": "${{Stage}}-network-{other}-subnet"}}
  Role:
    Type: AWS::IAM::Role
    Properties: {{AssumeRolePolicyDocument: !ImportValue service-{other}-document}}
Outputs:
  Subnet:
    Value: !Ref Server
    Export: {{Name: !Sub "${{Stage}}-network-{number}-subnet"}}
  Document:
    Value: !Ref Role
    Export: {{Name: {exported}}}
"""


def crowd(folder: Path, source: Path, count: int = 7000) -> Path:
    """Three copies of a folder under other names, and templates with `Rules` over lists, exports and imports."""
    chance = random.Random(count)
    size = 0
    for team in ("north", "south", "west"):
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            place = folder / team / path.relative_to(source)
            place = place.with_name(f"{team}-{place.name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            size += 1
    for number in range(count - size):
        lists = range(2 + number % 5)
        names = [f"t{size}.{chance.randrange(1000)}" for size in range(20)]
        text = CROWD.format(
            number=number,
            other=chance.randrange(count),
            parameters="".join(f"  List{n}: {{Type: String, AllowedValues: {json.dumps(names)}}}\n" for n in lists),
            rules="".join(_rule(n, names) for n in lists),
            exported=chance.choice([f"service-{number}-document", '!Sub "${Stage}-document"', "!Ref Stage"]),
        )
        _write(folder / f"service-{number % 50}" / f"stack-{number}.yaml", text)
    return folder


def _rule(number: int, names: list[str]) -> str:
    """A rule of a template: what one of its parameters may be."""
    test = f"!Contains [{json.dumps(names[:15])}, !Ref List{number}]"
    return f"  Rule{number}:\n    Assertions:\n      - {{Assert: {test}, AssertDescription: not here}}\n"


def copies(source: Path, folder: Path, count: int) -> Path:
    """`count` copies of a folder, side by side."""
    for number in range(count):
        shutil.copytree(source, folder / f"copy-{number}")
    return folder


def _table(chance: random.Random) -> dict[str, object]:
    key = {"AttributeName": "Id", "KeyType": "HASH"}
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
            "KeySchema": [key],
            "ProvisionedThroughput": {"ReadCapacityUnits": chance.randrange(1, 9), "WriteCapacityUnits": 1},
        },
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
