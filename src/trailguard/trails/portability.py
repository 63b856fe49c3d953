"""Whether the delivery chain of a trail works in every partition."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.trails.facts import FactSpec

FACTS: Mapping[str, FactSpec] = {}
