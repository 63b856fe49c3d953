"""What CloudTrail asks of a key, and whether the key's policy lets it.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html (what the
key policy must grant), https://docs.aws.amazon.com/kms/latest/developerguide/services-cloudtrail.html (the encryption
context of CloudTrail's calls)
"""

from __future__ import annotations

from collections.abc import Iterable

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    ListValue,
    Pieces,
    Symbol,
    Text,
    join_pieces,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.callers import called
from trailguard.iam.conditions import ABSENT, ContextValue, Undecided
from trailguard.iam.documents import read_document
from trailguard.iam.evaluate import Decision, Request, allowed
from trailguard.iam.policy import KEY_POLICY, Policy, Principal
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import (
    Fact,
    all_of,
    boolean,
    decided,
    is_empty,
    no,
    reason_unknown,
    unknown,
    yes,
)
from trailguard.trails.facts.properties import entry, pseudo, step_into
from trailguard.trails.facts.refusals import malformed, refused
from trailguard.trails.key.kinds import is_one_of

CLOUDTRAIL_CONTEXT = "aws:cloudtrail:arn"
S3_CONTEXT = "aws:s3:arn"
ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
CONTEXT_KEYS = "kms:encryptioncontextkeys"
VIA_SERVICE = "kms:viaservice"

Context = dict[str, ContextValue]

# The user guide of KMS says that S3 makes the call for a log file; trails whose key lets calls by way of S3 in, and no
# others, have been created.
_VIA_S3 = Undecided("whether KMS sees CloudTrail's calls as made by way of S3 (kms:ViaService) is not documented")
_LOG_FILE = Symbol(GENERATED, "log file", "the name of a log file")


# --- the calls -------------------------------------------------------------------------------------------------------


def _looking_up(scenario: Scenario, trail: Resource) -> Context:
    """The context of a call without encryption context, made by CloudTrail itself."""
    context = {**requests.trail_context(scenario, trail), VIA_SERVICE: ABSENT, CONTEXT_KEYS: ABSENT}
    return {**context, **{ENCRYPTION_CONTEXT + name: ABSENT for name in (CLOUDTRAIL_CONTEXT, S3_CONTEXT)}}


def _encrypting(scenario: Scenario, trail: Resource) -> list[Context]:
    """The contexts in which data keys are made: the trial when the trail is set up, and each log file."""
    node = trail.key
    context = requests.trail_context(scenario, trail)
    context[ENCRYPTION_CONTEXT + CLOUDTRAIL_CONTEXT] = (Text(requests.trail_arn(scenario, trail), node),)
    context[CONTEXT_KEYS] = (literal(CLOUDTRAIL_CONTEXT, node), literal(S3_CONTEXT, node))
    context[VIA_SERVICE] = _VIA_S3
    return [{**context, ENCRYPTION_CONTEXT + S3_CONTEXT: place} for place in _destinations(scenario, trail)]


def _destinations(scenario: Scenario, trail: Resource) -> tuple[ContextValue, ContextValue]:
    """What the encryption context says of S3: the account's folder at set-up, the log file later.

    With an S3 Bucket Key it names the bucket instead of the file.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    """
    bucket = log_bucket(scenario, trail)
    account = text_of(scenario.pseudo("AWS::AccountId", trail, trail.key))
    if bucket is None or account is None or requests.is_organization_trail(scenario, trail):
        hidden = Undecided(f"where exactly the logs of {trail.id} go is known only at deployment")
        return hidden, hidden
    arn = requests.bucket_arn(scenario, bucket)
    prefix = requests.prefix(scenario, trail)
    folder = join_pieces((*arn, "/", *prefix, "AWSLogs/", *account.pieces, "/"))
    file: ContextValue = _pieces((*folder, "CloudTrail/", _LOG_FILE), trail.key)
    bucket_key = None if bucket.resource is None else _bucket_key(scenario, bucket.resource).value
    if bucket_key is None:
        file = Undecided("whether the bucket has an S3 Bucket Key is not known, and so not what S3 names to KMS")
    elif bucket_key:
        file = _pieces(arn, trail.key)
    return _pieces(folder, trail.key), file


def literal(text: str, node: Node) -> Text:
    """A text that AWS sends as it stands."""
    return Text((text,), node)


def _pieces(pieces: Pieces, node: Node) -> tuple[Text, ...]:
    return (Text(join_pieces(pieces), node),)


# --- what the key policy says to them --------------------------------------------------------------------------------


def key_policy(scenario: Scenario, key: Resource) -> Policy | None:
    """The key's policy; None when it has none of its own."""

    def read() -> Policy | None:
        node = scenario.unwrap(scenario.property_node(key, "KeyPolicy"))
        if not isinstance(node, MapNode) and is_empty(scenario.value_of(key, "KeyPolicy")):
            return None
        return read_document(scenario, key, "KeyPolicy", KEY_POLICY)

    return scenario.once(("key policy", key.id), read)


def permits(scenario: Scenario, key: Resource, asked: Iterable[tuple[str, Context]]) -> Fact:
    """Whether the key's policy lets every call of CloudTrail through: granted, and denied by nothing."""
    arn = scenario.returned_pieces(key, "Arn")  # CloudTrail calls as its service principal only
    calls = (Request(requests.SERVICE, (), action, arn, context) for action, context in asked)
    return lets_through(scenario, key, calls, "CloudTrail")


def lets_through(scenario: Scenario, key: Resource, calls: Iterable[Request], user: str) -> Fact:
    """Whether the key's policy lets every call of a service through; `user` is what people call the service."""
    policy = key_policy(scenario, key)
    if policy is None:
        because = f"{key.id} has no KeyPolicy, and the one that KMS then makes is for the account's users alone"
        return no(key.key, because)
    refusal = refused(policy, malformed)
    if refusal is not None:
        return refusal.told("KMS", f"the key policy of {key.id}")
    fine = yes(key.key, f"{key.id} lets {user} use it so")
    decisions = (_decision(scenario, policy, _whole(policy, call)) for call in calls)
    return all_of((decided(decision, f"{key.id}: {decision.because}", fine) for decision in decisions), fine)


def _decision(scenario: Scenario, policy: Policy, call: Request) -> Decision:
    """Whether a call is let through; if not, told of the statements that name the service, where there are some."""
    decision = allowed(policy, call, scenario.settle)
    if decision.outcome == "no" and policy.draft is None:
        own = tuple(one for one in policy.certain if one.principal is not None and _names(one.principal, call))
        void = next((one for one in own if one.effect is None and one.fault is None), None)
        if void is not None:
            lacks = "Resource" if {"Action", "NotAction"} & void.elements.keys() else "Action"
            return decision._replace(node=void.node, because=f"{void.label} has no {lacks}, so it has no effect")
        told = allowed(policy._replace(certain=own), call, scenario.settle) if own else decision
        return told if told.outcome == "no" else decision
    return decision


def _names(principal: Principal, call: Request) -> bool:
    """Tell whether the service is named, be it for another Region."""
    service = called(call).partition(".")[0] + "."
    return any(caller.kind == "Service" and show(caller.text).startswith(service) for caller in principal.callers)


def _whole(policy: Policy, call: Request) -> Request:
    """The call with what it leaves out of its encryption context, where that is known, as the policy may ask for it."""
    if CONTEXT_KEYS not in call.context:
        return call
    named = (clause.name for statement in policy.possible for clause in statement.clauses)
    others = dict.fromkeys((name for name in named if name.startswith(ENCRYPTION_CONTEXT)), ABSENT)
    return call._replace(context={**others, **call.context})


def _via_s3_or_not(scenario: Scenario, key: Resource, action: str, context: Context) -> Fact:
    """Whether a call is let through that may count as made by way of S3: certain where that makes no difference."""
    found = permits(scenario, key, [(action, context)])
    if found.unknown is None:
        return found
    s3 = ("s3.", *pseudo(scenario, "Region", key), ".", *pseudo(scenario, "URLSuffix", key))
    ways = (ABSENT, _pieces(s3, key.key))
    either = [permits(scenario, key, [(action, {**context, VIA_SERVICE: way})]) for way in ways]
    agree = either[0].unknown is None and either[0].value is either[1].value
    return either[0] if agree else found


def encryption(scenario: Scenario, trail: Resource, key: Resource) -> Fact:
    """Whether the key's policy lets CloudTrail make the data keys that it encrypts log files with."""
    calls = _encrypting(scenario, trail)
    fine = yes(key.key, f"{key.id} lets CloudTrail encrypt with it")
    return all_of((_via_s3_or_not(scenario, key, "kms:GenerateDataKey", context) for context in calls), fine)


def description(scenario: Scenario, trail: Resource, key: Resource) -> Fact:
    """Whether the key's policy lets CloudTrail look the key up."""
    return permits(scenario, key, [("kms:DescribeKey", _looking_up(scenario, trail))])


def decryption(scenario: Scenario, trail: Resource, key: Resource) -> Fact:
    """Whether CloudTrail may decrypt, which AWS asks for where the bucket has an S3 Bucket Key."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or bucket.resource is None:
        return yes(key.key, f"no bucket made here makes CloudTrail decrypt with {key.id}")
    used = _bucket_key(scenario, bucket.resource)
    if used.value is False:
        return yes(key.key, f"{bucket.resource.id} has no S3 Bucket Key, so CloudTrail decrypts nothing with {key.id}")
    context = {**requests.trail_context(scenario, trail), VIA_SERVICE: _VIA_S3}
    found = _via_s3_or_not(scenario, key, "kms:Decrypt", context)
    if found.value is True:
        return found
    if used.unknown is not None:
        return used
    related = ((used.node, f"{bucket.resource.id} has an S3 Bucket Key"),)
    return found._replace(because=f"{found.because} (with the S3 Bucket Key of {bucket.resource.id})", related=related)


def _bucket_key(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether a bucket encrypts with KMS under an S3 Bucket Key."""
    rules = entry(scenario, bucket, "BucketEncryption", "ServerSideEncryptionConfiguration")
    if reason_unknown(rules) is not None and not isinstance(rules, ListValue):
        return unknown(rules.node, str(reason_unknown(rules)), f"the encryption of {bucket.id} is not known")
    for rule in rules.items if isinstance(rules, ListValue) else ():
        enabled = step_into(rule, "BucketKeyEnabled")
        algorithm = step_into(step_into(rule, "ServerSideEncryptionByDefault"), "SSEAlgorithm")
        reason = reason_unknown(enabled) or reason_unknown(algorithm)
        if reason is not None:
            return unknown(enabled.node, reason, f"whether {bucket.id} has an S3 Bucket Key is not known")
        if boolean(scenario, enabled) is True and is_one_of(scenario, text_of(algorithm), ("aws:kms",), ("AES256",)):
            return yes(enabled.node, f"{bucket.id} has an S3 Bucket Key")
    return no(bucket.key, f"{bucket.id} has no S3 Bucket Key")
