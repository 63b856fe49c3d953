"""What a rule's own `fix` does to any resource, in the text of the template."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from trailguard.findings import CONDITIONAL, FAIL
from trailguard.fixes.edits import applied, decoded
from trailguard.fixes.repairing import repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import key_of
from trailguard.settings.settings import Settings

RULE = """\
id: X1
name: own-rule
title: It is so
severity: low
subject: {subject}
require:
  - fact: {fact}
    must: {must}
why: because
remedy: do it
fix: {fix}
"""


def repair(
    folder: Path, fix: str, template: str, fact: str, must: str = "{const: true}", **more: str
) -> tuple[str, str]:
    """A template as the own rule's fix leaves it, and why that is not safe."""
    rule = folder / "rules" / "X1-own-rule"
    rule.mkdir(parents=True, exist_ok=True)
    subject = more.get("subject", "AWS::S3::Bucket")
    text = RULE.format(subject=subject, fact=fact, must=must, fix=fix) + more.get("options", "")
    (rule / "rule.yaml").write_text(text, encoding="utf-8")
    settings = Settings(rule_dirs=(str(folder / "rules"),))
    look = look_at(["-"], settings, given=("template.yaml", dedent(template).lstrip("\n").encode()))
    before = look.outcome()
    wanted = [
        key_of(one) for one in before.report.results if one.rule.id == "X1" and one.verdict in (FAIL, CONDITIONAL)
    ]
    result = repaired(look, before, wanted, unsafe=True)
    assert wanted
    assert not result.left, result.left
    new = applied(decoded(before.files["template.yaml"].data), result.edits["template.yaml"])
    return new, "; ".join(plan.unsafe for plan in result.plans)


BUCKET = """
Parameters:
  Fast: {Type: String, AllowedValues: ['true', 'false'], Default: 'true'}
Conditions:
  IsFast: !Equals [!Ref Fast, 'true']
Resources:
  Bucket:
    Type: AWS::S3::Bucket
"""
NESTED = "{set: {AccelerateConfiguration.AccelerationStatus: Suspended}}"
STATUS = "properties.AccelerateConfiguration.AccelerationStatus"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("", "      AccelerateConfiguration:\n        AccelerationStatus: Suspended\n"),
        ("AccelerateConfiguration: {}", "      AccelerateConfiguration:\n        AccelerationStatus: Suspended\n"),
        (
            "AccelerateConfiguration: {AccelerationStatus: Enabled}  # quick",
            "      AccelerateConfiguration: {AccelerationStatus: Suspended}  # quick\n",
        ),
        (
            "AccelerateConfiguration: {AccelerationStatus: !If [IsFast, Enabled, Suspended]}",
            "      AccelerateConfiguration: {AccelerationStatus: !If [IsFast, Suspended, Suspended]}\n",
        ),
    ],
    ids=["absent", "empty", "other", "in-one-branch"],
)
def test_what_is_inside_a_property_is_set(tmp_path: Path, said: str, wanted: str) -> None:
    properties = f"    Properties:\n      {said}\n" if said else ""
    text, unsafe = repair(tmp_path, NESTED, BUCKET + properties, STATUS, "{const: Suspended}")
    assert text.endswith(wanted)
    assert not unsafe


def test_attributes_and_properties_are_set_together_and_what_is_right_stays(tmp_path: Path) -> None:
    fix = "{set: {BucketName: audit}, attribute: {DeletionPolicy: Retain, UpdateReplacePolicy: Retain}}"
    template = BUCKET + "    DeletionPolicy: Retain  # for ever\n"
    text, _ = repair(tmp_path, fix, template, "attributes.UpdateReplacePolicy", "{const: Retain}")
    assert text.count("DeletionPolicy: Retain  # for ever\n") == 1
    assert "    UpdateReplacePolicy: Retain\n" in text
    assert "      BucketName: audit\n" in text


def test_an_option_decides_the_value_and_the_next_one_that_can_be_deployed_is_taken(tmp_path: Path) -> None:
    template = """
    Resources:
      Group:
        Type: AWS::Logs::LogGroup
        Properties:
          RetentionInDays: 30
    """
    options = "options: {days: {schema: {type: integer}, default: 100, description: how long}}\n"
    text, unsafe = repair(
        tmp_path, "{set: {RetentionInDays: {option: days}}, unsafe: it costs}", template, "properties.RetentionInDays",
        "{minimum: {option: days}}", subject="AWS::Logs::LogGroup", options=options,
    )  # fmt: skip
    assert "RetentionInDays: 120\n" in text
    assert unsafe == "it costs"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("!Ref Fast", "parameter Fast decides it now"),
        ("!Sub '${Fast}'", "parameter Fast decides it now"),
        ("!If [IsFast, true, !Ref AWS::NoValue]", ""),
        ("no", ""),
    ],
)
def test_a_value_that_a_parameter_decides_is_taken_from_nobody_unasked(tmp_path: Path, said: str, reason: str) -> None:
    template = BUCKET + f"    Properties:\n      ObjectLockEnabled: {said}\n"
    template = template.replace("Default: 'true'", "Default: 'false'")
    _, unsafe = repair(tmp_path, "{set: {ObjectLockEnabled: true}}", template, "properties.ObjectLockEnabled")
    assert unsafe == reason
