"""Has something done in a process of its own, so that there is an answer in time whatever it does.

A thread cannot be stopped, and would go on when Lambda calls the function again. A process can, and gives back all
that it took.
"""

from __future__ import annotations

import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from typing import NoReturn

from trailguard.hosts.hook_event import HookError

_CHUNK = 1 << 16


def within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """What some work gives; raises HookError when that takes too long, or its process ends without having done it.

    Where no process can be forked, as on Windows, the work is done here, and nothing stops it.
    """
    if not hasattr(os, "fork"):
        return work()
    end = time.monotonic() + seconds
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn where there are other threads; the new process needs nothing of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        os.close(ours)
        _serve(theirs, work)
    os.close(theirs)
    data: bytes | None = None
    try:
        data = _heard(ours, end)
    finally:
        os.close(ours)
        if data is None:
            os.kill(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if data is None:
        raise HookError(f"judging it takes longer than {seconds:.1f} s")
    if status:
        raise HookError(f"the process that judged it {_ended(status)}")
    return data


def _serve(pipe: int, work: Callable[[], bytes]) -> NoReturn:
    """Be the process that does the work."""
    status = 1
    try:
        left = memoryview(work())
        while left:
            left = left[os.write(pipe, left) :]
        status = 0
    finally:
        os._exit(status)  # nothing else of the other process is for this one to end


def _heard(pipe: int, end: float) -> bytes | None:
    """All that comes through a pipe until nobody holds its other end; None when it does not end in time."""
    data = bytearray()
    while (left := end - time.monotonic()) > 0 and select.select([pipe], [], [], left)[0]:
        chunk = os.read(pipe, _CHUNK)
        if not chunk:
            return bytes(data)
        data += chunk
    return None


def _ended(status: int) -> str:
    if status > 0:
        return f"ended with status {status}"
    names = {item.value: item.name for item in signal.Signals}
    return f"was killed by {names.get(-status, f'signal {-status}')}"
