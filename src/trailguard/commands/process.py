"""What trailguard does with the process that is its own: its standard streams, the signals that end it, warnings."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import NoReturn


class Ended(BaseException):
    """Somebody ended the process by a signal: all that was begun is undone on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def own_process() -> None:
    """Take the process over, for a command that runs in it alone."""
    if not os.environ.get("TRAILGUARD_DEBUG"):
        warnings.simplefilter("ignore")  # they are for whoever works on trailguard, whatever Python was told
    _fill_gaps()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, _end)


def _end(number: int, _: object) -> NoReturn:
    """Unwind, so that no process and no unfinished file is left behind; one more signal does not stop that."""
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Ended(number)


def _fill_gaps() -> None:
    """Have something at the numbers of streams that are closed, so that no file that is opened gets them.

    What is written to a closed stream goes nowhere; that standard input is closed is said when it is asked for.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
            if name != "stdin":
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
