"""Whether a trail's events reach CloudWatch Logs: the log group, the role, and what the role may do."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.template import Resource
from trailguard.trails.facts import FactSpec
from trailguard.trails.links import Link

FACTS: Mapping[str, FactSpec] = {}


def log_group_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The log group of a trail; None when it names none."""
    return None
