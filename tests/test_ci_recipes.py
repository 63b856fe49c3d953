"""What docs/ci.md and README.md give to copy is run as a runner runs it: the action, the workflow, the GitLab job."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
_, SCAN = ACTION["runs"]["steps"]
JOB: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "ci" / "trailguard.gitlab-ci.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
WORKFLOW_TEXT = (ROOT / "docs" / "ci" / "trailguard.github.yml").read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = yaml.safe_load(WORKFLOW_TEXT)
BAD = ROOT / "examples" / "broken" / "single-region.yaml"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


class Runner:
    """What GitHub's runner gives a step: folders, and files to write outputs and the summary to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "work space"
        self.workspace.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        program = self.bin / "trailguard"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m trailguard "$@"\n')
        program.chmod(0o755)

    def scan(self, **inputs: str) -> tuple[int, str]:
        given = {name: body.get("default", "") for name, body in ACTION["inputs"].items()}
        given.update({name.replace("_", "-"): value for name, value in inputs.items()})
        values = {f"${{{{ inputs.{name} }}}}": value for name, value in given.items()}
        values["${{ steps.install.outputs.bin }}"] = str(self.bin)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "TRAILGUARD"))}
        files = {name: str(self.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        environment = {**kept, **files, "RUNNER_TEMP": str(self.folder), "PYTHONPATH": str(ROOT / "src")}
        environment |= {"GITHUB_WORKSPACE": str(self.workspace), "PYTHONUTF8": "1"}
        environment |= {name: values[value] for name, value in SCAN["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCAN["run"]],
            cwd=self.workspace, env=environment, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def run(self, script: str, **variables: str) -> int:
        """Run a line of a job in the workspace, with our program in the path; give its exit status."""
        environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
        environment |= {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "CI_PROJECT_DIR": str(self.workspace)}
        return subprocess.run(["bash", "-c", script], cwd=self.workspace, env=environment, check=False).returncode

    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "GITHUB_OUTPUT").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_findings_fail_the_step_and_are_reported_in_three_ways(runner: Runner) -> None:
    shutil.copy(BAD, runner.workspace / "a trail.yaml")
    status, said = runner.scan()
    assert status == 1
    assert "::error file=a trail.yaml,line=52" in said
    assert runner.outputs() == {"exit-code": "1"}
    assert "TG101" in (runner.folder / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
    report = json.loads((runner.workspace / "trailguard.sarif").read_text(encoding="utf-8"))
    assert [item["ruleId"] for item in report["runs"][0]["results"]] == ["TG101"]


def test_inputs_are_arguments_and_never_code(runner: Runner) -> None:
    shutil.copy(BAD, runner.workspace / "a trail.yaml")
    status, said = runner.scan(paths="a trail.yaml\n", args="--select\nTG103\n", sarif_file="")
    assert (status, "TG101" in said) == (0, False), said
    assert not (runner.workspace / "trailguard.sarif").exists()
    status, said = runner.scan(paths="$(touch owned); `touch owned`", profile="; touch owned")
    assert status == 2
    assert not (runner.workspace / "owned").exists()


def test_what_cannot_be_judged_fails_with_2(runner: Runner) -> None:
    (runner.workspace / "broken.yaml").write_text("Resources: {T: {Type: 'AWS::CloudTrail::Trail'")
    status, _ = runner.scan()
    assert status == 2
    assert runner.outputs() == {"exit-code": "2"}


def test_no_expression_stands_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
        done = subprocess.run(["bash", "-n", "-c", step["run"]], check=False, capture_output=True)
        assert done.returncode == 0
    asked = {value for step in ACTION["runs"]["steps"] for value in step["env"].values()}
    assert asked >= {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}


def test_the_gitlab_job_writes_the_reports_that_it_names(runner: Runner) -> None:
    shutil.copy(BAD, runner.workspace / "trail.yaml")
    job = JOB["trailguard"]
    assert runner.run(job["script"][1], **job["variables"]) == 1
    reports = job["artifacts"]["reports"]
    issues = json.loads((runner.workspace / reports["codequality"]).read_text(encoding="utf-8"))
    assert [(issue["check_name"], issue["location"]["path"]) for issue in issues] == [("TG101", "trail.yaml")]
    assert ET.parse(runner.workspace / reports["junit"]).getroot().get("failures") == "1"


def test_the_gitlab_job_leaves_the_rules_to_the_repository(runner: Runner) -> None:
    shutil.copy(BAD, runner.workspace / "trail.yaml")
    (runner.workspace / ".trailguard.yaml").write_text("rules: {select: [TG102]}", encoding="utf-8")
    job = JOB["trailguard"]
    assert runner.run(job["script"][1], **job["variables"]) == 0
    arguments = shlex.split(job["variables"]["TRAILGUARD_ARGUMENTS"])
    assert [word for word in arguments if word.startswith("-")] == []


def git(*arguments: str, cwd: Path) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    """A repository with a finding on `main`, and another one on top of that in the branch `change`."""
    folder = tmp_path / "forge"
    folder.mkdir()
    git("init", "-q", "-b", "main", cwd=folder)
    shutil.copy(BAD, folder / "old.yaml")
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "old", cwd=folder)
    git("checkout", "-q", "-b", "change", cwd=folder)
    shutil.copy(BAD, folder / "new.yaml")
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "new", cwd=folder)
    return folder


def check_out(forge: Path, depth: int, folder: Path) -> None:
    """What actions/checkout does: one commit of one branch, or the whole history of all of them (depth 0)."""
    git("init", "-q", cwd=folder)
    git("remote", "add", "origin", forge.as_uri(), cwd=folder)
    some = [f"--depth={depth}", "origin", "+change:refs/remotes/origin/change"]
    git("fetch", "-q", *(some if depth else ["origin", "+refs/heads/*:refs/remotes/origin/*"]), cwd=folder)
    git("checkout", "-q", "--force", "-B", "change", "refs/remotes/origin/change", cwd=folder)


def inputs() -> dict[str, str]:
    """What the workflow hands to the action in a pull request to `main`."""
    (step,) = (step for step in WORKFLOW["jobs"]["trailguard"]["steps"] if step.get("id") == "trailguard")
    return {name: text.replace("${{ github.base_ref }}", "main") for name, text in step["with"].items()}


def test_the_workflow_reports_what_the_change_makes_worse(runner: Runner, forge: Path) -> None:
    checkout, _, upload = WORKFLOW["jobs"]["trailguard"]["steps"]
    check_out(forge, checkout["with"]["fetch-depth"], runner.workspace)
    status, said = runner.scan(**inputs())
    assert status == 1, said
    assert "::error file=new.yaml,line=52" in said
    assert "old.yaml" not in said
    assert (runner.workspace / upload["with"]["sarif_file"]).exists()
    assert set(inputs()) <= set(ACTION["inputs"])


def test_without_the_history_the_workflow_would_fail(runner: Runner, forge: Path) -> None:
    check_out(forge, 1, runner.workspace)
    status, said = runner.scan(**inputs())
    assert status == 2, said


def test_the_gitlab_job_can_report_what_the_change_makes_worse(runner: Runner, forge: Path) -> None:
    check_out(forge, int(JOB["trailguard"]["variables"]["GIT_DEPTH"]), runner.workspace)
    (arguments,) = re.findall(r'`TRAILGUARD_ARGUMENTS: "(--diff .*?)"`', PAGE)
    base = subprocess.check_output(["git", "rev-parse", "change^"], cwd=forge, text=True).strip()
    given = arguments.replace("$CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
    assert runner.run(JOB["trailguard"]["script"][1], TRAILGUARD_ARGUMENTS=given) == 1
    issues = json.loads((runner.workspace / "gl-code-quality-report.json").read_text(encoding="utf-8"))
    assert {issue["location"]["path"] for issue in issues} == {"new.yaml"}


def test_the_page_shows_the_files_and_every_input() -> None:
    assert f"```yaml\n{WORKFLOW_TEXT}```" in PAGE
    for name, described in ACTION["inputs"].items():
        assert f"| `{name}` | {described['description']} |" in PAGE
    assert "\non: pull_request\n" in WORKFLOW_TEXT  # where base_ref is known


def test_what_any_other_runner_is_told_to_run(runner: Runner) -> None:
    shutil.copy(BAD, runner.workspace / "trail.yaml")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    install, scan = block.splitlines()
    assert install.startswith("pip install git+https://")
    assert runner.run(scan) == 1
    for name in re.findall(r"--output \w+:(\S+)", scan):
        assert "TG101" in (runner.workspace / name).read_text(encoding="utf-8")
