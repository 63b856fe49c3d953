"""Loads rules and profiles, which are data, and refuses what is wrong with them: file, line, reason, nearest name.

A rule is a folder with `rule.yaml` and the templates that pass and fail it. Loading never runs anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from trailguard.cloudformation import source
from trailguard.cloudformation.source import Node, Scalar, Sequence, SourceError, literal
from trailguard.config import Settings
from trailguard.findings import SEVERITIES
from trailguard.must import literals, refuse_schema, simple
from trailguard.trails.catalog import DEFAULT_SUBJECTS, knows_fact

RULE_FILE = "rule.yaml"
PROFILES_FILE = "profiles.yaml"

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)((?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_REQUIRED = ("id", "name", "title", "severity", "subject", "require", "why", "remedy")
_OPTIONAL = ("when", "fix", "controls", "references", "options")


class RuleError(Exception):
    """A rule or profile that cannot be used. `line` and `column` are 1-based, or 0 when no place is known."""

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {message}")
        self.file = file
        self.line = line
        self.column = column
        self.message = message


class Requirement(NamedTuple):
    """What a fact must be: a JSON Schema, and what it means when it is not."""

    fact: str
    must: Mapping[str, Any]
    message: str
    wanted: tuple[str, ...] = ()  # the texts that `must` singles out


class Rule(NamedTuple):
    """A rule as data. `folder` is where it lives; `when` decides whether it applies."""

    id: str
    name: str
    title: str
    severity: str
    subject: str
    when: tuple[Requirement, ...]
    require: tuple[Requirement, ...]
    why: str
    remedy: str
    fix: Mapping[str, Any]
    controls: Mapping[str, tuple[str, ...]]
    references: tuple[str, ...]
    folder: str

    def examples(self, kind: str) -> list[str]:
        """The paths of its example templates; `kind` is "pass" or "fail"."""
        folder = os.path.join(self.folder, kind)
        if not os.path.isdir(folder):
            return []
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if not name.startswith(".")]


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
    rules = {id_: rules[id_]._replace(severity=severities.get(id_, rules[id_].severity)) for id_ in sorted(rules)}
    for rule in rules.values():
        for framework in rule.controls:
            profiles[framework] = (*profiles.get(framework, ()), rule.id)
    profiles["all"] = tuple(rules)
    return Rulebook(rules, profiles, _select(rules, profiles, settings))


def _taken(rule: Rule, key: str, by: Rule) -> RuleError:
    path = os.path.join(rule.folder, RULE_FILE)
    node = _read(path).values[key]
    text = rule.id if key == "id" else rule.name
    return RuleError(path, node.line, node.column, f"the {key} {text} is taken by {by.folder}")


def _select(rules: Mapping[str, Rule], profiles: Mapping[str, tuple[str, ...]], settings: Settings) -> tuple[Rule, ...]:
    if settings.profile not in profiles:
        raise _nearest("profile", settings.profile, profiles)
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
    raise _nearest("rule", name, [*rules, *names])


def _nearest(kind: str, name: str, known: Mapping[str, object] | list[str]) -> RuleError:
    import difflib

    close = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
    return RuleError("", 0, 0, f'there is no {kind} "{name}"{hint}')


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


def _read(path: str) -> source.Mapping:
    try:
        with open(path, "rb") as stream:
            document = source.parse(stream.read())
    except OSError as error:
        raise RuleError(path, 0, 0, f"cannot be read: {error.strerror}") from None
    except SourceError as error:
        raise RuleError(path, error.line, error.column, error.message) from None
    for problem in document.problems:
        raise RuleError(path, problem.line, problem.column, problem.message)
    root = document.root
    if not isinstance(root, source.Mapping):
        raise RuleError(path, root.line, root.column, "must be a map")
    return root


def _load_profiles(folder: str, rules: Mapping[str, Rule]) -> dict[str, tuple[str, ...]]:
    path = os.path.join(folder, PROFILES_FILE)
    if not os.path.isfile(path):
        return {}
    reader = _Reader(path)
    names = {rule.name: rule for rule in rules.values()}
    return {
        name: tuple(reader.rule_id(item, rules, names) for item in reader.items(node))
        for name, node in _read(path).values.items()
    }


def read_rule(folder: str) -> Rule:
    """Read one rule; raises RuleError with the place of what is wrong."""
    path = os.path.join(folder, RULE_FILE)
    root = _read(path)
    reader = _Reader(path)
    reader.check_names(root, (*_REQUIRED, *_OPTIONAL), _REQUIRED)
    texts = {name: reader.text(root.values[name]).strip() for name in _REQUIRED if name != "require"}
    reader.one_of(root.values["severity"], "severity", SEVERITIES)
    subject = texts["subject"]
    if subject not in DEFAULT_SUBJECTS and "::" not in subject:
        reader.one_of(root.values["subject"], "subject", tuple(DEFAULT_SUBJECTS))
    when = reader.requirements(root.values.get("when"), subject)
    require = reader.requirements(root.values["require"], subject)
    if not require:
        raise reader.error(root.values["require"], "require must name at least one fact")
    reader.entries(root.values.get("options"))
    controls = root.values.get("controls")
    references = root.values.get("references")
    return Rule(
        id=texts["id"],
        name=texts["name"],
        title=texts["title"],
        severity=texts["severity"],
        subject=subject,
        when=when,
        require=require,
        why=" ".join(texts["why"].split()),
        remedy=" ".join(texts["remedy"].split()),
        fix=reader.data_map(root.values.get("fix")),
        controls={name: reader.texts(node) for name, node in reader.entries(controls)},
        references=reader.texts(references) if references is not None else (),
        folder=folder,
    )


class _Reader:
    """Reads the values of a rule file; every complaint names the file and the place."""

    def __init__(self, path: str) -> None:
        self.path = path

    def error(self, node: Node, message: str) -> RuleError:
        return RuleError(self.path, node.line, node.column, message)

    def check_names(self, node: source.Mapping, known: tuple[str, ...], required: tuple[str, ...]) -> None:
        for name, key in node.keys.items():
            if name not in known:
                raise self.error(key, _nearest("key", name, list(known)).message)
        for name in required:
            if name not in node.values:
                raise self.error(node, f"{name} is missing")

    def one_of(self, node: Node, what: str, known: tuple[str, ...]) -> None:
        text = self.text(node)
        if text not in known:
            raise self.error(node, _nearest(what, text, list(known)).message)

    def text(self, node: Node) -> str:
        value = literal(node) if isinstance(node, Scalar) else None
        if not isinstance(value, str) or not value.strip():
            raise self.error(node, "must be text")
        return value

    def items(self, node: Node) -> tuple[Node, ...]:
        if not isinstance(node, Sequence):
            raise self.error(node, "must be a list")
        return tuple(node.items)

    def texts(self, node: Node) -> tuple[str, ...]:
        return tuple(self.text(item) for item in self.items(node))

    def rule_id(self, node: Node, rules: Mapping[str, Rule], names: Mapping[str, Rule]) -> str:
        try:
            return _rule_id(self.text(node), rules, names)
        except RuleError as error:
            raise self.error(node, error.message) from None

    def entries(self, node: Node | None) -> list[tuple[str, Node]]:
        if node is None:
            return []
        if not isinstance(node, source.Mapping):
            raise self.error(node, "must be a map")
        return list(node.values.items())

    def data_map(self, node: Node | None) -> dict[str, Any]:
        return {name: data(child) for name, child in self.entries(node)}

    def requirements(self, node: Node | None, subject: str) -> tuple[Requirement, ...]:
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            raise self.error(node, "must be a list of facts")
        return tuple(self._requirement(item, subject) for item in node.items)

    def _requirement(self, node: Node, subject: str) -> Requirement:
        if not isinstance(node, source.Mapping):
            raise self.error(node, "must be a map with fact and must")
        self.check_names(node, ("fact", "must", "message"), ("fact", "must"))
        fact = self.text(node.values["fact"])
        problem = knows_fact(subject, fact)
        if problem is not None:
            raise self.error(node.values["fact"], _nearest("fact", fact, problem).message)
        message = self.text(node.values["message"]) if "message" in node.values else ""
        must = self._schema(node.values["must"])
        return Requirement(fact, must, " ".join(message.split()), tuple(literals(must)))

    def _schema(self, node: Node) -> dict[str, Any]:
        schema = self.data_map(node)
        if not simple(schema):
            problem = refuse_schema(schema)
            if problem is not None:
                raise self.error(node, f"must is no JSON Schema: {problem}")
        return schema


def data(node: Node) -> Any:
    """A node as plain data: numbers become numbers, everything else what YAML says."""
    if isinstance(node, source.Mapping):
        return {name: data(child) for name, child in node.values.items()}
    if isinstance(node, Sequence):
        return [data(item) for item in node.items]
    if not isinstance(node, Scalar):
        return None
    value = literal(node)
    if isinstance(value, str) and node.plain and (number := _NUMBER.fullmatch(value)) is not None:
        return float(value) if number[1] else int(value)
    return value
