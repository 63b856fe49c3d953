"""Metric filters and alarms that watch the calls that change trails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.watching import alarms
from trailguard.trails.watching.filterpatterns import EVENTS

Json = Any
ALL = "{ " + " || ".join(f"$.eventName = {name}" for name in EVENTS) + " }"
ARN = {"Fn::GetAtt": ["Group", "Arn"]}
IMPORT = {"Fn::ImportValue": "x"}


def facts(resources: dict[str, Json], **sections: Json) -> list[Fact]:
    model = Model(Template(parse(json.dumps({**sections, "Resources": resources}).encode())), Pins(), RETURNS)
    trail = model.template.resources["Trail"]
    build = alarms.FACTS["alarm.watches_trail_changes"].build
    return [leaf.answer for leaf in Scenarios(model).explore(lambda scenario: build(scenario, trail))]


def fact(resources: dict[str, Json], **sections: Json) -> Fact:
    (found,) = facts(resources, **sections)
    return found


def trail(arn: Json = ARN) -> dict[str, Json]:
    properties = {"S3BucketName": "b", "IsLogging": True}
    return {"Type": "AWS::CloudTrail::Trail", "Properties": {**properties, "CloudWatchLogsLogGroupArn": arn}}


def watch(pattern: Json = ALL, metric: Json = "M", on: Json = None, **more: Json) -> dict[str, Json]:
    transformation = {"MetricName": metric, "MetricNamespace": "N", "MetricValue": "1", **more}
    properties = {"LogGroupName": on or {"Ref": "Group"}, "FilterPattern": pattern}
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {**properties, "MetricTransformations": [transformation]},
    }


def alarm(metric: Json = "M", **more: Json) -> dict[str, Json]:
    properties = {"MetricName": metric, "Namespace": "N", "AlarmActions": ["arn:aws:sns:eu-west-1:1:t"], **more}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def template(**more: Json) -> dict[str, Json]:
    return {"Trail": trail(), "Group": {"Type": "AWS::Logs::LogGroup"}, "Filter": watch(), "Alarm": alarm(), **more}


def test_filter_and_alarm_watch() -> None:
    assert fact(template()).value is True


NOBODY = "so it tells nobody"
UNWATCHED = "no alarm looks at the metric M of Filter"


@pytest.mark.parametrize(
    ("change", "value", "because"),
    [
        ({"Alarm": alarm("Other")}, False, UNWATCHED),
        ({"Alarm": alarm(Namespace="Other")}, False, UNWATCHED),
        ({"Alarm": alarm(AlarmActions=[])}, False, "Alarm has no AlarmActions, " + NOBODY),
        ({"Alarm": alarm(AlarmActions={"Ref": "AWS::NoValue"})}, False, "Alarm has no AlarmActions, " + NOBODY),
        ({"Alarm": alarm(AlarmActions=[{"Ref": "AWS::NoValue"}])}, False, "Alarm has no AlarmActions, " + NOBODY),
        ({"Alarm": alarm(ActionsEnabled="false")}, False, "the actions of Alarm are switched off"),
        ({"Alarm": alarm(ActionsEnabled=IMPORT)}, None, "whether the actions of Alarm are on is not known"),
        ({"Alarm": alarm(AlarmActions=IMPORT)}, None, "whether Alarm does anything is not known"),
        ({"Alarm": alarm(IMPORT)}, None, "whether Alarm looks at the metric M is not known"),
        ({"Alarm": alarm(Dimensions=[{"Name": "a", "Value": "b"}])}, False, UNWATCHED),
        ({"Filter": watch(Dimensions=[{"Key": "a", "Value": "$.a"}])}, False, UNWATCHED),
        (
            {"Filter": watch("{ $.eventName = *Trail }")},
            False,
            "Filter does not match every call of StartLogging, StopLogging",
        ),
        ({"Filter": watch(IMPORT)}, None, "whether Filter matches CreateTrail is not known"),
        ({"Filter": watch(on="other")}, False, "no metric filter watches the log group of Trail"),
        ({"Filter": watch(on=IMPORT)}, None, "which log group Filter watches is not known"),
        ({"Filter": watch(on=IMPORT), "Second": watch()}, True, "alarms watch the calls that change Trail"),
        ({"Alarm": alarm("Other"), "Second": alarm()}, True, "alarms watch the calls that change Trail"),
        ({"Trail": trail(None)}, False, "the events of Trail go to no log group, so nothing can watch them"),
        ({"Trail": trail(IMPORT)}, None, "CloudWatchLogsLogGroupArn of Trail is not known"),
    ],
)  # fmt: skip
def test_what_is_amiss(change: dict[str, Json], value: bool | None, because: str) -> None:
    found = fact(template(**change))
    assert (found.value, found.because) == (value, because)
    assert (found.unknown is None) is (value is not None)


def test_metric_in_a_calculation_counts() -> None:
    metric = {"Metric": {"MetricName": "M", "Namespace": "N"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "e", "Expression": "m * 2"}, {"Id": "m", "MetricStat": metric, "ReturnData": False}]
    calculated = alarm(Metrics=queries)
    del calculated["Properties"]["MetricName"]
    assert fact(template(Alarm=calculated)).value is True


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("ApplyOnTransformedLogs", True, False),
        ("ApplyOnTransformedLogs", False, True),
        ("FieldSelectionCriteria", '@aws.region = "eu-west-1"', False),
        ("EmitSystemFieldDimensions", ["@aws.region"], False),
    ],
)
def test_filter_on_something_else_than_the_events(name: str, value: Json, known: bool) -> None:
    changed = watch()
    changed["Properties"][name] = value
    assert (fact(template(Filter=changed)).unknown is None) is known


def test_composite_alarm_may_act_instead() -> None:
    composite = {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "ALARM(x)"}}
    assert fact(template(Alarm=alarm(AlarmActions=[]), Composite=composite)).unknown is not None
    assert fact(template(Composite=composite)).value is True


def test_default_pattern_is_judged_and_any_other_is_not_known() -> None:
    parameters = {"Pattern": {"Type": "String", "Default": ALL}}
    found = facts(template(Filter=watch({"Ref": "Pattern"})), Parameters=parameters)
    assert {item.value for item in found} == {True, None}


def test_account_in_a_pattern_leaves_the_rest_readable() -> None:
    pattern = {"Fn::Sub": '{ $.recipientAccountId != "${AWS::AccountId}" || $.eventName = * }'}
    assert fact(template(Filter=watch(pattern))).value is True


def test_log_group_elsewhere_without_filter_is_not_known() -> None:
    found = fact({"Trail": trail("arn:aws:logs:eu-west-1:111122223333:log-group:audit:*")})
    assert "neither this template nor one that is connected with it makes log group audit" in (found.unknown or "")


FILTERS = st.lists(st.tuples(st.sets(st.sampled_from(EVENTS)), st.booleans()), max_size=3)


@settings(max_examples=60, deadline=None)
@given(FILTERS)
def test_each_call_needs_a_filter_with_an_alarm(filters: list[tuple[set[str], bool]]) -> None:
    resources: dict[str, Json] = {"Trail": trail(), "Group": {"Type": "AWS::Logs::LogGroup"}}
    for index, (names, acts) in enumerate(filters):
        terms = [f"$.eventName = {name}" for name in sorted(names)] or ["$.eventName = nothing"]
        resources[f"Filter{index}"] = watch("{ " + " || ".join(terms) + " }", f"M{index}")
        resources[f"Alarm{index}"] = alarm(f"M{index}", ActionsEnabled=acts)
    seen = {name for names, acts in filters if acts for name in names}
    assert fact(resources).value is (seen == set(EVENTS))
