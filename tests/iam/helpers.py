"""Values, policies and requests for the tests, written as plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Pieces,
    Symbol,
    Text,
    Unknown,
    Value,
    every_value,
    join_pieces,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.iam.callers import Request
from trailguard.iam.conditions import ContextValue, Undecided
from trailguard.iam.policy import Policy, read_policy

NODE = Node(1, 1, 1, 2)
SERVICE = "cloudtrail.amazonaws.com"
LEGACY = "086441151436"

BUCKET = Symbol(GENERATED, "LogBucket", "the name of LogBucket, made at deployment")
ACCOUNT = Symbol(VARIABLE, "AWS::AccountId", "the account of the deployment is not known")
PREFIX = Symbol(VARIABLE, "Prefix", "a parameter")
IMPORTED = Symbol(OPAQUE, "import", "nobody exports it")

ARN = "arn:aws:s3:::"
LOGS: Pieces = (ARN, BUCKET, "/AWSLogs/", ACCOUNT, "/CloudTrail/*")
TRAIL: Pieces = ("arn:aws:cloudtrail:eu-west-1:", ACCOUNT, ":trail/audit")


class Settled(Exception):
    """What the tests' `settle` raises: the scenario must be split."""

    def __init__(self, name: str, candidates: Sequence[str | Symbol]) -> None:
        super().__init__(name)
        self.name = name
        self.candidates = [c if isinstance(c, str) else c.name for c in candidates]


class Ledger:
    """A `settle` that notes what it is asked and lets each variable stand for some other value."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(
        self, symbol: Symbol, candidates: Sequence[str | Symbol], matters: Callable[[str], bool] = every_value, /
    ) -> None:
        self.asked.append((symbol.name, [c if isinstance(c, str) else c.name for c in candidates]))


def refuse(symbol: Symbol, candidates: Sequence[str | Symbol], matters: Callable[[str], bool] = every_value, /) -> None:
    raise Settled(symbol.name, candidates)


def pieces(item: str | Symbol | tuple[str | Symbol, ...]) -> Pieces:
    return join_pieces(item if isinstance(item, tuple) and not isinstance(item, Symbol) else (item,))


def value(item: Any, line: int = 1) -> Value:
    """A value from Python data. Tuples are pieces of text, numbers text, None null. Each map or list starts a line."""
    node = Node(line, 1, line, 2)
    if isinstance(item, (Absent, Text, Flag, ListValue, MapValue, Unknown)):
        return item
    if isinstance(item, bool):
        return Flag(item, node)
    if item is None:
        return Null(node)
    if isinstance(item, dict):
        entries = {str(key): value(one, line + at) for at, (key, one) in enumerate(item.items())}
        return MapValue(entries, {key: Node(line, 1, line, 2) for key in entries}, node)
    if isinstance(item, list):
        return ListValue(tuple(value(one, line + 100 * at) for at, one in enumerate(item)), node)
    if isinstance(item, (int, float)):
        return Text((str(item),), node)
    return Text(pieces(item), node)


def unknown(reason: str) -> Unknown:
    return Unknown("something", reason, NODE)


def policy(*statements: Any, version: str | None = "2012-10-17") -> Policy:
    document: dict[str, Any] = {"Version": version} if version else {}
    document["Statement"] = list(statements)
    return read_policy(value(document))


def allow(**elements: Any) -> dict[str, Any]:
    """An Allow for CloudTrail to write anywhere, but for the elements that are given. None takes one away."""
    base: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "s3:PutObject",
        "Resource": "*",
    }
    for name in ("Principal", "Action", "Resource"):
        if f"Not{name}" in elements:
            del base[name]
    base |= elements
    return {name: item for name, item in base.items() if item is not None}


def deny(**elements: Any) -> dict[str, Any]:
    """A Deny for everybody to write anywhere, but for the elements that are given."""
    base = {"Effect": "Deny"} if "NotPrincipal" in elements else {"Effect": "Deny", "Principal": "*"}
    return allow(**{**base, **elements})


def sent(values: Mapping[str, Any]) -> dict[str, ContextValue]:
    """A context. A list is several values, None a key that is missing, anything else one value."""
    found: dict[str, ContextValue] = {}
    for key, item in values.items():
        if isinstance(item, Undecided):
            found[key.lower()] = item
        elif item is None:
            found[key.lower()] = ()
        else:
            items = item if isinstance(item, list) else [item]
            found[key.lower()] = tuple(Text(pieces(one), NODE) for one in items)
    return found


CONTEXT: dict[str, Any] = {
    "s3:x-amz-acl": "bucket-owner-full-control",
    "aws:SourceArn": TRAIL,
    "aws:SourceAccount": ACCOUNT,
    "aws:PrincipalIsAWSService": "true",
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.2",
    "s3:x-amz-server-side-encryption": "AES256",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": None,
    "aws:PrincipalOrgID": None,
    "aws:PrincipalAccount": None,
    "aws:PrincipalArn": None,
    "aws:SourceVpc": None,
    "aws:SourceVpce": None,
    "aws:SourceIp": None,
}


def request(action: str = "s3:PutObject", resource: Pieces = LOGS, everyone: bool = True, **changes: Any) -> Request:
    """CloudTrail's write of its log files; `changes` are context keys with `__` for `:`, and `_` for `-`."""
    keys = {key.replace("__", ":").replace("_", "-"): item for key, item in changes.items()}
    return Request(SERVICE, (LEGACY,), action, resource, sent({**CONTEXT, **keys}), everyone)
