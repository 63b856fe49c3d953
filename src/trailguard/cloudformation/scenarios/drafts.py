"""A value as far as a scenario decides it: items of lists that are open stay apart.

Statements of a policy, selectors of a trail, rules of a bucket are often optional: each hinges on a parameter of its
own, and most have no say in a question. A draft is the value without them; any of them can be put in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn, TypeAlias, TypeGuard, TypeVar

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, ListValue, MapValue, Value
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node
from trailguard.cloudformation.template.template import function_of

T = TypeVar("T")
Path: TypeAlias = "tuple[str | int, ...]"
Keys: TypeAlias = "tuple[str, ...]"


class OpenPart(NamedTuple):
    """An item of a list that is open: where it is, all that it may be (nothing, if only that), and the question."""

    path: Path
    variants: tuple[Value, ...]
    split: Split


class _Open(NamedTuple):
    """The place of an open part, by its index."""

    part: int


class _Listed(NamedTuple):
    """A list with open items, each item with its number."""

    items: tuple[tuple[int, Shape], ...]
    node: Node


class _Mapped(NamedTuple):
    """A map with something open in it."""

    entries: dict[str, Shape]
    node: MapNode


Shape: TypeAlias = "Value | _Open | _Listed | _Mapped"


class Draft:
    """The value of a node with open parts.

    `is_list` tells by the keys that lead to a place whether there is a list, of which items may be there or not; a
    single value stands for a list there. Raises Split for what is open elsewhere.
    """

    def __init__(self, scenario: Scenario, node: Node, is_list: Callable[[Keys], bool]) -> None:
        self._scenario = scenario
        self._is_list = is_list
        self.parts: list[OpenPart] = []
        self._shape = self._read(node, ())

    def value(self, chosen: Collection[int] = ()) -> Value:
        """The value in which the chosen parts are all that they may be, and the others are not there."""
        return self._filled(self._shape, chosen)

    def numbered(self, key: str, chosen: Collection[int]) -> Iterator[tuple[int, Value]]:
        """The items of a list in the map that the value is, each with its number, whatever of it is chosen."""
        shape = self._shape.entries.get(key) if isinstance(self._shape, (MapValue, _Mapped)) else None
        if isinstance(shape, _Listed):
            yield from ((number, value) for number, item in shape.items for value in self._put(item, chosen))
        elif shape is not None and not isinstance(shape, _Open):
            value = self._filled(shape, chosen)
            yield from enumerate(value.items if isinstance(value, ListValue) else (value,))

    def entry(self, path: Path) -> Value | None:
        """What is decided of the entry at a path of keys and numbers; None when it is not there."""
        shape: Shape | None = self._shape
        for step in path:
            if isinstance(shape, (MapValue, _Mapped)):
                shape = shape.entries.get(str(step))
            elif isinstance(shape, _Listed):
                shape = dict(shape.items).get(int(step))
            elif isinstance(shape, ListValue):
                shape = shape.items[int(step)]
            else:
                return None
        return None if shape is None or isinstance(shape, _Open) else self._filled(shape, ())

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, node: Node, path: Path) -> Shape:
        try:
            return self._scenario.resolve(node)
        except Split:
            if isinstance(node, ListNode) and self._is_list(keys_of(path)):
                return self._listed(node.items, node, path)
            if is_plain(node):
                return _Mapped({name: self._entry(child, (*path, name)) for name, child in node.values.items()}, node)
            raise

    def _entry(self, node: Node, path: Path) -> Shape:
        before = len(self.parts)
        try:
            return self._read(node, path)
        except Split:
            if not self._is_list(keys_of(path)):
                raise
            del self.parts[before:]
            listed = self._listed([node], node, path)
            if any(isinstance(variant, Absent) for part in self.parts[before:] for variant in part.variants):
                raise  # where there is nothing, there is no empty list either
            return listed

    def _listed(self, nodes: Iterable[Node], node: Node, path: Path) -> _Listed:
        items: list[tuple[int, Shape]] = []
        for child in nodes:
            shape = self._item(child, (*path, len(items)))
            if not isinstance(shape, Absent):
                items.append((len(items), shape))
        return _Listed(tuple(items), node)

    def _item(self, node: Node, path: Path) -> Shape:
        before = len(self.parts)
        try:
            return self._read(node, path)
        except Split:
            del self.parts[before:]
        outcomes = self._scenario.outcomes(("draft", id(node)), lambda scenario: scenario.resolve(node))
        if outcomes.split is None:
            raise ValueError("nothing is open")
        self.parts.append(OpenPart(path, outcomes.answers, outcomes.split))
        return _Open(len(self.parts) - 1)

    # --- filling --------------------------------------------------------------------------------------------------

    def _filled(self, shape: Shape, chosen: Collection[int]) -> Value:
        if isinstance(shape, _Listed):
            return ListValue(tuple(one for _, item in shape.items for one in self._put(item, chosen)), shape.node)
        if isinstance(shape, _Mapped):
            entries = {name: self._filled(item, chosen) for name, item in shape.entries.items()}
            known: dict[str, Value] = {name: one for name, one in entries.items() if not isinstance(one, Absent)}
            return MapValue(known, dict(shape.node.keys), shape.node)
        if isinstance(shape, _Open):
            raise ValueError("an open part stands in lists only")
        return shape

    def _put(self, item: Shape, chosen: Collection[int]) -> Iterator[Value]:
        if not isinstance(item, _Open):
            yield self._filled(item, chosen)
            return
        part = self.parts[item.part]
        for variant in part.variants if item.part in chosen else ():
            if isinstance(variant, ListValue):
                yield from variant.items
            elif not isinstance(variant, Absent):
                yield variant


def keys_of(path: Path) -> Keys:
    """The keys of maps in a path."""
    return tuple(step for step in path if isinstance(step, str))


def settled(
    splits: Sequence[Split],
    adds: Sequence[bool],
    ask: Callable[[Collection[int]], T],
    told: Callable[[T], object],
) -> T:
    """The answer to a question about something with open parts, where they have no say.

    `ask` gets the indexes of the parts that are put in. Each part only ever speaks for what is asked, or against it,
    which `adds` tells. So an answer that is the same where all is put in that speaks against and nothing else, and
    where the opposite is, is the answer for all between. `told` is what counts of it. Raises the Split of a part that
    has a say.
    """
    least = [index for index, more in enumerate(adds) if not more]
    most = [index for index, more in enumerate(adds) if more]
    try:
        is_settled = told(ask(least)) == told(ask(most))
    except Split:
        is_settled = False
    if not is_settled:
        _raise_telling(splits, lambda chosen: told(ask(chosen)))
    return ask(())


def _raise_telling(splits: Sequence[Split], ask: Callable[[Collection[int]], object]) -> NoReturn:
    """Raise the Split of a part that changes the answer, best by itself, else together with all others."""
    everything = set(range(len(splits)))
    doubtful: Split | None = None
    for without in (set[int](), everything):
        usual = ask(without)
        for index, split in enumerate(splits):
            try:
                changes = ask(without ^ {index}) != usual
            except Split as asked:  # what the part hinges on itself tells more than whether it is there
                doubtful = doubtful or asked
                continue
            if changes:
                raise split
    raise doubtful or splits[0]


def is_plain(node: Node | None) -> TypeGuard[MapNode]:
    """Tell whether a node is a map that is written out, without a function or a macro in it."""
    if not isinstance(node, MapNode) or function_of(node) is not None:
        return False
    return not any(name.startswith("Fn::") for name in node.values)
