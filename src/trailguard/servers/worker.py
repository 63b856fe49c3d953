"""One thread that judges, so that the other one always listens; and work that ends early when it is of no more use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")
Heed = Callable[[], None]


class Stale(BaseException):
    """Nobody waits for the answer any more. Not an Exception, so that no part of the work takes it for a fault."""


class Worker:
    """A thread in which one piece of work is done after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "judging")
        self._current = threading.Event()

    def interrupt(self) -> None:
        """End all that has begun or waits: what it is about has changed."""
        self._current.set()
        self._current = threading.Event()

    async def do(self, work: Callable[[Heed], Answer]) -> Answer:
        """Do some work. Raises Stale when it was interrupted; when the caller is cancelled, the work ends, too."""
        dropped, changed = threading.Event(), self._current

        def heed() -> None:
            if dropped.is_set() or changed.is_set():
                raise Stale

        def run() -> tuple[Answer | None, BaseException | None]:
            try:
                heed()
                return work(heed), None
            except BaseException as error:
                return None, error

        try:
            answer, error = await asyncio.get_running_loop().run_in_executor(self._thread, run)
        except asyncio.CancelledError:
            dropped.set()
            raise
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]

    def close(self) -> None:
        """End all work, and the thread."""
        self.interrupt()
        self._thread.shutdown(wait=True, cancel_futures=True)
