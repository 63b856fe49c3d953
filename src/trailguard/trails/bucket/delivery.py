"""Whether a trail's logs will arrive: what the policy of its bucket lets CloudTrail do.

A policy is judged by what it permits, not by how it looks: each fact asks the policy the requests that CloudTrail will
make. With two policies on one bucket either may be the one that stays, so a fact is only known when both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import MapValue, Value, text_of
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.evaluate import Decision, Request, denials, denied_wholly, grantors, grants, names_caller
from trailguard.iam.logic import Tri
from trailguard.iam.policy import Policy, Statement, values_of
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.buckets import LogBucket, log_bucket, policy_of
from trailguard.trails.facts.facts import Fact, FactSpec, no, unknown, yes

_TRUTH: Mapping[str, object] = {"type": "boolean"}


class Site(NamedTuple):
    """A trail, its bucket and one policy of the bucket, in one scenario."""

    scenario: Scenario
    trail: Resource
    bucket: LogBucket
    resource: Resource
    policy: Policy

    def ask_grantors(self, request: Request) -> list[tuple[Statement, Tri]]:
        """The statements that let a request through."""
        return grantors(self.policy, request, self.scenario.settle)

    def ask(self, question: Callable[..., Decision], request: Request) -> Decision:
        """Put a request to the policy."""
        return question(self.policy, request, self.scenario.settle)


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
    """Whether the template puts a policy on the bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or not bucket.policies:
        return no(bucket.node if bucket else trail.key, f"this template puts no policy on the bucket of {trail.id}")
    return yes(bucket.policies[0].key, f"{bucket.policies[0].id} is the policy of the bucket of {trail.id}")


def single_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether exactly one policy is put on the bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None:
        return no(trail.key, f"{trail.id} names no bucket")
    if bucket.elsewhere is not None:
        return unknown(bucket.node, bucket.elsewhere, f"the policy of the bucket of {trail.id} is not known")
    if not bucket.policies:
        place = bucket.resource.key if bucket.resource is not None else bucket.node
        return no(place, f"no bucket policy lets CloudTrail write the logs of {trail.id}")
    first, *others = bucket.policies
    if others:
        because = (
            f"{first.id} and {others[0].id} are both policies of the bucket of {trail.id} and overwrite each other"
        )
        return no(others[0].key, because, ((first.key, "the other policy"),))
    return yes(first.key, f"{first.id} is the only policy of the bucket of {trail.id}")


def _sites(scenario: Scenario, trail: Resource, bucket: LogBucket) -> list[Site]:
    return [Site(scenario, trail, bucket, resource, policy_of(scenario, resource)) for resource in bucket.policies]


def _judged(build: Callable[[Site], Fact], missing: Callable[[LogBucket, Resource], Fact]) -> Callable[..., Fact]:
    """A fact about the bucket's policy from a fact about one policy, and what to say when there is none."""

    def fact(scenario: Scenario, trail: Resource) -> Fact:
        bucket = log_bucket(scenario, trail)
        if bucket is None:
            return no(trail.key, f"{trail.id} names no bucket")
        if bucket.elsewhere is not None:
            return unknown(bucket.node, bucket.elsewhere, f"the policy of the bucket of {trail.id} is not known")
        found = [build(site) for site in _sites(scenario, trail, bucket)]
        if not found:
            return missing(bucket, trail)
        if any(item.unknown is None and item.value != found[0].value for item in found):
            return unknown(found[0].node, "two policies of the bucket overwrite each other, and only one stays")
        return next((item for item in found if item.unknown is not None), found[0])

    return fact


def _nothing_granted(bucket: LogBucket, trail: Resource) -> Fact:
    place = bucket.resource.key if bucket.resource is not None else bucket.node
    return no(place, f"the bucket of {trail.id} has no policy, so nothing is granted to CloudTrail")


def _nothing_denied(bucket: LogBucket, trail: Resource) -> Fact:
    return yes(bucket.node, f"the bucket of {trail.id} has no policy that could deny anything")


def _all(site: Site, decisions: Iterable[tuple[Decision, str]], fine: str) -> Fact:
    """True when every decision is yes; the first no, else the first unknown, is told."""
    doubt: Fact | None = None
    for decision, what in decisions:
        if decision.outcome == "no":
            return no(decision.node, f"{decision.because} ({what})" if what else decision.because)
        if decision.outcome == "unknown" and doubt is None:
            doubt = unknown(decision.node, decision.reason, decision.because)
    return doubt or yes(site.resource.key, fine)


def _acl_check(site: Site) -> Fact:
    request = requests.acl_check(site.scenario, site.trail, site.bucket)
    return _all(site, [(site.ask(grants, request), "")], f"{site.resource.id} lets CloudTrail read the bucket's ACL")


def _log_write(site: Site) -> Fact:
    decisions = [
        (site.ask(grants, request), target.what)
        for target in requests.account_targets(site.scenario, site.trail)
        for request in requests.writes(site.scenario, site.trail, site.bucket, [target])
    ]
    if requests.is_organization_trail(site.scenario, site.trail):
        decisions.append(_organization_write(site))
    return _all(site, decisions, f"{site.resource.id} lets CloudTrail write everything that {site.trail.id} writes")


def _organization_write(site: Site) -> tuple[Decision, str]:
    """The best decision about the organization's folder, over the organizations that the policy may mean.

    Nothing in a template tells the organization's ID, so an ID that the policy names in that place is taken to be it.
    """
    best: tuple[Decision, str] | None = None
    ranks = {"yes": 2, "unknown": 1, "no": 0}
    texts = site.policy.resource_texts()
    for organization in requests.organizations(site.scenario, site.trail, site.bucket, texts):
        (target,) = requests.organization_targets(site.scenario, site.trail, organization)
        for request in requests.writes(site.scenario, site.trail, site.bucket, [target]):
            decision = site.ask(grants, request)
            if best is None or ranks[decision.outcome] > ranks[best[0].outcome]:
                best = decision, target.what
    if best is None:
        raise ValueError("no organization to ask about")
    return best


def _not_denied(site: Site) -> Fact:
    scenario, trail, bucket = site.scenario, site.trail, site.bucket
    fine = yes(site.resource.key, f"nothing in {site.resource.id} keeps CloudTrail from delivering")
    if site.policy.unknown is None and all(map(_allows, site.policy.statements)):
        return fine
    asked = [requests.acl_check(scenario, trail, bucket), *_writes(site)]
    doubt: Fact | None = None
    for request in map(requests.of_log_files, asked):
        decision = site.ask(denials, request)
        if decision.outcome == "yes" and decision != site.ask(denials, requests.with_newest_tls(request, trail)):
            reason = "it depends on the TLS version with which CloudTrail calls, which AWS does not tell"
            decision = decision._replace(outcome="unknown", reason=reason)
        if decision.outcome == "yes":
            return no(decision.node, f"{site.resource.id}: {decision.because}")
        if decision.outcome == "unknown" and doubt is None:
            doubt = unknown(decision.node, decision.reason)
    return doubt or fine


def _allows(statement: Statement) -> bool:
    return statement.fault is None and statement.effect is not None and statement.effect.literal == "Allow"


def _writes(site: Site) -> list[Request]:
    """The writes below the account's folder, and below the folder of each organization that the policy may mean."""
    scenario, trail, bucket = site.scenario, site.trail, site.bucket
    key = ("writes", trail.id, site.resource.id)
    if key not in scenario.memo:
        targets = requests.account_targets(scenario, trail)
        if requests.is_organization_trail(scenario, trail):
            for organization in requests.organizations(scenario, trail, bucket, site.policy.resource_texts()):
                targets += requests.organization_targets(scenario, trail, organization)
        scenario.memo[key] = requests.writes(scenario, trail, bucket, targets)
    return cast("list[Request]", scenario.memo[key])


def _write_granted(site: Site) -> Fact:
    return _any_granted(site, _writes(site), "write into the bucket")


def _any_grant(site: Site) -> Fact:
    check = requests.acl_check(site.scenario, site.trail, site.bucket)
    return _any_granted(site, [check, *_writes(site)], "use the bucket")


def _any_granted(site: Site, asked: Iterable[Request], what: str) -> Fact:
    doubt = None
    for request in asked:
        for statement, answer in site.ask_grantors(request):
            if answer.is_yes:
                return yes(statement.node, f"{site.resource.id} lets CloudTrail {what}")
            doubt = doubt or unknown(statement.node, answer.reason)
    return doubt or no(site.resource.key, f"no statement of {site.resource.id} lets CloudTrail {what}")


def _owner_control(site: Site) -> Fact:
    """Whether a write with any other ACL, or none, is refused."""
    asked = [
        (request._replace(context={**request.context, "s3:x-amz-acl": acl}), told)
        for request in _writes(site)
        for acl, told in requests.other_acls(site.trail, _asked_acls(site.policy))
    ]
    fine = f"{site.resource.id} takes log files only with the ACL {requests.OWNER_ACL}"
    return _refused(site, asked, "lets CloudTrail write {}", "s3:x-amz-acl", fine)


def _asked_acls(policy: Policy) -> set[str | None]:
    """The ACLs that the policy's statements ask for; None for one that is no plain text."""
    asked: set[str | None] = set()
    for statement in policy.statements:
        condition = statement.elements.get("Condition")
        for keys in condition.entries.values() if isinstance(condition, MapValue) else ():
            for name, value in keys.entries.items() if isinstance(keys, MapValue) else ():
                if name.lower() == "s3:x-amz-acl":
                    asked.update(text.literal if text else None for text in map(text_of, values_of(value)))
    return asked


def _source_bound(site: Site) -> Fact:
    """Whether the same calls made for somebody else's trail are refused."""
    calls = [requests.acl_check(site.scenario, site.trail, site.bucket), *_writes(site)]
    asked = [(requests.for_stranger(site.scenario, site.trail, call), "for any account's trail") for call in calls]
    fine = f"{site.resource.id} grants CloudTrail nothing for the trails of other accounts"
    return _refused(site, asked, "lets CloudTrail use the bucket {}", "aws:SourceArn", fine)


def _refused(site: Site, asked: Iterable[tuple[Request, str]], words: str, key: str, fine: str) -> Fact:
    """True when no request gets through; else the statement that lets one through, at its condition if it has one."""
    doubt: Fact | None = None
    for request, told in asked:
        for statement, answer in site.ask_grantors(request):
            because = f"{statement.label} of {site.resource.id} {words.format(told)}"
            if answer.is_yes:
                decision = _denied_anyway(site, request)
                if decision is None:
                    return no(_tested(statement, key), because)
                if decision.reason:
                    doubt = doubt or unknown(decision.node, decision.reason)
            elif doubt is None:
                doubt = unknown(statement.node, answer.reason, because)
    return doubt or yes(site.resource.key, fine)


def _denied_anyway(site: Site, request: Request) -> Decision | None:
    """The Deny that stops a granted request; None when nothing does. An unknown one carries its reason."""
    whole = site.ask(denied_wholly, request)
    return None if whole.outcome == "no" else whole


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
    for request in [check, *_writes(site)]:
        strict = request._replace(everyone=False, accounts=())
        granting = [statement for statement, _ in site.ask_grantors(request)]
        strictly = [
            statement
            for statement in granting
            if "Principal" in statement.elements
            and not names_caller(statement.elements["Principal"], strict, site.scenario.settle).is_no
        ]
        for statement in strictly or granting:
            node = statement.place("Principal", "NotPrincipal")
            if not strictly:
                return no(node, f"{statement.label} of {site.resource.id} grants this to {_named(statement)}")
            if _mentions(node, "AWS::URLSuffix"):
                because = f"{statement.label} of {site.resource.id} builds the service principal with AWS::URLSuffix"
                return no(node, f"{because}, which is wrong in China; it is {requests.SERVICE} everywhere")
    return yes(site.resource.key, f"{site.resource.id} grants to {requests.SERVICE}")


def _named(statement: Statement) -> str:
    value = statement.elements.get("Principal")
    if value is None:
        return f"everybody but a few, not to {requests.SERVICE}"
    if "*" in _texts(value):
        return f'everybody ("*"), not to {requests.SERVICE}'
    return f"the account IDs from which CloudTrail used to deliver in some Regions, not to {requests.SERVICE}"


def _texts(value: Value) -> list[str]:
    if isinstance(value, MapValue):
        return [text for item in value.entries.values() for text in _texts(item)]
    return [text.literal or "" for text in map(text_of, values_of(value)) if text is not None]


def _mentions(node: Node, name: str) -> bool:
    return any(name == mentioned for mentioned, _ in references(node))


def _judged_fact(build: Callable[[Site], Fact], missing: Callable[..., Fact], description: str) -> FactSpec:
    return FactSpec(_judged(build, missing), _TRUTH, description)


FACTS: Mapping[str, FactSpec] = {
    "bucket.named": FactSpec(named, _TRUTH, "the trail names a bucket"),
    "bucket.made_here": FactSpec(made_here, _TRUTH, "the template makes the trail's bucket"),
    "policy.exists": FactSpec(policy_exists, _TRUTH, "the template puts a policy on the bucket"),
    "policy.single": FactSpec(single_policy, _TRUTH, "exactly one policy is put on the bucket"),
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
    "policy.service_principal": _judged_fact(
        _service_principal, _nothing_granted, "grants name CloudTrail's service principal"
    ),
}
