"""Snapshots made for tests, in the form that `trailguard snapshot` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml

ACCOUNT, REGION = "111122223333", "eu-west-1"
HERE = f"{ACCOUNT}/{REGION}"
SCHEMA = "trailguard-snapshot/1"
TAKEN = "2026-11-20T08:00:00Z"

Thing: TypeAlias = "tuple[str, dict[str, Any]]"  # a logical ID and a resource


def thing(
    kind: str, arn: str, properties: Mapping[str, Any], made_by: str = "", name: str = "", **more: object
) -> Thing:
    """A thing that exists: `made_by` is `ACCOUNT/REGION/STACK/LOGICALID`."""
    known: dict[str, Any] = {"arn": arn}
    if made_by:
        stack, _, logical_id = made_by.rpartition("/")
        known.update(stack=stack, logical_id=logical_id)
    name = name or kind.rpartition("::")[2] + "".join(filter(str.isalnum, arn.rpartition(":")[2].title()))
    metadata = {"trailguard": {**known, **more}}
    return name, {"Type": kind, "Metadata": metadata, "Properties": dict(properties)}


def bucket(name: str, made_by: str = "", **properties: object) -> Thing:
    """A bucket that exists."""
    return thing("AWS::S3::Bucket", f"arn:aws:s3:::{name}", {"BucketName": name, **properties}, made_by)


def policy(name: str, statements: object = None, made_by: str = "", account: str = ACCOUNT) -> Thing:
    """The policy of a bucket; without statements what CloudTrail needs."""
    document: object = statements
    if isinstance(statements, list) or statements is None:
        document = {"Version": "2012-10-17", "Statement": statements or grants(name, account)}
    return thing("AWS::S3::BucketPolicy", f"arn:aws:s3:::{name}", {"Bucket": name, "PolicyDocument": document}, made_by)


def grants(name: str, account: str = ACCOUNT, sources: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What lets CloudTrail deliver to a bucket."""
    who = {"Service": "cloudtrail.amazonaws.com"}
    bound = {"aws:SourceAccount": account}
    return [
        {
            "Effect": "Allow", "Principal": who, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{name}",
            "Condition": {"StringEquals": bound},
        },
        {
            "Effect": "Allow", "Principal": who, "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{name}/AWSLogs/{account}/*",
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **bound}},
        },
    ]  # fmt: skip


def trail(name: str, bucket_name: str, made_by: str = "", place: str = HERE, **properties: object) -> Thing:
    """A trail that exists, which lacks nothing that the default profile asks for."""
    account, _, region = place.partition("/")
    given = {
        "TrailName": name, "S3BucketName": bucket_name, "IsLogging": True, "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True, "IsOrganizationTrail": False,
        "EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}],
        **properties,
    }  # fmt: skip
    return thing("AWS::CloudTrail::Trail", f"arn:aws:cloudtrail:{region}:{account}:trail/{name}", given, made_by)


class _Plain(yaml.SafeDumper):
    """Writes what is there twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def dumped(data: object) -> str:
    """YAML as `trailguard snapshot` writes it: in blocks, without anchors."""
    return yaml.dump(data, Dumper=_Plain, sort_keys=False)


def write(
    folder: Path,
    parts: Mapping[str, Sequence[Thing]],
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
    exports: Sequence[Mapping[str, str]] = (),
    taken: str = TAKEN,
    **more: object,
) -> Path:
    """Write a snapshot: what exists by ACCOUNT/REGION, the stacks by ACCOUNT/REGION/NAME with template, parameters."""
    contexts: list[dict[str, Any]] = []
    for place, things in parts.items():
        account, _, region = place.partition("/")
        target = folder / account / region
        target.mkdir(parents=True, exist_ok=True)
        resources = dict(things)
        assert len(resources) == len(things), "two things of one logical ID"
        whole = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        (target / "existing-1.yaml").write_text(dumped(whole), encoding="utf-8")
        context = {"name": place, "templates": [f"{place}/existing-*.yaml"], "account_id": account}
        contexts.append(context if region == "global" else {**context, "region": region})
    for name, stack in (stacks or {}).items():
        account, region, short = name.split("/")
        target = folder / account / region / "stacks"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{short}.json").write_text(json.dumps(stack["template"], indent=1), encoding="utf-8")
        contexts.append(
            {
                "name": name, "templates": [f"{account}/{region}/stacks/{short}.json"], "account_id": account,
                "region": region, "parameters": stack.get("parameters", {}),
            }
        )  # fmt: skip
    world = {"contexts": contexts, "exports": list(exports)}
    (folder / "world.yaml").write_text(dumped(world), encoding="utf-8")
    told = {"schema": SCHEMA, "taken": taken, "by": "arn:aws:iam::111122223333:role/Auditor", **more}
    (folder / "snapshot.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    return folder
