"""Settings: what a configuration file asks for, checked by hand because a JSON Schema library costs 0.1 s to import.

`schemas/config.schema.json` says the same for editors; the tests hold the two against each other.
"""

from __future__ import annotations

import os
from functools import partial
from typing import NamedTuple

from trailguard.errors import ConfigError, display_name
from trailguard.findings import OPEN, SEVERITIES, Threshold
from trailguard.inputs import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from trailguard.findings import Severity, Verdict
    from trailguard.settings.checker import Checker
    from trailguard.settings.sources import Path, Source

    Item = TypeVar("Item")

NAMES = (".trailguard.yaml", ".trailguard.yml")
REGION = r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"
ACCOUNT_ID = r"\d{12}"
PARTITION = r"aws(-[a-z]+)*"
LINTERS = ("cfn-lint", "checkov")

_PLACES = {
    "region": (REGION, "a Region such as eu-west-1"),
    "account_id": (ACCOUNT_ID, "12 digits"),
    "partition": (PARTITION, "a partition such as aws or aws-cn"),
}
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
    """A deployment of some templates: globs of their files, and what is fixed in it; `source` is its parameter file."""

    name: str
    templates: tuple[str, ...]
    parameters: Mapping[str, str] = _NO_TEXTS
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None
    source: str = ""


class Settings(NamedTuple):
    """Everything that a user can set.

    Rules below `min_severity` are not applied; `fail_on` and `fail_severity` say what makes a scan end with status 1,
    which with `exit_zero` nothing does. `source` is the configuration file, `root` its folder ("" when there is none).

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
    fail_severity: Severity = "info"
    min_severity: Severity = "info"
    waivers: tuple[Waiver, ...] = ()
    contexts: tuple[Context, ...] = ()
    baseline: str = ""
    foreign_suppressions: tuple[str, ...] = ()
    source: str = ""
    root: str = ""
    notes: tuple[str, ...] = ()
    exit_zero: bool = False

    @property
    def threshold(self) -> Threshold:
        """What makes a scan end with status 1."""
        return Threshold(self.fail_on, self.fail_severity, self.exit_zero)


def load(start: str, explicit: str | None = None) -> Settings:
    """Read the named configuration, or the nearest at or above a folder within its repository; raises ConfigError."""
    from trailguard.settings.sources import read, read_project

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
            if os.path.exists(found[0]) and not os.path.isfile(found[0]):  # waiting for a pipe might never end
                raise ConfigError(found[0], 0, 0, "cannot be read: it is not a regular file")
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
        return b"trailguard" in content(path).replace(b"\0", b"")  # in UTF-16 it is one that cannot be read
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except OSError:
        return True  # what is in it would count: whoever reads it says that it cannot be read


def _settings(source: Source, notes: tuple[str, ...]) -> Settings:
    """Check everything and build the settings."""
    from trailguard.settings.checker import Checker

    root = os.path.dirname(os.path.abspath(source.path))
    check = Checker(source)
    table = check.table(source.data, (), tuple(_READ))
    values = {key: _READ[key](check, value, (key,)) for key, value in table.items()}
    values.update(values.pop("rules", {}))
    if "baseline" in values:
        values["baseline"] = os.path.join(root, os.path.expanduser(values["baseline"]))
    values["rule_dirs"] = tuple(os.path.join(root, os.path.expanduser(name)) for name in values.get("rule_dirs", ()))
    return Settings(**values, source=source.name, root=root, notes=notes)


def _rules(check: Checker, value: object, path: Path) -> dict[str, Any]:
    table = check.table(value, path, ("select", "ignore", "severity", "options"))
    found: dict[str, Any] = {}
    for key in ("select", "ignore"):
        if key in table:
            found[key] = check.texts(table[key], (*path, key))
    where = (*path, "severity")
    severities = check.table(table.get("severity"), where)
    found["severities"] = {name: check.choice(item, (*where, name), SEVERITIES) for name, item in severities.items()}
    where = (*path, "options")
    options = check.table(table.get("options"), where)
    found["options"] = {name: check.table(item, (*where, name)) for name, item in options.items()}
    found["option_places"] = {
        (name, option): check.source.place((*where, name, option)) for name, item in options.items() for option in item
    }
    return found


def _waiver(check: Checker, value: object, path: Path) -> Waiver:
    table = check.table(value, path, ("rule", "file", "resource", "reason", "expires"))
    missing = [key for key in ("rule", "file", "reason", "expires") if table.get(key) is None]
    if missing:
        raise check.error(path, f'a waiver needs "{missing[0]}"')
    check.date(table["expires"], (*path, "expires"))
    texts = {key: check.text(table[key], (*path, key)) for key in table}
    line, column = check.source.place(path)
    return Waiver(**{"resource": "", **texts}, source=check.source.name, line=line, column=column)


def _linter(check: Checker, value: object, path: Path) -> str:
    return check.choice(value, path, LINTERS)


def _context(check: Checker, value: object, path: Path) -> Context:
    """A deployment; `parameters` is a map, or the path of a parameter file from the configuration's folder."""
    table = check.table(value, path, ("name", "templates", "parameters", "region", "account_id", "partition"))
    if table.get("templates") is None:
        raise check.error(path, 'a context needs "templates"')
    where = (*path, "templates")
    written = table["templates"]
    globs = (check.text(written, where),) if isinstance(written, str) else check.texts(written, where)
    given = table.get("parameters")
    name = check.text(table["name"], (*path, "name")) if table.get("name") is not None else ""
    values: Mapping[str, str] = {}
    source = ""
    if isinstance(given, str):
        source = os.path.join(os.path.dirname(os.path.abspath(check.source.path)), os.path.expanduser(given))
        values = _parameters_at(check, given, (*path, "parameters"))
    elif given is not None:
        values = check.values(given, (*path, "parameters"))
    places = {
        key: check.matching(table[key], (*path, key), pattern, what)
        for key, (pattern, what) in _PLACES.items()
        if table.get(key) is not None
    }
    told = name or (given if isinstance(given, str) else "") or ", ".join(places.values()) or ", ".join(globs)
    return Context(told, tuple(glob.removeprefix("./") for glob in globs), values, **places, source=source)


def _parameters_at(check: Checker, name: str, path: Path) -> Mapping[str, str]:
    """The parameters in a file that the configuration names."""
    from trailguard.settings.parameters import parameters_file

    folder = os.path.dirname(os.path.abspath(check.source.path))
    try:
        return parameters_file(os.path.join(folder, os.path.expanduser(name)))
    except ConfigError as error:
        if error.line:
            raise
        raise check.error(path, f"{check.title(path)} names {name}: {error.message}") from None


def _each(read: Callable[[Checker, object, Path], Item], check: Checker, value: object, path: Path) -> tuple[Item, ...]:
    """What is read of each item of a list."""
    return tuple(read(check, item, (*path, number)) for number, item in enumerate(check.items(value, path)))


def _place(key: str) -> Callable[[Checker, object, Path], str]:
    return lambda check, value, path: check.matching(value, path, *_PLACES[key])


# How each setting is read; that of "rules" is several.
_READ: dict[str, Callable[[Checker, object, Path], Any]] = {
    "profile": lambda check, value, path: check.text(value, path),
    "rules": _rules,
    "rule_dirs": lambda check, value, path: check.texts(value, path),
    "parameters": lambda check, value, path: check.values(value, path),
    **{key: _place(key) for key in _PLACES},
    "include": lambda check, value, path: check.texts(value, path),
    "exclude": lambda check, value, path: check.texts(value, path),
    "fail_on": lambda check, value, path: check.choice(value, path, OPEN),
    "fail_severity": lambda check, value, path: check.choice(value, path, SEVERITIES),
    "min_severity": lambda check, value, path: check.choice(value, path, SEVERITIES),
    "waivers": partial(_each, _waiver),
    "baseline": lambda check, value, path: check.text(value, path),
    "foreign_suppressions": partial(_each, _linter),
    "contexts": partial(_each, _context),
}
