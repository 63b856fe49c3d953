"""Which files a trail writes, held against brute force over keys that are spelt out, and over a policy's resources.

The oracle is written from the documentation: keys are START/ACCOUNT/KIND/REGION/YYYY/MM/DD/FILE, wildcards of Resource
stay within their part of an ARN unless a `*` ends it, a Deny wins, and every key must be granted.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.bucket import delivery
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS

ACCOUNT, MEMBER, ORGANIZATION = "111122223333", "444455556666", "o-exampleorgid"
ARN = "arn:aws:s3:::logs"
REGIONS = ("us-east-1", "eu-west-1", "us-gov-west-1", "ap-southeast-2", "mx-central-1")
DAYS = ("2026/01/31", "2027/12/30")


RESTS = ("", "x", "x/y", "x.json.gz", "x/x.exe")


def example(pattern: str) -> str:
    return pattern.replace("*", "").replace("?", "x")


def left_out(said: Sequence[Said]) -> Iterator[tuple[str, ...]]:
    """Ends of a pattern of each statement, one behind the other in any order."""
    for order in itertools.permutations(said):
        ends = [[end for pattern in one.patterns for end in tails(example(pattern))] for one in order]
        yield from itertools.product(*ends)


def tails(like: str) -> list[str]:
    """The ends of a key, from each of its folders on."""
    return [like[place:] for place, letter in enumerate(like) if letter == "/"] + [like.rpartition("/")[2]]


class Trail(NamedTuple):
    prefix: str
    validates: bool
    insights: bool
    organization: bool

    @property
    def properties(self) -> dict[str, Any]:
        return {
            "S3BucketName": "logs",
            "IsLogging": True,
            "IsMultiRegionTrail": True,
            "EnableLogFileValidation": self.validates,
            "IsOrganizationTrail": self.organization,
            **({"S3KeyPrefix": self.prefix} if self.prefix else {}),
            **({"InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]} if self.insights else {}),
        }

    @property
    def kinds(self) -> list[str]:
        kinds = {"CloudTrail": True, "CloudTrail-Digest": self.validates, "CloudTrail-Insight": self.insights}
        return [kind for kind, writes in kinds.items() if writes]

    def folders(self) -> Iterator[tuple[str, str]]:
        """The folders that it writes to, each with the account whose files are in it."""
        start = f"{self.prefix}/AWSLogs/" if self.prefix else "AWSLogs/"
        yield f"{start}{ACCOUNT}/", ACCOUNT
        if self.organization:
            yield from ((f"{start}{ORGANIZATION}/{account}/", account) for account in (ACCOUNT, MEMBER))

    def files(self) -> Iterator[str]:
        """Keys of files, some for each folder."""
        for (folder, account), kind, region, day in itertools.product(self.folders(), self.kinds, REGIONS, DAYS):
            of_digests = ["my.exe_CloudTrail_x", "x", "y"]
            names = of_digests if kind == "CloudTrail-Digest" else ["20260131T0005Z_x", "20260131T0005Z_y"]
            for name in names:
                yield f"{folder}{kind}/{region}/{day}/{account}_{kind}_{region}_{name}.json.gz"

    def must_be_granted(self, said: Iterable[Said]) -> Iterator[str]:
        """Keys of which a policy must grant every one: whatever is in a folder, such as where the patterns end.

        What all statements leave out together fits a pattern of each.
        """
        said = list(said)
        patterns = (pattern for one in said for pattern in one.patterns)
        ends = {
            like[place:] + more for like in map(example, patterns) for place in range(len(like)) for more in ("", "x")
        }
        ends.update("".join(parts) for parts in left_out([one for one in said if one.negated]))
        for (folder, _), kind in itertools.product(self.folders(), self.kinds):
            of_member = self.organization and ORGANIZATION in folder
            for rest in (*RESTS, *ends):
                yield f"{folder}{kind}/{rest}"
                if of_member:  # of the organization's folder nothing is known but its name
                    yield folder.partition(ORGANIZATION)[0] + f"{ORGANIZATION}/{rest}"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A resource as a regular expression."""
    spelt = []
    for index, part in enumerate(pattern.split(":", 5)):
        one = "." if index == 5 else "[^:]"
        letters = [{"*": f"{one}*", "?": one}.get(letter, re.escape(letter)) for letter in part]
        if part.endswith("*"):
            letters[-1] = ".*"
        spelt.append("".join(letters))
    return re.compile(":".join(spelt), re.DOTALL)


class Said(NamedTuple):
    """A statement: what it names, and whether it is about all the rest instead."""

    patterns: tuple[str, ...]
    negated: bool

    def is_about(self, key: str) -> bool:
        return any(compiled(pattern).fullmatch(f"{ARN}/{key}") for pattern in self.patterns) is not self.negated

    def spelt(self, effect: str) -> dict[str, Any]:
        name = "NotResource" if self.negated else "Resource"
        principal: Any = {"Service": "cloudtrail.amazonaws.com"} if effect == "Allow" else "*"
        return {"Effect": effect, "Principal": principal, "Action": "s3:PutObject", name: list(self.patterns)}


def ask(name: str, trail: Trail, *statements: dict[str, Any]) -> Fact:
    resources = {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs"}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": "logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
        },
        "Trail": {"Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": trail.properties},
    }
    pins = Pins(region="us-east-1", account_id=ACCOUNT)
    model = Model(Template(parse(json.dumps({"Resources": resources}).encode())), pins, RETURNS)
    build = delivery.FACTS[name].build
    (leaf,) = Scenarios(model).explore(lambda scenario: build(scenario, model.template.resources["Trail"]))
    found: Fact = leaf.answer
    return found


TRAILS = st.builds(Trail, st.sampled_from(["", "a", "a/b"]), st.booleans(), st.booleans(), st.booleans())
FOLDERS = (
    "", "*", "a", "AWSLogs", ACCOUNT, MEMBER, ORGANIZATION, "o-*", "1111????3333", "CloudTrail", "CloudTrail-Digest",
    "CloudTrail*", "CloudTrail-*", "Config", "private", "us-east-1", "us-*", "*-1", "????", "2026", "01", "??", "*x*",
    f"{ACCOUNT}_*", "*.json.gz", "*.exe", "*_CloudTrail_*",
)  # fmt: skip
BEGINNINGS = (
    "",
    "AWSLogs",
    f"AWSLogs/{ACCOUNT}",
    f"AWSLogs/{ORGANIZATION}",
    "*/AWSLogs",
    "a/AWSLogs",
    "AWSLogs/*/CloudTrail",
)
ENDS = ("", "*", "/*", "/?*", "/*/*", "/*.json.gz")
BUCKETS = (
    f"{ARN}/",
    f"{ARN}/",
    f"{ARN}/",
    "arn:aws:s3:::*/",
    "arn:aws:s3:*logs/",
    "arn:aws:*:*:*:logs/",
    "arn:*:logs/",
    "arn:*logs/",
)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    parts = [draw(st.sampled_from(BEGINNINGS)), *draw(st.lists(st.sampled_from(FOLDERS), max_size=3))]
    return (
        draw(st.sampled_from(BUCKETS))
        + "/".join(part for part in parts if part or len(parts) > 2)
        + draw(st.sampled_from(ENDS))
    )


SAID = st.builds(Said, st.lists(patterns(), min_size=1, max_size=3).map(tuple), st.sampled_from([False, False, True]))


def accepted(said: Said) -> bool:
    """Tell whether S3 may take a statement: a resource that is nothing in the bucket makes it refuse the policy."""
    return all(pattern.startswith((ARN, "arn:aws:s3:::*")) for pattern in said.patterns)


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(TRAILS, SAID.filter(accepted))
def test_a_deny_hits_the_files_that_it_is_about(trail: Trail, said: Said) -> None:
    everything = Said(
        (f"{ARN}/*", f"{ARN}/AWSLogs/{ORGANIZATION}/*", f"{ARN}/{trail.prefix}/AWSLogs/{ORGANIZATION}/*"), False
    )
    found = ask("policy.delivery_not_denied", trail, everything.spelt("Allow"), said.spelt("Deny"))
    assert found.unknown is None
    assert found.value is not any(map(said.is_about, trail.files())), said


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(TRAILS, st.lists(SAID.filter(accepted), min_size=1, max_size=3))
def test_every_key_must_be_granted(trail: Trail, said: list[Said]) -> None:
    named = Said((f"{ARN}/{trail.prefix}{'/' if trail.prefix else ''}AWSLogs/{ORGANIZATION}/nothing",), False)
    found = ask("policy.log_write_allowed", trail, *(one.spelt("Allow") for one in (named, *said)))
    keys = list(trail.must_be_granted(said))
    assert found.unknown is None
    assert found.value is all(any(one.is_about(key) for one in said) for key in keys), said
