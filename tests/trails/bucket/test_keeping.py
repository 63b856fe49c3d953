"""What is written so that a log bucket keeps its files and is found."""

from __future__ import annotations

from pathlib import Path

from tests.trails.bucket.fixing import UNSAFE, fixed, lines
from tests.trails.bucket.templates import CHECK, WRITE, statements

HEAD = "Type: AWS::S3::Bucket\n"


def with_bucket(properties: str) -> str:
    return statements(CHECK, WRITE).replace(HEAD, f"{HEAD}    Properties:\n{properties}", 1)


def test_versions_are_kept_where_somebody_agrees_to_pay(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG303", with_bucket("      VersioningConfiguration: {Status: Suspended}\n"), unsafe=True)
    assert found == ["- VersioningConfiguration: {Status: Suspended}", "+ VersioningConfiguration: {Status: Enabled}"]


def test_every_rule_that_deletes_too_early_waits_longer(tmp_path: Path) -> None:
    rules = """
      LifecycleConfiguration:
        Rules:
          - {Status: Enabled, ExpirationInDays: 30}
          - {Status: Enabled, ExpirationInDays: 400}
          - {Status: Enabled, Prefix: AWSLogs/, ExpirationInDays: 90}
          - {Status: Enabled, Prefix: reports/, ExpirationInDays: 7}
          - Status: Enabled
            ExpirationDate: "2030-01-01T00:00:00Z"
"""
    path = tmp_path / "template.yaml"
    path.write_text(with_bucket(rules.strip("\n") + "\n"), encoding="utf-8")
    result = fixed([str(path)], "TG305")
    assert result.standing == {"Bucket": UNSAFE}
    after = result.texts["template.yaml"]
    assert after.count("ExpirationInDays: 365") == 3
    assert "ExpirationDate" not in after
    assert "ExpirationInDays: 7" in after


def test_a_wrong_name_of_the_bucket_for_access_logs_is_corrected(tmp_path: Path) -> None:
    for wrong in ("AccessLogs", "!GetAtt AccessLogs.Arn"):
        template = with_bucket(f"      LoggingConfiguration:\n        DestinationBucketName: {wrong}\n")
        found = lines(tmp_path, "TG304", template + "  AccessLogs:\n    Type: AWS::S3::Bucket\n")
        assert found == [f"- DestinationBucketName: {wrong}", "+ DestinationBucketName: !Ref AccessLogs"]


def test_accesses_are_logged_where_others_are(tmp_path: Path) -> None:
    other = "  Other:\n    Type: AWS::S3::Bucket\n    Properties:\n      LoggingConfiguration:\n"
    other += "        DestinationBucketName: !Ref AccessLogs\n  AccessLogs:\n    Type: AWS::S3::Bucket\n"
    found = lines(tmp_path, "TG304", statements(CHECK, WRITE) + other, unsafe=True)
    assert found == ["+ Properties:", "+ LoggingConfiguration:", "+ DestinationBucketName: !Ref AccessLogs"]


def test_a_bucket_for_access_logs_is_made_where_somebody_agrees_to_pay(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG304", statements(CHECK, WRITE), unsafe=True)
    assert "+ DestinationBucketName: !Ref BucketAccessLogs" in found
    assert found.count("+ Type: AWS::S3::Bucket") == found.count("+ Type: AWS::S3::BucketPolicy") == 1
    assert "+ aws:SourceArn: !GetAtt Bucket.Arn" in found


def test_an_output_gives_the_name_under_a_name_that_is_free(tmp_path: Path) -> None:
    taken = "Outputs:\n  BucketName:\n    Value: something\n"
    found = lines(tmp_path, "TG310", statements(CHECK, WRITE) + taken)
    assert found == ["+ BucketName1:", "+ Value: !Ref Bucket"]
    assert lines(tmp_path, "TG310", statements(CHECK, WRITE))[-1] == "+ Value: !Ref Bucket"


def test_a_bucket_outlives_its_stack(tmp_path: Path) -> None:
    template = statements(CHECK, WRITE).replace(HEAD, f"{HEAD}    DeletionPolicy: Retain\n", 1)
    assert lines(tmp_path, "TG307", template) == ["+ UpdateReplacePolicy: Retain"]
