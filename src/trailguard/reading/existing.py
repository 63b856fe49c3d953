"""What exists in an account and a Region, cut out of a snapshot resource by resource: few of many are ever parsed.

A snapshot is written in blocks, each logical ID two blanks deep: there a file is cut by its lines. A file that is
written otherwise is parsed as a whole.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.reasons import UNREAD
from trailguard.cloudformation.source.nodes import (
    Document,
    ListNode,
    MapNode,
    Node,
    SourceError,
    TextNode,
    scalar_at,
    scalar_text,
    set_file,
)
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.stacks.observed import Observed
from trailguard.cloudformation.template.template import Template
from trailguard.cloudformation.world.trees import Member
from trailguard.errors import display_name
from trailguard.findings import FileError
from trailguard.reading.discovery import Content, read
from trailguard.reading.snapshots import Exported, Part
from trailguard.trails.observing import called, made_up

_HEAD = re.compile(rb"^  [\"']?([A-Za-z0-9]+)[\"']?:[ \t]*\r?$", re.MULTILINE)
_RESOURCES = re.compile(rb"^Resources:[ \t]*\r?$", re.MULTILINE)
_SECTION = re.compile(rb"^[^ \t\r\n#]", re.MULTILINE)
_ANCHOR = re.compile(rb"[:-] [&*][A-Za-z0-9]")
_TYPE = re.compile(rb"^    Type: *[\"']?([\w:]+)", re.MULTILINE)
_VALUE = rb": *[\"']?([^\s\"',}]+)"
_ARN, _STACK, _ID = (re.compile(rb"\b" + key + _VALUE) for key in (rb"arn", rb"stack", rb"logical_id"))


class Thing(NamedTuple):
    """A resource that exists: where it is written, what it is, and which stack made it under which logical ID."""

    file: PartFile
    start: int
    end: int
    line: int
    id: str
    type: str
    arn: str
    stack: str
    logical_id: str

    @property
    def data(self) -> bytes:
        """Its text."""
        return self.file.data[self.start : self.end]


class PartFile:
    """A file of a snapshot with things that exist; `errors` gets what is wrong with it."""

    def __init__(self, path: str, part: Part, errors: list[FileError]) -> None:
        self.path = path
        self.part = part
        self.name = display_name(path)
        self._errors = errors
        self._nodes: dict[int, tuple[TextNode, Node] | None] = {}
        content = read(path, True, ())
        self.data = content.data if isinstance(content, Content) else b""
        if not isinstance(content, Content):
            errors.append(FileError(self.name, 0, 0, getattr(content, "message", "cannot be read")))
        self.things = list(self._cut() if self._is_in_blocks() else self._parsed())

    def _is_in_blocks(self) -> bool:
        starts = _RESOURCES.findall(self.data)
        return len(starts) == 1 and b"\t" not in self.data and not _ANCHOR.search(self.data)

    def _cut(self) -> Iterator[Thing]:
        begin = _RESOURCES.search(self.data)
        first = begin.end() if begin is not None else 0
        after = _SECTION.search(self.data, first)
        last = after.start() if after is not None else len(self.data)
        heads = list(_HEAD.finditer(self.data, first, last))
        line, seen = 1, 0
        for index, head in enumerate(heads):
            end = heads[index + 1].start() if index + 1 < len(heads) else last
            line += self.data.count(b"\n", seen, head.start())
            seen = head.start()
            yield self._thing(head.start(), end, line, head[1].decode())

    def _thing(self, start: int, end: int, line: int, name: str) -> Thing:
        def told(pattern: re.Pattern[bytes]) -> str:
            found = pattern.search(self.data, start, end)
            return found[1].decode("utf-8", "replace") if found is not None else ""

        return Thing(self, start, end, line, name, told(_TYPE), told(_ARN), told(_STACK), told(_ID))

    def _parsed(self) -> Iterator[Thing]:
        """The things of a file that is written otherwise: each by the lines on which it stands."""
        root = self._parse(self.data, 0)
        section = root.values.get("Resources") if root is not None else None
        starts = [0, *(found.end() for found in re.finditer(rb"\n", self.data)), len(self.data)]
        for name, body in section.values.items() if isinstance(section, MapNode) else ():
            key = section.keys[name] if isinstance(section, MapNode) else TextNode(name, False, 1, 1, 1, 1)
            end = starts[min(body.end_line, len(starts) - 1)]
            thing = Thing(self, starts[key.line - 1], end, key.line, name, *_told(body))
            self._nodes[thing.line] = (key, body)
            yield thing

    def _parse(self, data: bytes, down: int) -> MapNode | None:
        try:
            document = parse(data)
        except SourceError as error:
            self._errors.append(FileError(self.name, error.line + down, error.column, error.message))
            return None
        for item in document.problems:
            self._errors.append(FileError(self.name, item.line + down, item.column, item.message))
        if not isinstance(document.root, MapNode):
            return None
        set_file(document.root, self.name, down)
        _date(document.root, self.part.date)
        return document.root

    def nodes(self, thing: Thing) -> tuple[TextNode, Node] | None:
        """The key and the body of a thing; None with an error when it cannot be read."""
        if thing.line not in self._nodes:
            root = self._parse(b"Resources:\n" + thing.data, thing.line - 2)
            section = root.values.get("Resources") if root is not None else None
            found = section.values.get(thing.id) if isinstance(section, MapNode) else None
            known = (section.keys[thing.id], found) if isinstance(section, MapNode) and found is not None else None
            self._nodes[thing.line] = known
        return self._nodes[thing.line]


def _told(body: Node) -> tuple[str, str, str, str]:
    """Type, ARN, stack and logical ID of a resource that was parsed."""
    values = body.values if isinstance(body, MapNode) else {}
    metadata = values.get("Metadata")
    own = metadata.values.get("trailguard") if isinstance(metadata, MapNode) else None
    named = own.values if isinstance(own, MapNode) else {}
    texts = (scalar_text(named.get(key)) or "" for key in ("arn", "stack", "logical_id"))
    arn, stack, logical_id = texts
    return scalar_text(values.get("Type")) or "", arn, stack, logical_id


def origin(body: Node) -> tuple[str, str]:
    """The stack that made a resource, and the logical ID that it has there; "" where none did."""
    return _told(body)[2:]


def _date(root: Node, date: str) -> None:
    """Say of what could not be read when that was."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, ListNode):
            pending.extend(node.items)
        elif isinstance(node, MapNode):
            name, given = node.values.get("Name"), node.values.get("Parameters")
            reason = given.values.get("Reason") if isinstance(given, MapNode) else None
            if scalar_text(name) == UNREAD and isinstance(reason, TextNode) and " (as of " not in reason.value:
                reason.value += f" (as of {date})"
            pending.extend(node.values.values())


def texts_of(body: Node) -> Mapping[str, str]:
    """The texts among the properties of a resource."""
    properties = body.values.get("Properties") if isinstance(body, MapNode) else None
    given = properties.values.items() if isinstance(properties, MapNode) else ()
    return {name: text for name, node in given if (text := scalar_text(node)) is not None}


def member(
    things: Iterable[Thing],
    exports: Iterable[Exported],
    place: tuple[str, str],
    date: str,
    failures: Mapping[str, Mapping[str, str]],
    unread: Mapping[str, str],
) -> Member:
    """Some things of an account and a Region, and what is exported there, as a template.

    `failures` are what goes wrong with things, by their ARNs, `unread` tells why there may be more of some types.
    """
    resources, outputs = MapNode(1, 1), MapNode(1, 1)
    titles: dict[str, str] = {}
    generated: dict[str, Mapping[str, str]] = {}
    texts: list[str] = []
    files: list[str] = []
    for thing in things:
        known = thing.file.nodes(thing)
        if known is None:
            continue
        name = thing.id if thing.id not in resources.values else f"{thing.id}X{len(resources.values)}"
        resources.keys[name], resources.values[name] = scalar_at(known[0], name), known[1]
        titles[name] = called(thing.type, thing.arn or thing.id)
        generated[name] = made_up(thing.type, thing.arn, texts_of(known[1]))
        texts.append(thing.data.decode("utf-8", "replace"))
        files.append(thing.file.name)
    for number, item in enumerate(exports):
        files.append(item.name.file)
        titles[f"Export{number}"] = f"stack {item.account}/{item.region}/{item.stack}"
        output = _output(item)
        outputs.keys[f"Export{number}"] = scalar_at(item.name, f"Export{number}")
        outputs.values[f"Export{number}"] = output
    root = MapNode(1, 1)
    for title, section in (("Resources", resources), ("Outputs", outputs)):
        if section.values or title == "Resources":
            root.keys[title], root.values[title] = TextNode(title, False, 1, 1, 1, 1), section
    template = Template(Document(root, "\n".join(texts), ()))
    failed = {name: failures[title] for name, title in titles.items() if title in failures}
    account, region = place
    name = "/".join(filter(None, place))
    observed = Observed(date, titles, generated, failed, unread=unread, place=name)
    file = files[0] if files else name
    return Member(file, template, {}, (account or None, region or None), observed=observed)


def _output(item: Exported) -> MapNode:
    """An export as the output that it comes from."""

    def entry(**values: Node) -> MapNode:
        made = MapNode(item.name.line, item.name.column, item.value.end_line, item.value.end_column)
        made.file = item.name.file
        made.keys = {key: scalar_at(item.name, key) for key in values}
        made.values = values
        return made

    return entry(Value=item.value, Export=entry(Name=item.name))


def part_files(parts: Iterable[Part], errors: list[FileError]) -> Iterator[PartFile]:
    """The files of some parts, each read once."""
    seen: set[str] = set()
    for part in parts:
        for path in part.paths:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield PartFile(path, part, errors)
