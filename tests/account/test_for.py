"""`--for PATH` reads what templates name or import, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.account.aws import ACCOUNT, REGION, STACK, TOPIC, TRAIL
from tests.account.front import Front
from tests.account.taking import resources, taken

pytestmark = pytest.mark.aws

TEMPLATE = """\
Parameters:
  Key: {Type: String, Default: alias/audit}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      S3BucketName: !ImportValue stack-bucket-name
      KMSKeyId: !Ref Key
      CloudWatchLogsLogGroupArn: !Sub "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:/audit/trail:*"
"""


def names(folder: Path) -> set[str]:
    """Types and ARNs in short."""
    return {f"{kind.rpartition(':')[2]} {arn.rpartition(':')[2]}" for kind, arn in resources(folder)}


def test_what_is_named_and_imported(front: Front, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    record = taken(tmp_path / "it", "--for", str(tmp_path / "t.yaml"))
    (key,) = (name for name in names(tmp_path / "it") if name.startswith("Key "))
    assert names(tmp_path / "it") - {key} == {
        "Bucket made-by-stack",  # imported
        "Alias alias/audit",
        "LogGroup /audit/trail",
        "MetricFilter metric-filter/changes",
        "Alarm trail changes",
    }
    assert record["asked"]["for"] == [str(tmp_path / "t.yaml")]
    assert {(each["region"], each["type"]) for each in record["unread"]} >= {
        (REGION, "AWS::S3::Bucket"),
        ("global", "AWS::IAM::Role"),
    }
    assert "s3:GetBucketPolicy" in {call.name for call in front.calls}
    assert not [call for call in front.calls if call.says("plain") and call.name != "s3:GetBucketLocation"]


def test_the_stack_says_what_its_parameters_are(front: Front, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(STACK, encoding="utf-8")
    taken(tmp_path / "it", "--for", str(tmp_path))
    assert names(tmp_path / "it") == {"Bucket made-by-stack"}
    assert (tmp_path / "it" / ACCOUNT / REGION / "stacks" / "audit.json").exists()


def test_what_is_named_brings_what_it_names(front: Front, tmp_path: Path) -> None:
    text = (
        "Resources: {T: {Type: AWS::CloudTrail::Trail, Properties: {TrailName: org-audit, S3BucketName: over-there}}}"
    )
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    taken(tmp_path / "it", "--for", str(tmp_path))
    found = resources(tmp_path / "it")
    assert ("AWS::CloudTrail::Trail", TRAIL) in found
    assert ("AWS::SNS::Topic", TOPIC) in found
    assert ("AWS::S3::Bucket", "arn:aws:s3:::over-there") in found  # in another Region
    assert ("AWS::S3::Bucket", "arn:aws:s3:::access-logs") in found  # the bucket's own log
    assert ("AWS::S3::Bucket", "arn:aws:s3:::plain") not in found
