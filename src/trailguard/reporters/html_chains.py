"""The delivery chains as pictures: what each trail uses, drawn from left to right, and which rules break it where.

The trail is in the first column, what it names in the second, what that hinges on in the third. Connections run along
right angles; each kind ends in a stretch of its own before its target, on which its words stand. What is broken is told
by its colour, by its dashes, by a sign and by the rules in words.
"""

from __future__ import annotations

from typing import NamedTuple

from trailguard.findings import CONNECTION_NAMES, NOT_APPLICABLE, OPEN, PART_NAMES, PASS, VERDICTS, worst
from trailguard.reporters.html_text import SIGNS, Html, badge, counted, join, rule_link, scrolled, table, tag
from trailguard.terminal import cells, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from trailguard.findings import Chain, Finding, Part, Ruling

    _Key = tuple[str, str, int]  # a rule, a file and the line of its subject

ROOM = 500_000  # characters of pictures: a few hundred; more are hard to load and harder to read
_UNBROKEN = {PASS: "unbroken", NOT_APPLICABLE: "not judged"}

_WIDTH, _LINE, _PAD, _GAP, _ROW = 204, 16, 12, 184, 22  # a box, a line of text, inside a box, between columns and rows
_RUN = 24  # from a box to where its connections part
_LETTERS, _WORDS = 27, 24  # letters that fit into a box, in a small type and in bold


class _Box(NamedTuple):
    part: Part
    lines: tuple[tuple[str, str], ...]  # class and text
    x: int
    y: int

    @property
    def height(self) -> int:
        return len(self.lines) * _LINE + 2 * _PAD


class _Edge(NamedTuple):
    """All connections of one kind to one part."""

    sources: tuple[int, ...]
    target: int
    kind: str
    always: bool
    rulings: tuple[Ruling, ...]


def worst_of(chain: Chain) -> str:
    """The worst verdict on a chain."""
    return worst(tuple(item for *_, item in _rulings(chain)))


def _rulings(chain: Chain) -> Iterator[tuple[Part, str, Ruling]]:
    """What the rules say of each part and connection: whose rules they are, the name, and the ruling."""
    for part in chain.parts:
        yield from ((part, _named(part), item) for item in part.rulings)
    for edge in chain.connections:
        name = f"{CONNECTION_NAMES[edge.kind]} {_named(chain.parts[edge.target])}"
        yield from ((chain.parts[0], name, item) for item in edge.rulings)


def _named(part: Part) -> str:
    """What a part is and is called; of what is made elsewhere, why nothing is known."""
    return f"{PART_NAMES[part.kind]} {part.name if part.file else f'({part.name})'}"


def section(chains: Sequence[Chain], linked: Container[str], results: Sequence[Finding] = ()) -> Html:
    """All chains, the worst first, each as a picture; when there are more than fit into ROOM, the others as a table.

    `linked` are the rules with findings, `results` say what is accepted.
    """
    accepted = _accepted(results)
    ranked = sorted(chains, key=lambda chain: (VERDICTS.index(worst_of(chain)), chain))
    parts: list[str] = []
    used = 0
    for number, chain in enumerate(ranked, 1):
        parts.append(_figure(chain, f"chain-{number}", linked, accepted))
        used += len(parts[-1])
        if used > ROOM:
            break
    rest = ranked[len(parts) :]
    if rest:
        rows = [tag("tr", tag("td", badge(worst_of(chain))), tag("td", *_title(chain)), tag("td", _ids(chain)))
                for chain in rest]  # fmt: skip
        parts.append(tag("p", f"{counted(len(rest), 'more chain')}, as a list; trailguard graph draws them."))
        parts.append(table(("Verdict", "Trail", "Broken by"), rows, "Chains without a picture"))
    return join(parts)


def _ids(chain: Chain) -> str:
    return ", ".join(dict.fromkeys(item.rule for *_, item in _rulings(chain) if item.verdict in OPEN))


def _title(chain: Chain) -> Iterator[str]:
    trail = chain.parts[0]
    yield f"{trail.name}, {trail.file}:{trail.line}"
    if chain.contexts:
        yield f", in {'; '.join(chain.contexts)}"


def _accepted(results: Sequence[Finding]) -> Mapping[_Key, str]:
    """Why a rule is accepted on what stands at a place, wherever no finding of it is open there."""
    found: dict[_Key, str] = {}
    opened: set[_Key] = set()
    for item in results:
        if item.verdict in OPEN and item.blocks:
            key = (item.rule.id, item.blocks[0].file, item.blocks[0].first)
            if item.suppressed is None:
                opened.add(key)
            else:
                found[key] = item.suppressed.reason
    return {key: reason for key, reason in found.items() if key not in opened}


def _figure(chain: Chain, name: str, linked: Container[str], accepted: Mapping[_Key, str]) -> Html:
    """A chain as a picture, with what breaks it in words; folded where nothing does."""
    verdict = worst_of(chain)
    head = tag("h3", badge(verdict, _UNBROKEN.get(verdict, "")), " ", *_title(chain))
    label = f"Delivery chain of {''.join(_title(chain))}"
    drawn = [scrolled(_picture(chain, name), label), *_breaks(chain, linked, accepted)]
    if verdict in OPEN:
        return tag("figure", tag("figcaption", head), *drawn, class_="chain")
    return tag("details", tag("summary", head), tag("figure", *drawn, class_="chain"), class_="unbroken")


def _breaks(chain: Chain, linked: Container[str], accepted: Mapping[_Key, str]) -> Iterator[Html]:
    """The rules that break a chain, those together that break it at the same places; why what is accepted is."""
    broken = [found for found in _rulings(chain) if found[-1].verdict in OPEN]
    places: dict[tuple[str, str, str, str | None], dict[str, None]] = {}
    for part, where, item in sorted(broken, key=lambda found: (VERDICTS.index(found[2].verdict), found[2].rule)):
        reason = accepted.get((item.rule, part.file, part.line))
        places.setdefault((item.verdict, item.rule, item.name, reason), {})[where] = None
    rows: dict[tuple[str, str | None, tuple[str, ...]], list[Html]] = {}
    for (kind, rule, name, reason), spots in places.items():
        told = join([tag("b", rule_link(rule, linked)), f" {name}"])
        rows.setdefault((kind, reason, tuple(spots)), []).append(told)
    items = []
    for (kind, reason, same), rules in rows.items():
        said = () if reason is None else (" ", tag("em", f"accepted: {reason}" if reason else "accepted"))
        items.append(tag("li", badge(kind), " ", join(rules, ", "), f": {'; '.join(same)}", *said))
    if items:
        yield tag("ul", *items, class_="breaks")


def _picture(chain: Chain, name: str) -> Html:
    edges = _edges(chain)
    boxes, width, height = _placed(chain, edges)
    drawn: list[str] = [_description(chain, name)]
    orders = [edge for edge in edges if edge.kind == "order"]
    for edge in edges:
        if edge.kind != "order":
            drawn.extend(_drawn(edge, boxes))
    for number, edge in enumerate(orders):
        drawn.extend(_around(edge, boxes, number))
    drawn.extend(_box(box) for box in boxes)
    label = f"{name}-title {name}-text"
    return tag("svg", *drawn, viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
               aria_labelledby=label, class_="picture")  # fmt: skip


def _description(chain: Chain, name: str) -> Html:
    """What the picture shows, in words, for those who do not see it."""
    title = tag("title", "Delivery chain of ", *_title(chain), id=f"{name}-title")
    told = []
    for edge in chain.connections:
        source, target = chain.parts[edge.source], chain.parts[edge.target]
        ids = ", ".join(item.rule for item in edge.rulings if item.verdict in OPEN)
        state = f" ({worst(edge.rulings)}: {ids})" if ids else ""
        told.append(f"{source.name} {CONNECTION_NAMES[edge.kind]} {_named(target)}{state}.")
    return join([title, tag("desc", " ".join(told), id=f"{name}-text")])


def _edges(chain: Chain) -> list[_Edge]:
    found: dict[tuple[int, str], _Edge] = {}
    for item in chain.connections:
        key = (item.target, item.kind)
        known = found.get(key, _Edge((), item.target, item.kind, True, ()))
        rulings = tuple(dict.fromkeys((*known.rulings, *item.rulings)))
        found[key] = known._replace(
            sources=(*known.sources, item.source), always=known.always and item.always, rulings=rulings
        )
    return list(found.values())


def _placed(chain: Chain, edges: list[_Edge]) -> tuple[list[_Box], int, int]:
    """Put every part in its column, the ones below the others, and tell the size of the whole."""
    orders = sum(edge.kind == "order" for edge in edges)
    top = 8 + orders * (_ROW + _LINE)
    texts = [tuple(_text(part)) for part in chain.parts]
    feeds = {edge.target: edge.sources[0] for edge in edges if edge.kind != "order"}
    columns = [0]
    for index in range(1, len(chain.parts)):  # what feeds a part comes before it
        columns.append(1 + columns[feeds.get(index, 0)])
    step = _WIDTH + _GAP
    boxes = [_Box(part, lines, 2 + column * step, top)
             for part, lines, column in zip(chain.parts, texts, columns, strict=True)]  # fmt: skip
    bottom = dict.fromkeys(columns, top)
    for index in sorted(range(len(boxes)), key=lambda index: boxes[index].part.kind == "role"):  # roles below policies
        y = bottom[columns[index]]
        if boxes[index].part.kind == "role":  # beside what it is for
            y = max(y, boxes[feeds.get(index, 0)].y)
        boxes[index] = boxes[index]._replace(y=y)
        bottom[columns[index]] = y + boxes[index].height + _ROW
    width = max(box.x for box in boxes) + _WIDTH + 2 + (_RUN if orders else 0)
    return boxes, width, max(box.y + box.height for box in boxes) + 4


def _text(part: Part) -> Iterator[tuple[str, str]]:
    """The lines in a box: what it is, its name, its place, and the rules that it breaks."""
    yield "kind", PART_NAMES[part.kind]
    yield "name", _cut(part.name if part.file else "not in these templates")
    yield "place", _cut(f"{part.file}:{part.line}" if part.file else part.name, from_end=bool(part.file))
    for verdict, line in _said(part.rulings, _WORDS):
        yield f"said {verdict}", line


def _said(rulings: Iterable[Ruling], room: int) -> Iterator[tuple[str, str]]:
    """The broken rules by their verdict, in lines that fit."""
    given = tuple(rulings)
    for verdict in OPEN:
        line = f"{SIGNS[verdict]} {verdict}"
        names = list(dict.fromkeys(item.rule for item in given if item.verdict == verdict))
        for number, name in enumerate(names, 1):
            word = name if number == len(names) else f"{name},"
            if len(line) + len(word) + 1 > room:
                yield verdict, line
                line = word
            else:
                line = f"{line} {word}"
        if names:
            yield verdict, line


def _cut(value: str, from_end: bool = False) -> str:
    """A text that fits into a box, as it is shown."""
    shown = visible(value)
    if cells(shown) <= _LETTERS:
        return shown
    while cells(shown) >= _LETTERS:
        shown = shown[1:] if from_end else shown[:-1]
    return f"…{shown}" if from_end else f"{shown}…"


def _box(box: _Box) -> Html:
    verdict = worst(box.part.rulings)
    kind = f"box {verdict}" if box.part.file else f"box {verdict} elsewhere"
    told = f"{box.part.name}, {box.part.file}:{box.part.line}" if box.part.file else box.part.name
    title = [tag("title", told)] if any("…" in line for _, line in box.lines) else []  # what is cut shows on hovering
    lines = [tag("text", line, x=box.x + _PAD, y=box.y + _PAD + 12 + number * _LINE, class_=class_)
             for number, (class_, line) in enumerate(box.lines)]  # fmt: skip
    frame = tag("rect", x=box.x, y=box.y, width=_WIDTH, height=box.height, rx=6)
    corner = [_sign(box.x + _WIDTH - 16, box.y + 16, verdict)] if verdict in OPEN else []
    return tag("g", *title, frame, *lines, *corner, class_=kind)


def _drawn(edge: _Edge, boxes: list[_Box]) -> Iterator[Html]:
    """A connection from the right of its sources to the left of its target, with its words before the target."""
    target = boxes[edge.target]
    bus = max(boxes[source].x for source in edge.sources) + _WIDTH + _RUN
    ways = []
    for index in edge.sources:
        source = boxes[index]
        level = _level(source, target)
        ways.append(f"M{source.x + _WIDTH} {level}H{bus}V{_entry(source, target)}H{target.x - 2}")
    yield _line("".join(ways), worst(edge.rulings))
    yield from _words(edge, bus + 22, _entry(boxes[edge.sources[0]], target))


def _level(source: _Box, target: _Box) -> int:
    """Where a connection leaves a box: straight on where it can."""
    return _entry(source, target) if source.y == target.y else source.y + min(source.height, 64) // 2


def _entry(source: _Box, target: _Box) -> int:
    return target.y + min(target.height, source.height if source.y == target.y else 64, 64) // 2


def _around(edge: _Edge, boxes: list[_Box], number: int) -> Iterator[Html]:
    """A connection above everything, to the right side of its target."""
    source, target = boxes[edge.sources[0]], boxes[edge.target]
    y = 8 + _LINE + number * (_ROW + _LINE)
    x = source.x + min(30 + number * 14, _WIDTH - 10)
    end = target.x + _WIDTH + max(_RUN - 6 - 4 * number, 10)
    way = f"M{x} {source.y}V{y}H{end}V{target.y + min(target.height, 64) // 2}H{target.x + _WIDTH + 2}"
    yield _line(way, worst(edge.rulings))
    yield from _words(edge, source.x + _WIDTH + _RUN + 22, y, wide=True)


def _line(way: str, verdict: str) -> Html:
    return tag("path", d=way, class_=f"line {verdict}", marker_end=f"url(#end-{verdict})")


def _words(edge: _Edge, x: int, y: int, wide: bool = False) -> Iterator[Html]:
    """What a connection is, above its line, and the rules that break it, below."""
    verdict = worst(edge.rulings)
    lines = [CONNECTION_NAMES[edge.kind], *(() if edge.always else ("in some deployments",))]
    lines = [", ".join(lines)] if wide else lines
    for number, line in enumerate(reversed(lines)):
        yield tag("text", line, x=x, y=y - 6 - number * (_LINE - 2), class_="label")
    if verdict in OPEN:
        yield _sign(x - 10, y, verdict)
    for number, (kind, line) in enumerate(_said(edge.rulings, 60 if wide else 18)):
        yield tag("text", line, x=x, y=y + 14 + number * (_LINE - 2), class_=f"said {kind}")


def _sign(x: int, y: int, verdict: str) -> Html:
    """A disc with the sign of a verdict."""
    sign = tag("text", SIGNS[verdict], x=x, y=y + 4, text_anchor="middle")
    return tag("g", tag("circle", cx=x, cy=y, r=8), sign, class_=f"disc {verdict}", aria_hidden="true")


def markers() -> Html:
    """The heads of arrows that all pictures use; a hidden picture of its own."""
    heads = [
        tag("marker", tag("path", d="M0 0L8 4L0 8z", class_=f"head {verdict}"), id=f"end-{verdict}", viewBox="0 0 8 8",
            refX=7, refY=4, markerWidth=8, markerHeight=8, markerUnits="userSpaceOnUse", orient="auto")
        for verdict in VERDICTS
    ]  # fmt: skip
    return tag("svg", tag("defs", *heads), width=0, height=0, class_="defs", aria_hidden="true", focusable="false")
