"""Who can get at the bucket of a trail: its ACL, the policies that the template puts on it, the public access block.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html (the meaning of
"public", the four settings), https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html (encryption in transit)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, Pieces, Text, Unknown, Value, join_pieces
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.bounds import settled
from trailguard.iam.callers import named
from trailguard.iam.conditions import ABSENT, conditions_hold
from trailguard.iam.evaluate import Request, about_action, denied_wholly
from trailguard.iam.explain import hint
from trailguard.iam.policy import Policy, Statement
from trailguard.trails.bucket.buckets import overwritten, policies_on, policy_maker, policy_of
from trailguard.trails.bucket.strangers import lets_strangers_in, loophole
from trailguard.trails.facts.facts import Fact, FactSpec, agreed, all_of, boolean, no, unknown, yes
from trailguard.trails.facts.lists import told as told_of
from trailguard.trails.facts.properties import Wanted, property_fact, step_into

BLOCK = "PublicAccessBlockConfiguration"
SETTINGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_TRUTH: Mapping[str, object] = {"type": "boolean"}

# The canned ACLs for groups that everybody, or everybody with an AWS account, belongs to.
PUBLIC_ACLS: Mapping[str, str] = {
    "PublicRead": "lets everybody list its files",
    "PublicReadWrite": "lets everybody list, write and delete its files",
    "AuthenticatedRead": "lets everybody with an AWS account list its files",
}


def no_public_acl(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether the bucket's canned ACL keeps everybody out."""
    stated = property_fact(scenario, bucket, "AccessControl", {}, Wanted(tuple(PUBLIC_ACLS)))
    if stated.unknown is not None:
        return stated
    what = PUBLIC_ACLS.get(str(stated.value))
    if what is not None:
        return no(stated.node, f"{stated.because}, which {what}")
    return yes(bucket.key, f"{bucket.id} has no public ACL")


# --- the public access block -----------------------------------------------------------------------------------------


def _settings(scenario: Scenario, bucket: Resource) -> tuple[Value, list[tuple[str, Value]]]:
    block = scenario.value_of(bucket, BLOCK)
    return block, [(name, step_into(block, name)) for name in SETTINGS]


def not_unblocked(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether no setting of the public access block is switched off."""
    _, settings = _settings(scenario, bucket)
    fine = yes(bucket.key, f"{bucket.id} switches no setting of the public access block off")
    return all_of((_left_on(scenario, bucket, name, value, fine) for name, value in settings), fine)


def _left_on(scenario: Scenario, bucket: Resource, name: str, value: Value, fine: Fact) -> Fact:
    found = boolean(scenario, value)
    if isinstance(found, Unknown):
        return unknown(found.node, found.reason, f"{name} of {bucket.id} is not known")
    return no(value.node, f"{name} of {bucket.id} is false") if found is False else fine


def blocks_public(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether all four settings of the public access block are on."""
    block, settings = _settings(scenario, bucket)
    if isinstance(block, Absent):
        return no(bucket.key, f"{bucket.id} does not set {BLOCK}")
    off: list[tuple[str, Value]] = []
    doubt: Fact | None = None
    for name, value in settings:
        found = boolean(scenario, value)
        if isinstance(found, Unknown):
            doubt = doubt or unknown(found.node, found.reason, f"{name} of {bucket.id} is not known")
        elif found is not True:
            off.append((name, value))
    if off:
        names = ", ".join(name for name, _ in off)
        written = next((value for _, value in off if not isinstance(value, Absent)), block)
        return no(written.node, f"{names} of {bucket.id} {'is' if len(off) == 1 else 'are'} not on")
    return doubt or yes(block.node, f"{bucket.id} blocks public access in all four ways")


# --- policies --------------------------------------------------------------------------------------------------------


def _agreed(
    build: Callable[[Scenario, Resource, Resource, Policy], Fact], missing: Callable[[Resource], Fact]
) -> Callable[[Scenario, Resource], Fact]:
    """A fact about the bucket's policy from one about one policy. Of two policies either may be the one that stays."""

    def fact(scenario: Scenario, bucket: Resource) -> Fact:
        made = policies_on(scenario, scenario.returned_pieces(bucket, "Ref"), bucket, closely=True)
        found = [build(scenario, bucket, policy, policy_of(scenario, policy)) for policy in made]
        if not found:
            maker = scenario.model.template.generator
            if maker is not None:
                doubt = unknown(bucket.key, f"{maker} may make a policy for the bucket")
                return doubt._replace(cause=policy_maker(scenario, maker))
            return missing(bucket)
        return agreed(found, "the bucket", overwritten(made))

    return fact


def _not_public(scenario: Scenario, bucket: Resource, resource: Resource, policy: Policy) -> Fact:
    if policy.unknown is not None:
        return unknown(policy.node, policy.unknown, f"what {resource.id} says is not known")
    fine = yes(resource.key, f"no statement of {resource.id} lets everybody in")

    def ask(read: Policy) -> Fact:
        return all_of((_keeps_out(scenario, resource, read, one, fine) for one in read.statements), fine)

    return settled(policy, ask, told_of)


def _keeps_out(scenario: Scenario, resource: Resource, policy: Policy, statement: Statement, fine: Fact) -> Fact:
    answer = lets_strangers_in(scenario, policy, statement)
    node = statement.place("Principal", "NotPrincipal")
    because = f"{statement.label} of {resource.id} lets everybody in"
    if answer.is_unknown:
        return unknown(answer.node or node, answer.reason, f"whether {because} is not known")
    return no(node, because + _despite(scenario, statement)) if answer.is_yes else fine


def _despite(scenario: Scenario, statement: Statement) -> str:
    reason = loophole(scenario, statement)
    return f" in spite of its condition ({reason})" if reason else ""


def _no_policy(bucket: Resource) -> Fact:
    return yes(bucket.key, f"this template puts no policy on {bucket.id}")


# --- encryption in transit -------------------------------------------------------------------------------------------


def _requests(scenario: Scenario, bucket: Resource, policy: Policy) -> list[Request]:
    """Calls of nobody in particular over plain HTTP: on the bucket and on its files.

    The action with a literal asterisk stands for one that no statement names, and those that a NotAction leaves out
    are asked for too. Without TLS there is no TLS version.
    """
    context = {"aws:securetransport": (Text(("false",), bucket.key),), "s3:tlsversion": ABSENT}
    arn: Pieces = scenario.returned_pieces(bucket, "Arn")
    actions = {"s3:*": None}
    for statement in policy.possible:
        if statement.action is not None and statement.action.negated:
            actions.update((f"s3:{name}", None) for name in map(_left_out, statement.action.texts) if name)
    places: tuple[Pieces, ...] = (arn, join_pieces((*arn, "/*")))
    return [Request("", (), action, place, context) for action in actions for place in places]


def _left_out(text: Text) -> str:
    service, _, name = (text.literal or "").partition(":")
    return name if service.lower() == "s3" or "*" in service or "?" in service else ""


def _tls_only(scenario: Scenario, bucket: Resource, resource: Resource, policy: Policy) -> Fact:
    asked = _requests(scenario, bucket, policy)
    return settled(policy, lambda read: _denies_http(scenario, resource, read, asked), told_of)


def _denies_http(scenario: Scenario, resource: Resource, policy: Policy, asked: Iterable[Request]) -> Fact:
    # A Deny with NotPrincipal leaves somebody out, so it counts for nothing here.
    statements = tuple(one for one in policy.statements if one.principal is None or not one.principal.negated)
    fine = yes(resource.key, f"{resource.id} denies whatever is asked over plain HTTP")

    def answer(request: Request) -> Fact:
        decision = denied_wholly(policy._replace(certain=statements), request, scenario.settle)
        if decision.outcome == "yes":
            return fine
        if decision.outcome == "no":
            return no(*_nearest(scenario, resource, policy, request))
        known_place = decision.node is not policy.node
        place = decision.node if known_place else _nearest(scenario, resource, policy, request)[0]
        return unknown(place, decision.reason, f"whether {resource.id} denies plain HTTP is not known")

    return all_of(map(answer, asked), fine)


def _nearest(scenario: Scenario, resource: Resource, policy: Policy, request: Request) -> tuple[Node, str]:
    """The Deny about plain HTTP, and what it lacks; the policy when there is none."""
    for statement in policy.statements:
        asks = any(clause.name == "aws:securetransport" for clause in statement.clauses)
        if asks and statement.effect is not None and statement.effect.literal == "Deny":
            part, lack = _lack(scenario, statement, request)
            return statement.place(*part), f"{statement.label} of {resource.id} {lack}"
    return policy.node, f"{resource.id} does not deny plain HTTP"


def _lack(scenario: Scenario, statement: Statement, request: Request) -> tuple[tuple[str, ...], str]:
    settle = scenario.settle
    principal = statement.principal
    if principal is None or principal.negated or named(principal, request, settle).is_no:
        return ("Principal", "NotPrincipal"), "does not deny plain HTTP to everybody"
    if about_action(statement.action, request, settle).is_no:
        return ("Action", "NotAction"), "does not deny every action over plain HTTP"
    if conditions_hold(statement.clauses, request.context, settle).answer.is_no:
        return ("Condition",), "does not hold for every call over plain HTTP"
    texts = statement.resource.texts if statement.resource is not None else ()
    lack = "does not deny plain HTTP for both the bucket and its files"
    return ("Resource", "NotResource"), lack + hint(texts, request.context, statement.variables)


def _nothing_denied(bucket: Resource) -> Fact:
    return no(bucket.key, f"this template puts no policy on {bucket.id} that could deny plain HTTP")


FACTS: Mapping[str, FactSpec] = {
    "access.no_public_acl": FactSpec(no_public_acl, _TRUTH, "the bucket's ACL is not a public one"),
    "access.no_public_statement": FactSpec(
        _agreed(_not_public, _no_policy), _TRUTH, "no statement of the bucket's policy lets everybody in"
    ),
    "access.not_unblocked": FactSpec(not_unblocked, _TRUTH, "no setting of the public access block is switched off"),
    "access.blocks_public": FactSpec(blocks_public, _TRUTH, "all four settings of the public access block are on"),
    "access.tls_only": FactSpec(_agreed(_tls_only, _nothing_denied), _TRUTH, "the bucket's policy denies plain HTTP"),
}
