"""What docs/accounts.md shows is run against a server that plays an organization.

`python -m tests.account.test_documents` writes the outputs anew.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import ROOT
from tests.account.aws import ACCOUNT, OTHER_REGION, client, fill, log_policy
from tests.account.conftest import environment, no_stores, server
from tests.account.front import Answer, Call, Front, as_json

pytestmark = pytest.mark.aws

PAGE = ROOT / "docs" / "accounts.md"
BLOCK = re.compile(r"(?<=^```console\n)\$ (.*)\n((?:.*\n)*?)(?=^```$)", re.MULTILINE)
SANDBOX, PAYMENTS = "111122223333", "444455556666"


def payments(url: str) -> None:
    """An account with a trail of its own, in another Region."""
    role = f"arn:aws:iam::{PAYMENTS}:role/Auditor"
    given = client(url, "sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    s3, cloudtrail = client(url, "s3", OTHER_REGION, keys), client(url, "cloudtrail", OTHER_REGION, keys)
    s3.create_bucket(Bucket="payments-logs")
    s3.put_bucket_policy(Bucket="payments-logs", Policy=log_policy("payments-logs"))
    cloudtrail.create_trail(Name="payments", S3BucketName="payments-logs")
    cloudtrail.start_logging(Name="payments")


def organization(call: Call) -> Answer | None:
    """Three accounts, in which one trail delivers and the other one does not."""
    if call.name == "organizations:DescribeOrganization":
        return as_json({"Organization": {"Id": "o-exampleorgid"}})
    if call.name == "organizations:ListAccounts":
        names = {ACCOUNT: "management", SANDBOX: "sandbox", PAYMENTS: "payments"}
        return as_json({"Accounts": [{"Id": key, "Name": name, "Status": "ACTIVE"} for key, name in names.items()]})
    if call.name == "cloudtrail:GetTrailStatus" and call.says("payments"):
        return as_json({"IsLogging": True, "LatestDeliveryTime": 1793000000, "LatestDeliveryError": "AccessDenied"})
    if call.name == "cloudtrail:GetTrailStatus":
        return as_json({"IsLogging": True, "LatestDeliveryTime": 1795000000, "LatestDigestDeliveryTime": 1794999000})
    return None


def renewed(text: str) -> str:
    """The page with the outputs as they are."""
    with server() as port, tempfile.TemporaryDirectory() as folder:
        front = Front(port)
        fill(front.url)
        payments(front.url)
        front.replies += [no_stores, organization]
        try:
            return BLOCK.sub(lambda match: f"$ {match[1]}\n{shown(match[1], front, Path(folder))}", text)
        finally:
            front.close()


def shown(command: str, front: Front, folder: Path) -> str:
    """What a command prints."""
    words = shlex.split(command)
    if words[0] == "jq":
        told = json.loads((folder / words[2]).read_text(encoding="utf-8"))["trails"][1]
        assert words[1] == ".trails[1]"
        return json.dumps(told, indent=2) + "\n"
    assert words[0] == "trailguard"
    run = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "", **environment(front.url, folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return re.sub(r"as of \d{4}-\d\d-\d\d", "as of 2026-11-29", run.stdout)


def test_the_page_shows_what_is_printed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == 5
    assert text == renewed(text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
