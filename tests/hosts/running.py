"""Runs the hosts as users do, each in a process of its own; checkov in an environment of its own, which it needs."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests import ROOT
from trailguard.findings import NOT_APPLICABLE, PASS, Finding
from trailguard.scanning import scan
from trailguard.settings.settings import load

FOLDER = ROOT / "src" / "trailguard" / "hosts"
CFN_LINT = "import sys; sys.argv[0] = 'cfn-lint'; from cfnlint.runner.cli import main; sys.exit(main())"
CHECKOV = "checkov>=3.2 pathspec>=0.12"
WARM = """\
import json, os, sys, traceback
from checkov.main import Checkov
for line in sys.stdin:
    request = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    status = 70
    try:
        for number, path in enumerate(request["files"]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
        os.chdir(request["folder"])
        sys.argv = ["checkov", *request["arguments"]]
        status = Checkov(sys.argv[1:]).run()
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)
"""
# Everything that a trail needs but the multi-Region switch, on lines that tests name.
TRAIL = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: logs
      IsLogging: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
      IsMultiRegionTrail: false
"""


class Done(NamedTuple):
    """How a process ended."""

    status: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """The environment of a user, who has no variables of a test run; this project comes first on the path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "TRAILGUARD"))}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(command: Sequence[str], folder: Path, stdin: str | None = None, **more: str) -> Done:
    """Run a command in a folder."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(**more),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def cfn_lint(folder: Path, *arguments: str, stdin: str | None = None) -> Done:
    """Run cfn-lint as its command does."""
    return run([sys.executable, "-W", "ignore", "-c", CFN_LINT, *arguments], folder, stdin)


def checkov_command(say: Callable[[str], object] = sys.stderr.write) -> str:
    """The command checkov, which pins what we need newer, in an environment that is kept in the user's cache folder.

    It is made at its first use, which `say` is told of.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trailguard-tests"
    folder = cache / f"checkov-python{sys.version_info[0]}.{sys.version_info[1]}"
    ready = folder / "ready"  # what was installed, written when all of it was
    if not ready.is_file() or ready.read_text(encoding="utf-8") != CHECKOV:
        say(f"checkov is installed into {folder} for the tests\n")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
        python = folder / ("Scripts/python" if os.name == "nt" else "bin/python")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *CHECKOV.split()], check=True, capture_output=True)
        ready.write_text(CHECKOV, encoding="utf-8")
    return str(folder / ("Scripts/checkov.cmd" if os.name == "nt" else "bin/checkov"))


class WarmCheckov:
    """A process that has imported checkov, most of what a run costs, and forks one for each run."""

    def __init__(self) -> None:
        python = Path(checkov_command()).with_name("python")
        self._process = subprocess.Popen(
            [str(python), "-c", WARM],
            env=environment(LOG_LEVEL="WARNING"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        atexit.register(self.close)

    def run(self, folder: Path, arguments: Sequence[str]) -> Done:
        """Run checkov in a folder, as its command does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as scratch:
            paths = [os.path.join(scratch, name) for name in ("out", "err")]
            request = {"folder": str(folder), "arguments": list(arguments), "files": [os.devnull, *paths]}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            return Done(status, *(Path(path).read_text(encoding="utf-8") for path in paths))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@cache
def warm_checkov() -> WarmCheckov:
    """The one that all tests share."""
    return WarmCheckov()


def checkov(folder: Path, *arguments: str, **more: str) -> tuple[Done, list[dict[str, Any]]]:
    """Run checkov with our checks; gives its reports as well, one for each language and folder."""
    options = ["--external-checks-dir", str(FOLDER / "checkov_checks"), "--skip-download", "--output", "json"]
    if more or not hasattr(os, "fork"):
        done = run([checkov_command(), *options, *arguments], folder, LOG_LEVEL="WARNING", **more)
    else:
        done = warm_checkov().run(folder, [*options, *arguments])
    decoder, position, reports = json.JSONDecoder(), 0, []
    while position < len(done.out.rstrip()):
        found, position = decoder.raw_decode(done.out, position)
        reports += found if isinstance(found, list) else [found]
        position += len(done.out[position:]) - len(done.out[position:].lstrip())
    return done, reports


def attention(folder: Path, *paths: str) -> list[Finding]:
    """The findings of a scan in a folder, with its configuration."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        report = scan(paths, load("."))
    finally:
        os.chdir(before)
    return [item for item in report.results if item.verdict not in (PASS, NOT_APPLICABLE) and not item.suppressed]


class Everywhere(NamedTuple):
    """All templates of the examples and the rules, in a folder whose configuration asks for all rules."""

    folder: Path
    names: list[str]
    found: list[Finding]


def everything(folder: Path) -> list[str]:
    """Copy every template of the examples and the rules into a folder, to be judged by all rules; gives their names."""
    for name in ("examples", "rules"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / ".trailguard.yaml").write_text("profile: all\n", encoding="utf-8")
    spare = {"rule.yaml", "controls.yaml", "profiles.yaml", "prerequisites.yaml", "expected.json"}
    found = [path for path in folder.rglob("*") if path.suffix in (".yaml", ".json", ".yml") and path.name not in spare]
    return sorted(path.relative_to(folder).as_posix() for path in found if not path.name.startswith("."))
