"""A check of another linter that asks for the same as a rule of ours is shown with it, as one finding."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from trailguard.findings import Report
from trailguard.hosts import companions
from trailguard.reporters.common import by_cause
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

TEMPLATE = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {S3BucketName: logs-of-ours, IsLogging: true, EnableLogFileValidation: true}
"""


def beside_checkov(folder: Path, *checks: str) -> Report:
    """The report of the template, with what a stand-in for checkov says of it."""
    path = folder / "trail.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    failed = [
        {
            "check_id": check,
            "check_name": f"says {check}",
            "file_abs_path": str(path),
            "file_line_range": [2, 4],
            "resource": "AWS::CloudTrail::Trail.Trail",
        }
        for check in checks
    ]
    program = folder / "checkov"
    answer = json.dumps({"results": {"failed_checks": failed}})
    program.write_text(f"#!{sys.executable}\nprint({answer!r})\n", encoding="utf-8")
    program.chmod(0o755)
    settings = Settings()
    return companions.joined(scan([str(path)], settings), [("checkov", str(program))], settings)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script")
def test_an_equivalent_check_shares_the_cause_of_our_rule(tmp_path: Path) -> None:
    report = beside_checkov(tmp_path, "CKV_AWS_67", "CKV_AWS_36", "CKV_AWS_252")
    shown = {shared.lead.rule.id: [item.rule.id for item in shared.others] for shared in by_cause(report)}
    assert shown["TG101"] == ["CKV_AWS_67"]  # ours leads, however bad the other says that it is
    assert shown["CKV_AWS_36"] == []  # TG103 holds, so this is checkov's alone
    assert shown["CKV_AWS_252"] == []
    assert {item.rule.tool for item in report.results} == {"", "checkov"}
