"""Work that is spread over processes gives the same, in the same order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from trailguard.errors import ConfigError
from trailguard.judging.spreading import AUTO
from trailguard.judging.spreading import spread as spread_or_lose


def spread(work: Any, items: Sequence[Any], jobs: int) -> Iterator[Any]:
    return spread_or_lose(work, items, jobs, lambda item, how: f"{item} {how}")


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


def dies_at(*bad: int, number: int = signal.SIGKILL) -> Any:
    def work(item: int) -> int:
        if item in bad:
            os.kill(os.getpid(), number)
            time.sleep(10)
        return item

    return work


Children = Callable[[], list[str]]


@pytest.fixture
def children() -> Children:
    """Asks for the processes that this one has started during the test and not waited for."""

    def of_this_thread() -> list[str]:
        return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()

    before = of_this_thread()
    return lambda: [child for child in of_this_thread() if child not in before]


@pytest.mark.parametrize("bad", [(), (0,), (7,), (3, 4), tuple(range(9)), tuple(range(10))])
@pytest.mark.parametrize("jobs", [2, 3])
def test_a_killed_process_loses_nothing_but_what_kills_it(bad: tuple[int, ...], jobs: int, children: Children) -> None:
    found = list(spread(dies_at(*bad), range(10), jobs))
    assert found == [f"{item} was killed by SIGKILL" if item in bad else item for item in range(10)]
    assert children() == []


def test_what_a_killed_process_was_at_is_done_again(tmp_path: Path) -> None:
    def once(item: int) -> int:
        mark = tmp_path / str(item)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert list(spread(once, range(6), 2)) == list(range(6))


def test_how_a_process_ended_is_told() -> None:
    assert list(spread(lambda item: os._exit(3), range(2), 2)) == ["0 ended with status 3", "1 ended with status 3"]
    assert next(spread(dies_at(0, number=signal.SIGTERM), range(2), 2)) == "0 was killed by SIGTERM"


@pytest.mark.parametrize("error", [ValueError("bad"), ConfigError("a.yaml", 1, 2, "bad")])
def test_what_work_raises_is_raised(error: Exception, children: Children) -> None:
    def work(item: int) -> int:
        if item == 5:
            raise error
        return item

    found = spread(work, range(8), 2)
    with pytest.raises(Exception, match="bad"):
        list(found)
    assert children() == []


def test_a_result_that_cannot_be_handed_over_is_an_error() -> None:
    with pytest.raises(Exception, match="pickle"):
        list(spread(lambda item: lambda: item, range(4), 2))


def test_no_process_outlives_what_nobody_asks_for_any_more(children: Children) -> None:
    found = spread(lambda item: time.sleep(60 * bool(item)), range(4), 3)
    next(found)
    assert len(children()) == 3
    found.close()  # type: ignore[attr-defined]
    assert children() == []


def test_large_results_come_whole() -> None:
    assert [len(text) for text in spread(lambda item: "x" * item * 300_000, range(9), 2)] == [
        item * 300_000 for item in range(9)
    ]


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_where_no_more_processes_can_be_had(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, here = os.fork, os.getpid()
    forked: list[int] = []

    def few() -> int:
        if len(forked) >= allowed:
            raise BlockingIOError
        forked.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", few)
    assert list(spread(str, range(20), 4)) == [str(item) for item in range(20)]
    forked.clear()
    dying = lambda item: os.getpid() if os.getpid() == here else os._exit(1)  # noqa: E731
    found = list(spread(dying, range(5), 2))
    assert found[allowed:] == [here] * (5 - allowed)
    assert found[:allowed] == [f"{item} ended" for item in range(allowed)]


def test_a_scan_may_spread_work_twice() -> None:
    assert list(spread(str, range(6), 2)) == list("012345")
    assert list(spread(bool, range(3), 2)) == [False, True, True]
