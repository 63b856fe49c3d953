"""Which deployed stack was made of a template: the one that a user names, or the only one with the same resources.

Names of files say nothing: a template is a stack's when it holds the same logical IDs with the same types.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from trailguard.cloudformation.source.letters import RESOLVED
from trailguard.cloudformation.source.nodes import MapNode, SourceError, TextNode, literal, scalar_text
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.composing import composed
from trailguard.cloudformation.stacks.observed import Deployed, Twin
from trailguard.cloudformation.stacks.renaming import mark
from trailguard.cloudformation.stacks.stacks import Stack
from trailguard.cloudformation.stacks.stacks import Stacks as Together
from trailguard.cloudformation.template.template import Resource, Template, function_of
from trailguard.cloudformation.world.nesting import APPLICATION, STACK, STACK_SET
from trailguard.cloudformation.world.trees import Member
from trailguard.errors import display_name
from trailguard.findings import FileError, Notice
from trailguard.reading.accounts import Accounts
from trailguard.reading.discovery import Content, read
from trailguard.reading.existing import Thing, member, origin, texts_of
from trailguard.reading.snapshots import StackContext
from trailguard.trails.observing import TRAIL, made_up

_RANDOM = r"[A-Z0-9]{6,}"  # what CloudFormation puts behind the name of a nested stack
_KEPT = ("Retain", "RetainExceptOnCreate")


class Match(NamedTuple):
    """A template by its name in reports, and the stack that was made of it."""

    file: str
    deployed: Deployed


class Stacks:
    """The deployed stacks of the snapshots, by ACCOUNT/REGION/NAME; `errors` gets what is wrong with their files."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.known = {name: one for snapshot in accounts.snapshots for name, one in snapshot.stacks.items()}
        self._dates = {name: one.date for one in accounts.snapshots for name in one.stacks}
        self._data: dict[str, bytes] = {}
        self._templates: dict[str, Template | None] = {}
        self._deployed: dict[str, Deployed] = {}
        self._fitting: dict[int, tuple[Template, Sequence[StackContext]]] = {}
        self._composed: dict[str, tuple[Template, Together]] = {}
        self.matches: dict[tuple[str, str], Match] = {}
        self.notices: set[Notice] = set()

    def members(self, given: Mapping[str, Member], named: Mapping[str, str]) -> dict[str, Member]:
        """Templates as members of a world, by path, with what is known of the stacks that were made of them.

        `named` are the stacks that the user names for some. A stack was made of one template: where others than
        copies of it fit too, it is not known of which.
        """
        found = {path: self.known.get(named[path]) if path in named else self._only(one) for path, one in given.items()}
        claims: dict[str, list[str]] = {}
        for path, stack in found.items():
            if stack is not None and path not in named:
                claims.setdefault(stack.name, []).append(path)
        for name, paths in claims.items():
            if len({given[path].template.document.text for path in paths}) > 1:
                self._tell_rivals(name, [given[path].file for path in paths])
                found.update(dict.fromkeys(paths))
        return {path: self._with(one, found[path]) for path, one in given.items()}

    def _tell_rivals(self, name: str, files: Sequence[str]) -> None:
        text = f"stack {name} has the same resources as each of {', '.join(sorted(files))}; name the one that is meant"
        for file in files:
            self.notices.add(Notice(file, 0, f"{text} in a context of the configuration, with this stack"))

    def _with(self, one: Member, stack: StackContext | None) -> Member:
        """A template with what is known of the stack that was made of it, if any was."""
        if stack is None:
            return one
        deployed = self.deployed(stack.name)
        self.matches[one.file, stack.name] = Match(one.file, deployed)
        account, region = one.environment
        return one._replace(
            parameters={"AWS::StackName": stack.stack, **_given(one.template, deployed), **one.parameters},
            environment=(account or stack.account, region or stack.region),
            deployed=deployed,
        )

    def _only(self, one: Member) -> StackContext | None:
        """The one stack with the same logical IDs and types as a template; None when none has, or several."""
        name = one.parameters.get("AWS::StackName")
        account, region = one.environment
        fitting = [
            stack
            for stack in self._alike(one.template)
            if account in (None, stack.account) and region in (None, stack.region) and name in (None, stack.stack)
        ]
        if len(fitting) > 1:
            shown = ", ".join(stack.name for stack in fitting)
            text = f"several deployed stacks have the same resources: {shown}; name the one that is meant as stack in "
            self.notices.add(Notice(one.file, 0, f"{text}a context of the configuration to have it judged as that one"))
        return fitting[0] if len(fitting) == 1 else None

    def _alike(self, template: Template) -> Sequence[StackContext]:
        """The stacks with the same logical IDs and types as a template."""
        if id(template) not in self._fitting:
            wanted = {} if template.generators else _kinds(template)
            known = [stack for stack in self.known.values() if wanted and self._is_made_of(stack, wanted)]
            self._fitting[id(template)] = template, known
        return self._fitting[id(template)][1]

    def _is_made_of(self, stack: StackContext, wanted: Mapping[str, str]) -> bool:
        data = self._bytes(stack)
        if not all(name.encode() in data for name in wanted):
            return False
        template = self.template(stack.name)
        return template is not None and _kinds(template) == wanted

    def _bytes(self, stack: StackContext) -> bytes:
        if stack.name not in self._data:
            content = read(stack.path, True, ())
            self._data[stack.name] = content.data if isinstance(content, Content) else b""
        return self._data[stack.name]

    def template(self, name: str) -> Template | None:
        """The template of a deployed stack; None with an error when it cannot be read."""
        if name not in self._templates:
            stack = self.known[name]
            try:
                self._templates[name] = Template(parse(self._bytes(stack)))
            except SourceError as error:
                self._templates[name] = None
                shown = display_name(stack.path)
                self._accounts.errors.append(FileError(shown, error.line, error.column, error.message))
        return self._templates[name]

    def likeness(self, name: str, template: Template) -> int:
        """How many resources a template has in common with that of a stack."""
        known = self.template(name)
        return len(_kinds(template).items() & _kinds(known).items()) if known is not None else 0

    def deployed(self, name: str) -> Deployed:
        """What is known of a stack."""
        if name not in self._deployed:
            stack, template = self.known[name], self.template(name)
            made = self._accounts.made_by.get(name, ())
            bodies = ((thing, thing.file.nodes(thing)) for thing in made if thing.logical_id)
            generated = {
                thing.logical_id: made_up(thing.type, thing.arn, texts_of(known[1]))
                for thing, known in bodies
                if known is not None
            }
            self._deployed[name] = Deployed(
                name,
                self._dates[name],
                generated,
                stack.parameters,
                frozenset(_kept(template)),
                dict(self._nested(stack, template)) if template is not None else {},
                {thing.logical_id: twin for thing in made if (twin := _twin(thing)) is not None},
                template,
                display_name(stack.path),
            )
        return self._deployed[name]

    def twinned(self, one: Member) -> Member:
        """What exists, with the trails in it as the stacks say that made them."""
        twins = {}
        for resource in one.template.of_type(TRAIL):
            name, logical_id = origin(resource.body)
            twin = self._origin(name, logical_id) if name in self.known else None
            if twin is not None:
                twins[resource.id] = twin
        seen = one.observed
        return one if seen is None or not twins else one._replace(observed=seen._replace(twins=twins))

    def _origin(self, name: str, logical_id: str) -> Twin | None:
        """A resource as its stack made it."""
        template = self.template(name)
        if template is None or logical_id not in template.resources:
            return None
        stack, deployed = self.known[name], self.deployed(name)
        if name not in self._composed:
            parameters = {"AWS::StackName": stack.stack, **_given(template, deployed)}
            made = Stack(1, display_name(stack.path), template, None, parameters, "", None, deployed)
            self._composed[name] = composed([made])
        whole, stacks = self._composed[name]
        title = f"stack {name}"
        return Twin(whole, stacks, (stack.account, stack.region), logical_id + mark(1), title)

    def files(self) -> set[str]:
        """The files with the templates of all stacks."""
        return {display_name(stack.path) for stack in self.known.values()}

    def texts(self, names: Container[str]) -> Iterator[tuple[str, str]]:
        """The texts of the templates of some stacks, by their files."""
        for stack in self.known.values():
            if display_name(stack.path) in names:
                yield display_name(stack.path), self._bytes(stack).decode("utf-8", "replace")

    def _nested(self, stack: StackContext, template: Template) -> Iterator[tuple[str, Deployed]]:
        """The stacks that a stack made: CloudFormation names them after it and the resource, or after the stack set.

        Those of a stack set have one template, in whatever account and Region they are. Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html,
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html
        """
        for resource in template.resources.values():
            if resource.type in (STACK, APPLICATION):
                form = re.compile(f"{re.escape(f'{stack.name}-{resource.id}-')}{_RANDOM}")
                found = [name for name in self.known if form.fullmatch(name)]
                if len(found) == 1:
                    yield resource.id, self.deployed(found[0])
            elif resource.type == STACK_SET:
                own = _set_name(resource, stack) or f"{stack.stack}-{resource.id}-{_RANDOM}"
                form = re.compile(rf"\d{{12}}/[^/]+/StackSet-{own}-[0-9a-f-]{{36}}")
                instance = next((name for name in self.known if form.fullmatch(name)), None)
                if instance is not None:
                    yield resource.id, self.deployed(instance)


def _set_name(resource: Resource, stack: StackContext) -> str:
    """The name of a stack set, as a regular expression; "" where CloudFormation makes it up."""
    properties = resource.attribute("Properties")
    node = properties.values.get("StackSetName") if isinstance(properties, MapNode) else None
    named = function_of(node) if node is not None else None
    if named is not None and named[0] == "Ref" and isinstance(named[1], TextNode):
        return re.escape(stack.parameters.get(named[1].value, ""))
    return re.escape(scalar_text(node) or "")


def _given(template: Template, deployed: Deployed) -> dict[str, str]:
    """The values that a stack has; of what is read from a parameter store those that were read there."""
    known = template.parameters
    return {
        name: RESOLVED + value if name in known and known[name].is_stored else value
        for name, value in deployed.parameters.items()
    }


def _twin(thing: Thing) -> Twin | None:
    """A trail as it exists."""
    if thing.type != TRAIL:
        return None
    part = thing.file.part
    one = member([thing], (), (part.account, part.region), part.date, {}, {})
    return Twin(one.template, None, one.environment, thing.id, f"{thing.arn} (as of {part.date})")


def _kinds(template: Template) -> dict[str, str]:
    return {resource.id: resource.type for resource in template.resources.values()}


def _kept(template: Template | None) -> Iterator[str]:
    """The resources that stay when a template does not hold them any more."""
    for resource in template.resources.values() if template is not None else ():
        node = resource.attribute("DeletionPolicy")
        if isinstance(node, TextNode) and literal(node) in _KEPT:
            yield resource.id
