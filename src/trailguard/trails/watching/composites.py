"""The rules of composite alarms: whether one goes off because others do.

A rule is decided in Kleene's logic, as little is known of alarms that have nothing to do with the matter: those are
quiet, which is either OK or INSUFFICIENT_DATA, or in any state.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.values import Pieces, Symbol, join_pieces

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
MAX_DEPTH = 50

Tri: TypeAlias = "bool | None"


class Is(NamedTuple):
    """An alarm, by its name or ARN, is in a state."""

    state: str
    alarm: Pieces


class Constant(NamedTuple):
    """TRUE or FALSE."""

    value: bool


class Not(NamedTuple):
    """The opposite."""

    rule: Rule


class Count(NamedTuple):
    """At least so many of some rules hold; all of them make it an AND, one an OR."""

    least: int
    rules: tuple[Rule, ...]


Rule: TypeAlias = "Is | Constant | Not | Count"


class Unreadable(Exception):
    """Raised for a rule that CloudWatch would refuse, or that is of a kind not known here."""


def evaluate(rule: Rule, is_in: Callable[[str, Pieces], Tri]) -> Tri:
    """Tell whether a rule holds; `is_in` tells whether an alarm is in a state, or None when that is not known."""
    if isinstance(rule, Is):
        return is_in(rule.state, rule.alarm)
    if isinstance(rule, Constant):
        return rule.value
    if isinstance(rule, Not):
        held = evaluate(rule.rule, is_in)
        return None if held is None else not held
    answers = [evaluate(inner, is_in) for inner in rule.rules]
    if answers.count(True) >= rule.least:
        return True
    return False if len(answers) - answers.count(False) < rule.least else None


def alarms_of(rule: Rule) -> list[Pieces]:
    """The alarms that a rule names."""
    if isinstance(rule, Is):
        return [rule.alarm]
    if isinstance(rule, Not):
        return alarms_of(rule.rule)
    inner = rule.rules if isinstance(rule, Count) else ()
    return [name for one in inner for name in alarms_of(one)]


# --- reading ---------------------------------------------------------------------------------------------------------

_SYMBOL = r"\0(\d+)\0"  # stands in the text of a rule for a symbol
_TOKEN = r"""(?x)\s*(?:
        (?P<sign>[(),])
      | (?P<quoted>"[^"]*")
      | (?P<bare>[^\s(),"]+(?:[^\S\n]+(?!(?i:AND|OR|NOT)\b)[^\s(),"]+)*)
    )"""


def parse(pieces: Pieces) -> Rule:
    """Read the rule of a composite alarm."""
    if any(isinstance(piece, str) and "\0" in piece for piece in pieces):
        raise Unreadable("the rule holds a NUL character")
    symbols = [piece for piece in pieces if isinstance(piece, Symbol)]
    numbers = iter(range(len(symbols)))
    text = "".join(piece if isinstance(piece, str) else f"\0{next(numbers)}\0" for piece in pieces)
    return _Reader(text, symbols).whole()


class _Reader:
    """Reads the text of a rule: NOT binds closer than AND, and AND closer than OR."""

    def __init__(self, text: str, symbols: Sequence[Symbol]) -> None:
        self.tokens: list[str] = []
        self.symbols = symbols
        self.at = 0
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = re.compile(_TOKEN).match(text, position)
            if found is None:
                raise Unreadable(f'the rule cannot be read at "{text[position : position + 20].strip()}"')
            self._add(str(found.lastgroup), found[str(found.lastgroup)])
            position = found.end()

    def _add(self, kind: str, token: str) -> None:
        """Take up a token; words of the language that stand before another word are tokens of their own."""
        while kind == "bare":
            first, _, rest = token.partition(" ")
            if first.upper() not in ("AND", "OR", "NOT") or not rest.strip():
                break
            self.tokens.append(first)
            token = rest.strip()
        self.tokens.append(token)

    def whole(self) -> Rule:
        rule = self.any_of(0)
        if self.at < len(self.tokens):
            raise Unreadable(f'the rule has "{self.tokens[self.at]}" where it should end')
        return rule

    def any_of(self, depth: int) -> Rule:
        rules = [self.all_of(depth)]
        while self._takes("OR"):
            rules.append(self.all_of(depth))
        return rules[0] if len(rules) == 1 else Count(1, tuple(rules))

    def all_of(self, depth: int) -> Rule:
        rules = [self.unit(depth)]
        while self._takes("AND"):
            rules.append(self.unit(depth))
        return rules[0] if len(rules) == 1 else Count(len(rules), tuple(rules))

    def unit(self, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            raise Unreadable("the rule has too many parentheses")
        if self._takes("NOT"):
            return Not(self.unit(depth + 1))
        if self._takes("("):
            rule = self.any_of(depth + 1)
            self._expect(")")
            return rule
        word = self._next()
        name = word.upper()
        if name in ("TRUE", "FALSE"):
            return Constant(name == "TRUE")
        if name == "AT_LEAST":
            return self._at_least()
        if name not in STATES:
            raise Unreadable(f'the rule has "{word}" where a state such as ALARM belongs')
        self._expect("(")
        rule = Is(name, self._name())
        self._expect(")")
        return rule

    def _at_least(self) -> Rule:
        """`AT_LEAST(2, ALARM, (one, two, three))`; the number may be a percentage, and the state have a NOT."""
        self._expect("(")
        number = self._next()
        self._expect(",")
        opposite = self._takes("NOT")
        state = self._next().upper()
        if state not in STATES or not re.fullmatch(r"\d{1,4}%?", number):
            raise Unreadable("the rule has an AT_LEAST that cannot be read")
        self._expect(",")
        self._expect("(")
        names = [self._name()]
        while self._takes(","):
            names.append(self._name())
        self._expect(")")
        self._expect(")")
        least = math.ceil(int(number[:-1]) * len(names) / 100) if number.endswith("%") else int(number)
        found = [Is(state, name) for name in names]
        return Count(least, tuple(Not(one) if opposite else one for one in found))

    def _name(self) -> Pieces:
        token = self._next()
        if token in ("(", ")", ","):
            raise Unreadable(f'the rule has "{token}" where the name of an alarm belongs')
        parts = re.split(_SYMBOL, token.strip('"'))
        return join_pieces(self.symbols[int(part)] if index % 2 else part for index, part in enumerate(parts))

    def _takes(self, word: str) -> bool:
        taken = self.at < len(self.tokens) and self.tokens[self.at].upper() == word
        self.at += taken
        return taken

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise Unreadable(f'the rule lacks a "{sign}"')

    def _next(self) -> str:
        if self.at == len(self.tokens):
            raise Unreadable("the rule ends too early")
        self.at += 1
        return self.tokens[self.at - 1]
