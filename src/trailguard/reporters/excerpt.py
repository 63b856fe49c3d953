"""Source excerpts: the lines of a span with their numbers, the exact span underlined, never wider than the terminal."""

from __future__ import annotations

from trailguard.terminal import cells, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailguard.findings import Span
    from trailguard.terminal import Style

TAB = 4
LONGEST = 6  # lines of a span that are shown before its middle is left out
MARGIN = 12  # columns kept to the left of the span when a long line is cut


def excerpt(
    lines: Sequence[str], span: Span, width: int, style: Style, colour: str, before: int = 1, under: str = "^"
) -> list[str]:
    """Draw the span with `before` lines of context above it; empty when the file has no such line."""
    if not 1 <= span.line <= len(lines):
        return []
    last = min(max(span.end_line, span.line), len(lines))
    if last > span.line and span.end_column <= 1:
        last -= 1  # the end is exclusive: nothing of that line belongs to the span
    gutter = max(3, len(str(last)))
    room = width - gutter - 3
    shown = list(_shown(lines, span.line, last, before))
    dedent = _dedent([lines[number - 1] for number in shown if number], room)
    drawn = []
    for number in shown:
        if number is None:
            rest = f"{style.gap} {last - span.line + 2 - LONGEST} more lines"
            drawn.append(" " * (gutter + 1) + style.paint(rest, "dim"))
            continue
        line = lines[number - 1][dedent:]
        first = number == span.line
        start = span.column - 1 - dedent if first else 0
        end = span.end_column - 1 - dedent if number == span.end_line else len(line)
        text, offset, length = _window(line, start, end, room, style.cut, first)
        marked = last > span.line <= number
        bar = style.paint(style.mark, colour) if marked else style.paint(style.bar, "dim")
        drawn.append(f"{style.paint(str(number).rjust(gutter), 'dim')} {bar} {text}".rstrip())
        if first:
            drawn.append(f"{' ' * gutter} {bar} {' ' * offset}{style.paint(under * length, colour, 'bold')}")
    return drawn


def _dedent(lines: Sequence[str], room: int) -> int:
    """Count the blanks that may go from the left of every line, when some line is too long otherwise."""
    if max(map(len, lines)) <= room:
        return 0
    common = min(len(line) - len(line.lstrip(" ")) for line in lines if line.strip() or len(lines) == 1)
    return max(0, common - 2)


def _shown(lines: Sequence[str], first: int, last: int, before: int) -> Iterator[int | None]:
    """Choose the lines to draw by number; None stands for the ones that are left out."""
    yield from (number for number in range(max(1, first - before), first) if lines[number - 1].strip())
    if last - first + 1 <= LONGEST:
        yield from range(first, last + 1)
        return
    yield from range(first, first + LONGEST - 2)
    yield None
    yield last


def _window(line: str, start: int, end: int, room: int, cut: str, underlined: bool) -> tuple[str, int, int]:
    """Fit a line into `room` columns, around its span if that is underlined: the text, the span's offset and width.

    Tabs become spaces and control characters escapes before anything is measured. An empty span, or one beyond the
    line's end, is as wide as one column.
    """
    skipped = max(0, start - room) if len(line) > 4 * room else 0  # a whole minified template may be one line
    clipped = line[skipped : skipped + 3 * room]
    glyphs, sizes = _glyphs(clipped)
    start = min(max(start - skipped, 0), len(glyphs))
    end = min(max(end - skipped, start), len(glyphs))
    mark = cells(cut)
    first = _left(sizes, start, end, room, mark) if underlined else 0
    head = cut if first or skipped else ""
    last, used = first, cells(head)
    complete = len(clipped) + skipped == len(line)
    while last < len(glyphs):
        ends = complete and last + 1 == len(glyphs)
        if used + sizes[last] + (0 if ends else mark) > room:
            break
        used += sizes[last]
        last += 1
    text = head + "".join(glyphs[first:last]) + ("" if complete and last == len(glyphs) else cut)
    return text, cells(head) + sum(sizes[first:start]), max(1, sum(sizes[start : max(start, min(end, last))]))


def _left(sizes: Sequence[int], start: int, end: int, room: int, cut: int) -> int:
    """Choose the first glyph to show: the line's own if that leaves the span in sight, else one a little before it."""
    ahead, span = sum(sizes[:start]), max(1, sum(sizes[start:end]))
    fits = span + 2 * cut <= room
    if ahead + span + cut <= room or ahead + span == sum(sizes) <= room or (not fits and ahead <= room // 2):
        return 0
    margin = min(MARGIN, room - 2 * cut - span) if fits else min(MARGIN, room // 4)
    first = start
    while first > 0 and margin >= sizes[first - 1]:
        first -= 1
        margin -= sizes[first]
    return first


def _glyphs(line: str) -> tuple[list[str], list[int]]:
    """Draw each code point and measure it in columns."""
    if line.isascii() and line.isprintable():
        return list(line), [1] * len(line)
    glyphs: list[str] = []
    sizes: list[int] = []
    column = 0
    for char in line:
        glyph = " " * (TAB - column % TAB) if char == "\t" else visible(char)
        glyphs.append(glyph)
        sizes.append(cells(glyph))
        column += sizes[-1]
    return glyphs, sizes
