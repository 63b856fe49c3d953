"""Small inputs that once took minutes or gigabytes, each with a size; and their siblings, which must not.

`CASES` holds them by name. Each makes the files of a folder: all that AWS accepts in one template, or a little more, or
what a repository may hold beside templates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

Files: TypeAlias = "dict[str, str]"

TRAIL = "cloudtrail.amazonaws.com"
REGIONS = [f"{area}-{side}-{number}" for area in ("us", "eu", "ap", "ca", "sa") for side in ("east", "west", "north")
           for number in (1, 2)]  # fmt: skip
EVENTS = ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
WATCHED = "{ " + " || ".join(f"($.eventName = {name})" for name in EVENTS) + " }"


class Case(NamedTuple):
    """Files of some size: how large in the benchmark and in a test, and what `rule` says of each trail.

    `verdict` is "refused" where an error names a limit.
    """

    make: Callable[[int], Files]
    full: int
    small: int
    rule: str
    verdict: str


CASES: dict[str, Case] = {}


def case(
    full: int, small: int, rule: str = "TG203", verdict: str = "pass"
) -> Callable[[Callable[[int], Files]], Callable[[int], Files]]:
    """Make a case of a function that makes files."""

    def add(make: Callable[[int], Files]) -> Callable[[int], Files]:
        CASES[make.__name__.replace("_", "-")] = Case(make, full, small, rule, verdict)
        return make

    return add


# --- the plainest good template --------------------------------------------------------------------------------------


def ref(name: str) -> dict[str, Any]:
    """A reference."""
    return {"Ref": name}


def sub(text: str) -> dict[str, Any]:
    """A text with placeholders."""
    return {"Fn::Sub": text}


def allow(action: Any = "s3:PutObject", resource: Any = None, **others: Any) -> dict[str, Any]:
    """A statement that lets CloudTrail write, with some elements replaced; None leaves one out."""
    everywhere = sub("${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*")
    found = {"Effect": "Allow", "Principal": {"Service": TRAIL}, "Action": action, "Resource": resource or everywhere}
    return {key: value for key, value in {**found, **others}.items() if value is not None}


CHECK = allow("s3:GetBucketAcl", {"Fn::GetAtt": ["Bucket", "Arn"]})


def plain(
    *statements: Any,
    parameters: Mapping[str, Any] | None = None,
    conditions: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    document: Any = None,
    trail: Mapping[str, Any] | None = None,
    bare: bool = False,
    **sections: Any,
) -> dict[str, Any]:
    """A template whose trail writes to its bucket, with more in it; `bare` without the statements that let it."""
    policy = {"Version": "2012-10-17", "Statement": [*(() if bare else (CHECK, allow())), *statements]}
    own = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": ref("Bucket"), "PolicyDocument": policy if document is None else document},
        },
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "DependsOn": ["Policy"],
            "Properties": {
                "S3BucketName": ref("Bucket"), "IsLogging": True, "IsMultiRegionTrail": True,
                "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True, **(trail or {}),
            },
        },
    }  # fmt: skip
    made: dict[str, Any] = {"Parameters": parameters, "Conditions": conditions, **sections}
    return {**{key: value for key, value in made.items() if value}, "Resources": {**own, **(resources or {})}}


def one(template: Mapping[str, Any]) -> Files:
    """A folder with one template."""
    return {"template.json": json.dumps(template, indent=1)}


@case(1, 1)
def plainest(size: int) -> Files:
    """What the others are compared with."""
    return one(plain())


# --- scenarios -------------------------------------------------------------------------------------------------------


@case(40, 12)
def chain_of_optional_resources(size: int) -> Files:
    """Each is made when its parameter is empty, and refers to the one before."""
    parameters: dict[str, Any] = {}
    conditions: dict[str, Any] = {}
    resources: dict[str, Any] = {}
    for number in range(size):
        parameters[f"Existing{number}"] = {"Type": "String", "Default": ""}
        conditions[f"Make{number}"] = {"Fn::Equals": [ref(f"Existing{number}"), ""]}
        conditions[f"Use{number}"] = {"Fn::Not": [{"Condition": f"Make{number}"}]}
        last = f"{number - 1}" if number else ""
        before = {"Fn::If": [f"Use{last}", ref(f"Existing{last}"), ref(f"Topic{last}")]} if number else "first"
        resources[f"Topic{number}"] = {
            "Type": "AWS::SNS::Topic",
            "Condition": f"Make{number}",
            "Properties": {"DisplayName": before},
        }
    found = plain(parameters=parameters, conditions=conditions, resources=resources)
    found["Resources"]["Trail"]["Condition"] = "Make0"
    return one(found)


@case(40, 12)
def optional_statements(size: int) -> Files:
    """None of which can matter for CloudTrail."""
    parameters = {f"Reader{number}": {"Type": "String", "Default": ""} for number in range(size)}
    conditions = {f"Has{number}": {"Fn::Not": [{"Fn::Equals": [ref(f"Reader{number}"), ""]}]} for number in range(size)}
    statements = [
        {
            "Fn::If": [
                f"Has{number}",
                allow("s3:GetObject", sub("${Bucket.Arn}/*"), Principal={"AWS": ref(f"Reader{number}")}),
                ref("AWS::NoValue"),
            ]
        }
        for number in range(size)
    ]
    return one(plain(*statements, parameters=parameters, conditions=conditions))


def _contains(size: int, used: int) -> Files:
    values = [f"m{number}.large" for number in range(100)]
    parameters = {f"Kind{number}": {"Type": "String"} for number in range(size)}
    rules = {
        f"Rule{number}": {"Assertions": [{"Assert": {"Fn::Contains": [values, ref(f"Kind{number}")]}}]}
        for number in range(size)
    }
    statements = [
        allow("s3:GetObject", sub(f"${{Bucket.Arn}}/${{Kind{number}}}"), Principal="*", Effect="Deny")
        for number in range(used)
    ]
    return one(plain(*statements, parameters=parameters, Rules=rules))


@case(20, 6)
def rules_over_unused_lists(size: int) -> Files:
    """`Rules` with lists of 100 values each, for parameters that are used nowhere."""
    return _contains(size, 0)


@case(20, 6)
def rules_over_used_lists(size: int) -> Files:
    """The same, for parameters that statements name."""
    return _contains(size, size)


@case(40, 8, "TG403")
def filters_and_alarms(size: int) -> Files:
    """Metric filters, each with its alarm, all with names from parameters."""
    parameters = {f"Metric{number}": {"Type": "String", "Default": f"metric{number}"} for number in range(size)}
    resources: dict[str, Any] = {}
    for number in range(size):
        pattern = WATCHED if number == size - 1 else "{ $.eventName = ConsoleLogin }"
        resources[f"Filter{number}"] = _filter(pattern, ref(f"Metric{number}"))
        resources[f"Alarm{number}"] = _alarm(ref(f"Metric{number}"))
    return one(_watched(resources, parameters))


def _watched(resources: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    group = {
        "CloudWatchLogsLogGroupArn": {"Fn::GetAtt": ["Group", "Arn"]},
        "CloudWatchLogsRoleArn": "arn:aws:iam::111122223333:role/logs",
    }
    more = {"Group": {"Type": "AWS::Logs::LogGroup"}, "Topic": {"Type": "AWS::SNS::Topic"}, **resources}
    return plain(resources=more, trail=group, parameters=parameters)


def _filter(pattern: str, metric: Any = "changes") -> dict[str, Any]:
    counted = {"MetricName": metric, "MetricNamespace": "audit", "MetricValue": "1"}
    properties = {"LogGroupName": ref("Group"), "FilterPattern": pattern, "MetricTransformations": [counted]}
    return {"Type": "AWS::Logs::MetricFilter", "Properties": properties}


def _alarm(metric: Any = "changes") -> dict[str, Any]:
    properties = {
        "MetricName": metric, "Namespace": "audit", "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1,
        "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "AlarmActions": [ref("Topic")],
    }  # fmt: skip
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


@case(100, 8, "TG203")
def folders_that_are_denied(size: int) -> Files:
    """Each the value of a parameter, which may be the folder of the log files."""
    parameters = {f"Folder{number}": {"Type": "String", "Default": f"f{number}"} for number in range(size)}
    statements = [
        allow(resource=sub(f"${{Bucket.Arn}}/${{Folder{number}}}/*"), Effect="Deny", Principal="*")
        for number in range(size)
    ]
    return one(plain(*statements, parameters=parameters))


@case(30, 6)
def regions_in_a_map(size: int) -> Files:
    """The accounts of load balancers by Region, in a principal."""
    regions = {region: {"Account": f"{number:012}"} for number, region in enumerate(REGIONS[:size])}
    account = {"Fn::FindInMap": ["Balancers", ref("AWS::Region"), "Account"]}
    principal = {"AWS": {"Fn::Sub": ["arn:${AWS::Partition}:iam::${Account}:root", {"Account": account}]}}
    return one(plain(allow(resource=sub("${Bucket.Arn}/lb/*"), Principal=principal), Mappings={"Balancers": regions}))


# --- regular expressions ---------------------------------------------------------------------------------------------


def _patterned(pattern: str) -> Files:
    prefix = {"Type": "String", "Default": "a" * 40, "AllowedPattern": pattern}
    statement = allow(resource=sub("${Bucket.Arn}/${Prefix}/*"), Effect="Deny", Principal="*")
    return one(plain(statement, parameters={"Prefix": prefix}))


@case(12, 12, "TG403")
def filter_pattern_with_stars(size: int) -> Files:
    """A regular expression in a metric filter that has many ways to match."""
    resources = {
        "Filter": _filter(WATCHED),
        "Odd": _filter("{ $.eventName = %" + ".*" * size + "x% }"),
        "Alarm": _alarm(),
    }
    return one(_watched(resources))


@case(3_000_000_000, 3_000_000_000)
def pattern_that_repeats(size: int) -> Files:
    """A letter that is repeated more often than any value is long."""
    return _patterned(f"a*|a{{{size}}}")


@case(2_000, 200)
def pattern_with_nested_repeats(size: int) -> Files:
    """Repeats in repeats, up to the longest pattern there is."""
    return _patterned("a*|" + "(a+)+" * (size // 5) + "b")


@case(1, 1)
def pattern_with_a_nested_class(size: int) -> Files:
    """A class in a class, which Java's expressions have and Python's warn of."""
    return _patterned("a*|[[a-z]+")


# --- policies --------------------------------------------------------------------------------------------------------


@case(20_000, 200)
def policy_text_with_many_keys(size: int) -> Files:
    """A policy as JSON text, its condition on many keys."""
    condition = {"StringEquals": {f"aws:key{number}": "x" for number in range(size)}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    policy = plain(statement)["Resources"]["Policy"]["Properties"]["PolicyDocument"]
    return one(plain(document=sub(json.dumps(_arns_as_text(policy)))))


def _arns_as_text(policy: Any) -> Any:
    """The policy without intrinsic functions: as the text of Fn::Sub."""
    text = json.dumps(policy).replace('{"Fn::GetAtt": ["Bucket", "Arn"]}', '"${Bucket.Arn}"')
    return json.loads(text.replace('{"Fn::Sub": ', "").replace('/*"}', '/*"'))


@case(100, 12, verdict="fail")
def what_is_not_named(size: int) -> Files:
    """NotAction and NotResource with many entries each, one of which is about the log files."""
    actions = [f"s3:Get*{number}*" for number in range(size)]
    resources = [sub(f"${{Bucket.Arn}}/AWSLogs/*{number}*/x*") for number in range(size)]
    return one(plain(CHECK, allow(None, Resource=None, NotAction=actions, NotResource=resources), bare=True))


@case(100, 12)
def what_is_not_denied(size: int) -> Files:
    """The same to deny, none of which is about log files."""
    actions = [f"s3:Put*{number}*" for number in range(size)] + ["s3:PutObject", "s3:GetBucketAcl"]
    resources = [sub(f"${{Bucket.Arn}}/AWSLogs/*{number}*/x*") for number in range(size)]
    statement = allow(None, None, NotAction=actions, NotResource=resources, Effect="Deny", Principal="*")
    return one(plain({key: value for key, value in statement.items() if key != "Resource"}))


@case(20, 6, verdict="unknown")
def resources_with_many_wildcards(size: int) -> Files:
    """Patterns that overlap in many ways, and do not cover the log files even together."""
    resources = [
        sub("${Bucket.Arn}/" + "".join(f"*{(number * 7 + place * 3) % 10}" for place in range(8)) + "*")
        for number in range(size)
    ]
    return one(plain(CHECK, allow(resource=resources), bare=True))


@case(300, 40, verdict="fail")
def wildcard_actions(size: int) -> Files:
    """Actions with wildcards in them, none of which is meant."""
    actions = [f"s3:*{'abcdefghij'[number % 10]}*{number}*t*" for number in range(size)]
    return one(plain(CHECK, allow(actions), bare=True))


@case(300, 40, verdict="fail")
def variables_and_wildcards(size: int) -> Files:
    """A resource in which variables and wildcards take turns."""
    return one(plain(CHECK, allow(resource=sub("${Bucket.Arn}/" + "*${AWS::AccountId}?" * size)), bare=True))


@case(60, 10, verdict="fail")
def conditions_with_wildcards_and_variables(size: int) -> Files:
    """A condition whose values mix wildcards and variables, none of which is certain to fit."""
    sources = [sub(f"arn:*:cloud*:*:*${{AWS::AccountId}}*{number}*:*/*t*") for number in range(size)]
    condition = {"ArnLike": {"aws:SourceArn": sources}}
    return one(plain(CHECK, allow(Condition=condition), bare=True))


@case(100, 10, verdict="unknown")
def imports_and_wildcards(size: int) -> Files:
    """Resources that hold an imported text and wildcards."""
    resources = [
        {"Fn::Sub": [f"${{Bucket.Arn}}/*${{Team}}*{number}?*", {"Team": {"Fn::ImportValue": f"team{number}"}}]}
        for number in range(size)
    ]
    return one(plain(CHECK, allow(resource=resources), bare=True))


@case(60, 4)
def denied_with_wildcards(size: int) -> Files:
    """Much that is denied in one statement, none of it a log file."""
    resources = [sub(f"${{Bucket.Arn}}/*{number}?*/b*${{AWS::Region}}*x*{number}/?b*") for number in range(size)]
    return one(plain(allow(resource=resources, Effect="Deny", Principal="*")))


# --- loops -----------------------------------------------------------------------------------------------------------


def _loop(items: Sequence[str]) -> Files:
    topic = {"Topic${Name}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": sub("${Name}")}}}
    found = plain(Transform="AWS::LanguageExtensions", resources={"Fn::ForEach::Topics": ["Name", list(items), topic]})
    return one(found)


@case(10_000, 501, verdict="refused")
def loop_of_many_items(size: int) -> Files:
    """More resources than a template may have."""
    return _loop([f"n{number}" for number in range(size)])


@case(1_900, 1_900, verdict="refused")
def loop_of_long_items(size: int) -> Files:
    """490 items of a length that a template of 1 MB just holds, used many times."""
    topic = {"Topic${Name}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": sub("${Name}" * 100)}}}
    loop = ["Name", [f"n{number}x" + "y" * size for number in range(490)], topic]
    return one(plain(Transform="AWS::LanguageExtensions", resources={"Fn::ForEach::Topics": loop}))


# --- long and many ---------------------------------------------------------------------------------------------------


@case(3_000, 100)
def long_join(size: int) -> Files:
    """A resource that is put together of many parts."""
    parts = [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/AWSLogs/", *(["*"] * size)]
    return one(plain(CHECK, allow(resource={"Fn::Join": ["", parts]}), bare=True))


@case(3_000, 100)
def sub_with_many_variables(size: int) -> Files:
    """A text with a variable of its own for each part."""
    text = "${Bucket.Arn}/AWSLogs/*" + "".join(f"${{V{number}}}" for number in range(size))
    variables = {f"V{number}": "" for number in range(size)}
    return one(plain(CHECK, allow(resource={"Fn::Sub": [text, variables]}), bare=True))


@case(40, 10, "TG101")
def deep_if(size: int) -> Files:
    """Choices in choices, all by the same condition."""
    value: Any = True
    for _ in range(size):
        value = {"Fn::If": ["IsMain", value, True]}
    parameters = {"Stage": {"Type": "String", "Default": "main"}}
    conditions = {"IsMain": {"Fn::Equals": [ref("Stage"), "main"]}}
    return one(plain(parameters=parameters, conditions=conditions, trail={"IsMultiRegionTrail": value}))


@case(200, 20)
def parameters_and_exports(size: int) -> Files:
    """As many of both as a template may have."""
    parameters = {f"P{number}": {"Type": "String", "Default": "x"} for number in range(size)}
    outputs = {
        f"O{number}": {"Value": ref("Bucket"), "Export": {"Name": sub(f"${{AWS::StackName}}-${{P{number}}}-{number}")}}
        for number in range(size)
    }
    return one(plain(parameters=parameters, Outputs=outputs))


@case(497, 20)
def many_resources(size: int) -> Files:
    """As many as a template may have, all of them buckets."""
    resources = {
        f"Other{number}": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": sub(f"${{AWS::StackName}}-{number}")},
        }
        for number in range(size)
    }
    return one(plain(resources=resources))


@case(165, 10, "TG101")
def many_trails(size: int) -> Files:
    """Trails, each with its bucket and its policy, as many as a template holds."""
    found = plain()
    own = dict(found["Resources"])
    for number in range(size):
        text = json.dumps(own)
        for name in ("Bucket", "Policy", "Trail"):
            text = text.replace(f'"{name}"', f'"{name}{number}"').replace(f"${{{name}.", f"${{{name}{number}.")
        text = text.replace(f'"Bucket{number}": {{"Ref"', '"Bucket": {"Ref"')
        found["Resources"].update(json.loads(text))
    return one(found)


@case(300, 20)
def many_statements(size: int) -> Files:
    """A policy of 300 statements."""
    statements = [
        allow("s3:GetObject", sub(f"${{Bucket.Arn}}/team{number}/*"), Sid=f"Team{number}",
              Principal={"AWS": f"arn:aws:iam::{number:012}:root"})
        for number in range(size)
    ]  # fmt: skip
    return one(plain(*statements))


@case(2_000, 50)
def many_condition_values(size: int) -> Files:
    """A condition with many values that do not fit, before the one that does."""
    accounts = [f"arn:aws:cloudtrail:*:{number:012}:trail/t*" for number in range(size)]
    sources = [*accounts, sub("arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*")]
    condition = {"ArnLike": {"aws:SourceArn": sources}}
    return one(plain(CHECK, allow(Condition=condition), bare=True))


@case(1_000, 20, "TG305")
def many_lifecycle_rules(size: int) -> Files:
    """As many rules as a bucket may have, each for a folder of its own."""
    found = plain()
    rules = [
        {"Id": f"r{number}", "Status": "Enabled", "Prefix": f"p{number}/", "ExpirationInDays": 400}
        for number in range(size)
    ]
    found["Resources"]["Bucket"]["Properties"] = {"LifecycleConfiguration": {"Rules": rules}}
    return one(found)


@case(10_000, 100)
def suppression_comments(size: int) -> Files:
    """A comment that accepts a finding on each line."""
    lines = [f"# trailguard: ignore[TG{number % 7 + 101}] accepted {number}" for number in range(size)]
    return {"template.yaml": "\n".join((*lines, json.dumps(plain()), ""))}


@case(900_000, 5_000)
def blanks_in_a_comment(size: int) -> Files:
    """A comment that is one long line of blanks."""
    comment = "# trailguard: ignore[TG101] a" + " " * size + "b"
    return {"template.yaml": f"{comment}\n{json.dumps(plain())}\n"}


@case(900_000, 5_000)
def huge_block(size: int) -> Files:
    """A text of one megabyte in a resource."""
    lines = "\n".join("    " + "x" * 99 for _ in range(size // 100))
    return {"template.yaml": f"Metadata:\n  Text: |\n{lines}\nResources: {json.dumps(plain()['Resources'])}\n"}


@case(20_000, 200)
def many_anchors(size: int) -> Files:
    """Anchors, each with an alias."""
    lines = "".join(f"  - &a{number} {{x: 1}}\n  - *a{number}\n" for number in range(size))
    return {"template.yaml": f"Metadata:\n  List:\n{lines}Resources: {json.dumps(plain()['Resources'])}\n"}


# --- what stands beside the templates --------------------------------------------------------------------------------


@case(50_000, 5_000)
def long_word_in_a_parent(size: int) -> Files:
    """A word without end in a template that nests another one."""
    parent = plain(
        resources={"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "./child.json"}}},
        Metadata={"Word": "w" * size},
    )
    child = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    return {"parent.json": json.dumps(parent), "child.json": json.dumps(child)}


@case(100_000, 300)
def gitignore_of_many_lines(size: int) -> Files:
    """A `.gitignore` at the top of a repository."""
    lines = "".join(f"build/f{number}.o\n" for number in range(size))
    files = {f"d{number}/template.json": json.dumps(plain()) for number in range(10)}
    return {".git/HEAD": "ref: refs/heads/main\n", ".gitignore": lines, **files}


@case(1_000, 30)
def many_contexts(size: int) -> Files:
    """A configuration with many deployments of one template."""
    lines = [f"  - {{name: c{number}, templates: ['*.json'], account_id: '{number:012}'}}" for number in range(size)]
    return {".trailguard.yaml": "\n".join(("contexts:", *lines, "")), **one(plain())}
