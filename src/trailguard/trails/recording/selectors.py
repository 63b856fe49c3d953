"""Which management events a trail records, from its basic or advanced event selectors.

Selectors are understood as sets of events: each covers reads, writes, both or neither, all of them or some; the trail
records what any of its selectors covers.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html,
API_AdvancedEventSelector.html
"""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    Absent,
    ListValue,
    MapValue,
    Text,
    Unknown,
    Value,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, boolean, no, one_of, reason_unknown, unknown, yes

READ, WRITE = "read", "write"
BOTH = frozenset({READ, WRITE})
MODES = {"All": BOTH, "ReadOnly": frozenset({READ}), "WriteOnly": frozenset({WRITE})}
# Sources that management events can leave out.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")


class Cover(NamedTuple):
    """What one selector records of the management events.

    `modes` are the kinds (read, write) it records at all; `missing` names the sources that it leaves out, and is None
    when a filter narrows it in a way that leaves out more than sources. `why` says what is left out. `unknown` says why
    it cannot be told; the others then tell the most that it may record.
    """

    modes: frozenset[str]
    missing: frozenset[str] | None
    node: Node
    why: str = ""
    unknown: str | None = None


def management_events(scenario: Scenario, trail: Resource) -> Fact:
    """Whether all management events, read and write, are recorded."""
    basic = scenario.value_of(trail, "EventSelectors")
    advanced = scenario.value_of(trail, "AdvancedEventSelectors")
    if isinstance(advanced, Unknown) or (isinstance(advanced, ListValue) and advanced.items):
        return _judge(scenario, trail, advanced, is_advanced=True)
    if isinstance(basic, Absent) or (isinstance(basic, ListValue) and not basic.items):
        return yes(trail.key, f"{trail.id} has no event selectors, which means all management events")
    return _judge(scenario, trail, basic, is_advanced=False)


def covers(scenario: Scenario, trail: Resource) -> list[Cover] | None:
    """What each selector of the trail records; None when there are no selectors, or an unreadable list of them."""
    for name, read in (("AdvancedEventSelectors", _advanced), ("EventSelectors", _basic)):
        value = scenario.value_of(trail, name)
        if isinstance(value, ListValue) and value.items:
            return [read(scenario, item) for item in value.items]
    return None


def _judge(scenario: Scenario, trail: Resource, selectors: Value, is_advanced: bool) -> Fact:
    if isinstance(selectors, Unknown):
        return unknown(selectors.node, selectors.reason, f"the event selectors of {trail.id} are not known")
    if not isinstance(selectors, ListValue):
        return no(selectors.node, f"the event selectors of {trail.id} are not a list")
    read = _advanced if is_advanced else _basic
    found = [read(scenario, item) for item in selectors.items]
    if _gap([cover for cover in found if cover.unknown is None]) is None:
        return yes(selectors.node, f"the event selectors of {trail.id} record all management events")
    gap = _gap(found)  # at best, when what is not known turns out well
    if gap is None:
        cover = next(cover for cover in found if cover.unknown is not None)
        return unknown(cover.node, cover.unknown or "", f"an event selector of {trail.id} is not known")
    recording = [cover for cover in found if cover.modes]
    if not recording:
        why = "no event selector records management events"
        if is_advanced:
            why = "no advanced event selector has eventCategory Management, so no management events are recorded"
        if len(found) == 1 and found[0].why:
            return no(found[0].node, found[0].why)
        return no(selectors.node, why)
    narrow = next((cover for cover in recording if cover.why), recording[0])
    return no(narrow.node, narrow.why or gap)


def _gap(covers: list[Cover]) -> str | None:
    """What no selector records, or None when all management events are recorded."""
    for mode in (WRITE, READ):
        lists = [cover.missing for cover in covers if mode in cover.modes and cover.missing is not None]
        if not lists:
            return f"{mode} management events are not recorded"
        left_out = frozenset.intersection(*lists)
        if left_out:
            return f"{mode} management events of {', '.join(sorted(left_out))} are not recorded"
    return None


def _basic(scenario: Scenario, value: Value) -> Cover:
    node = value.node
    if not isinstance(value, MapValue):
        return Cover(BOTH, frozenset(), node, unknown=reason_unknown(value) or "the selector is not a map")
    entries = value.entries
    include = boolean(scenario, entries.get("IncludeManagementEvents", Absent(node)))
    if include is False or isinstance(include, str):
        at = entries["IncludeManagementEvents"].node
        return Cover(
            frozenset(), frozenset(), at, "IncludeManagementEvents is false, so no management events are recorded"
        )
    doubt = include.reason if isinstance(include, Unknown) else None
    mode, mode_node, mode_doubt = one_of(scenario, entries.get("ReadWriteType"), tuple(MODES), "All")
    modes = BOTH if mode_doubt else MODES.get(mode, frozenset())
    doubt = doubt or mode_doubt
    excluded = entries.get("ExcludeManagementEventSources")
    if isinstance(excluded, ListValue) and excluded.items:
        cover = _excluding(modes, excluded)
        return cover._replace(unknown=cover.unknown or doubt)
    if isinstance(excluded, Unknown):
        doubt = doubt or excluded.reason
    if modes != BOTH:
        other = "write" if mode == "ReadOnly" else "read"
        why = f"ReadWriteType is {mode}, so {other} events are not recorded" if modes else f'ReadWriteType is "{mode}"'
        return Cover(modes, frozenset(), mode_node or node, why, doubt)
    return Cover(modes, frozenset(), node, "", doubt)


def _excluding(modes: frozenset[str], excluded: ListValue) -> Cover:
    reason = reason_unknown(excluded)
    if reason is not None:
        return Cover(modes, frozenset(), excluded.node, unknown=reason)
    sources = [item.literal for item in excluded.items if isinstance(item, Text) and item.literal is not None]
    why = f"ExcludeManagementEventSources leaves out {', '.join(sources)}"
    return Cover(modes, frozenset(sources), excluded.node, why)


def _advanced(scenario: Scenario, value: Value) -> Cover:
    node = value.node
    fields = value.entries.get("FieldSelectors") if isinstance(value, MapValue) else None
    if not isinstance(fields, ListValue):
        reason = reason_unknown(value if fields is None else fields)
        known = frozenset[str]() if reason is None else BOTH
        return Cover(known, frozenset(), node, "the selector has no FieldSelectors", unknown=reason)
    modes, missing = BOTH, frozenset[str]()
    narrowed: frozenset[str] | None = missing
    is_management, why, at = False, "", node
    for field in fields.items:
        if not isinstance(field, MapValue):
            return Cover(BOTH, frozenset(), field.node, unknown=reason_unknown(field) or "a field selector is no map")
        reason = reason_unknown(field)
        if reason is not None:
            return Cover(BOTH, frozenset(), field.node, unknown=reason)
        name, _, _ = one_of(scenario, field.entries.get("Field"), (), "")
        if name == "eventCategory":
            is_management = _values(scenario, field, "Equals", ("Management", "Data")) == {"Management"}
        elif name == "readOnly":
            wanted = _values(scenario, field, "Equals", ("true", "false"))
            allowed = {READ if item == "true" else WRITE for item in wanted if item in ("true", "false")}
            if allowed != BOTH:
                modes, at = modes & allowed, field.node
                lost = "write" if READ in allowed else "read"
                why = f"readOnly is {', '.join(sorted(wanted))}, so {lost} events are not recorded"
        elif _narrows(field):
            dropped = _dropped_sources(scenario, field, name)
            narrowed = None if dropped is None or narrowed is None else narrowed | dropped
            at, why = field.node, f"a field selector on {name} leaves out management events"
    if not is_management:
        return Cover(frozenset(), frozenset(), node)
    return Cover(frozenset(modes), narrowed, at, why)


def _values(scenario: Scenario, field: MapValue, operator: str, known: tuple[str, ...]) -> set[str]:
    found = field.entries.get(operator)
    items = found.items if isinstance(found, ListValue) else () if found is None else (found,)
    return {one_of(scenario, item, known, "")[0] for item in items}


def _narrows(field: MapValue) -> bool:
    return any(
        not isinstance(value, ListValue) or value.items for name, value in field.entries.items() if name != "Field"
    )


def _dropped_sources(scenario: Scenario, field: MapValue, name: str) -> frozenset[str] | None:
    """The event sources that a field selector leaves out when that is all it does, else None."""
    if name != "eventSource" or set(field.entries) - {"Field", "NotEquals"}:
        return None
    return frozenset(_values(scenario, field, "NotEquals", EXCLUDABLE))
