"""What is said of a place: the meaning of statements, the facts that rest on it, what a suppression would be."""

from __future__ import annotations

import pytest

from trailguard import Settings
from trailguard.cloudformation.source.reading import parse
from trailguard.servers.hovering import of_document

TEMPLATE = """\
Parameters:
  Reader: {Type: String, Default: arn:aws:iam::111122223333:role/reader}
Resources:
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: Write
            Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:PutObject
            Resource: !Sub "arn:aws:s3:::logs/*"
            Condition: {StringEquals: {"s3:x-amz-acl": bucket-owner-full-control}}
          - {Effect: Deny, NotPrincipal: {AWS: !Ref Reader}, NotAction: "s3:GetObject", Resource: "*"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: "*", Action: "sts:AssumeRole"}
      Policies:
        - PolicyName: logs
          PolicyDocument:
            Statement: {Effect: Allow, Action: ["logs:PutLogEvents", "logs:CreateLogStream"], Resource: "*"}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: false
      S3BucketName: logs
"""
ALLOWED = "allows s3:PutObject to CloudTrail on arn:aws:s3:::logs/\\* if StringEquals {}".format(
    "s3:x-amz-acl is bucket-owner-full-control"
)
DENIED = "denies all but s3:GetObject to all but ${Reader} on \\*"


def said(word: str, count: int = 0) -> list[str]:
    """What is said where a word stands."""
    place = -1
    for _ in range(count + 1):
        place = TEMPLATE.index(word, place + 1)
    line = TEMPLATE.count("\n", 0, place) + 1
    column = place - TEMPLATE.rfind("\n", 0, place)
    texts, _ = of_document(parse(TEMPLATE.encode()), "trail.yaml", Settings(), line, column)
    return texts


@pytest.mark.parametrize(
    ("word", "count", "meanings"),
    [
        ("s3:PutObject", 0, [f"`Policy` {ALLOWED}"]),
        ("Sid", 0, [f"`Policy` {ALLOWED}"]),
        ("s3:GetObject", 0, [f"`Policy` {DENIED}"]),
        ("Statement", 0, [f"`Policy` {ALLOWED}", f"`Policy` {DENIED}"]),
        ("sts:AssumeRole", 0, ["`Role` allows sts:AssumeRole to everybody"]),
        ("logs:PutLogEvents", 0, ["`Role` allows logs:PutLogEvents, logs:CreateLogStream on \\*"]),
        ("Version", 0, []),
        ("Parameters", 0, []),
        ("Reader", 0, []),
    ],
)
def test_what_a_statement_means(word: str, count: int, meanings: list[str]) -> None:
    assert [text for text in said(word, count) if not text.startswith("| fact |")] == meanings


def test_facts_of_a_resource_and_of_a_line() -> None:
    (whole,) = said("Trail:")
    assert "| `properties.IsLogging` | `false` |" in whole
    assert "more" in whole
    (line,) = said("false")
    assert "`properties.IsLogging`" in line
    assert "S3BucketName" not in line


def test_every_place_is_survived() -> None:
    document = parse(TEMPLATE.encode())
    for line, text in enumerate(TEMPLATE.splitlines(), 1):
        for column in (1, len(text) // 2 + 1, len(text) + 1):
            of_document(document, "trail.yaml", Settings(), line, column)
