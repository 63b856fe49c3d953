"""Makes a trail record more: all Regions, all management events, insights, what happens to the objects of S3.

Sources: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html,
API_AdvancedEventSelector.html and API_InsightSelector.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import ListValue, MapValue, Text, Value, text_of
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.source.changes import Append, Change, Data, Put, Remove, Replace, at
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.references import references
from trailguard.cloudformation.template.template import Resource, function_of
from trailguard.trails.facts.facts import boolean
from trailguard.trails.facts.repairs import Fault, Repair, append, decided, put, setting, together
from trailguard.trails.recording.insights import NEEDS, stated
from trailguard.trails.recording.recording import management_events
from trailguard.trails.recording.selectors import ADVANCED, BASIC, MANAGEMENT, S3_OBJECT

TRAIL = "AWS::CloudTrail::Trail"
_MOST = 3  # selectors that are tried one by one
_COSTS = "data events are charged by their number"
_INSIGHTS_COST = "insights are charged by the events that are looked at"
_MANAGEMENT_FIELD: Data = {"Field": "eventCategory", "Equals": [MANAGEMENT]}


# --- Regions ----------------------------------------------------------------------------------------------------------


def multi_region(fault: Fault) -> Iterator[Repair]:
    """Make the trail one of all Regions, with the global events without which CloudTrail refuses that."""
    if fault.must != {"const": True}:
        return
    scenario, trail = fault.scenario, fault.resource
    own = list(setting(fault, "IsMultiRegionTrail", True, _further_copy(scenario, trail)))
    events = scenario.value_of(trail, "IncludeGlobalServiceEvents")
    if boolean(scenario, events) is True:
        yield from own
        return
    about = fault._replace(found=fault.found._replace(node=events.node))
    added = list(setting(about, "IncludeGlobalServiceEvents", True))
    for index in range(max(len(own), len(added))):
        yield together([own[min(index, len(own) - 1)], added[min(index, len(added) - 1)]])


def _further_copy(scenario: Scenario, trail: Resource) -> str:
    """Why all Regions would be recorded more than once; "" when nothing tells so.

    A trail of all Regions in each of several Regions is one copy for each, and its name is taken in all of them.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
    """
    other = _another(scenario, trail)
    if other is not None:
        return f"{bare(other.id)} records all Regions already, and each further copy is charged"
    for earlier in scenario.model.template.of_type(TRAIL):
        if earlier is trail:
            break
        if scenario.active(earlier) and _is_as_narrow(scenario, earlier):
            return f"{bare(earlier.id)} is there as well, and each further copy of all Regions is charged"
    written = scenario.property_node(trail, "IsMultiRegionTrail")
    call = function_of(written) if written is not None else None
    if call is not None and call[0] == "Fn::If" and isinstance(call[1], ListNode) and _asks_region(scenario, call[1]):
        return "the Region decides it now, and each further copy of all Regions is charged"
    return _set_of_regions(scenario, trail)


def _is_as_narrow(scenario: Scenario, trail: Resource) -> bool:
    """Tell whether a trail records one Region only, as another one does."""
    try:
        flags = [boolean(scenario, scenario.value_of(trail, name)) for name in ("IsLogging", "IsMultiRegionTrail")]
    except Split:
        return False
    return flags[0] is True and flags[1] is not True


def _asks_region(scenario: Scenario, branches: ListNode) -> bool:
    """Tell whether the condition of an `Fn::If` is about the Region, itself or by other conditions."""
    pending = [test.value for test in branches.items[:1] if isinstance(test, TextNode)]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        node = scenario.model.template.conditions.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if any(bare(found) == "AWS::Region" for found, _ in references(node)):
            return True
        pending += _conditions_in(node)
    return False


def _conditions_in(root: Node) -> Iterator[str]:
    """The conditions that another one refers to."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, MapNode):
            named = node.values.get("Condition")
            if isinstance(named, TextNode):
                yield named.value
            pending.extend(node.values.values())
        elif isinstance(node, ListNode):
            pending.extend(node.items)


def _set_of_regions(scenario: Scenario, trail: Resource) -> str:
    """That a stack set makes the trail in several Regions, if one does."""
    stacks = scenario.model.stacks
    for maker in stacks.makers(trail.id):
        made = scenario.model.template.resources.get(maker)
        groups = scenario.unwrap(scenario.property_node(made, "StackInstancesGroup")) if made is not None else None
        for group in groups.items if isinstance(groups, ListNode) else ():
            regions = group.values.get("Regions") if isinstance(group, MapNode) else None
            if isinstance(regions, ListNode) and len(regions.items) < 2:
                continue
            return f"{bare(maker)} makes it in several Regions, and each further copy of all Regions is charged"
    return ""


def _another(scenario: Scenario, trail: Resource) -> Resource | None:
    """Another trail of the template that records the management events of all Regions already."""
    for other in scenario.model.template.of_type(TRAIL):
        if other is trail:
            continue
        try:
            flags = (scenario.value_of(other, name) for name in ("IsLogging", "IsMultiRegionTrail"))
            if scenario.active(other) and all(boolean(scenario, flag) is True for flag in flags):
                return other if management_events(scenario, other).value is True else None
        except Split:
            continue
    return None


# --- management events ------------------------------------------------------------------------------------------------


def management(fault: Fault) -> Iterator[Repair]:
    """Let the event selectors record all management events."""
    other = _another(fault.scenario, fault.resource)
    unsafe = f"{bare(other.id)} records management events already, and each further copy is charged" if other else ""
    for repair in _recording_management(fault.scenario, fault.resource):
        yield repair._replace(unsafe=repair.unsafe or unsafe)


def _recording_management(scenario: Scenario, trail: Resource) -> Iterator[Repair]:
    for name, widened, added in ((ADVANCED, _widened_advanced, _ADVANCED_MORE), (BASIC, _widened_basic, _BASIC_MORE)):
        value = scenario.value_of(trail, name)
        if not isinstance(value, ListValue) or not value.items:
            continue
        maps = (item for item in value.items if isinstance(item, MapValue))
        yield from islice((repair for item in maps for repair in widened(scenario, item)), _MOST)
        if isinstance(value.node, ListNode):
            title = f"Add a selector of all management events to {name} of {bare(trail.id)}"
            yield Repair(title, (Append(at(value.node), (), added),))
        return


_BASIC_MORE: Data = {"ReadWriteType": "All", "IncludeManagementEvents": True}
_ADVANCED_MORE: Data = {"Name": "Management events", "FieldSelectors": [_MANAGEMENT_FIELD]}


def _widened_basic(scenario: Scenario, selector: MapValue) -> Iterator[Repair]:
    """Let a basic selector take all management events; not one that would then take more data events too."""
    entries = selector.entries
    kind, included = entries.get("ReadWriteType"), entries.get("IncludeManagementEvents")
    mode = text_of(kind) if kind is not None else None
    narrow = mode is not None and mode.literal != "All"
    if "DataResources" in entries and narrow:
        return
    parts: list[Repair] = []
    if narrow and kind is not None:
        parts.append(_replaced(scenario, kind.node, "ReadWriteType", "All"))
    if included is not None and boolean(scenario, included) is not True:
        parts.append(_replaced(scenario, included.node, "IncludeManagementEvents", True))
    excluded = entries.get("ExcludeManagementEventSources")
    if isinstance(excluded, ListValue) and excluded.items:
        parts.append(_left(scenario, selector, "ExcludeManagementEventSources", excluded))
    if parts:
        yield together(parts)


def _replaced(scenario: Scenario, node: Node, name: str, value: Data) -> Repair:
    shown = str(value).lower() if isinstance(value, bool) else value
    return Repair(f"Set {name} to {shown}", (Replace(at(node), value),), decided(scenario, node))


def _left(scenario: Scenario, selector: MapValue, name: str, value: Value) -> Repair:
    """A key of a selector left out."""
    written = selector.node.values.get(name) if isinstance(selector.node, MapNode) else None
    if written is not None and function_of(written) is not None and isinstance(value.node, ListNode):
        change: Change = Replace(at(value.node), [])  # one branch of several
    else:
        change = Remove(at(selector.keys[name]))
    unsafe = decided(scenario, written) if written is not None and written is not value.node else ""
    return Repair(f"Remove {name}", (change,), unsafe)


def _widened_advanced(scenario: Scenario, selector: MapValue) -> Iterator[Repair]:
    """Take out of an advanced selector of management events what narrows it."""
    fields = selector.entries.get("FieldSelectors")
    named = [
        (text.literal if (text := text_of(field.entries.get("Field", field))) is not None else None, field)
        for field in (fields.items if isinstance(fields, ListValue) else ())
        if isinstance(field, MapValue)
    ]
    is_management = any(name == "eventCategory" and _equals(field, MANAGEMENT) for name, field in named)
    narrowing = [field for name, field in named if name in ("readOnly", "eventSource")]
    if not is_management or not narrowing or not isinstance(fields, ListValue):
        return
    in_list = isinstance(fields.node, ListNode) and all(field.node in fields.node.items for field in narrowing)
    if in_list:
        yield Repair("Record management events of all kinds", tuple(Remove(at(field.node)) for field in narrowing))
    else:
        yield Repair("Record management events of all kinds", (Replace(at(fields.node), [_MANAGEMENT_FIELD]),))


def _equals(field: MapValue, wanted: str) -> bool:
    values = field.entries.get("Equals")
    items = values.items if isinstance(values, ListValue) else ()
    return any(isinstance(item, Text) and item.literal == wanted for item in items)


# --- insights ---------------------------------------------------------------------------------------------------------


def insights(fault: Fault) -> Iterator[Repair]:
    """Ask for both insights, and record the management events that they look at."""
    scenario, trail = fault.scenario, fault.resource
    found, value = stated(scenario, trail)
    known = [insight.kind for insight in found if insight.category == MANAGEMENT and insight.doubt is None]
    missing = [kind for kind in NEEDS if kind not in known]
    items: list[Data] = [{"InsightType": kind} for kind in missing]
    title = f"Add {' and '.join(missing)} to InsightSelectors of {bare(trail.id)}"
    whole: list[Data] = [{"InsightType": kind} for kind in NEEDS]
    written = scenario.property_node(trail, "InsightSelectors")
    ways: list[tuple[Change, ...]] = []
    if missing and written is None:
        ways.append((put(trail, "InsightSelectors", items),))
    elif missing and written is not None:
        if isinstance(value, ListValue) and isinstance(value.node, ListNode):
            more = tuple(Append(at(value.node), (), item) for item in items)
            ways.append(more if value.items else (Replace(at(value.node), items),))
        ways.append((Replace(at(written), whole),))
    asked = [Repair(title, changes, _INSIGHTS_COST) for changes in ways]
    yield from asked
    if management_events(scenario, trail).value is not True:
        for repair in _recording_management(scenario, trail):
            yield together([*asked[:1], repair])._replace(unsafe=_INSIGHTS_COST)


def fed(fault: Fault) -> Iterator[Repair]:
    """Record the events that the insights look at."""
    found, _ = stated(fault.scenario, fault.resource)
    looks = {insight.category for insight in found if insight.node is fault.found.node}
    yield from management(fault) if MANAGEMENT in looks or not looks else s3_data_events(fault)


# --- data events ------------------------------------------------------------------------------------------------------


def s3_data_events(fault: Fault) -> Iterator[Repair]:
    """Record reads and writes of the objects of all buckets."""
    scenario, trail = fault.scenario, fault.resource
    title = f"Record reads and writes of S3 objects in {bare(trail.id)}"
    advanced, basic = (scenario.value_of(trail, name) for name in (ADVANCED, BASIC))
    fields: Data = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [S3_OBJECT]}]
    more: Data = {"Name": "S3 data events", "FieldSelectors": fields}
    resources: Data = [{"Type": S3_OBJECT, "Values": [{"Fn::Sub": "arn:${AWS::Partition}:s3"}]}]
    selector: Data = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": resources}
    if isinstance(advanced, ListValue) and advanced.items:
        if isinstance(advanced.node, ListNode):
            yield Repair(title, (Append(at(advanced.node), (), more),), _COSTS)
        return
    if not isinstance(basic, ListValue) or not basic.items:
        written = scenario.property_node(trail, BASIC)
        change = append(trail, BASIC, selector) if written is None else Replace(at(basic.node), [selector])
        yield Repair(title, (change,), _COSTS)
        return
    apart: Data = {"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": resources}
    plain = [item for item in basic.items if isinstance(item, MapValue) and "DataResources" not in item.entries]
    wide = [item for item in plain if _takes_all(item)]
    if wide:
        yield Repair(title, (Put(at(wide[0].node), ("DataResources",), resources),), _COSTS)
    if isinstance(basic.node, ListNode):
        yield Repair(title, (Append(at(basic.node), (), apart),), _COSTS)


def _takes_all(selector: MapValue) -> bool:
    kind = selector.entries.get("ReadWriteType")
    text = text_of(kind) if kind is not None else None
    return kind is None or (text is not None and text.literal == "All")
