"""What becomes of files, results and other processes when a signal, a full disk or a closed stream gets in the way."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from trailguard import files
from trailguard.commands.cli import main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, /dev and /proc as Linux has them")

ROOT = Path(__file__).parents[2]
BAD = (ROOT / "rules" / "TG101-multi-region" / "fail" / "plain.yaml").read_text(encoding="utf-8")
PROGRAM = """
import os, signal, sys, time, resource
import trailguard.judging.alone as alone
usual = alone.judge_file
def judge_file(file, data, task):
    {what}
    return usual(file, data, task)
alone.judge_file = judge_file
from trailguard.commands.cli import main
{first}
sys.exit(main())
"""
LIMIT = "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"  # what a full disk does, in bytes of a file
ENDLESS = "has more than 64,000,000 bytes"
# Whoever runs the tests may ignore signals, as nohup does, and processes inherit that.
HEARD = "signal.signal(signal.SIGHUP, signal.SIG_DFL); signal.signal(signal.SIGINT, signal.default_int_handler)"
WAIT = "os.write(1, f'{os.getpid()}\\n'.encode()); time.sleep(60)"


def spawn(*argv: str, what: str = "pass", first: str = "", python: Sequence[str] = (), **more: Any) -> Any:
    program = PROGRAM.format(what=what, first=first)
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more.pop("env", {})}
    environ.pop("TRAILGUARD_DEBUG", None)
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *python, "-c", program, *argv], env=environ, **{**streams, **more})


def run(*argv: str, **more: Any) -> tuple[int, str, str]:
    process = spawn(*argv, **more)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: three bad templates."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_killed_worker_loses_one_file_and_nothing_else(folder: Path) -> None:
    kill = "os.kill(os.getpid(), signal.SIGKILL) if file == 'b.yaml' else None"
    status, out, err = run("scan", "--jobs", "2", "--output", "json:o.json", "-q", what=kill)
    assert (status, err) == (2, "")
    assert "a.yaml:" in out
    assert "c.yaml:" in out
    message = "not judged: the process that judged it was killed by SIGKILL, twice; memory may have run out"
    report = json.loads((folder / "o.json").read_text(encoding="utf-8"))
    assert report["errors"] == [{"file": "b.yaml", "line": None, "column": None, "message": message}]
    assert {item["file"] for item in report["results"]} == {"a.yaml", "c.yaml"}


def test_templates_that_belong_together_are_not_lost_either(folder: Path) -> None:
    for name in ("a", "b"):
        child = f"  Child: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: ./{name}-child.yaml}}}}\n"
        (folder / f"{name}.yaml").write_text("Resources:\n" + child, encoding="utf-8")
        (folder / f"{name}-child.yaml").write_text(BAD, encoding="utf-8")
    kill = """
import trailguard.judging.worlds as worlds
judge_group = worlds._judge_group
def dying(group, **more):
    return os.kill(os.getpid(), signal.SIGKILL) if "b.yaml" in group.files else judge_group(group, **more)
worlds._judge_group = dying
"""
    status, out, _ = run("scan", "--jobs", "2", "--format", "json", first=kill)
    report = json.loads(out)
    assert status == 2
    assert [item["file"] for item in report["errors"]] == ["b-child.yaml", "b.yaml"]
    assert {item["file"] for item in report["results"]} == {"a-child.yaml", "c.yaml"}


def is_there(process: int) -> bool:
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
@pytest.mark.parametrize(
    ("number", "status", "to_all"),
    [(signal.SIGTERM, 143, False), (signal.SIGHUP, 129, True), (signal.SIGINT, 130, True)],
)
def test_a_signal_ends_everything_at_once(
    number: signal.Signals, status: int, to_all: bool, jobs: str, folder: Path
) -> None:
    process = spawn("scan", "--jobs", jobs, "--output", "o.json", what=WAIT, first=HEARD, start_new_session=True)
    workers = [int(process.stdout.readline()) for _ in range(int(jobs))]
    sent = time.monotonic()
    if to_all:  # as a terminal does
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - sent < 5  # some hundredths on a machine with nothing else to do; the work takes a minute
    assert (process.returncode, out, err) == (status, "", "")
    assert not any(map(is_there, workers))
    assert sorted(os.listdir(folder)) == ["a.yaml", "b.yaml", "c.yaml"]


def test_workers_end_when_the_process_that_started_them_is_killed(folder: Path) -> None:
    what = "os.write(1, f'{os.getpid()}\\n'.encode()); time.sleep(0.2)"
    process = spawn("scan", "--jobs", "2", what=what)
    workers = [int(process.stdout.readline()) for _ in range(2)]
    process.kill()
    process.communicate(timeout=20)
    end = time.monotonic() + 10
    while any(map(is_there, workers)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(map(is_there, workers))


def test_a_companion_does_not_outlive_a_scan(folder: Path) -> None:
    (folder / "checkov").write_text("#!/bin/sh\necho $$ >&3\nexec sleep 60\n", encoding="utf-8")
    (folder / "checkov").chmod(0o755)
    first = "os.dup2(1, 3); os.set_inheritable(3, True); import subprocess; usual_popen = subprocess.Popen\n"
    first += "subprocess.Popen = lambda *a, **k: usual_popen(*a, **k, pass_fds=(3,))"
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    process = spawn("scan", "a.yaml", "--with", "checkov", first=first, env={"PATH": path})
    companion = int(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 143
    assert not is_there(companion)


def test_nohup_is_honoured(folder: Path) -> None:
    first = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    status, _, _ = run("scan", what="os.kill(os.getpid(), signal.SIGHUP)", first=first)
    assert status == 1


@pytest.mark.parametrize(
    "argv",
    [
        ("scan", "-q", "--output", "json:old.txt"),
        ("scan", "-q", "--output", "html:old.txt"),
        ("baseline", "--output", "old.txt"),
        ("init", "--force", "--output", "old.txt"),
    ],
)
def test_a_full_disk_leaves_the_old_file(argv: tuple[str, ...], folder: Path) -> None:
    (folder / "old.txt").write_text("old", encoding="utf-8")
    before = sorted(os.listdir(folder))
    status, _, err = run(*argv, first=LIMIT)
    assert (status, err) == (2, "error: old.txt: cannot be written: file too large\n")
    assert (folder / "old.txt").read_text(encoding="utf-8") == "old"
    assert sorted(os.listdir(folder)) == before


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_of_a_new_file(folder: Path) -> None:
    for argv in (("init", "--output", "new.txt"), ("scan", "-q", "--output", "json:new.txt")):
        assert run(*argv, first=LIMIT)[::2] == (2, "error: new.txt: cannot be written: file too large\n")
        assert sorted(os.listdir(folder)) == ["a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.slow
def test_a_full_device_is_an_error(folder: Path) -> None:
    told = "error: /dev/full: cannot be written: no space left on device\n"
    assert run("scan", "-q", "--output", "json:/dev/full")[::2] == (2, told)
    assert run("init", "--output", "/dev/full")[::2] == (2, told)
    with open("/dev/full", "w", encoding="utf-8") as full:
        assert run("scan", stdout=full)[::2] == (2, "error: standard output: No space left on device\n")


def test_a_file_keeps_its_permissions_and_links_stay(folder: Path) -> None:
    (folder / "real.txt").write_text("old", encoding="utf-8")
    (folder / "real.txt").chmod(0o640)
    (folder / "sub").mkdir()
    (folder / "sub" / "link.txt").symlink_to("../real.txt")
    (folder / "dangling.txt").symlink_to("sub/new.txt")
    files.replace("sub/link.txt", "new")
    files.replace("dangling.txt", "new")
    assert (folder / "sub" / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE((folder / "real.txt").stat().st_mode) == 0o640
    assert (folder / "sub" / "new.txt").read_text(encoding="utf-8") == "new"
    usual = os.umask(0o027)
    try:
        files.replace("fresh.txt", "new")
    finally:
        os.umask(usual)
    assert stat.S_IMODE((folder / "fresh.txt").stat().st_mode) == 0o640


def test_what_an_earlier_run_left_behind_is_no_obstacle(folder: Path) -> None:
    (folder / f".trailguard-{os.getpid()}-0.tmp").write_text("half", encoding="utf-8")
    files.replace("o.txt", "new")
    assert (folder / "o.txt").read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("name", ["replace", "open"])
def test_where_nothing_can_be_put_in_its_place_it_is_written_over(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    (folder / "o.txt").write_text("old and longer", encoding="utf-8")
    monkeypatch.setattr(os, name, refuse)
    files.replace("o.txt", "new")
    monkeypatch.undo()
    assert (folder / "o.txt").read_text(encoding="utf-8") == "new"
    assert not list(folder.glob(".trailguard-*"))


def test_a_file_that_may_not_be_written_is_not_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "o.txt").write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(PermissionError):
        files.replace("o.txt", "new")
    assert (folder / "o.txt").read_text(encoding="utf-8") == "old"


@pytest.mark.slow
def test_pipes_and_open_files_are_written_to(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "out").symlink_to("/dev/stdout")
    for argv in (("scan", "-q"), ("baseline",), ("init", "--force"), ("init",)):
        form = "json:" if argv[0] == "scan" else ""
        with spawn(*argv, "--output", f"{form}pipe") as process:
            text = (folder / "pipe").read_text(encoding="utf-8")
            process.communicate(timeout=60)
        assert text.count("\n") > 3
        assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)
        for target in ("/dev/stdout", "out"):
            _, out, _ = run(*argv, "--output", f"{form}{target}")
            assert text.partition("\n")[0] in out  # the paths of a baseline are seen from its folder
    with open(folder / "o.txt", "w", encoding="utf-8") as stream:  # a regular file, but not one to put another for
        assert run("init", "--output", "/dev/stdout", stdout=stream)[::2] == (0, "")
        assert os.fstat(stream.fileno()).st_ino == (folder / "o.txt").stat().st_ino
    assert (folder / "out").is_symlink()


def shell(command: str, **more: Any) -> tuple[int, str, str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    line = command.replace("trailguard", f"{sys.executable} -m trailguard", 1)
    done = subprocess.run(
        ["bash", "-c", line], env=environ, capture_output=True, text=True, check=False, timeout=60, **more
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        ("trailguard scan -q a.yaml <&-", 1, ""),
        ("trailguard scan - <&-", 2, "error: standard input is closed\n"),
        ("trailguard facts - <&-", 2, "error: standard input is closed\n"),
        ("trailguard scan - < /dev/zero", 2, f"error: standard input {ENDLESS}; CloudFormation takes 1 MB\n"),
        ("trailguard scan a.yaml >&-", 1, ""),
        ("trailguard scan a.yaml --jobs 2 >&- 2>&- <&-", 1, ""),
        ("trailguard scan --output json:o.json --diff HEAD a.yaml >&- 2>&- <&-", 2, ""),
        ("trailguard scan --help >&-", 0, ""),
        ("trailguard scan --nonsense 2>&-", 2, ""),
        ("trailguard scan nothing.yaml >&- 2>&-", 2, ""),
        ("trailguard facts /dev/zero", 2, f"error: /dev/zero: it {ENDLESS}\n"),
        ("trailguard scan a.yaml --config /dev/zero", 2, f"error: /dev/zero: cannot be read: it {ENDLESS}\n"),
        ("trailguard scan a.yaml --parameters /dev/zero", 2, f"error: /dev/zero: cannot be read: it {ENDLESS}\n"),
        ("trailguard scan -q a.yaml --config /dev/null >/dev/null", 1, ""),
        ("trailguard scan -q a.yaml --parameters <(echo '{}') >/dev/null", 1, ""),
    ],
)  # fmt: skip
def test_closed_streams_and_devices(command: str, status: int, err: str, folder: Path) -> None:
    found = shell(command, cwd=folder)
    assert (found[0], found[2]) == (status, err)


def test_a_baseline_without_end(folder: Path) -> None:
    status, _, err = shell("trailguard scan a.yaml --baseline /dev/zero", cwd=folder)
    assert status == 2
    assert "/dev/zero: cannot be read: it is not a regular file" in err


@pytest.mark.parametrize("name", [".trailguard.yaml", "pyproject.toml"])
def test_a_configuration_that_is_found_must_be_a_file(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(folder / name)
    assert main(["scan"]) == 2
    assert f"error: {name}: cannot be read: it is not a regular file" in capsys.readouterr().err
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    assert main(["scan"]) == 2
    err = capsys.readouterr().err
    assert f"error: {name}: " in err
    assert "link that leads out of the repository" in err or "it is not a regular file" in err


ODD = """
Parameters:
  Name: {Type: String, AllowedPattern: '[[a-z]+', Default: abc}
  Multi: {Type: String, AllowedPattern: '[a||b&&c~~d]+', Default: a}
Conditions: {M: !Equals [!Ref Multi, a], N: !Equals [!Ref Name, abc]}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {S3BucketName: !Ref Name, IsLogging: true, IsMultiRegionTrail: !If [M, true, !If [N, true, false]]}
"""


@pytest.mark.slow
@pytest.mark.parametrize("debug", ["", "1"])
def test_warnings_of_python_are_not_for_users(debug: str, folder: Path) -> None:
    """With the debug switch they are let through: then there is to be none."""
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("[[a-z]+x\n[a--b]\n[z-a]||\n", encoding="utf-8")
    (folder / "a.yaml").write_text(ODD, encoding="utf-8")
    usual = shell("trailguard scan --exclude '[[a-z]--||x' --format json", cwd=folder)
    assert (usual[0], usual[2]) == (1, "")
    options = "-X dev -W error -X warn_default_encoding"
    command = f"TRAILGUARD_DEBUG={debug} {sys.executable} {options} -m trailguard scan --jobs 2"
    strict = subprocess.run(
        ["bash", "-c", f"{command} --exclude '[[a-z]--||x' --format json"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (strict.returncode, strict.stdout, strict.stderr) == usual


def on_terminal(*argv: str, first: str) -> Iterator[str]:
    """What a scan draws on a terminal, piece by piece."""
    import pty

    ours, theirs = pty.openpty()
    env = {"TERM": "xterm", "CI": "", "COLUMNS": "80"}
    with spawn(*argv, first=first, stderr=theirs, env=env, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # nobody has it open any more
                break
            text += piece
        os.close(ours)
        process.wait(60)
    yield from (part.removesuffix("\x1b[K") for part in text.decode().split("\r"))


def test_a_terminal_is_told_of_reading_judging_and_writing(folder: Path) -> None:
    (folder / "parent.yaml").write_text(
        "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./a.yaml}}\n", encoding="utf-8"
    )
    first = "import trailguard.commands.progress as progress; progress.PATIENCE = progress.PAUSE = 0"
    drawn = list(on_terminal("scan", "--output", "json:o.json", "--output", "html:o.html", first=first))
    assert drawn[:5] == ["", "reading: 1 file", "reading: 2 files", "reading: 3 files", "reading: 4 files"]
    assert [line for line in drawn if line.startswith("linking")][:1] == ["linking: 1 file"]
    judging = [line.rpartition("] ")[2] for line in drawn if line.startswith("judging")]
    assert judging[0] == "1 of 4 files"
    assert judging[-1] == "4 of 4 files"
    assert [line.rpartition("] ")[2] for line in drawn if line.startswith("writing")] == [
        "0 of 2 files",
        "1 of 2 files",
        "1 of 2 files",
    ]
    assert drawn[-1] == ""


def test_no_terminal_is_told_nothing(folder: Path) -> None:
    first = "import trailguard.commands.progress as progress; progress.PATIENCE = progress.PAUSE = 0"
    assert run("scan", first=first, env={"CI": "", "TERM": "xterm"})[2] == ""
