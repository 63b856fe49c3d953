"""How words are corrected for which AWS refuses a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixes.repairing import fixed, lines

TEMPLATE = """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: {version}
        Statement:
          - Sid: Root
            {effect}: Allow
            Principal: {{AWS: {root}}}
            Action: kms:*
            Resource: '*'
          - Effect: {allow}
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: [kms:GenerateDataKey*, kms:DescribeKey]
            Resource: '*'
            Condition:
              {operator}:
                aws:SourceAccount: !Ref AWS::AccountId
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: example-audit-logs
      IsLogging: true
      KMSKeyId: !GetAtt Key.Arn
"""
ROOT = "arn:aws:iam::${AWS::AccountId}:root"
RIGHT = {
    "version": "'2012-10-17'",
    "effect": "Effect",
    "root": f"!Sub '{ROOT}'",
    "allow": "Allow",
    "operator": "StringEquals",
}

WORDS = [
    ("version", "'2012-10-18'", "Version: '2012-10-17'"),
    ("effect", "Efect", "Effect: Allow"),
    ("root", f"'{ROOT}'", f"Principal: {{AWS: !Sub '{ROOT}'}}"),
    ("allow", "allow", "- Effect: Allow"),
    ("operator", "StringEqual", "StringEquals:"),
]


@pytest.mark.parametrize(("what", "said", "meant"), WORDS)
def test_the_word_that_is_meant(tmp_path: Path, what: str, said: str, meant: str) -> None:
    text = TEMPLATE.format(**{**RIGHT, what: said})
    assert [line[2:] for line in lines("TG212", tmp_path, text) if line.startswith("+")] == [meant]


def test_a_word_that_may_mean_anything_is_for_people(tmp_path: Path) -> None:
    text = TEMPLATE.format(**{**RIGHT, "allow": "Perhaps"})
    assert fixed("TG212", tmp_path, {"template.yaml": text}, unsafe=True).left


def test_a_key_that_nobody_may_change_gets_the_statement_of_its_account(tmp_path: Path) -> None:
    text = TEMPLATE.format(**RIGHT).replace("Action: kms:*", "Action: kms:Describe*")
    added = lines("TG212", tmp_path, text)
    assert added[0] == "+ - Sid: EnableIAMUserPermissions"  # another statement has a Sid, too
    assert "+ Action: kms:*" in added
