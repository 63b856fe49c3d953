"""Parameter values in the configuration of the AWS SAM CLI, `samconfig.toml` or `samconfig.yaml`.

Values stand in ENVIRONMENT.COMMAND.parameters.parameter_overrides; of the commands, `deploy` counts, and `global` where
that says nothing. One environment takes nothing over from another.
Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

from __future__ import annotations

import re

from trailguard.errors import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trailguard.settings.checker import Checker
    from trailguard.settings.sources import Path

DEFAULT = "default"
COMMANDS = ("deploy", "global")  # the first that says something counts
OVERRIDES = "parameter_overrides"

# What the SAM CLI takes: KEY=VALUE or ParameterKey=KEY,ParameterValue=VALUE, with spaces between them. A value with a
# space in it stands in quotes, or has a backslash before it.
_VALUE = r"""(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^\s"'\\])*)(?=\s|$)"""
_KEY = r"(?:ParameterKey=(?P<long>[^\s=,\"']+),ParameterValue=|(?P<short>[^\s=,\"']+)=)"


def is_samconfig(data: object) -> bool:
    """Tell whether plain data looks like a samconfig: environments of commands of parameters."""
    environments = data.values() if isinstance(data, dict) else ()
    commands = [item for one in environments if isinstance(one, dict) for item in one.values()]
    return any(isinstance(item, dict) and "parameters" in item for item in commands)


def overrides(check: Checker, environment: str) -> tuple[dict[str, str], Path]:
    """The parameter values of an environment and where they stand; raises ConfigError when it has none."""
    data = check.table(check.source.data, ())
    known = {name: commands for name, commands in data.items() if isinstance(commands, dict)}
    if environment not in known:
        raise check.error((), f'there is no environment "{environment}"{did_you_mean(environment, known)}')
    found = _written(known[environment])
    if found is None:
        others = [name for name, commands in known.items() if _written(commands) is not None]
        hint = f"; name one that has: {', '.join(f'FILE:{name}' for name in others)}" if others else ""
        text = f'environment "{environment}" has no {OVERRIDES} in {" or ".join(COMMANDS)}.parameters{hint}'
        raise check.error((environment, *list(known[environment])[:1], "parameters"), text)
    command, value = found
    path: Path = (environment, command, "parameters", OVERRIDES)
    if isinstance(value, dict):
        return dict(check.values(value, path)), path
    texts = check.items([value] if isinstance(value, str) else value, path)
    values: dict[str, str] = {}
    for number, item in enumerate(texts):
        where = path if isinstance(value, str) else (*path, number)
        values.update(_pairs(check, item, where))
    return values, path


def _written(commands: Mapping[str, Any]) -> tuple[str, object] | None:
    """What is written of values, and for which command."""
    for command in COMMANDS:
        section = commands.get(command)
        parameters = section.get("parameters") if isinstance(section, dict) else None
        if isinstance(parameters, dict) and OVERRIDES in parameters:
            return command, parameters[OVERRIDES]
    return None


def _pairs(check: Checker, text: object, path: Path) -> dict[str, str]:
    """The values in a text; raises ConfigError for what is not Key=Value."""
    if not isinstance(text, str):
        raise check.error(path, f"{check.title(path)} must be text, such as Key=Value")
    found: dict[str, str] = {}
    rest = text.strip()
    while rest:
        match = re.match(_KEY + _VALUE, rest)
        if match is None:
            raise check.error(path, f'{check.title(path)} must be written Key=Value, or Key="a value"')
        found[match["long"] or match["short"]] = _unquoted(match["value"])
        rest = rest[match.end() :].lstrip()
    return found


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        value = value[1:-1]
    return re.sub(r"\\([ \"'])", r"\1", value)
