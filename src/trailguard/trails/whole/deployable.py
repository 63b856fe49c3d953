"""Whether CloudFormation takes the resources along a trail's delivery chain, whatever their policies say."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.trails.facts.facts import FactSpec

FACTS: Mapping[str, FactSpec] = {}
