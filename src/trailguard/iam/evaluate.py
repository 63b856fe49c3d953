"""Would this request be allowed? Grants and denials are asked apart, so that each answer names one cause.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, cast

from trailguard.cloudformation.source import Node
from trailguard.cloudformation.values import OPAQUE, MapValue, Pieces, Symbol, Text, Unknown, Value, show, text_of
from trailguard.iam.conditions import Context, Outcome, conditions_hold
from trailguard.iam.logic import NO, YES, Tri, either, maybe, of
from trailguard.iam.patterns import Settle, covers, exact, folded, overlaps
from trailguard.iam.policy import Policy, Statement, pattern_of, values_of

EVERYONE = "*"
_ACCOUNT = re.compile(r"(?:arn:[^:]+:iam::(?=[0-9]+:root))?([0-9]{12})(?::root)?")


class Request(NamedTuple):
    """A call to be judged.

    `service` is the calling service principal, `accounts` are AWS accounts that it may call from, `everyone` tells
    whether a grant to everybody counts. `resource` is a pattern: the call is made on every string of it. `context`
    holds the condition keys in lower case.
    """

    service: str
    accounts: tuple[str, ...]
    action: str
    resource: Pieces
    context: Context
    everyone: bool = True


class Decision(NamedTuple):
    """The answer to a question about a request: "yes", "no" or "unknown".

    `node` is the place that decides, `because` says why in words, `reason` why it is unknown. `statements` are those
    that the answer rests on.
    """

    outcome: str
    node: Node
    because: str
    reason: str
    statements: tuple[Statement, ...] = ()


class Aspect(NamedTuple):
    """How a statement lies to a request: the answer, and the element that decides it.

    `outcome` tells about the condition when that is what decides.
    """

    answer: Tri
    node: Node
    element: str = ""
    outcome: Outcome | None = None


def grants(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether Allow statements together cover every string of the request's resource. Denials are not looked at."""
    if policy.unknown is not None:
        return Decision("unknown", policy.node, policy.unknown, policy.unknown)
    certain: list[Statement] = []
    possible: list[tuple[Statement, Aspect]] = []
    for statement in policy.statements:
        if statement.effect == "Deny" and statement.fault is None:
            continue
        aspect = _applies(policy, statement, request, settle)
        if aspect.answer.is_yes:
            certain.append(statement)
        elif not aspect.answer.is_no:
            possible.append((statement, aspect))
    covered = _covered(certain, request, settle)
    if covered.is_yes:
        return Decision("yes", certain[0].node, f"{certain[0].label} allows {request.action}", "", tuple(certain))
    together = _covered([*certain, *(statement for statement, _ in possible)], request, settle)
    if not together.is_no:
        if possible and covered.is_no:
            aspect = possible[0][1]
            return Decision("unknown", aspect.node, aspect.answer.reason, aspect.answer.reason)
        place = certain[0].place("Resource", "NotResource")
        return Decision("unknown", place, together.reason or covered.reason, together.reason or covered.reason)
    return _missing(policy, request, certain)


def denials(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether a Deny statement hits some string of the request's resource."""
    if policy.unknown is not None:
        return Decision("unknown", policy.node, policy.unknown, policy.unknown)
    doubt: Decision | None = None
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.fault is None:
            continue
        aspect = _applies(policy, statement, request, settle)
        if aspect.answer.is_yes:
            because = f"{statement.label} denies {request.action} on {show(Text(request.resource, statement.node))}"
            return Decision("yes", statement.node, because + _cause(statement), "", (statement,))
        if not aspect.answer.is_no and doubt is None:
            reason = aspect.answer.reason
            because = f"whether {statement.label} denies {request.action} is not known: {reason}"
            doubt = Decision("unknown", aspect.node, because, reason, (statement,))
    return doubt or Decision("no", policy.node, f"nothing denies {request.action}", "")


def denied_wholly(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether Deny statements hit every string of the request's resource, so that nothing of it gets through."""
    if policy.unknown is not None:
        return Decision("unknown", policy.node, policy.unknown, policy.unknown)
    certain: list[Statement] = []
    doubt = NO
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.fault is None:
            continue
        answer = _applies(policy, statement, request, settle).answer
        if answer.is_yes:
            certain.append(statement)
        elif not answer.is_no:
            doubt = answer
    covered = _covered(certain, request, settle)
    if covered.is_yes:
        return Decision("yes", certain[0].node, f"{certain[0].label} denies it", "", tuple(certain))
    doubt = covered if not covered.is_no else doubt
    return Decision(doubt.state, policy.node, doubt.reason, doubt.reason)


def allowed(policy: Policy, request: Request, settle: Settle) -> Decision:
    """Tell whether the request is granted and not denied."""
    granted = grants(policy, request, settle)
    if granted.outcome == "no":
        return granted
    denied = denials(policy, request, settle)
    if denied.outcome == "yes":
        return denied._replace(outcome="no")
    if granted.outcome == "unknown":
        return granted
    return denied if denied.outcome == "unknown" else granted


def grantors(policy: Policy, request: Request, settle: Settle) -> list[tuple[Statement, Tri]]:
    """The Allow statements that let the request through on some string of its resource, or may."""
    found = []
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.fault is None:
            answer = _applies(policy, statement, request, settle).answer
            if not answer.is_no:
                found.append((statement, answer))
    return found


def _applies(policy: Policy, statement: Statement, request: Request, settle: Settle) -> Aspect:
    """Whether a statement applies to some string of the resource, with the element that decides."""
    if statement.fault is not None:
        return Aspect(maybe(statement.fault), statement.node)
    key = (statement.position, request.action, request.resource, request.everyone, request.accounts)
    aim = cast("Aspect | None", policy.memo.get(key))
    if aim is None:
        aim = policy.memo[key] = _aim(statement, request, settle)
    if aim.answer.is_no or "Condition" not in statement.elements:
        return aim
    condition = _condition(statement, request, settle)
    return condition if condition.answer.is_no or aim.answer.is_yes else aim


def _aim(statement: Statement, request: Request, settle: Settle) -> Aspect:
    """Whether a statement is about the caller, the action and the resource of a request."""
    decisive = Aspect(YES, statement.node)
    for element, test in _AIMS:
        answer = test(statement, request, settle)
        if answer.is_no or (decisive.answer.is_yes and not answer.is_yes):
            decisive = Aspect(answer, statement.place(element, f"Not{element}"), element)
        if answer.is_no:
            break
    return decisive


def _condition(statement: Statement, request: Request, settle: Settle) -> Aspect:
    outcome = conditions_hold(statement.elements["Condition"], request.context, statement.variables, settle)
    return Aspect(outcome.answer, outcome.node or statement.node, "Condition", outcome)


def _told(statement: Statement, aspect: Aspect, request: Request) -> str:
    """Say why a statement does not grant a request."""
    if aspect.element == "Principal":
        return f"{statement.label} grants {request.action} to somebody else than {request.service}"
    if aspect.element == "Action":
        return f"{statement.label} does not allow {request.action}"
    if aspect.outcome is not None:
        return f"{statement.label}: {aspect.outcome.because(request.context)}"
    return _elsewhere(statement, request)


def _elsewhere(statement: Statement, request: Request) -> str:
    texts = [text for text in map(text_of, values_of(statement.elements.get("Resource"))) if text is not None]
    named = ", ".join(map(show, texts)) or "other resources"
    wanted = show(Text(request.resource, statement.node))
    return f"{statement.label} allows {request.action} on {named}, not on {wanted}"


def _cause(statement: Statement) -> str:
    condition = statement.elements.get("Condition")
    if not isinstance(condition, MapValue):
        return ""
    tests = [
        f"{operator} {key}"
        for operator, keys in condition.entries.items()
        if isinstance(keys, MapValue)
        for key in keys.entries
    ]
    return f" (its condition {', '.join(tests)} holds for CloudTrail)" if tests else ""


def _covered(statements: list[Statement], request: Request, settle: Settle) -> Tri:
    """Tell whether statements that apply cover the whole resource together."""
    patterns: list[Pieces] = []
    exceptions: list[Tri] = []
    for statement in statements:
        if statement.fault is not None:
            exceptions.append(maybe(statement.fault))
            continue
        if "NotResource" in statement.elements:
            spared = values_of(statement.elements["NotResource"])
            hit = either(_resource(value, statement, request, settle) for value in spared)
            partly = hit.is_yes and len(statements) > 1  # another statement may cover just what this one spares
            exceptions.append(maybe(_SPARED) if partly else hit.negated())
            continue
        for value in values_of(statement.elements.get("Resource")):
            text = text_of(value)
            if text is not None:
                patterns.append(pattern_of(text, statement.variables))
    if any(answer.is_yes for answer in exceptions):
        return YES
    return either([covers(patterns, request.resource, settle), *exceptions])


def _missing(policy: Policy, request: Request, certain: list[Statement]) -> Decision:
    """Say which statement comes nearest to a grant, and what part of it is in the way."""
    if certain:
        statement = certain[0]
        return Decision("no", statement.place("Resource"), _elsewhere(statement, request), "", tuple(certain))
    for statement in policy.statements:
        if statement.effect != "Allow" or statement.fault is not None:
            continue
        answers = [(element, test(statement, request, _leave_open)) for element, test in _AIMS]
        wrong = [Aspect(answer, statement.node, element) for element, answer in answers if answer.is_no]
        if not wrong and "Condition" in statement.elements:
            wrong = [_condition(statement, request, _leave_open)]
        if len(wrong) == 1:
            aspect = wrong[0]
            place = aspect.node if aspect.outcome else statement.place(aspect.element, f"Not{aspect.element}")
            return Decision("no", place, _told(statement, aspect, request), "")
    return Decision("no", _first(policy), f"no statement allows {request.action} to {request.service}", "")


def _leave_open(symbol: Symbol, candidates: Iterable[str | Symbol]) -> None:
    """Settle nothing: for explanations, which must not raise new questions."""


def _first(policy: Policy) -> Node:
    return policy.statements[0].node if policy.statements else policy.node


def _principal(statement: Statement, request: Request, settle: Settle) -> Tri:
    value = statement.elements.get("Principal")
    if value is not None:
        return names_caller(value, request, settle)
    other = statement.elements.get("NotPrincipal")
    return NO if other is None else names_caller(other, request._replace(everyone=True), settle).negated()


def names_caller(value: Value, request: Request, settle: Settle) -> Tri:
    """Tell whether a Principal element names the caller under one of its identities."""
    if isinstance(value, Unknown):
        return maybe(value.reason)
    if isinstance(value, MapValue):
        return either(
            _identity(kind, item, request, settle) for kind, items in value.entries.items() for item in values_of(items)
        )
    return either(_everyone(item, request, settle) for item in values_of(value))


def _everyone(value: Value, request: Request, settle: Settle) -> Tri:
    """Tell whether a text that stands where a principal belongs is the star that names everybody, the caller too."""
    text = text_of(value)
    if text is None or not request.everyone:
        return NO
    return covers([exact(text.pieces)], exact((EVERYONE,)), settle)


def _identity(kind: str, value: Value, request: Request, settle: Settle) -> Tri:
    text = text_of(value)
    if text is None:
        return NO
    if kind == "Service":
        if text.literal is not None:
            return YES if text.literal == request.service else NO
        return covers([exact(text.pieces)], (request.service,), settle)
    if kind != "AWS":
        return NO
    if text.literal is None:  # an account, role or user of the template is never the service
        return _everyone(value, request, settle) if all(symbol.kind == OPAQUE for symbol in text.symbols) else NO
    if text.literal == EVERYONE:
        return of(request.everyone)
    account = _ACCOUNT.fullmatch(text.literal)
    return of(account is not None and account.group(1) in request.accounts)


def _action(statement: Statement, request: Request, settle: Settle) -> Tri:
    wanted: Pieces = (request.action.lower(),)

    def spelt(symbol: Symbol, candidates: Iterable[str | Symbol]) -> None:
        """Ask for the letters as AWS spells them, not folded."""
        found = [item if isinstance(item, Symbol) else _cut(request.action, item) for item in candidates]
        settle(symbol, found)

    def names(value: Value) -> Tri:
        if isinstance(value, Unknown):
            return maybe(value.reason)
        text = text_of(value)
        return NO if text is None else covers([folded(text.pieces)], wanted, spelt)

    if "Action" in statement.elements:
        return either(names(value) for value in values_of(statement.elements["Action"]))
    return either(names(value) for value in values_of(statement.elements.get("NotAction"))).negated()


def _cut(text: str, part: str) -> str:
    start = text.lower().find(part)
    return part if start < 0 else text[start : start + len(part)]


def _touches(statement: Statement, request: Request, settle: Settle) -> Tri:
    """Tell whether a statement is about some string of the request's resource."""
    if "Resource" in statement.elements:
        values = values_of(statement.elements["Resource"])
        return either(_resource(value, statement, request, settle) for value in values)
    values = values_of(statement.elements.get("NotResource"))
    patterns = [pattern_of(text, statement.variables) for text in map(text_of, values) if text is not None]
    return covers(patterns, request.resource, settle).negated()


def _resource(value: Value, statement: Statement, request: Request, settle: Settle) -> Tri:
    text = text_of(value)
    if text is None:
        return NO
    return overlaps(pattern_of(text, statement.variables), request.resource, settle)


_SPARED = "whether other statements make up for what a NotResource spares is not worked out"

_AIMS: tuple[tuple[str, Callable[[Statement, Request, Settle], Tri]], ...] = (
    ("Principal", _principal),
    ("Action", _action),
    ("Resource", _touches),
)
