"""Snapshots: folders in which somebody wrote down what exists in accounts, as templates.

`snapshot.json` says when, by whom and what could not be read, `world.yaml` which files describe which account and
Region, which stacks were deployed with which parameters, and what they export. What exists stands in `existing-N.yaml`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import (
    ListNode,
    MapNode,
    Node,
    SourceError,
    TextNode,
    file_of,
    scalar_text,
    set_file,
)
from trailguard.cloudformation.source.reading import parse
from trailguard.errors import did_you_mean, display_name
from trailguard.findings import FileError
from trailguard.reading.discovery import MARK, Content, read

SCHEMA = "trailguard-snapshot/1"
WORLD = "world.yaml"
GLOBAL, ELSEWHERE = "global", "elsewhere"  # in the place of a Region and of an account, where there is none
_STACKS = "/stacks/"
# What a trail delivers, and how the keys of snapshot.json name it.
_DELIVERED = {
    "logs": "delivery",
    "digests": "digest_delivery",
    "notifications": "notification",
    "events": "cloudwatch_logs_delivery",
}


class StackContext(NamedTuple):
    """A deployed stack: `ACCOUNT/REGION/NAME`, its parameters, the file with its template, and the one that made it."""

    name: str
    account: str
    region: str
    partition: str | None
    parameters: Mapping[str, str]
    path: str

    @property
    def stack(self) -> str:
        """The name of the stack in its account and Region."""
        return self.name.rpartition("/")[2]


class Exported(NamedTuple):
    """A value that a stack exports in an account and a Region, with the nodes that say so."""

    account: str
    region: str
    stack: str
    name: TextNode
    value: TextNode


class Part(NamedTuple):
    """What exists in an account and a Region: the files that say so, and the day on which it was seen."""

    account: str
    region: str
    partition: str | None
    date: str
    paths: tuple[str, ...]


class Delivery(NamedTuple):
    """What AWS said of a trail's deliveries: what went wrong with the last one, and when it was, by DELIVERED.

    `unread` tells why nothing is known of them.
    """

    arn: str
    errors: Mapping[str, str]
    times: Mapping[str, str]
    unread: str


class Snapshot(NamedTuple):
    """A snapshot as it was read. `taken` is None where its time cannot be read; `refused` are calls for people.

    `unread` tells by account, Region and resource type why there may be more than was seen.
    """

    folder: str
    name: str
    taken: datetime | None
    parts: tuple[Part, ...]
    stacks: Mapping[str, StackContext]
    exports: tuple[Exported, ...]
    refused: tuple[str, ...]
    organization: str
    unread: Mapping[tuple[str, str, str], str]
    deliveries: Mapping[str, Delivery]
    errors: tuple[FileError, ...]

    @property
    def date(self) -> str:
        """The day on which it was taken."""
        return self.taken.date().isoformat() if self.taken is not None else "an unknown day"

    def age(self, today: str) -> int | None:
        """How many days old it is on a day; None where that cannot be told."""
        if self.taken is None:
            return None
        return (datetime.fromisoformat(today).date() - self.taken.date()).days


def read_snapshot(folder: str) -> Snapshot:
    """Read a snapshot. What is wrong with it is among its `errors`; what can be used all the same is there."""
    return _Reader(folder).snapshot()


class _Reader:
    """Reads the files of a snapshot; takes note of what is wrong with them."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files = _files(folder)
        self._errors: list[FileError] = []
        self._is_readable = True

    def snapshot(self) -> Snapshot:
        marked = self._map(MARK)
        world = self._map(WORLD)
        self._check_schema(marked)
        taken = self._taken(marked)
        contexts = list(self._maps(world, "contexts"))
        if not self._is_readable:
            contexts, world = [], None
        return Snapshot(
            self._folder,
            display_name(self._folder),
            taken,
            tuple(self._parts(contexts, marked, taken)),
            {one.name: one for one in self._stacks(contexts)},
            tuple(self._exports(world)),
            tuple(_refused(self._maps(marked, "refused"))),
            _text(marked, "organization") if marked is not None else "",
            {(_text(one, "account"), _text(one, "region"), _text(one, "type")): _text(one, "reason")
             for one in self._maps(marked, "unread")},
            {_text(one, "arn"): _delivery(one) for one in self._maps(marked, "trails")},
            tuple(self._errors),
        )  # fmt: skip

    def _map(self, name: str) -> MapNode | None:
        """The map in one of the files; None with an error where there is none."""
        path = os.path.join(self._folder, name)
        content = read(path, True, ())
        shown = display_name(path)
        if not isinstance(content, Content):
            message = getattr(content, "message", "cannot be read")
            self._errors.append(FileError(shown, 0, 0, message))
            return None
        try:
            document = parse(content.data)
        except SourceError as error:
            self._errors.append(FileError(shown, error.line, error.column, error.message))
            return None
        self._errors.extend(FileError(shown, item.line, item.column, item.message) for item in document.problems)
        if not isinstance(document.root, MapNode):
            self._errors.append(FileError(shown, document.root.line, document.root.column, "must be a map"))
            return None
        set_file(document.root, shown)
        return document.root

    def _fail(self, node: Node, message: str) -> None:
        self._errors.append(FileError(file_of(node), node.line, node.column, message))

    def _check_schema(self, marked: MapNode | None) -> None:
        """Refuse a snapshot of another form than the one that is known here."""
        if marked is None:
            self._is_readable = False
            return
        node = marked.values.get("schema")
        given = scalar_text(node)
        if given == SCHEMA:
            return
        self._is_readable = False
        if given is None:
            self._fail(node or marked, f'a snapshot says "schema": "{SCHEMA}", and this one says none')
        else:
            hint = did_you_mean(given, (SCHEMA,))
            self._fail(node or marked, f'the schema "{given}" is not one that is read here, which is {SCHEMA}{hint}')

    def _taken(self, marked: MapNode | None) -> datetime | None:
        node = marked.values.get("taken") if marked is not None else None
        found = _time(scalar_text(node) or "")
        if found is None and marked is not None and self._is_readable:
            self._fail(node or marked, 'a snapshot says when it was "taken", such as 2026-11-29T17:00:00Z')
        return found

    def _maps(self, root: MapNode | None, key: str) -> Iterator[MapNode]:
        """The maps in a list; anything else there is an error."""
        node = root.values.get(key) if root is not None else None
        if node is None:
            return
        if not isinstance(node, ListNode):
            self._fail(node, f"{key} must be a list")
            return
        for item in node.items:
            if isinstance(item, MapNode):
                yield item
            else:
                self._fail(item, f"an item of {key} must be a map")

    def _parts(self, contexts: Sequence[MapNode], marked: MapNode | None, taken: datetime | None) -> Iterator[Part]:
        """What exists, by account and Region; by the folders alone where world.yaml cannot be read."""
        days = _days(marked)
        usual = taken.date().isoformat() if taken is not None else "an unknown day"
        for node in contexts:
            name = _text(node, "name")
            paths = self._paths(node)
            if any(_STACKS in path for path in paths):
                continue
            account, _, region = name.partition("/")
            account = _text(node, "account_id") or account
            region = _text(node, "region") or region
            yield Part(account, region, _text(node, "partition") or None, days.get(name, usual), tuple(paths))
        if not contexts and self._is_readable:
            for name in dict.fromkeys(os.path.dirname(file) for file in self._files):
                account, _, region = name.partition("/")
                paths = self._fitting(f"{name}/existing-*.yaml")
                if paths and region:
                    yield Part(account, region, None, days.get(name, usual), tuple(paths))

    def _fitting(self, pattern: str) -> list[str]:
        """The paths of the files that a pattern fits; `*` stops at a slash."""
        parts = pattern.split("/")
        pairs = ((file, file.split("/")) for file in self._files)
        fitting = (file for file, own in pairs if len(own) == len(parts) and all(map(fnmatchcase, own, parts)))
        return [os.path.join(self._folder, file) for file in fitting]

    def _paths(self, node: MapNode) -> list[str]:
        """The files of a context, which lie below the snapshot."""
        globs = node.values.get("templates")
        if not isinstance(globs, ListNode):
            self._fail(globs or node, 'a context of a snapshot has a list of "templates"')
            return []
        found: list[str] = []
        for item in globs.items:
            pattern = scalar_text(item) or ""
            if not pattern or os.path.isabs(pattern) or ".." in pattern.split("/"):
                self._fail(item, "must name files below the snapshot")
                continue
            fitting = self._fitting(pattern)
            if not fitting:
                self._fail(item, f"no file fits {pattern}")
            found.extend(fitting)
        return found

    def _stacks(self, contexts: Sequence[MapNode]) -> Iterator[StackContext]:
        for node in contexts:
            name = _text(node, "name")
            globs = node.values.get("templates")
            given = [scalar_text(item) or "" for item in globs.items] if isinstance(globs, ListNode) else []
            paths = [path for pattern in given if _STACKS in pattern for path in self._fitting(pattern)]
            if not paths or name.count("/") != 2:
                continue
            account, region, _ = name.split("/")
            values = node.values.get("parameters")
            pairs = values.values.items() if isinstance(values, MapNode) else ()
            parameters = {key: text for key, value in pairs if (text := scalar_text(value)) is not None}
            yield StackContext(
                name,
                _text(node, "account_id") or account,
                _text(node, "region") or region,
                _text(node, "partition") or None,
                parameters,
                paths[0],
            )

    def _exports(self, world: MapNode | None) -> Iterator[Exported]:
        for node in self._maps(world, "exports"):
            name, value = node.values.get("name"), node.values.get("value")
            if not isinstance(name, TextNode) or not isinstance(value, TextNode):
                self._fail(node, 'an export has a "name" and a "value"')
                continue
            yield Exported(_text(node, "account"), _text(node, "region"), _text(node, "stack"), name, value)


def _text(node: MapNode, key: str) -> str:
    return scalar_text(node.values.get(key)) or ""


def _time(text: str) -> datetime | None:
    """A time as ISO 8601 has it, with its zone or in UTC."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


def _days(marked: MapNode | None) -> Mapping[str, str]:
    """The days on which the parts were taken, by their names."""
    parts = marked.values.get("parts") if marked is not None else None
    told = parts.values.items() if isinstance(parts, MapNode) else ()
    times = ((name, _time(_text(node, "taken"))) for name, node in told if isinstance(node, MapNode))
    return {name: time.date().isoformat() for name, time in times if time is not None}


def _refused(items: Iterator[MapNode]) -> Iterator[str]:
    """The calls that AWS refused, for people."""
    for node in items:
        place = "/".join(filter(None, (_text(node, "account"), _text(node, "region"))))
        on = _text(node, "resource")
        code = _text(node, "code")
        yield f"{_text(node, 'call')}{f' on {on}' if on else ''} in {place}{f': {code}' if code else ''}"


def _delivery(node: MapNode) -> Delivery:
    """What AWS said of the deliveries of a trail, by the kind of thing that was to be delivered."""
    errors = {kind: text for kind, key in _DELIVERED.items() if (text := _text(node, f"latest_{key}_error"))}
    times = {kind: text for kind, key in _DELIVERED.items() if (text := _text(node, f"latest_{key}_time"))}
    return Delivery(_text(node, "arn"), errors, times, _text(node, "unread"))


def _files(folder: str) -> list[str]:
    """The files below a folder, as seen from there; links that lead out of it are not followed."""
    top = os.path.join(os.path.realpath(folder), "")
    found: list[str] = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if not os.path.islink(path) or os.path.realpath(path).startswith(top):
                found.append(os.path.relpath(path, folder).replace(os.sep, "/"))
    return sorted(found, key=_natural)


def _natural(path: str) -> list[tuple[int, str]]:
    """A key by which `existing-10` comes behind `existing-9`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path)]


def newest_first(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Snapshots in the order in which they count: where two show the same thing, the newer one is right."""
    return sorted(snapshots, key=lambda one: (one.taken is None, -one.taken.timestamp() if one.taken else 0.0))
