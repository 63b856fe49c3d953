"""Event selectors that CloudTrail refuses, and the management events that the others record, against an oracle.

The oracle is written from the API reference, event by event, and knows nothing of sets of events.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterable, Iterator
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

Selector = dict[str, Any]
FORMS, COMPLETE, FED = "valid.selector_forms", "management_events.complete", "valid.insights"
SOURCES = ("kms.amazonaws.com", "rdsdata.amazonaws.com", "iam.amazonaws.com")
EVENTS = list(itertools.product(("true", "false"), SOURCES))  # management events: readOnly, eventSource


def facts(name: str, properties: Selector, parameters: Selector | None = None) -> list[Fact]:
    """The fact about a trail in every scenario."""
    trail = {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "logs", "IsLogging": True, **properties}}
    text = json.dumps({"Parameters": parameters or {}, "Resources": {"Trail": trail}})
    model = Model(Template(parse(text.encode())), Pins(), RETURNS)
    subject = model.template.resources["Trail"]
    build = FACTS["trail"][name].build
    return [leaf.answer for leaf in Scenarios(model).explore(lambda scenario: build(scenario, subject))]


def value(name: str, properties: Selector) -> object:
    (fact,) = facts(name, properties)
    return fact.value


# --- the oracle: basic selectors --------------------------------------------------------------------------------------


def taken(kind: str, text: str) -> bool:
    """Whether a data resource takes a text, by the documentation of DataResource."""
    parts = text.split(":", 5)
    if len(parts) < 3 or parts[0] != "arn" or not parts[1]:
        return False
    service = {"AWS::S3::Object": "s3", "AWS::Lambda::Function": "lambda", "AWS::DynamoDB::Table": "dynamodb"}[kind]
    if parts[2] != service:
        return False
    if len(parts) == 3:
        return True
    if len(parts) < 6:
        return False
    if kind == "AWS::S3::Object":
        bucket, slash, _ = parts[5].partition("/")
        is_all = parts[5] == ""
        return parts[3:5] == ["", ""] and (is_all or (slash == "/" and bucket != "" and not set("*?:") & set(bucket)))
    start = "function:" if service == "lambda" else "table/"
    rest = parts[5].removeprefix(start)
    if not parts[3] or not parts[4] or not parts[5].startswith(start) or "*" in text or "?" in text:
        return False
    names = rest.split(":") if service == "lambda" else [rest]
    return len(names) <= 2 and all(name and not set(":/") & set(name) for name in names)


def basic_refused(selector: Selector) -> bool:
    excluded = selector.get("ExcludeManagementEventSources", [])
    if excluded and selector.get("IncludeManagementEvents") is False:
        return True
    return any(
        not taken(resource["Type"], text)
        for resource in selector.get("DataResources", [])
        for text in resource["Values"]
    )


def basic_records(selector: Selector, event: tuple[str, str]) -> bool:
    read_only, source = event
    if selector.get("IncludeManagementEvents") is False:
        return False
    if source in selector.get("ExcludeManagementEventSources", []):
        return False
    mode = selector.get("ReadWriteType", "All")
    return mode == "All" or (mode == "ReadOnly") is (read_only == "true")


def pieces() -> st.SearchStrategy[str]:
    services = st.sampled_from(("s3", "lambda", "dynamodb"))
    s3 = st.builds(
        "".join, st.tuples(st.sampled_from(("", "logs", "l*", "logs/", "logs/k", "/", "*", "*/*", "logs/*")))
    )
    names = st.sampled_from(("function:pay", "function:*", "function:pay:2", "table/pay", "table:pay", "table/", "pay"))
    return st.one_of(
        st.builds("arn:aws:{}".format, services),
        st.builds("arn:aws:s3:::{}".format, s3),
        st.builds("arn:aws:{}:eu-west-1:111122223333:{}".format, services, names),
        st.sampled_from(
            ("logs", "arn:aws", "s3", "arn::s3", "arn:aws:s3:", "arn:aws:s3::", "arn:aws:lambda:::function:pay")
        ),
    )


data_resources = st.builds(
    lambda kind, values: {"Type": kind, "Values": values},
    st.sampled_from(("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")),
    st.lists(pieces(), min_size=1, max_size=2),
)
basics = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "ReadWriteType": st.sampled_from(("All", "ReadOnly", "WriteOnly")),
            "IncludeManagementEvents": st.booleans(),
            "ExcludeManagementEventSources": st.lists(st.sampled_from(SOURCES[:2]), max_size=2, unique=True),
            "DataResources": st.lists(data_resources, max_size=2),
        },
    ),
    max_size=3,
)


# --- the oracle: advanced selectors -----------------------------------------------------------------------------------

BY_CATEGORY = {
    "Management": {"eventCategory", "readOnly", "eventSource"},
    "Data": {
        "eventCategory",
        "resources.type",
        "readOnly",
        "eventName",
        "eventSource",
        "eventType",
        "resources.ARN",
        "sessionCredentialFromConsole",
        "userIdentity.arn",
    },
    "NetworkActivity": {"eventCategory", "eventSource", "eventName", "errorCode", "vpcEndpointId"},
}


def advanced_refused(selector: Selector) -> bool:
    fields = selector["FieldSelectors"]
    by_name = {field["Field"]: field for field in fields}
    category = by_name.get("eventCategory", {}).get("Equals", [])
    if len(category) != 1 or category[0] not in BY_CATEGORY:
        return True
    if not set(by_name) <= BY_CATEGORY[category[0]]:
        return True
    for name in ("eventCategory", "readOnly", "resources.type"):
        if name in by_name and set(by_name[name]) != {"Field", "Equals"}:
            return True
    if "readOnly" in by_name and not set(by_name["readOnly"]["Equals"]) <= {"true", "false"}:
        return True
    source = by_name.get("eventSource")
    if category == ["Management"]:
        if source is None:
            return False
        return set(source) != {"Field", "NotEquals"} or not set(source["NotEquals"]) <= set(SOURCES[:2])
    if category == ["Data"]:
        return len(by_name.get("resources.type", {}).get("Equals", [])) != 1
    error = by_name.get("errorCode", {})
    return source is None or not set(error.get("Equals", [])) <= {"VpceAccessDenied"}


def advanced_records(selector: Selector, event: tuple[str, str]) -> bool:
    """Whether a selector that is not refused records a management event."""
    facts_of = {"eventCategory": "Management", "readOnly": event[0], "eventSource": event[1]}
    for field in selector["FieldSelectors"]:
        if field["Field"] not in facts_of:
            return False  # only selectors of other categories have it
        text = facts_of[field["Field"]]
        if "Equals" in field and text not in field["Equals"]:
            return False
        if text in field.get("NotEquals", []):
            return False
    return True


def field(name: str, *values: str, operator: str = "Equals") -> Selector:
    return {"Field": name, operator: list(values)}


OTHERS = (
    field("readOnly", "true"),
    field("readOnly", "false"),
    field("readOnly", "true", "false"),
    field("readOnly", "true", operator="NotEquals"),
    field("readOnly", "yes"),
    field("eventSource", SOURCES[0], operator="NotEquals"),
    field("eventSource", *SOURCES[:2], operator="NotEquals"),
    field("eventSource", SOURCES[2], operator="NotEquals"),
    field("eventSource", SOURCES[2]),
    field("resources.type", "AWS::S3::Object"),
    field("resources.type", "AWS::S3::Object", "AWS::Lambda::Function"),
    field("resources.ARN", "arn:aws:s3:::logs/", operator="StartsWith"),
    field("eventName", "PutObject"),
    field("errorCode", "VpceAccessDenied"),
    field("errorCode", "AccessDenied"),
    field("vpcEndpointId", "vpce-1"),
)


def selectors_of(category: str, others: Iterable[Selector]) -> st.SearchStrategy[Selector]:
    """Selectors of a category, most of which have what every one of the category needs."""
    always = {
        "Data": [field("resources.type", "AWS::S3::Object")],
        "NetworkActivity": [field("eventSource", "s3.amazonaws.com")],
    }
    return st.builds(
        lambda some, named: {"FieldSelectors": list({item["Field"]: item for item in (*named, *some)}.values())},
        st.lists(st.sampled_from(list(others)), max_size=2, unique_by=lambda item: item["Field"]),
        st.sampled_from(
            [[field("eventCategory", category), *always.get(category, [])]] * 3 + [[field("eventCategory", category)]]
        ),
    )


def fitting(category: str) -> list[Selector]:
    return [item for item in OTHERS if item["Field"] in BY_CATEGORY[category]]


advanced_selectors = st.one_of(
    *(selectors_of(category, fitting(category)) for category in ("Management", "Management", *BY_CATEGORY)),
    *(selectors_of(category, OTHERS) for category in (*BY_CATEGORY, "Insight")),
    st.sampled_from(OTHERS).map(lambda item: {"FieldSelectors": [item]}),
)


def advanced_list() -> st.SearchStrategy[list[Selector]]:
    return st.lists(advanced_selectors, min_size=1, max_size=3)


def valid_list() -> st.SearchStrategy[list[Selector]]:
    whole = st.one_of(*(selectors_of(category, fitting(category)) for category in ("Management", *BY_CATEGORY)))
    return st.lists(whole.filter(lambda selector: not advanced_refused(selector)), min_size=1, max_size=3)


# --- held against the oracle ------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(basics)
def test_basic_selectors(selectors: list[Selector]) -> None:
    properties = {"EventSelectors": selectors}
    assert value(FORMS, properties) is not any(map(basic_refused, selectors))
    recorded = [not selectors or any(basic_records(item, event) for item in selectors) for event in EVENTS]
    assert value(COMPLETE, properties) is all(recorded)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(advanced_list())
def test_forms_of_advanced_selectors(selectors: list[Selector]) -> None:
    assert value(FORMS, {"AdvancedEventSelectors": selectors}) is not any(map(advanced_refused, selectors))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(valid_list())
def test_events_of_advanced_selectors(selectors: list[Selector]) -> None:
    expected = all(any(advanced_records(item, event) for item in selectors) for event in EVENTS)
    assert value(COMPLETE, {"AdvancedEventSelectors": selectors}) is expected


def needs(insight: str, events: list[bool], has_data: bool, category: str) -> bool:
    """Whether what an insight looks at is recorded, for the events that EVENTS lists."""
    if category == "Data":
        return has_data
    writes = [is_recorded for is_recorded, (read_only, _) in zip(events, EVENTS, strict=True) if read_only == "false"]
    return any(writes if insight == "ApiCallRateInsight" else events)


insights = st.lists(
    st.builds(
        lambda kind, categories: {"InsightType": kind, **({"EventCategories": categories} if categories else {})},
        st.sampled_from(("ApiCallRateInsight", "ApiErrorRateInsight")),
        st.lists(st.sampled_from(("Management", "Data")), max_size=2, unique=True),
    ),
    max_size=2,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.one_of(basics.map(lambda found: ("EventSelectors", found)), valid_list().map(lambda a: ("Advanced", a))),
    insights,
)
def test_insights(stated: tuple[str, list[Selector]], wanted: list[Selector]) -> None:
    kind, selectors = stated
    if kind == "EventSelectors":
        if any(map(basic_refused, selectors)):
            return
        events = [not selectors or any(basic_records(item, event) for item in selectors) for event in EVENTS]
        has_data = any(resource["Values"] for item in selectors for resource in item.get("DataResources", []))
    else:
        kind = "AdvancedEventSelectors"
        events = [any(advanced_records(item, event) for item in selectors) for event in EVENTS]
        has_data = any(field("eventCategory", "Data") in item["FieldSelectors"] for item in selectors)
    expected = all(
        needs(one["InsightType"], events, has_data, category)
        for one in wanted
        for category in one.get("EventCategories", ["Management"])
    )
    assert value(FED, {kind: selectors, "InsightSelectors": wanted}) is expected


# --- parameters -------------------------------------------------------------------------------------------------------

OPEN = {"Ref": "Choice"}


def texts(node: Any) -> Iterator[tuple[Any, Any]]:
    """The places of texts that a parameter can stand for: what holds each, and its key."""
    for key, item in list(node.items() if isinstance(node, dict) else enumerate(node)):
        if isinstance(item, (dict, list)):
            yield from texts(item)
        elif isinstance(item, str) and key not in ("Field", "Type"):
            yield node, key


CHOICES = (
    "Management", "Data", "NetworkActivity", "true", "false", *SOURCES, "AWS::S3::Object", "VpceAccessDenied",
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(advanced_list(), st.data())
def test_a_parameter_is_judged_as_each_of_its_values(selectors: list[Selector], data: st.DataObject) -> None:
    count = len(list(texts(selectors)))
    index = data.draw(st.integers(0, count - 1))
    allowed = data.draw(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=3, unique=True))

    def put(item: Any) -> list[Selector]:
        made = copy.deepcopy(selectors)
        holder, key = list(texts(made))[index]
        holder[key] = item
        return made

    parameters = {"Choice": {"Type": "String", "AllowedValues": allowed}}
    expected = {not any(map(advanced_refused, put(text))) for text in allowed}
    told = facts(FORMS, {"AdvancedEventSelectors": put(OPEN)}, parameters)
    assert {fact.value for fact in told} == expected
    sound = [text for text in allowed if not any(map(advanced_refused, put(text)))]
    if sound:
        parameters["Choice"]["AllowedValues"] = sound
        complete = {all(any(advanced_records(one, event) for one in put(text)) for event in EVENTS) for text in sound}
        told = facts(COMPLETE, {"AdvancedEventSelectors": put(OPEN)}, parameters)
        assert {fact.value for fact in told} == complete


@pytest.mark.parametrize("fact", [FORMS, COMPLETE])
def test_a_selector_whose_category_is_not_known(fact: str) -> None:
    category = {"Field": "eventCategory", "Equals": [{"Fn::ImportValue": "category"}]}
    (told,) = facts(fact, {"AdvancedEventSelectors": [{"FieldSelectors": [category]}]})
    assert told.value is (True if fact == FORMS else None)  # what is not known is taken to be right
