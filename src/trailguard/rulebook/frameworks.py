"""The frameworks behind the rules: what each of their controls asks for, and which no template can decide.

Which rules stand behind a control, the rules say; a framework's profile is those rules and, where it rests on a trail,
the prerequisites of `prerequisites.yaml`. `controls.yaml` beside the rules keeps the rest: titles, where and when the
mapping was read, and the controls that are honestly out of reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.findings import ControlInfo, FrameworkInfo, Prerequisites
from trailguard.rulebook.rule import FileReader, Rule, read_map
from trailguard.rulebook.shelf import Rulebook, builtin_folder, prerequisites
from trailguard.settings.settings import Settings

CONTROLS_FILE = "controls.yaml"


class Control(NamedTuple):
    """One control: what it asks for, and why no template can decide it (None when rules stand behind it)."""

    id: str
    title: str
    undecidable: str | None = None


class Framework(NamedTuple):
    """A framework: its name as a profile, its title, which part of it is meant, where and when the mapping was read.

    `date` is an ISO date, `note` what else there is to know. `prerequisites` are the rules that it implies besides
    those that name it; None where it names nothing that rests on a trail.
    """

    name: str
    title: str
    about: str = ""
    source: str = ""
    date: str = ""
    note: str = ""
    controls: Mapping[str, Control] = MappingProxyType({})
    prerequisites: Prerequisites | None = None

    def coverage(self, rules: Iterable[Rule]) -> list[tuple[Control, tuple[Rule, ...]]]:
        """Each control with the rules that stand behind it; those that only the rules name come last."""
        behind: dict[str, list[Rule]] = {name: [] for name in self.controls}
        for rule in rules:
            for name in rule.controls.get(self.name, ()):
                behind.setdefault(name, []).append(rule)
        return [(self.controls.get(name, Control(name, "")), tuple(found)) for name, found in behind.items()]

    def needed(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """Those of some rules that are its prerequisites."""
        ids = self.prerequisites.rules if self.prerequisites is not None else ()
        return tuple(rule for rule in rules if rule.id in ids)

    def is_unverified(self, control: str, rule: Rule) -> bool:
        """Tell whether a rule stands behind a control by one unverified mapping alone."""
        return rule.unverified is not None and control in rule.unverified.controls.get(self.name, ())

    def origins(self, rules: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
        """The unverified mappings on which alone some controls rest: where and when they were read."""
        loose = (rule.unverified for rule in rules if rule.unverified is not None)
        return tuple(sorted({(item.source, item.date) for item in loose if self.name in item.controls}))


def load_frameworks(settings: Settings, rulebook: Rulebook) -> dict[str, Framework]:
    """The frameworks by name: those that ship, those beside the user's own rules, and what only rules name.

    Raises RuleError.
    """
    found: dict[str, Framework] = {}
    for folder in (builtin_folder(), *settings.rule_dirs):
        path = os.path.join(folder, CONTROLS_FILE)
        if os.path.isfile(path):
            reader = FileReader(path)
            for name, node in read_map(path).values.items():
                found[name] = _framework(reader, name, node)
    rules = rulebook.rules.values()
    for name in sorted({name for rule in rules for name in rule.controls} - found.keys()):
        found[name] = Framework(name, name)
    needed = prerequisites()
    implying = {name for rule in rules if rule.id in needed.implied_by for name in rule.controls}
    return {name: item._replace(prerequisites=needed if name in implying else None) for name, item in found.items()}


def asked_for(settings: Settings, rulebook: Rulebook) -> dict[str, Framework]:
    """The frameworks among the profiles of the settings, in their order; raises RuleError."""
    known = load_frameworks(settings, rulebook)
    return {name: known[name] for name in settings.profiles if name in known}


def _framework(reader: FileReader, name: str, node: Node) -> Framework:
    if not isinstance(node, MapNode):
        raise reader.error(node, "must be a map with title, source and controls")
    reader.check_names(node, ("title", "about", "source", "date", "note", "controls"), ("title", "source", "controls"))
    texts = {key: " ".join(reader.text(child).split()) for key, child in node.values.items() if key != "controls"}
    about, date, note = (texts.get(key, "") for key in ("about", "date", "note"))
    if "date" in texts:
        reader.date(node.values["date"])
    controls = {key: _control(reader, key, child) for key, child in reader.entries(node.values["controls"])}
    return Framework(name, texts["title"], about, texts["source"], date, note, controls)


def _control(reader: FileReader, name: str, node: Node) -> Control:
    if not isinstance(node, MapNode):
        return Control(name, reader.text(node))
    reader.check_names(node, ("title", "undecidable"), ("title", "undecidable"))
    return Control(name, reader.text(node.values["title"]), reader.text(node.values["undecidable"]))


def behind(rulebook: Rulebook, settings: Settings) -> tuple[FrameworkInfo, ...]:
    """The frameworks that the selected rules name, those that were asked for first; each with all of its controls."""
    named = {name for rule in rulebook.selected for name in rule.controls}
    known = load_frameworks(settings, rulebook)
    asked = [name for name in settings.profiles if name in named]
    rules = tuple(rulebook.rules.values())
    order = dict.fromkeys((*asked, *(name for name in known if name in named)))
    return tuple(_info(known[name], rules, name in asked) for name in order)


def _info(framework: Framework, rules: Sequence[Rule], asked: bool) -> FrameworkInfo:
    """What reports say of a framework."""
    needed = framework.prerequisites
    controls = tuple(
        ControlInfo(
            control.id, control.title, control.undecidable, tuple(rule.id for rule in found),
            tuple(rule.id for rule in found if framework.is_unverified(control.id, rule)),
            needed.rules if needed is not None and any(rule.subject == "trail" for rule in found) else (),
        )
        for control, found in framework.coverage(rules)
    )  # fmt: skip
    return FrameworkInfo(
        framework.name, framework.title, framework.about, framework.source, controls, framework.date, framework.note,
        needed, framework.origins(rules), asked,
    )  # fmt: skip
