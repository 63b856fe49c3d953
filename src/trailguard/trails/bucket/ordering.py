"""Whether CloudFormation makes bucket, bucket policy and trail in the order in which they need each other.

CloudTrail checks the policy when it makes the trail, and S3 takes a policy only for a bucket that is there. Resources
without a dependency path between them are made side by side, even if they hold the same name as text. A topic policy
that comes after the trail is no fault: without one the topic's account may publish, and trails of the CDK are made
that way. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.waiting import encircled, reaches
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, no, unknown, yes
from trailguard.trails.facts.links import ANY_ORDER

_TRUTH: Mapping[str, object] = {"type": "boolean"}


def after_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a dependency path leads from the trail to the policy of its bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or not bucket.policies:
        return yes(trail.key, f"no bucket policy is made here for {trail.id} to wait for")
    for policy in bucket.policies:
        if in_circle(scenario, trail, policy):
            because = f"{trail.id} and bucket policy {policy.id} wait for each other, which cannot be deployed"
            return no(_place(trail), because, ((policy.key, f"{policy.id} depends on {trail.id}"),))
    for policy in bucket.policies:
        if reaches(scenario, trail, policy):
            return yes(trail.key, f"{trail.id} is created after bucket policy {policy.id}")
    policy = bucket.policies[0]
    if reaches(scenario, policy, trail):
        because = (
            f"bucket policy {policy.id} refers to {trail.id}, so it is created after the trail that needs it, and a "
            "DependsOn would close a circle; give the trail a TrailName and spell its ARN in the policy"
        )
        return no(_place(trail), because, ((policy.key, f"{policy.id} depends on {trail.id}"),))
    return _unordered(scenario, trail, policy, f"bucket policy {policy.id}", "policy")


def in_circle(scenario: Scenario, trail: Resource, policy: Resource) -> bool:
    """Tell whether trail and policy, or what makes their stacks, wait for each other."""
    meeting = scenario.model.stacks.meeting(trail.id, policy.id)
    if meeting is None:
        return reaches(scenario, trail, policy) and reaches(scenario, policy, trail)
    one, other = (scenario.model.template.resources[name] for name in meeting)
    return encircled(scenario, one, other)


def policy_after_bucket(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a dependency path leads from each policy to the trail's bucket, when that is made here."""
    bucket = log_bucket(scenario, trail)
    fine = yes(trail.key, f"no policy is put on the bucket of {trail.id} before that is made")
    if bucket is None or bucket.resource is None:
        return fine
    made = bucket.resource

    def facts() -> Iterator[Fact]:
        for policy in bucket.policies:
            if not reaches(scenario, policy, made):
                yield _unordered(scenario, policy, made, f"{made.id}, the bucket that it names as text", "bucket")

    return all_of(facts(), fine)


def _unordered(scenario: Scenario, first: Resource, then: Resource, what: str, kind: str) -> Fact:
    """That nothing makes one resource wait for another one, `what`."""
    meeting = scenario.model.stacks.meeting(first.id, then.id)
    if meeting is None:
        because = f"nothing in the templates says whether {first.id} is created after {what}"
        return unknown(_place(first), ANY_ORDER, because)
    waiter, awaited = (scenario.model.template.resources[name] for name in meeting)
    named = [item.value for item in waiter.depends_on() if item.value in scenario.model.template.resources]
    told = f" (it waits for {', '.join(named)} only)" if named else ""
    who = waiter.id if waiter is first else f"{waiter.id}, which makes the stack of {first.id},"
    if awaited is not then:
        what = f"{awaited.id}, which makes the stack of {what}"
    because = f"nothing makes {who} wait for {what}{told}, so it may be created first"
    return no(_place(waiter), because, ((then.key, f"the {kind} that must exist first"),))


def _place(resource: Resource) -> Node:
    return resource.attribute("DependsOn") or resource.key


FACTS: Mapping[str, FactSpec] = {
    "ordering.after_bucket_policy": FactSpec(
        after_policy, _TRUTH, "a dependency path leads from the trail to its bucket's policy"
    ),
    "ordering.policy_after_bucket": FactSpec(
        policy_after_bucket, _TRUTH, "a dependency path leads from each policy of the trail's bucket to that bucket"
    ),
}
