"""Unit tests for rules: every template in a rule's `pass/` must satisfy it, every one in `fail/` must not.

What is expected is said beside the line, in a comment:

    IsMultiRegionTrail: !Ref Multi  # expect: conditional when Multi=false

The verdict comes first; `when` names the witness (`Name=*` for any value), `-- text` words that the message holds. A
JSON template says the same in `Metadata: {trailguard: {expect: [{line, verdict, witness, message}]}}`. A template in
`fail/` that says nothing must give at least one `fail`; one in `pass/` must give nothing but `pass`. How a template was
deployed, it says as in `examples`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from trailguard.cloudformation.source.nodes import MapNode, SourceError, plain
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.errors import display_name
from trailguard.findings import FAIL, NOT_APPLICABLE, PASS, VERDICTS, FileError, Finding
from trailguard.judging.deployments import usual
from trailguard.judging.examples import judge_example
from trailguard.judging.factsheet import told_fact
from trailguard.judging.results import FileResult, Task
from trailguard.judging.subjects import JudgedTemplate
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import Rulebook, builtin_folder, load, load_folder
from trailguard.settings.settings import Settings

_COMMENT = re.compile(r"#\s*expect:\s*(\w+)(.*)")
_DASH = re.compile(r"\s--\s")
_NEXT_NAME = re.compile(r",\s*(?=[\w:]+\s*=)")  # other commas are within a value: that of a list has some


class Expectation(NamedTuple):
    """What a template says of a line."""

    line: int
    verdict: str
    witness: Mapping[str, str]
    message: str

    def __str__(self) -> str:
        when = ", ".join(f"{name}={value}" for name, value in self.witness.items())
        return f"line {self.line}: {self.verdict}" + (f" when {when}" if when else "")


class TestCase(NamedTuple):
    """One template of a rule, what it should give and what it gives; `explanation` tells a mismatch."""

    rule: str
    file: str
    expected: str
    actual: str
    ok: bool
    explanation: str


class TestReport(NamedTuple):
    """The outcome of testing rules."""

    cases: tuple[TestCase, ...]
    errors: tuple[FileError, ...]


def test_rules(rules_dir: str | None, settings: Settings) -> TestReport:
    """Run the templates of every rule in a folder (default: the rules that ship) against it; raises RuleError.

    Of the settings only the folders of rules count: examples are about a rule as it is written, with the defaults of
    its options, whatever a repository asks of its own templates.
    """
    folder = rules_dir or builtin_folder()
    real, shipped = os.path.realpath(folder), os.path.realpath(builtin_folder())
    known = {shipped, *map(os.path.realpath, settings.rule_dirs)}
    folders = settings.rule_dirs
    if real not in known and os.path.dirname(real) not in known:
        folders = (*folders, folder)
    settings = Settings(profile="all", rule_dirs=folders)
    rulebook = load(settings)
    cases: list[TestCase] = []
    errors: list[FileError] = []
    for rule in load_folder(folder):
        for kind in ("pass", "fail"):
            examples = rule.examples(kind)
            if not examples:
                errors.append(FileError(display_name(rule.folder), 0, 0, f"{rule.id} has no template in {kind}/"))
            cases.extend(_test(rule, kind, path, settings, rulebook, errors) for path in examples)
    return TestReport(tuple(cases), tuple(errors))


def _test(
    rule: Rule, kind: str, path: str, settings: Settings, rulebook: Rulebook, errors: list[FileError]
) -> TestCase:
    file = display_name(path)
    with open(path, "rb") as stream:
        content = stream.read()
    try:
        wanted = expectations(content)
    except SourceError as error:
        errors.append(FileError(file, error.line, error.column, error.message))
        return TestCase(rule.id, file, kind, "unreadable", False, error.message)
    result = judge_example(file, content, Task(settings, rulebook._replace(selected=(rulebook.rules[rule.id],))))
    errors.extend(result.errors)
    problems = _mismatches(kind, wanted, result)
    actual = ", ".join(sorted({finding.verdict for finding in result.findings})) or "nothing judged"
    if problems and not result.errors:
        problems.extend(_seen(rulebook.rules[rule.id], file, content, settings))
    return TestCase(rule.id, file, kind, actual, not problems and not result.errors, "\n".join(problems))


def _seen(rule: Rule, file: str, content: bytes, settings: Settings) -> list[str]:
    """The facts that the rule asks for, as they are in the template: what its author has to look at."""
    judged = JudgedTemplate(file, Template(parse(content)), usual(settings).pins)
    lines: dict[str, None] = {}
    for subject in judged.subjects(rule.subject):
        if subject.outside is not None:
            continue
        for requirement in (*rule.when, *rule.require):
            for told in told_fact(judged, rule.subject, subject, requirement.fact, requirement.wanted):
                lines[_fact_line(requirement.fact, told)] = None
    return list(lines)


def _fact_line(name: str, told: Mapping[str, Any]) -> str:
    value = "unknown" if "unknown" in told else json.dumps(told["value"])
    chosen = ", ".join(f"{parameter}={value}" for parameter, value in told.get("when", {}).items())
    because = told.get("unknown") or told.get("because", "")
    return f"the fact {name} is {value}{' when ' + chosen if chosen else ''}: {because}"


def _mismatches(kind: str, wanted: list[Expectation], result: FileResult) -> list[str]:
    if not result.findings:
        return ["the template holds nothing that the rule is about"]
    usual = (PASS,) if kind == "pass" else (PASS, NOT_APPLICABLE)
    told = [finding for finding in result.findings if finding.verdict not in usual]
    if kind == "fail" and not wanted:
        return [] if any(finding.verdict == FAIL for finding in told) else ["expected a fail, found none"]
    problems = []
    for expectation in wanted:
        match = next((finding for finding in told if _matches(expectation, finding)), None)
        if match is None:
            problems.append(f"expected {expectation}")
        else:
            told.remove(match)
    problems.extend(f"found {_told(finding)}" for finding in told)
    return problems


def _matches(expectation: Expectation, finding: Finding) -> bool:
    return (
        finding.place.span.line == expectation.line
        and finding.verdict == expectation.verdict
        and expectation.message in finding.message
        and finding.witness.keys() == expectation.witness.keys()
        and all(value in ("*", finding.witness[name]) for name, value in expectation.witness.items())
    )


def _told(finding: Finding) -> str:
    when = ", ".join(f"{name}={value}" for name, value in finding.witness.items())
    reason = f" ({finding.reason})" if finding.reason else ""
    verdict = f"{finding.verdict}{' when ' + when if when else ''}"
    return f"line {finding.place.span.line}: {verdict}: {finding.message}{reason}"


def expectations(content: bytes) -> list[Expectation]:
    """What a template expects of itself; raises SourceError when it cannot be read."""
    document = parse(content)
    found = []
    for number, line in enumerate(document.text.splitlines(), 1):
        match = _COMMENT.search(line)
        if match is None or match[1] not in VERDICTS:
            continue
        condition, *message = _DASH.split(match[2], maxsplit=1)
        when, choice = (*condition.split(maxsplit=1), "", "")[:2]
        if when in ("", "when"):
            found.append(Expectation(number, match[1], _witness(choice.strip()), "".join(message).strip()))
    metadata = document.root.values.get("Metadata") if isinstance(document.root, MapNode) else None
    stated: Any = plain(metadata) if metadata is not None else {}
    own = stated.get("trailguard", {}) if isinstance(stated, dict) else {}
    for item in own.get("expect", ()) if isinstance(own, dict) else ():
        witness = {name: str(value) for name, value in item.get("witness", {}).items()}
        found.append(Expectation(int(item["line"]), str(item["verdict"]), witness, str(item.get("message", ""))))
    return found


def _witness(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in _NEXT_NAME.split(text) if pair.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}
