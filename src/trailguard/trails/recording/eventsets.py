"""Event selectors as sets of events, and whether such sets leave out an event or have one in common.

A selector is a list of tests, one for each field, that an event must all pass. A test selects (any of its equals,
starts and ends; without them, everything) and then deselects. Instead of all events there are, only examples are tried:
for each field one value for each way in which values can differ to the tests.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

EQUALS, STARTS, ENDS = "Equals", "StartsWith", "EndsWith"
OPERATORS = (EQUALS, STARTS, ENDS)
MOST_CHECKS = 500_000  # beyond that many pairs of an example and a selector the question stays open
_FRESH = "\0/\0"  # what nobody writes in a selector: a bucket and a key that none names

Condition: TypeAlias = "tuple[str, str]"  # operator, value
Event: TypeAlias = "Mapping[str, str]"


class Test(NamedTuple):
    """What one field of an event must be: selected by any of one list (when there is one), by none of the other."""

    field: str
    select: tuple[Condition, ...] = ()
    deselect: tuple[Condition, ...] = ()

    def holds(self, event: Event) -> bool:
        """Tell whether the event passes."""
        value = event[self.field]
        chosen = not self.select or any(_meets(value, condition) for condition in self.select)
        return chosen and not any(_meets(value, condition) for condition in self.deselect)


Tests: TypeAlias = "tuple[Test, ...]"


class Universe(NamedTuple):
    """The events that a question is about: fields that take few values, and how the values of others begin."""

    closed: Mapping[str, tuple[str, ...]]
    starts: Mapping[str, str] = {}


class TooMany(Exception):
    """A question that takes too many examples to answer."""


def _meets(value: str, condition: Condition) -> bool:
    operator, text = condition
    if operator == EQUALS:
        return value == text
    return value.startswith(text) if operator == STARTS else value.endswith(text)


def left_out(selectors: Sequence[Tests], universe: Universe) -> Event | None:
    """An event of the universe that none of the selectors matches; None when together they match all.

    Raises TooMany when it takes too many examples to tell.
    """
    examples = _examples(selectors, universe)
    for count, chosen in enumerate(itertools.product(*examples.values())):
        if count * len(selectors) >= MOST_CHECKS:
            raise TooMany
        event = dict(zip(examples, chosen, strict=True))
        if not any(matches(tests, event) for tests in selectors):
            return event
    return None


def in_common(left: Tests, right: Tests, universe: Universe) -> bool:
    """Tell whether some event of the universe matches both: fields do not depend on each other."""
    examples = _examples((left, right), universe)
    return all(
        any(all(test.holds({name: value}) for test in (*left, *right) if test.field == name) for value in values)
        for name, values in examples.items()
    )


def matches(tests: Tests, event: Event) -> bool:
    """Tell whether an event passes all tests."""
    return all(test.holds(event) for test in tests)


def _examples(selectors: Sequence[Tests], universe: Universe) -> dict[str, list[str]]:
    """For each field, a value for each way in which values can differ to the tests, the most ordinary first."""
    by_field: dict[str, list[Condition]] = {}
    for test in itertools.chain.from_iterable(selectors):
        by_field.setdefault(test.field, []).extend((*test.select, *test.deselect))
    fields = {*by_field, *universe.closed}
    return {name: _values(name, by_field.get(name, ()), universe) for name in sorted(fields)}


def _values(field: str, conditions: Iterable[Condition], universe: Universe) -> list[str]:
    """Examples of a field's values: whatever passes the same conditions as one of them counts as the same.

    To starts and ends a text is like the longest start that it has, something nobody wrote, the longest end it has.
    """
    if field in universe.closed:
        return list(universe.closed[field])
    base = universe.starts.get(field, "")
    written: dict[str, list[str]] = {operator: [] for operator in OPERATORS}
    for operator, text in conditions:
        written[operator].append(text)
    starts = [base, *(text for text in written[STARTS] if text.startswith(base))]
    ends = ["", *written[ENDS]]
    found = [start + _FRESH + end for start, end in itertools.product(starts, ends)]
    return list(dict.fromkeys((*found, *(text for text in written[EQUALS] if text.startswith(base)))))
