"""The comments of a document. What looks like one inside a text, such as a block scalar or a quoted string, is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import yaml
from yaml.events import ScalarEvent, StreamEndEvent

from trailguard.cloudformation.source.nodes import Places
from trailguard.cloudformation.source.yamlsource import new_parser, stand_ins_for
from trailguard.cloudformation.source.yamltext import YamlText

_START = re.compile(r"(?:^|(?<=[ \t\r\n]))#[^\r\n]*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


class Comment(NamedTuple):
    """A comment: its line from 1, its text with the `#`, and whether nothing else stands on its line."""

    line: int
    text: str
    alone: bool


def comments(text: str) -> list[Comment]:
    """The comments of a document of YAML, in its order; none where it is not YAML, as JSON knows none.

    Source: https://yaml.org/spec/1.1/#id864687
    """
    if "#" not in text:
        return []
    try:
        spans = list(_spans(text))
    except (yaml.YAMLError, ValueError, OverflowError):
        return []
    places = Places(text)
    found = []
    position = 0
    for start, end in (*spans, (len(text), len(text))):
        for match in _START.finditer(text, position, start):
            line, column = places.at(match.start())
            alone = not text[match.start() - column + 1 : match.start()].strip()
            found.append(Comment(line, match[0], alone))
        position = max(position, end)
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the scalars of a document begin and end, as indexes; the header of a block scalar is not part of it."""
    source = YamlText(text)
    for char, stand_in in stand_ins_for(text).items():
        text = text.replace(char, stand_in)
    parser = new_parser(text)
    while not isinstance(event := parser.get_event(), StreamEndEvent):
        if not isinstance(event, ScalarEvent):
            continue
        marked = cast(Any, event)  # typeshed: its marks may be None
        start, end = marked.start_mark.index, marked.end_mark.index
        if event.tag or event.anchor:
            start = source.properties(event)[2]
        if event.style in ("|", ">"):
            start, end = _block(text, start, end)
        yield start, end


def _block(text: str, start: int, end: int) -> tuple[int, int]:
    """The text of a block scalar: what follows the line that opens it."""
    header = _BLOCK_HEADER.match(text, start)
    line_break = re.compile(r"[\r\n]").search(text, start if header is None else header.end(), end)
    return (end, end) if line_break is None else (line_break.start(), end)
