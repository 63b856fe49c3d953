"""What a snapshot reads: every property that rules ask for, and words for all of it."""

from __future__ import annotations

import re

import pytest

from tests import ROOT
from trailguard.account.kinds import ACTIONS, KINDS, calls_of, iam_policy, kind_of

# Nothing that exists has these: they are for whoever makes it, or no rule asks what they say.
NOT_READ = {
    "AWS::CloudTrail::Trail": {"AggregationConfigurations"},  # checked for its form only
    "AWS::S3::Bucket": {"BucketNamePrefix", "BucketNamespace"},  # what the name was made of
    "AWS::KMS::Key": {"BypassPolicyLockoutSafetyCheck"},  # said when it is made
    "AWS::IAM::ManagedPolicy": {"Roles"},  # each role says it, in ManagedPolicyArns
}
GIVEN_BACK = {"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"}


@pytest.mark.slow
def test_every_property_that_rules_ask_for_is_read() -> None:
    """By the words of the modules that read templates, and of those that write them."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    sources = ROOT / "src" / "trailguard"
    asked = {word for path in (sources / "trails").rglob("*.py") for word in _words(path.read_text(encoding="utf-8"))}
    read = {word for path in (sources / "account").glob("*.py") for word in _words(path.read_text(encoding="utf-8"))}
    for kind in KINDS.values():
        for each in kind.types:
            if each == "AWS::CloudFormation::Stack":
                continue
            properties = set(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", each).schema["properties"])
            assert (properties & asked) - read - GIVEN_BACK == NOT_READ.get(each, set()), each


def _words(text: str) -> list[str]:
    return re.findall(r'"([A-Z][A-Za-z0-9]+)"', text)


def test_kinds_have_words_and_types() -> None:
    assert kind_of("buckets") == kind_of("AWS::S3::BucketPolicy") == "buckets"
    assert kind_of("AWS::EC2::Instance") is None
    types = [each for kind in KINDS.values() for each in kind.types]
    assert len(types) == len(set(types))


def test_the_policy_is_no_larger_than_iam_takes() -> None:
    """6,144 characters without blanks for a managed policy, 2,048 for one of a user."""
    policy = iam_policy(KINDS, all_regions=True, organization=True, roles=["arn:aws:iam::123456789012:role/x"])
    assert len(re.sub(r"\s", "", str(policy))) < 2048


def test_nothing_is_allowed_that_changes_something() -> None:
    actions = {ACTIONS.get(call, call).partition(":")[2] for call in calls_of(KINDS)}
    assert {re.match(r"[A-Z][a-z]+", action)[0] for action in actions} == {"Describe", "Get", "List"}  # type: ignore[index]
