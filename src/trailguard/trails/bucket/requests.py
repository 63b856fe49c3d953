"""What CloudTrail asks of a bucket to deliver a trail's logs, as requests that a policy allows or not.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html (the
permissions and the context of the calls), cloudtrail-find-log-files.html and
cloudtrail-log-file-validation-digest-file-structure.html (the keys that are written).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    Pieces,
    Symbol,
    Text,
    Unknown,
    join_pieces,
    split_pieces,
    text_of,
    trim_start,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ABSENT, ContextValue, Undecided
from trailguard.iam.evaluate import Request
from trailguard.iam.globs import ORGANIZATION_ID
from trailguard.trails.bucket.buckets import LogBucket
from trailguard.trails.facts.facts import boolean, settle_empty

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

# An organization whose ID nobody here knows. https://docs.aws.amazon.com/organizations/latest/APIReference/ (Id)
SOME_ORGANIZATION: Pieces = ("o-", Symbol(OPAQUE, ORGANIZATION_ID, "the ID of the organization is not in the template"))
_ORGANIZATION_ID = re.compile("o-[a-z0-9]{10,32}")


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
        context=base_context(scenario, trail, bucket),
    )


def base_context(scenario: Scenario, trail: Resource, bucket: LogBucket) -> dict[str, ContextValue]:
    """The condition keys of every call to S3 that CloudTrail makes for the trail. Keys not listed are not known."""

    def build() -> dict[str, ContextValue]:
        s3: dict[str, ContextValue] = {"s3:tlsversion": (_text("1.2", trail.key),), **dict.fromkeys(_S3_KEYS, ABSENT)}
        owner = dict.fromkeys(("aws:resourceaccount", "s3:resourceaccount"), _owner(scenario, bucket))
        return {**trail_context(scenario, trail), **s3, **owner}

    return dict(scenario.once(("request context", trail.id), build))


def _owner(scenario: Scenario, bucket: LogBucket) -> ContextValue:
    """The account that owns the bucket."""
    if bucket.resource is None:
        return Undecided("whose the bucket is cannot be told: none of the scanned templates makes it")
    account = text_of(scenario.pseudo("AWS::AccountId", bucket.resource, bucket.resource.key))
    return ABSENT if account is None else (account,)


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
    "aws:username", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid",
    "aws:vpceorgpaths", "aws:sourceip", "aws:vpcsourceip", "aws:multifactorauthpresent", "aws:multifactorauthage",
    "aws:federatedprovider", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:referer",
)  # fmt: skip
_S3_KEYS = (
    "s3:x-amz-acl", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-grant-read", "s3:x-amz-grant-write", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write-acp",
    "s3:x-amz-grant-full-control",
)  # fmt: skip


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
    """The organizations that some resources name where the organization's folder belongs, else one that nobody knows.

    Nothing in a template tells the organization's ID, so an ID in that place is taken to be it. A parameter that is the
    trail's account is none: then it names the account's folder only.
    """
    known = scenario.model.stacks.looks.organization
    if known:  # a snapshot of its account tells it
        return [(known,)]
    account = text_of(scenario.pseudo("AWS::AccountId", trail, trail.key))
    start = join_pieces((*bucket_arn(scenario, bucket), "/", *prefix(scenario, trail), "AWSLogs/"))
    found: dict[Pieces, None] = {}
    for resource in resources:
        rest, beyond = trim_start(resource, start)
        if beyond or not rest:
            continue
        name = rest[0]
        if isinstance(name, Symbol):
            is_account = name.name.startswith("AWS::") or (account is not None and account.pieces == (name,))
            if not is_account:
                found[(name,)] = None
        elif (one := organization_like(name.partition("/")[0])) is not None:
            found[(one,)] = None
    return list(found) or [SOME_ORGANIZATION]


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


def for_strangers(scenario: Scenario, trail: Resource, request: Request, asked: Iterable[Text]) -> list[Request]:
    """The same call, made for trails of some other account.

    One is called like the trail, one like no other, and one for each of the trails that are `asked` for.
    """
    region = text_of(scenario.pseudo("AWS::Region", trail, trail.key))
    here: Pieces = region.pieces if region is not None else ()
    named = [
        (here, join_pieces(("trail/", *name))) for name in (scenario.returned_pieces(trail, "Ref"), (_UNHEARD_OF,))
    ]
    for text in asked:
        parts = split_pieces(text.pieces, ":")
        name = _example(parts[5]) if len(parts) == 6 else ()
        if name:
            named.append((_example(parts[3]) or here, name))
    context = {**request.context, "aws:sourceaccount": (Text((_STRANGER,), trail.key),)}
    head = f"arn:{scenario.model.partition}:cloudtrail:"
    arns = (join_pieces((head, *where, ":", _STRANGER, ":", *name)) for where, name in dict.fromkeys(named))
    return [request._replace(context={**context, "aws:sourcearn": (Text(arn, trail.key),)}) for arn in arns]


_STRANGER = Symbol(GENERATED, "another account", "an account that is not the trail's")
_UNHEARD_OF = Symbol(GENERATED, "another trail", "a trail that is called like no other")


def _example(pieces: Pieces) -> Pieces:
    """A text that a pattern means; nothing when it means any."""
    if pieces == ("*",):
        return ()
    return join_pieces(re.sub("[*?]", "x", piece) if isinstance(piece, str) else piece for piece in pieces)


def with_newest_tls(request: Request, trail: Resource) -> Request:
    """The same call over the newest TLS."""
    return request._replace(context={**request.context, "s3:tlsversion": (_text("1.3", trail.key),)})


def _text(text: str, node: Node) -> Text:
    return Text((text,), node)
