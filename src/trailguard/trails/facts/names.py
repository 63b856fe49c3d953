"""When two names mean the same thing, the name that an ARN holds, and whether a text may be an ARN of some kind."""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Pieces,
    Symbol,
    different,
    join_pieces,
    trim,
)

HOLE = "\0"  # in a text that is looked at as a whole: a symbol that stands for a name, in which no colon is
OPEN = "\1"  # one that may stand for any text


def bucket_name(pieces: Pieces) -> Pieces:
    """The name in a bucket's ARN; other text as it is."""
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith("arn:"):
        _, mark, rest = pieces[0].partition(":s3:::")
        if mark:
            return join_pieces((rest, *pieces[1:]))
    return pieces


def same_name(scenario: Scenario, left: Pieces, right: Pieces) -> bool:
    """Tell whether two names are the same.

    A parameter is tried at its default and its allowed values; any other value that a user may give it is taken to be
    a name of its own. What cannot be known is taken to be different.
    """
    left, right = trim(left, right)
    if not left and not right:
        return True
    if different(left, right):
        return False
    if any(isinstance(piece, Symbol) and piece.kind == OPAQUE for piece in (*left, *right)):
        return False
    variables = scenario.model.space.variables
    for piece in (*left, *right):
        if isinstance(piece, Symbol) and piece.kind == VARIABLE and variables[piece.name].opaque is None:
            known = variables[piece.name].allowed or (variables[piece.name].default,)
            if any(value is not None and _could_match(piece, value, left, right) for value in known):
                scenario.fix(piece.name)
    return False


def _could_match(symbol: Symbol, value: str, left: Pieces, right: Pieces) -> bool:
    """Tell whether two names might be the same if a variable had a value."""

    def put(pieces: Pieces) -> Pieces:
        return join_pieces(value if isinstance(piece, Symbol) and piece.same(symbol) else piece for piece in pieces)

    one, other = trim(put(left), put(right))
    return not different(one, other)


def is_free(symbol: Symbol) -> bool:
    """Tell whether a symbol is a parameter, which may be any text that it permits."""
    return symbol.kind == VARIABLE and not symbol.name.startswith("AWS::")


def spelt(pieces: Pieces) -> str:
    """A text as a whole: `HOLE` for generated names and pseudo parameters, `OPEN` for what may be any text."""
    return "".join(piece if isinstance(piece, str) else _mark(piece) for piece in pieces)


def _mark(symbol: Symbol) -> str:
    return HOLE if symbol.kind == GENERATED or symbol.name.startswith("AWS::") else OPEN


def may_be_arn(pieces: Pieces, service: str, resource: str = "") -> bool:
    """Tell whether a text may be an ARN of a service, `resource` being the beginning of its last part.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    known, is_open, _ = spelt(pieces).partition(OPEN)
    parts = known.split(":", 5)
    last = len(parts) - 1  # the part that what is open goes on with
    for index, wanted in ((0, "arn"), (2, service), (5, resource)):
        if index > last:
            return bool(is_open)
        part = parts[index]
        fits = part.startswith(wanted) if index == 5 else part == wanted and index < last
        if not fits and not (is_open and index == last and wanted.startswith(part)):
            return False
    return True
