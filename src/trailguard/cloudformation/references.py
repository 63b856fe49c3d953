"""Who names whom: the parameters and resources that the functions below a node mention.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Iterable

from trailguard.cloudformation import source
from trailguard.cloudformation.source import Node, Scalar, Sequence
from trailguard.cloudformation.template import function_of


def references(node: Node) -> Iterable[tuple[str, tuple[tuple[str, bool], ...]]]:
    """The names that Ref, GetAtt and Sub mention below a node, each with the `Fn::If` branches that lead to it."""
    pending: list[tuple[Node, tuple[tuple[str, bool], ...]]] = [(node, ())]
    while pending:
        current, guards = pending.pop()
        if isinstance(current, Sequence):
            pending.extend((item, guards) for item in current.items)
        elif isinstance(current, source.Mapping):
            function = function_of(current)
            if function is None:
                pending.extend((child, guards) for child in current.values.values())
            elif function[0] == "Fn::If" and isinstance(function[1], Sequence) and len(function[1].items) == 3:
                test, yes, no = function[1].items
                name = test.value if isinstance(test, Scalar) else ""
                pending.extend(((yes, (*guards, (name, True))), (no, (*guards, (name, False)))))
            else:
                for name in mentioned(*function):
                    yield name, guards
                pending.append((function[1], guards))


def mentioned(function: str, argument: Node) -> list[str]:
    """The parameters and resources that one function call names itself."""
    if function == "Ref" and isinstance(argument, Scalar):
        return [argument.value]
    if function == "Fn::GetAtt":
        first = argument.items[0] if isinstance(argument, Sequence) and argument.items else argument
        return [first.value.partition(".")[0]] if isinstance(first, Scalar) else []
    if function == "Fn::Sub":
        names: Iterable[str] = ()
        if isinstance(argument, Sequence) and argument.items:
            mapping = argument.items[1] if len(argument.items) > 1 else None
            names = mapping.values if isinstance(mapping, source.Mapping) else ()
            argument = argument.items[0]
        if isinstance(argument, Scalar) and "${" in argument.value:
            parts = argument.value.split("${")[1:]
            found = [part.partition("}")[0].strip() for part in parts if "}" in part]
            return [name.partition(".")[0] for name in found if name not in names and not name.startswith("!")]
    return []
