"""Several accounts: an organization, a role, and what a trail names in accounts that nobody asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.account.aws import ACCOUNT, OTHER_REGION, REGION, TOPIC, TRAIL, client
from tests.account.front import Answer, Call, Front, as_json, as_xml, error
from tests.account.taking import files, linted, resources, taken, unread
from trailguard.commands.cli import main

pytestmark = pytest.mark.aws

ARN = re.compile(rb"arn%3Aaws%3Aiam%3A%3A(\d{12})%3Arole%2F([^&]+)")


@pytest.fixture(scope="module")
def members(filled: Front) -> Iterator[list[str]]:
    """Two more accounts of an organization, with a topic each."""
    organizations = client(filled.url, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = [
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        for name in ("first", "second")
    ]
    for account in made:
        given = client(filled.url, "sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/x", RoleSessionName="test")
        keys = given["Credentials"]
        sns = client(filled.url, "sns", keys=(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]))
        sns.create_topic(Name=f"of-{account}")
    yield sorted(made)
    for account in made:
        organizations.close_account(AccountId=account)
        organizations.remove_account_from_organization(AccountId=account)
    organizations.delete_organization()


def test_every_account_of_an_organization(front: Front, members: list[str], tmp_path: Path) -> None:
    record = taken(tmp_path / "it", "--organization", "--only", "topics")
    assert sorted(record["accounts"]) == sorted([ACCOUNT, *members])
    assert all(told["entered"] for told in record["accounts"].values())
    assert {told["name"] for told in record["accounts"].values()} == {"first", "second", "master"}
    assert re.fullmatch(r"o-\w+", record["organization"])
    found = resources(tmp_path / "it")
    for account in members:
        arn = f"arn:aws:sns:{REGION}:{account}:of-{account}"
        assert found["AWS::SNS::Topic", arn]["place"] == f"{account}/{REGION}"
    assert found["AWS::SNS::Topic", TOPIC]["place"] == f"{ACCOUNT}/{REGION}"
    world = yaml.safe_load((tmp_path / "it" / "world.yaml").read_text(encoding="utf-8"))
    assert [context["account_id"] for context in world["contexts"]] == sorted([ACCOUNT, *members])


def test_an_account_that_lets_nobody_in_is_told(
    front: Front, members: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shut = members[0]

    def closed(call: Call) -> Answer | None:
        found = ARN.search(call.body)
        is_shut = call.name == "sts:AssumeRole" and found and found.groups() == (shut.encode(), b"Auditor")
        return error(call, 403, "AccessDenied", "not you") if is_shut else None

    options = ("--organization", "--organization-role", "Auditor", "--only", "topics")
    with front.replying(closed):
        record = taken(tmp_path / "it", *options, status=2)
    assert (
        record["accounts"][shut] == {"name": "first", "entered": False, "regions": []}
        or record["accounts"][shut]["name"] == "second"
    )
    assert [(each["account"], each["call"], each["code"]) for each in record["refused"]] == [
        (shut, "sts:AssumeRole", "AccessDenied")
    ]
    assert ("AWS::SNS::Topic", f"arn:aws:sns:{REGION}:{members[1]}:of-{members[1]}") in resources(tmp_path / "it")
    assert f"error: account {shut} let nobody in; " in capsys.readouterr().err


def test_accounts_cannot_be_listed(front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refuse = {"organizations:ListAccounts"}
    with front.replying(lambda call: error(call, 400, "AccessDeniedException", "no") if call.name in refuse else None):
        assert main(["snapshot", str(tmp_path / "it"), "--organization"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the accounts of the organization cannot be listed" in line
    assert "management account" in line


def test_a_role_is_assumed(front: Front, members: list[str], tmp_path: Path) -> None:
    role = f"arn:aws:iam::{members[1]}:role/reader"
    record = taken(tmp_path / "it", "--role-arn", role, "--only", "topics")
    assert record["by"] == f"arn:aws:sts::{members[1]}:assumed-role/reader/trailguard-snapshot"
    assert record["asked"]["role"] == role
    ((_, arn),) = (key for key in resources(tmp_path / "it") if key[0] == "AWS::SNS::Topic")
    assert arn == f"arn:aws:sns:{REGION}:{members[1]}:of-{members[1]}"


def test_a_role_that_cannot_be_assumed(front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    with front.replying(
        lambda call: error(call, 403, "AccessDenied", "no way") if call.name == "sts:AssumeRole" else None
    ):
        assert main(["snapshot", str(tmp_path / "it"), "--role-arn", role]) == 2
    assert capsys.readouterr().err == f"error: role {role} cannot be assumed: AccessDenied: no way\n"


FOREIGN = "210987654321"
HOME = "ap-southeast-2"
FOREIGN_KEY = f"arn:aws:kms:{HOME}:{FOREIGN}:key/11111111-2222-3333-4444-555555555555"
FOREIGN_TRAIL = f"arn:aws:cloudtrail:{HOME}:{FOREIGN}:trail/of-all"


def organization_trail(call: Call) -> Answer | None:
    """A trail of the organization, seen from a member; its bucket and its key are the management account's."""
    if call.name == "cloudtrail:DescribeTrails":
        trail = {
            "Name": "of-all",
            "TrailARN": FOREIGN_TRAIL,
            "HomeRegion": HOME,
            "S3BucketName": "everything-of-all",
            "KmsKeyId": FOREIGN_KEY,
            "IsMultiRegionTrail": True,
            "IsOrganizationTrail": True,
            "IncludeGlobalServiceEvents": True,
            "LogFileValidationEnabled": True,
        }
        return as_json({"trailList": [trail]})
    if call.name == "cloudtrail:GetTrailStatus":
        return as_json({"IsLogging": True})
    if call.name.startswith("cloudtrail:Get"):
        return error(call, 400, "AccessDeniedException")
    if call.name.startswith("kms:") and call.says(FOREIGN):
        return error(call, 400, "AccessDeniedException")
    if call.says("everything-of-all"):
        text = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        return Answer(403, text.encode(), {"Content-Type": "application/xml", "x-amz-bucket-region": HOME})
    return None


def test_a_trail_of_another_account_with_what_it_names(front: Front, tmp_path: Path) -> None:
    with front.replying(organization_trail):
        record = taken(tmp_path / "it", "--only", "trails,buckets,keys")
    found = resources(tmp_path / "it")
    trail = found["AWS::CloudTrail::Trail", FOREIGN_TRAIL]
    assert trail["place"] == f"{FOREIGN}/{HOME}"
    assert trail["Properties"]["IsLogging"] is True
    assert unread(trail["Properties"]["EventSelectors"]) == (
        "cloudtrail:GetEventSelectors was refused: AccessDeniedException"
    )
    bucket = found["AWS::S3::Bucket", "arn:aws:s3:::everything-of-all"]
    assert bucket["place"] == f"elsewhere/{HOME}"
    assert unread(bucket["Properties"]["VersioningConfiguration"]) == "s3:GetBucketVersioning was refused: AccessDenied"
    key = found["AWS::KMS::Key", FOREIGN_KEY]
    assert key["place"] == f"{FOREIGN}/{HOME}"
    assert unread(key["Properties"]["KeyPolicy"]) == "kms:DescribeKey was refused: AccessDeniedException"
    assert {(each["call"], each["resource"]) for each in record["refused"]} >= {
        ("s3:GetBucketPolicy", "arn:aws:s3:::everything-of-all"),
        ("kms:DescribeKey", FOREIGN_KEY),
    }
    contexts = yaml.safe_load((tmp_path / "it" / "world.yaml").read_text(encoding="utf-8"))["contexts"]
    assert {"name": f"elsewhere/{HOME}", "templates": [f"elsewhere/{HOME}/existing-*.yaml"], "region": HOME} in contexts
    assert linted(tmp_path / "it") == ""


def test_what_a_trail_names_and_is_not_there_is_told(front: Front, tmp_path: Path) -> None:
    gone = "arn:aws:s3:::everything-of-all"

    def deleted(call: Call) -> Answer | None:
        return error(call, 404, "NoSuchBucket") if call.says("everything-of-all") else None

    with front.replying(deleted, organization_trail):
        record = taken(tmp_path / "it", "--only", "trails,buckets")
    (missing,) = record["missing"]
    assert missing == {"kind": "buckets", "arn": gone, "account": FOREIGN, "region": HOME, "by": FOREIGN_TRAIL}
    assert ("AWS::S3::Bucket", gone) not in resources(tmp_path / "it")


def chinese(call: Call) -> Answer | None:
    """Who asks is in another partition."""
    if call.name != "sts:GetCallerIdentity":
        return None
    arn = f"arn:aws-cn:iam::{ACCOUNT}:user/me"
    told = f"<GetCallerIdentityResult><Arn>{arn}</Arn><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
    return as_xml(f"<GetCallerIdentityResponse>{told}</GetCallerIdentityResponse>")


def test_another_partition(front: Front, tmp_path: Path) -> None:
    client(front.url, "sns", "cn-north-1").create_topic(Name="audit")
    with front.replying(chinese):
        taken(tmp_path / "it", "--aws-region", "cn-north-1", "--only", "topics")
    contexts = yaml.safe_load((tmp_path / "it" / "world.yaml").read_text(encoding="utf-8"))["contexts"]
    assert {context["partition"] for context in contexts} == {"aws-cn"}


def test_a_bucket_over_there_is_owned_here(front: Front, tmp_path: Path) -> None:
    """A trail's bucket in a Region that was not asked is read with its owner's keys, and stands with its owner."""

    def moved(call: Call) -> Answer | None:
        if call.name != "cloudtrail:DescribeTrails":
            return None
        trail = {"Name": "org-audit", "TrailARN": TRAIL, "HomeRegion": REGION, "S3BucketName": "over-there"}
        return as_json({"trailList": [trail]})

    with front.replying(moved):
        taken(tmp_path / "it", "--only", "trails,buckets")
    found = resources(tmp_path / "it")
    assert found["AWS::S3::Bucket", "arn:aws:s3:::over-there"]["place"] == f"{ACCOUNT}/{OTHER_REGION}"
    assert json.dumps([*found.values()]).count("TrailguardUnread") == 0
    assert f"{ACCOUNT}/{OTHER_REGION}/existing-1.yaml" in files(tmp_path / "it")
