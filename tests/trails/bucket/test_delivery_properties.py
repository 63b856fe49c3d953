"""Parameters in the texts of a policy and a prefix: the verdict is held against that of every choice of values."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

pytestmark = pytest.mark.slow

TEMPLATE = """\
Parameters:
  P: {{Type: String{default}}}
Resources:
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
            Action: s3:PutObject
            Resource: !Sub '${{Bucket.Arn}}{allowed}'
          - Effect: Deny
            Principal: '*'
            Action: s3:PutObject
            Resource: !Sub '${{Bucket.Arn}}/{denied}'
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: Policy
    Properties:
      S3BucketName: !Ref Bucket
      S3KeyPrefix: !Sub '{prefix}'
      IsLogging: true
      EnableLogFileValidation: true
"""
BOOKS = {rule: load(Settings(select=(rule,))) for rule in ("TG203", "TG204")}
VALUES = ("", "a", "b", "ab", "a/b", "b/a", "aa", "a/", "/a", "AWSLogs", "AWSLogs/x", "zz")
PARTS = st.lists(st.sampled_from(["/", "a", "b", "*", "AWSLogs"]), max_size=3).map("".join)
ENDS = st.sampled_from(["/AWSLogs/${AWS::AccountId}/*", "/AWSLogs/*", "/*", "*", "AWSLogs/*"])


def judge(rule: str, text: str, parameters: Mapping[str, str]) -> Finding:
    result = judge_file("t.yaml", text.encode(), Task(Settings(parameters=parameters), BOOKS[rule]))
    assert result.errors == ()
    (finding,) = result.findings
    return finding


@st.composite
def around(draw: st.DrawFn, ends: st.SearchStrategy[str]) -> str:
    """A text with the parameter in it, or without."""
    return draw(PARTS) + draw(st.sampled_from(["", "${P}", "/${P}", "${P}/"])) + draw(PARTS) + draw(ends)


@pytest.mark.parametrize("rule", BOOKS)
@settings(max_examples=25, deadline=None)
@example("/AWSLogs/${AWS::AccountId}/*", "/*", "${P}", None)  # a prefix may begin with a slash
@given(
    around(ENDS),
    around(st.sampled_from(["", "*", "/AWSLogs/*"])),
    st.sampled_from(["a", "${P}", "${P}b", "a/${P}", "a${P}"]),
    st.sampled_from([None, "", "a", "AWSLogs"]),
)
def test_a_verdict_holds_for_every_value_and_a_witness_breaks_it(
    rule: str, allowed: str, denied: str, prefix: str, default: str | None
) -> None:
    written = "" if default is None else f", Default: '{default}'"
    text = TEMPLATE.format(default=written, allowed=allowed, denied=denied, prefix=prefix)
    open_ = judge(rule, text, {})
    found = {value: judge(rule, text, {"P": value}).verdict for value in VALUES}
    usual = set(found.values()) if default is None else {found[default]}
    if not {UNKNOWN, NOT_APPLICABLE}.isdisjoint((open_.verdict, *found.values())):
        return  # a value that cannot be told, such as one that would name several folders, or that S3 refuses
    if open_.verdict == PASS:
        assert set(found.values()) == {PASS}
    elif open_.verdict == FAIL:
        assert usual == {FAIL}
    else:
        assert open_.verdict == CONDITIONAL
        assert PASS in usual or default is None
        assert judge(rule, text, open_.witness).verdict == FAIL
