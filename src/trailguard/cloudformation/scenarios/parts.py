"""Items of list parameters, their number, and parts of texts that are split: each is a variable of its own.

`Fn::Select` asks for one item of a list that nobody has given yet. What the item is does not hinge on what the others
are, so it is decided by itself; a list that has all the decided items is put together for people at the end.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import NamedTuple

COUNT = -1  # the position that stands for the number of items
_ITEM, _PART = "item ", "part "  # how the names of such variables begin; a parameter's name has no blank
_FILL = ("other", "another", "x", "y", "z")  # items that nobody asks about


class Part(NamedTuple):
    """One item, counted from 0, of what a parameter gives when it is split at a delimiter; with COUNT their number."""

    owner: str
    delimiter: str
    position: int

    @property
    def name(self) -> str:
        """The name of the variable: what it is, in words."""
        number = "count" if self.position == COUNT else str(self.position)
        if self.delimiter == ",":
            return f"{_ITEM}{number} of {self.owner}"
        return f'{_PART}{number} of {self.owner} split at "{self.delimiter}"'

    def of(self, value: str) -> str | None:
        """The item in a value of the parameter; None when it has fewer."""
        items = items_of(value, self.delimiter)
        if self.position == COUNT:
            return str(len(items))
        return items[self.position] if self.position < len(items) else None


def owner_of(name: str) -> str:
    """The parameter that a variable is an item of; the variable itself when it is none."""
    return name.split(" ", 4)[3] if name.startswith((_ITEM, _PART)) else name


def items_of(value: str, delimiter: str = ",") -> list[str]:
    """The items that a text gives: an empty list parameter has one item, which is empty.

    Seen at https://github.com/aws-cloudformation/cfn-language-discussion/issues/102 (Fn::Length of a blank list is 1).
    """
    items = value.split(delimiter)
    return [item.strip() for item in items] if delimiter == "," else items


def composed(
    parts: Mapping[Part, str], default: str | None, taken: Collection[object], sizes: Collection[object]
) -> str:
    """A value of a parameter that has the given items, near its default, and is none of those that are taken.

    `sizes` are the numbers of items, as texts, that it does not have.
    """
    delimiter = next((part.delimiter for part in parts), ",")
    known = {part.position: value for part, value in parts.items() if part.delimiter == delimiter}
    count = known.pop(COUNT, None)
    items = [] if default is None else items_of(default, delimiter)
    least = max([len(items), 1, *(position + 1 for position in known)])
    size = int(count) if count is not None else next(size for size in itertools.count(least) if str(size) not in sizes)
    items = [*items, *[_FILL[0]] * size][:size]
    for position, value in known.items():
        items[position] = value
    free = [position for position in range(size) if position not in known]
    for fill in _FILL:
        if delimiter.join(items) not in taken:
            break
        if free:
            items[free[-1]] = fill
        elif count is None:
            items.append(fill)
            while str(len(items)) in sizes:
                items.append(fill)
    return delimiter.join(items)
