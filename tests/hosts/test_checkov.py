"""The rules inside the real checkov: what it tells is what a scan tells, and nothing passes in silence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from tests import ROOT
from tests.hosts.running import TRAIL, Everywhere, attention, checkov
from trailguard.findings import CONDITIONAL, FAIL, UNKNOWN, Finding

pytestmark = pytest.mark.hosts

OURS = ("--framework", "cloudformation", "--check", "CKV_TG*")


def told(reports: list[dict[str, Any]], kind: str = "failed") -> set[tuple[str, str, str]]:
    """Ours: id, file, resource."""
    return {
        (item["check_id"], item["file_path"].lstrip("/"), item["resource"].rpartition(".")[2])
        for report in reports
        for item in report.get("results", {}).get(f"{kind}_checks", ())
        if item["check_id"].startswith("CKV_TG_")
    }


def names(reports: list[dict[str, Any]], kind: str = "failed") -> set[str]:
    return {name for name, *_ in told(reports, kind)}


def files(reports: list[dict[str, Any]], name: str) -> dict[str, set[str]]:
    """The files in which a check is told, by how."""
    kinds = ("failed", "skipped", "passed")
    return {kind: {file for check, file, _ in told(reports, kind) if check == name} for kind in kinds}


def place(item: Finding) -> tuple[str, str, str]:
    return item.rule.id.replace("TG", "CKV_TG_"), item.home, item.resource


def failed(reports: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one failure of a check."""
    (item,) = (item for item in reports[0]["results"]["failed_checks"] if item["check_id"] == name)
    return cast("dict[str, Any]", item)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trail.yaml").write_text(TRAIL, encoding="utf-8")
    return tmp_path


def test_it_finds_what_a_scan_finds_in_every_example_and_rule_folder(everywhere: Everywhere) -> None:
    """Without the templates that satisfy their rule: to checkov they are like the others, and it takes its time."""
    done, reports = checkov(everywhere.folder, "--directory", ".", "--skip-path", "/pass/", "--compact", *OURS)
    assert done.status == 1
    found = [item for item in everywhere.found if "/pass/" not in place(item)[1]]
    broken = {place(item) for item in found if item.verdict == FAIL}
    assert len(broken) > 8_000
    assert told(reports) == broken
    assert (
        told(reports, "skipped") == {place(item) for item in found if item.verdict in (CONDITIONAL, UNKNOWN)} - broken
    )


def test_files_and_folders_are_looked_up_alike(folder: Path) -> None:
    by_folder = told(checkov(folder, "--directory", ".", *OURS)[1])
    by_file = told(checkov(folder, "--file", "trail.yaml", *OURS)[1])
    assert by_folder == by_file
    (folder / "deep").mkdir()
    (folder / "deep" / "bucket.yaml").write_text("Resources: {B: {Type: 'AWS::S3::Bucket'}}\n" + TRAIL[11:])
    assert ("CKV_TG_101", "bucket.yaml", "Trail") not in told(checkov(folder, "--directory", "deep", *OURS)[1])


def test_the_message_the_witness_and_the_severity_are_shown(folder: Path) -> None:
    parameters = "Parameters: {Multi: {Type: String, Default: true, AllowedValues: [true, false]}}\nResources:"
    text = TRAIL.replace("Resources:", parameters)
    (folder / "trail.yaml").write_text(text.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: !Ref Multi"))
    skipped = told(checkov(folder, "--directory", ".", *OURS)[1], "skipped")
    assert ("CKV_TG_101", "trail.yaml", "Trail") in skipped  # it does not count, and is told all the same
    (folder / ".trailguard.yaml").write_text("fail_on: conditional\n")
    _, reports = checkov(folder, "--directory", ".", *OURS)
    item = failed(reports, "CKV_TG_101")
    assert item["check_name"].startswith("Trail must cover every Region: IsMultiRegionTrail of Trail ")
    assert item["check_name"].endswith("(when Multi = false)")
    assert item["severity"] == "HIGH"
    assert item["check_result"]["evaluated_keys"] == ["Properties/IsMultiRegionTrail"]
    assert item["guideline"].startswith("https://docs.aws.amazon.com/")


def test_what_is_unknown_is_skipped_with_the_reason(folder: Path) -> None:
    _, reports = checkov(folder, "--directory", ".", *OURS)
    (item,) = (item for item in reports[0]["results"]["skipped_checks"] if item["check_id"] == "CKV_TG_203")
    assert item["check_result"]["suppress_comment"].startswith("unknown: ")
    assert "bucket logs" in item["check_result"]["suppress_comment"]
    (folder / ".trailguard.yaml").write_text("fail_on: unknown\n")
    assert "CKV_TG_203" in names(checkov(folder, "--directory", ".", *OURS)[1])


def test_its_options_comments_and_metadata_leave_findings_out(folder: Path) -> None:
    options = ("--framework", "cloudformation", "--skip-check", "CKV_TG_101,CKV_TG_000")
    assert names(checkov(folder, "--directory", ".", *options)[1]) == set()
    metadata = "Metadata: {checkov: {skip: [{id: CKV_TG_101, comment: one Region}]}}\n    Properties:"
    texts = {
        "trail.yaml": TRAIL,
        "comment.yaml": TRAIL.replace("Properties:", "Properties:  # checkov:skip=CKV_TG_101:one Region"),
        "metadata.yaml": TRAIL.replace("Properties:", metadata),
        "accepted.yaml": TRAIL.replace("Trail: false", "Trail: false  # trailguard: ignore[TG101] known"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    _, reports = checkov(folder, "--directory", ".", *OURS)
    assert files(reports, "CKV_TG_101") == {
        "failed": {"trail.yaml"},
        "skipped": {"comment.yaml", "metadata.yaml"},
        "passed": set(),
    }


def test_a_resource_that_checkov_drops_is_judged(folder: Path) -> None:
    head = "Parameters: {Flag: {Type: String, Default: 'no'}}\nConditions: {Wanted: !Equals [!Ref Flag, 'yes']}\n"
    text = head + TRAIL.replace("    Properties:", "    Condition: Wanted\n    Properties:")
    comment = "    Condition: Wanted  # checkov:skip=CKV_TG_101:one Region"
    (folder / "trail.yaml").write_text(text)
    (folder / "comment.yaml").write_text(text.replace("    Condition: Wanted", comment))
    done, reports = checkov(folder, "--directory", ".", *OURS)
    assert told(reports) == {("CKV_TG_101", "trail.yaml", "Trail")}
    item = failed(reports, "CKV_TG_101")
    assert "IsMultiRegionTrail of Trail is false" in item["check_name"]
    assert (item["file_path"], item["file_line_range"], item["resource"]) == ("/trail.yaml", [4, 12], "Trail")
    assert item["code_block"][0] == [4, "  Trail:\n"]
    assert done.status == 1
    assert files(reports, "CKV_TG_101")["skipped"] == {"comment.yaml"}


def test_templates_are_judged_together(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "stacks", tmp_path / "stacks")
    _, reports = checkov(tmp_path, "--directory", ".", *OURS)
    assert told(reports) == {place(item) for item in attention(tmp_path, ".") if item.verdict == FAIL}


BROKEN = "Resources:\n  T: {Type: 'AWS::CloudTrail::Trail', Properties: {x: [}\n"


def test_every_selection_of_our_checks_tells_what_cannot_be_judged(folder: Path) -> None:
    (folder / "trail.yaml").write_text(BROKEN)
    framework = ("--directory", ".", "--framework", "cloudformation", "--check")
    done, reports = checkov(folder, *framework, "CKV_TG_106")
    assert (names(reports), done.status) == ({"CKV_TG_000"}, 1)
    skipping = checkov(folder, *framework[:-1], "--skip-check", "CKV_TG_106,CKV_AWS_18")[1]
    assert "CKV_TG_000" in names(skipping)
    assert names(checkov(folder, *framework, "CKV_AWS_18")[1]) == set()
    assert names(checkov(folder, *framework, "CKV_TG_106", "--skip-check", "CKV_TG_000")[1]) == set()


def test_a_broken_template_is_a_failure(folder: Path) -> None:
    (folder / "trail.yaml").write_text(BROKEN)
    done, reports = checkov(folder, "--directory", ".", *OURS)
    item = failed(reports, "CKV_TG_000")
    assert item["check_name"] == "trailguard cannot judge this: expected a value"
    assert (item["file_path"], item["file_line_range"]) == ("/trail.yaml", [2, 2])
    assert done.status == 1


LOOP = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Trails:
    - Name
    - [One]
    - Trail${Name}:
        Type: AWS::CloudTrail::Trail
        Properties: {S3BucketName: logs, IsLogging: true, IsMultiRegionTrail: false}
"""


@pytest.mark.parametrize("options", [OURS, ()], ids=["alone", "beside other languages"])
def test_a_loop_that_checkov_does_not_read_is_judged(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").write_text(LOOP)
    done, reports = checkov(tmp_path, "--directory", ".", *options)
    assert ("CKV_TG_101", "loop.yaml", "TrailOne") in told(reports)
    assert done.status == 1


@pytest.mark.parametrize("options", [OURS, ()], ids=["alone", "beside other languages"])
def test_of_several_folders_each_is_told(options: tuple[str, ...], folder: Path) -> None:
    """checkov alone reads the CloudFormation templates of the first one only."""
    for name in ("first", "second"):
        (folder / name).mkdir()
    (folder / "trail.yaml").rename(folder / "second" / "trail.yaml")
    shutil.copy(ROOT / "examples" / "compliant" / "audit-trail.yaml", folder / "first")
    done, reports = checkov(folder, "--directory", "first", "--directory", "second", *options)
    assert told(reports) == {("CKV_TG_101", "trail.yaml", "Trail")}
    assert done.status == 1


@pytest.mark.parametrize(
    ("text", "message"), [("profil: all\n", 'unknown key "profil"'), ("rule_dirs: [gone]\n", "gone: ")]
)
def test_a_broken_configuration_is_a_failure(text: str, message: str, folder: Path) -> None:
    (folder / ".trailguard.yaml").write_text(text)
    done, reports = checkov(folder, "--directory", ".", *OURS)
    assert message in failed(reports, "CKV_TG_000")["check_name"]
    assert done.status == 1


@pytest.mark.parametrize(
    ("sabotage", "message"),
    [
        (
            "import trailguard.scanning as it\ndef boom(*_): raise ZeroDivisionError('boom')\nit.judge_files = boom",
            "internal error, please report it: ZeroDivisionError: boom",
        ),
        ("import sys\nsys.modules['trailguard.hosts.checkov'] = None", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_bug_of_ours_is_a_failure(sabotage: str, message: str, folder: Path) -> None:
    (folder / "sabotage").mkdir()
    (folder / "sabotage" / "sitecustomize.py").write_text(sabotage)
    path = os.pathsep.join([str(folder / "sabotage"), str(ROOT / "src")])
    for options in (("--file", "trail.yaml"), ("--directory", ".")):
        done, reports = checkov(folder, *options, *OURS, PYTHONPATH=path)
        assert message in failed(reports, "CKV_TG_000")["check_name"]
        assert done.status == 1


def test_all_languages_at_once(folder: Path) -> None:
    """checkov starts a process for each language, and all of them load our checks."""
    (folder / "main.tf").write_text('resource "aws_s3_bucket" "b" {}\n')
    (folder / "Dockerfile").write_text("FROM scratch\n")
    done, reports = checkov(folder, "--directory", ".")
    assert "CKV_TG_101" in names(reports)
    assert "Traceback" not in done.err
