"""Policy documents as repairs change them: where one is written, and how a statement more looks in it.

A statement is written as its neighbours are: with a Sid where they have one, and with references as text where the
document is a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Append, At, Change, Data, Put, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, plain
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import PLACEHOLDER, Resource, function_of
from trailguard.trails.facts.repairs import Repair, holds, same_stack

VERSION = "2012-10-17"


class Document(NamedTuple):
    """A policy document: where the list of its statements is, or is to be, and the statements as plain data.

    `nodes` are the statements' own nodes, none in a text. `kind` is "" for maps and lists, "sub" for a text in which
    `Fn::Sub` fills in references, "text" for one without any.
    """

    at: At
    way: tuple[str, ...]
    statements: tuple[Any, ...]
    nodes: tuple[Node, ...]
    kind: str = ""

    def adding(self, statement: Mapping[str, Data], sid: str = "") -> Change | None:
        """One more statement, with a Sid if the others have one; None where what it refers to cannot be written."""
        made: Data = {**({"Sid": self._own(sid)} if self._has_sids() else {}), **statement}
        if self.kind:
            made = _spelt(made, self.kind == "sub")
        return None if made is None else Append(self.at, self.way, made)

    def _has_sids(self) -> bool:
        return any(isinstance(one, dict) and "Sid" in one for one in self.statements)

    def _own(self, sid: str) -> str:
        """A Sid that no other statement has."""
        used = {one.get("Sid") for one in self.statements if isinstance(one, dict)}
        numbered = (f"{sid}{number or ''}" for number in range(len(used) + 1))
        return next(name for name in numbered if name not in used)

    def place(self, index: int) -> At | None:
        """Where a statement is written; None where that cannot be told."""
        if self.kind:
            return self.at.below("Statement", index) if len(self.statements) > index else None
        return at(self.nodes[index]) if len(self.nodes) > index else None

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
        return _in_text(first, "sub") if isinstance(first, TextNode) else None
    if isinstance(node, TextNode):
        return _in_text(node, "text")
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


def exempting(document: Document, node: Node, title: str) -> Iterator[Repair]:
    """Let the calls of AWS services pass a Deny, which is the statement that a node is in.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    (aws:PrincipalIsAWSService)
    """
    denial = document.holding(node)
    if isinstance(denial, MapNode) and function_of(denial) is None and plain(denial).get("Effect") == "Deny":
        way = ("Condition", "Bool", "aws:PrincipalIsAWSService")
        yield Repair(f"{title}: exempt AWS services from a Deny", (Put(at(denial), way, "false"),))


def _in_text(node: TextNode, kind: str) -> Document | None:
    """The document that a text spells in JSON."""
    try:
        read = json.loads(node.value)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    stated = read.get("Statement", [])
    statements = tuple(stated) if isinstance(stated, list) else (stated,)
    return Document(at(node).below(), ("Statement",), statements, (), kind)


def _spelt(value: Data, filled_in: bool) -> Data | None:
    """A value as it stands in a text: references as `${...}`, which only `Fn::Sub` fills in."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in ("Ref", "Fn::GetAtt", "Fn::Sub"):
                return _placeholder(name, argument) if filled_in else None
        made = {name: _spelt(item, filled_in) for name, item in value.items()}
        return None if None in made.values() else made
    if isinstance(value, Sequence) and not isinstance(value, (str, At)):
        items = [_spelt(item, filled_in) for item in value]
        return None if None in items else items
    return value


def _placeholder(function: str, argument: Any) -> str:
    if function == "Fn::Sub":
        return str(argument)
    return "${" + (str(argument) if function == "Ref" else ".".join(argument)) + "}"


def root_statement() -> dict[str, Data]:
    """The statement of a key policy that lets the account manage the key, as KMS writes it by default."""
    root: Data = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    return {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}


def trail_arn(scenario: Scenario, here: Resource, trail: Resource) -> Data | None:
    """The ARN of a trail as another resource can say it before the trail is made; None when its name is not written.

    That is only so where its name is. A reference to the trail would make a circle, and so may one in its name.
    """
    name = _written_name(scenario, trail) if same_stack(scenario, here, trail) else None
    if name is None:
        return None
    return {"Fn::Sub": "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/" + name}


def any_trail() -> Data:
    """The ARNs of all trails of the account, as a pattern."""
    return {"Fn::Sub": "arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*"}


def _written_name(scenario: Scenario, trail: Resource) -> str | None:
    """The name of a trail as `Fn::Sub` takes it."""
    node = scenario.unwrap(scenario.property_node(trail, "TrailName"))
    if isinstance(node, TextNode):
        return bare(node.value) if "${" not in node.value and "{{" not in node.value else None
    call = function_of(node) if node is not None else None
    if call is None or node is None or not isinstance(call[1], TextNode):
        return None
    own = [name for name, _ in references(node)]
    if any(name in scenario.model.template.resources for name in own):
        return None
    if call[0] == "Ref":
        return "${" + bare(call[1].value) + "}"
    return bare(call[1].value) if call[0] == "Fn::Sub" and PLACEHOLDER.search(call[1].value) else None
