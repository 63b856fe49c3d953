"""What a resource says by itself: its properties and attributes, read as a rule means them.

All values of a template are text to CloudFormation. Whether "365" is a number and "true" a Boolean is decided by what a
rule asks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.scenarios.values import (
    VARIABLE,
    Absent,
    Flag,
    ListValue,
    MapValue,
    Null,
    Pieces,
    Text,
    Unknown,
    Value,
    show,
    text_of,
)
from trailguard.cloudformation.source.nodes import Node
from trailguard.cloudformation.template.template import Resource, number_of
from trailguard.trails.facts.facts import (
    BOOLEAN_TEXTS,
    Fact,
    boolean,
    not_boolean,
    null,
    reason_unknown,
    to_json,
    unknown,
    unset,
    via,
)


class Wanted(NamedTuple):
    """What a rule singles out of a fact: texts, numbers, and whether it asks for Booleans."""

    texts: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    boolean: bool = False


NOTHING = Wanted()

# The numbers that a property takes, where they are few.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
TAKES: Mapping[tuple[str, str], tuple[int, ...]] = {
    ("AWS::Logs::LogGroup", "RetentionInDays"): (
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ),
}  # fmt: skip


def property_fact(
    scenario: Scenario,
    resource: Resource,
    path: str,
    defaults: Mapping[str, tuple[bool, str]],
    wanted: Wanted = NOTHING,
) -> Fact:
    """The fact `properties.PATH`.

    `defaults` names the Boolean properties, what they mean when not set, and says so in words. A parameter may be each
    of the texts that the rule singles out, a number on either side of each number, or something else.
    """
    name, *rest = path.split(".")
    value = scenario.value_of(resource, name)
    for step in rest:
        value = step_into(value, step)
    if path in defaults:
        return _boolean_fact(scenario, resource, path, value, defaults[path])
    return _fact(scenario, resource, path, value, wanted)


def attribute_fact(scenario: Scenario, resource: Resource, name: str, wanted: Wanted = NOTHING) -> Fact:
    """The fact `attributes.NAME`: DeletionPolicy, UpdateReplacePolicy, or whatever else stands beside Properties."""
    node = resource.attribute(name)
    value = Absent(resource.key) if node is None else scenario.resolve(node)
    return _fact(scenario, resource, name, value, wanted)


def _fact(scenario: Scenario, resource: Resource, path: str, value: Value, wanted: Wanted) -> Fact:
    if wanted.numbers:
        value = _as_number(scenario, value, wanted.numbers, TAKES.get((resource.type, path), ()))
    elif wanted.boolean:
        value = _as_boolean(scenario, value)
    elif isinstance(value, Text):
        value = _among(scenario, value, wanted.texts)
    reason = reason_unknown(value)
    if reason is not None:
        return unknown(value.node, reason, f"{path} of {resource.id} is not known")
    if isinstance(value, Absent):
        return Fact(None, value.node, f"{resource.id} does not set {path}")
    if isinstance(value, Null):
        return Fact(None, value.node, null(path, resource.id))
    shown = _plain(to_json(value), wanted)
    return Fact(shown, value.node, f"{path} of {resource.id} is {_brief(shown)}{via(value.node)}")


def _among(scenario: Scenario, value: Text, texts: tuple[str, ...]) -> Value:
    """The text, once it is known to be one of the texts that the rule singles out or none of them."""
    symbol = value.symbols[0] if value.symbols else None
    if symbol is None or reason_unknown(value) is not None:
        return value
    if len(value.pieces) > 1:
        found = next((text for text in texts if scenario.equal(value, Text((text,), value.node))), None)
        return value if found is None else Text((found,), value.node)
    if symbol.kind == VARIABLE:
        permits = scenario.model.space.variables[symbol.name].permits
        scenario.settle(symbol, [text for text in texts if permits(text)])
        scenario.fix(symbol.name)
    return value


def _as_boolean(scenario: Scenario, value: Value) -> Value:
    meaning = boolean(scenario, value)
    return Flag(meaning, value.node) if isinstance(meaning, bool) else value


def _as_number(scenario: Scenario, value: Value, limits: Iterable[float], takes: Sequence[int] = ()) -> Value:
    """A numeric value; a parameter is tried on both sides of each limit, as far as it may lie there.

    `takes` are the numbers that can be deployed, where they are few.
    """
    if not isinstance(value, Text) or len(value.pieces) != 1 or not value.symbols:
        return value
    symbol = value.symbols[0]
    if symbol.kind != VARIABLE:
        return value
    name = symbol.name
    scenario.fix(name)
    if takes:
        scenario.choose(name, _beside(limits, takes, scenario.model.space.variables[name].permits), closed=True)
        return Unknown(name, f"no number that can be deployed is a value that {name} takes", value.node)
    parameter = scenario.model.template.parameters.get(name)
    ends = (parameter.min_value, parameter.max_value) if parameter is not None else ()
    near = [limit + step for limit in limits for step in (-1, 0, 1)]
    stated = [end for end in ends if end is not None]
    for numbers in ((*near, *stated), [end + step for end in stated for step in (-1, 1)]):  # the latter: none is left
        scenario.choose(name, list(dict.fromkeys(map(_spell, numbers))), closed=True)
    return Unknown(name, f"no number near {_spell(next(iter(limits)))} is a value that {name} takes", value.node)


def _beside(limits: Iterable[float], takes: Sequence[int], permits: Callable[[str], bool]) -> list[str]:
    """The numbers on both sides of each limit, and on it, among those that can be deployed."""
    able = [item for item in takes if permits(str(item))]
    found: dict[int, None] = {}
    for limit in limits:
        found.update(dict.fromkeys([item for item in able if item < limit][-1:]))
        found.update(dict.fromkeys([item for item in able if item >= limit][:1]))
        found.update(dict.fromkeys([item for item in able if item > limit][:1]))
    return list(map(str, found))


def number(scenario: Scenario, value: Value, limits: Iterable[float]) -> float | str | Unknown | None:
    """A value as a number: None when it is absent, an Unknown, or the text that is no number.

    Whether it lies above or below each of the limits is decided for parameters.
    """
    value = _as_number(scenario, value, tuple(limits))
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Absent):
        return None
    if not isinstance(value, Text):
        return "no number"
    reason = reason_unknown(value)
    if reason is not None:
        return Unknown(show(value), reason, value.node)
    found = number_of(value.literal) if value.literal else None
    return show(value) if found is None else found


def _spell(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _plain(shown: Any, wanted: Wanted) -> Any:
    """Texts that spell what the rule asks for, as that: numbers and Booleans."""
    if isinstance(shown, list):
        return [_plain(item, wanted) for item in shown]
    if not isinstance(shown, str):
        return shown
    if wanted.numbers:
        found = number_of(shown)
        if found is not None:
            return int(found) if found == int(found) else found
    return BOOLEAN_TEXTS.get(shown, shown) if wanted.boolean else shown


def _boolean_fact(scenario: Scenario, resource: Resource, path: str, value: Value, default: tuple[bool, str]) -> Fact:
    node = value.node
    if isinstance(value, Null):
        return Fact(default[0], node, null(path, resource.id))
    meaning = boolean(scenario, value)
    if meaning is None:
        fact = Fact(default[0], resource.key, f"{resource.id} does not set {path}, {default[1]}")
        return unset(fact, resource, path)
    if isinstance(meaning, Unknown):
        return unknown(node, meaning.reason, f"{path} of {resource.id} is not known")
    if isinstance(meaning, str):
        return Fact(meaning, node, f"{path} of {resource.id} {not_boolean(meaning)}{via(node)}")
    told = str(meaning).lower()
    return Fact(meaning, node, f"{path} of {resource.id} is {told}{via(node)}").from_(node, f"{path} is {told}")


def step_into(value: Value, step: str) -> Value:
    """One entry of a map, or one item of a list by its number; Absent, at the value's place, when it is not there."""
    if isinstance(value, MapValue):
        return value.entries.get(step, Absent(value.node))
    if isinstance(value, ListValue) and step.isdecimal() and int(step) < len(value.items):
        return value.items[int(step)]
    return value if isinstance(value, (Unknown, Absent)) else Absent(value.node)


def entry(scenario: Scenario, resource: Resource, *path: str) -> Value:
    """A property by its path."""
    value = scenario.value_of(resource, path[0])
    for step in path[1:]:
        value = step_into(value, step)
    return value


def pseudo(scenario: Scenario, name: str, resource: Resource) -> Pieces:
    """The text of a pseudo parameter, such as "Region", in the stack of a resource."""
    text = text_of(scenario.pseudo(f"AWS::{name}", resource, resource.key))
    return () if text is None else text.pieces


def place(value: Value, otherwise: Node) -> Node:
    """Where a value is written; the other node when it is not."""
    return otherwise if isinstance(value, Absent) else value.node


def _brief(shown: object) -> str:
    text = f'"{" ".join(shown.split())}"' if isinstance(shown, str) else str(shown)
    if isinstance(shown, (list, dict)):
        import json  # late: rules seldom ask about whole lists and maps

        text = json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
