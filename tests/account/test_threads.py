"""Threads that work things off: in order, with their errors, and without waiting for themselves."""

from __future__ import annotations

import threading

import pytest

from trailguard.account.threads import Threads


def test_results_have_the_order_of_the_items() -> None:
    with Threads(4) as threads:
        assert threads.map(lambda number: number * number, range(50)) == [number * number for number in range(50)]


def test_several_work_at_once() -> None:
    together = threading.Barrier(3)
    with Threads(3) as threads:
        threads.map(lambda _: together.wait(10), range(3))


def test_one_that_asks_for_more_does_it_itself() -> None:
    """Otherwise one thread would wait for itself, and sixteen for each other."""

    def twice(number: int) -> list[int]:
        return threads.map(lambda inner: inner + number, range(2))

    with Threads(1) as threads:
        assert threads.submit(threads.map, twice, [10, 20]).result(10) == [[10, 11], [20, 21]]


def test_the_first_error_is_raised_when_all_are_done() -> None:
    done = []

    def fail(number: int) -> None:
        done.append(number)
        if number in (1, 2):
            raise ValueError(number)

    with Threads(1) as threads, pytest.raises(ValueError, match="1"):
        threads.map(fail, range(4))
    assert done == [0, 1, 2, 3]


def test_they_end_with_their_context() -> None:
    together = threading.Barrier(5)

    def work(_: int) -> threading.Thread:
        together.wait(10)
        return threading.current_thread()

    with Threads(5) as threads:
        workers = threads.map(work, range(5))
        assert len(set(workers)) == 5
    for worker in workers:
        worker.join(10)
        assert not worker.is_alive()
