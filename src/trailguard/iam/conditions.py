"""Decides whether a statement's conditions hold for a request with a known context.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.reasons import open_value
from trailguard.cloudformation.scenarios.values import (
    OPAQUE,
    MapValue,
    Symbol,
    Text,
    Unknown,
    Value,
    every_value,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.iam.globs import STAR, Glob, PolicyVariable, filled, folded, glob, has_variable, is_word
from trailguard.iam.inclusion import Group
from trailguard.iam.logic import NO, YES, Tri, both, either, maybe, of
from trailguard.iam.operators import ARN, FOLDED, NULL, TEXTUAL, Operator, compare, pattern, read_operator, refusal
from trailguard.iam.patterns import Settle, covers, spelt
from trailguard.iam.reading import Problems, values_of


class Undecided:
    """The value of a context key that nobody knows, and why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


# The values of a context key; none when the key is known to be missing. A key that is not in the context at all is not
# known either: it is outside of what the caller has thought of.
ContextValue: TypeAlias = "tuple[Text, ...] | Undecided"
Context: TypeAlias = Mapping[str, ContextValue]
ABSENT: ContextValue = ()


class Clause(NamedTuple):
    """One test of a Condition: an operator, a key and the values for it.

    `variables` tells whether policy variables are in the values; `fault` says why it cannot be decided.
    """

    operator: str
    key: str
    node: Node
    test: Operator | None = None
    values: tuple[Text, ...] = ()
    globs: tuple[Glob, ...] = ()
    fault: str | None = None
    variables: bool = False

    @property
    def name(self) -> str:
        """The key as a context spells it."""
        return self.key.lower()


class Outcome(NamedTuple):
    """Whether conditions hold, and the clause that decides when they do not, or may not."""

    answer: Tri
    clause: Clause | None = None


def read_clauses(value: Value, variables: bool, problems: Problems) -> list[Clause]:
    """Read a Condition element. All clauses must hold."""
    if isinstance(value, Unknown):
        return [Clause("", "", value.node, fault=value.reason)]
    if not isinstance(value, MapValue):
        problems.add(value.node, "Condition is not a map")
        return []
    found = []
    for operator, keys in value.entries.items():
        test = read_operator(operator)
        if test is None:
            problems.add(value.keys.get(operator, keys.node), f"there is no condition operator {operator}")
        elif isinstance(keys, Unknown):
            found.append(Clause(operator, "", keys.node, fault=keys.reason))
        elif not isinstance(keys, MapValue):
            problems.add(keys.node, f"{operator} is not a map of condition keys")
        else:
            for key, wanted in keys.entries.items():
                found.append(_clause(operator, test, key, wanted, variables, problems))
    return found


def _clause(operator: str, test: Operator, key: str, wanted: Value, variables: bool, problems: Problems) -> Clause:
    texts = []
    for item in values_of(wanted):
        text = text_of(item)
        if text is None:
            problems.add(item.node, f"a value of {operator} {key} is neither text nor a number nor a Boolean")
            continue
        refused = refusal(test.kind, text.literal) if text.literal is not None else None
        if refused is not None:
            problems.add(item.node, f"{refused}, as {operator} {key} needs", certain=False)
        texts.append(text)
    globs = tuple(pattern(test.kind, text, variables) for text in texts) if test.kind in TEXTUAL else ()
    return Clause(operator, key, wanted.node, test, tuple(texts), globs, None, variables and has_variable(globs))


def with_values(globs: tuple[Glob, ...], context: Context) -> tuple[Glob, ...]:
    """Globs with what a request sends in the place of policy variables; a text with one that has no value is left out.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html ("Policy variables with
    no value": nothing is equal to or like it)
    """
    found = (filled(tokens, partial(_value, context)) for tokens in globs)
    return tuple(tokens for tokens in found if tokens is not None)


def _value(context: Context, variable: PolicyVariable) -> Glob | None:
    """What stands in the place of a policy variable; None when it has no value."""
    sent = context.get(variable.key) if variable.key else ABSENT
    if sent is None:
        return (variable,)
    if isinstance(sent, Undecided):
        return (Symbol(OPAQUE, variable.name, sent.reason),)
    if len(sent) > 1:
        return (Symbol(OPAQUE, variable.name, f"{variable.name} has several values in this request"),)
    if sent:
        return glob(sent[0].pieces, wild=False)
    return None if variable.default is None or not variable.key else tuple(variable.default)


def conditions_hold(clauses: Iterable[Clause], context: Context, settle: Settle) -> Outcome:
    """Decide the clauses of a statement for a context."""
    doubt: Outcome | None = None
    for clause in clauses:
        answer = holds(clause, context, settle)
        if answer.is_no:
            return Outcome(NO, clause)
        if answer.is_unknown and doubt is None:
            doubt = Outcome(answer.at(clause.node), clause)
    return doubt or Outcome(YES)


def holds(clause: Clause, context: Context, settle: Settle) -> Tri:
    """Decide one clause."""
    test = clause.test
    if test is None:
        return maybe(clause.fault or "a condition is not known")
    sent = context.get(clause.name)
    if sent is None:
        return maybe(f"the condition key {clause.key} is not known for this request")
    if isinstance(sent, Undecided):
        return maybe(sent.reason)
    if test.kind == NULL:
        return either(_null(text, not sent) for text in clause.values)
    if test.every is not None:
        sent = tuple(text for text in sent if text.pieces)  # an empty text counts as no value for the set operators
    if not sent and test.if_exists and test.every is False:
        return maybe(f"whether {clause.operator} holds where {clause.key} is missing, as here, is not documented")
    if not sent:
        return of(test.if_exists or (test.negated if test.every is None else test.every))
    globs = with_values(clause.globs, context) if clause.variables else clause.globs
    answers = [_one_of(clause._replace(globs=globs), test, text, settle) for text in sent]
    if test.negated:
        answers = [answer.negated() for answer in answers]
    if len(answers) == 1:
        return answers[0]
    if test.every is not None:
        return both(answers) if test.every else either(answers)
    if both(answers).state == either(answers).state:
        return answers[0]
    return maybe(f"{clause.operator} needs ForAllValues or ForAnyValue where {clause.key} has several values")


def _null(text: Text, missing: bool) -> Tri:
    if text.literal is None:
        symbol = text.symbols[0]
        return maybe(open_value(symbol))
    return of((text.literal.lower() == "true") is missing)


def _one_of(clause: Clause, test: Operator, sent: Text, settle: Settle) -> Tri:
    """Tell whether a value of the request is one of those that the policy names."""
    if test.kind not in TEXTUAL:
        return compare(test, sent, clause.values)
    mine = glob(sent.pieces, wild=False)
    if test.kind == FOLDED:
        mine = folded(mine)
        settle = _respelling(settle, (*clause.values, sent))
        clause = clause._replace(globs=tuple(map(folded, clause.globs))) if clause.variables else clause
    if test.kind == ARN:
        return _like_arn(clause, test, mine, settle)
    return covers((Group(clause.globs),), mine, settle) if clause.globs else NO


def _like_arn(clause: Clause, test: Operator, mine: Glob, settle: Settle) -> Tri:
    """Tell whether an ARN is one of those of a clause; what is no whole ARN does not settle it."""
    whole = tuple(tokens for tokens in clause.globs if _is_whole(tokens, test.negated))
    answer = covers((Group(whole),), mine, settle) if whole else NO
    if answer.is_yes or len(whole) == len(clause.globs):
        return answer
    short = spelt(next(tokens for tokens in clause.globs if tokens not in whole))
    return maybe(
        f'what {clause.operator} makes of "{short}", which has not the six parts of an ARN, is not documented; '
        "spell them out (arn:*:*:*:*:*), or use a String operator"
    )


def _is_whole(tokens: Glob, negated: bool) -> bool:
    """Tell whether AWS says what an Arn operator makes of a value: no bare `*` nor, negated, less than six parts."""
    if tokens == (STAR,):
        return False
    symbols = (token for token in tokens if isinstance(token, Symbol))
    return not negated or tokens.count(":") >= 5 or not all(map(is_word, symbols))


def _respelling(settle: Settle, texts: Sequence[Text]) -> Settle:
    """Offer values as they are spelt, not as they are compared without regard to letter case."""

    def settled(
        symbol: Symbol, candidates: Sequence[str | Symbol], matters: Callable[[str], bool] = every_value, /
    ) -> None:
        spelt = [piece for text in texts for piece in text.pieces if isinstance(piece, str)]
        offered = [value if isinstance(value, Symbol) else _respelt(value, spelt) for value in candidates]
        settle(symbol, offered, matters)

    return settled


def _respelt(value: str, spelt: Iterable[str]) -> str:
    for text in spelt:
        start = text.lower().find(value)
        if start >= 0 and len(text.lower()) == len(text):
            return text[start : start + len(value)]
    return value


def told(clause: Clause, context: Context) -> str:
    """What a clause asks for and what the request sends, in words."""
    sent = context.get(clause.name)
    if sent is None or isinstance(sent, Undecided):
        given = "what the request sends is not known"
    else:
        given = f"the request sends {_quoted(sent)}" if sent else f"the request does not send {clause.key}"
    if clause.test is not None and clause.test.kind == NULL:
        return f"{clause.operator} {clause.key} {_quoted(clause.values)}, and {given}"
    return f"{clause.operator} {clause.key} wants {_quoted(clause.values)}, {given}"


def _quoted(texts: Sequence[Text]) -> str:
    shown = " or ".join(f'"{show(text)}"' for text in texts[:3]) or "nothing"
    return f"{shown} or {len(texts) - 3} more" if len(texts) > 3 else shown
