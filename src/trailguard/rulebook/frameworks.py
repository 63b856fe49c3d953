"""The frameworks behind the rules: what each of their controls asks for, and which no template can decide.

Which rules stand behind a control, the rules say; a framework's profile is exactly those rules. `controls.yaml` beside
the rules keeps the rest: titles, sources, and the controls that are honestly out of reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import MapNode, Node
from trailguard.findings import ControlInfo, FrameworkInfo
from trailguard.rulebook.rule import FileReader, Rule, read_map
from trailguard.rulebook.shelf import Rulebook, builtin_folder
from trailguard.settings.settings import Settings

CONTROLS_FILE = "controls.yaml"


class Control(NamedTuple):
    """One control: what it asks for, and why no template can decide it (None when rules stand behind it)."""

    id: str
    title: str
    undecidable: str | None = None


class Framework(NamedTuple):
    """A framework: its name as a profile, its title, which part of it is meant, where the mapping comes from."""

    name: str
    title: str
    about: str
    source: str
    controls: Mapping[str, Control]

    def coverage(self, rules: Iterable[Rule]) -> list[tuple[Control, tuple[Rule, ...]]]:
        """Each control with the rules that stand behind it; those that only the rules name come last."""
        behind: dict[str, list[Rule]] = {name: [] for name in self.controls}
        for rule in rules:
            for name in rule.controls.get(self.name, ()):
                behind.setdefault(name, []).append(rule)
        return [(self.controls.get(name, Control(name, "")), tuple(found)) for name, found in behind.items()]


def load_frameworks(settings: Settings) -> dict[str, Framework]:
    """The frameworks that ship and those beside the user's own rules, by name; raises RuleError."""
    found: dict[str, Framework] = {}
    for folder in (builtin_folder(), *settings.rule_dirs):
        path = os.path.join(folder, CONTROLS_FILE)
        if os.path.isfile(path):
            reader = FileReader(path)
            for name, node in read_map(path).values.items():
                found[name] = _framework(reader, name, node)
    return found


def framework_of(settings: Settings, profile: str, rules: Iterable[Rule]) -> Framework | None:
    """The framework that a profile stands for; None for a profile that is a list of rules."""
    known = load_frameworks(settings).get(profile)
    if known is None and any(profile in rule.controls for rule in rules):
        return Framework(profile, profile, "", "", {})
    return known


def _framework(reader: FileReader, name: str, node: Node) -> Framework:
    if not isinstance(node, MapNode):
        raise reader.error(node, "must be a map with title, source and controls")
    reader.check_names(node, ("title", "about", "source", "controls"), ("title", "source", "controls"))
    texts = {key: " ".join(reader.text(child).split()) for key, child in node.values.items() if key != "controls"}
    controls = {key: _control(reader, key, child) for key, child in reader.entries(node.values["controls"])}
    return Framework(name, texts["title"], texts.get("about", ""), texts["source"], controls)


def _control(reader: FileReader, name: str, node: Node) -> Control:
    if not isinstance(node, MapNode):
        return Control(name, reader.text(node))
    reader.check_names(node, ("title", "undecidable"), ("title", "undecidable"))
    return Control(name, reader.text(node.values["title"]), reader.text(node.values["undecidable"]))


def behind(rulebook: Rulebook, settings: Settings) -> tuple[FrameworkInfo, ...]:
    """The frameworks that the selected rules name, the one that was asked for first; each with all of its controls."""
    named = {name for rule in rulebook.selected for name in rule.controls}
    known = load_frameworks(settings)
    found = [known.get(name) or Framework(name, name, "", "", {}) for name in [*known, *sorted(named - known.keys())]]
    rules = tuple(rulebook.rules.values())
    wanted = (item for item in found if item.name in named)
    return tuple(_info(item, rules) for item in sorted(wanted, key=lambda item: item.name != settings.profile))


def _info(framework: Framework, rules: Iterable[Rule]) -> FrameworkInfo:
    """What reports say of a framework."""
    controls = tuple(
        ControlInfo(control.id, control.title, control.undecidable, tuple(rule.id for rule in found))
        for control, found in framework.coverage(rules)
    )
    return FrameworkInfo(framework.name, framework.title, framework.about, framework.source, controls)
