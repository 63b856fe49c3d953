"""Before any test: an interrupt is heard, whoever runs the tests, and where it is asked for, examples are the same."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background, which processes of tests inherit
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("same", derandomize=True, deadline=None)
if os.environ.get("TRAILGUARD_SAME_EXAMPLES"):  # a gate that fails now and then teaches people to ignore it
    settings.load_profile("same")
