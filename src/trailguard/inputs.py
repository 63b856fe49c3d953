"""Reads whole files that a user names, or a configuration that may come from anybody: there must be an end to them."""

from __future__ import annotations

import errno

MOST = 64_000_000  # bytes


def content(path: str) -> bytes:
    """All of a file or pipe; raises OSError, also when it has more than MOST bytes, as a device may."""
    with open(path, "rb") as stream:
        data = stream.read(MOST + 1)
    if len(data) > MOST:
        raise OSError(errno.EFBIG, f"it has more than {MOST:,} bytes", path)
    return data
