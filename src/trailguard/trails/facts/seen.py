"""What AWS said of a trail that exists when somebody looked: whether its last deliveries went well.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.trails.facts.facts import Fact, FactSpec, no, yes

_TRUTH: Mapping[str, object] = {"type": "boolean"}
# What is delivered, by the words of the failures that are observed.
_TOLD: Mapping[str, str] = {
    "logs": "log files",
    "digests": "digest files",
    "events": "events to the log group",
    "notifications": "messages to the topic",
}


def delivered(*kinds: str) -> FactSpec:
    """A fact: whether the last delivery of what a trail delivers went well, as far as anybody saw it."""
    what = " and ".join(_TOLD[kind] for kind in kinds)
    description = f"where the trail exists, its last delivery of {what} went well; true where nobody looked"
    return FactSpec(_asked(kinds), _TRUTH, description)


def _asked(kinds: tuple[str, ...]) -> Callable[[Scenario, Resource], Fact]:
    def fact(scenario: Scenario, trail: Resource) -> Fact:
        seen = scenario.model.stacks.observed(trail.id)
        failures = seen.failures.get(bare(trail.id), {}) if seen is not None else {}
        for kind in kinds:
            if kind in failures:
                return no(trail.key, failed(trail.id, kind, failures[kind]))
        return yes(trail.key, f"no delivery of {trail.id} is known to have failed")

    return fact


def failed(trail: str, kind: str, error: str) -> str:
    """That a delivery failed, for people."""
    return f"the last delivery of {_TOLD[kind]} of {trail} failed with {error}"
