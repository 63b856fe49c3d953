"""Whether a new key's policy locks everybody out: KMS refuses a policy that nobody may change afterwards.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html (BypassPolicyLockoutSafetyCheck, and
Policy: "The key policy must allow the calling principal to make a subsequent PutKeyPolicy request on the KMS key"). Who
calls is not in a template, so a policy passes that lets some principal of the key's account in. What the principals of
an account differ in (their ARN, their tags) is thus open to somebody.
"""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    VARIABLE,
    Pieces,
    Symbol,
    Text,
    Unknown,
    split_pieces,
)
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.bounds import settled
from trailguard.iam.callers import Request
from trailguard.iam.conditions import ABSENT, Clause, Context, ContextValue, Undecided, holds
from trailguard.iam.evaluate import about_action, about_resource
from trailguard.iam.globs import glob
from trailguard.iam.logic import NO, YES, Tri, both, either, maybe, of
from trailguard.iam.patterns import covered_by
from trailguard.iam.policy import Caller, Policy, Principal, Statement
from trailguard.trails.facts.facts import Fact, boolean, no, unknown, via, yes
from trailguard.trails.facts.properties import pseudo
from trailguard.trails.key.grants import CONTEXT_KEYS, ENCRYPTION_CONTEXT, VIA_SERVICE, key_policy, literal
from trailguard.trails.key.keys import REPLICA

ACTION = "kms:PutKeyPolicy"
BYPASS = "BypassPolicyLockoutSafetyCheck"

# In what the principals of an account differ: some of them fit.
_PERSONAL = (
    "aws:principalarn", "aws:userid", "aws:username", "aws:principaltype", "aws:multifactorauthpresent",
    "aws:multifactorauthage", "aws:tokenissuetime", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce",
    "aws:vpcsourceip", "aws:useragent", "aws:currenttime", "aws:epochtime",
)  # fmt: skip
_TAGS = "aws:principaltag/"
_LEFT_OUT = "whom NotPrincipal leaves of the account is not documented"


def changeable(scenario: Scenario, key: Resource) -> Fact:
    """Whether somebody in the key's account may change the key's policy, or the template says that nobody needs to.

    False is what KMS refuses: "The new key policy will not allow you to update the key policy in the future".
    """
    policy = key_policy(scenario, key)
    if policy is None:
        return yes(key.key, f"{key.id} has the policy that KMS makes, which its account may change")
    found = settled(policy, lambda one: _changeable(scenario, key, one), lambda fact: (fact.value, fact.unknown))
    if found.value is True or key.type == REPLICA:
        return found
    value = scenario.value_of(key, BYPASS)
    bypass = boolean(scenario, value)
    if bypass is True:
        return yes(value.node, f"{BYPASS} of {key.id} is true{via(value.node)}")
    if isinstance(bypass, Unknown) and found.value is False:
        return unknown(value.node, bypass.reason, f"{found.because}, and {BYPASS} of {key.id} is not known")
    return found


def _changeable(scenario: Scenario, key: Resource, policy: Policy) -> Fact:
    if policy.unknown is not None:
        return unknown(policy.node, policy.unknown, f"the policy of {key.id} is not known")
    asked = _Asked(scenario, key, policy)
    granted = either(asked.answer(one, "Allow") for one in policy.statements)
    if granted.is_no:
        because = f"no statement of {key.id} allows {ACTION} to the root, or another principal, of the key's account"
        return no(policy.node, because)
    for statement in policy.statements:
        denied = asked.answer(statement, "Deny")
        if denied.is_yes:
            return no(statement.node, f"{key.id}: {statement.label} denies everybody {ACTION}")
        granted = both((granted, denied.negated()))
    if granted.is_unknown:
        because = f"whether anybody may change the policy of {key.id} is not known: {granted.reason}"
        return unknown(granted.node or policy.node, granted.reason, because)
    return yes(policy.node, f"a principal of the account of {key.id} may change its policy")


class _Asked:
    """The question whether a principal of the key's account may change the policy, put to one statement at a time."""

    def __init__(self, scenario: Scenario, key: Resource, policy: Policy) -> None:
        self._scenario = scenario
        self._account = pseudo(scenario, "AccountId", key)
        self._context = _context(scenario, key, self._account, policy)
        self._call = Request("", (), ACTION, scenario.returned_pieces(key, "Arn"), self._context)

    def answer(self, statement: Statement, effect: str) -> Tri:
        """Whether a statement lets somebody in, or, when it denies, keeps everybody out."""
        return both(self._parts(statement, effect)).at(statement.node)

    def _parts(self, statement: Statement, effect: str) -> Iterator[Tri]:
        said = statement.effect
        if said is not None and said.literal is not None:
            yield of(said.literal == effect)
        elif statement.fault is None:
            yield NO if said is None else maybe(f"the Effect of {statement.label} is not known")
        if statement.fault is not None:
            yield maybe(statement.fault, statement.node)
            return
        settle = self._scenario.settle
        yield about_action(statement.action, self._call, settle)
        yield (
            self._about_somebody(statement.principal)
            if effect == "Allow"
            else self._about_everybody(statement.principal)
        )
        yield about_resource(statement.resource, self._call, settle)
        for clause in statement.clauses:
            yield self._holds(clause, effect)

    def _holds(self, clause: Clause, effect: str) -> Tri:
        name = clause.name
        if name in _PERSONAL or name.startswith(_TAGS):
            return of(effect == "Allow")
        return holds(clause, self._context, self._scenario.settle).at(clause.node)

    def _about_somebody(self, principal: Principal | None) -> Tri:
        """Whether a principal of the account is among those that a statement names."""
        if principal is None:
            return NO
        if not principal.negated:
            return either(self._names_one(caller) for caller in principal.callers)
        left_out = either(self._names_one(caller) for caller in principal.callers)
        return YES if left_out.is_no else maybe(_LEFT_OUT, principal.node)

    def _names_one(self, caller: Caller) -> Tri:
        """Whether an entry of Principal names the account, or a principal of it."""
        kind, text = caller
        if kind == "*":
            return YES
        if kind == "AWS":
            return self._in_account(text).at(text.node)
        if kind == "Service":
            return NO
        return maybe(f"who {kind or 'Principal'} names is not known", text.node)

    def _in_account(self, text: Text) -> Tri:
        """Whether an entry of AWS is the account, or one of its principals."""
        parts = split_pieces(text.pieces, ":")
        if len(parts) == 1 and (text.literal or "0").isdecimal():
            return self._is_account(text.pieces)
        if len(parts) < 6 or parts[2] not in (("iam",), ("sts",)):
            return maybe("who it names is not known")  # a unique ID perhaps
        return self._is_account(parts[4])

    def _is_account(self, pieces: Pieces) -> Tri:
        """Whether a text is the ID of the account; in a bare text, whether it is one of its principals."""
        bare = self._bare(pieces)
        if bare is not None:
            return YES if bare.is_no else bare  # the user names what belongs there
        return covered_by(glob(pieces, wild=False), glob(self._account, wild=False), self._scenario.settle)

    def _bare(self, pieces: Pieces) -> Tri | None:
        """What a text that is not spelt out may be: no for a name that the user gives; None when it is spelt out."""
        symbol = pieces[0] if len(pieces) == 1 else None
        if not isinstance(symbol, Symbol) or symbol.name.startswith("AWS::"):
            return None
        if symbol.kind == VARIABLE:
            self._scenario.fix(symbol.name)
        return maybe(symbol.reason) if symbol.kind == OPAQUE or symbol.reason else NO

    def _about_everybody(self, principal: Principal | None) -> Tri:
        """Whether a statement names every principal of the account."""
        if principal is None:
            return NO
        if principal.negated:
            return maybe(_LEFT_OUT, principal.node)
        return either(self._names_all(caller).at(caller.text.node) for caller in principal.callers)

    def _names_all(self, caller: Caller) -> Tri:
        kind, text = caller
        if kind == "*":
            return YES
        if kind != "AWS":
            return maybe("who Principal names is not known") if kind == "" else NO
        bare = self._bare(text.pieces)
        if bare is not None:
            return bare
        last = split_pieces(text.pieces, ":")[-1]
        named = self._in_account(text) if last in (text.pieces, ("root",)) else NO
        return NO if named.is_no else maybe("whether a Deny on an account hits all of its principals is not settled")


def _context(scenario: Scenario, key: Resource, account: Pieces, policy: Policy) -> Context:
    """What KMS knows of a change of the policy by a principal of the account."""
    mine = (Text(account, key.key),)
    named = (clause.name for statement in policy.possible for clause in statement.clauses)
    context: dict[str, ContextValue] = {name: ABSENT for name in named if name.startswith(ENCRYPTION_CONTEXT)}
    return {
        **context,
        CONTEXT_KEYS: ABSENT,
        VIA_SERVICE: Undecided("whether KMS sees the call as made by way of a service is not known"),
        "aws:principalaccount": mine,
        "kms:calleraccount": mine,
        "aws:resourceaccount": mine,
        "aws:principalisawsservice": (literal("false", key.key),),
        "aws:principalservicename": ABSENT,
        "aws:requestedregion": (Text(pseudo(scenario, "Region", key), key.key),),
        "aws:securetransport": (literal("true", key.key),),
        "aws:sourceaccount": ABSENT,
        "aws:sourcearn": ABSENT,
    }
