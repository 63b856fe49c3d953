"""What the pages about the command line and the configuration list: every option and every key, from their sources."""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from typing import Any

import yaml

from trailguard.commands.options import parser_of
from trailguard.commands.overview import COMMANDS
from trailguard.commands.rules_markdown import table

MARK = "<!-- from here on written by `python -m tests.test_docs` -->"
SCHEMA: dict[str, Any] = json.loads(files("trailguard").joinpath("schemas/config.schema.json").read_text("utf-8"))


def options() -> str:
    """A section for each command: what it does, its arguments and options, examples, and its own exit statuses."""
    lines = []
    for command, does in COMMANDS.items():
        parser = parser_of(command)
        usage = parser.format_usage().removeprefix("usage: ").strip()
        lines += [f"## trailguard {command}", "", f"`{usage}`: {does}.", ""]
        for group in parser._action_groups:
            actions = [action for action in group._group_actions if not isinstance(action, argparse._HelpAction)]
            if not actions:
                continue
            title = {"positional arguments": "argument", "options": "option"}.get(str(group.title), str(group.title))
            rows = ([_names(action), _cell(str(action.help).replace("%%", "%"))] for action in actions)
            lines += [*([group.description, ""] if group.description else []), table((title, "what it does"), rows)]
        lines += ["```text", (parser.epilog or "").rstrip(), "```", ""]
    return "\n" + "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _names(action: argparse.Action) -> str:
    """The names of an option and of its value, as they are typed."""
    value = str(action.metavar or action.dest).replace("|", "\\|")
    if not action.option_strings:
        return f"`{value}`"
    takes = action.nargs != 0
    return ", ".join(f"`{name} {value}`" if takes else f"`{name}`" for name in action.option_strings)


def keys() -> str:
    """A section for each key: type, default, meaning, example, and the keys in it."""
    lines = []
    for name, schema in SCHEMA["properties"].items():
        lines += [f"## {name}", "", schema["description"], ""]
        lines += [f"Type: {_kind(schema)}. Default: {_default(schema)}.", ""]
        inner = schema.get("properties") or _resolved(schema.get("items", {})).get("properties")
        if inner:
            wanted = _resolved(schema.get("items", {})).get("required", ())
            rows = (
                [f"`{key}`", _kind(item), _cell(_resolved(item)["description"]), "yes" if key in wanted else "no"]
                for key, item in inner.items()
            )
            lines.append(table(("key", "type", "what it says", "required"), rows))
        shown = [{name: example} for example in schema["examples"]]
        shown += [{name: {key: item["examples"][0]}} for key, item in schema.get("properties", {}).items()]
        for example in shown:
            text = yaml.safe_dump(example, sort_keys=False, default_flow_style=None, width=110).strip()
            lines += ["```yaml", text[1:-1] if text.startswith("{") else text, "```", ""]
    return "\n" + "\n".join(lines).rstrip() + "\n"


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to beside it."""
    found: Any = SCHEMA
    for part in schema.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return {**(found if "$ref" in schema else {}), **schema}


def _kind(schema: dict[str, Any]) -> str:
    """What a value must be, in words."""
    schema = _resolved(schema)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(item) for item in schema["anyOf"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "array" in types:
        items = _resolved(schema["items"])
        inner = str(items.get("type", _kind(items)))
        return f"list of {'maps' if inner == 'object' else 'texts' if inner == 'string' else inner}"
    if "object" in types:
        return "map"
    if schema.get("format") == "date":
        return "date"
    if "number" in types:
        return "a number"
    return "text"


def _default(schema: dict[str, Any]) -> str:
    return f"`{schema['default']}`" if "default" in schema else "none"
