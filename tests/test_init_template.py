"""`trailguard init`: whatever is switched on, the template can be deployed and passes every rule that then applies."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from trailguard.commands import cli
from trailguard.findings import FAIL, NOT_APPLICABLE, PASS
from trailguard.init_template import SWITCHES, template
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

CHOICES = [chosen for size in range(len(SWITCHES) + 1) for chosen in itertools.combinations(SWITCHES, size)]
FORMS = ("yaml", "json")
BOOK = load(Settings(profile="all"))
# The rules that a template without the part does not keep, and says so.
WAIVED = {"organization": {"TG112"}, "kms": {"TG108"}, "cloudwatch": {"TG109", "TG403"}, "sns": set[str]()}
LINT = "import sys; from cfnlint.runner.cli import main; sys.exit(main())"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chosen", CHOICES, ids=lambda chosen: "+".join(chosen) or "none")
def test_passes_every_rule(chosen: tuple[str, ...], form: str) -> None:
    data = template(chosen, form).encode("ascii")
    result = judge_file(f"trail.{form}", data, Task(Settings(profile="all"), BOOK))
    assert (result.errors, result.notices) == ((), ())
    left_out = set().union(*(WAIVED[name] for name in SWITCHES if name not in chosen))
    assert [(item.rule.id, item.message) for item in result.findings if item.is_open] == []
    waived = [item for item in result.findings if item.suppressed is not None]
    assert {item.rule.id for item in waived} == left_out
    assert all(item.verdict == FAIL and item.suppressed.reason for item in waived if item.suppressed)
    if set(chosen) == set(SWITCHES):
        silent = {item.rule.id for item in result.findings if item.verdict == NOT_APPLICABLE}
        lake = {rule.id for rule in BOOK.selected if rule.subject == "event_data_store"}
        assert silent <= {*lake, "TG602"}  # which is about what is deployed


@pytest.mark.hosts
def test_cfn_lint_accepts_it(tmp_path: Path) -> None:
    for chosen, form in itertools.product(CHOICES, FORMS):
        name = "-".join(chosen) or "none"
        tmp_path.joinpath(f"{name}.{form}").write_text(template(chosen, form), encoding="utf-8")
    paths = sorted(map(str, tmp_path.iterdir()))
    arguments = ["--regions", "us-east-1", "eu-central-1", "--format", "parseable", "--", *paths]
    outcome = subprocess.run([sys.executable, "-c", LINT, *arguments], capture_output=True, text=True, check=False)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


@pytest.mark.parametrize("chosen", CHOICES, ids=lambda chosen: "+".join(chosen) or "none")
def test_comments_say_why_and_markers_are_gone(chosen: tuple[str, ...]) -> None:
    lines = template(chosen).splitlines()
    assert [line for line in lines if line.startswith(("#if", "#unless", "#end"))] == []
    assert [line for line in lines if line != line.rstrip()] == []
    assert [pair for pair in itertools.pairwise(lines) if pair == ("", "")] == []
    assert sum(line.lstrip().startswith("# ") for line in lines) > 25


def test_markers_stand_in_pairs_and_name_switches() -> None:
    lines = files("trailguard").joinpath("init_template.yaml").read_text(encoding="utf-8").splitlines()
    markers = [line for line in lines if line.startswith(("#if", "#unless", "#end"))]
    assert markers[1::2] == ["#end"] * (len(markers) // 2)
    words = {word for marker in markers[::2] for word in marker.split()[1:]}
    assert words == {*SWITCHES}
    assert len(markers) % 2 == 0


def test_file_itself_is_the_template_with_everything() -> None:
    whole = files("trailguard").joinpath("init_template.yaml").read_bytes()
    result = judge_file("init_template.yaml", whole, Task(Settings(profile="all"), BOOK))
    assert result.errors == ()
    assert {item.verdict for item in result.findings} <= {PASS, NOT_APPLICABLE}


def test_json_is_the_long_form() -> None:
    document: Any = json.loads(template(SWITCHES, "json"))
    trail = document["Resources"]["Trail"]["Properties"]
    assert trail["KMSKeyId"] == {"Fn::GetAtt": ["TrailKey", "Arn"]}
    assert trail["IsMultiRegionTrail"] is True
    assert document["Parameters"]["LogRetentionDays"]["Default"] == 365
    assert document["AWSTemplateFormatVersion"] == "2010-09-09"
    lock = document["Resources"]["LogBucket"]["Properties"]["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 365}


def test_fits_into_a_request() -> None:
    assert len(template(SWITCHES)) < 51_200


@pytest.mark.parametrize("switches", [[], ["--no-kms", "--no-cloudwatch"], ["--organization", "--sns"]])
def test_command_in_its_header_finds_nothing(
    switches: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "--output", "trail.yaml", *switches]) == 0
    header = Path("trail.yaml").read_text(encoding="utf-8").splitlines()[1]
    (command,) = re.findall(r"`(trailguard scan [^`]*)`", header)
    assert cli.main([*command.split()[1:], "--fail-on", "unknown"]) == 0
    out, err = capsys.readouterr()
    assert "0 fail, 0 conditional, 0 unknown" in out
    assert ("notice" in out, err) == (False, "")


# --- the command --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], ("kms", "cloudwatch")),
        (["--no-kms", "--no-cloudwatch"], ()),
        (["--organization", "--sns"], SWITCHES),
        (["--no-sns", "--no-organization", "--kms", "--cloudwatch"], ("kms", "cloudwatch")),
    ],
)
def test_options_choose_the_parts(
    options: list[str], chosen: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", *options]) == 0
    assert capsys.readouterr() == (template(chosen), "")
    assert cli.main(["init", "--format", "json", *options]) == 0
    assert capsys.readouterr() == (template(chosen, "json"), "")


def test_file_is_not_overwritten_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trail.yaml"
    assert cli.main(["init", "--output", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == template(("kms", "cloudwatch"))
    assert cli.main(["init", "--no-kms", "--output", str(path)]) == 2
    assert capsys.readouterr() == ("", f"error: {path}: is there already (--force overwrites it)\n")
    assert path.read_text(encoding="utf-8") == template(("kms", "cloudwatch"))
    assert cli.main(["init", "--no-kms", "--output", str(path), "--force"]) == 0
    assert path.read_text(encoding="utf-8") == template(("cloudwatch",))


def test_name_of_the_file_tells_the_format(tmp_path: Path) -> None:
    path = tmp_path / "trail.JSON"
    assert cli.main(["init", "--output", str(path)]) == 0
    assert json.loads(path.read_text(encoding="utf-8"))["Resources"]["Trail"]
    assert cli.main(["init", "--output", str(path), "--force", "--format", "yaml"]) == 0
    assert path.read_text(encoding="utf-8").startswith("# An audit trail")


def test_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "missing" / "trail.yaml"
    assert cli.main(["init", "--output", str(path)]) == 2
    assert capsys.readouterr() == ("", f"error: {path}: cannot be written: no such file or directory\n")


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "examples:\n  trailguard init" in out
    assert "--kms, --no-kms" in out
    assert "(default: True)" not in out
