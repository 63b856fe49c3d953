"""Reads buckets: their settings and policies, never what is in them.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.asking import Gone, Refused
from trailguard.account.bucket_shapes import (
    access_control,
    encryption,
    lifecycle,
    lock,
    logging,
    ownership,
    public_access,
    versioning,
)
from trailguard.account.existing import Existing, document, existing, unread
from trailguard.account.kinds import KINDS
from trailguard.account.part import Part, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.account.asking import Asker

_BUCKET, _POLICY = KINDS["buckets"].types
_SETTINGS = (
    Setting(
        "s3:GetPublicAccessBlock",
        ("PublicAccessBlockConfiguration",),
        public_access,
        ("NoSuchPublicAccessBlockConfiguration",),
    ),
    Setting("s3:GetBucketOwnershipControls", ("OwnershipControls",), ownership, ("OwnershipControlsNotFoundError",)),
    Setting("s3:GetBucketVersioning", ("VersioningConfiguration",), versioning),
    Setting("s3:GetBucketLogging", ("LoggingConfiguration",), logging),
    Setting(
        "s3:GetBucketLifecycleConfiguration",
        ("LifecycleConfiguration",),
        lifecycle,
        ("NoSuchLifecycleConfiguration",),
    ),
    Setting(
        "s3:GetObjectLockConfiguration",
        ("ObjectLockEnabled", "ObjectLockConfiguration"),
        lock,
        ("ObjectLockConfigurationNotFoundError",),
    ),
    Setting(
        "s3:GetBucketEncryption",
        ("BucketEncryption",),
        encryption,
        ("ServerSideEncryptionConfigurationNotFoundError",),
    ),
    Setting("s3:GetBucketAcl", ("AccessControl",), access_control),
)
_OLD_NAMES = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}  # of Regions, in locations of buckets
_REGION_HEADER = "x-amz-bucket-region"


def read(part: Part) -> None:
    """Read the buckets of this account that are in this Region."""

    def buckets() -> list[Existing]:
        regions, refusals = _all(part.asker, part.region)
        for refusal in refusals:
            part.note(refusal)
            part.lacks(KINDS["buckets"].types, f"{refusal.reason} for {refusal.refusal.resource}")
        here = sorted(name for name, region in regions.items() if region == part.region and part.wants(name))
        return part.each(lambda name: _bucket(part, name), here)

    part.listed(KINDS["buckets"].types, buckets)


def owned(asker: Asker, region: str) -> dict[str, str]:
    """The Regions of the buckets of an account, by name; none when they cannot be listed."""
    try:
        return _all(asker, region)[0]
    except Refused:
        return {}


def region_of(part: Part, name: str) -> str:
    """The Region of a bucket, whoever owns it. Raises Gone when there is none, and Refused when that is not told."""
    try:
        found = part.ask("s3:GetBucketLocation", f"arn:{part.asker.partition}:s3:::{name}", Bucket=name)
    except Refused as error:
        told = error.headers.get(_REGION_HEADER)  # S3 says it with a refusal, too
        if not told:
            raise
        return told
    location = found.get("LocationConstraint")
    return str(_OLD_NAMES.get(location, location))


def one(part: Part, name: str) -> None:
    """Read a bucket by its name; raises Gone when there is none."""
    part.resources += _bucket(part, name)


def _all(asker: Asker, region: str) -> tuple[dict[str, str], list[Refused]]:
    """The Regions of all buckets of an account, by name, and what stood in the way. New answers list them."""

    def find() -> tuple[dict[str, str], list[Refused]]:
        listed = {
            bucket["Name"]: bucket.get("BucketRegion")
            for page in asker.pages("s3:ListBuckets", region)
            for bucket in page.get("Buckets") or ()
        }
        part = Part(asker, region)

        def locate(name: str) -> list[tuple[str, str] | Refused]:
            try:
                return [(name, region_of(part, name))]
            except Gone:
                return []
            except Refused as error:
                return [error]

        located = asker.each(locate, sorted(name for name, place in listed.items() if not place))
        known = {name: place for name, place in listed.items() if place}
        known |= dict(each for each in located if isinstance(each, tuple))
        return known, [each for each in located if isinstance(each, Refused)]

    return asker.once("buckets", find)


def _bucket(part: Part, name: str) -> list[Existing]:
    arn = f"arn:{part.asker.partition}:s3:::{name}"
    properties = {"BucketName": name, **part.settings(_SETTINGS, arn, Bucket=name)}
    policy = _policy(part, name, arn)
    _settle_ownership(properties)
    return [existing(part.place, _BUCKET, arn, properties, name=name), *policy]


def _policy(part: Part, name: str, arn: str) -> list[Existing]:
    try:
        answer = part.ask("s3:GetBucketPolicy", arn, ("NoSuchBucketPolicy",), Bucket=name)
    except Refused as error:
        part.note(error)
        said: Any = unread(error.reason)
    else:
        if answer is None:
            return []
        said = document(answer["Policy"])
    return [existing(part.place, _POLICY, arn, {"Bucket": name, "PolicyDocument": said}, name=name)]


def _settle_ownership(properties: dict[str, Any]) -> None:
    """Have ACLs only where they count: none does where the owner of the bucket owns all, which S3 then says as one.

    A bucket without ownership controls, as they were before 2023, leaves objects to their writers.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """
    controls = properties.get("OwnershipControls")
    if controls is not None and "Rules" not in controls:  # refused: an ACL needs controls beside it
        properties["OwnershipControls"] = {"Rules": [{"ObjectOwnership": controls}]}
    elif controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
        properties.pop("AccessControl", None)
    elif "AccessControl" in properties:
        properties.setdefault("OwnershipControls", {"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
