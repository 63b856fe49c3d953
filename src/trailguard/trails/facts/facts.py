"""Facts: what is so about a subject in one scenario, with the place that says so and the reason in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    VARIABLE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Symbol,
    Text,
    Unknown,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node, TextNode
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.iam.evaluate import Decision

# What CloudFormation accepts for a Boolean property besides true and false.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html (all values are text)
_NO_TEXT = "a list or a map"
BOOLEAN_TEXTS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Cause(NamedTuple):
    """What facts have in common that come from the same mistake: the place of it, and a word that names it there.

    Nobody reads the word; two causes are one when place and word are equal.
    """

    node: Node
    word: str


class Fact(NamedTuple):
    """A value about a subject in one scenario.

    `value` is JSON-like (None for a property that is not set). `node` is the place that decided it, `because` says it
    in words. `unknown` gives the reason when the value cannot be known; `value` is then None. `related` lists further
    places with a word on each. `cause` is given where the same mistake has another place or other words in other facts.
    """

    value: Any
    node: Node
    because: str
    unknown: str | None = None
    related: tuple[tuple[Node, str], ...] = ()
    cause: Cause | None = None

    @property
    def stems_from(self) -> Cause:
        """What it comes from: unless said otherwise, its own place and words."""
        return self.cause or Cause(self.node, self.unknown or self.because)

    def from_(self, node: Node, word: str) -> Fact:
        """The same fact, which comes from a mistake that other facts come from too."""
        return self._replace(cause=Cause(node, word))


class FactSpec(NamedTuple):
    """How to work out a fact, and what it says. With `takes_wanted` it is told what the rule singles out of it."""

    build: Callable[..., Fact]
    schema: Mapping[str, object]
    description: str
    takes_wanted: bool = False


def yes(node: Node, because: str, related: tuple[tuple[Node, str], ...] = ()) -> Fact:
    """A fact that is true."""
    return Fact(True, node, because, None, related)


def no(node: Node, because: str, related: tuple[tuple[Node, str], ...] = ()) -> Fact:
    """A fact that is false."""
    return Fact(False, node, because, None, related)


def unknown(node: Node, reason: str, because: str = "") -> Fact:
    """A fact that cannot be known."""
    return Fact(None, node, because or reason, reason)


def decided(decision: Decision, because: str, fine: Fact) -> Fact:
    """What a policy's answer makes of a fact: `fine` for a yes, else false or unknown at the place that decides."""
    if decision.outcome == "yes":
        return fine
    return no(decision.node, because) if decision.outcome == "no" else unknown(decision.node, decision.reason, because)


def all_of(facts: Iterable[Fact], fine: Fact) -> Fact:
    """The first fact that is false, else the first that is not known, else `fine`. Asks no further than it must."""
    return _first(False, facts, fine)


def any_of(facts: Iterable[Fact], otherwise: Fact) -> Fact:
    """The first fact that is true, else the first that is not known, else `otherwise`. Asks no further than it must."""
    return _first(True, facts, otherwise)


def _first(decisive: bool, facts: Iterable[Fact], otherwise: Fact) -> Fact:
    doubt: Fact | None = None
    for fact in facts:
        if fact.value is decisive:
            return fact
        if fact.unknown is not None and doubt is None:
            doubt = fact
    return doubt or otherwise


def agreed(facts: Sequence[Fact], what: str, cause: Cause | None = None) -> Fact:
    """What several policies on one thing say, one fact for each: any of them may be the one that stays.

    `cause` is where other facts stumble over the same.
    """
    first = facts[0]
    if any(fact.unknown is None and fact.value != first.value for fact in facts):
        reason = f"two policies of {what} overwrite each other, and only one stays"
        return unknown(first.node, reason)._replace(cause=cause)
    return next((fact for fact in facts if fact.unknown is not None), first)


def null(name: str, owner: str = "") -> str:
    """That CloudFormation refuses null, in the same words for every rule that stumbles over one.

    `name` is what is null, `owner` the resource that it is part of; without a name it is the resource itself.
    Source: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1378
    """
    what = " of ".join(filter(None, (name, owner)))
    return f"{what} is null, which CloudFormation refuses anywhere in a template"


def not_boolean(meaning: str) -> str:
    """What is wrong with a value that `boolean` gives as text."""
    shown = meaning if meaning == _NO_TEXT else f'"{meaning}"'
    return f"is {shown}, which is not a Boolean"


def unset(fact: Fact, resource: Resource, name: str) -> Fact:
    """The same fact, which comes from a property that is not set."""
    return fact.from_(resource.key, f"{name} is not set")


def boolean(scenario: Scenario, value: Value) -> bool | str | Unknown | None:
    """A value as CloudFormation reads it in a Boolean property.

    True or false; None when it is absent or null; an Unknown; or the text that is not a Boolean. A parameter without
    allowed values ranges over true and false there.
    """
    if isinstance(value, Flag):
        return value.value
    if isinstance(value, (Absent, Null)):
        return None
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, Text):
        return _NO_TEXT
    literal = value.literal
    if literal is not None:
        if literal not in BOOLEAN_TEXTS and _chosen_freely(scenario, value.node, literal):
            raise Unbuildable(f'"{literal}" is not a Boolean')
        return BOOLEAN_TEXTS.get(literal, literal)
    symbol = value.symbols[0]
    if len(value.pieces) == 1 and symbol.kind == VARIABLE:
        variable = scenario.model.space.variables[symbol.name]
        texts = variable.allowed or ("true", "false")
        default = variable.default
        if variable.allowed is None and default is not None:
            meaning = BOOLEAN_TEXTS.get(default)
            texts = (default, *(text for text in texts if BOOLEAN_TEXTS[text] is not meaning))
        scenario.choose(symbol.name, list(texts), closed=True)
        raise Unbuildable(f"{symbol.name} is not a Boolean here")
    for piece in value.symbols:
        if piece.kind == OPAQUE:
            return Unknown(show(value), piece.reason, value.node)
    return show(value)


def _chosen_freely(scenario: Scenario, node: Node, value: str) -> bool:
    """Tell whether a value is one that a user would have to make up for a parameter."""
    function = function_of(node)
    if function is None or not isinstance(function[1], TextNode) or function[1].value in scenario.model.fixed:
        return False
    parameter = scenario.model.template.parameters.get(function[1].value)
    return parameter is not None and parameter.allowed_values is None and parameter.default != value


def one_of(
    scenario: Scenario, value: Value | None, known: tuple[str, ...], default: str
) -> tuple[str, Node | None, str | None]:
    """A text that is one of a few: (text, place, why it is unknown).

    A parameter is split on them, and on what the template itself says it may be instead: its default, what it allows.
    """
    if value is None:
        return default, None, None
    text = text_of(value)
    if text is None:
        return "", value.node, None
    if text.literal is not None:
        return text.literal, value.node, None
    symbol = text.symbols[0]
    if len(text.pieces) == 1 and symbol.kind == VARIABLE:
        variable = scenario.model.space.variables[symbol.name]
        stated = variable.allowed or (() if variable.default is None else (variable.default,))
        scenario.choose(symbol.name, list(dict.fromkeys((*known, *stated))), closed=True)
    return "", value.node, reason_unknown(text) or f"{symbol.name} is none of {', '.join(known)}"


def to_json(value: Value) -> Any:
    """A value as JSON: symbols in text as `${name}`, nothing for what is unknown."""
    if isinstance(value, Text):
        return show(value)
    if isinstance(value, Flag):
        return value.value
    if isinstance(value, ListValue):
        return [to_json(item) for item in value.items]
    if isinstance(value, MapValue):
        return {name: to_json(item) for name, item in value.entries.items()}
    return None


def reason_unknown(value: Value) -> str | None:
    """Why some part of a value is not known, or None when all of it is."""
    if isinstance(value, Unknown):
        return value.reason
    if isinstance(value, Text):
        return next((piece.reason for piece in value.symbols if piece.kind == OPAQUE), None)
    items = value.items if isinstance(value, ListValue) else ()
    if isinstance(value, MapValue):
        items = tuple(value.entries.values())
    return next((reason for item in items if (reason := reason_unknown(item)) is not None), None)


def is_empty(value: Value) -> bool:
    """Tell whether a property is not set, or set to nothing."""
    return isinstance(value, (Absent, Null)) or (isinstance(value, Text) and value.literal == "")


def settle_empty(scenario: Scenario, text: Text) -> None:
    """Find out whether a text of nothing but parameters is empty here, which sets nothing. Raises Split while open."""
    first = next((symbol for symbol in text.symbols if symbol.kind == VARIABLE), None)
    bare_symbols = all(isinstance(piece, Symbol) and not piece.name.startswith("AWS::") for piece in text.pieces)
    if first is not None and bare_symbols:  # where it is empty, the next one is the first
        scenario.settle(first, [""])


def via(node: Node) -> str:
    """How a value came about, for people: " (parameter X)", or nothing for a literal."""
    function = function_of(node)
    if function is None:
        return ""
    name, argument = function
    if name == "Ref" and isinstance(argument, TextNode):
        return f" (from {argument.value})"
    return f" (from {name})"
