"""7,000 generated policies, each with the outcome on which this code and an independent IAM simulator agreed.

They ask for the decision alone: would the request be allowed, if the document were accepted? Both may share an error;
nothing was run against AWS. None of them holds what AWS leaves open (Arn operators with less than an ARN, ForAnyValue
with IfExists, wildcards that would have to cross a colon), so every outcome is as recorded, without exceptions.
"""

from __future__ import annotations

import gzip
import json
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.iam.helpers import refuse, sent, value
from trailguard.iam.callers import Request
from trailguard.iam.evaluate import allowed
from trailguard.iam.globs import Glob, Wild, glob
from trailguard.iam.policy import IDENTITY_POLICY, Policy, read_policy

FOLDER = Path(__file__).parent / "evidence"
SAMPLE = 10  # in the quick run one policy of so many is asked

SERVICE = "cloudtrail.amazonaws.com"
ACCOUNT = "111122223333"
BUCKET = f"arn:aws:s3:::audit-logs-{ACCOUNT}"
OF_CALLS = {
    "aws:SourceArn": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit",
    "aws:SourceAccount": ACCOUNT,
    "aws:PrincipalIsAWSService": "true",
    "aws:PrincipalServiceName": SERVICE,
    "aws:SecureTransport": "true",
}
OF_FILES = {
    **OF_CALLS,
    "s3:x-amz-acl": "bucket-owner-full-control",
    "s3:x-amz-server-side-encryption": "AES256",
}


def load(name: str) -> list[dict[str, Any]]:
    with gzip.open(FOLDER / f"golden-{name}.json.gz", "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)
    return found


# --- bucket policies -------------------------------------------------------------------------------------------------

DIGIT = Wild("?", False, "1", string.digits)
LOWER = Wild("?", False, "a", string.ascii_lowercase)
WORD = Wild("*", True, "a", string.ascii_lowercase + "-")
NAME = Wild("*", True, "a", string.ascii_letters + string.digits + "-_.")


def key_of(start: str, kind: str) -> Glob:
    """What the keys of files look like: START/AWSLogs/ACCOUNT/KIND/REGION/YYYY/MM/DD/FILE."""
    region: Glob = (LOWER, LOWER, WORD, "-", DIGIT)
    date: Glob = (*(DIGIT,) * 4, "/", DIGIT, DIGIT, "/", DIGIT, DIGIT, "/")
    return (
        *glob((f"{start}AWSLogs/{ACCOUNT}/{kind}/",)),
        *region,
        "/",
        *date,
        *f"{ACCOUNT}_{kind}_",
        NAME,
        *".json.gz",
    )


def decide(
    policy: Policy,
    action: str,
    resource: str,
    keys: dict[str, Any],
    shapes: tuple[Glob, ...] = (),
    caller: str = SERVICE,
) -> str:
    """The outcome of a request that sends some keys and no others."""
    asked = {clause.name: None for statement in policy.certain for clause in statement.clauses}
    context = sent({**asked, **{key.lower(): one for key, one in keys.items()}})
    return allowed(policy, Request(caller, (), action, (resource,), context, shapes=shapes), refuse).outcome


def ask_bucket(case: dict[str, Any]) -> dict[str, str]:
    policy = read_policy(value(case["policy"]))
    start = f"{BUCKET}/{case['prefix']}/" if case["prefix"] else f"{BUCKET}/"
    answers = {
        decide(policy, "s3:PutObject", f"{start}AWSLogs/{ACCOUNT}/{kind}/*", OF_FILES, (key_of(start, kind),))
        for kind in ("CloudTrail", "CloudTrail-Digest")
    }
    return {"acl": decide(policy, "s3:GetBucketAcl", BUCKET, OF_CALLS), "put": worst(answers)}


def worst(answers: Iterable[str]) -> str:
    return min(answers, key=["no", "unknown", "yes"].index)


# --- the others ------------------------------------------------------------------------------------------------------


def ask_each(case: dict[str, Any]) -> dict[str, str]:
    """Whether all that is asked is allowed; an identity's policies count together."""
    kind = {"parts": IDENTITY_POLICY} if "identity" in case else {}
    read = [read_policy(value(document), **kind) for document in case.get("identity", [case.get("policy")])]
    policy = Policy(read[0].node, tuple(statement for one in read for statement in one.certain), None)
    answers = [
        decide(policy, ask["action"], ask["resource"], ask["context"], caller=case["principal"]) for ask in case["asks"]
    ]
    return {"allowed": worst(answers)}


# --- all of them -----------------------------------------------------------------------------------------------------

ASKED = {"bucket-policies": ask_bucket, "kms": ask_each, "sns": ask_each, "logs": ask_each}


def differing(name: str, cases: list[dict[str, Any]]) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """The cases that come out otherwise than recorded."""
    answered = ((ASKED[name](case), case) for case in cases)
    return [
        (answers, case)
        for answers, case in answered
        if answers != {question: "yes" if case[question] else "no" for question in answers}
    ]


@pytest.mark.parametrize("name", ASKED)
def test_a_sample_comes_out_as_recorded(name: str) -> None:
    assert differing(name, load(name)[::SAMPLE]) == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("bucket-policies", 2500), ("kms", 1500), ("sns", 1500), ("logs", 1500)])
def test_all_come_out_as_recorded(name: str, size: int) -> None:
    cases = load(name)
    assert len(cases) == size
    assert differing(name, cases) == []
