"""Parameter files, in any shape that the AWS tools take."""

from __future__ import annotations

from typing import NamedTuple

from trailguard.cloudformation.source.letters import KEPT
from trailguard.settings.checker import Checker
from trailguard.settings.sources import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailguard.settings.sources import Path


class Values(NamedTuple):
    """Values of parameters by name; KEPT where the stack keeps the one that it has.

    `source` is the file that they come from ("" for none), `lines` tells where each stands.
    """

    values: Mapping[str, str] = {}
    source: str = ""
    lines: Mapping[str, int] = {}


def parameters_file(path: str, streams: bool = False) -> Values:
    """Read parameter values in any shape that the AWS tools take, from JSON or YAML; raises ConfigError.

    The shapes: `[{"ParameterKey": …, "ParameterValue": …}]`, `{"Parameters": {…}}`, `{"Key": "Value"}` and
    `["Key=Value"]`. With `streams`, the file may be a pipe. No message quotes a value: it may be a secret.
    """
    source = read(path, streams)
    check = Checker(source)
    data = source.data
    where: Path = ()
    if isinstance(data, dict) and isinstance(data.get("Parameters"), (dict, list)):
        data, where = data["Parameters"], ("Parameters",)
    if isinstance(data, dict):
        values = {key: check.written(value, (*where, key)) for key, value in data.items()}
        return Values(values, source.name, {key: source.key_place((*where, key))[0] for key in values})
    if not isinstance(data, list):
        raise check.error((), "parameters must be a map, or a list of ParameterKey and ParameterValue or of Key=Value")
    pairs = [_pair(check, item, (*where, number)) for number, item in enumerate(data)]
    lines = {key: source.place((*where, number))[0] for number, (key, _) in enumerate(pairs)}
    return Values(dict(pairs), source.name, lines)


def _pair(check: Checker, item: object, path: Path) -> tuple[str, str]:
    """One parameter of a list; with UsePreviousValue the stack keeps the value that it has."""
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
    if "ParameterValue" in table:
        return key, check.written(table["ParameterValue"], (*path, "ParameterValue"))
    if table.get("UsePreviousValue") in (True, "true"):
        return key, KEPT
    raise check.error(path, f'parameter "{key}" needs "ParameterValue"')
