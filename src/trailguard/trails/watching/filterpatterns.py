"""The filter patterns of CloudWatch Logs: whether one matches the event of a CloudTrail call.

A pattern in braces asks for fields of a JSON event, and is decided in Kleene's logic, because only its name and its
source are known of an event here, and that a call that changed something has no error. A pattern without braces asks
for words in the event's text.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html and
FilterAndPatternSyntaxForMetricFilters.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

NAME, SOURCE = "$.eventName", "$.eventSource"
ERRORS = ("$.errorCode", "$.errorMessage")  # fields of refused calls only
CLOUDTRAIL = "cloudtrail.amazonaws.com"
# What every event of these calls says besides, and fields that it has with values of its own.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
_EVERY_CALL: Mapping[str, str | bool] = {
    "$.eventType": "AwsApiCall",
    "$.eventCategory": "Management",
    "$.readOnly": False,
    "$.managementEvent": True,
}
SOME = "\1"  # stands for text that is there, whatever it is
_STEADY = ("$.eventVersion", "$.awsRegion", "$.recipientAccountId")  # perhaps the same in all events of a trail
_PRESENT = ("$.eventTime", "$.eventID", "$.sourceIPAddress", *_STEADY)
KNOWN_TEXTS = (NAME, SOURCE, "$.eventType", "$.eventCategory")  # fields that hold no number in any of these events
HIDDEN = "\0"  # stands in a pattern for text that is known at deployment only

# An event is described by the fields that are known of it: their text or truth, or None for one that it does not have.
# A match is True, False, or the reason why it is not known.
Event: TypeAlias = Mapping[str, "str | bool | None"]
Match: TypeAlias = "bool | str"


class Comparison(NamedTuple):
    """One test of a field. `operator` is `=`, `!=`, another sign, or words such as `IS TRUE` and `NOT EXISTS`."""

    field: str
    operator: str
    value: str = ""
    regex: bool = False


class All(NamedTuple):
    """Terms that must all match."""

    terms: tuple[Term, ...]


class Any(NamedTuple):
    """Terms of which one must match."""

    terms: tuple[Term, ...]


class Word(NamedTuple):
    """A word that the event's text contains, or does not."""

    text: str
    wanted: bool = True


Term: TypeAlias = "Comparison | All | Any | Word"


class Unreadable(Exception):
    """Raised for a pattern that CloudWatch Logs would refuse, or that is of a kind not known here."""


def event(name: str) -> Event:
    """The event of a call of CloudTrail's own API that was carried out."""
    present = dict.fromkeys(_PRESENT, SOME)
    return {NAME: name, SOURCE: CLOUDTRAIL, **_EVERY_CALL, **present, **dict.fromkeys(ERRORS)}


def parse(pattern: str) -> Term:
    """Read a pattern."""
    text = pattern.strip()
    if text.startswith("["):
        raise Unreadable("the pattern is one for events separated by spaces, which CloudTrail's are not")
    if not text.startswith("{"):
        return _words(text)
    if not text.endswith("}"):
        raise Unreadable("the filter pattern has no closing brace")
    return _Reader(text[1:-1]).whole()


def misses(term: Term, of: Event) -> bool:
    """Tell whether a pattern leaves out some of the events of which this much is known.

    A field of which nothing is known may have any value, so that each test of one fails for some event; with two tests
    of the same field that need not be so.
    """
    free = [test.field for test in _comparisons(term) if _is_free(test, of)]
    return len(set(free)) == len(free) and matches(term, of, free=False) is False


def _comparisons(term: Term) -> Iterable[Comparison]:
    if isinstance(term, Comparison):
        yield term
    elif not isinstance(term, Word):
        for inner in term.terms:
            yield from _comparisons(inner)


def matches(term: Term, of: Event, free: bool | None = None) -> Match:
    """Tell whether a pattern matches an event; `free` is what to take tests of unknown fields for."""
    if isinstance(term, Comparison):
        return free if free is not None and _is_free(term, of) else _compare(term, of)
    if isinstance(term, Word):
        found = _contains(term.text, of)
        return found if isinstance(found, str) else found is term.wanted
    answers = (matches(item, of, free) for item in term.terms)
    return every(answers) if isinstance(term, All) else some(answers)


def _is_free(test: Comparison, of: Event) -> bool:
    """Tell whether a test of an event may come out either way: nothing is known of the field that would decide it."""
    if test.field not in of:
        return True
    return of[test.field] == SOME and test.operator in ("=", "!=") and test.field not in _STEADY


def every(answers: Iterable[Match]) -> Match:
    """Kleene's And."""
    doubt: Match = True
    for answer in answers:
        if answer is False:
            return False
        if isinstance(answer, str) and doubt is True:
            doubt = answer
    return doubt


def some(answers: Iterable[Match]) -> Match:
    """Kleene's Or."""
    doubt: Match = False
    for answer in answers:
        if answer is True:
            return True
        if isinstance(answer, str) and doubt is False:
            doubt = answer
    return doubt


# --- patterns in braces ----------------------------------------------------------------------------------------------

# Texts, which `re` makes patterns of when they are first used: compiling takes longer than most uses.
_TOKEN = r"""(?x)\s*(?:
        (?P<sign>&&|\|\||!=|<=|>=|=|<|>|\(|\))
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<regex>%[^%]+%)
      | (?P<bare>(?:[^\s()&|=<>"%{}!]|!(?!=))+)
    )"""
_SIGNS = ("=", "!=", "<", "<=", ">", ">=")
_STATES = ("NULL", "TRUE", "FALSE")
# What CloudWatch Logs knows of regular expressions: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/
# FilterAndPatternSyntax.html#regex-expressions
_REGEX = r"(?:[A-Za-z0-9_\-:=@#;/^$?\[\]{}|*+.,& \0]|\\[dDsSwW^$?\[\]{}|\\*+.%\-/])+"
MAX_DEPTH = 50


class _Reader:
    """Reads the inside of a pattern in braces."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = re.compile(_TOKEN).match(text, position)
            if found is None:
                raise Unreadable(f'the filter pattern cannot be read at "{text[position : position + 20].strip()}"')
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind]))
            position = found.end()

    def whole(self) -> Term:
        term = self.any_of(0)
        if self.at < len(self.tokens):
            raise Unreadable(f'the filter pattern has "{self.tokens[self.at][1]}" where it should end')
        return term

    def any_of(self, depth: int) -> Term:
        terms = [self.all_of(depth)]
        while self._takes("||"):
            terms.append(self.all_of(depth))
        return terms[0] if len(terms) == 1 else Any(tuple(terms))

    def all_of(self, depth: int) -> Term:
        terms = [self.unit(depth)]
        while self._takes("&&"):
            terms.append(self.unit(depth))
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def unit(self, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise Unreadable("the filter pattern has too many parentheses")
        if self._takes("("):
            term = self.any_of(depth + 1)
            if not self._takes(")"):
                raise Unreadable("the filter pattern lacks a closing parenthesis")
            return term
        kind, field = self._next()
        if kind != "bare" or not field.startswith("$"):
            raise Unreadable(f'the filter pattern has "{field}" where a field such as {NAME} belongs')
        return self.comparison(_plain(field))

    def comparison(self, field: str) -> Comparison:
        kind, operator = self._next()
        if kind == "bare":
            return Comparison(field, self._words(operator))
        if operator not in _SIGNS:
            raise Unreadable(f'the filter pattern has "{operator}" where an operator belongs')
        kind, value = self._next()
        if kind == "sign":
            raise Unreadable(f'the filter pattern has "{value}" where a value belongs')
        if kind == "regex":
            return Comparison(field, operator, value[1:-1], True)
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        return Comparison(field, operator, value)

    def _words(self, first: str) -> str:
        if first == "EXISTS":
            return first
        kind, second = self._next()
        if kind == "bare" and ((first == "IS" and second in _STATES) or (first, second) == ("NOT", "EXISTS")):
            return f"{first} {second}"
        raise Unreadable(f'the filter pattern has "{first} {second}" where an operator belongs')

    def _takes(self, sign: str) -> bool:
        taken = self.tokens[self.at : self.at + 1] == [("sign", sign)]
        self.at += taken
        return taken

    def _next(self) -> tuple[str, str]:
        if self.at == len(self.tokens):
            raise Unreadable("the filter pattern ends too early")
        self.at += 1
        return self.tokens[self.at - 1]


def _plain(field: str) -> str:
    """A field as it is mostly spelt: `$.['eventName']` is `$.eventName`."""
    return re.sub(r"\.?\[['\"]([^'\"\]]*)['\"]\]", r".\1", field)


def _compare(test: Comparison, of: Event) -> Match:
    if test.field not in of:
        return f"it depends on {test.field} of the event"
    known = of[test.field]
    if test.operator in ("EXISTS", "NOT EXISTS"):
        return (known is not None) is (test.operator == "EXISTS")
    if test.operator.startswith("IS "):  # true only of a field that is there and has just that value
        return isinstance(known, bool) and test.operator == f"IS {str(known).upper()}"
    if known is None:
        doubt = f"what {test.operator} says of {test.field}, which is missing, is not known"
        return False if test.operator == "=" else doubt
    if isinstance(known, bool):
        return f"what {test.operator} says of {test.field}, which is true or false, is not known"
    if known == SOME:
        return f"it depends on {test.field} of the event"
    if test.operator not in ("=", "!="):
        return f"{test.field} is text and is compared as a number"
    if HIDDEN in test.value:
        return f"the value that {test.field} is compared with is known only at deployment"
    found = _searched(test.value, known) if test.regex else _fits(test.value, known)
    return found if isinstance(found, str) else found is (test.operator == "=")


def _fits(pattern: str, known: str) -> Match:
    """Tell whether a text is one of a pattern, in which `*` at its beginning or end stands for any text.

    One between other text stands for itself, as the documentation once said, or for any text, as others found.
    """
    if not is_one_of(pattern, known):
        return False
    inside = "*" in pattern.strip("*") and known != pattern
    return f'whether * stands for any text inside of "{pattern}" is not documented' if inside else True


def is_one_of(pattern: str, known: str) -> bool:
    """Tell so with `*` for any text everywhere."""
    start, *inner = pattern.split("*")
    if not inner:
        return known == pattern
    end = inner.pop()
    place = len(start)
    for part in inner:
        found = known.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return known.startswith(start) and known.endswith(end) and place + len(end) <= len(known)


def _searched(expression: str, known: str) -> Match:
    if not re.fullmatch(_REGEX, expression):
        return f"the regular expression %{expression}% is none that is known here"
    from trailguard.cloudformation.scenarios import automata  # late: few patterns hold a regular expression

    try:
        return automata.Machine(automata.parse(expression)).found_in(known)
    except automata.Unreadable:
        return f"the regular expression %{expression}% cannot be read"
    except automata.TooLong:
        return f"the regular expression %{expression}% takes too long to be tried"


# --- patterns of words -----------------------------------------------------------------------------------------------

_WORD = r'\s*([?-]?)("(?:[^"\\]|\\.)*"|%[^%]+%|[^\s"%?-][^\s"]*)'


def _words(text: str) -> Term:
    """Read a pattern without braces: words that the event's text must all contain, or one of those with a `?`."""
    required: list[Term] = []
    optional: list[Term] = []
    position = 0
    while position < len(text):
        found = re.compile(_WORD).match(text, position)
        if found is None:
            raise Unreadable(f'the filter pattern cannot be read at "{text[position : position + 20].strip()}"')
        mark, word = found.groups()
        word = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
        (optional if mark == "?" else required).append(Word(word, mark != "-"))
        position = found.end()
    if optional and required:
        raise Unreadable('the filter pattern mixes words with and without "?"')
    return Any(tuple(optional)) if optional else All(tuple(required))


# Names that stand in the text of their own event only, as far as anybody can say.
EVENTS = ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")


def _contains(word: str, of: Event) -> Match:
    if word in of.values():
        return True
    if word in EVENTS:
        return False
    return f'whether the text of the event contains "{word}" is not known'
