"""Who a statement is about: which identity of a caller its Principal names.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.scenarios.reasons import open_value
from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Pieces, Text, Value, no_other
from trailguard.iam.conditions import Context, with_values
from trailguard.iam.globs import Glob, glob
from trailguard.iam.logic import NO, Tri, either, maybe, of
from trailguard.iam.patterns import Settle, covered_by
from trailguard.iam.policy import Caller, Part, Principal, read_callers
from trailguard.iam.reading import Problems


class Request(NamedTuple):
    """A call to be judged.

    `service` is the calling service principal, in pieces where its name holds what is not known; `accounts` are AWS
    accounts that it may call from, `everyone` tells whether a grant to everybody counts. `resource` is a pattern: the
    call must be let through on every string of it. `context` holds the condition keys in lower case. `shapes` tell more
    exactly on which of these strings the call is made: on those of any of them, and on no other; without shapes it is
    any string of the resource.
    """

    service: str | Pieces
    accounts: tuple[str, ...]
    action: str
    resource: Pieces
    context: Context
    everyone: bool = True
    shapes: tuple[Glob, ...] = ()

    @property
    def strings(self) -> tuple[Glob, ...]:
        """The strings on which the call is made."""
        return self.shapes or (glob(self.resource),)


def resources(part: Part, request: Request) -> tuple[Glob, ...]:
    """The resources of a statement, with what a request sends in the place of policy variables."""
    return with_values(part.globs, request.context) if part.variables else part.globs


def _pieces(service: str | Pieces) -> Pieces:
    return (service,) if isinstance(service, str) else service


def called(request: Request) -> str:
    """What to call the service that makes a request."""
    return "".join(piece if isinstance(piece, str) else "${" + piece.name + "}" for piece in _pieces(request.service))


def named(principal: Principal | None, request: Request, settle: Settle) -> Tri:
    """Tell whether a statement is about the caller."""
    if principal is None:
        return NO
    if principal.negated:
        if not request.everyone:
            return NO  # everybody but a few: not the caller itself
        full = request._replace(everyone=True)
        return either(_names(caller, full, settle) for caller in principal.callers).negated().at(principal.node)
    return either(_names(caller, request, settle).at(caller.text.node) for caller in principal.callers)


def names_caller(value: Value, request: Request, settle: Settle) -> Tri:
    """Tell whether the value of a Principal element names the caller under one of its identities."""
    return either(_names(caller, request, settle) for caller in read_callers(value, Problems()))


def _names(caller: Caller, request: Request, settle: Settle) -> Tri:
    """Tell whether an entry of a Principal names the caller."""
    kind, text = caller
    if kind == "*":
        return of(request.everyone)
    if kind == "Service":
        return covered_by(glob(text.pieces, wild=False), glob(_pieces(request.service), wild=False), settle)
    if kind == "AWS":
        if text.literal is not None:
            return of(account_of(text.literal) in request.accounts)
        return _hidden(text, request, settle, NO)
    if kind == "":
        return _hidden(text, request, settle, maybe("a Principal that is neither a map nor * is refused by AWS"))
    return NO  # Federated, CanonicalUser: people


def _hidden(text: Text, request: Request, settle: Settle, otherwise: Tri) -> Tri:
    """An entry with symbols in it: everybody perhaps, but never an account of the service's own."""
    if len(text.pieces) > 1:
        return otherwise
    symbol = text.symbols[0]
    if symbol.kind == VARIABLE and request.everyone:
        settle(symbol, ["*"], no_other)
    return maybe(open_value(symbol)) if symbol.kind == OPAQUE else otherwise


def account_of(literal: str) -> str:
    """The account that an entry of AWS stands for as a whole; nothing when it is a user or a role."""
    parts = literal.split(":")
    if len(parts) == 6 and parts[2] == "iam":
        return parts[4] if parts[5] == "root" else ""
    return literal
