"""Data events, insights and trails that record the same, held against an oracle that tries every event."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.catalog import FACTS
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.recording import eventsets

Selector = dict[str, Any]

READ, WRITE = "read", "write"
MODES = {"All": (READ, WRITE), "ReadOnly": (READ,), "WriteOnly": (WRITE,), None: (READ, WRITE)}
KEYS = ("k", "z", "kz")  # nobody names bucket c, or ends in z
OBJECTS = [f"arn:aws:s3:::{bucket}/{key}" for bucket in "abc" for key in KEYS]
EVENTS = list(itertools.product((WRITE, READ), OBJECTS))
PREFIXES = ("arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3:::a/", "arn:aws:s3:::b/", "arn:aws:s3:::a/k")
CATEGORY, TYPE = "eventCategory", "resources.type"
LOOKUP = {"Fn::ImportValue": "lookup"}


def facts(fact: str, resources: dict[str, Any], subject: str = "Trail", **sections: Any) -> list[Fact]:
    """The fact about a resource in every scenario."""
    text = json.dumps({**sections, "Resources": resources})
    model = Model(Template(parse(text.encode())), Pins(), RETURNS)
    trail = model.template.resources[subject]
    build = FACTS["trail"][fact].build
    return [leaf.answer for leaf in Scenarios(model).explore(lambda scenario: build(scenario, trail))]


def trail(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "logs", "IsLogging": True, **properties}}


def s3(*values: Any, mode: Any = "All") -> Selector:
    return {"ReadWriteType": mode, "DataResources": [{"Type": "AWS::S3::Object", "Values": list(values)}]}


def advanced(*fields: Selector) -> Selector:
    start = [{"Field": CATEGORY, "Equals": ["Data"]}, {"Field": TYPE, "Equals": ["AWS::S3::Object"]}]
    return {"FieldSelectors": [*start, *fields]}


def complete(**properties: Any) -> Fact:
    (fact,) = facts("data_events.s3_complete", {"Trail": trail(**properties)})
    return fact


@pytest.mark.parametrize(
    ("selectors", "because"),
    [
        ([s3("arn:aws:s3", mode="ReadOnly")], "Trail does not record write events of S3 objects"),
        ([s3("arn:aws:s3", mode="WriteOnly")], "Trail does not record read events of S3 objects"),
        ([s3("arn:aws:s3:::a/")], "Trail records write and read events of some S3 objects only"),
        ([s3("s3")], "Trail does not record write and read events of S3 objects"),
        (
            [s3("arn:aws:s3:::a/", mode="WriteOnly")],
            "Trail records write events of some S3 objects only and does not record read events of S3 objects",
        ),
        ([{"ReadWriteType": "All"}], "no event selector of Trail asks for the data events of S3 objects"),
        ([s3()], "no event selector of Trail asks for the data events of S3 objects"),
        ([], "Trail has no event selectors, and without them no data events are recorded"),
    ],
)
def test_because_names_what_is_missing(selectors: list[Selector], because: str) -> None:
    fact = complete(EventSelectors=selectors)
    assert (fact.value, fact.because) == (False, because)


@pytest.mark.parametrize(
    "values",
    [
        ["arn:aws:s3"],
        ["arn:aws-cn:s3:::"],
        [{"Fn::Sub": "arn:${AWS::Partition}:s3"}],
        [{"Fn::Join": ["", ["arn:", {"Fn::ImportValue": "partition"}, ":s3:::"]]}],
        [LOOKUP, "arn:aws:s3:::"],
        [{"Fn::Sub": ["${Scope}:::", {"Scope": "arn:aws:s3"}]}],
    ],
)
def test_all_buckets(values: list[Any]) -> None:
    assert complete(EventSelectors=[s3(*values)]).value is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}, True),
        ({"Field": "eventSource", "NotEquals": ["s3.amazonaws.com"]}, False),
        ({"Field": "eventName", "NotEquals": ["HeadObject"]}, False),
        ({"Field": "resources.ARN", "StartsWith": []}, True),
        ({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::"], "NotEndsWith": [".tmp"]}, False),
        ({"Field": "readOnly", "Equals": [True, "false"]}, True),
        ({"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:sts::111122223333:"]}, False),
    ],
)
def test_filters_of_advanced_selectors(field: Selector, value: bool) -> None:
    assert complete(AdvancedEventSelectors=[advanced(field)]).value is value


def test_advanced_selector_without_category_records_nothing() -> None:
    selector = {"FieldSelectors": [{"Field": TYPE, "Equals": ["AWS::S3::Object"]}]}
    assert complete(AdvancedEventSelectors=[selector]).value is False


@pytest.mark.parametrize("place", ["selectors", "selector", "value", "mode"])
def test_what_is_not_known(place: str) -> None:
    selectors: Any = {
        "selectors": LOOKUP,
        "selector": [LOOKUP],
        "value": [s3(LOOKUP)],
        "mode": [s3("arn:aws:s3", mode=LOOKUP)],
    }[place]
    fact = complete(EventSelectors=selectors)
    assert fact.value is None
    assert fact.unknown is not None
    assert "lookup" in fact.unknown


@pytest.mark.parametrize(
    "selector",
    [s3(""), s3(["arn:aws:s3"]), s3({}), {"DataResources": ["arn:aws:s3"]}, {"DataResources": "arn:aws:s3"}, "All", []],
)
def test_what_is_no_data_resource_records_nothing(selector: Any) -> None:
    assert complete(EventSelectors=[selector]).value is False


@pytest.mark.parametrize("field", ["readOnly", [], {"Field": "resources.ARN", "StartsWith": [""]}])
def test_what_is_no_field_selector_records_nothing(field: Any) -> None:
    assert complete(AdvancedEventSelectors=[advanced(field)]).value is False


@pytest.mark.parametrize("arn", ["arn:aws:s3:::${X}/", "arn:${X}:s3:::payments/", "arn:${X}:s3:::${X}/"])
def test_one_bucket_whatever_is_unknown_of_it(arn: str) -> None:
    assert complete(EventSelectors=[s3({"Fn::Sub": [arn, {"X": LOOKUP}]})]).value is False


def test_unknown_part_that_cannot_matter() -> None:
    assert complete(EventSelectors=[s3("arn:aws:s3:::a/", mode=LOOKUP)]).value is False


@pytest.mark.slow
def test_too_many_filters_to_compare() -> None:
    names = ("eventName", "userIdentity.arn", "eventType")
    filters = [{"Field": name, "NotEquals": [f"{name}{number}" for number in range(60)]} for name in names]
    rest = [advanced({"Field": item["Field"], "Equals": item["NotEquals"]}) for item in filters]
    fact = complete(AdvancedEventSelectors=[advanced(*filters), *rest])
    assert fact.unknown == "its event selectors are too many to compare"


# --- the oracle ---------------------------------------------------------------------------------------------------

values = st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2, unique=True)
basic_selectors = st.builds(
    lambda mode, kind, prefixes: {
        **({} if mode is None else {"ReadWriteType": mode}),
        "DataResources": [{"Type": kind, "Values": prefixes}],
    },
    st.sampled_from(list(MODES)),
    st.sampled_from(("AWS::S3::Object", "AWS::S3::Object", "AWS::Lambda::Function")),
    values,
)
fields = st.one_of(
    st.builds(lambda flag: {"Field": "readOnly", "Equals": [flag]}, st.sampled_from(("true", "false"))),
    st.builds(
        lambda operators: {"Field": "resources.ARN", **operators},
        st.dictionaries(st.sampled_from(("StartsWith", "NotStartsWith")), values, min_size=1),
    ),
    st.builds(
        lambda operator: {"Field": "resources.ARN", operator: ["/k"]}, st.sampled_from(("EndsWith", "NotEndsWith"))
    ),
)
advanced_selectors = st.lists(fields, max_size=2).map(lambda chosen: advanced(*chosen))


def basic_records(selector: Selector, event: tuple[str, str]) -> bool:
    mode, arn = event
    (resource,) = selector["DataResources"]
    return (
        mode in MODES[selector.get("ReadWriteType")]
        and resource["Type"] == "AWS::S3::Object"
        and any(arn.startswith(prefix) for prefix in resource["Values"])
    )


def advanced_records(selector: Selector, event: tuple[str, str]) -> bool:
    mode, arn = event
    text = {"readOnly": "true" if mode == READ else "false", "resources.ARN": arn}
    met: dict[str, Callable[[str, str], bool]]
    met = {"Equals": str.__eq__, "StartsWith": str.startswith, "EndsWith": str.endswith}
    for field in selector["FieldSelectors"][2:]:
        for operator, wanted in field.items():
            if operator == "Field":
                continue
            hit = any(met[operator.removeprefix("Not")](text[field["Field"]], item) for item in wanted)
            if hit is operator.startswith("Not"):
                return False
    return True


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(basic_selectors, min_size=1, max_size=4))
def test_basic_selectors_as_the_oracle(selectors: list[Selector]) -> None:
    expected = all(any(basic_records(selector, event) for selector in selectors) for event in EVENTS)
    assert complete(EventSelectors=selectors).value is expected


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(advanced_selectors, min_size=1, max_size=4))
def test_advanced_selectors_as_the_oracle(selectors: list[Selector]) -> None:
    expected = all(any(advanced_records(selector, event) for selector in selectors) for event in EVENTS)
    assert complete(AdvancedEventSelectors=selectors).value is expected


@settings(max_examples=100, deadline=None)
@given(st.lists(basic_selectors, min_size=1, max_size=3), st.data())
def test_parameter_may_be_any_of_its_allowed_values(selectors: list[Selector], data: st.DataObject) -> None:
    allowed = data.draw(st.lists(st.sampled_from(("All", "ReadOnly", "WriteOnly")), min_size=1, unique=True))
    parameters = {"Mode": {"Type": "String", "AllowedValues": allowed}}
    written = [{**selector, "ReadWriteType": {"Ref": "Mode"}} for selector in selectors]
    expected = {
        all(any(basic_records({**item, "ReadWriteType": mode}, event) for item in selectors) for event in EVENTS)
        for mode in allowed
    }
    resources = {"Trail": trail(EventSelectors=written)}
    told = facts("data_events.s3_complete", resources, Parameters=parameters)
    assert {fact.value for fact in told} == expected


def substituted(value: Any, text: str) -> Any:
    """The value with a text in place of what is imported."""
    if value == LOOKUP:
        return text
    if isinstance(value, dict):
        return {name: substituted(item, text) for name, item in value.items()}
    return [substituted(item, text) for item in value] if isinstance(value, list) else value


unknown_prefixes = st.lists(st.one_of(st.sampled_from(PREFIXES), st.just(LOOKUP)), min_size=1, max_size=2)
unknown_arns = st.builds(
    lambda operator, prefixes: {"Field": "resources.ARN", operator: prefixes},
    st.sampled_from(("StartsWith", "NotStartsWith")),
    unknown_prefixes,
)
unknown_basic = st.builds(
    lambda mode, prefixes: s3(*prefixes, mode=mode), st.sampled_from(list(MODES)[:3]), unknown_prefixes
)
unknown_advanced = st.lists(st.one_of(fields, unknown_arns), max_size=2).map(lambda chosen: advanced(*chosen))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(unknown_basic, min_size=1, max_size=3), st.lists(unknown_advanced, min_size=1, max_size=3)))
def test_what_is_told_of_the_unknown_holds_whatever_it_is(selectors: list[Selector]) -> None:
    is_advanced = "FieldSelectors" in selectors[0]
    records = advanced_records if is_advanced else basic_records
    told = complete(**{"AdvancedEventSelectors" if is_advanced else "EventSelectors": selectors}).value
    for text in PREFIXES:
        known = substituted(selectors, text)
        expected = all(any(records(selector, event) for selector in known) for event in EVENTS)
        assert told in (None, expected)


texts = st.sampled_from(("a", "ab", "b", "ba", "c"))
conditions = st.lists(st.tuples(st.sampled_from(eventsets.OPERATORS), texts), max_size=2).map(tuple)
tests_of_fields = st.lists(
    st.builds(eventsets.Test, st.sampled_from(("x", "y")), conditions, conditions), max_size=2
).map(tuple)
WORDS = ["".join(word) for size in range(6) for word in itertools.product("abcz", repeat=size)]
UNIVERSE = eventsets.Universe({"y": ("ab", "b")})
EVERY = [{"x": word, "y": other} for word in WORDS for other in ("ab", "b")]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(tests_of_fields, max_size=3))
def test_sets_of_events_as_the_oracle(selectors: list[eventsets.Tests]) -> None:
    expected = any(not any(eventsets.matches(item, event) for item in selectors) for event in EVERY)
    assert (eventsets.left_out(selectors, UNIVERSE) is not None) is expected


@settings(max_examples=150, deadline=None)
@given(tests_of_fields, tests_of_fields)
def test_common_events_as_the_oracle(left: eventsets.Tests, right: eventsets.Tests) -> None:
    expected = any(eventsets.matches(left, event) and eventsets.matches(right, event) for event in EVERY)
    assert eventsets.in_common(left, right, UNIVERSE) is expected


# --- insights -----------------------------------------------------------------------------------------------------

BOTH = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({}, False),
        ({"InsightSelectors": BOTH}, True),
        ({"InsightSelectors": BOTH[:1]}, False),
        ({"InsightSelectors": LOOKUP}, None),
        ({"InsightSelectors": [BOTH[0], LOOKUP]}, None),
        ({"InsightSelectors": [LOOKUP]}, False),
        ({"InsightSelectors": [BOTH[0], {**BOTH[1], "EventCategories": LOOKUP}]}, None),
        ({"InsightSelectors": [BOTH[0], {**BOTH[1], "EventCategories": []}]}, True),
        ({"InsightSelectors": [BOTH[0], {**BOTH[1], "EventCategories": ["Data"]}]}, False),
        ({"InsightSelectors": BOTH, "EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, True),
        ({"InsightSelectors": BOTH, "EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, False),
        ({"InsightSelectors": BOTH, "EventSelectors": [{"IncludeManagementEvents": "false"}]}, False),
        ({"InsightSelectors": BOTH, "EventSelectors": [{"IncludeManagementEvents": LOOKUP}]}, None),
        ({"InsightSelectors": BOTH, "EventSelectors": LOOKUP}, None),
        ({"InsightSelectors": [BOTH[0], LOOKUP], "EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, False),
        ({"InsightSelectors": BOTH, "AdvancedEventSelectors": [advanced()]}, False),
    ],
)
def test_insights(properties: dict[str, Any], value: bool | None) -> None:
    (fact,) = facts("insights.complete", {"Trail": trail(**properties)})
    assert fact.value is value


# --- several trails -----------------------------------------------------------------------------------------------

NONE = [{"IncludeManagementEvents": False}]
READS, WRITES = [{"ReadWriteType": "ReadOnly"}], [{"ReadWriteType": "WriteOnly"}]


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ({}, {}, False),
        ({}, {"IsLogging": False}, True),
        ({"IsLogging": "false"}, {}, True),
        ({"IsLogging": LOOKUP}, {}, None),
        ({"IsLogging": LOOKUP}, {"EventSelectors": NONE}, True),
        ({"EventSelectors": READS}, {"EventSelectors": WRITES}, True),
        ({"EventSelectors": READS}, {"EventSelectors": LOOKUP}, None),
        ({"EventSelectors": [{"ReadWriteType": LOOKUP}]}, {}, None),
        ({"AdvancedEventSelectors": [advanced()]}, {}, True),
        ({"EventSelectors": [{"ExcludeManagementEventSources": LOOKUP}]}, {}, False),
        ({"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}, {}, False),
    ],
)
def test_recorded_once(first: dict[str, Any], second: dict[str, Any], value: bool | None) -> None:
    resources = {"First": trail(**first), "Second": trail(**second)}
    (fact,) = facts("management_events.recorded_once", resources, "Second")
    assert fact.value is value
    (fact,) = facts("management_events.recorded_once", resources, "First")
    assert fact.value is True


def test_first_trail_is_told() -> None:
    resources = {"One": trail(IsLogging=False), "Two": trail(), "Three": trail()}
    (fact,) = facts("management_events.recorded_once", resources, "Three")
    assert fact.because == "Three records the same management events as Two, which is charged"
    assert [word for _, word in fact.related] == ["the first trail"]
