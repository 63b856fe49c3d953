"""A thing that exists, in the shape in which a template would make it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple

UNREAD = "TrailguardUnread"  # the macro that stands for what was refused: its value comes from elsewhere
GLOBAL = "global"  # the folder of what belongs to an account and to no Region
ELSEWHERE = "elsewhere"  # that of what belongs to an account that cannot be told

_DIGITS = 6  # of a hash, behind a logical ID


class Existing(NamedTuple):
    """One thing in one account and Region.

    `properties` have CloudFormation's names and types. `physical` is what CloudFormation calls its physical ID, by
    which a stack's resources are found again; "" when none is known. `notes` are more keys of its Metadata.
    """

    account: str
    region: str
    type: str
    name: str
    arn: str
    physical: str
    properties: dict[str, Any]
    notes: dict[str, Any]

    @property
    def logical_id(self) -> str:
        """The same for the same thing in every snapshot: letters and digits of type and name, and a hash of its ARN."""
        digits = hashlib.sha256(self.arn.encode()).hexdigest()[:_DIGITS]
        return f"{self.type.rpartition(':')[2]}{_camel(self.name)}{digits}"


def existing(
    place: tuple[str, str], kind: str, arn: str, properties: dict[str, Any], *, name: str = "", physical: str = ""
) -> Existing:
    """Something in an account and a Region, without the properties that are None."""
    kept = {key: value for key, value in properties.items() if value is not None}
    name = name or arn.rpartition(":")[2]
    return Existing(*place, kind, name, arn, physical or name, kept, {})


def unread(reason: str) -> dict[str, Any]:
    """What stands at a property that could not be read; rules that hinge on it are `unknown`, with the reason."""
    return {"Fn::Transform": {"Name": UNREAD, "Parameters": {"Reason": reason}}}


def document(text: str | dict[str, Any]) -> Any:
    """A policy as AWS hands it over, in a fixed order where order means nothing.

    Lists of texts in a policy are sets, and S3, IAM and SNS hand them over in another order from call to call. A text
    that is not JSON stays a text.
    """
    if isinstance(text, str):
        try:
            return _ordered(json.loads(text))
        except ValueError:
            return text
    return _ordered(text)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_ordered(item) for item in value]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return value


def _camel(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words)[:120]
