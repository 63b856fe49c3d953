"""Which data events and insights a trail records, and what several trails record twice."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.trails.facts import FactSpec

FACTS: Mapping[str, FactSpec] = {}
