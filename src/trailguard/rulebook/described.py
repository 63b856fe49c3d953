"""Rules, frameworks and facts as plain data, for programs, and what a rule asks in words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

from trailguard.rulebook.frameworks import Framework
from trailguard.rulebook.options import Requirement
from trailguard.rulebook.rule import Rule
from trailguard.trails.catalog import KnownFact


def rule_data(rule: Rule) -> dict[str, object]:
    """Everything about a rule that it says itself, JSON-able."""
    loose = rule.unverified
    controls = {name: list(items) for name, items in loose.controls.items()} if loose is not None else {}
    return {
        "id": rule.id,
        "name": rule.name,
        "title": rule.title,
        "severity": rule.severity,
        "subject": rule.subject,
        "why": rule.why,
        "remedy": rule.remedy,
        "controls": {framework: list(items) for framework, items in rule.controls.items()},
        "unverified": loose and {"source": loose.source, "date": loose.date, "controls": controls},
        "options": {
            name: {"schema": option.schema, "default": option.default, "description": option.description}
            for name, option in rule.options.items()
        },
        "references": list(rule.references),
    }


def framework_data(framework: Framework, rules: Sequence[Rule]) -> dict[str, object]:
    """A framework with its controls, each with those of some rules that stand behind it: JSON-able."""
    controls = [
        {
            "id": control.id,
            "title": control.title,
            "rules": [rule.id for rule in found],
            "unverified": [rule.id for rule in found if framework.is_unverified(control.id, rule)],
            "undecidable": control.undecidable,
        }
        for control, found in framework.coverage(rules)
    ]
    needed = framework.prerequisites
    return {
        "name": framework.name,
        "title": framework.title,
        "source": framework.source,
        "date": framework.date,
        "note": framework.note,
        "controls": controls,
        "prerequisites": needed and {"title": needed.title, "why": needed.why, "rules": list(needed.rules)},
        "unverified": [{"source": source, "date": date} for source, date in framework.origins(rules)],
    }


def fact_data(known: Iterable[KnownFact]) -> dict[str, object]:
    """The list of facts: name, subjects (none: any resource), description, and the values' JSON Schema."""
    facts = [
        {
            "name": fact.name,
            "subjects": list(fact.subjects),
            "description": fact.description,
            "schema": fact.schema,
        }
        for fact in known
    ]
    return {"schema": "trailguard-fact-list/1", "facts": facts}


def asked_of(rule: Rule) -> list[str]:
    """What a rule asks of which facts, a sentence for each."""

    def told(word: str, items: Iterable[Requirement]) -> list[str]:
        return [f"{word} where the fact `{item.fact}` satisfies `{json.dumps(item.must)}`." for item in items]

    return [*told("It applies", rule.when), *told("It holds", rule.require)]


def example_name(rule: Rule, path: str) -> str:
    """An example's path as its rule's folder is called, wherever that lies."""
    return os.path.relpath(path, os.path.dirname(rule.folder)).replace(os.sep, "/")
