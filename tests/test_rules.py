"""Every rule against its templates, every finding against the record, and every template against cfn-lint.

The record, `golden/rules.json`, is the reviewer's: it is rewritten on purpose, and its difference is read.

    PYTHONPATH=src python tests/test_rules.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trailguard.findings import VERDICTS
from trailguard.judging import ruletests  # whole: the names in it begin with test
from trailguard.judging.alone import judge_file
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_name("golden") / "rules.json"
BOOK = load(Settings(profile="all"))
FOLDERS = sorted(path.parent.name for path in (ROOT / "rules").glob("*/rule.yaml"))

# Templates that cfn-lint refuses on purpose: the file's glob, the ids of cfn-lint's complaints, and the reason.
REFUSED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("examples/broken/misspelt-key-property.yaml", ("E3002",), "the misspelt property is the fault"),
    ("examples/broken/two-bucket-policies.yaml", ("E3019",), "the second policy is the fault"),
    ("rules/TG201-*/fail/second-policy-by-parameter.yaml", ("E3019",), "the second policy is the fault"),
    ("rules/TG201-*/fail/two-policies.yaml", ("E3019",), "the second policy is the fault"),
    ("rules/TG207-*/fail/refers-to-*.yaml", ("E3004",), "the circle is the fault"),
    ("rules/TG113-*/fail/bucket-arn-for-name*.yaml", ("E1040",), "the ARN is the fault"),
    ("rules/TG113-*/fail/bucket-removed.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG113-*/fail/enabled-for-true.yaml", ("E3012",), "the word is the fault"),
    ("rules/TG113-*/fail/missing-*.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG113-*/fail/misspelt-*.yaml", ("E3002",), "the misspelt property is the fault"),
    ("rules/TG113-*/fail/quoted-yes.yaml", ("E3012",), "the word is the fault"),
    ("rules/TG113-*/fail/role-arn-of-a-user.yaml", ("E1156",), "the user's ARN is the fault"),
    ("rules/TG113-*/fail/role-name-for-arn.yaml", ("E1041",), "the name is the fault"),
    ("rules/TG113-*/fail/six*-selector*.yaml", ("E3032",), "the sixth selector is the fault"),
    ("rules/TG113-*/fail/trail-name-ends-in-hyphen.yaml", ("E3031",), "the name is the fault"),
    ("rules/TG113-*/fail/trail-name-too-short.yaml", ("E3033",), "the name is the fault"),
    ("rules/TG106-*/fail/if-no-value.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG106-*/fail/missing.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG106-*/fail/no-value.yaml", ("E3003",), "the missing property is the fault"),
)


def examples(*kinds: str) -> list[str]:
    """The rules' templates, relative to the project's root."""
    paths = [path for rule in BOOK.rules.values() for kind in kinds for path in rule.examples(kind)]
    return sorted(os.path.relpath(path, ROOT).replace(os.sep, "/") for path in paths)


def rule_of(path: str) -> Rule:
    return BOOK.rules[path.split("/")[1].partition("-")[0]]


def record(path: str) -> list[dict[str, Any]]:
    """What a rule finds in one of its templates."""
    book = BOOK._replace(selected=(rule_of(path),))
    result = judge_file(path, (ROOT / path).read_bytes(), Settings(), book)
    found: list[dict[str, Any]] = [
        {
            "rule": finding.rule,
            "resource": finding.resource,
            "verdict": finding.verdict,
            "line": finding.span.line,
            "column": finding.span.column,
            "message": finding.message,
            **({"witness": dict(finding.witness)} if finding.witness else {}),
            **({"reason": finding.reason} if finding.reason else {}),
        }
        for finding in result.findings
    ]
    found.extend({"error": error.message, "line": error.line, "column": error.column} for error in result.errors)
    return found


def golden() -> dict[str, list[dict[str, Any]]]:
    recorded: dict[str, list[dict[str, Any]]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return recorded


@cache
def outcome() -> ruletests.TestReport:
    return ruletests.test_rules(None, Settings())


def cases() -> list[str]:
    return examples("pass", "fail")


@pytest.mark.parametrize("path", cases())
def test_a_template_does_what_its_folder_and_its_comments_say(path: str) -> None:
    told = [case for case in outcome().cases if os.path.realpath(case.file) == os.path.realpath(ROOT / path)]
    assert [(case.ok, case.explanation) for case in told] == [(True, "")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_rule_has_templates_for_both_sides(folder: str) -> None:
    for kind in ("pass", "fail"):
        assert any((ROOT / "rules" / folder / kind).glob("*.*")), f"{folder}/{kind} is empty"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_rule_s_folder_holds_what_belongs_there(folder: str) -> None:
    rule = next(rule for rule in BOOK.rules.values() if Path(rule.folder).name == folder)
    assert folder == f"{rule.id}-{rule.name}"
    assert {entry.name for entry in (ROOT / "rules" / folder).iterdir()} <= {"rule.yaml", "pass", "fail"}
    suffixes = {path.suffix for kind in ("pass", "fail") for path in (ROOT / "rules" / folder / kind).glob("*")}
    assert suffixes <= {".yaml", ".json"}


@pytest.mark.parametrize("path", examples("fail"))
def test_findings_are_the_recorded_ones(path: str) -> None:
    assert record(path) == golden().get(path), "see the top of this file for how to record findings on purpose"


def test_nothing_else_is_recorded() -> None:
    assert sorted(golden()) == examples("fail")


@pytest.mark.parametrize("path", examples("fail"))
def test_a_template_that_fails_points_at_the_fault(path: str) -> None:
    """The place of a finding lies in the template, and what it says is a sentence about it."""
    lines = (ROOT / path).read_text(encoding="utf-8").split("\n")
    for finding in record(path):
        assert finding.get("verdict") in VERDICTS, finding
        assert 1 <= finding["line"] <= len(lines)
        assert 1 <= finding["column"] <= len(lines[finding["line"] - 1])
        assert finding["message"].strip()
        assert not finding["message"].endswith(".")


@pytest.mark.parametrize("path", cases())
def test_expectations_are_understood(path: str) -> None:
    """A misspelt `expect` comment must not be passed over."""
    content = (ROOT / path).read_bytes()
    if path.endswith(".yaml"):
        assert len(ruletests.expectations(content)) == content.count(b"expect:"), "an expect comment is misspelt"


def linted() -> list[str]:
    return [*cases(), *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("*.yaml"))]


Errors = dict[str, list[tuple[str, str]]]  # by template: the id and the words of each


@pytest.fixture(scope="module")
def lint() -> Errors:
    """The errors that cfn-lint finds, in one run: it takes seconds to start."""
    pytest.importorskip("cfnlint")
    start = "import sys; from cfnlint.runner.cli import main; sys.exit(main())"
    options = ["--format", "json", "--regions", "us-east-1", "--ignore-checks", "W", "--"]
    command = [sys.executable, "-c", start, *options, *linted()]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert run.stdout.startswith("["), run.stderr
    found: Errors = {}
    for match in json.loads(run.stdout):
        file = match["Filename"].replace(os.sep, "/")
        place = f"{match['Location']['Start']['LineNumber']}: {match['Message']}"
        found.setdefault(file, []).append((match["Rule"]["Id"], place))
    return found


def allowed(path: str) -> set[str]:
    return {lint_id for pattern, ids, _ in REFUSED if Path(path).match(pattern) for lint_id in ids}


@pytest.mark.parametrize("path", linted())
def test_cfn_lint_accepts_the_template(lint: Errors, path: str) -> None:
    assert [error for error in lint.get(path, ()) if error[0] not in allowed(path)] == []


@pytest.mark.parametrize(("pattern", "ids", "reason"), REFUSED)
def test_no_exception_is_left_over(lint: Errors, pattern: str, ids: tuple[str, ...], reason: str) -> None:
    told = {error[0] for path in linted() if Path(path).match(pattern) for error in lint.get(path, ())}
    assert set(ids) == told, f"cfn-lint says something else by now ({reason})"


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    text = json.dumps({path: record(path) for path in examples("fail")}, indent=1, ensure_ascii=False)
    GOLDEN.write_text(text + "\n", encoding="utf-8")
