"""Work that is spread over processes gives the same, in the same order."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from trailguard.judging.spreading import AUTO, spread


def here(item: int) -> tuple[int, int]:
    return item, os.getpid()


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert [item for item, _ in spread(here, range(100), jobs)] == list(range(100))


def test_several_processes_work() -> None:
    assert os.getpid() not in {process for _, process in spread(here, range(100), 2)}


def test_one_thing_is_done_here() -> None:
    assert list(spread(here, [7], 4)) == [(7, os.getpid())]


def test_auto_starts_no_process_for_a_short_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    assert {process for _, process in spread(here, range(10), AUTO)} == {os.getpid()}
    assert os.getpid() not in {process for _, process in spread(here, range(1000), AUTO)}


def test_one_processor_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    assert {process for _, process in spread(here, range(1000), AUTO)} == {os.getpid()}


def test_where_processes_cannot_be_forked_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert {process for _, process in spread(here, range(10), 2)} == {os.getpid()}


def test_a_killed_process_loses_nothing_in_silence() -> None:
    with pytest.raises(BrokenProcessPool):
        list(spread(lambda item: os._exit(1), range(10), 2))


def test_a_scan_may_spread_work_twice() -> None:
    assert list(spread(str, range(6), 2)) == list("012345")
    assert list(spread(bool, range(3), 2)) == [False, True, True]
