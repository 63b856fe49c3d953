"""What the bytes of a template say of other templates, as far as that can be told without parsing them.

Most templates have nothing to do with anything to judge, and parsing is the dearest part of a scan. So the places that
refer to others are looked at as they are written. Only spellings that mean the same whatever is around them are read: a
text in quotes or on a line of its own, in `Fn::Sub` or not. Whatever is written in another way is `None` here, "cannot
be told", and the template has to be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from trailguard.cloudformation.scenarios.values import OPAQUE, Pieces, Symbol, join_pieces
from trailguard.cloudformation.source.reading import UTF16
from trailguard.cloudformation.source.tags import LOOP
from trailguard.cloudformation.world.exports import words
from trailguard.reading.discovery import may_hold

# A text: in quotes, or plain and to the end of its line.
_PLAIN = rb"""(?=[\w./$-])(?:[^\s"'\#,:\[\]{}$\\]|[ \t]|:(?!\s)|\$\{[^{}\n]*\}|\$(?!\{))*(?=\n|\Z)"""
_TEXT = rb"""(?:"([^"\\\n]*)"|'([^'\n]*)'(?!')|(""" + _PLAIN + rb"))"
# The next line, blank ones and comments passed over, and what cannot be the rest of a text.
_NEXT = re.compile(rb"(?:[ \t]*(?:\#[^\n]*)?\n)*([ \t]*)([^\n]*)")
_NO_REST = re.compile(rb"""[}\]]|["']?[\w.:/-]+["']?\s*:(?:\s|\Z)|\Z""")
_SUB = rb"""(!Sub\s+|(?:\{\s*)?["']?Fn::Sub["']?\s*:\s*)?"""
_IS = rb"""["']?\s*:\s*"""
# `Fn::Join` in one pair of brackets, of texts and references.
_REF = rb"""(?:!Ref\s+|\{\s*["']?Ref["']?\s*:\s*)["']?([\w:]+)["']?(?:\s*\})?"""
_ITEM = re.compile(rb"""\s*(?:""" + _REF + rb"""|"([^"\\\n]*)"|'([^'\n]*)'|([\w./-][\w.:/-]*))\s*(?:,|\Z)""")
_JOIN = rb"""(?:!Join\s+|(?:\{\s*)?["']?Fn::Join["']?\s*:\s*)\[\s*["']([^"'\n\\]*)["']\s*,\s*\[([^\[\]]*)\]\s*\]"""

_WHOLE_REF = rb"""(?:!Ref\s+|(?:\{\s*)?["']?Ref["']?\s*:\s*)["']?([\w:]+)["']?(?=[ \t]*(?:[},\]\n]|\Z))"""
_NAME = rb"(?:" + _WHOLE_REF + rb"|" + _JOIN + rb"|" + _SUB + _TEXT + rb")"
_EXPORT = re.compile(rb"\bExport" + _IS + rb"""(?:\#[^\n]*\n\s*)*(?:\{\s*)?["']?Name""" + _IS + _NAME)
_IMPORT = re.compile(rb"ImportValue(?:" + _IS + rb"|\s+)" + _NAME)
_TEMPLATE = re.compile(
    rb"(?:TemplateURL|aws:asset:path|Location)"
    + _IS
    + rb"(?:"
    + _WHOLE_REF
    + rb"|"
    + _JOIN
    + rb"|"
    + _SUB
    + rb"(?:-\s+|\[\s*)?"
    + _TEXT
    + rb")"
)
_REGISTERED = re.compile(rb"Location" + _IS + rb"""(?:\{\s*)?["']?ApplicationId["']?\s*:""")  # lies in a repository
# Where such a text is to be read: at keys, or behind a short tag.
_EXPORTS, _IMPORTS = re.compile(rb"\bExport" + _IS), re.compile(rb"ImportValue")
_TEMPLATES = re.compile(rb"(?:\bTemplateURL|aws:asset:path)" + _IS)
_LOCATIONS = re.compile(rb"(?:\bTemplateURL|aws:asset:path|\bLocation)" + _IS)
APPLICATION = b"AWS::Serverless::Application"

# Keys that are written somewhere else, or split: `? key`, `*alias :`.
_SPLIT_KEY = re.compile(rb"^[ \t]*\?[ \t\r\n]", re.MULTILINE)
_ALIAS_KEY = re.compile(rb"\*[\w-]+[ \t]+:")
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
# What stands behind the name of a parameter where it is declared; nothing else has such a type.
_TYPE = rb"(?:String|Number|CommaDelimitedList|List<|AWS::SSM::Parameter::|AWS::EC2::[A-Za-z]+::(?:Id|KeyName|Name)\b)"
_SAYS = rb"""["']?(?:[A-Z][A-Za-z]+)["']?[ \t]*:[^\n]*\n\s*"""
_DECLARED = re.compile(_IS + rb"""(?:\{\s*)?(?:""" + _SAYS + rb"""){0,8}["']?Type""" + _IS + rb"""["']?""" + _TYPE)
_PARTS = re.compile(rb"Join|[A-Za-z0-9]\$\{|\}[A-Za-z0-9$]")  # what puts words together
_BEFORE = (b"", b" ", b"\t", b"\n", b'"', b"'", b"{", b",")
_BRACKET = re.compile(rb"""[\[\]{}]|"[^"\\]*"|'[^']*'""")
_OPENING = re.compile(rb"\s*[\[{]")
_OFTEN = 10  # that is how many times a text is looked at for values within values
_ALIAS = re.compile(rb"[\s\[{,:-]\*[\w-]")


class Names(NamedTuple):
    """The names that a template imports or exports, each placeholder in them an opaque symbol.

    `is_filled` tells that there are placeholders, `is_open` that one of them may be something other than a parameter,
    whose value may stand elsewhere in the template. `has_bare` tells that a name consists of parameters alone: then the
    defaults of these count.
    """

    shapes: tuple[Pieces, ...]
    is_open: bool
    is_filled: bool
    has_bare: bool


class Place(NamedTuple):
    """Where a nested template lies: a path seen from the template that names it, else how its URL ends.

    `name` is how the name at the end of it ends, all of it when the `ending` holds a slash. `is_sure` tells that this
    is all that is known of the URL before the deployment.
    """

    path: str
    name: str = ""
    ending: str = ""
    is_sure: bool = False


def exported(data: bytes) -> Names | None:
    """The names under which a template exports; None when they cannot be told."""
    return _names(data, _EXPORTS, _EXPORT)


def imported(data: bytes) -> Names | None:
    """The names of what a template imports; None when they cannot be told."""
    return _names(data, _IMPORTS, _IMPORT)


def handed_on(data: bytes, properties: Iterable[str]) -> Names | None:
    """The names of what a template imports in some properties; None when they cannot be told."""
    data = _with_plain_ends(data)
    spans = _spans(data, properties)
    return None if spans is None else _names(data, _IMPORTS, _IMPORT, spans)


def values(data: bytes, key: str) -> list[bytes] | None:
    """What stands at a key, as it is written; None when that cannot be told."""
    if not _is_legible(data):
        return None
    data = _with_plain_ends(data)
    spans = _spans(data, (key,))
    return None if spans is None else [data[start:end] for start, end in spans]


def parted(data: bytes, key: str, holder: str) -> tuple[list[bytes], list[bytes]] | None:
    """What stands at a key in the values of another one, and elsewhere; None when that cannot be told."""
    if not _is_legible(data):
        return None
    data = _with_plain_ends(data)
    spans, around = _spans(data, (key,)), _spans(data, (holder,))
    if spans is None or around is None:
        return None
    inside = [span for span in spans if any(start <= span[0] < end for start, end in around)]
    outside = set(spans).difference(inside)
    return [data[slice(*span)] for span in inside], [data[slice(*span)] for span in spans if span in outside]


def _spans(data: bytes, properties: Iterable[str]) -> list[tuple[int, int]] | None:
    """Where the values of some keys stand; None when that cannot be told."""
    names = "|".join(sorted(properties))
    spans: list[tuple[int, int]] = []
    left = _OFTEN * len(data)
    for site in re.finditer(rf"\b(?:{names})[\"']?\s*:".encode(), data):
        span = _value(data, site)
        left -= span[1] - span[0] if span is not None else 0
        if span is None or left < 0:
            return None
        spans.append(span)
    return spans


def _value(data: bytes, key: re.Match[bytes]) -> tuple[int, int] | None:
    """Where the value of a key begins and ends at most; None when that cannot be told."""
    start, line = key.end(), data.rfind(b"\n", 0, key.start()) + 1
    opening = _OPENING.match(data, start)
    if opening is not None:
        end = _closing(data, opening.end() - 1)
    elif data[line : key.start()].strip(b" \t-\"'"):
        end = data.find(b"\n", start) % (len(data) + 1)
    else:
        end = _dedent(data, start, key.start() - line - data[line : key.start()].count(b'"'))
    value = data[start:end]
    return (start, end) if end and _is_closed(value) and not _ALIAS.search(value) else None


def _closing(data: bytes, place: int) -> int:
    """The place behind the bracket that closes the one at a place; 0 when there is none."""
    depth = 0
    for found in _BRACKET.finditer(data, place):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return 0


def _dedent(data: bytes, start: int, column: int) -> int:
    """Where what is written below a key in some column ends."""
    end = data.find(b"\n", start) % (len(data) + 1)
    while end < len(data):
        following = _NEXT.match(data, end + 1)
        if following is None or not following[2]:
            break
        depth = len(following[1])
        if depth < column or (depth == column and not following[2].startswith(b"-")):
            break
        end = following.end()
    return end


def _is_closed(text: bytes) -> bool:
    """Tell whether brackets and quotes that open in a text close in it."""
    pairs = ((b"[", b"]"), (b"{", b"}"))
    return all(text.count(one) <= text.count(other) for one, other in pairs) and all(
        text.count(quote) % 2 == 0 for quote in (b'"', b"'")
    )


def says_whole(data: bytes) -> bool:
    """Tell whether every word of a name stands in a template as it is, unless somebody hands it in."""
    return _PARTS.search(data) is None and _is_legible(data)


def nested(data: bytes) -> list[Place] | None:
    """Where the templates lie that a template makes stacks of; None when that cannot be told."""
    sites = _LOCATIONS if APPLICATION in data else _TEMPLATES
    texts = _texts(data, sites, _TEMPLATE)
    places = [_place(data, *text) for text in texts] if texts is not None else [None]
    return None if None in places else [place for place in places if place is not None]


def _names(
    data: bytes, sites: re.Pattern[bytes], form: re.Pattern[bytes], spans: Sequence[tuple[int, int]] | None = None
) -> Names | None:
    texts = _texts(data, sites, form, spans)
    if texts is None:
        return None
    shapes = {_shape(text, is_sub): None for text, is_sub in texts}
    filled = {piece.name for shape in shapes for piece in shape if isinstance(piece, Symbol)}
    bare = [shape for shape in shapes if not any(words(shape)) and any(isinstance(piece, Symbol) for piece in shape)]
    # Two of them side by side may make a word of their own.
    is_open = any(len(shape) > 1 for shape in bare) or any(not _is_parameter(data, name.encode()) for name in filled)
    return Names(tuple(shapes), is_open, bool(filled), bool(bare))


def _shape(text: bytes, is_sub: bool) -> Pieces:
    shown = text.decode("utf-8", "replace")
    parts = _PLACEHOLDER.split(shown) if is_sub else [shown]  # texts and names in turn
    return join_pieces(Symbol(OPAQUE, part) if number % 2 else part for number, part in enumerate(parts))


def _is_parameter(data: bytes, name: bytes) -> bool:
    """Tell whether a name is surely that of a parameter, or of a pseudo parameter."""
    if name.startswith(b"AWS::"):
        return True
    place = data.find(name)
    while place >= 0:
        end = place + len(name)
        if data[place - 1 : place] in _BEFORE and _DECLARED.match(data, end):
            return True
        place = data.find(name, end)
    return False


def _texts(
    data: bytes, sites: re.Pattern[bytes], form: re.Pattern[bytes], spans: Sequence[tuple[int, int]] | None = None
) -> list[tuple[bytes, bool]] | None:
    """The texts at some places, each with whether `Fn::Sub` is around it; None when one of them is no plain text.

    With `spans`, only places in those parts of the text count.
    """
    if not _is_legible(data):
        return None
    data = _with_plain_ends(data)
    found: list[tuple[bytes, bool]] = []
    parts = [(0, len(data))] if spans is None else spans
    for site in chain.from_iterable(sites.finditer(data, *span) for span in parts):
        told = form.match(data, site.start())
        is_whole = told is not None and not (told.lastindex == len(told.groups()) and _goes_on(data, told.end()))
        text = _text(told) if told is not None and is_whole else None
        if text is not None:
            found.append(text)
        elif not _REGISTERED.match(data, site.start()):
            return None
    return found


def _is_legible(data: bytes) -> bool:
    """Tell whether keys and words stand in a text as they are meant."""
    has_odd_key = _ALIAS_KEY.search(data) or (b"?" in data and _SPLIT_KEY.search(data))
    return not (has_odd_key or data[:2] in UTF16 or b"\0" in data or LOOP.encode() in data or may_hold(data, ()))


def _with_plain_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _goes_on(data: bytes, end: int) -> bool:
    """Tell whether the line behind one that ends somewhere may be the rest of a plain text on it."""
    following = _NEXT.match(data, end + 1)
    if following is None or _NO_REST.match(following[2]):
        return False
    line = data[data.rfind(b"\n", 0, end) + 1 : end]
    indent, next_indent = len(line) - len(line.lstrip()), len(following[1])
    is_item = following[2].startswith(b"- ")
    return not (is_item and next_indent <= indent and (next_indent < indent or line.lstrip().startswith(b"- ")))


def _text(told: re.Match[bytes]) -> tuple[bytes, bool] | None:
    """A text as `Fn::Sub` takes it, and whether it has to be read so."""
    reference, delimiter, items, sub, *texts = told.groups()
    if reference is not None:
        return b"${" + reference + b"}", True
    if items is not None:
        return _joined(delimiter, items)
    return next(text for text in texts if text is not None).strip(), sub is not None


def _joined(delimiter: bytes, items: bytes) -> tuple[bytes, bool] | None:
    """What `Fn::Join` puts together."""
    parts: list[bytes] = []
    place = 0
    while place < len(items):
        item = _ITEM.match(items, place)
        if item is None:
            return None
        name, *texts = item.groups()
        parts.append(b"${" + name + b"}" if name is not None else next(text for text in texts if text is not None))
        place = item.end()
    if b"${" in delimiter or any(b"$" in part for part in parts if not part.startswith(b"${")):
        return None
    return delimiter.join(parts), True


def _place(data: bytes, text: bytes, is_sub: bool) -> Place | None:
    """The place that a text names; None when it cannot be told."""
    shown = text.decode("utf-8", "replace")
    if not is_sub and "://" not in shown.removeprefix("file://"):
        return Place(shown.removeprefix("file://"))
    ending = shown.rpartition("}")[2].partition("?")[0]
    name = ending.rpartition("/")[2]
    if not name or "?" in shown[: -len(ending)]:
        return None
    names = _PLACEHOLDER.findall(shown) if is_sub else []
    return Place("", name, ending, all(_is_parameter(data, each.encode()) for each in names))
