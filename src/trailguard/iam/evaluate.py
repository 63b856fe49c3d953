"""Decides whether a request would be allowed. Grants and denials are asked apart, so that each answer names one cause.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from trailguard.cloudformation.source.nodes import Node
from trailguard.iam import explain
from trailguard.iam.bounds import settled
from trailguard.iam.callers import Request, named, names_caller, resources
from trailguard.iam.conditions import Context, conditions_hold
from trailguard.iam.globs import STAR, Glob, glob
from trailguard.iam.inclusion import Effort, Group
from trailguard.iam.logic import NO, YES, State, Tri, both, either, maybe
from trailguard.iam.patterns import Settle, covers, may_overlap, overlaps, surely_overlaps
from trailguard.iam.policy import Part, Policy, Statement

__all__ = [
    "Decision",
    "Request",
    "about_action",
    "allowed",
    "denials",
    "denied_wholly",
    "grantors",
    "grants",
    "names_caller",
]


class Decision(NamedTuple):
    """The answer to a question about a request.

    `node` is the place that decides, `because` says why in words, `reason` why it is unknown. `statements` are those
    that the answer rests on.
    """

    outcome: State
    node: Node
    because: str
    reason: str
    statements: tuple[Statement, ...] = ()


def grants(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether Allow statements together cover every string of the request's resource. Denials do not count."""
    return settled(policy, lambda one: _grants(one, request, settle), _told)


def _told(decision: Decision) -> object:
    return decision.outcome, decision.reason


def _grants(policy: Policy, request: Request, settle: Settle) -> Decision:
    if policy.unknown is not None:
        return Decision("unknown", policy.node, policy.unknown, policy.unknown)
    target = glob(request.resource)
    certain, possible, together = _coverage(policy, request, target, "Allow", settle)
    if together.is_yes:
        because = f"{explain.labels(certain)} {'allow' if len(certain) > 1 else 'allows'} {request.action}"
        return Decision("yes", certain[0].node, because, "", tuple(certain))
    if not possible and together.is_no:
        return Decision("no", *explain.nearest(policy, request), "", tuple(certain))
    everything = _covered([*certain, *(one for one, _ in possible)], request, settle, bool(possible))
    if everything.is_no:
        return Decision("no", *explain.nearest(policy, request), "", tuple(certain))
    if together.is_unknown:
        place = certain[0].place("Resource", "NotResource")
        because = f"whether {explain.labels(certain)} covers {explain.target(request)} is not known: {together.reason}"
        return Decision("unknown", together.node or place, because, together.reason, tuple(certain))
    statement, doubt = possible[0]
    because = f"whether {statement.label} allows {request.action} is not known: {doubt.reason}"
    return Decision("unknown", doubt.node or statement.node, because, doubt.reason, (statement,))


def denials(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether a Deny statement hits some string on which the request is made. The service itself is the caller."""
    return settled(policy, lambda one: _denials(one, request, settle), _told)


def _denials(policy: Policy, request: Request, settle: Settle) -> Decision:
    if policy.unknown is not None:
        return Decision("unknown", policy.node, policy.unknown, policy.unknown)
    if request.service:
        request = request._replace(accounts=())
    doubt: Decision | None = None
    for statement in policy.statements:
        answer = both(_aspects(statement, request, "Deny", settle))
        if answer.is_yes:
            return Decision("yes", statement.node, explain.denial(statement, request), "", (statement,))
        if answer.is_unknown and doubt is None:
            because = f"whether {statement.label} denies {request.action} is not known: {answer.reason}"
            doubt = Decision("unknown", answer.node or statement.node, because, answer.reason, (statement,))
    return doubt or Decision("no", policy.node, f"no statement denies {request.action}", "")


def denied_wholly(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether Deny statements hit every string of the request's resource, so that nothing of it gets through."""
    return settled(policy, lambda one: _denied_wholly(one, request, settle), _told)


def _denied_wholly(policy: Policy, request: Request, settle: Settle) -> Decision:
    if policy.unknown is not None:
        return Decision("unknown", policy.node, policy.unknown, policy.unknown)
    if request.service:
        request = request._replace(accounts=())
    target = glob(request.resource)
    certain, possible, together = _coverage(policy, request, target, "Deny", settle)
    if together.is_yes:
        return Decision("yes", certain[0].node, f"{explain.labels(certain)} denies it", "", tuple(certain))
    if possible:
        everything = _covered([*certain, *(one for one, _ in possible)], request, settle, True)
        if not everything.is_no:
            together = possible[0][1]
    node = together.node or (possible[0][0].node if possible and together.is_unknown else policy.node)
    because = together.reason if together.is_unknown else f"no statement denies all of {explain.target(request)}"
    return Decision(together.state, node, because, together.reason)


def allowed(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether the request is granted and not denied."""
    granted = grants(policy, request, settle)
    if granted.outcome == "no":
        return granted
    denied = denials(policy, request, settle)
    if denied.outcome == "yes":
        return denied._replace(outcome="no")
    return granted if granted.outcome == "unknown" or denied.outcome == "no" else denied


def grantors(policy: Policy, request: Request, settle: Settle) -> list[tuple[Statement, Tri]]:
    """The Allow statements that let the request through on some string on which it is made, or may."""
    return settled(
        policy,
        lambda one: _grantors(one, request, settle),
        lambda found: [(statement.index, answer.state, answer.reason) for statement, answer in found],
    )


def _grantors(policy: Policy, request: Request, settle: Settle) -> list[tuple[Statement, Tri]]:
    answers = ((statement, both(_aspects(statement, request, "Allow", settle))) for statement in policy.statements)
    return [(statement, answer) for statement, answer in answers if not answer.is_no]


# --- one statement ---------------------------------------------------------------------------------------------------


def _aspects(statement: Statement, request: Request, effect: str, settle: Settle) -> Iterator[Tri]:
    yield _aim(statement, request, effect, settle)
    yield _condition(statement, request.context, settle)


def _aim(statement: Statement, request: Request, effect: str, settle: Settle) -> Tri:
    """All but the condition; what was found out about it is kept, because requests differ in their context mostly."""
    if statement.resource is not None and statement.resource.variables:
        return both(_parts(statement, request, effect, settle))
    key = (effect, request.action, request.resource, request.accounts, request.everyone, request.shapes)
    known = statement.memo.get(key)
    if known is None:
        known = statement.memo[key] = both(_parts(statement, request, effect, settle))
    return cast("Tri", known)


def _parts(statement: Statement, request: Request, effect: str, settle: Settle) -> Iterator[Tri]:
    """Effect, action, principal and resource in turn: the cheap ones first, and none asked in vain."""
    yield from _about(statement, request, effect, settle)
    if statement.fault is None:
        yield about_resource(statement.resource, request, settle)


def _about(statement: Statement, request: Request, effect: str, settle: Settle) -> Iterator[Tri]:
    if statement.fault is not None:
        known = statement.effect is not None and statement.effect.literal is not None
        yield _effect(statement, effect, settle) if known else YES
        yield maybe(statement.fault, statement.node)
        return
    yield _effect(statement, effect, settle)
    yield about_action(statement.action, request, settle)
    yield named(statement.principal, request, settle)


def _effect(statement: Statement, wanted: str, settle: Settle) -> Tri:
    effect = statement.effect
    if effect is None:
        return NO
    if effect.literal is not None:
        return YES if effect.literal == wanted else NO
    answer = covers((Group((tuple(wanted),)),), glob(effect.pieces, wild=False), settle)
    return answer.at(effect.node)


def about_action(part: Part | None, request: Request, settle: Settle) -> Tri:
    """Tell whether a statement is about the request's action."""
    if part is None:
        return NO
    answer = covers((Group(part.globs),), tuple(request.action.lower()), settle) if part.globs else NO
    return (answer.negated() if part.negated else answer).at(part.node)


def about_resource(part: Part | None, request: Request, settle: Settle) -> Tri:
    """Tell whether a statement is about some string on which the request is made."""
    if part is None:
        return NO
    globs, targets = resources(part, request), request.strings
    if part.negated:
        answers = (covers((Group(globs),), target, settle).negated() if globs else YES for target in targets)
    elif any(surely_overlaps(globs, target) for target in targets):
        return YES
    else:
        effort = Effort()
        answers = (overlaps(globs, target, settle, effort) for target in targets)
    return either(answers).at(part.node)


def _condition(statement: Statement, context: Context, settle: Settle) -> Tri:
    return conditions_hold(statement.clauses, context, settle).answer if statement.clauses else YES


# --- all statements --------------------------------------------------------------------------------------------------


def _coverage(
    policy: Policy, request: Request, target: Glob, effect: str, settle: Settle
) -> tuple[list[Statement], list[tuple[Statement, Tri]], Tri]:
    """The statements that apply for certain, those that may, and whether the former cover the whole target."""
    certain: list[Statement] = []
    possible: list[tuple[Statement, Tri]] = []
    for statement in policy.statements:
        about = both(_about(statement, request, effect, settle))
        if about.is_no or not _may_touch(statement, target):
            continue
        answer = both((about, _condition(statement, request.context, settle)))
        if answer.is_unknown:
            possible.append((statement, answer))
        elif answer.is_yes:
            certain.append(statement)
            if _covers_plainly(statement, target):
                return [statement], possible, YES
    return certain, possible, _covered(certain, request, settle)


def _may_touch(statement: Statement, target: Glob) -> bool:
    """Tell whether a statement can be about some string of the target at all, whatever its symbols stand for."""
    part = statement.resource
    return statement.fault is not None or part is None or part.negated or may_overlap(part.globs, target)


def _covers_plainly(statement: Statement, target: Glob) -> bool:
    part = statement.resource
    return part is not None and not part.negated and any(tokens == target or tokens == (STAR,) for tokens in part.globs)


def _covered(statements: Sequence[Statement], request: Request, settle: Settle, whole: bool = False) -> Tri:
    """Tell whether statements that apply cover the whole resource together."""
    if whole and any(statement.fault is not None for statement in statements):
        return maybe("")  # a statement that cannot be read may cover anything
    parts = [one.resource for one in statements if one.resource is not None]
    groups = [Group(resources(part, request), part.negated) for part in parts]
    return covers(groups, glob(request.resource), settle) if groups else NO
