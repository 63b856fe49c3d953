"""A template with what a user fixed for its deployment, and the variables that this leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trailguard.cloudformation.partitions import DEFAULT_PARTITION, SAMPLE_REGIONS, URL_SUFFIXES, partition_of
from trailguard.cloudformation.template import Parameter, Template
from trailguard.cloudformation.variables import Space, Variable

_OPAQUE_PSEUDO = {
    "AWS::AccountId": "the account of the deployment is not known; give it with --account-id",
    "AWS::StackName": "the stack's name is chosen at deployment",
    "AWS::StackId": "the stack's ID is made at deployment",
}
_SAMPLES = {"AWS::AccountId": ("111122223333", "444455556666"), "AWS::StackName": ("audit", "trail")}


class Pins(NamedTuple):
    """What the user fixed for this deployment."""

    parameters: Mapping[str, str] = {}
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None


class Model:
    """A template, its variables, and what stays the same in all its scenarios.

    `returns` gives, for each resource type, what `Ref` and each attribute of `Fn::GetAtt` return: text in which
    `${AWS::Region}` and the like stand for pseudo parameters and `${Property}` for a property or its generated value.
    """

    def __init__(self, template: Template, pins: Pins, returns: Mapping[str, Mapping[str, str]]) -> None:
        self.template = template
        self.returns = returns
        self.partition = pins.partition or (partition_of(pins.region) if pins.region else DEFAULT_PARTITION)
        self.space = Space()
        self.memo: dict[object, object] = {}  # what others worked out of the template, the same in all scenarios
        self.fixed: dict[str, str] = {
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": URL_SUFFIXES.get(self.partition, URL_SUFFIXES[DEFAULT_PARTITION]),
        }
        for name, value in (("AWS::Region", pins.region), ("AWS::AccountId", pins.account_id)):
            if value is not None:
                self.fixed[name] = value
        self._add_pseudo_parameters()
        for name, parameter in template.parameters.items():
            self.space.variables[name] = Variable(name, parameter, _stored_reason(parameter))
            if name in pins.parameters and not parameter.is_stored:
                self.fixed[name] = pins.parameters[name]

    def _add_pseudo_parameters(self) -> None:
        partition = self.partition
        self.space.variables["AWS::Region"] = Variable(
            "AWS::Region",
            accepts=lambda region: partition_of(region) == partition and region.count("-") >= 2,
            samples=SAMPLE_REGIONS.get(partition, ()),
        )
        for name, reason in _OPAQUE_PSEUDO.items():
            accepts = str.isdigit if name == "AWS::AccountId" else None
            self.space.variables[name] = Variable(name, None, reason, accepts, _SAMPLES.get(name, ("other",)))

    def refused_pins(self) -> list[str]:
        """The pinned parameters whose values the template does not accept."""
        return [
            name
            for name in self.template.parameters
            if name in self.fixed and not self.space.variables[name].permits(self.fixed[name])
        ]


def _stored_reason(parameter: Parameter) -> str | None:
    if not parameter.is_stored:
        return None
    key = f' "{parameter.default}"' if parameter.default else ""
    return f"parameter {parameter.name} is read from the Systems Manager parameter{key} at deployment"
