"""The formats for auditors and data lakes, held against the libraries that read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reporters.test_oscal import REPORTS
from tests.reporters.test_reporters import hostile
from trailguard.findings import Report
from trailguard.reporters import ocsf, oscal
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

pytestmark = pytest.mark.audit

EXAMPLES = Path(__file__).parents[2] / "examples"


def judged(profile: str) -> Report:
    return scan([str(EXAMPLES)], Settings(profile=profile), evidence=True, on="2026-11-29")


CASES = [*REPORTS, hostile("x" * 100_000)]


def read_by_trestle(text: str) -> None:
    from trestle.core.duplicates_validator import DuplicatesValidator
    from trestle.oscal.assessment_results import Model

    model = Model.model_validate_json(text)
    assert DuplicatesValidator().model_is_valid(model.assessment_results, quiet=False)
    written = json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
    assert written["assessment-results"]["uuid"] == json.loads(text)["assessment-results"]["uuid"]


def read_by_ocsf(text: str, count: int) -> None:
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
    from py_ocsf_models.objects.cloud import Cloud

    lines = text.splitlines()
    assert len(lines) == count
    for line in lines:
        event = json.loads(line)
        cloud = event.pop("cloud")  # of the profile `cloud`, which these models have for other classes only
        assert json.loads(Cloud.model_validate(cloud).model_dump_json(exclude_none=True)) == cloud
        model = ComplianceFinding.model_validate(event)
        known = json.loads(model.model_dump_json(exclude_none=True))
        assert set(event) <= set(known)
        # attributes of OCSF 1.3 that these models leave out
        left_out = {"status", "status_code", "status_detail"}
        assert set(event["compliance"]) - set(known["compliance"]) <= left_out
        for part in ("finding_info", "metadata"):
            assert set(event[part]) <= set(known[part]), part
        assert set(event["resources"][0]) <= set(known["resources"][0])


@pytest.mark.parametrize("report", CASES)
def test_trestle_reads_what_is_written(report: Report) -> None:
    read_by_trestle(oscal.render(report))


@pytest.mark.parametrize("report", CASES)
def test_the_models_of_ocsf_read_each_line(report: Report) -> None:
    read_by_ocsf(ocsf.render(report), len(report.results) + len(report.errors) + len(report.notices))


@pytest.mark.parametrize("profile", ["default", "all", "nist-800-53-r5", "fedramp-moderate-r4, hipaa"])
def test_whole_scans_are_read(profile: str) -> None:
    report = judged(profile)
    assert report.frameworks
    read_by_trestle(oscal.render(report))
    read_by_ocsf(ocsf.render(report), len(report.results))
