"""The subjects that rules are about, and the facts that can be known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.nodes import MapNode
from trailguard.cloudformation.stacks.exchanges import Taken
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.bucket import delivery, exposure, ordering, recipients
from trailguard.trails.bucket.buckets import bucket_link, log_bucket
from trailguard.trails.facts.facts import Fact, FactSpec
from trailguard.trails.facts.links import LinkFinder
from trailguard.trails.facts.lists import by_item
from trailguard.trails.facts.properties import NOTHING, Wanted, attribute_fact, property_fact
from trailguard.trails.key import encryption
from trailguard.trails.observing import PLACES
from trailguard.trails.recording import insights, recording
from trailguard.trails.recording.selectors import SELECTORS
from trailguard.trails.watching import groupkey, logs, topics, writing
from trailguard.trails.whole import deployable, documents, portability, unseen, validity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.trails.facts.repairs import Fault, Repair

TRAIL = "AWS::CloudTrail::Trail"
EVENT_DATA_STORE = "AWS::CloudTrail::EventDataStore"

# The subjects with a name of their own; any resource type can be a subject too. A rule about a bucket is about one that
# a trail delivers to, and so on along the chain; a rule about AWS::S3::Bucket is about every bucket.
DEFAULT_SUBJECTS: Mapping[str, str] = {
    "trail": TRAIL,
    "event_data_store": EVENT_DATA_STORE,
    "bucket": "AWS::S3::Bucket",
    "key": "AWS::KMS::Key",
    "log_group": "AWS::Logs::LogGroup",
    "topic": "AWS::SNS::Topic",
}

# Those that are found by what a trail names.
LINKS: Mapping[str, LinkFinder] = {
    "bucket": bucket_link,
    "key": encryption.key_link,
    "log_group": logs.log_group_link,
    "topic": topics.topic_link,
}

# Those that show by themselves what they are, without a trail in the template, and the bytes that they cannot lack.
BY_THEMSELVES: Mapping[str, Callable[[Scenario, Resource], bool]] = {"bucket": recipients.receives_logs}
MARKS: Mapping[str, bytes] = {"bucket": recipients.MARK}

# Those that may be where nobody sees them: what may make them, and the bytes without which a template holds none.
UNSEEN = {TRAIL: (unseen.unseen, unseen.MARKS)}

# What has a say in whether logs arrive and stands beside the subjects: policies, roles, filters, alarms, event rules.
HELPERS = ("AWS::S3::", "AWS::KMS::", "AWS::SNS::", "AWS::IAM::", "AWS::Logs::", "AWS::CloudWatch::", "AWS::Events::")
SERVICES = ("AWS::CloudTrail::", "AWS::CloudFormation::Stack", "AWS::Serverless::Application", *HELPERS)

# The properties that put something on a resource of another stack: a stack that imports what stands there has a say in
# the verdicts about that resource.
SAYS: Mapping[str, tuple[str, ...]] = {
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::KMS::Alias": ("TargetKeyId",),
    "AWS::KMS::ReplicaKey": ("PrimaryKeyArn",),
    "AWS::SNS::TopicPolicy": ("Topics",),
    "AWS::SNS::TopicInlinePolicy": ("TopicArn",),
    "AWS::IAM::Policy": ("Roles",),
    "AWS::IAM::ManagedPolicy": ("Roles",),
    "AWS::IAM::RolePolicy": ("RoleName",),
    "AWS::Logs::MetricFilter": ("LogGroupName",),
    "AWS::CloudWatch::Alarm": ("MetricName", "Namespace", "Metrics"),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmRule",),
    "AWS::CloudFormation::Stack": ("Parameters",),
    "AWS::CloudFormation::StackSet": ("Parameters",),
    "AWS::Serverless::Application": ("Parameters",),
}

# The connections of a delivery chain: the parts that a trail names, and the facts that are about the way to each.
CHAIN: Mapping[str, LinkFinder] = {**LINKS, "role": writing.role_link}
POLICY, ORDER = "policy", "order"
ABOUT: Mapping[str, str] = {
    "policy.": POLICY,
    "ordering.": ORDER,
    "key.": "key",
    "encryption.key_": "key",
    "logs.role_": "role",
    "logs.": "log_group",
    "topic.": "topic",
}

PROPERTY = "properties."
ATTRIBUTE = "attributes."
ATTRIBUTES = ("Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "UpdatePolicy", "UpdateReplacePolicy")

# Boolean properties: what they mean when they are not set, and how to say so.
_FALSE = (False, "which means false")
_TRUE = (True, "which means true")
DEFAULTS: Mapping[str, Mapping[str, tuple[bool, str]]] = {
    TRAIL: {
        "IsLogging": (False, "which CloudFormation requires"),
        "IsMultiRegionTrail": _FALSE,
        "IncludeGlobalServiceEvents": (False, "and CloudFormation then acts as if it were false"),
        "EnableLogFileValidation": _FALSE,
        "IsOrganizationTrail": _FALSE,
    },
    EVENT_DATA_STORE: {
        "MultiRegionEnabled": _TRUE,
        "TerminationProtectionEnabled": _TRUE,
        "IngestionEnabled": _TRUE,
        "OrganizationEnabled": _FALSE,
    },
    "AWS::S3::Bucket": {"ObjectLockEnabled": _FALSE},
    "AWS::Logs::LogGroup": {"DeletionProtectionEnabled": _FALSE},
    "AWS::KMS::Key": {"EnableKeyRotation": _FALSE, "Enabled": _TRUE, "MultiRegion": _FALSE},
}

_TRUTH: Mapping[str, object] = {"type": "boolean"}


TRAIL_FACTS: Mapping[str, FactSpec] = {
    "management_events.complete": FactSpec(
        by_item(recording.management_events, SELECTORS), _TRUTH, "all management events, read and write, are recorded"
    ),
    **ordering.FACTS,
    **delivery.FACTS,
    **encryption.FACTS,
    **insights.FACTS,
    **logs.FACTS,
    **groupkey.FACTS,
    **writing.FACTS,
    **topics.FACTS,
    **portability.FACTS,
    **validity.FACTS,
    **documents.FACTS,
    **deployable.FACTS,
}


class _Facts(Mapping[str, FactSpec]):
    """Facts by name. Those that no rule of the default profile asks for are imported when somebody asks for one.

    `later` are the modules that work them out, by what their names begin with.
    """

    def __init__(self, known: Mapping[str, FactSpec], later: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._later = dict(later)

    def __getitem__(self, name: str) -> FactSpec:
        for start in [start for start in self._later if name.startswith(start)]:
            self._load(start)
        return self._known[name]

    def _load(self, start: str) -> None:
        self._known.update(import_module(self._later.pop(start)).FACTS)

    def __iter__(self) -> Iterator[str]:
        for start in list(self._later):
            self._load(start)
        return iter(self._known)

    def __len__(self) -> int:
        return sum(1 for _ in self)


_HERE = "trailguard.trails."
FACTS: Mapping[str, Mapping[str, FactSpec]] = {
    "trail": _Facts(
        TRAIL_FACTS,
        {
            "data_events.": _HERE + "recording.events",
            "management_events.recorded": _HERE + "recording.events",
            "alarm.": _HERE + "watching.alarms",
            "naming.": _HERE + "whole.naming",
            "deployed.": _HERE + "whole.drift",
        },
    ),
    "event_data_store": _Facts({}, {"": _HERE + "whole.lake"}),
    "bucket": _Facts(exposure.FACTS, {"archive.": _HERE + "bucket.archive", "exports.": _HERE + "bucket.exports"}),
    "key": encryption.KEY_FACTS,
}


# What offers repairs of a fact: a module of this package and a function in it, imported when somebody asks for repairs.
REPAIRS: Mapping[str, str] = {
    "ordering.after_bucket_policy": "bucket.reordering:after_policy",
    "ordering.policy_after_bucket": "bucket.reordering:after_bucket",
    "properties.IsMultiRegionTrail": "recording.widening:multi_region",
    "management_events.complete": "recording.widening:management",
    "insights.complete": "recording.widening:insights",
    "data_events.s3_complete": "recording.widening:s3_data_events",
    "key.grants_encryption": "key.granting:encryption",
    "key.grants_describe": "key.granting:description",
    "key.grants_decrypt": "key.granting:decryption",
    "key.enabled": "key.granting:enabled",
    "key.symmetric": "key.granting:symmetric",
    "key.address_right": "key.granting:address",
    "key.alias_ready": "key.granting:alias_ready",
    "key.usable_by_lake": "key.granting:usable_by_lake",
    "encryption.key_set": "key.granting:key_set",
    "logs.group_set": "watching.admitting:sent",
    "logs.role_set": "watching.admitting:sent",
    "logs.group_arn": "watching.admitting:group_arn",
    "logs.group_here": "watching.admitting:group_here",
    "logs.group_key": "watching.admitting:group_key",
    "logs.group_class": "watching.admitting:group_class",
    "logs.role_arn": "watching.admitting:role_arn",
    "logs.role_trusts": "watching.admitting:role_trusts",
    "logs.role_permits": "watching.admitting:role_permits",
    "logs.ordered": "watching.admitting:ordered",
    "topic.publish_allowed": "watching.publishing:publish_allowed",
    "topic.publish_not_denied": "watching.publishing:publish_not_denied",
    "topic.key_usable": "watching.admitting:topic_key",
    "topic.ordered": "watching.publishing:topic_ordered",
    "chain.no_null": "whole.cleaning:nulls",
    "chain.dependencies_named": "whole.cleaning:dependencies",
    "chain.acyclic": "whole.cleaning:circles",
    "chain.bucket_policy_accepted": "whole.rewording:policies",
    "chain.key_policy_accepted": "whole.rewording:policies",
    "chain.topic_policy_accepted": "whole.rewording:policies",
    "chain.role_accepted": "whole.rewording:policies",
    "chain.keys_changeable": "whole.rewording:changeable",
    "arns.portable": "whole.partitioning:portable",
    "alarm.watched_by": "watching.alerting:watched_by",
    "valid.properties": "whole.correcting:property_names",
    "valid.required": "whole.correcting:required",
    "valid.values": "whole.correcting:values",
    "valid.global_events": "whole.correcting:global_events",
    "valid.selectors": "whole.correcting:selector_kinds",
    "valid.selector_forms": "recording.reforming:forms",
    "valid.cloudwatch_pair": "whole.correcting:cloudwatch_pair",
    "valid.insights": "recording.widening:fed",
    "valid.names": "whole.correcting:names",
    "valid.trail_name": "whole.correcting:trail_name",
    "valid.name_of_its_own": "whole.correcting:name_of_its_own",
    "access.no_public_acl": "bucket.closing:public_acl",
    "access.no_public_statement": "bucket.closing:public_statement",
    "access.not_unblocked": "bucket.closing:not_unblocked",
    "access.blocks_public": "bucket.closing:blocks_public",
    "access.tls_only": "bucket.closing:tls_only",
    "archive.access_logged": "bucket.keeping:access_logged",
    "archive.versioned": "bucket.keeping:versioned",
    "archive.kept_days": "bucket.keeping:kept_days",
    "exports.bucket_name": "bucket.keeping:name_exported",
    "policy.single": "bucket.founding:single_policy",
    "policy.acl_check_allowed": "bucket.granting:acl_check",
    "policy.log_write_allowed": "bucket.granting:log_write",
    "policy.delivery_not_denied": "bucket.exempting:delivery_not_denied",
    "policy.owner_full_control": "bucket.guarding:owner_control",
    "policy.source_bound": "bucket.guarding:source_bound",
    "policy.service_principal": "bucket.guarding:service_principal",
}


def repairs_of(fault: Fault) -> Iterator[Repair]:
    """The ways to repair a fact that breaks a rule, in order; none where people have to decide."""
    where = REPAIRS.get(fault.name)
    if where is not None:
        module, _, function = where.partition(":")
        yield from getattr(import_module(_HERE + module), function)(fault)


# The facts that every resource has, whatever its type: what it says by itself. The capitals stand for a name.
_ANYTHING: Mapping[str, object] = {}
GENERIC: Mapping[str, tuple[Mapping[str, object], str]] = {
    PROPERTY + "NAME": (_ANYTHING, "a property; null when it is not set"),
    PROPERTY + "NAME.INNER": (_ANYTHING, "what is inside a property, by name, or by number in a list, from 0"),
    **{
        ATTRIBUTE + name: (_ANYTHING, f"{name}, which stands beside the properties; null when it is not set")
        for name in ATTRIBUTES
    },
}
# A Boolean property, unless its text spells something else. The key of a trail may be a copy of one in another Region,
# which has no such properties.
_BOOLEAN_PROPERTY: Mapping[str, object] = {"type": ["boolean", "string"]}
_BOOLEAN_OF_KEY: Mapping[str, object] = {"type": ["boolean", "string", "null"]}


class KnownFact(NamedTuple):
    """A fact that a rule can ask for: of which subjects (none: of any resource), what it says, and its values.

    A value is null instead when it cannot be known.
    """

    name: str
    subjects: tuple[str, ...]
    description: str
    schema: Mapping[str, object]


def known_facts() -> list[KnownFact]:
    """Every fact that a rule can ask for, by name: those that are worked out, then those that a resource says."""
    told: dict[tuple[str, str], KnownFact] = {}
    for subject, specs in FACTS.items():
        for name, spec in specs.items():
            known = told.get((name, spec.description), KnownFact(name, (), spec.description, spec.schema))
            told[name, spec.description] = known._replace(subjects=(*known.subjects, subject))
    order = tuple(DEFAULT_SUBJECTS)
    worked_out = sorted(told.values(), key=lambda known: (order.index(known.subjects[0]), known.name))
    stated = [
        KnownFact(PROPERTY + name, (subject,), *_stated(subject, name, default))
        for subject, kind in DEFAULT_SUBJECTS.items()
        for name, (default, _) in DEFAULTS.get(kind, {}).items()
    ]
    generic = [KnownFact(name, (), description, schema) for name, (schema, description) in GENERIC.items()]
    return [*worked_out, *stated, *generic]


def _stated(subject: str, name: str, default: bool) -> tuple[str, Mapping[str, object]]:
    description = f"{name}, which is {str(default).lower()} when it is not set"
    if subject != "key":
        return description, _BOOLEAN_PROPERTY
    return f"{description}; null for a copy of a key in another Region", _BOOLEAN_OF_KEY


def resource_type(subject: str) -> str:
    """The resource type of a subject."""
    return DEFAULT_SUBJECTS.get(subject, subject)


def subject_name(subject: str) -> str:
    """What a subject is called: a trail is one under its resource type too."""
    return {TRAIL: "trail", EVENT_DATA_STORE: "event_data_store"}.get(subject, subject)


def marking_type(subject: str) -> str:
    """The resource type without which a template holds no such subject: what a trail uses takes a trail."""
    return TRAIL if subject in LINKS else resource_type(subject)


def connection_of(fact: str) -> str | None:
    """The connection of a trail's delivery chain that a fact is about; None for the trail itself."""
    return next((kind for start, kind in ABOUT.items() if fact.startswith(start)), None)


def place_of(kind: str) -> str:
    """The property of a trail that names what a thing of a type is, or belongs to; "" where none does."""
    return PLACES.get(kind, "")


def policies_of(scenario: Scenario, trail: Resource) -> tuple[Resource, ...]:
    """The policies on the bucket of a trail."""
    bucket = log_bucket(scenario, trail)
    return bucket.policies if bucket is not None else ()


def counts(use: Taken) -> bool:
    """Tell whether an import may count for what is judged in the stack that imports; outputs hand it on."""
    return not use.kind or use.kind.startswith(SERVICES)


def has_say(use: Taken) -> bool:
    """Tell whether an import may have a say in the verdicts about what is exported; outputs hand it on."""
    return not use.kind or use.property in SAYS.get(use.kind, ()) or (not use.property and use.kind in SAYS)


def knows_fact(subject: str, fact: str) -> list[str] | None:
    """None when the fact can be known of the subject; else the facts that can."""
    known = FACTS.get(subject, {})
    attributes = [ATTRIBUTE + name for name in ATTRIBUTES]
    if fact in known or fact in attributes or (fact.startswith(PROPERTY) and fact != PROPERTY):
        return None
    return [*known, *(PROPERTY + name for name in DEFAULTS.get(resource_type(subject), ())), *attributes]


def fact_of(scenario: Scenario, subject: str, resource: Resource, name: str, wanted: Wanted = NOTHING) -> Fact:
    """A fact about a resource as a subject in a scenario, worked out once."""

    def build() -> Fact:
        if name.startswith(PROPERTY):
            defaults = DEFAULTS.get(resource.type, {})
            return property_fact(scenario, resource, name[len(PROPERTY) :], defaults, wanted)
        if name.startswith(ATTRIBUTE):
            return attribute_fact(scenario, resource, name[len(ATTRIBUTE) :], wanted)
        spec = FACTS[subject][name]
        return spec.build(scenario, resource, wanted) if spec.takes_wanted else spec.build(scenario, resource)

    return scenario.once(("fact", subject, resource.id, name, wanted), build)


def fact_names(subject: str, resource: Resource) -> list[str]:
    """The facts that are told of a resource: its properties, those with a default too, then what is worked out."""
    body = resource.attribute("Properties")
    written = [name for name in body.keys if "::" not in name] if isinstance(body, MapNode) else []
    defaults = DEFAULTS.get(resource.type, {})
    properties = sorted({*written, *defaults})
    attributes = [name for name in ATTRIBUTES if resource.attribute(name) is not None]
    worked_out = FACTS.get(subject, {})
    return [*(PROPERTY + name for name in properties), *(ATTRIBUTE + name for name in attributes), *worked_out]
