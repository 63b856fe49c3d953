"""Reads what trails name outside of the accounts and Regions that were asked: buckets, keys, topics, log groups.

A trail's bucket is often in an account of its own, which may refuse to answer; then that is what is known of it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from trailguard.account import buckets, keys, trails, watching
from trailguard.account.asking import Gone, Refused
from trailguard.account.existing import ELSEWHERE, Existing
from trailguard.account.part import Part, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from trailguard.account.asking import Asker
    from trailguard.account.wanted import Wanted

_OF_AWS = ":alias/aws/"
_ARNS = {
    "keys": re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[\w/-]+"),
    "topics": re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]+"),
}
_SOURCES = ("AWS::CloudTrail::Trail", "AWS::CloudTrail::EventDataStore")


class Mention(NamedTuple):
    """Something that a thing names: its kind and ARN; the account, Region and ARN of what names it.

    `asker` is the account as which that was read.
    """

    kind: str
    arn: str
    account: str
    region: str
    by: str
    asker: str


class Named(NamedTuple):
    """What was read because it is named, and what is named and is not there."""

    readings: list[Reading]
    missing: list[Mention]


def complete(
    askers: dict[str, Asker],
    readings: list[Reading],
    kinds: Collection[str],
    wanted: Wanted | None,
    now: Callable[[], str],
) -> Named:
    """Read what trails and event data stores name and nobody has read yet, and what that names in turn.

    With `wanted`, what templates name is followed in the same way.
    """
    known = {
        each.arn: (each, reading.account) for reading in readings for each in reading.resources if _names_others(each)
    }
    found = Named([], [])
    seen: set[str] = set()
    sources = [each for each in known.values() if wanted is not None or each[0].type in _SOURCES]
    waiting = [mention for each in sources for mention in _mentions(*each)]
    waiting += [
        Mention("trails", arn, reading.account, reading.region, "", reading.account)
        for reading in readings
        for arn in reading.shadows
    ]
    asker = next(iter(askers.values()))
    if wanted is not None and readings:
        waiting += _of_templates(wanted, asker, readings[0].region)
    while waiting:
        fresh = {each.arn: each for each in waiting if each.arn not in seen and each.kind in kinds}
        seen.update(fresh)
        unknown = [mention for arn, mention in sorted(fresh.items()) if arn not in known]
        for result in asker.each(lambda mention: [_read(askers, mention, now())], unknown):
            if isinstance(result, Mention):
                if result.by:  # what a template names may have to be made yet
                    found.missing.append(result)
                continue
            reading, as_account = result
            found.readings.append(reading)
            known |= {each.arn: (each, as_account) for each in reading.resources if _names_others(each)}
        waiting = [more for arn in fresh if arn in known for more in _mentions(*known[arn])]
    return found


def _of_templates(wanted: Wanted, asker: Asker, region: str) -> Iterator[Mention]:
    """What templates name in a way that can be asked about, wherever it is."""
    for name in sorted(wanted.buckets):
        arn = f"arn:{asker.partition}:s3:::{name}"
        yield Mention("buckets", arn, asker.account, region, "", asker.account)
    for text in sorted(wanted.texts):
        kind = next((kind for kind, pattern in _ARNS.items() if pattern.fullmatch(text)), None)
        if kind is not None:
            yield Mention(kind, text, asker.account, region, "", asker.account)


def _names_others(one: Existing) -> bool:
    """Policies have the ARNs of what they are on: those are not asked about."""
    return not one.type.endswith("Policy") or one.type.startswith("AWS::IAM::")


def _read(askers: dict[str, Asker], mention: Mention, taken: str) -> tuple[Reading, str] | Mention:
    """Read what is named, and say as which account; gives the mention back when it is not there."""
    _, _, _, region, account, name = mention.arn.split(":", 5)
    part = Part(askers.get(account) or askers[mention.asker], region, account)
    try:
        if mention.kind == "buckets":
            part = _bucket(askers, mention, name)
        elif mention.kind == "trails":
            trails.one(part, mention.arn)
        elif mention.kind == "keys":
            keys.one(part, mention.arn)
        elif mention.kind == "topics":
            watching.one_topic(part, mention.arn)
        else:
            watching.one_group(part, name.removeprefix("log-group:"))
    except Gone:
        return mention
    return part.reading(taken), part.asker.account


def _bucket(askers: dict[str, Asker], mention: Mention, name: str) -> Part:
    """Read a bucket as its owner, if that is one who can be asked."""
    for account, asker in askers.items():
        region = buckets.owned(asker, mention.region).get(name)
        if region is not None:
            part = Part(asker, region, account)
            break
    else:
        asker = askers[mention.asker]
        try:
            region = buckets.region_of(Part(asker, mention.region), name)
        except Refused:
            region = mention.region
        part = Part(asker, region, ELSEWHERE)
    buckets.one(part, name)
    return part


def _mentions(one: Existing, asker: str) -> Iterator[Mention]:
    """What a thing names that was read as some account."""
    for kind, name in _names(one):
        arn = _arn(one, kind, name) if isinstance(name, str) and name else ""
        if arn.count(":") >= 5 and _OF_AWS not in arn:
            yield Mention(kind, arn, one.account, one.region, one.arn, asker)


def _arn(one: Existing, kind: str, name: str) -> str:
    """The ARN of what a thing names in one of the ways in which it may."""
    partition = one.arn.split(":")[1]
    if kind == "buckets":
        return f"arn:{partition}:s3:::{name}"
    if kind == "keys" and not name.startswith("arn:"):
        return f"arn:{partition}:kms:{one.region}:{one.account}:{name if '/' in name else f'key/{name}'}"
    return name.removesuffix(":*")


def _names(one: Existing) -> Iterable[tuple[str, Any]]:
    """The kinds of what a thing names, and their names as they stand there."""
    properties = one.properties
    if one.type == "AWS::CloudTrail::Trail":
        yield "buckets", properties.get("S3BucketName")
        yield "keys", properties.get("KMSKeyId")
        yield "topics", properties.get("SnsTopicName")
        yield "logs", properties.get("CloudWatchLogsLogGroupArn")
    elif one.type == "AWS::S3::Bucket":
        yield "buckets", properties.get("LoggingConfiguration", {}).get("DestinationBucketName")
        rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", ())
        for rule in rules:
            yield "keys", rule.get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
    elif one.type == "AWS::SNS::Topic":
        yield "keys", properties.get("KmsMasterKeyId")
    elif one.type == "AWS::KMS::Alias":
        yield "keys", properties.get("TargetKeyId")
    else:
        yield "keys", properties.get("KmsKeyId")
