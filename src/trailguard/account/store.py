"""What is done of a snapshot: parts that were read are kept until all are, so that an interruption costs little.

They lie in a hidden folder within the snapshot's, from which it is put together at the end. Whatever ends the process,
the next one that asks the same finds either parts to go on with, or a whole snapshot.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from contextlib import suppress
from typing import Any

from trailguard import files
from trailguard.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

SCHEMA = "trailguard-snapshot/1"
WHOLE = "snapshot.json"
_BEGUN = ".unfinished"
_QUESTION, _WRITING = "question.json", "writing"
_OURS = re.compile(r"(?:[0-9]{12}|elsewhere)/[^/]+/(?:existing-[0-9]+\.yaml|stacks/[^/]+\.json)")
_LEFT = re.compile(r"\.trailguard-[0-9]+-[0-9]+\.tmp")  # by one who was killed while it wrote
_FRESH = 24 * 3600  # seconds for which a part is taken up again


class Store:
    """The parts of one snapshot in a folder; raises UserError for a folder that holds something else."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._begun = os.path.join(folder, _BEGUN)
        self._held: int | None = None
        self._check()

    def close(self) -> None:
        """Let others have the folder."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _check(self) -> None:
        """Refuse a folder in which a snapshot would mix with what is there."""
        try:
            names = {
                name for name in os.listdir(self.folder) if name == _BEGUN or not name.startswith(".")
            }  # .git may be
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise UserError(self.folder, 0, 0, "is a file; a snapshot is a folder") from None
        if names and not names & {WHOLE, _BEGUN}:
            raise UserError(
                self.folder, 0, 0, f"holds something else than a snapshot ({min(names)}); name a new folder"
            )
        if WHOLE in names and _read(os.path.join(self.folder, WHOLE)).get("schema") != SCHEMA:
            raise UserError(
                os.path.join(self.folder, WHOLE), 0, 0, "is not the record of a snapshot that this version can renew"
            )

    def begin(self, question: dict[str, Any]) -> None:
        """Take up what was begun with the same question; what belongs to another one is dropped."""
        self._lock()
        written = os.path.exists(os.path.join(self._begun, _WRITING))
        if written and os.path.exists(os.path.join(self.folder, WHOLE)):
            shutil.rmtree(self._begun)  # the last one ended when it had but to tidy up
        if _read(os.path.join(self._begun, _QUESTION)) != question:
            shutil.rmtree(self._begun, ignore_errors=True)
        os.makedirs(self._begun, exist_ok=True)
        files.replace(os.path.join(self._begun, _QUESTION), json.dumps(question, indent=1))

    def _lock(self) -> None:
        """Have the folder alone, until it is closed or the process ends; raises UserError when another one has it."""
        try:
            import fcntl
        except ImportError:  # Windows
            return
        os.makedirs(self.folder, exist_ok=True)
        self._held = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise UserError(self.folder, 0, 0, "another snapshot is being written to it") from None

    def load(self, name: str) -> dict[str, Any] | None:
        """A part that was read lately; None when there is none."""
        path = os.path.join(self._begun, f"part-{name.replace('/', '.')}.json")
        try:
            if time.time() - os.stat(path).st_mtime > _FRESH:
                return None
        except FileNotFoundError:
            return None
        return _read(path) or None

    def keep(self, name: str, part: dict[str, Any]) -> None:
        """Keep a part."""
        files.replace(os.path.join(self._begun, f"part-{name.replace('/', '.')}.json"), json.dumps(part))

    def write(self, texts: dict[str, str], record: dict[str, Any]) -> None:
        """Put a snapshot in its place: files by their paths, its record last. What a former one left is taken away."""
        files.replace(os.path.join(self._begun, _WRITING), "")
        whole = os.path.join(self.folder, WHOLE)
        if os.path.exists(whole):
            os.unlink(whole)
        for path, text in texts.items():
            self._put(os.path.join(self.folder, *path.split("/")), text)
        self._tidy(texts)
        files.replace(whole, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        shutil.rmtree(self._begun)

    def _tidy(self, kept: Collection[str]) -> None:
        """Delete what a former snapshot wrote and this one does not, and folders in which nothing is left."""
        for root, folders, names in os.walk(self.folder, topdown=False):
            for name in names:
                path = os.path.relpath(os.path.join(root, name), self.folder).replace(os.sep, "/")
                if path not in kept and (_OURS.fullmatch(path) or _LEFT.fullmatch(name)):
                    os.unlink(os.path.join(root, name))
            if folders or names:
                with suppress(OSError):  # something is left in it
                    os.rmdir(root)

    @staticmethod
    def _put(path: str, text: str) -> None:
        """Write a file, unless it says the same already."""
        try:
            with open(path, encoding="utf-8", newline="") as stream:
                if stream.read() == text:
                    return
        except (FileNotFoundError, UnicodeDecodeError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        files.replace(path, text)


def _read(path: str) -> dict[str, Any]:
    """A JSON file of ours; nothing for one that is not there or was not finished."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
