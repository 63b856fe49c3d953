"""What do small inputs cost that were written to cost much? Prints Markdown.

    python bench/hostile.py [--case NAME] [--scale 1] [--limit 60] [--profile all]

Each case of hostile_inputs.py is scanned in a process of its own. The last columns count: 5 s of CPU and 500 MB are the
most that anything may take which AWS accepts, and the ratio is to the plainest good template.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hostile_inputs import CASES, Case, Files

ROOT = Path(__file__).resolve().parent.parent
PLAINEST = "plainest"
START = """\
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
runpy.run_module("trailguard", run_name="__main__", alter_sys=True)
"""


class Cost(NamedTuple):
    """CPU seconds and peak memory of a scan, and what it said; "killed" when it took too long."""

    seconds: float
    peak_mib: float
    said: str


def write(files: Files, folder: Path) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def scan(folder: Path, profile: str, limit: int, environment: Mapping[str, str]) -> tuple[Cost, bytes]:
    """Scan a folder in a process of its own."""
    command = [sys.executable, "-c", START, str(limit), "scan", ".", "--profile", profile, "--format", "json"]
    with tempfile.TemporaryFile() as report:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdout=report,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        report.seek(0)
        said = "killed" if process.returncode < 0 else ""
        return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said), report.read()


def verdict(case: Case, report: bytes) -> str:
    """What a report says of the case."""
    found = json.loads(report)
    if found["errors"]:
        return "refused"
    return ", ".join(sorted({item["verdict"] for item in found["results"] if item["rule"] == case.rule}))


def measure(case: Case, options: argparse.Namespace) -> Cost:
    """What a case costs, and whether the answer is right."""
    size = max(case.small, int(case.full * options.scale))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with tempfile.TemporaryDirectory() as scratch:
        write(case.make(size), Path(scratch))
        cost, report = scan(Path(scratch), options.profile, options.limit, environment)
    if cost.said:
        return cost
    said = verdict(case, report)
    return cost._replace(said=said if said == case.verdict else f"{said}, not {case.verdict}")


def main() -> None:
    """Measure each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="only this one; may be repeated")
    parser.add_argument("--scale", type=float, default=1, help="factor for all sizes")
    parser.add_argument("--limit", type=int, default=60, help="seconds of CPU after which a scan is killed")
    parser.add_argument("--profile", default="all")
    options = parser.parse_args()
    plainest = measure(CASES[PLAINEST], options)
    print("| case | size | CPU s | peak MB | ratio | answer |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.case or CASES:
        cost = plainest if name == PLAINEST else measure(CASES[name], options)
        size = max(CASES[name].small, int(CASES[name].full * options.scale))
        ratio = cost.seconds / plainest.seconds
        print(f"| {name} | {size} | {cost.seconds:.2f} | {cost.peak_mib:.0f} | {ratio:.1f} | {cost.said} |", flush=True)


if __name__ == "__main__":
    main()
