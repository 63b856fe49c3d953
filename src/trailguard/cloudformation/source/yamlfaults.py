"""Says in a template author's words what the YAML parser found wrong, and where to mend it."""

from __future__ import annotations

import re
from typing import Any

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from trailguard.cloudformation.source.nodes import Node, Places, SyntaxFault, shown

_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNDECODABLE = re.compile(r"(?<!\S)[^\s!]*(!\S*%)|\\U(?:[1-9a-fA-F]|0[1-9a-fA-F]|00[2-9a-fA-F]|001[1-9a-fA-F])")
_INDENTATION = "check the indentation"
_TAB = "a tab cannot indent YAML: use spaces"

# What the parser says, what we say, and whether we point to where the thing began rather than to where it went wrong.
_PLAIN_WORDS = (
    ("could not find expected ':'", 'expected ":" after this key', True),
    ("mapping values are not", f'a ":" is not allowed here: quote a text that holds ": ", or {_INDENTATION}', False),
    ("sequence entries are not", f'a "-" item is not allowed here: begin a line with it, and {_INDENTATION}', False),
    ("mapping keys are not", 'a "?" key is not allowed here', False),
    ("unexpected end of stream", "this quote is never closed", True),
    ("unexpected document indicator", "this quote is not closed before the end of the document", True),
    ("found a tab", _TAB, False),
    ("hexdecimal", "this escape lacks hexadecimal digits", False),
    ("escape sequence of", "this escape lacks hexadecimal digits", False),
    ("Unicode character escape", "this escape names no character", False),
    ("comment or line break", "the text of a block starts on the line after its | or >", False),
    ("comment or a line break", "the text of a block starts on the line after its | or >", False),
    ("undefined tag handle", 'unknown tag: quote a text that begins with "!"', True),
    ("<document start>", f"the document has ended before this: {_INDENTATION}", False),
    ("incompatible YAML document", "only YAML 1.1 and 1.2 can be read", False),
)
# What unquoted characters mean in YAML, by what the parser was doing.
_MEANINGS = (
    ("alias", 'an unquoted "*" begins an alias in YAML: write "*" in quotes'),
    ("anchor", 'an unquoted "&" begins an anchor in YAML: quote the text'),
    ("directive", 'a "%" at the start of a line begins a directive in YAML: quote the text'),
    ("tag", 'not a tag: a tag ends with a blank; quote a text that begins with "!"'),
)
_KINDS = (("mapping", "map"), ("sequence", "list"), ("collection", "list"))


def explain(error: Exception, text: str, innermost: Node) -> SyntaxFault:
    """Turn what PyYAML raised into a fault with a place; `innermost` is the container that was open."""
    places = Places(text)
    if isinstance(error, MarkedYAMLError):
        return _Fault(error, text, places, innermost).explain()
    if isinstance(error, ReaderError):
        found = _FORBIDDEN.search(text)
        index = found.start() if found else 0
        hint = "; is it UTF-16 without a byte order mark?" if "\0" in text[:2] else ""
        return SyntaxFault(f"the character U+{ord(text[index]):04X} is not allowed{hint}", *places.at(index))
    found = _UNDECODABLE.search(text)
    return SyntaxFault(
        "an escape here names no character", *places.at(max(found.start(), found.start(1)) if found else 0)
    )


class _Fault:
    """What PyYAML complained about: its words, and the indices that it pointed to."""

    def __init__(self, error: Any, text: str, places: Places, innermost: Node) -> None:
        self.context: str = error.context or ""
        self.problem: str = error.problem or "not valid YAML"
        mark = error.problem_mark or error.context_mark
        self.index: int = mark.index if mark else 0
        self.opening: int = error.context_mark.index if error.context_mark else self.index
        self.text = text
        self.places = places
        self.innermost = innermost

    def explain(self) -> SyntaxFault:
        word_before = self._line_before().replace("\t", " ").rstrip(" ").rpartition(" ")[2].lstrip("[{,")
        if self.text.startswith("!", self.index) and word_before.startswith("!"):
            return self._at(self.index, "a short tag cannot follow another: write one of them in full, as a key")
        for words, message, at_opening in _PLAIN_WORDS:
            if words in self.problem:
                return self._at(self.opening if at_opening else self.index, message)
        return self._token() or self._structure() or self._at(self.index, self.problem.rstrip(".") + self._inside())

    def _token(self) -> SyntaxFault | None:
        """Characters that mean something else than the author thought."""
        char = self.text[self.index : self.index + 1]
        if "cannot start any token" in self.problem:
            if char == "\t":
                return self._at(self.index, _TAB)
            if char == "%" and self.text[self.index - 1 : self.index] in ("{", "<"):
                return self._at(self.index - 1, "this is a text template, not YAML: render it first")
            return self._at(self.index, f'a text cannot begin with "{char}": quote it')
        if "unknown escape" in self.problem:
            escape = self.text[self.index : self.index + 2] if char == "\\" else "\\" + char
            return self._at(self.index, f"unknown escape {escape}: use single quotes, or write \\\\ for a backslash")
        for context, message in _MEANINGS:
            if context in self.context:
                return self._at(self.opening, message)
        return None

    def _structure(self) -> SyntaxFault | None:
        """Something else was expected here than what stands here."""
        at_end = not self.text[self.index :].strip()
        bracket = re.search("expected ',' or '(.)'", self.problem)
        if bracket is not None:
            if at_end:
                return self._unclosed(self.opening)
            return self._at(self.index, f'expected "," or "{bracket[1]}"{self._inside()}{self._hint()}')
        if "node content" in self.problem:
            if at_end:
                return self._unclosed(self.places.index(self.innermost.line, self.innermost.column))
            return self._at(self.index, "expected a value")
        if "block mapping" in self.context:
            return self._at(self.index, self._misplaced("a key"))
        if "block collection" in self.context or "block sequence" in self.context:
            return self._at(self.index, self._misplaced('a "-" item'))
        return None

    def _misplaced(self, expected: str) -> str:
        before = self._line_before().rstrip(" \t")[-1:]
        if before in ("'", '"', "]", "}"):
            return f"text after the closing {before}: quote the whole value"
        found = re.compile(r"\S+").match(self.text, self.index)
        instead = f", not {shown(found[0])}" if found else ""
        return f"expected {expected}{instead}{self._inside()}: {_INDENTATION}"

    def _line_before(self) -> str:
        start = max(self.text.rfind("\n", 0, self.index), self.text.rfind("\r", 0, self.index)) + 1
        return self.text[start : self.index]

    def _inside(self) -> str:
        """Name the container that went wrong, when it starts on another line."""
        line, _ = self.places.at(self.opening)
        if line == self.places.at(self.index)[0]:
            return ""
        kind = next((ours for theirs, ours in _KINDS if theirs in self.context), "text")
        return f" in the {kind} that starts on line {line}"

    def _unclosed(self, index: int) -> SyntaxFault:
        return self._at(index, f'this "{self.text[index : index + 1]}" is never closed')

    def _hint(self) -> str:
        """Tell what to do about a bracket in the midst of an unquoted text, such as that of ${AWS::Region}."""
        if self.text[self.index] in "[{" and not self.text[self.index - 1].isspace():
            return ': quote a text that holds brackets when it stands in a "[...]" or "{...}"'
        return ""

    def _at(self, index: int, message: str) -> SyntaxFault:
        return SyntaxFault(message, *self.places.at(index))
