"""Settings: what a configuration file asks for, checked by hand because a JSON Schema library costs 0.1 s to import.

`schemas/config.schema.json` says the same for editors; the tests hold the two against each other.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from trailguard.errors import ConfigError, did_you_mean, display_name
from trailguard.findings import OPEN, SEVERITIES
from trailguard.settings.sources import read, read_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from trailguard.findings import Severity, Verdict
    from trailguard.settings.sources import Source

    Word = TypeVar("Word", bound=str)

NAMES = (".trailguard.yaml", ".trailguard.yml")
LINTERS = ("cfn-lint", "checkov")

_NO_TEXTS: Mapping[str, str] = {}
_NO_SEVERITIES: Mapping[str, Severity] = {}
_NO_OPTIONS: Mapping[str, Mapping[str, object]] = {}
_NO_PLACES: Mapping[tuple[str, str], tuple[int, int]] = {}


class Waiver(NamedTuple):
    """A finding that is accepted until a date.

    `rule` is an id or a name, `file` a glob from the folder of the configuration, `resource` a logical ID or "" for
    any. `source`, `line` and `column` tell where it is written.
    """

    rule: str
    file: str
    resource: str
    reason: str
    expires: str
    source: str = ""
    line: int = 0
    column: int = 0


class Context(NamedTuple):
    """A deployment of some templates: globs of their files, and what is fixed in it."""

    name: str
    templates: tuple[str, ...]
    parameters: Mapping[str, str] = _NO_TEXTS
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None


class Settings(NamedTuple):
    """Everything that a user can set. `source` is the configuration file, `root` its folder ("" when there is none).

    `notes` is to be told to the user on standard error.
    """

    profile: str = "default"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = _NO_SEVERITIES
    options: Mapping[str, Mapping[str, object]] = _NO_OPTIONS
    option_places: Mapping[tuple[str, str], tuple[int, int]] = _NO_PLACES
    rule_dirs: tuple[str, ...] = ()
    parameters: Mapping[str, str] = _NO_TEXTS
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fail_on: Verdict = "fail"
    min_severity: Severity = "info"
    waivers: tuple[Waiver, ...] = ()
    contexts: tuple[Context, ...] = ()
    baseline: str = ""
    foreign_suppressions: tuple[str, ...] = ()
    source: str = ""
    root: str = ""
    notes: tuple[str, ...] = ()


def load(start: str, explicit: str | None = None) -> Settings:
    """Read the named configuration, or the nearest at or above a folder within its repository; raises ConfigError."""
    if explicit is not None:
        return _settings(read(explicit), ())
    for folder in _upwards(start):
        found = [path for name in NAMES if os.path.lexists(path := os.path.join(folder, name))]
        project = os.path.join(folder, "pyproject.toml")
        if not found and not _mentions_us(project):
            continue
        table = read_project(project) if _mentions_us(project) else None
        if found:
            spare = [*found[1:], *([project] if table is not None else [])]
            notes = tuple(
                f"{display_name(path)} is not used, because {display_name(found[0])} stands beside it" for path in spare
            )
            return _settings(read(found[0]), notes)
        if table is not None:
            return _settings(table, ())
    return Settings()


def _upwards(start: str) -> list[str]:
    """List the folders from here up to the repository's root, seen from here; outside of a repository only this one."""
    here = os.path.abspath(start)
    folders = [here]
    while not os.path.lexists(os.path.join(folders[-1], ".git")):
        parent = os.path.dirname(folders[-1])
        if parent == folders[-1]:
            return [start]
        folders.append(parent)
    return [os.path.normpath(os.path.join(start, os.path.relpath(folder, here))) for folder in folders]


def _mentions_us(path: str) -> bool:
    """Look for our name first: reading TOML costs more than the whole scan of a small folder."""
    try:
        with open(path, "rb") as stream:
            return b"trailguard" in stream.read()
    except OSError:
        return False


def _settings(source: Source, notes: tuple[str, ...]) -> Settings:
    """Check everything and build the settings."""
    root = os.path.dirname(os.path.abspath(source.path))
    check = _Checker(source)
    table = check.table(source.data, (), tuple(_KEYS))
    values: dict[str, Any] = {}
    for key, value in table.items():
        values.update(_KEYS[key](check, value, (key,)))
    if "baseline" in values:
        values["baseline"] = os.path.join(root, os.path.expanduser(values["baseline"]))
    values["rule_dirs"] = tuple(os.path.join(root, os.path.expanduser(name)) for name in values.get("rule_dirs", ()))
    return Settings(**values, source=source.name, root=root, notes=notes)


Path = tuple[object, ...]


class _Checker:
    """Checks values of the configuration; every error says where it is."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def error(self, path: Path, message: str) -> ConfigError:
        line, column = self.source.place(path)
        return ConfigError(self.source.name, line, column, message)

    def table(self, value: object, path: Path, known: tuple[str, ...] = ()) -> dict[str, Any]:
        """Expect a map, with none but the known keys if there are any."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(path, f"{_title(path)} must be a map of {'settings' if known else 'names to values'}")
        for key in value:
            if known and key not in known:
                inside = f" in {_title(path)}" if path else ""
                line, column = self.source.key_place((*path, key))
                text = f'unknown key "{key}"{inside}{did_you_mean(str(key), known)}'
                raise ConfigError(self.source.name, line, column, text)
        return value

    def items(self, value: object, path: Path) -> list[object]:
        if not isinstance(value, list):
            raise self.error(path, f"{_title(path)} must be a list")
        return value

    def text(self, value: object, path: Path) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(path, f"{_title(path)} must be text that is not empty")
        return value

    def texts(self, value: object, path: Path) -> tuple[str, ...]:
        return tuple(self.text(item, (*path, number)) for number, item in enumerate(self.items(value, path)))

    def linters(self, value: object, path: Path) -> tuple[str, ...]:
        return tuple(self.choice(item, (*path, number), LINTERS) for number, item in enumerate(self.items(value, path)))

    def choice(self, value: object, path: Path, known: tuple[Word, ...]) -> Word:
        for word in known:
            if word == value:
                return word
        text = f'{_title(path)} cannot be "{self.source.written(path)}"{did_you_mean(str(value), known)}'
        raise self.error(path, text)

    def written(self, value: object, path: Path) -> str:
        """Expect a plain value, and take it as it is written: an account id keeps its zeros, a Boolean its spelling."""
        if isinstance(value, list):
            return ",".join(self.written(item, (*path, number)) for number, item in enumerate(value))
        if value is None or isinstance(value, dict):
            raise self.error(path, f"{_title(path)} must be a value: text, a number, true or false")
        return self.source.written(path)

    def matching(self, value: object, path: Path, pattern: str, what: str) -> str:
        text = "" if isinstance(value, list) else self.written(value, path)
        if not re.fullmatch(pattern, text):
            raise self.error(path, f"{_title(path)} must be {what}")
        return text

    def rules(self, value: object, path: Path) -> dict[str, Any]:
        table = self.table(value, path, ("select", "ignore", "severity", "options"))
        found: dict[str, Any] = {}
        for key in ("select", "ignore"):
            if key in table:
                found[key] = self.texts(table[key], (*path, key))
        where = (*path, "severity")
        severities = self.table(table.get("severity"), where)
        found["severities"] = {name: self.choice(item, (*where, name), SEVERITIES) for name, item in severities.items()}
        where = (*path, "options")
        options = self.table(table.get("options"), where)
        found["options"] = {name: self.table(item, (*where, name)) for name, item in options.items()}
        found["option_places"] = {
            (name, option): self.source.place((*where, name, option))
            for name, item in options.items()
            for option in item
        }
        return found

    def waiver(self, value: object, path: Path) -> Waiver:
        table = self.table(value, path, ("rule", "file", "resource", "reason", "expires"))
        missing = [key for key in ("rule", "file", "reason", "expires") if table.get(key) is None]
        if missing:
            raise self.error(path, f'a waiver needs "{missing[0]}"')
        expires = self.text(table["expires"], (*path, "expires"))
        if not is_date(expires):
            raise self.error((*path, "expires"), f'expires must be a date such as 2027-01-31, not "{expires}"')
        texts = {key: self.text(table[key], (*path, key)) for key in table}
        line, column = self.source.place(path)
        return Waiver(**{"resource": "", **texts}, source=self.source.name, line=line, column=column)

    def context(self, value: object, path: Path) -> Context:
        """A deployment; `parameters` is a map, or the path of a parameter file from the configuration's folder."""
        table = self.table(value, path, ("name", "templates", "parameters", "region", "account_id", "partition"))
        if table.get("templates") is None:
            raise self.error(path, 'a context needs "templates"')
        where = (*path, "templates")
        written = table["templates"]
        globs = (self.text(written, where),) if isinstance(written, str) else self.texts(written, where)
        given = table.get("parameters")
        name = self.text(table["name"], (*path, "name")) if table.get("name") is not None else ""
        values: Mapping[str, str] = {}
        if isinstance(given, str):
            values = self.parameters_at(given, (*path, "parameters"))
        elif given is not None:
            values = self.values(given, (*path, "parameters"))
        places = {
            key: self.matching(table[key], (*path, key), pattern, what)
            for key, (pattern, what) in _PLACES.items()
            if table.get(key) is not None
        }
        told = name or (given if isinstance(given, str) else "") or ", ".join(places.values()) or ", ".join(globs)
        return Context(told, tuple(glob.removeprefix("./") for glob in globs), values, **places)

    def parameters_at(self, name: str, path: Path) -> Mapping[str, str]:
        """The parameters in a file that the configuration names."""
        folder = os.path.dirname(os.path.abspath(self.source.path))
        try:
            return parameters_file(os.path.join(folder, os.path.expanduser(name)))
        except ConfigError as error:
            if error.line:
                raise
            raise self.error(path, f"{_title(path)} names {name}: {error.message}") from None

    def values(self, value: object, path: Path) -> Mapping[str, str]:
        """Parameter values by name."""
        return {name: self.written(item, (*path, name)) for name, item in self.table(value, path).items()}


def is_date(text: str) -> bool:
    """Tell whether a text is a date of the calendar, year-month-day."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII)
    if not match:
        return False
    from datetime import date

    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def _title(path: Path) -> str:
    """Name a place in the configuration: `waivers[0].rule`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "the configuration"


def _whole(
    key: str, read: Callable[[_Checker, object, Path], object]
) -> Callable[[_Checker, object, Path], dict[str, Any]]:
    return lambda check, value, path: {key: read(check, value, path)}


REGION = r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"
ACCOUNT_ID = r"\d{12}"
PARTITION = r"aws(-[a-z]+)*"

_PLACES = {
    "region": (REGION, "a Region such as eu-west-1"),
    "account_id": (ACCOUNT_ID, "12 digits"),
    "partition": (PARTITION, "a partition such as aws or aws-cn"),
}


def _place(key: str) -> Callable[[_Checker, object, Path], dict[str, Any]]:
    return _whole(key, lambda check, value, path: check.matching(value, path, *_PLACES[key]))


_KEYS: dict[str, Callable[[_Checker, object, Path], dict[str, Any]]] = {
    "profile": _whole("profile", _Checker.text),
    "rules": _Checker.rules,
    "rule_dirs": _whole("rule_dirs", _Checker.texts),
    "parameters": _whole("parameters", _Checker.values),
    **{key: _place(key) for key in _PLACES},
    "include": _whole("include", _Checker.texts),
    "exclude": _whole("exclude", _Checker.texts),
    "fail_on": _whole("fail_on", lambda check, value, path: check.choice(value, path, OPEN)),
    "min_severity": _whole("min_severity", lambda check, value, path: check.choice(value, path, SEVERITIES)),
    "waivers": _whole(
        "waivers",
        lambda check, value, path: tuple(
            check.waiver(item, (*path, number)) for number, item in enumerate(check.items(value, path))
        ),
    ),
    "baseline": _whole("baseline", _Checker.text),
    "foreign_suppressions": _whole("foreign_suppressions", lambda check, value, path: check.linters(value, path)),
    "contexts": _whole(
        "contexts",
        lambda check, value, path: tuple(
            check.context(item, (*path, number)) for number, item in enumerate(check.items(value, path))
        ),
    ),
}


def parameters_file(path: str) -> dict[str, str]:
    """Read parameter values in any shape that the AWS tools take, from JSON or YAML; raises ConfigError.

    The shapes: `[{"ParameterKey": …, "ParameterValue": …}]`, `{"Parameters": {…}}`, `{"Key": "Value"}` and
    `["Key=Value"]`.
    """
    source = read(path)
    check = _Checker(source)
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


def _pair(check: _Checker, item: object, path: Path) -> tuple[str, str | None]:
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
