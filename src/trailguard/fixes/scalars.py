"""Writes texts of YAML and JSON: without quotes where YAML 1.1 reads them as they are, else with quotes or escapes."""

from __future__ import annotations

import re

# What is plain by its letters; `_Doubtful` and the resolver's words are left out after it.
_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=<~\x00-\x20](?:[^\x00-\x1f]*[^\x00-\x20])?")
_BREAKS_PLAIN = re.compile(r":(?= |$)|(?<= )#")
_BREAKS_FLOW = re.compile(r"[,\[\]{}]|:$")
_LIKE_NUMBER = re.compile(r"[-+.0-9][0-9A-Fa-fxXoO_.:eE+\-TtZz ,]*|[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_WORDS = re.compile(r"(?i:y|n|yes|no|true|false|on|off|null)")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPED = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]')


def is_plain(text: str, in_flow: bool) -> bool:
    """Whether a text needs no quotes: every reader of YAML 1.1 takes it for this very text."""
    if not _PLAIN.fullmatch(text) or _BREAKS_PLAIN.search(text) or _UNPRINTABLE.search(text):
        return False
    if in_flow and _BREAKS_FLOW.search(text):
        return False
    return not _LIKE_NUMBER.fullmatch(text) and not _WORDS.fullmatch(text)


def quoted(text: str, quote: str) -> str:
    """A text in quotes: in the given ones where they can hold it, else in double ones."""
    if quote == "'" and not _UNPRINTABLE.search(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + escaped(text) + '"'


def escaped(text: str) -> str:
    """A text as it stands in double quotes, in JSON and in YAML."""
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", text)


def text(value: str, quote: str, prefers_quotes: bool, in_flow: bool) -> str:
    """A text in one line, in the quotes of its neighbours where these have some or where it needs some."""
    if not prefers_quotes and is_plain(value, in_flow):
        return value
    if not quote:
        quote = '"'
    if quote == '"' and "\\" in value and not prefers_quotes and not _UNPRINTABLE.search(value):
        quote = "'"  # a backslash, as in a regular expression, is easier to read so
    return quoted(value, quote)


def is_unprintable(value: str) -> bool:
    """Whether a text holds what YAML lets stand in double quotes only."""
    return _UNPRINTABLE.search(value) is not None


def ends_in_flow(written: str) -> bool:
    """Whether a text without quotes means something else in flow style."""
    return _BREAKS_FLOW.search(written) is not None
