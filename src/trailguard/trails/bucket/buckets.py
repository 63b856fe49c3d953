"""Where a trail's logs go: the bucket, and the policies that the templates put on it, in one scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
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
from trailguard.trails.facts.facts import Cause, Fact, unknown
from trailguard.trails.facts.links import Link, elsewhere
from trailguard.trails.facts.names import bucket_name, made_first, may_be_same, same_name

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
    unseen: str = ""  # why nobody who looked at the account saw it

    @property
    def unmade(self) -> str:
        """Why nothing is known of the bucket where the template does not make it."""
        what = f"bucket {show(Text(self.name, self.node))}" + ("" if self.policies else " or a policy for it")
        source = next((piece.reason for piece in self.name if isinstance(piece, Symbol) and piece.kind == OPAQUE), None)
        return elsewhere(what, source or "", self.unseen)


def no_known_policy(scenario: Scenario, bucket: LogBucket, trail: Resource) -> Fact | None:
    """That the bucket's policy cannot be known, since nobody here makes bucket or policy. None when that is not so."""
    if bucket.policies:
        return None
    because = f"the policy of the bucket of {trail.id} is not known"
    maker = bucket.generator
    if maker is not None:
        fact = unknown(bucket.node, f"{maker} may make a policy for the bucket", because)
        return fact._replace(cause=policy_maker(scenario, maker))
    if bucket.resource is None:
        return unknown(bucket.node, bucket.unmade, because)
    unread = scenario.model.stacks.looks.unlisted(BUCKET_POLICY)
    is_seen = unread and scenario.model.stacks.observed(bucket.resource.id) is not None
    return unknown(bucket.node, unread, because) if is_seen else None


def policy_maker(scenario: Scenario, maker: str) -> Cause:
    """The cause of whatever hinges on a policy that a loop or a macro of this name may make."""
    return Cause(scenario.model.template.generators[maker].key, "may make a bucket policy")


def log_bucket(scenario: Scenario, trail: Resource) -> LogBucket | None:
    """The bucket of a trail; None when the trail names none."""
    return scenario.once(("log bucket", trail.id), lambda: _find(scenario, trail))


def bucket_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The bucket that a trail delivers to; None when it names none."""
    bucket = log_bucket(scenario, trail)
    return None if bucket is None else Link(bucket.node, bucket.resource, bucket.unmade)


def _find(scenario: Scenario, trail: Resource) -> LogBucket | None:
    value = scenario.value_of(trail, "S3BucketName")
    text = text_of(value)
    if text is None:
        return None
    if text.literal == "":
        raise Unbuildable("S3BucketName is empty")
    name = bucket_name(text.pieces)
    made = _made(scenario, trail, name)
    policies = policies_on(scenario, name, made, closely=made is not None)
    unseen = scenario.model.stacks.looks.unseen(BUCKET)
    return LogBucket(name, value.node, made, policies, scenario.model.template.generator, unseen)


def _made(scenario: Scenario, trail: Resource, name: Pieces) -> Resource | None:
    """The bucket of a name that is made here. Of those that several templates make, only one can be deployed."""
    buckets = scenario.model.template.of_type(BUCKET)
    stacks = scenario.model.stacks
    here = stacks.root_of(trail.id)
    own = [bucket for bucket in buckets if stacks.root_of(bucket.id) == here]
    found = next((bucket for bucket in own if _is_called(scenario, bucket, name)), None)
    if found is not None or len(own) == len(buckets):
        return found
    called = [bucket for bucket in buckets if bucket not in own and _is_called(scenario, bucket, name)]
    others = made_first(scenario, called)
    rivals = list({stacks.root_of(bucket.id): bucket for bucket in reversed(others)}.values())[::-1]
    shown = " or ".join(bucket.id for bucket in rivals)
    reason = f"bucket {show(Text(name, trail.key))} may be {shown}, and only one of these templates can be deployed"
    for bucket in rivals[:-1]:
        if scenario.assume(f"the bucket is {bucket.id}", reason):
            return bucket
    return rivals[-1] if rivals else None


def have_rivals(scenario: Scenario, policies: Sequence[Resource], name: Pieces) -> bool:
    """Tell whether policies may come with different buckets of one name: several templates make it, one is deployed."""
    stacks = scenario.model.stacks
    if len({stacks.root_of(policy.id) for policy in policies}) < 2:
        return False
    buckets = scenario.model.template.of_type(BUCKET)
    called = made_first(scenario, [bucket for bucket in buckets if _is_called(scenario, bucket, name)])
    return len({stacks.root_of(bucket.id) for bucket in called}) > 1


def policies_on(
    scenario: Scenario, name: Pieces, bucket: Resource | None, closely: bool = False
) -> tuple[Resource, ...]:
    """The policies that the template puts on the bucket of a name, which is `bucket` if one is made here.

    Looked at closely, one whose target may be any bucket counts too, where it is this one, if no other policy is known.
    """
    policies = scenario.model.template.of_type(BUCKET_POLICY)

    def those(same: Callable[[Scenario, Pieces, Pieces], bool]) -> Iterator[Resource]:
        found = (policy for policy in policies if is_on(scenario, policy, name, same))
        return (one for one in found if bucket is None or not _is_for_rival(scenario, one, name, bucket))

    known = tuple(made_first(scenario, list(those(same_name))))
    if known or not closely:
        return known
    return tuple(islice(those(may_be_same), 1))


def _is_for_rival(scenario: Scenario, policy: Resource, name: Pieces, bucket: Resource) -> bool:
    """Tell whether a policy comes with another bucket of the same name, which another template makes instead."""
    stacks = scenario.model.stacks
    home = stacks.root_of(policy.id)
    if home == stacks.root_of(bucket.id):
        return False
    if any(map(stacks.observed, (policy.id, bucket.id))):
        return _are_apart(scenario, policy, bucket)
    buckets = (other for other in scenario.model.template.of_type(BUCKET) if stacks.root_of(other.id) == home)
    return any(_is_called(scenario, other, name) for other in buckets)


def _are_apart(scenario: Scenario, one: Resource, other: Resource) -> bool:
    """Tell whether two resources are known to be in different accounts: a bucket is not made there a second time."""
    model = scenario.model
    accounts = [model.fixed.get(model.pseudo("AWS::AccountId", item.id)) for item in (one, other)]
    return None not in accounts and accounts[0] != accounts[1]


def _is_called(scenario: Scenario, bucket: Resource, name: Pieces) -> bool:
    """Tell whether a bucket is made here and has a name."""

    def ask(here: Scenario) -> bool:
        return same_name(here, name, here.returned_pieces(bucket, "Ref")) and here.active(bucket)

    return scenario.agreed(("called", bucket.id, name), ask)


def overwritten(policies: Sequence[Resource]) -> Cause | None:
    """The cause of whatever hinges on which of several policies stays; None where there is one at most."""
    return Cause(policies[1].key, "several policies") if len(policies) > 1 else None


def policy_of(scenario: Scenario, resource: Resource) -> Policy:
    """What a bucket policy says, read once."""
    return scenario.once(("policy", resource.id), lambda: read_document(scenario, resource, "PolicyDocument"))


def is_on(
    scenario: Scenario,
    policy: Resource,
    name: Pieces,
    same: Callable[[Scenario, Pieces, Pieces], bool] = same_name,
) -> bool:
    """Tell whether a policy is made here and put on the bucket of a name. Raises Split while that is open."""

    def ask(here: Scenario) -> bool:
        node = here.property_node(policy, "Bucket")
        try:
            text = None if node is None else text_of(here.resolve(node))
        except Unbuildable:  # it names a bucket that is not made here; then neither is the policy, or nothing is
            return False
        return text is not None and same(here, name, bucket_name(text.pieces)) and here.active(policy)

    return scenario.agreed(("on the bucket", policy.id, name, same), ask)
