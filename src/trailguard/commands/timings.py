"""`trailguard scan --profile-time`: which templates, and which rules on them, took how long."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from trailguard.findings import Report, Timing

MOST = 10  # templates, and rules, that are named


def summary(report: Report) -> str:
    """What took how long, the slowest first, in seconds of CPU; what several rules need counts for the first one."""
    judging = sum(timing.seconds for timing in report.timings)
    rest = max(time.process_time() - judging, 0.0)
    return "\n".join(
        [
            f"time: {judging:.2f} s judging, {rest:.2f} s for all else (starting, reading, linking, writing)",
            *_slowest("templates", report.timings, lambda timing: timing.file),
            *_slowest("rules", report.timings, lambda timing: timing.rule),
            *_slowest("rules on a template", report.timings, lambda timing: f"{timing.rule} {timing.file}"),
        ]
    )


def _slowest(what: str, timings: Iterable[Timing], name: Callable[[Timing], str]) -> Iterator[str]:
    """The slowest of some kind, with their times."""
    total: defaultdict[str, float] = defaultdict(float)
    for timing in timings:
        total[name(timing)] += timing.seconds
    if len(total) > 1:
        yield f"slowest {what}:"
        ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
        yield from (f"  {seconds:8.3f} s  {label}" for label, seconds in ranked[:MOST])
