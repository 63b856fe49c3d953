"""Standard input line by line, without keeping a process alive that is to end.

The SDK reads in a thread that is waited for: a server that a signal ends would then wait for its client's next line.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress


class Lines:
    """The lines of a file descriptor, decoded; a new line is read when the one before was taken."""

    def __init__(self, number: int) -> None:
        self._stream = os.fdopen(os.dup(number), "rb")
        self._lines: asyncio.Queue[str | None] = asyncio.Queue(1)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name="standard input", daemon=True).start()

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        """The next line; it is waited for as long as somebody waits."""
        line = await self._lines.get()
        if line is None:
            raise StopAsyncIteration
        return line

    def _read(self) -> None:
        with suppress(RuntimeError, OSError):  # the loop has ended, or there is nothing to read from
            for line in self._stream:
                self._put(line.decode("utf-8", "replace"))
        with suppress(RuntimeError):
            self._put(None)

    def _put(self, line: str | None) -> None:
        """Hand a line over, and wait until it is wanted; raises RuntimeError when the loop has ended."""
        waiting = self._lines.put(line)
        try:
            asyncio.run_coroutine_threadsafe(waiting, self._loop).result()
        except RuntimeError:
            waiting.close()
            raise
