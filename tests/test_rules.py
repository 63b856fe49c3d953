"""Every rule against its templates, and every finding against the record.

The record, `expected.json` in the folder of a rule, is the reviewer's: it is rewritten on purpose, and its difference
is read.

    python -m tests.test_rules
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from trailguard.findings import VERDICTS
from trailguard.judging import ruletests  # whole: the names in it begin with test
from trailguard.judging.examples import judge_example
from trailguard.judging.results import Task
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

BOOK = load(Settings(profile="all"))
BY_FOLDER = {Path(rule.folder).name: rule for rule in BOOK.rules.values()}
EXPECTED = "expected.json"


def name_of(path: str) -> str:
    """A template as its rule's folder knows it, such as `fail/plain.yaml`."""
    return Path(path).relative_to(Path(path).parent.parent).as_posix()


@cache
def record(path: str) -> tuple[dict[str, Any], ...]:
    """What a rule finds in one of its templates."""
    rule = BY_FOLDER[Path(path).parent.parent.name]
    result = judge_example(path, Path(path).read_bytes(), Task(Settings(), BOOK._replace(selected=(rule,))))
    found: list[dict[str, Any]] = [
        {
            "rule": finding.rule.id,
            "resource": finding.resource,
            "verdict": finding.verdict,
            "line": finding.place.span.line,
            "column": finding.place.span.column,
            "message": finding.message,
            **({"witness": dict(finding.witness)} if finding.witness else {}),
            **({"reason": finding.reason} if finding.reason else {}),
        }
        for finding in result.findings
    ]
    found.extend({"error": error.message, "line": error.line, "column": error.column} for error in result.errors)
    return tuple(found)


def records(rule: Rule) -> dict[str, list[dict[str, Any]]]:
    """What a rule finds in each of its templates that fail."""
    return {name_of(path): list(record(path)) for path in rule.examples("fail")}


@pytest.fixture(scope="module")
def outcome() -> ruletests.TestReport:
    return ruletests.test_rules(None, Settings())


@pytest.mark.slow
def test_every_template_does_what_its_folder_and_its_comments_say(outcome: ruletests.TestReport) -> None:
    assert outcome.errors == ()
    assert [(case.file, case.explanation) for case in outcome.cases if not case.ok] == []
    tested = sorted(os.path.realpath(case.file) for case in outcome.cases)
    assert tested == sorted(str(path) for path in (ROOT / "rules").glob("*/*/*"))


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_a_rule_s_folder_holds_what_belongs_there(folder: str) -> None:
    rule = BY_FOLDER[folder]
    assert folder == f"{rule.id}-{rule.name}"
    assert {entry.name for entry in (ROOT / "rules" / folder).iterdir()} == {"rule.yaml", EXPECTED, "pass", "fail"}
    for kind in ("pass", "fail"):
        names = [Path(path).name for path in rule.examples(kind)]
        assert "plain.yaml" in names, f"`trailguard explain` shows {kind}/plain.yaml"
        assert {Path(name).suffix for name in names} <= {".yaml", ".json"}


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_findings_are_the_recorded_ones(folder: str) -> None:
    recorded = json.loads((ROOT / "rules" / folder / EXPECTED).read_text(encoding="utf-8"))
    assert records(BY_FOLDER[folder]) == recorded, "see the top of this file for how to record findings on purpose"


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_a_template_that_fails_points_at_the_fault(folder: str) -> None:
    """The place of a finding lies in the template, and what it says is a sentence about it."""
    for path in BY_FOLDER[folder].examples("fail"):
        lines = Path(path).read_text(encoding="utf-8").split("\n")
        for finding in record(path):
            assert finding.get("verdict") in VERDICTS, (path, finding)
            assert 1 <= finding["line"] <= len(lines), (path, finding)
            assert 1 <= finding["column"] <= len(lines[finding["line"] - 1]), (path, finding)
            assert finding["message"].strip(), path
            assert not finding["message"].endswith("."), path


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_expectations_are_understood(folder: str) -> None:
    """A misspelt `expect` comment must not be passed over."""
    for path in (ROOT / "rules" / folder).glob("*/*.yaml"):
        content = path.read_bytes()
        assert len(ruletests.expectations(content)) == content.count(b"expect:"), f"misspelt in {path}"


def test_commas_in_the_value_of_a_list_are_its_own() -> None:
    (found,) = ruletests.expectations(b"A: 1  # expect: fail when Names=audit,other, B=*, AWS::Region=eu-west-1\n")
    assert found.witness == {"Names": "audit,other", "B": "*", "AWS::Region": "eu-west-1"}


if __name__ == "__main__":
    for folder, rule in BY_FOLDER.items():
        text = json.dumps(records(rule), indent=1, ensure_ascii=False)
        (ROOT / "rules" / folder / EXPECTED).write_text(text + "\n", encoding="utf-8", newline="\n")
