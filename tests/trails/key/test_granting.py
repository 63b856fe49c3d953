"""How a key's policy comes to let CloudTrail in, in the text of its template."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.fixes.repairing import fixed, lines

ROOT = """
- Effect: Allow
  Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
  Action: kms:*
  Resource: '*'
"""
DATA_KEYS = """
- Effect: Allow
  Principal: {Service: cloudtrail.amazonaws.com}
  Action: kms:GenerateDataKey*
  Resource: '*'
"""
BUCKET_KEY = """
  LogBucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - BucketKeyEnabled: true
            ServerSideEncryptionByDefault: {SSEAlgorithm: aws:kms}
"""


def template(
    statements: str, settings: str = "", name: str = "", key: str = "!GetAtt LogKey.Arn", more: str = ""
) -> str:
    policy = indent(dedent(statements).strip("\n"), " " * 10)
    trail_name = f"\n      TrailName: {name}" if name else ""
    bucket = "!Ref LogBucket" if "LogBucket" in more else "example-audit-logs"
    return f"""
Resources:
  LogKey:
    Type: AWS::KMS::Key
    Properties:{settings}
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
{policy}
{more}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:{trail_name}
      S3BucketName: {bucket}
      IsLogging: true
      KMSKeyId: {key}
"""


def test_a_statement_like_the_documented_one_is_added(tmp_path: Path) -> None:
    assert lines("TG207", tmp_path, template(ROOT)) == [
        "+ - Effect: Allow",
        "+ Principal:",
        "+ Service: cloudtrail.amazonaws.com",
        "+ Action: kms:GenerateDataKey*",
        "+ Resource: '*'",
        "+ Condition:",
        "+ StringLike:",
        "+ kms:EncryptionContext:aws:cloudtrail:arn: !Sub arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("audit", "audit"),
        ("!Sub '${AWS::StackName}-audit'", "${AWS::StackName}-audit"),
        ("!Join ['-', [audit, !Ref AWS::Region]]", "audit-${AWS::Region}"),
        ("!Ref LogBucket", None),  # it would wait for what may wait for the key
    ],
)
def test_a_trail_whose_name_is_written_is_the_source(tmp_path: Path, name: str, said: str | None) -> None:
    more = "  LogBucket: {Type: AWS::S3::Bucket}" if "LogBucket" in name else ""
    added = lines("TG207", tmp_path, template(ROOT, name=name, more=more))
    arn = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/"
    sources = [line for line in added if "aws:SourceArn" in line]
    assert sources == ([] if said is None else [f"+ aws:SourceArn: !Sub {arn}{said}"])


def test_sids_are_given_where_the_neighbours_have_them_and_each_once(tmp_path: Path) -> None:
    statements = ROOT.replace("- Effect", "- Sid: AWSCloudTrailEncryptLogs\n  Effect")
    assert "+ - Sid: AWSCloudTrailEncryptLogs1" in lines("TG207", tmp_path, template(statements))


def test_a_statement_for_the_same_caller_gets_one_more_action(tmp_path: Path) -> None:
    assert lines("TG211", tmp_path, template(ROOT + DATA_KEYS)) == [
        "- Action: kms:GenerateDataKey*",
        "+ Action: [kms:GenerateDataKey*, kms:DescribeKey]",
    ]


BRANCHES = """
        Statement: !If
          - IsStrict
          - - Effect: Allow
              Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
              Action: kms:*
              Resource: '*'
          - - Effect: Allow
              Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
              Action: kms:*
              Resource: '*'
            - Effect: Allow
              Principal: {Service: cloudtrail.amazonaws.com}
              Action: kms:GenerateDataKey*
              Resource: '*'
"""


def test_the_branch_at_fault_gets_the_statement(tmp_path: Path) -> None:
    text = template(ROOT)
    start, end = text.index("        Statement:"), text.index("  Trail:")
    text = text[:start] + BRANCHES.lstrip("\n") + text[end:]
    text = "Parameters:\n  Strict: {Type: String, Default: 'no'}\n" + text.replace(
        "\nResources", "Conditions:\n  IsStrict: !Equals [!Ref Strict, 'yes']\nResources"
    )
    new = fixed("TG207", tmp_path, {"template.yaml": text}).texts["template.yaml"]
    strict, _, other = new.partition("          - - Effect: Allow")[2].partition("          - - Effect: Allow")
    assert "kms:GenerateDataKey*" in strict
    assert other == text.partition("          - - Effect: Allow")[2].partition("          - - Effect: Allow")[2]


def test_a_single_statement_becomes_the_first_of_a_list(tmp_path: Path) -> None:
    text = template(ROOT).replace("          - Effect", "            Effect")
    new = fixed("TG207", tmp_path, {"template.yaml": text}).texts["template.yaml"]
    assert new.count("- Effect: ") == 2


def test_a_bucket_key_takes_decryption_too(tmp_path: Path) -> None:
    added = lines("TG211", tmp_path, template(ROOT + DATA_KEYS, more=BUCKET_KEY))
    assert added[1:] == ["+ Action: [kms:GenerateDataKey*, kms:DescribeKey, kms:Decrypt]"]


def test_a_key_without_a_policy_gets_the_default_one_and_the_grant(tmp_path: Path) -> None:
    text = template(ROOT).replace(
        template(ROOT)[template(ROOT).index("      KeyPolicy") : template(ROOT).index("  Trail:")], ""
    )
    text = text.replace("    Properties:\n  Trail", "  Trail").replace("AWS::KMS::Key\n", "AWS::KMS::Key\n", 1)
    added = lines("TG207", tmp_path, text)
    assert "+ AWS: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:root" in added
    assert "+ Action: kms:GenerateDataKey*" in added


def test_a_policy_in_a_text_is_edited_there(tmp_path: Path) -> None:
    text = """
    Resources:
      LogKey:
        Type: AWS::KMS::Key
        Properties:
          KeyPolicy: !Sub |
            {
              "Version": "2012-10-17",
              "Statement": [
                {
                  "Effect": "Allow",
                  "Principal": {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
                  "Action": "kms:*",
                  "Resource": "*"
                }
              ]
            }
      Trail:
        Type: AWS::CloudTrail::Trail
        Properties:
          S3BucketName: example-audit-logs
          IsLogging: true
          KMSKeyId: !GetAtt LogKey.Arn
    """
    added = "".join(line[2:] for line in lines("TG207", tmp_path, text) if line.startswith("+"))
    assert '"Action": "kms:GenerateDataKey*"' in added
    assert '"arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*"' in added


def test_a_deny_exempts_cloudtrail(tmp_path: Path) -> None:
    denial = """
    - Effect: Deny
      Principal: '*'
      Action: kms:GenerateDataKey*
      Resource: '*'
      Condition:
        StringNotEquals:
          aws:PrincipalOrgID: o-1234567890
    """
    added = lines("TG207", tmp_path, template(ROOT + DATA_KEYS + dedent(denial)))
    assert added == ["+ aws:PrincipalServiceName: cloudtrail.amazonaws.com"]


def test_a_disabled_key_is_enabled_and_one_of_another_kind_is_left_to_people(tmp_path: Path) -> None:
    disabled = template(ROOT + DATA_KEYS, settings="\n      Enabled: false")
    assert lines("TG207", tmp_path, disabled) == ["- Enabled: false", "+ Enabled: true"]
    asymmetric = template(ROOT + DATA_KEYS, settings="\n      KeySpec: RSA_2048\n      KeyUsage: SIGN_VERIFY")
    assert not fixed("TG207", tmp_path, {"template.yaml": asymmetric}).texts
    assert "another key" in fixed("TG207", tmp_path, {"template.yaml": asymmetric}, unsafe=True).unsafe[0]


def test_a_key_that_is_written_out_wrong_is_referred_to(tmp_path: Path) -> None:
    arn = "!Sub 'arn:aws:kms:eu-west-1:${AWS::AccountId}:key/${LogKey}'"
    assert lines("TG207", tmp_path, template(ROOT + DATA_KEYS, key=arn)) == [
        f"- KMSKeyId: {arn}",
        "+ KMSKeyId: !GetAtt LogKey.Arn",
    ]


def test_a_key_in_another_stack_is_opened_there(tmp_path: Path) -> None:
    parent = """
    Resources:
      Keys:
        Type: AWS::CloudFormation::Stack
        Properties:
          TemplateURL: ./keys.yaml
      Audit:
        Type: AWS::CloudFormation::Stack
        Properties:
          TemplateURL: ./trail.yaml
          Parameters:
            KeyArn: !GetAtt Keys.Outputs.KeyArn
    """
    keys = template(ROOT).partition("  Trail:")[0] + "Outputs:\n  KeyArn: {Value: !GetAtt LogKey.Arn}\n"
    trail = """
    Parameters:
      KeyArn: {Type: String}
    Resources:
      Trail:
        Type: AWS::CloudTrail::Trail
        Properties:
          TrailName: audit
          S3BucketName: example-audit-logs
          IsLogging: true
          KMSKeyId: !Ref KeyArn
    """
    result = fixed("TG207", tmp_path, {"parent.yaml": parent, "keys.yaml": keys, "trail.yaml": trail})
    assert list(result.texts) == ["keys.yaml"]
    assert ":trail/audit" in result.texts["keys.yaml"]


def test_an_event_data_store_is_let_in_without_a_source(tmp_path: Path) -> None:
    text = (
        template(ROOT).partition("  Trail:")[0]
        + """  Lake:
    Type: AWS::CloudTrail::EventDataStore
    Properties:
      KmsKeyId: !GetAtt LogKey.Arn
"""
    )
    assert not any("aws:Source" in line for line in lines("TG504", tmp_path, text))


def test_the_one_key_that_lets_cloudtrail_in_may_encrypt_its_logs(tmp_path: Path) -> None:
    describing = DATA_KEYS.replace("kms:GenerateDataKey*", "[kms:GenerateDataKey*, kms:DescribeKey]")
    text = template(ROOT + describing, settings="\n      EnableKeyRotation: true").replace(
        "      KMSKeyId: !GetAtt LogKey.Arn\n", ""
    )
    assert not fixed("TG108", tmp_path, {"template.yaml": text}).texts
    assert lines("TG108", tmp_path, text, unsafe=True) == ["+ KMSKeyId: !GetAtt LogKey.Arn"]
