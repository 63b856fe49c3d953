"""Builds resolved values, policies and requests for the tests of the policy checker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trailguard.cloudformation.nodes import Scalar
from trailguard.cloudformation.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Flag,
    ListValue,
    MapValue,
    Null,
    Pieces,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
)
from trailguard.iam.evaluate import Request
from trailguard.iam.policy import Policy, read_policy

NODE = Scalar("here", True, 1, 1, 1, 5)
SERVICE = "cloudtrail.amazonaws.com"
BUCKET = "arn:aws:s3:::logs"
TRAIL = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"
ACCOUNT = Symbol(VARIABLE, "AWS::AccountId")
PARAMETER = Symbol(VARIABLE, "Parameter")
MADE = Symbol(GENERATED, "name of LogBucket", "AWS makes the name of LogBucket")
IMPORT = Symbol(OPAQUE, "import", "the export is not in the scanned files")


class Asked(Exception):
    """Raised where an answer hinges on a variable."""

    def __init__(self, symbol: Symbol, candidates: list[str | Symbol]) -> None:
        super().__init__(symbol, candidates)
        self.symbol = symbol
        self.candidates = candidates


def never(symbol: Symbol, candidates: Iterable[str | Symbol]) -> None:
    """A settle that must not be called."""
    raise Asked(symbol, list(candidates))


def otherwise(symbol: Symbol, candidates: Iterable[str | Symbol]) -> None:
    """A settle in a scenario where no variable equals any candidate."""


def unknown(reason: str = "nobody knows") -> Unknown:
    return Unknown(reason, reason, NODE)


def value(thing: Any) -> Value:
    """A resolved value: a tuple stands for text in pieces."""
    if isinstance(thing, Unknown):
        return thing
    if thing is None:
        return Null(NODE)
    if isinstance(thing, bool):
        return Flag(thing, NODE)
    if isinstance(thing, Symbol):
        return Text((thing,), NODE)
    if isinstance(thing, str):
        return text(thing)
    if isinstance(thing, tuple):
        return text(*thing)
    if isinstance(thing, list):
        return ListValue(tuple(map(value, thing)), NODE)
    assert isinstance(thing, dict)
    entries = {key: value(item) for key, item in thing.items()}
    return MapValue(entries, dict.fromkeys(entries, NODE), NODE)


def text(*pieces: str | Symbol) -> Text:
    return Text(join_pieces(pieces), NODE)


def pieces(*parts: str | Symbol) -> Pieces:
    return join_pieces(parts)


def statement(**changes: Any) -> dict[str, Any]:
    """A statement that grants the request of `request()`; an element set to None is left out."""
    usual: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "s3:PutObject",
        "Resource": f"{BUCKET}/AWSLogs/*",
    }
    return {name: item for name, item in {**usual, **changes}.items() if item is not None}


def policy(*statements: Any, version: str = "2012-10-17") -> Policy:
    return read_policy(value({"Version": version, "Statement": list(statements)}))


def request(
    resource: str | Pieces = f"{BUCKET}/AWSLogs/111122223333/CloudTrail/*",
    action: str = "s3:PutObject",
    context: Mapping[str, Iterable[str]] | None = None,
    accounts: tuple[str, ...] = ("086441151436",),
    everyone: bool = True,
) -> Request:
    sent = {"s3:x-amz-acl": ["bucket-owner-full-control"], "aws:principalorgid": []} if context is None else context
    return Request(
        service=SERVICE,
        accounts=accounts,
        action=action,
        resource=(resource,) if isinstance(resource, str) else resource,
        context={key: tuple(text(item) for item in items) for key, items in sent.items()},
        everyone=everyone,
    )
