"""Settings: what a configuration file asks for, checked by hand because a JSON Schema library costs 0.1 s to import.

`schemas/config.schema.json` says the same for editors; the tests hold the two against each other.
"""

from __future__ import annotations

import os
from functools import partial
from typing import NamedTuple

from trailguard.errors import ConfigError, display_name
from trailguard.findings import OPEN, SEVERITIES, Threshold
from trailguard.inputs import contents
from trailguard.settings.parameters import Values, parameters_file
from trailguard.settings.reach import Reach
from trailguard.settings.sources import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from trailguard.findings import Severity, Verdict
    from trailguard.settings.checker import Checker
    from trailguard.settings.sources import Source

    Item = TypeVar("Item")

NAMES = (".trailguard.yaml", ".trailguard.yml")
REGION = r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"
ACCOUNT_ID = r"\d{12}"
PARTITION = r"aws(-[a-z]+)*"
LINTERS = ("cfn-lint", "checkov")
STACK = r"\d{12}/[a-z0-9-]+/[A-Za-z][A-Za-z0-9-]*"
MAX_AGE = 30  # days
_ADDRESS = (r"https?://[^\s\x00-\x1f<>\"]+", "an address that begins with https:// or http://")

_STACK_FORM = "a stack such as 111122223333/eu-west-1/audit"
_PLACES = {
    "region": (REGION, "a Region such as eu-west-1"),
    "account_id": (ACCOUNT_ID, "12 digits"),
    "partition": (PARTITION, "a partition such as aws or aws-cn"),
}
_NO_TEXTS: Mapping[str, str] = {}
_NO_SEVERITIES: Mapping[str, Severity] = {}
_NO_OPTIONS: Mapping[str, Mapping[str, object]] = {}
_NO_PLACES: Mapping[Path, tuple[int, int]] = {}


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
    """A deployment of some templates: globs of their files, and what is fixed in it.

    `source` is its parameter file, `given` are its own values and where they are written, `number` tells which of the
    configuration's contexts it is. `stack` is the deployed stack that is meant, as ACCOUNT/REGION/NAME.
    """

    name: str
    templates: tuple[str, ...]
    parameters: Mapping[str, str] = _NO_TEXTS
    region: str | None = None
    account_id: str | None = None
    partition: str | None = None
    source: str = ""
    given: Values = Values()
    number: int = 0
    stack: str = ""


class Asked(NamedTuple):
    """What the command line says: patterns as they are written there, and values of parameters by where they come from.

    `patterns` gives for a pattern of `include` or `exclude` what the user wrote, `ignored` how many rules at the end of
    `ignore` come from there.
    """

    patterns: Mapping[str, str] = _NO_TEXTS
    values: tuple[Values, ...] = ()
    ignored: int = 0


class Settings(NamedTuple):
    """Everything that a user can set.

    Rules below `min_severity` are not applied; `fail_on` and `fail_severity` say what makes a scan end with status 1,
    which with `exit_zero` nothing does. A snapshot that is more than `max_age` days old is reported.
    `profile` may name several profiles, with commas in between: their rules are then applied together. `source` is the
    configuration file, `root` its folder ("" when there is none), `docs_url` is where the pages about rules are.

    `notes` is to be told to the user on standard error. `places` tells where in the configuration each setting is
    written that counts, `asked` what comes from the command line.
    """

    profile: str = "default"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = _NO_SEVERITIES
    options: Mapping[str, Mapping[str, object]] = _NO_OPTIONS
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
    docs_url: str = ""
    max_age: int = MAX_AGE
    source: str = ""
    root: str = ""
    notes: tuple[str, ...] = ()
    exit_zero: bool = False
    places: Mapping[Path, tuple[int, int]] = _NO_PLACES
    asked: Asked = Asked()

    @property
    def profiles(self) -> tuple[str, ...]:
        """The names in `profile`, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.profile.split(",")))

    @property
    def threshold(self) -> Threshold:
        """What makes a scan end with status 1."""
        return Threshold(self.fail_on, self.fail_severity, self.exit_zero)

    def place(self, *path: object) -> tuple[str, int, int]:
        """The file, line and column of a setting, or of the nearest thing around it; none when it is not written."""
        while path and path not in self.places:  # what is inside a value of TOML has its place
            path = path[:-1]
        return (self.source, *self.places[path]) if path else ("", 0, 0)


def load(start: str, explicit: str | None = None, within: bool = False) -> Settings:
    """Read the named configuration, or the nearest at or above a folder within its repository; raises ConfigError.

    With `within`, one that stands in the folder itself names files of that folder only, not of the whole repository.
    """
    from trailguard.settings.sources import read, read_project

    if explicit is not None:
        return _settings(read(explicit, streams=True), (), "")
    folders = _upwards(start)
    for folder in folders:
        found = [path for name in NAMES if os.path.lexists(path := os.path.join(folder, name))]
        project = os.path.join(folder, "pyproject.toml")
        if not found and not _mentions_us(project):
            continue
        table = read_project(project) if _mentions_us(project) else None
        inside = folder if within and folder == folders[0] else folders[-1]
        if found or table is not None:
            Reach(found[0] if found else project, inside).check()
        if found:
            spare = [*found[1:], *([project] if table is not None else [])]
            notes = tuple(
                f"{display_name(path)} is not used, because {display_name(found[0])} stands beside it" for path in spare
            )
            return _settings(read(found[0]), notes, inside)
        if table is not None:
            return _settings(table, (), inside)
    return Settings()


def load_text(path: str, data: bytes) -> Settings:
    """Read a configuration that stands in no file. Its name is a path, from whose folder it names files.

    Raises ConfigError.
    """
    from trailguard.settings.sources import read_text

    return _settings(read_text(path, data), (), "")


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
        return b"trailguard" in contents(path).replace(b"\0", b"")  # in UTF-16 it is one that cannot be read
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except OSError:
        return True  # what is in it would count: whoever reads it says that it cannot be read


def _settings(source: Source, notes: tuple[str, ...], inside: str) -> Settings:
    """Check everything and build the settings; files may be named `inside` a folder only, "" for anywhere."""
    from trailguard.settings.checker import Checker

    root = os.path.dirname(os.path.abspath(source.path))
    values = _values(Checker(source, Reach(source.path, inside)))
    return Settings(**values, source=source.name, root=root, notes=notes, places=source.places)


def overridden(settings: Settings, given: Mapping[str, Any], name: str) -> Settings:
    """Settings, with what a program hands over in the place of what they say; its keys are those of a file.

    `name` is what messages call it; files in it are seen from the working directory. Raises ConfigError.
    """
    from trailguard.settings.checker import Checker
    from trailguard.settings.sources import plain_source

    changes = _values(Checker(plain_source(name, given)))
    if "profile" in changes:
        changes.setdefault("select", ())  # the profiles that are asked for are the ones to get
    places = {path: place for path, place in settings.places.items() if path[:1] != ("profile",)}
    return settings._replace(**changes, places=places if "profile" in changes else settings.places)


def _values(check: Checker) -> dict[str, Any]:
    """What a configuration says, by the fields of the settings."""
    table = check.table(check.source.data, (), tuple(_READ))
    values = {key: _READ[key](check, value, (key,)) for key, value in table.items()}
    values.update(values.pop("rules", {}))
    return values


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
    return found


def _profiles(check: Checker, value: object, path: Path) -> tuple[str, ...]:
    """The names of profiles: a text, or a list of them."""
    names = check.texts(value, path) if isinstance(value, list) else (check.text(value, path),)
    if not names:
        raise check.error(path, f"{check.title(path)} names no profile")
    return names


def _waiver(check: Checker, value: object, path: Path) -> Waiver:
    table = check.table(value, path, ("rule", "file", "resource", "reason", "expires"))
    missing = [key for key in ("rule", "file", "reason", "expires") if table.get(key) is None]
    if missing:
        raise check.error(path, f'a waiver needs "{missing[0]}"')
    check.date(table["expires"], (*path, "expires"))
    check.glob(table["file"], (*path, "file"))
    texts = {key: check.text(table[key], (*path, key)) for key in table}
    line, column = check.source.place(path)
    return Waiver(**{"resource": "", **texts}, source=check.source.name, line=line, column=column)


def _linter(check: Checker, value: object, path: Path) -> str:
    return check.choice(value, path, LINTERS)


def _context(check: Checker, value: object, path: Path) -> Context:
    """A deployment; `parameters` is a map, or the path of a parameter file from the configuration's folder."""
    table = check.table(value, path, ("name", "templates", "parameters", *_PLACES, "stack"))
    if table.get("templates") is None:
        raise check.error(path, 'a context needs "templates"')
    where = (*path, "templates")
    written = table["templates"]
    globs = (check.glob(written, where),) if isinstance(written, str) else check.globs(written, where)
    given = table.get("parameters")
    name = check.text(table["name"], (*path, "name")) if table.get("name") is not None else ""
    values = Values()
    source = ""
    if isinstance(given, str):
        source = check.file(given, (*path, "parameters"))
        values = _parameters_at(check, given, (*path, "parameters"))
    elif given is not None:
        values = _written(check, given, (*path, "parameters"))
    places = {
        key: check.matching(table[key], (*path, key), pattern, what)
        for key, (pattern, what) in _PLACES.items()
        if table.get(key) is not None
    }
    stack = check.matching(table["stack"], (*path, "stack"), STACK, _STACK_FORM) if table.get("stack") else ""
    told = name or (given if isinstance(given, str) else "") or ", ".join(places.values()) or stack or ", ".join(globs)
    number = int(str(path[-1]))
    return Context(told, globs, values.values, **places, source=source, given=values, number=number, stack=stack)


def _written(check: Checker, value: object, path: Path) -> Values:
    """The parameters that stand in the configuration itself."""
    values = check.values(value, path)
    return Values(values, check.source.name, {name: check.source.key_place((*path, name))[0] for name in values})


def _parameters_at(check: Checker, name: str, path: Path) -> Values:
    """The parameters in a file that the configuration names."""
    place = check.file(name, path)
    try:
        return parameters_file(place)
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
    "profile": lambda check, value, path: ", ".join(_profiles(check, value, path)),
    "rules": _rules,
    "rule_dirs": lambda check, value, path: check.folders(value, path),
    "parameters": lambda check, value, path: check.values(value, path),
    **{key: _place(key) for key in _PLACES},
    "include": lambda check, value, path: check.globs(value, path),
    "exclude": lambda check, value, path: check.globs(value, path),
    "fail_on": lambda check, value, path: check.choice(value, path, OPEN),
    "fail_severity": lambda check, value, path: check.choice(value, path, SEVERITIES),
    "min_severity": lambda check, value, path: check.choice(value, path, SEVERITIES),
    "waivers": partial(_each, _waiver),
    "baseline": lambda check, value, path: check.file(value, path),
    "foreign_suppressions": partial(_each, _linter),
    "docs_url": lambda check, value, path: check.matching(value, path, *_ADDRESS),
    "contexts": partial(_each, _context),
    "max_age": lambda check, value, path: int(check.matching(value, path, r"\d{1,5}", "a number of days")),
}

KEYS = tuple(_READ)
