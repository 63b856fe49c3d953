"""How long `trailguard snapshot --organization` takes: `python bench/organization.py [--accounts 50] [--regions 4]`.

A server on the loopback plays an organization, in a process of its own: each call takes as long as one to AWS does, and
each account has, in each Region, a trail with its bucket, key, topic, log group and stack, and a few more buckets.
Prints what one snapshot takes, one of half the accounts, and one that was killed half-way and gone on with.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

REGIONS = ("eu-central-1", "eu-north-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2")
BUCKETS = 5  # of an account in a Region
MANAGEMENT = 100000000000
_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_ROLE = re.compile(r"arn:aws:iam::(\d+):role")


class Size(NamedTuple):
    """How many accounts and Regions there are, and how many seconds a call takes."""

    accounts: int
    regions: int
    latency: float


class Place(NamedTuple):
    """Whom a call is for."""

    account: str
    region: str
    size: Size


def serve(size: Size, port: Any, counts: Any) -> None:
    """Play the organization; tells its port, and counts calls and how many are under way at once."""
    lock = threading.Lock()
    under_way = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            nonlocal under_way
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            with lock:
                under_way += 1
                counts[0] += 1
                counts[1] = max(counts[1], under_way)
            time.sleep(size.latency)
            status, kind, text = _answer(self, body, size)
            with lock:
                under_way -= 1
            data = text.encode()
            head = f"HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
            self.wfile.write(head.encode() + data)

        do_GET = do_POST = answer  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            pass  # a client that was killed

    server = Server(("127.0.0.1", 0), Handler)
    port.value = server.server_port
    server.serve_forever()


def _answer(request: BaseHTTPRequestHandler, body: str, size: Size) -> tuple[int, str, str]:
    signed = _SCOPE.search(request.headers.get("Authorization", ""))
    key, region, service = signed.groups() if signed else ("", "", "")
    place = Place(key.removeprefix("KEY") if key.startswith("KEY") else str(MANAGEMENT), region, size)
    target = (
        request.headers.get("X-Amz-Target", "").rpartition(".")[2] or urlsplit(request.path).path.rpartition("/")[2]
    )
    if service == "s3":
        return _s3(request.path, place)
    if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        asked = parse_qs(body)
        text = _QUERIES[asked["Action"][0]](place, asked)
        action = asked["Action"][0]
        return 200, "text/xml", f"<{action}Response><{action}Result>{text}</{action}Result></{action}Response>"
    told = _JSON[target](place) if target in _JSON else {}
    if told is None:
        return 400, "application/x-amz-json-1.1", json.dumps({"__type": "InsightNotEnabledException", "message": ""})
    return 200, "application/x-amz-json-1.1", json.dumps(told)


def _buckets(place: Place) -> list[tuple[str, str]]:
    return [
        (f"{place.account}-{region}-{number}", region)
        for region in REGIONS[: place.size.regions]
        for number in range(BUCKETS)
    ]


def _s3(path: str, place: Place) -> tuple[int, str, str]:
    asked = parse_qs(urlsplit(path).query, keep_blank_values=True)
    if urlsplit(path).path == "/":
        told = "".join(
            f"<Bucket><Name>{name}</Name><BucketRegion>{region}</BucketRegion></Bucket>"
            for name, region in _buckets(place)
        )
        return 200, "text/xml", f"<ListAllMyBucketsResult><Buckets>{told}</Buckets></ListAllMyBucketsResult>"
    if "policy" in asked:
        return 200, "application/json", json.dumps({"Version": "2012-10-17", "Statement": []})
    if "versioning" in asked:
        return 200, "text/xml", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    if "logging" in asked:
        return 200, "text/xml", "<BucketLoggingStatus/>"
    if "acl" in asked:
        grant = "<Grant><Grantee><ID>me</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>"
        owner = "<Owner><ID>me</ID></Owner>"
        text = f"<AccessControlPolicy>{owner}<AccessControlList>{grant}</AccessControlList></AccessControlPolicy>"
        return 200, "text/xml", text
    code = {
        "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
        "ownershipControls": "OwnershipControlsNotFoundError",
        "lifecycle": "NoSuchLifecycleConfiguration",
        "object-lock": "ObjectLockConfigurationNotFoundError",
        "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    }[next(iter(asked))]
    return 404, "text/xml", f"<Error><Code>{code}</Code></Error>"


def _arn(place: Place, service: str, name: str) -> str:
    return f"arn:aws:{service}:{place.region}:{place.account}:{name}"


def _key(place: Place) -> str:
    return _arn(place, "kms", f"key/{place.account}-{place.region}")


def _trail(place: Place) -> dict[str, Any]:
    return {
        "Name": "audit",
        "TrailARN": _arn(place, "cloudtrail", "trail/audit"),
        "HomeRegion": place.region,
        "S3BucketName": f"{place.account}-{place.region}-0",
        "KmsKeyId": _key(place),
        "SnsTopicARN": _arn(place, "sns", "audit"),
        "IsMultiRegionTrail": False,
        "CloudWatchLogsLogGroupArn": _arn(place, "logs", "log-group:audit:*"),
    }


_JSON: dict[str, Callable[[Place], dict[str, Any] | None]] = {
    "DescribeOrganization": lambda _: {"Organization": {"Id": "o-simulated"}},
    "ListAccounts": lambda place: {
        "Accounts": [
            {"Id": str(MANAGEMENT + number), "Name": f"account {number}", "Status": "ACTIVE"}
            for number in range(place.size.accounts)
        ]
    },
    "DescribeTrails": lambda place: {"trailList": [_trail(place)]},
    "GetTrailStatus": lambda _: {"IsLogging": True, "LatestDeliveryTime": 1790000000},
    "GetEventSelectors": lambda _: {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
    "GetInsightSelectors": lambda _: None,
    "ListKeys": lambda place: {"Keys": [{"KeyId": _key(place).rpartition("/")[2], "KeyArn": _key(place)}]},
    "DescribeKey": lambda place: {
        "KeyMetadata": {
            "KeyId": _key(place).rpartition("/")[2],
            "Arn": _key(place),
            "Enabled": True,
            "KeyState": "Enabled",
            "KeyManager": "CUSTOMER",
        }
    },
    "GetKeyPolicy": lambda _: {"Policy": json.dumps({"Version": "2012-10-17", "Statement": []})},
    "GetKeyRotationStatus": lambda _: {"KeyRotationEnabled": True},
    "DescribeLogGroups": lambda _: {"logGroups": [{"logGroupName": "audit", "retentionInDays": 365}]},
    "DescribeMetricFilters": lambda _: {"metricFilters": []},
    "ListEventBuses": lambda _: {"EventBuses": [{"Name": "default"}]},
    "ListRules": lambda place: {"Rules": [{"Name": "r", "Arn": _arn(place, "events", "rule/r"), "State": "ENABLED"}]},
}


def _stack(place: Place) -> str:
    arn = _arn(place, "cloudformation", "stack/audit/1")
    return f"<StackId>{arn}</StackId><StackName>audit</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"


def _assumed(_: Place, asked: dict[str, list[str]]) -> str:
    found = _ROLE.match(asked["RoleArn"][0])
    key = f"<AccessKeyId>KEY{found[1] if found else ''}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    return (
        f"<Credentials>{key}<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    )


_QUERIES: dict[str, Callable[[Place, dict[str, list[str]]], str]] = {
    "GetCallerIdentity": lambda place, _: (
        f"<Arn>arn:aws:iam::{place.account}:user/me</Arn><Account>{place.account}</Account>"
    ),
    "AssumeRole": _assumed,
    "ListTopics": lambda place, _: (
        f"<Topics><member><TopicArn>{_arn(place, 'sns', 'audit')}</TopicArn></member></Topics>"
    ),
    "GetTopicAttributes": lambda *_: "<Attributes></Attributes>",
    "GetAccountAuthorizationDetails": lambda *_: "<IsTruncated>false</IsTruncated>",
    "ListExports": lambda *_: "<Exports></Exports>",
    "DescribeStacks": lambda place, _: f"<Stacks><member>{_stack(place)}</member></Stacks>",
    "ListStackResources": lambda *_: (
        "<StackResourceSummaries><member><ResourceType>AWS::CloudTrail::Trail</ResourceType><PhysicalResourceId>audit"
        "</PhysicalResourceId><LogicalResourceId>Trail</LogicalResourceId></member></StackResourceSummaries>"
    ),
    "GetTemplate": lambda *_: (
        '<TemplateBody>{"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail"}}}</TemplateBody>'
    ),
    "DescribeAlarms": lambda *_: "<MetricAlarms></MetricAlarms>",
}


class Organization:
    """The organization, in a process of its own, as a context."""

    def __init__(self, size: Size) -> None:
        context = multiprocessing.get_context("spawn")
        self._port, self._counts = context.Value("i", 0), context.Array("i", 2)
        self._process = context.Process(target=serve, args=(size, self._port, self._counts), daemon=True)
        self.size = size

    def __enter__(self) -> Organization:
        self._process.start()
        while not self._port.value:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def calls(self) -> int:
        """How many calls came in."""
        return int(self._counts[0])

    @property
    def most(self) -> int:
        """How many of them were under way at once."""
        return int(self._counts[1])

    def command(self, folder: str) -> tuple[list[str], dict[str, str]]:
        """The command that takes a snapshot of all of it, and its environment."""
        options = [word for region in REGIONS[: self.size.regions] for word in ("--aws-region", region)]
        command = [sys.executable, "-m", "trailguard", "snapshot", folder, "--organization", *options]
        own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_EC2_METADATA_DISABLED": "true"}
        nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return command, own | keys | nothing | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port.value}"}


def measured(size: Size) -> tuple[int, int, float, float]:
    """Calls, most of them at once, seconds, and seconds of CPU, of one snapshot."""
    with Organization(size) as organization, tempfile.TemporaryDirectory() as folder:
        command, environment = organization.command(folder)
        before, started = os.times(), time.monotonic()
        subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
        took, after = time.monotonic() - started, os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        return organization.calls, organization.most, took, spent


def interrupted(size: Size, after: int) -> tuple[int, int]:
    """Calls of a snapshot that is killed after some of them, and of the one that goes on with it."""
    with Organization(size) as organization, tempfile.TemporaryDirectory() as folder:
        command, environment = organization.command(folder)
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            while organization.calls < after and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        before = organization.calls
        subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
        assert (Path(folder) / "snapshot.json").exists()
        return before, organization.calls - before


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--regions", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that a call takes")
    options = parser.parse_args()
    whole = Size(options.accounts, options.regions, options.latency)
    print("| accounts | Regions | calls | at once | seconds | CPU seconds | calls a second |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    total = 0
    for accounts in (max(1, whole.accounts // 4), max(1, whole.accounts // 2), whole.accounts):
        calls, most, took, spent = measured(whole._replace(accounts=accounts))
        rate = f"{calls / took:,.0f}"
        print(f"| {accounts} | {whole.regions} | {calls:,} | {most} | {took:.1f} | {spent:.1f} | {rate} |", flush=True)
        total = calls
    first, second = interrupted(whole, total // 2)
    print(f"\nKilled after {first:,} calls, gone on with: {second:,} more; a whole snapshot takes {total:,}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
