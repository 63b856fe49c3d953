"""Rules of EventBridge that watch the calls that change trails, held against an oracle that reads whole events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import ROOT
from tests.trails.watching.test_alarms import TOPIC, alarm, template, watch
from trailguard.cloudformation.scenarios.model import Model, Pins
from trailguard.cloudformation.scenarios.scenarios import Scenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.findings import FAIL, PASS
from trailguard.scanning import scan
from trailguard.settings.settings import Settings
from trailguard.trails.facts.facts import Fact
from trailguard.trails.facts.properties import Wanted
from trailguard.trails.facts.returns import RETURNS
from trailguard.trails.watching import alarms, eventrules
from trailguard.trails.watching.filterpatterns import EVENTS

Json = Any
IMPORT = {"Fn::ImportValue": "x"}
ACCEPTED = Wanted(("alarm", "rule"))
STRICT = Wanted(("alarm",))
CALLS = {"source": ["aws.cloudtrail"], "detail": {"eventName": list(EVENTS)}}


def facts(resources: dict[str, Json], wanted: Wanted = ACCEPTED, **sections: Json) -> list[Fact]:
    model = Model(Template(parse(json.dumps({**sections, "Resources": resources}).encode())), Pins(), RETURNS)
    trail = model.template.resources["Trail"]
    build = alarms.FACTS["alarm.watched_by"].build
    return [leaf.answer for leaf in Scenarios(model).explore(lambda scenario: build(scenario, trail, wanted))]


def fact(resources: dict[str, Json], wanted: Wanted = ACCEPTED, **sections: Json) -> Fact:
    (found,) = facts(resources, wanted, **sections)
    return found


def rule(pattern: Json = CALLS, **more: Json) -> dict[str, Json]:
    properties = {"EventPattern": pattern, "Targets": [{"Id": "t", "Arn": TOPIC[0]}], **more}
    return {"Type": "AWS::Events::Rule", "Properties": {k: v for k, v in properties.items() if v is not None}}


def silent(**more: Json) -> dict[str, Json]:
    """A template in which no alarm tells anybody."""
    return template(**{"Alarm": alarm(AlarmActions=None), **more})


def detail(**fields: Json) -> Json:
    return {"source": ["aws.cloudtrail"], "detail": fields}


BOTH_CASES = {"prefix": {"equals-ignore-case": "CREATE"}}


@pytest.mark.parametrize(
    ("event_rule", "value"),
    [
        (rule(), "rule"),
        (rule(json.dumps(CALLS)), "rule"),
        (rule({"Fn::ToJsonString": CALLS}), "rule"),
        (rule("{"), None),
        (rule(IMPORT), None),
        (rule(None, ScheduleExpression="rate(1 day)"), "nobody"),
        (rule(State="DISABLED"), "nobody"),
        (rule(State="ENABLED"), "rule"),
        (rule(State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"), "rule"),
        (rule(State=IMPORT), None),
        (rule(Targets=[]), "nobody"),
        (rule(Targets=None), "nobody"),
        (rule(Targets=IMPORT), None),
        (rule(EventBusName="default"), "rule"),
        (rule(EventBusName={"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"}), "rule"),
        (rule(EventBusName="audit"), None),
        (rule({"source": ["aws.cloudtrail"]}), "rule"),
        (rule({"source": ["aws.iam", "aws.cloudtrail"]}), "rule"),
        (rule({"source": ["aws.iam"]}), "nobody"),
        (rule({"source": "aws.cloudtrail"}), "nobody"),
        (rule({"source": [{"prefix": "aws."}]}), "rule"),
        (rule({"detail-type": ["AWS API Call via CloudTrail"]}), "rule"),
        (rule({"detail-type": ["AWS Console Sign In via CloudTrail"]}), "nobody"),
        (rule({"account": [{"Ref": "AWS::AccountId"}], **CALLS}), None),
        (rule({"account": [{"exists": True}], **CALLS}), "rule"),
        (rule(detail(eventSource=["cloudtrail.amazonaws.com"])), "rule"),
        (rule(detail(eventSource=["iam.amazonaws.com"])), "nobody"),
        (rule(detail(eventName=list(EVENTS[:4]))), "nobody"),
        (rule(detail(eventName=[{"suffix": "Trail"}, {"suffix": "Logging"}])), "rule"),
        (rule(detail(eventName=[{"wildcard": "*Trail"}, {"wildcard": "St*Logging"}])), "rule"),
        (rule(detail(eventName=[{"wildcard": "*\\*"}])), None),
        (rule(detail(eventName=[{"suffix": {"equals-ignore-case": "TRAIL"}}, {"prefix": "St"}])), "rule"),
        (rule(detail(eventName=[BOTH_CASES, *EVENTS[1:]])), "rule"),
        (rule(detail(eventName=[{"equals-ignore-case": name.lower()} for name in EVENTS])), "rule"),
        (rule(detail(eventName=[{"anything-but": "LookupEvents"}])), "rule"),
        (rule(detail(eventName=[{"anything-but": ["StopLogging"]}])), "nobody"),
        (rule(detail(eventName=[{"anything-but": {"prefix": ["Get", "List"]}}])), "rule"),
        (rule(detail(eventName=[{"anything-but": {"prefix": "Stop"}}])), "nobody"),
        (rule(detail(eventName=[{"anything-but": {"wildcard": "*Logging"}}])), "nobody"),
        (rule(detail(eventName=[{"anything-but": {"equals-ignore-case": ["stoplogging"]}}])), "nobody"),
        (rule(detail(eventName=[{"numeric": ["=", 1]}])), "nobody"),
        (rule(detail(eventName=[{"sounds-like": "x"}])), None),
        (rule(detail(eventName=[{"exists": True}])), "rule"),
        (rule(detail(eventName=[{"exists": False}])), "nobody"),
        (rule(detail(eventName=[IMPORT])), None),
        (rule(detail(eventName=[*EVENTS, IMPORT])), "rule"),
        (rule(detail(readOnly=[False])), "rule"),
        (rule(detail(readOnly=[True])), "nobody"),
        (rule(detail(readOnly=["false"])), None),
        (rule(detail(managementEvent=[True])), "rule"),
        (rule(detail(errorCode=[{"exists": False}])), "rule"),
        (rule(detail(errorCode=[{"exists": True}])), "nobody"),
        (rule(detail(errorCode=[{"anything-but": "AccessDenied"}])), "nobody"),
        (rule(detail(errorCode=[None])), "nobody"),
        (rule(detail(userIdentity={"type": ["Root"]})), None),
        (rule(detail(userIdentity={"type": ["Root"]}, readOnly=[True])), "nobody"),
        (rule({"$or": [{"source": ["aws.iam"]}, CALLS]}), "rule"),
        (rule(detail(**{"$or": [{"eventName": list(EVENTS)}, {"userIdentity": {"type": ["Root"]}}]})), "rule"),
        (rule(detail(**{"$or": [{"readOnly": [True]}, {"errorCode": [{"exists": True}]}]})), "nobody"),
    ],
)
def test_rule_watches(event_rule: dict[str, Json], value: str | None) -> None:
    found = fact(silent(Rule=event_rule))
    assert found.value == value, found
    assert (found.unknown is None) is (value is not None)


SAYS = "Rule watches these calls by EventBridge, which counts with the option eventbridge only"


def test_rule_counts_where_it_is_wanted_only() -> None:
    found = fact(silent(Rule=rule()), STRICT)
    assert found.value == "nobody"
    assert found.because == f"Alarm has no AlarmActions, so it tells nobody; {SAYS}"
    assert SAYS not in fact(silent(Rule=rule(State="DISABLED")), STRICT).because
    assert SAYS not in fact(silent(Rule=rule(detail(eventName=["StopLogging"]))), STRICT).because
    assert SAYS in fact(silent(Rule=rule(), Other=rule(detail(eventName=["StopLogging"]), Targets=[])), STRICT).because
    unsure = fact(silent(Alarm=alarm(Threshold=IMPORT), Rule=rule()), STRICT)
    assert (unsure.value, unsure.unknown is None) == (None, False)
    assert SAYS in unsure.because


def test_alarm_is_named_first_and_both_add_up() -> None:
    assert fact(template(Rule=rule())).value == "alarm"
    assert fact(template(), STRICT).value == "alarm"
    stops = watch("{ $.eventName = *Logging }")
    starts = rule(detail(eventName=[{"suffix": "Trail"}]))
    assert fact(template(Filter=stops, Rule=starts)).value == "rule"
    assert fact(template(Filter=stops, Rule=starts), STRICT).value == "nobody"
    assert fact(template(Filter=stops, Rule=rule(detail(eventName=["CreateTrail"])))).value == "nobody"
    assert fact(silent(Rule=starts, Second=rule(detail(eventName=[{"suffix": "Logging"}])))).value == "rule"
    assert fact(silent(Alarm=alarm(Threshold=IMPORT))).unknown is not None
    assert fact(silent(Alarm=alarm(Threshold=IMPORT), Rule=rule())).value == "rule"


def test_trail_without_log_group_may_have_a_rule() -> None:
    bare = {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "b", "IsLogging": True}}
    assert fact({"Trail": bare, "Rule": rule()}).value == "rule"
    assert fact({"Trail": bare}).value == "nobody"


def test_conditions_and_parameters_decide() -> None:
    parameters = {"On": {"Type": "String", "Default": "yes", "AllowedValues": ["yes", "no"]}}
    conditions = {"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}}
    sections: Json = {"Parameters": parameters, "Conditions": conditions}
    found = facts(silent(Rule={**rule(), "Condition": "IsOn"}), **sections)
    assert {item.value for item in found} == {"rule", "nobody"}
    found = facts(silent(Rule={**rule(), "Condition": "IsOn"}), STRICT, **sections)
    assert {item.value for item in found} == {"nobody"}
    state = {"Fn::If": ["IsOn", "ENABLED", "DISABLED"]}
    assert {item.value for item in facts(silent(Rule=rule(State=state)), **sections)} == {"rule", "nobody"}
    names = {"Names": {"Type": "CommaDelimitedList", "Default": ",".join(EVENTS)}}
    found = facts(silent(Rule=rule(detail(eventName={"Ref": "Names"}))), Parameters=names)
    assert "rule" in {item.value for item in found}


def test_many_parameters_in_patterns_are_not_tried_one_by_one() -> None:
    many = eventrules.MAX_PARAMETERS + 1
    parameters: Json = {f"P{number}": {"Type": "String", "Default": EVENTS[0]} for number in range(60)}

    def by_parameters(count: int, *more: str) -> dict[str, Json]:
        wanted = (detail(eventName=[{"Ref": f"P{number % count}"}, *more]) for number in range(60))
        return {f"Rule{number}": rule(pattern) for number, pattern in enumerate(wanted)}

    found = fact(silent(**by_parameters(many)), Parameters=parameters)
    assert found.value is None
    assert "more than 8 parameters" in (found.unknown or "")
    sure = {**by_parameters(many), "Sure": rule()}
    assert fact(silent(**sure), Parameters=parameters).value == "rule"
    shared = facts(silent(**by_parameters(1, *EVENTS[1:])), Parameters=parameters)
    assert "rule" in {item.value for item in shared}


# --- the oracle ------------------------------------------------------------------------------------------------------


def whole(name: str) -> Json:
    """An event as EventBridge gets it."""
    record = {"eventSource": "cloudtrail.amazonaws.com", "eventName": name, "readOnly": False, "managementEvent": True}
    return {"source": "aws.cloudtrail", "detail-type": "AWS API Call via CloudTrail", "detail": record}


def fits(item: Json, value: Json, there: bool) -> bool:
    """Whether one alternative of a pattern fits the value of a field."""
    if not isinstance(item, dict):
        return there and type(item) is type(value) and item == value
    ((name, wanted),) = item.items()
    if name == "exists":
        return there is wanted
    if not there or not isinstance(value, str):
        return False
    if name == "anything-but":
        return value not in wanted
    return {"prefix": value.startswith, "suffix": value.endswith}[name](wanted)


def matches(pattern: Json, event: Json) -> bool:
    """Whether a pattern matches an event."""
    answers = []
    for name, wanted in pattern.items():
        if name == "$or":
            answers.append(any(matches(one, event) for one in wanted))
        elif isinstance(wanted, dict):
            answers.append(matches(wanted, event.get(name, {})))
        else:
            answers.append(any(fits(item, event.get(name), name in event) for item in wanted))
    return all(answers)


WORDS = st.sampled_from([*EVENTS, "Create", "St", "Trail", "Logging", "ing", "LookupEvents"])
ITEMS = st.one_of(
    WORDS,
    st.builds(lambda word: {"prefix": word}, WORDS),
    st.builds(lambda word: {"suffix": word}, WORDS),
    st.builds(lambda words: {"anything-but": words}, st.lists(WORDS, min_size=1, max_size=2)),
    st.builds(lambda there: {"exists": there}, st.booleans()),
)
FIELDS = st.dictionaries(
    st.sampled_from(["eventName", "errorCode"]), st.lists(ITEMS, min_size=1, max_size=5), min_size=1
)
PATTERNS = st.one_of(FIELDS, st.builds(lambda one, other: {"$or": [one, other]}, FIELDS, FIELDS))


@settings(max_examples=150, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=2), st.sampled_from([None, [True], [False]]))
def test_rules_watch_what_they_match(patterns: list[Json], read_only: Json) -> None:
    said = {} if read_only is None else {"readOnly": read_only}
    stated = [{"source": ["aws.cloudtrail"], "detail": {**pattern, **said}} for pattern in patterns]
    seen = {name for name in EVENTS if any(matches(pattern, whole(name)) for pattern in stated)}
    found = fact(silent(**{f"Rule{index}": rule(pattern) for index, pattern in enumerate(stated)}))
    assert found.value == ("rule" if seen == set(EVENTS) else "nobody"), (stated, found)


RULES = ROOT / "rules" / "TG403-trail-change-alarm" / "fail"


@pytest.mark.parametrize(
    ("example", "accepted", "verdict"),
    [
        ("event-rule.yaml", False, FAIL),
        ("event-rule.yaml", True, PASS),
        ("event-rule-switched-off.yaml", True, FAIL),
        ("plain.yaml", True, FAIL),
    ],
)
def test_option_of_the_rule_decides(example: str, accepted: bool, verdict: str) -> None:
    options = {"TG403": {"eventbridge": accepted}}
    report = scan([str(RULES / example)], Settings(select=("TG403",), options=options))
    (finding,) = report.results
    assert finding.verdict == verdict
    assert (SAYS.replace("Rule", "Changes") in finding.message) is (example == "event-rule.yaml" and not accepted)
