"""What the meaning of a function needs to know of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from trailguard.cloudformation.scenarios.values import Piece, Symbol, Text, Value
from trailguard.cloudformation.source.nodes import Node


class Resolver(Protocol):
    """A scenario, as far as functions ask it."""

    @property
    def mappings(self) -> Mapping[str, Node]:
        """The template's mappings."""

    def resolve(self, node: Node) -> Value:
        """The value of a node."""

    def reference(self, name: str, node: Node) -> Value:
        """The value of `Ref`."""

    def attribute(self, target: str, attribute: str, node: Node) -> Value:
        """The value of `Fn::GetAtt`."""

    def branch(self, argument: Node) -> Node | None:
        """The branch of an `Fn::If` that counts."""

    def equal(self, left: Value, right: Value) -> bool:
        """Compare as `Fn::Equals` does."""

    def fix(self, name: str) -> str | None:
        """The value of a variable, or None for some other value than those that are known."""

    def is_list(self, symbol: Symbol) -> bool:
        """Tell whether a symbol stands for all items of a list parameter."""

    def part(self, symbol: Symbol, delimiter: str, index: int) -> tuple[Piece, ...] | None:
        """An item of what an open parameter gives when it is split; None where nobody can tell what that may be."""

    def choose(self, name: str, keys: list[str], closed: bool) -> bool:
        """Split on the keys that a variable may be; False when it can be none of them."""

    def imported(self, name: Text, node: Node) -> Value:
        """The value that another stack exports."""
