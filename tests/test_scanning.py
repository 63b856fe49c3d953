"""Whole scans: hostile files beside good ones, what is told of each, and the same bytes every time."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from trailguard.commands.cli import main
from trailguard.findings import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, FileError, Finding, Report
from trailguard.judging import subjects
from trailguard.judging import verdict as judging
from trailguard.judging.factsheet import facts
from trailguard.rulebook.shelf import load
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

EXAMPLES = ROOT / "examples"
GOOD = (EXAMPLES / "compliant" / "audit-trail.yaml").read_bytes()
DEFAULT_RULES = [rule.id for rule in load(Settings()).selected]

TRAIL = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: logs
      IsLogging: true
      IsMultiRegionTrail: %s
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAILGUARD_DEBUG", raising=False)
    return tmp_path


def one(text: str | bytes, rule: str = "TG101", **settings: Any) -> Report:
    """Scan one template by one rule."""
    data = text.encode() if isinstance(text, str) else text
    return scan(["-"], Settings(select=(rule,), **settings), stdin=data, stdin_filename="t.yaml")


def verdict(text: str | bytes, rule: str = "TG101", **settings: Any) -> str:
    report = one(text, rule, **settings)
    assert report.errors == ()
    assert len(report.results) == 1
    return report.results[0].verdict


def verdicts(results: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.rule.id: finding.verdict for finding in results}


HOSTILE: dict[str, tuple[bytes, tuple[int, int] | None]] = {
    # name: content, and where the error is; None when the file is no business of ours
    "truncated.yaml": (
        b"Resources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties: {IsLogging: true, [",
        (4, 35),
    ),
    "truncated.json": (b'{"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail",', (1, 25)),
    "unquoted.yaml": (b'Resources:\n  Trail:\n    Type: "AWS::CloudTrail::Trail\n', None),
    "deep.json": (b'{"Type": "AWS::CloudTrail::Trail", "a": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", None),
    "deep.yaml": (b"# AWS::CloudTrail::Trail\n" + b"- " * 30_000 + b"x\n", None),
    "cyclic.yaml": (b"Resources: &r\n  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties: *r\n", (4, 17)),
    "latin.yaml": ("# Protokoll für\nType: AWS::CloudTrail::Trail\n".encode("latin-1"), (1, 14)),
    "tabs.yaml": (b"Resources:\n\tTrail:\n\t\tType: AWS::CloudTrail::Trail\n", (2, 1)),
    "commented-out.yaml": (b"# Type: AWS::CloudTrail::Trail\n", None),
    "jinja.yaml": (b"Resources:\n{% if trail %}\n  Trail: {Type: AWS::CloudTrail::Trail}\n{% endif %}\n", (2, 1)),
}

HARMLESS: dict[str, bytes] = {
    "empty.yaml": b"",
    "junk.json": bytes(range(256)) * 64,
    "null.yaml": b"~\n",
    "package.json": b'{"name": "x"}',
    "broken-but-not-ours.yaml": b"a: [\n",
    "kubernetes.yaml": b"kind: ConfigMap\ndata:\n  note: about AWS::CloudTrail::Trail\n",
    "list.yaml": b"- AWS::CloudTrail::Trail\n",
}


@pytest.fixture
def hostile(here: Path) -> Path:
    """A folder with one good template and everything that may stand beside it."""
    (here / "good.yaml").write_bytes(GOOD)
    for name, (data, _) in HOSTILE.items():
        (here / name).write_bytes(data)
    for name, data in HARMLESS.items():
        (here / name).write_bytes(data)
    with open("large.yaml", "wb") as stream:
        stream.write(b"Type: AWS::CloudTrail::Trail\n")
        stream.truncate(100_000_000)
    with open("large.json", "wb") as stream:
        stream.truncate(20_000_000)
    (here / "loop").symlink_to(here, target_is_directory=True)
    (here / "self.yaml").symlink_to("self.yaml")
    if hasattr(os, "mkfifo"):
        os.mkfifo(here / "pipe.yaml")
    (here / "denied.yaml").write_bytes(GOOD)
    (here / "denied.yaml").chmod(0)
    return here


class TestHostileFolder:
    def test_everything_else_is_still_judged(self, hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
        status = main(["scan", "--format", "json", "."])
        out, err = capsys.readouterr()
        report = json.loads(out)
        assert status == 2
        assert "Traceback" not in err
        good = [item for item in report["results"] if item["file"] == "good.yaml"]
        assert [item["rule"] for item in sorted(good, key=lambda item: str(item["rule"]))] == DEFAULT_RULES
        assert {item["verdict"] for item in good} <= {"pass", "not_applicable"}

    def test_each_file_that_cannot_be_read_is_told_with_its_place(self, hostile: Path) -> None:
        report = scan(["."], Settings())
        errors: dict[str, list[FileError]] = {}
        for error in report.errors:
            errors.setdefault(error.file, []).append(error)
        readable = os.access("denied.yaml", os.R_OK)
        assert set(errors) == {*HOSTILE, "large.yaml", "self.yaml", *(() if readable else ("denied.yaml",))}
        for name, (_, place) in HOSTILE.items():
            assert "internal error" not in errors[name][0].message, errors[name]
            assert errors[name][0].line >= 1, errors[name]
            assert errors[name][0].column >= 1, errors[name]
            if place is not None:
                assert (errors[name][0].line, errors[name][0].column) == place, errors[name]
        assert errors["large.yaml"][0].message == "is 100 MB large; CloudFormation takes templates of up to 1 MB"
        assert errors["self.yaml"][0].message.startswith("cannot be read: ")
        if not readable:
            assert errors["denied.yaml"][0].message == "cannot be read: permission denied"

    def test_what_is_no_template_is_passed_over_and_listed(self, hostile: Path) -> None:
        ignored = dict(scan(["."], Settings()).ignored)
        assert set(ignored) == {*HARMLESS, "large.json"}
        assert set(ignored.values()) == {"it is not a CloudFormation template"}

    def test_a_template_about_something_else_is_counted(self, here: Path) -> None:
        (here / "topic.yaml").write_text("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n")
        report = scan(["."], Settings())
        assert report.ignored == (("topic.yaml", "it holds no resource that the rules are about"),)
        assert (report.files, report.templates, report.subjects) == (1, 1, 0)

    def test_everything_is_counted(self, hostile: Path) -> None:
        report = scan(["."], Settings())
        readable = os.access("denied.yaml", os.R_OK)
        summary = report.summary()
        assert summary["files"] == len(HOSTILE) + len(HARMLESS) + len(["good", "large", "large", "self", "denied"])
        assert summary["errors"] == len(HOSTILE) + 2 + (not readable)
        assert summary["subjects"] == 2 * (1 + readable)
        assert summary["templates"] == len(HOSTILE) + 1 + readable
        subjects = sum(summary[name] for name in ("pass", "fail", "conditional", "unknown", "not_applicable"))
        assert subjects == len(report.results) == len(DEFAULT_RULES) * (1 + readable)

    def test_the_same_bytes_with_several_processes(self, hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for path in (EXAMPLES / "broken").glob("*.yaml"):
            (hostile / path.name).write_bytes(path.read_bytes())
        outputs = []
        for jobs in ("1", "2", "2"):
            assert main(["scan", "--format", "json", "--jobs", jobs, "."]) == 2
            outputs.append(capsys.readouterr().out)
        assert outputs[0] == outputs[1] == outputs[2]
        results = json.loads(outputs[0])["results"]
        places = [(item["file"], item["line"], item["rule"], item["column"]) for item in results]
        assert places == sorted(places)
        assert len(results) > 100


class TestErrors:
    def test_an_internal_error_is_an_entry_of_that_file_alone(
        self, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (here / "a.yaml").write_bytes(GOOD)
        (here / "b.yaml").write_bytes(GOOD.replace(b"  Trail:\n", b"  Doomed:\n"))
        real = judging.judge

        def judge(scenarios: Any, resource: Any, question: Any) -> Any:
            if resource.id == "Doomed":
                raise ZeroDivisionError("surprise")
            return real(scenarios, resource, question)

        monkeypatch.setattr(subjects, "judge", judge)
        report = scan(["."], Settings())
        message = "internal error, please report it: ZeroDivisionError: surprise"
        assert report.errors == (FileError("b.yaml", 0, 0, message),)
        assert {finding.place.file for finding in report.results} == {"a.yaml"}
        assert [finding.rule.id for finding in sorted(report.results)] == DEFAULT_RULES
        assert main(["scan", "."]) == 2
        out, err = capsys.readouterr()
        assert message in out
        assert "Traceback" not in out + err
        monkeypatch.setenv("TRAILGUARD_DEBUG", "1")
        with pytest.raises(ZeroDivisionError):
            scan(["."], Settings())

    def test_too_deep_references_are_an_error_of_that_file(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def judge(*args: object) -> object:
            raise RecursionError

        monkeypatch.setattr(subjects, "judge", judge)
        (error,) = one(GOOD).errors
        assert error.message == "references in the template nest too deeply"

    def test_duplicate_keys_are_errors_and_the_rest_is_judged(self) -> None:
        report = one(TRAIL % "true" + "      IsMultiRegionTrail: false\n")
        assert [(error.file, error.line, error.column) for error in report.errors] == [("t.yaml", 10, 7)]
        assert "IsMultiRegionTrail" in report.errors[0].message
        assert len(report.results) <= 1

    def test_an_unknown_tag_is_told_and_the_rest_is_judged(self) -> None:
        text = TRAIL % "true" + "      KMSKeyId: !Reff Key\n"
        report = scan(["-"], Settings(), stdin=text.encode(), stdin_filename="t.yaml")
        assert [(error.line, error.column) for error in report.errors] == [(10, 17)]
        assert "!Reff" in report.errors[0].message
        assert verdicts(report.results)["TG101"] == PASS
        assert sorted(verdicts(report.results)) == DEFAULT_RULES
        assert verdicts(one(TRAIL % "!Maybe yes").results) == {"TG101": UNKNOWN}

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("AWSTemplateFormatVersion: '2010-09-09'\n", (1, 1)),
            ("AWSTemplateFormatVersion: '2010-09-09'\nResources: []\n", (2, 12)),
            ("AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Trail: AWS::CloudTrail::Trail\n", (3, 3)),
            ("Resources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n  Other: 3\n", (4, 3)),
        ],
    )
    def test_a_misshapen_template_is_an_error(self, text: str, place: tuple[int, int]) -> None:
        report = one(text)
        assert [(error.line, error.column) for error in report.errors] == [place]

    def test_a_missing_path_is_an_error(self, here: Path) -> None:
        (here / "a.yaml").write_bytes(GOOD)
        report = scan(["gone.yaml", "a.yaml", "gone"], Settings())
        message = "cannot be read: no such file or directory"
        assert report.errors == (FileError("gone", 0, 0, message), FileError("gone.yaml", 0, 0, message))
        assert len(report.results) == len(DEFAULT_RULES)

    @pytest.mark.parametrize("content", [b"", b"a: [\n", b"\0\1\2", b"\xff\xfe\0", b"- " * 5000])
    def test_a_named_file_is_read_even_when_it_names_no_trail(self, here: Path, content: bytes) -> None:
        (here / "a.txt").write_bytes(content)
        report = scan(["a.txt"], Settings())
        assert len(report.errors) + len(report.ignored) == 1
        assert report.results == ()


class TestNames:
    def test_files_are_named_relative_to_the_working_directory(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (here / "in").mkdir()
        (here / "in" / "a.yaml").write_bytes(GOOD)
        for path in (".", "in", "./in/a.yaml", str(here), str(here / "in" / "a.yaml"), "in/../in"):
            assert {finding.place.file for finding in scan([path], Settings()).results} == {"in/a.yaml"}
        (here / "other").mkdir()
        monkeypatch.chdir(here / "other")
        assert {finding.place.file for finding in scan(["../in"], Settings()).results} == {"../in/a.yaml"}

    @pytest.mark.skipif(sys.platform != "linux", reason="only there a name is any bytes")
    def test_names_that_are_not_text(self, here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        name = os.fsdecode(b"caf\xe9\n\x1b[31m.yaml")
        (here / name).write_bytes(GOOD.replace(b"IsLogging: true", b"IsLogging: false"))
        assert main(["scan", "."]) == 1
        assert main(["scan", "--format", "json", "."]) == 1
        assert b"\x1b[31m" not in capfdbinary.readouterr().out

    def test_the_fingerprint_survives_moved_lines(self) -> None:
        before, after = one(TRAIL % "false"), one("# moved\n\n" + TRAIL % "false")
        assert before.results[0].place.span.line + 2 == after.results[0].place.span.line
        assert before.results[0].fingerprint == after.results[0].fingerprint
        assert len({finding.fingerprint for finding in scan([str(EXAMPLES)], Settings()).results}) == len(
            scan([str(EXAMPLES)], Settings()).results
        )


class TestStandardInput:
    def test_a_template_from_standard_input(
        self, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Stdin:
            buffer = io.BytesIO((TRAIL % "false").encode())

        monkeypatch.setattr(sys, "stdin", Stdin)
        assert main(["scan", "--format", "json", "--stdin-filename", "made/by.py", "-"]) == 1
        results = json.loads(capsys.readouterr().out)["results"]
        assert {item["file"] for item in results} == {"made/by.py"}

    def test_beside_files(self, here: Path) -> None:
        (here / "a.yaml").write_bytes(GOOD)
        report = scan(["a.yaml", "-"], Settings(), stdin=GOOD)
        assert {finding.place.file for finding in report.results} == {"a.yaml", "<stdin>"}
        assert (report.files, report.templates, report.subjects) == (2, 2, 4)

    def test_what_is_no_template(self) -> None:
        report = one("hello: world\n")
        assert (report.results, report.errors) == ((), ())
        assert report.ignored == (("t.yaml", "it is not a CloudFormation template"),)


PARAMETERS = """\
Parameters:
  Multi:
    Type: String
    AllowedValues: ['true', 'false']
    Default: 'true'
"""


class TestPins:
    def test_the_claim_is_about_the_pinned_value(self) -> None:
        text = PARAMETERS + TRAIL % "!Ref Multi"
        assert verdict(text) == "conditional"
        assert verdict(text, parameters={"Multi": "true"}) == PASS
        assert verdict(text, parameters={"Multi": "false"}) == FAIL
        assert verdict(text, parameters={"Other": "false"}) == "conditional"

    def test_a_refused_value_is_an_error_and_nothing_is_claimed(self, here: Path) -> None:
        report = one(PARAMETERS + TRAIL % "!Ref Multi", parameters={"Multi": "maybe"})
        message = "parameter Multi does not accept the value 'maybe' that was given for it"
        assert report.errors == (FileError("t.yaml", 2, 3, message),)
        assert report.results == ()
        (here / "a.yaml").write_text(PARAMETERS + TRAIL % "!Ref Multi")
        assert main(["scan", "--parameter", "Multi=maybe", "."]) == 2
        assert main(["scan", "--parameter", "Multi=true", "--select", "TG101", "."]) == 0


DIALECTS = {
    "org-formation": "AWSTemplateFormatVersion: 2010-09-09-OC\nOrganizationBinding:\n  Account: '*'\n",
    "SAM": "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function: {Timeout: 3}\n",
    "language extensions": "Transform: [AWS::LanguageExtensions]\n",
    "no version": "Description: none\n",
    "a date as version": "AWSTemplateFormatVersion: 2010-09-09\n",
}


class TestDialects:
    @pytest.mark.parametrize("head", DIALECTS.values(), ids=DIALECTS)
    def test_dialects_that_are_templates_are_judged(self, head: str) -> None:
        assert verdict(head + TRAIL % "true") == PASS
        assert verdict(head + TRAIL % "false") == FAIL

    def test_serverless_framework_files_are_judged(self) -> None:
        inner = "".join(f"  {line}\n" for line in (TRAIL % "false").splitlines())
        text = f"service: audit\nprovider:\n  name: aws\nresources:\n{inner}"
        report = one(text)
        assert [(item.verdict, item.place.span.line) for item in report.results] == [(FAIL, 11)]

    @pytest.mark.parametrize("transform", ["MyMacro", "[AWS::LanguageExtensions, MyMacro]", "{Name: MyMacro}"])
    def test_a_macro_may_rewrite_anything(self, transform: str) -> None:
        report = one(f"Transform: {transform}\n" + TRAIL % "false")
        (finding,) = report.results
        assert finding.verdict == UNKNOWN
        assert finding.reason == "macro MyMacro may rewrite the whole template before it is deployed"


class TestSubjects:
    NEVER = "Conditions:\n  Never: !Equals [a, b]\n" + (TRAIL % "false").replace(
        "    Properties", "    Condition: Never\n    Properties"
    )

    def test_one_that_exists_in_no_scenario_is_told(self) -> None:
        report = one(self.NEVER)
        (finding,) = report.results
        assert (finding.verdict, finding.reason) == (
            NOT_APPLICABLE,
            "Trail is made for no allowed choice of parameters",
        )
        assert finding.place.span.line == 4
        assert report.subjects == 1
        said = "Trail is made for no allowed choice of parameters, so it is not judged"
        assert [(item.line, item.message) for item in report.notices] == [(4, said)]

    def test_every_trail_is_judged(self) -> None:
        text = TRAIL % "true" + (TRAIL % "false").partition("\n")[2].replace("Trail:\n", "Second:\n", 1)
        report = one(text)
        assert [(item.resource, item.verdict) for item in report.results] == [("Trail", PASS), ("Second", FAIL)]
        assert report.subjects == 2

    def test_a_template_without_a_trail(self, here: Path) -> None:
        report = one("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n")
        assert (report.templates, report.subjects, report.results) == (1, 0, ())

    def test_facts_are_told_of_every_subject(self, here: Path) -> None:
        (here / "a.yaml").write_bytes(GOOD)
        told = facts("a.yaml", Settings())
        assert told["schema"] == "trailguard-facts/1"
        assert json.loads(json.dumps(told)) == told
        subjects: Any = told["subjects"]
        assert [item["subject"] for item in subjects] == ["trail", "bucket", "AWS::S3::BucketPolicy"]
        assert subjects[0]["facts"]["properties.IsLogging"][0]["value"] is True
