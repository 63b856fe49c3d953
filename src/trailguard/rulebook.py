"""Loads rules and profiles, which are data, and selects those that the settings ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from trailguard.cloudformation.source import Node
from trailguard.config import Settings
from trailguard.must import holds
from trailguard.rule_reader import RULE_FILE, FileReader, Rule, RuleError, asked, nearest, read_map, read_rule

PROFILES_FILE = "profiles.yaml"


class Rulebook(NamedTuple):
    """All rules by id, the profiles by name, and the rules that the settings select."""

    rules: Mapping[str, Rule]
    profiles: Mapping[str, tuple[str, ...]]
    selected: tuple[Rule, ...]

    def names(self) -> set[str]:
        """The names of all rules."""
        return {rule.name for rule in self.rules.values()}


def builtin_folder() -> str:
    """The folder of the rules that ship with trailguard: inside the package when installed, else in the checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = os.path.join(here, "rules")
    if os.path.isdir(packaged):
        return packaged
    return os.path.join(os.path.dirname(os.path.dirname(here)), "rules")


def load(settings: Settings) -> Rulebook:
    """Read all rules and profiles and select those that the settings ask for; raises RuleError."""
    rules: dict[str, Rule] = {}
    profiles: dict[str, tuple[str, ...]] = {}
    for folder in (builtin_folder(), *settings.rule_dirs):
        found = load_folder(folder)
        if not found and not os.path.isfile(os.path.join(folder, PROFILES_FILE)):
            raise RuleError(folder, 0, 0, "holds neither rules nor profiles")
        for rule in found:
            known = rules.get(rule.id)
            if known is not None:
                raise _taken(rule, "id", known)
            rules[rule.id] = rule
        profiles.update(_load_profiles(folder, rules))
    names: dict[str, Rule] = {}
    for rule in rules.values():
        if rule.name in names:
            raise _taken(rule, "name", names[rule.name])
        names[rule.name] = rule
    severities = {_rule_id(name, rules, names): severity for name, severity in settings.severities.items()}
    chosen = {
        _rule_id(name, rules, names): _checked(name, values, settings, rules, names)
        for name, values in settings.options.items()
    }
    rules = {
        id_: rules[id_]._replace(severity=severities.get(id_, rules[id_].severity)).with_options(chosen.get(id_, {}))
        for id_ in sorted(rules)
    }
    for rule in rules.values():
        for framework in rule.controls:
            profiles[framework] = (*profiles.get(framework, ()), rule.id)
    profiles["all"] = tuple(rules)
    return Rulebook(rules, profiles, _select(rules, profiles, settings))


def _checked(
    name: str, values: Mapping[str, object], settings: Settings, rules: Mapping[str, Rule], names: Mapping[str, Rule]
) -> Mapping[str, object]:
    """The options that the settings give a rule; raises RuleError for those that it does not take."""
    rule = rules[_rule_id(name, rules, names)]
    for option, value in values.items():
        place = (settings.source, *settings.option_places.get((name, option), (0, 0)))
        if option not in rule.options:
            unknown = nearest(f"option of {rule.id}", option, list(rule.options)).message
            raise RuleError(*place, unknown if rule.options else f"{rule.id} has no options")
        schema = rule.options[option].schema
        if not holds(schema, value):
            raise RuleError(*place, f"option {option} of {rule.id} is {value!r}, {asked(schema)}")
    return values


def _taken(rule: Rule, key: str, by: Rule) -> RuleError:
    path = os.path.join(rule.folder, RULE_FILE)
    node = read_map(path).values[key]
    text = rule.id if key == "id" else rule.name
    return RuleError(path, node.line, node.column, f"the {key} {text} is taken by {by.folder}")


def _select(rules: Mapping[str, Rule], profiles: Mapping[str, tuple[str, ...]], settings: Settings) -> tuple[Rule, ...]:
    if settings.profile not in profiles:
        raise nearest("profile", settings.profile, profiles)
    names = {rule.name: rule for rule in rules.values()}
    wanted = set(profiles[settings.profile])
    if settings.select:
        wanted = {_rule_id(name, rules, names) for name in settings.select}
    wanted -= {_rule_id(name, rules, names) for name in settings.ignore}
    return tuple(rule for rule in rules.values() if rule.id in wanted)


def find(rulebook: Rulebook, name: str) -> Rule:
    """The rule with an id or a name; raises RuleError that tells the nearest one."""
    names = {rule.name: rule for rule in rulebook.rules.values()}
    return rulebook.rules[_rule_id(name, rulebook.rules, names)]


def _rule_id(name: str, rules: Mapping[str, Rule], names: Mapping[str, Rule]) -> str:
    if name in rules:
        return name
    if name.upper() in rules:
        return name.upper()
    if name in names:
        return names[name].id
    raise nearest("rule", name, [*rules, *names])


def load_folder(folder: str) -> list[Rule]:
    """The rules below a folder of rule folders, or in a single rule folder; raises RuleError."""
    if os.path.isfile(os.path.join(folder, RULE_FILE)):
        return [read_rule(folder)]
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise RuleError(folder, 0, 0, f"cannot read the rules: {error.strerror}") from None
    return [
        read_rule(path) for name in names if os.path.isfile(os.path.join(path := os.path.join(folder, name), RULE_FILE))
    ]


def _load_profiles(folder: str, rules: Mapping[str, Rule]) -> dict[str, tuple[str, ...]]:
    path = os.path.join(folder, PROFILES_FILE)
    if not os.path.isfile(path):
        return {}
    reader = FileReader(path)
    names = {rule.name: rule for rule in rules.values()}
    return {
        name: tuple(_named(reader, item, rules, names) for item in reader.items(node))
        for name, node in read_map(path).values.items()
    }


def _named(reader: FileReader, node: Node, rules: Mapping[str, Rule], names: Mapping[str, Rule]) -> str:
    try:
        return _rule_id(reader.text(node), rules, names)
    except RuleError as error:
        raise reader.error(node, error.message) from None
