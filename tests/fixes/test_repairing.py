"""Fixes in files of all kinds, proven as one, and what is not offered."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import ROOT
from trailguard.findings import CONDITIONAL, FAIL, PASS, VERDICTS, Report
from trailguard.fixes.edits import applied, decoded
from trailguard.fixes.repairing import Repaired, edits_of, offered, repaired, with_fixes
from trailguard.fixes.reporting import look_at, with_offers
from trailguard.judging.offers import Key, key_of
from trailguard.scanning import Outcome, scan
from trailguard.settings.settings import Settings

GOOD = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: audit-logs
      IsLogging: true
      IsMultiRegionTrail: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
"""


def faults(report: Report, rules: tuple[str, ...]) -> list[Key]:
    """What is at fault, by the rules whose ids begin somehow."""
    bad = (one for one in report.results if one.is_open and one.verdict in (FAIL, CONDITIONAL))
    return [key_of(one) for one in bad if one.rule.id.startswith(rules)]


def fix(folder: Path, *rules: str, unsafe: bool = False) -> tuple[Outcome, Repaired]:
    """Fix what some rules find in a folder, and write it."""
    look = look_at([str(folder)], Settings())
    before = look.outcome()
    result = repaired(look, before, faults(before.report, rules), unsafe)
    for name, edits in result.edits.items():
        file = before.files[name]
        Path(file.path).write_text(applied(decoded(file.data), edits), encoding="utf-8", newline="")
    return before, result


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


def written(folder: Path, **files: str) -> dict[str, str]:
    """Write files, whose names end in .yaml."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return texts(folder)


def changed(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[list[str], list[str]]]:
    """The lines that are gone from each file, and those that are new."""
    found = {}
    for name, text in after.items():
        old, new = before[name].splitlines(), text.splitlines()
        gone = [line.strip() for line in old if line not in new]
        come = [line.strip() for line in new if line not in old]
        if gone or come:
            found[name] = (gone, come)
    return found


def test_a_fix_lands_where_a_parent_hands_a_value_down(tmp_path: Path) -> None:
    before = written(
        tmp_path,
        root="""\
            Resources:
              Audit:
                Type: AWS::CloudFormation::Stack
                Properties:
                  TemplateURL: ./trail.yaml
                  Parameters: {Multi: 'false'}  # one Region is enough
        """,
        trail="Parameters: {Multi: {Type: String}}\n"
        + GOOD.replace("IsMultiRegionTrail: true", "IsMultiRegionTrail: !Ref Multi"),
    )
    _, result = fix(tmp_path, "TG101")
    assert changed(before, texts(tmp_path)) == {
        "root.yaml": (
            ["Parameters: {Multi: 'false'}  # one Region is enough"],
            ["Parameters: {Multi: 'true'}  # one Region is enough"],
        )
    }
    assert [plan.unsafe for plan in result.plans] == [""]


def test_what_needs_each_other_lands_in_several_files(tmp_path: Path) -> None:
    """The policy grants another folder, in a stack of its own that nothing orders before that of the trail."""
    before = written(
        tmp_path,
        root="""\
            Resources:
              Logs: {Type: AWS::S3::Bucket}
              Policy:
                Type: AWS::CloudFormation::Stack
                Properties: {TemplateURL: ./policy.yaml, Parameters: {Bucket: !Ref Logs}}
              Trail:
                Type: AWS::CloudFormation::Stack
                Properties: {TemplateURL: ./trail.yaml, Parameters: {Bucket: !Ref Logs}}
        """,
        policy="""\
            Parameters: {Bucket: {Type: String}}
            Resources:
              BucketPolicy:
                Type: AWS::S3::BucketPolicy
                Properties:
                  Bucket: !Ref Bucket
                  PolicyDocument:
                    Version: '2012-10-17'
                    Statement:
                    - Effect: Allow
                      Principal: {Service: cloudtrail.amazonaws.com}
                      Action: s3:GetBucketAcl
                      Resource: !Sub arn:${AWS::Partition}:s3:::${Bucket}
                    - Effect: Allow
                      Principal: {Service: cloudtrail.amazonaws.com}
                      Action: s3:PutObject
                      Resource: !Sub arn:${AWS::Partition}:s3:::${Bucket}/AWSLogs/${AWS::AccountId}/*
                      Condition: {StringEquals: {'s3:x-amz-acl': bucket-owner-full-control}}
        """,
        trail="Parameters: {Bucket: {Type: String}}\n"
        + GOOD.replace("audit-logs", "!Ref Bucket\n      S3KeyPrefix: audit"),
    )
    _, result = fix(tmp_path, "TG104", "TG203")
    path = "arn:${AWS::Partition}:s3:::${Bucket}"
    assert changed(before, texts(tmp_path)) == {
        "policy.yaml": (
            [f"Resource: !Sub {path}/AWSLogs/${{AWS::AccountId}}/*"],
            [f"Resource: !Sub {path}/audit/AWSLogs/${{AWS::AccountId}}/*"],
        ),
        "root.yaml": ([], ["DependsOn: Policy"]),
    }
    assert not result.left


def test_what_the_first_pass_wrote_in_one_file_stays_when_the_next_writes_another(tmp_path: Path) -> None:
    """Plain HTTP can be denied only in the policy that the first pass adds to the child; it edits the parent, too."""
    written(
        tmp_path,
        root="""\
            Resources:
              Logs: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./bucket.yaml}}
              Trail:
                Type: AWS::CloudTrail::Trail
                Properties: {IsLogging: true, S3BucketName: !GetAtt Logs.Outputs.Name}
        """,
        bucket="""\
            Resources:
              Bucket: {Type: AWS::S3::Bucket}
            Outputs:
              Name: {Value: !Ref Bucket}
        """,
    )
    _, result = fix(tmp_path, "TG101", "TG201", "TG308")
    assert not result.left
    found = {key_of(one): one.verdict for one in scan([str(tmp_path)], Settings(profile="all")).results}
    assert {found[key] for key in found if key.rule in ("TG101", "TG201", "TG308")} == {PASS}
    assert {key_of(one): one.verdict for one in result.outcome.report.results} == found


CASES = {
    "the body of a loop": (
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Trails:\n  - Name\n  - [A, B]\n"
        + textwrap.indent(
            GOOD.partition("\n")[2]
            .replace("  Trail:", "- Trail${Name}:")
            .replace("Validation: true", "Validation: false  # not yet"),
            "  ",
        ),
        (["EnableLogFileValidation: false  # not yet"], ["EnableLogFileValidation: true  # not yet"]),
    ),
    "one branch of a condition": (
        "Parameters: {Env: {Type: String}}\nConditions: {Prod: !Equals [!Ref Env, prod]}\n"
        + GOOD.replace("IsLogging: true", "IsLogging: !If [Prod, true, false]"),
        (["IsLogging: !If [Prod, true, false]"], ["IsLogging: !If [Prod, true, true]"]),
    ),
    "an anchor whose users all want it": (
        GOOD.replace("Properties:", "Properties: &same").replace("Validation: true", "Validation: false  # both")
        + "  Two:\n    Type: AWS::CloudTrail::Trail\n    Properties: *same\n",
        (["EnableLogFileValidation: false  # both"], ["EnableLogFileValidation: true  # both"]),
    ),
    "a stack set's body": (
        "Resources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      StackSetName: audit\n"
        "      PermissionModel: SELF_MANAGED\n      TemplateBody: |\n"
        + textwrap.indent(GOOD.replace("IsLogging: true", "IsLogging: false  # later"), "        "),
        (["IsLogging: false  # later"], ["IsLogging: true  # later"]),
    ),
    "JSON in a file of YAML": (
        (
            '{"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {\n'
            ' "EnableLogFileValidation": true, "IsMultiRegionTrail": true,\n "IsLogging": false,\n'
            ' "S3BucketName": "logs"}}}}'
        ),
        (['"IsLogging": false,'], ['"IsLogging": true,']),
    ),
    "null properties": (
        GOOD.replace("IsLogging: true", "IsLogging:  # to do"),
        (["IsLogging:  # to do"], ["IsLogging: true  # to do"]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_where_edits_land(tmp_path: Path, case: str) -> None:
    text, lines = CASES[case]
    before = written(tmp_path, trail=text)
    _, result = fix(tmp_path, "TG103", "TG106")
    assert changed(before, texts(tmp_path)) == {"trail.yaml": lines}, result.left
    assert not fix(tmp_path, "TG103", "TG106")[1].plans


def test_an_anchor_of_which_one_user_is_other_is_written_out(tmp_path: Path) -> None:
    """The second trail must stay as it is: two trails of all events are charged twice."""
    before = written(
        tmp_path,
        trail="""\
            Resources:
              One:
                Type: AWS::CloudTrail::Trail
                Properties: &same
                  S3BucketName: audit-logs
                  IsLogging: false
                  IncludeGlobalServiceEvents: true
              Two:
                Type: AWS::CloudTrail::Trail
                Properties:
                  <<: *same
                  IsMultiRegionTrail: true
        """,
    )
    look = look_at([str(tmp_path)], Settings())
    outcome = look.outcome()
    (wanted,) = [key for key in faults(outcome.report, ("TG106",)) if key.resource == "Two"]
    result = repaired(look, outcome, [wanted])
    (edits,) = result.edits.values()
    new = applied(before["trail.yaml"], edits)
    trails = yaml.safe_load(new)["Resources"]
    assert trails["Two"]["Properties"]["IsLogging"] is True
    assert [plan.key for plan in result.plans] == [wanted]


def test_included_parts_are_edited_where_they_are(tmp_path: Path) -> None:
    before = written(
        tmp_path,
        trail="""\
            Resources:
              Trail:
                Type: AWS::CloudTrail::Trail
                Properties:
                  Fn::Transform: {Name: AWS::Include, Parameters: {Location: part.yaml}}
        """,
        part="S3BucketName: logs\nIsLogging: false # off\nIncludeGlobalServiceEvents: true\n",
    )
    fix(tmp_path, "TG106")
    assert changed(before, texts(tmp_path)) == {"part.yaml": (["IsLogging: false # off"], ["IsLogging: true # off"])}


def test_a_policy_that_is_a_text_is_edited_inside(tmp_path: Path) -> None:
    example = (ROOT / "examples" / "compliant" / "audit-trail.yaml").read_text(encoding="utf-8")
    policy = """\
        !Sub |
          {"Version": "2012-10-17",
           "Statement": [
             {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
              "Action": "s3:GetBucketAcl", "Resource": "${Logs.Arn}"},
             {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
              "Action": "s3:PutObject", "Resource": "${Logs.Arn}/AWSLogs/${AWS::AccountId}/*"}
           ]}
        """
    assert example
    body = textwrap.indent(textwrap.dedent(policy), "        ").lstrip()
    text = (
        "Resources:\n  Logs: {Type: AWS::S3::Bucket}\n  Policy:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n"
        f"      Bucket: !Ref Logs\n      PolicyDocument: {body}"
        + GOOD.partition("\n")[2]
        .replace("audit-logs", "!Ref Logs")
        .replace("    Prop", "    DependsOn: Policy\n    Prop")
    )
    before = written(tmp_path, trail=text)
    _, result = fix(tmp_path, "TG105")
    ((gone, come),) = changed(before, texts(tmp_path)).values()
    assert not result.left
    assert all("PutObject" in line or "Condition" in line for line in gone)
    assert any('"s3:x-amz-acl": "bucket-owner-full-control"' in line for line in come)
    assert "${Logs.Arn}/AWSLogs/${AWS::AccountId}/*" in texts(tmp_path)["trail.yaml"]


def test_a_fix_that_makes_something_else_worse_is_not_offered(tmp_path: Path) -> None:
    second = GOOD.partition("\n")[2].replace("Trail:", "Second:", 1).replace("IsLogging: true", "IsLogging: false")
    written(tmp_path, trail=GOOD + second)
    _, result = fix(tmp_path, "TG106")
    assert not result.plans
    (reason,) = result.left.values()
    assert reason.startswith("set IsLogging to true does not help: it would make TG601 fail for Second")


def test_several_files_are_looked_at_again_as_they_are_by_then(tmp_path: Path) -> None:
    for name in ("acl-check-on-objects.yaml", "any-of-two-acls.yaml"):
        (tmp_path / name).write_bytes((ROOT / "examples" / "broken" / name).read_bytes())
    _, result = fix(tmp_path, "TG", unsafe=True)  # an organization's trail takes one more folder, at the second look
    assert texts(tmp_path)["acl-check-on-objects.yaml"].count("AWSLogs/o-*/*") == 1
    assert len(result.plans) == len({(plan.key, plan.title) for plan in result.plans})
    _, again = fix(tmp_path, "TG", unsafe=True)
    assert not again.plans


def test_one_bad_plan_does_not_stop_the_others(tmp_path: Path) -> None:
    """All are proven together first; those that fail are told apart, and the rest holds."""
    second = GOOD.partition("\n")[2].replace("Trail:", "Second:", 1).replace("IsLogging: true", "IsLogging: false")
    written(
        tmp_path,
        a=GOOD.replace("Validation: true", "Validation: false"),
        b=GOOD + second,
        c=GOOD.replace("true", "false"),
    )
    _, result = fix(tmp_path, "TG10")
    done = {(Path(plan.key.file).name, plan.key.rule) for plan in result.plans} | {
        (Path(key.file).name, key.rule) for key in result.also
    }
    assert done >= {
        ("a.yaml", "TG103"),
        ("c.yaml", "TG101"),
        ("c.yaml", "TG102"),
        ("c.yaml", "TG103"),
        ("c.yaml", "TG106"),
    }
    assert ("b.yaml", "TG106") not in done


def test_what_a_fix_reveals_is_repaired_with_it(tmp_path: Path) -> None:
    """With the misspelt name, no rule looks at the key; with the right one, its policy lacks a grant."""
    text = (ROOT / "examples" / "broken" / "key-for-administrators-only.yaml").read_text(encoding="utf-8")
    written(tmp_path, trail=text.replace("KMSKeyId:", "KmsKeyId:"))
    _, result = fix(tmp_path, "TG113")
    (plan,) = result.plans
    assert plan.title.startswith("Rename KmsKeyId to KMSKeyId; ")
    assert not faults(scan([str(tmp_path)], Settings()), ("TG",))


def test_reports_carry_the_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = written(tmp_path, trail=GOOD.replace("IsMultiRegionTrail: true", "IsMultiRegionTrail: 'false' # é 😀"))
    report = with_offers(scan(["trail.yaml"], Settings()), look_at(["trail.yaml"], Settings()))
    (found,) = [one for one in report.results if one.rule.id == "TG101"]
    assert found.fix is not None
    assert (found.fix.title, found.fix.unsafe, len(found.fix.edits)) == ("Set IsMultiRegionTrail to true", "", 1)
    files = look_at(["trail.yaml"], Settings()).outcome().files
    (edits,) = edits_of(found.fix, files).values()
    assert applied(before["trail.yaml"], edits) == before["trail.yaml"].replace("'false'", "'true'")
    assert all(one.fix is None for one in report.results if not one.is_open)


def test_unsafe_fixes_are_carried_with_their_reason(tmp_path: Path) -> None:
    written(
        tmp_path, trail="Parameters: {On: {Type: String}}\n" + GOOD.replace("IsLogging: true", "IsLogging: !Ref On")
    )
    look = look_at([str(tmp_path)], Settings())
    outcome = look.outcome()
    ((key, told),) = offered(look, outcome, faults(outcome.report, ("TG106",))).items()
    assert told.unsafe == "parameter On decides it now"
    report = with_fixes(outcome.report, {key: told})
    assert [one.fix for one in report.results if key_of(one) == key] == [told]


# --- whatever is broken in a good template --------------------------------------------------------------------------

DOCUMENT = (ROOT / "examples" / "compliant" / "audit-trail.yaml").read_text(encoding="utf-8")


def breakings(text: str, random: Random) -> Iterator[str]:
    """A template of which some lines are gone, or say something else."""
    lines = text.split("\n")
    usable = [number for number, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")]
    for number in sorted(random.sample(usable, random.randint(1, 3)), reverse=True):
        line = lines[number]
        words = {"true": "false", "cloudtrail.amazonaws.com": "logs.amazonaws.com", "s3:PutObject": "s3:GetObject"}
        word = next((one for one in words if one in line), None)
        if word is not None and random.random() < 0.7:
            lines[number] = line.replace(word, words[word])
        else:
            del lines[number]
    yield "\n".join(lines)


def standing_with(text: str, parameters: dict[str, str]) -> dict[tuple[str, str], int]:
    """How every subject stands with every rule, for some values of the parameters."""
    pinned = Settings(profile="all", parameters=parameters)
    report = scan(["-"], pinned, stdin=text.encode(), stdin_filename="t.yaml")
    found: dict[tuple[str, str], int] = {}
    for one in report.results:
        key = (one.rule.id, one.resource)
        found[key] = min(found.get(key, 9), VERDICTS.index(one.verdict))
    return found if not report.errors else {}


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_whatever_is_broken_is_fixed_for_every_choice_or_left(random: Random) -> None:
    """The proof, told by brute force: in each stack that the template can become, nothing is worse and it passes."""
    (text,) = breakings(DOCUMENT, random)
    look = look_at([], Settings(), given=("t.yaml", text.encode()))
    before = look.outcome()
    if before.report.errors:
        return
    wanted = faults(before.report, ("TG",))
    result = repaired(look, before, wanted, unsafe=True)
    if not result.plans:
        return
    (edits,) = result.edits.values()
    new = applied(text, edits)
    names = list(yaml.load(new, Loader=_Loose).get("Parameters") or {})
    values = dict.fromkeys(names[:2], ("", "x"))
    for chosen in itertools.product(*values.values()):
        pins = dict(zip(values, chosen, strict=True))
        old, now = standing_with(text, pins), standing_with(new, pins)
        if not old:  # the parameters do not accept this
            continue
        passing = VERDICTS.index(PASS)
        for plan in result.plans:
            assert now[plan.key.rule, plan.key.resource] >= passing, (plan, pins)
        unknown = VERDICTS.index("unknown")
        for key, rank in old.items():
            assert now.get(key, unknown) >= min(rank, passing if rank == passing else unknown), (key, pins, new)


class _Loose(yaml.SafeLoader):
    """Reads short tags as what stands behind them."""


_Loose.add_multi_constructor("!", lambda loader, suffix, node: None)


REFUSED = """\
Resources:
  Logs: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Statement:
        - Effect: Allow
          Principal: {Service: cloudtrail.amazonaws.com}
          Action: s3:GetBucketAcl
          Resource: arn:aws:s3:::elsewhere
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: !Ref Logs}
"""


def test_each_fix_that_is_offered_holds_without_the_others(tmp_path: Path) -> None:
    """The policy is refused as a whole because of one statement, so granting the write alone would not be enough."""
    written(tmp_path, policy=REFUSED)
    look = look_at([str(tmp_path)], Settings())
    before = look.outcome()
    fixes = offered(look, before, faults(before.report, ("TG2", "TG1")))
    assert {"TG202", "TG203", "TG212"} <= {key.rule for key in fixes}
    for key, fix_ in fixes.items():
        edits = edits_of(fix_, before.files)
        contents = {
            name: before.files[name]._replace(data=applied(REFUSED, those).encode()) for name, those in edits.items()
        }
        after = {key_of(one): one.verdict for one in look.outcome(contents).report.results}
        assert after[key] == PASS, (key, fix_.title)
