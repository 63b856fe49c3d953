"""What pieces and data mean to CloudFormation, so that the two can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailguard.cloudformation.source.nodes import TextNode, literal
from trailguard.fixes.pieces import MERGE, Piece
from trailguard.fixes.rendering import is_list


def data_of(piece: Piece) -> Any:
    """A piece as plain data: functions in their long form, aliases and merge keys written out, numbers as numbers."""
    piece = piece.resolved
    if piece.kind == "list":
        return [data_of(item) for item in piece.items]
    if piece.kind == "map":
        return {key: data_of(child) for key, child in entries(piece).items()}
    value = literal(TextNode(piece.value, piece.plain, 0, 0, 0, 0))
    if piece.plain and isinstance(value, str) and value.isascii() and value.isdigit() and str(int(value)) == value:
        return int(value)
    return value


def entries(piece: Piece) -> dict[str, Piece]:
    """The entries of a map by key, with those of the maps that it merges."""
    found = {key.value: child for key, child in zip(piece.keys, piece.items, strict=True) if not _merges(key)}
    for other in merged(piece):
        for name, child in entries(other).items():
            found.setdefault(name, child)
    return found


def merged(piece: Piece) -> list[Piece]:
    """The maps under the merge key of a map, in their order."""
    for key, child in zip(piece.keys, piece.items, strict=False):  # a list has no keys
        if _merges(key):
            value = child.resolved
            return [item.resolved for item in value.items] if value.kind == "list" else [value]
    return []


def _merges(key: Piece) -> bool:
    return key.value == MERGE and key.plain


def same(piece: Piece, data: Any) -> bool:
    """Whether a piece means what data means."""
    return bool(meant(data_of(piece)) == meant(data))


def meant(data: Any) -> Any:
    """Data as CloudFormation sees it: Booleans and numbers are texts, and so is the attribute of `Fn::GetAtt`."""
    if isinstance(data, Piece):
        return meant(data_of(data))
    if isinstance(data, Mapping):
        if len(data) == 1 and "Fn::GetAtt" in data:
            target = data["Fn::GetAtt"]
            if is_list(target) and all(isinstance(part, str) for part in target):
                return {"Fn::GetAtt": ".".join(target)}
        return {key: meant(value) for key, value in data.items()}
    if is_list(data):
        return [meant(item) for item in data]
    if isinstance(data, bool):
        return "true" if data else "false"
    return data if data is None else str(data)
