"""The files below some paths, followed as they change on disk and in the buffers of an editor."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from trailguard.errors import display_name
from trailguard.reading.collected import LINKS, File, Found, Seen, markers_of, sorted_out
from trailguard.reading.discovery import Candidate, Content, discover, read, sifted, state_of, would_find
from trailguard.reading.memory import Kept
from trailguard.rulebook.rule import Rule
from trailguard.settings.settings import Settings


class Followed:
    """What lies below some paths, read again where it changes.

    What a buffer holds goes before what is on disk. Nothing is known before the first `refresh`. `memory` holds what
    is known of the bytes of the files, by whatever rules they are judged.
    """

    def __init__(self, paths: Sequence[str], settings: Settings, rules: Iterable[Rule]) -> None:
        self._paths = paths
        self._settings = settings
        self._markers = markers_of(rules)
        self._states: dict[str, tuple[object, ...]] = {}  # by path, as it was found
        self._explicit: set[str] = set()
        self._seen: dict[str, Seen] = {}
        self._files: dict[str, File] = {}  # as they were when they were last asked for
        self._buffers: dict[str, bytes] = {}  # by absolute path
        self.memory = Kept()

    def refresh(self) -> set[str]:
        """Look for changes on disk; gives the absolute paths of what changed, appeared or went away."""
        settings = self._settings
        found: dict[str, Seen] = {}
        states: dict[str, tuple[object, ...]] = {}
        explicit: set[str] = set()
        changed: set[str] = set()
        for item in discover(self._paths, settings.include, settings.exclude, settings.root):
            state = states[item.path] = state_of(item.path)
            is_known = self._states.get(item.path) == state and item.path in self._seen
            if not isinstance(item, Candidate):
                found[item.path] = item
                changed.update([] if is_known else [os.path.abspath(item.path)])
                continue
            explicit.update([item.path] if item.explicit else [])
            found[item.path] = self._seen[item.path] if is_known else self._read(item.path, item.explicit)
        old = {os.path.abspath(path): one for path, one in self._seen.items()}
        new = {os.path.abspath(path): one for path, one in found.items()}
        changed |= {path for path in old.keys() | new.keys() if old.get(path, _ABSENT) != new.get(path, _ABSENT)}
        self._seen, self._states, self._explicit = found, states, explicit
        for path, data in self._buffers.items():  # a file that an editor has not written yet
            if path not in new and self.is_new(path):
                self._seen[path] = self._sifted(path, data)
        self.memory.keep({*map(os.path.abspath, self._seen), *self.memory.contents})
        return changed

    def put(self, path: str, data: bytes | None) -> bool:
        """Take a file, by absolute path, for what a buffer holds, None for what is on disk.

        Tells whether that makes a difference.
        """
        before = self._buffers.get(path)
        if data is None:
            self._buffers.pop(path, None)
            self.memory.contents.pop(path, None)
        else:
            self._buffers[path] = self.memory.contents[path] = data
        shown = self._shown(path)
        known = self._seen.get(shown)
        if data is not None and (shown in self._seen or self.is_new(path)):
            self._seen[shown] = self._sifted(shown, data)
        elif data is None and shown in self._seen:
            self._states.pop(shown, None)
            if os.path.lexists(path):
                self._seen[shown] = self._read(shown, shown in self._explicit)
            else:
                del self._seen[shown]
        return known != self._seen.get(shown) or before != data

    def holds(self, path: str) -> bool:
        """Tell whether a file, by absolute path, is one of those that are looked at."""
        return self._shown(path) in self._seen

    def is_of_interest(self, path: str) -> bool:
        """Tell whether a file, by absolute path, may hold something to judge, or refer to what does."""
        return isinstance(self._seen.get(self._shown(path)), Content)

    def data(self, path: str) -> bytes:
        """What the file at an absolute path holds; nothing when it is not there."""
        known = self._seen.get(self._shown(path))
        if path in self._buffers:
            return self._buffers[path]
        if isinstance(known, Content):
            return known.data
        read_now = read(path, True, ()) if os.path.isfile(path) else None
        return read_now.data if isinstance(read_now, Content) else b""

    def found(self) -> Found:
        """All of it, as a scan finds it."""
        known = {path: file for path, file in self._files.items() if self._is_same(file, self._seen.get(path))}
        found = sorted_out(self._paths, self._seen, self._markers, known=known)
        self._files = {file.path: file for file in found.files}
        return found

    @staticmethod
    def _is_same(file: File, seen: Seen) -> bool:
        return isinstance(seen, Content) and seen.data is file.data and seen.marked == file.marked

    def among(self, rules: Iterable[Rule]) -> Found:
        """All of it, as a scan with other rules finds it."""
        markers = markers_of(rules)
        seen = {path: self._sifted_anew(path, one, markers) for path, one in self._seen.items()}
        return sorted_out(self._paths, seen, markers)

    def _sifted_anew(self, path: str, one: Seen, markers: tuple[bytes, ...]) -> Seen:
        is_explicit = path in self._explicit
        data = one.data if isinstance(one, Content) else self._buffers.get(os.path.abspath(path))
        if data is not None:
            return sifted(data, is_explicit, markers, LINKS)
        return read(path, is_explicit, markers, LINKS) if one is None or isinstance(one, str) else one

    def _shown(self, path: str) -> str:
        """A path as it is found below the paths that are looked at."""
        name = display_name(path).replace("/", os.sep)
        new = path if os.path.isabs(name) or os.curdir not in self._paths else name
        return next((one for one in (path, name) if one in self._seen), new)

    def _read(self, path: str, is_explicit: bool) -> Seen:
        data = self._buffers.get(os.path.abspath(path))
        if data is not None:
            return sifted(data, is_explicit, self._markers, LINKS)
        return read(path, is_explicit, self._markers, LINKS)

    def _sifted(self, path: str, data: bytes) -> Seen:
        return sifted(data, path in self._explicit, self._markers, LINKS)

    def is_new(self, path: str) -> bool:
        """Tell whether a file is not on disk yet, and would be looked at if it were."""
        settings = self._settings
        return not os.path.lexists(path) and any(
            would_find(path, folder, settings.include, settings.exclude, settings.root)
            for folder in self._paths
            if os.path.isdir(folder)
        )


_ABSENT = object()
