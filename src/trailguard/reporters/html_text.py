"""Markup that cannot be forged: every text is escaped on its way into it, and only this module says what is markup."""

from __future__ import annotations

import re
from html import escape

from trailguard.reporters.common import readable
from trailguard.terminal import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from trailguard.findings import Span

WIDEST = 400  # characters of one line that are shown; a minified template may be one line
LONGEST = 8  # lines of a span that are shown before its middle is left out
BEFORE, AFTER = 3, 2  # lines of context
_SLUG = re.compile("[^A-Za-z0-9-]")
_RUNNER = re.compile(r"^(\s*):(?=:)|(?<=##)\[")  # what a CI runner takes for one of its commands, in the log of a job
_VOID = frozenset({"meta", "input", "path", "rect", "circle"})  # these have no content

SIGNS = {"fail": "✕", "conditional": "!", "unknown": "?"}  # the style has the same


class Html(str):
    """Text that is markup already. Made by this module and from constants alone."""

    __slots__ = ()


NEWLINE = Html("\n")


def text(value: str) -> Html:
    """Any text as markup that shows it, control characters spelled out."""
    return Html(_RUNNER.sub(_spelled, escape(visible(readable(value)))))


def _spelled(match: re.Match[str]) -> str:
    return "&#91;" if match[0] == "[" else f"{match[1]}&#58;"


def join(parts: Iterable[str], between: str = "") -> Html:
    """Several pieces in a row; those that are not markup are escaped."""
    return Html(text(between).join(part if isinstance(part, Html) else text(part) for part in parts))


def tag(name: str, /, *content: str, **attributes: str | int | bool | None) -> Html:
    """An element with its content, which is escaped unless it is markup.

    Attributes are written with `_` for `-` and may end in `_` (`class_`); True stands for one without a value, None and
    False for one that is left out.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    return Html(f"<{name}{told}/>" if name in _VOID else f"<{name}{told}>{join(content)}</{name}>")


def _attribute(key: str, value: str | int | bool) -> str:
    if isinstance(value, bool):
        return f" {key.rstrip('_')}" if value else ""
    return f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"'


def slug(value: str) -> str:
    """A part of an element's id that comes from a text; another text gives another one."""
    return _SLUG.sub(lambda match: f"_{ord(match[0]):x}_", value)


def badge(verdict: str, label: str = "") -> Html:
    """A verdict as a word, to which the style adds a sign: colour is never all that tells it."""
    return tag("span", label or verdict.replace("_", " "), class_=f"badge {verdict}")


def severity(level: str) -> Html:
    """A severity as a word, which the style makes as loud as it is bad."""
    return tag("span", level, class_=f"severity {slug(level)}")


def anchor(address: str, label: str) -> Html:
    """A link to a web page; an address that is none stays text."""
    if not address.startswith(("https://", "http://")):
        return text(label)
    return tag("a", label, href=address, rel="noreferrer")


def rule_link(rule: str, linked: Container[str]) -> Html:
    """The id of a rule, which leads to its findings where it has some that are open."""
    return tag("a", rule, href=f"#findings-{slug(rule)}") if rule in linked else text(rule)


def table(heads: Sequence[str], rows: Iterable[str], caption: str, class_: str = "") -> Html:
    """A table that scrolls by itself where it is too wide; a head that ends in "#" is one of numbers."""
    cells = [tag("th", head.rstrip("#"), scope="col", class_="n" if head.endswith("#") else None) for head in heads]
    head = tag("thead", tag("tr", *cells))
    body = tag("table", tag("caption", caption), head, tag("tbody", *rows), class_=class_ or None)
    return scrolled(body, caption)


def scrolled(body: Html, label: str) -> Html:
    """Something that scrolls by itself where it is too wide, and can be reached by the keyboard for that."""
    return tag("div", body, class_="scroll", tabindex="0", role="group", aria_label=label)


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(lines: Sequence[str], span: Span, before: int = BEFORE, after: int = AFTER) -> Html:
    """The lines of a span with some around them, the span marked; nothing when the file has no such line."""
    if not 1 <= span.line <= len(lines):
        return Html()
    last = min(max(span.end_line, span.line), len(lines))
    if last > span.line and span.end_column <= 1:
        last -= 1  # the end is exclusive: nothing of that line belongs to the span
    drawn: list[str] = []
    for number in _shown(lines, span.line, last, before, after):
        if number is None:
            drawn += [tag("i", "⋮"), f"{last - span.line + 1 - LONGEST} more lines", NEWLINE]
            continue
        line = lines[number - 1]
        inside = span.line <= number <= last
        start = span.column - 1 if number == span.line else len(line) - len(line.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(line)
        drawn += [tag("i", str(number)), _marked(line, start, end) if inside else _plain(line, WIDEST), NEWLINE]
    return tag("pre", *drawn, class_="m" if last > span.line else None, tabindex="0")


def _shown(lines: Sequence[str], first: int, last: int, before: int, after: int) -> Iterator[int | None]:
    """Choose the lines to draw by number; None stands for the ones that are left out."""
    yield from range(max(1, first - before), first)
    if last - first < LONGEST:
        yield from range(first, last + 1)
    else:
        yield from range(first, first + LONGEST - 1)
        yield None
        yield last
    stop = min(len(lines), last + after)
    while stop > last and not lines[stop - 1].strip():
        stop -= 1
    yield from range(last + 1, stop + 1)


def _marked(line: str, start: int, end: int) -> Html:
    """A line with a part of it marked, cut around that part when it is long; at least one character, or a blank."""
    start = min(max(start, 0), len(line))
    end = min(max(end, start + 1), len(line))
    head, marked, tail = line[:start], line[start:end] or " ", line[end:]
    if len(line) > WIDEST:
        room = WIDEST // 4
        head = head if len(head) <= room else "…" + head[-room:]
        return join([_plain(head, WIDEST), tag("mark", _plain(marked, WIDEST // 2)), _plain(tail, room)])
    return join([_plain(head, WIDEST), tag("mark", _plain(marked, WIDEST)), _plain(tail, WIDEST)])


def _plain(piece: str, room: int) -> Html:
    piece = piece if len(piece) <= room else piece[:room] + "…"
    return text(piece.replace("\t", "    "))
