"""Writes what an assistant asked to have written, if the files still hold what was judged, and lie in the folder."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from trailguard import files
from trailguard.findings import FileError
from trailguard.fixes.delivering import replaced
from trailguard.servers.mcp_quoting import safe
from trailguard.servers.mcp_root import Root


def write(changes: Sequence[Sequence[str | None]], data: dict[str, Any], root: Root) -> dict[str, Any]:
    """Write each of the changes of a worker's answer, and tell in its data what came of it."""
    faults: dict[str, FileError | None] = {}
    for name, path, old, new in changes:
        if name is not None and path is not None and new is not None:
            faults[name] = _written(name, path, None if old is None else b64decode(old), b64decode(new), root)
    if "files" not in data:
        return {**data, **_outcome(data["file"], faults)}
    return {**data, "files": [{**item, **_outcome(item["file"], faults)} for item in data["files"]]}


def _outcome(name: str, faults: dict[str, FileError | None]) -> dict[str, Any]:
    """What came of a file, by its name in the answer."""
    shown = {safe(key): fault for key, fault in faults.items()}
    fault = shown[name]
    return {"written": fault is None, "error": None if fault is None else safe(fault.message)}


def _written(name: str, path: str, old: bytes | None, new: bytes, root: Root) -> FileError | None:
    """Write one file; else the reason why not."""
    place = os.path.join(root.folder, path)
    if not root.holds(place) or (old is not None and not os.path.isfile(place)):
        return FileError(name, 0, 0, "it leads out of the folder, so it is not written")
    if old is not None:
        return replaced(name, place, old, new)
    try:
        files.create(place, new.decode())
    except FileExistsError:
        return FileError(name, 0, 0, "it is there already, so it is not written")
    except OSError as error:
        return FileError(name, 0, 0, f"it cannot be written: {(error.strerror or str(error)).lower()}")
    return None
