"""Where the statements of a policy were written, and the changes by which one comes to say something else.

A document is a map of the template, or a text that holds JSON: a string, or what `Fn::Sub` fills in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Value, text_of
from trailguard.cloudformation.source.changes import Append, At, Change, Data, Put, Remove, Rename, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.iam.jsontext import read_json
from trailguard.iam.policy import Policy, Statement
from trailguard.iam.reading import Problems
from trailguard.trails.facts.phrases import Name, Phrase, written
from trailguard.trails.facts.ways import Way, branch_of, placed, walk


class Paper(NamedTuple):
    """A document and how it was written: `place` is the map, or the text that holds it.

    `said` is what such a text spells; `is_filled` tells that `Fn::Sub` fills it in.
    """

    scenario: Scenario
    resource: Resource
    place: Node
    said: MapValue | None = None
    is_filled: bool = False

    @property
    def in_text(self) -> bool:
        """Whether the document is spelt in a text."""
        return self.said is not None

    def say(self, phrase: Phrase) -> Data | None:
        """A phrase as a value in the document; None where nothing there would fill in its names."""
        able = str if not self.is_filled else (str, Name)
        return None if self.in_text and not all(isinstance(part, able) for part in phrase) else written(phrase)

    def root(self) -> At:
        """The document."""
        return at(self.place).below() if self.in_text else at(self.place)

    def new(self, statement: Mapping[str, Data]) -> Change:
        """One more statement, behind the others."""
        found = None if self.in_text else branch_of(self.scenario, _child(self.place, "Statement"))
        if isinstance(found, ListNode):
            return Append(at(found), (), statement)
        return Append(self.root(), ("Statement",), statement)

    def at(self, statement: Statement) -> At:
        """A statement."""
        if self.said is None:
            return at(statement.node)
        is_list = isinstance(self.said.entries.get("Statement"), ListValue)
        return at(self.place).below("Statement", *((statement.index,) if is_list else ()))

    def put(self, statement: Statement, way: Way, value: Data) -> Change:
        """In a statement, what is at the end of the way becomes the value."""
        if self.in_text:
            return Put(self.at(statement), way, value)
        return placed(self.scenario, statement.node, way, value)

    def append(self, statement: Statement, way: Way, value: Data) -> Change:
        """In a statement, the list at the end of the way gets one more item."""
        if self.in_text:
            return Append(self.at(statement), way, value)
        node, rest = walk(self.scenario, statement.node, way)
        if isinstance(node, ListNode) and not rest:
            return Append(at(node), (), value)
        if not rest:
            outer, last = walk(self.scenario, statement.node, way[:-1])
            direct = isinstance(outer, MapNode) and not last and outer.values.get(way[-1]) is node
            return Append(at(outer), way[-1:], value) if direct else Replace(at(node), [at(node), value])
        return placed(self.scenario, statement.node, way, value)

    def remove(self, statement: Statement, way: Way = ()) -> Change:
        """An entry of a statement goes, or the whole statement; with an entry what would be empty without it."""
        held: list[Mapping[str, Value]] = [statement.elements]
        for key in way[:-1]:
            inner = held[-1].get(key)
            held.append(inner.entries if isinstance(inner, MapValue) else {})
        cut = len(way)
        while cut > 1 and len(held[cut - 1]) == 1:
            cut -= 1
        return self._gone(statement, way[:cut])

    def rename(self, statement: Statement, way: Way, name: str) -> Change:
        """A key of a statement gets another name."""
        if self.in_text:
            return Rename(self.at(statement).below(*way), name)
        node, rest = walk(self.scenario, statement.node, way[:-1])
        if rest or not isinstance(node, MapNode):
            return Put(at(node), (*rest, name), self.value_at(statement, *way))
        return Rename(at(node.keys[way[-1]]), name)

    def ask(self, statement: Statement, operator: str, key: str, value: Data) -> tuple[Change, ...]:
        """A statement comes to ask for one value of a condition key, whatever it asks of it now."""
        changes: list[Change] = []
        condition = statement.elements.get("Condition")
        known = condition.entries if isinstance(condition, MapValue) else {}
        target = ("Condition", operator, key)
        for former, spelling, _ in clauses_on(statement, key.lower()):
            asked = known[former]
            if former == operator:
                target = ("Condition", operator, spelling)
            elif operator not in known and isinstance(asked, MapValue) and len(asked.entries) == 1 and not changes:
                changes.append(self.rename(statement, ("Condition", former), operator))
                target = ("Condition", former, spelling)
            else:
                changes.append(self.remove(statement, ("Condition", former, spelling)))
        return (*changes, self.put(statement, target, value))

    def ask_instead(
        self, statement: Statement, operator: str, key: str, value: Data, gone: Sequence[tuple[str, str]]
    ) -> tuple[Change, ...]:
        """A statement comes to ask for one value of a condition key in place of what it asks of others.

        `gone` are these, each with its operator.
        """
        condition = statement.elements.get("Condition")
        known = condition.entries if isinstance(condition, MapValue) else {}
        left: dict[str, list[str]] = {}
        for former, keys in known.items():
            names = keys.entries if isinstance(keys, MapValue) else {}
            left[former] = [name for name in names if (former, name) not in gone]
        if gone and not any(left.values()):
            return (self.put(statement, ("Condition",), {operator: {key: value}}),)
        changes: list[Change] = []
        for former in dict.fromkeys(one for one, _ in gone):
            if left.get(former):
                changes += [self.remove(statement, ("Condition", *pair)) for pair in gone if pair[0] == former]
            elif former != operator:
                changes.append(self._gone(statement, ("Condition", former)))
        if operator in known and not left[operator]:
            return (*changes, self.put(statement, ("Condition", operator), {key: value}))
        return (*changes, *self.ask(statement, operator, key, value))

    def _gone(self, statement: Statement, way: Way) -> Change:
        if self.in_text:
            return Remove(self.at(statement).below(*way))
        if not way:
            return Remove(at(statement.node))
        node, rest = walk(self.scenario, statement.node, way[:-1])
        if rest or not isinstance(node, MapNode):
            return Remove(at(statement.node))
        return Remove(at(node.keys[way[-1]]))

    def value_at(self, statement: Statement, *way: str) -> At | None:
        """Where the value of an element stands, to be copied."""
        if statement.elements.get(way[0]) is None:
            return None
        if self.in_text:
            return self.at(statement).below(*way)
        node, rest = walk(self.scenario, statement.node, way)
        return None if rest else at(node)


def paper_of(scenario: Scenario, resource: Resource, name: str = "PolicyDocument") -> Paper | None:
    """How the document in a property of a resource was written; None where it is written in another way."""
    node = scenario.unwrap(scenario.property_node(resource, name))
    if isinstance(node, MapNode) and function_of(node) is None:
        return Paper(scenario, resource, node)
    call = function_of(node) if node is not None else None
    is_filled = call is not None and call[0] == "Fn::Sub"
    text = call[1] if call is not None and is_filled else node
    if isinstance(text, ListNode) and text.items:
        text = text.items[0]
    if not isinstance(text, TextNode) or not isinstance(literal(text), str) or node is None:
        return None
    spelt = text_of(scenario.resolve(node))
    said = None if spelt is None else read_json(spelt, Problems())
    return Paper(scenario, resource, text, said, is_filled) if isinstance(said, MapValue) else None


def new_sid(policy: Policy, wanted: str) -> dict[str, Data]:
    """A Sid for a new statement, where all the others have one; it is nobody else's."""
    known = {statement.sid for statement in policy.possible}
    if not known or "" in known:
        return {}
    numbered = (f"{wanted}{number}" for number in range(2, len(known) + 3))
    return {"Sid": wanted if wanted not in known else next(name for name in numbered if name not in known)}


def clauses_on(statement: Statement, *keys: str) -> Iterator[tuple[str, str, Value]]:
    """The operators and spellings under which a statement asks for condition keys, and for which values."""
    condition = statement.elements.get("Condition")
    for operator, asked in condition.entries.items() if isinstance(condition, MapValue) else ():
        for name, value in asked.entries.items() if isinstance(asked, MapValue) else ():
            if name.lower() in keys:
                yield operator, name, value


def _child(node: Node, name: str) -> Node | None:
    return node.values.get(name) if isinstance(node, MapNode) else None
