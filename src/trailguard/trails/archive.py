"""How well the bucket of a trail keeps the logs: access, versions, retention."""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.template import Resource
from trailguard.cloudformation.values import Text, show
from trailguard.trails.buckets import log_bucket
from trailguard.trails.facts import FactSpec
from trailguard.trails.links import Link

FACTS: Mapping[str, FactSpec] = {}


def bucket_link(scenario: Scenario, trail: Resource) -> Link | None:
    """The bucket that a trail delivers to; None when it names none."""
    bucket = log_bucket(scenario, trail)
    if bucket is None:
        return None
    shown = show(Text(bucket.name, bucket.node))
    reason = f"none of the scanned templates makes bucket {shown}; scan the template that does together with this one"
    return Link(bucket.node, bucket.resource, reason)
