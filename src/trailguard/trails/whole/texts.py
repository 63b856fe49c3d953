"""The names and ARNs that a trail is given: each of the kind that goes there, and spelt as AWS takes it.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import GENERATED, VARIABLE, Absent, Pieces, Symbol, Text, text_of
from trailguard.cloudformation.source.nodes import Node, TextNode
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.trails.facts.facts import Fact, all_of, no, via, yes
from trailguard.trails.facts.lists import apart
from trailguard.trails.facts.names import same_name
from trailguard.trails.facts.spelling import (
    Fault,
    brief,
    bucket_fault,
    sub_missing,
    topic_fault,
    trail_name_fault,
    try_faulty,
)
from trailguard.trails.watching import logs
from trailguard.trails.watching.roles import may_be_role_arn

TRAIL = "AWS::CloudTrail::Trail"


def names(scenario: Scenario, trail: Resource) -> Fact:
    """Whether each property gets what it takes: a name where a name goes, an ARN where an ARN goes."""
    fine = yes(trail.key, f"the properties of {trail.id} get names and ARNs where they take them")
    each = (apart("name of a property", _named)(scenario, trail, name, fine) for name in _TAKEN)
    return all_of(each, fine)


def _named(scenario: Scenario, trail: Resource, name: str, fine: Fact) -> Fact:
    """Whether one property gets what it takes."""
    value = scenario.value_of(trail, name)
    text = text_of(value)
    if text is None or not text.pieces:
        return fine
    fault_of = _TAKEN[name]
    fault = fault_of(text.pieces) or _foreign(scenario, name, text)
    if fault is None:
        try_faulty(scenario, text, fault_of)
        return fine
    made = _made(scenario, value.node) if name == "S3BucketName" else None
    if made is not None:
        because = f"the name of {made[0].id}, in which {trail.id} puts its logs, is {brief(text)}, {fault}"
        return no(made[1], because, ((value.node, "the trail names it"),))
    hint = _hint(scenario, value.node, name, text)
    return no(value.node, f"{name} of {trail.id} is {brief(text)}{_source(value.node)}, {fault}{hint}")


def _made(scenario: Scenario, node: Node) -> tuple[Resource, Node] | None:
    """The bucket that is referred to, and where its name stands."""
    function = function_of(node)
    if function is None or function[0] != "Ref" or not isinstance(function[1], TextNode):
        return None
    bucket = scenario.model.template.resources.get(function[1].value)
    if bucket is None or bucket.type != "AWS::S3::Bucket":
        return None
    names = (scenario.value_of(bucket, name) for name in ("BucketName", "BucketNamePrefix"))
    return next(((bucket, name.node) for name in names if not isinstance(name, Absent)), None)


def _source(node: Node) -> str:
    """Where a name comes from that does not stand there as it is; what a function puts together shows in itself."""
    function = function_of(node)
    return via(node) if function is not None and function[0] == "Ref" else ""


def _log_group_fault(pieces: Pieces) -> str | None:
    fault = logs.arn_fault(pieces)
    if fault == "other":
        return "which is not the ARN of a log group"
    if fault == "two ends":
        return 'with one ":*" too many, because the log group\'s Arn ends in it already'
    return None  # what else may be wrong with it is said where the way to the log group is judged


def _role_fault(pieces: Pieces) -> str | None:
    return None if may_be_role_arn(pieces) else "which is not the ARN of a role"


_TAKEN: Mapping[str, Fault] = {
    "S3BucketName": bucket_fault,
    "CloudWatchLogsLogGroupArn": _log_group_fault,
    "CloudWatchLogsRoleArn": _role_fault,
    "SnsTopicName": topic_fault,
}
# Whose names may be given where a name goes. A bucket policy gives that of its bucket.
_NAMED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "S3BucketName": ("bucket", ("AWS::S3::Bucket", "AWS::S3::BucketPolicy")),
    "SnsTopicName": ("topic", ("AWS::SNS::Topic",)),
}


def _foreign(scenario: Scenario, name: str, text: Text) -> str | None:
    """What is wrong with a name that AWS makes: it is the name of something else."""
    symbol = text.symbols[0] if len(text.pieces) == 1 and text.symbols else None
    if name not in _NAMED or symbol is None or symbol.kind != GENERATED:
        return None
    what, kinds = _NAMED[name]
    resource = scenario.model.template.resources.get(symbol.name.partition(".")[0])
    if resource is None or resource.type in kinds:
        return None
    return f"the name that AWS makes for an {resource.type}, where the name of a {what} goes"


def _hint(scenario: Scenario, node: Node, name: str, text: Text) -> str:
    """What to write instead of what returns something else, or of a logical ID without a function."""
    template = scenario.model.template
    if sub_missing(text):
        return sub_missing(text)
    if text.literal is not None and name == "S3BucketName":
        resource = template.resources.get(text.literal)
        is_bucket = resource is not None and resource.type == "AWS::S3::Bucket"
        return f"; did you mean !Ref {text.literal}?" if is_bucket or text.literal in template.parameters else ""
    function = function_of(node)
    if function is None or not isinstance(function[1], TextNode):
        return ""
    kind, target = function[0], function[1].value.partition(".")[0]
    if target in template.parameters:
        return ""
    if kind == "Ref" and name.endswith("Arn"):
        return f"; use !GetAtt {target}.Arn"
    if kind == "Fn::GetAtt" and name == "S3BucketName":
        return f"; use !Ref {target}"
    return ""


# --- the trail's own name ---------------------------------------------------------------------------------------------


def trail_name(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail's name is one that CloudTrail accepts."""
    value = scenario.value_of(trail, "TrailName")
    text = text_of(value)
    fine = yes(trail.key, f"CloudTrail accepts the name of {trail.id}")
    if text is None:
        return fine
    symbol = text.symbols[0] if text.symbols else None
    if isinstance(symbol, Symbol) and len(text.pieces) == 1 and symbol.kind == VARIABLE:
        scenario.fix(symbol.name)
    fault = trail_name_fault(text.pieces)
    if fault is not None:
        return no(value.node, f'TrailName of {trail.id} is "{brief(text)}", {fault}{sub_missing(text)}')
    try_faulty(scenario, text, trail_name_fault)
    return fine


def name_of_its_own(scenario: Scenario, trail: Resource) -> Fact:
    """Whether no trail that comes earlier in the template has the same name: one account has one of a name.

    Trails of a stack set are those of other accounts or Regions.
    """
    value = scenario.value_of(trail, "TrailName")
    text = text_of(value)
    fine = yes(trail.key, f"no earlier trail of the template has the name of {trail.id}")
    if text is None or not text.pieces:
        return fine
    stacks = scenario.model.stacks
    here = stacks.scope(trail.id)
    for other in itertools.takewhile(lambda one: one.id != trail.id, scenario.model.template.of_type(TRAIL)):
        name = text_of(scenario.value_of(other, "TrailName"))
        if name is None or stacks.scope(other.id) != here or not same_name(scenario, text.pieces, name.pieces):
            continue
        if scenario.active(other):
            because = f"{trail.id} has the name of {other.id}, {brief(text)}, and a second trail of one name is refused"
            return no(value.node, because, ((name.node, "the first trail of that name"),))
    return fine
