"""Says in words why a request is not granted, or is denied, and points to the part of a policy that makes it so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trailguard.cloudformation.scenarios.values import Symbol, Text, every_value, show, spelt
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import function_of
from trailguard.iam.callers import Request, called, named, resources
from trailguard.iam.conditions import ABSENT, Context, conditions_hold, holds, told
from trailguard.iam.globs import Glob, glob, variables_in
from trailguard.iam.inclusion import Group
from trailguard.iam.logic import NO, Tri
from trailguard.iam.patterns import covers, may_overlap
from trailguard.iam.policy import VARIABLES_VERSION, Part, Policy, Statement


def labels(statements: Sequence[Statement]) -> str:
    """What to call some statements."""
    first = [statement.label for statement in statements]
    return first[0] if len(first) == 1 else ", ".join(first[:-1]) + " and " + first[-1]


def target(request: Request) -> str:
    """The resource of a request."""
    return spelt(request.resource)


def nearest(policy: Policy, request: Request) -> tuple[Node, str]:
    """The Allow statement that comes nearest to granting a request: the part at fault, and what is wrong with it."""
    wanted = glob(request.resource)
    best: tuple[int, Node, str] | None = None
    for statement in policy.statements:
        if statement.fault is None and (statement.effect is None or statement.effect.literal != "Deny"):
            rank, node, because = _miss(statement, request, wanted)
            if best is None or rank > best[0]:
                best = rank, node, because
    if best is None or best[0] < _WORTH_TELLING:
        first = policy.statements[0].node if policy.statements else policy.node
        return first, f"no statement allows {request.action} to {called(request)}"
    return best[1], best[2]


_WORTH_TELLING = 5


def _miss(statement: Statement, request: Request, wanted: Glob) -> tuple[int, Node, str]:
    """How near a statement comes (its parts that fit, the telling ones counting more), and its part that does not."""
    failing: list[tuple[Node, str]] = []
    rank = 0
    action, principal, resource = statement.action, statement.principal, statement.resource
    if action is not None:
        if _action(action, request).is_no:
            failing.append((action.node, f"{statement.label} {_actions(action)}, not {request.action}"))
        else:
            rank += 3
    if principal is not None:
        if named(principal, request, _leave_open).is_no:
            grants = f"{statement.label} allows {request.action} to {_callers(statement)}, not to {called(request)}"
            failing.append((principal.node, grants + hint([caller.text for caller in principal.callers], {}, True)))
        else:
            rank += 2
    if resource is not None:
        group = (Group(resources(resource, request), resource.negated),)
        if not covers(group, wanted, _leave_open).is_yes:
            because = f"{statement.label} allows {request.action} on {_resources(resource)}, not on {target(request)}"
            why = hint(resource.texts, request.context, statement.variables) or _unfilled(request)
            failing.append((resource.node, because + why))
        else:
            rank += 1
        rank += 1 if resource.negated or may_overlap(resource.globs, wanted) else 0
    clause = conditions_hold(statement.clauses, request.context, _leave_open).clause
    if clause is not None and not holds(clause, request.context, _leave_open).is_yes:
        because = f"{statement.label} allows {request.action}, but its condition {told(clause, request.context)}"
        failing.append((clause.node, because + hint(clause.values, request.context, statement.variables)))
    else:
        rank += 1
    if not failing:
        return 0, statement.node, ""
    return rank, *failing[0]


def _action(part: Part, request: Request) -> Tri:
    answer = covers((Group(part.globs),), tuple(request.action.lower()), _leave_open) if part.globs else NO
    return answer.negated() if part.negated else answer


_CALLED = {"cloudtrail.amazonaws.com": "CloudTrail", "*": "everybody"}


def meaning(statement: Statement) -> str:
    """What a statement says, as a sentence: "allows s3:PutObject to CloudTrail on arn:… if …"."""
    if statement.fault is not None:
        return f"nobody can decide {statement.label}: {statement.fault}"
    effect = "denies" if statement.effect is not None and statement.effect.literal == "Deny" else "allows"
    action, resource = statement.action, statement.resource
    said = effect
    if action is not None:
        said += f" {'all but ' if action.negated else ''}{_listed(action.texts)}"
    if statement.principal is not None:
        listed = ", ".join(
            dict.fromkeys(_CALLED.get(show(one.text), show(one.text)) for one in statement.principal.callers)
        )
        said += f" to {'all but ' if statement.principal.negated else ''}{listed or 'nobody'}"
    if resource is not None:
        said += f" on {_resources(resource)}"
    conditions = [
        f"{clause.operator} {clause.key} is {' or '.join(map(show, clause.values))}" for clause in statement.clauses
    ]
    return said + (f" if {' and '.join(conditions)}" if conditions else "")


def denial(statement: Statement, request: Request) -> str:
    """How a Deny statement hits a request."""
    because = f"{statement.label} denies {request.action} on {target(request)}"
    context, variables = request.context, statement.variables
    reasons = [told(clause, context) + hint(clause.values, context, variables) for clause in statement.clauses]
    part = statement.resource
    excepted = hint(part.texts, context, variables) if part is not None and part.negated else ""
    return f"{because}{excepted}: its condition {' and '.join(reasons)}" if reasons else because + excepted


def hint(texts: Sequence[Text], context: Context, variables: bool) -> str:
    """A word on what stands like a policy variable in texts, and has no value.

    That is a name such as `${Bucket}`, for which Fn::Sub is missing (a text that Fn::Sub did make has it from a
    `${!Bucket}`), or a key that the request does not send, or any key where the policy has no `variables`.
    """
    literals = [(text, piece) for text in texts for piece in text.pieces if isinstance(piece, str) and "${" in piece]
    for text, piece in literals:
        for variable in variables_in(piece):
            if not variable.key:
                function = function_of(text.node)
                is_sub = function is not None and function[0] == "Fn::Sub"
                cause = "the ! keeps Fn::Sub from it" if is_sub else "Fn::Sub is missing"
                return f' ("{variable.name}" is taken as it is written: {cause})'
            if not variables:
                return f' ("{variable.name}" is taken as it is written: Version "{VARIABLES_VERSION}" is missing)'
            if context.get(variable.key) == ABSENT and variable.default is None:
                return f' ("{variable.name}" has no value: the request does not send it)'
    return ""


def _unfilled(request: Request) -> str:
    """A word on what stands like a reference in the resource of a request, where nothing fills it in."""
    literals = [piece for piece in request.resource if isinstance(piece, str) and "${" in piece]
    names = [variable.name for piece in literals for variable in variables_in(piece) if not variable.key]
    return f' (there "{names[0]}" is taken as it is written: Fn::Sub is missing)' if names else ""


def _actions(part: Part) -> str:
    return f"allows {'all but ' if part.negated else ''}{_listed(part.texts)}"


def _resources(part: Part) -> str:
    return f"{'all but ' if part.negated else ''}{_listed(part.texts)}"


def _callers(statement: Statement) -> str:
    principal = statement.principal
    if principal is None or not principal.callers:
        return "nobody"
    listed = _listed([caller.text for caller in principal.callers])
    return f"all but {listed}" if principal.negated else listed


def _listed(texts: Sequence[Text]) -> str:
    shown = ", ".join(map(show, texts[:3]))
    return f"{shown} and {len(texts) - 3} more" if len(texts) > 3 else shown or "nothing"


def _leave_open(
    symbol: Symbol, candidates: Sequence[str | Symbol], matters: Callable[[str], bool] = every_value, /
) -> None:
    """Settle nothing: an explanation raises no new questions."""
