"""The hooks, run by the real pre-commit in a throw-away repository that takes them from this one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

pytestmark = pytest.mark.hosts

GOOD = (ROOT / "examples" / "compliant" / "audit-trail.yaml").read_text(encoding="utf-8")
BAD = (ROOT / "examples" / "broken" / "single-region.yaml").read_text(encoding="utf-8")
README, PAGE = (ROOT.joinpath(name).read_text(encoding="utf-8") for name in ("README.md", "docs/ci.md"))
# What is there to copy, with the address of this project as it is now, and the other hook.
(SNIPPET,) = re.findall(r"^```yaml\n(repos:.*?)^```$", README, re.MULTILINE | re.DOTALL)
IGNORED = shutil.ignore_patterns(".git", ".venv*", "__pycache__", "*.egg-info", ".hypothesis", ".*_cache", "tests")


def git(*arguments: str, cwd: Path) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """This project as it is now, as a repository that hooks can be taken from."""
    folder = tmp_path_factory.mktemp("source") / "trailguard"
    shutil.copytree(ROOT, folder, ignore=IGNORED)
    git("init", "-q", cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "now", cwd=folder)
    return folder, git("rev-parse", "HEAD", cwd=folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")  # pre-commit's environments, built once


class Repository:
    """A repository whose commits the hooks look at."""

    def __init__(self, folder: Path, source: tuple[Path, str], home: Path) -> None:
        self.folder = folder
        self._home = home
        git("init", "-q", cwd=folder)
        config = SNIPPET.replace("https://git.example.com/trailguard", str(source[0])).replace("v0.1.0", source[1])
        self.write(".pre-commit-config.yaml", f"{config}      - id: trailguard-rules\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        git("add", "-A", cwd=self.folder)

    def run(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--color", "never", *arguments]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTHON"))}
        environment["PRE_COMMIT_HOME"] = str(self._home)
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path, source: tuple[Path, str], home: Path) -> Repository:
    return Repository(tmp_path, source, home)


def test_the_readme_s_example_is_refused(tmp_path: Path, source: tuple[Path, str], home: Path) -> None:
    (block,) = re.findall(r"^```sh\n(git init demo.*?)^```$", README, re.MULTILINE | re.DOTALL)
    shutil.copytree(source[0], tmp_path / "trailguard")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTHON"))}
    who = {f"GIT_{role}_{what}": "t@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", block.replace("pip install pre-commit && ", "")], cwd=tmp_path, check=False,
        env={**kept, **who, "PATH": path, "PRE_COMMIT_HOME": str(home)}, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "single-region.yaml:52:27" in done.stdout + done.stderr
    log = subprocess.run(["git", "log"], cwd=tmp_path / "demo", capture_output=True, check=False)
    assert log.returncode != 0  # nothing was committed


def test_both_pages_show_the_same() -> None:
    assert f"```yaml\n{SNIPPET}```" in PAGE


def test_the_hooks(repository: Repository) -> None:
    repository.write("infra/trail.yaml", GOOD)
    repository.write("chart/templates/x.yaml", "a: {{ .Values.x }\n")
    status, said = repository.run()
    assert (status, "Passed" in said) == (0, True), said
    git("commit", "-q", "-m", "good", cwd=repository.folder)

    repository.write("infra/a second trail.yaml", BAD)
    status, said = repository.run()
    assert status == 1
    assert "infra/a second trail.yaml:" in said
    assert "TG101" in said
    git("commit", "-q", "--no-verify", "-m", "bad", cwd=repository.folder)

    repository.write("README.md", "nothing that the hooks look at")
    status, said = repository.run()
    assert (status, "TG101" in said) == (0, False), said
    status, said = repository.run("--all-files")
    assert (status, "TG101" in said) == (1, True), said


def test_a_change_in_one_stack_that_breaks_another(repository: Repository) -> None:
    stacks = ROOT / "examples" / "stacks" / "imported"
    logs = (stacks / "logs.yaml").read_text(encoding="utf-8")
    repository.write("logs.yaml", logs.replace("/AWSLogs/${AWS::AccountId}/*", "/*"))
    repository.write("trail.yaml", (stacks / "trail.yaml").read_text(encoding="utf-8"))
    status, said = repository.run()
    assert status == 0, said
    git("commit", "-q", "-m", "good", cwd=repository.folder)
    repository.write("logs.yaml", logs)
    status, said = repository.run()
    assert (status, "about    Trail in trail.yaml" in said) == (1, True), said


def test_the_hook_that_fixes(repository: Repository) -> None:
    path = repository.folder / ".pre-commit-config.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("- id: trailguard\n", "- id: trailguard-fix\n"), encoding="utf-8"
    )
    repository.write("trail.yaml", BAD)
    status, said = repository.run()
    assert (status, "files were modified by this hook" in said) == (1, True), said
    fixed = (repository.folder / "trail.yaml").read_text(encoding="utf-8")
    assert fixed == BAD.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: true")
    git("add", "-A", cwd=repository.folder)
    status, said = repository.run()
    assert status == 0, said


RULE = """\
id: ACME1
name: named-trail
title: Trails have names
severity: low
subject: trail
require:
  - fact: properties.TrailName
    must: {pattern: "^acme-"}
    message: a trail is called acme-something
why: Ours are.
remedy: Give it a name.
"""
PROPERTIES = "{IsLogging: true, S3BucketName: b, TrailName: NAME}"
TRAIL = f"Resources: {{T: {{Type: AWS::CloudTrail::Trail, Properties: {PROPERTIES}}}}}\n"


def test_the_rules_hook(repository: Repository) -> None:
    folder = "rules/ACME1-named-trail"
    repository.write(f"{folder}/rule.yaml", RULE)
    repository.write(f"{folder}/pass/good.yaml", TRAIL.replace("NAME", "acme-audit"))
    repository.write(f"{folder}/fail/bad.yaml", TRAIL.replace("NAME", "audit"))
    status, said = repository.run("trailguard-rules")
    assert status == 0, said
    repository.write(f"{folder}/fail/odd.yaml", TRAIL.replace("NAME", "acme-odd"))
    status, said = repository.run("trailguard-rules")
    assert (status, "odd.yaml" in said) == (1, True), said
