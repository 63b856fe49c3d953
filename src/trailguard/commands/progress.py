"""A progress bar for long scans: on standard error, on a terminal only, and never for a short one."""

from __future__ import annotations

import os
import sys
import time

from trailguard.terminal import is_terminal, width_of

PATIENCE = 1.0  # seconds without a word
PAUSE = 0.1  # seconds between two drawings


class Progress:
    """Draws how far a scan is; used as a context manager, which wipes the bar away at the end."""

    def __init__(self, wanted: bool) -> None:
        dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("CI"))
        self._on = wanted and not dumb and is_terminal(sys.stderr)
        self._patience = self._next = time.monotonic() + PATIENCE
        self._what = ""
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def step(self, done: int, total: int, what: str, unit: str = "file") -> None:
        """Tell that `done` files of `total` are done; `what` says what is done with them. 0 stands for no known total.

        `unit` is what is counted, if that is not files.

        What is done first is told at once, if it has taken long until then: it may be long until the next word.
        """
        if not self._on:
            return
        now = time.monotonic()
        if now < (self._patience if what != self._what else self._next):
            return
        self._what, self._next = what, max(self._patience, now + PAUSE)
        if not total:
            self._put(f"{what}: {done:,} {unit}{'s' if done != 1 else ''}")
            return
        room = max(0, min(30, width_of(sys.stderr, os.environ) - len(what) - 26))
        full = round(room * done / total)
        bar = f"[{'#' * full}{'.' * (room - full)}] " if room > 4 else ""
        self._put(f"{what}: {bar}{done:,} of {total:,} {unit}{'s' if total != 1 else ''}")

    def say(self, what: str) -> None:
        """Tell what goes on that cannot be counted."""
        if self._on:
            self._what = what
            self._put(what)

    def wipe(self) -> None:
        """Make room for what somebody else writes."""
        if self._drawn:
            self._put("")

    def _put(self, text: str) -> None:
        width = width_of(sys.stderr, os.environ)
        try:
            sys.stderr.write(f"\r{text[: width - 1]}\x1b[K")
            sys.stderr.flush()
            self._drawn = bool(text)
        except (OSError, ValueError):
            self._on = False
