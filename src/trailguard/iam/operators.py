"""The operators of IAM conditions: their names, and how each compares a value of a request with those of a policy.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.reasons import open_value
from trailguard.cloudformation.scenarios.values import Text, show
from trailguard.iam.globs import Glob, arn_glob, folded, glob
from trailguard.iam.logic import Tri, either, maybe, of

EQUALS, FOLDED, LIKE, ARN, NUMBER, DATE, BINARY, ADDRESS, NULL = (
    "equals", "folded", "like", "arn", "number", "date", "binary", "address", "null",
)  # fmt: skip
TEXTUAL = frozenset((EQUALS, FOLDED, LIKE, ARN))

_KINDS: Mapping[str, tuple[str, bool]] = {
    "stringequals": (EQUALS, False),
    "stringnotequals": (EQUALS, True),
    "stringequalsignorecase": (FOLDED, False),
    "stringnotequalsignorecase": (FOLDED, True),
    "stringlike": (LIKE, False),
    "stringnotlike": (LIKE, True),
    "arnequals": (ARN, False),
    "arnlike": (ARN, False),
    "arnnotequals": (ARN, True),
    "arnnotlike": (ARN, True),
    "bool": (FOLDED, False),
    "binaryequals": (BINARY, False),
    "ipaddress": (ADDRESS, False),
    "notipaddress": (ADDRESS, True),
    "null": (NULL, False),
}
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}
_NAME = re.compile(r"(?:(foranyvalue|forallvalues):)?(.*?)(ifexists)?", re.IGNORECASE)
# Texts, which `re` makes patterns of when they are first used: compiling takes longer than most uses.
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DATE = r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?)?)?"


class Operator(NamedTuple):
    """An operator: how it compares, whether it is negated, over which values, and what it says of a missing key.

    `every` is True for ForAllValues, False for ForAnyValue, None without either. `order` compares numbers and dates.
    """

    kind: str
    negated: bool
    every: bool | None
    if_exists: bool
    order: Callable[[float, float], bool] = operator.eq


def read_operator(name: str) -> Operator | None:
    """Read the name of an operator, in any letter case; None when IAM has none of that name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    quantifier, base, if_exists = found[1], found[2].lower(), found[3] is not None
    every = None if quantifier is None else quantifier.lower() == "forallvalues"
    if base in _KINDS:
        kind, negated = _KINDS[base]
        if kind == NULL and (if_exists or every is not None):
            return None
        return Operator(kind, negated, every, if_exists)
    for kind in (NUMBER, DATE):
        prefix = "numeric" if kind is NUMBER else "date"
        rest = base.removeprefix(prefix)
        if base.startswith(prefix) and rest == "notequals":
            return Operator(kind, True, every, if_exists)
        if base.startswith(prefix) and rest in _ORDERS:
            return Operator(kind, False, every, if_exists, _ORDERS[rest])
    return None


def pattern(kind: str, text: Text, variables: bool) -> Glob:
    """A value of a policy as its operator reads it."""
    found = glob(text.pieces, wild=kind in (LIKE, ARN), variables=variables)
    if kind == ARN:
        return arn_glob(found)
    return folded(found) if kind == FOLDED else found


def refusal(kind: str, literal: str) -> str | None:
    """Why AWS would refuse a value of a policy for an operator, or None."""
    if kind == NUMBER and number(literal) is None:
        return f'"{literal}" is not a number'
    if kind == DATE and moment(literal) is None:
        return f'"{literal}" is not a date'
    if kind == ADDRESS and _network(literal) is None:
        return f'"{literal}" is not a range of IP addresses'
    if kind == NULL and literal.lower() not in ("true", "false"):
        return f'"{literal}" is neither true nor false'
    if kind == BINARY and _bytes(literal) is None:
        return f'"{literal}" is not base64'
    return None


def compare(op: Operator, sent: Text, wanted: tuple[Text, ...]) -> Tri:
    """Tell whether a value of the request is one of the policy's, for operators that read more than text in values."""
    return either(_compare_one(op, sent, text) for text in wanted)


def _compare_one(op: Operator, sent: Text, wanted: Text) -> Tri:
    left, right = sent.literal, wanted.literal
    if left is None or right is None:
        if sent.pieces == wanted.pieces and op.kind == BINARY:
            return of(True)
        symbol = (*wanted.symbols, *sent.symbols)[0]
        return maybe(open_value(symbol))
    if op.kind == ADDRESS:
        return _within(left, right)
    if op.kind == BINARY:
        return of(_bytes(left) == _bytes(right))
    read = number if op.kind == NUMBER else moment
    one, other = read(left), read(right)
    if one is None or other is None:
        return maybe(f'"{show(sent)}" cannot be compared with "{show(wanted)}"')
    return of(op.order(one, other))


def number(text: str) -> float | None:
    """Read a number."""
    return float(text) if re.fullmatch(_NUMBER, text) else None


def moment(text: str) -> float | None:
    """Seconds since 1970, from a date of ISO 8601 or from the number itself. Four digits are a year."""
    found = re.fullmatch(_DATE, text)
    if found is None:
        return number(text)
    from datetime import datetime, timedelta, timezone

    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        start = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=timezone.utc,
        )  # fmt: skip
    except ValueError:
        return None
    offset = timedelta()
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    return start.timestamp() - offset.total_seconds() + float(fraction or 0)


def _bytes(text: str) -> bytes | None:
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def _network(text: str) -> object:
    from ipaddress import ip_network

    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _within(address: str, network: str) -> Tri:
    from ipaddress import ip_address, ip_network

    try:
        return of(ip_address(address) in ip_network(network, strict=False))
    except ValueError:
        return maybe(f'"{address}" cannot be compared with "{network}"')
