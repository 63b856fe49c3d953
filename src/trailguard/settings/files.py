"""Reads the files that a user's settings are made of, none of which is ever large."""

from __future__ import annotations

import os
import stat

MAX_BYTES = 8 * 1024 * 1024  # as of templates


def contents(path: str, streams: bool = False) -> bytes:
    """The bytes of a regular file; with `streams`, of a pipe too, as a shell makes for `<(…)`.

    Raises OSError, also for what is neither, and for what is too large to be meant.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) and not (streams and stat.S_ISFIFO(mode)):
        raise OSError(0, "it is not a regular file")
    with open(path, "rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(0, f"it is larger than {MAX_BYTES // 1024**2} MB")
    return data
