"""Compares `trailguard scan` with its peers, side by side in one run: `python bench/compare.py [FOLDER ...]`.

Prints Markdown tables. Every number in them is measured while you wait; see README.md for what each contestant does.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import contestants
import folders
import hostile_inputs
from contestants import REFERENCE, Contestant
from measure import Result, interleave, own_peak_mib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "compliant" / "audit-trail.yaml"
MULTIPLES = (1, 2, 4)
RICH = (
    "chain-of-optional-resources", "optional-statements", "rules-over-used-lists", "filters-and-alarms",
    "regions-in-a-map",
)  # fmt: skip
CASES = ("one", "rich", "folders", "linear")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print it."""
    options = _options(arguments)
    if options.install:
        contestants.install(options.install.resolve())
    peers = options.install or options.peers
    everyone = contestants.line_up(peers.resolve() if peers else None)
    wanted = [one for one in everyone if not options.only or one.name in {REFERENCE, *options.only}]
    present = [one for one in wanted if one.version]
    _print_header(wanted, own_peak_mib())
    with tempfile.TemporaryDirectory(prefix="trailguard-bench-") as scratch:
        _measure(options, present, Path(scratch))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare.py", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="folders to scan (default: made up)")
    parser.add_argument("--install", type=Path, metavar="DIR", help="make a virtual environment there with the peers")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="use the peers that --install put there")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this contestant (repeatable)")
    parser.add_argument("--case", action="append", choices=CASES, help="this case (repeatable; default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contestant (default: %(default)s)")
    parser.add_argument(
        "--repeat-limit",
        type=float,
        default=30,
        metavar="SECONDS",
        help="a contestant that takes longer runs once (default: %(default)s)",
    )
    parser.add_argument(
        "--time-limit", type=float, default=900, metavar="SECONDS", help="then it is killed (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    for folder in options.folders:
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder")
    return options


def _measure(options: argparse.Namespace, present: Sequence[Contestant], scratch: Path) -> None:
    cases = options.case or CASES
    if "one" in cases:
        template = EXAMPLE if EXAMPLE.exists() else folders.trails(scratch / "one", 1) / "team-0" / "trail-0.yaml"
        _print_case(f"One template, cold start: {template.name}", _compare(options, present, template))
    if "rich" in cases:
        folder = _rich(scratch / "rich")
        _print_case(f"{_count(folder)} condition-rich templates", _compare(options, present, folder))
    chosen = [folder.resolve() for folder in options.folders]
    if not chosen and {"folders", "linear"} & set(cases):
        chosen = [folders.trails(scratch / "trails"), folders.ordinary(scratch / "many")]
    if "folders" in cases:
        for folder in chosen:
            _print_case(f"Folder {folder.name}, {_count(folder)} files", _compare(options, present, folder))
    if "linear" in cases:
        _linear(options, present, chosen[0], scratch)
    if "crowd" in cases:
        source = chosen[0] if chosen else folders.ordinary(scratch / "source")
        crowd = folders.crowd(scratch / "crowd", source)
        _print_case(f"A crowd of {_count(crowd)} files", _compare(options, present, crowd))


def _rich(folder: Path) -> Path:
    """Templates in which many things are optional, each by a parameter of its own."""
    for name in RICH:
        made = hostile_inputs.CASES[name]
        for path, content in made.make(made.full).items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    return folder


def _compare(options: argparse.Namespace, present: Sequence[Contestant], target: Path) -> dict[str, Result]:
    commands = {one.name: one.command(str(target)) for one in present}
    return interleave(
        commands,
        contestants.environment,
        rounds=options.rounds,
        repeat_limit=options.repeat_limit,
        time_limit=options.time_limit,
    )


def _linear(options: argparse.Namespace, present: Sequence[Contestant], folder: Path, scratch: Path) -> None:
    """Time per file for 1, 2 and 4 copies of a folder: a column that grows is a tool that slows down."""
    results = {}
    for multiple in MULTIPLES:
        target = folders.copies(folder, scratch / f"x{multiple}", multiple)
        results[multiple] = _compare(options, present, target)
    files = _count(folder)
    print(f"\n### Milliseconds a file, for 1, 2 and 4 copies of {folder.name} ({files} files)\n")
    print("| tool | " + " | ".join(f"{multiple}x" for multiple in MULTIPLES) + " | 4x against 1x |")
    print("| --- |" + " ---: |" * (len(MULTIPLES) + 1))
    for one in present:
        each = [1000 * results[multiple][one.name].seconds / (files * multiple) for multiple in MULTIPLES]
        cells = [f"{milliseconds:.2f}" for milliseconds in each]
        print(f"| {one.name} | {' | '.join(cells)} | {each[-1] / each[0]:.2f} |")


def _print_header(everyone: Sequence[Contestant], floor: float) -> None:
    print("# trailguard and its peers\n")
    print(f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print(f"Memory below {floor:.0f} MiB cannot be told apart.\n")
    print("| tool | version | does |\n| --- | --- | --- |")
    for one in everyone:
        print(f"| {one.name} | {one.version or 'not installed'} | {one.does} |")


def _print_case(title: str, results: Mapping[str, Result]) -> None:
    """Print the table of a case. The ratios say how many times trailguard's own figure each tool needs."""
    print(f"\n### {title}\n")
    print("| tool | seconds | x trailguard | peak MiB | x trailguard | runs | exit | |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    own = results.get(REFERENCE)
    for name, result in results.items():
        time_ratio = _ratio(result.seconds, own.seconds if own else 0)
        memory_ratio = _ratio(result.peak_mib, own.peak_mib if own else 0)
        print(
            f"| {name} | {result.seconds:.3f} | {time_ratio} | {result.peak_mib:.0f} | {memory_ratio}"
            f" | {result.runs} | {result.status} | {result.complaint} |"
        )
    sys.stdout.flush()


def _ratio(value: float, own: float) -> str:
    return f"{value / own:.1f}" if own else "-"


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


if __name__ == "__main__":
    sys.exit(main())
