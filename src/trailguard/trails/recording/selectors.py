"""The event selectors of a trail, basic or advanced, read as sets of events.

A selector that is not fully known has a least and a most that it may record. What each question about a trail's events
has to do with is left to set algebra.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html,
API_AdvancedEventSelector.html, API_AdvancedFieldSelector.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    VARIABLE,
    Absent,
    ListValue,
    MapValue,
    Text,
    Unknown,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import boolean, one_of, reason_unknown
from trailguard.trails.recording.eventsets import EQUALS, OPERATORS, STARTS, Condition, Test, Tests, Universe, in_common

BASIC, ADVANCED = "EventSelectors", "AdvancedEventSelectors"
SELECTORS = {BASIC: True, ADVANCED: True}  # one more of either only ever records more
MANAGEMENT, DATA, NETWORK = "Management", "Data", "NetworkActivity"  # categories of events that a trail records
# What ReadWriteType stands for: the values of readOnly, and what CloudTrail does not record then.
MODES = {"All": ("true", "false"), "ReadOnly": ("true",), "WriteOnly": ("false",)}
KINDS = {"false": "write", "true": "read"}  # events by the value of readOnly
# Sources that management events can leave out.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
# All management events. Writes come first: they are missed most.
MANAGEMENT_EVENTS = Universe({"eventCategory": (MANAGEMENT,), "readOnly": tuple(KINDS)})

S3_OBJECT = "AWS::S3::Object"
S3_ARN = "arn:aws:s3:::"
_BASIC_TYPES = (S3_OBJECT, "AWS::Lambda::Function", "AWS::DynamoDB::Table")
_ANY_PARTITION = re.compile(r"arn:[^:]+:s3(?=$|:)")
# What the texts of each field are told apart by, when a parameter gives them.
_TOLD_APART = {
    "eventCategory": (MANAGEMENT, DATA, NETWORK),
    "readOnly": ("true", "false"),
    "resources.type": _BASIC_TYPES,
    "resources.ARN": (S3_ARN, "arn:aws:s3"),
    "eventSource": ("s3.amazonaws.com", *EXCLUDABLE),
}
_CLOSED = ("eventCategory", "readOnly")  # those that take no other text
_NOTHING = "\0nothing"  # stands for what is no text, or an empty one: CloudTrail takes neither
_EXCLUDABLE = tuple((EQUALS, name) for name in EXCLUDABLE)


class Part(NamedTuple):
    """Events that a selector records, or one of its data resources.

    `least` are tests that are surely enough, None when none are; `most` are tests that every recorded event passes.
    `doubt` is the place and the reason why they differ. `places` tells where each field is narrowed. `narrowed` is the
    last place that leaves out management events, and how.
    """

    least: Tests | None
    most: Tests
    node: Node
    places: Mapping[str, Node]
    doubt: tuple[Node, str] | None = None
    narrowed: tuple[Node, str] | None = None

    def may_record(self, events: Universe) -> bool:
        """Tell whether it may record any of the events."""
        return in_common(self.most, (), events)


class Bounds(NamedTuple):
    """A test as far as it is known: what surely passes (nothing, if None), what may pass (all, if None), and why."""

    least: Test | None
    most: Test | None
    reason: str | None = None


class _Reader:
    """Gathers the tests of one part: what is unknown weakens them."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.least: list[Test] | None = []
        self.most: list[Test] = []
        self.places: dict[str, Node] = {}
        self.doubt: tuple[Node, str] | None = None
        self.narrowed: tuple[Node, str] | None = None

    def add(self, bounds: Bounds, node: Node, lack: str = "") -> None:
        """Take one more test. `lack` says which management events it leaves out, if any."""
        if lack:
            self.narrowed = (node, lack)
        named = bounds.least or bounds.most
        if named is not None:
            self.places[named.field] = node
        if bounds.reason is not None:
            self.doubt = self.doubt or (node, bounds.reason)
        if bounds.least is None:
            self.least = None
        elif self.least is not None:
            self.least.append(bounds.least)
        if bounds.most is not None:
            self.most.append(bounds.most)

    def exclude(self, excluded: Value, bounds: Bounds) -> None:
        """Take a list of excluded sources: whatever is in it, no more than a few sources can be left out."""
        if bounds.least is None:
            bounds = bounds._replace(least=Test("eventSource", (), _EXCLUDABLE))
        named = () if bounds.most is None else bounds.most.deselect
        left_out = ", ".join(source for _, source in named if source != _NOTHING)
        lack = f"ExcludeManagementEventSources leaves out {left_out}" if left_out else ""
        self.add(bounds, excluded.node, lack)

    def part(self) -> Part:
        """What was gathered."""
        least = None if self.least is None else tuple(self.least)
        return Part(least, tuple(self.most), self.node, self.places, self.doubt, self.narrowed)


def recorded(scenario: Scenario, trail: Resource, category: str = "") -> tuple[list[Part], Node]:
    """What the event selectors of a trail record, and the place that says so.

    With a category, what cannot record events of it is not looked at, so that no parameter in there has a say.
    """
    for name, read in ((ADVANCED, _advanced), (BASIC, _basic)):
        value = scenario.value_of(trail, name)
        if isinstance(value, Unknown):
            return [Part(None, (), value.node, {}, (value.node, value.reason))], value.node
        if isinstance(value, ListValue) and value.items:
            return [part for item in value.items for part in read(scenario, item, category)], value.node
        if not isinstance(value, (Absent, ListValue)):
            lack = f"the event selectors of {trail.id} are not a list"
            return [_nothing(value.node, None, lack)], value.node
    management = (Test("eventCategory", ((EQUALS, MANAGEMENT),)),)
    return [Part(management, management, trail.key, {})], trail.key


def by_advanced(scenario: Scenario, selectors: Value, category: str = "") -> list[Part]:
    """What advanced event selectors record that belong to something else than a trail."""
    if isinstance(selectors, Unknown):
        return [Part(None, (), selectors.node, {}, (selectors.node, selectors.reason))]
    items = selectors.items if isinstance(selectors, ListValue) else ()
    return [part for item in items for part in _advanced(scenario, item, category)]


def _nothing(node: Node, reason: str | None, lack: str) -> Part:
    """What a selector records that is no selector: nothing, unless it is not known what it is."""
    if reason is not None:
        return Part(None, (), node, {}, (node, reason))
    never = (Test("eventCategory", ((EQUALS, _NOTHING),)),)
    return Part(never, never, node, {}, None, (node, lack))


def _basic(scenario: Scenario, selector: Value, category: str) -> list[Part]:
    """A basic selector: its management events, and the events of each of its data resources."""
    if not isinstance(selector, MapValue):
        return [_nothing(selector.node, reason_unknown(selector), "the selector is not a map")]
    parts = [] if category == DATA else [_management(scenario, selector)]
    resources = selector.entries.get("DataResources") if category != MANAGEMENT else None
    for resource in resources.items if isinstance(resources, ListValue) else [resources] if resources else []:
        parts += _data_resource(scenario, selector, resource)
    return parts


def _management(scenario: Scenario, selector: MapValue) -> Part:
    """The management events of a basic selector."""
    value = selector.entries.get("IncludeManagementEvents", Absent(selector.node))
    include = boolean(scenario, value)
    if include is False or isinstance(include, str):
        lack = "IncludeManagementEvents is false, so no management events are recorded"
        return _nothing(value.node, None, lack)
    reader = _started(scenario, selector, MANAGEMENT)
    if isinstance(include, Unknown):
        reader.add(Bounds(None, None, include.reason), include.node)
    excluded = selector.entries.get("ExcludeManagementEventSources")
    if excluded is not None:
        reader.exclude(excluded, _field_test(scenario, "eventSource", {"NotEquals": excluded}))
    return reader.part()


def _started(scenario: Scenario, selector: MapValue, category: str) -> _Reader:
    """The tests of a basic selector that count for management and data events alike."""
    reader = _Reader(selector.node)
    test = Test("eventCategory", ((EQUALS, category),))
    reader.add(Bounds(test, test), selector.node)
    value = selector.entries.get("ReadWriteType")
    mode, node, doubt = one_of(scenario, value, tuple(MODES), "All")
    if doubt:
        reader.add(Bounds(None, None, doubt), node or selector.node)
    elif mode != "All":
        test = Test("readOnly", tuple((EQUALS, flag) for flag in MODES.get(mode, (mode,))))
        lack = f"ReadWriteType is {mode}, {_lost(test)}" if mode in MODES else f'ReadWriteType is "{mode}"'
        reader.add(Bounds(test, test), node or selector.node, lack)
    return reader


def _lost(test: Test) -> str:
    """Which management events a test on readOnly leaves out, in words; nothing when it leaves out none."""
    kinds = [kind for flag, kind in KINDS.items() if not test.holds({test.field: flag})]
    return f"so {kinds[0]} events are not recorded" if kinds else ""


def _data_resource(scenario: Scenario, selector: MapValue, resource: Value) -> list[Part]:
    if not isinstance(resource, MapValue):
        reason = reason_unknown(resource)
        reader = _started(scenario, selector, "Data")
        reader.add(Bounds(None, None, reason), resource.node)
        return [reader.part()] if reason else []
    values = resource.entries.get("Values", Absent(resource.node))
    parts = []
    for value in values.items if isinstance(values, ListValue) else [values]:
        if isinstance(value, Absent):
            continue
        reader = _started(scenario, selector, "Data")
        kind = resource.entries.get("Type", Absent(resource.node))
        reader.add(_field_test(scenario, "resources.type", {EQUALS: kind}), kind.node)
        reader.add(_field_test(scenario, "resources.ARN", {STARTS: ListValue((value,), value.node)}), value.node)
        parts.append(reader.part())
    return parts


def _advanced(scenario: Scenario, selector: Value, category: str) -> list[Part]:
    fields = selector.entries.get("FieldSelectors") if isinstance(selector, MapValue) else None
    if not isinstance(fields, ListValue):
        reason = reason_unknown(selector if fields is None else fields)
        return [_nothing(selector.node, reason, "the selector has no FieldSelectors")]
    reader = _Reader(selector.node)
    named: list[tuple[str, MapValue]] = []
    for field in fields.items:
        if not isinstance(field, MapValue):
            reason = reason_unknown(field)
            if reason is None:
                return []
            reader.add(Bounds(None, None, reason), field.node)
            continue
        name, node, doubt = one_of(scenario, field.entries.get("Field"), tuple(_TOLD_APART), "")
        if doubt:
            reader.add(Bounds(None, None, doubt), node or field.node)
        else:
            named.append((name, field))
    named.sort(key=lambda pair: pair[0] != "eventCategory")  # which tells whether the others matter
    if reader.doubt is None and not (named and named[0][0] == "eventCategory"):
        return []  # CloudTrail takes no selector without it
    for name, field in named:
        operators = {operator: value for operator, value in field.entries.items() if operator != "Field"}
        bounds = _field_test(scenario, name, operators)
        reader.add(bounds, field.node, _lack(name, bounds))
        if name == "eventCategory" and category and not _admits(bounds, category):
            break
    return [reader.part()]


def _admits(bounds: Bounds, category: str) -> bool:
    return bounds.most is None or bounds.most.holds({bounds.most.field: category})


def _lack(name: str, bounds: Bounds) -> str:
    """Which management events a field selector leaves out, in words; nothing when it leaves out none."""
    test = bounds.most
    if test is None or name == "eventCategory" or not (test.select or test.deselect):
        return ""
    if name != "readOnly":
        return f"a field selector on {name} leaves out management events"
    flags = ", ".join(sorted({text for _, text in test.select}))
    lost = _lost(test)
    return f"readOnly is {flags}, {lost}" if lost else ""


def _field_test(scenario: Scenario, field: str, operators: Mapping[str, Value]) -> Bounds:
    """What a field selector asks for: `Equals` and the like select, `NotEquals` and the like deselect."""
    known: dict[bool, list[Condition]] = {True: [], False: []}
    doubts: dict[bool, str] = {}
    for name, value in operators.items():
        operator = name.removeprefix("Not")
        if operator not in OPERATORS:
            continue
        selects = operator == name
        for item in value.items if isinstance(value, ListValue) else (value,):
            text = _text(scenario, field, item)
            if isinstance(text, str):
                known[selects].append((operator, text))
            else:
                doubts[selects] = text.reason
    select, deselect = tuple(known[True]), tuple(known[False])
    least = None if False in doubts or (True in doubts and not select) else Test(field, select, deselect)
    most = Test(field, () if True in doubts else select, deselect)
    return Bounds(least, most, next(iter(doubts.values()), None))


def _text(scenario: Scenario, field: str, value: Value) -> str | Unknown:
    """A text of a selector; any partition counts as the usual one, and a generated name as itself."""
    text = text_of(value)
    if text is None or not text.pieces:
        return _NOTHING
    spelt = _ANY_PARTITION.sub("arn:aws:s3", show(text)) if field == "resources.ARN" else show(text)
    candidates = _TOLD_APART.get(field, ())
    if spelt in candidates or not text.symbols:
        return spelt
    reason = reason_unknown(text)
    if reason is not None:
        # The end of a bucket's ARN tells that it is one bucket, whatever its name is.
        last = text.pieces[-1]
        names_one = field == "resources.ARN" and spelt.startswith(S3_ARN) and isinstance(last, str) and last[-1] == "/"
        return spelt if names_one else Unknown(show(text), reason, value.node)
    if field in _CLOSED:
        one_of(scenario, text, candidates, "")
    for symbol in text.symbols:
        if symbol.kind == VARIABLE:
            scenario.fix(symbol.name)
    for candidate in candidates:
        if scenario.equal(text, Text((candidate,), value.node)):
            return candidate
    return spelt
