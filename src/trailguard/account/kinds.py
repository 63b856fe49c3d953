"""What a snapshot can hold, the calls that read it, and the permissions that these calls need.

A call is written as its permission is, `service:Operation`; where AWS names the permission in another way, `ACTIONS`
says so. Nothing is called that does not stand here: the policy that users copy is made of the same lines.
Source of the permissions: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(NamedTuple):
    """Things that are read together: the resource types that they are written as, and the calls that read them."""

    types: tuple[str, ...]
    calls: tuple[str, ...]
    is_global: bool = False


KINDS: dict[str, Kind] = {
    "trails": Kind(
        ("AWS::CloudTrail::Trail",),
        (
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:GetEventSelectors",
            "cloudtrail:GetInsightSelectors",
        ),
    ),
    "stores": Kind(
        ("AWS::CloudTrail::EventDataStore",),
        ("cloudtrail:ListEventDataStores", "cloudtrail:GetEventDataStore", "cloudtrail:GetInsightSelectors"),
    ),
    "buckets": Kind(
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
        (
            "s3:ListBuckets",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:GetPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketVersioning",
            "s3:GetBucketLogging",
            "s3:GetBucketLifecycleConfiguration",
            "s3:GetObjectLockConfiguration",
            "s3:GetBucketEncryption",
            "s3:GetBucketAcl",
        ),
    ),
    "keys": Kind(
        ("AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"),
        ("kms:ListKeys", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases"),
    ),
    "topics": Kind(
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy"),
        ("sns:ListTopics", "sns:GetTopicAttributes"),
    ),
    "logs": Kind(
        ("AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"), ("logs:DescribeLogGroups", "logs:DescribeMetricFilters")
    ),
    "alarms": Kind(("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"), ("cloudwatch:DescribeAlarms",)),
    "events": Kind(("AWS::Events::Rule",), ("events:ListEventBuses", "events:ListRules", "events:ListTargetsByRule")),
    "roles": Kind(
        ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"), ("iam:GetAccountAuthorizationDetails",), is_global=True
    ),
    "stacks": Kind(
        ("AWS::CloudFormation::Stack",),
        (
            "cloudformation:DescribeStacks",
            "cloudformation:ListStackResources",
            "cloudformation:GetTemplate",
            "cloudformation:ListExports",
        ),
    ),
}

# Made once, to know who asks and what there is to ask.
IDENTITY = "sts:GetCallerIdentity"
ORGANIZATION = "organizations:DescribeOrganization"
ACCOUNTS = "organizations:ListAccounts"
REGIONS = "ec2:DescribeRegions"
ASSUME = "sts:AssumeRole"
FREE = (IDENTITY,)  # AWS allows these to everybody

# Where the permission is not called as the call is.
ACTIONS = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
}


def kind_of(word: str) -> str | None:
    """The kind that a word names: its own name, or a resource type in it."""
    return word if word in KINDS else next((name for name, kind in KINDS.items() if word in kind.types), None)


def calls_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """What is called in an account for some kinds."""
    return tuple(dict.fromkeys(call for kind in kinds for call in KINDS[kind].calls))


def iam_policy(kinds: Iterable[str], *, all_regions: bool, organization: bool, roles: Iterable[str]) -> dict[str, Any]:
    """The policy that allows what a snapshot calls, and nothing else.

    `roles` are the ARNs of the roles that are assumed; in the accounts of an organization the same policy without these
    and without what asks for accounts belongs to the role there.
    """
    calls = [ORGANIZATION, *calls_of(kinds)]
    calls += [REGIONS] * all_regions + [ACCOUNTS] * organization
    actions = sorted({ACTIONS.get(call, call) for call in calls})
    statements = [{"Sid": "TrailguardSnapshot", "Effect": "Allow", "Action": actions, "Resource": "*"}]
    assumed = sorted(roles)
    if assumed:
        statements.append({"Sid": "TrailguardRoles", "Effect": "Allow", "Action": ASSUME, "Resource": assumed})
    return {"Version": "2012-10-17", "Statement": statements}
