"""What S3 answers, as CloudFormation writes it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from tests.account.taking import unread
from trailguard.account.bucket_shapes import access_control, encryption, lifecycle, lock, logging, versioning

GROUPS = "http://acs.amazonaws.com/groups/"


def grants(*granted: tuple[str, str]) -> dict[str, Any]:
    own = {"Grantee": {"ID": "me"}, "Permission": "FULL_CONTROL"}
    others = [
        {"Grantee": {"URI": GROUPS + who} if "/" in who else {"ID": who}, "Permission": what} for who, what in granted
    ]
    return {"Owner": {"ID": "me"}, "Grants": [own, *others]}


@pytest.mark.parametrize(
    ("granted", "word"),
    [
        ([("global/AllUsers", "READ")], "PublicRead"),
        ([("global/AllUsers", "WRITE"), ("global/AllUsers", "READ")], "PublicReadWrite"),
        ([("global/AuthenticatedUsers", "READ")], "AuthenticatedRead"),
        ([("s3/LogDelivery", "READ_ACP"), ("s3/LogDelivery", "WRITE")], "LogDeliveryWrite"),
    ],
)
def test_acls_that_have_a_word(granted: list[tuple[str, str]], word: str) -> None:
    assert access_control(grants(*granted)) == {"AccessControl": word}


def test_the_owner_alone_needs_no_word() -> None:
    assert access_control(grants()) == {}


def test_an_acl_without_a_word_is_not_known() -> None:
    told = access_control(grants(("global/AllUsers", "READ_ACP"), ("somebody", "READ")))["AccessControl"]
    assert (
        unread(told)
        == f"its ACL grants READ to somebody, READ_ACP to {GROUPS}global/AllUsers, which AccessControl has no word for"
    )


def test_a_bucket_that_its_owner_cannot_use_fully_is_not_known() -> None:
    answer = {"Owner": {"ID": "me"}, "Grants": [{"Grantee": {"ID": "me"}, "Permission": "READ"}]}
    assert unread(access_control(answer)["AccessControl"])


def test_lifecycle() -> None:
    day = datetime(2030, 1, 1, tzinfo=timezone.utc)
    answer = {
        "Rules": [
            {"Status": "Enabled", "Prefix": "old/", "Expiration": {"Date": day}},
            {
                "ID": "tagged",
                "Status": "Enabled",
                "Filter": {"Tag": {"Key": "k", "Value": "v"}},
                "NoncurrentVersionTransitions": [
                    {"NoncurrentDays": 30, "NewerNoncurrentVersions": 2, "StorageClass": "GLACIER"}
                ],
            },
            {
                "ID": "sizes",
                "Status": "Disabled",
                "Filter": {"And": {"ObjectSizeGreaterThan": 0, "ObjectSizeLessThan": 500}},
                "Transitions": [{"Date": day, "StorageClass": "STANDARD_IA"}],
            },
        ]
    }
    assert lifecycle(answer) == {
        "LifecycleConfiguration": {
            "Rules": [
                {"Status": "Enabled", "Prefix": "old/", "ExpirationDate": "2030-01-01T00:00:00Z"},
                {
                    "Id": "tagged",
                    "Status": "Enabled",
                    "TagFilters": [{"Key": "k", "Value": "v"}],
                    "NoncurrentVersionTransitions": [
                        {"StorageClass": "GLACIER", "TransitionInDays": 30, "NewerNoncurrentVersions": 2}
                    ],
                },
                {
                    "Id": "sizes",
                    "Status": "Disabled",
                    "ObjectSizeGreaterThan": "0",
                    "ObjectSizeLessThan": "500",
                    "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionDate": "2030-01-01T00:00:00Z"}],
                },
            ]
        }
    }


def test_settings_that_are_off_are_not_there() -> None:
    assert versioning({}) == {}
    assert versioning({"Status": "Suspended"}) == {"VersioningConfiguration": {"Status": "Suspended"}}
    assert logging({}) == {}
    assert lock({"ObjectLockConfiguration": {}}) == {}
    assert lock({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}) == {
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"},
    }


def test_encryption_names_its_key() -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/x"}}
    told = encryption({"ServerSideEncryptionConfiguration": {"Rules": [rule]}})
    (made,) = told["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert made == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/x"}}
