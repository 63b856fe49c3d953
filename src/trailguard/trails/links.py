"""The links of a trail's delivery chain: what a trail hands its logs, digests and messages to.

A rule about a bucket, a key, a log group or a topic is about the one that a trail uses. Which one that is, the trail
says; it may be made by the template, or elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.resolver import Scenario
from trailguard.cloudformation.source import Node
from trailguard.cloudformation.template import Resource


class Link(NamedTuple):
    """What a trail names in one scenario.

    `node` is the place where the trail names it. `resource` is what the template makes of that name; without one,
    `elsewhere` says why nothing is known of it.
    """

    node: Node
    resource: Resource | None
    elsewhere: str = ""


# Finds a link; None when the trail names nothing of the kind here.
LinkFinder: TypeAlias = Callable[[Scenario, Resource], "Link | None"]
