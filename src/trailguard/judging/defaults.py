"""Templates with a trail whose defaults allow no stack: whoever takes them as they are gets none, and no trail."""

from __future__ import annotations

from collections.abc import Iterator

from trailguard.cloudformation.scenarios.intrinsics import Unbuildable
from trailguard.cloudformation.scenarios.variables import Constraint, Split
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.stacks.renaming import bare
from trailguard.cloudformation.template.template import Resource
from trailguard.findings import Notice
from trailguard.judging.subjects import JudgedTemplate
from trailguard.trails import catalog

_NAMED = 6  # parameters that a notice names


def refused_defaults(judged: JudgedTemplate, *, is_judged: bool = True) -> Iterator[Notice]:
    """Tell of a template with a trail that its defaults allow no stack, and why.

    `is_judged` tells that other values allow one.
    """
    trails = judged.template.of_type(catalog.TRAIL)
    if not trails:
        return
    template = judged.template
    is_told = False
    if template.rules or any(item.condition for item in template.resources.values()):
        for names, by_rules in judged.scenarios.existence.refused_defaults():
            is_told = is_told or not by_rules
            why = "Rules refuse them" if by_rules else "something refers to what is then not made"
            told = sorted(names & template.parameters.keys())
            given = bool(told) and judged.model.fixed.keys() >= set(told)
            node: Node = template.parameters[told[0]].node if told else trails[0].key
            text = _text(told, why, "given" if given else "default", is_judged)
            yield Notice(judged.place_of(node), node.line, text)
    for trail in trails if not is_told else ():
        yield from _refused_name(judged, trail, is_judged)


def _refused_name(judged: JudgedTemplate, trail: Resource, is_judged: bool) -> Iterator[Notice]:
    """Tell of a trail whose bucket has no name by default."""
    variables = judged.model.space.variables
    usual = {
        name: Constraint(item.default, frozenset()) for name, item in variables.items() if item.default is not None
    }
    scenario = judged.scenarios.at(usual)
    try:
        if scenario.active(trail):
            catalog.LINKS["bucket"](scenario, trail)
    except Split:
        return
    except Unbuildable as refused:
        node = scenario.property_node(trail, "S3BucketName") or trail.key
        yield Notice(judged.place_of(node), node.line, _text([], str(refused), "default", is_judged))


def _text(names: list[str], why: str, which: str, is_judged: bool) -> str:
    shown = ", ".join(map(bare, names[:_NAMED])) + (", …" if len(names) > _NAMED else "")
    of_them = f" of {shown}" if names else ""
    so = ", so the trail is judged with others" if is_judged else ""
    return f"with the {which} values{of_them} no stack can be made ({why}){so}"
