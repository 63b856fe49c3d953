"""Verdicts over all scenarios, held against an oracle that enumerates every assignment of every parameter."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.settings.settings import Settings

pytestmark = pytest.mark.slow

RULEBOOK = load(Settings(select=("TG101",)))
LITERALS = ("a", "b")
FRESH = ("z1", "z2", "z3")
NAMES = ("P0", "P1", "P2")

Template = dict[str, Any]


def parameters() -> st.SearchStrategy[dict[str, Any]]:
    def build(allowed: list[str] | None, default: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {"Type": "String"}
        if allowed:
            body["AllowedValues"] = allowed
        if default is not None and (not allowed or default in allowed):
            body["Default"] = default
        return body

    values = st.sampled_from((*LITERALS, "c", "true", "false"))
    allowed = st.one_of(st.none(), st.lists(values, min_size=1, max_size=3, unique=True))
    one = st.builds(build, allowed, st.one_of(st.none(), values))
    return st.fixed_dictionaries(dict.fromkeys(NAMES, one))


def conditions(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    ref = st.sampled_from(NAMES).map(lambda name: {"Ref": name})
    equals = st.tuples(ref, st.one_of(ref, st.sampled_from(LITERALS))).map(lambda pair: {"Fn::Equals": list(pair)})
    leaves: st.SearchStrategy[Any] = equals
    if known:
        leaves = st.one_of(equals, st.sampled_from(known).map(lambda name: {"Condition": name}))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda item: {"Fn::Not": [item]}),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: {"Fn::And": items}),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: {"Fn::Or": items}),
        ),
        max_leaves=4,
    )


def flags() -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.booleans(),
        st.sampled_from(("true", "false")),
        st.just({"Ref": "AWS::NoValue"}),
        st.sampled_from(NAMES).map(lambda name: {"Ref": name}),
    )
    return st.recursive(
        leaves,
        lambda inner: st.tuples(st.sampled_from(("C0", "C1", "C2")), inner, inner).map(
            lambda item: {"Fn::If": list(item)}
        ),
        max_leaves=4,
    )


# Strategies are made once: Hypothesis takes ten times as long to prepare one as to draw from it.
PARAMETERS = parameters()
FLAGS = flags()
CONDITIONS = {"C0": conditions(()), "C1": conditions(("C0",)), "C2": conditions(("C0", "C1"))}
CONDITIONAL_TRAIL = st.one_of(st.none(), st.sampled_from(tuple(CONDITIONS)))
ASSERTION = st.one_of(st.none(), CONDITIONS["C0"])


@st.composite
def templates(draw: st.DrawFn) -> Template:
    trail: dict[str, Any] = {
        "Type": "AWS::CloudTrail::Trail",
        "Properties": {"S3BucketName": "logs", "IsLogging": True, "IsMultiRegionTrail": draw(FLAGS)},
    }
    condition = draw(CONDITIONAL_TRAIL)
    if condition is not None:
        trail["Condition"] = condition
    template: Template = {
        "Parameters": draw(PARAMETERS),
        "Conditions": {name: draw(strategy) for name, strategy in CONDITIONS.items()},
        "Resources": {"Trail": trail},
    }
    assertion = draw(ASSERTION)
    if assertion is not None:
        template["Rules"] = {"Only": {"Assertions": [{"Assert": assertion}]}}
    return template


class Oracle:
    """Evaluates one full assignment the plain way."""

    def __init__(self, template: Template, values: dict[str, str]) -> None:
        self.template = template
        self.values = values

    def condition(self, node: Any) -> bool:
        ((name, argument),) = node.items()
        if name == "Condition":
            return self.condition(self.template["Conditions"][argument])
        if name == "Fn::Not":
            return not self.condition(argument[0])
        if name == "Fn::And":
            return all(self.condition(item) for item in argument)
        if name == "Fn::Or":
            return any(self.condition(item) for item in argument)
        left, right = (self.values[item["Ref"]] if isinstance(item, dict) else item for item in argument)
        return bool(left == right)

    def exists(self) -> bool:
        for rule in self.template.get("Rules", {}).values():
            if not self.condition(rule["Assertions"][0]["Assert"]):
                return False
        condition = self.template["Resources"]["Trail"].get("Condition")
        return condition is None or self.condition({"Condition": condition})

    def outcome(self, node: Any) -> str | None:
        """Pass, fail, or None when no stack can be made."""
        if isinstance(node, dict) and "Fn::If" in node:
            name, yes, no = node["Fn::If"]
            return self.outcome(yes if self.condition({"Condition": name}) else no)
        if node == {"Ref": "AWS::NoValue"}:
            return FAIL
        if isinstance(node, dict):
            body = self.template["Parameters"][node["Ref"]]
            node = self.values[node["Ref"]]
            if node not in ("true", "false"):
                return FAIL if "AllowedValues" in body else None
        return PASS if node in (True, "true") else FAIL


def enumerate_outcomes(template: Template) -> list[tuple[dict[str, str], str]]:
    """Every assignment under which the trail exists, with its outcome."""
    domains = []
    for body in template["Parameters"].values():
        open_domain = {*LITERALS, "c", "true", "false", *FRESH}
        domains.append(sorted(body.get("AllowedValues", open_domain)))
    found = []
    for values in itertools.product(*domains):
        assignment = dict(zip(template["Parameters"], values, strict=True))
        oracle = Oracle(template, assignment)
        if oracle.exists():
            outcome = oracle.outcome(template["Resources"]["Trail"]["Properties"]["IsMultiRegionTrail"])
            if outcome is not None:
                found.append((assignment, outcome))
    return found


def changes(template: Template, values: dict[str, str]) -> int:
    bodies = template["Parameters"].items()
    return sum("Default" in body and body["Default"] != values[name] for name, body in bodies)


def expected_verdict(template: Template, outcomes: list[tuple[dict[str, str], str]]) -> str:
    if not outcomes:
        return NOT_APPLICABLE
    fewest = min(changes(template, values) for values, _ in outcomes)
    usual = [outcome for values, outcome in outcomes if changes(template, values) == fewest]
    if all(outcome == FAIL for outcome in usual):
        return FAIL
    return CONDITIONAL if any(outcome == FAIL for _, outcome in outcomes) else PASS


def plain_boolean_parameters(template: Template) -> bool:
    """Whether no parameter with a value other than a Boolean lands in the Boolean property, which has its own rule."""
    text = json.dumps(template["Resources"])
    for name, body in template["Parameters"].items():
        if f'"Ref": "{name}"' in text:
            values = {*body.get("AllowedValues", ()), *([body["Default"]] if "Default" in body else [])}
            if not values <= {"true", "false"}:
                return False
    return True


def judge(template: Template, rulebook: Rulebook) -> Any:
    result = judge_file("t.json", json.dumps(template).encode(), Task(Settings(), rulebook))
    assert result.errors == ()
    (finding,) = result.findings
    return finding


@given(templates().filter(plain_boolean_parameters))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_verdict_is_what_full_enumeration_says(template: Template) -> None:
    outcomes = enumerate_outcomes(template)
    finding = judge(template, RULEBOOK)
    assert finding.verdict == expected_verdict(template, outcomes), finding


@given(templates().filter(plain_boolean_parameters))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_witness_always_breaks_the_rule_and_no_part_of_it_can_go(template: Template) -> None:
    finding = judge(template, RULEBOOK)
    if finding.verdict != CONDITIONAL:
        return
    outcomes = enumerate_outcomes(template)
    # Where `Rules` forbid the defaults of parameters that have no say, these take whatever value is allowed.
    assert breaks(template, outcomes, finding.witness) or always_fails(outcomes, finding.witness)
    for name in finding.witness if not compares_parameters(template) else ():
        fewer = {other: value for other, value in finding.witness.items() if other != name}
        assert not breaks(template, outcomes, fewer)


def breaks(template: Template, outcomes: list[tuple[dict[str, str], str]], witness: dict[str, str]) -> bool:
    """Whether the trail exists with these values (defaults elsewhere, the rest free), and then always fails."""
    made_up = sorted({value for value in witness.values() if value not in known_values(template)})
    given_values = {name: FRESH[made_up.index(value)] if value in made_up else value for name, value in witness.items()}
    defaults = {name: body["Default"] for name, body in template["Parameters"].items() if "Default" in body}
    fixed = {**defaults, **given_values}
    return always_fails(outcomes, fixed)


def always_fails(outcomes: list[tuple[dict[str, str], str]], fixed: dict[str, str]) -> bool:
    reached = [outcome for values, outcome in outcomes if all(values[name] == value for name, value in fixed.items())]
    return bool(reached) and all(outcome == FAIL for outcome in reached)


def compares_parameters(template: Template) -> bool:
    """Whether some condition compares two parameters; then a value may stand in for "the same as the other one"."""
    equals = re.findall(r'"Fn::Equals": \[[^\]]*\]', json.dumps(template))
    return any(text.count("Ref") == 2 for text in equals)


def known_values(template: Template) -> set[str]:
    named = {*LITERALS, "c", "true", "false"}
    for body in template["Parameters"].values():
        named |= {*body.get("AllowedValues", ())}
    return named


@given(templates().filter(plain_boolean_parameters))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_giving_the_witness_as_parameters_makes_it_a_failure(template: Template) -> None:
    finding = judge(template, RULEBOOK)
    if finding.verdict != CONDITIONAL:
        return
    pinned = Settings(parameters=finding.witness)
    result = judge_file("t.json", json.dumps(template).encode(), Task(pinned, RULEBOOK))
    assert [item.verdict for item in result.findings] == [FAIL]
