"""Reads configuration and parameter files (YAML, JSON, TOML) into plain data that remembers where each value stands."""

from __future__ import annotations

import os
import re
import sys

from trailguard.errors import ConfigError, display_name
from trailguard.inputs import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trailguard.cloudformation.source.nodes import Node

Path = tuple[object, ...]
KEY = None  # the last part of a path that means the key itself, not its value


class Source:
    """A file's data, the place of each value by its path, and how each plain value is written."""

    def __init__(self, path: str, data: Any, places: Mapping[Path, tuple[int, int]], texts: Mapping[Path, str]) -> None:
        self.path = path
        self.name = display_name(path)
        self.data = data
        self._places = places
        self._texts = texts

    @property
    def places(self) -> Mapping[Path, tuple[int, int]]:
        """Where each value stands, by its path."""
        return self._places

    def place(self, path: Path) -> tuple[int, int]:
        """Find the line and column of a value, or of the nearest thing around it."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, (1, 1))

    def key_place(self, path: Path) -> tuple[int, int]:
        """Find the line and column of a key, by the path of its value."""
        return self._places.get((*path, KEY)) or self.place(path)

    def written(self, path: Path) -> str:
        """Give a plain value as it is written in the file."""
        return self._texts.get(path, "")


def read(path: str, streams: bool = False) -> Source:
    """Read a file by its extension: TOML, else YAML, which JSON is a part of; raises ConfigError.

    With `streams`, it may be a pipe.
    """
    data = _bytes(path, streams)
    if not path.endswith(".toml"):
        return _yaml(path, data)
    if os.path.basename(path) != "pyproject.toml":
        return _toml(path, data, ())
    found = _toml(path, data, ("tool", "trailguard"))
    if found.data is None:
        raise ConfigError(found.name, 1, 1, "there is no [tool.trailguard] table")
    return found


def read_text(path: str, data: bytes) -> Source:
    """Read YAML that stands in no file, under a name as if it did; raises ConfigError."""
    return _yaml(path, data)


def read_values(path: str, streams: bool = False) -> Source:
    """Read a parameter file: as `read` does, or lines of KEY=VALUE; raises ConfigError.

    With `streams`, it may be a pipe.
    """
    data = _bytes(path, streams)
    if path.endswith(".toml"):
        return _toml(path, data, ())
    first = next((line for line in data.splitlines() if line.strip() and not line.lstrip().startswith(b"#")), b"")
    if re.match(_ASSIGNMENT.encode(), first.removeprefix(b"\xef\xbb\xbf")):
        return _assignments(path, data)
    return _yaml(path, data)


def plain_source(name: str, data: Mapping[str, Any]) -> Source:
    """What a program hands over, as if it were read from a file of some name."""
    texts: dict[Path, str] = {}
    return Source(name, _texts(dict(data), (), texts), {(): (0, 0)}, texts)


def read_project(path: str) -> Source | None:
    """Read [tool.trailguard] of a pyproject.toml; None when it has no such table."""
    found = _toml(path, _bytes(path), ("tool", "trailguard"))
    return None if found.data is None else found


def _bytes(path: str, streams: bool = False) -> bytes:
    try:
        return contents(path, streams)
    except OSError as error:
        raise ConfigError(display_name(path), 0, 0, f"cannot be read: {error.strerror}") from None


def _yaml(path: str, data: bytes) -> Source:
    from trailguard.cloudformation.source.nodes import SourceError, plain
    from trailguard.cloudformation.source.reading import parse

    if all(line.strip() in (b"", b"---") or line.lstrip().startswith(b"#") for line in data.splitlines()):
        return Source(path, None, {}, {})
    try:
        document = parse(data)
    except SourceError as error:
        raise ConfigError(display_name(path), error.line, error.column, error.message) from None
    for problem in getattr(document, "problems", ()):
        raise ConfigError(display_name(path), problem.line, problem.column, problem.message)
    places: dict[Path, tuple[int, int]] = {}
    texts: dict[Path, str] = {}
    _note(document.root, (), places, texts)
    return Source(path, plain(document.root), places, texts)


def _note(node: Node, path: Path, places: dict[Path, tuple[int, int]], texts: dict[Path, str]) -> None:
    """Take note of the place of each value, and of how plain ones are written."""
    from trailguard.cloudformation.source.nodes import ListNode, MapNode, TextNode

    places[path] = (node.line, node.column)
    if isinstance(node, MapNode):
        for name, key in node.keys.items():
            places[(*path, name, KEY)] = (key.line, key.column)
            _note(node.values[name], (*path, name), places, texts)
    elif isinstance(node, ListNode):
        for number, item in enumerate(node.items):
            _note(item, (*path, number), places, texts)
    elif isinstance(node, TextNode):
        texts[path] = node.value


def _toml(path: str, data: bytes, table: tuple[str, ...]) -> Source:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    name = display_name(path)
    try:
        text = data.decode()
        value: Any = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigError(name, 1, 1, "is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        where = re.search(r" \(at line (\d+), column (\d+)\)", str(error))
        lines = text.splitlines() or [""]
        line, column = (int(where[1]), int(where[2])) if where else (len(lines), len(lines[-1]) + 1)
        raise ConfigError(name, line, column, re.sub(r" \(at .*\)$", "", str(error))) from None
    for key in table:
        value = value.get(key) if isinstance(value, dict) else None
    texts: dict[Path, str] = {}
    value = None if value is None else _texts(value, (), texts)
    return Source(path, value, _toml_places(text, table), texts)


def _texts(value: Any, path: Path, texts: dict[Path, str]) -> Any:
    """Collect how plain values are written; dates become text."""
    if isinstance(value, dict):
        return {key: _texts(item, (*path, key), texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item, (*path, number), texts) for number, item in enumerate(value)]
    if not isinstance(value, (str, bool, int, float)):
        value = value.isoformat()
    texts[path] = str(value).lower() if isinstance(value, bool) else str(value)
    return value


_ASSIGNMENT = r"\s*(?:export\s+)?(\w+)=\s*"  # no map and no list in YAML or JSON begins so
_SEVERAL = re.compile(r"\s(?:\w+=|#)")


def _assignments(path: str, data: bytes) -> Source:
    """Read lines of KEY=VALUE, as shells and `.env` files have them: quotes around a value are not part of it."""
    name = display_name(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(name, 1, 1, "is not UTF-8") from None
    values: dict[str, str] = {}
    places: dict[Path, tuple[int, int]] = {(): (1, 1)}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.match(_ASSIGNMENT, line)
        if match is None:
            raise ConfigError(name, number, 1, "a line must be written KEY=VALUE")
        key, value, column = match[1], line[match.end() :].rstrip(), match.end() + 1
        if key in values:
            raise ConfigError(name, number, match.start(1) + 1, f'"{key}" is set twice')
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]
        if not quoted and (_SEVERAL.search(f" {value}" if value.startswith("#") else value) or value[:1] in ("'", '"')):
            text = f"the value of {key} must stand in quotes, or alone in its line"
            raise ConfigError(name, number, column, text)
        values[key] = value[1:-1] if quoted else value
        places[(key,)], places[(key, KEY)] = (number, column), (number, match.start(1) + 1)
    return Source(path, values, places, {(key,): value for key, value in values.items()})


_HEADER = re.compile(r"\s*(\[\[?)([^\]#]+)\]\]?\s*(#.*)?$")
_ENTRY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def _toml_places(text: str, root: Path) -> dict[Path, tuple[int, int]]:
    """Find where tables and keys stand, which TOML readers do not tell; what is inside a value has its place."""
    places: dict[Path, tuple[int, int]] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        entry = None if header else _ENTRY.match(line)
        if header:
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
        path = (*table, *_parts(entry[1])) if entry else table
        if not (header or entry) or path[: len(root)] != root:
            continue
        match = header or entry
        if match is not None:
            places.setdefault(path[len(root) :], (number, (match.start(1) if header else match.end()) + 1))
            places.setdefault((*path[len(root) :], KEY), (number, match.start(1) + 1))
    return places


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
