"""Where a trail's logs go: the bucket, and the policies that the templates put on it, in one scenario."""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    Pieces,
    Symbol,
    Text,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.documents import read_document
from trailguard.iam.policy import Policy
from trailguard.trails.facts.links import elsewhere
from trailguard.trails.facts.names import bucket_name, same_name

BUCKET = "AWS::S3::Bucket"
BUCKET_POLICY = "AWS::S3::BucketPolicy"


class LogBucket(NamedTuple):
    """The bucket that a trail names.

    `name` is its name as text, `node` the place where the trail names it. `resource` is the bucket when the template
    makes it here; `policies` are the policies that the template puts on it here.
    """

    name: Pieces
    node: Node
    resource: Resource | None
    policies: tuple[Resource, ...]
    generator: str | None  # what in the template may make further policies

    @property
    def elsewhere(self) -> str | None:
        """Why its policy cannot be known: nobody here makes the bucket or its policy. None when that is not so."""
        if self.policies:
            return None
        if self.generator is not None:
            return f"{self.generator} may make a policy for the bucket"
        if self.resource is not None:
            return None
        shown = show(Text(self.name, self.node))
        source = next((piece.reason for piece in self.name if isinstance(piece, Symbol) and piece.kind == OPAQUE), None)
        return elsewhere(f"bucket {shown} or a policy for it", source or "")


def log_bucket(scenario: Scenario, trail: Resource) -> LogBucket | None:
    """The bucket of a trail; None when the trail names none."""
    return scenario.once(("log bucket", trail.id), lambda: _find(scenario, trail))


def _find(scenario: Scenario, trail: Resource) -> LogBucket | None:
    value = scenario.value_of(trail, "S3BucketName")
    text = text_of(value)
    if text is None:
        return None
    if text.literal == "":
        raise Unbuildable("S3BucketName is empty")
    name = bucket_name(text.pieces)
    template = scenario.model.template
    made = None
    for bucket in template.of_type(BUCKET):
        if same_name(scenario, name, _made_name(scenario, bucket)) and scenario.active(bucket):
            made = bucket
            break
    policies = policies_on(scenario, name)
    return LogBucket(name, value.node, made, policies, template.generator)


def policies_on(scenario: Scenario, name: Pieces) -> tuple[Resource, ...]:
    """The policies that the template puts on the bucket of a name."""
    policies = scenario.model.template.of_type(BUCKET_POLICY)
    return tuple(policy for policy in policies if _is_on(scenario, policy, name) and scenario.active(policy))


def policy_of(scenario: Scenario, resource: Resource) -> Policy:
    """What a bucket policy says, read once."""
    return scenario.once(("policy", resource.id), lambda: read_document(scenario, resource, "PolicyDocument"))


def _made_name(scenario: Scenario, bucket: Resource) -> Pieces:
    """The name that a bucket has, or will have when it is made."""
    return scenario.returned_pieces(bucket, "Ref")


def _is_on(scenario: Scenario, policy: Resource, name: Pieces) -> bool:
    """Tell whether a policy is put on the bucket of that name."""
    node = scenario.property_node(policy, "Bucket")
    if node is None:
        return False
    try:
        text = text_of(scenario.resolve(node))
    except Unbuildable:  # it names a bucket that is not made here; then neither is the policy, or nothing is
        return False
    return text is not None and same_name(scenario, name, bucket_name(text.pieces))
