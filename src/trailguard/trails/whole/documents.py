"""Whether the policy documents along a trail's delivery chain are ones that AWS takes.

A document that is refused ends the deployment, and grants nothing where it is sent by itself.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html (what IAM asks of a Sid)
and the sources of `bucket.accepted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.documents import read_document
from trailguard.iam.policy import Policy
from trailguard.trails.bucket.accepted import refusal_fact
from trailguard.trails.bucket.buckets import log_bucket, policy_of
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, unknown, yes
from trailguard.trails.facts.refusals import Check, malformed, malformed_in_iam, refused
from trailguard.trails.key import grants, keys, lockout
from trailguard.trails.watching import logs, topics, writing
from trailguard.trails.watching.roles import documents_of

_TRUTH: Mapping[str, object] = {"type": "boolean"}


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
    """Whether KMS takes the policies of the keys of the trail, its log group and its topic."""
    fine = yes(trail.key, f"KMS is not known to refuse the key policy of {trail.id}")
    documents = ((key.id, grants.key_policy(scenario, key)) for key in _keys(scenario, trail))
    known = ((name, policy) for name, policy in documents if policy is not None)
    return all_of((_taken(one, malformed, "KMS", f"the key policy of {name}", fine) for name, one in known), fine)


def keys_changeable(scenario: Scenario, trail: Resource) -> Fact:
    """Whether somebody may change the policy of each new key on the chain, without which KMS refuses the key."""
    fine = yes(trail.key, f"no key of {trail.id} is known to lock everybody out")
    return all_of((lockout.changeable(scenario, key) for key in _keys(scenario, trail)), fine)


def _keys(scenario: Scenario, trail: Resource) -> Iterator[Resource]:
    """The keys that the template makes for a trail, its log group and its topic, each once."""
    seen: set[str] = set()
    links = (logs.log_group_link(scenario, trail), topics.topic_link(scenario, trail))
    users = (link.resource for link in links if link is not None)
    for user in (trail, *filter(None, users)):
        named = keys.key_of(scenario, user)
        key = named.link.resource if named is not None else None
        if key is not None and key.id not in seen:
            seen.add(key.id)
            yield key


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
    link = writing.role_link(scenario, trail)
    role = link.resource if link is not None else None
    if role is None:
        return fine
    documents = documents_of(scenario, role)
    return all_of((_taken(one, malformed_in_iam, "IAM", what, fine) for what, one in documents), fine)


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


FACTS: Mapping[str, FactSpec] = {
    "chain.bucket_policy_accepted": FactSpec(bucket_policy, _TRUTH, "S3 accepts the policy of the trail's bucket"),
    "chain.key_policy_accepted": FactSpec(key_policy, _TRUTH, "KMS accepts the policies of the keys on the chain"),
    "chain.keys_changeable": FactSpec(keys_changeable, _TRUTH, "no key policy on the chain locks everybody out"),
    "chain.topic_policy_accepted": FactSpec(topic_policy, _TRUTH, "SNS accepts the policy of the trail's topic"),
    "chain.role_accepted": FactSpec(role_documents, _TRUTH, "IAM accepts the documents of the trail's role"),
}
