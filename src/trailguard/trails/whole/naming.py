"""Whether names are left to CloudFormation or given from outside.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Text, Unknown, Value, text_of
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node
from trailguard.cloudformation.template.references import mentioned
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.iam.globs import STAR, glob, meet
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import Fact, FactSpec, any_of, no, unknown, via, yes

_TRUTH: Mapping[str, object] = {"type": "boolean"}
_TRAIL_ARN = ":trail/"

# Resources with policies, and the properties that hold these.
_POLICIES: Mapping[str, tuple[str, ...]] = {
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::KMS::ReplicaKey": ("KeyPolicy",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicInlinePolicy": ("PolicyDocument",),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "Policies"),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
}


def trail_name_free(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the trail's name is not a literal, or one that a policy needs to name the trail's ARN."""
    name = _written(scenario, trail, "TrailName")
    if name is None:
        return yes(trail.key, f"the name of {trail.id} is not written in the template")
    because = f'{trail.id} is always called "{name.literal}"{via(name.node)}'
    hard_coded = no(name.node, because)

    def needed(policy: Resource, value: Value) -> Fact:
        if isinstance(value, Unknown):
            return unknown(value.node, value.reason, because)
        named = any(_names(text, name.literal or "") for text in _texts(value))
        return yes(name.node, f"{because}, as {policy.id} needs for its ARN") if named else hard_coded

    return any_of((needed(policy, value) for policy, value in _policies(scenario)), hard_coded)


def bucket_name_free(scenario: Scenario, trail: Resource) -> Fact:
    """Whether the name of the trail's bucket, when it is made here, is not a literal."""
    named = log_bucket(scenario, trail)
    if named is None or named.resource is None:
        return yes(trail.key, f"this template does not make the bucket of {trail.id}")
    bucket = named.resource
    name = _written(scenario, bucket, "BucketName")
    if name is None:
        return yes(bucket.key, f"the name of {bucket.id} is not written in the template")
    return no(name.node, f'{bucket.id} is always called "{name.literal}"{via(name.node)}')


def _written(scenario: Scenario, resource: Resource, name: str) -> Text | None:
    """The text of a property when nothing from outside is in it."""
    node = scenario.unwrap(scenario.property_node(resource, name))
    if node is None or _depends(scenario, node):
        return None
    text = text_of(scenario.resolve(node))
    return text if text is not None and text.literal else None


def _depends(scenario: Scenario, node: Node) -> bool:
    """Tell whether a value has something in it that is not written in the template. What a mapping holds is."""
    found = scenario.unwrap(node)
    if found is None:
        return False
    function = function_of(found)
    if function is not None:
        name, argument = function
        if name in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
            return True
        if name == "Fn::FindInMap":
            return False
        return bool(mentioned(name, argument)) or _depends(scenario, argument)
    children: Iterable[Node] = ()
    if isinstance(found, ListNode):
        children = found.items
    elif isinstance(found, MapNode):
        children = found.values.values()
    return any(_depends(scenario, child) for child in children)


def _policies(scenario: Scenario) -> Iterator[tuple[Resource, Value]]:
    """The policies of the template that are made here."""
    for resource in scenario.model.template.resources.values():
        for name in _POLICIES.get(resource.type, ()):
            if scenario.active(resource):
                yield resource, scenario.value_of(resource, name)


def _texts(value: Value) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, (ListValue, MapValue)):
        for item in value.items if isinstance(value, ListValue) else value.entries.values():
            yield from _texts(item)


def _names(text: Text, name: str) -> bool:
    """Tell whether a text ends in the ARN of the trail of a name, be it with wildcards in the name."""
    last = text.pieces[-1] if text.pieces else ""
    if not isinstance(last, str) or _TRAIL_ARN not in last:
        return False
    rest = glob((last.rpartition(_TRAIL_ARN)[2].partition('"')[0],))
    return rest != (STAR,) and meet(rest, glob((name,), wild=False))


FACTS: Mapping[str, FactSpec] = {
    "naming.trail_name_free": FactSpec(
        trail_name_free, _TRUTH, "the trail's name is not a literal, unless a policy needs it for an ARN"
    ),
    "naming.bucket_name_free": FactSpec(
        bucket_name_free, _TRUTH, "the name of the bucket, when the template makes it, is not a literal"
    ),
}
