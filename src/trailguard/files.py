"""Writes files beside the old ones, then puts them in their place: a full disk leaves the old ones as they were."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

_TRIES = 100  # names that others of our own may have left behind


def replace(path: str, text: str) -> None:
    """Write a text in UTF-8 to a file, or leave what was there as it was; raises OSError. See `replace_bytes`."""
    replace_bytes(path, text.encode("utf-8", "backslashreplace"))


def replace_bytes(path: str, data: bytes) -> None:
    """Write bytes to a file, or leave what was there as it was; raises OSError.

    The file keeps its permissions. A symbolic link is followed, and stays. What is not a regular file (a pipe,
    /dev/stdout) is written to as it is, and so is what nothing can be put in the place of.
    """
    if _takes_bytes_only(path):
        _overwrite(path, data)
        return
    target = os.path.realpath(path)
    try:
        old = os.stat(target)
    except FileNotFoundError:
        old = None
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", path)
    try:
        beside, number = _beside(target, 0o666 if old is None else stat.S_IMODE(old.st_mode))
    except PermissionError:
        if old is None:
            raise
        _overwrite(target, data)  # its folder takes no new files
        return
    try:
        _fill(number, data, old)
        _put(beside, target, data, old)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)


def create(path: str, text: str) -> None:
    """Write a text in UTF-8 to a file that is not there yet; raises FileExistsError when it is, OSError otherwise.

    What is there but is not a regular file, as a pipe or /dev/stdout, is written to.
    """
    if _takes_bytes_only(path):
        _overwrite(path, text.encode())
        return
    with open(path, "xb") as stream:
        try:
            stream.write(text.encode())
            stream.flush()
        except OSError:
            os.unlink(path)
            raise


def cannot_write(path: str, error: Exception) -> str:
    """What is said of a file that cannot be written."""
    why = getattr(error, "strerror", None) or str(error)
    return f"{path}: cannot be written: {why[:1].lower()}{why[1:]}"


def _takes_bytes_only(path: str) -> bool:
    """Tell whether nothing can be put in the place of what a path leads to: a pipe, a device, an open file."""
    seen = os.path.abspath(path)
    for _ in range(40):  # as many links as Linux follows
        if seen.startswith(
            ("/dev/", "/proc/")
        ):  # /dev/stdout may lead to a regular file, which others write to as well
            return True
        if not os.path.islink(seen):
            break
        seen = os.path.normpath(os.path.join(os.path.dirname(seen), os.readlink(seen)))
    return os.path.exists(path) and not os.path.isfile(path)


def _beside(target: str, mode: int) -> tuple[str, int]:
    """Make a file in the folder of another one; gives its path and the number of the open file."""
    folder = os.path.dirname(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    for count in range(_TRIES):
        path = os.path.join(folder, f".trailguard-{os.getpid()}-{count}.tmp")
        with suppress(FileExistsError):
            return path, os.open(path, flags, mode)
    raise FileExistsError(17, "too many unfinished files are beside it", target)


def _fill(number: int, data: bytes, old: os.stat_result | None) -> None:
    """Write all of a file, down to the disk, and give it the permissions of another one."""
    with open(number, "wb") as stream:
        if old is not None and hasattr(os, "fchmod"):
            with suppress(OSError):  # only root may give files away
                os.fchown(number, old.st_uid, old.st_gid)
            with suppress(OSError):
                os.fchmod(number, stat.S_IMODE(old.st_mode))
        stream.write(data)
        stream.flush()
        os.fsync(number)  # some file systems say only now that there is no room


def _put(beside: str, target: str, data: bytes, old: os.stat_result | None) -> None:
    """Put a file in the place of another one."""
    try:
        os.replace(beside, target)
    except OSError:
        if old is None:
            raise
        _overwrite(target, data)  # mounted by itself, in a folder whose files only their owners may replace


def _overwrite(path: str, data: bytes) -> None:
    """Write over what is there."""
    with open(path, "wb") as stream:
        stream.write(data)
