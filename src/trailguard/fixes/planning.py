"""Brings the changes of a document together: what becomes of which piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from trailguard.cloudformation.source.changes import Append, Change, Put, Rename, Replace, Way
from trailguard.fixes.edits import Conflict, Unwritable
from trailguard.fixes.meaning import data_of, meant, merged, same
from trailguard.fixes.pieces import Piece
from trailguard.fixes.rendering import is_list

# Functions that give a list, or may: what they stand for is no single item.
_LISTS = frozenset(("Fn::If", "Fn::Split", "Fn::GetAZs", "Fn::Cidr", "Fn::FindInMap", "Fn::Transform"))


class Reached(NamedTuple):
    """Where a way leads: the last piece on it that there is, what is left of the way, and what was crossed.

    `alias` is the first alias on the way; `merging` the first map whose key on the way comes from `<<`, with that key.
    """

    piece: Piece
    left: Way
    alias: Piece | None = None
    merging: tuple[Piece, str] | None = None

    @property
    def is_crossed_last(self) -> bool:
        """Whether the whole way is there, and its last step is what was crossed."""
        if self.left:
            return False
        if self.merging is not None:
            return walked(self.merging[0], (self.merging[1],)).piece is self.piece
        return self.alias is not None and self.alias.target is self.piece


class Plan:
    """What becomes of the pieces of a document.

    entries: new entries by map; items: new items by list; wrapped: those that make a list of a single item; values:
    what replaces a piece; names: of keys; gone: the numbers of entries and items that go, by map or list.
    """

    def __init__(self, apart: bool = False) -> None:
        self.apart = apart
        self.entries: dict[Piece, dict[str, Any]] = {}
        self.items: dict[Piece, list[Any]] = {}
        self.wrapped: dict[Piece, list[Any]] = {}
        self.values: dict[Piece, Any] = {}
        self.names: dict[Piece, str] = {}
        self.gone: dict[Piece, set[int]] = {}

    def take(self, change: Change, piece: Piece, value: Any) -> None:
        """Take in a change; `piece` is what stands where it is about, `value` its value, in which a piece is copied.

        Raises Unwritable and Conflict.
        """
        if isinstance(change, Put):
            self._put(walked(piece, change.way), value)
        elif isinstance(change, Append):
            self._append(walked(piece, change.way), value)
        elif isinstance(change, Replace):
            self._value(piece, value)
        elif isinstance(change, Rename):
            self._rename(piece, change.name)
        else:
            self._remove(piece)

    def _put(self, reached: Reached, value: Any) -> None:
        piece, left = reached.piece, reached.left
        if reached.merging is not None and self.apart and reached.is_crossed_last:
            map_, key = reached.merging
            if not same(piece, value):
                _merge(self.entries.setdefault(map_, {}), (key,), value)
            return
        if not left:
            self._value(reached.alias if self.apart and reached.alias and reached.is_crossed_last else piece, value)
            return
        if piece in self.values:
            _merge(_mutable_map(self.values, piece), left, value)
            return
        _holds_entries(piece)
        _merge(self.entries.setdefault(piece, {}), left, value)

    def _append(self, reached: Reached, value: Any) -> None:
        piece, left = reached.piece, reached.left
        if piece in self.values:
            raise Conflict("one change replaces a value that another one adds to")
        if left:
            _holds_entries(piece)
            _add_item(self.entries.setdefault(piece, {}), left, value)
        elif piece.kind == "list":
            if not any(same(item, value) for item in piece.items):
                _add_once(self.items.setdefault(piece, []), value)
        elif is_null(piece):
            if piece in self.entries:
                raise Conflict("one change makes a map where another one makes a list")
            _add_once(self.items.setdefault(piece, []), value)
        elif piece.kind == "map" and len(piece.keys) == 1 and piece.keys[0].value in _LISTS:
            raise Unwritable(f"{piece.keys[0].value} decides which items there are")
        elif not same(piece, value):
            _add_once(self.wrapped.setdefault(piece, []), value)

    def _value(self, piece: Piece, value: Any) -> None:
        if piece in self.values:
            if meant(self.values[piece]) != meant(value):
                raise Conflict("two changes give one value differently")
            return
        if piece in self.wrapped or piece in self.items:
            raise Conflict("one change replaces a value that another one adds to")
        value = _mutable(value)
        if piece in self.entries:
            below = self.entries.pop(piece)
            if not isinstance(value, dict):
                raise Conflict("one change replaces a value that another one adds to")
            for key, added in below.items():
                _merge(value, (key,), added)
        self.values[piece] = value

    def _rename(self, piece: Piece, name: str) -> None:
        if piece.parent is None or piece not in piece.parent.keys:
            raise Unwritable("what is to get another name is not a key")
        if self.names.setdefault(piece, name) != name:
            raise Conflict("two changes give one key different names")

    def _remove(self, piece: Piece) -> None:
        container = piece.parent
        if container is None or container.style == "call":
            raise Unwritable("what is to be removed is neither an entry of a map nor an item of a list")
        among = container.keys if piece in container.keys else container.items
        self.gone.setdefault(container, set()).add(among.index(piece))

    def settle(self) -> None:
        """Turn replaced maps and lists into changes of what differs in them; see to it that changes do not meet."""
        pending = list(self.values)
        while pending:
            piece = pending.pop()
            value = self.values[piece]
            if same(piece, value) or self._differs_in_parts(piece, value, pending):
                del self.values[piece]
        for piece in (*self.entries, *self.items, *self.wrapped, *self.values, *self.names, *self.gone):
            for outer in piece.around():
                if outer is not piece and outer in self.values:
                    raise Conflict("one change replaces a value that another one changes")
                if outer.parent is not None and outer.parent in self.gone and _is_gone(outer, self.gone[outer.parent]):
                    raise Conflict("one change removes what another one changes")
        for piece in self.values:
            _check_anchors(piece, piece.style == "call" and piece.first == piece.start)
        for container, numbers in self.gone.items():
            for number in numbers:
                _check_anchors(container.items[number], True)
        self._check_keys()

    def _check_keys(self) -> None:
        for key, name in self.names.items():
            holder = key.parent
            taken = (
                {other.value for other in holder.keys if other is not key and other not in self.names} if holder else ()
            )
            if name in taken or (holder is not None and name in self.entries.get(holder, {})):
                raise Conflict(f"there is a key with the name {name} already")

    def _differs_in_parts(self, piece: Piece, value: Any, pending: list[Piece]) -> bool:
        if piece.kind == "map" and isinstance(value, dict):
            if (
                piece.style == "call"
                or not piece.keys
                or merged(piece)
                or _is_function(value)
                or _is_function_at(piece)
            ):
                return False
            if not any(key.value in value for key in piece.keys):
                return False
            for number, (key, child) in enumerate(zip(piece.keys, piece.items, strict=True)):
                if key.value in value:
                    self._part(child, value[key.value], pending)
                else:
                    self.gone.setdefault(piece, set()).add(number)
            known = {key.value for key in piece.keys}
            added = {name: data for name, data in value.items() if name not in known}
            if added:
                self.entries.setdefault(piece, {}).update(added)
            return True
        if piece.kind == "list" and isinstance(value, list) and value and piece.items:
            return self._items_differ(piece, value, pending)
        return False

    def _items_differ(self, piece: Piece, value: list[Any], pending: list[Piece]) -> bool:
        old = [meant(data_of(item)) for item in piece.items]
        new = [meant(item) for item in value]
        start = 0
        while start < min(len(old), len(new)) and old[start] == new[start]:
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
            end += 1
        both = min(len(old), len(new)) - start - end
        if len(new) > len(old) and end:
            return False
        for number in range(start, start + both):
            self._part(piece.items[number], value[number], pending)
        if len(old) > len(new):
            self.gone.setdefault(piece, set()).update(range(start + both, len(old) - end))
        elif len(new) > len(old):
            self.items.setdefault(piece, []).extend(value[start + both :])
        return True

    def _part(self, child: Piece, value: Any, pending: list[Piece]) -> None:
        if not same(child, value):
            self._value(child, value)
            pending.append(child)


def walked(piece: Piece, way: Way) -> Reached:
    """Follow a way as far as there are pieces. Raises Unwritable where something else than a map is on it."""
    alias = piece if piece.kind == "alias" else None
    merging: tuple[Piece, str] | None = None
    piece = piece.resolved
    for number, key in enumerate(way):
        child = _child(piece, key)
        if child is None and isinstance(key, str) and piece.kind == "map":
            child = next((found for other in merged(piece) if (found := _child(other, key)) is not None), None)
            if child is not None and alias is None and merging is None:
                merging = piece, key
        if child is None:
            return Reached(piece, way[number:], alias, merging)
        if child.kind == "alias" and alias is None and merging is None:
            alias = child
        piece = child.resolved
    return Reached(piece, (), alias, merging)


def _child(piece: Piece, key: str | int) -> Piece | None:
    if isinstance(key, int):
        if piece.kind != "list" or not -len(piece.items) <= key < len(piece.items):
            raise Unwritable(f"there is no item {key} on the way")
        return piece.items[key]
    if piece.kind == "map":
        number = piece.index(key)
        return None if number is None else piece.items[number]
    if piece.kind == "list":
        raise Unwritable(f"there is a list where a map with the key {key} is expected")
    return None


def is_null(piece: Piece) -> bool:
    """Whether a piece stands for no value."""
    return piece.kind == "text" and data_of(piece) is None


def _holds_entries(piece: Piece) -> None:
    """Raise Unwritable where no entry can be put."""
    if piece.kind == "list" or not (piece.kind == "map" or is_null(piece)):
        raise Unwritable(f"there is a {piece.kind} where a map is expected")
    if _is_function_at(piece):
        raise Unwritable(f"{piece.keys[0].value} decides what stands there")


def _is_function_at(piece: Piece) -> bool:
    return piece.style == "call" or (len(piece.keys) == 1 and _is_function_name(piece.keys[0].value))


def _is_function(data: Mapping[str, Any]) -> bool:
    return len(data) == 1 and _is_function_name(next(iter(data)))


def _is_function_name(name: str) -> bool:
    return name == "Ref" or name.startswith("Fn::")


def _is_gone(piece: Piece, numbers: set[int]) -> bool:
    container = piece.parent
    return container is not None and any(
        container.items[number] is piece or (container.keys and container.keys[number] is piece) for number in numbers
    )


def _check_anchors(piece: Piece, itself: bool) -> None:
    """Raise Unwritable when an anchor would go with a piece that is used elsewhere."""
    used: Counter[Piece] = Counter()
    anchored = []
    for below in piece.below():
        if below.target is not None:
            used[below.target] += 1
        if below.anchor and below.uses and (itself or below is not piece):
            anchored.append(below)
    for below in anchored:
        if below.uses > used[below]:
            raise Unwritable(f"*{below.anchor} is used elsewhere, and its anchor would go")


def _mutable(data: Any) -> Any:
    """A copy of data whose maps and lists can be changed."""
    if isinstance(data, Mapping):
        return {key: _mutable(value) for key, value in data.items()}
    if is_list(data):
        return [_mutable(item) for item in data]
    return data


def _mutable_map(values: dict[Piece, Any], piece: Piece) -> dict[str, Any]:
    value = values[piece]
    if not isinstance(value, dict):
        raise Conflict("one change replaces a value that another one adds to")
    return value


def _merge(target: dict[str, Any], way: Way, value: Any) -> None:
    """Put a value into data that is not written yet."""
    for key in way[:-1]:
        below = target.setdefault(str(key), {})
        if not isinstance(below, dict) or _is_function(below):
            raise Conflict("two changes give one value differently")
        target = below
    name = str(way[-1])
    if name not in target:
        target[name] = _mutable(value)
    elif isinstance(target[name], dict) and isinstance(value, Mapping) and not _is_function(value):
        if _is_function(target[name]):
            raise Conflict("two changes give one value differently")
        for key, below in value.items():
            _merge(target[name], (key,), below)
    elif meant(target[name]) != meant(value):
        raise Conflict("two changes give one value differently")


def _add_item(target: dict[str, Any], way: Way, value: Any) -> None:
    """Add an item to a list in data that is not written yet."""
    for key in way[:-1]:
        target = target.setdefault(str(key), {})
        if not isinstance(target, dict) or _is_function(target):
            raise Conflict("two changes give one value differently")
    items = target.setdefault(str(way[-1]), [])
    if not isinstance(items, list):
        items = target[str(way[-1])] = [items]
    _add_once(items, value)


def _add_once(items: list[Any], value: Any) -> None:
    meaning = meant(value)
    if not any(meant(item) == meaning for item in items):
        items.append(_mutable(value))
