"""Whether a statement of a bucket policy lets strangers in: callers of whom the policy's author knows nothing.

Amazon S3 takes a policy for public unless it grants access to fixed values only, without wildcards and policy
variables, of a principal or of one of a few condition keys. A stranger is thus a caller that has none of the fixed
values: each such key is either missing from the call or somebody else's. Whatever else a condition asks for (an ACL,
TLS, a header) a stranger can do as well.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html ("The meaning of
public")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Symbol, Text, no_other, show
from trailguard.iam.callers import Request, named
from trailguard.iam.conditions import ABSENT, Clause, holds
from trailguard.iam.globs import STAR, Wild
from trailguard.iam.inclusion import Group
from trailguard.iam.logic import NO, YES, Tri, both, either, maybe, of
from trailguard.iam.operators import ADDRESS, ARN, LIKE, NULL, TEXTUAL
from trailguard.iam.patterns import covers
from trailguard.iam.policy import Part, Policy, Statement

# The keys that make a policy non-public when they are held to fixed values.
FIXING = frozenset(
    (
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
        "aws:sourcearn", "aws:sourceip", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
        "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    )
)  # fmt: skip
ACCESS_POINT = "s3:dataaccesspointarn"  # takes a wildcard for the name, as long as the account is fixed
IS_SERVICE = "aws:principalisawsservice"
# Keys of which AWS does not say whether they make a policy non-public, and the time, which may have passed.
_OPEN_KEYS = ("aws:principal", "aws:source", "aws:vpc", "aws:currenttime", "aws:epochtime")

# Ranges of addresses beyond these sizes are public.
_BROADEST = {4: 8, 6: 32}

_EVERYTHING = frozenset(((STAR,), (*"s3:", STAR)))

_STRANGER = Request("", (), "", (), {})


def lets_strangers_in(scenario: Scenario, policy: Policy, statement: Statement) -> Tri:
    """Tell whether a statement lets everybody in, and no Deny of the policy shuts strangers out again."""
    return both(_granted(scenario, policy, statement))


def _granted(scenario: Scenario, policy: Policy, statement: Statement) -> Iterable[Tri]:
    answer = _concerns(scenario, statement, "Allow")
    yield answer
    if answer.is_no or statement.fault is not None:
        return
    met = both(_may_meet(scenario, clauses) for clauses in _by_key(statement.clauses))
    yield met
    if not met.is_no:
        yield _all_shut_out(scenario, policy, statement).negated()


def loophole(scenario: Scenario, statement: Statement) -> str:
    """Which value of a condition on a telling key makes it public all the same, in words; nothing when none does."""
    telling = (clause for clause in statement.clauses if clause.name in FIXING)
    return next((reason for clause in telling if (reason := _of_other(scenario, clause).reason)), "")


def _concerns(scenario: Scenario, statement: Statement, effect: str) -> Tri:
    """Tell whether a statement has an effect on strangers, its condition aside."""
    if statement.effect is not None and not scenario.equal(statement.effect, Text((effect,), statement.node)):
        return NO
    if statement.fault is not None:
        return maybe(statement.fault, statement.node)
    principal = statement.principal
    if principal is None or statement.effect is None:
        return NO
    people = tuple(caller for caller in principal.callers if caller.kind != "Service")
    return named(principal._replace(callers=people), _STRANGER, scenario.settle)


def _by_key(clauses: Sequence[Clause]) -> list[list[Clause]]:
    keys: dict[str, list[Clause]] = {}
    for clause in clauses:
        keys.setdefault(clause.name, []).append(clause)
    return list(keys.values())


def _may_meet(scenario: Scenario, clauses: Sequence[Clause]) -> Tri:
    """Tell whether some stranger meets what a condition asks of one key: without the key, or with another value."""
    return either(both(answers) for answers in _answers(scenario, clauses, YES))


def _must_meet(scenario: Scenario, clauses: Sequence[Clause]) -> Tri:
    """Tell whether every stranger meets what a condition asks of one key."""
    return both(both(answers) for answers in _answers(scenario, clauses, NO))


def _answers(scenario: Scenario, clauses: Sequence[Clause], free: Tri) -> list[list[Tri]]:
    """What the clauses on one key answer to the kinds of strangers. `free` is the answer where they can choose."""
    name, settle = clauses[0].name, scenario.settle
    fault = next((clause.fault for clause in clauses if clause.fault is not None), None)
    if fault is not None:
        return [[maybe(fault, clauses[0].node)]]
    if name in FIXING:
        missing = [holds(clause, {name: ABSENT}, settle) for clause in clauses]
        return [missing, [_of_other(scenario, clause) for clause in clauses]]
    if name == IS_SERVICE:
        person = {name: (Text(("false",), clauses[0].node),)}
        return [[holds(clause, person, settle) for clause in clauses], [_undocumented(clauses[0])]]
    return [[_undocumented(clauses[0])]] if name.startswith(_OPEN_KEYS) else [[free]]


def _undocumented(clause: Clause) -> Tri:
    return maybe(f"whether a condition on {clause.key} keeps strangers out is not documented", clause.node)


def _of_other(scenario: Scenario, clause: Clause) -> Tri:
    """What a clause answers when the key is somebody else's."""
    test = clause.test
    if test is None:
        return maybe(clause.fault or "a condition is not known", clause.node)
    if test.kind == NULL:
        return holds(clause, {clause.name: (Text(("somebody else's",), clause.node),)}, scenario.settle)
    if test.kind == ADDRESS:
        taken = _any_of([_takes_address(text) for text in clause.values])
    elif test.kind in TEXTUAL:
        taken = _any_of([_takes_other(scenario, clause, index) for index in range(len(clause.values))])
    else:
        return _undocumented(clause)
    if not test.negated:
        return taken
    # A wildcard is public by decree: whether it takes everybody, and so the opposite takes nobody, is another matter.
    return maybe(taken.reason, clause.node) if taken.reason else taken.negated()


def _any_of(answers: list[Tri]) -> Tri:
    """Kleene's or; a yes that is public by decree keeps its reason, unless another one needs none."""
    found = either(answers)
    reasons = [answer for answer in answers if answer.is_yes]
    return found if not reasons or YES in reasons else reasons[0]


def _takes_address(text: Text) -> Tri:
    """Tell whether a range of addresses is so broad that it is public."""
    if text.literal is None:
        reason = next((symbol.reason for symbol in text.symbols if symbol.kind == OPAQUE), None)
        return NO if reason is None else maybe(reason, text.node)
    from ipaddress import ip_network  # late: it takes 2 ms, and few policies name addresses

    try:
        network = ip_network(text.literal, strict=False)
    except ValueError:
        return NO
    if network.prefixlen == 0:
        return YES
    public = network.prefixlen < _BROADEST[network.version]
    return Tri("yes", f"so large a range as {text.literal} counts as public", text.node) if public else NO


def _takes_other(scenario: Scenario, clause: Clause, index: int) -> Tri:
    """Tell whether a value of a condition is not a fixed one."""
    text, tokens = clause.values[index], clause.globs[index]
    kind = clause.test.kind if clause.test is not None else ""
    if kind in (LIKE, ARN) and len(text.pieces) == 1 and text.symbols and text.symbols[0].kind == VARIABLE:
        scenario.settle(text.symbols[0], ["*"], no_other)
    if tokens == (STAR,):
        return YES
    written = {symbol.name for symbol in text.symbols}
    wild = any(isinstance(token, Wild) for token in tokens)
    if clause.name == ACCESS_POINT and _has_fixed_account(show(text)):
        wild = False
    if wild:
        return Tri("yes", f'"{show(text)}" is not a fixed value of {clause.key}', text.node)
    if any(isinstance(token, Symbol) and token.kind == OPAQUE and token.name not in written for token in tokens):
        return Tri("yes", f'a policy variable such as "{show(text)}" is not a fixed value of {clause.key}', text.node)
    if kind in (LIKE, ARN):  # a value that nobody here knows may have wildcards in it
        reason = next((symbol.reason for symbol in text.symbols if symbol.kind == OPAQUE), None)
        return NO if reason is None else maybe(reason, text.node)
    return NO


def _has_fixed_account(arn: str) -> bool:
    parts = arn.split(":", 5)
    return len(parts) == 6 and bool(parts[4]) and not any(mark in parts[4] for mark in "*?$")


# --- a Deny that shuts strangers out again ---------------------------------------------------------------------------


def _all_shut_out(scenario: Scenario, policy: Policy, allow: Statement) -> Tri:
    """Tell whether Deny statements take all that a statement allows away from every stranger."""
    denials = [(one, answer) for one in policy.statements if not (answer := _shuts_out(scenario, one)).is_no]
    found = either(
        both((answer, _within(scenario, allow.action, one.action), _within(scenario, allow.resource, one.resource)))
        if one.fault is None
        else answer
        for one, answer in denials
    )
    if found.is_no and len(denials) > 1:
        return maybe("several Deny statements may keep strangers out together", allow.node)
    return found


def _shuts_out(scenario: Scenario, deny: Statement) -> Tri:
    """Tell whether a Deny applies to every stranger, whatever it denies."""
    concerned = _concerns(scenario, deny, "Deny")
    if concerned.is_no or deny.fault is not None:
        return concerned
    return both((concerned, *(_must_meet(scenario, clauses) for clauses in _by_key(deny.clauses))))


def _within(scenario: Scenario, part: Part | None, other: Part | None) -> Tri:
    """Tell whether one part of a statement, its actions or its resources, lies within the same part of another."""
    if part is None or other is None:
        return NO
    if not other.negated and not _EVERYTHING.isdisjoint(other.globs):
        return YES
    if part.negated:
        return of(other.negated and set(other.globs) <= set(part.globs))
    return both(covers((Group(other.globs, other.negated),), tokens, scenario.settle) for tokens in part.globs)
