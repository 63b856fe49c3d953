"""The properties of a trail on every level: their names, and what they take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.scanning import scan
from trailguard.settings.settings import Settings
from trailguard.trails.catalog import FACTS
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.properties import Wanted
from trailguard.trails.facts.returns import RETURNS

NAMES, VALUES = "valid.properties", "valid.values"
LOOKUP = {"Fn::ImportValue": "lookup"}


def fact(name: str, properties: dict[str, Any], *wanted: Wanted) -> Fact:
    trail = {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "logs", "IsLogging": True, **properties}}
    model = Model(Template(parse(json.dumps({"Resources": {"Trail": trail}}).encode())), Pins(), RETURNS)
    subject = model.template.resources["Trail"]
    build = FACTS["trail"][name].build
    (leaf,) = Scenarios(model).explore(lambda scenario: build(scenario, subject, *wanted))
    return leaf.answer


@pytest.mark.parametrize(
    ("properties", "name", "words"),
    [
        ({"KmsKeyId": "k"}, "KmsKeyId", "called KMSKeyId"),
        ({"LogGroupArn": "k"}, "LogGroupArn", "called CloudWatchLogsLogGroupArn"),
        ({"Bucket": "k"}, "Bucket", "called S3BucketName"),
        ({"DependsOn": "Policy"}, "DependsOn", "stands beside Properties"),
        ({"Arn": "x"}, "Arn", "cannot be set"),
        ({"HomeRegion": "x"}, "HomeRegion", "cannot be set"),
        ({"Name": "audit"}, "Name", "called TrailName"),
        ({"MultiRegionEnabled": True}, "MultiRegionEnabled", "called IsMultiRegionTrail"),
        ({"ReadWriteType": "All"}, "ReadWriteType", "belongs to an event selector"),
        ({"EventSelectors": [{"IncludeManagementEvent": True}]}, "IncludeManagementEvent", "IncludeManagementEvents"),
        ({"EventSelectors": [{"DataResources": [{"Type": "x", "Value": []}]}]}, "Value", "called Values"),
        ({"EventSelectors": [{"FieldSelectors": []}]}, "FieldSelectors", "belongs to an advanced event selector"),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Fields": "x"}]}]}, "Fields", "called Field"),
        ({"InsightSelectors": [{"Insighttype": "x"}]}, "Insighttype", "called InsightType"),
        ({"Tags": [{"key": "x", "Value": "y"}]}, "key", "called Key"),
    ],
)
def test_misspelt_properties(properties: dict[str, Any], name: str, words: str) -> None:
    found = fact(NAMES, properties)
    assert (found.value, found.unknown) == ([name], None)
    assert words in found.because


@pytest.mark.parametrize("place", ["trail", "selector"])
def test_a_property_that_may_be_newer_is_not_known_until_it_is_named(place: str) -> None:
    newer = {"RecursiveLogging": "Enabled"}
    properties = newer if place == "trail" else {"EventSelectors": [newer]}
    found = fact(NAMES, properties)
    assert found.value is None
    assert "option known_properties of TG113" in (found.unknown or "")
    assert fact(NAMES, properties, Wanted(("RecursiveLogging",))).value == []


def test_a_misspelt_property_counts_more_than_one_that_may_be_newer() -> None:
    assert fact(NAMES, {"RecursiveLogging": "Enabled", "KmsKeyId": "k"}).value == ["KmsKeyId"]


def test_a_property_that_is_removed_has_no_name() -> None:
    nothing = {"Ref": "AWS::NoValue"}
    assert fact(NAMES, {"KmsKeyId": nothing, "EventSelectors": [{"IncludeManagementEvent": nothing}]}).value == []


@pytest.mark.parametrize(
    ("option", "verdict"), [([], "unknown"), (["RecursiveLogging"], "pass"), (["Recursive"], "unknown")]
)
def test_the_option_of_the_rule(tmp_path: Any, option: list[str], verdict: str) -> None:
    properties = {"S3BucketName": "logs", "IsLogging": True, "RecursiveLogging": "Enabled"}
    trail = {"Type": "AWS::CloudTrail::Trail", "Properties": properties}
    path = tmp_path / "trail.json"
    path.write_text(json.dumps({"Resources": {"Trail": trail}}), encoding="utf-8")
    report = scan([str(path)], Settings(select=("TG113",), options={"TG113": {"known_properties": option}}))
    assert [finding.verdict for finding in report.results] == [verdict]


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"EnableLogFileValidation": "on"}, 'EnableLogFileValidation of Trail is "on", which is not a Boolean'),
        ({"EnableLogFileValidation": [True]}, "not a Boolean"),
        (
            {"EventSelectors": [{"IncludeManagementEvents": "no"}]},
            'IncludeManagementEvents in EventSelectors of Trail is "no"',
        ),
        ({"EventSelectors": {"ReadWriteType": "All"}}, "EventSelectors of Trail is a map, and it takes a list"),
        ({"EventSelectors": ["All"]}, 'is "All", which is not an event selector'),
        ({"EventSelectors": [[{"ReadWriteType": "All"}]]}, "is a list, which is not an event selector"),
        ({"EventSelectors": [{"ReadWriteType": ["All"]}]}, "is a list, and it takes a text"),
        ({"EventSelectors": [{"ReadWriteType": "all"}]}, "which is not All, ReadOnly or WriteOnly"),
        ({"EventSelectors": [{"ReadWriteType": ""}]}, "which is not All, ReadOnly or WriteOnly"),
        ({"EventSelectors": [{"DataResources": [{"Values": []}]}]}, "a data resource without Type"),
        ({"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Objects"}]}]}, "did you mean AWS::S3::Object?"),
        ({"AdvancedEventSelectors": [{"Name": "x"}]}, "without FieldSelectors"),
        ({"AdvancedEventSelectors": [{"FieldSelectors": []}]}, "is an empty list"),
        ({"AdvancedEventSelectors": [{"Name": "x" * 1001, "FieldSelectors": [{"Field": "x"}]}]}, "1001 characters"),
        ({"AggregationConfigurations": [{"EventCategory": "Data", "Templates": []}]}, "is an empty list"),
        ({"EventSelectors": [{"ReadWriteType": "All"}, {"ReadWriteType": "All"}]}, "has an item twice"),
        ({"Tags": [{"Key": "k" * 129, "Value": "v"}]}, "129 characters"),
        ({"Tags": [{"Key": "k", "Value": "v"}] * 51}, "has 51 items"),
        ({"AggregationConfigurations": [{}, {}]}, "has 2 items, and CloudTrail takes 1"),
        ({"S3KeyPrefix": {"a": "b"}}, "is a map, and it takes a text"),
        ({"Tags": {"a": "b"}}, "Tags of Trail is a map, and it takes a list"),
    ],
)
def test_values_that_are_refused(properties: dict[str, Any], words: str) -> None:
    found = fact(VALUES, properties)
    assert found.value is False
    assert words in found.because


@pytest.mark.parametrize(
    "properties",
    [
        {"EventSelectors": LOOKUP},
        {"EventSelectors": [LOOKUP]},
        {"EventSelectors": [{"ReadWriteType": LOOKUP, "IncludeManagementEvents": LOOKUP, "DataResources": LOOKUP}]},
        {"EventSelectors": []},
        {"EventSelectors": [{"IncludeManagementEvents": "FALSE"}]},
        {"S3KeyPrefix": 2026},
        {"TrailName": True},
        {"InsightSelectors": [{"InsightType": "ApiCallRateInsight", "EventCategories": []}]},
        {"EventSelectors": None},
        {"EventSelectors": [LOOKUP, LOOKUP, None, None]},
        {"Tags": [{"Key": "k", "Value": "v"}] * 2},
    ],
)
def test_values_that_are_taken_or_not_known(properties: dict[str, Any]) -> None:
    assert fact(VALUES, properties).value is True
