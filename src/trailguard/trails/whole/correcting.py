"""Corrects what CloudFormation or CloudTrail refuses of a trail: misspelt properties, wrong words, missing values.

Only what has one obvious answer is corrected: which bucket, which name, which of two settings is meant is for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Text, text_of
from trailguard.cloudformation.source.changes import Data, Put, Remove, Rename, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, plain
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.errors import nearest
from trailguard.trails.bucket.reordering import waiting
from trailguard.trails.facts.facts import is_empty
from trailguard.trails.facts.repairs import (
    PROPERTIES,
    Fault,
    Repair,
    arn_of,
    name_of,
    put,
    same_stack,
    setting,
    together,
)
from trailguard.trails.watching.roles import ROLE
from trailguard.trails.whole import respelling
from trailguard.trails.whole.shape import TRAIL, Fields, Many, Truth, Word
from trailguard.trails.whole.wellformed import Met, is_attribute, is_returned, meant, walk

# What people write for a Boolean, in lower case.
_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "y", "on", "1", "enabled", "enable"), True),
    **dict.fromkeys(("false", "no", "n", "off", "0", "disabled", "disable"), False),
}
_TYPES: Mapping[str, str] = {
    "s3": "AWS::S3::Object",
    "lambda": "AWS::Lambda::Function",
    "dynamodb": "AWS::DynamoDB::Table",
}
_GROUP = "AWS::Logs::LogGroup"


# --- names of properties ----------------------------------------------------------------------------------------------


def property_names(fault: Fault) -> Iterator[Repair]:
    """Give a misspelt property the name that is meant, and put what is no property where it belongs."""
    key = fault.found.node
    home = _home(fault, key)
    if not isinstance(key, TextNode) or home is None:
        return
    written, fields = home
    name = key.value
    if is_attribute(name, fields):
        moved = Put(at(fault.resource.body), (name,), at(written.values[name]))
        if fault.resource.attribute(name) is None:
            yield Repair(f"Move {name} beside {PROPERTIES}", (moved, Remove(at(key))))
        return
    if is_returned(name, fields):
        yield Repair(f"Remove {name}", (Remove(at(key)),))
        return
    near = meant(name, fields)
    if near is not None and near not in written.values:
        yield Repair(f"Rename {name} to {near}", (Rename(at(key), near),))
    elif near is not None:
        same = plain(written.values[near]) == plain(written.values[name])
        yield Repair(f"Remove {name}", (Remove(at(key)),), "" if same else f"{near} says something else, and stays")


def _home(fault: Fault, key: Node) -> tuple[MapNode, Fields] | None:
    """The map in which a key is written, and what may stand in it."""
    properties = fault.scenario.unwrap(fault.resource.attribute(PROPERTIES))
    if isinstance(properties, MapNode) and any(one is key for one in properties.keys.values()):
        return properties, TRAIL
    for name in TRAIL.of:
        for met in walk(fault.scenario, fault.resource, name):
            node = met.value.node
            if isinstance(met.shape, Fields) and isinstance(node, MapNode) and key in node.keys.values():
                return node, met.shape
    return None


# --- values -----------------------------------------------------------------------------------------------------------


def values(fault: Fault) -> Iterator[Repair]:
    """Give a property what it takes, where it is clear what was meant."""
    node = fault.found.node
    met = next((met for name in TRAIL.of for met in walk(fault.scenario, fault.resource, name) if _is(met, node)), None)
    if met is None:
        return
    if isinstance(met.shape, (Truth, Word)):
        yield from _word(met)
    elif isinstance(met.shape, Many):
        yield from _list(met, met.shape)
    elif isinstance(met.value, MapValue):
        yield from _missing(met.value)


def _is(met: Met, node: Node) -> bool:
    return met.value.node is node


def _word(met: Met) -> Iterator[Repair]:
    node = met.value.node
    text = text_of(met.value)
    spelt = text.literal if text is not None else None
    items = met.value.items if isinstance(met.value, ListValue) else ()
    if len(items) == 1 and isinstance(node, ListNode):
        yield Repair(f"Take {_name(met)} out of the list", (Replace(at(node), at(node.items[0])),))
    if spelt is None or not isinstance(node, TextNode):
        return
    found: Data | None = None
    if isinstance(met.shape, Truth):
        found = _WORDS.get(spelt.strip().lower())
    elif isinstance(met.shape, Word) and met.shape.choices:
        folded = {choice.lower(): choice for choice in met.shape.choices}
        only = met.shape.choices[0] if len(met.shape.choices) == 1 else None
        found = folded.get(spelt.strip().lower()) or only or nearest(spelt, met.shape.choices)
    if found is not None:
        shown = str(found).lower() if isinstance(found, bool) else found
        yield Repair(f"Set {_name(met)} to {shown}", (Replace(at(node), found),))


def _name(met: Met) -> str:
    return met.where.partition(" ")[0]


def _list(met: Met, shape: Many) -> Iterator[Repair]:
    value, node = met.value, met.value.node
    if isinstance(value, (MapValue, Text)) and function_of(node) is None:
        yield Repair(f"Make {_name(met)} a list", (Replace(at(node), [at(node)]),))
    if not isinstance(value, ListValue) or not isinstance(node, ListNode):
        return
    if not value.items and shape.least:
        return
    seen: list[object] = []
    for item in node.items:
        told = plain(item)
        if shape.unique and told in seen:
            yield Repair(f"Remove what stands twice in {_name(met)}", (Remove(at(item)),))
        seen.append(told)


def _missing(value: MapValue) -> Iterator[Repair]:
    """The type of a data resource, where its values tell it."""
    listed = value.entries.get("Values")
    texts = [text_of(item) for item in listed.items] if isinstance(listed, ListValue) else []
    first = texts[0].pieces[0] if texts and texts[0] is not None and texts[0].pieces else ""
    parts = first.split(":") if isinstance(first, str) else []
    kind = _TYPES.get(parts[2]) if len(parts) > 2 else None
    if kind is not None and "Type" not in value.entries:
        yield Repair(f"Set Type to {kind}", (Put(at(value.node), ("Type",), kind),))


# --- what is required -------------------------------------------------------------------------------------------------


def required(fault: Fault) -> Iterator[Repair]:
    """Switch the trail on, and give it the one bucket that there is, whose policy it then waits for."""
    scenario, trail = fault.scenario, fault.resource
    parts: list[Repair] = []
    waits: list[Repair] = []
    if is_empty(scenario.value_of(trail, "IsLogging")):
        parts.append(next(setting(fault, "IsLogging", True)))
    if is_empty(scenario.value_of(trail, "S3BucketName")):
        policies = _near(fault, "AWS::S3::BucketPolicy")
        bucket = _only_bucket(fault, policies)
        if bucket is None:
            return
        parts.append(next(setting(fault, "S3BucketName", bucket))._replace(title="Deliver to the one bucket here"))
        waits = [repair for policy in policies for repair in waiting(scenario, trail, policy)]
    if parts:
        yield together([*parts, *waits])


def _only_bucket(fault: Fault, policies: Sequence[Resource]) -> Data | None:
    """How the trail names the bucket that the one policy of its stack is for, or the one bucket of it."""
    named = fault.scenario.property_node(policies[0], "Bucket") if len(policies) == 1 else None
    if named is not None:
        return at(named)
    made = _near(fault, "AWS::S3::Bucket")
    return name_of(fault.scenario, fault.resource, made[0]) if len(made) == 1 else None


def _near(fault: Fault, kind: str) -> list[Resource]:
    """The resources of a type that are made in the stack of the trail."""
    found = fault.scenario.model.template.of_type(kind)
    return [one for one in found if same_stack(fault.scenario, one, fault.resource) and fault.scenario.active(one)]


def global_events(fault: Fault) -> Iterator[Repair]:
    """Let a multi-Region trail include global service events."""
    node = fault.scenario.value_of(fault.resource, "IncludeGlobalServiceEvents").node
    yield from setting(fault._replace(found=fault.found._replace(node=node)), "IncludeGlobalServiceEvents", True)


# --- what excludes each other -----------------------------------------------------------------------------------------


def selector_kinds(fault: Fault) -> Iterator[Repair]:
    """Keep one kind of event selectors."""
    written = fault.scenario.unwrap(fault.resource.attribute(PROPERTIES))
    both = ("EventSelectors", "AdvancedEventSelectors")
    if not isinstance(written, MapNode) or any(name not in written.keys for name in both):
        return
    for name, other in (both, both[::-1]):
        yield Repair(f"Remove {name}", (Remove(at(written.keys[name])),), f"what {name} asks for and {other} does not")


def cloudwatch_pair(fault: Fault) -> Iterator[Repair]:
    """Name the one role, or the one log group, that there is for the other."""
    scenario, trail = fault.scenario, fault.resource
    for name, other, kind in (
        ("CloudWatchLogsRoleArn", "CloudWatchLogsLogGroupArn", ROLE),
        ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", _GROUP),
    ):
        if not is_empty(scenario.value_of(trail, name)) or is_empty(scenario.value_of(trail, other)):
            continue
        made = [one for one in scenario.model.template.of_type(kind) if _fits(fault, one)]
        arn = arn_of(scenario, trail, made[0]) if len(made) == 1 else None
        if arn is not None:
            written = scenario.property_node(trail, name)
            change = put(trail, name, arn) if written is None else Replace(at(written), arn)
            yield Repair(f"Set {name} to the ARN of {bare(made[0].id)}", (change,))
        written, test = scenario.property_node(trail, other), _condition_of(scenario.property_node(trail, name))
        if written is not None and test is not None:
            branches: list[Data] = [at(written), {"Ref": "AWS::NoValue"}]
            call: Data = {"Fn::If": [at(test[0]), *(branches if test[1] else branches[::-1])]}
            yield Repair(f"Set {other} where {name} is set", (Replace(at(written), call),))


def _condition_of(node: Node | None) -> tuple[Node, bool] | None:
    """The condition under which a property is set, and whether it must be true; None when there is none."""
    call = function_of(node) if node is not None else None
    if call is None or call[0] != "Fn::If" or not isinstance(call[1], ListNode) or len(call[1].items) != 3:
        return None
    test, yes, no = call[1].items
    removed = [plain(branch) == {"Ref": "AWS::NoValue"} for branch in (yes, no)]
    return (test, removed[1]) if removed.count(True) == 1 else None


def _fits(fault: Fault, one: Resource) -> bool:
    """Tell whether a log group, or a role that CloudTrail may be meant for, can be named by the trail."""
    scenario = fault.scenario
    if not same_stack(scenario, one, fault.resource) or not scenario.active(one):
        return False
    trust = one.attribute(PROPERTIES)
    return one.type == _GROUP or (trust is not None and "cloudtrail" in str(plain(trust)))


# --- names and ARNs ---------------------------------------------------------------------------------------------------


def names(fault: Fault) -> Iterator[Repair]:
    """Give a property the name or the ARN of what it refers to, whichever it takes."""
    scenario, trail, node = fault.scenario, fault.resource, fault.found.node
    name = next((name for name in _TAKES if scenario.value_of(trail, name).node is node), None)
    if name is None:
        yield from _made_bucket(fault)
        return
    ways = list(_from_text(fault, name, node)) if isinstance(node, TextNode) else []
    target = _target(fault, node)
    if target is not None:
        ways.append(_referred(name, node, target))
    if not ways and name in _SPELT:
        ways = list(respelling.named(node, name, *_SPELT[name]))
    if not ways:
        others = [one for one in _near(fault, _KINDS[name]) if one.type != ROLE or _fits(fault, one)]
        ways = [_referred(name, node, one, _GUESS) for one in others[:1] if len(others) == 1]
    yield from ways


def _made_bucket(fault: Fault) -> Iterator[Repair]:
    """Spell the name of the bucket that the trail refers to as S3 takes it."""
    for made in _near(fault, "AWS::S3::Bucket"):
        for name in ("BucketName", "BucketNamePrefix"):
            if fault.scenario.value_of(made, name).node is fault.found.node:
                yield from respelling.named(fault.found.node, name, respelling.bucket, 63)


_GUESS = "it is a guess that this is meant, because there is no other"


def _referred(name: str, node: Node, target: Resource, unsafe: str = "") -> Repair:
    """The name or the ARN of a resource, whichever a property takes, in place of what is there."""
    reference: Data = {"Ref": bare(target.id)}
    if _TAKES[name]:
        reference = {"Fn::GetAtt": [bare(target.id), "Arn"]}
    what = "the ARN" if _TAKES[name] else "the name"
    return Repair(f"Set {name} to {what} of {bare(target.id)}", (Replace(at(node), reference),), unsafe)


# Whether a property of the trail takes an ARN.
_TAKES: Mapping[str, bool] = {
    "S3BucketName": False,
    "CloudWatchLogsLogGroupArn": True,
    "CloudWatchLogsRoleArn": True,
    "SnsTopicName": False,
}
_SPELT: Mapping[str, tuple[Callable[[str], str], int]] = {
    "S3BucketName": (respelling.bucket, 63),
    "SnsTopicName": (respelling.topic, 256),
}
_KINDS: Mapping[str, str] = {
    "S3BucketName": "AWS::S3::Bucket",
    "CloudWatchLogsLogGroupArn": _GROUP,
    "CloudWatchLogsRoleArn": ROLE,
    "SnsTopicName": "AWS::SNS::Topic",
}


def _from_text(fault: Fault, name: str, node: TextNode) -> Iterator[Repair]:
    """What a text is meant to be in which `${...}` is not filled in, or which is a logical ID."""
    template = fault.scenario.model.template
    if "${" in node.value:
        yield Repair(f"Let Fn::Sub fill in {name}", (Replace(at(node), {"Fn::Sub": bare(node.value)}),))
        return
    resource = template.resources.get(node.value)
    if resource is not None and resource.type == _KINDS[name]:
        value: Data = {"Fn::GetAtt": [node.value, "Arn"]} if _TAKES[name] else {"Ref": node.value}
        yield Repair(f"Refer to {node.value}", (Replace(at(node), value),))
    elif node.value in template.parameters:
        yield Repair(f"Refer to parameter {node.value}", (Replace(at(node), {"Ref": node.value}),))


def _target(fault: Fault, node: Node) -> Resource | None:
    """The one resource that is referred to, if it is of the kind that belongs there."""
    template = fault.scenario.model.template
    wanted = next(kind for name, kind in _KINDS.items() if fault.scenario.value_of(fault.resource, name).node is node)
    named = {name for name, _ in fault.scenario.model.stacks.references(node) if name in template.resources}
    resources = [template.resources[name] for name in named]
    if len(resources) != 1 or resources[0].type != wanted:
        return None
    return resources[0]


def trail_name(fault: Fault) -> Iterator[Repair]:
    """Spell the trail's name as CloudTrail takes it."""
    yield from respelling.named(fault.found.node, "TrailName", respelling.trail, 128)


def name_of_its_own(fault: Fault) -> Iterator[Repair]:
    """Leave the second of two equal names out, so that CloudFormation makes one."""
    written = fault.scenario.unwrap(fault.resource.attribute(PROPERTIES))
    if isinstance(written, MapNode) and "TrailName" in written.keys:
        unsafe = "CloudFormation then makes a name for the trail"
        yield Repair("Remove TrailName", (Remove(at(written.keys["TrailName"])),), unsafe)
