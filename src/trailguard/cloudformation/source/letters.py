"""The private letters of the house: marks in texts that are worked on, which no report may show.

They are letters of Unicode's private use area, which real templates do not use. Each purpose has a pair of its own,
around a number. Source: https://www.unicode.org/faq/private_use.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Marks(NamedTuple):
    """A pair of letters that stand around a number."""

    open: str
    close: str

    def around(self, number: int) -> str:
        """The mark of a number."""
        return f"{self.open}{number}{self.close}"

    @property
    def pattern(self) -> str:
        """A regular expression of such a mark, with the number as its group."""
        return f"{self.open}(\\d+){self.close}"


STACK = Marks("\ue000", "\ue001")  # behind a name: the stack that it belongs to
FILLED = Marks("\ue002", "\ue003")  # in a template that is a text: what the outer template fills in

KEPT = "\ue004"  # in the place of a parameter's value: the one that the stack has, which nobody here knows
RESOLVED = "\ue005"  # before a parameter's value: it is what the parameter store gave, not the name to look up there


def unused(text: str) -> Iterator[str]:
    """Private letters without a purpose that a text neither holds nor names by their number, as escapes do."""
    lowered = text.lower()
    for code in range(0xE006, 0xF900):
        if chr(code) not in text and f"{code:x}" not in lowered:
            yield chr(code)
