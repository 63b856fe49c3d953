"""A template with what a user fixed for its deployment, and the variables that this leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.partitions import DEFAULT_PARTITION, SAMPLE_REGIONS, URL_SUFFIXES, partition_of
from trailguard.cloudformation.scenarios.reasons import undefined
from trailguard.cloudformation.scenarios.space import Space
from trailguard.cloudformation.scenarios.variables import Variable
from trailguard.cloudformation.source.letters import KEPT, RESOLVED
from trailguard.cloudformation.source.nodes import TextNode
from trailguard.cloudformation.stacks.renaming import ELSEWHERE, bare, number_of
from trailguard.cloudformation.stacks.stacks import Stack, Stacks
from trailguard.cloudformation.template.template import Parameter, Template, function_of

_OPAQUE_PSEUDO = {
    "AWS::AccountId": "the account of the deployment is not known; give it with --account-id",
    "AWS::StackName": "the stack's name is chosen at deployment; give it with --parameter AWS::StackName=NAME",
    "AWS::StackId": "the stack's ID is made at deployment",
}
_KEPT = "the stack keeps the value that parameter {0} has (UsePreviousValue); give it with --parameter {0}=VALUE"
_MOST_HINTS = 20  # of names that the template does not define
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (StackName)
_FORMS = {"AWS::AccountId": re.compile("[0-9]+"), "AWS::StackName": re.compile("[A-Za-z][A-Za-z0-9-]{0,127}")}
_SAMPLES = {"AWS::AccountId": ("111122223333", "444455556666"), "AWS::StackName": ("audit", "trail")}


class Pins(NamedTuple):
    """What the user fixed for this deployment.

    KEPT as a parameter's value tells that the stack keeps the one that it has. Behind RESOLVED stands what the
    parameter store gave for one that is read there.
    """

    parameters: Mapping[str, str] = {}
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None


class Spelling(NamedTuple):
    """What a resource returns, where that hinges on which properties it sets.

    Each of the `ways` is a property, its value (None for any), and the text; the first one that fits counts, else
    `text` does.
    """

    ways: tuple[tuple[str, str | None, str], ...]
    text: str


Returns: TypeAlias = "Mapping[str, Mapping[str, str | Spelling]]"


class Model:
    """A template, its variables, and what stays the same in all its scenarios.

    `returns` gives, for each resource type, what `Ref` and each attribute of `Fn::GetAtt` return: text in which
    `${AWS::Region}` and the like stand for pseudo parameters and `${Property}` for a property or its generated value.
    """

    def __init__(
        self,
        template: Template,
        pins: Pins,
        returns: Returns,
        stacks: Stacks | None = None,
    ) -> None:
        self.template = template
        self.stacks = stacks or Stacks()
        self.returns = returns
        self.partition = pins.partition or (partition_of(pins.region) if pins.region else DEFAULT_PARTITION)
        self.space = Space()
        self._hints = 0
        self.memo: dict[object, object] = {}  # what others worked out of the template, the same in all scenarios
        self.shared: dict[
            object, list[Any]
        ] = {}  # what parts of it come to, in scenarios that agree in a few variables
        self.fixed: dict[str, str] = {
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": URL_SUFFIXES.get(self.partition, URL_SUFFIXES[DEFAULT_PARTITION]),
        }
        stack_name = pins.parameters.get("AWS::StackName")
        for name, value in (
            ("AWS::Region", pins.region), ("AWS::AccountId", pins.account_id), ("AWS::StackName", stack_name)
        ):  # fmt: skip
            if value is not None:
                self.fixed[name] = value
        self._add_region("AWS::Region")
        for name, reason in _OPAQUE_PSEUDO.items():
            self._add_opaque(name, "", reason)
        for stack in self.stacks.members.values():
            self._add_own(stack)
        given = {**pins.parameters, **self.stacks.constants}
        self._given = pins.parameters.keys() | self.stacks.pinned
        for name, parameter in template.parameters.items():
            value = given.get(name)
            is_resolved = value is not None and value.startswith(RESOLVED)
            unread = None if is_resolved else _stored_reason(parameter)
            unread = unread or (_KEPT.format(bare(name)) if value == KEPT else None)
            self.space.variables[name] = Variable(name, parameter, unread)
            if value is not None and unread is None:
                self.fixed[name] = value.removeprefix(RESOLVED)
        self.handed: dict[str, Variable] = {}  # what the parameters of nested stacks accept
        for name, binding in self.stacks.bindings.items():
            self.handed[name] = Variable(name, binding.parameter)
            handed = function_of(binding.argument)
            if binding.always and handed is not None and handed[0] == "Ref" and isinstance(handed[1], TextNode):
                self._narrow(handed[1].value, self.handed[name])

    def _narrow(self, name: str, to: Variable) -> None:
        """What a parameter is handed to has a say in its values too."""
        seen = set()
        while (binding := self.stacks.bindings.get(name)) is not None and name not in seen:
            seen.add(name)
            handed = function_of(binding.argument)
            if handed is None or handed[0] != "Ref" or not isinstance(handed[1], TextNode) or not binding.always:
                return
            name = handed[1].value
        variable = self.space.variables.get(name)
        if variable is not None and name in self.template.parameters:
            variable.narrow(to)

    def _add_own(self, stack: Stack) -> None:
        """The pseudo parameters that a stack of several has for itself."""
        ending = stack.ending
        for name in ("AWS::StackName", "AWS::StackId"):
            self._add_opaque(name, ending, _OPAQUE_PSEUDO[name])
        if stack.site == ending:
            self._add_opaque("AWS::AccountId", ending, _apart(stack.file, "account", "--account-id"))
            self._add_region("AWS::Region" + ending, _apart(stack.file, "Region", "--region"))
        elif stack.place == ending:
            self._add_region("AWS::Region" + ending, several=True)
            self._add_opaque("AWS::AccountId", ending, "the stack set works in accounts that are chosen at deployment")
        for name in (*_OPAQUE_PSEUDO, "AWS::Region"):
            if name + ending in self.stacks.constants:
                self.fixed[name + ending] = self.stacks.constants[name + ending]

    def _add_region(self, name: str, opaque: str | None = None, several: bool = False) -> None:
        partition = self.partition
        self.space.variables[name] = Variable(
            name,
            opaque=opaque,
            accepts=lambda region: partition_of(region) == partition and region.count("-") >= 2,
            samples=SAMPLE_REGIONS.get(partition, ()),
            several=several,
        )

    def _add_opaque(self, name: str, ending: str, reason: str) -> None:
        form = _FORMS.get(name)
        accepts = None if form is None else lambda value: form.fullmatch(value) is not None
        samples = _SAMPLES.get(name, ("other",))
        self.space.variables[name + ending] = Variable(name + ending, None, reason, accepts, samples)

    def undefined(self, kind: str, name: str, known: Iterable[str]) -> str:
        """The reason for a name that stands for nothing, with the nearest one of its stack.

        Looking for that costs, so it is done for a few only.
        """
        key = ("undefined", kind, name)
        if key not in self.memo:
            self._hints += 1
            near = [other for other in known if number_of(other) == number_of(name)]
            self.memo[key] = undefined(kind, name, near if self._hints <= _MOST_HINTS else ())
        return str(self.memo[key])

    def pseudo(self, name: str, resource: str) -> str:
        """The name of a pseudo parameter where a resource is made: a stack set has an account and Region of its own."""
        return name + self.stacks.scope(resource) if name in ELSEWHERE else name

    def refused_pins(self) -> list[str]:
        """The pinned parameters whose values the template does not accept."""
        return [
            name
            for name in self.template.parameters
            if name in self._given
            and name in self.fixed
            and not self.space.variables[name].permits(self.fixed[name])
            # Of one that is stored, the template restricts the name to look up.
            and not self.template.parameters[name].is_stored
        ]


def _apart(file: str, what: str, option: str) -> str:
    """Why nobody knows where a stack is."""
    return f"nothing says whether {file} is deployed in the same {what} as the others; give it with {option}"


def _stored_reason(parameter: Parameter) -> str | None:
    if not parameter.is_stored:
        return None
    key = f' "{parameter.default}"' if parameter.default else ""
    return f"parameter {parameter.name} is read from the Systems Manager parameter{key} at deployment"
