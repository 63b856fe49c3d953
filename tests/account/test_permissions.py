"""The policy that `--iam-policy` prints is what a snapshot calls, and what is refused is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.account.aws import ACCOUNT, REGION
from tests.account.conftest import environment
from tests.account.front import Answer, Call, Front, error
from tests.account.taking import linted, record, resources, taken
from tests.account.test_snapshot import stores
from trailguard.account.kinds import ACTIONS, FREE, KINDS, kind_of
from trailguard.commands.cli import main

pytestmark = pytest.mark.aws

ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[set[str], dict[str, set[str]]]:
    """The actions of the policy that is printed, and for each the resources."""
    assert main(["snapshot", "--iam-policy", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["Version"] == "2012-10-17"
    on: dict[str, set[str]] = {}
    for statement in told["Statement"]:
        assert statement["Effect"] == "Allow"
        actions, places = (
            [value] if isinstance(value, str) else value for value in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            assert action not in on, "named twice"
            on[action] = set(places)
    return set(on), on


def called(front: Front) -> set[str]:
    """The permissions that the calls needed which came in."""
    return {ACTIONS.get(call.name, call.name) for call in front.calls if call.name not in FREE}


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--all-regions", "--only", "alarms"],
        ["--role-arn", ROLE, "--only", "topics"],
        ["--organization", "--only", "logs"],
        *(["--only", kind] for kind in KINDS),
    ],
    ids=" ".join,
)
def test_the_policy_is_exactly_what_is_called(
    front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    actions, on = printed(capsys, *options)
    with front.replying(stores, organization):
        main(["snapshot", str(tmp_path / "it"), *options])
    assert called(front) == actions - {"s3:GetBucketLocation"} | called(front) & {"s3:GetBucketLocation"}
    if "--role-arn" in options:
        assert on["sts:AssumeRole"] == {ROLE}
    elif "--organization" in options:
        assert on["sts:AssumeRole"] == {"arn:*:iam::*:role/OrganizationAccountAccessRole"}
    else:
        assert "sts:AssumeRole" not in actions


def test_the_location_of_a_bucket_is_asked_for_where_the_list_does_not_tell_it(
    front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As endpoints do that answer as S3 did before 2025."""

    def older(call: Call) -> Answer | None:
        if call.name != "s3:ListBuckets":
            return None
        names = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in ("plain", "over-there"))
        text = f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>"
        return Answer(200, text.encode(), {"Content-Type": "application/xml"})

    actions, _ = printed(capsys, "--only", "buckets")
    with front.replying(older):
        taken(tmp_path / "it", "--only", "buckets")
    assert called(front) == actions
    assert [one["Properties"]["BucketName"] for one in resources(tmp_path / "it").values()] == ["plain"]


def organization(call: Call) -> Answer | None:
    """An organization of two accounts, of which this one is the first."""
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    if call.name == "organizations:DescribeOrganization":
        return Answer(200, b'{"Organization": {"Id": "o-example"}}', headers)
    if call.name == "organizations:ListAccounts":
        ids = (ACCOUNT, "210987654321")
        told = {"Accounts": [{"Id": each, "Name": f"n{each}", "Status": "ACTIVE"} for each in ids]}
        return Answer(200, json.dumps(told).encode(), headers)
    return None


Everything = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def everything(filled: Front, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """What there is to be read."""
    folder = tmp_path_factory.mktemp("everything")
    with pytest.MonkeyPatch.context() as patch, filled.replying(stores):
        for key, value in environment(filled.url, folder).items():
            patch.setenv(key, value)
        taken(folder / "it")
    return resources(folder / "it")


CALLS = sorted({call for kind in KINDS.values() for call in kind.calls} - {"s3:GetBucketLocation"})


@pytest.mark.parametrize("name", CALLS)
def test_a_refusal_is_listed_and_never_taken_for_absence(
    front: Front, everything: Everything, tmp_path: Path, name: str
) -> None:
    """Whatever one call would have told is unknown: in the template, or in the list of what was not read."""
    kinds = [kind for kind, told in KINDS.items() if name in told.calls]
    kinds.append("logs" if "alarms" in kinds else "alarms")  # there is something that may be read
    code = "AuthorizationError" if name.startswith("sns:") else "AccessDenied"
    with front.replying(lambda call: error(call, 403, code) if call.name == name else None, stores):
        told = taken(tmp_path / "some", "--only", ",".join(kinds))
    assert {(each["call"], each["code"]) for each in told["refused"]} == {(name, code)}
    unread = {each["type"] for each in told["unread"] if kind_of(each["type"]) in kinds}
    before = {key: one for key, one in everything.items() if kind_of(key[0]) in kinds}
    after = resources(tmp_path / "some")
    assert {kind for kind, _ in before.keys() - after.keys()} <= unread
    for key, one in after.items():
        assert key in before or "TrailguardUnread" in json.dumps(one)  # a policy that may be there, or a thing
        was = before[key]["Properties"] if key in before else {}
        for name_, value in was.items():
            if one["Properties"].get(name_) != value:
                said = json.dumps(one["Properties"].get(name_))
                assert "TrailguardUnread" in said and f"{name} was refused: {code}" in said, (key, name_)  # noqa: PT018
    marked = sum(json.dumps(one).count("TrailguardUnread") for one in after.values())
    assert marked or unread


def test_cfn_lint_accepts_what_was_refused(front: Front, tmp_path: Path) -> None:
    """All settings of things that may be listed."""
    lists = re.compile(
        r"List|DescribeTrails|DescribeLogGroups|DescribeMetricFilters|DescribeAlarms|GetAccount|GetCaller"
    )
    refused = {call for call in CALLS if not lists.search(call)}
    with front.replying(lambda call: error(call, 403, "AccessDenied") if call.name in refused else None, stores):
        taken(tmp_path / "it")
    assert (tmp_path / "it" / ACCOUNT / REGION / "existing-1.yaml").read_text(encoding="utf-8").count("Unread") > 60
    assert linted(tmp_path / "it") == ""


def test_without_any_permission_nothing_is_written(
    front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with front.replying(lambda call: None if call.name in FREE else error(call, 403, "AccessDenied", "not you")):
        assert main(["snapshot", str(tmp_path / "it")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: arn:aws:sts::{ACCOUNT}:user/moto may read nothing: ")
    assert "AccessDenied: not you (`trailguard snapshot --iam-policy` prints the permissions)" in line
    assert not (tmp_path / "it" / "snapshot.json").exists()


def test_refusals_are_counted(front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with front.replying(lambda call: error(call, 403, "AccessDenied") if call.name == "s3:GetBucketAcl" else None):
        taken(tmp_path / "it", "--only", "buckets")
    said = capsys.readouterr().err
    assert "warning: 5 calls were refused; " in said
    refused = record(tmp_path / "it")["refused"]
    assert refused == sorted(refused, key=lambda each: str(each["resource"]))
    assert refused[0] == {
        "account": ACCOUNT,
        "region": REGION,
        "call": "s3:GetBucketAcl",
        "resource": "arn:aws:s3:::access-logs",
        "code": "AccessDenied",
        "message": "no",
    }
