"""What files hold that has to do with others, as far as their bytes tell. Only what includes others is parsed."""

from __future__ import annotations

from collections.abc import Sequence

from trailguard.reading.collected import EXPORTS, IMPORTS, INCLUDES, MAKERS
from trailguard.reading.discovery import held, may_hold
from trailguard.reading.loader import Loader
from trailguard.trails.whole.unseen import speaks_of_trails


class Holdings:
    """Files by what they, or the files that they include, may hold.

    `marked` may hold something to judge: they hold one of the `markers`. `makers` make stacks of other templates,
    `importers` and `exporters` name values of others. `suspects` are makers that may make a
    trail which nobody sees. `parts` are the bytes of what is included, by the file that does; `noted` are all files of
    which this is known.
    """

    def __init__(self, loader: Loader, markers: Sequence[bytes]) -> None:
        self._loader = loader
        self._markers = tuple(markers)
        self.parts: dict[str, list[bytes]] = {}
        self.noted: set[str] = set()
        self.marked: set[str] = set()
        self.makers: set[str] = set()
        self.suspects: set[str] = set()
        self.importers: set[str] = set()
        self.exporters: set[str] = set()
        for path in sorted(loader.files):
            self.note(path)

    def note(self, path: str) -> None:
        """Take note of what a file holds."""
        self.noted.add(path)
        file = self._loader.files[path]
        groups = (INCLUDES, MAKERS, IMPORTS, EXPORTS, self._markers)
        memory = self._loader.memory
        held_here = memory.once(path, file.data, ("held", self._markers), lambda: held(file.data, groups))
        if held_here[0]:
            self.parts[path] = [part.data for part in self._loader.included(path)]
        kinds = (self.makers, self.importers, self.exporters, self.marked)
        known = [held_here, *(held(data, groups) for data in self.parts.get(path, ()))]
        for paths, holds in zip(kinds, list(zip(*known, strict=True))[1:], strict=True):
            paths.update([path] if any(holds) else [])
        self.marked.update([path] if file.marked else [])
        text = file.data.decode("utf-8", "replace") if path in self.makers else ""
        if "TemplateBody" in text or speaks_of_trails(text):
            self.suspects.add(path)

    def holds(self, path: str, marks: Sequence[bytes]) -> bool:
        """Tell whether a file, or what it includes, may hold one of some marks."""
        data = self._loader.files[path].data
        return self._loader.memory.once(path, data, ("holds", tuple(marks)), lambda: may_hold(data, marks)) or any(
            may_hold(part, marks) for part in self.parts.get(path, ())
        )
