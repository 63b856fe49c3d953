"""The facts that rules see, as JSON: what a rule's author can ask for, and what other policy engines can use."""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import TooManyScenarios
from trailguard.cloudformation.scenarios.witnesses import default_like
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.errors import display_name
from trailguard.inputs import contents
from trailguard.judging.deployments import usual
from trailguard.judging.places import span_of
from trailguard.judging.subjects import JudgedTemplate, Subject
from trailguard.settings.settings import Settings
from trailguard.trails import catalog
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.properties import NOTHING, Wanted


def facts(path: str, settings: Settings, stdin: bytes | None = None) -> dict[str, object]:
    """The facts of every subject of a template, each with the scenarios in which it holds: JSON-able.

    Raises OSError when the file cannot be read and SourceError when it is no template.
    """
    if stdin is None:
        stdin = contents(path, streams=True)
    template = Template(parse(stdin))
    judged = JudgedTemplate(display_name(path), template, usual(settings).pins)
    subjects = []
    told: set[str] = set()
    for name in kinds_of(template):
        for subject in judged.subjects(name):
            resource = subject.resource
            if subject.outside is None and resource.id not in told:
                told.add(resource.id)
                known = {fact: told_fact(judged, name, subject, fact) for fact in catalog.fact_names(name, resource)}
                subjects.append({"subject": name, "resource": resource.id, "line": resource.key.line, "facts": known})
    return {"schema": "trailguard-facts/1", "file": judged.file, "subjects": subjects}


def kinds_of(template: Template) -> list[str]:
    """The subjects with names of their own first, then the resource types of the template."""
    return [*catalog.DEFAULT_SUBJECTS, *dict.fromkeys(resource.type for resource in template.resources.values())]


def told_fact(
    judged: JudgedTemplate, kind: str, subject: Subject, name: str, wanted: Wanted = NOTHING
) -> list[dict[str, object]]:
    """A fact's values: one entry for each way in which parameters decide it, the default-like ones first."""

    def question(scenario: Scenario) -> Fact | None:
        return catalog.fact_of(scenario, kind, subject.resource, name, wanted) if subject.exists(scenario) else None

    try:
        leaves = [leaf for leaf in judged.scenarios.explore(question) if leaf.answer is not None]
    except TooManyScenarios:
        return [{"value": None, "unknown": "it hinges on too many combinations of parameter values"}]
    space = judged.model.space
    told: list[tuple[bool, dict[str, object]]] = []
    for leaf, is_usual in zip(leaves, default_like(space, leaves), strict=True):
        fact = leaf.answer
        if fact is None:
            continue
        span = span_of(fact.node)
        names = [item for item in sorted(leaf.assignment) if not item.startswith("?")]
        entry: dict[str, object] = {
            "value": fact.value,
            "because": fact.because,
            "when": {item: space.sample(leaf.assignment, item) for item in names},
            "default": is_usual,
            "line": span.line,
            "column": span.column,
        }
        if fact.unknown is not None:
            entry["unknown"] = fact.unknown
        told.append((not is_usual, entry))
    return [entry for _, entry in sorted(told, key=lambda item: item[0])]
