"""Reads the text of a template, YAML or JSON, into nodes that know where they were written.

Bytes become text, text becomes nodes, and whatever cannot be read is a `SourceError` with its place. Short tags such as
`!Sub` become the maps that they stand for, aliases the nodes that they name. Nothing here knows what a template is.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import codecs
import re

from trailguard.cloudformation.source.nodes import (
    Document,
    Node,
    Places,
    SourceError,
    SyntaxFault,
)

UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LIKE_JSON = re.compile(r'[\s\[{]*["\]}]')  # quoted keys, or nothing at all


def parse(data: bytes) -> Document:
    """Read one document.

    Takes the bytes of a file in UTF-8, or in UTF-16 with a byte order mark. Gives its root node, its text (line ends as
    written, no byte order mark) and the problems that leave the rest readable, in the order of the text.
    Raises SourceError for a document that cannot be read as a whole.
    """
    # Late: a folder without templates needs no PyYAML.
    from trailguard.cloudformation.source.yamlsource import read_yaml

    text = _decode(data)
    try:
        root, problems = read_yaml(text)
    except SyntaxFault as fault:
        return Document(_read_json(text, fault), text, ())
    return Document(root, text, tuple(problems))


def _read_json(text: str, fault: SyntaxFault) -> Node:
    """Read what YAML refuses and JSON allows: surrogate pairs, control characters, very long keys, tabs."""
    if not text.lstrip().startswith(("{", "[")):
        raise SourceError(fault.message, fault.line, fault.column) from None
    from trailguard.cloudformation.source.jsonsource import read_json

    try:
        return read_json(text)
    except SourceError:
        if _LIKE_JSON.match(text):
            raise
    raise SourceError(fault.message, fault.line, fault.column) from None


def _decode(data: bytes) -> str:
    encoding = UTF16.get(data[:2], "utf-8")
    try:
        return data.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding).lstrip("\ufeff")
        place = Places(before).at(len(before))
        if encoding == "utf-8":
            raise SourceError(f"not valid UTF-8: byte 0x{data[error.start]:02x}", *place) from None
        raise SourceError(f"not valid UTF-16: {error.reason}", *place) from None
