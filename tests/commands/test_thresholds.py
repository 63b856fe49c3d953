"""What decides the exit status, which rules are applied, and how arguments are read; on real scans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trailguard.commands.cli import main
from trailguard.errors import RuleError
from trailguard.rulebook.shelf import load as load_rules
from trailguard.settings.settings import Settings


def test_rules_below_the_least_severity_are_not_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text("Resources: {T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: b-1}}}")
    capture = tmp_path / "r.json"
    assert main(["scan", "--min-severity", "high", "--output", f"json:{capture}", "--output", "-"]) == 1
    report = json.loads(capture.read_text())
    assert {item["severity"] for item in report["results"]} == {"critical", "high"}
    assert {rule["severity"] for rule in report["rules"]} == {"critical", "high"}


@pytest.mark.parametrize(
    ("words", "ids"),
    [("TG2", "TG2"), ("tg10", "TG10"), ("TG101", "TG101"), ("TG40,TG5", ("TG40", "TG5"))],
)
def test_rules_are_selected_by_the_beginning_of_their_ids(words: str, ids: str | tuple[str, ...]) -> None:
    chosen = [rule.id for rule in load_rules(Settings(select=tuple(words.split(",")))).selected]
    assert chosen == [rule.id for rule in load_rules(Settings(profile="all")).selected if rule.id.startswith(ids)]
    left = [rule.id for rule in load_rules(Settings(profile="all", ignore=tuple(words.split(",")))).selected]
    assert not [name for name in left if name.startswith(ids)]


def test_a_beginning_that_no_rule_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuleError):
        load_rules(Settings(select=("TG9",)))


def test_statistics_end_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text("Resources: {T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: b-1}}}")
    main(["scan", "--select", "TG101,TG103,TG201", "--statistics"])
    lines = capsys.readouterr().out.splitlines()
    table = lines[lines.index("exit status 1: 2 findings with verdict fail") + 1 :]
    assert [line.split() for line in table if line] == [
        ["rule", "fail", "conditional", "unknown"],
        ["TG101", "multi-region", "1", "0", "0"],
        ["TG103", "log-file-validation", "1", "0", "0"],
        ["TG201", "bucket-policy-exists", "0", "0", "1"],
        ["file", "fail", "conditional", "unknown"],
        ["t.yaml", "2", "0", "1"],
    ]
    main(["scan", "--select", "TG101", "--statistics", "--format", "json"])
    done = capsys.readouterr()
    json.loads(done.out)
    assert "TG101 multi-region" in done.err


def test_words_behind_a_double_dash_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-t.yaml").write_text("Resources: {T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: b-1}}}")
    assert main(["scan", "--select", "TG101", "-q", "--", "-t.yaml"]) == 1
    assert capsys.readouterr().out.startswith("-t.yaml:1:")
    assert main(["explain", "--", "TG101"]) == 0
    assert main(["explain", "--", "TG101", "more"]) == 2
    assert main(["completion", "--", "bas"]) == 2


def test_help_of_a_command(capsys: Any) -> None:
    assert main(["help", "scan"]) == 0
    assert capsys.readouterr().out.startswith("usage: trailguard scan ")
    assert main(["help"]) == 0
    assert main(["help", "scna"]) == 2
    assert 'did you mean "scan"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "hint"),
    [("--exit-zer", "; did you mean --exit-zero?"), ("--exit-cero", "; did you mean --exit-zero?"), ("--zap", "")],
)
def test_an_option_is_only_offered_when_it_is_near(option: str, hint: str, capsys: Any) -> None:
    assert main(["scan", option]) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"error: unknown option {option}{hint}"
