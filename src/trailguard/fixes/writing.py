"""Writes what becomes of the pieces of a document: as edits of its text, in the style of each place."""

from __future__ import annotations

import re
from typing import Any

from trailguard.fixes import scalars
from trailguard.fixes.adding import Adder
from trailguard.fixes.copying import Copier
from trailguard.fixes.edits import Edit, Unwritable
from trailguard.fixes.layout import WORDS, Layout, is_boolean
from trailguard.fixes.pieces import Piece
from trailguard.fixes.planning import Plan, is_null
from trailguard.fixes.removing import Remover
from trailguard.fixes.rendering import Rendered, Renderer, as_argument
from trailguard.fixes.slots import Slots

_WIDEST = 100  # characters of a line with a list in it


class Writer:
    """Writes the changes of one document; its edits come in an order in which those at one place follow each other."""

    def __init__(self, text: str, layout: Layout, plan: Plan) -> None:
        self.text = text
        self.layout = layout
        self.plan = plan
        self.slots = Slots(text, layout)
        self.copy = Copier(text)
        self.remover = Remover(text, layout, self.slots)
        self.edits: list[Edit] = []
        self.adder = Adder(layout, self.slots, self.copy, plan.gone, self.edits)

    def written(self) -> list[Edit]:
        """All edits, the innermost first."""
        plan = self.plan
        emptied = {piece for piece, numbers in plan.gone.items() if len(numbers) == len(piece.items)}
        jobs = {*plan.entries, *plan.items, *plan.wrapped, *plan.values, *plan.names, *plan.gone}
        for piece in sorted(jobs, key=lambda piece: (-sum(1 for _ in piece.around()), piece.start)):
            if piece in plan.names:
                self._rename(piece, plan.names[piece])
            if piece in emptied:
                rest: Any = plan.entries.get(piece) or plan.items.get(piece) or ({} if piece.kind == "map" else [])
                self._value(piece, rest)
                continue
            if piece in plan.gone:
                self.edits += self.remover.edits(piece, plan.gone[piece])
            if piece in plan.values:
                self._value(piece, plan.values[piece])
            elif piece in plan.wrapped:
                self._wrap(piece, plan.wrapped[piece])
            elif piece in plan.entries:
                self._add(piece, plan.entries[piece])
            elif piece in plan.items:
                self._add(piece, plan.items[piece])
        return self.edits

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits.append(Edit(start, end, text))

    def _renderer(self, container: Piece) -> Renderer:
        return Renderer(self.layout.style(container), self.copy)

    # New entries and items

    def _add(self, piece: Piece, added: Any) -> None:
        if not piece.items:
            self._value(piece, added)
        elif piece.style == "block":
            self.adder.to_block(piece, added)
        elif piece.style == "flow":
            self.adder.to_flow(piece, added)
        else:
            raise Unwritable("a function decides what stands there")

    # Values

    def _value(self, piece: Piece, data: Any) -> None:
        """Replace a piece by a value."""
        is_behind_tag = piece.parent is not None and piece.parent.style == "call"
        if is_behind_tag:
            if data is None:
                raise Unwritable("behind a tag, null would be a text")
            data = as_argument(data)
        container = self.slots.container(piece)
        if container is None and piece.style != "flow" and not self._fits_root(piece, data):
            raise Unwritable("the whole document would be replaced")
        if container is not None and self.layout.mode(container) != "block":
            renderer = self._renderer(container)
            if is_null(piece) and piece.start == piece.end:
                self._edit(*self.slots.empty(piece), " " + renderer.flow(data, self.layout.indentation(piece.start)))
                return
            indent = self.layout.indentation(piece.start)
            text = self._kept_quotes(piece, data, renderer) or renderer.flow(data, indent)
            if text.startswith("!") and is_behind_tag:
                text = self._in_full(renderer).flow(data, indent)
            self._edit(*self.slots.span(piece), text)
            return
        renderer = self._renderer(container or piece)
        if container is None and piece.style == "flow":
            self._edit(piece.start, piece.end, renderer.flow(data, ""))
            return
        kept = self._kept_quotes(piece, data, renderer)
        value = Rendered(kept, (), "text") if kept else renderer.block(data)
        if is_behind_tag and value.head.startswith("!"):
            value = self._in_full(renderer).block(data)
        self.edits += self.slots.replaced(piece, value, renderer)

    def _in_full(self, renderer: Renderer) -> Renderer:
        """One that writes functions without tags, as two tags in a row are no YAML."""
        return Renderer(renderer.style._replace(is_short=False), self.copy)

    def _fits_root(self, piece: Piece, data: Any) -> bool:
        return piece.style == "block" and isinstance(data, dict) and bool(data)

    def _kept_quotes(self, piece: Piece, data: Any, renderer: Renderer) -> str:
        """A text or a Boolean in the quotes of the one that it replaces; "" when there is nothing to keep."""
        if piece.kind != "text" or is_null(piece) or piece.style in ("|", ">"):
            return ""
        in_flow = renderer.style.mode != "block"
        quote = piece.style
        if isinstance(data, bool):
            if not is_boolean(piece):
                return ""
            word = WORDS[piece.value][0 if data else 1]
            return quote + word + quote
        if not isinstance(data, str) or "\n" in data or (not quote and not piece.plain):
            return ""
        if quote:
            return scalars.quoted(data, quote)
        return data if renderer.style.mode != "json" and scalars.is_plain(data, in_flow) else ""

    def _rename(self, key: Piece, name: str) -> None:
        container = key.parent
        if container is None or container.style == "call" or key.kind != "text":
            raise Unwritable("this key cannot get another name")
        in_flow = self.layout.mode(container) != "block"
        written = scalars.text(name, key.style, bool(key.style), in_flow)
        self._edit(key.start, key.end, written)

    # A single item becomes a list

    def _wrap(self, piece: Piece, added: list[Any]) -> None:
        container = self.slots.container(piece)
        if container is None:
            raise Unwritable("the document is no list")
        renderer = self._renderer(container)
        layout = self.layout
        start, end = self.slots.span(piece)
        if layout.mode(container) != "block":
            self._wrap_in_flow(piece, added, renderer)
            return
        is_inline = layout.line_end(start) >= end and piece.style not in ("block", "|", ">")
        if piece.style == "call" and piece.items[0].style in ("block", "|", ">"):
            is_inline = False
        if is_inline and self.slots.prefers_flow_lists():
            flow = Renderer(renderer.style._replace(mode="flow", is_short=renderer.style.is_short), self.copy)
            written = [flow.flow(item, "") for item in added]
            old = self.text[start:end]
            inner = piece.items[0] if piece.style == "call" else piece
            if inner.kind == "text" and not inner.style and scalars.ends_in_flow(self.text[inner.start : end]):
                old = old[: inner.start - start] + flow.scalar(inner.value)
            comma = renderer.style.comma
            listed = f"[{old}{comma}{comma.join(written)}]"
            if layout.column(start) + len(listed) <= _WIDEST:
                self._edit(start, end, listed)
                return
        self.copy.moved.add(piece)
        value = renderer.block([piece, *added])
        self.edits += self.slots.replaced(piece, value, renderer)

    def _wrap_in_flow(self, piece: Piece, added: list[Any], renderer: Renderer) -> None:
        start, end = self.slots.span(piece)
        layout, style = self.layout, renderer.style
        indent = layout.indentation(start)
        old = self.text[start:end]
        if not style.spread:
            written = [renderer.flow(item, indent) for item in added]
            self._edit(start, end, f"[{old}{style.comma}{style.comma.join(written)}]")
            return
        inner = indent + style.step
        lines = layout.eol.join(
            style.step + line if number and line.strip() else line
            for number, line in enumerate(re.split(r"\r\n?|\n", old))
        )
        items = [lines, *(renderer.flow(item, inner) for item in added)]
        glue = "," + layout.eol + inner
        self._edit(start, end, f"[{layout.eol}{inner}{glue.join(items)}{layout.eol}{indent}]")
