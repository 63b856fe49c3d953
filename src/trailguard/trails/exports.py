"""What a template tells others about its log bucket."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.trails.facts import FactSpec

FACTS: Mapping[str, FactSpec] = {}
