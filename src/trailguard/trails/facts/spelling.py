"""What is wrong with a text where a name goes: whatever the parts of it are that nobody wrote down, AWS refuses it.

Each function takes the pieces of a text and gives the fault in words that follow "NAME is TEXT, ", or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Pieces, Symbol, Text, join_pieces, show
from trailguard.trails.facts.names import is_free, may_be_arn, spelt

Fault: TypeAlias = Callable[[Pieces], "str | None"]

# The least that pseudo parameters put into a name. A name that AWS makes has one letter at least.
_LEAST = {"AWS::AccountId": 12, "AWS::Region": 9, "AWS::Partition": 3, "AWS::StackName": 1}

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and CloudTrail takes no other names:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html
_BUCKET_SIZES = (3, 63)
_BUCKET_LETTERS = re.compile(r"[a-z0-9.-]*")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_DOMAIN = re.compile(r"\.s3(?:[.-].*)?\.(?:amazonaws\.[a-z.]+|\$\{AWS::URLSuffix[^}]*\})$")

# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
_TRAIL_SIZES = (3, 128)
_TRAIL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_ADJACENT = re.compile(r"[._-]{2}")
_BAD_LETTERS = "which holds or ends in something else than letters, digits, and . _ - between them"
_SIDE_BY_SIDE = "which has two of . _ - side by side"

# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
_TOPIC_LETTERS = re.compile(r"[A-Za-z0-9_-]*(?:\.fifo)?")

_SHOWN = 120  # letters of a text that a message shows
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_ADDRESS_FAULT = "which looks like an IP address"


def try_faulty(scenario: Scenario, text: Text, fault_of: Fault) -> None:
    """Raise Split on the parameters that put a fault into a text with their default or one of their allowed values.

    A parameter that may be any text is taken to be right: only what the template itself says of it can be wrong.
    """
    for symbol in filter(is_free, text.symbols):
        variable = scenario.model.space.variables[symbol.name]
        for value in variable.allowed or (variable.default,):
            put = join_pieces(value or "" if piece == symbol else piece for piece in text.pieces)
            if value is not None and put and fault_of(put) is not None:
                scenario.fix(symbol.name)


def bucket_fault(pieces: Pieces) -> str | None:
    """What is wrong with the name of a bucket."""
    literal = _literal(pieces)
    if spelt(pieces).startswith("arn:"):
        return "an ARN where a bucket name goes"
    if any(isinstance(piece, str) and "://" in piece for piece in pieces):
        return "a URL where a bucket name goes"
    if _DOMAIN.search("".join(piece if isinstance(piece, str) else f"${{{piece.name}}}" for piece in pieces)[-200:]):
        return "the domain name of a bucket where its name goes"
    for piece in pieces:
        if isinstance(piece, str) and not _BUCKET_LETTERS.fullmatch(piece):
            return "and a bucket name has only lower-case letters, digits, dots and hyphens"
    if any(isinstance(piece, str) and ".." in piece for piece in pieces):
        return "which has two dots side by side"
    if _start(pieces).startswith((".", "-")) or _end(pieces).endswith((".", "-")):
        return "and a bucket name begins and ends with a letter or a digit"
    if literal is not None and _ADDRESS.fullmatch(literal):
        return _ADDRESS_FAULT
    reserved = next((start for start in _RESERVED_STARTS if _start(pieces).startswith(start)), None)
    if reserved is not None:
        return f"and names that begin with {reserved} belong to Amazon S3"
    reserved = next((end for end in _RESERVED_ENDS if _end(pieces).endswith(end)), None)
    if reserved is not None:
        return f"and names that end in {reserved} are not those of ordinary buckets"
    return _size_fault(pieces, *_BUCKET_SIZES)


def trail_name_fault(pieces: Pieces) -> str | None:
    """What is wrong with the name of a trail."""
    name = _literal(pieces)
    size = _size_fault(pieces, *_TRAIL_SIZES)
    if name is not None and size is not None:
        return size
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            padded = f"{'x' if index else ''}{piece}{'x' if index < len(pieces) - 1 else ''}"
            if not _TRAIL_NAME.fullmatch(padded):
                return _BAD_LETTERS
            if _ADJACENT.search(piece):
                return _SIDE_BY_SIDE
    if name is not None and _ADDRESS.fullmatch(name):
        return _ADDRESS_FAULT
    return size


def topic_fault(pieces: Pieces) -> str | None:
    """What is wrong with the name or the ARN of a topic."""
    if spelt(pieces).startswith("arn:"):
        return other_arn(pieces, "sns", "topic") or _size_fault(pieces, 1, 256)
    for piece in pieces:
        if isinstance(piece, str) and not _TOPIC_LETTERS.fullmatch(piece):
            whole = len(pieces) == 1
            return None if not whole and ":" in piece else "and a topic name has only letters, digits, - and _"
    return _size_fault(pieces, 1, 256)


def other_arn(pieces: Pieces, service: str, what: str) -> str | None:
    """What is wrong with a text where a name or an ARN of a service goes: it is an ARN of another service."""
    other = spelt(pieces).startswith("arn:") and not may_be_arn(pieces, service)
    return f"the ARN of something else than a {what}" if other else None


def either(words: Sequence[str]) -> str:
    """Words of which one is meant: A, B or C."""
    return " or ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def sub_missing(text: Text) -> str:
    """The end of a message about a text that has `${NAME}` in it as it stands, where nothing fills it in."""
    return "; Fn::Sub is missing" if "${" in (text.literal or "") else ""


def brief(text: Text) -> str:
    """A text for people, not all of it when it is long."""
    return short(show(text))


def short(shown: str) -> str:
    """A word for people, not all of it when it is long."""
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."


def at_most(size: int) -> Fault:
    """What is wrong with a text that has a greatest length."""
    return lambda pieces: _size_fault(pieces, 0, size)


def _size_fault(pieces: Pieces, least: int, most: int) -> str | None:
    literal = _literal(pieces)
    size = sum(len(piece) if isinstance(piece, str) else _least(piece) for piece in pieces)
    if literal is not None:
        allowed = f"{least} to {most}" if least > 1 else f"{most} at most"
        long = f"{size} character{'' if size == 1 else 's'}"
        return None if least <= size <= most else f"which is {long} long, and it may be {allowed}"
    return f"which is more than {most} characters long" if size > most else None


def _least(symbol: Symbol) -> int:
    """How many letters a symbol stands for at least."""
    return next((size for name, size in _LEAST.items() if symbol.name.startswith(name)), 0)


def _literal(pieces: Pieces) -> str | None:
    return None if any(isinstance(piece, Symbol) for piece in pieces) else "".join(map(str, pieces))


def _start(pieces: Pieces) -> str:
    return pieces[0] if pieces and isinstance(pieces[0], str) else ""


def _end(pieces: Pieces) -> str:
    return pieces[-1] if pieces and isinstance(pieces[-1], str) else ""
