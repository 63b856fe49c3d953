"""The settings of buckets as CloudFormation writes them, made of what S3 answers.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""

from __future__ import annotations

from typing import Any

from trailguard.account.existing import unread

_GROUPS = "http://acs.amazonaws.com/groups/"
_ALL, _USERS, _LOGS = (
    f"{_GROUPS}{group}" for group in ("global/AllUsers", "global/AuthenticatedUsers", "s3/LogDelivery")
)
# What an ACL grants beside the owner's full control, by the word for it.
# Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
_CANNED = {
    frozenset({(_ALL, "READ")}): "PublicRead",
    frozenset({(_ALL, "READ"), (_ALL, "WRITE")}): "PublicReadWrite",
    frozenset({(_USERS, "READ")}): "AuthenticatedRead",
    frozenset({(_LOGS, "WRITE"), (_LOGS, "READ_ACP")}): "LogDeliveryWrite",
}


def public_access(answer: dict[str, Any]) -> dict[str, Any]:
    """What is done against public access."""
    return {"PublicAccessBlockConfiguration": answer["PublicAccessBlockConfiguration"]}


def ownership(answer: dict[str, Any]) -> dict[str, Any]:
    """Who owns objects."""
    rules = [{"ObjectOwnership": rule["ObjectOwnership"]} for rule in answer["OwnershipControls"]["Rules"]]
    return {"OwnershipControls": {"Rules": rules}}


def versioning(answer: dict[str, Any]) -> dict[str, Any]:
    """Whether former versions are kept; nothing for a bucket that never had it."""
    return {"VersioningConfiguration": {"Status": answer["Status"]}} if answer.get("Status") else {}


def logging(answer: dict[str, Any]) -> dict[str, Any]:
    """Where accesses are logged."""
    told = answer.get("LoggingEnabled")
    if not told:
        return {}
    made = {"DestinationBucketName": told["TargetBucket"], "LogFilePrefix": told.get("TargetPrefix", "")}
    if told.get("TargetObjectKeyFormat"):
        made["TargetObjectKeyFormat"] = told["TargetObjectKeyFormat"]
    return {"LoggingConfiguration": made}


def lock(answer: dict[str, Any]) -> dict[str, Any]:
    """Whether objects can be locked, and for how long they are."""
    told = answer["ObjectLockConfiguration"]
    if told.get("ObjectLockEnabled") != "Enabled":
        return {}
    made: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    retention = told.get("Rule", {}).get("DefaultRetention")
    if retention:
        kept = {key: retention[key] for key in ("Mode", "Days", "Years") if retention.get(key)}
        made["Rule"] = {"DefaultRetention": kept}
    return {"ObjectLockEnabled": True, "ObjectLockConfiguration": made}


def encryption(answer: dict[str, Any]) -> dict[str, Any]:
    """How objects are encrypted."""
    made = []
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        new: dict[str, Any] = {}
        if default:
            new["ServerSideEncryptionByDefault"] = {
                key: default[key] for key in ("SSEAlgorithm", "KMSMasterKeyID") if default.get(key)
            }
        if "BucketKeyEnabled" in rule:
            new["BucketKeyEnabled"] = rule["BucketKeyEnabled"]
        made.append(new)
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": made}}


def access_control(answer: dict[str, Any]) -> dict[str, Any]:
    """The ACL as the word for it; an ACL that no word says cannot be written in a template.

    The owner's full control alone is what every bucket has, and is not written.
    """
    owner = answer.get("Owner", {}).get("ID")
    granted = set()
    for grant in answer.get("Grants") or ():
        grantee = grant["Grantee"]
        if grantee.get("ID") != owner or grant["Permission"] != "FULL_CONTROL":
            granted.add((grantee.get("URI") or grantee.get("ID") or grantee.get("EmailAddress"), grant["Permission"]))
    if not granted:
        return {}
    word = _CANNED.get(frozenset(granted))
    said = ", ".join(sorted(f"{permission} to {grantee}" for grantee, permission in granted))
    return {"AccessControl": word or unread(f"its ACL grants {said}, which AccessControl has no word for")}


def lifecycle(answer: dict[str, Any]) -> dict[str, Any]:
    """What becomes of objects in time."""
    made: dict[str, Any] = {"Rules": [_rule(rule) for rule in answer["Rules"]]}
    if answer.get("TransitionDefaultMinimumObjectSize"):
        made["TransitionDefaultMinimumObjectSize"] = answer["TransitionDefaultMinimumObjectSize"]
    return {"LifecycleConfiguration": made}


def _rule(told: dict[str, Any]) -> dict[str, Any]:
    expiration = told.get("Expiration", {})
    rule = {
        "Id": told.get("ID"),
        "Status": told["Status"],
        **_filter(told),
        "ExpirationInDays": expiration.get("Days"),
        "ExpirationDate": _day(expiration.get("Date")),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
        "Transitions": [_transition(each) for each in told.get("Transitions") or ()],
        "NoncurrentVersionExpiration": told.get("NoncurrentVersionExpiration"),
        "NoncurrentVersionTransitions": [_later(each) for each in told.get("NoncurrentVersionTransitions") or ()],
        "AbortIncompleteMultipartUpload": told.get("AbortIncompleteMultipartUpload"),
    }
    return {key: value for key, value in rule.items() if value not in (None, [], {})}


def _filter(told: dict[str, Any]) -> dict[str, Any]:
    """Which objects a rule is for, which CloudFormation says beside the rest."""
    one = told.get("Filter") or {}
    chosen = one.get("And") or one
    tags = chosen.get("Tags") or ([chosen["Tag"]] if chosen.get("Tag") else [])
    sizes = {key: str(chosen[key]) for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in chosen}
    return {"Prefix": chosen.get("Prefix") or told.get("Prefix") or None, "TagFilters": tags, **sizes}


def _transition(told: dict[str, Any]) -> dict[str, Any]:
    made = {
        "StorageClass": told["StorageClass"],
        "TransitionInDays": told.get("Days"),
        "TransitionDate": _day(told.get("Date")),
    }
    return {key: value for key, value in made.items() if value is not None}


def _later(told: dict[str, Any]) -> dict[str, Any]:
    made = {
        "StorageClass": told["StorageClass"],
        "TransitionInDays": told.get("NoncurrentDays"),
        "NewerNoncurrentVersions": told.get("NewerNoncurrentVersions"),
    }
    return {key: value for key, value in made.items() if value is not None}


def _day(date: Any) -> str | None:
    return None if date is None else str(date.strftime("%Y-%m-%dT%H:%M:%SZ"))
