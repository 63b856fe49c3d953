"""The calls that CloudTrail makes to a bucket with a policy, and those that the policy should not let through.

They hinge on the policy in part: it may name the organization of a trail, or the ACLs and trails that it takes.
"""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Pieces, Text
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.evaluate import Request
from trailguard.iam.policy import Policy
from trailguard.trails.bucket import files, requests
from trailguard.trails.bucket.buckets import LogBucket, policy_of
from trailguard.trails.bucket.sites import Site


def sites(scenario: Scenario, trail: Resource, bucket: LogBucket) -> list[Site]:
    """Each policy of a trail's bucket."""
    policies = ((resource, policy_of(scenario, resource)) for resource in bucket.policies)
    return [Site(scenario, trail, bucket, resource, policy, policy) for resource, policy in policies]


def organizations(site: Site) -> list[Pieces]:
    """The organizations that the policy may mean: those whose folder it opens or spares."""
    texts: list[Pieces] = []
    for statement in site.whole.possible:
        part, effect = statement.resource, statement.effect
        if part is not None and effect is not None and part.negated is (effect.literal == "Deny"):
            texts += (text.pieces for text in part.texts)
    return requests.organizations(site.scenario, site.trail, site.bucket, texts)


def writes(site: Site) -> list[files.Write]:
    """The writes below the account's folder, and below the folder of each organization that the policy may mean."""
    scenario, trail, bucket = site.scenario, site.trail, site.bucket

    def build() -> list[files.Write]:
        folders = files.account_folders(scenario, trail)
        if requests.is_organization_trail(scenario, trail):
            for organization in organizations(site):
                folders += files.organization_folders(scenario, trail, organization)
        return files.writes(scenario, trail, bucket, site.whole, folders)

    return scenario.once(("writes", trail.id, site.resource.id), build)


def puts(site: Site) -> list[Request]:
    """The calls of `writes`."""
    return [write.request for write in writes(site)]


def with_other_acls(site: Site) -> list[tuple[Request, str]]:
    """The writes with any other ACL than CloudTrail's, or none, and how to say it."""
    return [
        (request._replace(context={**request.context, "s3:x-amz-acl": acl}), told)
        for request in puts(site)
        for acl, told in requests.other_acls(site.trail, _asked_acls(site.whole))
    ]


def _asked_acls(policy: Policy) -> set[str | None]:
    """The ACLs that the policy's statements ask for; None for one that is no plain text."""
    return {text.literal for text in _asked_of(policy, "s3:x-amz-acl")}


def _asked_of(policy: Policy, key: str) -> list[Text]:
    """What the policy's statements ask of a condition key."""
    clauses = (clause for statement in policy.possible for clause in statement.clauses if clause.name == key)
    return [text for clause in clauses for text in clause.values]


def for_strangers(site: Site) -> list[tuple[Request, str]]:
    """The same calls made for somebody else's trail, and how to say it."""
    scenario, trail = site.scenario, site.trail
    written = puts(site)
    asked = [requests.acl_check(scenario, trail, site.bucket), *written]
    asked += [files.unsealed(one, trail) for one in written]
    trails = _asked_of(site.whole, "aws:sourcearn")
    return [
        (stranger, "for any account's trail")
        for call in asked
        for stranger in requests.for_strangers(scenario, trail, call, trails)
    ]
