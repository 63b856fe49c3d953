"""What CloudTrail asks of a bucket to deliver a trail's logs, as requests that a policy allows or not.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html (the
permissions and the context of the calls), cloudtrail-find-log-files.html and
cloudtrail-log-file-validation-digest-file-structure.html (the keys that are written).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    Pieces,
    Symbol,
    Text,
    Unknown,
    join_pieces,
    text_of,
    trim_start,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ABSENT, ContextValue
from trailguard.iam.evaluate import Request
from trailguard.trails.bucket.buckets import LogBucket
from trailguard.trails.facts.facts import boolean, is_empty, settle_empty

SERVICE = "cloudtrail.amazonaws.com"
OWNER_ACL = "bucket-owner-full-control"

# The canned ACLs of S3. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
OTHER_ACLS = (
    "private", "public-read", "public-read-write", "aws-exec-read", "authenticated-read", "bucket-owner-read",
    "log-delivery-write",
)  # fmt: skip

# The AWS accounts from which CloudTrail delivered, Region by Region, before it had a service principal.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-supported-regions.html
LEGACY_ACCOUNTS = (
    "086441151436", "475085895292", "388731089494", "113285607260", "525921808201", "119688915426", "977081816279",
    "492519147666", "903692715234", "284668455005", "216624486486", "765225791966", "819402241893", "035351147821",
    "859597730677", "282025262664", "669305197877", "262312530599", "829690693026", "034638983726", "814480443879",
    "193415116832", "681348832753", "608710470296",
)  # fmt: skip

EVERYTHING = "*"

# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html (log files), and
# cloudtrail-log-file-validation-digest-file-structure.html (digest files)
LOG_FILE_SUFFIX = ".json.gz"

# An organization whose ID nobody here knows.
SOME_ORGANIZATION: Pieces = (Symbol(GENERATED, "organization", "the ID of the organization"),)
_ORGANIZATION_ID = re.compile("o-[a-z0-9]{10,32}")


class Target(NamedTuple):
    """A set of keys that the trail writes: every key that begins with `pieces`. `what` names them for people."""

    pieces: Pieces
    what: str


def bucket_arn(scenario: Scenario, bucket: LogBucket) -> Pieces:
    """The ARN of the log bucket."""
    return join_pieces((f"arn:{scenario.model.partition}:s3:::", *bucket.name))


def trail_arn(scenario: Scenario, trail: Resource) -> Pieces:
    """The ARN of the trail."""
    return scenario.returned_pieces(trail, "Arn")


def acl_check(scenario: Scenario, trail: Resource, bucket: LogBucket) -> Request:
    """CloudTrail's look at the bucket's ACL."""
    return Request(
        service=SERVICE,
        accounts=LEGACY_ACCOUNTS,
        action="s3:GetBucketAcl",
        resource=bucket_arn(scenario, bucket),
        context=base_context(scenario, trail),
    )


def writes(scenario: Scenario, trail: Resource, bucket: LogBucket, targets: Iterable[Target]) -> list[Request]:
    """CloudTrail's delivery of the keys of each target, once for each encryption that it asks for."""
    context = base_context(scenario, trail)
    context["s3:x-amz-acl"] = (_text(OWNER_ACL, trail.key),)
    return [
        Request(
            service=SERVICE,
            accounts=LEGACY_ACCOUNTS,
            action="s3:PutObject",
            resource=join_pieces((*bucket_arn(scenario, bucket), "/", *target.pieces, EVERYTHING)),
            context={**context, **encryption},
        )
        for target in targets
        for encryption in _encryptions(scenario, trail)
    ]


def base_context(scenario: Scenario, trail: Resource) -> dict[str, ContextValue]:
    """The condition keys of every call to S3 that CloudTrail makes for the trail. Keys not listed are not known."""

    def build() -> dict[str, ContextValue]:
        s3: dict[str, ContextValue] = {"s3:tlsversion": (_text("1.2", trail.key),), **dict.fromkeys(_S3_KEYS, ABSENT)}
        return {**trail_context(scenario, trail), **s3}

    return dict(scenario.once(("request context", trail.id), build))


def trail_context(scenario: Scenario, trail: Resource) -> dict[str, ContextValue]:
    """The condition keys of every call that CloudTrail makes for the trail, to whatever service."""
    account = text_of(scenario.pseudo("AWS::AccountId", trail, trail.key))
    return {
        **service_context(trail.key),
        "aws:sourcearn": (Text(trail_arn(scenario, trail), trail.key),),
        "aws:sourceaccount": ABSENT if account is None else (account,),
    }


def service_context(node: Node) -> dict[str, ContextValue]:
    """The condition keys of every call that CloudTrail makes itself.

    A service principal belongs to no account and no organization and calls from no network of the user's: those keys
    are absent.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return {
        "aws:principalisawsservice": (_text("true", node),),
        "aws:principalservicename": (_text(SERVICE, node),),
        "aws:securetransport": (_text("true", node),),
        "aws:viaawsservice": (_text("false", node),),
        **dict.fromkeys(_ABSENT_KEYS, ABSENT),
    }


_ABSENT_KEYS = (
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid",
    "aws:username", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:multifactorauthpresent",
    "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:referer",
)  # fmt: skip
_S3_KEYS = (
    "s3:x-amz-acl", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-grant-read", "s3:x-amz-grant-write", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write-acp",
    "s3:x-amz-grant-full-control",
)  # fmt: skip


def _encryptions(scenario: Scenario, trail: Resource) -> list[Mapping[str, ContextValue]]:
    """The encryption headers of the writes: AES256 always (the probe at creation, digests), the key when set."""
    header, key_id = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    plain: Mapping[str, ContextValue] = {header: (_text("AES256", trail.key),), key_id: ABSENT}
    key = scenario.value_of(trail, "KMSKeyId")
    text = text_of(key)
    if is_empty(key) or text is None:
        return [plain]
    return [plain, {header: (_text("aws:kms", trail.key),), key_id: (text,)}]


def account_targets(scenario: Scenario, trail: Resource) -> list[Target]:
    """The keys below the folder of the trail's own account."""
    account = text_of(scenario.pseudo("AWS::AccountId", trail, trail.key))
    return _targets(scenario, trail, account.pieces if account is not None else (), "")


def organization_targets(scenario: Scenario, trail: Resource, organization: Pieces) -> list[Target]:
    """The keys below the folder of the organization."""
    return _targets(scenario, trail, organization, " of the organization's accounts")


def _targets(scenario: Scenario, trail: Resource, folder: Pieces, whose: str) -> list[Target]:
    start = join_pieces((*prefix(scenario, trail), "AWSLogs/", *folder, "/"))
    kinds = [("CloudTrail", f"log files{whose}")]
    if validates(scenario, trail):
        kinds.append(("CloudTrail-Digest", f"digest files{whose}"))
    if whose:  # below the organization's folder each account has its own, known to nobody here
        return [Target(start, f"log files{whose}")]
    return [Target(join_pieces((*start, f"{kind}/")), what) for kind, what in kinds]


def validates(scenario: Scenario, trail: Resource) -> bool:
    """Tell whether the trail writes digest files."""
    value = boolean(scenario, scenario.value_of(trail, "EnableLogFileValidation"))
    if isinstance(value, Unknown):
        return scenario.assume("log file validation", value.reason)
    return value is True


def is_organization_trail(scenario: Scenario, trail: Resource) -> bool:
    """Tell whether the trail records a whole organization."""
    value = boolean(scenario, scenario.value_of(trail, "IsOrganizationTrail"))
    if isinstance(value, Unknown):
        return scenario.assume("organization trail", value.reason)
    return value is True


def prefix(scenario: Scenario, trail: Resource) -> Pieces:
    """What stands before `AWSLogs/` in each key."""
    text = text_of(scenario.value_of(trail, "S3KeyPrefix"))
    if text is None or not text.pieces:
        return ()
    settle_empty(scenario, text)
    return join_pieces((*text.pieces, "/"))


def organizations(scenario: Scenario, trail: Resource, bucket: LogBucket, resources: Iterable[Pieces]) -> list[Pieces]:
    """The organizations that a policy may mean: whatever it names where the organization's folder belongs.

    A parameter that is the trail's account is none: then it names the account's folder only.
    """
    account = text_of(scenario.pseudo("AWS::AccountId", trail, trail.key))
    start = join_pieces((*bucket_arn(scenario, bucket), "/", *prefix(scenario, trail), "AWSLogs/"))
    found: list[Pieces] = [SOME_ORGANIZATION]
    for resource in resources:
        rest, beyond = trim_start(resource, start)
        if beyond or not rest:
            continue
        name = rest[0]
        if isinstance(name, Symbol):
            is_account = name.name.startswith("AWS::") or (account is not None and account.pieces == (name,))
            if not is_account:
                found.append((name,))
        elif (one := organization_like(name.partition("/")[0])) is not None:
            found.append((one,))
    return found


def organization_like(pattern: str) -> str | None:
    """An ID of an organization that a pattern means; None when it means none."""
    one = pattern.replace("*", "a" * 10).replace("?", "a")
    return one if _ORGANIZATION_ID.fullmatch(one) else None


def other_acls(trail: Resource, asked: set[str | None]) -> list[tuple[ContextValue, str]]:
    """Every way to send another ACL than the one that CloudTrail sends, and how to say it.

    `asked` are the ACLs that the policy asks for. Where it asks for none but CloudTrail's, all others are alike to it.
    """
    others = OTHER_ACLS[:1] if asked <= {OWNER_ACL} else OTHER_ACLS
    named: list[tuple[ContextValue, str]] = [((_text(acl, trail.key),), f"with the ACL {acl}") for acl in others]
    return [(ABSENT, "without any ACL"), *named]


def for_stranger(scenario: Scenario, trail: Resource, request: Request) -> Request:
    """The same call, made for a trail of some other account."""
    account = Symbol(GENERATED, "another account", "an account that is not the trail's")
    region = text_of(scenario.pseudo("AWS::Region", trail, trail.key))
    where = region.pieces if region is not None else ()
    head = f"arn:{scenario.model.partition}:cloudtrail:"
    arn = join_pieces((head, *where, ":", account, ":trail/", *scenario.returned_pieces(trail, "Ref")))
    context = {**request.context}
    context["aws:sourcearn"] = (Text(arn, trail.key),)
    context["aws:sourceaccount"] = (Text((account,), trail.key),)
    return request._replace(context=context)


def of_log_files(request: Request) -> Request:
    """The same call for the files themselves, whose names all end alike: a Deny on `*.exe` hits none of them."""
    *start, last = request.resource
    if not isinstance(last, str) or not last.endswith("/" + EVERYTHING):
        return request
    return request._replace(resource=(*start, last + LOG_FILE_SUFFIX))


def with_newest_tls(request: Request, trail: Resource) -> Request:
    """The same call over the newest TLS."""
    return request._replace(context={**request.context, "s3:tlsversion": (_text("1.3", trail.key),)})


def _text(text: str, node: Node) -> Text:
    return Text((text,), node)
