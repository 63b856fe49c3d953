"""Loads rules and profiles, which are data, and selects those that the settings ask for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import Node
from trailguard.errors import RuleError
from trailguard.findings import SEVERITIES, Prerequisites, Severity
from trailguard.rulebook.must import holds
from trailguard.rulebook.rule import RULE_FILE, FileReader, Rule, asked, read_map, read_rule, unknown
from trailguard.settings.settings import Settings
from trailguard.settings.sources import KEY

PROFILES_FILE = "profiles.yaml"
PREREQUISITES_FILE = "prerequisites.yaml"


class Shelf(Mapping[str, Rule]):
    """The rules by id. A rule that ships is read when it is asked for: most scans need a part of them only.

    The folder of a rule that ships is called after its id and its name, so that both are known without reading it.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}  # by name
        self._folders: dict[str, str] = {}
        self._read: dict[str, Rule] = {}
        self._ready: dict[str, Rule] = {}  # with the user's severities and options
        self._severities: dict[str, Severity] = {}
        self._options: dict[str, Mapping[str, object]] = {}
        self._docs_url = ""

    def __getitem__(self, id_: str) -> Rule:
        rule = self._ready.get(id_)
        if rule is None:
            rule = self._read.get(id_) or read_rule(self._folders[id_], checked=False)
            graded = rule.graded(self._severities.get(id_, rule.severity))
            graded = graded._replace(references=(*self._page(id_), *rule.references))
            rule = self._ready[id_] = graded.with_options(self._options.get(id_, {}))
        return rule

    def _page(self, id_: str) -> tuple[str, ...]:
        """The address of the rule's page, if it is known to have one."""
        if "{id}" in self._docs_url:
            return (self._docs_url.replace("{id}", id_),)
        ships = id_ not in self._read
        return (f"{self._docs_url.rstrip('/')}/rules/{id_}/",) if self._docs_url and ships else ()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._folders))

    def __len__(self) -> int:
        return len(self._folders)

    def add_folder(self, folder: str) -> None:
        """Take up a rule that ships."""
        id_, _, name = os.path.basename(folder).partition("-")
        self._folders[id_] = folder
        self.ids[name] = id_

    def add(self, rule: Rule) -> None:
        """Take up a rule; raises RuleError when its id or its name is taken."""
        for key, taken in (("id", rule.id in self._folders), ("name", rule.name in self.ids)):
            if taken:
                by = self._folders[rule.id if key == "id" else self.ids[rule.name]]
                raise _taken(rule, key, by)
        self._folders[rule.id] = rule.folder
        self._read[rule.id] = rule
        self.ids[rule.name] = rule.id

    def id_of(self, name: str) -> str:
        """The id of a rule that is called by its id, in any case of letters, or by its name; raises RuleError."""
        for id_ in (name, name.upper(), self.ids.get(name)):
            if id_ in self._folders:
                return str(id_)
        raise RuleError("", 0, 0, unknown("rule", name, [*self, *self.ids]))

    def ids_of(self, name: str) -> list[str]:
        """The ids of the rules that an id, a name or the beginning of ids means; raises RuleError when none does."""
        started = [id_ for id_ in self if name and id_.startswith(name.upper())]
        exact = name.upper() in self._folders or name in self.ids
        return started if started and not exact else [self.id_of(name)]

    def set_up(self, settings: Settings) -> None:
        """Give the rules the severities and options of the settings; raises RuleError for those that do not fit."""
        self._docs_url = settings.docs_url
        for name, severity in settings.severities.items():
            try:
                self._severities[self.id_of(name)] = severity
            except RuleError as error:
                raise RuleError(*settings.place("rules", "severity", name, KEY), error.message) from None
        for name, values in settings.options.items():
            try:
                id_ = self.id_of(name)
            except RuleError as error:
                raise RuleError(*settings.place("rules", "options", name, KEY), error.message) from None
            _check_options(self[id_], name, values, settings)
            self._options[id_] = values
        self._ready.clear()


class Rulebook(NamedTuple):
    """All rules by id, the profiles by name, and the rules that the settings select."""

    rules: Shelf
    profiles: Mapping[str, tuple[str, ...]]
    selected: tuple[Rule, ...]

    def known(self) -> set[str]:
        """The ids and names of all rules."""
        return {*self.rules, *self.rules.ids}


def builtin_folder() -> str:
    """The folder of the rules that ship with trailguard: inside the package when installed, else in the checkout."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # the package
    packaged = os.path.join(here, "rules")
    if os.path.isdir(packaged):
        return packaged
    return os.path.join(os.path.dirname(os.path.dirname(here)), "rules")


def load(settings: Settings) -> Rulebook:
    """Read the rules and profiles that the settings ask for; raises RuleError."""
    shelf = Shelf()
    shipped = builtin_folder()
    for path in _rule_folders(shipped):
        shelf.add_folder(path)
    profiles = _load_profiles(shipped, shelf)
    for folder in settings.rule_dirs:
        found = load_folder(folder)
        if not found and not os.path.isfile(os.path.join(folder, PROFILES_FILE)):
            raise RuleError(folder, 0, 0, "holds neither rules nor profiles")
        for rule in found:
            shelf.add(rule)
        profiles.update(_load_profiles(folder, shelf))
    shelf.set_up(settings)
    profiles["all"] = tuple(shelf)
    if not {"default", "all"}.issuperset(settings.profiles):
        profiles.update(_frameworks(shelf, profiles))
    return Rulebook(shelf, profiles, _select(shelf, profiles, settings))


def _frameworks(shelf: Shelf, profiles: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """A profile for each framework: the rules whose controls name it and what they imply, beside those of a list."""
    found: dict[str, set[str]] = {}
    for rule in shelf.values():
        for framework in rule.controls:
            found.setdefault(framework, set()).add(rule.id)
    needed = prerequisites()
    for named in found.values():
        if not named.isdisjoint(needed.implied_by):
            named.update(needed.rules)
    return {name: tuple(sorted(named.union(profiles.get(name, ())))) for name, named in found.items()}


def prerequisites() -> Prerequisites:
    """The rules that have to hold before a control that rests on the trail can be met; raises RuleError."""
    path = os.path.join(builtin_folder(), PREREQUISITES_FILE)
    reader, root = FileReader(path), read_map(path)
    reader.check_names(root, Prerequisites._fields, Prerequisites._fields)
    title, why = (" ".join(reader.text(root.values[key]).split()) for key in ("title", "why"))
    return Prerequisites(title, why, reader.texts(root.values["implied_by"]), reader.texts(root.values["rules"]))


def _check_options(rule: Rule, name: str, values: Mapping[str, object], settings: Settings) -> None:
    """Refuse options that a rule does not take."""
    for option, value in values.items():
        place = settings.place("rules", "options", name, option)
        if option not in rule.options:
            text = (
                unknown(f"option of {rule.id}", option, rule.options) if rule.options else f"{rule.id} has no options"
            )
            raise RuleError(*place, text)
        schema = rule.options[option].schema
        if not holds(schema, value):
            raise RuleError(*place, f"option {option} of {rule.id} is {value!r}, {asked(schema)}")


def _taken(rule: Rule, key: str, by: str) -> RuleError:
    path = os.path.join(rule.folder, RULE_FILE)
    node = read_map(path).values[key]
    text = rule.id if key == "id" else rule.name
    return RuleError(path, node.line, node.column, f"the {key} {text} is taken by {by}")


def _select(shelf: Shelf, profiles: Mapping[str, tuple[str, ...]], settings: Settings) -> tuple[Rule, ...]:
    for name in settings.profiles:
        if name not in profiles:
            raise RuleError(*settings.place("profile"), unknown("profile", name, profiles))
    wanted = {id_ for name in settings.profiles for id_ in profiles[name]}
    if settings.select:
        wanted = _meant(shelf, settings, "select", settings.select)
    wanted -= _meant(shelf, settings, "ignore", settings.ignore)
    least = SEVERITIES.index(settings.min_severity)
    rules = (shelf[id_] for id_ in shelf if id_ in wanted)
    return tuple(rule for rule in rules if SEVERITIES.index(rule.severity) <= least)


def _meant(shelf: Shelf, settings: Settings, key: str, names: Iterable[str]) -> set[str]:
    """The ids of the rules that a list of the settings names."""
    found: set[str] = set()
    for number, name in enumerate(names):
        try:
            found.update(shelf.ids_of(name))
        except RuleError as error:
            is_asked = key == "ignore" and number >= len(settings.ignore) - settings.asked.ignored
            place = ("", 0, 0) if is_asked else settings.place("rules", key, number)
            raise RuleError(*place, error.message) from None
    return found


def find(rulebook: Rulebook, name: str) -> Rule:
    """The rule with an id or a name; raises RuleError that tells the nearest one."""
    return rulebook.rules[rulebook.rules.id_of(name)]


def ships(rule: Rule) -> bool:
    """Tell whether a rule is one of those that ship with trailguard."""
    return os.path.dirname(rule.folder) == builtin_folder()


def load_folder(folder: str) -> list[Rule]:
    """The rules below a folder of rule folders, or in a single rule folder; raises RuleError."""
    if os.path.isfile(os.path.join(folder, RULE_FILE)):
        return [read_rule(folder)]
    return [read_rule(path) for path in _rule_folders(folder)]


def _rule_folders(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise RuleError(folder, 0, 0, f"cannot read the rules: {error.strerror}") from None
    paths = (os.path.join(folder, name) for name in names)
    return [path for path in paths if os.path.isfile(os.path.join(path, RULE_FILE))]


def _load_profiles(folder: str, shelf: Shelf) -> dict[str, tuple[str, ...]]:
    path = os.path.join(folder, PROFILES_FILE)
    if not os.path.isfile(path):
        return {}
    reader = FileReader(path)
    return {
        name: tuple(_named(reader, item, shelf) for item in reader.items(node))
        for name, node in read_map(path).values.items()
    }


def _named(reader: FileReader, node: Node, shelf: Shelf) -> str:
    try:
        return shelf.id_of(reader.text(node))
    except RuleError as error:
        raise reader.error(node, error.message) from None
