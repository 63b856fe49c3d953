"""Makes CloudFormation create bucket, bucket policy and trail in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.source.changes import Append, Put, at
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.repairs import Fault, Repair


def after_policy(fault: Fault) -> Iterator[Repair]:
    """Make the trail wait for the policy of its bucket."""
    bucket = log_bucket(fault.scenario, fault.resource)
    for policy in bucket.policies if bucket is not None else ():
        yield from waiting(fault.scenario, fault.resource, policy)


def after_bucket(fault: Fault) -> Iterator[Repair]:
    """Make the policies of the trail's bucket wait for it."""
    bucket = log_bucket(fault.scenario, fault.resource)
    if bucket is None or bucket.resource is None:
        return
    late = [policy for policy in bucket.policies if not reaches(fault.scenario, policy, bucket.resource)]
    offers = [repair for policy in late for repair in waiting(fault.scenario, policy, bucket.resource)]
    if offers:
        yield Repair("; ".join(one.title for one in offers), tuple(item for one in offers for item in one.changes))


def waiting(scenario: Scenario, first: Resource, then: Resource) -> Iterator[Repair]:
    """Make one resource wait for another one, or what makes its stack for what makes the other's, by `DependsOn`."""
    meeting = scenario.model.stacks.meeting(first.id, then.id)
    if meeting is None or reaches(scenario, then, first):
        return
    waiter, awaited = (scenario.model.template.resources[name] for name in meeting)
    title = f"Make {bare(waiter.id)} depend on {bare(awaited.id)}"
    change = Put if waiter.attribute("DependsOn") is None else Append
    yield Repair(title, (change(at(waiter.body), ("DependsOn",), bare(awaited.id)),))
