"""Whether somebody is told when a trail is changed: a metric filter on its log group, and an alarm."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.trails.facts import FactSpec

FACTS: Mapping[str, FactSpec] = {}
