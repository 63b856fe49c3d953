"""What a user installs is what was tested: a checkout, an editable install and the wheel give the same report.

No index is asked: the wheel's own requirements, and nothing but these, are copied out of the environment that runs
the tests, so that a requirement that was not declared is missed here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import ROOT

pytestmark = pytest.mark.slow

BUILD = "import sys, hatchling.build as build; print(getattr(build, sys.argv[1])(sys.argv[2]))"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder far from the checkout that holds the examples."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.fixture(scope="module")
def wheel(work: Path) -> Path:
    return _build("build_wheel", work / "wheel")


def test_wheel_carries_the_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    source = ROOT / "src"
    wanted = {
        _inside(path, source)
        for path in source.rglob("*")
        if path.suffix in (".py", ".typed", ".json", ".yaml", ".css", ".js")
    }
    rules = (path for path in (ROOT / "rules").rglob("*") if path.is_file() and path.name != "expected.json")
    wanted |= {f"trailguard/{_inside(path, ROOT)}" for path in rules}
    assert {"trailguard/py.typed", "trailguard/rules/profiles.yaml"} <= wanted
    assert {"trailguard/schemas/report.schema.json", "trailguard/schemas/config.schema.json"} <= wanted
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_all_installations_give_the_same_report(work: Path, wheel: Path) -> None:
    editable = _build("build_editable", work / "editable")
    reports = {
        "checkout": _scan(_environment(work / "plain", None), work, str(ROOT / "src")),
        "editable": _scan(_environment(work / "linked", editable), work),
        "wheel": _scan(_environment(work / "installed", wheel), work),
    }
    assert json.loads(reports["wheel"])["summary"]["templates"] == len(list(work.glob("examples/**/*.yaml")))
    assert reports["editable"] == reports["checkout"]
    assert reports["wheel"] == reports["checkout"]


def test_wheel_installs_the_command(work: Path, wheel: Path) -> None:
    python = _environment(work / "command", wheel)
    command = shutil.which("trailguard", path=str(python.parent))
    assert command is not None
    done = _run([command, "rules", "--format", "json"], work)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    tested = _run([command, "test"], work)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert " 0 wrong, 0 errors" in tested.stdout


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _build(what: str, folder: Path) -> Path:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, what, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


def _environment(folder: Path, wheel: Path | None) -> Path:
    """Make an environment with our requirements and perhaps a wheel of ours; give its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    found = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder)
    packages = Path(found.stdout.strip())
    for name in sorted(_requirements("trailguard")):
        for top in {path.parts[0] for path in metadata.files(name) or () if path.parts[0] not in ("..", "__pycache__")}:
            there = Path(str(metadata.distribution(name).locate_file(top)))
            if there.is_dir():
                shutil.copytree(there, packages / top)
            else:
                shutil.copy(there, packages / top)
    if wheel is not None:
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
        done = _run([*pip, str(wheel)], folder)
        assert done.returncode == 0, done.stderr
    return python


def _requirements(name: str) -> set[str]:
    """Name what a distribution needs at run time, without extras, as deep as it goes."""
    texts = _declared() if name == "trailguard" else metadata.requires(name) or []
    found: set[str] = set()
    for requirement in map(Requirement, texts):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= {requirement.name, *_requirements(requirement.name)}
    return found


def _declared() -> list[str]:
    """Read our own requirements from pyproject.toml, because a checkout need not be installed."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    match = re.search(r"^dependencies = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
    assert match is not None
    return re.findall(r'"([^"]+)"', match[1])


def _scan(python: Path, work: Path, path: str | None = None) -> str:
    done = _run([str(python), "-m", "trailguard", "scan", "examples", "--format", "json"], work, path)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def _run(command: list[str], folder: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run in a folder, with nothing of the tests' own environment that could help."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TRAILGUARD"))}
    if path is not None:
        environment["PYTHONPATH"] = path
    environment |= {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
