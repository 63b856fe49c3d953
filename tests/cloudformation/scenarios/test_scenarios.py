"""Which scenarios can happen, and templates that are made to break the tool."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cloudformation.resolving import explored, model_of, read, with_probe
from trailguard.cloudformation.scenarios.dependencies import Dependencies, condition_names
from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.scenarios import MAX_LEAVES, Scenarios, TooManyScenarios
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.references import references
from trailguard.findings import CONDITIONAL, FAIL, PASS, UNKNOWN
from trailguard.judging.alone import judge_file
from trailguard.judging.results import FileResult, Task
from trailguard.rulebook.shelf import load
from trailguard.settings.settings import Settings

STRING = {"Type": "String"}


def equals(name: str, value: str) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": name}, value]}


def probed(expression: Any, **sections: Any) -> list[tuple[dict[str, str], Any]]:
    return explored(with_probe(expression, **sections))


ASKED = {"Fn::If": [equals("P", "a"), "yes", "no"]}

RULES: dict[str, tuple[dict[str, Any], list[tuple[dict[str, str], str]]]] = {
    "none": ({}, [({"P": "a"}, "yes"), ({"P": "other"}, "no")]),
    "assertion": (
        {"R": {"Assertions": [{"Assert": equals("P", "a")}]}},
        [({"P": "a"}, "yes")],
    ),
    "assertion-not": (
        {"R": {"Assertions": [{"Assert": {"Fn::Not": [equals("P", "a")]}}]}},
        [({"P": "other"}, "no")],
    ),
    "two-assertions": (
        {"R": {"Assertions": [{"Assert": {"Fn::Not": [equals("P", "x")]}}, {"Assert": equals("P", "a")}]}},
        [({"P": "a"}, "yes")],
    ),
    "contains": (
        {"R": {"Assertions": [{"Assert": {"Fn::Contains": [["b", "c"], {"Ref": "P"}]}}]}},
        [({"P": "b"}, "no")],
    ),
    "each-member-in": (
        {"R": {"Assertions": [{"Assert": {"Fn::EachMemberIn": [[{"Ref": "P"}], ["a"]]}}]}},
        [({"P": "a"}, "yes")],
    ),
    "rule-condition-false": (
        {"R": {"RuleCondition": equals("P", "z"), "Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}}]}},
        [({"P": "a"}, "yes"), ({"P": "other"}, "no")],
    ),
    "rule-condition-true": (
        {"R": {"RuleCondition": equals("P", "a"), "Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}}]}},
        [({"P": "other"}, "no")],
    ),
    "impossible": ({"R": {"Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}}]}}, []),
    "impossible-together": (
        {"R": {"Assertions": [{"Assert": equals("P", "a")}]}, "S": {"Assertions": [{"Assert": equals("P", "b")}]}},
        [],
    ),
    "other-parameter": (
        {"R": {"Assertions": [{"Assert": equals("Q", "x")}]}},
        [({"P": "a"}, "yes"), ({"P": "other"}, "no")],
    ),
    "no-assertions": ({"R": {}}, [({"P": "a"}, "yes"), ({"P": "other"}, "no")]),
    "misshapen": ({"R": "x", "S": {"Assertions": "x"}, "T": {"Assertions": ["x", {}]}}, [
        ({"P": "a"}, "yes"), ({"P": "other"}, "no"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), RULES.values(), ids=RULES.keys())
def test_rules(rules: dict[str, Any], expected: list[tuple[dict[str, str], str]]) -> None:
    assert probed(ASKED, Parameters={"P": STRING, "Q": STRING}, Rules=rules) == expected


def test_rules_that_tie_parameters_together() -> None:
    rule = {"RuleCondition": equals("P", "a"), "Assertions": [{"Assert": equals("Q", "x")}]}
    value = {"Fn::Sub": ["${A}${B}", {"A": ASKED, "B": {"Fn::If": [equals("Q", "x"), "X", "O"]}}]}
    found = probed(value, Parameters={"P": STRING, "Q": STRING}, Rules={"R": rule})
    assert sorted(answer for _, answer in found) == ["noO", "noX", "yesX"]


# --- references to what is not made -------------------------------------------------------------------------------

MADE = {"Parameters": {"P": STRING}, "Conditions": {"A": equals("P", "a"), "B": equals("P", "b")}}
BOTH = [({"P": "a"}, "yes"), ({"P": "other"}, "no")]
ONLY = [({"P": "a"}, "yes")]
BUCKET: dict[str, Any] = {"Type": "AWS::S3::Bucket", "Condition": "A"}


def holder(value: Any, **body: Any) -> dict[str, Any]:
    return {"Type": "Custom::Holder", "Properties": {"V": value}, **body}


HAZARDS: dict[str, tuple[Any, dict[str, Any], list[tuple[dict[str, str], str]]]] = {
    "no-reference": (holder("x"), {}, BOTH),
    "ref": (holder({"Ref": "Bucket"}), {}, ONLY),
    "getatt": (holder({"Fn::GetAtt": ["Bucket", "Arn"]}), {}, ONLY),
    "getatt-dotted": (holder({"Fn::GetAtt": "Bucket.Arn"}), {}, ONLY),
    "sub": (holder({"Fn::Sub": "${Bucket}"}), {}, ONLY),
    "sub-attribute": (holder({"Fn::Sub": "x${Bucket.Arn}"}), {}, ONLY),
    "sub-literal": (holder({"Fn::Sub": "${!Bucket}"}), {}, BOTH),
    "sub-shadowed": (holder({"Fn::Sub": ["${Bucket}", {"Bucket": "x"}]}), {}, BOTH),
    "sub-map": (holder({"Fn::Sub": ["${X}", {"X": {"Ref": "Bucket"}}]}), {}, ONLY),
    "deep": (holder([{"a": {"Fn::Join": ["", [{"Ref": "Bucket"}]]}}]), {}, ONLY),
    "guarded": (holder({"Fn::If": ["A", {"Ref": "Bucket"}, "x"]}), {}, BOTH),
    "guarded-around": (holder({"Fn::If": ["A", [{"Ref": "Bucket"}], []]}), {}, BOTH),
    "guarded-wrongly": (holder({"Fn::If": ["A", "x", {"Ref": "Bucket"}]}), {}, ONLY),
    "guarded-by-another": (holder({"Fn::If": ["B", {"Ref": "Bucket"}, "x"]}), {}, BOTH),
    "same-condition": (holder({"Ref": "Bucket"}, Condition="A"), {}, BOTH),
    "other-condition": (holder({"Ref": "Bucket"}, Condition="B"), {}, BOTH),
    "depends-on-is-no-reference": (holder("x", DependsOn="Bucket"), {}, BOTH),
    "output": (holder("x"), {"O": {"Value": {"Ref": "Bucket"}}}, ONLY),
    "output-guarded": (holder("x"), {"O": {"Value": {"Fn::If": ["A", {"Ref": "Bucket"}, "x"]}}}, BOTH),
    "output-conditional": (holder("x"), {"O": {"Condition": "A", "Value": {"Ref": "Bucket"}}}, BOTH),
    "output-misshapen": (holder("x"), {"O": "x", "Q": [{"Ref": "Bucket"}]}, ONLY),
}


@pytest.mark.parametrize(("body", "outputs", "expected"), HAZARDS.values(), ids=HAZARDS.keys())
def test_references_to_conditional_resources(
    body: Any, outputs: dict[str, Any], expected: list[tuple[dict[str, str], str]]
) -> None:
    found = probed(ASKED, **MADE, Resources={"Bucket": BUCKET, "Holder": body}, Outputs=outputs)
    assert found == expected


def test_a_hazard_of_another_branch_is_seen_where_it_matters() -> None:
    value = {"Fn::If": [equals("P", "b"), "b", ASKED]}
    body = holder({"Fn::If": ["B", {"Ref": "Bucket"}, "x"]})
    found = probed(value, **MADE, Resources={"Bucket": BUCKET, "Holder": body})
    assert found == [({"P": "a"}, "yes"), ({"P": "other"}, "no")]


# --- exploring ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_too_many_scenarios() -> None:
    names = [f"P{number}" for number in range(14)]
    value = {"Fn::Join": ["", [{"Fn::If": [equals(name, "a"), "1", "0"]} for name in names]]}
    scenarios = Scenarios(model_of(with_probe(value, Parameters=dict.fromkeys(names, STRING))))
    resource = scenarios.model.template.resources["Probe"]
    with pytest.raises(TooManyScenarios):
        scenarios.explore(lambda scenario: scenario.value_of(resource, "V"))
    assert MAX_LEAVES < 2**14


def test_unbuildable_scenarios_have_no_answer() -> None:
    def question(_: object) -> None:
        raise Unbuildable("nowhere")

    assert Scenarios(model_of(with_probe("x"))).explore(question) == []


def test_references_and_their_guards() -> None:
    text = """
[!Ref A, !Sub '${B}-${C.Arn}-${!D}', !GetAtt E.F.G, !GetAtt [H, I], !If [X, !Ref J, !If [Y, k, !Ref L]],
 !Sub ['${M}${N}', {M: !Ref O}], {a: {b: !Ref P}}, !If [Z, !Ref Q], !Join ['', [!Ref R]], !Sub '${S'],
"""
    found = set(references(parse(text.strip().rstrip(",").encode()).root))
    plain = {(name, ()) for name in "ABCEHNOPQR"}
    assert found == {*plain, ("J", (("X", True),)), ("L", (("X", False), ("Y", False)))}


def test_condition_names() -> None:
    node = parse(b"!And [!Condition A, {Condition: B}, !Not [!Or [Condition: C, !Equals [D, e]]]]").root
    assert sorted(condition_names(node)) == ["A", "B", "C"]


def test_parameters_of_conditions() -> None:
    conditions = {
        "A": equals("P", "a"),
        "B": {"Fn::And": [{"Condition": "A"}, equals("Q", "b")]},
        "C": {"Condition": "D"},
        "D": {"Fn::Or": [{"Condition": "C"}, equals("R", "x")]},
    }
    dependencies = Dependencies(model_of(with_probe("x", Conditions=conditions)))
    assert dependencies.of_condition("B") == {"P", "Q"}
    assert dependencies.of_condition("C") == {"R"}
    assert dependencies.of_condition("D") == {"R"}
    assert dependencies.of_condition("Nobody") == {"?condition Nobody"}


# --- templates that are made to break it, through the whole tool --------------------------------------------------

RULEBOOK = load(Settings())
MULTI_REGION = load(Settings(select=("TG101",)))


def judge(template: str | dict[str, Any], rulebook: Any = RULEBOOK, **settings: Any) -> FileResult:
    data = template if isinstance(template, str) else json.dumps(template)
    result = judge_file("t.yaml", data.encode(), Task(Settings(**settings), rulebook))
    assert not [error for error in result.errors if "internal error" in error.message], result.errors
    return result


def verdicts(template: str | dict[str, Any], **settings: Any) -> list[str]:
    result = judge(template, MULTI_REGION, **settings)
    return [finding.verdict for finding in result.findings]


def trail(**properties: Any) -> dict[str, Any]:
    usual = {"S3BucketName": "logs", "IsLogging": True, "IsMultiRegionTrail": True}
    return {"Type": "AWS::CloudTrail::Trail", "Properties": {**usual, **properties}}


def nested(levels: int, make: Any, inner: Any) -> Any:
    for _ in range(levels):
        inner = make(inner)
    return inner


DEEP: dict[str, Any] = {
    "join": lambda inner: {"Fn::Join": ["", [inner]]},
    "sub": lambda inner: {"Fn::Sub": ["${A}", {"A": inner}]},
    "if": lambda inner: {"Fn::If": ["Yes", inner, "x"]},
    "select": lambda inner: {"Fn::Select": [0, [inner]]},
    "map": lambda inner: {"a": inner},
    "list": lambda inner: [inner],
    "ref": lambda inner: {"Ref": inner},
    "json": lambda inner: {"Fn::ToJsonString": inner},
}


@pytest.mark.parametrize("levels", [5, 20, 40, 100])
@pytest.mark.parametrize("make", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting(make: Any, levels: int) -> None:
    conditions = {"Yes": nested(levels, lambda inner: {"Fn::Not": [inner]}, {"Fn::Equals": ["a", "a"]})}
    name = nested(levels, make, "logs")
    policy = nested(levels, make, "x")
    resources = {
        "Trail": trail(S3BucketName=name, IsMultiRegionTrail={"Fn::If": ["Yes", True, False]}),
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": name, "PolicyDocument": policy}},
    }
    judge({"Conditions": conditions, "Resources": resources})


@pytest.mark.parametrize("size", [10, 100, 500, 2000])
def test_long_chains_of_references(size: int) -> None:
    resources: dict[str, Any] = {
        f"B{number}": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": f"${{B{number + 1}}}-x"}}}
        for number in range(size)
    }
    resources[f"B{size}"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "last"}}
    resources["Trail"] = trail(S3BucketName={"Ref": "B0"})
    result = judge({"Resources": resources})
    if size <= 10:
        assert result.findings
        assert not result.errors
    else:
        assert result.findings or result.errors


@pytest.mark.parametrize("size", [1, 2, 10, 500])
def test_circular_references(size: int) -> None:
    resources: dict[str, Any] = {
        f"B{number}": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": f"B{(number + 1) % size}"}}}
        for number in range(size)
    }
    resources["Trail"] = trail(S3BucketName={"Ref": "B0"})
    judge({"Resources": resources})


def test_a_long_chain_of_conditions() -> None:
    conditions: dict[str, Any] = {f"C{number}": {"Condition": f"C{number + 1}"} for number in range(2000)}
    conditions["C2000"] = equals("P", "a")
    resources = {"Trail": {**trail(), "Condition": "C0"}}
    judge({"Parameters": {"P": STRING}, "Conditions": conditions, "Resources": resources})


def test_two_hundred_conditions() -> None:
    parameters = {f"P{number}": {"Type": "String", "AllowedValues": ["a", "b"]} for number in range(200)}
    conditions = {f"C{number}": equals(f"P{number}", "a") for number in range(200)}
    resources: dict[str, Any] = {"Trail": trail(IsMultiRegionTrail={"Fn::If": ["C0", True, False]})}
    for number in range(200):
        resources[f"R{number}"] = {"Type": "AWS::SNS::Topic", "Condition": f"C{number}"}
        resources[f"S{number}"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": f"R{number}"}}}
    judge({"Parameters": parameters, "Conditions": conditions, "Resources": resources})


def test_ten_conditions_over_eight_parameters() -> None:
    parameters = {f"P{number}": {"Type": "String", "Default": "a"} for number in range(8)}
    conditions: dict[str, Any] = {f"C{number}": equals(f"P{number}", "a") for number in range(8)}
    conditions["C8"] = {"Fn::And": [{"Condition": f"C{number}"} for number in range(4)]}
    conditions["C9"] = {"Fn::Or": [{"Condition": f"C{number}"} for number in range(4, 8)]}
    value: Any = True
    for number in range(10):
        value = {"Fn::If": [f"C{number}", value, {"Fn::If": [f"C{9 - number}", True, False]}]}
    properties = {
        "IsMultiRegionTrail": value,
        "IncludeGlobalServiceEvents": value,
        "EnableLogFileValidation": value,
        "S3BucketName": {"Fn::Join": ["-", [{"Fn::If": [f"C{number}", "a", "b"]} for number in range(8)]]},
    }
    template = {"Parameters": parameters, "Conditions": conditions, "Resources": {"Trail": trail(**properties)}}
    result = judge(template)
    assert {finding.verdict for finding in result.findings if finding.rule.id == "TG101"} == {CONDITIONAL}


@pytest.mark.slow
def test_more_combinations_than_can_be_tried() -> None:
    parameters = {f"P{number}": STRING for number in range(16)}
    parts = [{"Fn::If": [equals(name, "a"), "t", "f"]} for name in parameters]
    value = {"Fn::If": [{"Fn::Equals": [{"Fn::Join": ["", parts]}, "t" * 16]}, True, False]}
    (found,) = verdicts({"Parameters": parameters, "Resources": {"Trail": trail(IsMultiRegionTrail=value)}})
    assert found in (UNKNOWN, CONDITIONAL)


@pytest.mark.parametrize("count", [1000, 4000, 20000])
def test_huge_allowed_values(count: int) -> None:
    allowed = [f"v{number}" for number in range(count)]
    template = {
        "Parameters": {"P": {"Type": "String", "AllowedValues": allowed, "Default": "v1"}},
        "Resources": {"Trail": trail(IsMultiRegionTrail={"Fn::If": [equals("P", "v1"), True, False]})},
    }
    result = judge(template)
    (found,) = [finding for finding in result.findings if finding.rule.id == "TG101"]
    assert (found.verdict, found.witness) == (CONDITIONAL, {"P": "v0"})


@pytest.mark.slow
def test_huge_allowed_values_of_a_name() -> None:
    allowed = [f"v{number}" for number in range(3000)]
    template = {
        "Parameters": {"P": {"Type": "CommaDelimitedList", "AllowedValues": allowed}},
        "Resources": {"Trail": trail(S3BucketName={"Fn::Select": [0, {"Ref": "P"}]})},
    }
    judge(template)


def test_hostile_patterns() -> None:
    patterns = ["(a+)+$", "^a*a*a*a*a*a*a*a*b$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"]
    parameters = {
        f"P{number}": {"Type": "String", "AllowedPattern": pattern, "Default": "a" * 4000}
        for number, pattern in enumerate(patterns)
    }
    value: Any = True
    for name in parameters:
        value = {"Fn::If": [equals(name, "a" * 3000), value, True]}
    judge({"Parameters": parameters, "Resources": {"Trail": trail(IsMultiRegionTrail=value)}})


MISSHAPEN: dict[str, str] = {
    "null-parameter": "Parameters: {P: }\n",
    "null-parameters": "Parameters:\n",
    "list-parameters": "Parameters: [P]\n",
    "list-default": "Parameters: {P: {Type: CommaDelimitedList, Default: [a, b]}}\n",
    "map-default": "Parameters: {P: {Type: String, Default: {a: b}}}\n",
    "null-default": "Parameters: {P: {Type: String, Default: }}\n",
    "function-default": "Parameters: {P: {Type: String, Default: !Ref Q}}\n",
    "number-keys": "Parameters: {1: {Type: String}, P: {Type: String}}\n",
    "boolean-key": "Parameters: {true: {Type: String}, P: {Type: String}}\n",
    "null-key": "Parameters: {~: {Type: String}, P: {Type: String}}\n",
    "huge-bounds": "Parameters: {P: {Type: Number, MinValue: 1e999, MaxValue: -1e999, MinLength: 1e400}}\n",
    "huge-length": "Parameters: {P: {Type: String, MinLength: 100000000000000}}\n",
    "nan": "Parameters: {P: {Type: Number, MinValue: nan, MaxLength: nan}}\n",
    "list-type": "Parameters: {P: {Type: [String]}}\n",
    "list-pattern": "Parameters: {P: {Type: String, AllowedPattern: [a]}}\n",
    "null-condition": "Parameters: {P: {Type: String}}\nConditions: {C: }\n",
    "list-condition": "Parameters: {P: {Type: String}}\nConditions: {C: [a]}\n",
    "no-argument-condition": "Parameters: {P: {Type: String}}\nConditions: {C: !Equals }\n",
    "null-mapping": "Parameters: {P: {Type: String}}\nMappings: {M: }\n",
    "text-rules": "Parameters: {P: {Type: String}}\nRules: {R: x, S: {Assertions: [{Assert: x}]}}\n",
    "text-outputs": "Parameters: {P: {Type: String}}\nOutputs: {O: x, Q: }\n",
    "null-transform": "Parameters: {P: {Type: String}}\nTransform:\n",
}


@pytest.mark.parametrize("text", MISSHAPEN.values(), ids=MISSHAPEN.keys())
@pytest.mark.parametrize(
    "value", ["!Ref P", "!If [C, true, false]", "!FindInMap [M, !Ref P, x]", "!Select [0, !Split [',', !Ref P]]"]
)
def test_misshapen_sections(text: str, value: str) -> None:
    resources = f"""Resources:
  1: {{Type: AWS::S3::Bucket}}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {{S3BucketName: {value}, IsLogging: {value}, IsMultiRegionTrail: {value}, 5: x, ~: y}}
"""
    result = judge(text + resources)
    assert result.findings


def test_verdicts_of_a_trail_that_hinges_on_a_list() -> None:
    second = {"Fn::If": [{"Fn::Equals": [{"Fn::Select": [1, {"Ref": "P"}]}, "x"]}, True, False]}
    template = {
        "Parameters": {"P": {"Type": "CommaDelimitedList"}},
        "Resources": {"Trail": trail(IsMultiRegionTrail=second)},
    }
    assert verdicts(template) == [CONDITIONAL]
    assert verdicts(template, parameters={"P": "a,x"}) == [PASS]
    assert verdicts(template, parameters={"P": "a,b"}) == [FAIL]
    assert read(template).parameters["P"].is_list
