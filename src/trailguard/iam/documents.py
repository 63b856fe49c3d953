"""Reads the policy documents of a template as far as a scenario decides them; what is open in lists stays open."""

from __future__ import annotations

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import Value
from trailguard.cloudformation.scenarios.variables import Split
from trailguard.cloudformation.template.template import Resource
from trailguard.iam.policy import RESOURCE_POLICY, Policy, read_policy


def read_document(scenario: Scenario, resource: Resource, name: str, kind: frozenset[str] = RESOURCE_POLICY) -> Policy:
    """Read the policy document in a property of a resource; `kind` is that of the policy.

    What is open in its lists stays open. Raises Split for all else.
    """
    try:
        return read_policy(scenario.value_of(resource, name), kind)
    except Split:
        from trailguard.iam.drafted import drafted_policy  # late: most documents are decided

        policy = drafted_policy(scenario, resource, name, kind)
        if policy is None:
            raise
        return policy


def about(scenario: Scenario, resource: Resource, name: str, service: str) -> Value:
    """A property that holds policy documents, without those open parts that are not about the actions of a service.

    Raises Split for the parts that are.
    """
    try:
        return scenario.value_of(resource, name)
    except Split:
        from trailguard.iam.drafted import drafted_about

        node = scenario.property_node(resource, name)
        if node is None:
            raise
        return drafted_about(scenario, node, service)


def mentions(value: Value, service: str) -> bool:
    """Tell whether actions of a service may be among those that a document names."""
    from trailguard.iam.drafted import mentions as found

    return found(value, service)
