"""Reads KMS keys with their policies and aliases; those that AWS manages are left out, for no policy of theirs counts.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.asking import Refused
from trailguard.account.existing import Existing, document, existing, unread
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY, _REPLICA, _ALIAS = KINDS["keys"].types
_PROPERTIES = (
    "Description",
    "Enabled",
    "KeySpec",
    "KeyUsage",
    "MultiRegion",
    "Origin",
    "KeyPolicy",
    "EnableKeyRotation",
)
_ORIGINS = ("AWS_KMS", "EXTERNAL")  # that CloudFormation has a word for
_OF_AWS = "alias/aws/"
# A key of a kind that is never rotated, or one that is being deleted.
_NO_ROTATION = ("UnsupportedOperationException", "KMSInvalidStateException")


def _policy(answer: dict[str, Any]) -> dict[str, Any]:
    return {"KeyPolicy": document(answer["Policy"])}


def _rotation(answer: dict[str, Any]) -> dict[str, Any]:
    is_on = answer["KeyRotationEnabled"]
    found = {"EnableKeyRotation": is_on}
    return (
        found | {"RotationPeriodInDays": answer["RotationPeriodInDays"]}
        if is_on and answer.get("RotationPeriodInDays")
        else found
    )


_POLICY_SETTING = Setting("kms:GetKeyPolicy", ("KeyPolicy",), _policy, more=(("PolicyName", "default"),))
_ROTATION_SETTING = Setting("kms:GetKeyRotationStatus", ("EnableKeyRotation",), _rotation, _NO_ROTATION)


def read(part: Part) -> None:
    """Read the keys and aliases of this account and Region."""
    aliases = Part(part.asker, part.region)
    aliases.listed((_ALIAS,), lambda: _aliases(part))
    known_as: dict[str, list[str]] = {}
    for alias in aliases.resources:
        known_as.setdefault(alias.properties["TargetKeyId"], []).extend((alias.name, alias.arn))

    def keys() -> list[Existing]:
        listed = [(key["KeyArn"], key["KeyId"]) for key in part.items("kms:ListKeys", "Keys")]
        arns = [arn for arn, key in listed if part.wants(arn, key, *known_as.get(key, ()))]
        return part.each(lambda arn: _key(part, arn), arns)

    part.listed((_KEY, _REPLICA), keys)
    read = {key.name for key in part.resources}
    part.resources += (
        each for each in aliases.resources if part.wanted is None or each.properties["TargetKeyId"] in read
    )
    part.refused += aliases.refused
    part.unread += aliases.unread


def one(part: Part, arn: str) -> None:
    """Read a key by its ARN, or by that of an alias; raises Gone when there is none."""
    found = _key(part, arn)
    part.resources += found
    name = arn.split(":", 5)[5]
    if name.startswith("alias/"):  # the answer says which key it stands for
        for key in found:
            properties = {"AliasName": name, "TargetKeyId": key.name}
            part.resources.append(existing(part.place, _ALIAS, arn, properties, name=name))


def _aliases(part: Part) -> Iterator[Existing]:
    for alias in part.items("kms:ListAliases", "Aliases"):
        name, target = alias["AliasName"], alias.get("TargetKeyId")
        if target and not name.startswith(_OF_AWS):
            properties = {"AliasName": name, "TargetKeyId": target}
            yield existing(part.place, _ALIAS, alias["AliasArn"], properties, name=name)


def _key(part: Part, arn: str) -> list[Existing]:
    try:
        told = part.ask("kms:DescribeKey", arn, KeyId=arn)["KeyMetadata"]
        if told.get("KeyManager") == "AWS":
            return []
        replicated = told.get("MultiRegionConfiguration", {})
        if replicated.get("MultiRegionKeyType") == "REPLICA":
            properties = _common(told) | {"PrimaryKeyArn": replicated["PrimaryKey"]["Arn"]}
            properties |= part.settings((_POLICY_SETTING,), told["Arn"], KeyId=told["Arn"])
            kind = _REPLICA
        else:
            properties = _common(told) | _made(told)
            properties |= part.settings((_POLICY_SETTING, _ROTATION_SETTING), told["Arn"], KeyId=told["Arn"])
            kind = _KEY
    except Refused as error:
        part.note(error)
        if ":key/" not in arn:
            part.lacks((_KEY, _REPLICA), error.reason)
            return []
        properties = dict.fromkeys(_PROPERTIES, unread(error.reason))
        return [existing(part.place, _KEY, arn, properties, name=arn.rpartition("/")[2])]
    made = existing(part.place, kind, told["Arn"], properties, name=told["KeyId"])
    if told["KeyState"] not in ("Enabled", "Disabled"):
        made.notes["state"] = told["KeyState"]
    return [made]


def _common(told: dict[str, Any]) -> dict[str, Any]:
    return {"Description": told.get("Description") or None, "Enabled": told["Enabled"]}


def _made(told: dict[str, Any]) -> dict[str, Any]:
    origin = told.get("Origin")
    return {
        "KeySpec": told.get("KeySpec"),
        "KeyUsage": told.get("KeyUsage"),
        "MultiRegion": told.get("MultiRegion"),
        "Origin": origin if origin in _ORIGINS else None,
    }
