"""What an editor tells of a place: the findings there, what a policy statement means, the facts that rules see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from trailguard.cloudformation.scenarios.scenarios import TooManyScenarios
from trailguard.cloudformation.scenarios.witnesses import default_like
from trailguard.cloudformation.source.nodes import Document, MapNode, Node, SourceError
from trailguard.cloudformation.template.template import Template
from trailguard.findings import Finding, Span
from trailguard.iam.explain import meaning
from trailguard.iam.policy import (
    IDENTITY_POLICY,
    KEY_POLICY,
    RESOURCE_POLICY,
    TRUST_POLICY,
    Policy,
    read_policy,
)
from trailguard.judging.deployments import usual
from trailguard.judging.factsheet import kinds_of, told_fact
from trailguard.judging.places import span_of
from trailguard.judging.subjects import JudgedTemplate
from trailguard.reporters.common import link, readable, remedy, sentences
from trailguard.servers.inside import Step, covers, resource_at, steps
from trailguard.settings.settings import Settings
from trailguard.trails import catalog

_ROWS = 25  # facts that fit in a hover


def of_findings(findings: Iterable[Finding], line: int, column: int) -> list[str]:
    """Why each finding at a place is one, and what to do about it, as Markdown."""
    there = [one for one in findings if one.is_open and covers(one.place.span, line, column)]
    return [_explained(one) for one in there]


def _explained(finding: Finding) -> str:
    rule = finding.rule
    page = link(rule.references)
    name = f"[{rule.id}]({page})" if page else rule.id
    controls = "; ".join(f"{framework} {', '.join(names)}" for framework, names in rule.controls.items())
    lines = [
        f"**{name} {rule.title}** ({rule.severity}, {finding.verdict})",
        "\n".join((_plain(finding.message), *map(_plain, sentences(finding)))),
        _plain(rule.why),
        f"**To do:** {_plain(remedy(finding))}" if remedy(finding) else "",
        f"Controls: {_plain(controls)}" if controls else "",
    ]
    return "\n\n".join(filter(None, lines))


def of_document(
    document: Document, file: str, settings: Settings, line: int, column: int
) -> tuple[list[str], Span | None]:
    """What the statement of a policy at a place means, and the facts about it, as Markdown; and what that is about."""
    path = steps(document, line, column)
    resource = resource_at(path)
    if not resource:
        return [], None
    try:
        judged = JudgedTemplate(file, Template(document), usual(settings).pins)
    except SourceError:
        return [], None
    if resource not in judged.template.resources:
        return [], None
    is_whole = len(path) == 2 or path[2].name == "Type"
    said = [f"`{resource}` {_plain(text)}" for text in _meanings(judged, path, line, column)]
    facts = list(_facts(judged, resource, None if is_whole else line))
    about = path[-1].key or path[-1].node
    return [*said, *_table(facts)], span_of(about)


def _meanings(judged: JudgedTemplate, path: Sequence[Step], line: int, column: int) -> Iterator[str]:
    """What the statements at a place mean: all of a policy on the word Statement, else the one around the place."""
    owner = next((step for step in reversed(path) if _is_policy(step.node)), None)
    if owner is None:
        return
    kind = _kind(str(owner.name), judged.template.resources[str(path[1].name)].type)
    try:
        leaves = judged.scenarios.explore(lambda scenario: read_policy(scenario.resolve(owner.node), kind))
    except TooManyScenarios:
        return
    usual_ones = default_like(judged.model.space, leaves)
    policy: Policy | None = next(
        (one.answer for one, is_usual in zip(leaves, usual_ones, strict=True) if is_usual), None
    )
    for statement in policy.statements if policy is not None else ():
        if path[-1].name == "Statement" or covers(span_of(statement.node), line, column):
            yield meaning(statement)


def _is_policy(node: Node) -> bool:
    return isinstance(node, MapNode) and "Statement" in node.values


def _kind(property_name: str, resource_type: str) -> frozenset[str]:
    """The kind of the policy in a property."""
    if property_name == "KeyPolicy":
        return KEY_POLICY
    if property_name == "AssumeRolePolicyDocument":
        return TRUST_POLICY
    return IDENTITY_POLICY if resource_type.startswith("AWS::IAM::") else RESOURCE_POLICY


def _facts(judged: JudgedTemplate, resource: str, line: int | None) -> Iterator[tuple[str, dict[str, object]]]:
    """The facts about a resource in the usual deployment; with a `line` only those that rest on what stands there."""
    for kind in kinds_of(judged.template):
        for subject in judged.subjects(kind):
            if subject.outside is None and subject.resource.id == resource:
                for name in catalog.fact_names(kind, subject.resource):
                    entries = told_fact(judged, kind, subject, name)
                    usual_ones = [entry for entry in entries if entry.get("default")][:1]
                    yield from ((name, entry) for entry in usual_ones if line in (None, entry["line"]))
                return


def _table(facts: Sequence[tuple[str, dict[str, object]]]) -> list[str]:
    rows = [f"| `{name}` | {_cell(entry)} | {_plain(str(entry['because']))} |" for name, entry in facts[:_ROWS]]
    if not rows:
        return []
    more = f"\n\n… and {len(facts) - _ROWS} more" if len(facts) > _ROWS else ""
    return ["| fact | value | because |\n| --- | --- | --- |\n" + "\n".join(rows) + more]


def _cell(entry: dict[str, object]) -> str:
    value = "not known" if entry.get("unknown") else json.dumps(entry["value"], ensure_ascii=False, default=str)
    return f"`{value if len(value) < 60 else value[:57] + '…'}`".replace("|", "\\|")


def _plain(text: str) -> str:
    """A text that is no Markdown, as Markdown."""
    text = readable(" ".join(text.split()))
    return "".join("\\" + char if char in "\\`*_[]<>|#" else char for char in text)
