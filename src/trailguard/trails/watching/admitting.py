"""Lets a trail's events reach its log group, and its messages its topic: names, roles, policies, and the order.

Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html,
cloudtrail-permissions-for-sns-notifications.html, and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.source.changes import Append, Change, Data, Replace, at
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode, plain
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.trails.bucket.reordering import waiting
from trailguard.trails.bucket.requests import SERVICE
from trailguard.trails.facts.facts import is_empty
from trailguard.trails.facts.policies import VERSION, Document, document_at, document_of, exempting
from trailguard.trails.facts.repairs import (
    PROPERTIES,
    Fault,
    Repair,
    append,
    arn_of,
    decided,
    same_stack,
    setting,
    together,
)
from trailguard.trails.key import granting, keys
from trailguard.trails.watching import logs, topics, writing
from trailguard.trails.watching.roles import MANAGED_POLICY, ROLE, permissions

_TRUST: dict[str, Data] = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
_REPLACED = "a log group of another class is another log group"


_CHARGED = "CloudWatch Logs charges for the events that it takes in"


# --- the log group ----------------------------------------------------------------------------------------------------


def sent(fault: Fault) -> Iterator[Repair]:
    """Send the events to the one log group there is, with the one role that CloudTrail may assume."""
    scenario, trail = fault.scenario, fault.resource
    groups, roles = (
        [one for one in scenario.model.template.of_type(kind) if _is_at_hand(scenario, trail, one)]
        for kind in (logs.GROUP, ROLE)
    )
    parts: list[Repair] = []
    for name, found in ((logs.GROUP_ARN, groups), (writing.ROLE_ARN, roles)):
        arn = arn_of(scenario, trail, found[0]) if len(found) == 1 else None
        if arn is None:
            return
        if is_empty(scenario.value_of(trail, name)):
            title = f"Set {name} to the ARN of {bare(found[0].id)}"
            parts.append(next(setting(fault, name, arn, _CHARGED))._replace(title=title))
    if parts:
        yield together(parts)


def _is_at_hand(scenario: Scenario, trail: Resource, made: Resource) -> bool:
    """Tell whether the trail can refer to a log group, or to a role that names CloudTrail."""
    if not same_stack(scenario, trail, made) or not scenario.active(made):
        return False
    trust = made.attribute(PROPERTIES)
    return made.type == logs.GROUP or (trust is not None and SERVICE in str(plain(trust)))


def group_arn(fault: Fault) -> Iterator[Repair]:
    """Name the log group by its ARN, with one `:*` at the end."""
    scenario, trail, node = fault.scenario, fault.resource, fault.found.node
    link = logs.log_group_link(scenario, trail)
    if link is not None and link.resource is not None:
        arn = arn_of(scenario, trail, link.resource)
        if arn is not None:
            title = f"Set {logs.GROUP_ARN} to the ARN of {bare(link.resource.id)}"
            yield Repair(title, (Replace(at(node), arn),), decided(scenario, node) if _is_call(node, "Ref") else "")
    call = function_of(node)
    text = call[1] if call is not None and call[0] == "Fn::Sub" else node
    if isinstance(text, TextNode):
        spelt = bare(text.value)
        if "${" in spelt and call is None:
            yield Repair(f"Let Fn::Sub fill in {logs.GROUP_ARN}", (Replace(at(node), {"Fn::Sub": spelt}),))
        whole = spelt
        while whole.endswith(":*"):
            whole = whole.removesuffix(":*")
        if f"{whole}:*" != spelt and ":log-group:" in spelt:
            yield Repair(f"End {logs.GROUP_ARN} in :*", (Replace(at(text), f"{whole}:*"),))


def _is_call(node: Node, name: str) -> bool:
    call = function_of(node)
    return call is not None and call[0] == name


def group_here(fault: Fault) -> Iterator[Repair]:
    """Name the log group that is made here by a reference."""
    link = logs.log_group_link(fault.scenario, fault.resource)
    if link is not None and link.resource is not None:
        yield from _referred(fault, logs.GROUP_ARN, link.resource)


def group_class(fault: Fault) -> Iterator[Repair]:
    """Make the log group one that keeps events."""
    link = logs.log_group_link(fault.scenario, fault.resource)
    if link is not None and link.resource is not None:
        yield from setting(fault._replace(resource=link.resource), "LogGroupClass", "STANDARD", _REPLACED)


def group_key(fault: Fault) -> Iterator[Repair]:
    """Let CloudWatch Logs use the key of the log group."""
    scenario = fault.scenario
    link = logs.log_group_link(scenario, fault.resource)
    group = link.resource if link is not None else None
    if group is None:
        return
    about = fault._replace(resource=group)
    named = keys.key_of(scenario, group)
    key = named.link.resource if named is not None else None
    if key is None:
        return
    arn: Data = {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"}
    statement: dict[str, Data] = {
        "Effect": "Allow",
        "Principal": {"Service": {"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
    }
    ways = _usable(about, key, statement, "CloudWatch Logs", "CloudWatchLogs")
    yield from _addressed(about, "KmsKeyId", ways)


def _addressed(fault: Fault, name: str, ways: Iterator[Repair]) -> Iterator[Repair]:
    """The ways to open a key, behind that of naming it by a reference where its name is what is at fault."""
    if fault.found.node is not fault.scenario.value_of(fault.resource, name).node:
        yield from ways
        return
    for reference in granting.address(fault):
        yield reference
        yield from (together([reference, way]) for way in ways)


def _usable(fault: Fault, key: Resource, statement: dict[str, Data], user: str, sid: str) -> Iterator[Repair]:
    """Let somebody use a key that is disabled, of another kind, or says so in its policy."""
    node = fault.found.node
    for name, value, unsafe in (
        ("Enabled", True, ""),
        ("KeySpec", "SYMMETRIC_DEFAULT", granting.REPLACED),
        ("KeyUsage", "ENCRYPT_DECRYPT", granting.REPLACED),
    ):
        if fault.scenario.property_node(key, name) is not None and fault.scenario.value_of(key, name).node is node:
            values: dict[str, Data] = {name: value} if name == "Enabled" else dict(granting.SYMMETRIC)
            yield from granting.settings_of(fault, key, values, unsafe)
            return
    yield from granting.granting(fault, key, [statement], f"Let {user} use {bare(key.id)}", sid)


# --- the role ---------------------------------------------------------------------------------------------------------


def role_arn(fault: Fault) -> Iterator[Repair]:
    """Name the role that is made here by its ARN."""
    link = writing.role_link(fault.scenario, fault.resource)
    if link is not None and link.resource is not None:
        yield from _referred(fault, writing.ROLE_ARN, link.resource)


def _referred(fault: Fault, name: str, target: Resource) -> Iterator[Repair]:
    scenario, trail = fault.scenario, fault.resource
    arn, written = arn_of(scenario, trail, target), scenario.property_node(trail, name)
    if arn is not None and written is not None:
        title = f"Set {name} to the ARN of {bare(target.id)}"
        yield Repair(title, (Replace(at(fault.found.node), arn),), decided(scenario, fault.found.node))


def role_trusts(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail assume the role."""
    link = writing.role_link(fault.scenario, fault.resource)
    role = link.resource if link is not None else None
    document = None if role is None else document_of(fault.scenario, role, "AssumeRolePolicyDocument")
    if role is None or document is None:
        return
    title = f"Let CloudTrail assume {bare(role.id)}"
    yield from exempting(document, fault.found.node, title, SERVICE)
    yield Repair(title, (document.adding(_TRUST, "AWSCloudTrailAssumeRole"),))


def role_permits(fault: Fault) -> Iterator[Repair]:
    """Let the role write to the log group of the trail."""
    scenario, trail = fault.scenario, fault.resource
    link = writing.role_link(scenario, trail)
    role = link.resource if link is not None else None
    if role is None:
        return
    title = f"Let {bare(role.id)} write to the log group of {bare(trail.id)}"
    for owner, document in _documents(scenario, role, "boundary of" in fault.found.because):
        arn = _group_for(scenario, owner, trail)
        if arn is None:
            continue
        yield from _widened(document, arn, title)
        statement: dict[str, Data] = {"Effect": "Allow", "Action": list(writing.ACTIONS), "Resource": arn}
        yield Repair(title, (document.adding(statement, "AWSCloudTrailWriteLogs"),))
        return
    arn = _group_for(scenario, role, trail)
    if arn is not None:
        policy: Data = {
            "PolicyName": "cloudtrail-to-logs",
            "PolicyDocument": {
                "Version": VERSION,
                "Statement": [{"Effect": "Allow", "Action": list(writing.ACTIONS), "Resource": arn}],
            },
        }
        yield Repair(title, (append(role, "Policies", policy),))


def _group_for(scenario: Scenario, here: Resource, trail: Resource) -> Data | None:
    """The ARN of the trail's log group as a policy says it."""
    link = logs.log_group_link(scenario, trail)
    if link is not None and link.resource is not None:
        return arn_of(scenario, here, link.resource)
    written = scenario.unwrap(scenario.property_node(trail, logs.GROUP_ARN))
    return at(written) if written is not None and same_stack(scenario, here, trail) else None


def _documents(scenario: Scenario, role: Resource, of_boundary: bool) -> Iterator[tuple[Resource, Document]]:
    """The documents that say what a role may do, first those that speak of logs already; or that of its boundary."""
    found: list[tuple[Resource, Document]] = []
    template = scenario.model.template
    if of_boundary:
        named = scenario.property_node(role, "PermissionsBoundary")
        for policy in template.of_type(MANAGED_POLICY):
            call = function_of(named) if named is not None else None
            meant = call is not None and isinstance(call[1], TextNode) and call[1].value == policy.id
            document = document_of(scenario, policy, "PolicyDocument") if meant else None
            if document is not None:
                yield policy, document
        return
    written = scenario.unwrap(scenario.property_node(role, "Policies"))
    for item in getattr(written, "items", ()):
        inner = scenario.unwrap(item)
        document = document_at(scenario, inner.values.get("PolicyDocument")) if isinstance(inner, MapNode) else None
        if document is not None:
            found.append((role, document))
    for policy in permissions(scenario, role).attached:
        document = document_of(scenario, policy, "PolicyDocument")
        if document is not None:
            found.append((policy, document))
    found.sort(key=lambda pair: not any("logs:" in str(one) for one in pair[1].statements))
    yield from found


def _widened(document: Document, arn: Data, title: str) -> Iterator[Repair]:
    """Let a statement that grants one of the two calls grant both, or grant them on the log group too."""
    for one in document.nodes:
        said = plain(one) if isinstance(one, MapNode) and function_of(one) is None else {}
        listed = said.get("Action", [])
        actions = listed if isinstance(listed, list) else [listed]
        if said.get("Effect") != "Allow" or not set(actions) & set(writing.ACTIONS):
            continue
        missing = [action for action in writing.ACTIONS if action not in actions]
        if missing:
            yield Repair(f"{title}: {missing[0]}", tuple(Append(at(one), ("Action",), action) for action in missing))
        if "Resource" in said and "Condition" not in said and isinstance(one, MapNode):
            changes: list[Change] = [Append(at(one), ("Action",), action) for action in missing]
            yield Repair(title, (*changes, Append(at(one), ("Resource",), arn)))
        return


def ordered(fault: Fault) -> Iterator[Repair]:
    """Make the trail refer to what it names as text, and wait for the policies without which its role may not write."""
    scenario, trail = fault.scenario, fault.resource
    links = (
        (logs.GROUP_ARN, logs.log_group_link(scenario, trail)),
        (writing.ROLE_ARN, writing.role_link(scenario, trail)),
    )
    referred: list[Repair] = []
    awaited: list[Repair] = []
    for name, link in links:
        made = link.resource if link is not None else None
        if made is None or link is None or reaches(scenario, trail, made):
            continue
        arn, late = arn_of(scenario, trail, made), list(waiting(scenario, trail, made))
        title = f"Set {name} to the ARN of {bare(made.id)}"
        own = [] if arn is None else [Repair(title, (Replace(at(link.node), arn),), decided(scenario, link.node))]
        referred += own or late
        awaited += late
    role = links[1][1].resource if links[1][1] is not None else None
    for policy in permissions(scenario, role).attached if role is not None else ():
        late = list(waiting(scenario, trail, policy)) if not reaches(scenario, trail, policy) else []
        referred += late
        awaited += late
    for ways in (referred, awaited):
        if ways:
            yield together(ways)


# --- the topic --------------------------------------------------------------------------------------------------------


def topic_key(fault: Fault) -> Iterator[Repair]:
    """Let CloudTrail encrypt its messages with the key of the topic."""
    link = topics.topic_link(fault.scenario, fault.resource)
    topic = link.resource if link is not None else None
    named = keys.key_of(fault.scenario, topic) if topic is not None else None
    key = named.link.resource if named is not None else None
    if topic is None or key is None:
        return
    about = fault._replace(resource=topic)
    statement: dict[str, Data] = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*",
    }
    ways = _usable(about, key, statement, "CloudTrail", "AWSCloudTrailEncryptMessages")
    yield from _addressed(about, "KmsMasterKeyId", ways)
