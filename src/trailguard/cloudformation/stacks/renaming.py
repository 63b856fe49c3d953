"""Gives the names of a template an ending of their own, so that several templates can stand beside each other.

A stack has names for its parameters, mappings, conditions, resources and outputs. Where stacks are looked at together,
each name of a stack ends in a mark that tells the stacks apart: `LogBucket` and `LogBucket` of two stacks are two
resources. The copy keeps the spans of what it was made from, and remembers the file. Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from trailguard.cloudformation.source.letters import STACK
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, mapping_at, scalar_at, sequence_at
from trailguard.cloudformation.template.template import PLACEHOLDER, function_of

_MARKED = re.compile(rf"(?<![\w:<>])([\w:<>]+){STACK.pattern}")  # `Trail<Name>`: of any item of a loop
_MARK = re.compile(STACK.pattern)

# The same in all stacks of one account and Region; the others are a stack's own.
SHARED = frozenset({"AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::URLSuffix"})
ELSEWHERE = frozenset({"AWS::AccountId", "AWS::Region"})  # a stack set's own too


def mark(number: int) -> str:
    """The ending of a stack's names."""
    return STACK.around(number)


def bare(name: str) -> str:
    """A name without its ending."""
    return _MARK.sub("", name) if STACK.open in name else name


def number_of(name: str) -> int | None:
    """The number of the stack that a name belongs to; None when it has no ending."""
    found = _MARKED.search(name) if STACK.open in name else None
    return int(found[2]) if found is not None else None


def spell(text: str, told: Callable[[int, str], str]) -> str:
    """A text for people: names of other stacks as `told` by the number of their stack, `logs.yaml:LogBucket`."""
    if STACK.open not in text:
        return text

    return bare(_MARKED.sub(lambda found: told(int(found[2]), found[1]), text))


class Renamer:
    """Copies nodes of one stack. `place` is the ending of its account and Region, "" for those of the roots."""

    def __init__(self, ending: str, file: str, place: str = "") -> None:
        self._ending = ending
        self._file = file
        self._place = place
        self._known: dict[tuple[int, bool], Node] = {}  # aliases name the same node twice
        self._kept: list[Node] = []

    def name(self, name: str) -> str:
        """The name of something of this stack."""
        if name in ELSEWHERE:
            return name + self._place
        return name if name in SHARED else name + self._ending

    def scalar(self, node: TextNode, value: str) -> TextNode:
        """A copy of a scalar with another text."""
        return scalar_at(node, value, node.plain, self._file)

    def entries(self, section: Node | None, copy: Callable[[Node], Node]) -> MapNode | None:
        """A copy of a section: its keys are names."""
        if not isinstance(section, MapNode):
            return None
        made = mapping_at(section, file=self._file)
        for key, value in section.values.items():
            renamed = self.name(key) if not key.startswith("Fn::") else key + self._ending
            made.keys[renamed] = self.scalar(section.keys[key], renamed)
            made.values[renamed] = copy(value)
        return made

    def resource(self, node: Node) -> Node:
        """A copy of a resource or an output: `Condition` and `DependsOn` name things."""
        if not isinstance(node, MapNode):
            return self.copy(node)
        made = mapping_at(node, file=self._file)
        for key, value in node.values.items():
            made.keys[key] = self.scalar(node.keys[key], key)
            if key == "Condition" and isinstance(value, TextNode):
                made.values[key] = self.scalar(value, self.name(value.value))
            elif key == "DependsOn":
                made.values[key] = self._names(value)
            else:
                made.values[key] = self.copy(value)
        return made

    def _names(self, node: Node) -> Node:
        if isinstance(node, TextNode):
            return self.scalar(node, self.name(node.value))
        if isinstance(node, ListNode):
            return self._list(node, [self._names(item) for item in node.items])
        return self.copy(node)

    def test(self, node: Node) -> Node:
        """A copy of a condition, in which `Condition` names another one."""
        return self._copy(node, True)

    def copy(self, node: Node) -> Node:
        """A copy of a value."""
        return self._copy(node, False)

    def _copy(self, node: Node, is_test: bool) -> Node:
        if isinstance(node, TextNode):
            return self.scalar(node, node.value)
        key = (id(node), is_test)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._made(node, is_test)
            self._kept.append(node)  # so that its id is not given away
        return known

    def _made(self, node: Node, is_test: bool) -> Node:
        if isinstance(node, ListNode):
            return self._list(node, [self._copy(item, is_test) for item in node.items])
        if not isinstance(node, MapNode):
            return node
        function = function_of(node)
        made = mapping_at(node, file=self._file)
        for key, value in node.values.items():
            made.keys[key] = self.scalar(node.keys[key], key)
            if function is not None:
                made.values[key] = self._argument(key, value, is_test)
            elif is_test and key == "Condition" and isinstance(value, TextNode):
                made.values[key] = self.scalar(value, self.name(value.value))
            else:
                made.values[key] = self._copy(value, is_test)
        return made

    def _argument(self, function: str, node: Node, is_test: bool) -> Node:
        if function == "Ref":
            return self._name(node)
        if function == "Fn::GetAtt" and isinstance(node, TextNode):
            target, dot, attribute = node.value.partition(".")
            return self.scalar(node, self.name(target) + dot + attribute)
        if function == "Fn::Sub":
            return self._sub(node)
        if function in ("Fn::GetAtt", "Fn::If", "Fn::FindInMap") and isinstance(node, ListNode) and node.items:
            first = self.test(node.items[0]) if function == "Fn::If" else node.items[0]
            name = self._name(first) if isinstance(first, TextNode) or function != "Fn::If" else first
            return self._list(node, [name, *(self._copy(item, is_test) for item in node.items[1:])])
        return self._copy(node, is_test or function in ("Fn::And", "Fn::Or", "Fn::Not"))

    def _name(self, node: Node) -> Node:
        """A name; where a function gives it, the ending is put behind what that gives."""
        if isinstance(node, TextNode):
            return self.scalar(node, self.name(node.value))
        empty, ending = (scalar_at(node, text, file=self._file) for text in ("", self._ending))
        items = self._list(node, [self.copy(node), ending])
        return mapping_at(node, {"Fn::Join": empty}, {"Fn::Join": self._list(node, [empty, items])}, self._file)

    def _sub(self, node: Node) -> Node:
        if isinstance(node, TextNode):
            return self._text(node, frozenset())
        if not isinstance(node, ListNode) or len(node.items) != 2 or not isinstance(node.items[0], TextNode):
            return self.copy(node)
        names = node.items[1]
        own = frozenset(names.values) if isinstance(names, MapNode) else frozenset()
        return self._list(node, [self._text(node.items[0], own), self.copy(names)])

    def _text(self, node: TextNode, own: frozenset[str]) -> TextNode:
        def renamed(found: re.Match[str]) -> str:
            name = found[1].strip()
            if not name or name.startswith("!") or name in own:
                return found[0]
            target, dot, attribute = name.partition(".")
            return "${" + self.name(target) + dot + attribute + "}"

        return self.scalar(node, PLACEHOLDER.sub(renamed, node.value))

    def _list(self, node: Node, items: list[Node]) -> ListNode:
        return sequence_at(node, items, self._file)
