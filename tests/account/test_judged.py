"""A snapshot that was taken over HTTP, judged: what is live, and a template before its next deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.account.aws import ACCOUNT, REGION, STACK, TRAIL
from tests.account.front import Front
from tests.account.taking import taken
from trailguard import Report, Settings, scan
from trailguard.findings import Finding
from trailguard.settings.settings import load

pytestmark = pytest.mark.aws

NAMES = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: !ImportValue stack-bucket-name}
"""


@pytest.fixture
def snap(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    taken(tmp_path / "snap")
    return tmp_path / "snap"


def one(report: Report, rule: str) -> Finding:
    """The finding of a rule."""
    (found,) = (item for item in report.results if item.rule.id == rule)
    return found


def test_the_live_trail_is_judged(snap: Path) -> None:
    report = scan(["snap"], Settings(profile="all"))
    assert (report.errors, report.notices) == ((), ())
    assert {item.verdict for item in report.results} <= {"pass", "fail", "not_applicable"}  # nothing is left unknown
    passed = {
        rule: one(report, rule).verdict for rule in ("TG101", "TG106", "TG202", "TG203", "TG207", "TG208", "TG306")
    }
    assert passed.pop("TG306") == "fail"
    assert set(passed.values()) == {"pass"}
    assert TRAIL in one(report, "TG106").message
    assert {one(report, rule).verdict for rule in ("TG104", "TG307", "TG309", "TG310")} == {"not_applicable"}


def test_a_template_imports_what_a_stack_exports(snap: Path) -> None:
    Path("trail.yaml").write_text(NAMES, encoding="utf-8")
    report = scan(["trail.yaml"], Settings(), world=["snap"])
    finding = one(report, "TG201")
    assert (finding.verdict, finding.place.file) == ("fail", "trail.yaml")  # the bucket of the stack has no policy
    assert "arn:aws:s3:::made-by-stack" in finding.message
    assert f"stack {ACCOUNT}/{REGION}/audit" in " ".join(item.message for item in finding.related)


def test_a_template_is_judged_as_the_stack_that_was_made_of_it(snap: Path) -> None:
    added = NAMES.partition("\n")[2].replace("!ImportValue stack-bucket-name", "!Ref Name")
    Path("audit.yaml").write_text(STACK.replace("Outputs:", f"{added}Outputs:"), encoding="utf-8")
    stack = f"{ACCOUNT}/{REGION}/audit"
    Path(".trailguard.yaml").write_text(f"contexts: [{{templates: audit.yaml, stack: {stack}}}]\n", encoding="utf-8")
    report = scan(["audit.yaml"], load("."), world=["snap"])
    finding = one(report, "TG203")
    assert (finding.verdict, finding.deployed) == ("fail", (stack,))  # its bucket has no policy
    assert ("as deployed as", f"{stack} (audit.yaml) with Name = made-by-stack") in report.how
