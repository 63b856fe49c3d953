"""What loops of `AWS::LanguageExtensions` go over: the items of a collection, and texts in which they are put.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from typing import NamedTuple

from trailguard.cloudformation.source.letters import KEPT, RESOLVED
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, call_at, scalar_at, scalar_text

MAX_CHARACTERS = 4_000_000  # that items are put into: CloudFormation takes 1 MB
_SPECIAL = re.compile(r"[^A-Za-z0-9]")
_PLACEHOLDER = re.compile(r"([$&])\{([^{}!]+)\}")
_OPENING = re.compile(_PLACEHOLDER.pattern + r"|\$\{")
_ANY = (
    "<{}>"  # any item of a collection that is not known, by its identifier; a name of CloudFormation holds no bracket
)


class Items(NamedTuple):
    """The items of a collection; `sure` tells that no parameter can change them."""

    texts: list[str]
    sure: bool


def any_item(identifier: str) -> str:
    """What stands for any item of a collection that is not known: a name whose value nobody has."""
    return _ANY.format(identifier)


def is_any(item: str) -> bool:
    """Tell whether an item stands for any."""
    return item.startswith("<")


class Texts:
    """Puts items in the place of identifiers; `characters` counts those of the texts that this makes.

    What stands for any item becomes part of a name as it is, and of a value as a reference.
    """

    def __init__(self) -> None:
        self.characters = 0

    def named(self, node: TextNode, names: dict[str, str]) -> TextNode:
        """A text of the template with items for identifiers; itself where there are none."""
        text = self.put(node.value, names) if "{" in node.value else node.value
        return node if text == node.value else scalar_at(node, text)

    def valued(self, node: TextNode, names: dict[str, str]) -> Node:
        """The same for a text that is a value: a call of `Fn::Sub` where one of the items may be any."""
        if "{" not in node.value or not any(map(is_any, names.values())):
            return self.named(node, names)
        parts = {name for _, name in _PLACEHOLDER.findall(node.value)}
        if not any(is_any(names.get(name, "")) for name in parts):
            return self.named(node, names)

        def item(found: re.Match[str]) -> str:
            known = names.get(found[2] or "")
            if known is None:
                return found[0].replace("${", "${!")
            return self.put(found[0], names, is_value=True) if is_any(known) else self.put(found[0], names)

        return call_at(node, "Fn::Sub", scalar_at(node, _OPENING.sub(item, node.value)))

    def put(self, text: str, names: dict[str, str], is_value: bool = False) -> str:
        """A text in which items stand for identifiers: `${Name}`, or `&{Name}` with letters and digits only.

        `is_value` tells that it is one of `Fn::Sub`, which takes references.
        """
        if not names or "{" not in text:
            return text
        size = len(text) + sum(len(names.get(found[2], "")) for found in _PLACEHOLDER.finditer(text))
        self.characters += size
        if self.characters > MAX_CHARACTERS:
            return text  # the loop ends with an error

        def item(found: re.Match[str]) -> str:
            known = names.get(found[2])
            if known is None:
                return found[0]
            if is_any(known):
                is_name = not is_value or text.rfind("${", 0, found.start()) > text.rfind("}", 0, found.start())
                return known if is_name else "${" + known + "}"
            return known if found[1] == "$" else _SPECIAL.sub("", known)

        return _PLACEHOLDER.sub(item, text)


class Collections:
    """The collections of a template's loops; `pinned` are parameter values that are known."""

    def __init__(self, root: MapNode, pinned: Map[str, str], texts: Texts) -> None:
        self._root = root
        self._pinned = pinned
        self._texts = texts

    def items(self, node: Node, names: dict[str, str]) -> Items | None:
        """The items of a collection; None when they are not known."""
        if isinstance(node, ListNode):
            texts: list[str] = []
            sure = True
            for item in node.items:
                found = self._item(item, names)
                if found is None:
                    return None
                texts.extend(found.texts)
                sure = sure and found.sure
            return Items(texts, sure)
        if not isinstance(node, MapNode) or len(node.values) != 1:
            return None
        ((function, argument),) = node.values.items()
        if function == "Ref" and isinstance(argument, TextNode):
            return self._parameter(argument.value, is_list=True)
        if function == "Fn::FindInMap":
            listed = self.looked_up(argument, names)
            return self.items(listed, {}) if isinstance(listed, ListNode) else None
        if function == "Fn::Split":
            return self._split(argument, names)
        return None

    def _item(self, node: Node, names: dict[str, str]) -> Items | None:
        """One item of a written list: a text, or a reference to a parameter that is no list."""
        if isinstance(node, TextNode):
            text = self._texts.put(scalar_text(node) or "", names)
            is_open = any(is_any(item) and item in text for item in names.values())
            return Items([text], True) if not is_open or text in names.values() else None
        reference = node.values.get("Ref") if isinstance(node, MapNode) and len(node.values) == 1 else None
        if not isinstance(reference, TextNode):
            return None
        if reference.value in names:
            return Items([names[reference.value]], True)
        return self._parameter(reference.value, is_list=False)

    def _parameter(self, name: str, is_list: bool) -> Items | None:
        """The items of a parameter: those that are known, else its default, which is not sure."""
        section = self._root.values.get("Parameters")
        node = section.values.get(name) if isinstance(section, MapNode) else None
        if not isinstance(node, MapNode):
            return None
        kind = node.values.get("Type")
        if not isinstance(kind, TextNode) or kind.value.startswith("AWS::SSM::"):
            return None
        if is_list != (kind.value == "CommaDelimitedList" or kind.value.startswith("List<")):
            return None
        default = node.values.get("Default")
        text = self._pinned.get(name)
        if text == KEPT:
            return None
        text = text.removeprefix(RESOLVED) if text is not None else None
        if text is None and isinstance(default, TextNode):
            text = scalar_text(default) or ""
        if text is None or (is_list and not text):  # whether an empty list has an item depends on the resource
            return None
        return Items([item.strip() for item in text.split(",")] if is_list else [text], name in self._pinned)

    def looked_up(self, argument: Node | None, names: dict[str, str]) -> Node | None:
        """What a mapping holds under keys that are known."""
        keys = argument.items[:3] if isinstance(argument, ListNode) else []
        found = self._root.values.get("Mappings")
        for key in keys:
            item = self._item(key, names)
            if item is None or not item.sure or not isinstance(found, MapNode):
                return None
            found = found.values.get(item.texts[0])
        return found if len(keys) == 3 else None

    def _split(self, argument: Node, names: dict[str, str]) -> Items | None:
        parts = argument.items if isinstance(argument, ListNode) else []
        if len(parts) != 2 or not isinstance(parts[0], TextNode) or not parts[0].value:
            return None
        item = self._item(parts[1], names)
        if item is None or is_any(item.texts[0]):
            return None
        return Items(item.texts[0].split(parts[0].value), item.sure)
