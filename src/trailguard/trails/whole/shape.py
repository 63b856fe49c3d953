"""The properties of a trail, and of what is inside them: which there are, and which texts they take.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html
and the registry schema of AWS::CloudTrail::Trail, both of October 2026
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    Absent,
    Flag,
    ListValue,
    MapValue,
    Pieces,
    Text,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.cloudformation.template.template import Resource
from trailguard.errors import nearest
from trailguard.trails.facts.facts import BOOLEAN_TEXTS, Fact, boolean, no, unknown, via, yes
from trailguard.trails.facts.properties import NOTHING, Wanted
from trailguard.trails.facts.spelling import Fault, at_most, either, try_faulty

KNOWN_AT = "October 2026"  # when the properties below were all that there are
_OPTION = "known_properties"


class Word(NamedTuple):
    """A text: one of a few, if there are `choices`, else of `most` characters at most."""

    choices: tuple[str, ...] = ()
    most: int | None = None

    def fault(self) -> Fault | None:
        """What is wrong with a text here."""
        if self.choices:
            return self._other
        return None if self.most is None else at_most(self.most)

    def _other(self, pieces: Pieces) -> str | None:
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        is_literal = all(isinstance(piece, str) for piece in pieces)
        return None if text in self.choices or not is_literal else f"which {self._meant(text)}"

    def _meant(self, text: str) -> str:
        if len(self.choices) < 4:
            return f"is not {either(self.choices)}"
        near = nearest(text, self.choices)
        return f"it does not take{'' if near is None else f'; did you mean {near}?'}"


class Truth(NamedTuple):
    """A Boolean."""


class Many(NamedTuple):
    """A list of things of one shape, with at least and at most so many items."""

    of: Shape
    least: int = 0
    most: int | None = None


class Fields(NamedTuple):
    """A map of properties; `required` ones must be there. `called` is what has them."""

    called: str
    of: Mapping[str, Shape]
    required: tuple[str, ...] = ()


Shape: TypeAlias = "Word | Truth | Many | Fields"

_TEXT = Word()
_TEXTS = Many(_TEXT)
_SOME_TEXTS = Many(Word(most=2048), least=1)
_CATEGORIES = ("Management", "Data")

_DATA_RESOURCE = Fields(
    "a data resource",
    {
        "Type": Word(
            (
                "AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::S3Outposts::Object",
                "AWS::ManagedBlockchain::Node", "AWS::S3ObjectLambda::AccessPoint", "AWS::EC2::Snapshot",
                "AWS::S3::AccessPoint", "AWS::DynamoDB::Stream",
            )
        ),
        "Values": _TEXTS,
    },
    ("Type",),
)  # fmt: skip
_EVENT_SELECTOR = Fields(
    "an event selector",
    {
        "DataResources": Many(_DATA_RESOURCE),
        "ExcludeManagementEventSources": Many(Word(("kms.amazonaws.com", "rdsdata.amazonaws.com"))),
        "IncludeManagementEvents": Truth(),
        "ReadWriteType": Word(("All", "ReadOnly", "WriteOnly")),
    },
)
_FIELD_SELECTOR = Fields(
    "a field selector",
    {
        "Field": Word(most=1000),
        "Equals": _SOME_TEXTS,
        "NotEquals": _SOME_TEXTS,
        "StartsWith": _SOME_TEXTS,
        "NotStartsWith": _SOME_TEXTS,
        "EndsWith": _SOME_TEXTS,
        "NotEndsWith": _SOME_TEXTS,
    },
    ("Field",),
)
_ADVANCED_SELECTOR = Fields(
    "an advanced event selector",
    {"FieldSelectors": Many(_FIELD_SELECTOR, least=1), "Name": Word(most=1000)},
    ("FieldSelectors",),
)
_INSIGHT_SELECTOR = Fields(
    "an insight selector",
    {
        "EventCategories": Many(Word(_CATEGORIES)),
        "InsightType": Word(("ApiCallRateInsight", "ApiErrorRateInsight")),
    },
)
_AGGREGATION = Fields(
    "an aggregation configuration",
    {
        "EventCategory": Word(("Data",)),
        "Templates": Many(Word(("API_ACTIVITY", "RESOURCE_ACCESS", "USER_ACTIONS")), least=1, most=50),
    },
    ("EventCategory", "Templates"),
)
_TAG = Fields("a tag", {"Key": _TEXT, "Value": _TEXT}, ("Key", "Value"))
TRAIL = Fields(
    "a trail",
    {
        "AdvancedEventSelectors": Many(_ADVANCED_SELECTOR),
        "AggregationConfigurations": Many(_AGGREGATION, most=1),
        "CloudWatchLogsLogGroupArn": _TEXT,
        "CloudWatchLogsRoleArn": _TEXT,
        "EnableLogFileValidation": Truth(),
        "EventSelectors": Many(_EVENT_SELECTOR),
        "IncludeGlobalServiceEvents": Truth(),
        "InsightSelectors": Many(_INSIGHT_SELECTOR),
        "IsLogging": Truth(),
        "IsMultiRegionTrail": Truth(),
        "IsOrganizationTrail": Truth(),
        "KMSKeyId": _TEXT,
        "S3BucketName": _TEXT,
        "S3KeyPrefix": Word(most=200),
        "SnsTopicName": _TEXT,
        "Tags": Many(_TAG),
        "TrailName": _TEXT,
    },
)  # names, ARNs, what is required of a trail, and how much it takes, have facts of their own

# The lists of which an item more can only bring in a fault.
LISTS: Mapping[str, bool] = dict.fromkeys(
    ("EventSelectors", "AdvancedEventSelectors", "InsightSelectors", "AggregationConfigurations", "Tags"), False
)

# What the read side of the API, or a slip of the pen, calls a property.
_MISNOMERS = {
    "LogFileValidationEnabled": "EnableLogFileValidation",
    "CloudWatchLogsLogGroup": "CloudWatchLogsLogGroupArn",
}
# What stands beside the properties of a resource.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-product-attribute-reference.html
_ATTRIBUTES = (
    "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
    "UpdateReplacePolicy",
)  # fmt: skip
_RETURNED = ("Arn",)  # what a trail gives, and nobody sets


class _Met(NamedTuple):
    """A value that is there, where it is in words, and what shape it must have."""

    value: Value
    where: str
    shape: Shape


def _walk(scenario: Scenario, trail: Resource) -> Iterator[_Met]:
    """Every property of a trail that is set, with all that is inside it."""
    pending = [
        _Met(scenario.value_of(trail, name), f"{name} of {trail.id}", shape) for name, shape in TRAIL.of.items()
    ][::-1]
    while pending:
        met = pending.pop()
        yield met
        value, where, shape = met
        inner: list[_Met] = []
        if isinstance(value, ListValue) and isinstance(shape, Many):
            inner = [_Met(item, where, shape.of) for item in value.items]
        elif isinstance(value, MapValue) and isinstance(shape, Fields):
            known = (name for name in value.entries if name in shape.of)
            inner = [_Met(value.entries[name], f"{name} in {where}", shape.of[name]) for name in known]
        pending.extend(reversed(inner))


# --- names ------------------------------------------------------------------------------------------------------------


def property_names(scenario: Scenario, trail: Resource, wanted: Wanted = NOTHING) -> Fact:
    """The properties, on every level, that are none of a trail's: none, or the first of them.

    `wanted` names those that are known to be newer than this release. One that is like no other may be newer, too:
    then it is not known whether there is such a property.
    """
    doubt: Fact | None = None
    for name, key, fields, where in _unlisted(scenario, trail):
        if name in wanted.texts:
            continue
        hint = _hint(name, fields)
        if hint is not None:
            return Fact([name], key, f"{name} {where} is not a property of {fields.called}{hint}")
        reason = (
            f"{name} was not a property of {fields.called} in {KNOWN_AT}; if AWS has added it since, name it in the "
            f"option {_OPTION} of TG113, else take it out, because CloudFormation refuses it"
        )
        doubt = doubt or unknown(key, reason, f"whether {fields.called} has a property {name} is not known")
    return doubt or Fact([], trail.key, f"{trail.id} has no misspelt property")


def _unlisted(scenario: Scenario, trail: Resource) -> Iterator[tuple[str, Node, Fields, str]]:
    properties = scenario.unwrap(trail.attribute("Properties"))
    keys: Mapping[str, Node] = properties.keys if isinstance(properties, MapNode) else {}
    for name, key in keys.items():
        if name not in TRAIL.of and not _is_function(name) and not isinstance(scenario.value_of(trail, name), Absent):
            yield name, key, TRAIL, f"of {trail.id}"
    for met in _walk(scenario, trail):
        if isinstance(met.value, MapValue) and isinstance(met.shape, Fields):
            for name, key in met.value.keys.items():
                if name not in met.shape.of and not _is_function(name) and name in met.value.entries:
                    yield name, key, met.shape, f"in {met.where}"


def _is_function(name: str) -> bool:
    return name.startswith(("Fn::", "!")) or name == "Ref"


def _hint(name: str, fields: Fields) -> str | None:
    """What to say of a property that is certainly none: what it is, or which one is meant. None for any other."""
    if fields is TRAIL and name in _ATTRIBUTES:
        return f"; {name} stands beside Properties"
    if fields is TRAIL and name in _RETURNED:
        return "; it is what a trail returns, and cannot be set"
    near = _MISNOMERS.get(name) if fields is TRAIL else None
    near = near or nearest(name, fields.of, 0.75) or _longer(name, fields)
    if near is not None:
        return f"; the property is called {near}"
    home = next((other.called for other in _every(TRAIL) if name in other.of and len(name) > 4), None)
    return None if home is None else f"; it belongs to {home}"


def _longer(name: str, fields: Fields) -> str | None:
    """The one property of which a name is a part."""
    parts = [known for known in fields.of if len(name) > 4 and name.lower() in known.lower()]
    return parts[0] if len(parts) == 1 else None


def _every(shape: Shape) -> Iterator[Fields]:
    if isinstance(shape, Many):
        yield from _every(shape.of)
    elif isinstance(shape, Fields):
        yield shape
        for inner in shape.of.values():
            yield from _every(inner)


# --- values -----------------------------------------------------------------------------------------------------------


def values(scenario: Scenario, trail: Resource) -> Fact:
    """Whether every property, on every level, holds what it takes: a Boolean, a list, one of a few words."""
    for met in _walk(scenario, trail):
        fault = _fault(scenario, met)
        if fault is not None:
            return no(met.value.node, f"{met.where} {fault}")
    return yes(trail.key, f"the properties of {trail.id} hold what they take")


def _fault(scenario: Scenario, met: _Met) -> str | None:
    """What is wrong with a value, in words that follow where it is."""
    value, _, shape = met
    if isinstance(shape, Truth):
        return _boolean_fault(scenario, value)
    if isinstance(shape, Word):
        return _word_fault(scenario, value, shape)
    if isinstance(shape, Many):
        return _list_fault(value, shape)
    if isinstance(value, (Text, Flag, ListValue)) and not _is_unknown(value):
        return f"{_kind(value)}, which is not {shape.called}"
    if isinstance(value, MapValue):
        missing = next((name for name in shape.required if name not in value.entries), None)
        if any(name not in shape.of for name in value.entries):
            return None  # it may be the one that is missing, and is reported
        return None if missing is None else f"has {shape.called} without {missing}, which CloudFormation requires"
    return None


def _list_fault(value: Value, shape: Many) -> str | None:
    if isinstance(value, (Text, Flag, MapValue)) and not _is_unknown(value):
        return f"{_kind(value)}, and it takes a list"
    if not isinstance(value, ListValue):
        return None
    size = len(value.items)
    if size < shape.least:
        return "is an empty list"
    return None if shape.most is None or size <= shape.most else f"has {size} items, and CloudTrail takes {shape.most}"


def _word_fault(scenario: Scenario, value: Value, shape: Word) -> str | None:
    if isinstance(value, (ListValue, MapValue)):
        return f"{_kind(value)}, and it takes a text"
    text = text_of(value)
    fault_of = shape.fault()
    if text is None or fault_of is None:
        return None
    fault = fault_of(text.pieces)
    if fault is not None:
        return f'is "{_brief(show(text))}"{via(value.node)}, {fault}'
    try_faulty(scenario, text, fault_of)
    return None


def _boolean_fault(scenario: Scenario, value: Value) -> str | None:
    if isinstance(value, Text) and value.literal is None and not _may_be_no_boolean(scenario, value):
        return None
    meaning = boolean(scenario, value)
    return f'is "{meaning}", which is not a Boolean' if isinstance(meaning, str) else None


def _may_be_no_boolean(scenario: Scenario, value: Text) -> bool:
    """Tell whether a parameter is known to take a text that is no Boolean, by its default or its allowed values."""
    symbol = value.symbols[0]
    variable = scenario.model.space.variables.get(symbol.name)
    if len(value.pieces) > 1 or variable is None:
        return False
    known = variable.allowed or (() if variable.default is None else (variable.default,))
    return any(text not in BOOLEAN_TEXTS for text in known)


def _is_unknown(value: Value) -> bool:
    return isinstance(value, Text) and bool(value.symbols)


def _kind(value: Value) -> str:
    if isinstance(value, ListValue):
        return "is a list"
    text = text_of(value)
    return "is a map" if text is None else f'is "{_brief(show(text))}"'


def _brief(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
