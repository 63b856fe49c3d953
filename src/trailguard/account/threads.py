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
    """Some threads that work off what they are handed, as a context; at its end they finish what they are doing.

    What they are doing when the process ends is dropped. One of them that asks for more does that itself: it would wait
    for a place that it takes.
    """

    def __init__(self, number: int) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None]
        self._tasks = queue.SimpleQueue()
        self._number = number
        self._here = threading.local()
        for _ in range(number):
            threading.Thread(target=self._work, daemon=True).start()

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in range(self._number):
            self._tasks.put(None)

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Have a function called in a thread."""
        future: Future[Result] = Future()
        self._tasks.put((future, function, arguments))
        return future

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results for some items in their order; raises the first error, when the others are done with."""
        if getattr(self._here, "is_one", False):
            return [function(item) for item in items]
        futures = [self.submit(function, item) for item in items]
        failed = [error for error in [future.exception() for future in futures] if error is not None]
        if failed:
            raise failed[0]
        return [future.result() for future in futures]

    def _work(self) -> None:
        self._here.is_one = True
        while (task := self._tasks.get()) is not None:
            future, function, arguments = task
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)
