"""Regular expressions that come from templates, matched in time proportional to the text.

An expression becomes a machine, and all the states that it may be in are followed side by side. Python's own matching
tries one way after the other, which some expressions make endless. What is written means what it does in Java, which
CloudFormation uses: digits, words and blanks are ASCII. What Java reads otherwise than Python (a class in a class),
what no such machine can do (back references), and what is too large, is unreadable.
Source: https://docs.oracle.com/javase/8/docs/api/java/util/regex/Pattern.html
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from trailguard.cloudformation.template.template import LONGEST

LONGEST_EXPRESSION = 20_000  # AWS takes 4,000 characters
MAX_STATES = 20_000
MAX_ASSERTIONS = 30
MAX_STEPS = 50_000  # states that are looked at for one text, not counting what is known from an earlier character
REPEATS = ("MAX_REPEAT", "MIN_REPEAT")

Test: TypeAlias = Callable[[str], bool]
States: TypeAlias = "frozenset[int]"

_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
_CATEGORIES = {
    "DIGIT": frozenset("0123456789"),
    "SPACE": frozenset(" \t\n\x0b\f\r"),
    "WORD": frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
}
_LINE_ENDS = frozenset("\n\r\x85\u2028\u2029")


class Unreadable(Exception):
    """Raised for an expression that is wrong, too large, or of a kind that is not known here."""


class TooLong(Exception):
    """Raised when a text takes too many steps."""


def parse(expression: str) -> Any:
    """The tree that Python's own parser makes of an expression. Raises Unreadable."""
    if len(expression) > LONGEST_EXPRESSION or _has_nested_class(expression):
        raise Unreadable
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what Python may read otherwise one day
            return _parser.parse(expression)
    except (re.error, RecursionError, OverflowError):
        raise Unreadable from None


def _has_nested_class(expression: str) -> bool:
    """Tell whether a class stands in a class, or two are intersected: `[a-z&&[^b]]`."""
    is_open, index = False, 0
    while index < len(expression):
        char = expression[index]
        if char == "\\":
            index += 1
        elif is_open and (char == "[" or expression.startswith("&&", index)):
            return True
        elif char == "[":
            is_open = True
            index += expression.startswith("^", index + 1)
            index += expression.startswith("]", index + 1)  # right at the start it is a character
        elif char == "]":
            is_open = False
        index += 1
    return False


class _Anchor(NamedTuple):
    """A place that an expression wants, such as AT_BEGINNING; `lines` tells whether that is one of each line."""

    name: str
    lines: bool


class _Look(NamedTuple):
    """A part of the machine that must match (with `negated`, must not) what lies ahead of a place or behind it.

    What lies ahead is read from the end of the text, so that one run tells it for all places.
    """

    start: int
    last: int
    ahead: bool
    negated: bool


class Machine:
    """An expression, to be held against texts.

    Each state leads to those in `_next`: when the next character passes its test, else at once, if it has an assertion
    only where that holds. The one that leads nowhere is the end.
    """

    __slots__ = ("_assertions", "_flags", "_last", "_next", "_start", "_tests", "_wanted", "least")

    def __init__(self, tree: Any) -> None:
        """Make a machine of what `parse` gave; `least` is the length of its shortest text. Raises Unreadable."""
        self._tests: list[Test | None] = []
        self._wanted: list[int] = []  # a bit for each assertion
        self._next: list[tuple[int, ...]] = []
        self._assertions: list[_Anchor | _Look] = []  # those inside of others first
        self._flags = int(tree.state.flags)
        self.least = int(tree.getwidth()[0])
        self._last = self._state()
        try:
            self._start = self._sequence(tree, self._last, False)
        except RecursionError:
            raise Unreadable from None

    def matches(self, text: str) -> bool:
        """Tell whether the expression matches the whole text. Raises TooLong."""
        return _Run(self._tests, self._wanted, self._next, self._assertions, text).hits(self._start, self._last)[-1]

    def found_in(self, text: str) -> bool:
        """Tell whether the expression matches some part of the text. Raises TooLong."""
        run = _Run(self._tests, self._wanted, self._next, self._assertions, text)
        return any(run.hits(self._start, self._last, everywhere=True))

    def _state(self, *following: int, test: Test | None = None, wanted: int = 0) -> int:
        if len(self._next) >= MAX_STATES:
            raise Unreadable
        self._tests.append(test)
        self._wanted.append(wanted)
        self._next.append(following)
        return len(self._next) - 1

    def _sequence(self, tree: Iterable[Any], to: int, backward: bool) -> int:
        """The first state of a sequence that leads to another state; `backward` when it is read from its end."""
        items = list(tree)
        for operator, argument in items if backward else reversed(items):
            to = self._item(str(operator), argument, to, backward)
        return to

    def _item(self, name: str, argument: Any, to: int, backward: bool) -> int:
        if name in REPEATS:
            low, high, body = argument
            return self._repeat(int(low), int(high), body, to, backward)
        if name == "BRANCH":
            return self._state(*(self._sequence(branch, to, backward) for branch in argument[1]))
        if name == "SUBPATTERN":
            _, added, removed, inner = argument
            flags, self._flags = self._flags, (self._flags | added) & ~removed
            made = self._sequence(inner, to, backward)
            self._flags = flags
            return made
        if name == "AT":
            return self._assertion(_Anchor(str(argument), bool(self._flags & re.MULTILINE)), to)
        if name in ("ASSERT", "ASSERT_NOT"):
            ahead, last = argument[0] > 0, self._state()
            start = self._sequence(argument[1], last, ahead)
            return self._assertion(_Look(start, last, ahead, name == "ASSERT_NOT"), to)
        return self._state(to, test=_test(name, argument, self._flags))

    def _assertion(self, assertion: _Anchor | _Look, to: int) -> int:
        if assertion not in self._assertions:
            if len(self._assertions) >= MAX_ASSERTIONS:
                raise Unreadable
            self._assertions.append(assertion)
        return self._state(to, wanted=1 << self._assertions.index(assertion))

    def _repeat(self, low: int, high: int, body: Any, to: int, backward: bool) -> int:
        if low > LONGEST:
            if not body.getwidth()[0]:
                raise Unreadable
            return self._state(to, test=_no_character)
        start = to
        if high > LONGEST:
            start = self._state(to)
            self._next[start] = (self._sequence(body, start, backward), to)
        else:
            for _ in range(high - low):
                start = self._state(self._sequence(body, start, backward), to)
        for _ in range(low):
            once = self._sequence(body, start, backward)
            if once == start:  # it is empty
                break
            start = once
        return start


class _Run:
    """A machine that is held against a text. `_facts` are the assertions that hold at each place, as bits."""

    def __init__(
        self,
        tests: list[Test | None],
        wanted: list[int],
        following: list[tuple[int, ...]],
        assertions: list[_Anchor | _Look],
        text: str,
    ) -> None:
        self._tests, self._wanted, self._next = tests, wanted, following
        self._text = text
        self._steps = 0
        self._facts = [0] * (len(text) + 1)
        for index, assertion in enumerate(assertions):
            for place, holds in enumerate(self._where(assertion)):
                self._facts[place] |= holds << index

    def _where(self, assertion: _Anchor | _Look) -> list[bool]:
        if isinstance(assertion, _Anchor):
            return [_is_at(assertion, self._text, place) for place in range(len(self._facts))]
        hits = self.hits(assertion.start, assertion.last, True, assertion.ahead)
        return [hit is not assertion.negated for hit in hits]

    def hits(self, start: int, last: int, everywhere: bool = False, backward: bool = False) -> list[bool]:
        """Tell for each place whether the end may be reached there.

        The run begins at the first place, or `everywhere`; `backward` means from the end of the text. Raises TooLong.
        """
        text, facts = self._text, self._facts
        found = [False] * len(facts)
        again = (start,) if everywhere else ()
        known: dict[tuple[States, str, int], States] = {}
        place = len(text) if backward else 0
        states = self._closed((start,), facts[place])
        found[place] = last in states
        for char in reversed(text) if backward else text:
            place += -1 if backward else 1
            key = (states, char, facts[place])
            after = known.get(key)
            if after is None:
                after = known[key] = self._closed((*self._after(states, char), *again), facts[place])
            states = after
            if not states and not everywhere:
                break
            found[place] = last in states
        return found

    def _after(self, states: States, char: str) -> list[int]:
        tests, following = self._tests, self._next
        return [following[state][0] for state in states if (test := tests[state]) is not None and test(char)]

    def _closed(self, states: Iterable[int], facts: int) -> States:
        """The states that wait for a character, and ends, that some states lead to without one."""
        pending = list(states)
        seen = set(pending)
        found = []
        while pending:
            state = pending.pop()
            if self._wanted[state] & ~facts:
                continue
            if self._tests[state] is not None or not self._next[state]:
                found.append(state)
                continue
            for other in self._next[state]:
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
        self._steps += len(seen) + 1
        if self._steps > MAX_STEPS:
            raise TooLong
        return frozenset(found)


# --- characters and places -------------------------------------------------------------------------------------------


def _test(name: str, argument: Any, flags: int) -> Test:
    """What a character must be. Raises Unreadable for what is not such a test."""
    if name == "ANY":
        return _any_character if flags & re.DOTALL else _no_line_end
    if name in ("LITERAL", "NOT_LITERAL"):
        return _class([("LITERAL", argument)], name == "NOT_LITERAL", bool(flags & re.IGNORECASE))
    if name == "IN":
        items = [(str(operator), value) for operator, value in argument]
        negated = items[0][0] == "NEGATE"
        return _class(items[negated:], negated, bool(flags & re.IGNORECASE))
    raise Unreadable


def _class(items: list[tuple[str, Any]], negated: bool, any_case: bool) -> Test:
    letters: set[str] = set()
    ranges: list[tuple[str, str]] = []
    excluded: list[frozenset[str]] = []  # of which the class holds everything else
    for name, value in items:
        if name == "LITERAL":
            letters.add(chr(value))
        elif name == "RANGE":
            ranges.append((chr(value[0]), chr(value[1])))
        elif name == "CATEGORY":
            category = str(value).removeprefix("CATEGORY_")
            known = _CATEGORIES[category.removeprefix("NOT_")]
            if category.startswith("NOT_"):
                excluded.append(known)
            else:
                letters |= known
        else:
            raise Unreadable
    if not ranges and not excluded and not any_case and not negated:
        return letters.__contains__

    def holds(char: str) -> bool:
        return (
            char in letters
            or any(low <= char <= high for low, high in ranges)
            or any(char not in known for known in excluded)
        )

    def test(char: str) -> bool:
        spellings = (char.lower(), char.upper()) if any_case and char.isascii() else (char,)
        return any(map(holds, spellings)) is not negated

    return test


def _any_character(char: str) -> bool:
    return True


def _no_character(char: str) -> bool:
    return False


def _no_line_end(char: str) -> bool:
    return char not in _LINE_ENDS


def _is_at(anchor: _Anchor, text: str, place: int) -> bool:
    before, after = text[max(place - 1, 0) : place], text[place : place + 1]
    if anchor.name == "AT_BEGINNING":
        return place == 0 or (anchor.lines and before in _LINE_ENDS)
    if anchor.name == "AT_END":
        rest = len(text) - place
        return rest == 0 or (after in _LINE_ENDS and (anchor.lines or rest == 1 or text[place:] == "\r\n"))
    if anchor.name in ("AT_BEGINNING_STRING", "AT_END_STRING"):
        return not (before if anchor.name == "AT_BEGINNING_STRING" else after)
    is_boundary = (before in _CATEGORIES["WORD"]) is not (after in _CATEGORIES["WORD"])
    return is_boundary is (anchor.name == "AT_BOUNDARY")
