"""Whether the policy documents along a trail's delivery chain are ones that AWS takes.

A document that is refused ends the deployment, and grants nothing where it is sent by itself.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html (what IAM asks of a Sid)
and the sources of `bucket.accepted`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.documents import read_document
from trailguard.iam.policy import TRUST_POLICY, Policy, Statement
from trailguard.trails.bucket.accepted import refusal_fact
from trailguard.trails.bucket.buckets import log_bucket, policy_of
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, unknown, yes
from trailguard.trails.facts.refusals import Check, Refusal, malformed, refused
from trailguard.trails.key import encryption, grants
from trailguard.trails.watching import logs, topics
from trailguard.trails.watching.roles import permissions

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_SID = re.compile("[A-Za-z0-9]*")


def bucket_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether S3 takes the policies of the trail's bucket."""
    fine = yes(trail.key, f"S3 is not known to refuse a bucket policy of {trail.id}")
    bucket = log_bucket(scenario, trail)
    policies = bucket.policies if bucket is not None else ()

    def facts() -> Iterator[Fact]:
        for policy in policies:
            yield refusal_fact(scenario, policy) or _known(policy_of(scenario, policy), policy.id, fine)

    return all_of(facts(), fine)


def key_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether KMS takes the policy of the trail's key."""
    fine = yes(trail.key, f"KMS is not known to refuse the key policy of {trail.id}")
    link = encryption.key_link(scenario, trail)
    key = link.resource if link is not None else None
    policy = grants.key_policy(scenario, key) if key is not None else None
    if key is None or policy is None:
        return fine
    return _taken(policy, malformed, "KMS", f"the key policy of {key.id}", fine)


def topic_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether SNS takes the policies of the trail's topic."""
    fine = yes(trail.key, f"SNS is not known to refuse a topic policy of {trail.id}")
    link = topics.topic_link(scenario, trail)
    topic = link.resource if link is not None else None
    policies = topics.policies_of(scenario, topic) if topic is not None else ()
    documents = ((policy.id, read_document(scenario, policy, "PolicyDocument")) for policy in policies)
    return all_of((_taken(one, malformed, "SNS", f"topic policy {name}", fine) for name, one in documents), fine)


def role_documents(scenario: Scenario, trail: Resource) -> Fact:
    """Whether IAM takes the documents of the role that writes to the trail's log group."""
    fine = yes(trail.key, f"IAM is not known to refuse the role of {trail.id}")
    link = logs.role_link(scenario, trail)
    role = link.resource if link is not None else None
    if role is None:
        return fine

    def documents() -> Iterable[tuple[str, Policy]]:
        yield f"the trust policy of {role.id}", read_document(scenario, role, "AssumeRolePolicyDocument", TRUST_POLICY)
        for grant in permissions(scenario, role).grants:
            owner = grant.resource.id if grant.resource is not None else role.id
            yield f"a policy of {owner}", grant.policy

    return all_of((_taken(one, _in_iam, "IAM", what, fine) for what, one in documents()), fine)


def _taken(policy: Policy, check: Check, who: str, what: str, fine: Fact) -> Fact:
    """Whether a service takes a document."""
    refusal = refused(policy, check)
    return _known(policy, what, fine) if refusal is None else refusal.told(who, what)


def _known(policy: Policy, what: str, fine: Fact) -> Fact:
    """`fine` for a document that is known as far as it is there."""
    because = f"whether {what} is accepted is not known"
    if policy.unknown is not None:
        return unknown(policy.node, policy.unknown, because)
    hidden = next((statement for statement in policy.certain if statement.fault is not None), None)
    return fine if hidden is None else unknown(hidden.node, str(hidden.fault), because)


def _in_iam(policy: Policy) -> Refusal | None:
    """What is wrong with a policy in IAM, which takes letters and digits in a Sid only, and each Sid once."""
    return malformed(policy) or next(_wrong_sids(policy.certain), None)


def _wrong_sids(statements: Iterable[Statement]) -> Iterator[Refusal]:
    seen: set[str] = set()
    for statement in statements:
        if not _SID.fullmatch(statement.sid):
            yield Refusal(statement.place("Sid"), f'Sid "{statement.sid}" may hold only letters and digits')
        elif statement.sid in seen:
            yield Refusal(statement.place("Sid"), f'two statements have the Sid "{statement.sid}"')
        if statement.sid:
            seen.add(statement.sid)


FACTS: Mapping[str, FactSpec] = {
    "chain.bucket_policy_accepted": FactSpec(bucket_policy, _TRUTH, "S3 accepts the policy of the trail's bucket"),
    "chain.key_policy_accepted": FactSpec(key_policy, _TRUTH, "KMS accepts the policy of the trail's key"),
    "chain.topic_policy_accepted": FactSpec(topic_policy, _TRUTH, "SNS accepts the policy of the trail's topic"),
    "chain.role_accepted": FactSpec(role_documents, _TRUTH, "IAM accepts the documents of the trail's role"),
}
