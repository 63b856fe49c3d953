"""What every report says of the snapshots that it rests on."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.snapshots import ACCOUNT, HERE, REGION, bucket, policy, trail, write
from trailguard import Settings, scan
from trailguard.commands.cli import main
from trailguard.commands.options import parser_of

AUDIT = f"{HERE}/audit"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "audit-logs", "IsLogging": True}}
    }
}
REFUSED = {"account": ACCOUNT, "region": REGION, "call": "sns:ListTopics", "resource": "", "code": "AccessDenied"}
FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "csv", "html", "oscal", "ocsf")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    things = [bucket("audit-logs"), policy("audit-logs"), trail("main", "audit-logs", f"{AUDIT}/Trail")]
    failures = [{"arn": ARN, "latest_delivery_error": "AccessDenied"}]
    write(Path("snap"), {HERE: things}, {AUDIT: {"template": TEMPLATE}}, refused=[REFUSED], trails=failures)
    Path("trail.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")


USUAL = Settings()


def notices(on: str = "2026-11-21", settings: Settings = USUAL) -> list[str]:
    """What there is to notice of the snapshot on a day."""
    report = scan(["trail.json"], settings, world=["snap"], on=on)
    return [item.message for item in report.notices if item.file == "snap/snapshot.json"]


class TestAge:
    @pytest.mark.parametrize(("on", "is_old"), [("2026-11-20", False), ("2026-12-20", False), ("2026-12-21", True)])
    def test_thirty_days_are_not_old(self, on: str, is_old: bool) -> None:
        assert any("days old" in text for text in notices(on=on)) is is_old

    def test_it_can_be_set(self) -> None:
        (told,) = (text for text in notices(on="2026-11-24", settings=Settings(max_age=3)) if "days old" in text)
        assert told.startswith("this snapshot is 4 days old, which is more than 3 (--max-age)")
        assert not [text for text in notices(on="2026-11-24", settings=Settings(max_age=4)) if "days old" in text]

    def test_by_the_configuration_and_by_the_command_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path(".trailguard.yaml").write_text("max_age: 100000\n", encoding="utf-8")
        assert main(["scan", "trail.json", "--world", "snap"]) == 2
        assert ".trailguard.yaml:1:10: max_age must be a number of days" in capsys.readouterr().err
        Path(".trailguard.yaml").write_text("max_age: 99999\n", encoding="utf-8")
        main(["scan", "trail.json", "--world", "snap", "-q"])
        assert "days old" not in capsys.readouterr().out
        assert parser_of("scan").read(["--max-age", "7"]).max_age == 7


def test_what_was_refused_is_told() -> None:
    assert f"this snapshot could not read everything: AWS refused sns:ListTopics in {HERE}: AccessDenied" in notices()


def test_many_that_were_refused_are_counted() -> None:
    write(Path("snap"), {HERE: []}, refused=[REFUSED] * 9)
    assert "this snapshot could not read everything: AWS refused 4 more calls" in notices()


def test_a_trail_of_which_nobody_knows_whether_it_delivers() -> None:
    write(Path("snap"), {HERE: []}, trails=[{"arn": ARN, "unread": "cloudtrail:GetTrailStatus was refused"}])
    assert notices() == [f"whether {ARN} delivers is not known: cloudtrail:GetTrailStatus was refused"]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_a_failed_delivery_of_age_and_of_the_stack(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["scan", "trail.json", "--world", "snap", "--max-age", "0", "--format", form])
    told = " ".join(capsys.readouterr().out.split())
    assert "failed with AccessDenied" in told
    assert "days old" in told
    assert "AWS refused sns:ListTopics" in told
    assert AUDIT in told


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_a_live_trail_whose_delivery_failed(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", "snap", "--format", form]) == 1
    assert "failed with AccessDenied" in " ".join(capsys.readouterr().out.split())


def test_the_report_is_what_its_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    main(["scan", "trail.json", "--world", "snap", "--profile", "all", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    schema = json.loads(files("trailguard").joinpath("schemas/report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(report)
    assert {tuple(item["deployed"]) for item in report["results"]} == {(AUDIT,)}
    assert report["judged"]["as_deployed_as"] == f"{AUDIT} (trail.json)"
    assert report["judged"]["snapshots"] == f"snap as of 2026-11-20 ({HERE})"
