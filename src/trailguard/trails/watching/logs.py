"""Whether a trail's events reach CloudWatch Logs: the log group, the role, and what the role may do.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html,
cloudtrail-required-policy-for-cloudwatch-logs.html (what the role needs), and
cloudwatch-log-group-log-stream-naming-for-cloudtrail.html (the log streams that it writes)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    Pieces,
    Symbol,
    Text,
    join_pieces,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ContextValue, Undecided
from trailguard.iam.evaluate import Decision, Request, allowed
from trailguard.iam.policy import TRUST_POLICY, read_policy
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.ordering import reaches
from trailguard.trails.facts.facts import Fact, FactSpec, all_of, decided, no, reason_unknown, unknown, via, yes
from trailguard.trails.facts.links import ANY_ORDER, Link, elsewhere, names_something
from trailguard.trails.facts.names import OPEN, is_free, may_be_arn, nearest, same_here, spelt
from trailguard.trails.watching.roles import Permissions, may_be_role_arn, permissions, role_named

GROUP = "AWS::Logs::LogGroup"
GROUP_ARN = "CloudWatchLogsLogGroupArn"
ROLE_ARN = "CloudWatchLogsRoleArn"
ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_MARK = ":log-group:"
_END = ":*"
_STREAMS = ":log-stream:"

# What is wrong with the ARN of a log group, and how to say so.
ArnFault: TypeAlias = Literal["other", "two ends", "nameless", "no end"]
_TOLD: Mapping[ArnFault, str] = {
    "other": "no ARN of a log group",
    "two ends": f'with one "{_END}" too many, because the Arn of a log group ends in it already',
    "nameless": "without the name of a log group",
    "no end": f'which does not end in "{_END}"',
}


# --- the log group ---------------------------------------------------------------------------------------------------


def group_set(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail names a log group."""
    return names_something(scenario, trail, GROUP_ARN)


def role_set(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail names a role to write to the log group."""
    return names_something(scenario, trail, ROLE_ARN)


def log_group_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The log group of a trail; None when it names none."""
    return scenario.once(("log group", trail.id), lambda: _find(scenario, trail))


def _find(scenario: Scenario, trail: Resource) -> Link | None:
    named = group_set(scenario, trail)
    text = text_of(scenario.value_of(trail, GROUP_ARN))
    if named.value is False or text is None:
        return None
    name = group_name(text.pieces)
    for group in nearest(scenario, trail, scenario.model.template.of_type(GROUP)):
        own = scenario.returned_pieces(group, "Ref")
        if same_here(scenario, trail, name, group, own) and scenario.active(group):
            return Link(text.node, group)
    return Link(text.node, None, elsewhere(f"log group {show(Text(name, text.node))}", reason_unknown(text) or ""))


def group_name(pieces: Pieces) -> Pieces:
    """The name in a log group's ARN; other text as it is. A trail's log group is one of its own account and Region."""
    for index, piece in enumerate(pieces):
        if isinstance(piece, str) and _MARK in piece:
            pieces = join_pieces((piece.partition(_MARK)[2], *pieces[index + 1 :]))
            break
    return _without_end(pieces)


def _without_end(pieces: Pieces) -> Pieces:
    last = pieces[-1] if pieces else None
    while isinstance(last, str) and last.endswith(_END):
        last = last.removesuffix(_END)
        pieces = join_pieces((*pieces[:-1], last))
    return pieces


def group_arn(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the log group is named by its ARN, which ends in `:*` once."""
    value = scenario.value_of(trail, GROUP_ARN)
    text = text_of(value)
    if text is None:
        return no(value.node, f"{GROUP_ARN} of {trail.id} is a list or a map")
    shown = f"{GROUP_ARN} of {trail.id} is {show(text)}{via(value.node)}"
    fault = arn_fault(text.pieces)
    if fault is not None:
        return no(value.node, f"{shown}, {_TOLD[fault]}")
    if not _ends_right(text):
        for symbol in text.symbols:
            if is_free(symbol):
                scenario.fix(symbol.name)
        reason = reason_unknown(text) or f"which log group's ARN {show(text)} is shows only at deployment"
        return unknown(value.node, reason, f"whether {shown} ends in {_END} is not known")
    return yes(value.node, f"{trail.id} names a log group by its ARN")


def arn_fault(pieces: Pieces) -> ArnFault | None:
    """What keeps a text from being the ARN of a log group that ends in `:*` once; None when it is one, or may be."""
    if not may_be_arn(pieces, "logs", _MARK[1:]):
        return "other"
    whole = spelt(pieces)
    if whole.endswith(_END + _END):
        return "two ends"
    _, mark, rest = whole.partition(_MARK)
    if not mark or whole.startswith(OPEN):
        return None
    if rest.endswith(_END):
        return "nameless" if rest == _END else None
    return None if rest.endswith(OPEN) else "no end"


def _ends_right(text: Text) -> bool:
    """Tell whether a text without fault is known to be right."""
    first, last = text.pieces[0], text.pieces[-1]
    named = isinstance(first, str) and any(isinstance(piece, str) and _MARK in piece for piece in text.pieces)
    return named and isinstance(last, str) and last.endswith(_END)


def group_class(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a log group that is made here is of a class that keeps events."""
    link = log_group_link(scenario, trail)
    if link is None or link.resource is None:
        return yes(trail.key, f"the log group of {trail.id} is not made by this template")
    group = link.resource
    value = scenario.value_of(group, "LogGroupClass")
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"the class of {group.id} is not known")
    text = text_of(value)
    if text is not None and scenario.equal(text, Text(("DELIVERY",), value.node)):
        because = f"LogGroupClass of {group.id} is DELIVERY{via(value.node)}, which is for Lambda's logs alone"
        return no(value.node, because)
    return yes(group.key, f"{group.id} takes CloudTrail's events")


# --- the role --------------------------------------------------------------------------------------------------------


def role_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The role with which CloudTrail writes to the log group; None when the trail names none."""
    named = role_set(scenario, trail)
    text = text_of(scenario.value_of(trail, ROLE_ARN))
    if named.value is False or text is None:
        return None
    role = role_named(scenario, trail, text.pieces)
    return Link(text.node, role, "" if role else elsewhere(f"role {show(text)}", reason_unknown(text) or ""))


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
    """Whether CloudTrail may take on the role."""
    value = scenario.value_of(trail, ROLE_ARN)
    text = text_of(value)
    if text is not None and not may_be_role_arn(text.pieces):
        return no(value.node, f"{ROLE_ARN} of {trail.id} is the name of {role.id}, where its ARN belongs")
    document = scenario.value_of(role, "AssumeRolePolicyDocument")
    hidden = Undecided("which source CloudTrail tells when it takes on the role is not documented")
    context: dict[str, ContextValue] = {
        **requests.trail_context(scenario, trail),
        "aws:sourcearn": hidden,
        "aws:sourceaccount": hidden,
    }
    request = Request(requests.SERVICE, (), "sts:AssumeRole", scenario.returned_pieces(role, "Arn"), context)
    decision = allowed(read_policy(document, TRUST_POLICY), request, scenario.settle)
    fine = yes(role.key, f"CloudTrail may take on {role.id}")
    return decided(decision, f"{role.id}: {decision.because}", fine)


def _permits(scenario: Scenario, trail: Resource, role: Resource) -> Fact:
    """Whether the role may create and fill every log stream that the trail writes."""
    may = permissions(scenario, role)
    fine = yes(role.key, f"{role.id} may write to the log group of {trail.id}")

    def answers() -> Iterator[Fact]:
        for decision in _decisions(scenario, trail, may):
            yield decided(decision, f"{role.id}: {decision.because}", fine)
        bounded = names_something(scenario, role, "PermissionsBoundary")
        if bounded.value is not False:
            reason = "what the permissions boundary leaves of its permissions is not known"
            yield unknown(bounded.node, reason, f"{role.id} has a permissions boundary")

    return all_of(answers(), fine)


def _decisions(scenario: Scenario, trail: Resource, may: Permissions) -> Iterator[Decision]:
    """What the role's policies say to each call, what they grant and what they deny."""
    for choice in _calls(scenario, trail, may):
        request, granted = _best(scenario, may, choice)
        yield granted
        denied = may.denied(scenario, _to_one_stream(request))
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
    group, account, region = _group(scenario, trail)
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


def _group(scenario: Scenario, trail: Resource) -> tuple[Pieces, Pieces, Pieces]:
    """The ARN of the log group without its end, and the account and the Region that it is in: those of the trail."""
    node = trail.key
    text = text_of(scenario.value_of(trail, GROUP_ARN))
    pieces = () if text is None else text.pieces
    account, region = (text_of(scenario.pseudo(f"AWS::{name}", trail, node)) for name in ("AccountId", "Region"))
    where = account.pieces if account else (), region.pieces if region else ()
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith("arn:"):
        found = _account_and_region(pieces)
        return _without_end(pieces), *(found or where)
    name = group_name(pieces)
    if spelt(name[:1]) == OPEN:
        return name, *where  # an ARN perhaps
    start = (f"arn:{scenario.model.partition}:logs:", *where[1], ":", *where[0])
    return join_pieces((*start, _MARK, *name)), *where


def _account_and_region(pieces: Pieces) -> tuple[Pieces, Pieces] | None:
    """The account and the Region that an ARN names; None where they cannot be told apart."""
    parts: list[list[str | Symbol]] = [[]]
    for piece in pieces:
        if isinstance(piece, Symbol):
            parts[-1].append(piece)
            continue
        first, *rest = piece.split(":")
        parts[-1].append(first)
        parts.extend([part] for part in rest)
    if len(parts) < 7 or parts[5] != ["log-group"]:
        return None
    return join_pieces(parts[4]), join_pieces(parts[3])


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
            return _unordered(scenario, trail, made, "named as text")
    late = [policy for policy in may.attached if not reaches(scenario, trail, policy)]
    choices = _calls(scenario, trail, may) if late else []
    for choice in choices:
        if _best(scenario, may, choice)[1].outcome != "yes":
            continue  # this is no question of time
        if _best(scenario, may, choice, without=late)[1].outcome == "no":
            return _unordered(scenario, trail, late[0], f"without which {role.id} may not write")
    return yes(trail.key, f"what {trail.id} needs for its log group is made before it")


def _unordered(scenario: Scenario, trail: Resource, made: Resource, why: str) -> Fact:
    place: Node = trail.attribute("DependsOn") or trail.key
    if scenario.model.stacks.meeting(trail.id, made.id) is None:
        because = f"nothing in the templates says whether {trail.id} is created after {made.id}, {why}"
        return unknown(place, ANY_ORDER, because)
    because = f"nothing makes {trail.id} wait for {made.id}, {why}, so the trail may be created first"
    return no(place, because, ((made.key, "what must exist first"),))


FACTS: Mapping[str, FactSpec] = {
    "logs.group_set": FactSpec(group_set, _TRUTH, "the trail names a log group"),
    "logs.role_set": FactSpec(role_set, _TRUTH, "the trail names a role to write to the log group"),
    "logs.group_arn": FactSpec(group_arn, _TRUTH, "the log group is named by its ARN, which ends in :* once"),
    "logs.group_class": FactSpec(group_class, _TRUTH, "a log group made here is of a class that keeps events"),
    "logs.role_trusts": FactSpec(_of_role(_trusts), _TRUTH, "CloudTrail may take on the role"),
    "logs.role_permits": FactSpec(
        _of_role(_permits), _TRUTH, "the role may create and fill every log stream that the trail writes"
    ),
    "logs.ordered": FactSpec(
        _of_role(_ordered), _TRUTH, "log group, role and the role's permissions are made before the trail"
    ),
}
