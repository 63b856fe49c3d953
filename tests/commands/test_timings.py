"""`--profile-time`: what took how long, on standard error, beside a report that it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ROOT
from trailguard.commands.cli import main
from trailguard.commands.timings import MOST, summary
from trailguard.findings import Report, Timing

EMPTY = Report("1", "default", (), (), (), (), {}, 0, 0, 0)


def test_the_slowest_come_first_and_a_few_of_them() -> None:
    timings = tuple(Timing(f"t{number:02}.yaml", "TG101", float(number)) for number in range(1, 13))
    lines = summary(EMPTY._replace(timings=(*timings, Timing("t12.yaml", "TG203", 0.5)))).splitlines()
    assert lines[0].startswith("time: 78.50 s judging, ")
    assert lines[1:4] == ["slowest templates:", "    12.500 s  t12.yaml", "    11.000 s  t11.yaml"]
    rules = lines.index("slowest rules:")
    assert rules == 2 + MOST
    assert lines[rules + 1 : rules + 3] == ["    78.000 s  TG101", "     0.500 s  TG203"]
    assert lines[rules + 3 : rules + 5] == ["slowest rules on a template:", "    12.000 s  TG101 t12.yaml"]


def test_nothing_judged_is_no_time() -> None:
    (line,) = summary(EMPTY).splitlines()
    assert line.startswith("time: 0.00 s judging, ")


def test_the_report_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    paths = ["examples/stacks/imported", "examples/broken/single-region.yaml", "--no-config", "--format", "json"]
    status = main(["scan", *paths])
    plain = capsys.readouterr()
    assert main(["scan", *paths, "--profile-time"]) == status
    timed = capsys.readouterr()
    assert timed.out == plain.out
    assert timed.err.startswith(plain.err)
    for told in ("slowest templates:", "examples/broken/single-region.yaml", "examples/stacks/imported/", "TG203"):
        assert told in timed.err
