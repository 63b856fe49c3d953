"""Standard output and standard error: a closed pipe ends quietly, and nothing of a template steers a terminal."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

DEBUG = "TRAILGUARD_DEBUG"


def read_input() -> bytes:
    """All of standard input; raises UserError when there is none, or no end to it."""
    from trailguard.errors import UserError
    from trailguard.inputs import MOST

    if sys.stdin is None:
        raise UserError("", 0, 0, "standard input is closed")
    try:
        data = sys.stdin.buffer.read(MOST + 1)
    except OSError as error:
        raise UserError("", 0, 0, f"standard input cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > MOST:
        raise UserError("", 0, 0, f"standard input has more than {MOST:,} bytes; CloudFormation takes 1 MB")
    return data


def write(text: str) -> int:
    """Write to standard output; a reader who has gone away is no error, a full disk is."""
    return 0 if sys.stdout is None else _put(sys.stdout, text)


def write_bytes(data: bytes) -> int:
    """Write bytes to standard output as they are; likewise."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        return write(data.decode("utf-8", "replace"))
    flush(sys.stdout)
    return _put(stream, data)


def _put(stream: Any, data: str | bytes) -> int:
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        say(f"error: standard output: {error.strerror}")
        return 2
    return 0


def say(message: str) -> None:
    """Tell something on standard error, in which nothing of a template or a file name can be an escape sequence."""
    from trailguard.terminal import defuse, visible

    try:
        if sys.stderr is not None:
            sys.stderr.write("\n".join(map(visible, defuse(message).split("\n"))) + "\n")
    except OSError:
        _silence(sys.stderr)


def refuse(error: Exception) -> int:
    """Say what stops the command: the user's configuration, rule or file, or a bug of ours."""
    from trailguard.errors import UserError

    if isinstance(error, UserError):
        say(f"error: {error}")
    elif isinstance(error, OSError) and error.strerror:
        say(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror}")
    else:
        say(f"error: internal error: {type(error).__name__}: {error} (set {DEBUG}=1 to see where; please report it)")
    return 2


def shown(path: str) -> str:
    """A path that the user gave, in messages."""
    return "standard input" if path == "-" else path


def reconfigure(stream: IO[str] | None, **how: str) -> None:
    """Change the encoding or the line ends of a stream, where it has any."""
    change = getattr(stream, "reconfigure", None)
    if change is not None:
        change(**how)


def flush(stream: IO[str] | None) -> None:
    """Write what is left in a stream; nobody to read it is no error."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        _silence(stream)


def _silence(stream: IO[str] | None) -> None:
    """Send what is left to nowhere, so that the interpreter does not complain when it flushes at its end."""
    try:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass
