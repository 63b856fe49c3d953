"""What each intrinsic function gives in one scenario, in all the shapes in which it is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloudformation.resolving import ABSENT, explored, plain, probe, resolve, unknown
from tests.cloudformation.resolving import model_of as model
from trailguard.cloudformation.scenarios.filledin import make_text
from trailguard.cloudformation.scenarios.intrinsics import FUNCTIONS, Unbuildable
from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.scenarios.reasons import INSTEAD
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, Symbol, show
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import TextNode
from trailguard.cloudformation.source.tags import SHORT_FORMS

SECTIONS: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String"},
        "Count": {"Type": "Number", "Default": 7},
        "Set": {"Type": "String", "AllowedValues": ["only"]},
        "Empty": {"Type": "String", "Default": ""},
    },
    "Mappings": {"M": {"a": {"x": "1", "list": ["p", "q"]}, "us-east-1": {"x": "here"}, "Map": {"v": {"deep": 1}}}},
    "Conditions": {
        "Never": {"Fn::Equals": ["a", "b"]},
        "Always": {"Fn::Equals": ["a", "a"]},
    },
    "Resources": {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "my-logs"}},
        "Generated": {"Type": "AWS::S3::Bucket"},
        "Off": {"Type": "AWS::S3::Bucket", "Condition": "Never"},
        "On": {"Type": "AWS::S3::Bucket", "Condition": "Always"},
        "Fancy": {"Type": "Custom::Fancy"},
    },
}
PINS = Pins({"Name": "given"}, region="us-east-1", account_id="111122223333")


def refused(name: str, why: str) -> tuple[str, str]:
    return unknown(f"CloudFormation refuses {name} on line 1: {why}")


def undefined(name: str) -> tuple[str, str]:
    return unknown(f"the template does not define {name}")


def at_deployment(name: str, line: int = 1) -> tuple[str, str]:
    return unknown(f"{name} on line {line} is computed at deployment; {INSTEAD}")


LIST = ["a", "b", "c"]
CASES: dict[str, tuple[Any, Any]] = {
    # Ref
    "ref-parameter": ({"Ref": "Name"}, "given"),
    "ref-number-is-text": ({"Ref": "Count"}, "${Count}"),
    "ref-empty-default": ({"Ref": "Empty"}, "${Empty}"),
    "ref-region": ({"Ref": "AWS::Region"}, "us-east-1"),
    "ref-account": ({"Ref": "AWS::AccountId"}, "111122223333"),
    "ref-partition": ({"Ref": "AWS::Partition"}, "aws"),
    "ref-url-suffix": ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    "ref-stack-name": ({"Ref": "AWS::StackName"}, "${AWS::StackName}"),
    "ref-stack-id": ({"Ref": "AWS::StackId"}, "${AWS::StackId}"),
    "ref-no-value": ({"Ref": "AWS::NoValue"}, ABSENT),
    "ref-notification-arns": (
        {"Ref": "AWS::NotificationARNs"},
        unknown("the stack's notification topics are chosen at deployment"),
    ),
    "ref-made-up-pseudo": ({"Ref": "AWS::Reign"}, undefined("pseudo parameter AWS::Reign; did you mean AWS::Region?")),
    "ref-undefined": ({"Ref": "Nobody"}, undefined("Nobody")),
    "ref-empty": ({"Ref": ""}, undefined('""')),
    "ref-named-resource": ({"Ref": "Logs"}, "my-logs"),
    "ref-generated-resource": ({"Ref": "Generated"}, "${Generated}"),
    "ref-active-resource": ({"Ref": "On"}, "${On}"),
    "ref-unknown-type": (
        {"Ref": "Fancy"},
        unknown(f"what Ref of Fancy gives is made at deployment (Custom::Fancy); {INSTEAD}"),
    ),
    "ref-function": (
        {"Ref": {"Fn::Sub": "Na${Empty}me"}},
        refused(
            "Ref", "it takes the name of a parameter or a resource, not text that is not known here (Na${Empty}me)"
        ),
    ),
    "ref-function-literal": ({"Ref": {"Fn::Join": ["", ["Na", "me"]]}}, "given"),
    "ref-list": ({"Ref": ["Name"]}, refused("Ref", "it takes the name of a parameter or a resource, not a list")),
    "ref-map": ({"Ref": {}}, refused("Ref", "it takes the name of a parameter or a resource, not a map")),
    "ref-null": ({"Ref": None}, refused("Ref", "it takes the name of a parameter or a resource, not null")),
    # GetAtt
    "getatt-list": ({"Fn::GetAtt": ["Logs", "Arn"]}, "arn:aws:s3:::my-logs"),
    "getatt-dotted": ({"Fn::GetAtt": "Logs.Arn"}, "arn:aws:s3:::my-logs"),
    "getatt-generated": ({"Fn::GetAtt": "Generated.Arn"}, "arn:aws:s3:::${Generated}"),
    "getatt-first-dot-only": (
        {"Fn::GetAtt": "Fancy.Outputs.Bucket.Arn"},
        unknown(f"the attribute Outputs.Bucket.Arn of Fancy is made at deployment (Custom::Fancy); {INSTEAD}"),
    ),
    "getatt-unknown-attribute": (
        {"Fn::GetAtt": ["Logs", "Colour"]},
        unknown(
            "the attribute Colour of Logs is not among those of AWS::S3::Bucket that are known here "
            f"(Arn, DomainName, DualStackDomainName, RegionalDomainName, WebsiteURL); correct its name, or {INSTEAD}"
        ),
    ),
    "getatt-undefined": ({"Fn::GetAtt": ["Nobody", "Arn"]}, undefined("Nobody")),
    "getatt-parameter": (
        {"Fn::GetAtt": ["Name", "Arn"]},
        refused("Fn::GetAtt", "Name is a parameter, and only resources have attributes"),
    ),
    "getatt-no-dot": (
        {"Fn::GetAtt": "Logs"},
        refused("Fn::GetAtt", "it names no attribute of Logs; it takes RESOURCE.ATTRIBUTE, or both in a list"),
    ),
    "getatt-attribute-function": ({"Fn::GetAtt": ["Logs", {"Fn::Join": ["", ["A", "rn"]]}]}, "arn:aws:s3:::my-logs"),
    "getatt-one": (
        {"Fn::GetAtt": ["Logs"]},
        refused("Fn::GetAtt", "it takes a list of 2 (the name of a resource and its attribute), not a list of 1"),
    ),
    "getatt-three": (
        {"Fn::GetAtt": ["Logs", "A", "B"]},
        refused("Fn::GetAtt", "it takes a list of 2 (the name of a resource and its attribute), not a list of 3"),
    ),
    "getatt-empty": (
        {"Fn::GetAtt": []},
        refused("Fn::GetAtt", "it takes a list of 2 (the name of a resource and its attribute), not a list of 0"),
    ),
    "getatt-map": (
        {"Fn::GetAtt": {}},
        refused("Fn::GetAtt", "it takes a list of 2 (the name of a resource and its attribute), not a map"),
    ),
    # Sub
    "sub-plain": ({"Fn::Sub": "nothing"}, "nothing"),
    "sub-empty": ({"Fn::Sub": ""}, ""),
    "sub-parameter": ({"Fn::Sub": "a-${Name}-b"}, "a-given-b"),
    "sub-adjacent": ({"Fn::Sub": "${Name}${Name}"}, "givengiven"),
    "sub-pseudo": ({"Fn::Sub": "arn:${AWS::Partition}:s3:::x"}, "arn:aws:s3:::x"),
    "sub-spaces": ({"Fn::Sub": "${ Name }"}, "given"),
    "sub-attribute": ({"Fn::Sub": "${Logs.Arn}/*"}, "arn:aws:s3:::my-logs/*"),
    "sub-resource": ({"Fn::Sub": "${Logs}/x"}, "my-logs/x"),
    "sub-literal": ({"Fn::Sub": "${!Name}"}, "${Name}"),
    "sub-literal-mixed": ({"Fn::Sub": "${!aws:username}/${Name}"}, "${aws:username}/given"),
    "sub-undefined": ({"Fn::Sub": "x${Nobody}"}, "x${Nobody}"),
    "sub-undefined-attribute": ({"Fn::Sub": "x${Nobody.Arn}"}, "x${Nobody.Arn}"),
    "sub-map": ({"Fn::Sub": ["${A}-${Name}", {"A": "one"}]}, "one-given"),
    "sub-map-shadows-parameter": ({"Fn::Sub": ["${Name}", {"Name": "shadow"}]}, "shadow"),
    "sub-map-shadows-attribute": ({"Fn::Sub": ["${Logs.Arn}", {"Logs.Arn": "shadow"}]}, "shadow"),
    "sub-map-function": ({"Fn::Sub": ["${A}", {"A": {"Fn::GetAtt": "Logs.Arn"}}]}, "arn:aws:s3:::my-logs"),
    "sub-map-boolean": ({"Fn::Sub": ["${A}", {"A": True}]}, "true"),
    "sub-map-unused": ({"Fn::Sub": ["x", {"A": {"Ref": "Nobody"}}]}, "x"),
    "sub-map-list": (
        {"Fn::Sub": ["${A}", {"A": LIST}]},
        refused("Fn::Sub", "${A} stands for a list, where text is expected"),
    ),
    "sub-map-map": (
        {"Fn::Sub": ["${A}", {"A": {"x": "y"}}]},
        refused("Fn::Sub", "${A} stands for a map, where text is expected"),
    ),
    "sub-no-value": (
        {"Fn::Sub": "${AWS::NoValue}"},
        refused("Fn::Sub", "${AWS::NoValue} stands for nothing (AWS::NoValue), where text is expected"),
    ),
    "sub-unclosed": ({"Fn::Sub": "a${Name"}, "a${Name"),
    "sub-empty-placeholder": ({"Fn::Sub": "${}"}, refused("Fn::Sub", "its text has a ${} without a name")),
    "sub-number": ({"Fn::Sub": 5}, "5"),
    "sub-one-item": (
        {"Fn::Sub": ["x"]},
        refused("Fn::Sub", "it takes a list of 2 (a text and a map of its variables), not a list of 1"),
    ),
    "sub-three-items": (
        {"Fn::Sub": ["x", {}, {}]},
        refused("Fn::Sub", "it takes a list of 2 (a text and a map of its variables), not a list of 3"),
    ),
    "sub-map-alone": ({"Fn::Sub": {"A": "b"}}, refused("Fn::Sub", "its text must be written out, and this is a map")),
    "sub-nested-template": (
        {"Fn::Sub": [{"Fn::Sub": "x"}, {}]},
        refused("Fn::Sub", "its text must be written out, and this is a map"),
    ),
    "sub-map-not-a-map": (
        {"Fn::Sub": ["${Name}", "x"]},
        refused("Fn::Sub", "the second item of its list must be a map of variables, not text"),
    ),
    # Join
    "join": ({"Fn::Join": ["-", LIST]}, "a-b-c"),
    "join-empty-delimiter": ({"Fn::Join": ["", LIST]}, "abc"),
    "join-nothing": ({"Fn::Join": ["-", []]}, ""),
    "join-empty-items": ({"Fn::Join": [",", ["", "", ""]]}, ",,"),
    "join-one": ({"Fn::Join": ["-", ["a"]]}, "a"),
    "join-symbols": ({"Fn::Join": [":", ["arn", {"Ref": "Generated"}]]}, "arn:${Generated}"),
    "join-no-value": ({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a-b"),
    "join-split": ({"Fn::Join": ["-", {"Fn::Split": [",", "a,b"]}]}, "a-b"),
    "join-numbers": ({"Fn::Join": [".", [1, 2]]}, "1.2"),
    "join-undefined-list": ({"Fn::Join": ["-", {"Ref": "Nobody"}]}, undefined("Nobody")),
    "join-undefined-item": ({"Fn::Join": ["-", ["a", {"Ref": "Nobody"}]]}, "a-${Nobody}"),
    "join-text": ({"Fn::Join": ["-", "abc"]}, refused("Fn::Join", 'it joins the items of a list, and this is "abc"')),
    "join-nested-list": (
        {"Fn::Join": ["-", ["a", ["b"]]]},
        refused("Fn::Join", "item 2 of its list is a list, where text is expected"),
    ),
    "join-list-delimiter": ({"Fn::Join": [["-"], LIST]}, refused("Fn::Join", "its delimiter must be text, not a list")),
    "join-one-argument": (
        {"Fn::Join": ["-"]},
        refused("Fn::Join", "it takes a list of 2 (a delimiter and a list of texts), not a list of 1"),
    ),
    "join-three-arguments": (
        {"Fn::Join": ["-", LIST, LIST]},
        refused("Fn::Join", "it takes a list of 2 (a delimiter and a list of texts), not a list of 3"),
    ),
    "join-scalar": (
        {"Fn::Join": "x"},
        refused("Fn::Join", "it takes a list of 2 (a delimiter and a list of texts), not text"),
    ),
    # Split
    "split": ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
    "split-keeps-empties": ({"Fn::Split": ["|", "a||c|"]}, ["a", "", "c", ""]),
    "split-no-hit": ({"Fn::Split": [",", "abc"]}, ["abc"]),
    "split-empty-text": ({"Fn::Split": [",", ""]}, [""]),
    "split-long-delimiter": ({"Fn::Split": ["::", "a::b:c"]}, ["a", "b:c"]),
    "split-arn": ({"Fn::Split": [":", {"Fn::Sub": "arn:${AWS::Partition}:s3"}]}, ["arn", "aws", "s3"]),
    "split-on-generated": (
        {"Fn::Split": [":", {"Fn::GetAtt": "Generated.Arn"}]},
        ["arn", "aws", "s3", "", "", "${Generated}"],
    ),
    "split-unknown": ({"Fn::Split": [",", {"Ref": "Nobody"}]}, undefined("Nobody")),
    "split-empty-delimiter": ({"Fn::Split": ["", "abc"]}, refused("Fn::Split", "its delimiter is empty")),
    "split-open-delimiter": (
        {"Fn::Split": [{"Ref": "Generated"}, "abc"]},
        refused("Fn::Split", "its delimiter must be written out"),
    ),
    "split-list": ({"Fn::Split": [",", LIST]}, refused("Fn::Split", "what it splits must be text, not a list")),
    "split-one-argument": (
        {"Fn::Split": [","]},
        refused("Fn::Split", "it takes a list of 2 (a delimiter and a text), not a list of 1"),
    ),
    # Select
    "select": ({"Fn::Select": [1, LIST]}, "b"),
    "select-text-index": ({"Fn::Select": ["2", LIST]}, "c"),
    "select-of-split": ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}, "b"),
    "select-index-function": ({"Fn::Select": [{"Fn::Join": ["", ["1"]]}, LIST]}, "b"),
    "select-unknown-list": ({"Fn::Select": [0, {"Ref": "Nobody"}]}, undefined("Nobody")),
    "select-unknown-index": (
        {"Fn::Select": [{"Ref": "Nobody"}, LIST]},
        unknown("which item Fn::Select on line 1 takes is not known: the template does not define Nobody"),
    ),
    "select-azs": ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, at_deployment("Fn::GetAZs")),
    "select-map-item": ({"Fn::Select": [0, [{"a": "b"}]]}, {"a": "b"}),
    "select-text": ({"Fn::Select": [0, "abc"]}, refused("Fn::Select", 'it selects from a list, and this is "abc"')),
    "select-beyond": (
        {"Fn::Select": [3, LIST]},
        refused("Fn::Select", "it asks for item 3 of a list of 3, counted from 0"),
    ),
    "select-empty": (
        {"Fn::Select": [0, []]},
        refused("Fn::Select", "it asks for item 0 of a list of 0, counted from 0"),
    ),
    "select-beyond-split": (
        {"Fn::Select": [2, {"Fn::Split": [",", "a,b"]}]},
        refused("Fn::Select", "it asks for item 2 of a list of 2, counted from 0"),
    ),
    "select-negative": (
        {"Fn::Select": ["-1", LIST]},
        refused("Fn::Select", 'its index "-1" is not a number from 0'),
    ),
    "select-word": (
        {"Fn::Select": ["first", LIST]},
        refused("Fn::Select", 'its index "first" is not a number from 0'),
    ),
    "select-one-argument": (
        {"Fn::Select": [0]},
        refused("Fn::Select", "it takes a list of 2 (an index and a list), not a list of 1"),
    ),
    "select-list-index": ({"Fn::Select": [[0], LIST]}, refused("Fn::Select", "its index must be text, not a list")),
    # If
    "if-yes": ({"Fn::If": ["Always", "yes", "no"]}, "yes"),
    "if-no": ({"Fn::If": ["Never", "yes", "no"]}, "no"),
    "if-no-value": ({"Fn::If": ["Never", "yes", {"Ref": "AWS::NoValue"}]}, ABSENT),
    "if-no-value-in-list": (["a", {"Fn::If": ["Never", "b", {"Ref": "AWS::NoValue"}]}, "c"], ["a", "c"]),
    "if-no-value-in-map": ({"a": "1", "b": {"Fn::If": ["Never", "b", {"Ref": "AWS::NoValue"}]}}, {"a": "1"}),
    "if-nested": ({"Fn::If": ["Always", {"Fn::If": ["Never", 1, 2]}, 3]}, "2"),
    "if-inline-condition": ({"Fn::If": [{"Fn::Equals": ["a", "a"]}, "yes", "no"]}, "yes"),
    "if-condition-reference": ({"Fn::If": [{"Condition": "Always"}, "yes", "no"]}, "yes"),
    "if-other-branch-inactive": ({"Fn::If": ["Never", {"Ref": "Off"}, "no"]}, "no"),
    "if-two-arguments": (
        {"Fn::If": ["Always", "yes"]},
        refused("Fn::If", "it takes a list of 3 (a condition, a value if it holds and another one), not a list of 2"),
    ),
    "if-four-arguments": (
        {"Fn::If": ["Always", 1, 2, 3]},
        refused("Fn::If", "it takes a list of 3 (a condition, a value if it holds and another one), not a list of 4"),
    ),
    "if-scalar": (
        {"Fn::If": "Always"},
        refused("Fn::If", "it takes a list of 3 (a condition, a value if it holds and another one), not text"),
    ),
    # FindInMap
    "map": ({"Fn::FindInMap": ["M", "a", "x"]}, "1"),
    "map-list": ({"Fn::FindInMap": ["M", "a", "list"]}, ["p", "q"]),
    "map-region": ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "x"]}, "here"),
    "map-nested": ({"Fn::FindInMap": ["M", {"Fn::FindInMap": ["M", "a", "x"]}, "x"]}, Unbuildable),
    "map-joined": ({"Fn::FindInMap": [{"Fn::Join": ["", ["M"]]}, "a", "x"]}, "1"),
    "map-missing-map": ({"Fn::FindInMap": ["N", "a", "x"]}, undefined("mapping N")),
    "map-missing-first": ({"Fn::FindInMap": ["M", "b", "x"]}, refused("Fn::FindInMap", "mapping M has no b")),
    "map-missing-second": ({"Fn::FindInMap": ["M", "a", "y"]}, refused("Fn::FindInMap", "mapping M.a has no y")),
    "map-missing-pseudo": ({"Fn::FindInMap": ["M", {"Ref": "AWS::AccountId"}, "x"]}, Unbuildable),
    "map-default": ({"Fn::FindInMap": ["M", "b", "x", {"DefaultValue": "d"}]}, "d"),
    "map-default-unused": ({"Fn::FindInMap": ["M", "a", "x", {"DefaultValue": "d"}]}, "1"),
    "map-default-list": ({"Fn::FindInMap": ["M", "b", "x", {"DefaultValue": LIST}]}, LIST),
    "map-default-no-map": ({"Fn::FindInMap": ["N", "b", "x", {"DefaultValue": "d"}]}, undefined("mapping N")),
    "map-two-arguments": (
        {"Fn::FindInMap": ["M", "a"]},
        refused("Fn::FindInMap", "it takes a list of 3 or 4 (a mapping and two keys), not a list of 2"),
    ),
    "map-scalar": (
        {"Fn::FindInMap": "M"},
        refused("Fn::FindInMap", "it takes a list of 3 or 4 (a mapping and two keys), not text"),
    ),
    # the rest
    "import": (
        {"Fn::ImportValue": "LogBucket"},
        unknown('no scanned template exports "LogBucket"; scan the template that does together with this one'),
    ),
    "import-sub": (
        {"Fn::ImportValue": {"Fn::Sub": "${Name}-x"}},
        unknown('no scanned template exports "given-x"; scan the template that does together with this one'),
    ),
    "import-list": (
        {"Fn::ImportValue": LIST},
        refused("Fn::ImportValue", "the name that it imports must be text, not a list"),
    ),
    "to-json-map": ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, {"a": "given"}),
    "to-json-list": ({"Fn::ToJsonString": ["a", {"Ref": "AWS::NoValue"}]}, ["a"]),
    "length": ({"Fn::Length": LIST}, "3"),
    "length-empty": ({"Fn::Length": []}, "0"),
    "length-split": ({"Fn::Length": {"Fn::Split": [",", "a,b,"]}}, "3"),
    "length-unknown": ({"Fn::Length": {"Ref": "Nobody"}}, undefined("Nobody")),
    "length-text": ({"Fn::Length": "abc"}, refused("Fn::Length", 'it takes a list, not "abc"')),
    "base64": ({"Fn::Base64": "x"}, at_deployment("Fn::Base64")),
    "cidr": ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, at_deployment("Fn::Cidr")),
    "cidr-one-argument": (
        {"Fn::Cidr": ["10.0.0.0/16"]},
        refused(
            "Fn::Cidr",
            "it takes a list of 2 or 3 (a block of addresses, a count and the bits of each part), not a list of 1",
        ),
    ),
    "to-json-text": ({"Fn::ToJsonString": "abc"}, refused("Fn::ToJsonString", 'it takes a map or a list, not "abc"')),
    "azs": ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, at_deployment("Fn::GetAZs")),
    "transform": (
        {"Fn::Transform": {"Name": "AWS::Include"}},
        unknown("what AWS::Include brings (line 1) is not in the scanned files; a local file among them is judged"),
    ),
    "stack-output": (
        {"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o"}},
        at_deployment("Fn::GetStackOutput"),
    ),
    "transform-beside": (
        {"a": "b", "Fn::Transform": {"Name": "X"}},
        unknown("macro X writes it at deployment (line 1); scan the template that it makes to have it judged"),
    ),
    "made-up": ({"Fn::Made": "x"}, unknown("Fn::Made on line 1 is not a function that can be used here")),
    "wrong-case": ({"Fn::sub": "x"}, unknown("Fn::sub on line 1 is not a function that can be used here")),
    "condition-function": (
        {"Fn::Equals": ["a", "a"]},
        unknown("Fn::Equals on line 1 is not a function that can be used here"),
    ),
    "rules-only": (
        {"Fn::ValueOf": ["Name", "x"]},
        unknown("Fn::ValueOf on line 1 looks at values that are given at deployment only"),
    ),
    "two-keys-is-a-map": ({"Ref": "Name", "other": "x"}, {"Ref": "Name", "other": "x"}),
    # dynamic references
    "dynamic": ("{{resolve:ssm:/logs/bucket}}", "{{resolve:ssm:/logs/bucket}}"),
    "dynamic-inside": ("a-{{resolve:ssm:b:1}}-c", "a-{{resolve:ssm:b:1}}-c"),
    "dynamic-two": ("{{resolve:ssm:a}}{{resolve:ssm:b}}", "{{resolve:ssm:a}}{{resolve:ssm:b}}"),
    "dynamic-in-sub": ({"Fn::Sub": "x{{resolve:ssm:/${Name}/b}}y"}, "x{{resolve:ssm:/given/b}}y"),
    "dynamic-in-sub-symbol": ({"Fn::Sub": "{{resolve:ssm:/${Generated}}}"}, "{{resolve:ssm:/${Generated}}}"),
    "dynamic-in-join": ({"Fn::Join": ["", ["{{resolve:", "ssm:x", "}}"]]}, "{{resolve:ssm:x}}"),
    "rendered": ("a-{{ name }}-{{- other | lower }}", "a-{{ name }}-{{- other | lower }}"),
    "dynamic-unclosed": ("{{resolve:ssm:x", "{{resolve:ssm:x"),
    "dynamic-split": (
        {"Fn::Split": ["/", "{{resolve:ssm:a}}/b"]},
        unknown("{{resolve:ssm:a}} is fetched at deployment; " + INSTEAD),
    ),
    "braces-only": ("a{b}c", "a{b}c"),
    # Serverless Framework
    "serverless-self": ("logs-${self:provider.stage}", "logs-${self:provider.stage}"),
    "serverless-opt": ("${opt:stage, 'dev'}", "${opt:stage, 'dev'}"),
    "serverless-file": ("${file(config.yml):bucket}", "${file(config.yml):bucket}"),
    "policy-variable": ("arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/${aws:username}"),
    # plain values
    "text": ("x", "x"),
    "number": (12, "12"),
    "boolean": (True, True),
    "null": (None, None),
    "list": (["a", 1, False], ["a", "1", False]),
    "map-value": ({"a": {"b": []}}, {"a": {"b": []}}),
}


@pytest.mark.parametrize(("expression", "expected"), CASES.values(), ids=CASES.keys())
def test_value(expression: Any, expected: Any) -> None:
    if expected is Unbuildable:
        with pytest.raises(Unbuildable):
            resolve(expression, PINS, **SECTIONS)
    else:
        assert resolve(expression, PINS, **SECTIONS) == expected


UNBUILDABLE: dict[str, Any] = {
    "select-beyond": {"Fn::Select": [{"Fn::FindInMap": ["M", "a", "x"]}, ["a"]]},
    "select-beyond-what-is-left": {"Fn::Select": [1, ["a", {"Ref": "AWS::NoValue"}]]},
    "select-beyond-a-given-list": {"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "Name"}]}]},
    "select-word": {"Fn::Select": [{"Ref": "Name"}, LIST]},
    "ref-inactive": {"Ref": "Off"},
    "getatt-inactive": {"Fn::GetAtt": ["Off", "Arn"]},
    "sub-inactive": {"Fn::Sub": "${Off}"},
    "sub-inactive-attribute": {"Fn::Sub": "${Off.Arn}"},
    "nested-inactive": ["a", {"b": {"Fn::Join": ["", [{"Ref": "Off"}]]}}],
    "if-inactive": {"Fn::If": ["Always", {"Ref": "Off"}, "x"]},
}


@pytest.mark.parametrize("expression", UNBUILDABLE.values(), ids=UNBUILDABLE.keys())
def test_no_stack(expression: Any) -> None:
    with pytest.raises(Unbuildable):
        resolve(expression, PINS, **SECTIONS)


SHORT: dict[str, tuple[str, Any]] = {
    "ref": ("!Ref Name", "given"),
    "sub": ("!Sub a-${Name}", "a-given"),
    "sub-map": ("!Sub ['${A}', {A: !Ref Name}]", "given"),
    "getatt": ("!GetAtt Logs.Arn", "arn:aws:s3:::my-logs"),
    "getatt-list": ("!GetAtt [Logs, Arn]", "arn:aws:s3:::my-logs"),
    "join": ("!Join ['-', [a, !Ref Name]]", "a-given"),
    "split": ("!Split [',', 'a,b']", ["a", "b"]),
    "select": ("!Select [1, !Split [',', 'a,b']]", "b"),
    "if": ("!If [Always, a, b]", "a"),
    "map": ("!FindInMap [M, !Ref AWS::Region, x]", "here"),
    "import": (
        "!ImportValue X",
        unknown('no scanned template exports "X"; scan the template that does together with this one'),
    ),
    "length": ("!Length [a]", "1"),
    "to-json": ("!ToJsonString {a: b}", {"a": "b"}),
    "base64": ("!Base64 x", at_deployment("Fn::Base64", 10)),
    "cidr": ("!Cidr [a, 1, 2]", at_deployment("Fn::Cidr", 10)),
    "azs": ("!GetAZs ''", at_deployment("Fn::GetAZs", 10)),
    "transform": (
        "!Transform {Name: X}",
        unknown("macro X writes it at deployment (line 10); scan the template that it makes to have it judged"),
    ),
    "unknown-tag": (
        "!Made x",
        unknown("!Made on line 10 is not a tag of CloudFormation: what a preprocessor makes of it is not known"),
    ),
    "unknown-tag-on-map": (
        "!Made {a: b}",
        unknown("!Made on line 10 is not a tag of CloudFormation: what a preprocessor makes of it is not known"),
    ),
    "tag-with-colons": (
        "!Rain::Module x",
        unknown(
            "!Rain::Module on line 10 is not a tag of CloudFormation: what a preprocessor makes of it is not known"
        ),
    ),
    "full-in-short": ("!Sub ['${A}', {A: {'Fn::Join': ['', [x, z]]}}]", "xz"),
    "multi-line-sub": ("!Sub |\n        a ${Name}", "a given\n"),
    "plain-yes": ("yes", True),
    "quoted-yes": ("'yes'", "yes"),
    "date": ("2012-10-17", "2012-10-17"),
    "account": ("012345670123", "012345670123"),
    "tilde": ("~", None),
}


@pytest.mark.parametrize(("text", "expected"), SHORT.values(), ids=SHORT.keys())
def test_short_form(text: str, expected: Any) -> None:
    template = f"""
Parameters: {{Name: {{Type: String}}}}
Mappings: {{M: {{us-east-1: {{x: here}}}}}}
Conditions: {{Always: !Equals [a, a]}}
Resources:
  Logs: {{Type: AWS::S3::Bucket, Properties: {{BucketName: my-logs}}}}
  Probe:
    Type: Custom::Probe
    Properties:
      V: {text}
"""
    assert plain(probe(Scenario(model(template, PINS), {}))) == expected


@pytest.mark.parametrize("key", ["On", '"true"', "!Ref Switch"])
def test_a_mapping_s_key_means_what_yaml_says(key: str) -> None:
    template = f"""
Parameters: {{Switch: {{Type: String}}}}
Mappings: {{M: {{a: {{On: here}}}}}}
Resources:
  Probe: {{Type: Custom::Probe, Properties: {{V: !FindInMap [M, a, {key}]}}}}
"""
    assert plain(probe(Scenario(model(template, Pins({"Switch": "true"})), {}))) == "here"


def test_every_short_form_is_known() -> None:
    conditions = {"Condition", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals"}
    rules = {"Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"}
    assert set(SHORT_FORMS.values()) - set(FUNCTIONS) == conditions | rules


def test_wrong_arguments_never_raise() -> None:
    shapes: list[Any] = [
        "",
        "x",
        1,
        None,
        True,
        [],
        ["x"],
        [[]],
        [None, None],
        ["a", "b", "c", "d", "e"],
        {},
        {"a": "b"},
    ]
    for name in FUNCTIONS:
        for shape in shapes:
            try:
                resolve({name: shape}, PINS, **SECTIONS)
            except (Split, Unbuildable):
                continue


# --- functions that hinge on parameters ---------------------------------------------------------------------------

PARAMETER = {"Type": "String"}
LIST_PARAMETER = {"Type": "CommaDelimitedList"}
OPEN: dict[str, tuple[Any, dict[str, Any], list[tuple[dict[str, str], Any]]]] = {
    "map-by-parameter": (
        {"Fn::FindInMap": ["M", {"Ref": "P"}, "x"]},
        {"Parameters": {"P": PARAMETER}, "Mappings": {"M": {"a": {"x": "1"}, "b": {"x": "2"}}}},
        [({"P": "a"}, "1"), ({"P": "b"}, "2")],
    ),
    "map-by-parameter-default-value": (
        {"Fn::FindInMap": ["M", {"Ref": "P"}, "x", {"DefaultValue": "0"}]},
        {"Parameters": {"P": PARAMETER}, "Mappings": {"M": {"a": {"x": "1"}, "b": {"x": "2"}}}},
        [({"P": "a"}, "1"), ({"P": "b"}, "2"), ({"P": "other"}, "0")],
    ),
    "map-by-allowed-parameter": (
        {"Fn::FindInMap": ["M", {"Ref": "P"}, "x"]},
        {
            "Parameters": {"P": {"Type": "String", "AllowedValues": ["b", "c"]}},
            "Mappings": {"M": {"a": {"x": "1"}, "b": {"x": "2"}}},
        },
        [({"P": "b"}, "2")],
    ),
    "map-by-region": (
        {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "x"]},
        {"Mappings": {"M": {"us-east-1": {"x": "1"}, "cn-north-1": {"x": "2"}, "eu-west-1": {"x": "3"}}}},
        [({"AWS::Region": "us-east-1"}, "1"), ({"AWS::Region": "eu-west-1"}, "3")],
    ),
    "map-second-key": (
        {"Fn::FindInMap": ["M", "a", {"Ref": "P"}]},
        {"Parameters": {"P": PARAMETER}, "Mappings": {"M": {"a": {"x": "1", "y": "2"}}}},
        [({"P": "x"}, "1"), ({"P": "y"}, "2")],
    ),
    "map-name": (
        {"Fn::FindInMap": [{"Fn::Sub": "M${P}"}, "a", "x"]},
        {"Parameters": {"P": {"Type": "String", "AllowedValues": ["1"]}}, "Mappings": {"M1": {"a": {"x": "1"}}}},
        [({"P": "1"}, "1")],
    ),
    "map-compound-key": (
        {"Fn::FindInMap": ["M", {"Fn::Sub": "k-${P}"}, "x"]},
        {"Parameters": {"P": PARAMETER}, "Mappings": {"M": {"k-a": {"x": "1"}, "k-b": {"x": "2"}, "z": {"x": "3"}}}},
        [({"P": "a"}, "1"), ({"P": "b"}, "2")],
    ),
    "select-by-allowed-parameter": (
        {"Fn::Select": [{"Ref": "P"}, LIST]},
        {"Parameters": {"P": {"Type": "Number", "AllowedValues": [0, 2]}}},
        [({"P": "0"}, "a"), ({"P": "2"}, "c")],
    ),
    "select-by-default": (
        {"Fn::Select": [{"Ref": "P"}, LIST]},
        {"Parameters": {"P": {"Type": "Number", "Default": 1, "MinValue": 0, "MaxValue": 2}}},
        [({"P": "0"}, "a"), ({"P": "1"}, "b"), ({"P": "2"}, "c")],
    ),
    "split-by-default": (
        {"Fn::Split": [",", {"Ref": "P"}]},
        {"Parameters": {"P": {"Type": "String", "Default": "a,b"}}},
        [
            ({"P": "a,b"}, ["a", "b"]),
            ({"P": "other"}, unknown("parameter P may have any value; give it with --parameter P=VALUE")),
        ],
    ),
    "split-free-parameter": (
        {"Fn::Split": [",", {"Ref": "P"}]},
        {"Parameters": {"P": PARAMETER}},
        [({}, unknown("parameter P may have any value; give it with --parameter P=VALUE"))],
    ),
    "split-region-held": (
        {"Fn::Split": ["/", {"Fn::Sub": "a/${AWS::Region}/${AWS::AccountId}"}]},
        {},
        [({}, ["a", "${AWS::Region}", "${AWS::AccountId}"])],
    ),
    "list-default": (
        {"Ref": "P"},
        {"Parameters": {"P": {"Type": "CommaDelimitedList", "Default": " a , b,c "}}},
        [({"P": " a , b,c "}, ["a", "b", "c"]), ({"P": "other"}, ["${P}"])],
    ),
    "list-empty-default": (
        {"Fn::Join": ["", {"Ref": "P"}]},
        {"Parameters": {"P": {"Type": "CommaDelimitedList", "Default": ""}}},
        [({"P": ""}, ""), ({"P": "other"}, "${P}")],
    ),
    "list-allowed": (
        {"Fn::Select": [0, {"Ref": "P"}]},
        {"Parameters": {"P": {"Type": "CommaDelimitedList", "AllowedValues": ["a,b", "c"]}}},
        [({"P": "a,b"}, "a"), ({"P": "c"}, "c")],
    ),
    "list-pinned": (
        {"Ref": "P"},
        {"Parameters": {"P": {"Type": "CommaDelimitedList", "AllowedValues": ["x"]}}},
        [({"P": "x"}, ["x"]), ({"P": "x,x"}, ["${P}"])],
    ),
    "list-select-open": (
        {"Fn::Select": [1, {"Ref": "P"}]},
        {"Parameters": {"P": LIST_PARAMETER}},
        [({}, "<item 1 of P>")],
    ),
    "list-length-open": (
        {"Fn::Length": {"Ref": "P"}},
        {"Parameters": {"P": LIST_PARAMETER}},
        [({}, "<item count of P>")],
    ),
    "list-of-numbers": (
        {"Ref": "P"},
        {"Parameters": {"P": {"Type": "List<Number>", "AllowedValues": ["1,2"]}}},
        [({"P": "1,2"}, ["1", "2"])],
    ),
    "stored": (
        {"Ref": "P"},
        {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/logs/bucket"}}},
        [({}, "${P}")],
    ),
    "stored-list": (
        {"Ref": "P"},
        {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/x"}}},
        [({}, unknown('parameter P is read from the Systems Manager parameter "/x" at deployment'))],
    ),
    "stored-name": (
        {"Ref": "P"},
        {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Name", "Default": "/x"}}},
        [({}, "${P}")],
    ),
}


@pytest.mark.parametrize(("expression", "sections", "expected"), OPEN.values(), ids=OPEN.keys())
def test_values_that_hinge_on_parameters(
    expression: Any, sections: dict[str, Any], expected: list[tuple[dict[str, str], Any]]
) -> None:
    from tests.cloudformation.resolving import resolve_all

    assert resolve_all(expression, **sections) == expected


def test_an_unknown_keeps_its_name_so_that_it_equals_itself() -> None:
    template = {
        "Conditions": {"Same": {"Fn::Equals": [{"Fn::ImportValue": "X"}, {"Fn::ImportValue": "X"}]}},
        "Resources": {"Probe": {"Type": "T", "Properties": {"V": {"Fn::If": ["Same", "yes", "no"]}}}},
    }
    assert explored(template) == [({}, "yes")]


def test_make_text_leaves_symbols_outside_references_alone() -> None:
    node = TextNode("", False, 1, 1, 1, 1)
    symbol = Symbol(OPAQUE, "S")
    text = make_text(("a{{resolve:ssm:", symbol, "}}b", symbol, "c"), node)
    assert show(text) == "a{{resolve:ssm:${S}}}b${S}c"
