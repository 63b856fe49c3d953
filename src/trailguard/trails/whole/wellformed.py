"""Whether a trail, and what is inside its properties, has the shape that CloudFormation and CloudTrail take."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Absent, Flag, ListValue, MapValue, Text, Value, text_of
from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.cloudformation.template.template import Resource
from trailguard.errors import nearest
from trailguard.trails.facts.facts import (
    BOOLEAN_TEXTS,
    Fact,
    all_of,
    boolean,
    no,
    not_boolean,
    reason_unknown,
    to_json,
    unknown,
    via,
    yes,
)
from trailguard.trails.facts.lists import apart, by_item
from trailguard.trails.facts.properties import NOTHING, Wanted
from trailguard.trails.facts.spelling import brief, short, try_faulty
from trailguard.trails.whole.shape import KNOWN_AT, TRAIL, Fields, Many, Shape, Truth, Word

_OPTION = "known_properties"

# What the read side of the API, an event data store, or a slip of the pen, calls a property.
_MISNOMERS = {
    "LogFileValidationEnabled": "EnableLogFileValidation",
    "CloudWatchLogsLogGroup": "CloudWatchLogsLogGroupArn",
    "EnableLogging": "IsLogging",
    "IngestionEnabled": "IsLogging",
    "MultiRegionEnabled": "IsMultiRegionTrail",
    "Name": "TrailName",
    "OrganizationEnabled": "IsOrganizationTrail",
}
# What stands beside the properties of a resource.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-product-attribute-reference.html
_ATTRIBUTES = (
    "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
    "UpdateReplacePolicy",
)  # fmt: skip
_RETURNED = ("Arn", "HasCustomEventSelectors", "HasInsightSelectors", "HomeRegion", "TrailARN")  # and nobody sets


class Met(NamedTuple):
    """A value that is there, where it is in words, and what shape it must have."""

    value: Value
    where: str
    shape: Shape


def walk(scenario: Scenario, trail: Resource, name: str) -> Iterator[Met]:
    """A property of a trail with all that is inside it."""
    pending = [Met(scenario.value_of(trail, name), f"{name} of {trail.id}", TRAIL.of[name])]
    while pending:
        met = pending.pop()
        yield met
        value, where, shape = met
        inner: list[Met] = []
        if isinstance(value, ListValue) and isinstance(shape, Many):
            inner = [Met(item, where, shape.of) for item in value.items]
        elif isinstance(value, MapValue) and isinstance(shape, Fields):
            known = (inside for inside in value.entries if inside in shape.of)
            inner = [Met(value.entries[inside], f"{inside} in {where}", shape.of[inside]) for inside in known]
        pending.extend(reversed(inner))


def _each(scenario: Scenario, trail: Resource, build: Callable[..., Fact], *more: object) -> Iterator[Fact]:
    """What `build` tells of every property of a trail, each by itself. An item more can only bring in a fault."""
    for name, shape in TRAIL.of.items():
        ask = by_item(build, {name: False}) if isinstance(shape, Many) else build
        yield apart(f"{build.__name__} of a property", ask)(scenario, trail, name, *more)


# --- names ------------------------------------------------------------------------------------------------------------


def property_names(scenario: Scenario, trail: Resource, wanted: Wanted = NOTHING) -> Fact:
    """The properties, on every level, that are none of a trail's: none, or the first of them.

    `wanted` names those that are known to be newer than this release. One that is like no other may be newer, too:
    then it is not known whether there is such a property.
    """
    inside = list(_each(scenario, trail, _names_inside, wanted))
    found = [_names_of(scenario, trail, wanted), *inside]
    misspelt = next((fact for fact in found if fact.value), None)
    return misspelt or next((fact for fact in found if fact.unknown is not None), found[0])


def _names_of(scenario: Scenario, trail: Resource, wanted: Wanted) -> Fact:
    properties = scenario.unwrap(trail.attribute("Properties"))
    keys: Mapping[str, Node] = properties.keys if isinstance(properties, MapNode) else {}
    unlisted = (
        (name, key, TRAIL, f"of {trail.id}")
        for name, key in keys.items()
        if name not in TRAIL.of and not _is_function(name) and not isinstance(scenario.value_of(trail, name), Absent)
    )
    return _first_named(trail, unlisted, wanted)


def _names_inside(scenario: Scenario, trail: Resource, name: str, wanted: Wanted) -> Fact:
    unlisted = (
        (inside, key, met.shape, f"in {met.where}")
        for met in walk(scenario, trail, name)
        if isinstance(met.value, MapValue) and isinstance(met.shape, Fields)
        for inside, key in met.value.keys.items()
        if inside not in met.shape.of and not _is_function(inside) and inside in met.value.entries
    )
    return _first_named(trail, unlisted, wanted)


def _first_named(trail: Resource, unlisted: Iterable[tuple[str, Node, Fields, str]], wanted: Wanted) -> Fact:
    """The first property that is certainly none, else the first that may be newer, else none."""
    doubt: Fact | None = None
    for name, key, fields, where in unlisted:
        if name in wanted.texts:
            continue
        hint, shown = _hint(name, fields), short(name)
        if hint is not None:
            return Fact([name], key, f"{shown} {where} is not a property of {fields.called}{hint}")
        reason = (
            f"{shown} was not a property of {fields.called} in {KNOWN_AT}; if AWS has added it since, name it in the "
            f"option {_OPTION} of TG113, else take it out, because CloudFormation refuses it"
        )
        doubt = doubt or unknown(key, reason, f"whether {fields.called} has a property {shown} is not known")
    return doubt or Fact([], trail.key, f"{trail.id} has no misspelt property")


def _is_function(name: str) -> bool:
    return name.startswith(("Fn::", "!")) or name == "Ref"


def _hint(name: str, fields: Fields) -> str | None:
    """What to say of a property that is certainly none: what it is, or which one is meant. None for any other."""
    if is_attribute(name, fields):
        return f"; {name} stands beside Properties"
    if is_returned(name, fields):
        return "; it is what a trail returns, and cannot be set"
    near = meant(name, fields)
    if near is not None:
        return f"; the property is called {near}"
    home = next((other.called for other in _every(TRAIL) if name in other.of and len(name) > 4), None)
    return None if home is None else f"; it belongs to {home}"


def is_attribute(name: str, fields: Fields) -> bool:
    """Tell whether a name among the properties of a trail is that of something that stands beside them."""
    return fields is TRAIL and name in _ATTRIBUTES


def is_returned(name: str, fields: Fields) -> bool:
    """Tell whether a name among the properties of a trail is that of something that the trail returns."""
    return fields is TRAIL and name in _RETURNED


def meant(name: str, fields: Fields) -> str | None:
    """The property that is meant by a name that is none; None when that cannot be told."""
    near = _MISNOMERS.get(name) if fields is TRAIL else None
    return near or nearest(name, fields.of, 0.75) or _longer(name, fields)


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
    fine = yes(trail.key, f"the properties of {trail.id} hold what they take")
    return all_of(_each(scenario, trail, _values_inside, fine), fine)


def _values_inside(scenario: Scenario, trail: Resource, name: str, fine: Fact) -> Fact:
    for met in walk(scenario, trail, name):
        fault = _fault(scenario, met)
        if fault is not None:
            return no(met.value.node, f"{met.where} {fault}")
    return fine


def _fault(scenario: Scenario, met: Met) -> str | None:
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
    if shape.most is not None and size > shape.most:
        return f"has {size} items, and CloudTrail takes {shape.most}"
    return "has an item twice, which CloudFormation refuses" if shape.unique and _repeats(value) else None


def _repeats(value: ListValue) -> bool:
    """Tell whether two items of a list are the same for certain."""
    items = (to_json(item) for item in value.items if reason_unknown(item) is None)
    known = [json.dumps(item, sort_keys=True) for item in items if item is not None]
    return len(set(known)) < len(known)


def _word_fault(scenario: Scenario, value: Value, shape: Word) -> str | None:
    if isinstance(value, (ListValue, MapValue)):
        return f"{_kind(value)}, and it takes a text"
    text = text_of(value)
    fault_of = shape.fault()
    if text is None or fault_of is None:
        return None
    fault = fault_of(text.pieces)
    if fault is not None:
        return f'is "{brief(text)}"{via(value.node)}, {fault}'
    try_faulty(scenario, text, fault_of)
    return None


def _boolean_fault(scenario: Scenario, value: Value) -> str | None:
    if isinstance(value, Text) and value.literal is None and not _may_be_no_boolean(scenario, value):
        return None
    meaning = boolean(scenario, value)
    return not_boolean(meaning) if isinstance(meaning, str) else None


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
    return "is a map" if text is None else f'is "{brief(text)}"'
