"""Rules as Markdown: the table of a profile, the controls of a framework, and one page for each rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from trailguard.rulebook.described import asked_of, example_name
from trailguard.rulebook.frameworks import Control, Framework
from trailguard.rulebook.options import Option
from trailguard.rulebook.rule import Rule
from trailguard.terminal import visible

_UNVERIFIED = "nobody has held it against the framework's own text."
_MARKS = "\\|<*_`["


def escaped(text: str) -> str:
    """Keep text from ending a cell of a table or becoming markup."""
    safe = visible(" ".join(text.split()))
    for mark in _MARKS:
        safe = safe.replace(mark, "\\" + mark)
    return safe


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def rule_table(rules: Iterable[Rule]) -> str:
    """The rules as a table for a wiki or a pull request."""
    rows = ((rule.id, rule.name, rule.severity, rule.title, "; ".join(controls_of(rule))) for rule in rules)
    head = ("id", "name", "severity", "title", "controls")
    return table(head, ([escaped(item) for item in row] for row in rows))


def controls_of(rule: Rule) -> list[str]:
    """The controls that ask for a rule: one text for each framework, another one for those that are unverified."""
    return [
        f"{framework} {', '.join(items)}" + ("" if firm else " (unverified)")
        for framework, items, firm in rule.info.relations()
    ]


def unverified_of(rule: Rule) -> list[str]:
    """On what the unverified controls of a rule rest: one sentence, or none."""
    loose = rule.unverified
    if loose is None:
        return []
    return [f"What is marked unverified rests on {loose.source} alone, read {loose.date}: {_UNVERIFIED}"]


def origin_of(framework: Framework, rules: Iterable[Rule]) -> list[str]:
    """Where a framework was read, what else there is to know of it, and what its unverified relations rest on."""
    told = [framework.note] if framework.note else []
    if framework.source:
        told.append(f"Source: {framework.source}" + (f", read {framework.date}" if framework.date else "") + ".")
    for source, date in framework.origins(rules):
        told.append(f"What is marked unverified rests on {source} alone, read {date}: {_UNVERIFIED}")
    return told


def framework_table(framework: Framework, rules: Sequence[Rule]) -> str:
    """Each control of a framework with the rules behind it, its prerequisites, and where it was read."""
    lines = _controls(framework, rules)
    if framework.prerequisites is not None:
        lines += [f"**Prerequisites: {escaped(framework.prerequisites.title)}.**", "", *_needed(framework, rules)]
    lines += [f"{_linked(told)}\n" for told in origin_of(framework, rules)]
    return "\n".join(lines)


def _controls(framework: Framework, rules: Sequence[Rule]) -> list[str]:
    lines = [f"# {escaped(framework.title)}", ""]
    if framework.about:
        lines += [f"{escaped(framework.about[:1].upper() + framework.about[1:])}.", ""]
    rows = (
        (escaped(control.id), escaped(control.title), _behind(framework, control, found))
        for control, found in framework.coverage(rules)
    )
    return [*lines, table(("control", "asks for", "rules"), rows)]


def _needed(framework: Framework, rules: Sequence[Rule]) -> list[str]:
    """The prerequisites of a framework, and why they are."""
    why = escaped(framework.prerequisites.why) if framework.prerequisites is not None else ""
    found = ", ".join(f"{rule.id} {escaped(rule.name)}" for rule in framework.needed(rules)) or "left out"
    return [why, "", f"{found}.", ""]


def _linked(text: str) -> str:
    """Text with its addresses as links."""
    return " ".join(_address(word) if word.startswith("https://") else escaped(word) for word in text.split())


def _address(word: str) -> str:
    bare = word.rstrip(".,")
    return f"<{bare}>{word[len(bare) :]}"


def _behind(framework: Framework, control: Control, rules: Sequence[Rule]) -> str:
    if control.undecidable is not None:
        return f"no template can decide this: {escaped(control.undecidable)}"
    named = (
        f"{rule.id} {escaped(rule.name)}" + (" (unverified)" if framework.is_unverified(control.id, rule) else "")
        for rule in rules
    )
    return ", ".join(named) or "left out"


def rule_index(rules: Iterable[Rule]) -> str:
    """The list of the rules, each with a link to its page."""
    rows = ([f"[{rule.id}]({rule.id}.md)", *map(escaped, (rule.name, rule.severity, rule.title))] for rule in rules)
    return "# Rules\n\n" + table(("id", "name", "severity", "title"), rows)


def framework_index(frameworks: Sequence[Framework], rules: Sequence[Rule]) -> str:
    """The controls of all frameworks, one section for each, after the prerequisites that they share."""
    lines = ["# Controls and the rules behind them", ""]
    lines += [
        "`trailguard rules --profile NAME` shows one of them; [Frameworks](frameworks.md) tells how they are used.",
        "",
    ]
    implying = [item for item in frameworks if item.prerequisites is not None]
    if implying:
        lines += ["## Prerequisites", "", *_needed(implying[0], rules)]
    for item in frameworks:
        title, empty, *rest = _controls(item, rules)
        lines += [
            f"#{title}",
            empty,
            f"Profile `{item.name}`" + (f". {rest[0]}" if item.about else "."),
            *rest[bool(item.about) :],
        ]
        if item.prerequisites is not None:
            lines += ["Implies the [prerequisites](#prerequisites).", ""]
        lines += [f"{_linked(told)}\n" for told in origin_of(item, rules)]
    return "\n".join(lines)


def rule_page(rule: Rule) -> str:
    """One rule: what it asks, why, what to do, what can be set, which controls ask for it, a good and a bad example."""
    lines = [f"# {rule.id} {escaped(rule.name)}", "", f"**{escaped(rule.title)}.**", ""]
    lines += [f"Severity {rule.severity}, about {_a(escaped(rule.subject.replace('_', ' ')))}.", ""]
    lines += ["## Why", "", escaped(rule.why), "", "## Remedy", "", escaped(rule.remedy), ""]
    lines += ["## What is asked", "", *(f"- {item}" for item in asked_of(rule)), ""]
    if rule.options:
        rows = ([f"`{name}`", *_option(option)] for name, option in rule.options.items())
        lines += ["## Options", "", table(("option", "means", "default", "schema"), rows)]
        example = {"rules": {"options": {rule.id: {name: _sample(option) for name, option in rule.options.items()}}}}
        lines += ["In `.trailguard.yaml`:", "", "```yaml", *_flow(example), "```", ""]
    if rule.controls:
        rows = (
            [escaped(name), escaped(", ".join(items)), "" if firm else "unverified"]
            for name, items, firm in rule.info.relations()
        )
        lines += ["## Controls", "", table(("framework", "controls", "mark"), rows)]
        lines += [line for told in unverified_of(rule) for line in (_linked(told), "")]
    for title, kind in (("Good", "pass"), ("Bad", "fail")):
        path = rule.plainest(kind)
        if path is not None:
            language = "json" if path.endswith(".json") else "yaml"
            name = example_name(rule, path)
            lines += [f"## {title}", "", f"[{escaped(name)}](../../rules/{name})", ""]
            lines += [f"```{language}", *text_lines(path), "```", ""]
    if rule.references:
        lines += ["## See", "", *(f"- <{item}>" for item in rule.references), ""]
    return "\n".join(lines).rstrip() + "\n"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiouAEIOU" else f"a {noun}"


def _option(option: Option) -> list[str]:
    default = "none" if option.default is None else f"`{json.dumps(option.default)}`"
    return [escaped(option.description), default, f"`{json.dumps(option.schema)}`"]


def _sample(option: Option) -> object:
    """A value to show: the default, or what the schema gives as an example."""
    if option.default is not None:
        return option.default
    examples = option.schema.get("examples")
    return examples[0] if isinstance(examples, list) and examples else None


def _flow(value: object, indent: int = 0) -> list[str]:
    """Nested maps as YAML, with plain values in JSON's spelling, which is YAML too."""
    if not isinstance(value, dict):
        return [" " * indent + json.dumps(value)]
    lines: list[str] = []
    for name, inner in value.items():
        if isinstance(inner, dict):
            lines += [" " * indent + f"{name}:", *_flow(inner, indent + 2)]
        else:
            lines.append(" " * indent + f"{name}: {json.dumps(inner)}")
    return lines


def text_lines(path: str) -> list[str]:
    """The lines of an example, without what could move a terminal's cursor."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        return ["    ".join(visible(part) for part in line.rstrip().split("\t")) for line in stream]
