"""Policy documents as repairs change them: where one is written, and how a statement more looks in it.

A statement is written as its neighbours are: with a Sid where they have one, and with references as text where the
document is a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Append, At, Change, Data, Put, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, plain
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.trails.facts.phrases import PARTITION, Name, joined, phrase_at, pseudo_phrase, written
from trailguard.trails.facts.repairs import Repair, holds

VERSION = "2012-10-17"


class Document(NamedTuple):
    """A policy document: where the list of its statements is, or is to be, and the statements as plain data.

    `nodes` are the statements' own nodes; there are none in a text.
    """

    at: At
    way: tuple[str, ...]
    statements: tuple[Any, ...]
    nodes: tuple[Node, ...]

    def adding(self, statement: Mapping[str, Data], sid: str = "") -> Change:
        """One more statement, with a Sid if the others have one."""
        return Append(self.at, self.way, {**({"Sid": self._own(sid)} if self._has_sids() else {}), **statement})

    def _has_sids(self) -> bool:
        return any(isinstance(one, dict) and "Sid" in one for one in self.statements)

    def _own(self, sid: str) -> str:
        """A Sid that no other statement has."""
        used = {one.get("Sid") for one in self.statements if isinstance(one, dict)}
        numbered = (f"{sid}{number or ''}" for number in range(len(used) + 1))
        return next(name for name in numbered if name not in used)

    def holding(self, node: Node) -> Node | None:
        """The statement in which a node is written; None for one in a text."""
        return next((one for one in self.nodes if holds(one, node)), None)


def document_of(scenario: Scenario, resource: Resource, name: str) -> Document | None:
    """The policy document in a property of a resource; None where it is not written in the template."""
    return document_at(scenario, scenario.property_node(resource, name))


def document_at(scenario: Scenario, node: Node | None) -> Document | None:
    """The policy document that a node holds here; None where it is not written in the template."""
    node = scenario.unwrap(node)
    call = function_of(node) if node is not None else None
    if call is not None and call[0] == "Fn::ToJsonString":
        node = scenario.unwrap(call[1].items[0] if isinstance(call[1], ListNode) and call[1].items else call[1])
        call = function_of(node) if node is not None else None
    if call is not None and call[0] == "Fn::Sub":
        first = call[1].items[0] if isinstance(call[1], ListNode) and call[1].items else call[1]
        return _in_text(first) if isinstance(first, TextNode) else None
    if isinstance(node, TextNode):
        return _in_text(node)
    if call is not None or not isinstance(node, MapNode):
        return None
    listed = scenario.unwrap(node.values.get("Statement"))
    if isinstance(listed, ListNode):
        return Document(at(listed), (), tuple(map(plain, listed.items)), tuple(listed.items))
    if listed is None or (isinstance(listed, MapNode) and function_of(listed) is None):
        own = () if listed is None else (listed,)
        return Document(at(node), ("Statement",), tuple(map(plain, own)), own)
    return None


def names_only(node: MapNode, statement: Mapping[str, Data]) -> bool:
    """Tell whether a statement differs from another one in its actions only, as far as conditions are left aside."""
    said = plain(node)
    if function_of(node) is not None or said.get("Effect") != "Allow" or "Action" not in said:
        return False
    return all(_one(said.get(name)) == _one(statement.get(name)) for name in ("Principal", "Resource"))


def _one(value: Any) -> Any:
    """A value without the lists of one item that stand for the item."""
    if isinstance(value, Mapping):
        return {name: _one(item) for name, item in value.items()}
    return _one(value[0]) if isinstance(value, list) and len(value) == 1 else value


def exempting(document: Document, node: Node, title: str, service: str) -> Iterator[Repair]:
    """Let the calls of a service pass a Deny, which is the statement that a node is in. Nobody else gets past it.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    (aws:PrincipalServiceName, which is there only when a service calls)
    """
    denial = document.holding(node)
    if isinstance(denial, MapNode) and function_of(denial) is None and plain(denial).get("Effect") == "Deny":
        way = ("Condition", "StringNotEquals", "aws:PrincipalServiceName")
        change = Append if _says(plain(denial), way) else Put  # those who are exempt already stay so
        yield Repair(f"{title}: exempt it from a Deny", (change(at(denial), way, service),))


def _says(data: Any, way: tuple[str, ...]) -> bool:
    """Tell whether there is something at the end of a way."""
    for name in way:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data is not None


def _in_text(node: TextNode) -> Document | None:
    """The document that a text spells in JSON."""
    try:
        read = json.loads(node.value)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    stated = read.get("Statement", [])
    statements = tuple(stated) if isinstance(stated, list) else (stated,)
    return Document(at(node).below(), ("Statement",), statements, ())


def root_statement() -> dict[str, Data]:
    """The statement of a key policy that lets the account manage the key, as KMS writes it by default."""
    root: Data = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    return {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}


def trail_arn(scenario: Scenario, here: Resource, trail: Resource) -> Data | None:
    """The ARN of a trail as another resource can say it before the trail is made; None when its name is not written.

    A reference to the trail would make a circle, and so may one to whatever else its name refers to.
    """
    node = scenario.unwrap(scenario.property_node(trail, "TrailName"))
    name = None if node is None else phrase_at(scenario, here, node)
    named = [part.name.partition(".")[0] for part in name or () if isinstance(part, Name)]
    if name is None or any(one in scenario.model.template.resources for one in named):
        return None
    places = [pseudo_phrase(scenario, here, trail, f"AWS::{what}") for what in ("Region", "AccountId")]
    if None in places:
        return None
    region, account = (place or () for place in places)
    return written(joined("arn:", Name(PARTITION), ":cloudtrail:", *region, ":", *account, ":trail/", *name))


def any_trail(scenario: Scenario, here: Resource, trail: Resource) -> Data:
    """The ARNs of all trails of a trail's account, as a pattern."""
    account = pseudo_phrase(scenario, here, trail, "AWS::AccountId") or ("*",)
    return written(joined("arn:", Name(PARTITION), ":cloudtrail:*:", *account, ":trail/*"))
