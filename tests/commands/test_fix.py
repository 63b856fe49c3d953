"""`trailguard fix`: what it writes, where, what it leaves with which reason, and its exit status."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from tests import ROOT
from trailguard.commands.cli import main
from trailguard.commands.fixtext import told
from trailguard.fixes.delivering import narrowed, written
from trailguard.fixes.edits import Edit
from trailguard.fixes.repairing import repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import key_of
from trailguard.settings.settings import Settings

BROKEN = (ROOT / "examples" / "broken" / "single-region.yaml").read_text(encoding="utf-8")
FIXED = BROKEN.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: true")
OPEN = BROKEN.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: !Ref Multi").replace(
    "Resources:", "Parameters:\n  Multi: {Type: String, Default: 'false'}\nResources:", 1
)
TRAIL = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: audit-logs
      IsLogging: true
      IsMultiRegionTrail: false  # one Region
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["fix", *arguments])
    return (status, *capfd.readouterr())


def git(*arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_fix_is_written_and_the_file_keeps_its_mode(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = here / "trail.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    path.chmod(0o640)
    said = "trail.yaml\n  fixed  TG101 Trail: set IsMultiRegionTrail to true\n1 finding fixed, 0 left\n"
    assert run(capfd, "trail.yaml") == (0, said, "")
    assert path.read_text(encoding="utf-8") == FIXED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert run(capfd) == (0, "0 findings fixed, 0 left\n", "")
    assert [entry.name for entry in here.iterdir()] == ["trail.yaml"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("name", ["trail.yaml", "a b/ü \\ 'q'.yaml", 'a "b".yaml'])
def test_git_applies_the_diff(
    here: Path, capfd: pytest.CaptureFixture[str], end: str, mark: str, last: bool, name: str
) -> None:
    path = here / name
    path.parent.mkdir(exist_ok=True)
    text = mark + BROKEN.replace("\n", end)
    path.write_bytes((text if last else text.rstrip()).encode())
    git("init", "-q")
    git("add", "-A")
    status, diff, said = run(capfd, "--diff", name)
    assert (status, said.splitlines()[-1]) == (1, "1 finding can be fixed, 0 left")
    assert b"IsMultiRegionTrail: false" in path.read_bytes()
    (here / "changes.diff").write_bytes(os.fsencode(diff))
    git("apply", "changes.diff")
    applied = path.read_bytes()
    git("checkout", "-q", "--", ".")
    assert run(capfd, name)[0] == 0
    assert path.read_bytes() == applied
    assert applied == (text if last else text.rstrip()).encode().replace(b"Trail: false", b"Trail: true")


def test_nothing_to_fix_is_an_empty_diff(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "trail.yaml").write_text(FIXED, encoding="utf-8")
    assert run(capfd, "--diff") == (0, "", "0 findings can be fixed, 0 left\n")


def test_what_takes_a_choice_away_is_written_on_demand(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = here / "trail.yaml"
    path.write_text(OPEN, encoding="utf-8")
    status, out, _ = run(capfd, "trail.yaml")
    assert status == 1
    assert "only with --unsafe: set IsMultiRegionTrail to true (parameter Multi decides it now)" in " ".join(
        out.split()
    )
    assert path.read_text(encoding="utf-8") == OPEN
    assert run(capfd, "--unsafe", "trail.yaml")[0] == 0
    assert path.read_text(encoding="utf-8") == OPEN.replace("!Ref Multi", "true")


def test_only_what_is_named_is_fixed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = BROKEN.replace("EnableLogFileValidation: true", "EnableLogFileValidation: false")
    (here / "trail.yaml").write_text(text, encoding="utf-8")
    assert run(capfd, "--rule", "TG103")[0] == 0
    assert (here / "trail.yaml").read_text(encoding="utf-8") == BROKEN
    assert run(capfd, "--resource", "Trail", "--rule", "TG101")[0] == 0
    assert (here / "trail.yaml").read_text(encoding="utf-8") == FIXED
    assert run(capfd, "--rule", "TG999")[::2] == (2, 'error: there is no rule "TG999"; did you mean "TG309"?\n')


def test_standard_input_comes_out_fixed(here: Path) -> None:
    command = [sys.executable, "-m", "trailguard", "fix", "-"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, input=BROKEN.encode(), capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout.decode()) == (0, FIXED)
    assert done.stderr.decode().endswith("1 finding fixed, 0 left\n")
    done = subprocess.run(command, input=FIXED.encode(), capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout.decode()) == (0, FIXED)


def test_what_cannot_be_judged_is_an_error_and_the_rest_is_fixed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "a.yaml").write_text(BROKEN, encoding="utf-8")
    (here / "b.yaml").write_text("Resources: {Trail: {Type: AWS::CloudTrail::Trail\n", encoding="utf-8")
    status, out, _ = run(capfd)
    assert status == 2
    assert "error: b.yaml:" in out
    assert (here / "a.yaml").read_text(encoding="utf-8") == FIXED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_cannot_be_written_is_an_error(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a.yaml", "b.yaml"):
        (here / name).write_text(BROKEN, encoding="utf-8")
    (here / "a.yaml").chmod(0o444)
    status, _, err = run(capfd)
    assert (status, err) == (2, "error: a.yaml: it cannot be written: permission denied\n")
    assert (here / "b.yaml").read_text(encoding="utf-8") == FIXED


def test_a_file_that_was_changed_meanwhile_is_not_written(here: Path) -> None:
    path = here / "trail.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    look = look_at(["trail.yaml"], Settings())
    before = look.outcome()
    result = repaired(look, before, [key_of(one) for one in before.report.results if one.rule.id == "TG101"])
    path.write_text(f"{BROKEN}# later\n", encoding="utf-8")
    (fault,) = written(before, result.edits, [])
    assert fault.message == "it was changed meanwhile, so it is not written"
    assert path.read_text(encoding="utf-8") == f"{BROKEN}# later\n"


def test_symbolic_links_are_not_followed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outside = here / "outside" / "trail.yaml"
    outside.parent.mkdir()
    outside.write_text(BROKEN, encoding="utf-8")
    inside = here / "inside"
    inside.mkdir()
    (inside / "trail.yaml").symlink_to(outside)
    assert run(capfd, "inside")[1].splitlines()[-1] == "0 findings fixed, 0 left"
    status, out, _ = run(capfd, "inside/trail.yaml")
    assert status == 1
    assert "inside/trail.yaml is a symbolic link, which is not followed" in " ".join(out.split())
    assert outside.read_text(encoding="utf-8") == BROKEN


IN_THE_CDK = "    Metadata: {'aws:cdk:path': App/T/R}\n    Properties"
GENERATED = [
    ("cdk.out/app.template.json", "the CDK", json.dumps({"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail"}}})),
    (".serverless/trail.yaml", "the Serverless Framework", TRAIL),
    (".aws-sam/build/template.yaml", "sam build", TRAIL),
    ("trail.yaml", "a program, as it says", f"# Generated by make.py, do not edit\n{TRAIL}"),
    ("trail.yaml", "a program, as it says", f"Description: AUTO-GENERATED from trail.j2\n{TRAIL}"),
    (
        "trail.yaml",
        "the CDK",
        TRAIL.replace("    Properties", "    Metadata: {'aws:cdk:path': App/T/R}\n    Properties"),
    ),
]


@pytest.mark.parametrize(("name", "maker", "text"), GENERATED)
def test_generated_files_are_never_written(
    here: Path, capfd: pytest.CaptureFixture[str], name: str, maker: str, text: str
) -> None:
    (here / name).parent.mkdir(parents=True, exist_ok=True)
    (here / name).write_text(text, encoding="utf-8")
    status, out, _ = run(capfd, name)
    told = " ".join(out.split())
    assert status == 1
    assert f"{name} is written by {maker}, so its source has to change: set IsMultiRegionTrail to true" in told
    assert ("in construct App/T/R" in told) is ("aws:cdk" in text)
    assert (here / name).read_text(encoding="utf-8") == text


def test_a_description_that_speaks_of_generating_is_none() -> None:
    from trailguard.fixes.generated import generated

    assert generated("trail.yaml", "Description: Records who generated what\n") == ""
    assert generated("trail.yaml", f"{TRAIL}# do not edit the bucket by hand\n") == "a program, as it says"
    assert generated("trail.yaml", f"{TRAIL}{'# more' * 3}\n" * 9 + "# do not edit\n") == ""


def test_accepted_findings_are_left_alone(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = BROKEN.replace("  # breaks TG101", "  # trailguard: ignore[TG101] a test account")
    (here / "trail.yaml").write_text(text, encoding="utf-8")
    assert run(capfd) == (0, "0 findings fixed, 0 left\n", "")
    (here / "trail.yaml").write_text(BROKEN, encoding="utf-8")
    assert main(["baseline", "trail.yaml"]) == 0
    capfd.readouterr()
    assert run(capfd, "--baseline", ".trailguard-baseline.json") == (0, "0 findings fixed, 0 left\n", "")
    assert (here / "trail.yaml").read_text(encoding="utf-8") == BROKEN


def test_only_what_is_new_since_a_revision_is_fixed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "old.yaml").write_text(BROKEN, encoding="utf-8")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "old")
    (here / "new.yaml").write_text(BROKEN, encoding="utf-8")
    assert run(capfd, "--since", "HEAD")[0] == 1
    assert (here / "old.yaml").read_text(encoding="utf-8") == BROKEN
    assert (here / "new.yaml").read_text(encoding="utf-8") == FIXED


def test_interactive_needs_a_terminal(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capfd, "--interactive")
    assert (status, err) == (2, "error: --interactive needs a terminal; see what would be written with --diff\n")


@pytest.mark.parametrize(
    ("answers", "expected"), [("y\n", FIXED), ("n\n", BROKEN), ("what\ny\n", FIXED), ("\x04", BROKEN)]
)
def test_interactive_shows_each_fix_and_asks(here: Path, answers: str, expected: str) -> None:
    (here / "trail.yaml").write_text(BROKEN, encoding="utf-8")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-m", "trailguard", "fix", "--interactive"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        told = ""
        pending = answers.splitlines(keepends=True)
        while select.select([ours], [], [], 60)[0]:
            try:
                told += os.read(ours, 65536).decode()
            except OSError:  # the other end is closed
                break
            if told.count("Write it? [y/n]") > len(answers.splitlines()) - len(pending) and pending:
                os.write(ours, pending.pop(0).encode())
        process.wait(60)
    os.close(ours)
    assert "-      IsMultiRegionTrail: false" in told
    assert "+      IsMultiRegionTrail: true" in told
    assert (here / "trail.yaml").read_text(encoding="utf-8") == expected
    assert process.returncode == {FIXED: 0, BROKEN: 130 if answers == "\x04" else 1}[expected]


def test_what_could_not_be_written_is_left(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A fix of two files is written in both or in none; the account says so, and the other file is fixed."""
    (here / "root.yaml").write_text(
        "Resources:\n  Logs: {Type: AWS::S3::Bucket}\n"
        "  Policy:\n    Type: AWS::CloudFormation::Stack\n"
        "    Properties: {TemplateURL: ./policy.yaml, Parameters: {Bucket: !Ref Logs}}\n"
        "  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties: {S3BucketName: !Ref Logs, IsLogging: true}\n",
        encoding="utf-8",
    )
    (here / "policy.yaml").write_text("Parameters: {Bucket: {Type: String}}\nResources: {}\n", encoding="utf-8")
    (here / "alone.yaml").write_text(TRAIL, encoding="utf-8")
    look = look_at(["."], Settings())
    before = look.outcome()
    edits = {name: [Edit(0, 0, "# fixed\n")] for name in before.files}
    (here / "policy.yaml").write_text("Resources: {}\n", encoding="utf-8")
    faults = written(before, edits, [{"root.yaml", "policy.yaml"}, {"alone.yaml"}])
    assert [(fault.file, fault.message) for fault in faults] == [
        ("policy.yaml", "it was changed meanwhile, so it is not written"),
        ("root.yaml", "it is fixed together with policy.yaml, which cannot be written"),
    ]
    assert (here / "root.yaml").read_text(encoding="utf-8").startswith("Resources")
    assert (here / "alone.yaml").read_text(encoding="utf-8") == f"# fixed\n{TRAIL}"


def test_the_account_does_not_claim_what_was_not_written(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is not writable, nor in a folder that takes a new file, cannot be replaced."""
    trail = here / "trail.yaml"
    trail.write_text(TRAIL, encoding="utf-8")
    look = look_at(["trail.yaml"], Settings())
    before = look.outcome()
    result = repaired(look, before, [key_of(one) for one in before.report.results])
    args = Namespace(show_diff=False, paths=["trail.yaml"], color="never", quiet=True)
    report = narrowed(result.outcome.report, Settings(), ["TG101"], [])
    said = told(result, report, args, ["trail.yaml"])
    assert said == "trail.yaml\n  left   TG101 Trail: set IsMultiRegionTrail to true\n0 findings fixed, 1 left\n"


def test_a_resource_that_no_rule_is_about_is_an_error(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "trail.yaml").write_text(TRAIL, encoding="utf-8")
    status, out, err = run(capfd, "--resource", "Trial", "trail.yaml")
    assert (status, out) == (2, "")
    assert err == 'error: no rule is about a resource "Trial"; did you mean "Trail"?\n'
    assert (here / "trail.yaml").read_text(encoding="utf-8") == TRAIL


def test_a_diff_of_files_elsewhere_says_where_it_applies(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "trail.yaml").write_text(TRAIL, encoding="utf-8")
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    status, out, err = run(capfd, "--diff", "../trail.yaml")
    assert status == 1
    assert "+++ b/../trail.yaml" in out
    assert f"run this in {here} to apply it" in err
    monkeypatch.chdir(here)
    assert "to apply it" not in run(capfd, "--diff", "trail.yaml")[2]
