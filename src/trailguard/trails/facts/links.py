"""The links of a trail's delivery chain: what a trail hands its logs, digests and messages to.

A rule about a bucket, a key, a log group or a topic is about the one that a trail uses. Which one that is, the trail
says; it may be made by the template, or elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import OPAQUE, Null, Symbol, text_of
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, is_empty, no, null, settle_empty, unknown, via, yes

ANY_ORDER = "they are in stacks that do not refer to each other, and whoever deploys them chooses the order"
SCAN_IT = "; scan the template that does together with this one"


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


def names_something(scenario: Scenario, resource: Resource, name: str) -> Fact:
    """Whether a property is set, and not to nothing. A parameter is tried empty too, where it may be."""
    value = scenario.value_of(resource, name)
    node = value.node
    if is_empty(value):
        written = scenario.property_node(resource, name) is not None and node is not resource.key
        if isinstance(value, Null):
            return no(node, null(name, resource.id))
        return no(node, f"{name} of {resource.id} is empty{via(node)}" if written else f"{resource.id} has no {name}")
    text = text_of(value)
    if text is not None and all(isinstance(piece, Symbol) for piece in text.pieces):
        settle_empty(scenario, text)
        if all(symbol.kind == OPAQUE for symbol in text.symbols):
            return unknown(node, text.symbols[0].reason, f"{name} of {resource.id} is not known")
    return yes(node, f"{resource.id} sets {name}")


def elsewhere(what: str, source: str = "", unseen: str = "") -> str:
    """Why nothing is known of something that a trail names and the template does not make.

    `unseen` tells why nobody who looked at the account saw it.
    """
    because = f" ({source})" if source else ""
    advice = "" if SCAN_IT in source else SCAN_IT
    if unseen and not source:
        return f"neither this template nor one that is connected with it makes {what}, and {unseen}"
    return f"neither this template nor one that is connected with it makes {what}{because}{advice}"


def unordered(scenario: Scenario, trail: Resource, made: Resource, why: str) -> Fact:
    """That nothing makes a trail wait for something that it needs, and `why` it does: unknown in unrelated stacks."""
    place = trail.attribute("DependsOn") or trail.key
    if scenario.model.stacks.meeting(trail.id, made.id) is None:
        because = f"nothing in the templates says whether {trail.id} is created after {made.id}, {why}"
        return unknown(place, ANY_ORDER, because)
    because = f"nothing makes {trail.id} wait for {made.id}, {why}, so the trail may be created first"
    return no(place, because, ((made.key, "what must exist first"),))
