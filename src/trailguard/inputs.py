"""Reads whole files that a user names, or a configuration that may come from anybody: there must be an end to them."""

from __future__ import annotations

import errno
import os
import stat

MOST = 64_000_000  # bytes


def contents(path: str, streams: bool = False) -> bytes:
    """All of a regular file; with `streams` of a pipe or a device too, such as a shell makes for `<(…)`.

    Raises OSError, also for what is neither, and for what has more than MOST bytes, as a device may.
    """
    mode = os.stat(path).st_mode
    if not streams and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(0, "it is not a regular file", path)
    with open(path, "rb") as stream:
        data = stream.read(MOST + 1)
    if len(data) > MOST:
        raise OSError(errno.EFBIG, f"it has more than {MOST:,} bytes", path)
    return data


def git_environment() -> dict[str, str]:
    """What git is run with where it is only asked what it holds.

    A repository's own configuration may name programs that fetch what is missing, or that watch for changes: whoever
    judges a folder runs nothing of it.
    Source: https://git-scm.com/docs/git#Documentation/git.txt-codeGITNOLAZYFETCHcode
    """
    watching = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "false"}
    return {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", **watching}
