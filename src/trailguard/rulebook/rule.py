"""Reads one rule, which is data, and refuses what is wrong with it: file, line, reason, nearest name.

A rule is a folder with `rule.yaml` and the templates that pass and fail it. Reading never runs anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, SourceError, TextNode, literal, plain
from trailguard.cloudformation.source.reading import parse
from trailguard.errors import RuleError, did_you_mean
from trailguard.findings import NOT_APPLICABLE, SEVERITIES, UNKNOWN, RuleInfo, Severity, Unverified, Verdict
from trailguard.inputs import contents
from trailguard.rulebook.must import (
    KEYWORDS,
    holds,
    refuse_schema,
    simple,
    unknown_keyword,
)
from trailguard.rulebook.options import (
    OPTIONAL_ITEM,
    Option,
    Requirement,
    filled,
    filled_data,
    told,
    wanted_of,
)
from trailguard.trails.catalog import ATTRIBUTES, DEFAULT_SUBJECTS, knows_fact, subject_name

RULE_FILE = "rule.yaml"
PLAIN = "plain"  # what the example is called that explains a rule

Word = TypeVar("Word", bound=str)

_JUDGED = "judged"
_EXISTING = (_JUDGED, NOT_APPLICABLE)
_ELSEWHERE: Final[tuple[Verdict, ...]] = (UNKNOWN, NOT_APPLICABLE)
_CHANGED = {"set": "property", "attribute": "attribute"}
_FIXES = tuple(_CHANGED)
_REQUIRED = ("id", "name", "title", "severity", "subject", "require", "why", "remedy")
_OPTIONAL = ("when", "fix", "controls", "references", "options", "elsewhere", "existing", "equivalents", "unverified")


class Rule(NamedTuple):
    """A rule as data. `folder` is where it lives; `when` decides whether it applies.

    `controls` are all controls behind which it stands, those of `unverified` too.
    """

    id: str
    name: str
    title: str
    severity: Severity
    subject: str
    when: tuple[Requirement, ...]
    require: tuple[Requirement, ...]
    why: str
    remedy: str
    fix: Mapping[str, Any]
    controls: Mapping[str, tuple[str, ...]]
    references: tuple[str, ...]
    folder: str
    options: Mapping[str, Option]
    elsewhere: Verdict = UNKNOWN  # the verdict where a trail uses a subject that the templates do not make
    existing: bool = True  # whether it applies to what exists already, whatever template made that
    equivalents: tuple[str, ...] = ()  # the checks of checkov that ask for the same
    unverified: Unverified | None = None
    changed: tuple[str, ...] = ()  # in what it differs from how it ships

    @property
    def info(self) -> RuleInfo:
        """What reports say of it."""
        return RuleInfo(
            self.id, self.name, self.title, self.severity, self.why, self.remedy, self.controls, self.references,
            self.unverified,
            changed=self.changed,
        )  # fmt: skip

    def graded(self, severity: Severity) -> Rule:
        """The rule with a severity that its user gives it."""
        if severity == self.severity:
            return self
        return self._replace(severity=severity, changed=(*self.changed, f"severity is {severity}, not {self.severity}"))

    def with_options(self, values: Mapping[str, object]) -> Rule:
        """The rule with its options filled in: those that are given, and the defaults of the rest.

        A requirement that asks for an option without a value is not made.
        """
        if not self.options:
            return self
        known = {name: values.get(name, option.default) for name, option in self.options.items()}
        demands = (filled(item, known) for item in self.require)
        gates = (filled(item, known) for item in self.when)
        differing = (
            f"option {name} is {told(known[name])}, not {told(option.default)}"
            for name, option in self.options.items()
            if known[name] != option.default
        )
        return self._replace(
            require=tuple(item for item in demands if item is not None),
            when=tuple(item for item in gates if item is not None),
            fix=filled_data(self.fix, known) or {},
            changed=(*self.changed, *differing),
        )

    def examples(self, kind: str) -> list[str]:
        """The paths of its example templates; `kind` is "pass" or "fail"."""
        folder = os.path.join(self.folder, kind)
        if not os.path.isdir(folder):
            return []
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if not name.startswith(".")]

    def plainest(self, kind: str) -> str | None:
        """The path of the example that shows it best: the one called `plain`, else the shortest; None without any."""

        def rank(path: str) -> tuple[bool, int, str]:
            return os.path.splitext(os.path.basename(path))[0] != PLAIN, os.path.getsize(path), path

        return min(filter(os.path.isfile, self.examples(kind)), key=rank, default=None)


def read_map(path: str) -> MapNode:
    """The map in a file; raises RuleError."""
    try:
        document = parse(contents(path))
    except OSError as error:
        raise RuleError(path, 0, 0, f"cannot be read: {error.strerror}") from None
    except SourceError as error:
        raise RuleError(path, error.line, error.column, error.message) from None
    for problem in document.problems:
        raise RuleError(path, problem.line, problem.column, problem.message)
    root = document.root
    if not isinstance(root, MapNode):
        raise RuleError(path, root.line, root.column, "must be a map")
    return root


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """What is said of a name that is not known, with the nearest one that is."""
    return f'there is no {kind} "{name}"{did_you_mean(name, known)}'


def read_rule(folder: str, checked: bool = True) -> Rule:
    """Read one rule; raises RuleError with the place of what is wrong.

    Unless it is to be `checked`, its JSON Schemas are taken to be right, as they are in the rules that ship: a test
    checks them, and jsonschema takes longer to import than a scan.
    """
    path = os.path.join(folder, RULE_FILE)
    root = read_map(path)
    reader = FileReader(path, checked)
    reader.check_names(root, (*_REQUIRED, *_OPTIONAL), _REQUIRED)
    texts = {name: reader.text(root.values[name]).strip() for name in _REQUIRED if name != "require"}
    severity = reader.one_of(root.values["severity"], "severity", SEVERITIES)
    subject = subject_name(texts["subject"])
    if subject not in DEFAULT_SUBJECTS and "::" not in subject:
        reader.one_of(root.values["subject"], "subject", tuple(DEFAULT_SUBJECTS))
    options = reader.options(root.values.get("options"))
    when = reader.requirements(root.values.get("when"), subject, options)
    require = reader.requirements(root.values["require"], subject, options)
    if not require:
        raise reader.error(root.values["require"], "require must name at least one fact")
    elsewhere = root.values.get("elsewhere")
    existing = root.values.get("existing")
    firm = {name: reader.texts(child) for name, child in reader.entries(root.values.get("controls"))}
    unverified = reader.unverified(root.values.get("unverified"), firm)
    references = root.values.get("references")
    equivalents = root.values.get("equivalents")
    return Rule(
        id=texts["id"],
        name=texts["name"],
        title=texts["title"],
        severity=severity,
        subject=subject,
        when=when,
        require=require,
        why=" ".join(texts["why"].split()),
        remedy=" ".join(texts["remedy"].split()),
        fix=reader.fix(root.values.get("fix"), options),
        controls=_joined(firm, unverified),
        references=reader.texts(references) if references is not None else (),
        folder=folder,
        options=options,
        elsewhere=UNKNOWN if elsewhere is None else reader.one_of(elsewhere, "elsewhere", _ELSEWHERE),
        existing=existing is None or reader.one_of(existing, "existing", _EXISTING) == _JUDGED,
        equivalents=reader.texts(equivalents) if equivalents is not None else (),
        unverified=unverified,
    )


def _joined(firm: Mapping[str, tuple[str, ...]], unverified: Unverified | None) -> Mapping[str, tuple[str, ...]]:
    """All controls of a rule by framework."""
    loose = unverified.controls if unverified is not None else {}
    return {name: (*firm.get(name, ()), *loose.get(name, ())) for name in {**firm, **loose}}


def asked(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, as the end of a message."""
    return "and must satisfy " + ", ".join(f"{name}: {value}" for name, value in schema.items())


class FileReader:
    """Reads the values of a rule file; every complaint names the file and the place."""

    def __init__(self, path: str, checked: bool = True) -> None:
        self.path = path
        self.checked = checked

    def error(self, node: Node, message: str) -> RuleError:
        """A complaint about a place."""
        return RuleError(self.path, node.line, node.column, message)

    def check_names(self, node: MapNode, known: tuple[str, ...], required: tuple[str, ...]) -> None:
        """Refuse keys that are not known, and missing ones that are required."""
        for name, key in node.keys.items():
            if name not in known:
                raise self.error(key, unknown("key", name, known))
        for name in required:
            if name not in node.values:
                raise self.error(node, f"{name} is missing")

    def one_of(self, node: Node, what: str, known: tuple[Word, ...]) -> Word:
        """A text that is one of the known ones."""
        text = self.text(node)
        for word in known:
            if word == text:
                return word
        raise self.error(node, unknown(what, text, known))

    def text(self, node: Node) -> str:
        """A text that is not blank."""
        value = literal(node) if isinstance(node, TextNode) else None
        if not isinstance(value, str) or not value.strip():
            raise self.error(node, "must be text")
        return value

    def items(self, node: Node, of: str = "") -> tuple[Node, ...]:
        """The items of a list."""
        if not isinstance(node, ListNode):
            raise self.error(node, f"must be a list{of}")
        return tuple(node.items)

    def texts(self, node: Node) -> tuple[str, ...]:
        """The texts of a list."""
        return tuple(self.text(item) for item in self.items(node))

    def entries(self, node: Node | None) -> list[tuple[str, Node]]:
        """The entries of a map; none when it is not there."""
        if node is None:
            return []
        if not isinstance(node, MapNode):
            raise self.error(node, "must be a map")
        return list(node.values.items())

    def data_map(self, node: Node | None) -> dict[str, Any]:
        """A map as plain data."""
        return {name: plain(child) for name, child in self.entries(node)}

    def fix(self, node: Node | None, options: Mapping[str, Option]) -> dict[str, Any]:
        """What repairs a resource that the rule fails: properties and attributes with the values that they get."""
        if node is None:
            return {}
        if not isinstance(node, MapNode):
            raise self.error(node, "must be a map with set or attribute")
        self.check_names(node, (*_FIXES, "unsafe"), ())
        if not any(name in node.values for name in _FIXES):
            raise self.error(node, "must name what to change: set for properties, attribute for what stands beside")
        for kind in (kind for kind in _FIXES if kind in node.values):
            entries = self.entries(node.values[kind])
            if not entries:
                raise self.error(node.values[kind], f"{kind} must name at least one {_CHANGED[kind]}")
            for name, value in entries:
                self._check_change(node.values[kind], kind, name, value)
        self._check_options(node, options)
        made = self.data_map(node)
        if "unsafe" in node.values:
            made["unsafe"] = " ".join(self.text(node.values["unsafe"]).split())
        return made

    def _check_change(self, parent: Node, kind: str, name: str, value: Node) -> None:
        """Refuse a change that can be none: of an attribute that there is not, a way that leads nowhere, to null."""
        key = parent.keys[name] if isinstance(parent, MapNode) else parent
        if kind == "attribute" and name not in ATTRIBUTES:
            raise self.error(key, unknown("attribute", name, ATTRIBUTES))
        if not all(step.strip() for step in name.split(".")):
            raise self.error(key, f'"{name}" is not a property, nor a way into one such as Outer.Inner')
        if plain(value) is None:
            raise self.error(value, f"{name} must get a value, and CloudFormation refuses null")

    def date(self, node: Node) -> str:
        """An ISO date."""
        from trailguard.settings.checker import is_date  # late: few files hold a date

        text = self.text(node)
        if not is_date(text):
            raise self.error(node, "must be a date such as 2026-11-29")
        return text

    def unverified(self, node: Node | None, firm: Mapping[str, tuple[str, ...]]) -> Unverified | None:
        """The controls that rest on one mapping alone, beside those that are `firm`."""
        if node is None:
            return None
        if not isinstance(node, MapNode):
            raise self.error(node, "must be a map with source, date and controls")
        known = ("source", "date", "controls")
        self.check_names(node, known, known)
        controls = {name: self.texts(child) for name, child in self.entries(node.values["controls"])}
        for name, child in self.entries(node.values["controls"]):
            for item in self.items(child):
                if self.text(item) in firm.get(name, ()):
                    raise self.error(item, f"{self.text(item)} stands in controls, too")
        return Unverified(self.text(node.values["source"]), self.date(node.values["date"]), controls)

    def options(self, node: Node | None) -> dict[str, Option]:
        """The options that a rule declares."""
        return {name: self._option(child) for name, child in self.entries(node)}

    def _option(self, node: Node) -> Option:
        if not isinstance(node, MapNode):
            raise self.error(node, "must be a map with schema, default and description")
        known = ("schema", "default", "description")
        self.check_names(node, known, known)
        schema = self._schema(node.values["schema"])
        default = plain(node.values["default"])
        if self.checked and default is not None and not holds(schema, default):
            raise self.error(node.values["default"], f"default does not satisfy the option's schema, {asked(schema)}")
        return Option(schema, default, " ".join(self.text(node.values["description"]).split()))

    def requirements(self, node: Node | None, subject: str, options: Mapping[str, Option]) -> tuple[Requirement, ...]:
        """The requirements about a subject, which may ask for the options."""
        return tuple(
            self._requirement(item, subject, options)
            for item in (self.items(node, " of facts") if node is not None else ())
        )

    def _requirement(self, node: Node, subject: str, options: Mapping[str, Option]) -> Requirement:
        if not isinstance(node, MapNode):
            raise self.error(node, "must be a map with fact and must")
        self.check_names(node, ("fact", "must", "message"), ("fact", "must"))
        fact = self.text(node.values["fact"])
        problem = knows_fact(subject, fact)
        if problem is not None:
            raise self.error(node.values["fact"], unknown("fact", fact, problem))
        message = self.text(node.values["message"]) if "message" in node.values else ""
        must = self.data_map(node.values["must"])
        self._check_options(node.values["must"], options)
        defaults = {name: option.default for name, option in options.items()}
        made = filled(Requirement(fact, must, ""), defaults)
        if made is not None:
            self._check_schema(node.values["must"], made.must)
        return Requirement(fact, must, " ".join(message.split()), wanted_of(must))

    def _check_options(self, node: Node, options: Mapping[str, Option]) -> None:
        """Refuse `{option: NAME}` of an option that the rule does not have."""
        pending = [node]
        while pending:
            current = pending.pop()
            if isinstance(current, MapNode):
                if set(current.values) in ({"option"}, OPTIONAL_ITEM):
                    self.one_of(current.values["option"], "option", tuple(options))
                pending.extend(current.values.values())
            elif isinstance(current, ListNode):
                pending.extend(current.items)

    def _schema(self, node: Node) -> dict[str, Any]:
        schema = self.data_map(node)
        self._check_schema(node, schema)
        return schema

    def _check_schema(self, node: Node, schema: Mapping[str, Any]) -> None:
        if not self.checked or simple(schema):
            return
        misspelt = unknown_keyword(schema)
        if misspelt is not None:
            raise self.error(node, unknown("keyword of JSON Schema", misspelt, sorted(KEYWORDS)))
        problem = refuse_schema(schema)
        if problem is not None:
            raise self.error(node, f"must is not a JSON Schema: {problem}")
