"""Threads that do not keep a process from ending: after Ctrl-C, answers that are under way are not waited for."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")
    Result = TypeVar("Result")


class Threads:
    """Some threads that work off what they are handed; what they are doing when the process ends is dropped."""

    def __init__(self, number: int) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = queue.SimpleQueue()
        for _ in range(number):
            threading.Thread(target=self._work, daemon=True).start()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Have a function called in a thread."""
        future: Future[Result] = Future()
        self._tasks.put((future, function, arguments))
        return future

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results for some items in their order; raises the first error, when the others are done with."""
        futures = [self.submit(function, item) for item in items]
        failed = [error for error in [future.exception() for future in futures] if error is not None]
        if failed:
            raise failed[0]
        return [future.result() for future in futures]

    def _work(self) -> None:
        while True:
            future, function, arguments = self._tasks.get()
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)
