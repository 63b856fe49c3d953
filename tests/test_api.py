"""The documented Python API: what `import trailguard` gives, and what it costs."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

import trailguard

LAZY = """
import sys
before = set(sys.modules)
import trailguard
print(sorted(set(sys.modules) - before), sorted(trailguard.__all__), set(trailguard.__all__) <= set(dir(trailguard)))
"""
# What runs inside another linter, which need not be installed.
INSIDE_OTHERS = ("trailguard.hosts.cfn_lint", "trailguard.hosts.checkov")
EVERYTHING = f"""
import importlib, pkgutil
import trailguard
for module in pkgutil.walk_packages(trailguard.__path__, "trailguard."):
    if not module.name.startswith({INSIDE_OTHERS}):
        importlib.import_module(module.name)
"""
API = """
from trailguard import Report, Settings, scan
import trailguard.findings, trailguard.scanning, trailguard.settings.settings
assert trailguard.scan is scan is trailguard.scanning.scan and callable(scan), scan
assert trailguard.Settings is Settings is trailguard.settings.settings.Settings
assert trailguard.Report is Report is trailguard.findings.Report
"""


def run(program: str) -> str:
    """What a program prints in a fresh process."""
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(trailguard.__path__[0])}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_trailguard_loads_nothing_else() -> None:
    assert run(LAZY) == "['trailguard'] ['Report', 'Settings', '__version__', 'scan'] True\n"


@pytest.mark.parametrize("program", [API, EVERYTHING + API, API + EVERYTHING + API], ids=["alone", "after", "around"])
def test_the_names_mean_the_same_whatever_else_is_imported(program: str) -> None:
    assert run(program) == ""


def test_no_module_is_called_like_what_is_exported() -> None:
    modules = {module.name for module in pkgutil.iter_modules(trailguard.__path__)}
    assert "scanning" in modules
    assert modules.isdisjoint(set(trailguard.__all__) - {"__version__"})


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'trailguard' has no attribute 'scam'"):
        vars(trailguard)["__getattr__"]("scam")
