"""A template with a trail whose defaults allow no stack says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailguard.scanning import scan
from trailguard.settings.settings import Settings

HEAD = """Parameters:
  Env: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Bucket: {Type: String, Default: ''}
  Free: {Type: String}
Conditions:
  Prod: !Equals [!Ref Env, prod]
  Chosen: !Equals [!Ref Free, x]
"""
RULES = "Rules: {R: {Assertions: [{Assert: !Equals [!Ref Env, VALUE]}]}}\n"
B = "  B: {Type: 'AWS::S3::Bucket', Condition: CONDITION}\n"
TRAIL = "  T: {Type: 'AWS::CloudTrail::Trail', CONDITIONProperties: {IsLogging: true, S3BucketName: BUCKET}}\n"


def trail(bucket: str, condition: str = "") -> str:
    made = f"Condition: {condition}, " if condition else ""
    return TRAIL.replace("CONDITION", made).replace("BUCKET", bucket)


ONLY_PROD = "with the default values of Env no stack can be made (Rules refuse them)"
NOT_MADE = "with the default values of Env no stack can be made (something refers to what is then not made)"
EMPTY = "with the default values no stack can be made (S3BucketName is empty)"
CASES: list[tuple[str, list[tuple[int, str]]]] = [
    ("Resources:\n" + trail("logs"), []),
    (RULES.replace("VALUE", "dev") + "Resources:\n" + trail("logs"), []),
    (RULES.replace("VALUE", "prod") + "Resources:\n" + trail("logs"), [(2, ONLY_PROD)]),
    (RULES.replace("VALUE", "prod") + "Resources:\n  Q: {Type: 'AWS::SQS::Queue'}\n", []),
    ("Resources:\n" + B.replace("CONDITION", "Prod") + trail("!Ref B"), [(2, NOT_MADE)]),
    ("Resources:\n" + B.replace("CONDITION", "Prod") + trail("!Ref B", "Prod"), []),
    ("Resources:\n" + B.replace("CONDITION", "Prod") + trail("!If [Prod, !Ref B, logs]"), []),
    ("Resources:\n" + B.replace("CONDITION", "Chosen") + trail("!Ref B"), []),
    ("Resources:\n" + trail("!Ref Bucket"), [(9, EMPTY)]),
    ("Resources:\n" + trail("!Ref Bucket", "Prod"), []),
    ("Resources:\n" + trail("!If [Prod, !Ref Bucket, logs]"), []),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=range(len(CASES)))
def test_defaults_that_allow_no_stack_are_told(
    text: str, expected: list[tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(HEAD + text)
    report = scan(["a.yaml"], Settings())
    assert [(item.line, item.message.partition(", so")[0]) for item in report.notices] == expected
    pinned = scan(["a.yaml"], Settings(parameters={"Env": "prod", "Bucket": "logs", "Free": "x"}))
    given = [(item.line, item.message) for item in pinned.notices]
    refused = "with the given values of Env no stack can be made (Rules refuse them)"
    never = "T is made for no allowed choice of parameters, so it is not judged"
    assert given == ([(2, refused), (10, never)] if "Env, dev" in text else [])
