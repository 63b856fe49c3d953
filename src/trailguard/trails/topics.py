"""Whether CloudTrail may publish to the topic that a trail names."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.template import Resource
from trailguard.trails.facts import FactSpec
from trailguard.trails.links import Link

FACTS: Mapping[str, FactSpec] = {}


def topic_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The topic of a trail; None when it names none."""
    return None
