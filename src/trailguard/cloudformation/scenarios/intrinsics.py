"""What each intrinsic function means in one scenario.

Every function takes a resolver (which knows the scenario), the function's argument and its whole node, and gives a
value. What cannot be known is `Unknown`, with the reason, and so is what CloudFormation refuses.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from trailguard.cloudformation.scenarios.asking import Resolver
from trailguard.cloudformation.scenarios.filledin import make_text
from trailguard.cloudformation.scenarios.parts import COUNT
from trailguard.cloudformation.scenarios.reasons import (
    INSTEAD,
    Refused,
    kind_of,
    line,
    open_items,
    open_value,
    refused,
    shape_of,
    undefined,
    written_by,
)
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    ListValue,
    MapValue,
    Piece,
    Symbol,
    Text,
    Unknown,
    Value,
    show,
    spell,
    split_pieces,
    text_of,
)
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, scalar_text
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import PLACEHOLDER, function_of

_UNSPLIT = frozenset({"AWS::Region", "AWS::AccountId", "AWS::StackName"})  # hold no delimiter of an ARN or a path
_ARN_DELIMITERS = frozenset(":/,*")


class Unbuildable(Exception):
    """Raised when CloudFormation cannot make a stack in this scenario."""


class TooHard(Exception):
    """Raised when it takes too long to find a stack that can be made; `names` are the parameters that it hinges on."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self.names = frozenset(names)


def ref(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Ref`; LanguageExtensions allow a function as its argument."""
    name = scenario.resolve(argument)
    if not isinstance(name, Text) or name.literal is None:
        raise Refused(f"it takes the name of a parameter or a resource, not {kind_of(name)}")
    return scenario.reference(name.literal, node)


def get_att(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::GetAtt`: `Id.Attribute`, split at the first dot, or a list of both."""
    if isinstance(argument, TextNode):
        target, _, attribute = argument.value.partition(".")
    else:
        first, second = _arguments(argument, "the name of a resource and its attribute")
        name = scenario.resolve(second)
        if not isinstance(first, TextNode) or not isinstance(name, Text) or name.literal is None:
            raise Refused("it takes the name of a resource, written out, and the name of its attribute")
        target, attribute = first.value, name.literal
    if not attribute:
        raise Refused(
            f"it names no attribute of {target or 'a resource'}; it takes RESOURCE.ATTRIBUTE, or both in a list"
        )
    return scenario.attribute(target, attribute, node)


def sub(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Sub`: a string, or a string and a map of names that come first."""
    names: Mapping[str, Node] = {}
    template = argument
    if isinstance(argument, ListNode):
        template, mapping = _arguments(argument, "a text and a map of its variables")
        if not isinstance(mapping, MapNode):
            raise Refused(f"the second item of its list must be a map of variables, not {shape_of(mapping)}")
        names = mapping.values
    if not isinstance(template, TextNode):
        raise Refused(f"its text must be written out, and this is {shape_of(template)}")
    pieces: list[Piece] = []
    for index, part in enumerate(PLACEHOLDER.split(template.value)):
        if index % 2 == 0:
            pieces.append(part)
            continue
        value = _substitute(scenario, part.strip(), names, template)
        text = text_of(value)
        if text is None:
            raise Refused(f"${{{part}}} stands for {kind_of(value)}, where text is expected")
        pieces.extend(text.pieces)
    return make_text(pieces, node)


def _substitute(scenario: Resolver, name: str, names: Mapping[str, Node], node: Node) -> Value:
    if name.startswith("!"):
        return Text(("${" + name[1:] + "}",), node)
    if name in names:
        return scenario.resolve(names[name])
    if not name:
        raise Refused("its text has a ${} without a name")
    target, dot, attribute = name.partition(".")
    return scenario.attribute(target, attribute, node) if dot else scenario.reference(name, node)


def join(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Join`."""
    first, second = _arguments(argument, "a delimiter and a list of texts")
    delimiter, items = _text(scenario, first, "its delimiter"), scenario.resolve(second)
    if isinstance(items, Unknown):
        return Unknown(f"{items.name} joined with {spell(delimiter.pieces)}", items.reason, node)
    if not isinstance(items, ListValue):
        raise Refused(f"it joins the items of a list, and this is {kind_of(items)}")
    pieces: list[Piece] = []
    for index, item in enumerate(items.items):
        text = text_of(item)
        if text is None:
            raise Refused(f"item {index + 1} of its list is {kind_of(item)}, where text is expected")
        pieces.extend((*delimiter.pieces, *text.pieces) if index else text.pieces)
    return make_text(pieces, node)


def split(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Split`, which keeps empty parts."""
    first, second = _arguments(argument, "a delimiter and a text")
    delimiter, text = _text(scenario, first, "its delimiter"), _text(scenario, second, "what it splits")
    if not delimiter.literal:
        raise Refused("its delimiter is empty" if delimiter.literal == "" else "its delimiter must be written out")
    for symbol in text.symbols:
        whole = symbol.kind == GENERATED or bare(symbol.name) in _UNSPLIT
        if not whole or symbol.kind == OPAQUE or not _ARN_DELIMITERS.intersection(delimiter.literal):
            if symbol.kind == VARIABLE:
                scenario.fix(symbol.name)
            return Unknown(f"{show(text)} split at {spell(delimiter.pieces)}", open_value(symbol), node)
    return ListValue(tuple(Text(part, node) for part in split_pieces(text.pieces, delimiter.literal)), node)


def select(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Select`; an index outside the list is a stack error."""
    first, second = _arguments(argument, "an index and a list")
    index, items = _text(scenario, first, "its index"), scenario.resolve(second)
    if isinstance(items, Unknown):
        found = _split_part(scenario, index, second)
        return found or Unknown(f"item {show(index)} of {items.name}", items.reason, node)
    if not isinstance(items, ListValue):
        raise Refused(f"it selects from a list, and this is {kind_of(items)}")
    if index.literal is None:
        (symbol, *others) = index.symbols
        if not others and len(index.pieces) == 1 and symbol.kind == VARIABLE:
            scenario.choose(symbol.name, [str(position) for position in range(len(items.items))], closed=True)
        reason = f"which item Fn::Select on {line(node)} takes is not known: {open_value(symbol)}"
        return Unknown(f"item {show(index)} of a list", reason, node)
    if re.fullmatch("[0-9]{1,9}", index.literal) is None:
        if isinstance(first, TextNode):
            raise Refused(f'its index "{index.literal}" is not a number from 0')
        raise Unbuildable("Fn::Select outside the list")
    position = int(index.literal)
    open_list = _any_list(scenario, items)
    if open_list is not None:
        pieces = scenario.part(open_list, ",", position)
        unknown = Unknown(f"item {position} of {open_list.name}", open_items(open_list), node)
        return unknown if pieces is None else Text(pieces, node)
    if position >= len(items.items):
        if isinstance(first, TextNode) and _is_written(second, len(items.items)):
            raise Refused(f"it asks for item {position} of a list of {len(items.items)}, counted from 0")
        raise Unbuildable("Fn::Select outside the list")
    return items.items[position]._replace(node=node)


def _split_part(scenario: Resolver, index: Text, items: Node) -> Text | None:
    """A part of a parameter that is split; None when what is split is something else."""
    call = function_of(items)
    if call is None or call[0] != "Fn::Split" or index.literal is None or not re.fullmatch("[0-9]{1,9}", index.literal):
        return None
    first, second = _arguments(call[1], "a delimiter and a text")
    delimiter, text = _text(scenario, first, "its delimiter").literal, _text(scenario, second, "what it splits")
    symbol = text.symbols[0] if len(text.pieces) == 1 and text.symbols else None
    if symbol is None or symbol.kind != VARIABLE or not delimiter:
        return None
    pieces = scenario.part(symbol, delimiter, int(index.literal))
    return None if pieces is None else Text(pieces, items)


def _is_written(items: Node, count: int) -> bool:
    """Tell whether a list is the same in all scenarios: it is written out, item by item or as a text that is split."""
    split_text = function_of(items)
    if split_text is not None and split_text[0] == "Fn::Split" and isinstance(split_text[1], ListNode):
        return all(isinstance(item, TextNode) for item in split_text[1].items)
    return isinstance(items, ListNode) and len(items.items) == count


def _any_list(scenario: Resolver, items: ListValue) -> Symbol | None:
    """The parameter whose list is not known here and for which its only item stands, or None."""
    if len(items.items) != 1 or not isinstance(item := items.items[0], Text) or len(item.pieces) != 1:
        return None
    piece = item.pieces[0]
    return piece if isinstance(piece, Symbol) and scenario.is_list(piece) else None


def if_(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::If`."""
    _arguments(argument, "a condition, a value if it holds and another one", 3)
    chosen = scenario.branch(argument)
    if chosen is None:
        raise Refused("it takes a condition and two values")
    return scenario.resolve(chosen)


def find_in_map(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::FindInMap`, with the default value of LanguageExtensions."""
    mapping, *keys = _arguments(argument, "a mapping and two keys", 3, 4)
    fallback = keys.pop() if len(keys) == 3 else None
    default = fallback.values.get("DefaultValue") if isinstance(fallback, MapNode) else None
    name = _text(scenario, mapping, "the name of its mapping")
    table = _table(scenario, name, mapping)
    if table is None:
        why = undefined("mapping", show(name), scenario.mappings)
        return Unknown(f"Fn::FindInMap on line {node.line}:{node.column}", why, node)
    shown = f"mapping {show(name)}"
    for item in keys:
        found = _map_entry(scenario, table, _text(scenario, item, "its key"), item, default is None)
        if found is None:
            if default is not None:
                return scenario.resolve(default)
            if isinstance(item, TextNode):
                raise Refused(f"{shown} has no {item.value}")
            raise Unbuildable("the mapping has no such key")
        table, shown = found, f"{shown}.{item.value}" if isinstance(item, TextNode) else shown
    value = scenario.resolve(table)
    return value._replace(node=node)


def _table(scenario: Resolver, name: Text, item: Node) -> Node | None:
    if name.literal is not None:
        return scenario.mappings.get(name.literal)
    return next((table for key, table in scenario.mappings.items() if scenario.equal(name, Text((key,), item))), None)


def _map_entry(scenario: Resolver, table: Node, key: Text, item: Node, closed: bool) -> Node | None:
    if not isinstance(table, MapNode):
        return None
    entries = {scalar_text(table.keys[name]) or name: entry for name, entry in table.values.items()}
    if key.literal is not None:
        return entries.get(key.literal)
    (symbol, *others) = key.pieces
    if others or not isinstance(symbol, Symbol) or symbol.kind != VARIABLE:
        for name, entry in entries.items():
            if scenario.equal(key, Text((name,), item)):
                return entry
        return None
    scenario.choose(symbol.name, list(entries), closed)
    return None


def import_value(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::ImportValue`."""
    return scenario.imported(_text(scenario, argument, "the name that it imports"), node)


def to_json(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::ToJsonString`."""
    # The text is only ever read back as the document that it spells, so the document itself stands for it.
    value = scenario.resolve(argument)
    if not isinstance(value, (ListValue, MapValue, Unknown)):
        raise Refused(f"it takes a map or a list, not {kind_of(value)}")
    return value


def length(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Length`."""
    value = scenario.resolve(argument)
    if isinstance(value, Unknown):
        return Unknown(f"the length of {value.name}", value.reason, node)
    if not isinstance(value, ListValue):
        raise Refused(f"it takes a list, not {kind_of(value)}")
    open_list = _any_list(scenario, value)
    if open_list is not None:
        pieces = scenario.part(open_list, ",", COUNT)
        unknown = Unknown(f"the length of {open_list.name}", open_items(open_list), node)
        return unknown if pieces is None else Text(pieces, node)
    return Text((str(len(value.items)),), node)


def transform(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Transform`: what a macro writes, or a file that is included, in the place of the function."""
    return Unknown(
        f"Fn::Transform on line {argument.line}:{argument.column}", written_by("Fn::Transform", argument, node), node
    )


def deferred(scenario: Resolver, argument: Node, node: Node) -> Value:
    """A function whose value CloudFormation computes while it deploys."""
    call = function_of(node)
    name = call[0] if call is not None else "the function"
    reason = f"{name} on {line(node)} is computed at deployment; {INSTEAD}"
    return Unknown(f"{name} on line {argument.line}:{argument.column}", reason, node)


def cidr(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::Cidr`, with two or three arguments."""
    _arguments(argument, "a block of addresses, a count and the bits of each part", 2, 3)
    return deferred(scenario, argument, node)


def at_deployment(scenario: Resolver, argument: Node, node: Node) -> Value:
    """A function of `Rules` that looks at values given at deployment."""
    name = (function_of(node) or ("the function",))[0]
    reason = f"{name} on {line(node)} looks at values that are given at deployment only"
    return Unknown(f"{name} on line {node.line}:{node.column}", reason, node)


def _arguments(argument: Node, what: str, least: int = 2, most: int = 0) -> list[Node]:
    """The items of a list of arguments, as many as there should be; `what` says which."""
    if not isinstance(argument, ListNode) or not least <= len(argument.items) <= (most or least):
        count = f"{least} or {most}" if most else str(least)
        raise Refused(f"it takes a list of {count} ({what}), not {shape_of(argument)}")
    return argument.items


def _text(scenario: Resolver, node: Node, what: str) -> Text:
    """An argument that must be text."""
    value = scenario.resolve(node)
    text = text_of(value)
    if text is None:
        raise Refused(f"{what} must be text, not {kind_of(value)}")
    return text


FUNCTIONS: dict[str, Callable[[Resolver, Node, Node], Value]] = {
    "Ref": ref,
    "Fn::GetAtt": get_att,
    "Fn::Sub": sub,
    "Fn::Join": join,
    "Fn::Split": split,
    "Fn::Select": select,
    "Fn::If": if_,
    "Fn::FindInMap": find_in_map,
    "Fn::ImportValue": import_value,
    "Fn::ToJsonString": to_json,
    "Fn::Length": length,
    "Fn::Base64": deferred,
    "Fn::Cidr": cidr,
    "Fn::GetAZs": deferred,
    "Fn::Transform": transform,
    "Fn::GetStackOutput": deferred,
    "Fn::RefAll": at_deployment,
    "Fn::ValueOf": at_deployment,
    "Fn::ValueOfAll": at_deployment,
}


def call(scenario: Resolver, name: str, argument: Node, node: Node) -> Value:
    """The value of a function call. A name that CloudFormation does not know is unknown, with that reason."""
    function = FUNCTIONS.get(name)
    if function is None:
        why = "is not a function that can be used here"
        if name.startswith("!"):
            why = "is not a tag of CloudFormation: what a preprocessor makes of it is not known"
        return Unknown(f"{name} on line {node.line}", f"{name} on {line(node)} {why}", node)
    try:
        return function(scenario, argument, node)
    except Refused as why:
        return refused(name, node, why)
