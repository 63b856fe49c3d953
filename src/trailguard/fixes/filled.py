"""Texts in which `Fn::Sub` fills in values: what stands for these while the text is read, and data written into it.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trailguard.cloudformation.source.letters import unused
from trailguard.fixes.edits import Unwritable
from trailguard.fixes.pieces import Piece, pieces
from trailguard.fixes.rendering import is_list

_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")


def is_filled(piece: Piece) -> bool:
    """Whether a text is the one of `Fn::Sub`."""
    holder = piece.parent
    if holder is not None and holder.kind == "list" and holder.items[0] is piece:
        piece, holder = holder, holder.parent
    return holder is not None and holder.kind == "map" and len(holder.keys) == 1 and holder.keys[0].value == "Fn::Sub"


def read(text: str, filled: bool) -> Piece:
    """The root of the document in a text. What is filled in need not be in quotes. Raises Unwritable."""
    try:
        return pieces(text)
    except Unwritable:
        if not filled:
            raise
    letters = unused(text)
    pair = next(letters), next(letters)
    found = list(_PLACEHOLDER.finditer(text))
    masked = list(text)
    for number, placeholder in enumerate(found):
        length = placeholder.end() - placeholder.start()
        masked[placeholder.start() : placeholder.end()] = pair[number % 2] * length
    root = pieces("".join(masked))
    runs = re.compile(f"{pair[0]}+|{pair[1]}+")
    for piece in root.below():
        for part in (*piece.keys, piece):
            inside = iter([each[0] for each in found if part.start <= each.start() < part.end])
            part.value = runs.sub(lambda run, inside=inside: next(inside, run[0]), part.value)  # type: ignore[misc]
    return root


def is_template(root: Piece) -> bool:
    """Whether a document is a template of its own, whose functions are not those of the outer one."""
    return root.kind == "map" and any(
        key.value == "Resources" and child.resolved.kind == "map"
        for key, child in zip(root.keys, root.items, strict=True)
    )


def as_text(data: Any, filled: bool, of_template: bool) -> Any:
    """Data as it is written into a text: functions become placeholders where `Fn::Sub` fills in values.

    The functions of a template that stands in the text are its own. Raises Unwritable for a function that has no place.
    """
    if isinstance(data, str):
        return data.replace("${", "${!") if filled else data
    if is_list(data):
        return [as_text(item, filled, of_template) for item in data]
    if not isinstance(data, Mapping):
        return data
    if not of_template and len(data) == 1:
        ((name, argument),) = data.items()
        if name == "Ref" or name.startswith("Fn::"):
            return _placeholder(name, argument, filled)
    return {as_text(key, filled, True): as_text(value, filled, of_template) for key, value in data.items()}


def _placeholder(name: str, argument: Any, filled: bool) -> str:
    if not filled:
        raise Unwritable(f"a text that Fn::Sub does not fill in cannot hold {name}")
    if name == "Fn::Sub" and isinstance(argument, str):
        return argument
    if name == "Fn::GetAtt" and is_list(argument) and all(isinstance(part, str) for part in argument):
        argument = ".".join(argument)
    if name in ("Ref", "Fn::GetAtt") and isinstance(argument, str):
        return "${" + argument + "}"
    raise Unwritable(f"{name} has no place in the text of Fn::Sub")
