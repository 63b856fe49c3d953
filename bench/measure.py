"""Runs commands and says how long each took and how much memory it held at most."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MEBIBYTE_IN_KIB = 1024


class Run(NamedTuple):
    """One run of one command. `complaint` says what went wrong and is empty when nothing did."""

    seconds: float
    peak_mib: float
    status: int
    complaint: str


class Result(NamedTuple):
    """The median of a command's runs."""

    seconds: float
    peak_mib: float
    runs: int
    status: int
    complaint: str


def run_once(command: Sequence[str], environment: Mapping[str, str], time_limit: float) -> Run:
    """Run a command to its end, or kill it with all its children when the time is up."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=dict(environment),
            start_new_session=True,
        )
        timer = threading.Timer(time_limit, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            _, wait_status, usage = os.wait4(process.pid, 0)
        except BaseException:  # Ctrl-C: the child leads a session of its own and would live on
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(wait_status)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    complaint = f"killed after {time_limit:.0f} s" if seconds >= time_limit else _complaint(process.returncode, said)
    return Run(seconds, usage.ru_maxrss / MEBIBYTE_IN_KIB, process.returncode, complaint)


def _complaint(status: int, said: str) -> str:
    if status < 0:
        return f"died of {signal.Signals(-status).name}"
    if "Traceback (most recent call last)" in said:
        return "traceback: " + said.strip().splitlines()[-1][:100]
    return ""


def interleave(
    commands: Mapping[str, Sequence[str]],
    environment: Callable[[str], Mapping[str, str]],
    *,
    rounds: int,
    repeat_limit: float,
    time_limit: float,
) -> dict[str, Result]:
    """Run A B C A B C ...; a command whose first run took longer than `repeat_limit` seconds runs only once."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            if not runs[name] or runs[name][0].seconds <= repeat_limit:
                runs[name].append(run_once(command, environment(name), time_limit))
    return {name: _summary(done) for name, done in runs.items()}


def _summary(runs: Sequence[Run]) -> Result:
    return Result(
        seconds=median(run.seconds for run in runs),
        peak_mib=median(run.peak_mib for run in runs),
        runs=len(runs),
        status=runs[-1].status,
        complaint=next((run.complaint for run in runs if run.complaint), ""),
    )


def own_peak_mib() -> float:
    """Measure what a child is charged with that needs no memory: Linux counts the parent's pages before the exec."""
    return run_once(["true"], os.environ, 60).peak_mib
