"""Makes CloudFormation create bucket, bucket policy and trail in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.source.changes import Append, Change, Put, Remove, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import calls, mentioned
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.trails.bucket.buckets import log_bucket
from trailguard.trails.facts.repairs import Fault, Repair, same_stack

ARN = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/"


def after_policy(fault: Fault) -> Iterator[Repair]:
    """Make the trail wait for the policy of its bucket, and not the other way round."""
    bucket = log_bucket(fault.scenario, fault.resource)
    for policy in bucket.policies if bucket is not None else ():
        if reaches(fault.scenario, policy, fault.resource):
            yield from _turned(fault.scenario, fault.resource, policy)
        else:
            yield from waiting(fault.scenario, fault.resource, policy)


def _turned(scenario: Scenario, trail: Resource, policy: Resource) -> Iterator[Repair]:
    """Let a policy that waits for the trail spell the trail's name instead, and the trail wait for it."""
    if not same_stack(scenario, trail, policy):
        return
    changes: list[Change] = [*_without(policy, trail.id), *_spelt_out(scenario, policy, trail)]
    waits = any(name.value == policy.id for name in trail.depends_on())
    if not waits:
        changes.append(_depending(trail, policy))
    yield Repair(f"Make {bare(trail.id)} depend on {bare(policy.id)}, not the other way round", tuple(changes))


def _without(resource: Resource, name: str) -> Iterator[Change]:
    """Take a name out of what a resource depends on."""
    named = resource.depends_on()
    if len(named) == 1 and named[0].value == name:
        yield Remove(at(resource.body.keys["DependsOn"]))
    else:
        yield from (Remove(at(node)) for node in named if node.value == name)


def _spelt_out(scenario: Scenario, policy: Resource, trail: Resource) -> Iterator[Change]:
    """Spell the name of a trail where a policy refers to it, if its name is written down."""
    node = scenario.property_node(trail, "TrailName")
    call = function_of(node) if node is not None else None
    inner = call[1] if call is not None else node
    name = inner.value if isinstance(inner, TextNode) else ""
    shown = {"Ref": f"${{{bare(name)}}}", "Fn::Sub": bare(name)}.get(call[0], "") if call is not None else name
    body = policy.attribute("Properties")
    for use in calls(body) if shown and body is not None else ():
        if use.function == "Fn::Sub":
            text = use.argument.items[0] if isinstance(use.argument, ListNode) else use.argument
            if isinstance(text, TextNode) and trail.id in mentioned(use.function, use.argument):
                filled = text.value.replace(f"${{{trail.id}}}", shown).replace(f"${{{trail.id}.Arn}}", ARN + shown)
                yield Replace(at(text), bare(filled))
        elif trail.id in mentioned(use.function, use.argument):
            whole = shown if use.function == "Ref" else ARN + shown
            yield Replace(at(use.node), {"Fn::Sub": whole} if "${" in whole else whole)


def after_bucket(fault: Fault) -> Iterator[Repair]:
    """Make the policies of the trail's bucket wait for it."""
    bucket = log_bucket(fault.scenario, fault.resource)
    if bucket is None or bucket.resource is None:
        return
    late = [policy for policy in bucket.policies if not reaches(fault.scenario, policy, bucket.resource)]
    offers = [repair for policy in late for repair in waiting(fault.scenario, policy, bucket.resource)]
    if offers:
        yield Repair("; ".join(one.title for one in offers), tuple(item for one in offers for item in one.changes))


def waiting(scenario: Scenario, first: Resource, then: Resource) -> Iterator[Repair]:
    """Make one resource wait for another one, or what makes its stack for what makes the other's, by `DependsOn`."""
    meeting = scenario.model.stacks.meeting(first.id, then.id)
    if meeting is None or reaches(scenario, then, first):
        return
    waiter, awaited = (scenario.model.template.resources[name] for name in meeting)
    yield Repair(f"Make {bare(waiter.id)} depend on {bare(awaited.id)}", (_depending(waiter, awaited),))


def _depending(waiter: Resource, awaited: Resource) -> Change:
    change = Put if waiter.attribute("DependsOn") is None else Append
    return change(at(waiter.body), ("DependsOn",), bare(awaited.id))
