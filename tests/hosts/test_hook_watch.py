"""Whatever is done to judge a deployment, there is an answer in time, and nothing of it goes on."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from trailguard.hosts.hook_event import HookError
from trailguard.hosts.hook_watch import within


def test_what_the_work_gives_comes_back_whole() -> None:
    data = os.urandom(3_000_000)
    assert within(20, lambda: data) == data
    assert within(20, lambda: b"") == b""


def test_the_work_is_done_elsewhere() -> None:
    before = os.environ.copy()
    assert within(20, lambda: os.environ.update(CHANGED="1") or str(os.getpid()).encode()) != str(os.getpid()).encode()
    assert os.environ == before


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def forever() -> bytes:
        mark.write_text(str(os.getpid()))
        while True:
            time.sleep(0.01)

    began = time.monotonic()
    with pytest.raises(HookError, match=r"judging it takes longer than 0\.5 s"):
        within(0.5, forever)
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_what_cannot_be_interrupted_is_ended_too() -> None:
    def stubborn() -> bytes:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        return bytes(re.match("(a|aa)+$", "a" * 60 + "b") is None)

    began = time.monotonic()
    with pytest.raises(HookError, match="takes longer"):
        within(0.3, stubborn)
    assert time.monotonic() - began < 5


def test_half_an_answer_is_none() -> None:
    def killed() -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b"never"

    with pytest.raises(HookError, match="was killed by SIGKILL"):
        within(20, killed)


def test_work_that_fails_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HookError, match="ended with status 1"):
        within(20, lambda: bytes([1 // 0]))


def test_nothing_is_left_open() -> None:
    def asleep() -> bytes:
        time.sleep(9)
        return b"never"

    def children() -> list[str]:
        return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii").split()

    before, older = sorted(os.listdir("/proc/self/fd")), children()
    for _ in range(3):
        within(20, lambda: b"x")
        with pytest.raises(HookError):
            within(0.05, asleep)
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert children() == older


def test_without_processes_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert within(0, lambda: str(os.getpid()).encode()) == str(os.getpid()).encode()
