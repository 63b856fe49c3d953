"""What a template tells others about its log bucket.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import text_of
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.template.template import FUNCTION_PREFIX, Resource
from trailguard.trails.facts.facts import Fact, FactSpec, no, unknown, yes
from trailguard.trails.facts.names import same_name


def bucket_name_exported(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether some output gives the bucket's name. Its ARN is not its name."""
    own = scenario.returned_pieces(bucket, "Ref")
    generator = None
    for name, (key, node) in scenario.model.template.outputs.items():
        if name.startswith(FUNCTION_PREFIX):
            generator = key
            continue
        value = _value(scenario, node)
        text = None if value is None else text_of(scenario.resolve(value))
        if text is not None and same_name(scenario, text.pieces, own):
            return yes(key, f"output {name} is the name of {bucket.id}")
    if generator is not None:
        return unknown(generator, f"{generator.value} may make an output with the name of {bucket.id}")
    return no(bucket.key, f"no output is the name of {bucket.id}")


def _value(scenario: Scenario, output: Node) -> Node | None:
    """The value of an output that is made here."""
    if not isinstance(output, MapNode):
        return None
    condition = output.values.get("Condition")
    if isinstance(condition, TextNode) and not scenario.condition(condition.value):
        return None
    return output.values.get("Value")


FACTS: Mapping[str, FactSpec] = {
    "exports.bucket_name": FactSpec(bucket_name_exported, {"type": "boolean"}, "an output gives the bucket's name"),
}
