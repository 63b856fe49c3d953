"""Spreads work over processes, so that it takes less time and gives the same.

A process takes some hundredths of a second to start, which a short scan does not win back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AUTO = 0  # as many processes as there are processors, where that saves time
_ENOUGH = 400  # things to judge: each takes some milliseconds, and processes get in the way of each other

_shared: list[tuple[Callable[[Any], Any], Sequence[Any]]] = []  # what forked processes find in their memory


def spread(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """What some work gives for each item, in the order of the items.

    `jobs` is the number of processes to work in. Where processes cannot be forked, the work is done here.
    Raises BrokenProcessPool when one of the processes is killed: no result is passed over.
    """
    processes = min(_processes(jobs, len(items)), len(items))
    if processes < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    _shared.append((work, items))
    try:
        with ProcessPoolExecutor(processes, get_context("fork")) as pool:
            yield from pool.map(_done, range(len(items)), chunksize=max(1, len(items) // (processes * 4)))
    finally:
        _shared.pop()


def _done(index: int) -> Any:
    work, items = _shared[-1]
    return work(items[index])


def _processes(jobs: int, size: int) -> int:
    """In how many processes something of a size is done."""
    if sys.platform != "linux":  # elsewhere, forking is not safe
        return 1
    if jobs != AUTO:
        return jobs
    return len(os.sched_getaffinity(0)) if size >= _ENOUGH else 1
