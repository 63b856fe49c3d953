"""Examples of what a parameter may be."""

from __future__ import annotations

import math
from collections.abc import Iterator

from trailguard.cloudformation.template.template import Parameter, number_of

# Values offered as "some other value" in a witness, when nothing restricts it.
SAMPLES = ("other", "another", "1", "0", "2", "100", "a", "example", "Example1", "other-value-1", "x1")


def numbers(parameter: Parameter, excluded: int) -> Iterator[str]:
    """Numbers that a parameter may be, more of them than are excluded."""
    low, high = parameter.min_value, parameter.max_value
    start = math.ceil(low) if low is not None else math.floor(high) - excluded if high is not None else 0
    yield from (f"{number}" for number in range(start, start + excluded + 1))
    yield from (f"{bound:g}" for bound in (low, high) if bound is not None)


def is_number(value: str, parameter: Parameter) -> bool:
    """Tell whether a text is a number that a parameter may be."""
    number = number_of(value)
    low, high = parameter.min_value, parameter.max_value
    return number is not None and (low is None or number >= low) and (high is None or number <= high)
