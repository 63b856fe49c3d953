"""What do trailguard's rules add to cfn-lint's and checkov's own time on a folder? Prints Markdown.

    python bench/inside.py [--cfn-lint PROGRAM] [--checkov PROGRAM] [--rounds 5] [FOLDER ...]

Each linter runs on the templates of the folder without and with our rules, in turns; the last column counts. Without a
folder, one of 200 templates is made up, of which 36 hold a trail. Each program needs an environment of its own
that trailguard's dependencies are installed in (checkov pins what cfn-lint needs newer).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from measure import Result, interleave
from worlds import make

ROOT = Path(__file__).resolve().parent.parent
CHECKS = ROOT / "src" / "trailguard" / "hosts" / "checkov_checks"


def commands(folder: Path, options: argparse.Namespace) -> dict[str, list[str]]:
    """Each linter without and with the rules, on the templates of a folder."""
    found: dict[str, list[str]] = {}
    files = sorted(
        map(str, (path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml", ".json", ".template")))
    )
    if options.cfn_lint:
        lint = [options.cfn_lint, "--format", "quiet", "--template", *files]
        found["cfn-lint"] = lint
        found["cfn-lint with trailguard"] = [*lint, "-a", "trailguard.hosts.cfn_lint"]
    if options.checkov:
        check = [options.checkov, "--directory", str(folder), "--skip-download", "--quiet", "--compact"]
        found["checkov"] = check
        found["checkov with trailguard"] = [*check, "--external-checks-dir", str(CHECKS)]
    return found


def main() -> None:
    """Measure each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--cfn-lint", default=shutil.which("cfn-lint"), metavar="PROGRAM")
    parser.add_argument("--checkov", default=shutil.which("checkov"), metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    print("| folder | linter | median s | with trailguard |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        if not options.folders:
            make(Path(scratch), 200)
        for folder in options.folders or [Path(scratch)]:
            results = interleave(
                commands(folder, options),
                lambda name: environment,
                rounds=options.rounds,
                repeat_limit=120,
                time_limit=900,
            )
            for name in ("cfn-lint", "checkov"):
                if name in results:
                    tell(folder.name if options.folders else "made up", name, results)


def tell(folder: str, name: str, results: dict[str, Result]) -> None:
    """Print a line of the table."""
    bare, both = results[name], results[f"{name} with trailguard"]
    complaint = bare.complaint or both.complaint
    ratio = complaint or f"{both.seconds:.2f} s, {both.seconds / bare.seconds:.2f}"
    print(f"| {folder} | {name} | {bare.seconds:.2f} | {ratio} |")


if __name__ == "__main__":
    main()
