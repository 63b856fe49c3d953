"""Whether CloudFormation creates the trail after the bucket policy that CloudTrail checks.

A dependency path orders two resources: DependsOn, or Ref, GetAtt or Sub anywhere in a resource's body (its Metadata
included), directly or through other resources.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.scenarios import references
from trailguard.cloudformation.source import Node
from trailguard.cloudformation.template import Resource, Template
from trailguard.trails.buckets import log_bucket
from trailguard.trails.facts import Fact, no, yes


def after_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a dependency path leads from the trail to the policy of its bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or not bucket.policies:
        return yes(trail.key, f"no bucket policy is made here for {trail.id} to wait for")
    for policy in bucket.policies:
        if reaches(scenario, trail, policy):
            return yes(trail.key, f"{trail.id} is created after bucket policy {policy.id}")
    policy = bucket.policies[0]
    place = _place(trail)
    if reaches(scenario, policy, trail):
        because = (
            f"bucket policy {policy.id} refers to {trail.id}, so it is created after the trail that needs it, and a "
            "DependsOn would close a circle; give the trail a TrailName and spell its ARN in the policy"
        )
        return no(place, because, ((policy.key, f"{policy.id} depends on {trail.id}"),))
    named = [item.value for item in trail.depends_on()]
    told = f" (it waits for {', '.join(named)} only)" if named else ""
    because = f"nothing makes {trail.id} wait for bucket policy {policy.id}{told}, so it may be created first"
    return no(place, because, ((policy.key, "the policy that must exist first"),))


def _place(trail: Resource) -> Node:
    return trail.attribute("DependsOn") or trail.key


def reaches(scenario: Scenario, start: Resource, goal: Resource) -> bool:
    """Tell whether a dependency path leads from one resource to another in this scenario."""
    template = scenario.model.template
    if not _possible(template, start, goal):
        return False
    seen = {start.id}
    pending = [start]
    while pending:
        current = pending.pop()
        if current.id == goal.id:
            return True
        for name, ways in _edges(current).items():
            target = template.resources.get(name)
            if target is None or name in seen or not _possible(template, target, goal):
                continue
            if any(_open(scenario, way) for way in ways) and (target is goal or scenario.active(target)):
                seen.add(name)
                pending.append(target)
    return False


def _possible(template: Template, start: Resource, goal: Resource) -> bool:
    """Tell whether a path could lead there if all conditions were as it needs them."""
    seen = {start.id}
    pending = [start]
    while pending:
        current = pending.pop()
        if current.id == goal.id:
            return True
        for name in _edges(current):
            target = template.resources.get(name)
            if target is not None and name not in seen:
                seen.add(name)
                pending.append(target)
    return False


def _edges(resource: Resource) -> dict[str, list[tuple[tuple[str, bool], ...]]]:
    """The names that a resource depends on, each with the branches under which it does (none: always)."""
    edges: dict[str, list[tuple[tuple[str, bool], ...]]] = {}
    for name in resource.depends_on():
        edges.setdefault(name.value, []).insert(0, ())
    for target, guards in references(resource.body):
        ways = edges.setdefault(target, [])
        if not guards:
            ways.insert(0, ())
        else:
            ways.append(guards)
    return edges


def _open(scenario: Scenario, way: tuple[tuple[str, bool], ...]) -> bool:
    return all(scenario.condition(name) is branch for name, branch in way)
