"""How CloudTrail is taken out of a Deny that is meant for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trails.bucket.fixing import LEFT, fixed, lines
from tests.trails.bucket.templates import CHECK, WRITE, statements


def denying(rest: str, principal: str = 'Principal: "*"') -> str:
    deny = f"- Effect: Deny\n  {principal}\n  Action: s3:PutObject\n  Resource: !Sub ${{Bucket.Arn}}/*\n{rest}"
    return statements(CHECK, WRITE, deny)


CALLER = "+ aws:PrincipalServiceName: cloudtrail.amazonaws.com"


def test_the_exception_joins_the_same_operator(tmp_path: Path) -> None:
    rest = "  Condition:\n    StringNotEquals:\n      s3:x-amz-server-side-encryption: aws:kms\n"
    assert lines(tmp_path, "TG204", denying(rest)) == [CALLER]


@pytest.mark.parametrize(
    ("rest", "written"),
    [
        ("", ["+ Condition:", "+ StringNotEquals:", CALLER]),
        ("  Condition:\n    'Null':\n      aws:PrincipalOrgID: 'true'\n", ["+ StringNotEquals:", CALLER]),
        ("  Condition:\n    StringNotEqualsIfExists:\n      aws:SourceVpc: vpc-1\n", [CALLER]),
    ],
)
def test_the_exception_holds_for_cloudtrail_alone(tmp_path: Path, rest: str, written: list[str]) -> None:
    found = lines(tmp_path, "TG204", denying(rest))
    assert [line.replace("'", "") for line in found] == written  # quotes are those of the neighbours


def test_all_but_a_few_leaves_out_one_more(tmp_path: Path) -> None:
    found = lines(tmp_path, "TG204", denying("", "NotPrincipal: {AWS: !Ref AWS::AccountId}"))
    assert found[-1] == "+ NotPrincipal: {AWS: !Ref AWS::AccountId, Service: cloudtrail.amazonaws.com}"


def test_a_deny_of_cloudtrail_by_name_is_left_to_people(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(denying("", "Principal: {Service: cloudtrail.amazonaws.com}"), encoding="utf-8")
    assert fixed([str(path)], "TG204").standing == {"Trail": LEFT}


def test_what_the_deny_kept_out_is_kept_out_by_the_grants(tmp_path: Path) -> None:
    """Without the Deny, the trails of strangers could use the grants that are not bound to this one."""
    unbound = CHECK.partition("  Condition")[0]
    deny = """
- Effect: Deny
  Principal: "*"
  Action: s3:*
  Resource:
    - !GetAtt Bucket.Arn
    - !Sub ${Bucket.Arn}/*
  Condition:
    StringNotEquals:
      aws:PrincipalOrgID: o-exampleorgid
"""
    found = lines(tmp_path, "TG204", statements(unbound, WRITE, deny))
    assert found == [
        "+ Condition:",
        "+ StringEquals:",
        "+ aws:SourceAccount: !Ref AWS::AccountId",
        CALLER,
    ]


def test_another_service_that_a_deny_excepts_stays_excepted(tmp_path: Path) -> None:
    rest = "  Condition: {StringNotEquals: {'aws:PrincipalServiceName': [config.amazonaws.com]}}\n"
    assert "[config.amazonaws.com, cloudtrail.amazonaws.com]" in lines(tmp_path, "TG204", denying(rest))[-1]


def test_other_trails_that_a_deny_excepts_stay_excepted(tmp_path: Path) -> None:
    other = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/other"
    rest = f"  Condition: {{StringNotEquals: {{'aws:SourceArn': ['{other}']}}}}\n"
    assert f"'{other}'" in lines(tmp_path, "TG204", denying(rest))[-1]
