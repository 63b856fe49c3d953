"""Buckets that are made for a trail of somebody else: their policy lets CloudTrail in.

In an account for logs the bucket and its policy stand alone; the trails are in other accounts. Such a bucket is a log
bucket as much as one that a trail of the same template names.
"""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.bounds import settled
from trailguard.iam.callers import names_caller
from trailguard.iam.evaluate import Request
from trailguard.iam.policy import Policy, Statement
from trailguard.trails.bucket.buckets import policies_on, policy_of
from trailguard.trails.bucket.requests import SERVICE

MARK = b"cloudtrail."  # the beginning of the service principal; a file without it holds no such bucket

_ANY_CALL = Request(service=SERVICE, accounts=(), action="", resource=(), context={}, everyone=False)


def receives_logs(scenario: Scenario, bucket: Resource) -> bool:
    """Tell whether a policy that the template puts on a bucket grants CloudTrail's service principal something."""

    def look() -> bool:
        policies = (
            policies_on(scenario, scenario.returned_pieces(bucket, "Ref"), bucket) if scenario.active(bucket) else ()
        )
        return any(settled(policy_of(scenario, policy), lets_in, bool) for policy in policies)

    def lets_in(policy: Policy) -> bool:
        return any(_lets_in(scenario, statement) for statement in policy.statements)

    return scenario.once(("receives logs", bucket.id), look)


def _lets_in(scenario: Scenario, statement: Statement) -> bool:
    principal = statement.elements.get("Principal")
    if principal is None or statement.effect is None or statement.effect.literal != "Allow":
        return False
    return names_caller(principal, _ANY_CALL, scenario.settle).is_yes
