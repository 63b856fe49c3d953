"""Puts a policy on the bucket of a trail that has none: the one that was meant for it, or a new one.

Two policies on one bucket are left to people: which statements of both shall stay, nobody else can tell.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Pieces, text_of, trim_start
from trailguard.cloudformation.scenarios.waiting import reaches
from trailguard.cloudformation.source.changes import Append, Change, Data, Put, Remove, Replace, at
from trailguard.cloudformation.source.nodes import MapNode
from trailguard.cloudformation.stacks.renaming import bare, number_of
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.accepted import misplaced_fact
from trailguard.trails.bucket.amending import CHECK, WRITE
from trailguard.trails.bucket.buckets import BUCKET_POLICY, LogBucket, log_bucket, policy_of
from trailguard.trails.bucket.guarding import EQUALS, companions
from trailguard.trails.bucket.wording import ACL, SERVICE, SOURCE_ACCOUNT, SOURCE_ARN, Words
from trailguard.trails.facts.names import bucket_name, same_name
from trailguard.trails.facts.phrases import written
from trailguard.trails.facts.policies import VERSION
from trailguard.trails.facts.repairs import Fault, Repair, chosen, free_name, making, root_of


def single_policy(fault: Fault) -> Iterator[Repair]:
    """Put a policy on the bucket of a trail."""
    bucket = log_bucket(fault.scenario, fault.resource)
    if bucket is None:
        return
    if not bucket.policies:
        yield from founded(fault, bucket)
    elif len(bucket.policies) == 1 and misplaced_fact(fault.scenario, bucket.policies[0]) is not None:
        yield from _placed(fault, bucket, bucket.policies[0])


def founded(fault: Fault, bucket: LogBucket) -> Iterator[Repair]:
    """The ways to a policy for a bucket that has none in the scenario."""
    if bucket.resource is None:
        return
    scenario = fault.scenario
    policies = scenario.model.template.of_type(BUCKET_POLICY)
    meant = next((one for one in policies if _is_about(fault, one, bucket)), None)
    if meant is None:
        yield from new_policy(Words(scenario, fault.resource, bucket, bucket.resource), bucket.resource)
    elif scenario.active(meant):
        yield from _placed(fault, bucket, meant)
    else:
        yield from _made(fault, bucket, meant)


def _is_about(fault: Fault, policy: Resource, bucket: LogBucket) -> bool:
    """Tell whether a policy names the bucket in what it grants, or is put on it, if it is made at all."""
    scenario = fault.scenario
    arn = requests.bucket_arn(scenario, bucket)
    read = policy_of(scenario, policy)
    texts = read.resource_texts() if read.unknown is None else []
    return any(_begins(text, arn) for text in texts) or (
        not scenario.active(policy) and same_name(scenario, _target(fault, policy), bucket.name)
    )


def _begins(text: Pieces, start: Pieces) -> bool:
    rest, beyond = trim_start(text, start)
    return not beyond and (not rest or str(rest[0]).startswith("/"))


def _target(fault: Fault, policy: Resource) -> Pieces:
    node = fault.scenario.property_node(policy, "Bucket")
    try:
        text = None if node is None else text_of(fault.scenario.resolve(node))
    except Unbuildable:
        text = None
    return () if text is None else bucket_name(text.pieces)


def _placed(fault: Fault, bucket: LogBucket, policy: Resource) -> Iterator[Repair]:
    """Put a policy that is meant for the bucket on it."""
    scenario = fault.scenario
    node = scenario.property_node(policy, "Bucket")
    name = Words(scenario, fault.resource, bucket, policy).name()
    if name is None:
        return
    place: Change = Put(at(policy.body), ("Properties", "Bucket"), written(name))
    if node is not None:
        place = Replace(at(scenario.unwrap(node) or node), written(name))
    title = f"Put {bare(policy.id)} on the bucket of {bare(fault.resource.id)}"
    unsafe = "" if node is None else chosen(scenario, node)
    yield Repair(title, (place,), unsafe)


def _made(fault: Fault, bucket: LogBucket, policy: Resource) -> Iterator[Repair]:
    """Make a policy of the bucket wherever the bucket is made."""
    for repair in made_always(policy, bucket.resource):
        yield repair._replace(changes=(*repair.changes, *_waits(fault, policy)))


def made_always(policy: Resource, bucket: Resource | None) -> Iterator[Repair]:
    """Give a policy the condition of its bucket, or none."""
    own = condition_of(bucket) if bucket is not None else ""
    if policy.condition is None or own is None or not condition_of(policy):
        return
    key = policy.body.keys["Condition"]
    place: Change = Replace(at(policy.body.values["Condition"]), own) if own else Remove(at(key))
    unsafe = f"condition {bare(policy.condition)} decides now whether there is a policy"
    yield Repair(f"Make {bare(policy.id)} wherever its bucket is made", (place,), unsafe)


def condition_of(resource: Resource) -> str | None:
    """The condition of a resource, as its own template calls it, "" for none; None for what is more than one name."""
    name = resource.condition
    if name is None or number_of(name) != number_of(resource.id):
        return ""
    return None if "+" in name else bare(name)


def _waits(fault: Fault, policy: Resource) -> Iterator[Change]:
    """Make the trail wait for a policy."""
    meeting = fault.scenario.model.stacks.meeting(fault.resource.id, policy.id)
    if meeting is not None and not reaches(fault.scenario, fault.resource, policy):
        waiter = fault.scenario.model.template.resources[meeting[0]]
        if not any(item.value == meeting[1] for item in waiter.depends_on()):
            yield Append(at(waiter.body), ("DependsOn",), bare(meeting[1]))


# --- a policy of its own ---------------------------------------------------------------------------------------------


def new_policy(words: Words, bucket: Resource, more: Sequence[Data] = ()) -> Iterator[Repair]:
    """A policy for a bucket that no policy is meant for, with some statements more than CloudTrail needs."""
    statements = standard_statements(words)
    if not statements:
        return
    document: dict[str, Data] = {"Version": VERSION, "Statement": [*statements, *more]}
    properties: dict[str, Data] = {"Bucket": {"Ref": bare(bucket.id)}, "PolicyDocument": document}
    wanted = bare(bucket.id) + "Policy"
    made = made_beside(words.scenario, bucket, wanted, BUCKET_POLICY, properties)
    if made is None:
        return
    name = free_name(words.scenario, bucket, wanted)
    waiting = (change for one in (words, *companions(words)) for change in _waiting(one, bucket, name))
    yield Repair(f"Add the bucket policy {name}", (made, *waiting))


def made_beside(
    scenario: Scenario, bucket: Resource, name: str, kind: str, properties: Data, **attributes: Data
) -> Change | None:
    """One resource more, which is made where a bucket is; None where that cannot be said."""
    condition, home = condition_of(bucket), root_of(scenario, bucket).node.values.get("Resources")
    if condition is None or not isinstance(home, MapNode) or bare(bucket.id) not in home.keys:
        return None  # a loop makes it, or a stack that is not always made
    body: dict[str, Data] = {"Type": kind, **({"Condition": condition} if condition else {}), **attributes}
    return making(scenario, bucket, name, {**body, "Properties": properties})


def _waiting(words: Words, bucket: Resource, policy: str) -> Iterator[Change]:
    """Make a trail wait for a new policy that stands beside the bucket."""
    scenario = words.scenario
    meeting = scenario.model.stacks.meeting(words.trail.id, bucket.id)
    if meeting is None:
        return
    waiter, awaited = (scenario.model.template.resources[name] for name in meeting)
    if awaited is bucket:
        yield Append(at(waiter.body), ("DependsOn",), policy)
    elif not reaches(scenario, waiter, awaited):
        yield Append(at(waiter.body), ("DependsOn",), bare(awaited.id))


def standard_statements(words: Words) -> list[Data]:
    """The statements of AWS's own policy for all trails of the bucket; none where they cannot be told there."""
    arn = words.arn()
    trails = [words, *companions(words)]
    said: dict[str, Data] = {}
    for one in trails:
        below = [one.below(owner, written) for owner in one.owners() or ()]
        if not below or None in below:
            return []
        said.update((repr(value), value) for values in below for value in values or ())
    bounds = dict.fromkeys(one.bound() for one in trails)
    if any(bound is None or bound[0] != SOURCE_ARN for bound in bounds):
        bounds = dict.fromkeys((SOURCE_ACCOUNT, own) if (own := one.account()) else None for one in trails)
    if arn is None or None in bounds:
        return []
    values = [written(bound[1]) for bound in bounds if bound is not None]
    key = next(bound[0] for bound in bounds if bound is not None)
    source: dict[str, Data] = {key: values[0] if len(values) == 1 else values}
    folders = list(said.values())
    check: dict[str, Data] = {"Sid": "AWSCloudTrailAclCheck", "Effect": "Allow", "Principal": SERVICE}
    write: dict[str, Data] = {"Sid": "AWSCloudTrailWrite", "Effect": "Allow", "Principal": SERVICE}
    check.update({"Action": CHECK, "Resource": written(arn), "Condition": {EQUALS: source}})
    asked = {ACL: requests.OWNER_ACL, **source}
    write.update(
        {"Action": WRITE, "Resource": folders[0] if len(folders) == 1 else folders, "Condition": {EQUALS: asked}}
    )
    return [check, write]
