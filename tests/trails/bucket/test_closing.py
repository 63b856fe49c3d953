"""What is written where a log bucket is open: to the public, or to plain HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trails.bucket.fixing import SAFE, UNSAFE, fixed, lines
from tests.trails.bucket.templates import CHECK, WRITE, statements

BLOCK = "      PublicAccessBlockConfiguration:"
SETTINGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def with_bucket(properties: str, *parts: str) -> str:
    head = "Type: AWS::S3::Bucket\n"
    return statements(CHECK, WRITE, *parts).replace(head, f"{head}    Properties:\n{properties}", 1)


def test_a_bucket_without_a_block_gets_all_four_settings(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG302", statements(CHECK, WRITE))
    assert found[-5:] == ["+ PublicAccessBlockConfiguration:", *(f"+ {name}: true" for name in SETTINGS)]


def test_settings_that_are_on_stay_as_they_are_written(tmp_path: Path) -> None:
    block = f"{BLOCK}\n        BlockPublicAcls: 'true'  # mind\n        BlockPublicPolicy: 'false'\n"
    found = lines(tmp_path, "TG302", with_bucket(block))
    assert "- BlockPublicAcls: 'true'  # mind" not in found
    assert "+ BlockPublicPolicy: 'true'" in found


def test_a_setting_that_is_off_is_switched_on(tmp_path: Path) -> None:
    block = f"{BLOCK}\n"
    block += "".join(f"        {name}: {'false' if name == SETTINGS[0] else 'true'}\n" for name in SETTINGS)
    assert lines(tmp_path, "TG301", with_bucket(block)) == ["- BlockPublicAcls: false", "+ BlockPublicAcls: true"]


def test_a_public_acl_goes_only_if_somebody_looks_at_it(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(with_bucket("      AccessControl: PublicRead\n"), encoding="utf-8")
    result = fixed([str(path)], "TG301")
    assert result.standing == {"Bucket": UNSAFE}
    assert "AccessControl" not in result.texts["template.yaml"]


def test_a_public_statement_goes_and_the_others_stay(tmp_path: Path) -> None:
    public = "- Effect: Allow\n  Principal: '*'\n  Action: s3:GetObject\n  Resource: !Sub ${Bucket.Arn}/*\n"
    found = lines(tmp_path, "TG301", statements(CHECK, public, WRITE), unsafe=True)
    assert [line[0] for line in found] == ["-"] * 4


def test_a_condition_that_strangers_pass_by_is_held_to(tmp_path: Path) -> None:
    public = """
- Effect: Allow
  Principal: "*"
  Action: s3:GetObject
  Resource: !Sub ${Bucket.Arn}/*
  Condition:
    StringEqualsIfExists:
      aws:PrincipalOrgID: o-exampleorgid
"""
    found = lines(tmp_path, "TG301", statements(CHECK, WRITE, public))
    assert found == ["- StringEqualsIfExists:", "+ StringEquals:"]


DENY = """
- Effect: Deny
  Principal: {principal}
  Action: {action}
  Resource:
    - !GetAtt Bucket.Arn
    - !Sub ${{Bucket.Arn}}/*
  Condition:
    Bool:
      aws:SecureTransport: {tls}
"""


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("action", "s3:PutObject", "Action: s3:*"),
        ("principal", "{AWS: !Ref AWS::AccountId}", 'Principal: "*"'),
        ("tls", "'true'", "aws:SecureTransport: 'false'"),
    ],
)
def test_a_deny_of_plain_http_is_completed(tmp_path: Path, part: str, old: str, new: str) -> None:
    right = {"principal": '"*"', "action": "s3:*", "tls": "'false'"}
    deny = DENY.format(**{**right, part: old})
    found = lines(tmp_path, "TG308", statements(CHECK, WRITE, deny))
    assert len(found) == 2
    assert found[1] == f"+ {new}"


def test_a_policy_that_denies_nothing_gets_a_statement(tmp_path: Path) -> None:
    assert lines(tmp_path, "TG308", statements(CHECK, WRITE)) == [
        "+ - Effect: Deny",
        '+ Principal: "*"',
        "+ Action: s3:*",
        "+ Resource:",
        "+ - !GetAtt Bucket.Arn",
        "+ - !Sub ${Bucket.Arn}/*",
        "+ Condition:",
        "+ Bool:",
        '+ aws:SecureTransport: "false"',
    ]


def test_a_bucket_without_a_policy_gets_one_with_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    whole = statements(CHECK)
    bucket, _, rest = whole.partition("  Policy:\n")
    trail = rest[rest.index("  Trail:") :].replace("    DependsOn: Policy\n", "")
    path.write_text(bucket + trail, encoding="utf-8")
    result = fixed([str(path)], "TG201", "TG202", "TG203", "TG308", unsafe=False)
    assert set(result.standing.values()) == {SAFE}
    assert result.texts["template.yaml"].count("Type: AWS::S3::BucketPolicy") == 1
