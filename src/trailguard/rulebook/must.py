"""Decides what a rule's `must` asks of a fact: JSON Schema, draft 2020-12.

The keywords that the rules of trailguard use are decided here; whatever else a user writes is left to jsonschema, which
takes longer to import than a scan of one template takes. A test holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def _is_size(value: Any) -> bool:
    return _has_type("integer", value) and bool(value >= 0)


# The keywords that are decided here, each with what its value must be.
_SIMPLE: dict[str, Callable[[Any], bool]] = {
    "const": lambda _: True,
    "enum": lambda value: isinstance(value, list),
    "type": lambda value: isinstance(value, str) and value in _TYPES,
    "minimum": lambda value: _has_type("number", value),
    "maximum": lambda value: _has_type("number", value),
    "minLength": _is_size,
    "minItems": _is_size,
    "maxItems": _is_size,
    "items": lambda value: isinstance(value, dict) and simple(value),
    "not": lambda value: isinstance(value, dict) and simple(value),
}


def simple(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema is right and uses only keywords that are decided here."""
    return all(name in _SIMPLE and _SIMPLE[name](wanted) for name, wanted in schema.items())


def holds(schema: Mapping[str, Any], value: Any) -> bool:
    """Tell whether a value satisfies a schema."""
    if simple(schema):
        return all(_keyword(name, wanted, value) for name, wanted in schema.items())
    from jsonschema import Draft202012Validator

    return bool(Draft202012Validator(schema).is_valid(value))


def _keyword(name: str, wanted: Any, value: Any) -> bool:
    if name == "const":
        return _equal(wanted, value)
    if name == "enum":
        return any(_equal(item, value) for item in wanted)
    if name == "type":
        return _has_type(wanted, value)
    if name == "not":
        return not holds(wanted, value)
    if name in ("minimum", "maximum"):
        if not _has_type("number", value):
            return True
        return bool(value >= wanted if name == "minimum" else value <= wanted)
    if name == "minLength":
        return not isinstance(value, str) or len(value) >= wanted
    if not isinstance(value, list):
        return True
    if name == "items":
        return all(holds(wanted, item) for item in value)
    return bool(len(value) >= wanted if name == "minItems" else len(value) <= wanted)


def _has_type(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _equal(left: Any, right: Any) -> bool:
    """Equality of JSON: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_equal(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(item, right[key]) for key, item in left.items())
    return bool(left == right)


def literals(schema: Mapping[str, Any]) -> list[str]:
    """The texts that a schema singles out: with each of them, and with some other text, it may decide differently."""
    stated = [one for item in _schemas(schema) for one in (item.get("const"), *_items(item.get("enum")))]
    return sorted({one for one in stated if isinstance(one, str)})


_NUMERIC = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


def numbers(schema: Mapping[str, Any]) -> list[float]:
    """The numbers at which a schema changes its mind."""
    found: set[float] = set()
    for item in _schemas(schema):
        stated = [item.get("const"), *_items(item.get("enum")), *(item.get(name) for name in _NUMERIC)]
        found.update(one for one in stated if _has_type("number", one))
        if item.get("type") in ("integer", "number"):
            found.add(0)
    return sorted(found)


def asks_boolean(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema speaks of true or false."""
    return any(
        item.get("type") == "boolean"
        or any(isinstance(one, bool) for one in (item.get("const"), *_items(item.get("enum"))))
        for item in _schemas(schema)
    )


def _schemas(schema: Any) -> list[Mapping[str, Any]]:
    """A schema and those inside it."""
    found: list[Mapping[str, Any]] = []
    pending: list[Any] = [schema]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            found.append(item)
            pending.extend(inner for name, inner in item.items() if name not in ("const", "enum"))
        else:
            pending.extend(_items(item))
    return found


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# The keywords of JSON Schema, draft 2020-12, by what they hold. https://json-schema.org/draft/2020-12/schema
_WITH_SCHEMA = (
    "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then", "unevaluatedItems",
    "unevaluatedProperties",
)  # fmt: skip
_WITH_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_WITH_NAMED_SCHEMAS = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_WITH_VALUE = (
    "$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "$vocabulary", "const",
    "contentEncoding", "contentMediaType", "contentSchema", "default", "dependentRequired", "deprecated", "description",
    "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems", "maxLength",
    "maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf",
    "pattern", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly",
)  # fmt: skip
KEYWORDS = frozenset((*_WITH_SCHEMA, *_WITH_SCHEMAS, *_WITH_NAMED_SCHEMAS, *_WITH_VALUE))


def unknown_keyword(schema: Any) -> str | None:
    """A keyword that JSON Schema does not have, and would pass over in silence; None when there is none."""
    pending = [schema]
    while pending:
        current = pending.pop()
        if not isinstance(current, Mapping):
            continue
        for name, value in current.items():
            if name not in KEYWORDS:
                return str(name)
            if name in _WITH_SCHEMA:
                pending.append(value)
            elif name in _WITH_SCHEMAS:
                pending.extend(_items(value))
            elif name in _WITH_NAMED_SCHEMAS and isinstance(value, Mapping):
                pending.extend(value.values())
    return None


def refuse_schema(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a schema, or None."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return str(error.message)
    return None
