"""When two names mean the same thing, the name that an ARN holds, and whether a text may be an ARN of some kind.

Two names are proven the same, proven different, or neither: then a parameter, a Region or an account decides, and the
scenario is split on it. Where that is something which nobody knows before the deployment, such as the account, results
that differ are unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    GENERATED,
    OPAQUE,
    VARIABLE,
    Piece,
    Pieces,
    Symbol,
    different,
    join_pieces,
    spell,
    trim,
)
from trailguard.cloudformation.scenarios.variables import Same
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource

HOLE = "\0"  # in a text that is looked at as a whole: a symbol that stands for a name, in which no colon is
OPEN = "\1"  # one that may stand for any text

_ARN = "arn:"
# What the pseudo parameters can be that tell where a stack is.
_PLACES = {"AWS::AccountId": re.compile(r"[0-9]{12}"), "AWS::Region": re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")}
_MOST = 16  # values of one symbol that are tried


def bucket_name(pieces: Pieces) -> Pieces:
    """The name in a bucket's ARN; other text as it is."""
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith(_ARN):
        _, mark, rest = pieces[0].partition(":s3:::")
        if mark:
            return join_pieces((rest, *pieces[1:]))
    return pieces


def same_name(scenario: Scenario, left: Pieces, right: Pieces) -> bool:
    """Tell whether two names are the same. Raises Split while the scenario leaves open what decides it.

    A parameter is tried at its default and its allowed values, an account and a Region at what makes the names the
    same; any other value that a user may give a parameter is taken to be a name of its own. What is not in the scanned
    files is taken to be different: `may_be_same` looks closer.
    """
    left, right = trim(_here(scenario, left), _here(scenario, right))
    if not left and not right:
        return True
    if different(left, right) or any(piece.kind == OPAQUE for piece in _symbols((*left, *right))):
        return False
    variables = scenario.model.space.variables
    for piece in _symbols((*left, *right)):
        if piece.kind == VARIABLE and variables[piece.name].opaque is None:
            known = variables[piece.name].allowed or (variables[piece.name].default,)
            if any(value is not None and _could_match(piece, value, left, right) for value in known):
                scenario.fix(piece.name)
    if all(piece.kind == VARIABLE and bare(piece.name) in _PLACES for piece in _symbols((*left, *right))):
        return _decided(scenario, left, right)
    return False


def may_be_same(scenario: Scenario, left: Pieces, right: Pieces) -> bool:
    """Tell whether two names are the same, in scenarios for all that may make them so.

    To be asked where `same_name` says no and a name of its own is not what somebody means who gives a parameter.
    """
    if same_name(scenario, left, right):
        return True
    left, right = trim(_here(scenario, left), _here(scenario, right))
    if different(left, right):
        return False
    if any(piece.kind == OPAQUE for piece in _symbols((*left, *right))):
        return _assumed(scenario, left, right)
    return _decided(scenario, left, right)


def same_here(scenario: Scenario, user: Resource, name: Pieces, made: Resource, own: Pieces) -> bool:
    """Tell whether a name that a resource uses is `own`, that of another one, and means that one.

    Such a name is one in an account and a Region only. What is generated is one anywhere.
    """
    if not same_name(scenario, name, own):
        return False
    return any(piece.kind == GENERATED for piece in _symbols(own)) or same_place(scenario, user, made)


def same_place(scenario: Scenario, one: Resource, other: Resource) -> bool:
    """Tell whether two resources are in one account and Region. Raises Split while that is open."""
    model = scenario.model
    for pseudo in _PLACES:
        left, right = model.pseudo(pseudo, one.id), model.pseudo(pseudo, other.id)
        if left != right and not scenario.equal(
            scenario.reference(left, one.key), scenario.reference(right, other.key)
        ):
            return False
    return True


def made_first(scenario: Scenario, found: Sequence[Resource]) -> Sequence[Resource]:
    """Of resources that are one by their name, those that the templates make; those that were observed without any.

    What a template makes takes the place of what exists under its name.
    """
    observed = scenario.model.stacks.observed
    return [one for one in found if observed(one.id) is None] or found


def nearest(scenario: Scenario, user: Resource, made: Sequence[Resource]) -> Sequence[Resource]:
    """Resources in the order in which a name is looked for among them: those that come with its user first.

    What was observed comes last, behind what the templates make.
    """
    stacks = scenario.model.stacks
    if not stacks.members:
        return made
    root, scope = stacks.root_of(user.id), stacks.scope(user.id)

    def distance(one: Resource) -> tuple[bool, bool, bool]:
        is_own = stacks.root_of(one.id) == root
        return not is_own and stacks.observed(one.id) is not None, not is_own, stacks.scope(one.id) != scope

    return sorted(made, key=distance)


def _symbols(pieces: Pieces) -> Iterator[Symbol]:
    return (piece for piece in pieces if isinstance(piece, Symbol))


def _here(scenario: Scenario, pieces: Pieces) -> Pieces:
    """A text with what the scenario has decided of its variables: it may come from one in which that was open."""
    return join_pieces(piece if isinstance(piece, str) else _value(scenario, piece) for piece in pieces)


def _value(scenario: Scenario, symbol: Symbol) -> Piece:
    if symbol.kind != VARIABLE:
        return symbol
    name, known = scenario.model.space.lookup(scenario.assignment, symbol.name)
    return known.value if isinstance(known.value, str) else symbol._replace(name=name)


def _decided(scenario: Scenario, left: Pieces, right: Pieces) -> bool:
    """Decide whether two trimmed texts are the same, as far as that hinges on the values of variables."""
    space = scenario.model.space
    for one, other in ((left, right), (right, left)):
        if any(isinstance(piece, Symbol) for piece in other):
            continue
        symbol = next(piece for piece in one if isinstance(piece, Symbol))
        values = list(_solutions(scenario, one, "".join(map(str, other))))
        if len(values) > _MOST:
            return _assumed(scenario, left, right)
        return any(space.decide(scenario.assignment, symbol.name, value) for value in values)
    if len(left) != len(right) or not all(map(_side_by_side, left, right)):
        return _assumed(scenario, left, right)
    pairs = zip(_symbols(left), _symbols(right), strict=True)
    return all(one.same(other) or space.decide(scenario.assignment, one.name, Same(other.name)) for one, other in pairs)


def _side_by_side(one: Piece, other: Piece) -> bool:
    """Tell whether what stands beside each other in two texts can be compared by itself."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return one.kind == other.kind == VARIABLE


def _assumed(scenario: Scenario, left: Pieces, right: Pieces) -> bool:
    """Answer both ways: nobody can tell, or there are too many ways to make two texts the same."""
    symbols = sorted(_symbols((*left, *right)), key=lambda piece: piece.kind == GENERATED)  # these are no reason
    reasons = (_hidden(scenario, piece) for piece in symbols)
    question = f"{spell(left)} = {spell(right)}"
    return scenario.assume(question, next(filter(None, reasons), f"whether {question} cannot be told"))


def _hidden(scenario: Scenario, symbol: Symbol) -> str | None:
    """Why nobody knows a symbol before the deployment."""
    return scenario.model.space.variables[symbol.name].opaque if symbol.kind == VARIABLE else symbol.reason


def _solutions(scenario: Scenario, pieces: Pieces, text: str) -> Iterator[str]:
    """The values of the first symbol in it with which a text with symbols may be a literal one."""
    start = len(pieces[0]) if isinstance(pieces[0], str) else 0
    first, rest = pieces[1 if start else 0], pieces[2 if start else 1 :]
    if not text.startswith(str(pieces[0]) if start else "") or isinstance(first, str):
        return
    ends = {len(text)}  # from where on what is behind a piece may fit
    for piece in reversed(rest):
        ends = {begin for end in ends for begin in range(end + 1) if _fits(scenario, piece, text[begin:end])}
    for end in sorted(ends):
        if end >= start and _fits(scenario, first, text[start:end]):
            yield text[start:end]


def _fits(scenario: Scenario, piece: Piece, value: str) -> bool:
    """Tell whether a piece of a text may be some other text."""
    if isinstance(piece, str):
        return piece == value
    form = _PLACES.get(bare(piece.name))
    is_formed = form is None or form.fullmatch(value) is not None
    return is_formed and piece.kind == VARIABLE and scenario.model.space.variables[piece.name].permits(value)


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
