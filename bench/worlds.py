"""Does linking stacks take time in proportion to their number? Prints Markdown.

    python bench/worlds.py [--sizes 1250,2500,5000] [--rounds 5]

A world of N templates has N/10 trails that import their bucket from another stack, N/25 trails in nested stacks, and
templates whose exports nobody imports for the rest. The sizes are measured in turns; the last column counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measure import interleave

ROOT = Path(__file__).resolve().parent.parent

LOGS = """\
Resources:
  LogBucket: {Type: AWS::S3::Bucket}
  LogBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref LogBucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: !GetAtt LogBucket.Arn
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:PutObject
            Resource: !Sub "${LogBucket.Arn}/AWSLogs/${AWS::AccountId}/*"
            Condition: {StringEquals: {"s3:x-amz-acl": bucket-owner-full-control}}
"""
TRAIL = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      IsLogging: true
      IsMultiRegionTrail: true
      IncludeGlobalServiceEvents: true
      EnableLogFileValidation: true
      S3BucketName: NAME
"""
EXPORT = 'Outputs:\n  Name: {Value: !Ref LogBucket, Export: {Name: !Sub "${AWS::StackName}-teamN-logs"}}\n'
IMPORT = '{"Fn::ImportValue": !Sub "${Stack}-teamN-logs"}'
NESTED = """\
  Audit:
    Type: AWS::CloudFormation::Stack
    DependsOn: LogBucketPolicy
    Properties: {TemplateURL: child.yaml, Parameters: {Name: !Ref LogBucket}}
"""
OTHER = """\
Resources:
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  Queue: {Value: !Ref Queue, Export: {Name: other-N-queue}}
"""


def make(folder: Path, size: int) -> None:
    """Write a world of some templates."""
    files: dict[str, str] = {}
    for number in range(size // 10):
        files[f"pair{number}/logs.yaml"] = LOGS + EXPORT.replace("N-", f"{number}-")
        head = "Parameters: {Stack: {Type: String}}\n"
        files[f"pair{number}/trail.yaml"] = head + TRAIL.replace("NAME", IMPORT.replace("N-", f"{number}-"))
    for number in range(size // 25):
        files[f"nest{number}/parent.yaml"] = LOGS + NESTED
        files[f"nest{number}/child.yaml"] = "Parameters: {Name: {Type: String}}\n" + TRAIL.replace("NAME", "!Ref Name")
    for number in range(size - len(files)):
        files[f"other{number}.yaml"] = OTHER.replace("N-", f"{number}-")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure the sizes in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1250,2500,5000")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        for size in sizes:
            make(Path(scratch, str(size)), size)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, "-m", "trailguard", "scan", "--no-config"]
        commands = {str(size): [*command, str(Path(scratch, str(size)))] for size in sizes}
        results = interleave(
            commands, lambda name: environment, rounds=options.rounds, repeat_limit=120, time_limit=600
        )
    least = results[str(sizes[0])].seconds / sizes[0]
    print("| templates | median s | peak MB | time per template, first = 1 |")
    print("| --- | --- | --- | --- |")
    for size in sizes:
        found = results[str(size)]
        print(f"| {size} | {found.seconds:.2f} | {found.peak_mib:.0f} | {found.seconds / size / least:.2f} |")


if __name__ == "__main__":
    main()
