"""The key of a trail, and what it lets CloudTrail do.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html (what the
key policy must grant), https://docs.aws.amazon.com/kms/latest/developerguide/services-cloudtrail.html (the encryption
context of CloudTrail's calls)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    VARIABLE,
    ListValue,
    Pieces,
    Symbol,
    Text,
    join_pieces,
    show,
    text_of,
)
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ABSENT, ContextValue, Undecided
from trailguard.iam.documents import read_document
from trailguard.iam.evaluate import Request, allowed
from trailguard.iam.policy import Policy
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import (
    Fact,
    FactSpec,
    all_of,
    boolean,
    decided,
    is_empty,
    no,
    reason_unknown,
    unknown,
    via,
    yes,
)
from trailguard.trails.facts.links import Link
from trailguard.trails.facts.properties import entry, step_into
from trailguard.trails.key import keys

_TRUTH: Mapping[str, object] = {"type": "boolean"}

CLOUDTRAIL_CONTEXT = "aws:cloudtrail:arn"
S3_CONTEXT = "aws:s3:arn"
_CONTEXT = "kms:encryptioncontext:"

Context = dict[str, ContextValue]


def key_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The key of a trail; None when it names none that can be a customer's own."""
    named = keys.key_of(scenario, trail)
    return None if named is None else named.link


# --- what CloudTrail asks of a key -----------------------------------------------------------------------------------


def _plain_call(scenario: Scenario, trail: Resource) -> Context:
    """The context of a call without encryption context, made by CloudTrail itself."""
    plain = (CLOUDTRAIL_CONTEXT, S3_CONTEXT)
    context = {**requests.trail_context(scenario, trail), "kms:viaservice": ABSENT, "kms:encryptioncontextkeys": ABSENT}
    return {**context, **{_CONTEXT + name: ABSENT for name in plain}}


def _encrypting_calls(scenario: Scenario, trail: Resource) -> list[Context]:
    """The contexts in which data keys are made: the trial when the trail is set up, and each log file.

    Amazon S3 asks for the key of a log file on CloudTrail's behalf; whether that counts as a call by way of a service
    is not documented.
    """
    node = trail.key
    context = requests.trail_context(scenario, trail)
    context[_CONTEXT + CLOUDTRAIL_CONTEXT] = (Text(requests.trail_arn(scenario, trail), node),)
    context["kms:encryptioncontextkeys"] = (*_literal(CLOUDTRAIL_CONTEXT, node), *_literal(S3_CONTEXT, node))
    via_s3 = Undecided("whether Amazon S3's call on CloudTrail's behalf carries kms:ViaService is not documented")
    folder, file = _destinations(scenario, trail)
    return [
        {**context, _CONTEXT + S3_CONTEXT: folder, "kms:viaservice": ABSENT},
        {**context, _CONTEXT + S3_CONTEXT: file, "kms:viaservice": via_s3},
    ]


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


_LOG_FILE = Symbol(GENERATED, "log file", "the name of a log file")


def _literal(text: str, node: Node) -> tuple[Text, ...]:
    return (Text((text,), node),)


def _pieces(pieces: Pieces, node: Node) -> tuple[Text, ...]:
    return (Text(join_pieces(pieces), node),)


def _request(scenario: Scenario, key: Resource, action: str, context: Context) -> Request:
    """A call on a key. CloudTrail calls as its service principal only."""
    return Request(requests.SERVICE, (), action, scenario.returned_pieces(key, "Arn"), context)


# --- what the key policy says to it ----------------------------------------------------------------------------------


def key_policy(scenario: Scenario, key: Resource) -> Policy | None:
    """The key's policy; None when it has none of its own."""

    def read() -> Policy | None:
        node = scenario.unwrap(scenario.property_node(key, "KeyPolicy"))
        if not isinstance(node, MapNode) and is_empty(scenario.value_of(key, "KeyPolicy")):
            return None
        return read_document(scenario, key, "KeyPolicy")

    return scenario.once(("key policy", key.id), read)


def permits(scenario: Scenario, key: Resource, asked: Iterable[tuple[str, Context]]) -> Fact:
    """Whether the key's policy lets every call through: granted, and denied by nothing."""
    policy = key_policy(scenario, key)
    if policy is None:
        because = f"{key.id} has no KeyPolicy, and the one that KMS then makes is for the account's users alone"
        return no(key.key, because)
    fine = yes(key.key, f"{key.id} lets CloudTrail use it so")
    requests_made = (_request(scenario, key, action, context) for action, context in asked)
    decisions = (allowed(policy, request, scenario.settle) for request in requests_made)
    return all_of((decided(decision, f"{key.id}: {decision.because}", fine) for decision in decisions), fine)


def _encryption(scenario: Scenario, trail: Resource, key: Resource) -> Fact:
    calls = _encrypting_calls(scenario, trail)
    return permits(scenario, key, [("kms:GenerateDataKey", context) for context in calls])


def _description(scenario: Scenario, trail: Resource, key: Resource) -> Fact:
    return permits(scenario, key, [("kms:DescribeKey", _plain_call(scenario, trail))])


def _decryption(scenario: Scenario, trail: Resource, key: Resource) -> Fact:
    """Whether CloudTrail may decrypt, which it must where the bucket has an S3 Bucket Key."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or bucket.resource is None:
        return yes(key.key, f"no bucket made here makes CloudTrail decrypt with {key.id}")
    used = _bucket_key(scenario, bucket.resource)
    if used.value is False:
        return yes(key.key, f"{bucket.resource.id} has no S3 Bucket Key, so CloudTrail decrypts nothing with {key.id}")
    found = permits(scenario, key, [("kms:Decrypt", requests.trail_context(scenario, trail))])
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
        if boolean(scenario, enabled) is True and _is(scenario, text_of(algorithm), ("aws:kms",), ("AES256",)):
            return yes(enabled.node, f"{bucket.id} has an S3 Bucket Key")
    return no(bucket.key, f"{bucket.id} has no S3 Bucket Key")


def _is(scenario: Scenario, text: Text | None, good: tuple[str, ...], bad: tuple[str, ...]) -> bool:
    """Tell whether a text is one of the good ones; a parameter ranges over what is known of it, or good and bad."""
    if text is None:
        return False
    symbol = text.symbols[0] if len(text.pieces) == 1 and text.symbols else None
    if symbol is not None and symbol.kind == VARIABLE:
        scenario.fix(symbol.name)
        scenario.choose(symbol.name, [*good, *bad], closed=True)
        raise Unbuildable(f"{symbol.name} is none of the values that AWS takes here")
    return text.literal in good


# --- what the key is -------------------------------------------------------------------------------------------------


def _enabled(scenario: Scenario, _: Resource, key: Resource) -> Fact:
    value = scenario.value_of(key, "Enabled")
    meaning = boolean(scenario, value)
    if meaning is None or meaning is True:
        return yes(value.node, f"{key.id} is enabled")
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"whether {key.id} is enabled is not known")
    told = "is false" if meaning is False else f'is "{meaning}", which is no Boolean'
    return no(value.node, f"Enabled of {key.id} {told}{via(value.node)}")


# What a key that CloudTrail can use says of itself, if anything, and an example of what it must not say.
_KINDS = (
    ("KeySpec", ("SYMMETRIC_DEFAULT",), "RSA_2048", "and CloudTrail encrypts with symmetric keys only"),
    ("KeyUsage", ("ENCRYPT_DECRYPT",), "SIGN_VERIFY", "and CloudTrail needs a key that encrypts"),
    ("Origin", ("AWS_KMS",), "EXTERNAL", "so it has no key material when CloudFormation has made it"),
)


def _symmetric(scenario: Scenario, _: Resource, key: Resource) -> Fact:
    if key.type == keys.REPLICA:
        return unknown(key.key, f"{key.id} is a copy of a key in another Region, which is not in the scanned files")
    fine = yes(key.key, f"{key.id} is a symmetric key with key material")
    return all_of((_kind(scenario, key, fine, *kind) for kind in _KINDS), fine)


def _kind(
    scenario: Scenario, key: Resource, fine: Fact, name: str, good: tuple[str, ...], bad: str, consequence: str
) -> Fact:
    value = scenario.value_of(key, name)
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"{name} of {key.id} is not known")
    text = text_of(value)
    if is_empty(value) or _is(scenario, text, good, (bad,)):
        return fine
    told = show(text) if text is not None else "a list or a map"
    return no(value.node, f"{name} of {key.id} is {told}{via(value.node)}, {consequence}")


def alias_ready(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the alias by which a trail names its key is made before the trail."""
    named = keys.key_of(scenario, trail)
    if named is None or named.alias is None:
        return yes(trail.key, f"{trail.id} names no alias that is made here")
    alias, node = named.alias, named.link.node
    if reaches(scenario, trail, alias):
        return yes(node, f"{trail.id} is created after alias {alias.id}")
    because = f"{trail.id} names alias {alias.id} as text and nothing makes it wait, so the alias may not exist yet"
    return no(node, because, ((alias.key, "the alias that must exist first"),))


def _of_key(build: Callable[[Scenario, Resource, Resource], Fact]) -> Callable[[Scenario, Resource], Fact]:
    """A fact about the key of a trail."""

    def fact(scenario: Scenario, trail: Resource) -> Fact:
        named = keys.key_of(scenario, trail)
        if named is None:
            return no(trail.key, f"{trail.id} names no key of yours")
        node, key, elsewhere = named.link
        if key is None:
            return unknown(node, elsewhere, f"the key of {trail.id} is made elsewhere")
        return build(scenario, trail, key)

    return fact


# --- keys by themselves ----------------------------------------------------------------------------------------------


def rotatable(scenario: Scenario, key: Resource) -> Fact:
    """Whether KMS can rotate a key by itself: a symmetric one with its own material, and not a copy of another key."""
    if key.type == keys.REPLICA:
        return no(key.key, f"{key.id} is a copy of a key in another Region and is rotated with that key")
    return _symmetric(scenario, key, key)


FACTS: Mapping[str, FactSpec] = {
    "encryption.key_set": FactSpec(
        keys.key_set, _TRUTH, "a key of the customer's own is named, in a form that CloudTrail takes"
    ),
    "key.grants_encryption": FactSpec(_of_key(_encryption), _TRUTH, "the key's policy lets CloudTrail encrypt"),
    "key.grants_describe": FactSpec(_of_key(_description), _TRUTH, "the key's policy lets CloudTrail look the key up"),
    "key.grants_decrypt": FactSpec(
        _of_key(_decryption), _TRUTH, "the key's policy lets CloudTrail decrypt where the bucket has an S3 Bucket Key"
    ),
    "key.enabled": FactSpec(_of_key(_enabled), _TRUTH, "the key is enabled"),
    "key.symmetric": FactSpec(_of_key(_symmetric), _TRUTH, "the key is symmetric, encrypts, and has key material"),
    "key.alias_ready": FactSpec(alias_ready, _TRUTH, "the key's alias is made before the trail"),
}
KEY_FACTS: Mapping[str, FactSpec] = {
    "key.rotatable": FactSpec(rotatable, _TRUTH, "KMS can rotate the key by itself"),
}
