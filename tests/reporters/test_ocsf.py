"""OCSF compliance findings: one event a line, always of the same shape.

What the classes themselves ask for is held against py-ocsf-models in test_auditors.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reporters.samples import RULES, audited, finding, sample
from tests.reporters.test_oscal import REPORTS
from tests.reporters.test_reporters import EMPTY, HOSTILE, hostile
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Report
from trailguard.reporters import ocsf


def events(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ocsf.render(report).splitlines()]


@pytest.mark.parametrize("report", REPORTS)
def test_each_line_is_one_event_with_an_identifier_of_its_own(report: Report) -> None:
    made = events(report)
    assert len(made) == len(report.results) + len(report.errors) + len(report.notices)
    assert len({one["metadata"]["uid"] for one in made}) == len(made)
    assert all(one["finding_info"]["uid"] for one in made)
    assert [one["finding_info"]["uid"] for one in made[: len(report.results)]] == [
        item.fingerprint for item in report.results
    ]
    assert ocsf.render(report) == ocsf.render(report)


def shape(value: object) -> object:
    """The keys of a value and the types below them, of lists those of all items."""
    if isinstance(value, dict):
        return {key: shape(child) for key, child in sorted(value.items())}
    if isinstance(value, list):
        return [shape(child) for child in value[:1]]
    return type(value).__name__


@pytest.mark.parametrize("value", HOSTILE)
def test_no_key_comes_from_a_template(value: str) -> None:
    expected = {json.dumps(shape(one)) for one in events(hostile("plain"))}
    assert {json.dumps(shape(one)) for one in events(hostile(f"{value}x"))} == expected


@pytest.mark.parametrize(
    ("verdict", "severity", "outcome", "remedied"),
    [
        (FAIL, "Critical", (3, "Fail"), True),
        (CONDITIONAL, "Critical", (3, "Fail"), True),
        (UNKNOWN, "Critical", (2, "Warning"), False),
        (PASS, "Informational", (1, "Pass"), False),
        (NOT_APPLICABLE, "Informational", (99, "Not Applicable"), False),
    ],
)
def test_a_verdict_and_what_it_means(verdict: Any, severity: str, outcome: tuple[int, str], remedied: bool) -> None:
    (made,) = events(EMPTY._replace(results=(finding(RULES[3], verdict),)))
    assert (made["severity"], made["status"]) == (severity, "New")
    assert (made["compliance"]["status_id"], made["compliance"]["status"]) == outcome
    assert made["compliance"]["status_code"] == verdict
    assert ("remediation" in made) is remedied


def test_what_is_accepted_is_suppressed_and_not_passed() -> None:
    (made,) = (one for one in events(audited()) if one["status"] == "Suppressed")
    assert made["status_id"] == 3
    assert made["compliance"]["status"] == "Fail"
    assert made["comment"] == "waiver: moved to the archive account in spring (until 2027-03-31)"
    assert made["unmapped"]["suppressed"]["expires"] == "2027-03-31"


def test_errors_and_notices_are_events_that_pass_nothing() -> None:
    made = {one["unmapped"]["kind"]: one for one in events(audited())}
    assert set(made) == {"finding", "error", "notice"}
    assert (made["error"]["message"], made["error"]["compliance"]["status_id"]) == ("no such file", 2)
    assert made["notice"]["compliance"]["status"] == "Notice"
    assert "Pass" not in {one["compliance"]["status"] for one in (made["error"], made["notice"])}


def test_where_and_when() -> None:
    first = events(audited())[0]
    assert first["time"] == 1795910400000  # date -u -d 2026-11-29 +%s, in milliseconds
    assert first["cloud"] == {
        "provider": "AWS",
        "region": "eu-west-1",
        "account": {"uid": "123456789012", "name": "123456789012", "type_id": 10, "type": "AWS Account"},
    }
    (resource,) = first["resources"]
    assert (resource["uid"], resource["type"], resource["region"]) == (
        "templates/trail.yaml#Trail",
        "AWS::CloudTrail::Trail",
        "eu-west-1",
    )
    assert resource["data"]["line"] == 10
    nowhere = events(EMPTY._replace(results=(finding(),)))[0]
    assert (nowhere["time"], nowhere["cloud"]) == (0, {"provider": "AWS"})


@pytest.mark.parametrize(
    ("more", "account", "region"),
    [
        ({}, "123456789012", "eu-west-1"),
        ({"deployed": ("111122223333/us-gov-west-1/audit",)}, "111122223333", "us-gov-west-1"),
        ({"deployed": ("111122223333/eu-west-1/a", "111122223333/eu-north-1/a")}, "111122223333", None),
        ({"deployed": ("111122223333/eu-west-1/a", "444455556666/eu-west-1/a")}, None, "eu-west-1"),
        ({"file": "snapshot/111122223333/eu-north-1/existing-1.yaml"}, "111122223333", "eu-north-1"),
        ({"file": "111122223333/global/existing-1.yaml"}, "111122223333", None),
        ({"file": "1234/eu-north-1/x.yaml"}, "123456789012", "eu-west-1"),
    ],
)
def test_a_stack_or_a_snapshot_knows_better_where_it_is(more: Any, account: str | None, region: str | None) -> None:
    made = events(audited()._replace(results=(finding(**more),)))[0]
    assert made["cloud"].get("account", {}).get("uid") == account
    assert made["cloud"].get("region") == made["resources"][0].get("region") == region


def test_standards_and_requirements_bear_the_frameworks_titles() -> None:
    made = {one["metadata"]["event_code"]: one["compliance"] for one in events(audited())}
    assert made["TG101"]["standards"][:2] == ["CIS AWS Foundations Benchmark 5.0.0", "aws-fsbp"]
    assert made["TG101"]["requirements"] == ["CIS AWS Foundations Benchmark 5.0.0 3.1", "aws-fsbp CloudTrail.1"]
    assert made["TG203"]["standards"] == ["NIST SP 800-53 Revision 5"], "it is a prerequisite there"
    assert made["TG203"]["requirements"] == []
    assert made["TG108"]["standards"] == ["trailguard"]


def test_what_ocsf_has_no_attribute_for_is_kept() -> None:
    made = events(sample())[0]["unmapped"]
    assert made["witness"] == [{"name": "MultiRegion", "value": "false"}]
    assert made["place"]["path"] == ["Resources", "Trail", "Properties", "IsMultiRegionTrail"]
    assert {"framework": "aws-fsbp", "control": "CloudTrail.1", "verified": True} in made["controls"]
    assert {"name": "changed rules", "value": "TG103: severity is medium, not high"} in made["judged"]
