"""What a rule requires, and the options that a user can set about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trailguard.rulebook.must import asks_boolean, literals, numbers
from trailguard.trails.facts.properties import NOTHING, Wanted

OPTIONAL_ITEM = {"option", "item"}  # the keys of what counts in a list where an option is true


class Requirement(NamedTuple):
    """What a fact must be: a JSON Schema, and what it means when it is not. `wanted` is what the schema singles out."""

    fact: str
    must: Mapping[str, Any]
    message: str
    wanted: Wanted = NOTHING


class Option(NamedTuple):
    """What a user can set about a rule: the JSON Schema of its value, the default, and what it means."""

    schema: Mapping[str, Any]
    default: Any
    description: str


def told(value: object) -> str:
    """The value of an option, for people."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(told, value)) or "empty"
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def filled(requirement: Requirement, values: Mapping[str, Any]) -> Requirement | None:
    """A requirement with the values of options in place of their names; None when one has no value."""
    must = filled_data(requirement.must, values)
    if must is None:
        return None
    message = requirement.message
    for name, value in values.items():
        message = message.replace(
            "{" + name + "}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        )
    return Requirement(requirement.fact, must, message, wanted_of(must))


def filled_data(data: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Data with the values of options in place of their names; None when one has no value."""
    missing: list[str] = []

    def fill(item: Any) -> Any:
        if isinstance(item, Mapping):
            name = _option_named(item)
            if name is None:
                return {key: fill(inner) for key, inner in item.items()}
            if values[name] is None:
                missing.append(name)
            return values[name]
        if isinstance(item, list):
            return [fill(_without_option(inner)) for inner in item if _counts(inner, values)]
        return item

    made: dict[str, Any] = fill(data)
    return None if missing else made


def _option_named(item: Mapping[str, Any]) -> str | None:
    """The option whose value belongs in the place of `{option: NAME}`."""
    name = item.get("option")
    return name if len(item) == 1 and isinstance(name, str) else None


def _is_optional(item: Any) -> bool:
    """Tell whether an item of a list is `{option: NAME, item: VALUE}`, which counts where the option is true."""
    return isinstance(item, Mapping) and item.keys() == OPTIONAL_ITEM


def _counts(item: Any, values: Mapping[str, Any]) -> bool:
    return not _is_optional(item) or values[item["option"]] is True


def _without_option(item: Any) -> Any:
    return item["item"] if _is_optional(item) else item


def wanted_of(must: Mapping[str, Any]) -> Wanted:
    """What the schema of a requirement singles out."""
    return Wanted(tuple(literals(must)), tuple(numbers(must)), asks_boolean(must))
