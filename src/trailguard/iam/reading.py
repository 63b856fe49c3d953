"""What reading a policy document needs: what AWS would refuse in it, and lists that may be written as one value."""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.scenarios.values import Absent, ListValue, Value
from trailguard.cloudformation.source.nodes import Node


class Problem(NamedTuple):
    """Something in a policy document for which AWS would refuse it: what, and where.

    Without `certain` it is not settled whether AWS does; nobody knows then what the statement means.
    """

    node: Node
    message: str
    certain: bool = True


class Problems:
    """Collects problems while a document is read."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: tuple[Problem, ...] = ()

    def add(self, node: Node, message: str, certain: bool = True) -> None:
        """Note one more."""
        self.found += (Problem(node, message, certain),)

    def told(self, start: int = 0) -> str:
        """The first since `start`, as a reason why nothing can be decided."""
        return f"AWS would refuse the policy: {self.found[start].message}"


def values_of(value: Value | None) -> tuple[Value, ...]:
    """The items of a list, or the single value that stands for a list."""
    if value is None or isinstance(value, Absent):
        return ()
    return value.items if isinstance(value, ListValue) else (value,)
