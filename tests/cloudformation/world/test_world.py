"""Templates that are scanned together: exports and imports, nested stacks, stack sets, contexts."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trailguard.findings import Report
from trailguard.scanning import scan
from trailguard.settings.settings import Context, Settings, load

BUCKET = """
  LogBucket:
    Type: AWS::S3::Bucket
"""
POLICY = """
  LogBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: {bucket}
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: s3:GetBucketAcl
            Resource: "*"
          - Effect: Allow
            Principal: {{Service: cloudtrail.amazonaws.com}}
            Action: s3:PutObject
            Resource: "*"
            Condition: {{StringEquals: {{"s3:x-amz-acl": bucket-owner-full-control}}}}
"""
OUTPUT = """
Outputs:
  BucketName:
    Value: !Ref LogBucket
    Export: {{Name: {name}}}
"""
TRAIL = """
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: {multi}
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
      S3BucketName: {bucket}
"""


def logs(name: str = "audit-logs", policy: bool = True, head: str = "") -> str:
    """A bucket that a stack exports, with its policy."""
    body = BUCKET + (POLICY.format(bucket="!Ref LogBucket") if policy else "")
    return f"{head}Resources:{body}{OUTPUT.format(name=name)}"


def trail(bucket: str, head: str = "", multi: str = "true") -> str:
    return f"{head}Resources:{TRAIL.format(bucket=bucket, multi=multi)}"


def stack(url: str, parameters: str = "", more: str = "", name: str = "Audit") -> str:
    handed = f"\n      Parameters: {parameters}" if parameters else ""
    return (
        f"\n  {name}:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: {url}{handed}{more}\n"
    )


Scanner = Callable[..., Report]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scanner:
    """Scans a folder with some files in it."""
    monkeypatch.chdir(tmp_path)

    def scanned(files: dict[str, str], paths: tuple[str, ...] = (".",), **settings: Any) -> Report:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return scan(paths, Settings(**settings))

    return scanned


def verdict(report: Report, rule: str) -> tuple[str, str, str]:
    """The only verdict of a rule, the file that it is in, and its reason or its witness."""
    (found,) = [item for item in report.results if item.rule.id == rule]
    witness = ", ".join(f"{name}={value}" for name, value in found.witness.items())
    return found.verdict, found.place.file, found.reason or witness


def notices(report: Report) -> list[tuple[str, int, str]]:
    return [(notice.file, notice.line, notice.message) for notice in report.notices]


# --- exports and imports ----------------------------------------------------------------------------------------------

PARAMETER = "Parameters: {LogStack: {Type: String}}\n"
DEFAULT = "Parameters: {LogStack: {Type: String, Default: logs}}\n"
WHOLE = "Parameters: {Name: {Type: String, Default: audit-logs}}\n"
IMPORTS: list[tuple[str, str, str]] = [
    ("audit-logs", "", "!ImportValue audit-logs"),
    ("audit-logs", WHOLE, "!ImportValue {Ref: Name}"),
    ("!Sub '${AWS::StackName}-logs'", PARAMETER, "{'Fn::ImportValue': !Sub '${LogStack}-logs'}"),
    ("!Sub '${AWS::StackName}-logs'", DEFAULT, "{'Fn::ImportValue': !Sub '${LogStack}-logs'}"),
    ("!Join ['-', [!Ref 'AWS::StackName', logs]]", PARAMETER, "!ImportValue {'Fn::Sub': '${LogStack}-logs'}"),
    ("!Join ['-', [!Ref 'AWS::StackName', logs]]", "", "!ImportValue prod-logs"),
    ("!Sub 'audit-${AWS::Region}-logs'", "", "{'Fn::ImportValue': !Sub 'audit-${AWS::Region}-logs'}"),
    ("!Sub '${LogBucket}-logs'", PARAMETER, "{'Fn::ImportValue': !Sub '${LogStack}-logs'}"),  # a name made up by AWS
    ("!Sub '${AWS::StackName}:logs'", PARAMETER, "{'Fn::ImportValue': {'Fn::Join': [':', [{Ref: LogStack}, logs]]}}"),
]  # fmt: skip


@pytest.mark.parametrize(("exported", "head", "imported"), IMPORTS, ids=range(len(IMPORTS)))
def test_imports_find_their_export(exported: str, head: str, imported: str, world: Scanner) -> None:
    files = {"logs.yaml": logs(exported), "trail.yaml": trail(imported, head)}
    report = world(files, profile="default")
    assert report.summary()["pass"] == 15, [item for item in report.results if item.verdict != "pass"]
    assert (report.errors, report.notices) == ((), ())


UNKNOWN_IMPORTS: list[tuple[dict[str, str], str, str, str]] = [
    ({"logs.yaml": logs("other-bucket")}, "", "!ImportValue audit-logs", 'no scanned template exports "audit-logs"'),
    ({"logs.yaml": logs("!Sub '${AWS::StackName}-vpc'")}, PARAMETER, "{'Fn::ImportValue': !Sub '${LogStack}-logs'}",
     'no scanned template exports "${LogStack}-logs"'),
    ({"a.yaml": logs("!Sub '${AWS::StackName}-logs'"), "b.yaml": logs("!Sub '${AWS::StackName}-logs'")}, PARAMETER,
     "{'Fn::ImportValue': !Sub '${LogStack}-logs'}",
     'several scanned templates may export "${LogStack}-logs": a.yaml (BucketName), b.yaml (BucketName)'),
    ({"logs.yaml": "Transform: Rewriter\n" + logs()}, "", "!ImportValue audit-logs",
     "macro Rewriter may rewrite logs.yaml, which exports it"),
    ({"logs.yaml": logs("!Sub '${AWS::StackName}-logs'")}, PARAMETER, "!ImportValue {Ref: LogStack}",
     'no scanned template exports "${LogStack}"'),
]  # fmt: skip


@pytest.mark.parametrize(("files", "head", "imported", "reason"), UNKNOWN_IMPORTS, ids=range(len(UNKNOWN_IMPORTS)))
def test_imports_that_cannot_be_told(
    files: dict[str, str], head: str, imported: str, reason: str, world: Scanner
) -> None:
    report = world({**files, "trail.yaml": trail(imported, head)}, select=("TG203",))
    found, file, why = verdict(report, "TG203")
    assert (found, file) == ("unknown", "trail.yaml")
    assert reason in why


def test_the_exact_name_goes_before_a_fitting_one(world: Scanner) -> None:
    files = {"a.yaml": logs("prod-logs", policy=False), "b.yaml": logs("!Sub '${AWS::StackName}-logs'")}
    report = world({**files, "trail.yaml": trail("!ImportValue prod-logs")}, select=("TG201",))
    assert verdict(report, "TG201")[:2] == ("fail", "a.yaml")


STAGED = "!Sub 'logs-${Stage}'"


def test_an_export_is_the_one_with_the_imported_name(world: Scanner) -> None:
    """The exporting stack is the one whose own parameters give the name: they are not free any more."""
    stages = "Parameters: {Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}}\n"
    conditions = "Conditions: {IsProd: !Equals [!Ref Stage, prod]}\n"
    policy = POLICY.format(bucket="!Ref LogBucket").replace("Type:", "Condition: IsProd\n    Type:", 1)
    exporter = f"{stages}{conditions}Resources:{BUCKET}{policy}{OUTPUT.format(name=STAGED)}"
    for stage, expected in (("prod", "pass"), ("dev", "fail")):
        report = world({"logs.yaml": exporter, "trail.yaml": trail(f"!ImportValue logs-{stage}")}, select=("TG201",))
        assert verdict(report, "TG201")[0] == expected
    wanted = stages.replace("Stage", "Env")
    imported = "{'Fn::ImportValue': !Sub 'logs-${Env}'}"
    report = world({"logs.yaml": exporter, "trail.yaml": trail(imported, wanted)}, select=("TG201",))
    assert verdict(report, "TG201")[0] == "fail"  # by default
    report = world({"trail.yaml": trail(imported, wanted.replace("dev,", "prod,", 1))}, select=("TG201",))
    assert verdict(report, "TG201") == ("conditional", "logs.yaml", "Env=dev")


def test_the_finding_is_where_the_mend_belongs(world: Scanner) -> None:
    bad = logs().replace("bucket-owner-full-control", "private")
    report = world({"logs.yaml": bad, "trail.yaml": trail("!ImportValue audit-logs")}, select=("TG105", "TG203"))
    found = {item.rule.id: item for item in report.results}["TG203"]
    assert (found.verdict, found.place.file, found.subject_file, found.resource) == (
        "fail",
        "logs.yaml",
        "trail.yaml",
        "Trail",
    )
    assert found.place.path[:2] == ("Resources", "LogBucketPolicy")
    assert bad.split("\n")[found.place.span.line - 1].strip().startswith(("- Effect", "Condition", "PolicyDocument"))
    assert found.related == () or found.related[0].file == "trail.yaml"


def test_what_a_bucket_is_like_is_told_in_its_own_file(world: Scanner) -> None:
    report = world({"logs.yaml": logs(), "trail.yaml": trail("!ImportValue audit-logs")}, select=("TG302",))
    assert [(item.verdict, item.place.file, item.resource, item.subject_file) for item in report.results] == [
        ("fail", "logs.yaml", "LogBucket", "")
    ]


def test_stacks_without_an_order_between_them(world: Scanner) -> None:
    bucket = f"Resources:{BUCKET}{OUTPUT.format(name='audit-logs')}"
    policy = f"Resources:{POLICY.format(bucket='!ImportValue audit-logs')}"
    files = {"bucket.yaml": bucket, "policy.yaml": policy, "trail.yaml": trail("!ImportValue audit-logs")}
    report = world(files, select=("TG104", "TG203"))
    assert verdict(report, "TG203")[0] == "pass"
    assert verdict(report, "TG104")[0] == "unknown"
    assert "whoever deploys them chooses the order" in verdict(report, "TG104")[2]


def test_a_policy_that_imports_from_the_trail_comes_too_late(world: Scanner) -> None:
    first = trail("!Ref LogBucket") + BUCKET + OUTPUT.format(name="audit-logs")
    files = {"trail.yaml": first, "policy.yaml": f"Resources:{POLICY.format(bucket='!ImportValue audit-logs')}"}
    report = world(files, select=("TG104",))
    assert verdict(report, "TG104")[:2] == ("fail", "trail.yaml")


def test_a_template_that_imports_from_itself_finds_nothing(world: Scanner) -> None:
    text = trail("!ImportValue audit-logs") + BUCKET + OUTPUT.format(name="audit-logs")
    report = world({"trail.yaml": text}, select=("TG203",))
    assert verdict(report, "TG203")[0] == "unknown"


def test_exports_of_another_account_are_not_meant(tmp_path: Path, world: Scanner) -> None:
    contexts = (
        Context("one", ("logs.yaml",), account_id="111122223333"),
        Context("two", ("trail.yaml",), account_id="444455556666"),
    )
    files = {"logs.yaml": logs(), "trail.yaml": trail("!ImportValue audit-logs")}
    report = world(files, select=("TG203",), contexts=contexts, root=str(tmp_path))
    assert verdict(report, "TG203")[0] == "unknown"


# --- nested stacks ----------------------------------------------------------------------------------------------------

CHILD = trail("!Ref Bucket", "Parameters: {Bucket: {Type: String}}\n")
PARENT = f"Resources:{BUCKET}{POLICY.format(bucket='!Ref LogBucket')}"
AFTER = "\n    DependsOn: LogBucketPolicy"

URLS = [
    "child.yaml", "./child.yaml", "../stacks/child.yaml", "file://child.yaml",
    "https://s3.eu-west-1.amazonaws.com/artifacts/stacks/child.yaml",
    "https://artifacts.s3.amazonaws.com/stacks/child.yaml?versionId=abc",
    "!Sub 'https://${AWS::AccountId}-artifacts.s3.${AWS::Region}.${AWS::URLSuffix}/stacks/child.yaml'",
    "!Join ['/', [!Ref Base, stacks, child.yaml]]",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS, ids=range(len(URLS)))
def test_nested_templates_are_found(url: str, world: Scanner) -> None:
    head = "Parameters: {Base: {Type: String}}\n"
    parent = head + PARENT + stack(url, "{Bucket: !Ref LogBucket}", AFTER)
    report = world({"stacks/parent.yaml": parent, "stacks/child.yaml": CHILD})
    assert (report.summary()["pass"], report.notices, report.subjects) == (15, (), 2)
    contexts = {(item.resource, item.contexts) for item in report.results}
    assert contexts == {("Trail", ("Audit of stacks/parent.yaml",)), ("LogBucket", ())}


@pytest.mark.parametrize(
    ("url", "name"),
    [("s/my%20trail.yaml", "s/my trail.yaml"), ("s/a%20b.yaml", "s/a%20b.yaml"), ("s/b%C3%BC.tpl", "s/b\u00fc.tpl")],
)
@pytest.mark.parametrize("start", ["https://b.s3.amazonaws.com/", "!Sub https://b.s3.${AWS::Region}.amazonaws.com/"])
def test_urls_are_decoded(url: str, name: str, start: str, world: Scanner) -> None:
    parent = PARENT + stack(start + url, "{Bucket: !Ref LogBucket}", AFTER)
    report = world({"parent.yaml": parent, name: CHILD}, select=("TG201",))
    assert (verdict(report, "TG201")[0], report.notices) == ("pass", ())


def test_the_url_s_folders_choose_among_files_of_one_name(world: Scanner) -> None:
    url = "https://s3.amazonaws.com/artifacts/two/child.yaml"
    parent = PARENT + stack(url, "{Bucket: !Ref LogBucket}", AFTER)
    other = CHILD.replace("EnableLogFileValidation: true", "EnableLogFileValidation: false")
    report = world({"parent.yaml": parent, "one/child.yaml": other, "two/child.yaml": CHILD}, select=("TG103",))
    assert [(item.place.file, item.verdict, bool(item.contexts)) for item in report.results] == [
        ("one/child.yaml", "fail", False),
        ("two/child.yaml", "pass", True),
    ]


def test_two_files_that_fit_equally_are_told(world: Scanner) -> None:
    parent = PARENT + stack("https://s3.amazonaws.com/artifacts/child.yaml", "{Bucket: !Ref LogBucket}")
    report = world({"parent.yaml": parent, "one/child.yaml": CHILD, "two/child.yaml": CHILD}, select=("TG201",))
    text = "the template of Audit may be any of these: one/child.yaml, two/child.yaml"
    assert notices(report) == [("parent.yaml", parent[: parent.index("https:")].count("\n") + 1, text)]


MISSING: list[tuple[str, str]] = [
    ("gone.yaml", "the template of Audit is not there: gone.yaml"),
    ("../outside.yaml", "the template of Audit lies outside of what is scanned, or cannot be read: ../outside.yaml"),
    ("parent.yaml", "Audit makes a stack of stacks/parent.yaml, which makes this one: a circle"),
]


@pytest.mark.parametrize(("url", "text"), MISSING, ids=[url for url, _ in MISSING])
def test_templates_that_cannot_be_followed_are_told(url: str, text: str, world: Scanner) -> None:
    parent = f"Resources:{TRAIL.format(bucket='!GetAtt Audit.Outputs.Bucket', multi='true')}" + stack(url)
    report = world({"stacks/parent.yaml": parent, "outside.yaml": CHILD}, ("stacks",), select=("TG203", "TG101"))
    line = parent[: parent.index("TemplateURL")].count("\n") + 1
    assert notices(report) == [("stacks/parent.yaml", line, text)]
    own = report._replace(results=tuple(item for item in report.results if item.resource == "Trail"))
    assert verdict(own, "TG101")[0] == "pass"
    assert verdict(own, "TG203")[0] == "unknown"
    hidden = [(item.place.span.line, item.verdict, item.reason) for item in report.results if item.resource == "Audit"]
    assert hidden == ([] if "circle" in text else [(line, "unknown", text)] * 2)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, world: Scanner) -> None:
    (tmp_path / "secret.yaml").write_text(CHILD)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "child.yaml").symlink_to(tmp_path / "secret.yaml")
    parent = PARENT + TRAIL.format(bucket="b", multi="true") + stack("child.yaml", "{Bucket: !Ref LogBucket}")
    report = world({"stacks/parent.yaml": parent}, ("stacks",))
    assert "lies outside" in report.notices[0].message
    assert {item.place.file for item in report.results} == {"stacks/parent.yaml"}


def test_a_circle_of_templates_ends(world: Scanner) -> None:
    one, two = CHILD + stack("two.yaml", "{Bucket: !Ref Bucket}"), CHILD + stack("one.yaml", "{Bucket: !Ref Bucket}")
    report = world({"one.yaml": one, "two.yaml": two}, select=("TG101",))
    assert [(item.place.file, item.verdict) for item in report.results] == [("one.yaml", "pass"), ("two.yaml", "pass")]
    assert any("a circle" in notice.message for notice in report.notices)


def test_outputs_are_handed_up_through_several_levels(world: Scanner) -> None:
    inner = (
        f"Resources:{BUCKET}{POLICY.format(bucket='!Ref LogBucket')}Outputs: {{Bucket: {{Value: !Ref LogBucket}}}}\n"
    )
    middle = (
        "Resources:" + stack("inner.yaml", name="Inner") + "Outputs: {Bucket: {Value: !GetAtt Inner.Outputs.Bucket}}\n"
    )
    outer = trail("!Sub '${Logs.Outputs.Bucket}'") + stack("middle.yaml", name="Logs")
    report = world({"outer.yaml": outer, "middle.yaml": middle, "inner.yaml": inner})
    assert (report.summary()["pass"], report.notices) == (15, ())
    assert verdict(report, "TG104")[0] == "pass"  # a stack is complete when all in it is


ORDERS: list[tuple[str, str, str]] = [
    (AFTER, "pass", ""),
    ("", "fail", "parent.yaml"),
    ("\n    Metadata: {After: !Ref LogBucketPolicy}", "pass", ""),
    ("\n    DependsOn: LogBucket", "fail", "parent.yaml"),
]


@pytest.mark.parametrize(("more", "expected", "file"), ORDERS, ids=range(len(ORDERS)))
def test_what_is_in_a_nested_stack_waits_with_it(more: str, expected: str, file: str, world: Scanner) -> None:
    parent = PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}", more)
    report = world({"parent.yaml": parent, "child.yaml": CHILD}, select=("TG104",))
    assert verdict(report, "TG104")[:2] == (expected, file or "child.yaml")
    if expected == "fail":
        (found,) = report.results
        assert "Audit, which makes the stack of child.yaml:Trail, wait" in found.message
        assert found.place.path == ("Resources", "Audit") or found.place.path == ("Resources", "Audit", "DependsOn")


def test_a_trail_beside_the_nested_stack_of_its_policy(world: Scanner) -> None:
    nested = f"Parameters: {{Bucket: {{Type: String}}}}\nResources:{POLICY.format(bucket='!Ref Bucket')}"
    for more, expected in (("", "fail"), ("\n    DependsOn: Policy", "pass")):
        body = TRAIL.format(bucket="!Ref LogBucket", multi="true").rstrip() + more + "\n"
        parent = f"Resources:{BUCKET}{body}" + stack("policy.yaml", "{Bucket: !Ref LogBucket}", name="Policy")
        report = world({"parent.yaml": parent, "policy.yaml": nested}, select=("TG104", "TG203"))
        assert verdict(report, "TG203")[0] == "pass"
        assert verdict(report, "TG104")[:2] == (expected, "parent.yaml")


def test_parameters_are_bound_to_arguments(world: Scanner) -> None:
    child = trail("some-bucket", "Parameters: {Multi: {Type: String, Default: 'true'}}\n", "!Ref Multi")
    head = "Parameters: {All: {Type: String, Default: 'true', AllowedValues: ['true', 'false']}}\n"
    cases = [
        ("", "", ("pass", "child.yaml", "")),  # nobody can change the default any more
        ("{Multi: 'false'}", "", ("fail", "child.yaml", "")),
        ("{Multi: false}", "", ("fail", "child.yaml", "")),
        ("{Multi: !Ref All}", head, ("conditional", "child.yaml", "All=false")),
        ("{Multi: !Ref 'AWS::NoValue'}", "", ("pass", "child.yaml", "")),
        ("{Multi: !ImportValue nobody}", "", ("unknown", "child.yaml", None)),
    ]
    for handed, start, expected in cases:
        parent = f"{start}Resources:" + stack("child.yaml", handed)
        found = verdict(world({"parent.yaml": parent, "child.yaml": child}, select=("TG101",)), "TG101")
        assert found[: 3 if expected[2] is not None else 2] == expected[: 3 if expected[2] is not None else 2], handed


def test_a_child_s_constraints_bind_the_parent(world: Scanner) -> None:
    child = trail("b", "Parameters: {Multi: {Type: String, AllowedValues: ['true']}}\n", "!Ref Multi")
    head = "Parameters: {All: {Type: String}}\n"
    report = world({"parent.yaml": head + "Resources:" + stack("child.yaml", "{Multi: !Ref All}"), "child.yaml": child})
    assert verdict(report, "TG101")[0] == "pass"  # with any other value there is no stack


def test_a_list_is_handed_down_as_text(world: Scanner) -> None:
    names = "Parameters: {Names: {Type: CommaDelimitedList}}\n"
    child = trail("!Select [1, !Ref Names]", names)
    parent = PARENT + stack("child.yaml", "{Names: !Join [',', [a, !Ref LogBucket]]}", AFTER)
    report = world({"parent.yaml": parent, "child.yaml": child}, select=("TG201", "TG203"))
    assert [item.verdict for item in report.results] == ["pass", "pass"]


def test_arguments_that_do_not_fit_are_told(world: Scanner) -> None:
    parent = "Resources:" + stack("child.yaml", "{Bucked: a}")
    report = world({"parent.yaml": parent, "child.yaml": CHILD}, select=("TG101",))
    assert sorted(notice.message for notice in report.notices) == [
        "Audit hands child.yaml a parameter Bucked that it does not have",
        "Audit hands child.yaml nothing for its parameter Bucket",
    ]


def test_each_parent_is_a_context(world: Scanner) -> None:
    child = trail("b", "Parameters: {Multi: {Type: String}}\n", "!Ref Multi")
    files = {"child.yaml": child}
    for name, value in (("one", "true"), ("two", "false"), ("three", "false")):
        files[f"{name}.yaml"] = "Resources:" + stack("child.yaml", f"{{Multi: '{value}'}}")
    report = world(files, select=("TG101", "TG102"))
    told = {(item.rule.id, item.verdict, item.contexts) for item in report.results}
    assert told == {
        ("TG102", "pass", ("Audit of one.yaml", "Audit of three.yaml", "Audit of two.yaml")),
        ("TG101", "fail", ("Audit of three.yaml",)),  # what is handed down stands in another file
        ("TG101", "fail", ("Audit of two.yaml",)),
        ("TG101", "pass", ("Audit of one.yaml",)),
    }
    assert len({item.fingerprint for item in report.results}) == len(report.results)
    assert report.subjects == 1


def test_a_trail_that_no_parent_and_no_context_makes_is_told(world: Scanner) -> None:
    said = "Trail is made for no allowed choice of parameters, so it is not judged"
    child = CONDITION + trail("b").replace("    Properties", "    Condition: Made\n    Properties", 1)
    parent = "Resources:" + stack("child.yaml", "{Make: 'no'}")
    report = world({"child.yaml": child, "one.yaml": parent}, select=("TG101",))
    assert [(item.file, item.message) for item in report.notices] == [("child.yaml", said)]
    report = world({"two.yaml": parent.replace("'no'", "'yes'")}, select=("TG101",))
    assert report.notices == ()  # one of them makes it
    (Path.cwd() / "two.yaml").unlink()
    contexts = [Context(name, ("*.yaml",), {"Make": name}) for name in ("no", "yes")]
    report = world({"one.yaml": "{}"}, select=("TG101",), contexts=tuple(contexts[:1]))
    assert [(item.file, item.message) for item in report.notices] == [("child.yaml", said)]
    assert world({}, select=("TG101",), contexts=tuple(contexts)).notices == ()


def test_an_export_that_is_never_there_makes_no_trail(world: Scanner) -> None:
    exporter = logs().replace("Value:", "Condition: Never\n    Value:", 1)
    exporter = "Conditions: {Never: !Equals [a, b]}\n" + exporter
    report = world({"logs.yaml": exporter, "trail.yaml": trail("!ImportValue audit-logs")})
    assert [item.message for item in report.notices] == [
        "Trail is made for no allowed choice of parameters, so it is not judged",
        "with the default values no stack can be made (the export audit-logs is not there in this scenario)",
    ]


def test_a_child_alone_is_judged_only_without_a_parent(world: Scanner) -> None:
    parent = PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}", AFTER)
    report = world({"parent.yaml": parent, "child.yaml": CHILD}, ("child.yaml",), select=("TG201",))
    assert verdict(report, "TG201")[0] == "unknown"
    report = world({}, ("child.yaml", "parent.yaml"), select=("TG201",))
    assert verdict(report, "TG201")[0] == "pass"


CONDITION = "Parameters: {Make: {Type: String, Default: 'no'}}\nConditions: {Made: !Equals [!Ref Make, 'yes']}\n"


def test_a_conditional_nested_stack(world: Scanner) -> None:
    made = "\n    Condition: Made"
    parent = CONDITION + PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}", made + AFTER)
    report = world({"parent.yaml": parent, "child.yaml": CHILD})
    assert report.summary()["pass"] == 15
    # a policy that is only there with its stack
    nested = f"Parameters: {{Bucket: {{Type: String}}}}\nResources:{POLICY.format(bucket='!Ref Bucket')}"
    parent = CONDITION + f"Resources:{BUCKET}{TRAIL.format(bucket='!Ref LogBucket', multi='true')}"
    parent += stack("policy.yaml", "{Bucket: !Ref LogBucket}", made, name="Policy")
    report = world({"parent.yaml": parent, "child.yaml": "", "policy.yaml": nested}, select=("TG201",))
    assert verdict(report, "TG201")[0] == "fail"  # by default there is none


def test_a_macro_in_the_child_makes_its_own_verdicts_unknown(world: Scanner) -> None:
    child = "Transform: Rewriter\n" + CHILD
    other = TRAIL.format(bucket="!Ref LogBucket", multi="true").replace("  Trail:", "  Other:")
    parent = PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}", AFTER) + other
    report = world({"parent.yaml": parent, "child.yaml": child}, select=("TG101",))
    assert {(item.resource, item.verdict) for item in report.results} == {("Trail", "unknown"), ("Other", "pass")}


def test_a_nested_application_of_sam(world: Scanner) -> None:
    application = stack("child.yaml", "{Bucket: !Ref LogBucket}", AFTER)
    application = application.replace("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
    application = application.replace("TemplateURL", "Location")
    parent = "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: 3}}\n" + PARENT + application
    report = world({"parent.yaml": parent, "child.yaml": CHILD})
    assert report.summary()["pass"] == 15


# --- stack sets -------------------------------------------------------------------------------------------------------


def stack_set(body: str, more: str = "") -> str:
    return f"\n  Trails:\n    Type: AWS::CloudFormation::StackSet{more}\n    Properties:\n      {body}\n"


def indented(text: str, by: int = 8) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def test_a_template_in_a_stack_set_is_judged_where_it_stands(world: Scanner) -> None:
    inner = trail("central-logs", multi="false")
    text = "Resources:" + stack_set("TemplateBody: |\n" + indented(inner))
    report = world({"set.yaml": text}, select=("TG101",))
    (found,) = report.results
    assert (found.verdict, found.place.file, found.contexts) == ("fail", "set.yaml", ("Trails of set.yaml",))
    line = text.split("\n")[found.place.span.line - 1]
    assert line[found.place.span.column - 1 : found.place.span.end_column - 1] == "false"


def test_a_template_in_json_points_to_the_whole_text(world: Scanner) -> None:
    properties = {"IsLogging": True, "S3BucketName": "b"}
    inner = json.dumps({"Resources": {"T": {"Type": "AWS::CloudTrail::Trail", "Properties": properties}}})
    text = json.dumps(
        {"Resources": {"S": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": inner}}}}
    )
    (found,) = world({"set.json": text}, select=("TG101",)).results
    assert (found.verdict, found.resource, found.place.span.column) == ("fail", "T", text.index('"{') + 1)


def test_sub_fills_in_values_of_the_outer_template(world: Scanner) -> None:
    inner = trail("${LogBucket}").replace(
        "Properties:", "Properties:\n      TrailName: !Sub '${!AWS::StackName}-${LogBucket}'"
    )
    text = PARENT + stack_set("TemplateBody: !Sub |\n" + indented(inner), "\n    DependsOn: LogBucketPolicy")
    report = world({"set.yaml": text})
    assert (report.summary()["pass"], report.errors) == (15, ())


def test_a_stack_set_works_in_accounts_of_its_own(world: Scanner) -> None:
    """A policy for the parent's account does not cover what trails of other accounts write."""
    policy = POLICY.format(bucket="!Ref LogBucket")
    own = policy.replace(
        'Resource: "*"\n            Condition',
        'Resource: !Sub "${LogBucket.Arn}/AWSLogs/${AWS::AccountId}/*"\n            Condition',
    )
    text = f"Resources:{BUCKET}{own}" + stack_set("TemplateBody: !Sub |\n" + indented(trail("${LogBucket}")))
    assert verdict(world({"set.yaml": text}, select=("TG203",)), "TG203")[0] == "unknown"


OVERRIDDEN = """
      Parameters: [{ParameterKey: Multi, ParameterValue: 'true'}]
      StackInstancesGroup:
        - {DeploymentTargets: {Accounts: ['111122223333']}, Regions: [eu-west-1]}
        - DeploymentTargets: {Accounts: ['444455556666']}
          Regions: [eu-west-1]
          ParameterOverrides: [{ParameterKey: Multi, ParameterValue: 'false'}]
      TemplateBody: |
"""


def test_overridden_parameters_are_judged_apart(world: Scanner) -> None:
    inner = trail("b", "Parameters: {Multi: {Type: String}}\n", "!Ref Multi")
    body = OVERRIDDEN + indented(inner)
    report = world({"set.yaml": "Resources:" + stack_set(body.strip())}, select=("TG101",))
    assert {(item.verdict, item.contexts) for item in report.results} == {
        ("pass", ("Trails of set.yaml",)),
        ("fail", ("Trails[group 2] of set.yaml",)),
    }


def test_a_nested_stack_inside_a_stack_set_is_found_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nested = (
        "Resources:\n  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: child.yaml\n"
    )
    (tmp_path / "parent.yaml").write_text("Resources:" + stack_set("TemplateBody: |\n" + indented(nested)))
    (tmp_path / "child.yaml").write_text("Resources:" + TRAIL.format(multi="false", bucket="logs"))
    report = scan(["."], Settings(select=("TG101",)))
    assert report.errors == ()
    assert [(item.place.file, item.verdict) for item in report.results] == [("child.yaml", "fail")]


def test_a_bug_in_how_templates_belong_together_hides_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAILGUARD_DEBUG", raising=False)
    monkeypatch.setattr("trailguard.reading.kinship.World", broken)
    (tmp_path / "parent.yaml").write_text(
        "Resources:\n  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: child.yaml}\n"
    )
    (tmp_path / "child.yaml").write_text("Resources:" + TRAIL.format(multi="false", bucket="logs"))
    report = scan(["."], Settings(select=("TG101",)))
    assert [(item.place.file, item.verdict) for item in report.results] == [("child.yaml", "fail")]
    assert {error.file for error in report.errors} == {"child.yaml", "parent.yaml"}
    assert all("ZeroDivisionError: boom" in error.message for error in report.errors)


def test_an_inner_template_that_cannot_be_read_is_an_error(world: Scanner) -> None:
    text = (
        "Resources:"
        + stack_set("TemplateBody: |\n" + indented("Resources:\n  A: [\n"))
        + TRAIL.format(bucket="b", multi="true")
    )
    report = world({"set.yaml": text}, select=("TG101",))
    (error,) = report.errors
    assert (error.file, error.message.startswith("in the template inside: ")) == ("set.yaml", True)
    assert verdict(report, "TG101")[0] == "pass"


def test_a_stack_set_with_a_local_template(world: Scanner) -> None:
    text = PARENT + stack_set(
        "TemplateURL: child.yaml\n      Parameters: [{ParameterKey: Bucket, ParameterValue: !Ref LogBucket}]", AFTER
    )
    report = world({"set.yaml": text, "child.yaml": CHILD})
    assert report.summary()["pass"] == 15


# --- contexts ---------------------------------------------------------------------------------------------------------

CONFIGURATION = """
contexts:
  - {templates: "*.yaml", parameters: dev.json, name: dev}
  - {templates: ["*.yaml"], parameters: prod.json, region: eu-west-1}
"""


def test_parameter_files_are_contexts(tmp_path: Path, world: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".trailguard.yaml").write_text(CONFIGURATION)
    (tmp_path / "dev.json").write_text('{"Multi": "false"}')
    (tmp_path / "prod.json").write_text('[{"ParameterKey": "Multi", "ParameterValue": "true"}]')
    template = trail("b", "Parameters: {Multi: {Type: String, Default: 'false'}}\n", "!Ref Multi")
    world({"trail.yaml": template})
    report = scan(["."], load(str(tmp_path))._replace(select=("TG101", "TG102")))
    assert {(item.rule.id, item.verdict, item.contexts) for item in report.results} == {
        ("TG101", "fail", ("dev",)),
        ("TG101", "pass", ("prod.json",)),
        ("TG102", "pass", ("dev", "prod.json")),
    }
    assert report.subjects == 1


def test_a_shared_template_takes_part_in_each_context(tmp_path: Path, world: Scanner) -> None:
    contexts = tuple(
        Context(name, (f"{name}/*.yaml",), {"Multi": multi}) for name, multi in (("a", "true"), ("b", "false"))
    )
    template = trail("!ImportValue audit-logs", "Parameters: {Multi: {Type: String}}\n", "!Ref Multi")
    files = {"logs.yaml": logs(), "a/trail.yaml": template, "b/trail.yaml": template}
    report = world(files, select=("TG101", "TG201", "TG302"), contexts=contexts, root=str(tmp_path))
    told = {(item.rule.id, item.place.file, item.verdict, item.contexts) for item in report.results}
    assert {item for item in told if item[0] != "TG302"} == {
        ("TG101", "a/trail.yaml", "pass", ("a",)),
        ("TG101", "b/trail.yaml", "fail", ("b",)),
        ("TG201", "logs.yaml", "pass", ("a",)),
        ("TG201", "logs.yaml", "pass", ("b",)),
    }
    assert {(item[2], item[3]) for item in told if item[0] == "TG302"} == {("fail", ("a", "b"))}


def test_a_value_that_is_not_accepted_is_an_error_in_its_context(tmp_path: Path, world: Scanner) -> None:
    contexts = (Context("odd", ("*.yaml",), {"Multi": "maybe"}),)
    head = "Parameters: {Multi: {Type: String, AllowedValues: ['true', 'false']}}\n"
    for extra in ({}, {"logs.yaml": logs()}):
        bucket = "!ImportValue audit-logs" if extra else "b"
        report = world(
            {"trail.yaml": trail(bucket, head, "!Ref Multi"), **extra}, contexts=contexts, root=str(tmp_path)
        )
        assert [error.message for error in report.errors] == [
            "parameter Multi does not accept the value 'maybe' that was given for it"
        ]


# --- the rest of the pipeline -----------------------------------------------------------------------------------------


def test_suppressions_count_in_both_files(world: Scanner) -> None:
    bad = logs().replace('s3:x-amz-acl": bucket-owner-full-control', 's3:x-amz-acl": private')
    imported = trail("!ImportValue audit-logs")
    accepted = '    Metadata: {trailguard: {ignore: [{rule: TG203, reason: "known"}]}}\n    Properties'
    report = world({"logs.yaml": bad, "trail.yaml": imported.replace("    Properties", accepted)}, select=("TG203",))
    assert [(item.place.file, item.suppressed is not None) for item in report.results] == [("logs.yaml", True)]
    lines = bad.split("\n")
    lines.insert(report.results[0].place.span.line - 1, "            # trailguard: ignore[TG203] known")
    report = world({"logs.yaml": "\n".join(lines), "trail.yaml": imported}, select=("TG203",))
    assert (report.notices, report.summary()["suppressed"]) == ((), 1)


def test_a_broken_exporter_is_an_error_and_the_rest_is_judged(world: Scanner) -> None:
    broken = logs() + "  : ["
    report = world({"logs.yaml": broken, "trail.yaml": trail("!ImportValue audit-logs")}, select=("TG101", "TG203"))
    assert [error.file for error in report.errors] == ["logs.yaml"]
    assert (verdict(report, "TG101")[0], verdict(report, "TG203")[0]) == ("pass", "unknown")


def test_templates_that_nothing_refers_to_are_counted_once(world: Scanner) -> None:
    other = "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {Q: {Value: !Ref Q, Export: {Name: queue}}}\n"
    parent = PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}", AFTER)
    report = world({"other.yaml": other, "parent.yaml": parent, "child.yaml": CHILD, "x.yaml": "a: 1\n"})
    assert (report.files, report.templates, report.subjects) == (4, 3, 2)


def test_reports_do_not_depend_on_the_number_of_processes(world: Scanner, tmp_path: Path) -> None:
    files = {"logs.yaml": logs(), "trail.yaml": trail("!ImportValue audit-logs")}
    files |= {f"alone{number}.yaml": trail("b") for number in range(4)}
    assert world(files) == scan(["."], Settings(), jobs=2)


def test_standard_input_takes_part(tmp_path: Path, world: Scanner) -> None:
    world({"logs.yaml": logs()})
    template = trail("!ImportValue audit-logs").encode()
    report = scan(["-", "."], Settings(select=("TG203",)), stdin=template, stdin_filename="edited.yaml")
    (found,) = report.results
    assert (found.verdict, found.place.file, found.subject_file) == ("pass", "logs.yaml", "edited.yaml")


def test_the_same_events_in_the_same_account_are_recorded_twice(world: Scanner) -> None:
    own = TRAIL.format(bucket="b", multi="true").replace("  Trail:", "  First:")
    parent = f"Resources:{own}" + stack("child.yaml", "{Bucket: b}")
    report = world({"parent.yaml": parent, "child.yaml": CHILD}, select=("TG601",))
    assert {item.resource: item.verdict for item in report.results} == {"First": "pass", "Trail": "fail"}
    report = world({"parent.yaml": f"Resources:{own}" + stack_set("TemplateURL: child.yaml")}, select=("TG601",))
    assert {item.resource: item.verdict for item in report.results} == {"First": "pass", "Trail": "pass"}


LOOP = """Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Trails:
    - Name
    - !Ref Names
    - "Trail${Name}": {Type: AWS::CloudTrail::Trail, Properties: {IsLogging: true, S3BucketName: !Ref Name}}
"""


def test_a_loop_in_a_nested_stack_runs_over_what_it_is_handed(world: Scanner) -> None:
    parent = "Resources:" + stack("child.yaml", "{Names: 'a,b'}")
    report = world({"parent.yaml": parent, "child.yaml": LOOP}, select=("TG106",))
    assert [(item.resource, item.contexts) for item in report.results] == [
        ("Traila", ("Audit of parent.yaml",)),
        ("Trailb", ("Audit of parent.yaml",)),
    ]
    assert report.notices == ()


def test_a_loop_that_is_not_known_is_told(world: Scanner) -> None:
    text = "the resources that Fn::ForEach::Trails makes are judged for any item: its collection is not known"
    report = world({"child.yaml": LOOP})
    assert (notices(report), report.subjects) == ([("child.yaml", 4, text)], 1)
    assert {item.resource for item in report.results} == {"Trail<Name>"}
    default = LOOP.replace("CommaDelimitedList", "CommaDelimitedList, Default: a")
    text = "the resources that Fn::ForEach::Trails makes are judged for the default of its collection"
    report = world({"child.yaml": default})
    assert (notices(report), report.subjects) == ([("child.yaml", 4, text)], 1)
    report = world({"child.yaml": default}, parameters={"Names": "x,y"})
    assert (notices(report), report.subjects) == ([], 2)


def test_a_loop_over_nested_stacks(world: Scanner) -> None:
    nested = (
        "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: '${Name}.yaml', Parameters: {Bucket: '${Name}'}}}"
    )
    parent = "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Stacks:\n    - Name\n    - [one, two]\n"
    files = {"parent.yaml": parent + f"    - 'Stack${{Name}}': {nested}\n", "one.yaml": CHILD, "two.yaml": CHILD}
    report = world(files, select=("TG101",))
    assert [(item.place.file, item.contexts) for item in report.results] == [
        ("one.yaml", ("Stackone of parent.yaml",)),
        ("two.yaml", ("Stacktwo of parent.yaml",)),
    ]


def test_what_is_excluded_is_not_read_by_reference(world: Scanner) -> None:
    parent = PARENT + TRAIL.format(bucket="b", multi="true") + stack("sandbox/child.yaml", "{Bucket: !Ref LogBucket}")
    files = {"parent.yaml": parent, "sandbox/child.yaml": CHILD}
    report = world(files, select=("TG101",), exclude=("sandbox",))
    assert [item.place.file for item in report.results] == ["parent.yaml"]
    assert "lies outside of what is scanned" in report.notices[0].message


# --- what changed, and what belongs together with it ------------------------------------------------------------------


def test_a_changed_template_is_judged_in_its_whole_world(world: Scanner) -> None:
    parent = PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}", AFTER)
    other = trail("!ImportValue audit-logs", multi="false")
    files = {
        "parent.yaml": parent,
        "child.yaml": CHILD,
        "logs.yaml": logs(),
        "other.yaml": other,
        "bad.yaml": "Resources: [",
    }
    world(files)
    settings = Settings(select=("TG101", "TG201"))

    def told(*paths: str) -> set[tuple[str, str]]:
        report = scan(paths, settings, world=(".",))
        assert report.errors == ()
        return {(item.rule.id, item.home) for item in report.results}

    assert told("child.yaml") == told("parent.yaml") == {("TG101", "child.yaml"), ("TG201", "child.yaml")}
    assert told("logs.yaml") == told("other.yaml") == {("TG101", "other.yaml"), ("TG201", "other.yaml")}
    assert told("child.yaml", "logs.yaml") == {*told("child.yaml"), *told("logs.yaml")}


def test_what_changed_need_not_be_a_template(world: Scanner) -> None:
    world({"chart.yaml": "a: {{ .Values.x }\n", "package.json": "{", "logs.yaml": logs()})
    report = scan(["chart.yaml", "package.json"], Settings(), world=(".",))
    assert (report.errors, report.results) == ((), ())
    world({"trail.yaml": "Resources: {T: {Type: 'AWS::CloudTrail::Trail'"})
    assert [error.file for error in scan(["trail.yaml"], Settings(), world=(".",)).errors] == ["trail.yaml"]
    assert scan(["logs.yaml"], Settings(), world=(".",)).errors == ()


def test_what_changed_and_is_excluded_is_left_out(world: Scanner) -> None:
    world({"sandbox/trail.yaml": trail("b", multi="false")})
    report = scan(["sandbox/trail.yaml"], Settings(select=("TG101",), exclude=("sandbox",)), world=(".",))
    assert report.results == ()


def test_what_changed_may_decide_about_templates(world: Scanner, tmp_path: Path) -> None:
    head = "Parameters: {Multi: {Type: String, Default: 'true'}}\n"
    files = {
        ".trailguard.yaml": "contexts: [{name: prod, templates: a.yaml, parameters: prod.json}]\n",
        "prod.json": '{"Multi": "false"}',
        "a.yaml": trail("b", head, "!Ref Multi"),
        "b.yaml": trail("b", multi="false"),
        "includer.yaml": "Transform: {Name: 'AWS::Include', Parameters: {Location: part.inc}}\n",
        "part.inc": trail("b", multi="false"),
    }
    world(files)
    settings = load(str(tmp_path))._replace(select=("TG101",), rule_dirs=(str(tmp_path / "ours"),))

    def told(*paths: str) -> list[str]:
        report = scan(paths, settings, world=(".",))
        assert report.errors == ()
        return [item.place.file for item in report.results]

    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "README.md").write_text("rules")
    (tmp_path / "ours" / "profiles.yaml").write_text("ours: [TG101]\n")
    assert told("prod.json") == ["a.yaml"]
    assert told("part.inc") == ["part.inc"]
    assert told(".trailguard.yaml") == told("ours/README.md") == ["a.yaml", "b.yaml", "part.inc"]
    assert told("b.yaml") == ["b.yaml"]
    assert told("prod.json", "b.yaml") == ["a.yaml", "b.yaml"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_a_change_takes_away_is_touched(world: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRE_COMMIT_FROM_REF", raising=False)

    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)

    files = {
        "logs.yaml": logs(),
        "trail.yaml": trail("!ImportValue audit-logs", multi="false"),
        "parent.yaml": PARENT + stack("child.yaml", "{Bucket: !Ref LogBucket}"),
        "child.yaml": CHILD,
        "other.yaml": trail("!ImportValue other", multi="false"),
    }
    world(files)
    settings = Settings(select=("TG101",))

    def told(*paths: str) -> list[str]:
        return [item.place.file for item in scan(paths, settings, world=(".",)).results]

    git("init", "-q")
    (tmp_path / "logs.yaml").write_text(logs("renamed"))
    (tmp_path / "parent.yaml").write_text(PARENT)
    assert told("logs.yaml", "parent.yaml") == []  # nothing is committed yet
    world(files)
    git("add", "-A")
    git("commit", "-qm", "x")
    (tmp_path / "logs.yaml").write_text(logs("renamed"))
    (tmp_path / "parent.yaml").write_text(PARENT)
    assert told("logs.yaml") == ["trail.yaml"]
    assert told("parent.yaml") == ["child.yaml"]
    git("commit", "-qam", "x")
    assert told("logs.yaml", "parent.yaml") == []
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
    assert told("logs.yaml", "parent.yaml") == ["child.yaml", "trail.yaml"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("bucket", ["central-logs", "!Ref Name"])
def test_a_policy_that_a_change_takes_away_is_missed(
    bucket: str, world: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRE_COMMIT_FROM_REF", raising=False)
    head = "Parameters: {Name: {Type: String}}\n"
    bucket_only = BUCKET.rstrip() + "\n    Properties: {BucketName: central-logs}\n"
    files = {
        "trail.yaml": trail("central-logs"),
        "bucket.yaml": f"Resources:{bucket_only}",
        "policy.yaml": f"{head}Resources:{POLICY.format(bucket=bucket)}",
        "other.yaml": trail("other-logs"),
    }
    world(files)
    for command in ("init -q", "add -A", "-c user.name=x -c user.email=x@y commit -qm x"):
        subprocess.run(["git", *command.split()], check=True, capture_output=True, cwd=tmp_path)
    settings = Settings(select=("TG201",), parameters={"Name": "central-logs"})
    (found,) = scan(["policy.yaml"], settings, world=(".",)).results
    assert (found.verdict, found.home) == ("pass", "trail.yaml")
    (tmp_path / "policy.yaml").write_text("Resources: {Topic: {Type: AWS::SNS::Topic}}")
    (found,) = scan(["policy.yaml"], settings, world=(".",)).results
    assert (found.verdict, found.home) == ("fail", "trail.yaml")
    (tmp_path / "bucket.yaml").write_text(files["bucket.yaml"].replace("central", "new"))
    (found,) = scan(["bucket.yaml"], settings, world=(".",)).results
    assert (found.verdict, found.home) == ("unknown", "trail.yaml")
