"""Who takes part: how to install each tool, find it, ask its version and start it on a file or folder."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).resolve().parent
PIP_PACKAGES = ("cfn-lint", "checkov", "cloudformation-validate")
NPM_PACKAGES = ("@cdklabs/cdk-validator-cfnguard",)  # carries the cfn-guard binary
CHECKOV_CHECKS = "CKV_AWS_35,CKV_AWS_36,CKV_AWS_67"  # all that it has for a trail
LINTED = ("yaml", "yml", "json", "template")
REFERENCE = "trailguard"


class Contestant(NamedTuple):
    """A tool as it takes part. `version` is empty when it cannot be run here."""

    name: str
    does: str
    version: str
    command: Callable[[str], list[str]]


def install(folder: Path) -> None:
    """Make a virtual environment in `folder` and put the peers in it."""
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PIP_PACKAGES], check=True)
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed, so cfn-guard is left out", file=sys.stderr)
        return
    subprocess.run([npm, "install", "--no-audit", "--no-fund", "--prefix", folder, *NPM_PACKAGES], check=True)


def environment(name: str) -> Mapping[str, str]:
    """Give trailguard and its parser this checkout to run from, and hide it from the others."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if name.startswith(REFERENCE):
        variables["PYTHONPATH"] = str(HERE.parent / "src")
    return variables


def line_up(peers: Path | None) -> list[Contestant]:
    """All contestants, in the order in which they run; `peers` is a folder made by `install`."""
    peer_python = str(peers / "bin" / "python") if peers else sys.executable
    cfn_lint, checkov, guard = _program("cfn-lint", peers), _program("checkov", peers), _guard(peers)
    return [
        _contestant(REFERENCE, "this tool, all default rules", [sys.executable, "-m", "trailguard"], _scan),
        _contestant(
            f"{REFERENCE} --profile all", "this tool, all its rules", [sys.executable, "-m", "trailguard"], _scan_all
        ),
        _contestant(
            f"{REFERENCE}'s parser",
            "floor: the files that name CloudTrail, read into trees with spans",
            [sys.executable, str(HERE / "run_floor.py")],
            _append,
        ),
        _contestant("grep", "floor: `grep -rl CloudTrail`", ["grep"], _grep),
        _contestant("cfn-guard", "the rules in cloudtrail.guard", [guard], _guard_validate),
        _contestant(
            "cloudformation-validate",
            "its built-in rules, none on CloudTrail",
            [peer_python, str(HERE / "run_validate.py")],
            _append,
        ),
        _contestant("cfn-lint", "all its rules", [cfn_lint], _lint),
        _contestant("checkov", f"{CHECKOV_CHECKS} only", [checkov], _checkov),
    ]


def _contestant(name: str, does: str, start: list[str], command: Callable[[list[str], str], list[str]]) -> Contestant:
    return Contestant(name, does, _version(name, start), lambda target: command(start, target))


def _version(name: str, start: list[str]) -> str:
    try:
        answer = subprocess.run(
            [*start, "--version"], env=environment(name), capture_output=True, text=True, timeout=120, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    first = (answer.stdout.strip() or "?").splitlines()[0]
    return first.rsplit(maxsplit=1)[-1]


def _program(name: str, peers: Path | None) -> str:
    return str(peers / "bin" / name) if peers else name


def _guard(peers: Path | None) -> str:
    system = {"Linux": "ubuntu", "Darwin": "macos"}.get(platform.system(), "")
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    shipped = Path("node_modules", *NPM_PACKAGES[0].split("/"), "bin", system, machine, "cfn-guard")
    return str(peers / shipped) if peers and (peers / shipped).exists() else "cfn-guard"


def _append(start: list[str], target: str) -> list[str]:
    return [*start, target]


def _scan(start: list[str], target: str) -> list[str]:
    return [*start, "scan", target]


def _scan_all(start: list[str], target: str) -> list[str]:
    return [*_scan(start, target), "--profile", "all"]


def _grep(start: list[str], target: str) -> list[str]:
    return [*start, "-rl", "CloudTrail", target]


def _checkov(start: list[str], target: str) -> list[str]:
    place = "--directory" if os.path.isdir(target) else "--file"
    options = ["--framework", "cloudformation", "--check", CHECKOV_CHECKS, "--skip-download", "--quiet", "--compact"]
    return [*start, place, target, *options]


def _lint(start: list[str], target: str) -> list[str]:
    """Name a pattern for each extension that occurs: no folders, and no pattern without a match, says cfn-lint."""
    if not os.path.isdir(target):
        return [*start, target]
    return [*start, *(f"{target}/**/*.{end}" for end in LINTED if any(Path(target).rglob(f"*.{end}")))]


def _guard_validate(start: list[str], target: str) -> list[str]:
    """Leave out what cfn-guard cannot read: it gives up all files at the first such one."""
    command = [*start, "validate", "--show-summary", "none", "--rules", str(HERE / "cloudtrail.guard"), "--data"]
    if not os.path.isdir(target) or _reads([*command, target]):
        return [*command, target]
    files = sorted(str(path) for end in LINTED for path in Path(target).rglob(f"*.{end}"))
    return [*command, *_readable(command, files)]


def _readable(command: list[str], files: list[str]) -> list[str]:
    """Find the files that cfn-guard can read, by halving."""
    if not files or _reads([*command, *files]):
        return files
    middle = len(files) // 2
    return _readable(command, files[:middle]) + _readable(command, files[middle:]) if middle else []


def _reads(command: list[str]) -> bool:
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    return status in (0, 19)  # 19: rules failed
