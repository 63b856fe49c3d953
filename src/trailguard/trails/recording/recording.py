"""Whether a trail records all management events.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
"""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, no, unknown, yes
from trailguard.trails.recording.eventsets import TooMany, left_out
from trailguard.trails.recording.selectors import KINDS, MANAGEMENT, MANAGEMENT_EVENTS, Part, recorded


def management_events(scenario: Scenario, trail: Resource) -> Fact:
    """Whether all management events, read and write, are recorded."""
    parts, node = recorded(scenario, trail, MANAGEMENT)
    if node is trail.key:
        return yes(node, f"{trail.id} has no event selectors, which means all management events")
    try:
        if left_out([part.least for part in parts if part.least is not None], MANAGEMENT_EVENTS) is None:
            return yes(node, f"the event selectors of {trail.id} record all management events")
        gap = left_out([part.most for part in parts], MANAGEMENT_EVENTS)  # when what is not known turns out well
    except TooMany:
        return unknown(node, "its event selectors are too many to compare")
    recording = [part for part in parts if part.may_record(MANAGEMENT_EVENTS)]
    if gap is not None:
        return no(*_gap(parts, recording, node, f"{KINDS[gap['readOnly']]} management events are not recorded"))
    part = next(part for part in recording if part.doubt is not None)
    place, reason = part.doubt or (node, "")
    if part.places.get("eventCategory") is part.node:  # a basic selector, which is pointed to as a whole
        place = part.node
    what = "the event selectors" if part.node is node else "an event selector"
    return unknown(place, reason, f"{what} of {trail.id} {'are' if part.node is node else 'is'} not known")


def _gap(parts: list[Part], recording: list[Part], node: Node, because: str) -> tuple[Node, str]:
    """The place that leaves out management events, and how."""
    narrowed = [part.narrowed for part in recording or parts if part.narrowed is not None]
    if recording:
        return narrowed[0] if narrowed else (recording[0].node, because)
    if not narrowed:
        told = "no advanced event selector has eventCategory Management, so no management events are recorded"
        return node, told
    return narrowed[0] if len(parts) == 1 else (node, "no event selector records management events")
