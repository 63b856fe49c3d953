"""A baseline: what is known does not count, what is new or worse does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from trailguard.acceptance.baseline import SCHEMA, read, write
from trailguard.commands.cli import main
from trailguard.errors import ConfigError
from trailguard.findings import FAIL, PASS
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

TRAIL = """\
Parameters:
  Multi: {Type: String, Default: "false"}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: !Ref Multi
      S3BucketName: logs
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "trail.yaml").write_text(TRAIL)
    return tmp_path


def run(*arguments: str) -> int:
    return main([*arguments, "--profile", "default"])


def record() -> None:
    assert run("baseline") == 0


def counted(folder: Path) -> dict[str, int]:
    return scan(["."], Settings(baseline=str(folder / ".trailguard-baseline.json"))).summary()


def test_what_is_recorded_does_not_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan") == 1
    capsys.readouterr()
    record()
    assert capsys.readouterr().err == "recorded 11 findings in .trailguard-baseline.json\n"
    assert run("scan", "--baseline", ".trailguard-baseline.json") == 0
    summary = counted(folder)
    assert (summary["fail"], summary["unknown"], summary["suppressed"]) == (0, 0, 11)
    results = scan(["."], Settings(baseline=".trailguard-baseline.json")).results
    suppressed = next(item.suppressed for item in results if item.suppressed is not None)
    assert suppressed.kind == "baseline"
    assert suppressed.reason.startswith("known since 20")


def test_the_configuration_names_it(folder: Path) -> None:
    (folder / ".trailguard.yaml").write_text("baseline: known/today.json\n")
    (folder / "known").mkdir()
    record()
    assert (folder / "known" / "today.json").is_file()
    assert run("scan") == 0


def test_moved_lines_and_renamed_files_are_known_again(folder: Path) -> None:
    record()
    (folder / "trail.yaml").write_text("# a comment\n\n" + TRAIL)
    assert counted(folder)["suppressed"] == 11
    (folder / "infra").mkdir()
    (folder / "trail.yaml").rename(folder / "infra" / "audit.yaml")
    assert counted(folder)["suppressed"] == 11
    (folder / "trail.yaml").write_text(TRAIL)  # a copy beside it is new
    assert counted(folder)["fail"] == scan(["trail.yaml"], Settings()).summary()["fail"] > 0


def test_new_findings_count(folder: Path) -> None:
    record()
    (folder / "second.yaml").write_text(TRAIL)
    assert run("scan", "--baseline", ".trailguard-baseline.json") == 1
    (folder / "second.yaml").unlink()
    (folder / "trail.yaml").write_text(TRAIL.replace("IsLogging: true", "IsLogging: false"))
    assert counted(folder)["fail"] == 1


def test_what_got_worse_counts(folder: Path) -> None:
    (folder / "trail.yaml").write_text(TRAIL.replace('Default: "false"', 'Default: "true"'))
    record()
    assert counted(folder)["conditional"] == 0
    (folder / "trail.yaml").write_text(TRAIL)
    report = scan(["."], Settings(baseline=".trailguard-baseline.json"))
    assert [
        (item.rule.id, item.verdict) for item in report.results if item.verdict == FAIL and not item.suppressed
    ] == [("TG101", "fail")]


def test_one_entry_covers_one_finding(folder: Path) -> None:
    record()
    (folder / "trail.yaml").rename(folder / "one.yaml")
    (folder / "two.yaml").write_text(TRAIL)
    summary = counted(folder)
    assert summary["suppressed"] == 11
    assert summary["fail"] == scan(["two.yaml"], Settings()).summary()["fail"]


def test_a_wider_witness_is_worse(folder: Path) -> None:
    two = TRAIL.replace('Default: "false"}', 'Default: "true"}\n  Odd: {Type: String, Default: "n"}')
    two = two.replace("Resources:", 'Conditions: {IsOdd: !Equals [!Ref Odd, "y"]}\nResources:')
    (folder / "trail.yaml").write_text(two.replace("!Ref Multi", "!If [IsOdd, !Ref Multi, true]"))
    assert counted_open("TG101") == [("conditional", {"Multi": "false", "Odd": "y"})]
    record()
    assert counted_open("TG101", BASELINE) == []
    (folder / "trail.yaml").write_text(two)
    assert counted_open("TG101", BASELINE) == [("conditional", {"Multi": "false"})]
    record()
    (folder / "trail.yaml").write_text(two.replace("!Ref Multi", "!If [IsOdd, !Ref Multi, true]"))
    assert counted_open("TG101", BASELINE) == []  # it takes more to break it now


PLAIN = Settings()
BASELINE = Settings(baseline=".trailguard-baseline.json")


def counted_open(rule: str, settings: Settings = PLAIN) -> list[tuple[str, dict[str, str]]]:
    results = scan(["."], settings).results
    return [(item.verdict, dict(item.witness)) for item in results if item.rule.id == rule and item.is_open]


def test_one_parent_more_is_worse(folder: Path) -> None:
    parent = "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: trail.yaml}}\n"
    (folder / "one.yaml").write_text(parent)
    record()
    assert counted_open("TG101", BASELINE) == []
    (folder / "two.yaml").write_text(parent)
    assert counted_open("TG101", BASELINE) == [("fail", {})]


def test_where_the_scan_starts_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert run("scan", "..", "--baseline", "../.trailguard-baseline.json") == 0
    assert run("baseline", "..", "--output", "known.json") == 0
    monkeypatch.chdir(folder)
    assert run("scan", "--baseline", "sub/known.json") == 0


def test_one_of_an_earlier_release_is_read(folder: Path) -> None:
    record()
    path = folder / ".trailguard-baseline.json"
    data = json.loads(path.read_text())
    for item in data["findings"]:
        del item["contexts"], item["witness"]
        item["fingerprint"] = "0123456789abcdef0123"
    path.write_text(json.dumps(data))
    assert counted(folder)["suppressed"] == 11


def test_what_is_gone_is_told(folder: Path) -> None:
    record()
    (folder / "trail.yaml").write_text(TRAIL.replace("!Ref Multi", "true"))
    report = scan(["."], Settings(baseline=".trailguard-baseline.json"))
    assert [notice.message for notice in report.notices] == [
        "1 finding of the baseline is not found any more; `trailguard baseline` records it anew"
    ]


def test_recording_again_keeps_what_is_known_and_leaves_out_what_is_accepted(folder: Path) -> None:
    record()
    first = (folder / ".trailguard-baseline.json").read_text()
    record()
    assert (folder / ".trailguard-baseline.json").read_text() == first
    (folder / "trail.yaml").write_text(TRAIL.replace("!Ref Multi", "!Ref Multi  # trailguard: ignore[TG101] why"))
    record()
    assert "TG101" not in (folder / ".trailguard-baseline.json").read_text()


def test_a_broken_template_is_an_error_and_the_rest_is_recorded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.yaml").write_text("Resources: {A: {Type: 'AWS::CloudTrail::Trail'")
    assert run("baseline", "--output", "-") == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: bad.yaml:1:")
    assert len(json.loads(told.out)["findings"]) == 11


def entry(**changes: Any) -> str:
    item = {
        "rule": "TG101",
        "verdict": "fail",
        "file": "t.yaml",
        "resource": "T",
        "path": ["Resources"],
        "fingerprint": "x",
    }
    return json.dumps({"schema": SCHEMA, "findings": [{**item, **changes}]})


NOT_OURS = "finding 1 of the baseline is not one that `trailguard baseline` wrote"
BROKEN = [
    ("{", "is not JSON: Expecting property name enclosed in double quotes"),
    ("[]", f'is not a baseline: "schema" must be "{SCHEMA}"'),
    ('{"schema": "other/1"}', f'is not a baseline: "schema" must be "{SCHEMA}"'),
    (json.dumps({"schema": SCHEMA, "findings": {}}), 'is not a baseline: "findings" must be a list'),
    (entry(rule=1), NOT_OURS),
    (entry(verdict="pass"), NOT_OURS),
    (entry(path="Resources"), NOT_OURS),
    (entry(path=[{}]), NOT_OURS),
    (entry(contexts=[1]), NOT_OURS),
    (entry(witness=["a"]), NOT_OURS),
    (json.dumps({"schema": SCHEMA, "findings": [1]}), NOT_OURS),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_baseline_is_an_error(
    text: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "known.json").write_text(text)
    assert run("scan", "--baseline", "known.json") == 2
    assert message in capsys.readouterr().err


def test_a_baseline_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan", "--baseline", "known.json") == 2
    assert "`trailguard baseline` records one" in capsys.readouterr().err


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "known.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ConfigError, match="is not JSON in UTF-8"):
        read("known.json", "known.json")


def test_passes_are_not_recorded(folder: Path) -> None:
    results = scan(["."], Settings()).results
    assert any(item.verdict == PASS for item in results)
    assert all(item["verdict"] != PASS for item in json.loads(write(results, "2026-01-01"))["findings"])


def test_a_pipe_or_a_huge_file_is_no_baseline(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(2**34)
    for name, message in (("pipe", "it is not a regular file"), ("huge", "it has more than")):
        with pytest.raises(ConfigError) as told:
            read(str(tmp_path / name), name)
        assert told.value.message.startswith(f"cannot be read: {message}")
