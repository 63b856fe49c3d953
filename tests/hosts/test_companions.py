"""cfn-lint and checkov beside a scan: one report, one exit status."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.hosts.running import CFN_LINT, TRAIL, Done, checkov_command, run

pytestmark = pytest.mark.hosts

WARNED = TRAIL + "Parameters: {Unused: {Type: String}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub dir" / "trail[1].yaml").write_text(WARNED, encoding="utf-8")
    (tmp_path / "queue.yaml").write_text("Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {Odd: 1}}}\n")
    (tmp_path / "values.yaml").write_text("replicas: 3\n")
    tools = tmp_path / ".tools"
    tools.mkdir()
    script(tools / "cfn-lint", f"#!{sys.executable}\n{CFN_LINT.replace('; ', chr(10))}\n")
    os.symlink(checkov_command(), tools / "checkov")
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def scan(folder: Path, *arguments: str, stdin: str | None = None) -> Done:
    command = [sys.executable, "-m", "trailguard", "scan", *arguments]
    return run(command, folder, stdin, PATH=f"{folder / '.tools'}{os.pathsep}{os.environ['PATH']}")


def results(done: Done) -> set[tuple[str, str, str, int]]:
    found: list[dict[str, Any]] = json.loads(done.out)["results"]
    return {
        (
            item["name"] if item["name"] in ("cfn-lint", "checkov") else "trailguard",
            item["rule"],
            item["file"],
            item["line"],
        )
        for item in found
        if item["verdict"] == "fail"
    }


def test_their_findings_are_in_the_report(folder: Path) -> None:
    alone = results(scan(folder, "--format", "json"))
    done = scan(folder, "--format", "json", "--with", "cfn-lint", "--with", "checkov")
    found = results(done)
    assert alone < found
    assert {item for item in found if item[0] == "trailguard"} == alone
    assert ("cfn-lint", "W2001", "sub dir/trail[1].yaml", 10) in found
    assert ("cfn-lint", "E3002", "queue.yaml", 1) in found, "a template without trails is looked at, too"
    assert ("checkov", "CKV_AWS_67", "sub dir/trail[1].yaml", 2) in found
    assert (done.status, done.err) == (1, "")


def test_every_format_tells_them(folder: Path) -> None:
    forms = ("text", "sarif", "junit", "gitlab", "markdown", "csv", "github", "html", "oscal", "ocsf")
    outputs = (f"--output={form}:{folder / form}" for form in forms)
    assert scan(folder, "--with", "cfn-lint", *outputs).status == 1
    written = {form: (folder / form).read_text(encoding="utf-8") for form in forms}
    assert [form for form, text in written.items() if "W2001" not in text] == []
    run_ = json.loads(written["sarif"])["runs"][0]
    rules = [rule["id"] for rule in run_["tool"]["driver"]["rules"]]
    assert {rules[item["ruleIndex"]] == item["ruleId"] for item in run_["results"]} == {True}


def test_one_exit_status(folder: Path) -> None:
    (folder / "sub dir" / "trail[1].yaml").unlink()
    assert scan(folder).status == 0
    assert scan(folder, "--with", "cfn-lint").status == 1
    assert scan(folder, "--with", "cfn-lint", "--min-severity", "critical").status == 0


def test_standard_input_is_looked_at_too(folder: Path) -> None:
    arguments = ("-", "--stdin-filename", "app.yaml", "--format", "json", "--with", "cfn-lint", "--with", "checkov")
    done = scan(folder, *arguments, stdin=WARNED)
    assert ("cfn-lint", "W2001", "app.yaml", 10) in results(done)
    assert ("checkov", "CKV_AWS_67", "app.yaml", 2) in results(done)


def test_waivers_hold_for_them(folder: Path) -> None:
    waiver = "{rule: W2001, file: '**', reason: it is used soon, expires: 2999-01-01}"
    (folder / ".trailguard.yaml").write_text(f"waivers: [{waiver}]\n")
    done = scan(folder, "--format", "json", "--with", "cfn-lint")
    (item,) = (item for item in json.loads(done.out)["results"] if item["rule"] == "W2001")
    assert item["suppressed"]["reason"] == "it is used soon"
    assert json.loads(scan(folder, "--format", "json").out)["notices"] == []


def test_our_own_rules_inside_them_are_told_once(folder: Path) -> None:
    (folder / ".cfnlintrc").write_text("append_rules: [trailguard.hosts.cfn_lint]\n")
    done = scan(folder, "--format", "json", "--with", "cfn-lint")
    assert not [item for item in results(done) if "TG" in item[1] and item[0] == "cfn-lint"]


def test_what_they_cannot_read_is_an_error(folder: Path) -> None:
    (folder / "queue.yaml").write_text("Resources: {Q: {Type: 'AWS::SQS::Queue', Type: 'AWS::SNS::Topic'}}\n")
    done = scan(folder, "--format", "json", "--with", "cfn-lint")
    assert {error["file"] for error in json.loads(done.out)["errors"]} == {"queue.yaml"}
    assert done.status == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo 'no such option' >&2; exit 7", "ended with status 7 and no report: no such option"),
        ("echo '{\"odd\": 1}'", "ended with status 0 and no report"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_one_that_breaks_is_an_error_and_the_rest_is_told(text: str, message: str, folder: Path) -> None:
    script(folder / ".tools" / "cfn-lint", f"#!/bin/sh\n{text}\n")
    done = scan(folder, "--format", "json", "--with", "cfn-lint")
    assert (done.status, done.err) == (2, "")
    told = json.loads(done.out)
    assert told["errors"] == [{"file": "cfn-lint", "line": None, "column": None, "message": message}]
    assert told["summary"]["fail"] > 0


def test_one_that_is_not_there_is_said(folder: Path) -> None:
    (folder / ".tools" / "checkov").unlink()
    command = [sys.executable, "-m", "trailguard", "scan", "--with", "checkov"]
    done = run(command, folder, PATH=str(folder / ".tools"))
    if "not installed" in done.err:
        assert (done.status, done.err) == (2, "error: checkov is not installed (pip install checkov)\n")
    else:
        assert done.status == 1, "it stands beside this Python"


def test_paths_for_the_hosts() -> None:
    for name, inside in (("checkov", "__init__.py"), ("cfn-lint", "trailguard_rules.py")):
        done = run([sys.executable, "-m", "trailguard", "path", name], ROOT)
        assert (Path(done.out.strip()) / inside).is_file()
