"""Trail, metric filter and alarm in several stacks: what means the same, by reference and by name, and what may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trails.watching.test_alarms import alarm, trail, watch
from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN, Finding
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

Json = Any
GROUP = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "audit"}}
PINNED = {"region": "eu-west-1", "account_id": "111122223333"}


def judged(folder: Path, files: dict[str, dict[str, Json]], **settings: Any) -> Finding:
    """What TG403 finds about the one trail in a folder of templates, each given by its resources."""
    for name, resources in files.items():
        (folder / name).write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    report = scan([str(folder)], Settings(select=("TG403",), **settings))
    assert report.errors == ()
    (finding,) = report.results
    return finding


def nested(file: str) -> dict[str, Json]:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": file}}


def stack_set(resources: dict[str, Json]) -> dict[str, Json]:
    properties = {"StackSetName": "s", "PermissionModel": "SELF_MANAGED"}
    body = json.dumps({"Resources": resources})
    return {"Type": "AWS::CloudFormation::StackSet", "Properties": {**properties, "TemplateBody": body}}


def test_nested_stacks_are_one_place(tmp_path: Path) -> None:
    files = {
        "root.json": {"Trail": trail(), "Group": GROUP, "F": nested("./filter.json"), "A": nested("./alarm.json")},
        "filter.json": {"Filter": watch(on="audit")},
        "alarm.json": {"Alarm": alarm()},
    }
    assert judged(tmp_path, files).verdict == PASS
    files["alarm.json"] = {"Alarm": alarm(Threshold=5)}
    found = judged(tmp_path, files)
    assert found.verdict == FAIL
    assert found.place.file.endswith("alarm.json")


def test_composite_alarm_in_another_stack_acts(tmp_path: Path) -> None:
    above = {"AlarmRule": "ALARM(changes)", "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:t"]}
    files = {
        "root.json": {"Trail": trail(), "Group": GROUP, "F": nested("./filter.json"), "C": nested("./above.json")},
        "filter.json": {"Filter": watch(on="audit"), "Alarm": alarm(AlarmName="changes", AlarmActions=None)},
        "above.json": {"Above": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": above}},
    }
    assert judged(tmp_path, files).verdict == PASS
    above["AlarmRule"] = "ALARM(other)"
    assert judged(tmp_path, files).verdict == FAIL


@pytest.mark.parametrize("what", ["Filter", "Alarm", "Both"])
def test_stack_set_may_be_deployed_elsewhere(tmp_path: Path, what: str) -> None:
    parts = {"Filter": watch(on="audit"), "Alarm": alarm()}
    inside = parts if what == "Both" else {what: parts[what]}
    beside = {name: part for name, part in parts.items() if name not in inside}
    files = {"root.json": {"Trail": trail(), "Group": GROUP, "Set": stack_set(inside), **beside}}
    found = judged(tmp_path, files)
    assert (found.verdict, found.reason) == (UNKNOWN, "the stack set works in accounts that are chosen at deployment")


def test_log_group_named_by_its_account(tmp_path: Path) -> None:
    name = {"Fn::Sub": "audit-${AWS::AccountId}"}
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}
    files = {"t.json": {"Trail": trail(), "Group": group, "Filter": watch(on="audit-111122223333"), "Alarm": alarm()}}
    assert judged(tmp_path, files).verdict == UNKNOWN
    assert judged(tmp_path, files, account_id="111122223333").verdict == PASS
    assert judged(tmp_path, files, account_id="444455556666").verdict == FAIL
    files = {"t.json": {**files["t.json"], "Filter": watch(on=name)}}
    assert judged(tmp_path, files).verdict == PASS


def test_log_group_named_by_its_region(tmp_path: Path) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "audit-${AWS::Region}"}}}
    files = {"t.json": {"Trail": trail(), "Group": group, "Filter": watch(on="audit-eu-west-1"), "Alarm": alarm()}}
    assert judged(tmp_path, files).verdict == CONDITIONAL
    assert judged(tmp_path, files, region="eu-west-1").verdict == PASS
    assert judged(tmp_path, files, region="eu-west-2").verdict == FAIL
