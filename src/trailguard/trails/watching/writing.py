"""Whether CloudTrail can write a trail's events to the log group: the role, and what the role may do.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
(what the role needs), and cloudwatch-log-group-log-stream-naming-for-cloudtrail.html (the log streams that it writes)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    Pieces,
    Symbol,
    Text,
    join_pieces,
    show,
    split_pieces,
    text_of,
)
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ContextValue, Undecided
from trailguard.iam.evaluate import Decision, Request, allowed
from trailguard.trails.bucket import requests
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, decided, no, reason_unknown, unknown, via, yes
from trailguard.trails.facts.links import Link, elsewhere, names_something, unordered
from trailguard.trails.facts.properties import pseudo
from trailguard.trails.facts.refusals import malformed_in_iam, refused
from trailguard.trails.watching.logs import group_address, log_group_link
from trailguard.trails.watching.roles import (
    Permissions,
    boundary,
    documents_of,
    may_be_role_arn,
    permissions,
    role_named,
)

ROLE_ARN = "CloudWatchLogsRoleArn"
ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_STREAMS = ":log-stream:"


# --- the role --------------------------------------------------------------------------------------------------------


def role_set(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail names a role to write to the log group."""
    return names_something(scenario, trail, ROLE_ARN)


def role_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The role with which CloudTrail writes to the log group; None when the trail names none."""
    named = role_set(scenario, trail)
    text = text_of(scenario.value_of(trail, ROLE_ARN))
    if named.value is False or text is None:
        return None
    role = role_named(scenario, trail, text.pieces)
    unseen = scenario.model.stacks.looks.unseen("AWS::IAM::Role")
    return Link(text.node, role, "" if role else elsewhere(f"role {show(text)}", reason_unknown(text) or "", unseen))


def role_arn(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the role is named by its ARN, which carries its path, and is one of the trail's own account."""
    link = role_link(scenario, trail)
    text = text_of(scenario.value_of(trail, ROLE_ARN))
    if link is None or text is None:
        return no(trail.key, f"{trail.id} names no role for its log group")
    shown = f"{ROLE_ARN} of {trail.id} is {show(text)}{via(link.node)}"
    role = link.resource
    if role is not None:
        own = Text(scenario.returned_pieces(role, "Arn"), link.node)
        if scenario.equal(text, own):
            return yes(link.node, f"{trail.id} names {role.id} by its ARN")
        related = ((role.key, "the role that it is to mean"),)
        if not may_be_role_arn(text.pieces):
            return no(link.node, f"{shown}, the name of {role.id}, where its ARN belongs", related)
        return no(link.node, f"{shown}, and the ARN of {role.id} is {show(own)}", related)
    if not may_be_role_arn(text.pieces):
        return no(link.node, f"{shown}, which is not the ARN of a role")
    parts = split_pieces(text.pieces, ":")
    account = Text(pseudo(scenario, "AccountId", trail), link.node)
    if len(parts) < 6 or scenario.equal(Text(parts[4], link.node), account):
        return yes(link.node, f"{trail.id} names no role of another account")
    return no(link.node, f"{shown}, a role of another account than that of {trail.id}, {show(account)}")


def _of_role(build: Callable[[Scenario, Resource, Resource], Fact]) -> Callable[[Scenario, Resource], Fact]:
    """A fact about the role of a trail."""

    def fact(scenario: Scenario, trail: Resource) -> Fact:
        link = role_link(scenario, trail)
        if link is None:
            return no(trail.key, f"{trail.id} names no role for its log group")
        if link.resource is None:
            return unknown(link.node, link.elsewhere, f"the role of {trail.id} is made elsewhere")
        return build(scenario, trail, link.resource)

    return fact


def _trusts(scenario: Scenario, trail: Resource, role: Resource) -> Fact:
    """Whether CloudTrail may assume the role."""
    what, policy = next(documents_of(scenario, role))
    refusal = refused(policy, malformed_in_iam)
    if refusal is not None:
        return refusal.told("IAM", what)
    hidden = Undecided("which source CloudTrail tells when it assumes the role is not documented")
    context: dict[str, ContextValue] = {
        **requests.trail_context(scenario, trail),
        "aws:sourcearn": hidden,
        "aws:sourceaccount": hidden,
    }
    request = Request(requests.SERVICE, (), "sts:AssumeRole", scenario.returned_pieces(role, "Arn"), context)
    decision = allowed(policy, request, scenario.settle)
    fine = yes(role.key, f"CloudTrail may assume {role.id}")
    return decided(decision, f"{role.id}: {decision.because}", fine)


def _permits(scenario: Scenario, trail: Resource, role: Resource) -> Fact:
    """Whether the role may create and fill every log stream that the trail writes."""
    may = permissions(scenario, role)
    fine = yes(role.key, f"{role.id} may write to the log group of {trail.id}")

    bounds = boundary(scenario, role)

    def answers() -> Iterator[Fact]:
        for what, policy in list(documents_of(scenario, role))[1:]:
            refusal = refused(policy, malformed_in_iam)
            if refusal is not None:
                yield refusal.told("IAM", what)
        for decision in _decisions(scenario, trail, may, may):
            yield decided(decision, f"{role.id}: {decision.because}", fine)
        for decision in _decisions(scenario, trail, may, bounds) if bounds is not None else ():
            yield decided(decision, f"the permissions boundary of {role.id}: {decision.because}", fine)

    return all_of(answers(), fine)


def _decisions(scenario: Scenario, trail: Resource, may: Permissions, asked: Permissions) -> Iterator[Decision]:
    """What policies say to each call that the role may make: what they grant, and what they deny."""
    for choice in _calls(scenario, trail, may):
        request, granted = _best(scenario, may, choice)
        yield granted if asked is may else asked.granted(scenario, request)
        denied = asked.denied(scenario, _to_one_stream(request))
        if denied.outcome != "no":
            yield denied._replace(outcome="no" if denied.outcome == "yes" else "unknown")


def _to_one_stream(request: Request) -> Request:
    """The same call for one log stream, whose name holds no delimiters: a Deny on another log group does not hit it."""
    start = join_pieces((*request.resource[:-1], str(request.resource[-1]).removesuffix(requests.EVERYTHING)))
    of_member = isinstance(start[-1], str) and start[-1].endswith("_")
    return request._replace(resource=(*start, _MEMBER) if of_member else start)


_MEMBER = Symbol(GENERATED, "log stream", "the log stream of an account of the organization")


def _best(
    scenario: Scenario, may: Permissions, choice: Iterable[Request], without: Iterable[Resource] = ()
) -> tuple[Request, Decision]:
    """The call that is most granted of those that may be meant."""
    ranks = {"yes": 0, "unknown": 1, "no": 2}
    answers = [(request, may.granted(scenario, request, without)) for request in choice]
    return min(answers, key=lambda answer: ranks[answer[1].outcome])


def _calls(scenario: Scenario, trail: Resource, may: Permissions) -> list[list[Request]]:
    """The calls that CloudTrail makes; for each the ways to spell it, where the organization's ID is not known."""
    group, account, region = group_address(scenario, trail)
    start = join_pieces((*group, _STREAMS))
    streams: list[list[Pieces]] = [[(*start, *account, "_CloudTrail_", *region)]]
    if requests.is_organization_trail(scenario, trail):
        streams.append([(*start, *organization, "_") for organization in _organizations(may)])
    context: Mapping[str, ContextValue] = {"aws:securetransport": (Text(("true",), trail.key),)}
    return [
        [
            Request(may.role.id, (), action, join_pieces((*stream, requests.EVERYTHING)), context)
            for stream in alternatives
        ]
        for alternatives in streams
        for action in ACTIONS
    ]


def _organizations(may: Permissions) -> list[Pieces]:
    """The organizations that the role's policies may mean: whatever they name where the organization's ID belongs.

    Nothing in a template tells the organization's ID.
    """
    found: list[Pieces] = [requests.SOME_ORGANIZATION]
    for statement in may.statements():
        for text in statement.resource.texts if statement.resource is not None else ():
            for index, piece in enumerate(text.pieces):
                if not isinstance(piece, str) or _STREAMS not in piece:
                    continue
                name = piece.partition(_STREAMS)[2].partition("_")[0]
                following = text.pieces[index + 1 : index + 2]
                if piece.endswith(_STREAMS) and following and isinstance(following[0], Symbol):
                    found.append(following)
                elif (one := requests.organization_like(name)) is not None:
                    found.append((one,))
    return found


# --- the order -------------------------------------------------------------------------------------------------------


def _ordered(scenario: Scenario, trail: Resource, role: Resource) -> Fact:
    """Whether what the trail needs to write to its log group is there before the trail."""
    may = permissions(scenario, role)
    link = log_group_link(scenario, trail)
    for made in (None if link is None else link.resource, role):
        if made is not None and not reaches(scenario, trail, made):
            return unordered(scenario, trail, made, "named as text")
    late = [policy for policy in may.attached if not reaches(scenario, trail, policy)]
    choices = _calls(scenario, trail, may) if late else []
    for choice in choices:
        if _best(scenario, may, choice)[1].outcome != "yes":
            continue  # this is no question of time
        if _best(scenario, may, choice, without=late)[1].outcome == "no":
            return unordered(scenario, trail, late[0], f"without which {role.id} may not write")
    return yes(trail.key, f"what {trail.id} needs for its log group is made before it")


FACTS: Mapping[str, FactSpec] = {
    "logs.role_set": FactSpec(role_set, _TRUTH, "the trail names a role to write to the log group"),
    "logs.role_arn": FactSpec(role_arn, _TRUTH, "the role is named by its ARN, path included, and of the own account"),
    "logs.role_trusts": FactSpec(_of_role(_trusts), _TRUTH, "CloudTrail may assume the role"),
    "logs.role_permits": FactSpec(
        _of_role(_permits), _TRUTH, "the role may create and fill every log stream that the trail writes"
    ),
    "logs.ordered": FactSpec(
        _of_role(_ordered), _TRUTH, "log group, role and the role's permissions are made before the trail"
    ),
}
