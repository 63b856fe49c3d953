"""The policy that a bucket without one gets."""

from __future__ import annotations

from pathlib import Path

from tests.trails.bucket.fixing import LEFT, SAFE, UNSAFE, fixed, lines
from tests.trails.bucket.templates import CHECK, TRAIL, WRITE, named, statements

BARE = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket" + TRAIL.replace("    DependsOn: Policy\n", "")


def test_a_new_policy_grants_what_the_trail_needs_and_the_trail_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(named(BARE, "audit"), encoding="utf-8")
    result = fixed([str(path)], "TG201", "TG202", "TG203", unsafe=False)
    assert set(result.standing.values()) == {SAFE}
    after = result.texts["template.yaml"]
    assert after.count("BucketPolicy") == 3  # DependsOn, logical ID, type
    assert after.count(":trail/audit") == 2


def test_one_policy_serves_all_trails_of_the_bucket(tmp_path: Path) -> None:
    other = TRAIL.replace("    DependsOn: Policy\n", "").replace("  Trail:", "  Other:") + "      S3KeyPrefix: other\n"
    path = tmp_path / "template.yaml"
    path.write_text(BARE + other, encoding="utf-8")
    result = fixed([str(path)], "TG201", unsafe=False)
    assert result.standing == {"Trail": SAFE, "Other": SAFE}
    after = result.texts["template.yaml"]
    assert after.count("Type: AWS::S3::BucketPolicy") == 1
    assert after.count("- BucketPolicy") == 2
    assert "${Bucket.Arn}/other/AWSLogs/" in after


def test_the_policy_has_the_condition_of_its_bucket(tmp_path: Path) -> None:
    head = """
    Parameters:
      Wanted: {Type: String, AllowedValues: ["yes", "no"]}
    Conditions:
      IsWanted: !Equals [!Ref Wanted, "yes"]
    """
    template = head.replace("\n    ", "\n").strip("\n") + "\n" + BARE
    for kind in ("S3::Bucket", "CloudTrail::Trail"):
        template = template.replace(f"Type: AWS::{kind}\n", f"Type: AWS::{kind}\n    Condition: IsWanted\n")
    assert "+ Condition: IsWanted" in lines(tmp_path, "TG201", template)


def test_a_policy_that_is_meant_for_the_bucket_is_put_on_it(tmp_path: Path) -> None:
    template = statements(CHECK, WRITE).replace("Bucket: !Ref Bucket", "Bucket: Bucket")
    assert lines(tmp_path, "TG201", template) == ["- Bucket: Bucket", "+ Bucket: !Ref Bucket"]


SECOND = """
  Second:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement: [{Effect: Deny, Principal: "*", Action: s3:DeleteBucket, Resource: !GetAtt Bucket.Arn}]
"""


def test_two_policies_are_left_to_people(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(statements(CHECK, WRITE).rstrip("\n") + SECOND, encoding="utf-8")
    assert fixed([str(path)], "TG201").standing == {"Trail": LEFT}


def test_a_condition_that_keeps_the_policy_away_is_somebodys_choice(tmp_path: Path) -> None:
    head = "Parameters:\n  Region: {Type: String}\nConditions:\n  Here: !Equals [!Ref Region, here]\n"
    template = statements(CHECK, WRITE).replace("BucketPolicy\n", "BucketPolicy\n    Condition: Here\n")
    path = tmp_path / "template.yaml"
    path.write_text(head + template.replace("    DependsOn: Policy\n", ""), encoding="utf-8")
    result = fixed([str(path)], "TG201")
    assert result.standing == {"Trail": UNSAFE}
    assert "Condition: Here" not in result.texts["template.yaml"]
    assert "DependsOn" in result.texts["template.yaml"]
