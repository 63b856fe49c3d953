"""Writes plain data as YAML or JSON, in the style of a place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from trailguard.cloudformation.source.tags import SHORT_FORMS
from trailguard.fixes import scalars
from trailguard.fixes.layout import Style
from trailguard.fixes.pieces import Piece

_TAGS = {name: tag for tag, name in SHORT_FORMS.items() if name != "Condition"}  # that one is a key of other maps, too
_BLOCK_TEXT = ("|", ">")


class Rendered(NamedTuple):
    """A value of block style: what follows its key in the same line, and the lines below.

    kind: "map" or "list", whose lines are not yet indented below the key, or "text", for which the same holds of what
    follows the first line.
    """

    head: str
    lines: tuple[str, ...]
    kind: str


Copy = Callable[[Piece, "Renderer"], Rendered]


class Renderer:
    """Writes data in one style. `copy` gives what stands elsewhere in the document."""

    def __init__(self, style: Style, copy: Copy) -> None:
        self.style = style
        self.copy = copy

    # Scalars

    def key(self, name: str) -> str:
        """The key of an entry."""
        style = self.style
        return scalars.text(name, style.key_quote or style.quote, bool(style.key_quote), style.mode != "block")

    def scalar(self, data: Any) -> str:
        """A value that is no map and no list, in one line."""
        style = self.style
        if data is None:
            return "null"
        if isinstance(data, bool):
            word = style.words[0] if data else style.words[1]
            return style.word_quote + word + style.word_quote
        if isinstance(data, int | float):
            return str(data)
        return scalars.text(str(data), style.quote, style.quoted, style.mode != "block")

    # Block style

    def block(self, data: Any) -> Rendered:
        """A value as it stands below a key or behind a dash in block style."""
        if isinstance(data, Piece):
            return self.copy(data, self)
        if isinstance(data, str) and "\n" in data:
            return self._long_text(data)
        if is_list(data) and data:
            return Rendered("", tuple(line for item in data for line in self.item(item)), "list")
        if not isinstance(data, Mapping) or not data:
            return Rendered(self.flow(data, ""), (), "text")
        called = self._called(data)
        if called is not None:
            return called
        return Rendered("", tuple(line for key, value in data.items() for line in self.entry(key, value)), "map")

    def entry(self, key: str, data: Any) -> list[str]:
        """The lines of an entry of a block map."""
        head, lines = self.below_key(self.block(data))
        return [f"{self.key(key)}: {head}" if head else f"{self.key(key)}:", *lines]

    def below_key(self, value: Rendered) -> tuple[str, list[str]]:
        """What follows a key, and the lines below, indented relative to the key."""
        blanks = " " * self.style.offset if value.kind == "list" else self.style.step
        return value.head, [blanks + line if line else "" for line in value.lines]

    def item(self, data: Any) -> list[str]:
        """The lines of an item of a block list."""
        value = self.block(data)
        lines = (value.head, *value.lines) if value.kind == "text" else value.lines
        return [f"- {lines[0]}".rstrip(), *("  " + line if line else "" for line in lines[1:])]

    def _called(self, data: Mapping[str, Any]) -> Rendered | None:
        """A function as a short tag; None when it needs its long form."""
        tag, argument = self._short(data)
        if not tag:
            return None
        value = self.block(argument)
        if value.head.startswith("!"):  # two tags in a row are no YAML
            return None
        return Rendered(f"{tag} {value.head}".rstrip(), tuple(self.below_tag(value)), "text")

    def below_tag(self, value: Rendered) -> list[str]:
        """The lines below a tag, before they are indented below the key."""
        return list(value.lines)

    def _short(self, data: Mapping[str, Any]) -> tuple[str, Any]:
        if not self.style.is_short or len(data) != 1:
            return "", None
        ((name, argument),) = data.items()
        tag = _TAGS.get(name, "")
        if argument is None:  # behind a tag it would be a text
            return "", None
        argument = as_argument(argument)
        if name == "Fn::GetAtt" and is_list(argument) and all(isinstance(part, str) for part in argument):
            argument = ".".join(argument)
        return tag, argument

    def _long_text(self, text: str) -> Rendered:
        """A text of several lines as a block scalar, where it fits."""
        body = text.removesuffix("\n")
        lines = body.split("\n")
        fits = body.strip() and not body.endswith("\n") and not lines[0].startswith((" ", "\t")) and lines[0]
        if not fits or scalars.is_unprintable(body.replace("\n", "").replace("\t", "")):
            return Rendered(self.scalar(text), (), "text")
        return Rendered("|" if text.endswith("\n") else "|-", tuple(lines), "text")

    # Flow style and JSON

    def flow(self, data: Any, indent: str) -> str:
        """A value in flow style; `indent` stands before its last line, where it has several."""
        if isinstance(data, Piece):
            return self.copy(data, self).head
        if is_list(data):
            return self._braced("[]", [self.flow(item, indent + self._deeper()) for item in data], "", indent)
        if not isinstance(data, Mapping):
            return self.scalar(data)
        tag, argument = self._short(data)
        if tag:
            written = self.flow(argument, indent)
            if not written.startswith("!"):
                return f"{tag} {written}"
        return self._braced("{}", self.flow_entries(data, indent), self.style.pad, indent)

    def flow_entries(self, data: Mapping[str, Any], indent: str) -> list[str]:
        """The entries of a map in flow style; `indent` is that of the map."""
        colon = self.style.colon
        return [
            f"{self.flow_key(key)}{colon}{self.flow(value, indent + self._deeper())}" for key, value in data.items()
        ]

    def flow_key(self, name: str) -> str:
        """A key in flow style."""
        if ":" in name and self.style.mode != "json":
            return scalars.quoted(name, self.style.key_quote or self.style.quote)
        style = self.style
        return scalars.text(name, style.key_quote or style.quote, bool(style.key_quote), True)

    def _deeper(self) -> str:
        return self.style.step if self.style.spread else ""

    def _braced(self, braces: str, entries: list[str], pad: str, indent: str) -> str:
        style = self.style
        if not entries:
            return braces
        if not style.spread:
            return f"{braces[0]}{pad}{style.comma.join(entries)}{pad}{braces[1]}"
        inner = style.eol + indent + style.step
        return f"{braces[0]}{inner}{(',' + inner).join(entries)}{style.eol}{indent}{braces[1]}"


def is_list(data: Any) -> bool:
    """Whether data is a list."""
    return isinstance(data, Sequence) and not isinstance(data, str)


def as_argument(data: Any) -> Any:
    """What a Boolean is behind a tag, where YAML has nothing but texts."""
    return ("true" if data else "false") if isinstance(data, bool) else data
