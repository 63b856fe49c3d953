"""What two spellings of a trail mean: the same, or something else.

Basic selectors are written as advanced ones by hand, from the documentation:
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Resource, Template
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.whole.drift import differences

KINDS = ("All", "ReadOnly", "WriteOnly")
SOURCES = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
DATA = {"AWS::S3::Object": ["arn:aws:s3:::a/", "arn:aws:s3:::b/x"], "AWS::Lambda::Function": ["arn:aws:lambda"]}
BASIC = st.fixed_dictionaries(
    {"ReadWriteType": st.sampled_from(KINDS), "IncludeManagementEvents": st.booleans()},
    optional={
        "ExcludeManagementEventSources": st.lists(st.sampled_from(SOURCES), unique=True),
        "DataResources": st.lists(st.sampled_from(list(DATA)), unique=True, max_size=2).map(
            lambda kinds: [{"Type": kind, "Values": DATA[kind]} for kind in kinds]
        ),
    },
)


def trail(properties: dict[str, Any]) -> tuple[Scenario, Resource]:
    """A trail with some properties."""
    text = json.dumps({"Resources": {"T": {"Type": "AWS::CloudTrail::Trail", "Properties": properties}}})
    template = Template(parse(text.encode()))
    return Scenario(Model(template, Pins(), RETURNS), {}), template.resources["T"]


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The properties by which two trails differ."""
    return [item.name for item in differences(*trail(one), *trail(other))]


def field(name: str, operator: str, *words: str) -> dict[str, Any]:
    """A field of an advanced selector."""
    return {"Field": name, operator: list(words)}


def advanced(basic: dict[str, Any]) -> list[dict[str, Any]]:
    """A basic selector as advanced ones."""
    kind = basic["ReadWriteType"]
    only = [] if kind == "All" else [field("readOnly", "Equals", "true" if kind == "ReadOnly" else "false")]
    found = []
    if basic["IncludeManagementEvents"]:
        left_out = basic.get("ExcludeManagementEventSources")
        without = [field("eventSource", "NotEquals", *reversed(left_out))] if left_out else []
        found.append([*without, *only, field("eventCategory", "Equals", "Management")])
    for data in basic.get("DataResources", ()):
        all_of_them = data["Values"] == ["arn:aws:lambda"]
        which = [] if all_of_them else [field("resources.ARN", "StartsWith", *data["Values"])]
        kept = [field("resources.type", "Equals", data["Type"]), *which, field("eventCategory", "Equals", "Data")]
        found.append([*kept, *only])
    return [{"Name": f"selector {number}", "FieldSelectors": fields} for number, fields in enumerate(found)]


@given(st.lists(BASIC, min_size=1, max_size=3))
def test_basic_selectors_mean_what_their_advanced_ones_do(basic: list[dict[str, Any]]) -> None:
    others = [one for item in basic for one in advanced(item)]
    assume_some = {"AdvancedEventSelectors": others[::-1]} if others else {"EventSelectors": basic[::-1]}
    assert differing({"EventSelectors": basic}, assume_some) == []
    assert differing(assume_some, {"EventSelectors": basic}) == []


@given(BASIC, BASIC)
def test_other_events_are_a_difference(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two selectors mean the same when their advanced ones are the same, in whatever order."""

    def told(item: dict[str, Any]) -> tuple[str, str, frozenset[str]]:
        (operator,) = item.keys() - {"Field"}
        return item["Field"], operator, frozenset(item[operator])

    def meaning(basic: dict[str, Any]) -> set[frozenset[tuple[str, str, frozenset[str]]]]:
        return {frozenset(map(told, selector["FieldSelectors"])) for selector in advanced(basic)}

    is_same = meaning(one) == meaning(other)
    assert (differing({"EventSelectors": [one]}, {"EventSelectors": [other]}) == []) is is_same


@given(st.dictionaries(st.sampled_from(["IsLogging", "IsMultiRegionTrail", "EnableLogFileValidation"]), st.booleans()))
def test_what_is_not_set_is_false(given_values: dict[str, bool]) -> None:
    spelt = {name: str(value).lower() for name, value in given_values.items()}
    assert differing(given_values, spelt) == []
    names = ("IsLogging", "IsMultiRegionTrail", "EnableLogFileValidation")
    assert differing(given_values, {}) == [name for name in names if given_values.get(name)]


def test_what_is_no_list_of_maps_is_no_difference() -> None:
    """CloudFormation refuses it, and other rules say so."""
    for value in ("All", ["All"], [["All"]], {"a": "b"}, 3):
        found = differing({"EventSelectors": value}, {"EventSelectors": [{"ReadWriteType": "All"}]})
        assert found in ([], ["EventSelectors"])
