"""The rules of composite alarms, held against an oracle that tries every state of every alarm."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trails.watching.test_alarms import TOPIC, alarm, fact, template
from trailguard.trails.watching import composites
from trailguard.trails.watching.composites import Constant, Count, Is, Not, Rule, Unreadable, parse

Json = Any
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"
A, B, C = (Is("ALARM", (name,)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ALARM(a)", A),
        ('ALARM("a")', A),
        ("alarm ( a )", A),
        ('ALARM("a (b), c")', Is("ALARM", ("a (b), c",))),
        ("ALARM(a name of words)", Is("ALARM", ("a name of words",))),
        ("OK(a)", Is("OK", ("a",))),
        ("INSUFFICIENT_DATA(a)", Is("INSUFFICIENT_DATA", ("a",))),
        ("TRUE", Constant(True)),
        ("false", Constant(False)),
        ("NOT ALARM(a)", Not(A)),
        ("NOT NOT ALARM(a)", Not(Not(A))),
        ("NOT (ALARM(a) OR ALARM(b))", Not(Count(1, (A, B)))),
        ("ALARM(a) OR ALARM(b) AND ALARM(c)", Count(1, (A, Count(2, (B, C))))),
        ("(ALARM(a) OR ALARM(b)) AND ALARM(c)", Count(2, (Count(1, (A, B)), C))),
        ("ALARM(a)\n  AND\n  NOT ALARM(b)", Count(2, (A, Not(B)))),
        (f"ALARM({ARN})", Is("ALARM", (ARN,))),
        ("AT_LEAST(2, ALARM, (a, b, c))", Count(2, (A, B, C))),
        ("AT_LEAST(50%, ALARM, (a, b, c))", Count(2, (A, B, C))),
        ("AT_LEAST(1, NOT OK, (a, b))", Count(1, (Not(Is("OK", ("a",))), Not(Is("OK", ("b",)))))),
    ],
)  # fmt: skip
def test_rule_is_read(text: str, rule: Rule) -> None:
    assert parse((text,)) == rule


@pytest.mark.parametrize(
    "text",
    ["", "ALARM", "ALARM(", "ALARM()", "ALARM(a", "WARNING(a)", "ALARM(a) ALARM(b)", "ALARM(a) AND", "AND ALARM(a)",
     "(ALARM(a)", "ALARM(a))", "NOT", "ALARM(a, b)", "AT_LEAST(x, ALARM, (a))", "AT_LEAST(1, ON, (a))", 'ALARM("a)',
     "AT_LEAST(1, ALARM, a)", "(" * 60 + "ALARM(a)" + ")" * 60, "NOT " * 60 + "ALARM(a)", "ALARM(\0a)"],
)  # fmt: skip
def test_unreadable_rule_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse((text,))


# --- the oracle ------------------------------------------------------------------------------------------------------

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


def holds(rule: Rule, states: Mapping[str, str]) -> bool:
    """Whether a rule holds when every state is known."""
    if isinstance(rule, Is):
        return states[str(rule.alarm[0])] == rule.state
    if isinstance(rule, Constant):
        return rule.value
    if isinstance(rule, Not):
        return not holds(rule.rule, states)
    return sum(holds(one, states) for one in rule.rules) >= rule.least


def spelt(rule: Rule) -> str:
    if isinstance(rule, Is):
        return f'{rule.state}("{rule.alarm[0]}")'
    if isinstance(rule, Constant):
        return str(rule.value).upper()
    if isinstance(rule, Not):
        return f"NOT {spelt(rule.rule)}"
    word = " OR " if rule.least == 1 else " AND "
    return f"({word.join(map(spelt, rule.rules))})"


def made(choice: random.Random, names: list[str]) -> Rule:
    """A rule that names each alarm once."""
    if len(names) > 1:
        cut = choice.randint(1, len(names) - 1)
        parts = (made(choice, names[:cut]), made(choice, names[cut:]))
        rule: Rule = Count(choice.choice([1, 2]), parts)
    else:
        rule = Is(choice.choice([*STATES, "ALARM", "ALARM"]), (names[0],)) if choice.random() < 0.9 else Constant(False)
    return Not(rule) if choice.random() < 0.2 else rule


def wanted(rule: Rule, others: list[str]) -> bool | None:
    """Whether a composite alarm acts because `ours` goes off; None when that hinges on the others, or it looks away."""
    any_state = [dict(zip(others, states, strict=True)) for states in itertools.product(STATES, repeat=len(others))]
    quiet = [states for states in any_state if "ALARM" not in states.values()]
    before = [holds(rule, {**states, "ours": own}) for states in quiet for own in ("OK", "INSUFFICIENT_DATA")]
    after = [holds(rule, {**states, "ours": "ALARM"}) for states in quiet]
    anyhow = [holds(rule, {**states, "ours": "ALARM"}) for states in any_state]
    if all(anyhow) and not any(before):
        return True
    return False if not any(after) or all(before) else None


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_composite_alarm_acts_when_it_does_in_every_state(choice: random.Random, count: int) -> None:
    others = ["there", "elsewhere", "third"][:count]
    names = ["ours", *others]
    choice.shuffle(names)
    rule = made(choice, names)
    resources = template(
        Alarm=alarm(AlarmName="ours", AlarmActions=None),
        Other=alarm("Other", AlarmName="there", AlarmActions=None),
        Above=composite(spelt(rule)),
    )
    expected = wanted(rule, others) if ("ours",) in composites.alarms_of(rule) else False
    found = fact(resources)
    assert found.value is expected, (spelt(rule), found)
    assert (found.unknown is None) is (expected is not None)


def composite(rule: Json, **more: Json) -> dict[str, Json]:
    properties = {"AlarmRule": rule, "AlarmActions": TOPIC, **more}
    return {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": properties}


QUIET = alarm(AlarmActions=None)
NAMED, TWIN = (alarm(AlarmName=name, AlarmActions=None) for name in ("ours", "twin"))
CIRCLE = {
    "Above": composite("ALARM(top) OR ALARM(ours)", AlarmName="above"),
    "Top": composite("ALARM(above)", AlarmName="top"),
}
OURS = {"Fn::Sub": 'ALARM("${Alarm}")'}
ABOVE = {"Fn::Sub": 'ALARM("${Above}")'}


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({}, False),
        ({"Above": composite(OURS)}, True),
        ({"Above": composite({"Fn::Sub": "ALARM(${Alarm.Arn})"})}, True),
        ({"Above": composite({"Fn::Join": ["", ["ALARM(", {"Ref": "Alarm"}, ")"]]})}, True),
        ({"Above": composite(OURS, AlarmActions=[])}, False),
        ({"Above": composite(OURS, ActionsEnabled=False)}, False),
        ({"Above": composite(OURS, AlarmActions=[], OKActions=TOPIC)}, False),
        ({"Above": composite(OURS, AlarmActions={"Fn::ImportValue": "x"})}, None),
        ({"Above": composite(OURS, ActionsSuppressor="s")}, None),
        ({"Above": composite({"Fn::ImportValue": "x"})}, None),
        ({"Above": composite({"Fn::Sub": ["ALARM(${x})", {"x": {"Fn::ImportValue": "x"}}]})}, None),
        ({"Above": composite("ALARM(elsewhere)")}, False),
        ({"Above": composite(OURS, AlarmActions=[]), "Top": composite(ABOVE)}, True),
        ({"Above": composite("ALARM(elsewhere)", AlarmActions=[]), "Top": composite(ABOVE)}, False),
        ({"Above": composite({"Fn::Sub": 'ALARM("${Top}")'}), "Top": composite("ALARM(above)")}, False),
        ({**CIRCLE, "Alarm": NAMED}, None),
        ({"Above": composite(OURS), "Alarm": alarm(ActionsEnabled=False)}, True),
        ({"Above": composite("ALARM(ours)"), "Alarm": NAMED}, True),
        ({"Above": composite(OURS), "Alarm": alarm(Threshold=2, AlarmActions=None)}, False),
        ({"Above": composite(OURS), "Alarm": alarm(Threshold={"Fn::ImportValue": "x"}, AlarmActions=None)}, None),
        ({"Above": composite("ALARM(ours) AND ALARM(twin)"), "Alarm": NAMED, "Twin": TWIN}, True),
    ],
)  # fmt: skip
def test_composite_alarm_acts_for_an_alarm(change: dict[str, Json], value: bool | None) -> None:
    found = fact(template(**{"Alarm": QUIET, **change}))
    assert found.value is value, found
    assert (found.unknown is None) is (value is not None)
