"""Rules as people and programs read them: the list, one rule explained, and the outcome of their tests."""

from __future__ import annotations

import os

from trailguard.terminal import cells, paragraph, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailguard.rule_reader import Rule
    from trailguard.ruletests import TestReport
    from trailguard.terminal import Style

SEVERITY_COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def as_text(rules: Sequence[Rule], profile: str, style: Style, width: int) -> str:
    """List rules in columns; on a narrow terminal the title goes below."""
    names = max((cells(rule.name) for rule in rules), default=0)
    ids = max((cells(rule.id) for rule in rules), default=0)
    lines = []
    for rule in rules:
        severity = style.paint(rule.severity, SEVERITY_COLOURS.get(rule.severity, "dim"))
        severity += " " * (8 - len(rule.severity))
        head = f"{style.paint(rule.id.ljust(ids), 'bold')}  {severity}  {visible(rule.name)}"
        margin = ids + 2 + 8 + 2
        if margin + names + 2 + 20 > width:
            lines += [head, paragraph(visible(rule.title), width, "    ")]
            continue
        left = margin + names + 2
        body = paragraph(visible(rule.title), width, " " * left, " " * left)
        lines.append(head + " " * (names - cells(rule.name) + 2) + body[left:])
    count = "1 rule" if len(rules) == 1 else f"{len(rules)} rules"
    lines += ["", paragraph(f"{count} in profile {visible(profile)}; `trailguard explain ID` tells more", width)]
    return "\n".join(lines) + "\n"


def as_json(rules: Iterable[Rule], profile: str) -> str:
    """Write the rules for programs."""
    import json

    from trailguard.reporters.common import json_safe

    listed = [
        {
            "id": rule.id,
            "name": rule.name,
            "title": rule.title,
            "severity": rule.severity,
            "subject": rule.subject,
            "why": rule.why,
            "remedy": rule.remedy,
            "controls": {framework: list(items) for framework, items in rule.controls.items()},
            "references": list(rule.references),
        }
        for rule in rules
    ]
    document = {"schema": "trailguard-rules/1", "profile": profile, "rules": listed}
    return json_safe(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def as_markdown(rules: Iterable[Rule]) -> str:
    """Write the rules as a table for a wiki or a pull request."""
    lines = ["| id | name | severity | title | controls |", "| --- | --- | --- | --- | --- |"]
    for rule in rules:
        controls = "; ".join(_controls(rule.controls))
        row = (rule.id, rule.name, rule.severity, rule.title, controls)
        lines.append("| " + " | ".join(_markdown(item) for item in row) + " |")
    return "\n".join(lines) + "\n"


def _markdown(text: str) -> str:
    """Keep text from ending a cell or becoming markup."""
    safe = visible(" ".join(text.split()))
    for mark in "\\|<*_`[":
        safe = safe.replace(mark, "\\" + mark)
    return safe


def _controls(controls: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [f"{framework} {', '.join(items)}" for framework, items in controls.items()]


def explain(rule: Rule, style: Style, width: int) -> str:
    """Explain one rule: why, remedy, controls, references, a good and a bad example."""
    severity = style.paint(rule.severity, SEVERITY_COLOURS.get(rule.severity, "dim"))
    name = style.paint(f"{rule.id} {visible(rule.name)}", "bold")
    lines = [f"{name}  {severity}  {style.paint(visible(rule.subject), 'dim')}"]
    lines += [paragraph(visible(rule.title), width), ""]
    lines += _section("Why", rule.why, style, width)
    lines += _section("Remedy", rule.remedy, style, width)
    if rule.controls:
        lines.append(style.paint("Controls", "bold"))
        lines += [paragraph(visible(item), width, "    ", "  ") for item in _controls(rule.controls)]
        lines.append("")
    if rule.references:
        lines += [style.paint("See", "bold"), *(f"  {visible(item)}" for item in rule.references), ""]
    for title, kind, colour in (("Good", "pass", "green"), ("Bad", "fail", "red")):
        path = _shortest(rule.examples(kind))
        if path is not None:
            lines.append(f"{style.paint(title, colour, 'bold')}  {style.paint(visible(os.path.basename(path)), 'dim')}")
            lines += [*_lines(path), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, text: str, style: Style, width: int) -> list[str]:
    """Set a title over paragraphs."""
    parts = [part for part in text.split("\n") if part.strip()]
    return [style.paint(title, "bold"), *(paragraph(visible(part), width, "  ") for part in parts), ""]


def _shortest(paths: Sequence[str]) -> str | None:
    """Choose the example that shows it in the fewest bytes."""
    files = [path for path in paths if os.path.isfile(path)]
    return min(files, key=lambda path: (os.path.getsize(path), path), default=None)


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return ["  " + "    ".join(visible(part) for part in line.rstrip().split("\t")) for line in stream]


def test_as_text(outcome: TestReport, style: Style, width: int, verbose: bool) -> str:
    """Tell which examples of rules do not give what they should."""
    lines = []
    for error in outcome.errors:
        place = f"{error.file}:{error.line}:{error.column}" if error.line else error.file
        lines += [
            f"{style.paint('ERROR', 'red', 'bold')}  {visible(place)}",
            paragraph(visible(error.message), width, "  "),
            "",
        ]
    for case in outcome.cases:
        if case.ok and verbose:
            lines.append(
                f"{style.paint('ok', 'green')}  {visible(case.rule)}  {visible(case.file)}: {visible(str(case.actual))}"
            )
        elif not case.ok:
            lines.append(f"{style.paint('WRONG', 'red', 'bold')}  {visible(case.rule)}  {visible(case.file)}")
            said = f"expected {case.expected}, got {case.actual}"
            told = [paragraph(visible(line), width, "  ") for line in case.explanation.splitlines()]
            lines += [paragraph(visible(said), width, "  "), *told, ""]
    wrong = sum(not case.ok for case in outcome.cases)
    rules = len({case.rule for case in outcome.cases})
    counts = f"{rules} rules, {len(outcome.cases)} examples, {wrong} wrong, {len(outcome.errors)} errors"
    lines.append(style.paint(counts, *(("red", "bold") if wrong or outcome.errors else ("green",))))
    return "\n".join(line for line in lines if line is not None) + "\n"


def test_as_json(outcome: TestReport) -> str:
    """Write the outcome of the tests for programs."""
    import json

    from trailguard.reporters.common import json_safe

    cases = [
        {
            "rule": case.rule,
            "file": case.file,
            "expected": case.expected,
            "actual": case.actual,
            "ok": case.ok,
            "explanation": case.explanation,
        }
        for case in outcome.cases
    ]
    errors = [
        {"file": error.file, "line": error.line or None, "column": error.column or None, "message": error.message}
        for error in outcome.errors
    ]
    document = {"schema": "trailguard-test/1", "cases": cases, "errors": errors}
    return json_safe(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"
