"""Rules as people and programs read them: the list, one rule explained, and the outcome of their tests."""

from __future__ import annotations

from trailguard.commands import rules_markdown
from trailguard.commands.rules_markdown import controls_of, text_lines
from trailguard.rulebook.described import asked_of, example_name, framework_data, rule_data
from trailguard.terminal import cells, paragraph, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailguard.judging.ruletests import TestReport
    from trailguard.rulebook.frameworks import Framework
    from trailguard.rulebook.rule import Rule
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


def framework_as_text(framework: Framework, rules: Sequence[Rule], style: Style, width: int) -> str:
    """List the controls of a framework, each with the rules behind it or the reason why there are none.

    Its prerequisites and where it was read come below.
    """
    about = f"{framework.title}: {framework.about}" if framework.about else framework.title
    lines = [style.paint(paragraph(visible(about), width), "bold"), ""]
    covered = framework.coverage(rules)
    for control, found in covered:
        lines.append(paragraph(visible(control.title), width, "    ", f"{visible(control.id)}  "))
        if control.undecidable is not None:
            told = f"no template can decide this: {visible(control.undecidable)}"
            lines.append(style.paint(paragraph(told, width, "    "), "dim"))
        elif not found:
            lines.append(style.paint("    its rules are left out", "dim"))
        for rule in found:
            mark = f"  {style.paint('unverified', 'yellow')}" if framework.is_unverified(control.id, rule) else ""
            lines.append(_line(rule, style) + mark)
    if framework.prerequisites is not None:
        lines += ["", style.paint(f"Prerequisites: {visible(framework.prerequisites.title)}", "bold")]
        lines += [paragraph(visible(framework.prerequisites.why), width, "    ")]
        lines += [_line(rule, style) for rule in framework.needed(rules)]
    lines.append("")
    lines += [paragraph(visible(told), width) + "\n" for told in rules_markdown.origin_of(framework, rules)]
    beyond = sum(control.undecidable is not None for control, _ in covered)
    counts = f"{len(covered)} controls, {len(rules)} rules"
    counts += f", {beyond} beyond any template" if beyond else ""
    return "\n".join([*lines, paragraph(f"{counts}; `trailguard explain ID` tells more", width)]) + "\n"


def _line(rule: Rule, style: Style) -> str:
    """A rule below a control."""
    severity = style.paint(rule.severity, SEVERITY_COLOURS.get(rule.severity, "dim"))
    return f"    {style.paint(rule.id, 'bold')}  {severity}  {visible(rule.name)}"


def as_json(rules: Sequence[Rule], profile: str, frameworks: Sequence[Framework] = ()) -> str:
    """Write the rules for programs, and the controls of those profiles that are frameworks.

    `framework` is the first of `frameworks`, for those who asked for one.
    """
    import json

    from trailguard.reporters.common import json_safe

    document: dict[str, object] = {"schema": "trailguard-rules/1", "profile": profile}
    document["rules"] = [rule_data(rule) for rule in rules]
    if frameworks:
        document["frameworks"] = [framework_data(framework, rules) for framework in frameworks]
        document["framework"] = framework_data(frameworks[0], rules)
    return json_safe(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def explain(rule: Rule, style: Style, width: int) -> str:
    """Explain one rule: why, remedy, controls, references, a good and a bad example."""
    severity = style.paint(rule.severity, SEVERITY_COLOURS.get(rule.severity, "dim"))
    name = style.paint(f"{rule.id} {visible(rule.name)}", "bold")
    lines = [f"{name}  {severity}  {style.paint(visible(rule.subject), 'dim')}"]
    lines += [paragraph(visible(rule.title), width), ""]
    lines += _section("Why", rule.why, style, width)
    lines += _section("Remedy", rule.remedy, style, width)
    lines.append(style.paint("What is asked", "bold"))
    lines += [paragraph(visible(item.replace("`", "")), width, "    ", "  ") for item in asked_of(rule)]
    lines.append("")
    if rule.options:
        lines.append(style.paint("Options", "bold"))
        for name, option in rule.options.items():
            told = f"{name} (default {'none' if option.default is None else option.default}): {option.description}"
            lines.append(paragraph(visible(told), width, "    ", "  "))
        lines.append("")
    if rule.controls:
        lines.append(style.paint("Controls", "bold"))
        lines += [paragraph(visible(item), width, "    ", "  ") for item in controls_of(rule)]
        lines += [paragraph(visible(item), width, "    ", "  ") for item in rules_markdown.unverified_of(rule)]
        lines.append("")
    if rule.references:
        lines += [style.paint("See", "bold"), *(f"  {visible(item)}" for item in rule.references), ""]
    for title, kind, colour in (("Good", "pass", "green"), ("Bad", "fail", "red")):
        path = rule.plainest(kind)
        if path is not None:
            name = style.paint(visible(example_name(rule, path)), "dim")
            lines.append(f"{style.paint(title, colour, 'bold')}  {name}")
            lines += [*(f"  {line}".rstrip() for line in text_lines(path)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, text: str, style: Style, width: int) -> list[str]:
    """Set a title over paragraphs."""
    parts = [part for part in text.split("\n") if part.strip()]
    return [style.paint(title, "bold"), *(paragraph(visible(part), width, "  ") for part in parts), ""]


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
    judged = "1 rule" if rules == 1 else f"{rules} rules"
    counts = f"{judged}, {len(outcome.cases)} examples, {wrong} wrong, {len(outcome.errors)} errors"
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
