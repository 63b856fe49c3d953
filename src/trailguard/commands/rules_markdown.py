"""Rules as Markdown: the table of a profile, the controls of a framework, and one page for each rule."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

from trailguard.rulebook.frameworks import Framework
from trailguard.rulebook.rule import Option, Requirement, Rule
from trailguard.terminal import visible

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
    """The controls that ask for a rule: one text for each framework."""
    return [f"{framework} {', '.join(items)}" for framework, items in rule.controls.items()]


def framework_table(framework: Framework, rules: Iterable[Rule]) -> str:
    """Each control of a framework with the rules behind it."""
    lines = [f"# {escaped(framework.title)}", ""]
    if framework.about:
        lines += [f"{escaped(framework.about[:1].upper() + framework.about[1:])}.", ""]
    rows = (
        (escaped(control.id), escaped(control.title), _behind(found, control.undecidable))
        for control, found in framework.coverage(rules)
    )
    lines.append(table(("control", "asks for", "rules"), rows))
    if framework.source:
        lines.append(f"Source: <{framework.source}>\n")
    return "\n".join(lines)


def _behind(rules: Sequence[Rule], undecidable: str | None) -> str:
    if undecidable is not None:
        return f"no template can decide this: {escaped(undecidable)}"
    return ", ".join(f"{rule.id} {escaped(rule.name)}" for rule in rules) or "left out"


def rule_index(rules: Iterable[Rule]) -> str:
    """The list of the rules, each with a link to its page."""
    rows = ([f"[{rule.id}]({rule.id}.md)", *map(escaped, (rule.name, rule.severity, rule.title))] for rule in rules)
    return "# Rules\n\n" + table(("id", "name", "severity", "title"), rows)


def framework_index(frameworks: Iterable[Framework], rules: Sequence[Rule]) -> str:
    """The controls of all frameworks, one section for each."""
    head = "# Controls and the rules behind them\n\n`trailguard rules --profile NAME` shows one of them.\n"
    parts = [framework_table(framework, rules).replace("# ", "## ", 1) for framework in frameworks]
    named = (
        part.replace("\n\n", f"\n\nProfile `{framework.name}`. ", 1) if framework.about else part
        for framework, part in zip(frameworks, parts, strict=True)
    )
    return "\n".join([head, *named])


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
        rows = ([escaped(name), escaped(", ".join(items))] for name, items in rule.controls.items())
        lines += ["## Controls", "", table(("framework", "controls"), rows)]
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


def asked_of(rule: Rule) -> list[str]:
    """What a rule asks of which facts, a sentence for each."""

    def told(word: str, items: Iterable[Requirement]) -> list[str]:
        return [f"{word} where the fact `{item.fact}` satisfies `{json.dumps(item.must)}`." for item in items]

    return [*told("It applies", rule.when), *told("It holds", rule.require)]


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


def example_name(rule: Rule, path: str) -> str:
    """An example's path as its rule's folder is called, wherever that lies."""
    return os.path.relpath(path, os.path.dirname(rule.folder)).replace(os.sep, "/")


def text_lines(path: str) -> list[str]:
    """The lines of an example, without what could move a terminal's cursor."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        return ["    ".join(visible(part) for part in line.rstrip().split("\t")) for line in stream]
