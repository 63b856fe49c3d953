"""Which key a trail or an event data store names, in all the ways that CloudTrail takes, and who makes it.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html (KmsKeyId: an alias, the ARN
of an alias or a key, or a key ID), https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html (the
letters of an alias), https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html (AWS managed
keys and their aliases)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Pieces,
    Symbol,
    Text,
    join_pieces,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, is_empty, no, reason_unknown, unknown, via, yes
from trailguard.trails.facts.links import Link, elsewhere, names_something
from trailguard.trails.facts.names import nearest, same_here, same_name
from trailguard.trails.facts.properties import pseudo
from trailguard.trails.facts.spelling import sub_missing

KEY = "AWS::KMS::Key"
REPLICA = "AWS::KMS::ReplicaKey"
ALIAS = "AWS::KMS::Alias"
EVENT_DATA_STORE = "AWS::CloudTrail::EventDataStore"
_PROPERTIES = {EVENT_DATA_STORE: "KmsKeyId", "AWS::Logs::LogGroup": "KmsKeyId", "AWS::SNS::Topic": "KmsMasterKeyId"}

_KEY_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-f]{32}")
_ALIAS_NAME = re.compile(r"alias/[a-zA-Z0-9:/_\0-]+")  # the \0 is a symbol
_HOLE = "\0"  # a symbol in a text that is looked at as a whole
_NO_NAME = "which is not a key ID, the ARN of a key or an alias"


class NamedKey(NamedTuple):
    """The key that a trail or an event data store names; `alias` is the alias of this template that it is named by."""

    link: Link
    alias: Resource | None = None


def property_of(resource: Resource) -> str:
    """The property that names the key; CloudFormation spells it differently for each kind of resource."""
    return _PROPERTIES.get(resource.type, "KMSKeyId")


def key_named(scenario: Scenario, resource: Resource) -> Fact:
    """Whether the property that names the key is set to something."""
    return names_something(scenario, resource, property_of(resource))


def key_set(scenario: Scenario, resource: Resource) -> Fact:
    """Whether a customer's own key is named, in a form that CloudTrail takes."""
    name = property_of(resource)
    value = scenario.value_of(resource, name)
    node = value.node
    if is_empty(value):
        written = scenario.property_node(resource, name) is not None and node is not resource.key
        told = f"{name} of {resource.id} is empty{via(node)}" if written else f"{resource.id} does not set {name}"
        return no(node, told)
    text = text_of(value)
    if text is None:
        return no(node, f"{name} of {resource.id} is a list or a map")
    _settle(scenario, text)
    fault = _fault(scenario, text)
    if fault is not None:
        return no(node, f'{name} of {resource.id} is "{show(text)}"{via(node)}, {fault}{sub_missing(text)}')
    reason = reason_unknown(text)
    if reason is not None and _is_open(text):
        return unknown(node, reason, f"{name} of {resource.id} is not known")
    return yes(node, f"{name} of {resource.id} is {show(text)}")


def _settle(scenario: Scenario, text: Text) -> None:
    """Try parameters at the values that are known of them, and at the empty text where nothing else is written."""
    empty = [""] if all(isinstance(piece, Symbol) for piece in text.pieces) else []
    for symbol in text.symbols:
        if symbol.kind == VARIABLE and not symbol.name.startswith("AWS::"):
            scenario.settle(symbol, empty)


def _fault(scenario: Scenario, text: Text) -> str | None:
    """Why a text cannot be the name of a customer's key, whatever its symbols stand for; None when it may be."""
    spelt = "".join(piece if isinstance(piece, str) else _HOLE for piece in text.pieces)
    if spelt.startswith("arn:"):
        parts = spelt.split(":", 5)
        if len(parts) < 6:
            return None if _HOLE in spelt else _NO_NAME
        if parts[2] != "kms" and _HOLE not in parts[2]:
            return "the ARN of something else than a key"
        spelt = parts[5]
        return _alias_fault(spelt) if not spelt.startswith(("key/", _HOLE)) else None
    if spelt.startswith(_HOLE):
        return _symbol_fault(scenario, text.symbols[0], alone=spelt == _HOLE)
    if spelt.startswith("alias/"):
        return _alias_fault(spelt)
    if _HOLE in spelt:  # what stands before the symbol is the beginning of a key ID, or wrong
        return None if re.fullmatch(r"[0-9a-fA-F-]+|mrk-[0-9a-f]*", spelt.partition(_HOLE)[0]) else _NO_NAME
    return None if _KEY_ID.fullmatch(spelt) else _NO_NAME


def _alias_fault(spelt: str) -> str | None:
    if spelt.startswith("alias/aws/"):
        return "a key that AWS manages: it is not yours, and nobody can change its policy"
    return None if _ALIAS_NAME.fullmatch(spelt) else _NO_NAME


def _symbol_fault(scenario: Scenario, symbol: Symbol, alone: bool) -> str | None:
    """Why what begins with a symbol is no key: a name that AWS generates for something else."""
    if symbol.kind != GENERATED:
        return None
    made = scenario.model.template.resources.get(symbol.name)
    if made is not None and made.type not in (KEY, REPLICA, ALIAS):
        return f"the name of {made.id}, which is not a key"
    return None if alone else _NO_NAME


def _is_open(text: Text) -> bool:
    """Tell whether what is not known of a text decides which kind of name it is."""
    bare = _bare(text.pieces)
    if bare[0] == "alias/":
        return _begins_open(bare[1:])  # it may be aws/...
    if bare != text.pieces:
        return False
    return _begins_open(bare) or str(bare[0]).startswith("arn:")


def _begins_open(pieces: Pieces) -> bool:
    return bool(pieces) and isinstance(pieces[0], Symbol) and pieces[0].kind == OPAQUE


def key_of(scenario: Scenario, resource: Resource) -> NamedKey | None:
    """The key of a trail or an event data store; None when it names none that can be a customer's own."""
    return scenario.once(("key of", resource.id), lambda: _find(scenario, resource))


def address_right(scenario: Scenario, resource: Resource) -> Fact:
    """Whether the ARN by which a key or an alias of this template is named is its own, Region and account included."""
    named = key_of(scenario, resource)
    text = text_of(scenario.value_of(resource, property_of(resource)))
    made = None if named is None else named.alias or named.link.resource
    if text is None or made is None or not _is_arn(text.pieces):
        return yes(resource.key, f"{resource.id} names no key of this template by an ARN")
    own = Text(_arn(scenario, made), text.node)
    if scenario.equal(text, own):
        return yes(text.node, f"{resource.id} names {made.id} by its ARN")
    because = f"{property_of(resource)} of {resource.id} is {show(text)}, and the ARN of {made.id} is {show(own)}"
    return no(text.node, because, ((made.key, "what the ARN is to mean"),))


def _is_arn(pieces: Pieces) -> bool:
    return bool(pieces) and isinstance(pieces[0], str) and pieces[0].startswith("arn:")


def _arn(scenario: Scenario, made: Resource) -> Pieces:
    """The ARN of a key or an alias of the template."""
    if made.type != ALIAS:
        return scenario.returned_pieces(made, "Arn")
    place = (*pseudo(scenario, "Region", made), ":", *pseudo(scenario, "AccountId", made), ":")
    start = (f"arn:{scenario.model.partition}:kms:", *place)
    return join_pieces((*start, *scenario.returned_pieces(made, "Ref")))


def _find(scenario: Scenario, resource: Resource) -> NamedKey | None:
    named = key_set(scenario, resource)
    text = text_of(scenario.value_of(resource, property_of(resource)))
    if text is None or named.value is False:
        return None
    bare = _bare(text.pieces)
    key = _key(scenario, bare)
    alias = _alias(scenario, resource, text.pieces) if key is None else None
    if alias is None:
        return NamedKey(Link(text.node, key, named.unknown or _elsewhere(scenario, text, text.node)))
    target = text_of(scenario.value_of(alias, "TargetKeyId"))
    key = None if target is None else _key(scenario, _bare(target.pieces))
    reason = f"{alias.id} stands for a key that is not known"
    if target is not None:
        reason = f"{alias.id} stands for it, and {_elsewhere(scenario, target, target.node)}"
    return NamedKey(Link(text.node, key, reason), alias)


def _elsewhere(scenario: Scenario, text: Text, node: Node) -> str:
    source = next((symbol.reason for symbol in text.symbols if symbol.kind == OPAQUE and symbol.reason), None)
    return elsewhere(
        f"key {show(text)}{'' if source else via(node)}", source or "", scenario.model.stacks.looks.unseen(KEY)
    )


def _bare(pieces: Pieces) -> Pieces:
    """The key ID in the ARN of a key, the alias in the ARN of an alias; other text as it is."""
    if not _is_arn(pieces):
        return pieces
    for index, piece in enumerate(pieces):
        for mark, kept in ((":key/", ""), (":alias/", "alias/")):
            if isinstance(piece, str) and mark in piece:
                return join_pieces((kept + piece.partition(mark)[2], *pieces[index + 1 :]))
    return pieces


def _alias(scenario: Scenario, user: Resource, pieces: Pieces) -> Resource | None:
    """The alias of this template that a text means. One that is not made here is not asked for its name.

    In an ARN, the alias is enough in the template that makes it, whose ARN it is to be; another template's is another
    alias where account or Region are others.
    """
    name = _bare(pieces)
    stacks = scenario.model.stacks
    root = stacks.root_of(user.id)
    for alias in nearest(scenario, user, scenario.model.template.of_type(ALIAS)):
        if not scenario.active(alias):
            continue
        own = scenario.returned_pieces(alias, "Ref")
        if not _is_arn(pieces):
            is_meant = same_here(scenario, user, name, alias, own)
        elif stacks.root_of(alias.id) == root:
            is_meant = same_name(scenario, name, own)
        else:
            is_meant = same_name(scenario, pieces, _arn(scenario, alias))
        if is_meant:
            return alias
    return None


def _key(scenario: Scenario, name: Pieces) -> Resource | None:
    """The key of this template that has an ID. It is made here: what refers to one that is not cannot be resolved."""
    template = scenario.model.template
    made = (*template.of_type(KEY), *template.of_type(REPLICA))
    return next((key for key in made if same_name(scenario, name, scenario.returned_pieces(key, "Ref"))), None)
