"""Where reports go by the names of their files; test_cli.py has the other ways to say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trailguard.commands import cli
from trailguard.commands.options import parse
from trailguard.commands.output import is_wanted

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("report.json", "json"),
        ("report.oscal.json", "oscal"),
        ("REPORT.OSCAL.JSON", "oscal"),
        ("findings.ocsf.json", "ocsf"),
        ("findings.ocsf.jsonl", "ocsf"),
        ("oscal.json", "json"),
        ("report.HTML", "html"),
        ("report.log", "text"),
    ],
)
def test_the_name_of_a_file_says_its_format(name: str, form: str) -> None:
    args = parse("scan", ["--output", name])
    assert [one for one in ("json", "oscal", "ocsf", "html") if is_wanted(one, args)] == [form] * (form != "text")


def test_formats_for_auditors_know_the_frameworks(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.oscal.json", "a.ocsf.jsonl", "b")]
    where = ["--output", str(files[0]), "--output", str(files[1]), "--output", f"ocsf:{files[2]}"]
    template = str(EXAMPLES / "broken" / "single-region.yaml")
    assert cli.main(["scan", template, "--no-config", "--profile", "nist-800-53-r5", *where]) == 1
    (result,) = json.loads(files[0].read_text(encoding="utf-8"))["assessment-results"]["results"]
    states = {item["target"]["target-id"]: item["target"]["status"]["state"] for item in result["findings"]}
    assert states["ac-2.4_smt"] == "not-satisfied"
    assert "satisfied" in states.values()
    events = files[1].read_text(encoding="utf-8")
    assert events == files[2].read_text(encoding="utf-8")
    standards = {name for line in events.splitlines() for name in json.loads(line)["compliance"]["standards"]}
    assert "NIST SP 800-53 Revision 5" in standards
