"""When two names mean the same thing, and the name that an ARN holds."""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, VARIABLE, Pieces, Symbol, different, join_pieces, trim


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
