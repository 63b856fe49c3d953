"""Parameter files, in any shape that the AWS tools take."""

from __future__ import annotations

import os
from typing import NamedTuple

from trailguard.cloudformation.source.letters import KEPT, RESOLVED
from trailguard.settings import samconfig
from trailguard.settings.checker import Checker
from trailguard.settings.sources import read_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailguard.settings.sources import Path, Source

# The keys of a deployment file of Git sync. Its template and its tags change no verdict.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/git-sync-concepts-terms.html
_GIT_SYNC = ("template-file-path", "parameters", "tags")


class Values(NamedTuple):
    """Values of parameters by name; KEPT where the stack keeps the one that it has, RESOLVED before what was looked up.

    `source` is the file that they come from ("" for none), `lines` tells where each stands.
    """

    values: Mapping[str, str] = {}
    source: str = ""
    lines: Mapping[str, int] = {}


def parameters_file(path: str, streams: bool = False) -> Values:
    """Read parameter values in any shape that the AWS tools take, from JSON, YAML, TOML or lines; raises ConfigError.

    The shapes: `[{"ParameterKey": …, "ParameterValue": …}]`, `{"Parameters": {…}}`, `{"Key": "Value"}`,
    `["Key=Value"]`, lines of `Key=Value`, a deployment file of Git sync, and a `samconfig` of the SAM CLI, of which
    `FILE:ENVIRONMENT` names another environment than `default`. With `streams`, the file may be a pipe. No message
    quotes a value: it may be a secret.
    """
    path, environment = _split(path)
    source = read_values(path, streams)
    check = Checker(source)
    data = source.data
    if environment or samconfig.is_samconfig(data) or os.path.basename(path).startswith("samconfig."):
        values, where = samconfig.overrides(check, environment or samconfig.DEFAULT)
        return Values(values, source.name, dict.fromkeys(values, source.place(where)[0]))
    if isinstance(data, dict) and _is_git_sync(data):
        table = check.table(data, (), _GIT_SYNC)
        return _placed(source, check.values(table.get("parameters"), ("parameters",)), ("parameters",))
    where = ()
    if isinstance(data, dict) and isinstance(data.get("Parameters"), (dict, list)):
        data, where = data["Parameters"], ("Parameters",)
    if isinstance(data, dict):
        return _placed(source, {key: check.written(value, (*where, key)) for key, value in data.items()}, where)
    if not isinstance(data, list):
        shapes = "a map, or a list of ParameterKey and ParameterValue or of Key=Value, or lines of KEY=VALUE"
        raise check.error((), f"parameters must be {shapes}")
    pairs = [_pair(check, item, (*where, number)) for number, item in enumerate(data)]
    lines = {key: source.place((*where, number))[0] for number, (key, _) in enumerate(pairs)}
    return Values(dict(pairs), source.name, lines)


def _placed(source: Source, values: Mapping[str, str], where: Path) -> Values:
    """The values of a map, each with its line."""
    return Values(dict(values), source.name, {key: source.key_place((*where, key))[0] for key in values})


def _split(path: str) -> tuple[str, str]:
    """The name of a file, and that of an environment in it, which may stand behind a colon."""
    head, colon, environment = path.rpartition(":")
    if colon and environment and not os.path.lexists(path) and os.path.isfile(head):
        return head, environment
    return path, ""


def _is_git_sync(data: dict[str, object]) -> bool:
    """Tell a deployment file of Git sync from a map of values, where none is a map."""
    return "template-file-path" in data or isinstance(data.get("parameters"), dict)


def _pair(check: Checker, item: object, path: Path) -> tuple[str, str]:
    """One parameter of a list; with UsePreviousValue the stack keeps the value that it has.

    A list that `aws cloudformation describe-stacks` prints says in ResolvedValue what the parameter store gave.
    """
    if isinstance(item, str):
        key, equals, text = item.partition("=")
        if not equals or not key.strip():
            raise check.error(path, "a parameter must be written Key=Value")
        return key.strip(), text
    known = ("ParameterKey", "ParameterValue", "UsePreviousValue", "ResolvedValue")
    table = check.table(item, path, known)
    if "ParameterKey" not in table:
        raise check.error(path, 'a parameter needs "ParameterKey"')
    key = check.text(table["ParameterKey"], (*path, "ParameterKey"))
    if "ResolvedValue" in table:
        return key, RESOLVED + check.written(table["ResolvedValue"], (*path, "ResolvedValue"))
    if "ParameterValue" in table:
        return key, check.written(table["ParameterValue"], (*path, "ParameterValue"))
    if table.get("UsePreviousValue") in (True, "true"):
        return key, KEPT
    raise check.error(path, f'parameter "{key}" needs "ParameterValue"')
