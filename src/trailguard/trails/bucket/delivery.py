"""Whether a trail's logs will arrive: what the policy of its bucket lets CloudTrail do.

A policy is judged by what it permits, not by how it looks: each fact asks the policy the requests that CloudTrail will
make. With two policies on one bucket either may be the one that stays, so a fact is only known when both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import MapValue
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.evaluate import Decision, Request, denials, denied_wholly, grants
from trailguard.iam.logic import State, Tri
from trailguard.iam.policy import Statement
from trailguard.trails.bucket import calls, files, requests
from trailguard.trails.bucket.accepted import misplaced_fact, refusal_fact
from trailguard.trails.bucket.buckets import (
    LogBucket,
    have_rivals,
    log_bucket,
    no_known_policy,
    overwritten,
)
from trailguard.trails.bucket.principals import builds_suffix, named_in_words
from trailguard.trails.bucket.sites import Site
from trailguard.trails.facts.facts import Fact, FactSpec, agreed, all_of, any_of, decided, no, unknown, yes
from trailguard.trails.facts.seen import delivered

_TRUTH: Mapping[str, object] = {"type": "boolean"}


def named(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail names a bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None:
        return no(trail.key, f"{trail.id} names no bucket")
    return yes(bucket.node, f"{trail.id} names a bucket")


def made_here(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the template makes the bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or bucket.resource is None:
        return no(bucket.node if bucket else trail.key, f"the bucket of {trail.id} is not made by this template")
    return yes(bucket.resource.key, f"{bucket.resource.id} is the bucket of {trail.id}")


def policy_exists(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the template puts a policy on the bucket; one that exists already is put there by nobody any more."""
    bucket = log_bucket(scenario, trail)
    policies = bucket.policies if bucket is not None else ()
    made = [policy for policy in policies if scenario.model.stacks.observed(policy.id) is None]
    if not made:
        return no(bucket.node if bucket else trail.key, f"this template puts no policy on the bucket of {trail.id}")
    return yes(made[0].key, f"{made[0].id} is the policy of the bucket of {trail.id}")


def single_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether exactly one policy is put on the bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None:
        return no(trail.key, f"{trail.id} names no bucket")
    doubt = no_known_policy(scenario, bucket, trail)
    if doubt is not None:
        return doubt
    if not bucket.policies:
        return _without_policy(bucket, f"no bucket policy lets CloudTrail write the logs of {trail.id}")
    first, *others = bucket.policies
    if others:
        both = f"{first.id} and {others[0].id} are both policies of the bucket of {trail.id}"
        if have_rivals(scenario, bucket.policies, bucket.name):
            reason = "several templates make this bucket, of which one can be deployed, and either policy may be for it"
            doubt = unknown(others[0].key, reason, both)._replace(cause=overwritten(bucket.policies))
            return doubt._replace(related=((first.key, "the other policy"),))
        because = f"{both} and overwrite each other"
        fact = no(others[0].key, because, ((first.key, "the other policy"),))
        return fact._replace(cause=overwritten(bucket.policies))
    misplaced = misplaced_fact(scenario, first)
    if misplaced is not None:
        return misplaced
    return yes(first.key, f"{first.id} is the only policy of the bucket of {trail.id}")


def _judged(build: Callable[[Site], Fact], missing: Callable[[LogBucket, Resource], Fact]) -> Callable[..., Fact]:
    """A fact about the bucket's policy from a fact about one policy, and what to say when there is none."""

    def fact(scenario: Scenario, trail: Resource) -> Fact:
        bucket = log_bucket(scenario, trail)
        if bucket is None:
            return no(trail.key, f"{trail.id} names no bucket")
        doubt = no_known_policy(scenario, bucket, trail)
        if doubt is not None:
            return doubt
        sites = calls.sites(scenario, trail, bucket)
        found = [refusal_fact(scenario, site.resource) or _unread(site) or build(site) for site in sites]
        if not found:
            return missing(bucket, trail)
        return agreed(found, "the bucket", overwritten(bucket.policies))

    return fact


def _unread(site: Site) -> Fact | None:
    """What there is to say of a policy that is not in the scanned files; None of one that is."""
    policy = site.whole
    because = f"what {site.resource.id} says is not known"
    return None if policy.unknown is None else unknown(policy.node, policy.unknown, because)


def _accepted(site: Site) -> Fact:
    return yes(site.resource.key, f"S3 is not known to refuse {site.resource.id}")


def _nothing_granted(bucket: LogBucket, trail: Resource) -> Fact:
    return _without_policy(bucket, f"the bucket of {trail.id} has no policy, so nothing is granted to CloudTrail")


def _without_policy(bucket: LogBucket, because: str) -> Fact:
    """What fails because the bucket has no policy, at the bucket or where the trail names it."""
    place = bucket.resource.key if bucket.resource is not None else bucket.node
    return no(place, because).from_(place, "no bucket policy")


def _nothing_denied(bucket: LogBucket, trail: Resource) -> Fact:
    return yes(bucket.node, f"the bucket of {trail.id} has no policy that could deny anything")


def _acl_check(site: Site) -> Fact:
    decision = site.ask(grants, requests.acl_check(site.scenario, site.trail, site.bucket))
    fine = yes(site.resource.key, f"{site.resource.id} lets CloudTrail read the bucket's ACL")
    return decided(decision, decision.because, fine)


def _log_write(site: Site) -> Fact:
    scenario, trail = site.scenario, site.trail
    folders = files.account_folders(scenario, trail)
    written = files.writes(scenario, trail, site.bucket, site.whole, folders)
    decisions = [(_ask(site, grants, write, "yes"), write.what) for write in written]
    if requests.is_organization_trail(scenario, trail):
        decisions.append(_organization_write(site))
    fine = yes(site.resource.key, f"{site.resource.id} lets CloudTrail write everything that {trail.id} writes")
    return all_of((_written(decision, what, fine) for decision, what in decisions), fine)


def _written(decision: Decision, what: str, fine: Fact) -> Fact:
    told = f" ({what})" if decision.outcome == "no" else ""
    return decided(decision, decision.because + told, fine)


def _ask(site: Site, question: Callable[..., Decision], write: files.Write, good: State) -> Decision:
    """Put a write to the policy; what hinges on encryption headers of which nobody is certain is not known."""
    decision = site.ask(question, write.request)
    if write.otherwise is None or decision.outcome in (good, "unknown"):
        return decision
    if site.ask(question, write.otherwise).outcome == decision.outcome:
        return decision
    reason = (
        f"AWS does not say for certain that CloudTrail names the trail's key when it writes {write.what}; a statement "
        "that takes AES256 there as well settles it"
    )
    return decision._replace(outcome="unknown", reason=reason, because=reason)


def _organization_write(site: Site) -> tuple[Decision, str]:
    """The best decision about the organization's folder, over the organizations that the policy may mean."""
    scenario, trail = site.scenario, site.trail
    found: list[tuple[Decision, str]] = []
    ranks = {"yes": 2, "unknown": 1, "no": 0}
    for organization in calls.organizations(site):
        folder = files.organization_folder(scenario, trail, organization)
        for write in files.writes(scenario, trail, site.bucket, site.whole, [folder]):
            decision = site.ask(grants, write.request)
            found.append((decision, write.what))
    return max(found, key=lambda one: ranks[one[0].outcome])


def _not_denied(site: Site) -> Fact:
    scenario, trail, bucket = site.scenario, site.trail, site.bucket
    fine = yes(site.resource.key, f"nothing in {site.resource.id} keeps CloudTrail from delivering")
    if all(map(_allows, site.policy.possible)):
        return fine
    check = files.Write(requests.acl_check(scenario, trail, bucket), "the check of the ACL", None)
    return all_of((_passes(site, write, fine) for write in (check, *calls.writes(site))), fine)


def _passes(site: Site, write: files.Write, fine: Fact) -> Fact:
    """Whether no Deny stops a call."""
    decision = _ask(site, denials, write, "no")
    if decision.outcome == "no":
        return fine
    if decision.outcome == "unknown":
        return unknown(decision.node, decision.reason, decision.because)
    if decision != site.ask(denials, requests.with_newest_tls(write.request, site.trail)):
        reason = "it depends on the TLS version with which CloudTrail calls, which AWS does not tell"
        return unknown(decision.node, reason)
    return no(decision.node, f"{site.resource.id}: {decision.because}")


def _allows(statement: Statement) -> bool:
    return statement.fault is None and statement.effect is not None and statement.effect.literal == "Allow"


def _write_granted(site: Site) -> Fact:
    return _any_granted(site, calls.puts(site), "write into the bucket")


def _any_grant(site: Site) -> Fact:
    check = requests.acl_check(site.scenario, site.trail, site.bucket)
    return _any_granted(site, [check, *calls.puts(site)], "use the bucket")


def _any_granted(site: Site, asked: Iterable[Request], what: str) -> Fact:
    because = f"{site.resource.id} lets CloudTrail {what}"
    granting = (pair for request in asked for pair in site.ask_grantors(request))
    return any_of(
        (
            yes(statement.node, because)
            if answer.is_yes
            else unknown(
                answer.node or statement.node, answer.reason, f"whether {statement.label} of {because} is not known"
            )
            for statement, answer in granting
        ),
        no(site.resource.key, f"no statement of {because}"),
    )


def _owner_control(site: Site) -> Fact:
    """Whether a write with any other ACL, or none, is refused."""
    fine = f"{site.resource.id} takes log files only with the ACL {requests.OWNER_ACL}"
    return _refused(site, calls.with_other_acls(site), "lets CloudTrail write {}", "s3:x-amz-acl", fine)


def _source_bound(site: Site) -> Fact:
    """Whether the same calls made for somebody else's trail are refused."""
    fine = f"{site.resource.id} grants CloudTrail nothing for the trails of other accounts"
    return _refused(site, calls.for_strangers(site), "lets CloudTrail use the bucket {}", "aws:SourceArn", fine)


def _refused(site: Site, asked: Iterable[tuple[Request, str]], words: str, key: str, fine: str) -> Fact:
    """True when no request gets through; else the statement that lets one through, at its condition if it has one."""
    refused = yes(site.resource.key, fine)

    def answers() -> Iterator[Fact]:
        for request, told in asked:
            for statement, answer in site.ask_grantors(request):
                because = f"{statement.label} of {site.resource.id} {words.format(told)}"
                denied = site.ask(denied_wholly, request)  # a Deny may stop what is granted
                if denied.outcome == "yes":
                    continue
                if answer.is_yes and denied.outcome == "no":
                    yield no(_tested(statement, key), because)
                    continue
                node, reason = (answer.node, answer.reason) if answer.is_unknown else (denied.node, denied.reason)
                yield unknown(node or statement.node, reason, f"whether {because} is not known")

    return all_of(answers(), refused)


def _tested(statement: Statement, key: str) -> Node:
    """The value that the statement asks of a condition key, or the statement when it asks nothing."""
    condition = statement.elements.get("Condition")
    for keys in condition.entries.values() if isinstance(condition, MapValue) else ():
        for name, value in keys.entries.items() if isinstance(keys, MapValue) else ():
            if name.lower() == key.lower():
                return value.node
    return statement.node


def _service_principal(site: Site) -> Fact:
    """Whether what is granted is granted to the service principal itself, spelt right in every partition."""
    check = requests.acl_check(site.scenario, site.trail, site.bucket)
    fine = yes(site.resource.key, f"{site.resource.id} grants to {requests.SERVICE}")
    return all_of((_granted_to(site, request, fine) for request in [check, *calls.puts(site)]), fine)


def _granted_to(site: Site, request: Request, fine: Fact) -> Fact:
    """Whether a request is granted to the service principal itself, or to nobody at all."""
    misspelt = site.find(lambda one: [pair for pair in one.naming(request) if builds_suffix(pair[0])])
    if misspelt is not None:
        because = f"{misspelt[0].label} of {site.resource.id} builds the service principal with AWS::URLSuffix"
        told = f"{because}, which is wrong in China; it is {requests.SERVICE} everywhere"
        return _at_principal(*misspelt, told)
    named_in = site.find(lambda one: one.naming(request))
    if named_in is not None and named_in[1].is_yes:
        return fine
    other = site.find(lambda one: one.ask_grantors(request))
    if other is None:
        return fine
    statement, answer = named_in or other
    return _at_principal(
        statement, answer, f"{statement.label} of {site.resource.id} grants this to {named_in_words(statement)}"
    )


def _at_principal(statement: Statement, answer: Tri, because: str) -> Fact:
    """What is wrong with the principal of a statement that grants something, or may."""
    place = statement.place("Principal", "NotPrincipal")
    if answer.is_yes:
        return no(place, because)
    return unknown(answer.node or place, answer.reason, f"to whom {statement.label} grants something is not known")


def _judged_fact(build: Callable[[Site], Fact], missing: Callable[..., Fact], description: str) -> FactSpec:
    return FactSpec(_judged(lambda site: site.settled(build), missing), _TRUTH, description)


FACTS: Mapping[str, FactSpec] = {
    "bucket.named": FactSpec(named, _TRUTH, "the trail names a bucket"),
    "bucket.made_here": FactSpec(made_here, _TRUTH, "the template makes the trail's bucket"),
    "policy.exists": FactSpec(policy_exists, _TRUTH, "the template puts a policy on the bucket"),
    "policy.single": FactSpec(single_policy, _TRUTH, "exactly one policy is put on the bucket"),
    "policy.accepted": FactSpec(
        _judged(_accepted, _nothing_denied), _TRUTH, "the bucket's policy is not certain to be refused by S3"
    ),
    "policy.acl_check_allowed": _judged_fact(_acl_check, _nothing_granted, "CloudTrail may read the bucket's ACL"),
    "policy.log_write_allowed": _judged_fact(_log_write, _nothing_granted, "CloudTrail may write every key it writes"),
    "policy.delivery_not_denied": _judged_fact(_not_denied, _nothing_denied, "no Deny keeps CloudTrail out"),
    "policy.write_granted": _judged_fact(_write_granted, _nothing_granted, "some statement lets CloudTrail write"),
    "policy.granted": _judged_fact(_any_grant, _nothing_granted, "some statement lets CloudTrail use the bucket"),
    "policy.owner_full_control": _judged_fact(
        _owner_control, _nothing_granted, "log files are only taken with the ACL bucket-owner-full-control"
    ),
    "policy.source_bound": _judged_fact(
        _source_bound, _nothing_granted, "grants are bound to this trail or account (aws:SourceArn, aws:SourceAccount)"
    ),
    "policy.delivered": delivered("logs", "digests"),
    "policy.service_principal": FactSpec(  # more that is granted may make it true or false
        _judged(_service_principal, _nothing_granted), _TRUTH, "grants name CloudTrail's service principal"
    ),
}
