"""The action's scripts are run as a runner runs them; the GitLab job's command too."""

from __future__ import annotations

import json
import os
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


def test_the_gitlab_job_writes_the_reports_that_it_names(tmp_path: Path, runner: Runner) -> None:
    shutil.copy(BAD, runner.workspace / "trail.yaml")
    job = JOB["trailguard"]
    environment = {**os.environ, **job["variables"], "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    environment |= {"PATH": f"{runner.bin}{os.pathsep}{os.environ['PATH']}", "CI_PROJECT_DIR": str(runner.workspace)}
    done = subprocess.run(["bash", "-c", job["script"][1]], cwd=runner.workspace, env=environment, check=False)
    assert done.returncode == 1
    reports = job["artifacts"]["reports"]
    issues = json.loads((runner.workspace / reports["codequality"]).read_text(encoding="utf-8"))
    assert [(issue["check_name"], issue["location"]["path"]) for issue in issues] == [("TG101", "trail.yaml")]
    assert ET.parse(runner.workspace / reports["junit"]).getroot().get("failures") == "1"
