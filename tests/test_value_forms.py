"""The ways to write a value, for each rule: outright, by parameter, condition, mapping or import, or not at all.

Each rule is asked about the template that `trailguard init` prints, with one value of it written in each way. What is
expected follows from the way alone, and from what the rule makes of a value that is not there or not known.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from trailguard import init_template
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Finding
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.settings.settings import Settings

WHOLE = init_template.template(("kms", "cloudwatch", "sns"))
LAKE = """\
Parameters:
Conditions:
Resources:
  Lake:
    Type: AWS::CloudTrail::EventDataStore
    Properties:
      Name: lake
      <line>
"""
ALL = tuple(rule.id for rule in load(Settings(profile="all")).selected)


class Case(NamedTuple):
    """One value that decides about a rule: the line that holds it, good and bad, and what it means not to have it."""

    rule: str
    line: str  # of the template, with VALUE in the value's place, and further lines that go with it
    good: str
    bad: str
    missing: str  # the verdict with AWS::NoValue
    imported: str = UNKNOWN
    template: str = WHOLE
    instead: str = ""  # the line that it takes the place of, when it is another one


CASES = (
    Case("TG101", "IsMultiRegionTrail: VALUE", "true", "false", FAIL),
    Case("TG102", "IncludeGlobalServiceEvents: VALUE", "true", "false", FAIL),
    Case("TG103", "EnableLogFileValidation: VALUE", "true", "false", FAIL),
    Case(
        "TG105",
        "s3:x-amz-acl: [bucket-owner-full-control, VALUE]",
        "bucket-owner-full-control",
        "private",
        PASS,
        instead="s3:x-amz-acl: bucket-owner-full-control",
    ),
    Case("TG106", "IsLogging: VALUE", "true", "false", FAIL),
    Case("TG107", "IncludeManagementEvents: VALUE", "true", "false", PASS),
    Case("TG108", "KMSKeyId: VALUE", "alias/audit", "''", FAIL, instead="KMSKeyId: !GetAtt TrailKey.Arn"),
    Case(
        "TG109",
        "CloudWatchLogsRoleArn: VALUE",
        "arn:aws:iam::111122223333:role/logs",
        "''",
        FAIL,
        instead="CloudWatchLogsRoleArn: !GetAtt TrailLogRole.Arn",
    ),
    Case("TG110", "ReadWriteType: VALUE", "All", "WriteOnly", PASS),
    Case("TG111", "- InsightType: VALUE", "ApiErrorRateInsight", "ApiCallRateInsight", FAIL),
    Case(
        "TG112", "IsLogging: true\n      IsOrganizationTrail: VALUE", "true", "false", FAIL, instead="IsLogging: true"
    ),
    Case("TG113", "IncludeGlobalServiceEvents: VALUE", "true", "false", FAIL),
    Case("TG202", "Action: VALUE", "s3:GetBucketAcl", "s3:GetBucketPolicy", FAIL),
    Case("TG204", "aws:SecureTransport: VALUE", "'false'", "'true'", FAIL),
    Case("TG207", "Action: VALUE", "kms:GenerateDataKey*", "kms:Decrypt", FAIL),
    Case("TG208", "Action: VALUE", "sts:AssumeRole", "sts:TagSession", FAIL),
    Case("TG211", "Action: VALUE", "kms:DescribeKey", "kms:Decrypt", FAIL),
    Case("TG301", "BlockPublicAcls: VALUE", "true", "false", PASS),
    Case("TG302", "RestrictPublicBuckets: VALUE", "true", "false", FAIL),
    Case("TG303", "Status: VALUE", "Enabled", "Suspended", PASS),
    Case(
        "TG304",
        "DestinationBucketName: VALUE",
        "access-logs",
        "''",
        FAIL,
        instead="DestinationBucketName: !Ref AccessLogBucket",
    ),
    Case("TG305", "- Id: Old\n            ExpirationInDays: VALUE", "400", "30", PASS, instead="- Id: OldVersions"),
    Case("TG306", "ObjectLockEnabled: VALUE", "true", "false", FAIL),
    Case("TG308", "aws:SecureTransport: VALUE", "'false'", "'true'", PASS),  # without a condition nothing gets through
    Case("TG401", "EnableKeyRotation: VALUE", "true", "false", FAIL),
    Case("TG402", "RetentionInDays: VALUE", "400", "30", PASS, instead="RetentionInDays: !Ref LogRetentionDays"),
    Case("TG403", "Period: 300\n      ActionsEnabled: VALUE", "true", "false", PASS, instead="Period: 300"),
    Case("TG404", "DeletionProtectionEnabled: VALUE", "true", "false", FAIL),
    Case("TG501", "MultiRegionEnabled: VALUE", "true", "false", PASS, template=LAKE),
    Case("TG502", "RetentionPeriod: VALUE", "400", "30", PASS, template=LAKE),
    Case("TG503", "TerminationProtectionEnabled: VALUE", "true", "false", PASS, template=LAKE),
    Case("TG504", "KmsKeyId: VALUE", "alias/audit", "''", FAIL, template=LAKE),
    Case("TG505", "IngestionEnabled: VALUE", "true", "false", PASS, template=LAKE),
)


# Rules that no single value of a template decides in all these ways; their folders show the ways that there are.
OTHERS = {
    "TG104": "DependsOn takes plain names only",
    "TG201": "what makes a policy the bucket's is a reference",
    "TG203": "a statement that misses the bucket by its name leaves the trail without any grant",
    "TG205": "a bound that does not fit makes TG203 fail",
    "TG206": "another principal is no grant to CloudTrail at all",
    "TG209": "a topic's policy is asked as the bucket's is",
    "TG210": "it is about how an ARN is written, not about its value",
    "TG212": "it is about what AWS takes, not about a value; tests/trails/bucket/test_accepted.py has its forms",
    "TG307": "DeletionPolicy takes plain text only",
    "TG309": "it is about how a name is written, not about its value",
    "TG310": "what makes an output the bucket's name is a reference",
    "TG601": "it takes two trails",
    "TG602": "it takes a trail that exists",
}


CONDITIONS = {
    "IsGood": "!Equals [!Ref Kind, good]",
    "IsSandbox": "!Equals [!Ref AWS::AccountId, '111122223333']",
    "IsGovCloud": "!Equals [!Ref AWS::Region, us-gov-west-1]",
}


def written(case: Case, value: str, parameters: str = "", more: str = "") -> str:
    """The template with the value written in some way, and what that needs."""
    old = case.instead or ("<line>" if case.template is LAKE else case.line.replace("VALUE", case.good))
    assert old in case.template, old
    text = case.template.replace(old, case.line.replace("VALUE", value), 1)
    named = "".join(f"  {name}: {test}\n" for name, test in CONDITIONS.items() if name in value)
    text = text.replace("Parameters:\n", f"Parameters:\n{parameters}", 1)
    return text.replace("Conditions:\n", f"Conditions:\n{named}", 1) + more


def verdict(text: str, settings: Settings, book: Rulebook) -> Finding:
    result = judge_file("t.yaml", text.encode(), Task(settings, book))
    assert result.errors == ()
    (finding,) = (item for item in result.findings if item.verdict != NOT_APPLICABLE or len(result.findings) == 1)
    return finding


def forms(case: Case) -> dict[str, tuple[str, str]]:
    """Each way to write the value, with the template and the verdict."""
    allowed = f"AllowedValues: [{case.good}, {case.bad}]"
    kind = "  Kind: {Type: String, AllowedValues: [good, bad]%s}\n"
    kinds = mapping({"good": case.good, "bad": case.bad})
    found = {
        "good": (written(case, case.good), PASS),
        "bad": (written(case, case.bad), FAIL),
        "parameter, good by default": (
            written(case, "!Ref P", f"  P: {{Type: String, Default: {case.good}, {allowed}}}\n"),
            CONDITIONAL,
        ),
        "parameter, bad by default": (
            written(case, "!Ref P", f"  P: {{Type: String, Default: {case.bad}, {allowed}}}\n"),
            FAIL,
        ),
        "parameter without default": (written(case, "!Ref P", f"  P: {{Type: String, {allowed}}}\n"), CONDITIONAL),
        "parameter that must be good": (
            written(case, "!Ref P", f"  P: {{Type: String, AllowedValues: [{case.good}]}}\n"),
            PASS,
        ),
        "condition, good by default": (
            written(case, f"!If [IsGood, {case.good}, {case.bad}]", kind % ", Default: good"),
            CONDITIONAL,
        ),
        "condition, bad by default": (
            written(case, f"!If [IsGood, {case.good}, {case.bad}]", kind % ", Default: bad"),
            FAIL,
        ),
        "mapping, good": (written(case, "!FindInMap [Kinds, good, Is]", more=kinds), PASS),
        "mapping, bad": (written(case, "!FindInMap [Kinds, bad, Is]", more=kinds), FAIL),
        "no value": (written(case, "!Ref AWS::NoValue"), case.missing),
        "import": (written(case, "!ImportValue Nobody-Exports-This"), case.imported),
    }
    return {**found, **boolean_forms(case)} if case.good == "true" else found


def mapping(rows: dict[str, str]) -> str:
    """The section Mappings with a value for each row."""
    return "\nMappings:\n  Kinds:\n" + "".join(f"    {row}: {{Is: {value}}}\n" for row, value in rows.items())


def boolean_forms(case: Case) -> dict[str, tuple[str, str]]:
    """The ways to write a Boolean: those that only it has, and some that show where a value may come from."""
    kind = "  Kind: {Type: String, AllowedValues: [good, bad]%s}\n"
    free = "  P: {Type: String, Default: 'true'}\n"
    bound = "  P: {Type: String, Default: true, AllowedValues: [true, false]}\n"
    required = "\nRules:\n  Required:\n    Assertions: [{Assert: !Equals [!Ref P, 'true']}]\n"
    stored = "  P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /audit}\n"
    by_kind, by_region = "!FindInMap [Kinds, !Ref Kind, Is]", "!FindInMap [Kinds, !Ref AWS::Region, Is]"
    mixed = mapping({"us-east-1": "true", "eu-west-1": "false", "good": "true", "bad": "false"})
    whole = mapping({"us-east-1": "true", "eu-west-1": "true", "good": "true", "bad": "true"})
    removed = written(case, "!If [IsGood, true, !Ref AWS::NoValue]", kind % ", Default: good")
    return {
        "text, good": (written(case, "'true'"), PASS),
        "text, bad": (written(case, "'false'"), FAIL),
        "word, good": (written(case, "yes"), PASS),
        "word, bad": (written(case, "no"), FAIL),
        "parameter that may be any text": (written(case, "!Ref P", free), CONDITIONAL),
        "parameter that an assertion binds": (written(case, "!Ref P", bound, required), PASS),
        "stored parameter": (written(case, "!Ref P", stored), case.imported),
        "dynamic reference": (written(case, "'{{resolve:ssm:/audit}}'"), case.imported),
        "condition that removes it": (removed, CONDITIONAL if case.missing == FAIL else PASS),
        "condition of the account": (written(case, "!If [IsSandbox, false, true]"), UNKNOWN),
        "condition of another partition": (written(case, "!If [IsGovCloud, false, true]"), PASS),
        "mapping by parameter": (written(case, by_kind, kind % "", mixed), CONDITIONAL),
        "mapping by parameter, good throughout": (written(case, by_kind, kind % "", whole), PASS),
        "mapping by Region": (written(case, by_region, more=mixed), CONDITIONAL),
        "mapping by Region, good throughout": (written(case, by_region, more=whole), PASS),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_each_way_to_write_it_has_its_verdict(case: Case) -> None:
    settings = Settings(select=(case.rule,))
    book = load(settings)
    found = {form: verdict(text, settings, book) for form, (text, _) in forms(case).items()}
    assert {form: finding.verdict for form, finding in found.items()} == {
        form: expected for form, (_, expected) in forms(case).items()
    }
    for form, finding in found.items():
        if finding.verdict == CONDITIONAL:
            assert list(finding.witness) == [varied(form)], form


def varied(form: str) -> str:
    """What decides about a value that is written in some way."""
    if form == "mapping by Region":
        return "AWS::Region"
    return "P" if form.startswith("parameter") else "Kind"


def test_every_rule_is_here_or_has_a_reason() -> None:
    assert sorted({case.rule for case in CASES} | set(OTHERS)) == sorted(ALL)
    assert not {case.rule for case in CASES} & set(OTHERS)
