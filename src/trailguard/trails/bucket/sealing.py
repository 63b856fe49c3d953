"""With which encryption headers a trail's files are written: those of S3's own key, or of the trail's.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html and
create-kms-key-policy-for-cloudtrail.html (log files and digest files),
https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html (the condition keys). That the key is
sent as its ARN, however KMSKeyId is spelt, was seen when trails were created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    VARIABLE,
    Pieces,
    Symbol,
    Text,
    join_pieces,
    show,
    split_pieces,
    text_of,
)
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.conditions import ABSENT, ContextValue
from trailguard.iam.policy import Policy
from trailguard.trails.facts.facts import is_empty
from trailguard.trails.facts.names import same_name

HEADER, KEY_HEADER = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
_KEYS = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")
_ALIAS = "AWS::KMS::Alias"

Headers = Mapping[str, ContextValue]


def plain(trail: Resource) -> Headers:
    """The headers of a trail without a key."""
    return {HEADER: (Text(("AES256",), trail.key),), KEY_HEADER: ABSENT}


def headers(scenario: Scenario, trail: Resource, policy: Policy) -> Headers | None:
    """The headers of a trail with a key, into a bucket with a policy; None when it has no key."""
    value = scenario.value_of(trail, "KMSKeyId")
    text = text_of(value)
    if is_empty(value) or text is None:
        return None
    return {
        HEADER: (Text(("aws:kms",), trail.key),),
        KEY_HEADER: (Text(_arn(scenario, trail, text, policy), text.node),),
    }


def _arn(scenario: Scenario, trail: Resource, text: Text, policy: Policy) -> Pieces:
    """The ARN of the key that a trail names, as far as it is known."""
    made = _made_here(scenario, trail, text)
    if made is not None:
        return scenario.returned_pieces(made, "Arn")
    pieces = text.pieces
    symbol = pieces[0] if len(pieces) == 1 and isinstance(pieces[0], Symbol) else None
    if symbol is not None and symbol.kind == VARIABLE:
        scenario.settle(symbol, ())
        return _key_arn(scenario, trail, pieces) if _is_key_id(symbol, policy) else pieces
    if symbol is not None:
        return pieces  # from elsewhere: whatever it is, nobody can tell what it equals
    parts = split_pieces(pieces, ":")
    if len(parts) == 6 and parts[0] == ("arn",):
        if not _begins(parts[5], "alias/"):
            return pieces
        start = join_pieces(piece for part in parts[:5] for piece in (*part, ":"))
        return join_pieces((*start, "key/", _behind(text)))
    return _key_arn(scenario, trail, (_behind(text),) if _begins(pieces, "alias/") else pieces)


def _key_arn(scenario: Scenario, trail: Resource, key_id: Pieces) -> Pieces:
    """The ARN of a key of the trail's account and Region."""
    region, account = (text_of(scenario.pseudo(f"AWS::{name}", trail, trail.key)) for name in ("Region", "AccountId"))
    where = (*(region.pieces if region else ()), ":", *(account.pieces if account else ()))
    return join_pieces((f"arn:{scenario.model.partition}:kms:", *where, ":key/", *key_id))


def _begins(pieces: Pieces, start: str) -> bool:
    return bool(pieces) and isinstance(pieces[0], str) and pieces[0].startswith(start)


def _behind(alias: Text) -> Symbol:
    """The ID of the key that an alias stands for."""
    name = show(alias)
    return Symbol(OPAQUE, f"the key behind {name}", f"the key that {name} stands for is not in the scanned files")


def _made_here(scenario: Scenario, trail: Resource, text: Text) -> Resource | None:
    """The key of this template that a text names, by itself or by an alias."""
    template = scenario.model.template
    for kind in _KEYS:
        for key in template.of_type(kind):
            if any(same_name(scenario, text.pieces, scenario.returned_pieces(key, name)) for name in ("Ref", "Arn")):
                return key
    for alias in template.of_type(_ALIAS):
        if not scenario.active(alias):
            continue
        name = scenario.returned_pieces(alias, "Ref")
        place = _key_arn(scenario, trail, ())
        arn = join_pieces((*place[:-1], str(place[-1]).removesuffix("key/"), *name))
        if any(same_name(scenario, text.pieces, one) for one in (name, arn)):
            target = text_of(scenario.value_of(alias, "TargetKeyId"))
            return None if target is None else _made_here(scenario, trail, target)
    return None


def _is_key_id(symbol: Symbol, policy: Policy) -> bool:
    """Tell whether a policy takes a parameter for the ID of a key, not for its ARN: it puts the ARN together itself."""
    return any(symbol in pieces and len(pieces) > 1 for pieces in _asked(policy))


def _asked(policy: Policy) -> Iterator[Pieces]:
    """The keys that a policy asks for."""
    for statement in policy.possible:
        for clause in statement.clauses:
            if clause.name == KEY_HEADER:
                yield from (text.pieces for text in clause.values)
