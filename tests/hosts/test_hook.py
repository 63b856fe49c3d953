"""The whole hook: an event comes in, AWS is asked over HTTP, an answer goes out, the same as a scan's verdicts."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.hosts.hooking import Aws, Reply, event
from tests.hosts.test_hook_world import zipped
from trailguard.findings import OPEN, Report
from trailguard.hosts import hook
from trailguard.hosts.hook import handler
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

CHANGES = event("change_set")["changeSetId"]
MULTI = """\
Parameters:
  Multi: {Type: String, Default: 'true', AllowedValues: ['true', 'false']}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: central-audit-logs
      IsLogging: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
      IsMultiRegionTrail: !Ref Multi
"""
GOOD = (ROOT / "src/trailguard/init_template.yaml").read_text(encoding="utf-8")
TEMPLATES = sorted(ROOT.glob("examples/**/*.yaml")) + sorted(ROOT.glob("rules/TG[12]*/fail/*.*"))[::24]


class Context:
    """Lambda's context, as far as it is asked."""

    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:Gate"

    def __init__(self, seconds: float = 28) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    return tmp_path


def values(given: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]


def names(told: Any, status: str = "FAILED") -> list[str]:
    return [item["annotationName"].split()[0] for item in told.get("annotations", ()) if item["status"] == status]


@pytest.mark.parametrize(("value", "status"), [("true", "SUCCESS"), ("false", "FAILED")])
@pytest.mark.parametrize("name", ["stack", "change_set"])
def test_the_actual_parameters_decide(aws: Aws, name: str, value: str, status: str) -> None:
    aws.status = "UPDATE_IN_PROGRESS"
    aws.parameters["MyStack"] = aws.parameters[CHANGES] = values({"Multi": value})
    told = handler(event(name, aws.payload(MULTI)), Context())
    assert told["hookStatus"] == status
    assert told["clientRequestToken"] == "f8da6d11-b23f-48f4-814c-0fb6a667f50e"
    assert names(told) == ["TG101"] * (status == "FAILED")
    assert "not known" not in told["message"]


def test_parameters_that_cannot_be_had_are_free(aws: Aws) -> None:
    aws.refused |= {"DescribeStacks", "DescribeChangeSet"}
    aws.parameters["MyStack"] = values({"Multi": "true"})
    told = handler(event("stack", aws.payload(MULTI)), Context())
    assert told["hookStatus"] == "SUCCESS"
    assert "TG101" in names(told, "SKIPPED")
    assert "not known (DescribeStacks was answered with AccessDenied): judged for every value" in told["message"]
    (open_,) = (item for item in told["annotations"] if item["annotationName"] == "TG101 multi-region")
    assert open_["statusMessage"].startswith("line 11: conditional: ")
    assert "when Multi = false" in open_["statusMessage"]


def test_a_hidden_parameter_is_free(aws: Aws) -> None:
    aws.parameters[CHANGES] = values({"Multi": "****"})
    told = handler(event("change_set", aws.payload(MULTI)), Context())
    assert "TG101" in names(told, "SKIPPED")
    assert "NoEcho hides the value of Multi" in told["message"]
    assert "****" not in json.dumps(told)


STORED = MULTI.replace(
    "Type: String, Default: 'true', AllowedValues: ['true', 'false']",
    "Type: 'AWS::SSM::Parameter::Value<String>', Default: /trail/multi, AllowedPattern: '/.*'",
)


@pytest.mark.parametrize(("value", "status"), [("true", "SUCCESS"), ("false", "FAILED")])
def test_what_the_parameter_store_gave_decides(aws: Aws, value: str, status: str) -> None:
    stored = {"ParameterKey": "Multi", "ParameterValue": "/trail/multi", "ResolvedValue": value}
    aws.parameters[CHANGES] = [stored]
    told = handler(event("change_set", aws.payload(STORED)), Context())
    assert (told["hookStatus"], names(told)) == (status, ["TG101"] * (status == "FAILED"))
    aws.parameters[CHANGES] = values({"Multi": "/trail/multi"})
    left = handler(event("change_set", aws.payload(STORED)), Context())
    assert "TG101" in names(left, "SKIPPED")
    assert "is read from the Systems Manager parameter" in json.dumps(left)


def test_a_template_that_is_right(aws: Aws) -> None:
    given = {"TrailName": "audit", "OrganizationId": "o-abcdefghij", "LogRetentionDays": "365", "AlarmEmail": ""}
    aws.parameters[CHANGES] = values(given)
    told = handler(event("change_set", aws.payload(GOOD)), Context())
    assert told["message"] == "trailguard: change set for stack MyStack may be deployed, by the rules of default"
    assert (told["hookStatus"], told.get("annotations")) == ("SUCCESS", None)


def test_a_stack_without_trails(aws: Aws) -> None:
    told = handler(event("change_set", aws.payload("Resources: {Q: {Type: AWS::SQS::Queue}}")), Context())
    assert told["hookStatus"] == "SUCCESS"
    assert told["message"] == "trailguard: change set for stack MyStack holds nothing that the rules are about"
    assert aws.calls == ["/payload"]  # CloudFormation is asked for parameters only where they may matter


@pytest.mark.parametrize("name", ["stack", "change_set", "resource"])
def test_what_is_deleted_is_not_judged(aws: Aws, name: str) -> None:
    told = handler(event(name, actionInvocationPoint="DELETE_PRE_PROVISION"), Context())
    assert told["hookStatus"] == "SUCCESS"
    assert told["message"].endswith("is deleted, which is not judged")
    assert aws.calls == []


# --- the same verdicts as a scan ----------------------------------------------------------------------------------


def outcome(report: Report) -> tuple[str, str | None]:
    """The status and the error code that the exit status of a scan stands for."""
    counting = any(map(report.threshold.counts, report.results))
    if report.status() == 0:
        return "SUCCESS", None
    return "FAILED", "NonCompliant" if counting else "InternalFailure"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_verdicts_are_those_of_a_scan(aws: Aws, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = path.read_bytes()
    monkeypatch.setenv("TRAILGUARD_PROFILE", "all")
    monkeypatch.setenv("TRAILGUARD_FAIL_ON", "conditional")
    aws.parameters[CHANGES] = []
    told = handler(event("change_set", aws.payload(template.decode())), Context())
    settings = Settings(
        profile="all",
        fail_on="conditional",
        region="us-west-2",
        account_id="123456789012",
        partition="aws",
        parameters={"AWS::StackName": "MyStack"},
    )
    report = scan(["-"], settings, stdin=template, stdin_filename="123456789012/us-west-2/MyStack")
    assert (told["hookStatus"], told.get("errorCode")) == outcome(report)
    texts = [f"{item['annotationName']} {item['statusMessage']}" for item in told.get("annotations", ())]
    wanted = [item for item in report.results if item.verdict in OPEN]
    for item in wanted:
        assert any(item.rule.id in text for text in texts), item.rule.id
    told_rules = {text.split()[0] for text in texts}
    assert told_rules <= {item.rule.id for item in wanted}
    assert bool(texts) == bool(wanted)


# --- resources by themselves --------------------------------------------------------------------------------------


def test_a_resource_is_judged_as_far_as_it_goes(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    told = handler(event("resource"), Context())
    assert told["hookStatus"] == "SUCCESS"
    assert names(told) == []
    assert "TG104" in told["message"]
    assert {"unknown"} == {item["statusMessage"].split(":")[0] for item in told["annotations"]}
    wrong = event("resource")
    wrong["requestData"]["targetModel"]["resourceProperties"]["IsMultiRegionTrail"] = False
    assert names(handler(wrong, Context())) == ["TG101"]
    assert aws.calls == []


def test_a_resource_says_nothing_of_how_it_is_written(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAILGUARD_PROFILE", "all")
    literal = event("resource")
    properties = literal["requestData"]["targetModel"]["resourceProperties"]
    properties.update(
        TrailName="main",
        CloudWatchLogsLogGroupArn="arn:aws:logs:us-west-2:123456789012:log-group:trail:*",
        CloudWatchLogsRoleArn="arn:aws:iam::123456789012:role/trail",
        KMSKeyId="arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    )
    assert set(names(handler(literal, Context()))) == {"TG110", "TG111", "TG112"}  # what the trail itself lacks


def test_another_resource_is_none_of_our_business(aws: Aws) -> None:
    other = event("resource")
    other["requestData"].update(targetName="AWS::DynamoDB::Table", targetType="AWS::DynamoDB::Table")
    assert handler(other, Context())["message"].endswith(
        "Trail of stack MyStack holds nothing that the rules are about"
    )


# --- settings and the world ---------------------------------------------------------------------------------------


def test_settings_of_the_package(aws: Aws, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.parameters[CHANGES] = values({"Multi": "false"})
    asked = event("change_set", aws.payload(MULTI))
    waiver = "{rule: TG101, file: '123456789012/*/MyStack', reason: one Region for now, expires: 2099-01-01}"
    (package / ".trailguard.yaml").write_text(f"waivers: [{waiver}]\n")
    told = handler(asked, Context())
    assert told["hookStatus"] == "SUCCESS"
    (accepted,) = (item for item in told["annotations"] if item["annotationName"].startswith("TG101"))
    assert accepted["statusMessage"].startswith("accepted until 2099-01-01: one Region for now; line 11: ")
    idle = waiver.replace("MyStack", "Another")
    (package / ".trailguard.yaml").write_text(f"waivers: [{waiver}, {idle}]\n")
    monkeypatch.setenv("TRAILGUARD_WAIVERS", f"[{waiver}, {idle}]")
    assert "waiver" not in handler(asked, Context())["message"]
    monkeypatch.delenv("TRAILGUARD_WAIVERS")
    assert "waiver" not in handler(asked, Context())["message"]
    (package / ".trailguard.yaml").write_text("rules: {ignore: [TG101]}\n")
    assert "TG101" not in json.dumps(handler(asked, Context()))
    (package / ".trailguard.yaml").write_text("profil: all\n")
    broken = handler(asked, Context())
    assert (broken["hookStatus"], broken["errorCode"]) == ("FAILED", "InternalFailure")
    assert '.trailguard.yaml:1:1: unknown key "profil"; did you mean "profile"?' in broken["message"]


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("TRAILGUARD_PROFILE", "cis", "there is no profile"),
        ("TRAILGUARD_RULES", "{select: [TG999]}", "TG999"),
        ("TRAILGUARD_WORLD", "gone", "which is not a folder of the package"),
        ("TRAILGUARD_WORLD", "s3://none/there", "HeadObject was answered with 404"),
    ],
)
def test_settings_that_are_wrong_fail(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, why: str
) -> None:
    monkeypatch.setenv(variable, value)
    told = handler(event("change_set", aws.payload(MULTI)), Context())
    assert (told["hookStatus"], told.get("errorCode")) == ("FAILED", "InternalFailure")
    assert why in told["message"]


BUCKET = """\
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties: {BucketName: central-audit-logs}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: central-audit-logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: arn:aws:s3:::central-audit-logs
"""


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_what_exists_is_known(aws: Aws, package: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    aws.parameters[CHANGES] = values({"Multi": "true"})
    asked = event("change_set", aws.payload(MULTI))
    assert "TG203" not in names(handler(asked, Context()))
    if kind == "folder":
        (package / "known").mkdir()
        (package / "known" / "existing.yaml").write_text(BUCKET)
        monkeypatch.setenv("TRAILGUARD_WORLD", "known")
    else:
        aws.put("snapshots", "now.zip", zipped({"existing.yaml": BUCKET.encode()}))
        monkeypatch.setenv("TRAILGUARD_WORLD", "s3://snapshots/now.zip")
    told = handler(asked, Context())
    (denied,) = (item for item in told["annotations"] if item["annotationName"].startswith("TG203"))
    assert (denied["status"], denied["statusMessage"].partition(":")[0]) == ("FAILED", "existing.yaml")
    waiver = "{rule: TG203, file: existing.yaml, reason: ours, expires: 2099-01-01}"
    monkeypatch.setenv("TRAILGUARD_WAIVERS", f"[{waiver}, {waiver.replace('existing.yaml', '123456789012/*/MyStack')}]")
    assert "TG203" in names(handler(asked, Context()), "SKIPPED")


def test_a_snapshot_does_not_fill_in_what_the_stack_had_before(
    aws: Aws, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the values of this deployment are not known, those of the last one would give an answer about that one."""
    aws.parameters[CHANGES] = values({"Multi": "true"})
    (package / "known").mkdir()
    (package / "known" / "existing.yaml").write_text(BUCKET)
    (package / "known" / "snapshot.json").write_text(
        '{"schema": "trailguard-snapshot/1", "taken": "2026-11-20T08:00:00Z"}'
    )
    monkeypatch.setenv("TRAILGUARD_WORLD", "known")
    asked = event("change_set", aws.payload(MULTI))
    assert "left out" not in handler(asked, Context())["message"]
    aws.refused.add("DescribeChangeSet")
    told = handler(asked, Context())
    assert "the snapshot is left out, as its stacks have the values from before" in told["message"]
    assert "existing.yaml" not in json.dumps(told)


# --- never by accident --------------------------------------------------------------------------------------------


def _slow(request: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


DEEP = "{" + '"a":{' * 5_000 + "}" * 5_001


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(body=b"\x00\xff" * 500_000), "is not JSON"),
        (Reply(body=b" " * 40_000_000), "more than 32,000,000 bytes"),
        (Reply(body=b'{"a":' * 200_000), "nested too deeply"),
        (Reply(302, {"Location": "/payload"}), "302 Found"),
        (Reply(500), "500 Internal Server Error"),
        (Reply(body=json.dumps({"template": DEEP.replace("a", "AWS::CloudTrail::Trail")}).encode()), "deep"),
        (
            Reply(body=json.dumps({"template": "Resources: {A: {Type: AWS::CloudTrail::Trail}, A: 1}"}).encode()),
            "line 1",
        ),
        (Reply(body=json.dumps({"template": "AWS::CloudTrail::Trail \ud800"}).encode()), "UTF-8"),
        (Reply(body=_slow), "judging it takes longer than "),
    ],
    ids=["binary", "huge", "nested", "circle", "error", "deep template", "duplicate", "surrogate", "slow"],
)
def test_a_hostile_payload_is_an_internal_failure_in_time(aws: Aws, reply: Reply, why: str) -> None:
    began = time.monotonic()
    seconds = 2.5 if reply.body is _slow else 28
    told = handler(event("change_set", aws.page(reply)), Context(seconds))
    assert (told["hookStatus"], told.get("errorCode")) == ("FAILED", "InternalFailure"), told
    assert why in told["message"]
    assert "secret" not in json.dumps(told)
    assert time.monotonic() - began < (2.5 if reply.body is _slow else 10)


@pytest.mark.parametrize("asked", [None, [], {}, {"clientRequestToken": "t", "requestData": {"targetType": "STACK"}}])
def test_what_is_no_event_is_an_internal_failure(asked: object) -> None:
    told = handler(asked, None)
    assert (told["hookStatus"], told["errorCode"]) == ("FAILED", "InternalFailure")
    assert told["clientRequestToken"] == ("t" if asked else "")


def test_a_fault_of_our_own_is_an_internal_failure(
    aws: Aws, package: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A working folder that has gone makes what nobody thought of fail."""
    place = package / "gone"
    place.mkdir()
    monkeypatch.chdir(place)
    place.rmdir()
    monkeypatch.delenv("LAMBDA_TASK_ROOT")
    told = handler(event("change_set", aws.payload(MULTI)), Context())
    assert (told["hookStatus"], told["errorCode"]) == ("FAILED", "InternalFailure")
    assert "internal error, please report it: FileNotFoundError" in told["message"]
    assert "Traceback" in capfd.readouterr().err


def test_the_log_tells_what_was_answered(aws: Aws, capfd: pytest.CaptureFixture[str]) -> None:
    aws.parameters[CHANGES] = values({"Multi": "false"})
    told = handler(event("change_set", aws.payload(MULTI)), Context())
    out, err = capfd.readouterr()
    line = json.loads(err)
    assert out == ""
    assert {key: line[key] for key in ("hookStatus", "errorCode", "message")} == {
        key: told[key] for key in ("hookStatus", "errorCode", "message")
    }
    assert line["annotations"] == len(told["annotations"])
    assert 0 < line["seconds"] < 20


def test_it_can_be_tried_out(package: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TRAILGUARD_"))}
    command = [sys.executable, "-m", "trailguard.hosts.hook"]
    text = json.dumps(event("resource"))
    done = subprocess.run(
        command,
        check=False,
        input=text,
        capture_output=True,
        text=True,
        cwd=package,
        env=environment | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert (done.returncode, json.loads(done.stdout)["hookStatus"]) == (0, "SUCCESS")


def test_main_ends_with_one_for_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("{}"))
    assert hook.main() == 1
    assert json.loads(capsys.readouterr().out)["errorCode"] == "InternalFailure"
