"""Completion, the progress bar, and `--watch`, in real shells and on a real pseudo-terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import ROOT
from trailguard.commands.cli import main
from trailguard.commands.completion import script
from trailguard.commands.overview import COMMANDS
from trailguard.commands.progress import Progress

BAD = (ROOT / "examples" / "broken" / "single-region.yaml").read_text(encoding="utf-8")
GOOD = BAD.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: true")
BASH = """\
source "$1"
complete_() {{
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
  _trailguard
  printf '%s\\n' "${{COMPREPLY[@]}}"
}}
complete_ {words}
"""


def completed(tmp_path: Path, shell: str, words: str) -> list[str]:
    """What a shell offers for a line that ends at its last word."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "completion"
    path.write_text(script(shell, ["all", "default"], ["TG101", "TG104"]), encoding="utf-8")
    if shell == "bash":
        command = ["bash", "--norc", "-c", BASH.format(words=words), "bash", str(path)]
    else:
        line = words.replace("''", "")
        command = ["fish", "--no-config", "-c", f"source {path}; complete -C '{line}'"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("trailguard ba", ["baseline"]),
        ("trailguard scan --format ju", ["junit"]),
        ("trailguard scan --prof", ["--profile", "--profile-time"]),
        ("trailguard scan --profile de", ["default"]),
        ("trailguard explain TG1", ["TG101", "TG104"]),
        ("trailguard graph --format d", ["dot"]),
        ("trailguard path ch", ["checkov"]),
        ("trailguard path re", ["report-schema"]),
        ("trailguard scan --with c", ["cfn-lint", "checkov"]),
    ],
)
def test_a_shell_completes(shell: str, words: str, expected: list[str], tmp_path: Path) -> None:
    assert sorted(completed(tmp_path, shell, words)) == expected


def test_files_are_completed(tmp_path: Path) -> None:
    (tmp_path / "trail.yaml").touch()
    assert completed(tmp_path, "bash", "trailguard scan tra") == ["trail.yaml"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_sound_and_name_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in COMMANDS)
    assert "cis-aws-5.0" in text
    if shutil.which(shell) is not None:
        done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


class Terminal:
    """Standard error as a terminal would take it."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "60")
    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def drawn(terminal: Terminal) -> list[str]:
    return [part.removesuffix("\x1b[K") for part in terminal.text.split("\r")]


def test_the_bar_shows_how_far_a_long_scan_is(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(True) as progress:
        progress.step(1, 0, "reading")
        progress.step(2075, 0, "reading")
        progress.step(250, 1000, "judging")
        progress.step(1000, 1000, "judging")
        progress.say("running cfn-lint")
        progress.step(0, 1, "writing")
        progress.wipe()
        progress.wipe()
        progress.step(0, 2, "writing")
    assert drawn(terminal) == [
        "",
        "reading: 1 file",
        "reading: 2,075 files",
        "judging: [#######....................] 250 of 1,000 files",
        "judging: [###########################] 1,000 of 1,000 files",
        "running cfn-lint",
        "writing: [...........................] 0 of 1 file",
        "",
        "writing: [...........................] 0 of 2 files",
        "",
    ]
    assert all(len(line) < 60 for line in drawn(terminal))


def test_what_comes_next_is_told_at_once(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(True) as progress:
        for what, when in [("reading", 0.5), ("reading", 1.0), ("reading", 1.01), ("judging", 1.02), ("judging", 1.03)]:
            now = when
            progress.step(1, 0, what)
    assert drawn(terminal) == ["", "reading: 1 file", "judging: 1 file", ""]


def test_a_short_scan_shows_none(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(True) as progress:
        progress.step(1, 2, "judging")
    assert terminal.text == ""


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_no_bar_where_nobody_looks(name: str, value: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv(name, value)
    with Progress(True) as progress:
        progress.say("x")
    assert terminal.text == ""
    monkeypatch.delenv(name)
    with Progress(False) as progress:
        progress.say("x")
    assert terminal.text == ""


def test_watch_scans_again_when_something_changes(tmp_path: Path) -> None:
    (tmp_path / "trail.yaml").write_text(BAD)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "trailguard", "scan", "-q", "--watch"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None

        def until_watching() -> str:
            assert process.stdout is not None
            told = ""
            for line in process.stdout:
                if line == "watching; Ctrl-C ends it\n":
                    return told
                told += line
            pytest.fail(f"it ended: {told}")

        try:
            assert "trail.yaml:52:27: fail: high TG101" in until_watching()
            (tmp_path / "trail.yaml").write_text(GOOD + "\n")
            assert until_watching() == "changed: trail.yaml\n"
            (tmp_path / ".trailguard.yaml").write_text("profil: all\n")
            assert 'error: .trailguard.yaml:1:1: unknown key "profil"' in until_watching()
            (tmp_path / ".trailguard.yaml").unlink()
            (tmp_path / "new.yaml").write_text(BAD)
            assert "new.yaml:52:27: fail" in until_watching()
            process.send_signal(2)
            assert process.wait(10) == 130
        finally:
            process.kill()


def test_standard_input_cannot_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "-", "--watch"]) == 2
    assert capsys.readouterr().err == "error: standard input cannot be watched\n"
