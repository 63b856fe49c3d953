"""Would a statement's conditions hold for a request with a known context?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.source import Node
from trailguard.cloudformation.values import (
    GENERATED,
    MapValue,
    Pieces,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
    show,
    text_of,
)
from trailguard.iam.logic import NO, YES, Tri, both, either, maybe, of
from trailguard.iam.patterns import Settle, covers, exact
from trailguard.iam.policy import pattern_of, values_of

# The values of a context key; none when the key is known to be missing. A key that is not in the context at all is not known.
ContextValue: TypeAlias = "tuple[Text, ...]"
Context: TypeAlias = Mapping[str, ContextValue]
ABSENT: ContextValue = ()

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

Match: TypeAlias = Callable[[Text, Text, bool, Settle], Tri]


class Outcome(NamedTuple):
    """Whether conditions hold; for a no or an unknown, the place and the test (operator, key, values) that decides."""

    answer: Tri
    node: Node | None = None
    test: tuple[str, str, Value] | None = None

    def because(self, context: Context) -> str:
        """Say what the test asks for, and what the request sends."""
        if self.test is None:
            return self.answer.reason
        operator, key, wanted = self.test
        texts = [text for text in map(text_of, values_of(wanted)) if text is not None]
        asked = " or ".join(f'"{show(text)}"' for text in texts[:3]) + (" or …" if len(texts) > 3 else "")
        sent = context.get(key.lower(), ABSENT)
        given = f'sends "{show(sent[0])}"' if sent else "does not send it"
        return f"its condition {operator} {key} asks for {asked}, and CloudTrail {given}"


def conditions_hold(block: Value | None, context: Context, variables: bool, settle: Settle) -> Outcome:
    """Decide a Condition element: all its operators, and all keys of each, must hold."""
    if block is None:
        return Outcome(YES)
    if not isinstance(block, MapValue):
        reason = block.reason if isinstance(block, Unknown) else "the Condition is no map"
        return Outcome(maybe(reason), block.node)
    doubt: Outcome | None = None
    for operator, keys in block.entries.items():
        if not isinstance(keys, MapValue):
            reason = keys.reason if isinstance(keys, Unknown) else f"{operator} is no map of keys"
            doubt = doubt or Outcome(maybe(reason), keys.node)
            continue
        for key, wanted in keys.entries.items():
            answer = _test(operator, key, wanted, context, variables, settle)
            if answer.is_no:
                return Outcome(NO, wanted.node, (operator, key, wanted))
            if not answer.is_yes and doubt is None:
                doubt = Outcome(answer, wanted.node)
    return doubt or Outcome(YES)


def _test(operator: str, key: str, wanted: Value, context: Context, variables: bool, settle: Settle) -> Tri:
    name = key.lower()
    if name not in context:
        return maybe(f"the condition key {key} is not known for this request")
    sent = context[name]
    if operator == "Null":
        return either(_null(value, not sent) for value in values_of(wanted))
    quantifier, _, base = operator.rpartition(":")
    lenient = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    negated = base in _NEGATED
    match = _MATCHES.get(_NEGATED.get(base, base))
    if match is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        return maybe(f"the condition operator {operator} is not one of IAM's")
    if not sent:
        return of(quantifier == "ForAllValues" or lenient or (negated and not quantifier))
    tests = (_matches(match, item, values_of(wanted), variables, settle, negated) for item in sent)
    return either(tests) if quantifier == "ForAnyValue" else both(tests)


def _matches(
    match: Match, item: Text, wanted: tuple[Value, ...], variables: bool, settle: Settle, negated: bool
) -> Tri:
    """Whether one value of the request is one of those that the policy names; for a negated operator, none of them."""
    found = either(_one(match, item, value, variables, settle) for value in wanted)
    return found.negated() if negated else found


def _one(match: Match, item: Text, value: Value, variables: bool, settle: Settle) -> Tri:
    text = text_of(value)
    if text is None:
        return maybe("a condition value is no text")
    return match(text, item, variables, settle)


def _null(value: Value, missing: bool) -> Tri:
    text = text_of(value)
    spelt = text.literal.lower() if text is not None and text.literal is not None else None
    if spelt not in ("true", "false"):
        return maybe("the value of a Null condition is not known")
    return of((spelt == "true") is missing)


def _equals(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
    return covers([exact(pattern_of(wanted, variables))], exact(item.pieces), settle)


def _equals_folded(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
    return covers([exact(pattern_of(wanted, variables), fold=True)], exact(item.pieces, fold=True), settle)


def _like(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
    return covers([pattern_of(wanted, variables)], exact(item.pieces), settle)


def _arn(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
    pattern = pattern_of(wanted, variables)
    if pattern == ("*",):
        return YES
    one, other = _segments(pattern), _segments(item.pieces)
    if len(one) != len(other):
        if any(isinstance(piece, Symbol) and piece.kind != GENERATED for piece in (*pattern, *item.pieces)):
            return _like(wanted, item, variables, settle)  # a symbol may stand for several parts
        return maybe(f'"{show(wanted)}" is not a whole ARN') if "*" in show(wanted) else NO
    return both(covers([left], exact(right), settle) for left, right in zip(one, other, strict=True))


def _segments(pieces: Pieces) -> list[Pieces]:
    """The six parts of an ARN; a colon in the last one separates nothing."""
    parts: list[list[str | Symbol]] = [[]]
    for piece in pieces:
        if isinstance(piece, Symbol):
            parts[-1].append(piece)
            continue
        first, *rest = piece.split(":", 6 - len(parts))
        parts[-1].append(first)
        parts.extend([part] for part in rest)
    return [join_pieces(part) for part in parts]


def _bool(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
    return _equals_folded(wanted, item, variables, settle)


def _compared(read: Callable[[str], float | None], holds: Callable[[float, float], bool]) -> Match:
    """A comparison of the request's value (first) with the policy's, both read as numbers."""

    def match(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
        if wanted.literal is None or item.literal is None:
            return maybe(next((s.reason for s in (*wanted.symbols, *item.symbols) if s.reason), "a value is not known"))
        left, right = read(item.literal), read(wanted.literal)
        if left is None or right is None:
            return maybe(f'"{wanted.literal}" cannot be compared with "{item.literal}"')
        return of(holds(left, right))

    return match


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> float | None:
    """Seconds since 1970, from ISO 8601 or from the number itself."""
    number = _number(text)
    if number is not None:
        return number
    from datetime import datetime, timezone

    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _ip_address(wanted: Text, item: Text, variables: bool, settle: Settle) -> Tri:
    if wanted.literal is None or item.literal is None:
        return maybe("an address is not known")
    from ipaddress import ip_address, ip_network

    try:
        return of(ip_address(item.literal) in ip_network(wanted.literal, strict=False))
    except (ValueError, TypeError):
        return maybe(f'"{wanted.literal}" is no range of addresses')


_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda left, right: left == right,
    "LessThan": lambda left, right: left < right,
    "LessThanEquals": lambda left, right: left <= right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanEquals": lambda left, right: left >= right,
}

_MATCHES: Mapping[str, Match] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_folded,
    "StringLike": _like,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _bool,
    "BinaryEquals": _equals,
    "IpAddress": _ip_address,
    **{f"Numeric{order}": _compared(_number, holds) for order, holds in _ORDERS.items()},
    **{f"Date{order}": _compared(_date, holds) for order, holds in _ORDERS.items()},
}

_NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
