"""Other tools' own test templates, judged with the results that those tools expect, or a reason for each deviation.

The templates are not part of this project. TRAILGUARD_PEERS says where they lie (default: `shared/peers` beside the
checkout); without them there is nothing to compare with.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

PEERS = Path(os.environ.get("TRAILGUARD_PEERS") or ROOT.parent / "shared" / "peers")
MANIFEST = PEERS / "manifest.json"
RULES = {
    "multi_region": "TG101",
    "log_validation": "TG103",
    "logging_enabled": "TG106",
    "kms": "TG108",
    "cloudwatch": "TG109",
    "s3_data_events": "TG110",
    "bucket_public": "TG301",
    "bucket_logging": "TG304",
}
# Where the verdict is another one: the end of the file's path, the verdict, and why it is right.
GUARD = "Guard's own SuppressedRules in Metadata suppress it there; without them the missing property is a fault"
ROLE = "CloudTrail refuses a log group without a role (InvalidCloudWatchLogsRoleArn), so nothing is integrated"
MISSPELT = "the property is spelt KmsKeyId there, which a trail does not have (cfn-lint E3002): nothing is encrypted"
HALF = "only one of reads and writes is recorded; TG110 asks for both, as CIS 3.8 and 3.9 do together"
NO_TRAIL = "nothing in the fragment says that this is a log bucket: no trail, and no policy that lets CloudTrail in"
DEVIATIONS: tuple[tuple[str, str, str], ...] = (
    (
        "s3_bucket_cloudtrail_logging_disabled/negative1.yaml",
        "fail",
        "LoggingBucket is no bucket's name: it has capital letters",
    ),
    ("s3_bucket_cloudtrail_logging_disabled/negative2.json", "fail", "LoggingBucket is no bucket's name, again"),
    ("/06-CloudTrail-Trail-EventSelectors-property-missing-but-rule-suppressed-SKIP.json", "fail", GUARD),
    ("/04-CloudTrail-Trail-CloudWatchLogsGroupArn-property-missing-but-rule-is-suppressed-.json", "fail", GUARD),
    ("/05-CloudTrail-Trail-IsLogging-property-missing-but-rule-suppressed-SKIP.json", "fail", GUARD),
    ("/04-CloudTrail-Trail-KMSKeyId-property-missing-but-rule-is-suppressed-SKIP.json", "fail", GUARD),
    ("/05-CloudTrail-Trail-EnableLogFileValidation-property-missing-but-rule-suppressed-SK.json", "fail", GUARD),
    ("/05-CloudTrail-Trail-IsMultiRegionTrail-property-missing-but-rule-is-suppressed-SKIP.json", "fail", GUARD),
    ("/02-CloudTrail-Trail-CloudWatchLogsGroupArn-set-PASS.json", "fail", ROLE),
    ("trivy/AVD-AWS-0162/good1.yaml", "fail", ROLE),
    ("prowler-remediation/cloudtrail_kms_encryption_enabled/remediation.yaml", "fail", MISSPELT),
    ("trivy/AVD-AWS-0015/good1.yaml", "fail", MISSPELT),
    ("prowler-remediation/cloudtrail_s3_dataevents_read_enabled/remediation.yaml", "fail", HALF),
    ("prowler-remediation/cloudtrail_s3_dataevents_write_enabled/remediation.yaml", "fail", HALF),
    ("cloudtrail_logs_s3_bucket_access_logging_enabled/remediation.yaml", "skip", NO_TRAIL),
    ("cloudtrail_logs_s3_bucket_is_not_publicly_accessible/remediation.yaml", "skip", NO_TRAIL),
)  # fmt: skip


def entries() -> list[dict[str, Any]]:
    known = json.loads(MANIFEST.read_text(encoding="utf-8")) if MANIFEST.is_file() else []
    return [entry for entry in known if entry["topic"] in RULES]


def deviation(file: str) -> tuple[str, str] | None:
    return next(((verdict, why) for end, verdict, why in DEVIATIONS if file.endswith(end)), None)


def verdict_of(entry: dict[str, Any]) -> str:
    """The verdict on the named resource, or "skip" when nothing is judged."""
    rule = RULES[entry["topic"]]
    settings = Settings(select=(rule,))
    content = (PEERS / entry["file"]).read_bytes()
    result = judge_file(entry["file"], content, Task(settings, load(settings)))
    return next((found.verdict for found in result.findings if found.resource == entry["resource"]), "skip")


@pytest.mark.skipif(not MANIFEST.is_file(), reason="the templates of other tools are not there")
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry['file']}-{entry['resource']}")
def test_the_verdict_is_the_expected_one(entry: dict[str, Any]) -> None:
    known = deviation(entry["file"])
    assert verdict_of(entry) == (entry["expected"] if known is None else known[0])


@pytest.mark.skipif(not MANIFEST.is_file(), reason="the templates of other tools are not there")
def test_every_deviation_is_one() -> None:
    for end, verdict, why in DEVIATIONS:
        told = [entry for entry in entries() if entry["file"].endswith(end)]
        assert told, f"no such template: {end}"
        assert why
        assert all(entry["expected"] != verdict for entry in told), end
