"""One template under judgement: its scenarios, the subjects in it, and each rule's finding about each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from types import ModuleType
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.scenarios import Scenarios, TooManyScenarios
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode, file_of
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.stacks.stacks import Stacks, came_from, way_to
from trailguard.cloudformation.template.template import Resource, Template
from trailguard.findings import NOT_APPLICABLE, UNKNOWN, Block, Finding, Place, Related
from trailguard.judging.places import Places, span_of
from trailguard.judging.verdict import Answer, Judgement, Question, answer, judge
from trailguard.rulebook.options import Requirement
from trailguard.rulebook.rule import Rule
from trailguard.trails import catalog
from trailguard.trails.facts.facts import Cause, Fact
from trailguard.trails.facts.links import Link, LinkFinder
from trailguard.trails.facts.returns import RETURNS

# The CDK constructs that resources were made from, by file and logical ID.
Constructs: TypeAlias = "Mapping[tuple[str, str], str]"
_NO_CONSTRUCTS: Constructs = {}


class Subject(NamedTuple):
    """Something that rules can be about.

    `exists` tells in which scenarios it is there. Where a trail uses something that the template does not make,
    nothing can be known of that: then `resource` is the trail, and `outside` finds what it names. A trail that may be
    where nobody sees it is a subject, too: `unseen` says where and why, and `resource` is what makes it. `user` is a
    trail of the templates that uses what exists already: its template is what can be changed.
    """

    resource: Resource
    exists: Callable[[Scenario], bool]
    outside: Callable[[Scenario], Link | None] | None = None
    unseen: Fact | None = None
    user: Resource | None = None


class JudgedTemplate:
    """A template with its scenarios, ready to be asked by rules.

    `constructs` are those that an assembly of the CDK names beside the template.
    """

    def __init__(
        self,
        file: str,
        template: Template,
        pins: Pins,
        stacks: Stacks | None = None,
        context: str = "",
        constructs: Constructs = _NO_CONSTRUCTS,
    ) -> None:
        self.file = file
        self.template = template
        self.context = context
        self.model = Model(template, pins, RETURNS, stacks)
        self.stacks = self.model.stacks
        self.scenarios = Scenarios(self.model)
        self.places = Places(template)
        self._constructs = constructs
        self._subjects: dict[str, list[Subject]] = {}

    def place_of(self, node: Node) -> str:
        """The file that a node is written in."""
        return file_of(node) or self.file

    def name_of(self, resource: Resource) -> tuple[str, str]:
        """The file and the logical ID of a resource."""
        return self.place_of(resource.key), bare(resource.id)

    def subjects(self, kind: str) -> list[Subject]:
        """The subjects of a kind: every resource of a type, or what the trails of the template use."""
        if kind not in self._subjects:
            found = self._linked(kind) if kind in catalog.LINKS else self._of_type(catalog.resource_type(kind))
            self._subjects[kind] = found
        return self._subjects[kind]

    def _of_type(self, kind: str) -> list[Subject]:
        found = [Subject(resource, _made(resource)) for resource in self.template.of_type(kind)]
        if kind in catalog.UNSEEN:
            find, _ = catalog.UNSEEN[kind]
            found += [
                Subject(makers[0], _any_made(makers), unseen=fact) for makers, fact in find(self.template, self.stacks)
            ]
        return found

    def _linked(self, kind: str) -> list[Subject]:
        """What the trails use of a kind, and the trails that use something made elsewhere or nothing at all."""
        trails = self.template.of_type(catalog.TRAIL)
        link = catalog.LINKS[kind]
        made: dict[str, list[Resource]] = {}  # what is used, and by which trails
        outside: list[Subject] = []
        for trail in trails:
            try:
                leaves = self.scenarios.explore(partial(_link, trail=trail, link=link))
            except TooManyScenarios:
                leaves = []
            links = [leaf.answer for leaf in leaves]
            used = dict.fromkeys(found.resource.id for found in links if found is not None and found.resource)
            for name in used:
                made.setdefault(name, []).append(trail)
            if not used or any(found is not None and found.resource is None for found in links):
                outside.append(_outside(trail, link))
        by_itself = catalog.BY_THEMSELVES.get(kind, _never) if self._may_hold(kind) else _never
        candidates = self.template.of_type(catalog.resource_type(kind)) if by_itself is not _never else ()
        for resource in candidates:
            if resource.id not in made and self._ever(resource, by_itself):
                made[resource.id] = []
        resources = self.template.resources
        inside = [_used(resources[name], made[name], link, by_itself) for name in resources if name in made]
        return [*map(self._with_user, inside, (made[one.resource.id] for one in inside)), *outside]

    def _with_user(self, subject: Subject, trails: Sequence[Resource]) -> Subject:
        """A subject that exists already, with a trail of the templates that uses it, if one does."""
        if self.stacks.observed(subject.resource.id) is None:
            return subject
        return subject._replace(user=next((one for one in trails if self.stacks.observed(one.id) is None), None))

    def _may_hold(self, kind: str) -> bool:
        mark = catalog.MARKS.get(kind)
        document = self.template.document
        return mark is not None and any(mark.decode() in text for text in (document.text, *document.parts))

    def _ever(self, resource: Resource, by_itself: Callable[[Scenario, Resource], bool]) -> bool:
        """Tell whether a resource shows in some scenario what it is."""
        try:
            return self.scenarios.ever(lambda scenario: by_itself(scenario, resource))
        except TooManyScenarios:
            return False

    def finding(self, rule: Rule, subject: Subject) -> Finding:
        """One rule's verdict on one subject."""
        resource = subject.resource
        judgement = judge(self.scenarios, resource, _question(self, rule, subject))
        stack = self.stacks.stack_of(resource.id)
        template = self.template if stack is None else stack.template
        if template.macros:
            reason = f"macro {template.macros[0]} may rewrite the whole template before it is deployed"
            causes = (Cause(template.root, reason),)
            judgement = judgement._replace(verdict=UNKNOWN, reason=reason, witness={}, causes=causes)
        return self._told(rule, *self._changeable(subject, judgement))

    def _changeable(self, subject: Subject, judgement: Judgement) -> tuple[Resource, Judgement]:
        """The subject and the judgement, at a place in a template: what exists is not what somebody edits.

        Without a template that has to do with it, what exists stands for itself.
        """
        resource, node = subject.resource, judgement.node
        path = self.places.path(node, resource.id)
        owner = self.template.resources.get(str(path[1])) if path[:1] == ("Resources",) else None
        owner = owner or resource
        user = resource if self.stacks.observed(resource.id) is None else subject.user
        seen = self.stacks.observed(owner.id)
        if user is None or seen is None:
            return user or resource, judgement
        properties = user.attribute("Properties")
        named = properties.values.get(catalog.place_of(owner.type)) if isinstance(properties, MapNode) else None
        what = seen.told(bare(owner.id))
        message = judgement.message if owner.id in judgement.message else f"{what}: {judgement.message}"
        related = ((node, what), *judgement.related)
        return user, judgement._replace(node=named or user.key, message=message, related=related)

    def _told(self, rule: Rule, resource: Resource, judgement: Judgement) -> Finding:
        node = judgement.node
        home, name = self.name_of(resource)
        file = self.place_of(node)
        path = self.places.path(node, resource.id) or ("Resources", resource.id)
        owner = str(path[1]) if path[0] == "Resources" and len(path) > 1 else resource.id
        stack = self.stacks.stack_of(str(path[1]) if len(path) > 1 else resource.id)
        reader = owner if file != home else resource.id  # names are told as they are in the file that is looked at
        prefix = self.template.prefix if stack is None else stack.template.prefix
        causes = self._causes(judgement.causes, resource)
        full_path = (*prefix, *(bare(part) if isinstance(part, str) else part for part in path))
        return Finding(
            rule=rule.info,
            verdict=judgement.verdict,
            place=Place(file, span_of(node), full_path),
            subject=rule.subject,
            resource=name,
            message=self.stacks.spell(_sentence(judgement), reader),
            witness={self.stacks.parameter(key, resource.id): value for key, value in judgement.witness.items()},
            reason=None if judgement.reason is None else self.stacks.spell(judgement.reason, reader),
            related=self._related(judgement, reader),
            fingerprint=fingerprint(rule.id, file, name, bare(owner), full_path),
            contexts=self.contexts(resource),
            deployed=self._deployed(resource),
            subject_file="" if home == file else home,
            construct=_construct(resource) or self._constructs.get((home, name), ""),
            blocks=self._blocks(resource, self.template.resources.get(owner)),
            cause=digest(*causes) if len(causes) > 1 else "".join(causes),
            causes=causes,
        )

    def _causes(self, causes: Sequence[Cause], resource: Resource) -> tuple[str, ...]:
        """What stands for some causes: those with the same place and word are one."""
        spell = self.stacks.spell
        return tuple(sorted({digest(*self._way(node, resource), spell(word, resource.id)) for node, word in causes}))

    def _way(self, node: Node, resource: Resource) -> tuple[str, ...]:
        """What tells a node from all others, wherever its lines move."""
        path = self.places.path(node, resource.id)
        stack = self.stacks.stack_of(str(path[1]) if len(path) > 1 else resource.id)
        prefix = self.template.prefix if stack is None else stack.template.prefix
        way = (*prefix, *path) if path else (node.line, node.column)
        return self.place_of(node), *(bare(str(part)) for part in way)

    def _related(self, judgement: Judgement, reader: str) -> tuple[Related, ...]:
        """Other places that have a say: those that the judgement names, and those where a value comes from."""
        told = [(node, words) for node, words in judgement.related]
        told += [(node, words) for node, words in came_from(self.stacks, judgement.node)]
        spell = self.stacks.spell
        places = {(self.place_of(node), span_of(node)): spell(words, reader) for node, words in reversed(told)}
        return tuple(Related(file, span, words) for (file, span), words in reversed(places.items()))

    def _blocks(self, *resources: Resource | None) -> tuple[Block, ...]:
        """Where some resources stand."""
        found = (
            Block(self.place_of(item.key), item.key.line, item.body.end_line) for item in resources if item is not None
        )
        return tuple(dict.fromkeys(found))

    def contexts(self, resource: Resource) -> tuple[str, ...]:
        """In which deployment the resource was looked at: the parent that makes its stack, the configured context."""
        stack = self.stacks.stack_of(resource.id)
        way = way_to(stack) if stack is not None else ""
        nested = f"{way} of {stack.root.file}" if stack is not None and way else ""
        told = ", ".join(filter(None, (nested, self.context)))
        return (told,) if told else ()

    def _deployed(self, resource: Resource) -> tuple[str, ...]:
        """The deployed stack as which the resource was looked at."""
        stack = self.stacks.stack_of(resource.id)
        known = stack.root.deployed if stack is not None else None
        return (known.name,) if known is not None else ()


def _construct(resource: Resource) -> str:
    """The CDK construct that a resource was made from: `Stack/Trail/Resource`."""
    metadata = resource.attribute("Metadata")
    node = metadata.values.get("aws:cdk:path") if isinstance(metadata, MapNode) else None
    return node.value if isinstance(node, TextNode) else ""


def _question(judged: JudgedTemplate, rule: Rule, subject: Subject) -> Question:
    resource, exists, outside, unseen, _ = subject
    is_seen = not rule.existing and judged.stacks.observed(resource.id) is not None

    def fact(scenario: Scenario, resource: Resource, requirement: Requirement) -> Fact:
        return catalog.fact_of(scenario, rule.subject, resource, requirement.fact, requirement.wanted)

    def question(scenario: Scenario) -> Answer | None:
        if not exists(scenario):
            return None
        if unseen is not None:
            return Answer(UNKNOWN, ((unseen, ""),))
        if is_seen:
            because = f"{resource.id} exists already, and this is about what templates say"
            return Answer(NOT_APPLICABLE, ((Fact(None, resource.key, because), ""),))
        if outside is not None:
            return _unjudged(rule, resource, outside(scenario))
        return answer(rule, scenario, resource, fact)

    return question


def _unjudged(rule: Rule, trail: Resource, link: Link | None) -> Answer | None:
    """What can be said of something that a trail uses and the template does not make."""
    what = rule.subject.replace("_", " ")
    if link is None:
        return Answer(NOT_APPLICABLE, ((Fact(None, trail.key, f"{trail.id} uses no {what}"), ""),))
    if link.resource is not None:
        return None  # it is a subject itself
    because = f"the {what} of {trail.id} is made elsewhere"
    if rule.elsewhere == NOT_APPLICABLE:
        return Answer(NOT_APPLICABLE, ((Fact(None, link.node, because), ""),))
    return Answer(UNKNOWN, ((Fact(None, link.node, because, link.elsewhere), ""),))


def _made(resource: Resource) -> Callable[[Scenario], bool]:
    return lambda scenario: scenario.active(resource)


def _any_made(resources: Sequence[Resource]) -> Callable[[Scenario], bool]:
    return lambda scenario: any(scenario.active(resource) for resource in resources)


def _link(scenario: Scenario, trail: Resource, link: LinkFinder) -> Link | None:
    return link(scenario, trail) if scenario.active(trail) else None


def _never(scenario: Scenario, resource: Resource) -> bool:
    return False


def _used(
    resource: Resource,
    trails: Sequence[Resource],
    link: LinkFinder,
    by_itself: Callable[[Scenario, Resource], bool],
) -> Subject:
    """Something that the template makes: it is a subject where a trail uses it, or where it shows that it is one."""

    def exists(scenario: Scenario) -> bool:
        links = (_link(scenario, trail, link) for trail in trails)
        return any(found is not None and found.resource is resource for found in links) or by_itself(scenario, resource)

    return Subject(resource, exists)


def _outside(trail: Resource, link: LinkFinder) -> Subject:
    return Subject(trail, _made(trail), lambda scenario: link(scenario, trail))


def _sentence(judgement: Judgement) -> str:
    text = judgement.message
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def fingerprint(rule: str, file: str, resource: str, owner: str, path: tuple[str | int, ...]) -> str:
    """What stays the same about a finding when lines move: 20 hexadecimal digits."""
    return digest(rule, file, resource, owner, *map(str, path))


def digest(*parts: str) -> str:
    """20 hexadecimal digits that stand for some texts."""
    return _sha256("\0".join(parts).encode("utf-8", "surrogatepass"))[:20]


def _sha256(data: bytes) -> str:
    return str(_hashing().sha256(data).hexdigest())


@cache
def _hashing() -> ModuleType:
    """The module with SHA-256: Python's own where it has one, because hashlib loads OpenSSL, which takes 5 ms."""
    for name in ("_sha2", "_sha256"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return import_module("hashlib")
