"""Which ACL, for whose trail, and to whom by name: what is written where a bucket policy leaves that open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trails.bucket.fixing import LEFT, SAFE, UNSAFE, fixed, lines
from tests.trails.bucket.templates import CHECK, TRAIL, WRITE, named, statements

OPEN = WRITE.replace("      s3:x-amz-acl: bucket-owner-full-control\n", "")
UNBOUND = CHECK.partition("  Condition")[0]
BOTH = """
- Sid: CloudTrail
  Effect: Allow
  Principal: {Service: cloudtrail.amazonaws.com}
  Action: [s3:GetBucketAcl, s3:PutObject]
  Resource:
    - !GetAtt Bucket.Arn
    - !Sub ${Bucket.Arn}/*
  Condition:
    StringEquals:
      aws:SourceAccount: !Ref AWS::AccountId
"""


def standing(folder: Path, rule: str, template: str) -> set[str]:
    path = folder / "template.yaml"
    path.write_text(template, encoding="utf-8")
    return set(fixed([str(path)], rule).standing.values())


def test_the_acl_stands_beside_what_is_asked_for_already(tmp_path: Path) -> None:
    assert lines(tmp_path, "TG105", statements(CHECK, OPEN)) == ["+ s3:x-amz-acl: bucket-owner-full-control"]


def test_the_acl_is_asked_for_in_every_statement_that_lacks_it(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG105", statements(CHECK, OPEN, WRITE, OPEN))
    assert found == ["+ s3:x-amz-acl: bucket-owner-full-control"] * 2


def test_the_check_carries_no_acl_so_the_write_is_granted_apart(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG105", statements(BOTH))
    assert found[:2] == ["- Action: [s3:GetBucketAcl, s3:PutObject]", "+ Action: s3:GetBucketAcl"]
    assert sorted(found[2:]) == sorted(
        [
            "+ - Sid: AWSCloudTrailWrite",
            "+ Effect: Allow",
            "+ Principal: {Service: cloudtrail.amazonaws.com}",
            "+ Action: s3:PutObject",
            "+ Resource: !Sub ${Bucket.Arn}/*",
            "+ Condition:",
            "+ StringEquals:",
            "+ s3:x-amz-acl: bucket-owner-full-control",
            "+ aws:SourceAccount: !Ref AWS::AccountId",
        ]
    )


def test_an_acl_that_a_parameter_decides_is_somebodys_choice(tmp_path: Path) -> None:
    loose = WRITE.replace("bucket-owner-full-control", "!Ref Acl")
    parameter = "Parameters:\n  Acl: {Type: String, Default: bucket-owner-full-control}\n"
    assert standing(tmp_path, "TG203", parameter + statements(CHECK, loose)) == {UNSAFE}


def test_a_grant_is_bound_to_the_trail_by_its_name(tmp_path: Path) -> None:
    arn = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/audit"
    found = lines(tmp_path, "TG205", named(statements(UNBOUND, WRITE), "audit"))
    assert found == ["+ Condition:", "+ StringEquals:", f"+ aws:SourceArn: !Sub {arn}"]


def test_a_trail_without_a_name_is_told_by_its_account(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG205", statements(UNBOUND, WRITE))
    assert found == ["+ Condition:", "+ StringEquals:", "+ aws:SourceAccount: !Ref AWS::AccountId"]


def test_a_grant_that_several_trails_need_is_bound_to_all_of_them(tmp_path: Path) -> None:
    second = TRAIL.replace("  Trail:", "  Other:").replace("Properties:\n", "Properties:\n      TrailName: other\n")
    template = named(statements(UNBOUND, WRITE), "audit") + second
    path = tmp_path / "template.yaml"
    path.write_text(template, encoding="utf-8")
    result = fixed([str(path)], "TG205", unsafe=False)
    assert result.standing == {"Trail": SAFE, "Other": SAFE}
    assert result.texts["template.yaml"].count("aws:SourceAccount") == 2


def test_people_beside_the_service_are_not_bound(tmp_path: Path) -> None:
    shared = UNBOUND.replace(
        "    Service: cloudtrail.amazonaws.com", "    Service: cloudtrail.amazonaws.com\n    AWS: !Ref AWS::AccountId"
    )
    found = lines(tmp_path, "TG205", statements(shared, WRITE))
    assert found == ["+ Condition:", "+ StringEqualsIfExists:", "+ aws:SourceAccount: !Ref AWS::AccountId"]


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("*", SAFE),
        ("????????????/*", SAFE),
        ("${AWS::AccountId}/*", SAFE),
        ("111122223333/*", UNSAFE),
        ("o-exampleorgid/*", UNSAFE),
        ("${Member}/*", UNSAFE),
    ],
)
def test_the_folder_of_others_makes_a_bound_a_matter_for_people(tmp_path: Path, owner: str, expected: str) -> None:
    """Their trails are not in the template: no proof can tell that they deliver no more."""
    head = "Parameters:\n  Member: {Type: String}\n"
    unbound = WRITE.replace("      aws:SourceAccount: !Ref AWS::AccountId\n", "")
    own = "!Sub ${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"
    both = f"[!Sub '${{Bucket.Arn}}/AWSLogs/${{AWS::AccountId}}/*', !Sub '${{Bucket.Arn}}/AWSLogs/{owner}']"
    assert standing(tmp_path, "TG205", head + statements(CHECK, unbound.replace(own, both))) == {expected}


def test_old_accounts_make_room_for_the_service(tmp_path: Path) -> None:
    old = WRITE.replace("    Service: cloudtrail.amazonaws.com", "    AWS:\n      - arn:aws:iam::086441151436:root")
    assert lines(tmp_path, "TG206", statements(CHECK, old)) == [
        "- AWS:",
        "- - arn:aws:iam::086441151436:root",
        "+ Service: cloudtrail.amazonaws.com",
    ]


def test_everybody_makes_room_where_the_statement_is_plainly_for_cloudtrail(tmp_path: Path) -> None:
    everybody = WRITE.replace("  Principal:\n    Service: cloudtrail.amazonaws.com", '  Principal: "*"')
    assert standing(tmp_path, "TG206", statements(CHECK, everybody)) == {SAFE}
    drop_box = everybody.replace("AWSLogs/${AWS::AccountId}/*", "*")
    assert standing(tmp_path, "TG206", statements(CHECK, drop_box)) == {UNSAFE}


def test_a_policy_that_a_text_spells_is_guarded_in_the_text(tmp_path: Path) -> None:
    text = """
    Resources:
      Bucket:
        Type: AWS::S3::Bucket
      Policy:
        Type: AWS::S3::BucketPolicy
        Properties:
          Bucket: !Ref Bucket
          PolicyDocument: !Sub |
            {"Version": "2012-10-17", "Statement": [
              {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
               "Action": "s3:GetBucketAcl", "Resource": "${Bucket.Arn}"},
              {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
               "Action": "s3:PutObject", "Resource": "${Bucket.Arn}/*"}
            ]}
    """
    path = tmp_path / "template.yaml"
    path.write_text(text.replace("\n    ", "\n") + TRAIL.strip("\n"), encoding="utf-8")
    result = fixed([str(path)], "TG105", "TG205", unsafe=False)
    assert LEFT not in result.standing.values(), result.reasons
    after = result.texts["template.yaml"]
    assert after.count('"aws:SourceAccount": "${AWS::AccountId}"') == 2
    assert after.count('"s3:x-amz-acl": "bucket-owner-full-control"') == 1
