"""Whether names are left to CloudFormation or given from outside."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.trails.facts import FactSpec

FACTS: Mapping[str, FactSpec] = {}
