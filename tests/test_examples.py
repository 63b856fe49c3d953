"""The examples do what they say: the compliant ones pass every default rule, each broken one breaks exactly one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import ROOT
from trailguard import init_template
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS
from trailguard.judging.alone import judge_file
from trailguard.judging.results import FileResult, Task
from trailguard.rulebook.shelf import load
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

EXAMPLES = ROOT / "examples"
COMPLIANT = sorted((EXAMPLES / "compliant").glob("*.*"))
BROKEN = sorted((EXAMPLES / "broken").glob("*.*"))
STACKS = sorted((EXAMPLES / "stacks").iterdir())
BOOK = load(Settings())

BREAKS = re.compile(r"# breaks (TG\d+)(?: when (\w+)=(\S+))?$")


def name(path: Path) -> str:
    return path.name


def judged(path: Path) -> FileResult:
    result = judge_file(path.name, path.read_bytes(), Task(Settings(), BOOK))
    assert result.errors == ()
    assert result.notices == ()
    return result


@pytest.mark.parametrize("path", COMPLIANT, ids=name)
def test_a_compliant_example_passes_every_default_rule(path: Path) -> None:
    findings = judged(path).findings
    assert [finding.rule.id for finding in findings] == [rule.id for rule in BOOK.selected]
    assert [(item.rule.id, item.verdict) for item in findings if item.verdict not in (PASS, NOT_APPLICABLE)] == []
    assert sum(item.verdict == PASS for item in findings) > len(findings) / 2


@pytest.mark.parametrize("path", BROKEN, ids=name)
def test_a_broken_example_breaks_the_rule_that_it_names_where_it_names_it(path: Path) -> None:
    said = [
        (match[1], number, CONDITIONAL if match[2] else FAIL, {match[2]: match[3]} if match[2] else {})
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := BREAKS.search(line)) is not None
    ]
    assert len(said) == 1, "an example says once what it breaks: # breaks TGnnn"
    findings = judged(path).findings
    cause = next(item.cause for item in findings if item.rule.id == said[0][0])
    found = [
        (
            item.rule.id,
            item.place.span.line,
            item.verdict,
            dict.fromkeys(item.witness, "*") if said[0][3] else item.witness,
        )
        for item in findings
        if item.verdict not in (PASS, NOT_APPLICABLE) and (item.rule.id == said[0][0] or item.cause != cause)
    ]
    assert found == said


@pytest.mark.parametrize("path", BROKEN, ids=name)
def test_a_broken_example_says_in_its_description_what_it_breaks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    rule = re.search(r"# breaks (TG\d+)", text)
    assert rule is not None
    assert rule[1] in text.split("Resources:")[0], "the description names the rule"


@pytest.mark.parametrize("folder", STACKS, ids=name)
def test_an_example_of_stacks_breaks_what_its_templates_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    said = {
        (match[1], path.name, number, CONDITIONAL if match[2] else FAIL)
        for path in folder.glob("*.yaml")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := BREAKS.search(line)) is not None
    }
    report = scan(["."], Settings())
    assert (report.errors, report.notices) == ((), ())
    assert said == {
        (item.rule.id, item.place.file, item.place.span.line, item.verdict)
        for item in report.results
        if item.verdict not in (PASS, NOT_APPLICABLE)
    }


def test_every_default_rule_that_an_example_can_break_has_one() -> None:
    shown = {rule for path in BROKEN for rule in re.findall(r"# breaks (TG\d+)", path.read_text(encoding="utf-8"))}
    needless = {"TG102"}  # with the multi-Region trail that TG101 demands, the deployment itself fails: TG113's as well
    assert {rule.id for rule in BOOK.selected} - shown <= needless


def test_the_example_with_everything_is_what_init_prints() -> None:
    written = (EXAMPLES / "compliant" / "everything.yaml").read_text(encoding="utf-8")
    assert written == init_template.template(("kms", "cloudwatch", "sns"))


def test_the_example_with_everything_passes_every_rule_that_applies() -> None:
    settings = Settings(profile="all")
    content = (EXAMPLES / "compliant" / "everything.yaml").read_bytes()
    findings = judge_file("everything.yaml", content, Task(settings, load(settings))).findings
    left = {item.rule.id for item in findings if item.verdict not in (PASS, NOT_APPLICABLE)}
    assert left == {"TG112"}, "it is for one account, not for an organization"
