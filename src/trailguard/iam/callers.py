"""Who a statement is about: which identity of a caller its Principal names.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Pieces, Text, Value
from trailguard.iam.conditions import Context
from trailguard.iam.globs import glob
from trailguard.iam.logic import NO, Tri, either, maybe, of
from trailguard.iam.patterns import Settle, covered_by
from trailguard.iam.policy import Caller, Principal, read_callers
from trailguard.iam.reading import Problems

EVERYONE, SERVICE, ACCOUNT = "everyone", "service", "account"


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


class Via(NamedTuple):
    """An identity under which a caller is named: EVERYONE, SERVICE or ACCOUNT, the entry that names it, and whether."""

    identity: str
    caller: Caller
    answer: Tri


def named(principal: Principal | None, request: Request, settle: Settle) -> Tri:
    """Tell whether a statement is about the caller."""
    if principal is None:
        return NO
    if principal.negated:
        if not request.everyone:
            return NO  # everybody but a few: not the caller itself
        full = request._replace(everyone=True)
        return either(via.answer for via in vias(principal.callers, full, settle)).negated().at(principal.node)
    return either(via.answer.at(via.caller.text.node) for via in vias(principal.callers, request, settle))


def vias(callers: Iterable[Caller], request: Request, settle: Settle) -> list[Via]:
    """The identities under which entries of a Principal name the caller, or may."""
    found = []
    for caller in callers:
        identity, answer = _identity(caller, request, settle)
        if not answer.is_no:
            found.append(Via(identity, caller, answer))
    return found


def names_caller(value: Value, request: Request, settle: Settle) -> Tri:
    """Tell whether the value of a Principal element names the caller under one of its identities."""
    return either(via.answer for via in vias(read_callers(value, Problems()), request, settle))


def _identity(caller: Caller, request: Request, settle: Settle) -> tuple[str, Tri]:
    kind, text = caller
    if kind == "*":
        return EVERYONE, of(request.everyone)
    if kind == "Service":
        return SERVICE, covered_by(glob(text.pieces, wild=False), tuple(request.service), settle)
    if kind == "AWS":
        if text.literal is not None:
            return ACCOUNT, of(_account(text.literal) in request.accounts)
        return _hidden(text, request, settle, NO)
    if kind == "":
        return _hidden(text, request, settle, maybe("a Principal that is neither a map nor * is refused by AWS"))
    return ACCOUNT, NO  # Federated, CanonicalUser: people


def _hidden(text: Text, request: Request, settle: Settle, otherwise: Tri) -> tuple[str, Tri]:
    """An entry with symbols in it: everybody perhaps, but never an account of the service's own."""
    if len(text.pieces) > 1:
        return ACCOUNT, otherwise
    symbol = text.symbols[0]
    if symbol.kind == VARIABLE and request.everyone:
        settle(symbol, ["*"])
    if symbol.kind == OPAQUE:
        return EVERYONE, maybe(symbol.reason or f"{symbol.name} is not known")
    return ACCOUNT, otherwise


def _account(literal: str) -> str:
    """The account that an entry of AWS stands for as a whole; nothing when it is a user or a role."""
    parts = literal.split(":")
    if len(parts) == 6 and parts[2] == "iam":
        return parts[4] if parts[5] == "root" else ""
    return literal
