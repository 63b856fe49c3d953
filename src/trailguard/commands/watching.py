"""What `trailguard scan --watch` waits for: a change of a file that a scan reads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from trailguard.errors import display_name
from trailguard.reading.collected import names_below
from trailguard.settings.settings import NAMES, Settings

PAUSE = 0.5  # seconds between two looks

Snapshot: TypeAlias = "Mapping[str, tuple[int, int]]"  # when each file was changed, and its size


def snapshot(paths: Sequence[str], settings: Settings) -> Snapshot:
    """What can be seen of every file that a scan of the paths reads: templates, configuration, rules."""
    found: dict[str, tuple[int, int]] = {}
    for name in map(display_name, _files(paths, settings)):
        try:
            state = os.stat(name)
        except (OSError, ValueError):
            continue
        found[name] = (state.st_mtime_ns, state.st_size)
    return found


def _files(paths: Sequence[str], settings: Settings) -> Iterator[str]:
    yield from names_below(list(paths), settings.include, settings.exclude, settings.root)
    yield from (name for name in (settings.baseline, *settings.rule_dirs) if name)
    folder = os.getcwd()
    while True:  # a configuration may come and go
        yield from (os.path.join(folder, name) for name in (*NAMES, "pyproject.toml"))
        if os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    for folder in settings.rule_dirs:
        for place, _, names in os.walk(folder):
            yield from (os.path.join(place, name) for name in names)


def changes(look: Callable[[], Snapshot]) -> Iterator[list[str]]:
    """The files that changed, appeared or went away, whenever some did; starts with none, and never ends."""
    known = look()
    yield []
    while True:
        time.sleep(PAUSE)
        now = look()
        if now != known:
            changed = sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name))
            known = now
            yield changed
