"""A snapshot that is throttled, cut off, killed or stopped ends as the same bytes, and asks nothing twice in vain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.account.aws import ACCOUNT, OTHER_REGION, REGION, client
from tests.account.front import Answer, Call, Front, error
from tests.account.taking import files, resources, taken
from trailguard.commands.cli import main

pytestmark = pytest.mark.aws

BOTH = ("--aws-region", REGION, "--aws-region", OTHER_REGION)


@pytest.fixture
def whole(front: Front, tmp_path: Path) -> dict[str, bytes]:
    """The files of a snapshot that nothing disturbs."""
    taken(tmp_path / "whole", *BOTH)
    front.calls.clear()
    return files(tmp_path / "whole")


def test_throttled_calls_are_made_again(front: Front, tmp_path: Path, whole: dict[str, bytes]) -> None:
    once: set[str] = set()
    lock = threading.Lock()

    def busy(call: Call) -> Answer | None:
        with lock:
            if call.name in once or call.name.startswith("sts:"):
                return None
            once.add(call.name)
        code = {"s3": "SlowDown"}.get(call.name.partition(":")[0], "ThrottlingException")
        return error(call, 503 if code == "SlowDown" else 400, code, "Rate exceeded")

    with front.replying(busy):
        assert taken(tmp_path / "it", *BOTH)["refused"] == []
    assert len(once) > 25
    assert files(tmp_path / "it") == whole


def test_what_a_failure_leaves_is_gone_on_with(
    front: Front,
    tmp_path: Path,
    whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    capsys.readouterr()

    def broken(call: Call) -> Answer | None:
        is_it = call.name == "sns:ListTopics" and call.region == OTHER_REGION
        return error(call, 500, "InternalError", 1000 * "long ") if is_it else None

    with front.replying(broken):
        assert main(["snapshot", str(tmp_path / "it"), *BOTH]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    (line,) = said.splitlines()
    assert line.startswith(f"error: AWS gave no answer: sns:ListTopics in {ACCOUNT}, {OTHER_REGION}: ")
    assert line.endswith("what has been read is kept, and the same command goes on from there")
    assert len(line) < 600
    assert sum(call.name == "sns:ListTopics" and call.region == OTHER_REGION for call in front.calls) == 2
    assert not (tmp_path / "it" / "snapshot.json").exists()
    front.calls.clear()
    taken(tmp_path / "it", *BOTH)
    assert files(tmp_path / "it") == whole
    asked = [
        call for call in front.calls if call.name not in ("sts:GetCallerIdentity", "organizations:DescribeOrganization")
    ]
    assert {call.region for call in asked} == {OTHER_REGION}


def test_a_page_that_something_on_the_way_answers(
    front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Answer(200, b"<html><p>Sign in to the network" + 1000 * b" now", {"Content-Type": "text/html"})
    with front.replying(lambda call: page if call.name == "sns:ListTopics" else None):
        assert main(["snapshot", str(tmp_path / "it"), "--only", "topics"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"error: AWS gave no answer: sns:ListTopics in {ACCOUNT}, {REGION}: Unable to parse response"
    )
    assert said.count("\n") == 1
    assert len(said) < 600


def test_another_question_starts_anew(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with front.replying(lambda call: error(call, 500, "X") if call.region == OTHER_REGION else None):
        assert main(["snapshot", str(tmp_path / "it"), *BOTH, "--only", "topics"]) == 2
    front.calls.clear()
    taken(tmp_path / "it", "--only", "topics")
    assert "sns:ListTopics" in {call.name for call in front.calls}


def test_old_parts_are_read_again(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    options = (*BOTH, "--only", "topics")
    with front.replying(lambda call: error(call, 500, "X") if call.region == OTHER_REGION else None):
        assert main(["snapshot", str(tmp_path / "it"), *options]) == 2
    (kept,) = (tmp_path / "it" / ".unfinished").glob("part-*")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(kept, (two_days_ago, two_days_ago))
    front.calls.clear()
    taken(tmp_path / "it", *options)
    assert {call.region for call in front.calls if call.name == "sns:ListTopics"} == {REGION, OTHER_REGION}


def test_the_next_snapshot_asks_everything_again(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it", "--only", "topics")
    front.calls.clear()
    taken(tmp_path / "it", "--only", "topics")
    assert "sns:GetTopicAttributes" in {call.name for call in front.calls}


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A snapshot in a process of its own."""
    command = [sys.executable, "-m", "trailguard", "snapshot", str(folder), *BOTH]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 5, 30, 60, 80, 95])
def test_killed_at_any_call(front: Front, tmp_path: Path, whole: dict[str, bytes], after: int) -> None:
    reached = threading.Event()

    def stop(_: Call) -> None:
        if len(front.calls) >= after:
            reached.set()
            time.sleep(0.5)

    folder = tmp_path / "it"
    with front.replying(stop), running(folder) as process:
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (folder / "snapshot.json").exists()
    taken(folder, *BOTH)
    assert files(folder) == whole
    assert not (folder / ".unfinished").exists()


@pytest.mark.slow
def test_killed_at_any_write(front: Front, tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Whichever file is the last one to be put in its place, the second run completes the folder, and renews it."""
    stop = (
        "import os, sys\n"
        "left, real = int(sys.argv[1]), os.replace\n"
        "def replace(*names):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if left < 0: os.kill(os.getpid(), 9)\n"
        "    real(*names)\n"
        "os.replace = replace\n"
        "from trailguard.commands.cli import main\n"
        "sys.exit(main(sys.argv[2:]))\n"
    )
    written = 0
    while True:
        folder = tmp_path / str(written)
        command = [sys.executable, "-c", stop, str(written), "snapshot", str(folder), *BOTH, "--only", "topics,roles"]
        status = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode
        taken(folder, *BOTH, "--only", "topics,roles")
        assert not (folder / ".unfinished").exists()
        told = files(folder)
        assert told == files(tmp_path / "0")
        if status == 0:
            break
        assert status == -signal.SIGKILL
        written += 1
    assert written > 5


@pytest.mark.slow
def test_ctrl_c_ends_at_once(front: Front, tmp_path: Path, whole: dict[str, bytes]) -> None:
    held, reached = threading.Event(), threading.Event()

    def hang(call: Call) -> None:
        if call.name == "sns:ListTopics":
            reached.set()
            held.wait(60)

    folder = tmp_path / "it"
    with front.replying(hang), running(folder) as process:
        assert reached.wait(60)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        took = time.monotonic() - started
        held.set()
    assert process.returncode == 130
    assert said == ""
    assert took < 5
    taken(folder, *BOTH)
    assert files(folder) == whole


@pytest.mark.slow
def test_two_at_once_do_not_share_a_folder(
    front: Front, tmp_path: Path, whole: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    held, reached = threading.Event(), threading.Event()

    def hang(call: Call) -> None:
        if call.name == "sns:ListTopics" and not reached.is_set():
            reached.set()
            held.wait(60)

    folder = tmp_path / "it"
    with front.replying(hang), running(folder) as process:
        assert reached.wait(60)
        capsys.readouterr()
        assert main(["snapshot", str(folder), *BOTH]) == 2
        assert capsys.readouterr().err.endswith("another snapshot is being written to it\n")
        held.set()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert files(folder) == whole


def test_every_page_is_read(front: Front, tmp_path: Path) -> None:
    """In another Region, so that the other tests see none of it."""
    region = "eu-central-1"
    sns, logs = client(front.url, "sns", region), client(front.url, "logs", region)
    alarms, events = client(front.url, "cloudwatch", region), client(front.url, "events", region)
    for number in range(130):
        sns.create_topic(Name=f"topic-{number:03}")
    for number in range(60):
        logs.create_log_group(logGroupName=f"group-{number:03}")
        events.put_rule(Name=f"rule-{number:03}", ScheduleExpression="rate(1 day)", State="DISABLED")
    for number in range(120):
        alarms.put_metric_alarm(
            AlarmName=f"alarm-{number:03}",
            MetricName="M",
            Namespace="N",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    taken(tmp_path / "it", "--aws-region", region, "--only", "topics,logs,alarms,events")
    kinds = [kind for kind, _ in resources(tmp_path / "it")]
    assert kinds.count("AWS::SNS::Topic") == 130
    assert kinds.count("AWS::Logs::LogGroup") == 60
    assert kinds.count("AWS::Events::Rule") == 60
    assert kinds.count("AWS::CloudWatch::Alarm") == 120
    pages = [call.name for call in front.calls]
    assert pages.count("sns:ListTopics") > 1
    assert pages.count("logs:DescribeLogGroups") > 1


def test_calls_under_way_are_bounded(front: Front, tmp_path: Path, whole: dict[str, bytes]) -> None:
    front.most = 0
    with front.replying(lambda _: time.sleep(0.02)):
        taken(tmp_path / "it", *BOTH)
    assert 4 < front.most <= 16
    assert files(tmp_path / "it") == whole


def test_the_record_is_written_last(front: Front, tmp_path: Path) -> None:
    taken(tmp_path / "it")
    record = (tmp_path / "it" / "snapshot.json").stat().st_mtime_ns
    assert all(path.stat().st_mtime_ns <= record for path in (tmp_path / "it").rglob("*") if path.is_file())
    assert (
        json.loads((tmp_path / "it" / "snapshot.json").read_text(encoding="utf-8"))["schema"] == "trailguard-snapshot/1"
    )
