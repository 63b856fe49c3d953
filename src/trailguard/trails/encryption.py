"""The key of a trail or an event data store, and what it lets CloudTrail do."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.template import Resource
from trailguard.trails.facts import FactSpec
from trailguard.trails.links import Link

FACTS: Mapping[str, FactSpec] = {}
KEY_FACTS: Mapping[str, FactSpec] = {}
EVENT_DATA_STORE_FACTS: Mapping[str, FactSpec] = {}


def key_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The key of a trail; None when it names none."""
    return None
