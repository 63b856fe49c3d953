"""The frameworks behind the rules: every control is known, has a title, and either rules behind it or a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trailguard.commands import rules_markdown, rules_text
from trailguard.errors import RuleError
from trailguard.rulebook.frameworks import Framework, framework_of, load_frameworks
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings
from trailguard.terminal import Style

BOOK = load(Settings(profile="all"))
FRAMEWORKS = load_frameworks(Settings())
# What rules.md promises, apart from the profiles that are lists of rules.
PROMISED = {
    "cis-aws-1.4", "cis-aws-3.0", "cis-aws-5.0", "aws-fsbp", "nist-800-53-r5", "nist-800-171-r2", "pci-dss-4.0.1",
    "hipaa", "soc2", "iso-27001-2022",
}  # fmt: skip


def behind(framework: str, control: str) -> list[str]:
    return [rule.id for rule in BOOK.selected if control in rule.controls.get(framework, ())]


def test_the_frameworks_are_the_promised_ones() -> None:
    assert set(FRAMEWORKS) == PROMISED
    assert {name for rule in BOOK.selected for name in rule.controls} == PROMISED


@pytest.mark.parametrize("rule", BOOK.selected, ids=lambda rule: rule.id)
def test_a_rule_names_controls_that_are_known(rule: object) -> None:
    for framework, ids in getattr(rule, "controls", {}).items():
        assert ids
        assert len(set(ids)) == len(ids)
        assert set(ids) <= set(FRAMEWORKS[framework].controls), framework


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=lambda framework: framework.name)
def test_a_control_has_rules_behind_it_or_a_reason_why_not(framework: Framework) -> None:
    assert framework.source.startswith("https://")
    for control in framework.controls.values():
        assert control.title
        assert bool(behind(framework.name, control.id)) is (control.undecidable is None), control.id


@pytest.mark.parametrize(
    ("framework", "control", "rules"),
    [
        ("cis-aws-1.4", "3.3", ["TG301"]),
        ("cis-aws-1.4", "3.4", ["TG109"]),
        ("cis-aws-1.4", "3.8", ["TG401"]),
        ("cis-aws-3.0", "3.1", ["TG101", "TG106", "TG107"]),
        ("cis-aws-3.0", "3.4", ["TG304"]),
        ("cis-aws-3.0", "3.5", ["TG108"]),
        ("cis-aws-3.0", "3.8", ["TG110"]),
        ("cis-aws-5.0", "2.1.1", ["TG308"]),
        ("cis-aws-5.0", "4.5", ["TG403"]),
        ("aws-fsbp", "CloudTrail.1", ["TG101", "TG107"]),
        ("aws-fsbp", "S3.8", ["TG302"]),
        ("nist-800-53-r5", "SC-12(2)", ["TG401"]),
        ("hipaa", "164.312(c)(2)", ["TG103", "TG308"]),
    ],
)
def test_who_stands_behind_a_control(framework: str, control: str, rules: list[str]) -> None:
    assert behind(framework, control) == rules


def test_a_profile_is_the_rules_that_name_the_framework() -> None:
    for name in FRAMEWORKS:
        named = tuple(rule.id for rule in BOOK.selected if name in rule.controls)
        assert load(Settings(profile=name)).profiles[name] == named


def test_what_no_template_can_decide_is_said() -> None:
    settings = Settings(profile="cis-aws-3.0")
    selected = load(settings).selected
    framework = framework_of(settings, "cis-aws-3.0", selected)
    assert framework is not None
    text = rules_text.framework_as_text(framework, selected, Style(False), 100)
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index("2.1.2  MFA delete is on")
    assert lines[start + 1].startswith("no template can decide this: CloudFormation has no property for it")
    assert lines[lines.index("3.2  Log file validation is on") + 1] == "TG103  medium  log-file-validation"
    assert lines[-1].startswith(f"11 controls, {len(selected)} rules, 1 beyond any template")
    table = rules_markdown.framework_table(framework, selected)
    assert "| 2.1.2 | MFA delete is on | no template can decide this: " in table
    assert "| 3.2 | Log file validation is on | TG103 log-file-validation |" in table
    told = json.loads(rules_text.as_json(selected, "cis-aws-3.0", framework))["framework"]["controls"]
    assert [item["id"] for item in told if item["undecidable"]] == ["2.1.2"]
    assert next(item["rules"] for item in told if item["id"] == "3.9") == ["TG110"]


def test_rules_that_are_left_out_are_missed() -> None:
    settings = Settings(profile="cis-aws-3.0", ignore=("TG103",))
    selected = load(settings).selected
    framework = framework_of(settings, settings.profile, selected)
    assert framework is not None
    assert "| 3.2 | Log file validation is on | left out |" in rules_markdown.framework_table(framework, selected)


def test_frameworks_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "profiles.yaml").write_text("mine: [TG101]\n")
    (tmp_path / "controls.yaml").write_text(
        "acme:\n  title: The rules of the house\n  source: https://example.com\n"
        "  controls: {A1: Logs are kept, A2: {title: Doors are shut, undecidable: there are no doors}}\n"
    )
    settings = Settings(rule_dirs=(str(tmp_path),))
    framework = load_frameworks(settings)["acme"]
    assert [control.undecidable for control in framework.controls.values()] == [None, "there are no doors"]
    assert framework_of(settings, "mine", ()) is None


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("acme: 1\n", (1, 7), "must be a map with title, source and controls"),
        ("acme: {title: a, sauce: b, controls: {}}\n", (1, 18), 'there is no key "sauce"; did you mean "source"?'),
        ("acme: {title: a, source: b}\n", (1, 7), "controls is missing"),
        ("acme: {title: a, source: b, controls: {x: {title: t}}}\n", (1, 43), "undecidable is missing"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, place: tuple[int, int], message: str) -> None:
    (tmp_path / "controls.yaml").write_text(text)
    with pytest.raises(RuleError) as caught:
        load_frameworks(Settings(rule_dirs=(str(tmp_path),)))
    assert ((caught.value.line, caught.value.column), caught.value.message) == (place, message)
