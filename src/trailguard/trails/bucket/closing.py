"""Closes the bucket of a trail to the public, and to whoever asks without encryption on the way.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html (encryption in transit)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent
from trailguard.cloudformation.source.changes import Change, Data, Put, Remove, at
from trailguard.cloudformation.source.nodes import MapNode, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.policy import Policy, Statement
from trailguard.trails.bucket import requests
from trailguard.trails.bucket.buckets import BUCKET_POLICY, LogBucket, log_bucket, policies_on, policy_of
from trailguard.trails.bucket.exposure import BLOCK, SETTINGS
from trailguard.trails.bucket.founding import made_always, new_policy, standard_statements
from trailguard.trails.bucket.guarding import is_for_cloudtrail
from trailguard.trails.bucket.strangers import lets_strangers_in
from trailguard.trails.bucket.wording import SERVICE, Words, arn_phrase
from trailguard.trails.facts.facts import boolean
from trailguard.trails.facts.phrases import Phrase, joined, written
from trailguard.trails.facts.properties import step_into
from trailguard.trails.facts.repairs import PROPERTIES, Fault, Repair, decided, setting
from trailguard.trails.facts.statements import Paper, new_sid, paper_of
from trailguard.trails.facts.ways import placed, walk

TRAIL = "AWS::CloudTrail::Trail"
_ACL = "AccessControl"
_LOST = "somebody loses what the template grants"
_IF_EXISTS = "IfExists"
_HTTP: Data = {"Bool": {"aws:SecureTransport": "false"}}


# --- to the public ---------------------------------------------------------------------------------------------------


def public_acl(fault: Fault) -> Iterator[Repair]:
    """Take a public ACL away."""
    node = fault.scenario.property_node(fault.resource, _ACL)
    properties = fault.scenario.unwrap(fault.resource.attribute(PROPERTIES))
    if isinstance(node, TextNode) and isinstance(properties, MapNode):
        yield Repair("Remove the public ACL", (Remove(at(properties.keys[_ACL])),), _LOST)
    else:
        yield from setting(fault, _ACL, "Private", _LOST)


def public_statement(fault: Fault) -> Iterator[Repair]:
    """Take what a policy grants to everybody away, or give it to CloudTrail alone where it is meant for that."""
    for policy, paper in _papers(fault):
        open_ones = [one for one in policy.statements if lets_strangers_in(fault.scenario, policy, one).is_yes]
        ways = [next(_closed(paper, one), None) for one in open_ones]
        told = dict.fromkeys(way.title for way in ways if way is not None)
        if open_ones and None not in ways:
            yield Repair("; ".join(told), tuple(change for way in ways if way is not None for change in way.changes))
        if len(policy.statements) > len(open_ones) > 0:
            changes = tuple(paper.remove(one) for one in open_ones)
            yield Repair(f"Remove {', '.join(one.label for one in open_ones)}", changes, _LOST)
        elif open_ones:
            yield from _without(fault, paper)


def _without(fault: Fault, paper: Paper) -> Iterator[Repair]:
    """Do without a policy that says nothing else, or let it say what CloudTrail needs."""
    words = _words(fault, paper.resource)
    statements = standard_statements(words) if words is not None and not paper.in_text else []
    if statements:
        title = f"Let {bare(paper.resource.id)} grant CloudTrail what it needs, and nobody else anything"
        yield Repair(title, (Put(paper.root(), ("Statement",), statements),), _LOST)
    else:
        yield Repair(f"Remove {bare(paper.resource.id)}", (Remove(at(paper.resource.key)),), _LOST)


def _closed(paper: Paper, statement: Statement) -> Iterator[Repair]:
    """Close a statement to strangers, and to nobody else."""
    if is_for_cloudtrail(statement) and statement.principal is not None and not statement.principal.negated:
        title = f"Name the service principal {requests.SERVICE}"
        yield Repair(title, (paper.put(statement, ("Principal",), SERVICE),))
    names = dict.fromkeys(one.operator for one in statement.clauses if one.operator.endswith(_IF_EXISTS))
    if names:
        renamed = (paper.rename(statement, ("Condition", name), name.removesuffix(_IF_EXISTS)) for name in names)
        yield Repair(f"Let nobody pass the condition of {statement.label} without its key", tuple(renamed))


def not_unblocked(fault: Fault) -> Iterator[Repair]:
    """Switch the settings of the public access block on that are switched off."""
    yield from _switched_on(fault, [name for name in SETTINGS if _setting(fault, name) is False])


def blocks_public(fault: Fault) -> Iterator[Repair]:
    """Switch all settings of the public access block on."""
    yield from _switched_on(fault, [name for name in SETTINGS if _setting(fault, name) is not True])


def _setting(fault: Fault, name: str) -> object:
    return boolean(fault.scenario, step_into(fault.scenario.value_of(fault.resource, BLOCK), name))


def _switched_on(fault: Fault, names: Sequence[str]) -> Iterator[Repair]:
    scenario, body = fault.scenario, fault.resource.body
    whole = (PROPERTIES, BLOCK)
    if isinstance(scenario.value_of(fault.resource, BLOCK), Absent):
        settings: dict[str, Data] = dict.fromkeys(names, True)
        yield Repair("Block public access in all four ways", (placed(scenario, body, whole, settings),))
        return
    ends = [walk(scenario, body, (*whole, name)) for name in names]
    reasons = [decided(scenario, node) for node, rest in ends if not rest]
    changes = tuple(placed(scenario, body, (*whole, name), True) for name in names)
    yield Repair(f"Set {', '.join(names)} to true", changes, next(filter(None, reasons), ""))


# --- to plain HTTP ---------------------------------------------------------------------------------------------------


def tls_only(fault: Fault) -> Iterator[Repair]:
    """Deny whatever is asked over plain HTTP."""
    scenario, bucket = fault.scenario, fault.resource
    for policy, paper in _papers(fault):
        arn = arn_phrase(scenario, _as_log_bucket(fault), paper.resource, policy)
        if arn is None:
            continue
        places: list[Phrase] = [arn, joined(*arn, "/*")]
        values = [paper.say(place) for place in places]
        if None in values:
            continue
        for statement in _about_http(policy):
            changes = tuple(_completed(fault, paper, statement, values))
            if changes:
                yield Repair(f"Let {statement.label} deny plain HTTP to everybody, in the whole bucket", changes)
                break
        sid = new_sid(policy, "DenyInsecureTransport")
        yield Repair("Add a statement that denies plain HTTP", (paper.new({**sid, **_denying(values)}),))
    if not policies_on(scenario, scenario.returned_pieces(bucket, "Ref"), bucket):
        yield from _new_policy(fault)


def _denying(places: Sequence[Data]) -> dict[str, Data]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": list(places), "Condition": _HTTP}


def _about_http(policy: Policy) -> list[Statement]:
    return [
        one
        for one in policy.statements
        if one.effect is not None
        and one.effect.literal == "Deny"
        and any(clause.name == "aws:securetransport" for clause in one.clauses)
    ]


def _completed(fault: Fault, paper: Paper, statement: Statement, places: Sequence[Data]) -> Iterator[Change]:
    """What a Deny about plain HTTP lacks: the part at fault is where the fact was found."""
    wanted: dict[str, Data] = {"Principal": "*", "Action": "s3:*", "Resource": list(places)}
    for name, value in wanted.items() if not paper.in_text else ():
        for spelling in (name, f"Not{name}"):
            element = statement.elements.get(spelling)
            if element is None or element.node is not fault.found.node:
                continue
            yield paper.put(statement, (spelling,), value)
            if spelling != name:
                yield paper.rename(statement, (spelling,), name)
    condition = statement.elements.get("Condition")
    if condition is not None and condition.node is fault.found.node and not paper.in_text:
        for clause in statement.clauses:
            if clause.name == "aws:securetransport" and clause.operator.startswith("Bool"):
                yield paper.put(statement, ("Condition", clause.operator, clause.key), "false")


def _new_policy(fault: Fault) -> Iterator[Repair]:
    """A policy for a bucket that has none, with what CloudTrail needs."""
    scenario, bucket = fault.scenario, fault.resource
    for policy in scenario.model.template.of_type(BUCKET_POLICY):
        node = scenario.property_node(policy, "Bucket")
        if not scenario.active(policy) and node is not None and _names(scenario, policy, bucket):
            yield from made_always(policy, bucket)
            return
    words = _words(fault, bucket)
    arn = None if words is None else words.arn()
    if words is not None and arn is not None:
        statement = {"Sid": "DenyInsecureTransport", **_denying([written(arn), written(joined(*arn, "/*"))])}
        yield from new_policy(words, bucket, [statement])


def _names(scenario: Scenario, policy: Resource, bucket: Resource) -> bool:
    """Tell whether a policy that is not made here names the bucket in what it says."""
    arn = scenario.returned_pieces(bucket, "Arn")
    read = policy_of(scenario, policy)
    return read.unknown is None and any(text[: len(arn)] == arn for text in read.resource_texts())


# --- both ------------------------------------------------------------------------------------------------------------


def _papers(fault: Fault) -> Iterator[tuple[Policy, Paper]]:
    """The policies of the bucket, with all that they may say, and how they were written."""
    scenario = fault.scenario
    for resource in policies_on(
        scenario, scenario.returned_pieces(fault.resource, "Ref"), fault.resource, closely=True
    ):
        policy, paper = policy_of(scenario, resource), paper_of(scenario, resource)
        if paper is not None and policy.unknown is None:
            yield policy if policy.draft is None else policy._replace(certain=policy.possible, draft=None), paper


def _words(fault: Fault, here: Resource) -> Words | None:
    """The words for a trail that delivers into the bucket; None without one."""
    scenario = fault.scenario
    for trail in scenario.model.template.of_type(TRAIL):
        found = log_bucket(scenario, trail) if scenario.active(trail) else None
        if found is not None and found.resource is fault.resource:
            return Words(scenario, trail, found, here)
    return None


def _as_log_bucket(fault: Fault) -> LogBucket:
    bucket = fault.resource
    return LogBucket(fault.scenario.returned_pieces(bucket, "Ref"), bucket.key, bucket, (), None)
