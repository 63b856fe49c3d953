"""Templates of a trail and its bucket, for the tests of what repairs them."""

from __future__ import annotations

from textwrap import dedent, indent

CHECK = """
- Effect: Allow
  Principal:
    Service: cloudtrail.amazonaws.com
  Action: s3:GetBucketAcl
  Resource: !GetAtt Bucket.Arn
  Condition:
    StringEquals:
      aws:SourceAccount: !Ref AWS::AccountId
"""
WRITE = """
- Effect: Allow
  Principal:
    Service: cloudtrail.amazonaws.com
  Action: s3:PutObject
  Resource: !Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*
  Condition:
    StringEquals:
      s3:x-amz-acl: bucket-owner-full-control
      aws:SourceAccount: !Ref AWS::AccountId
"""
TRAIL = """
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties:
      S3BucketName: !Ref Bucket
      IsLogging: true
      IsMultiRegionTrail: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
"""


def statements(*parts: str) -> str:
    """A template whose bucket policy has some statements."""
    head = """
    Resources:
      Bucket:
        Type: AWS::S3::Bucket
      Policy:
        Type: AWS::S3::BucketPolicy
        Properties:
          Bucket: !Ref Bucket
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
    """
    below = "\n".join(indent(dedent(part).strip("\n"), " " * 10) for part in parts)
    return dedent(head).strip("\n") + "\n" + below + TRAIL


def named(template: str, name: str) -> str:
    """The same template, whose trail has a name."""
    return template.replace("      S3BucketName:", f"      TrailName: {name}\n      S3BucketName:", 1)


def prefixed(template: str, prefix: str) -> str:
    """The same template, whose trail has a prefix."""
    return template + f"      S3KeyPrefix: {prefix}\n"
