"""Where a trail's logs go: the bucket, and the policies that the templates put on it, in one scenario."""

from __future__ import annotations

from typing import NamedTuple, cast

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    VARIABLE,
    Pieces,
    Symbol,
    Text,
    different,
    join_pieces,
    show,
    text_of,
    trim,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.policy import Policy, read_policy
from trailguard.trails.facts.links import elsewhere

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
    key = ("log bucket", trail.id)
    if key not in scenario.memo:
        scenario.memo[key] = _find(scenario, trail)
    return cast("LogBucket | None", scenario.memo[key])


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
    return LogBucket(name, value.node, made, policies, next(iter(template.generators), None))


def policies_on(scenario: Scenario, name: Pieces) -> tuple[Resource, ...]:
    """The policies that the template puts on the bucket of a name."""
    policies = scenario.model.template.of_type(BUCKET_POLICY)
    return tuple(policy for policy in policies if _is_on(scenario, policy, name) and scenario.active(policy))


def policy_of(scenario: Scenario, resource: Resource) -> Policy:
    """What a bucket policy says, read once."""
    key = ("policy", resource.id)
    if key not in scenario.memo:
        scenario.memo[key] = read_policy(scenario.value_of(resource, "PolicyDocument"))
    return cast("Policy", scenario.memo[key])


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


def bucket_name(pieces: Pieces) -> Pieces:
    """The name in a bucket's ARN; other text as it is."""
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith("arn:"):
        _, mark, rest = pieces[0].partition(":s3:::")
        if mark:
            return join_pieces((rest, *pieces[1:]))
    return pieces


def same_name(scenario: Scenario, left: Pieces, right: Pieces) -> bool:
    """Tell whether two names are the same.

    A parameter is tried at its default and its allowed values; any other value that a user may give it is taken to be
    a name of its own. What cannot be known is taken to be different.
    """
    left, right = trim(left, right)
    if not left and not right:
        return True
    if different(left, right):
        return False
    if any(isinstance(piece, Symbol) and piece.kind == OPAQUE for piece in (*left, *right)):
        return False
    variables = scenario.model.space.variables
    for piece in (*left, *right):
        if isinstance(piece, Symbol) and piece.kind == VARIABLE and variables[piece.name].opaque is None:
            known = variables[piece.name].allowed or (variables[piece.name].default,)
            if any(value is not None and _could_match(piece, value, left, right) for value in known):
                scenario.fix(piece.name)
    return False


def _could_match(symbol: Symbol, value: str, left: Pieces, right: Pieces) -> bool:
    """Tell whether two names might be the same if a variable had a value."""

    def put(pieces: Pieces) -> Pieces:
        return join_pieces(value if isinstance(piece, Symbol) and piece.same(symbol) else piece for piece in pieces)

    one, other = trim(put(left), put(right))
    return not different(one, other)
