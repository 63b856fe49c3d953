"""Whole templates of kinds that once were judged wrong."""

from __future__ import annotations

from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

STACK = """\
{head}Resources:
  Bucket:
    Type: AWS::S3::Bucket
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: s3:*
            Resource: [!GetAtt Bucket.Arn, !Sub '${{Bucket.Arn}}/*']
{statement}  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties:
      S3BucketName: !Ref Bucket
      IsLogging: true
      IncludeGlobalServiceEvents: true
      IsMultiRegionTrail: {multi}
"""


def judge(rule: str, head: str = "", statement: str = "", multi: str = "true") -> Finding:
    settings = Settings(select=(rule,))
    text = STACK.format(head=head, statement=statement, multi=multi)
    result = judge_file("t.yaml", text.encode(), Task(settings, load(settings)))
    assert result.errors == ()
    (finding,) = result.findings
    return finding


def test_part_of_a_region_name_is_not_known() -> None:
    head = "Conditions:\n  InEurope: !Equals [!Select [0, !Split ['-', !Ref AWS::Region]], eu]\n"
    finding = judge("TG101", head, multi="!If [InEurope, false, true]")
    assert finding.verdict == UNKNOWN
    assert finding.reason == "the Region of the deployment is open; give it with --region"


def test_trail_and_policy_that_wait_for_each_other_fail() -> None:
    condition = "            Condition: {ArnLike: {aws:SourceArn: !GetAtt Trail.Arn}}\n"
    finding = judge("TG104", statement=condition)
    assert finding.verdict == FAIL
    assert "Trail and bucket policy Policy wait for each other" in finding.message


def test_deny_of_other_kinds_of_files_does_not_block_delivery() -> None:
    deny = (
        "          - {Effect: Deny, Principal: '*', Action: s3:PutObject, Resource: !Sub '${Bucket.Arn}/*.exe'}\n"
        "          - {Effect: Deny, Principal: '*', Action: s3:PutObject, Resource: !Sub '${Bucket.Arn}/tmp/*'}\n"
    )
    assert judge("TG204", statement=deny).verdict == PASS
    assert judge("TG204", statement=deny.replace("*.exe", "*.gz")).verdict == FAIL


def test_conditions_on_top_of_each_other_are_each_asked_once() -> None:
    lines = ["Parameters:", "  A: {Type: String, Default: a}", "Conditions:", "  C0: !Equals [!Ref A, a]"]
    lines += [
        f"  C{n}: !Or [!Condition C{n - 1}, !And [!Condition C{n - 1}, !Condition C{n - 1}]]" for n in range(1, 61)
    ]
    finding = judge("TG101", "\n".join(lines) + "\n", multi="!If [C60, true, false]")
    assert finding.verdict == CONDITIONAL
    assert finding.witness == {"A": "other"}
