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


TOPIC = ["arn:aws:sns:eu-west-1:111122223333:t"]
LEVEL = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 1, "EvaluationPeriods": 1}
LOOK = {"Statistic": "Sum", "Period": 300}


def alarm(metric: Json = "M", **more: Json) -> dict[str, Json]:
    properties = {"MetricName": metric, "Namespace": "N", **LOOK, **LEVEL, "AlarmActions": TOPIC, **more}
    properties = {name: value for name, value in properties.items() if value is not None}
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


def query(name: str = "m", metric: str = "M", returned: Json = None, **more: Json) -> dict[str, Json]:
    stated = {"Metric": {"MetricName": metric, "Namespace": "N"}, "Period": 60, "Stat": "Sum", **more}
    return {"Id": name, "MetricStat": stated, **({} if returned is None else {"ReturnData": returned})}


def calculation(*queries: Json, **more: Json) -> dict[str, Json]:
    return alarm(None, Namespace=None, Statistic=None, Period=None, Metrics=list(queries), **more)


HIDDEN = query(returned=False)


@pytest.mark.parametrize(
    ("queries", "value"),
    [
        ([query()], True),
        ([query(returned=True)], True),
        ([query(Stat="p99")], True),
        ([query(Stat="Minimum")], True),
        ([query(Stat="tm99")], None),
        ([query(Unit="Count")], False),
        ([query(Unit="None")], True),
        ([{**query(), "AccountId": "111122223333"}], None),
        ([query(metric="Other")], False),
        ([HIDDEN, query("other", "Other")], False),
        ([HIDDEN, {"Id": "e", "Expression": "m"}], True),
        ([HIDDEN, {"Id": "e", "Expression": "FILL(m, 0)"}], True),
        ([HIDDEN, {"Id": "e", "Expression": " FILL( m , 0.5 ) "}], True),
        ([HIDDEN, {"Id": "e", "Expression": "FILL(m, 1)"}], False),
        ([HIDDEN, {"Id": "e", "Expression": "FILL(other, 0)"}], False),
        ([HIDDEN, {"Id": "e", "Expression": "FILL(m, REPEAT)"}], None),
        ([HIDDEN, {"Id": "e", "Expression": "m * 2"}], None),
        ([HIDDEN, {"Id": "e", "Expression": IMPORT}], None),
        ([query(), {"Id": "e", "Expression": "m * 2"}], None),
        ([HIDDEN], None),
        ([query(returned=IMPORT)], None),
        ([{"Id": "e", "Expression": 'SELECT SUM("M") FROM "N"'}], None),
        ([{"Id": "e", "Expression": "TIME_SERIES(1)"}], False),
        (IMPORT, None),
    ],
)  # fmt: skip
def test_alarm_on_a_list_of_metrics(queries: Json, value: bool | None) -> None:
    changed = calculation(*queries) if isinstance(queries, list) else alarm(None, Namespace=None, Metrics=queries)
    found = fact(template(Alarm=changed))
    assert found.value is value, found
    assert (found.unknown is None) is (value is not None)


def test_band_that_is_learnt_is_not_known() -> None:
    band = {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"}
    changed = calculation(query(), band, ThresholdMetricId="b", ComparisonOperator="GreaterThanUpperThreshold")
    assert "learns" in str(fact(template(Alarm=changed)).unknown)


REQUIRED, REFUSED = "which CloudWatch requires", "which CloudWatch refuses"
THREE, ONE = {"EvaluationPeriods": 3}, "and a single event fills one"


@pytest.mark.parametrize(
    ("change", "value", "because"),
    [
        ({"Statistic": None}, False, "Alarm has no Statistic, " + REQUIRED),
        ({"Period": None}, False, "Alarm has no Period, " + REQUIRED),
        ({"Threshold": None}, False, "Threshold of Alarm is not set, " + REQUIRED),
        ({"ComparisonOperator": None}, False, "Alarm has no ComparisonOperator, " + REQUIRED),
        ({"EvaluationPeriods": None}, False, "Alarm has no EvaluationPeriods, " + REQUIRED),
        ({"EvaluationPeriods": None, "DatapointsToAlarm": 1}, False, "Alarm has no EvaluationPeriods, " + REQUIRED),
        ({"ExtendedStatistic": "p90"}, False, "Alarm has both Statistic and ExtendedStatistic, " + REFUSED),
        ({"ComparisonOperator": ">="}, False, "ComparisonOperator of Alarm is >=, " + REFUSED),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, None, "whether Alarm goes off is not known"),
        ({"Threshold": "one"}, False, "Threshold of Alarm is not a number but one"),
        ({"Threshold": "1.0"}, True, ""),
        ({"Threshold": IMPORT}, None, "Threshold of Alarm is not known"),
        ({"Statistic": IMPORT}, None, "the statistic of Alarm is not known"),
        ({"EvaluationPeriods": IMPORT}, None, "EvaluationPeriods of Alarm is not known"),
        ({"EvaluationPeriods": IMPORT, "DatapointsToAlarm": 1}, True, ""),
        ({**THREE, "DatapointsToAlarm": "1"}, True, ""),
        ({**THREE, "DatapointsToAlarm": 2, "TreatMissingData": "ignore"}, False, "Alarm needs 2 of 3 periods, " + ONE),
        ({"EvaluationPeriods": "3"}, False, f"Alarm needs 3 of 3 periods, {ONE}, so it goes off late at best"),
        ({"TreatMissingData": "ignore"}, True, ""),
        ({"TreatMissingData": IMPORT}, None, "TreatMissingData of Alarm is not known"),
        ({"Period": 10}, True, ""),
        ({"Period": IMPORT}, True, ""),
        ({"Unit": "None"}, True, ""),
        ({"Unit": IMPORT}, None, "whether Alarm looks at the right unit is not known"),
        ({"Statistic": None, "ExtendedStatistic": "p99", "EvaluateLowSampleCountPercentile": "evaluate"}, True, ""),
        ({"Statistic": None, "ExtendedStatistic": "PR(1:)"}, None, "whether Alarm goes off is not known"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, True, ""),
    ],
)  # fmt: skip
def test_alarm_that_one_event_does_not_set_off(change: dict[str, Json], value: bool | None, because: str) -> None:
    found = fact(template(Alarm=alarm(**change)))
    assert found.value is value, found
    assert because in ("", found.because)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"MetricValue": "0"}, False),
        ({"MetricValue": 1}, True),
        ({"MetricValue": "+1"}, True),
        ({"MetricValue": "-1"}, False),
        ({"MetricValue": "$.eventName"}, False),
        ({"MetricValue": "$.x"}, None),
        ({"MetricValue": IMPORT}, None),
        ({"MetricValue": {"Ref": "AWS::NoValue"}}, False),
        ({"DefaultValue": 0}, True),
        ({"DefaultValue": "0"}, True),
        ({"DefaultValue": 1}, False),
        ({"DefaultValue": IMPORT}, None),
        ({"DefaultValue": {"Ref": "AWS::NoValue"}}, True),
        ({"Unit": "Count"}, True),
    ],
)
def test_what_a_filter_publishes(change: dict[str, Json], value: bool | None) -> None:
    assert fact(template(Filter=watch(**change))).value is value


def test_parameters_decide() -> None:
    parameters = {"Level": {"Type": "Number", "Default": 1, "MaxValue": 10}}
    found = facts(template(Alarm=alarm(Threshold={"Ref": "Level"})), Parameters=parameters)
    assert {item.value for item in found} == {True, False}
    parameters = {"Kind": {"Type": "String", "Default": "p90"}}
    changed = alarm(Statistic=None, ExtendedStatistic={"Ref": "Kind"})
    assert True in {item.value for item in facts(template(Alarm=changed), Parameters=parameters)}


def test_two_alarms_need_not_both_go_off() -> None:
    assert fact(template(Alarm=alarm(Threshold=5), Second=alarm())).value is True
    assert fact(template(Alarm=alarm(AlarmActions=None), Second=alarm(Threshold=5))).value is False


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
