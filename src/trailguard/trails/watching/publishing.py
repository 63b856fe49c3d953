"""Lets CloudTrail publish to the topic of a trail: statements of its policy, or a policy for a topic that has none.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-permissions-for-sns-notifications.html
"""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Append, Data, at
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket.reordering import waiting
from trailguard.trails.bucket.requests import SERVICE
from trailguard.trails.facts.policies import VERSION, document_of, exempting, trail_arn
from trailguard.trails.facts.repairs import Fault, Repair, free_name, making, name_of, same_stack
from trailguard.trails.watching import topics

# What SNS lets the account of a topic do that has no policy of its own.
_OWNERS = (
    "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:AddPermission", "sns:RemovePermission", "sns:DeleteTopic",
    "sns:Subscribe", "sns:ListSubscriptionsByTopic", "sns:Publish",
)  # fmt: skip


def publish_allowed(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail publish to the topic: by a statement of the topic's policy, or by one of its own."""
    scenario, trail = fault.scenario, fault.resource
    link = topics.topic_link(scenario, trail)
    topic = link.resource if link is not None else None
    if topic is None:
        return
    title = f"Let CloudTrail publish to {bare(topic.id)}"
    policies = list(topics.policies_of(scenario, topic))
    for policy in policies:
        document = document_of(scenario, policy, "PolicyDocument")
        if document is not None:
            statement = _publication(scenario, trail, topic, policy)
            yield Repair(title, (document.adding(statement, "AWSCloudTrailPublish"),))
    if not policies:
        statements: list[Data] = [_default(scenario, topic), _publication(scenario, trail, topic, topic)]
        body: Data = {
            "Type": "AWS::SNS::TopicPolicy",
            **({"Condition": bare(topic.condition)} if topic.condition else {}),
            "Properties": {
                "Topics": [{"Ref": bare(topic.id)}],
                "PolicyDocument": {"Version": VERSION, "Statement": statements},
            },
        }
        name = free_name(scenario, topic, f"{bare(topic.id)}Policy")
        change = making(scenario, topic, name, body)
        if change is not None:  # CreateTrail looks at the policy
            waits = [Append(at(trail.body), ("DependsOn",), name)] if same_stack(scenario, trail, topic) else []
            yield Repair(title, (change, *waits))


def _default(scenario: Scenario, topic: Resource) -> Data:
    """What SNS grants where a topic has no policy, which one of its own replaces: alarms and others publish by it.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html (aws:SourceOwner)
    """
    return {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(_OWNERS),
        "Resource": name_of(scenario, topic, topic) or "*",
        "Condition": {"StringEquals": {"AWS:SourceOwner": {"Ref": "AWS::AccountId"}}},
    }


def _publication(scenario: Scenario, trail: Resource, topic: Resource, here: Resource) -> dict[str, Data]:
    """The statement that lets CloudTrail publish, bound to the trail where its name is known, else to the account."""
    arn = trail_arn(scenario, here, trail)
    bound: Data = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}} if arn is None else {"aws:SourceArn": arn}
    return {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sns:Publish",
        "Resource": name_of(scenario, here, topic) or "*",
        "Condition": {"StringEquals": bound},
    }


def topic_ordered(fault: Fault) -> Iterator[Repair]:
    """Make the trail wait for its topic."""
    link = topics.topic_link(fault.scenario, fault.resource)
    if link is not None and link.resource is not None:
        yield from waiting(fault.scenario, fault.resource, link.resource)


def publish_not_denied(fault: Fault) -> Iterator[Repair]:
    """Exempt CloudTrail from what is denied to everybody."""
    link = topics.topic_link(fault.scenario, fault.resource)
    topic = link.resource if link is not None else None
    if topic is None:
        return
    for policy in topics.policies_of(fault.scenario, topic):
        document = document_of(fault.scenario, policy, "PolicyDocument")
        if document is not None:
            yield from exempting(document, fault.found.node, f"Let CloudTrail publish to {bare(topic.id)}", SERVICE)
