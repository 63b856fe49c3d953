"""What a scan has to look at: the files that may hold subjects of the rules, and those that these may refer to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.source.tags import LOOP
from trailguard.errors import display_name
from trailguard.findings import FileError
from trailguard.reading.discovery import (
    MARK,
    TEMPLATE,
    Candidate,
    Content,
    SnapshotFolder,
    Unreadable,
    discover,
    may_hold,
    read,
)
from trailguard.rulebook.rule import Rule
from trailguard.trails import catalog

# What a file holds that has to do with others: imports, exports, resources that make stacks, what it includes.
IMPORTS, EXPORTS, INCLUDES = (b"ImportValue",), (b"Export",), (b"AWS::Include", b"${file(")
MAKERS = (b"AWS::CloudFormation::Stack", b"AWS::Serverless::Application")  # the type of a stack set begins so too
LINKS = (*IMPORTS, *EXPORTS, *MAKERS, *INCLUDES)

Seen: TypeAlias = "Content | Unreadable | SnapshotFolder | str | None"  # what was read at a path


class File(NamedTuple):
    """A file that was read: its path, its name in reports, and whether it may hold what the rules are about.

    `refers` tells whether it may refer to other templates, or say more of itself in other files.
    """

    path: str
    name: str
    data: bytes
    marked: bool
    refers: bool = True


class Found(NamedTuple):
    """What lies below some paths.

    `files` are those that were read, `folders` where references may lead, those `walked` through among them, `names`
    the paths of all files looked at. `markers` are bytes without which a file holds nothing to judge. `idle` are the
    names of templates that hold nothing to judge and refer to no other, by their paths, `ignored` says what was passed
    over. `snapshots` are the folders that hold one.
    """

    files: tuple[File, ...]
    folders: tuple[str, ...]
    walked: tuple[str, ...]
    names: tuple[str, ...]
    markers: tuple[bytes, ...]
    errors: tuple[FileError, ...]
    ignored: tuple[tuple[str, str], ...]
    looked_at: int
    idle: Mapping[str, str]
    snapshots: tuple[str, ...] = ()


def collect(
    paths: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    root: str,
    rules: Iterable[Rule],
    stdin: tuple[str, bytes] | None,
    insist: bool = True,
    tick: Callable[[int], object] = lambda done: None,
) -> Found:
    """Read what must be judged, and what may have to be known for it. `stdin` is the name and bytes of one more.

    With `insist`, files that are named are read whatever they are; else only when they may be of interest. `tick` is
    told how many files have been looked at.
    """
    markers = markers_of(rules)
    seen: dict[str, Seen] = {}
    for item in discover(paths, include, exclude, root) if paths else ():
        tick(len(seen) + 1)
        asked = isinstance(item, Candidate) and item.explicit and insist
        seen[item.path] = read(item.path, asked, markers, LINKS) if isinstance(item, Candidate) else item
    return sorted_out(paths, seen, markers, stdin)


def sorted_out(
    paths: Sequence[str],
    seen: Mapping[str, Seen],
    markers: tuple[bytes, ...],
    stdin: tuple[str, bytes] | None = None,
    known: Mapping[str, File] = {},
) -> Found:
    """What lies below some paths, from what was `seen` at the path of each file; `known` are files as they were."""
    files: list[File] = []
    errors: list[FileError] = []
    ignored: list[tuple[str, str]] = []
    idle: dict[str, str] = {}
    if stdin is not None:
        files.append(File(stdin[0], stdin[0], stdin[1], True, may_hold(stdin[1], LINKS)))
    folders = [path if os.path.isdir(path) else os.path.dirname(path) or os.curdir for path in paths]
    snapshots: list[str] = []
    held = 0  # files of snapshots
    for path, data in seen.items():
        if isinstance(data, SnapshotFolder):
            snapshots.append(path)
            held += sum(len(files) for _, _, files in os.walk(path))
            continue
        if path in known:
            files.append(known[path])
            continue
        name = display_name(path)
        if isinstance(data, Content):
            refers = not data.marked or path.endswith(".template.json") or may_hold(data.data, LINKS)
            files.append(File(path, name, data.data, data.marked, refers))
        elif data == TEMPLATE:
            idle[path] = name
        elif not isinstance(data, Unreadable):
            ignored.append((name, "it is not a CloudFormation template"))
        else:
            errors.append(FileError(name, 0, 0, data.message))
    names = [path for path, data in seen.items() if not isinstance(data, SnapshotFolder)]
    return Found(
        tuple(files),
        tuple(folders),
        tuple(filter(os.path.isdir, paths)),
        tuple(names),
        markers,
        tuple(errors),
        tuple(ignored),
        len(names) + held + (stdin is not None),
        idle,
        tuple(snapshots),
    )


def names_below(paths: Sequence[str], include: Sequence[str], exclude: Sequence[str], root: str) -> set[str]:
    """The names in reports of all files below some paths; of a snapshot that of the file that marks it."""
    found = discover(paths, include, exclude, root) if paths else ()
    return {name_of(item.path) if isinstance(item, SnapshotFolder) else display_name(item.path) for item in found}


def name_of(folder: str) -> str:
    """The name in reports of the file that marks a snapshot."""
    return display_name(os.path.join(folder, MARK))


def markers_of(rules: Iterable[Rule]) -> tuple[bytes, ...]:
    """Bytes without which a file holds no subject of the rules: the services of their resource types.

    A loop may put a type together, and what is not seen may be anything.
    """
    known = list(rules)
    types = {catalog.marking_type(rule.subject) for rule in known}
    marks = {catalog.MARKS[rule.subject] for rule in known if rule.subject in catalog.MARKS}
    marks.update(mark for kind in types if kind in catalog.UNSEEN for mark in catalog.UNSEEN[kind][1])
    found = {kind.rpartition("::")[0].encode() + b"::" for kind in types}
    return (*(sorted(found | marks) or (b"AWS::CloudTrail::",)), LOOP.encode())
