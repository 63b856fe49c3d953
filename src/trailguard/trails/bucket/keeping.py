"""Makes the bucket of a trail keep the logs, and be found: versions, retention, an output with its name.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Value, text_of
from trailguard.cloudformation.source.changes import At, Change, Data, Put, Rename, Replace, at
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.policy import Statement
from trailguard.trails.bucket.archive import expiries
from trailguard.trails.bucket.buckets import BUCKET, BUCKET_POLICY, policies_on, policy_of
from trailguard.trails.bucket.exposure import BLOCK, SETTINGS
from trailguard.trails.bucket.founding import condition_of, made_beside
from trailguard.trails.facts.names import same_name
from trailguard.trails.facts.phrases import Name, may_be_nothing, phrase_of
from trailguard.trails.facts.policies import VERSION
from trailguard.trails.facts.properties import entry
from trailguard.trails.facts.repairs import PROPERTIES, Fault, Repair, chosen, decided, free_name, root_of, same_stack
from trailguard.trails.facts.ways import placed, set_below, walk

_LOGGED = ("LoggingConfiguration", "DestinationBucketName")
_LOGGER = "logging.s3.amazonaws.com"
_LOGS = "the access logs cost storage"
_COSTS = "the former versions that are kept cost storage"
_CHOSEN = "somebody chose how long log files are kept, and what is kept longer costs storage"
_DAYS, _DATE = "ExpirationInDays", "ExpirationDate"


def access_logged(fault: Fault) -> Iterator[Repair]:
    """Log accesses to the bucket that is named wrongly, else to one that takes such logs already."""
    scenario, bucket = fault.scenario, fault.resource
    end, rest = walk(scenario, bucket.body, (PROPERTIES, *_LOGGED))
    buckets = [one for one in scenario.model.template.of_type(BUCKET) if one is not bucket]
    near = [one for one in buckets if same_stack(scenario, one, bucket) and scenario.active(one)]
    said = phrase_of(end) if not rest else None
    named = next((one for one in near if said in ((one.id,), (bare(one.id),), (Name(f"{one.id}.Arn"),))), None)
    if named is not None:
        yield Repair(f"Name {bare(named.id)} by Ref", (Replace(at(end), {"Ref": bare(named.id)}),))
        return
    taking = next((one for one in near if _takes_logs(fault, one) and one.condition in (None, bucket.condition)), None)
    if taking is not None:
        yield from set_below(fault, _LOGGED, {"Ref": bare(taking.id)}, _LOGS)
    elif rest or may_be_nothing(end) or _is_itself(fault, end):
        yield from _new_bucket(fault)


def _is_itself(fault: Fault, node: Node) -> bool:
    """Tell whether a node is the name of the bucket itself, and nobody's choice."""
    scenario = fault.scenario
    text = text_of(scenario.resolve(node))
    own = scenario.returned_pieces(fault.resource, "Ref")
    return text is not None and not chosen(scenario, node) and same_name(scenario, text.pieces, own)


def _new_bucket(fault: Fault) -> Iterator[Repair]:
    """A bucket for the access logs, which takes them from this one alone.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    scenario, bucket = fault.scenario, fault.resource
    wanted = bare(bucket.id) + "AccessLogs"
    name = free_name(scenario, bucket, wanted)
    grant: Data = {
        "Sid": "S3ServerAccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": _LOGGER},
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": f"${{{name}.Arn}}/*"},
        "Condition": {
            "ArnLike": {"aws:SourceArn": {"Fn::GetAtt": [bare(bucket.id), "Arn"]}},
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        },
    }
    block: Data = {BLOCK: dict.fromkeys(SETTINGS, True)}
    document: Data = {"Bucket": {"Ref": name}, "PolicyDocument": {"Version": VERSION, "Statement": [grant]}}
    kept: Mapping[str, Data] = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    changes = (
        placed(scenario, bucket.body, (PROPERTIES, *_LOGGED), {"Ref": name}),
        made_beside(scenario, bucket, wanted, BUCKET, block, **kept),
        made_beside(scenario, bucket, wanted + "Policy", BUCKET_POLICY, document),
    )
    made = tuple(change for change in changes if change is not None)
    if len(made) == len(changes):
        yield Repair(f"Log accesses to a bucket of their own, {name}", made, f"one more bucket, and {_LOGS}")


def _takes_logs(fault: Fault, other: Resource) -> bool:
    """Tell whether accesses to some bucket are logged to another one, or its ACL or policy is there for that."""
    scenario = fault.scenario
    acl = scenario.property_node(other, "AccessControl")
    if isinstance(acl, TextNode) and acl.value == "LogDeliveryWrite":
        return True
    policies = (
        policy_of(scenario, one) for one in policies_on(scenario, scenario.returned_pieces(other, "Ref"), other)
    )
    if any(_is_for_logs(statement) for policy in policies for statement in policy.possible):
        return True
    for one in scenario.model.template.of_type(BUCKET):
        end, rest = walk(scenario, one.body, (PROPERTIES, *_LOGGED))
        if not rest and one is not other and phrase_of(end) == (Name(other.id),):
            return True
    return False


def _is_for_logs(statement: Statement) -> bool:
    callers = statement.principal.callers if statement.principal is not None else ()
    return any(caller.text.literal == _LOGGER for caller in callers)


def versioned(fault: Fault) -> Iterator[Repair]:
    """Keep former versions."""
    yield from set_below(fault, ("VersioningConfiguration", "Status"), "Enabled", _COSTS)


def kept_days(fault: Fault) -> Iterator[Repair]:
    """Let the lifecycle rules that delete log files too early do so later."""
    minimum = fault.must.get("minimum")
    if not isinstance(minimum, (int, float)):
        return
    days = math.ceil(minimum)
    rules = entry(fault.scenario, fault.resource, "LifecycleConfiguration", "Rules")
    early = [one for one in expiries(fault.scenario, fault.resource, rules, [minimum]) if one.days < minimum]
    changes: list[Change] = []
    reasons: list[str] = []
    for one in early:
        if one.doubt is None:
            key = _key_of(rules, one.node, _DATE)
            changes += [Replace(at(one.node), days), *([] if key is None else [Rename(key, _DAYS)])]
            reasons.append(decided(fault.scenario, one.node))
    if changes:
        told = "; ".join(dict.fromkeys(reason for reason in (_CHOSEN, *reasons) if reason))
        yield Repair(f"Delete log files after {days} days at the earliest", tuple(changes), told)


def _key_of(rules: Value, node: object, name: str) -> At | None:
    """The key of a lifecycle rule under which a value stands, if it has a name."""
    for rule in rules.items if isinstance(rules, ListValue) else ():
        if isinstance(rule, MapValue) and name in rule.entries and rule.entries[name].node is node:
            return at(rule.keys[name])
    return None


def name_exported(fault: Fault) -> Iterator[Repair]:
    """Give the bucket's name in an output."""
    scenario, bucket = fault.scenario, fault.resource
    home, condition = root_of(scenario, bucket), condition_of(bucket)
    if condition is None:
        return
    section = home.node.values.get("Outputs")
    wanted = bare(bucket.id) + "Name"
    taken = section.values if isinstance(section, MapNode) else {}
    name = next(one for one in (f"{wanted}{number or ''}" for number in range(len(taken) + 1)) if one not in taken)
    output: dict[str, Data] = {"Condition": condition} if condition else {}
    output["Value"] = {"Ref": bare(bucket.id)}
    yield Repair(f"Add the output {name}", (Put(home.at, ("Outputs", name), output),))
