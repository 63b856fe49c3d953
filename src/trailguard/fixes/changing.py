"""Changes of a document become edits of its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trailguard.cloudformation.source.changes import Append, At, Change, Put, Replace
from trailguard.cloudformation.source.nodes import Places
from trailguard.fixes.edits import Edit, applied, composed
from trailguard.fixes.meaning import same
from trailguard.fixes.pages import Page
from trailguard.fixes.planning import Plan, Reached, walked
from trailguard.fixes.rendering import is_list
from trailguard.fixes.writing import Writer


def edits_for(text: str, changes: Iterable[Change], *, apart: bool = False) -> list[Edit]:
    """The edits that make changes to a document, in the order of its text, none overlapping another.

    `text` is the decoded text of one file, that of `source.reading.parse`, and all changes are about it. What several
    places share by an anchor is changed for all of them; with `apart`, what the way of a Put or an Append comes
    through is written out first at the one place, and changed there only.
    A value that is there already gives no edit, nor does an item that the list has, so the same changes of the edited
    text give none. Raises Unwritable for a change that cannot be written, Conflict for two that exclude each other.
    """
    pending = list(changes)
    done: list[Edit] = []
    while True:
        page = Page(text)
        written_out = _written_out(page, pending) if apart else []
        if not written_out:
            break
        edited = applied(text, written_out)
        done = composed(done, written_out)
        move = _Move(page.places, written_out, Places(edited))
        pending = [change._replace(**move.fields(change)) for change in pending]
        text = edited
    for change in pending:
        page.take(change)
    return composed(done, page.edits(apart))


def shares(text: str, changes: Iterable[Change]) -> bool:
    """Whether one of the changes is about something that several places share: by an anchor, or a merge key.

    Raises Unwritable.
    """
    page = Page(text)
    for change in changes:
        _, piece = page.find(change.at)
        if isinstance(change, Put | Append):
            reached = walked(piece, change.way)
            if reached.alias is not None or reached.merging is not None:
                return True
            piece = reached.piece
        if any(outer.anchor and outer.uses for outer in piece.around()):
            return True
    return False


def _written_out(page: Page, changes: list[Change]) -> list[Edit]:
    """The edits that write out what the ways of changes come through first: an alias, or an entry of a merged map."""
    plan = Plan()
    for change in changes:
        owner, piece = page.find(change.at)
        if owner is page and isinstance(change, Put | Append):
            _write_out(plan, walked(piece, change.way), change, page)
    return Writer(page.text, page.layout, plan).written()


def _write_out(plan: Plan, reached: Reached, change: Put | Append, page: Page) -> None:
    if isinstance(change, Put) and reached.is_crossed_last:
        return  # the value is written in its place at once
    if not reached.left and reached.piece.kind == "list":
        value = page.value(change.value, page)
        if any(same(item, value) for item in reached.piece.items):
            return
    if reached.merging is not None:
        map_, key = reached.merging
        plan.entries.setdefault(map_, {})[key] = walked(map_, (key,)).piece
    elif reached.alias is not None and reached.alias.target is not None:
        plan.values[reached.alias] = reached.alias.target


class _Move:
    """Where places are after edits."""

    def __init__(self, before: Places, edits: list[Edit], after: Places) -> None:
        self.before = before
        self.edits = edits
        self.after = after

    def fields(self, change: Change) -> dict[str, Any]:
        """The fields of a change that name places."""
        fields: dict[str, Any] = {"at": self._at(change.at)}
        if isinstance(change, Put | Append | Replace):
            fields["value"] = self._data(change.value)
        return fields

    def _at(self, at: At) -> At:
        line, column = self._place(at.line, at.column)
        end_line, end_column = self._place(at.end_line, at.end_column)
        return at._replace(line=line, column=column, end_line=end_line, end_column=end_column)

    def _place(self, line: int, column: int) -> tuple[int, int]:
        index = self.before.index(line, column)
        shift = sum(len(edit.text) - (edit.end - edit.start) for edit in self.edits if edit.end <= index)
        return self.after.at(index + shift)

    def _data(self, data: Any) -> Any:
        if isinstance(data, At):
            return self._at(data)
        if isinstance(data, Mapping):
            return {key: self._data(value) for key, value in data.items()}
        return [self._data(item) for item in data] if is_list(data) else data
