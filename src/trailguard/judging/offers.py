"""What may repair a finding: the changes that the facts behind it offer, for all scenarios in which it is at fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import TooManyScenarios
from trailguard.cloudformation.source.changes import At
from trailguard.findings import CONDITIONAL, FAIL, Finding
from trailguard.judging.sharing import Sharing
from trailguard.judging.subjects import JudgedTemplate, Subject
from trailguard.judging.verdict import answer
from trailguard.rulebook.must import holds
from trailguard.rulebook.options import Requirement
from trailguard.rulebook.rule import Rule
from trailguard.trails import catalog
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.repairs import Fault, Repair, distinct, in_step, joined, stated


class Key(NamedTuple):
    """What is judged: the rule, and the file and the logical ID of the subject."""

    rule: str
    file: str
    resource: str


class Offer(NamedTuple):
    """Repairs of a finding, any of which may do: the one that is meant first. Each `At` in them names its file."""

    key: Key
    repairs: tuple[Repair, ...]


def key_of(finding: Finding) -> Key:
    """What a finding is about."""
    return Key(finding.rule.id, finding.home, finding.resource)


def offers_for(
    judged: JudgedTemplate, rule: Rule, subject: Subject, finding: Finding, sharing: Sharing
) -> Iterator[Offer]:
    """What may repair a finding; nothing when it is not at fault, or not all of its faults can be repaired.

    `sharing` is that of the judged template.
    """
    if finding.verdict not in (FAIL, CONDITIONAL) or subject.outside is not None or subject.unseen is not None:
        return
    try:
        leaves = judged.scenarios.explore(lambda scenario: _faults(scenario, rule, subject))
    except TooManyScenarios:
        return
    ways = distinct(way for leaf in leaves for way in leaf.answer or ())
    if not ways or not all(ways):
        return
    placed = distinct(_placed(joined(step), judged.file) for step in in_step(ways))
    used = ((one, (use for change in one.changes for use in sharing.uses(change, subject.resource))) for one in placed)
    yield Offer(key_of(finding), tuple(repair._replace(uses=tuple(uses)) for repair, uses in used))


def together(offers: Iterable[Offer]) -> dict[Key, tuple[Repair, ...]]:
    """What repairs each finding in all deployments in which it is judged."""
    found: dict[Key, list[Offer]] = {}
    for one in offers:
        found.setdefault(one.key, []).append(one)
    return {key: tuple(map(joined, in_step([one.repairs for one in given]))) for key, given in found.items()}


def _faults(scenario: Scenario, rule: Rule, subject: Subject) -> tuple[tuple[Repair, ...], ...] | None:
    """What is offered for each fact that breaks a rule in a scenario."""

    def fact(here: Scenario, resource: Any, requirement: Requirement) -> Fact:
        return catalog.fact_of(here, rule.subject, resource, requirement.fact, requirement.wanted)

    if not subject.exists(scenario):
        return None
    if answer(rule, scenario, subject.resource, fact).outcome != FAIL:
        return ()
    found = []
    for requirement in rule.require:
        told = fact(scenario, subject.resource, requirement)
        if told.unknown is None and not holds(requirement.must, told.value):
            fault = Fault(scenario, subject.resource, requirement.fact, told, requirement.must)
            found.append(tuple(_repairs(rule, fault)))
    return tuple(found)


def _repairs(rule: Rule, fault: Fault) -> Iterator[Repair]:
    """What the rule states as data, then what is offered beside the fact."""
    if rule.fix:
        yield from stated(rule.fix)(fault)
    yield from catalog.repairs_of(fault)


def _placed(repair: Repair, file: str) -> Repair:
    """A repair each of whose places names its file."""
    return repair._replace(changes=tuple(_in_file(change, file) for change in repair.changes))


def _in_file(item: Any, file: str) -> Any:
    if isinstance(item, At):
        return item if item.file else item._replace(file=file)
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*(_in_file(part, file) for part in item))
    if isinstance(item, Mapping):
        return {key: _in_file(part, file) for key, part in item.items()}
    if isinstance(item, (list, tuple)):
        return type(item)(_in_file(part, file) for part in item)
    return item
