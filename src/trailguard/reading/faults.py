"""Errors of our own: each is an error of the file that was looked at, and the rest is judged."""

from __future__ import annotations

import os

from trailguard.findings import FileError


def internal(file: str, error: Exception) -> FileError:
    """How a bug is reported; in our own tests it is raised."""
    if isinstance(error, RecursionError):
        return FileError(file, 0, 0, "references in the template nest too deeply")
    if os.environ.get("TRAILGUARD_DEBUG"):
        raise error
    return FileError(file, 0, 0, f"internal error, please report it: {type(error).__name__}: {error}")


def unfinished(file: str, how: str) -> FileError:
    """How it is reported that the process that judged a file `ended` or `was killed by` something, and again."""
    return FileError(file, 0, 0, f"not judged: the process that judged it {how}, twice; memory may have run out")
