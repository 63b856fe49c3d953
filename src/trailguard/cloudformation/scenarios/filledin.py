"""Text of which others fill in parts: dynamic references, which CloudFormation fetches, and variables of preprocessors.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from trailguard.cloudformation.scenarios.reasons import INSTEAD
from trailguard.cloudformation.scenarios.values import OPAQUE, Piece, Symbol, Text, join_pieces, told
from trailguard.cloudformation.source.nodes import Node

# Not `s3:` and most of `aws:`, which are variables of IAM policies too.
_SERVERLESS = re.compile(
    r"\$\{(?:(?:self|opt|env|param|sls|ssm|cf|custom|git|strToBool)[:(]|file\(|aws:(?:accountId|region)\b)[^{}]*\}"
)
_RENDERED = re.compile(r"\{\{(?!resolve:)-?\s*[A-Za-z_][^{}]*\}\}")  # of Jinja and its like


def make_text(pieces: Iterable[Piece], node: Node) -> Text:
    """Text from pieces, in which each dynamic reference becomes a symbol: its value is fetched at deployment."""
    joined = join_pieces(pieces)
    if not any("{" in piece for piece in joined if isinstance(piece, str)):
        return Text(joined, node)
    if any("{{resolve:" in piece for piece in joined if isinstance(piece, str)):
        joined = join_pieces(_fetched(joined))
    if any("${" in piece for piece in joined if isinstance(piece, str)):
        joined = join_pieces(_preprocessed(joined, _SERVERLESS, _BY_SERVERLESS))
    if any("{{" in piece for piece in joined if isinstance(piece, str)):
        joined = join_pieces(_preprocessed(joined, _RENDERED, _BY_TEXT))
    return Text(joined, node)


_BY_SERVERLESS = "the Serverless Framework; scan the template that it packages"
_BY_TEXT = "something that writes text; scan the template that it renders"


def _preprocessed(pieces: tuple[Piece, ...], pattern: re.Pattern[str], by: str) -> Iterable[Piece]:
    """Variables that somebody fills in before CloudFormation sees the template, as symbols."""
    for piece in pieces:
        if not isinstance(piece, str):
            yield piece
            continue
        end = 0
        for match in pattern.finditer(piece):
            yield piece[end : match.start()]
            yield Symbol(OPAQUE, match[0], f"{match[0]} is filled in by {by}")
            end = match.end()
        yield piece[end:]


def _fetched(pieces: tuple[Piece, ...]) -> list[Piece]:
    found: list[Piece] = []
    inside = ""  # the dynamic reference that is being read, which may itself hold symbols
    for piece in pieces:
        if not isinstance(piece, str):
            if inside:
                inside += told(piece)
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
                    found.append(Symbol(OPAQUE, inside, f"{inside} is fetched at deployment; {INSTEAD}"))
                    inside = ""
            else:
                found.append(before)
                inside = hit
    return [*found, inside]
