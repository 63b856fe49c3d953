"""A report says how its templates were judged: whatever had a say, and nothing secret."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from trailguard.commands.cli import main
from trailguard.findings import Report
from trailguard.scanning import scan
from trailguard.settings.settings import Context, Settings, Waiver

TEMPLATE = """\
Parameters:
  Multi: {Type: String, Default: "false"}
  Password: {Type: String, NoEcho: true}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {S3BucketName: logs-of-ours, IsLogging: true, IsMultiRegionTrail: !Ref Multi}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "trail.yaml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def how(**settings: Any) -> dict[str, str]:
    return dict(scan(["trail.yaml"], Settings(**settings)).how)


def test_a_plain_scan_says_its_profile_alone(folder: Path) -> None:
    assert how() == {"profile": "default"}


def test_what_is_pinned_is_said_and_what_is_secret_is_not(folder: Path) -> None:
    pins = {"Multi": "true", "Password": "hunter2", "DatabasePassword": "hunter3"}
    told = how(parameters=pins, region="eu-west-1", account_id="111122223333", partition="aws")
    shown = "Multi = true, Password = (not shown), DatabasePassword = (not shown)"
    assert told["parameters"] == shown  # nothing is known of a parameter that no judged template has
    assert (told["Region"], told["account"], told["partition"]) == ("eu-west-1", "111122223333", "aws")


def test_rules_that_are_left_out_or_changed_are_named(folder: Path) -> None:
    told = how(ignore=("TG4", "TG101"), severities={"TG103": "low"}, profile="all")
    assert told["ignored rules"] == "TG4, TG101"
    assert told["changed rules"] == "TG103: severity is low, not medium"
    assert how(min_severity="high")["rules left out"] == "those of a severity below high"
    assert how(select=("TG103",))["selected rules"] == "TG103"


def test_an_option_is_told_with_its_default(folder: Path) -> None:
    report = scan(["trail.yaml"], Settings(profile="all", options={"TG305": {"days": 1}}))
    (rule,) = [rule for rule in report.rules if rule.id == "TG305"]
    assert len(rule.changed) == 1
    assert rule.changed[0].startswith("option days is 1, not ")
    assert dict(report.how)["changed rules"] == f"TG305: {rule.changed[0]}"


def test_contexts_paths_and_waivers_of_use_are_named(folder: Path) -> None:
    context = Context("prod", ("*.yaml",), {"Multi": "true", "Password": "hunter2"}, region="eu-west-1")
    used = Waiver("TG103", "trail.yaml", "", "digests come in spring", "2099-01-01")
    idle = used._replace(rule="TG105", resource="Nothing", reason="never")
    told = how(contexts=(context,), exclude=("old/",), waivers=(used, idle))
    assert told["contexts"] == "prod (*.yaml) with Multi = true, Password = (not shown), eu-west-1"
    assert told["excluded paths"] == "old/"
    assert told["waivers"] == "TG103 until 2099-01-01: digests come in spring"


def judged(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, str]:
    main(["scan", "trail.yaml", "--format", "json", *options])
    found: dict[str, str] = json.loads(capsys.readouterr().out)["judged"]
    return found


def test_the_command_is_told_without_what_has_no_say(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--parameter", "Password=hunter2", "--ignore", "TG1,TG2", "--jobs", "2", "--profile", "all")
    told = judged(capsys, *options)
    expected = "trailguard scan trail.yaml --profile all --ignore TG1,TG2 --parameter 'Password=…'"
    assert told["command"] == expected
    assert judged(capsys, "--no-config")["command"] == "trailguard scan trail.yaml --no-config"
    assert "hunter2" not in json.dumps(told)


def test_the_baseline_is_named_with_what_it_accepts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "--output", "known.json"]) == 0
    capsys.readouterr()
    told = judged(capsys, "--baseline", "known.json")["baseline"]
    report: Report = scan(["trail.yaml"], Settings(baseline=str(folder / "known.json")))
    assert told == f"known.json, {report.summary()['suppressed']} findings of it"


def test_a_stamp_names_revision_and_date(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "revision" not in judged(capsys)
    assert main(["scan", "trail.yaml", "--stamp"]) == 2  # there is no revision to name
    assert "git" in capsys.readouterr().err
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    told = judged(capsys, "--stamp")
    head = subprocess.run([*git, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    assert told["revision"] == head.stdout.strip()
    assert len(told["date"]) == len("2026-11-29")
    (folder / "trail.yaml").write_text(TEMPLATE + "# changed\n", encoding="utf-8")
    assert judged(capsys, "--stamp")["revision"] == f"{head.stdout.strip()}-dirty"
