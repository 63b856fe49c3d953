"""What does an answer of the CloudFormation Hook cost, in its package? Prints Markdown.

    sh docs/hook/build.sh . x86_64 3.11          # for the Python and the processor of this machine
    python bench/hook.py trailguard-hook.zip [--resources 500] [--rounds 5]

Each call is a process of its own, as at a cold start: it unpacks nothing, imports the handler from the unpacked package
and boto3 from this Python, and gets its payload and its parameters over HTTP from this machine. The template has one
trail with all that belongs to it, and buckets with policies, roles, queues and alarms for the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from tests.hosts.hooking import event, serving  # noqa: E402
from trailguard.cloudformation.source.nodes import plain  # noqa: E402
from trailguard.cloudformation.source.reading import parse  # noqa: E402
from trailguard.init_template import SWITCHES, template  # noqa: E402

WANTED = 3.0  # seconds of CPU, for 500 resources
GIVEN = {
    "TrailName": "audit",
    "OrganizationId": "o-abcdefghij",
    "LogRetentionDays": "365",
    "AlarmEmail": "",
    "Stage": "prod",
}
CALL = """\
import sys
sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])
from trailguard.hosts.hook import main
sys.exit(main())
"""


def crowd(number: int) -> dict[str, Any]:
    """Five resources of a kind that stacks are full of."""
    name = {"Fn::Sub": f"${{AWS::StackName}}-${{AWS::AccountId}}-data{number}"}
    allow = {"Effect": "Allow", "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}}
    bucket = {"Fn::Sub": f"${{Bucket{number}.Arn}}/*"}
    return {
        f"Bucket{number}": {"Type": "AWS::S3::Bucket", "Condition": "IsProduction", "Properties": {"BucketName": name}},
        f"Policy{number}": {
            "Type": "AWS::S3::BucketPolicy",
            "Condition": "IsProduction",
            "Properties": {
                "Bucket": {"Ref": f"Bucket{number}"},
                "PolicyDocument": {"Statement": [{**allow, "Action": "s3:GetObject", "Resource": bucket}]},
            },
        },
        f"Role{number}": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Statement": [{**allow, "Action": "sts:AssumeRole"}]}},
        },
        f"Queue{number}": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": number}},
        f"Alarm{number}": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"MetricName": f"Depth{number}", "Namespace": "Data", "Threshold": 1, "EvaluationPeriods": 1},
        },
    }


def large(size: int) -> str:
    """A template with so many resources."""
    document = plain(parse(template(SWITCHES).encode()).root)
    document["Parameters"]["Stage"] = {"Type": "String", "AllowedValues": ["prod", "test"]}
    document.setdefault("Conditions", {})["IsProduction"] = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    resources = document["Resources"]
    for number in range(size):
        for name, made in crowd(number).items():
            if len(resources) < size:
                resources[name] = made
    return json.dumps(document, indent=1)


def call(package: Path, asked: dict[str, Any], url: str) -> tuple[float, dict[str, Any]]:
    """The seconds of CPU of one call, and its answer."""
    import boto3

    here = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TRAILGUARD_", "PYTHON"))}
    amazon = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", CALL, str(package), str(Path(boto3.__file__).parent.parent)],
        input=json.dumps(asked),
        env=here | amazon | {"LAMBDA_TASK_ROOT": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout:
        raise SystemExit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(done.stdout)


def main() -> int:
    """Measure; 1 when it costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument("--resources", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as place, serving() as aws:
        zipfile.ZipFile(arguments.package).extractall(place)
        asked = event("change_set")
        aws.parameters[asked["changeSetId"]] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in GIVEN.items()
        ]
        sizes = {"a resource by itself": 0, "20 resources": 20, f"{arguments.resources} resources": arguments.resources}
        for name, size in sizes.items():
            told = event("change_set", aws.payload(large(size))) if size else event("resource")
            calls = [call(Path(place), told, aws.url) for _ in range(arguments.rounds)]
            rows[name] = (statistics.median(seconds for seconds, _ in calls), calls[0][1])
    print(f"package: {arguments.package.stat().st_size / 1e6:.1f} MB\n")
    print("| call | CPU s | answer |\n| --- | ---: | --- |")
    for name, (seconds, answer) in rows.items():
        print(f"| {name} | {seconds:.2f} | {answer['hookStatus']}: {answer['message'][:60]} |")
    return int(max(seconds for seconds, _ in rows.values()) > WANTED)


if __name__ == "__main__":
    sys.exit(main())
