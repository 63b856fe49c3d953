"""The delivery chain of each trail: what it hands logs and messages to, and what the rules say of each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import TooManyScenarios
from trailguard.cloudformation.template.template import Resource
from trailguard.findings import NOT_APPLICABLE, Chain, Connection, Part, Ruling
from trailguard.judging.subjects import JudgedTemplate, Subject
from trailguard.rulebook.rule import Rule
from trailguard.trails import catalog
from trailguard.trails.bucket.buckets import BUCKET_POLICY

Target: TypeAlias = "Resource | str"  # what is used, or why nothing is known of it


def chains_of(judged: JudgedTemplate, rules: Iterable[Rule]) -> Iterator[Chain]:
    """The chains of all trails of a template, as far as the given rules have something to say of them."""
    selected = list(rules)
    for subject in judged.subjects("trail"):
        yield _Chain(judged, subject, selected).built()


class _Chain:
    def __init__(self, judged: JudgedTemplate, trail: Subject, rules: list[Rule]) -> None:
        self._judged = judged
        self._trail = trail
        self._rules = rules
        self._parts: list[Part] = []
        self._places: dict[str, int] = {}
        self._connections: list[Connection] = []

    def built(self) -> Chain:
        trail = self._trail.resource
        start = self._part("trail", trail)
        for kind in catalog.CHAIN:
            for target, always in self._used(kind):
                source = self._group(start) if kind == "role" else start
                self._connect(source, self._part(kind, target), kind, always)
        buckets = [index for index, part in enumerate(self._parts) if part.kind == "bucket"]
        for policy, always in self._policies():
            end = self._part("policy", policy)
            for bucket in buckets or [start]:
                self._connect(bucket, end, catalog.POLICY, always)
            self._connect(start, end, catalog.ORDER, always)
        drawn = {_decisive(connection.kind) for connection in self._connections}
        lacking = [ruling for kind in dict.fromkeys(catalog.ABOUT.values()) if kind not in drawn
                   for ruling in self._about_trail(kind)]  # fmt: skip
        self._parts[start] = self._parts[start]._replace(rulings=(*self._parts[start].rulings, *lacking))
        return Chain(tuple(self._parts), tuple(self._connections), self._judged.contexts(trail))

    def _group(self, start: int) -> int:
        """The log group, which the role is for; the trail where there is none."""
        return next((index for index, part in enumerate(self._parts) if part.kind == "log_group"), start)

    def _connect(self, source: int, target: int, kind: str, always: bool) -> None:
        self._connections.append(Connection(source, target, kind, always, tuple(self._about_trail(_decisive(kind)))))

    def _used(self, kind: str) -> Iterator[tuple[Target, bool]]:
        """What the trail uses of a kind: a resource, or why nothing is known of it; and whether in all deployments."""
        link = catalog.CHAIN[kind]

        def target(scenario: Scenario) -> Target | None:
            found = link(scenario, self._trail.resource) if self._trail.exists(scenario) else None
            return None if found is None else found.resource or found.elsewhere

        return self._seen(target)

    def _policies(self) -> Iterator[tuple[Target, bool]]:
        """The policies on the trail's bucket."""
        for resource in self._judged.template.of_type(BUCKET_POLICY):
            yield from self._seen(partial(self._if_on_bucket, resource))

    def _if_on_bucket(self, policy: Resource, scenario: Scenario) -> Target | None:
        trail = self._trail
        return policy if trail.exists(scenario) and policy in catalog.policies_of(scenario, trail.resource) else None

    def _seen(self, target: Callable[[Scenario], Target | None]) -> Iterator[tuple[Target, bool]]:
        try:
            answers = [leaf.answer for leaf in self._judged.scenarios.explore(target)]
        except TooManyScenarios:
            return
        found = {item if isinstance(item, str) else item.id: item for item in answers if item is not None}
        always = len(found) == 1 and None not in answers
        yield from ((item, always) for item in found.values())

    def _part(self, kind: str, target: Target) -> int:
        key = f"{kind} {target if isinstance(target, str) else target.id}"
        if key not in self._places:
            self._places[key] = len(self._parts)
            if isinstance(target, str):
                text = self._judged.stacks.spell(target, self._trail.resource.id)
                self._parts.append(Part(kind, text, "", 0, ()))
            else:
                file, name = self._judged.name_of(target)
                rulings = self._about_trail(None) if kind == "trail" else self._about(kind, target)
                self._parts.append(Part(kind, name, file, target.key.line, tuple(rulings)))
        return self._places[key]

    def _about(self, kind: str, resource: Resource) -> Iterator[Ruling]:
        """What the rules say of a bucket, a key, a log group or a topic."""
        for rule in self._rules:
            if rule.subject == kind:
                for subject in self._judged.subjects(kind):
                    if subject.resource is resource and subject.outside is None:
                        yield from self._ruling(rule, subject)

    def _about_trail(self, connection: str | None) -> Iterator[Ruling]:
        """What the rules say of the trail itself, or of one of its connections."""
        for rule in self._rules:
            if rule.subject == "trail":
                asked = tuple(item for item in rule.require if catalog.connection_of(item.fact) == connection)
                if asked:
                    yield from self._ruling(rule._replace(require=asked), self._trail)

    def _ruling(self, rule: Rule, subject: Subject) -> Iterator[Ruling]:
        finding = self._judged.finding(rule, subject)
        if finding.verdict != NOT_APPLICABLE:
            yield Ruling(rule.id, rule.name, finding.verdict, finding.message)


def _decisive(kind: str) -> str:
    """The connection whose rules say whether a connection works: whether logs arrive hinges on the policy."""
    return catalog.POLICY if kind == "bucket" else kind
