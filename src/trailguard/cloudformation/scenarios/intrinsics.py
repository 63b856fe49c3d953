"""What each intrinsic function means in one scenario.

Every function takes a resolver (which knows the scenario), the function's argument and its whole node, and gives a
value, or None when it is used in a way that CloudFormation refuses. What cannot be known is `Unknown`, with the reason.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    ListValue,
    Piece,
    Symbol,
    Text,
    Unknown,
    Value,
    join_pieces,
    show,
    split_pieces,
    text_of,
)
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import PLACEHOLDER, function_of

# Not `s3:` and most of `aws:`, which are variables of IAM policies too.
_SERVERLESS = re.compile(
    r"\$\{(?:(?:self|opt|env|param|sls|ssm|cf|custom|git|strToBool)[:(]|file\(|aws:(?:accountId|region)\b)[^{}]*\}"
)
_UNSPLIT = frozenset({"AWS::Region", "AWS::AccountId", "AWS::StackName"})  # hold no delimiter of an ARN or a path
_ARN_DELIMITERS = frozenset(":/,*")


class Unbuildable(Exception):
    """Raised when CloudFormation cannot make a stack in this scenario."""


class TooHard(Exception):
    """Raised when it takes too long to find a stack that can be made; `names` are the parameters that it hinges on."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self.names = frozenset(names)


class Resolver(Protocol):
    """What the functions need to know of a scenario."""

    @property
    def mappings(self) -> Mapping[str, Node]:
        """The template's mappings."""

    def resolve(self, node: Node) -> Value:
        """The value of a node."""

    def reference(self, name: str, node: Node) -> Value:
        """The value of `Ref`."""

    def attribute(self, target: str, attribute: str, node: Node) -> Value:
        """The value of `Fn::GetAtt`."""

    def branch(self, argument: Node) -> Node | None:
        """The branch of an `Fn::If` that counts."""

    def equal(self, left: Value, right: Value) -> bool:
        """Compare as `Fn::Equals` does."""

    def fix(self, name: str) -> str | None:
        """The value of a variable, or None for some other value than those that are known."""

    def is_list(self, symbol: Symbol) -> bool:
        """Tell whether a symbol stands for all items of a list parameter."""

    def choose(self, name: str, keys: list[str], closed: bool) -> bool:
        """Split on the keys that a variable may be; False when it can be none of them."""

    def imported(self, name: Text, node: Node) -> Value:
        """The value that another stack exports."""


def ref(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Ref`; LanguageExtensions allow a function as its argument."""
    name = text_of(scenario.resolve(argument))
    return scenario.reference(name.literal, node) if name is not None and name.literal is not None else None


def get_att(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::GetAtt`: `Id.Attribute`, split at the first dot, or a list of both."""
    if isinstance(argument, TextNode):
        target, _, attribute = argument.value.partition(".")
    elif isinstance(argument, ListNode) and len(argument.items) == 2 and isinstance(argument.items[0], TextNode):
        target = argument.items[0].value
        name = text_of(scenario.resolve(argument.items[1]))
        attribute = (name.literal or "") if name is not None else ""
    else:
        return None
    return scenario.attribute(target, attribute, node)


def sub(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::Sub`: a string, or a string and a map of names that come first."""
    names: Mapping[str, Node] = {}
    if isinstance(argument, ListNode) and len(argument.items) == 2:
        template, mapping = argument.items
        if not isinstance(mapping, MapNode):
            return None
        names = mapping.values
    else:
        template = argument
    if not isinstance(template, TextNode):
        return None
    pieces: list[Piece] = []
    for index, part in enumerate(PLACEHOLDER.split(template.value)):
        if index % 2 == 0:
            pieces.append(part)
            continue
        text = _substitute(scenario, part.strip(), names, template)
        if text is None:
            return Unknown(f"${{{part}}} on line {node.line}", f"${{{part}}} is not text", node)
        pieces.extend(text.pieces)
    return make_text(pieces, node)


def _substitute(scenario: Resolver, name: str, names: Mapping[str, Node], node: Node) -> Text | None:
    if name.startswith("!"):
        return Text(("${" + name[1:] + "}",), node)
    if name in names:
        return text_of(scenario.resolve(names[name]))
    target, dot, attribute = name.partition(".")
    return text_of(scenario.attribute(target, attribute, node) if dot else scenario.reference(name, node))


def join(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::Join`."""
    if not isinstance(argument, ListNode) or len(argument.items) != 2:
        return None
    delimiter, items = text_of(scenario.resolve(argument.items[0])), scenario.resolve(argument.items[1])
    if delimiter is None:
        return None
    if isinstance(items, Unknown):
        return Unknown(f"Fn::Join({show(delimiter)},{items.name})", items.reason, node)
    if not isinstance(items, ListValue):
        return None
    pieces: list[Piece] = []
    for index, item in enumerate(items.items):
        text = text_of(item)
        if text is None:
            return None
        pieces.extend((*delimiter.pieces, *text.pieces) if index else text.pieces)
    return make_text(pieces, node)


def split(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::Split`, which keeps empty parts."""
    if not isinstance(argument, ListNode) or len(argument.items) != 2:
        return None
    delimiter, text = (text_of(scenario.resolve(item)) for item in argument.items)
    if delimiter is None or text is None or not delimiter.literal:
        return None
    for symbol in text.symbols:
        whole = symbol.kind == GENERATED or bare(symbol.name) in _UNSPLIT
        if not whole or symbol.kind == OPAQUE or not _ARN_DELIMITERS.intersection(delimiter.literal):
            if symbol.kind == VARIABLE:
                scenario.fix(symbol.name)
            reason = symbol.reason or f"it splits {symbol.name}, whose value is open"
            return Unknown(f"Fn::Split of {show(text)}", reason, node)
    return ListValue(tuple(Text(part, node) for part in split_pieces(text.pieces, delimiter.literal)), node)


def select(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::Select`; an index outside the list is a stack error."""
    if not isinstance(argument, ListNode) or len(argument.items) != 2:
        return None
    index, items = text_of(scenario.resolve(argument.items[0])), scenario.resolve(argument.items[1])
    if isinstance(items, Unknown):
        return Unknown(f"Fn::Select of {items.name}", items.reason, node)
    if index is None or not isinstance(items, ListValue):
        return None
    if index.literal is None:
        if len(index.pieces) == 1 and isinstance(symbol := index.pieces[0], Symbol) and symbol.kind == VARIABLE:
            scenario.choose(symbol.name, [str(position) for position in range(len(items.items))], closed=True)
        return Unknown(f"Fn::Select of {show(index)}", "the index is not known", node)
    if re.fullmatch("[0-9]{1,9}", index.literal) is None:
        raise Unbuildable("Fn::Select outside the list")
    position = int(index.literal)
    name = _any_list(scenario, items)
    if name is not None and position:
        return Unknown(f"Fn::Select {position} of {name}", f"parameter {name} may be any list", node)
    if position >= len(items.items):
        raise Unbuildable("Fn::Select outside the list")
    return items.items[position]._replace(node=node)


def _any_list(scenario: Resolver, items: ListValue) -> str | None:
    """The parameter whose list is not known here and for which its only item stands, or None."""
    if len(items.items) != 1 or not isinstance(item := items.items[0], Text) or len(item.pieces) != 1:
        return None
    piece = item.pieces[0]
    return piece.name if isinstance(piece, Symbol) and scenario.is_list(piece) else None


def if_(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::If`."""
    chosen = scenario.branch(argument)
    return None if chosen is None else scenario.resolve(chosen)


def find_in_map(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::FindInMap`, with the default value of LanguageExtensions."""
    if not isinstance(argument, ListNode) or len(argument.items) not in (3, 4):
        return None
    fallback = argument.items[3] if len(argument.items) == 4 else None
    default = fallback.values.get("DefaultValue") if isinstance(fallback, MapNode) else None
    table = _table(scenario, argument.items[0])
    if table is None:
        return Unknown(f"Fn::FindInMap on line {node.line}", "the template does not define the mapping", node)
    for item in argument.items[1:3]:
        found = _map_entry(scenario, table, item, closed=default is None)
        if found is None:
            if default is not None:
                return scenario.resolve(default)
            if isinstance(item, TextNode):
                return Unknown(f"Fn::FindInMap on line {node.line}", f"the mapping has no {item.value}", node)
            raise Unbuildable("the mapping has no such key")
        table = found
    value = scenario.resolve(table)
    return value._replace(node=node)


def _table(scenario: Resolver, item: Node) -> Node | None:
    name = text_of(scenario.resolve(item))
    if name is None or name.literal is not None:
        return scenario.mappings.get(name.literal or "") if name is not None else None
    return next((table for key, table in scenario.mappings.items() if scenario.equal(name, Text((key,), item))), None)


def _map_entry(scenario: Resolver, table: Node, item: Node, closed: bool) -> Node | None:
    if not isinstance(table, MapNode):
        return None
    key = text_of(scenario.resolve(item))
    if key is None:
        return None
    if key.literal is not None:
        return table.values.get(key.literal)
    (symbol, *others) = key.pieces
    if others or not isinstance(symbol, Symbol) or symbol.kind != VARIABLE:
        for name in table.values:
            if scenario.equal(key, Text((name,), item)):
                return table.values[name]
        return None
    scenario.choose(symbol.name, list(table.values), closed)
    return None


def import_value(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::ImportValue`."""
    name = text_of(scenario.resolve(argument))
    return None if name is None else scenario.imported(name, node)


def to_json(scenario: Resolver, argument: Node, node: Node) -> Value:
    """`Fn::ToJsonString`."""
    # The text is only ever read back as the document that it spells, so the document itself stands for it.
    return scenario.resolve(argument)


def length(scenario: Resolver, argument: Node, node: Node) -> Value | None:
    """`Fn::Length`."""
    value = scenario.resolve(argument)
    if isinstance(value, Unknown):
        return Unknown(f"Fn::Length of {value.name}", value.reason, node)
    if not isinstance(value, ListValue):
        return None
    name = _any_list(scenario, value)
    if name is not None:
        return Unknown(f"Fn::Length of {name}", f"parameter {name} may be any list", node)
    return Text((str(len(value.items)),), node)


def deferred(scenario: Resolver, argument: Node, node: Node) -> Value:
    """A function whose value CloudFormation computes while it deploys."""
    call = function_of(node)
    name = call[0] if call is not None else "the function"
    return Unknown(f"{name} on line {argument.line}:{argument.column}", f"{name} is computed at deployment", node)


def at_deployment(scenario: Resolver, argument: Node, node: Node) -> Value:
    """A function of `Rules` that looks at values given at deployment."""
    return Unknown(f"Fn::RefAll on line {node.line}", "it depends on values given at deployment", node)


FUNCTIONS: dict[str, Callable[[Resolver, Node, Node], Value | None]] = {
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
    "Fn::Cidr": deferred,
    "Fn::GetAZs": deferred,
    "Fn::Transform": deferred,
    "Fn::GetStackOutput": deferred,
    "Fn::RefAll": at_deployment,
    "Fn::ValueOf": at_deployment,
    "Fn::ValueOfAll": at_deployment,
}


def call(scenario: Resolver, name: str, argument: Node, node: Node) -> Value:
    """The value of a function call. A name that CloudFormation does not know is unknown, with that reason."""
    function = FUNCTIONS.get(name)
    if function is None:
        kind = "tag" if name.startswith("!") else "function"
        return Unknown(f"{name} on line {node.line}", f"{name} is no {kind} that can be used here", node)
    value = function(scenario, argument, node)
    if value is None:
        place = f"{name} on line {node.line}:{node.column}"
        return Unknown(place, f"{name} is used in a way that CloudFormation refuses", node)
    return value


def make_text(pieces: Iterable[Piece], node: Node) -> Text:
    """Text from pieces, in which each dynamic reference becomes a symbol: its value is fetched at deployment."""
    joined = join_pieces(pieces)
    if not any("{" in piece for piece in joined if isinstance(piece, str)):
        return Text(joined, node)
    if any("{{resolve:" in piece for piece in joined if isinstance(piece, str)):
        joined = join_pieces(_fetched(joined))
    if any("${" in piece for piece in joined if isinstance(piece, str)):
        joined = join_pieces(_preprocessed(joined))
    return Text(joined, node)


def _preprocessed(pieces: tuple[Piece, ...]) -> Iterable[Piece]:
    """Variables of the Serverless Framework, which it fills in before CloudFormation sees the template, as symbols."""
    for piece in pieces:
        if not isinstance(piece, str):
            yield piece
            continue
        end = 0
        for match in _SERVERLESS.finditer(piece):
            yield piece[end : match.start()]
            yield Symbol(OPAQUE, match[0], f"{match[0]} is filled in by the Serverless Framework")
            end = match.end()
        yield piece[end:]


def _fetched(pieces: tuple[Piece, ...]) -> list[Piece]:
    found: list[Piece] = []
    inside = ""  # the dynamic reference that is being read, which may itself hold symbols
    for piece in pieces:
        if not isinstance(piece, str):
            if inside:
                inside += "${" + piece.name + "}"
            else:
                found.append(piece)
            continue
        rest = piece
        while rest:
            mark = "}}" if inside else "{{resolve:"
            before, hit, rest = rest.partition(mark)
            if inside:
                inside += before + hit
                if hit:
                    found.append(Symbol(OPAQUE, inside, f"{inside} is fetched at deployment"))
                    inside = ""
            else:
                found.append(before)
                inside = hit
    return [*found, inside]
