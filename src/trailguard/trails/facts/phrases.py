"""How a text is said in a template: the literals and the functions that it is put together from.

What one stack says is said anew in another one, with what that one knows: a parameter that is handed the same, or what
its own parameter is handed. A text that nobody there can say is None.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, Pieces, Symbol
from trailguard.cloudformation.source.changes import At, Data, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, file_of, scalar_text
from trailguard.cloudformation.stacks.renaming import ELSEWHERE, bare
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import PLACEHOLDER, Resource, function_of
from trailguard.trails.facts.repairs import arn_of, name_of

PARTITION = "AWS::Partition"


class Name(NamedTuple):
    """A name that a text refers to, as its stack calls it: a parameter, a resource, or `Resource.Attribute`."""

    name: str


class Copied(NamedTuple):
    """A part of a text that is said as it is said elsewhere in the same template."""

    at: At


Part: TypeAlias = "str | Name | Copied"
Phrase: TypeAlias = "tuple[Part, ...]"


def joined(*parts: Part) -> Phrase:
    """A phrase, in which literals that stand side by side are one."""
    made: list[Part] = []
    for part in parts:
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        elif part != "":
            made.append(part)
    return tuple(made)


def phrase_of(node: Node) -> Phrase | None:
    """What a node says, in the names of its own stack; None for what is put together in another way."""
    if isinstance(node, TextNode):
        text = scalar_text(node)
        return None if text is None else joined(text)
    call = function_of(node)
    if call is None:
        return None
    function, argument = call
    if function == "Ref" and isinstance(argument, TextNode) and argument.value != "AWS::NoValue":
        return (Name(argument.value),)
    if function == "Fn::GetAtt":
        parts = argument.items if isinstance(argument, ListNode) else [argument]
        texts = [part.value for part in parts if isinstance(part, TextNode)]
        return (Name(".".join(texts)),) if len(texts) == len(parts) else None
    if function == "Fn::Sub":
        return _substituted(argument)
    return _concatenated(argument) if function == "Fn::Join" else None


def _substituted(argument: Node) -> Phrase | None:
    names: dict[str, Node] = {}
    if isinstance(argument, ListNode) and len(argument.items) == 2 and isinstance(argument.items[1], MapNode):
        names = argument.items[1].values
        argument = argument.items[0]
    if not isinstance(argument, TextNode):
        return None
    parts: list[Part] = []
    for index, part in enumerate(PLACEHOLDER.split(argument.value)):
        name = part.strip()
        if index % 2 == 0:
            parts.append(part)
        elif name.startswith("!"):
            parts.append("${" + name[1:] + "}")
        elif name in names:
            inner = phrase_of(names[name])
            if inner is None:
                return None
            parts.extend(inner)
        else:
            parts.append(Name(name))
    return joined(*parts)


def _concatenated(argument: Node) -> Phrase | None:
    if not isinstance(argument, ListNode) or len(argument.items) != 2:
        return None
    delimiter, items = argument.items
    between = scalar_text(delimiter)
    if between is None or not isinstance(items, ListNode):
        return None
    phrases = [phrase_of(item) for item in items.items]
    found: list[Part] = []
    for index, phrase in enumerate(phrases):
        if phrase is None:
            return None
        found += [between if index else "", *phrase]
    return joined(*found)


def written(phrase: Phrase) -> Data:
    """A phrase as the value of a node."""
    if all(isinstance(part, str) for part in phrase):
        return "".join(map(str, phrase))
    first = phrase[0]
    if len(phrase) == 1 and isinstance(first, Copied):
        return first.at
    if len(phrase) == 1 and isinstance(first, Name):
        name, dot, attribute = bare(first.name).partition(".")
        return {"Fn::GetAtt": [name, attribute]} if dot else {"Ref": name}
    copies = list(dict.fromkeys(part for part in phrase if isinstance(part, Copied)))
    spelt = "".join(_in_sub(part, copies) for part in phrase)
    if not copies:
        return {"Fn::Sub": spelt}
    return {"Fn::Sub": [spelt, {_variable(number): copy.at for number, copy in enumerate(copies)}]}


def _in_sub(part: Part, copies: Sequence[Copied]) -> str:
    if isinstance(part, str):
        return PLACEHOLDER.sub(r"${!\1}", part)
    return "${" + (bare(part.name) if isinstance(part, Name) else _variable(copies.index(part))) + "}"


def _variable(number: int) -> str:
    return f"Part{number + 1}"


def phrase_at(scenario: Scenario, here: Resource, node: Node) -> Phrase | None:
    """What a node of any stack says, in the names of the stack of a resource; None where those do not suffice."""
    said = phrase_of(node)
    if said is None and function_of(node) is not None:
        if file_of(node) == file_of(here.body) and not may_be_nothing(node):
            return (Copied(at(node)),)
        said = phrase_of(scenario.unwrap(node) or node)
    return None if said is None else retold(scenario, here, said)


def may_be_nothing(node: Node) -> bool:
    """Tell whether a node may be `AWS::NoValue`."""
    return any(name == "AWS::NoValue" for name, _ in references(node))


def retold(scenario: Scenario, here: Resource, phrase: Phrase) -> Phrase | None:
    """A phrase in the names of the stack of a resource."""
    parts = [_retold(scenario, here, part) for part in phrase]
    return None if any(part is None for part in parts) else joined(*(item for part in parts for item in part or ()))


def _retold(scenario: Scenario, here: Resource, part: Part) -> Phrase | None:
    if not isinstance(part, Name):
        return (part,)
    stacks, name = scenario.model.stacks, part.name
    if bare(name) in (PARTITION, "AWS::URLSuffix"):
        return (part,)
    own = stacks.stack_of(here.id)
    if bare(name) in ELSEWHERE:
        return (part,) if scenario.model.pseudo(bare(name), here.id) == name else None
    target, _, attribute = name.partition(".")
    if stacks.stack_of(target) is own:
        return (part,)
    handed = [one for one in _handed(scenario, here) if phrase_of(one[1]) == (part,)]
    if handed:
        return (Name(handed[0][0]),)
    binding = stacks.bindings.get(target)
    if binding is not None and not attribute:
        said = phrase_of(binding.argument)
        return None if said is None else retold(scenario, here, said)
    resource = scenario.model.template.resources.get(target)
    if resource is None or attribute not in ("", "Arn"):
        return None
    said_by = (name_of if not attribute else arn_of)(scenario, here, resource)
    return (Name(str(said_by["Ref"])),) if isinstance(said_by, dict) and "Ref" in said_by else None


def _handed(scenario: Scenario, here: Resource) -> Iterator[tuple[str, Node]]:
    """What the parameters of the stack of a resource are handed."""
    stacks = scenario.model.stacks
    own = stacks.stack_of(here.id)
    return ((name, one.argument) for name, one in stacks.bindings.items() if stacks.stack_of(name) is own)


def phrase_for(scenario: Scenario, here: Resource, pieces: Pieces) -> Phrase | None:
    """How the stack of a resource says a text that was found out; None where it cannot."""
    parts: list[Part] = []
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
            continue
        said = _of_symbol(scenario, here, piece)
        if said is None:
            return None
        parts.extend(said)
    return _with_partition(scenario, parts)


def _of_symbol(scenario: Scenario, here: Resource, symbol: Symbol) -> Phrase | None:
    if symbol.kind == OPAQUE:
        return (symbol.name,) if symbol.name.startswith("{{resolve:") else None
    return _retold(scenario, here, Name(symbol.name))


def _with_partition(scenario: Scenario, parts: Iterable[Part]) -> Phrase:
    """The same, in which ARNs are of the partition in which they are said."""
    start = f"arn:{scenario.model.partition}:"
    made: list[Part] = []
    for part in parts:
        if not made and isinstance(part, str) and part.startswith(start):
            made += ["arn:", Name(PARTITION), ":" + part[len(start) :]]
        else:
            made.append(part)
    return joined(*made)


def pseudo_phrase(scenario: Scenario, here: Resource, there: Resource, name: str) -> Phrase | None:
    """How the stack of a resource says a pseudo parameter of the stack of another one; None where they differ."""
    if scenario.model.pseudo(name, here.id) == scenario.model.pseudo(name, there.id) or name not in ELSEWHERE:
        return (Name(name),)
    fixed = scenario.model.fixed.get(scenario.model.pseudo(name, there.id))
    return None if fixed is None else (fixed,)
