"""What is written where a bucket policy does not let CloudTrail look at the bucket, or write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.trails.bucket.fixing import LEFT, fixed, lines
from tests.trails.bucket.templates import CHECK, TRAIL, WRITE, prefixed, statements

SERVICE = ["+ Principal:", "+ Service: cloudtrail.amazonaws.com"]
OWN = "AWSLogs/${AWS::AccountId}/*"
BOUND = "+ aws:SourceAccount: !Ref AWS::AccountId"


def test_a_statement_more_is_written_as_its_neighbours_are(tmp_path: Path) -> None:
    assert lines(tmp_path, "TG202", statements(WRITE)) == [
        "+ - Effect: Allow",
        *SERVICE,
        "+ Action: s3:GetBucketAcl",
        "+ Resource: !GetAtt Bucket.Arn",
        "+ Condition:",
        "+ StringEquals:",
        BOUND,
    ]
    told = WRITE.replace("- Effect", "- Sid: AWSCloudTrailWrite\n  Effect")
    assert lines(tmp_path, "TG202", statements(told))[:2] == ["+ - Sid: AWSCloudTrailAclCheck", "+ Effect: Allow"]


def test_a_neighbours_way_to_name_the_bucket_is_taken_up(tmp_path: Path) -> None:
    said = CHECK.replace("!GetAtt Bucket.Arn", "!Sub arn:${AWS::Partition}:s3:::${Bucket}")
    found = lines(tmp_path, "TG203", statements(said))
    assert "+ Resource: !Sub arn:${AWS::Partition}:s3:::${Bucket}/AWSLogs/${AWS::AccountId}/*" in found


@pytest.mark.parametrize(
    ("resource", "right"),
    [
        ("!Sub ${Bucket.Arn}/audit/AWSLogs/${AWS::AccountId}/*", "!Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"),
        ("!Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/CloudTrail/*", "!Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"),
    ],
)
def test_a_wrong_path_is_corrected(tmp_path: Path, resource: str, right: str) -> None:
    wrong = WRITE.replace("!Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*", resource)
    assert lines(tmp_path, "TG203", statements(CHECK, wrong)) == [f"- Resource: {resource}", f"+ Resource: {right}"]


def granted(found: list[str]) -> list[str]:
    """The paths in the bucket that are granted in lines that were put in, in whatever style."""
    return [path for line in found if line[0] == "+" for path in re.findall(r"\$\{Bucket\.Arn\}/([^\s\"\]]+)", line)]


def test_what_another_trail_needs_stays(tmp_path: Path) -> None:
    other = TRAIL.replace("  Trail:", "  Other:") + "      S3KeyPrefix: other\n"
    found = lines(tmp_path, "TG203", statements(CHECK, WRITE) + other)
    assert granted(found) == [OWN, f"other/{OWN}"]
    assert not any("Effect" in line for line in found)


def test_a_prefix_is_said_as_the_trail_says_it(tmp_path: Path) -> None:
    head = "Parameters:\n  Prefix: {Type: String, MinLength: 1}\n"
    found = lines(tmp_path, "TG203", head + prefixed(statements(CHECK, WRITE), "!Ref Prefix"))
    assert found[-1] == "+ Resource: !Sub ${Bucket.Arn}/${Prefix}/AWSLogs/${AWS::AccountId}/*"


def test_a_prefix_that_may_be_empty_is_granted_both_ways(tmp_path: Path) -> None:
    head = 'Parameters:\n  Prefix: {Type: String, Default: ""}\n'
    found = lines(tmp_path, "TG203", head + prefixed(statements(CHECK, WRITE), "!Ref Prefix"))
    assert granted(found) == [OWN, f"${{Prefix}}/{OWN}"]


def test_a_prefix_behind_a_condition_is_granted_behind_it(tmp_path: Path) -> None:
    head = """
    Parameters:
      Prefix: {Type: String, Default: ""}
    Conditions:
      HasPrefix: !Not [!Equals [!Ref Prefix, ""]]
    """
    choice = "!If [HasPrefix, !Ref Prefix, !Ref AWS::NoValue]"
    template = head.replace("\n    ", "\n").strip("\n") + "\n" + prefixed(statements(CHECK), choice)
    found = lines(tmp_path, "TG203", template)
    assert found[4:8] == [
        "+ Resource: !If",
        "+ - HasPrefix",
        "+ - !Sub ${Bucket.Arn}/${Prefix}/AWSLogs/${AWS::AccountId}/*",
        "+ - !Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*",
    ]


def test_the_folder_of_an_organization_is_named_by_its_parameter(tmp_path: Path) -> None:
    head = "Parameters:\n  OrganizationId: {Type: String}\n"
    template = head + statements(CHECK, WRITE) + "      IsOrganizationTrail: true\n"
    assert granted(lines(tmp_path, "TG203", template)) == [OWN, "AWSLogs/${OrganizationId}/*"]


def test_an_organization_that_nobody_names_is_any(tmp_path: Path) -> None:
    template = statements(CHECK, WRITE) + "      IsOrganizationTrail: true\n"
    assert granted(lines(tmp_path, "TG203", template)) == [OWN, "AWSLogs/o-*/*"]


def test_a_condition_that_cloudtrail_never_meets_is_corrected(tmp_path: Path) -> None:
    wrong = CHECK.replace("!Ref AWS::AccountId", "nobody")
    assert lines(tmp_path, "TG202", statements(wrong, WRITE)) == [
        "- aws:SourceAccount: nobody",
        "+ aws:SourceAccount: !Ref AWS::AccountId",
    ]


BUCKET = """
Parameters:
  Folder: {Type: String, MinLength: 1}
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
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: !GetAtt Bucket.Arn
Outputs:
  Name:
    Value: !Ref Bucket
"""
PARENT = """
Parameters:
  Prefix: {Type: String, MinLength: 1}
Resources:
  Storage:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: bucket.yaml
      Parameters: {Folder: !Ref Prefix}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      TrailName: audit
      S3BucketName: !GetAtt Storage.Outputs.Name
      S3KeyPrefix: !Ref Prefix
      IsLogging: true
"""


def test_a_policy_in_another_stack_says_it_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "bucket.yaml").write_text(BUCKET.lstrip("\n"), encoding="utf-8")
    (tmp_path / "parent.yaml").write_text(PARENT.lstrip("\n"), encoding="utf-8")
    result = fixed([str(tmp_path)], "TG203", unsafe=False)
    assert LEFT not in result.standing.values(), result.reasons
    assert set(result.texts) == {"bucket.yaml"}
    after = result.texts["bucket.yaml"]
    assert "Resource: !Sub ${Bucket.Arn}/${Folder}/AWSLogs/${AWS::AccountId}/*" in after
    arn = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit"
    assert f"aws:SourceArn: !Sub {arn}" in after


def test_what_is_granted_to_other_trails_stays_theirs(tmp_path: Path) -> None:
    """A bucket of several accounts: their trails keep their statements, and this one gets its own."""
    sources = [f"arn:aws:cloudtrail:eu-west-1:{account}:trail/theirs" for account in ("111122223333", "444455556666")]
    theirs = f"""
- Effect: Allow
  Principal: {{Service: cloudtrail.amazonaws.com}}
  Action: s3:PutObject
  Resource:
    - !Sub ${{Bucket.Arn}}/AWSLogs/111122223333/*
    - !Sub ${{Bucket.Arn}}/AWSLogs/444455556666/*
  Condition:
    StringEquals:
      s3:x-amz-acl: bucket-owner-full-control
      aws:SourceArn: [{", ".join(sources)}]
"""
    found = lines(tmp_path, "TG203", statements(CHECK, theirs))
    assert all(line.startswith("+") for line in found)
    assert "+ Resource: !Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*" in found
