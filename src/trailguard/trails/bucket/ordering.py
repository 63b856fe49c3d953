"""Whether CloudFormation creates the trail after the bucket policy that CloudTrail checks.

A dependency path orders two resources: DependsOn, or Ref, GetAtt or Sub anywhere in a resource's body (its Metadata
included), directly or through other resources. A nested stack waits for what the resource that makes it waits for, and
is complete when all in it is; a stack that imports a value comes after the stack that exports it.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

from __future__ import annotations

from typing import cast

from trailguard.cloudformation.scenarios.model import Model
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.facts import Fact, no, unknown, yes
from trailguard.trails.facts.links import ANY_ORDER


def after_policy(scenario: Scenario, trail: Resource) -> Fact:
    """Whether a dependency path leads from the trail to the policy of its bucket."""
    bucket = log_bucket(scenario, trail)
    if bucket is None or not bucket.policies:
        return yes(trail.key, f"no bucket policy is made here for {trail.id} to wait for")
    for policy in bucket.policies:
        if reaches(scenario, trail, policy):
            if reaches(scenario, policy, trail):
                because = f"{trail.id} and bucket policy {policy.id} wait for each other, which cannot be deployed"
                return no(_place(trail), because, ((policy.key, f"{policy.id} depends on {trail.id}"),))
            return yes(trail.key, f"{trail.id} is created after bucket policy {policy.id}")
    policy = bucket.policies[0]
    place = _place(trail)
    if reaches(scenario, policy, trail):
        because = (
            f"bucket policy {policy.id} refers to {trail.id}, so it is created after the trail that needs it, and a "
            "DependsOn would close a circle; give the trail a TrailName and spell its ARN in the policy"
        )
        return no(place, because, ((policy.key, f"{policy.id} depends on {trail.id}"),))
    meeting = scenario.model.stacks.meeting(trail.id, policy.id)
    if meeting is None:
        because = f"nothing in the templates says whether {trail.id} is created after bucket policy {policy.id}"
        return unknown(place, ANY_ORDER, because)
    resources = scenario.model.template.resources
    waiter, awaited = (resources[name] for name in meeting)
    named = [item.value for item in waiter.depends_on()]
    told = f" (it waits for {', '.join(named)} only)" if named else ""
    who = waiter.id if waiter is trail else f"{waiter.id}, which makes the stack of {trail.id},"
    what = f"bucket policy {policy.id}"
    if awaited is not policy:
        what = f"{awaited.id}, which makes the stack of {what}"
    because = f"nothing makes {who} wait for {what}{told}, so it may be created first"
    return no(_place(waiter), because, ((policy.key, "the policy that must exist first"),))


def _place(trail: Resource) -> Node:
    return trail.attribute("DependsOn") or trail.key


def reaches(scenario: Scenario, start: Resource, goal: Resource) -> bool:
    """Tell whether a dependency path leads from one resource to another in this scenario."""
    template = scenario.model.template
    leading = _leading(scenario.model, start, goal)
    if start.id not in leading:
        return False
    seen = {start.id}
    pending = [start]
    open_: Split | None = None  # a way that is open matters only where none is known
    while pending:
        current = pending.pop()
        if current.id == goal.id:
            return True
        for name, ways in _edges(scenario.model, current).items():
            target = template.resources.get(name)
            if target is None or name in seen or name not in leading:
                continue
            try:
                follows = any(_open(scenario, way) for way in ways) and (target is goal or scenario.active(target))
            except Split as split:
                open_ = open_ or split
                continue
            if follows:
                seen.add(name)
                pending.append(target)
    if open_ is not None:
        raise open_
    return False


def _leading(model: Model, start: Resource, goal: Resource) -> set[str]:
    """The resources on paths from one resource to another, were all conditions as these need them."""
    resources = model.template.resources
    backwards: dict[str, list[str]] = {start.id: []}
    pending = [start.id]
    while pending:
        current = pending.pop()
        for name in _edges(model, resources[current]) if current != goal.id else ():
            if name in resources:
                if name not in backwards:
                    backwards[name] = []
                    pending.append(name)
                backwards[name].append(current)
    found: set[str] = set()
    pending = [goal.id] if goal.id in backwards else []
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(backwards[name])
    return found


Edges = dict[str, list[tuple[tuple[str, bool], ...]]]


def _edges(model: Model, resource: Resource) -> Edges:
    """The names that a resource depends on, each with the branches under which it does (none: always)."""
    key = ("edges", resource.id)
    known = model.memo.get(key)
    if known is None:
        edges: Edges = {}
        _add_own(edges, resource)
        stacks = model.stacks
        for maker in stacks.makers(resource.id):
            _add_own(edges, model.template.resources[maker])
        for names, way in stacks.awaited(resource.id):
            for name in names:
                edges.setdefault(name, []).append(way)
        known = model.memo[key] = edges
    return cast("Edges", known)


def _add_own(edges: Edges, resource: Resource) -> None:
    """The names that a resource itself depends on."""
    for name in resource.depends_on():
        edges.setdefault(name.value, []).insert(0, ())
    for target, guards in references(resource.body):
        ways = edges.setdefault(target, [])
        ways.insert(len(ways) if guards else 0, guards)


def _open(scenario: Scenario, way: tuple[tuple[str, bool], ...]) -> bool:
    return all(scenario.condition(name) is branch for name, branch in way)
