"""How well the bucket of a trail keeps the logs: versions, access logs, retention.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html and its
property types, https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html (Object Lock needs versions, and
no bucket with it takes access logs), https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    VARIABLE,
    Absent,
    ListValue,
    MapValue,
    Text,
    Unknown,
    Value,
    join_pieces,
    show,
    text_of,
    trim_start,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.globs import Glob, glob
from trailguard.iam.inclusion import Group
from trailguard.iam.logic import NO, YES, Tri, both, either, maybe
from trailguard.iam.patterns import covers, overlaps, surely_overlaps
from trailguard.trails.bucket import files, requests
from trailguard.trails.bucket.buckets import BUCKET, log_bucket, policies_on, policy_of
from trailguard.trails.facts.facts import (
    Fact,
    FactSpec,
    boolean,
    is_empty,
    no,
    one_of,
    reason_unknown,
    settle_empty,
    unknown,
    via,
    yes,
)
from trailguard.trails.facts.lists import by_item
from trailguard.trails.facts.names import same_name
from trailguard.trails.facts.properties import NOTHING, Wanted, entry, number, step_into
from trailguard.trails.facts.spelling import bucket_fault, try_faulty

TRAIL = "AWS::CloudTrail::Trail"
_TRUTH: Mapping[str, object] = {"type": "boolean"}
_USUAL_DAYS = (365.0,)  # where a numeric parameter is tried when no rule asks


def versioned(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether the bucket keeps former versions of its files. Object Lock switches that on by itself."""
    value = entry(scenario, bucket, "VersioningConfiguration", "Status")
    if isinstance(value, Absent):
        locked = boolean(scenario, scenario.value_of(bucket, "ObjectLockEnabled"))
        if isinstance(locked, Unknown):
            return unknown(locked.node, locked.reason, f"whether {bucket.id} has Object Lock is not known")
        if locked is True:
            return yes(bucket.key, f"{bucket.id} has Object Lock, which switches versioning on")
        return no(value.node, f"{bucket.id} does not set VersioningConfiguration.Status")
    status, _, reason = one_of(scenario, value, ("Enabled", "Suspended"), "")
    if reason is not None:
        return unknown(value.node, reason, f"VersioningConfiguration.Status of {bucket.id} is not known")
    because = f'VersioningConfiguration.Status of {bucket.id} is "{status}"{via(value.node)}'
    return yes(value.node, because) if status == "Enabled" else no(value.node, because)


# --- access logs -----------------------------------------------------------------------------------------------------


def access_logged(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether Amazon S3 writes down every access to the bucket, in another bucket that takes such logs."""
    logging = scenario.value_of(bucket, "LoggingConfiguration")
    if isinstance(logging, Absent):
        return no(bucket.key, f"{bucket.id} does not set LoggingConfiguration")
    value = step_into(logging, "DestinationBucketName")
    if isinstance(value, Absent):
        return no(value.node, f"LoggingConfiguration of {bucket.id} names no bucket, so it logs to itself")
    text = text_of(value)
    if text is None or is_empty(value):
        return no(value.node, f"the DestinationBucketName of {bucket.id} is empty{via(value.node)}")
    settle_empty(scenario, text)
    fault = bucket_fault(text.pieces)
    if fault is not None:
        return no(value.node, f"the DestinationBucketName of {bucket.id} is {show(text)}{via(value.node)}, {fault}")
    try_faulty(scenario, text, bucket_fault)
    if same_name(scenario, text.pieces, scenario.returned_pieces(bucket, "Ref")):
        return no(value.node, f"{bucket.id} logs to itself{via(value.node)}")
    reason = _hidden(scenario, text)
    if reason is not None:
        return unknown(value.node, reason, f"the bucket to which {bucket.id} logs is not known")
    return _takes_logs(scenario, bucket, text)


def _hidden(scenario: Scenario, text: Text) -> str | None:
    """Why a bucket's name is not known: it comes from elsewhere as a whole or in part."""
    variables = scenario.model.space.variables
    stored = (
        variables[symbol.name].opaque
        for symbol in text.symbols
        if symbol.kind == VARIABLE and not symbol.name.startswith("AWS::")
    )
    return reason_unknown(text) or next((reason for reason in stored if reason is not None), None)


def _takes_logs(scenario: Scenario, bucket: Resource, name: Text) -> Fact:
    """Whether the bucket of a name, when it is made here, can take access logs."""
    for other in scenario.model.template.of_type(BUCKET):
        if not scenario.active(other) or not same_name(scenario, name.pieces, scenario.returned_pieces(other, "Ref")):
            continue
        value = scenario.value_of(other, "ObjectLockEnabled")
        locked = boolean(scenario, value)
        if isinstance(locked, Unknown):
            return unknown(value.node, locked.reason, f"whether {other.id} has Object Lock is not known")
        if locked is True:
            because = f"{other.id}, to which {bucket.id} logs, has Object Lock, and such a bucket takes no access logs"
            return no(value.node, because, ((name.node, f"{bucket.id} logs to it"),))
    return yes(name.node, f"{bucket.id} logs to {show(name)}")


# --- retention -------------------------------------------------------------------------------------------------------


class Expiry(NamedTuple):
    """A lifecycle rule that deletes log files after some days, or may: then `doubt` says why that is not known."""

    days: float
    node: Node
    because: str
    doubt: str | None = None


def kept_days(scenario: Scenario, bucket: Resource, wanted: Wanted = NOTHING) -> Fact:
    """After how many days the first log files are deleted; nothing when no lifecycle rule deletes any."""
    limits = wanted.numbers or _USUAL_DAYS
    rules = entry(scenario, bucket, "LifecycleConfiguration", "Rules")
    if isinstance(rules, Unknown):
        return unknown(rules.node, rules.reason, f"the lifecycle rules of {bucket.id} are not known")
    found = expiries(scenario, bucket, rules, limits)
    sure = min((one for one in found if one.doubt is None), key=lambda one: one.days, default=None)
    first = min(found, key=lambda one: (one.days, one.doubt is not None), default=None)
    if first is None:
        return Fact(None, rules.node, f"no lifecycle rule of {bucket.id} deletes log files")
    decided = first.doubt is None or (bool(wanted.numbers) and first.days >= max(limits))
    if not decided and sure is not None and wanted.numbers and sure.days < min(limits):
        first, decided = sure, True
    if not decided:
        return unknown(first.node, str(first.doubt), first.because)
    days = int(first.days) if first.days == int(first.days) else first.days
    return Fact(days, first.node, first.because)


def expiries(scenario: Scenario, bucket: Resource, rules: Value, limits: Iterable[float]) -> list[Expiry]:
    """What the lifecycle rules do to log files, in their order; nothing of those that delete none."""
    items = rules.items if isinstance(rules, ListValue) else ()
    return [one for index, item in enumerate(items) if (one := _expiry(scenario, bucket, index, item, limits))]


def _expiry(scenario: Scenario, bucket: Resource, index: int, rule: Value, limits: Iterable[float]) -> Expiry | None:
    """What a lifecycle rule does to log files; None when it deletes none."""
    if not isinstance(rule, MapValue):
        reason = reason_unknown(rule)
        return Expiry(0, rule.node, f"a lifecycle rule of {bucket.id} is not known", reason) if reason else None
    status, _, doubt = one_of(scenario, rule.entries.get("Status"), ("Enabled", "Disabled"), "")
    if doubt is None and status != "Enabled":
        return None
    name = text_of(step_into(rule, "Id"))
    label = f"lifecycle rule {show(name) if name is not None and name.pieces else index + 1} of {bucket.id}"
    date = step_into(rule, "ExpirationDate")
    value = step_into(rule, "ExpirationInDays")
    if isinstance(date, Absent) and isinstance(value, Absent):
        return None
    touched = _touches_logs(scenario, bucket, rule)
    if touched.is_no:
        return None
    doubt = doubt or (touched.reason if touched.is_unknown else None)
    if not isinstance(date, Absent):
        return Expiry(0, date.node, f"{label} deletes log files on a fixed day, however young they are", doubt)
    days = number(scenario, value, limits)
    if isinstance(days, (int, float)):
        told = f"{label} deletes log files after {days:g} days{via(value.node)}"
        return Expiry(days, value.node, told, doubt)
    reason = days.reason if isinstance(days, Unknown) else f'"{days}" is not a number of days'
    return Expiry(0, value.node, f"after how many days {label} deletes log files is not known", reason)


def _touches_logs(scenario: Scenario, bucket: Resource, rule: MapValue) -> Tri:
    """Tell whether a lifecycle rule is about log files. CloudTrail puts no tags on them."""
    tags = step_into(rule, "TagFilters")
    if isinstance(tags, ListValue) and tags.items:
        return NO
    if isinstance(tags, Unknown):
        return maybe(tags.reason, tags.node)
    if any(not isinstance(step_into(rule, f"ObjectSize{side}Than"), Absent) for side in ("Greater", "Less")):
        return maybe("how large the log files are is not known")
    prefix = step_into(rule, "Prefix")
    text = text_of(prefix)
    if text is None or not text.pieces:
        return YES
    return either(_about_keys(scenario, text, keys, known) for keys, known in _log_keys(scenario, bucket, text))


def _about_keys(scenario: Scenario, prefix: Text, keys: Sequence[Glob], known: bool) -> Tri:
    """Tell whether files lie below a prefix, of those that are known to be written, or that may be."""
    start = (*glob(prefix.pieces, wild=False), *glob(("*",)))
    if any(surely_overlaps((start,), key) for key in keys):
        touched = YES
    else:
        touched = either(overlaps((start,), key, scenario.settle) for key in keys)
    if known or touched.is_no:
        return touched
    if both(covers((Group((start,)),), key, scenario.settle) for key in keys).is_yes:
        return YES
    return maybe("where the trails of other accounts write is not known", prefix.node)


def _log_keys(scenario: Scenario, bucket: Resource, prefix: Text) -> list[tuple[Sequence[Glob], bool]]:
    """The keys of log files, and whether they are known: by the trails of the template, else by what policies grant.

    Nothing in a template tells an organization's ID, so an ID that the prefix names in its place is taken to be it.
    """
    below = join_pieces((*scenario.returned_pieces(bucket, "Arn"), "/"))
    found: list[tuple[Sequence[Glob], bool]] = []
    for trail in scenario.model.template.of_type(TRAIL):
        named = log_bucket(scenario, trail) if scenario.active(trail) else None
        if named is None or named.resource is not bucket:
            continue
        folders = files.account_folders(scenario, trail)
        if requests.is_organization_trail(scenario, trail):
            mentioned = join_pieces((*below, *prefix.pieces))
            for organization in requests.organizations(scenario, trail, named, [mentioned]):
                folders += files.organization_folders(scenario, trail, organization)
        found += [(folder.keys, True) for folder in folders]
    if found:
        return found
    for policy in policies_on(scenario, scenario.returned_pieces(bucket, "Ref"), bucket):
        for resource in policy_of(scenario, policy).granted_texts():
            rest, beyond = trim_start(resource, below)
            if rest and not beyond:
                found.append(((glob(rest),), False))
    return found or [((glob((requests.EVERYTHING,)),), False)]


FACTS: Mapping[str, FactSpec] = {
    "archive.versioned": FactSpec(versioned, _TRUTH, "the bucket keeps former versions of its files"),
    "archive.access_logged": FactSpec(access_logged, _TRUTH, "accesses to the bucket are logged to another bucket"),
    "archive.kept_days": FactSpec(
        by_item(kept_days, {"LifecycleConfiguration": False}),  # one more rule only ever deletes more
        {"type": ["number", "null"]},
        "days after which a lifecycle rule deletes the first log files; nothing when none does",
        takes_wanted=True,
    ),
}
