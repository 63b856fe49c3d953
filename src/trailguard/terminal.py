"""What a terminal can show: colour, width, and template text that must never become an escape sequence."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

WIDEST = 120  # longer lines of prose are hard to read
NARROWEST = 20
PIPE_WIDTH = 100  # where there is no terminal to ask

# Everything that can move the cursor, reorder or hide text: C0, DEL, C1, line separators, zero-width and bidirectional
# controls, tag characters and the variation selectors that may spell hidden text, and halves of surrogate pairs (file
# names that are not UTF-8).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e01ef]"
)
_COMMAND = re.compile(r"^([^\S\n]*)::", re.MULTILINE)

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


class Style:
    """How to draw: with or without colour, with or without characters outside ASCII."""

    __slots__ = ("arrow", "bar", "colour", "cut", "dot", "gap", "mark")

    def __init__(self, colour: bool = False, unicode: bool = True) -> None:
        self.colour = colour
        self.bar, self.mark, self.cut, self.gap, self.dot, self.arrow = (
            ("│", "┃", "…", "⋮", "·", "→") if unicode else ("|", ">", "..", ":", "-", "->")
        )

    def paint(self, text: str, *names: str) -> str:
        """Give the text colours or weights by name: bold, dim, red, green, yellow, blue, magenta, cyan."""
        if not self.colour or not names or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


PLAIN = Style()


def style_for(mode: str, stream: IO[str], environ: Mapping[str, str]) -> Style:
    """Choose the style for a stream; `mode` is always, never, or auto: a terminal, unless the environment objects."""
    colour = mode == "always" or (mode == "auto" and _colour_wanted(stream, environ))
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
    if colour and os.name == "nt":
        os.system("")  # noqa: S605, S607  # makes older Windows consoles understand escape sequences
    return Style(colour, encoding.startswith("utf"))


def _colour_wanted(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Apply the conventions of no-color.org and of CLICOLOR, as Python itself does since 3.13."""
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if environ.get("TERM") == "dumb" or environ.get("CLICOLOR") == "0":
        return False
    return is_terminal(stream)


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether a person looks at the stream."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def width_of(stream: IO[str] | None, environ: Mapping[str, str]) -> int:
    """Find how many columns to use: COLUMNS, else the terminal's width, else 100; never under 20 nor over 120."""
    columns = environ.get("COLUMNS", "")
    wanted = int(columns) if columns.isdecimal() and len(columns) < 6 else 0
    if not wanted and stream is not None and is_terminal(stream):
        try:
            wanted = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            wanted = 0
    return max(NARROWEST, min(WIDEST, wanted or PIPE_WIDTH))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {10: "\\n", 13: "\\r", 9: "\\t"}.get(code)
    if named:
        return named
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    r"""Show control characters as escapes (`\x1b`, `\u202e`, `\n`), so that text from a template stays text."""
    return _UNSAFE.sub(_escape, text)


def defuse(text: str) -> str:
    """Keep a CI runner from taking a line of ours for one of its commands (`::error::`, `##[group]`)."""
    return _COMMAND.sub(r"\1\\x3a:", text).replace("##[", "##\\x5b")


def cells(text: str) -> int:
    """Measure text that is already visible: wide East Asian characters take two columns, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    total = 0
    for char in text:
        if east_asian_width(char) in "WF":
            total += 2
        elif category(char) not in ("Mn", "Me", "Cf"):
            total += 1
    return total


def wrap(text: str, width: int, first: int | None = None) -> list[str]:
    """Break visible text into lines of at most `width` columns, at spaces; only links may stick out, to stay whole.

    `first` is the room on the first line, where that differs.
    """
    lines: list[str] = []
    line, used, room = "", 0, width if first is None else first
    for word in text.split():
        for number, piece in enumerate(_pieces(word, width)):
            size = cells(piece)
            if number == 0 and line and used + 1 + size <= room:
                line, used = f"{line} {piece}", used + 1 + size
                continue
            if line or (not lines and room < size <= width):
                lines.append(line)
                room = width
            line, used = piece, size
    return [*lines, line] if line else lines


def _pieces(word: str, width: int) -> Iterator[str]:
    """Cut a word that is wider than a line, after punctuation where there is some; links stay whole."""
    if cells(word) <= width or word.startswith(("https://", "http://")):
        yield word
        return
    start, used, seam = 0, 0, 0
    for index, char in enumerate(word):
        size = cells(char)
        if used + size > width and index > start:
            cut = seam if seam - start > width // 2 else index
            yield word[start:cut]
            start, used = cut, cells(word[cut:index])
        used += size
        if char in "/:,-_.":
            seam = index + 1
    yield word[start:]


def paragraph(text: str, width: int, indent: str = "", first: str | None = None) -> str:
    """Wrap visible text with a left margin; `first` is the margin of the first line and may hold a label."""
    lead = indent if first is None else first
    lines = wrap(text, max(8, width - cells(indent)), max(8, width - cells(lead)))
    return "\n".join((lead if number == 0 else indent) + line for number, line in enumerate(lines))
