"""Fixes for reports: what of a report can be repaired, so that whoever reads it can do so."""

from __future__ import annotations

from collections.abc import Sequence

from trailguard.findings import Report
from trailguard.fixes.repairing import offered, with_fixes
from trailguard.judging.offers import key_of
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.scanning import Look, Tick
from trailguard.settings.settings import Settings


def look_at(
    paths: Sequence[str],
    settings: Settings,
    given: tuple[str, bytes] | None = None,
    world: Sequence[str] = (),
    jobs: int = 1,
    on: str = "",
    tick: Tick = lambda done, total, what: None,
) -> Look:
    """What is to be repaired, to be judged by all rules: a fix must not make any of them worse.

    `given` is the name and the bytes of one more file. Raises RuleError.
    """
    everything = settings._replace(profile="all", select=(), ignore=(), min_severity="info")
    return Look(paths, given, world, Task(everything, load(everything), on, repairs=True), jobs, tick)


def with_offers(report: Report, look: Look) -> Report:
    """The report of what the look is at, whose findings carry their fixes, the unsafe ones too."""
    wanted = [key_of(one) for one in report.results if one.is_fault]
    return with_fixes(report, offered(look, look.outcome(), wanted)) if wanted else report
