"""Parameter files, in any shape that the AWS tools take."""

from __future__ import annotations

from trailguard.settings.checker import Checker
from trailguard.settings.sources import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.settings.sources import Path


def parameters_file(path: str) -> dict[str, str]:
    """Read parameter values in any shape that the AWS tools take, from JSON or YAML; raises ConfigError.

    The shapes: `[{"ParameterKey": …, "ParameterValue": …}]`, `{"Parameters": {…}}`, `{"Key": "Value"}` and
    `["Key=Value"]`.
    """
    source = read(path)
    check = Checker(source)
    data = source.data
    where: Path = ()
    if isinstance(data, dict) and isinstance(data.get("Parameters"), (dict, list)):
        data, where = data["Parameters"], ("Parameters",)
    if isinstance(data, dict):
        return {key: check.written(value, (*where, key)) for key, value in data.items()}
    if not isinstance(data, list):
        raise check.error((), "parameters must be a map, or a list of ParameterKey and ParameterValue or of Key=Value")
    found: dict[str, str] = {}
    for number, item in enumerate(data):
        key, value = _pair(check, item, (*where, number))
        if value is not None:
            found[key] = value
    return found


def _pair(check: Checker, item: object, path: Path) -> tuple[str, str | None]:
    """One parameter of a list; None stands for a value that the stack keeps (UsePreviousValue)."""
    if isinstance(item, str):
        key, equals, text = item.partition("=")
        if not equals or not key.strip():
            raise check.error(path, f'"{item}" must be written Key=Value')
        return key.strip(), text
    known = ("ParameterKey", "ParameterValue", "UsePreviousValue", "ResolvedValue")
    table = check.table(item, path, known)
    if "ParameterKey" not in table:
        raise check.error(path, 'a parameter needs "ParameterKey"')
    key = check.text(table["ParameterKey"], (*path, "ParameterKey"))
    if "ParameterValue" in table:
        return key, check.written(table["ParameterValue"], (*path, "ParameterValue"))
    if table.get("UsePreviousValue") in (True, "true"):
        return key, None
    raise check.error(path, f'parameter "{key}" needs "ParameterValue"')
