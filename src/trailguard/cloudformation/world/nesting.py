"""The templates that a template makes stacks of: nested stacks, stack sets, nested applications of SAM.

Where a template lies is told by `TemplateURL`: a path before `aws cloudformation package`, a URL after it. The CDK
leaves the path in the resource's Metadata. A stack set may hold its template as text.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-stack.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-stackset.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.template.template import Resource

STACK = "AWS::CloudFormation::Stack"
STACK_SET = "AWS::CloudFormation::StackSet"
APPLICATION = "AWS::Serverless::Application"
MAKERS = (STACK, STACK_SET, APPLICATION)
_ASSET = "aws:asset:path"


class Nested(NamedTuple):
    """A stack that a resource makes.

    `path` is where its template lies, seen from the parent's folder; else `ending` is how its URL ends, as far as that
    is known ("" for not at all); else `body` is the template itself, as text. `arguments` are the nodes that it is
    handed, by parameter; a single one where a function gives them all.
    """

    resource: Resource
    place: Node
    arguments: Mapping[str, Node] | Node
    path: str = ""
    ending: str = ""
    body: Node | None = None
    is_set: bool = False
    label: str = ""


def decoded(ending: str) -> str:
    """The end of a URL as it is meant: `a%20b` is `a b`.

    Source: https://www.rfc-editor.org/rfc/rfc3986#section-2.1
    """
    if "%" not in ending:
        return ending
    from urllib.parse import unquote  # late: few URLs need it

    return unquote(ending)


def nested_of(scenario: Scenario) -> Iterator[Nested]:
    """The stacks that the resources of a template make; a stack set gives one for each set of overridden parameters."""
    template = scenario.model.template
    for kind, key in ((STACK, "TemplateURL"), (APPLICATION, "Location")):
        for resource in template.of_type(kind):
            node = _property(scenario, resource, key)
            if node is not None:
                nested = Nested(resource, node, _arguments(_property(scenario, resource, "Parameters")))
                yield _located(scenario, nested, _asset(resource))
    for resource in template.of_type(STACK_SET):
        yield from _instances(scenario, resource)


def _property(scenario: Scenario, resource: Resource, name: str) -> Node | None:
    try:
        return scenario.property_node(resource, name)
    except (Split, Unbuildable):
        return None


def _asset(resource: Resource) -> str:
    metadata = resource.attribute("Metadata")
    node = metadata.values.get(_ASSET) if isinstance(metadata, MapNode) else None
    return node.value if isinstance(node, TextNode) else ""


def _arguments(node: Node | None) -> Mapping[str, Node] | Node:
    if node is None:
        return {}
    return dict(node.values) if isinstance(node, MapNode) and not _is_call(node) else node


def _is_call(node: MapNode) -> bool:
    return any(name.startswith("Fn::") or name == "Ref" for name in node.values)


def _located(scenario: Scenario, nested: Nested, asset: str) -> Nested:
    """Say where the template of a nested stack lies."""
    if asset:
        return nested._replace(path=asset)
    if isinstance(nested.place, TextNode):
        text = nested.place.value
        if text.startswith("file://"):
            return nested._replace(path=text.removeprefix("file://"))
        if "://" not in text:
            return nested._replace(path=text)
        return nested._replace(ending=text.partition("?")[0])
    try:
        text_value = text_of(scenario.resolve(nested.place))
    except (Split, Unbuildable):
        return nested
    pieces = text_value.pieces if text_value is not None else ()
    last = pieces[-1] if pieces else None
    return nested._replace(ending=last.partition("?")[0] if isinstance(last, str) else "")


def _instances(scenario: Scenario, resource: Resource) -> Iterator[Nested]:
    given = _pairs(_property(scenario, resource, "Parameters"))
    body, url = (_property(scenario, resource, name) for name in ("TemplateBody", "TemplateURL"))
    if body is not None:
        found = Nested(resource, body, given, body=body, is_set=True)
    elif url is not None:
        found = _located(scenario, Nested(resource, url, given, is_set=True), _asset(resource))
    else:
        return
    if not isinstance(given, dict):
        yield found
        return
    groups = _property(scenario, resource, "StackInstancesGroup")
    items = groups.items if isinstance(groups, ListNode) else []
    overrides = [_pairs(item.values.get("ParameterOverrides")) for item in items if isinstance(item, MapNode)]
    if not overrides or any(not one for one in overrides):
        yield found
    for number, one in enumerate(overrides, 1):
        if isinstance(one, dict) and one:
            yield found._replace(arguments={**given, **one}, label=f"group {number}")
        elif not isinstance(one, dict):
            yield found._replace(arguments=one, label=f"group {number}")


def _pairs(node: Node | None) -> dict[str, Node] | Node:
    """The parameters in a list of ParameterKey and ParameterValue."""
    if node is None:
        return {}
    found: dict[str, Node] = {}
    for item in node.items if isinstance(node, ListNode) else [node]:
        key = item.values.get("ParameterKey") if isinstance(item, MapNode) else None
        name = literal(key) if isinstance(key, TextNode) else None
        if not isinstance(item, MapNode) or not isinstance(name, str) or "ParameterValue" not in item.values:
            return node
        found[name] = item.values["ParameterValue"]
    return found
