"""Spreads work over processes, so that it takes less time and gives the same.

A process takes some hundredths of a second to start, which a short scan does not win back. The processes are forked, so
that they find what is to be done in their memory, and are told one number after the other. So it is known what a
process was at when it was killed, and that alone is done again.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, NoReturn, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")

AUTO = 0  # as many processes as there are processors, where that saves time
_ENOUGH = 400  # things to judge: each takes some milliseconds, and processes get in the way of each other


def spread(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, lost: Callable[[Item, str], Result]
) -> Iterator[Result]:
    """What some work gives for each item, in the order of the items.

    `jobs` is the number of processes to work in. Where none can be forked, the work is done here. What a process was at
    when it was killed is done once more, in a process that has the memory for itself; when that is killed, too, `lost`
    says what comes of it, told how the process ended. All processes are gone when this ends, however it ends.
    """
    wanted = min(_processes(jobs, len(items)), len(items))
    if wanted < 2:
        yield from map(work, items)
        return
    crew = _Crew(work, items, lost)
    try:
        yield from crew.results(wanted)
    finally:
        crew.dismiss()


def _processes(jobs: int, size: int) -> int:
    """In how many processes something of a size is done."""
    if sys.platform != "linux":  # elsewhere, forking is not safe
        return 1
    if jobs != AUTO:
        return jobs
    return len(os.sched_getaffinity(0)) if size >= _ENOUGH else 1


class _Worker:
    """A process, the pipe to it, and the number of the item that it is at."""

    def __init__(self, process: int, pipe: Connection[int, bytes]) -> None:
        self.process = process
        self.pipe = pipe
        self.item: int | None = None

    def give(self, item: int) -> None:
        """Have the process do an item."""
        self.item = item
        with suppress(OSError):  # it has ended, which is found out by listening
            self.pipe.send(item)

    def answer(self) -> Any:
        """What doing the item gave; raises what that raised, and EOFError when the process has ended."""
        try:
            data = self.pipe.recv_bytes()
        except OSError:
            raise EOFError from None
        self.item = None
        done, value = pickle.loads(data)  # noqa: S301  # written by a process of ours
        if not done:
            raise value
        return value

    def end(self) -> str:
        """End the process, and tell how it ended."""
        self.pipe.close()
        try:
            os.kill(self.process, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        except (ProcessLookupError, ChildProcessError):  # somebody else has waited for it
            return "ended"
        if status >= 0:
            return f"ended with status {status}"
        names = {item.value: item.name for item in signal.Signals}
        return f"was killed by {names.get(-status, f'signal {-status}')}"


class _Crew(Generic[Item, Result]):
    """The processes that share some work."""

    def __init__(
        self, work: Callable[[Item], Result], items: Sequence[Item], lost: Callable[[Item, str], Result]
    ) -> None:
        self._work = work
        self._items = items
        self._lost = lost
        self._workers: list[_Worker] = []
        self._left = deque(range(len(items)))
        self._again: deque[int] = deque()  # what a process was at when it ended
        self._done: dict[int, Result] = {}

    def results(self, wanted: int) -> Iterator[Result]:
        """The results in the order of the items, worked out in as many processes as can be had of those wanted."""
        while len(self._workers) < wanted and self._fork():
            self._workers[-1].give(self._left.popleft())
        for number in range(len(self._items)):
            while number not in self._done:
                if any(worker.item is not None for worker in self._workers):
                    self._listen()
                else:
                    self._settle()
            yield self._done.pop(number)

    def dismiss(self) -> None:
        """End all processes, and wait until they are gone."""
        with _undisturbed():
            while self._workers:
                self._workers.pop().end()

    def _listen(self) -> None:
        """Wait until something is done or a process has ended."""
        from multiprocessing.connection import wait

        ready = wait([worker.pipe for worker in self._workers])
        for worker in [one for one in self._workers if one.pipe in ready]:
            number = worker.item
            try:
                value = worker.answer()
            except EOFError:
                self._replace(worker, number)
                continue
            if number is not None:
                self._done[number] = value
            if self._left:
                worker.give(self._left.popleft())

    def _replace(self, worker: _Worker, number: int | None) -> None:
        """Have another process in the place of one that has ended; what that was at is kept for the end."""
        with _undisturbed():
            self._workers.remove(worker)
            worker.end()
        if number is not None:
            self._again.append(number)
        if self._left and self._fork():
            self._workers[-1].give(self._left.popleft())

    def _settle(self) -> None:
        """Do one thing more when no process is at work: what is done again, or what no process could be had for."""
        self.dismiss()
        if self._left:
            number = self._left.popleft()
            self._done[number] = self._work(self._items[number])
            return
        number = self._again.popleft()
        if not self._fork():
            self._done[number] = self._lost(self._items[number], "ended")
            return
        worker = self._workers[0]
        worker.give(number)
        try:
            self._done[number] = worker.answer()
        except EOFError:
            with _undisturbed():
                self._workers.clear()
                how = worker.end()
            self._done[number] = self._lost(self._items[number], how)

    def _fork(self) -> bool:
        """Start a process; tell whether there is one more."""
        from multiprocessing import Pipe

        with _undisturbed() as usual:
            try:
                ours, theirs = Pipe()
            except OSError:
                return False
            try:
                process = os.fork()
            except OSError:
                ours.close()
                theirs.close()
                return False
            if process == 0:
                self._serve(theirs, [ours, *(worker.pipe for worker in self._workers)], usual)
            theirs.close()
            self._workers.append(_Worker(process, ours))
        return True

    def _serve(self, pipe: Connection[Any, Any], others: Sequence[Connection[Any, Any]], usual: set[int]) -> NoReturn:
        """Be a process that does what it is told, until nobody is there any more to tell it."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; whoever forked this one ends it
            for number in _ENDING:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, usual)
            for other in others:  # else these would seem to be in use when the process at their other end is gone
                other.close()
            while True:
                pipe.send_bytes(_answer(self._work, self._items[pipe.recv()]))
        finally:
            os._exit(0)  # whatever is left of the other process in this one is not for this one to write or to end


def _answer(work: Callable[[Item], object], item: Item) -> bytes:
    """Whether some work could be done, and what it gave or raised."""
    try:
        return pickle.dumps((True, work(item)))
    except Exception as error:
        try:
            told = pickle.dumps((False, error))
            pickle.loads(told)  # noqa: S301  # not every exception can be made again
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return told


_ENDING = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


@contextmanager
def _undisturbed() -> Iterator[set[int]]:
    """Put signals off, so that no process is started and forgotten; gives the signals that were put off before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *_ENDING))
    try:
        yield {int(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
