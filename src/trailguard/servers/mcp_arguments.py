"""Checks what an assistant passes to a tool against the tool's schema, and says what is wrong without repeating it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trailguard.errors import UserError, did_you_mean

_KINDS: Mapping[str, tuple[type, str]] = {
    "string": (str, "a text"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
}


def checked(tool: str, arguments: Mapping[str, Any] | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with the defaults of what is left out; raises UserError for the first that does not fit.

    `schema` uses no more of JSON Schema than is checked here.
    """
    known = schema["properties"]
    given = {name: value for name, value in (arguments or {}).items() if value is not None}
    for name in given:
        if name not in known:
            raise _refused(f'{tool} takes no "{name[:50]}"{did_you_mean(name[:50], known)}')
    for name in schema.get("required", ()):
        if name not in given:
            raise _refused(f'{tool} needs "{name}"')
    for name, value in given.items():
        _check(name, value, known[name])
    defaults = {name: item["default"] for name, item in known.items() if "default" in item}
    return {**defaults, **given}


def _check(name: str, value: Any, schema: Mapping[str, Any]) -> None:
    """Refuse a value that does not fit."""
    kind, told = _KINDS[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _refused(f'"{name}" must be {told}')
    if isinstance(value, str):
        _check_text(name, value, schema)
    elif isinstance(value, list):
        if len(value) > schema["maxItems"]:
            raise _refused(f'"{name}" has more than {schema["maxItems"]} items')
        for item in value:
            _check(name, item, schema["items"])
    elif isinstance(value, dict):
        if len(value) > schema["maxProperties"]:
            raise _refused(f'"{name}" has more than {schema["maxProperties"]} entries')
        for key, item in value.items():
            _check(name, key, {"type": "string"})
            _check(name, item, schema["additionalProperties"])
    elif "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        raise _refused(f'"{name}" must be from {schema["minimum"]} to {schema["maximum"]}')


def _check_text(name: str, value: str, schema: Mapping[str, Any]) -> None:
    most = schema.get("maxLength", 10_000)
    if len(value) > most:
        raise _refused(f'"{name}" has more than {most:,} characters')
    if re.search("[\ud800-\udfff]", value):
        raise _refused(f'"{name}" holds half of a surrogate pair')
    if "enum" in schema and value not in schema["enum"]:
        raise _refused(f'"{name}" must be one of {", ".join(schema["enum"])}{_near(value, schema["enum"])}')
    if "pattern" in schema and not re.fullmatch(schema["pattern"].removeprefix("^").removesuffix("$"), value):
        raise _refused(f'"{name}" must be {schema["title"]}')


def _near(value: str, known: list[str]) -> str:
    hint = did_you_mean(value[:50], known)
    return hint if hint.startswith(";") else ""


def _refused(message: str) -> UserError:
    return UserError("", 0, 0, message)
