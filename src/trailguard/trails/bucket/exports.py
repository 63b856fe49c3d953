"""What a template tells others about its log bucket.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import text_of
from trailguard.cloudformation.source.nodes import MapNode, Node, TextNode
from trailguard.cloudformation.template.template import FUNCTION_PREFIX, Resource
from trailguard.trails.facts.facts import Fact, FactSpec, no, unknown, yes
from trailguard.trails.facts.names import same_name


def bucket_name_exported(scenario: Scenario, bucket: Resource) -> Fact:
    """Whether some output gives the bucket's name. Its ARN is not its name."""
    outputs = scenario.model.template.outputs
    made = [(name, node) for name, (_, node) in outputs.items() if not name.startswith(FUNCTION_PREFIX)]
    asks = [((bucket.id, name), partial(_giving, bucket=bucket, name=name, output=node)) for name, node in made]
    answers, open_ = scenario.among("gives the name", asks, bool)
    name = next(filter(None, answers), None)
    if name is not None:
        return yes(outputs[name][0], f"output {name} is the name of {bucket.id}")
    if open_ is not None:
        raise open_
    generator = next((key for name, (key, _) in outputs.items() if name.startswith(FUNCTION_PREFIX)), None)
    if generator is not None:
        return unknown(generator, f"{generator.value} may make an output with the name of {bucket.id}")
    return no(bucket.key, f"no output is the name of {bucket.id}")


def _giving(scenario: Scenario, bucket: Resource, name: str, output: Node) -> str:
    """The name of an output that is made here and gives the bucket's name; "" when it does not."""
    value = _value(scenario, output)
    text = None if value is None else text_of(scenario.resolve(value))
    gives = text is not None and same_name(scenario, text.pieces, scenario.returned_pieces(bucket, "Ref"))
    return name if gives else ""


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
