"""Applies repairs to plain data and judges again: what an offer must do, whatever text it is written into."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from trailguard.cloudformation.scenarios.model import Pins
from trailguard.cloudformation.scenarios.resolver import Scenario
from trailguard.cloudformation.source.changes import Append, At, Change, Put, Remove, Rename, Replace
from trailguard.cloudformation.source.nodes import ListNode, MapNode, Node, TextNode, literal
from trailguard.cloudformation.source.reading import parse
from trailguard.cloudformation.template.template import Template
from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from trailguard.judging.subjects import JudgedTemplate, Subject
from trailguard.rulebook.must import holds
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import Rulebook, load
from trailguard.settings.settings import Settings
from trailguard.trails import catalog
from trailguard.trails.facts.repairs import Fault, Repair, stated

_RANK = {PASS: 0, NOT_APPLICABLE: 0, UNKNOWN: 1, CONDITIONAL: 2, FAIL: 3}
MOST = 4  # offers of one fault


class Outcome(NamedTuple):
    """What repairs do: whether the rule passes then, which verdicts get worse, and what was written.

    A verdict gets worse where it was a pass or depended on a choice. What could not be judged before shows now.
    """

    passes: bool
    worse: tuple[str, ...]
    plan: tuple[Repair, ...]
    text: str

    @property
    def is_proven(self) -> bool:
        return self.passes and not self.worse

    @property
    def unsafe(self) -> str:
        return next((repair.unsafe for repair in self.plan if repair.unsafe), "")


# --- applying ---------------------------------------------------------------------------------------------------------


class _Cell:
    """A node as data that can be changed: `value` is a dict or list of cells, or what a text means."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Sheet:
    """A document as cells, which are found by where they were written."""

    def __init__(self, root: Node) -> None:
        self.cells: dict[At, _Cell] = {}
        self.homes: dict[At, tuple[_Cell, Any]] = {}  # of a key or an item of a list: the cell that holds it, and which
        self.root = self._read(root)

    def _read(self, node: Node) -> _Cell:
        if isinstance(node, MapNode):
            made = _Cell({})
            for name, child in node.values.items():
                made.value[name] = cell = self._read(child)
                self.homes.setdefault(_at(node.keys[name]), (made, cell))
        elif isinstance(node, ListNode):
            made = _Cell([])
            for item in node.items:
                cell = self._read(item)
                made.value.append(cell)
                self.homes.setdefault(_at(item), (made, cell))
        else:
            assert isinstance(node, TextNode)
            made = _Cell(literal(node))
        self.cells.setdefault(_at(node), made)
        return made

    def apply(self, change: Change) -> None:
        place = change.at._replace(file="")
        if place.is_inside:
            self._apply_inside(change, place)
        elif isinstance(change, (Put, Append)):
            _write(self.cells[place], change.way, self.made(change.value), isinstance(change, Append))
        elif isinstance(change, Replace):
            self.cells[place].value = self.made(change.value).value
        else:
            holder, cell = self.homes[place]
            if isinstance(holder.value, list):
                holder.value = [item for item in holder.value if item is not cell]
                return
            name = next(key for key, item in holder.value.items() if item is cell)
            if isinstance(change, Remove):
                del holder.value[name]
            else:
                assert isinstance(change, Rename)
                holder.value = {change.name if key == name else key: item for key, item in holder.value.items()}

    def _apply_inside(self, change: Change, place: At) -> None:
        cell = self.cells[place._replace(inside=(), is_inside=False)]
        root = holder = inner = _Cell(_cells(json.loads(cell.value)))
        for step in place.inside:
            holder, inner = inner, inner.value[step]
        if isinstance(change, (Put, Append)):
            _write(inner, change.way, self.made(change.value), isinstance(change, Append))
        elif isinstance(change, Replace):
            inner.value = self.made(change.value).value
        else:
            assert isinstance(change, Remove)
            holder.value.pop(place.inside[-1])
        cell.value = json.dumps(_data(root))

    def made(self, value: Any) -> _Cell:
        """A value as a new cell."""
        if isinstance(value, At):
            return copy.deepcopy(self.cells[value._replace(file="")])
        if isinstance(value, dict):
            return _Cell({name: self.made(item) for name, item in value.items()})
        if isinstance(value, (list, tuple)):
            return _Cell([self.made(item) for item in value])
        return _Cell(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _at(node: Node) -> At:
    kind = "map" if isinstance(node, MapNode) else "list" if isinstance(node, ListNode) else "text"
    return At("", node.line, node.column, node.end_line, node.end_column, kind)


def _cells(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _Cell(_cells(item)) for name, item in value.items()}
    return [_Cell(_cells(item)) for item in value] if isinstance(value, list) else value


def _data(cell: _Cell) -> Any:
    if isinstance(cell.value, dict):
        return {name: _data(item) for name, item in cell.value.items()}
    return [_data(item) for item in cell.value] if isinstance(cell.value, list) else cell.value


def _write(cell: _Cell, way: Sequence[str], value: _Cell, is_more: bool) -> None:
    if not way:
        assert is_more
        cell.value = [*(cell.value if isinstance(cell.value, list) else [_Cell(cell.value)]), value]
        return
    for step in way[:-1]:
        cell = cell.value.setdefault(step, _Cell({}))
    name = way[-1]
    if not is_more or name not in cell.value:
        cell.value[name] = _Cell([value]) if is_more else value
        return
    known = cell.value[name].value
    cell.value[name] = _Cell([*(known if isinstance(known, list) else [_Cell(known)]), value])


def applied(text: bytes, changes: Sequence[Change]) -> str:
    """The template with changes made, as JSON."""
    sheet = _Sheet(parse(text).root)
    for change in dict.fromkeys(map(_Hashed, changes)):
        sheet.apply(change.change)
    return json.dumps(_data(sheet.root), indent=1)


class _Hashed:
    """A change that can be compared, whatever data it holds."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.key = repr(change)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.key == self.key


# --- asking -----------------------------------------------------------------------------------------------------------


@cache
def rulebook() -> Rulebook:
    return load(Settings(profile="all"))


_NO_PINS = Pins()


def judged_text(text: bytes, pins: Pins = _NO_PINS) -> JudgedTemplate:
    return JudgedTemplate("template", Template(parse(text)), pins)


def verdicts(judged: JudgedTemplate) -> dict[tuple[str, str], str]:
    """The verdict of every rule on every subject."""
    found: dict[tuple[str, str], str] = {}
    for rule in rulebook().selected:
        for subject in judged.subjects(rule.subject):
            finding = judged.finding(rule, subject)
            key = (rule.id, finding.resource)
            found[key] = max(found.get(key, finding.verdict), finding.verdict, key=_RANK.__getitem__)
    return found


def offers(judged: JudgedTemplate, rule: Rule, subject: Subject) -> list[tuple[Fault, tuple[Repair, ...]]]:
    """The faults of a finding, in all scenarios, each with what repairs it."""
    if subject.outside is not None or subject.unseen is not None:
        return []

    def ask(scenario: Scenario) -> list[tuple[Fault, tuple[Repair, ...]]]:
        return list(_faults(scenario, rule, subject)) if subject.exists(scenario) else []

    return [pair for leaf in judged.scenarios.explore(ask) for pair in leaf.answer]


def _faults(scenario: Scenario, rule: Rule, subject: Subject) -> Iterator[tuple[Fault, tuple[Repair, ...]]]:
    for gate in rule.when:
        found = catalog.fact_of(scenario, rule.subject, subject.resource, gate.fact, gate.wanted)
        if found.unknown is not None or not holds(gate.must, found.value):
            return
    for one in rule.require:
        found = catalog.fact_of(scenario, rule.subject, subject.resource, one.fact, one.wanted)
        if found.unknown is None and not holds(one.must, found.value):
            fault = Fault(scenario, subject.resource, one.fact, found, one.must)
            repairer = stated(rule.fix) if rule.fix else catalog.repairs_of
            yield fault, tuple(repairer(fault))[:MOST]


def plans(found: Sequence[tuple[Fault, tuple[Repair, ...]]]) -> Iterator[tuple[Repair, ...]]:
    """What repairs several faults at once: the first offers of each together, then the second ones, and so on."""
    able = [repairs for _, repairs in found]
    if not able or not all(able):
        return
    for index in range(max(map(len, able))):
        yield tuple(repairs[min(index, len(repairs) - 1)] for repairs in able)


def outcomes(text: bytes, rule_id: str) -> Iterator[tuple[str, list[Outcome]]]:
    """For each subject that a rule fails: what each plan makes of it."""
    rule = rulebook().rules[rule_id]
    judged = judged_text(text)
    before = verdicts(judged)
    for subject in judged.subjects(rule.subject):
        finding = judged.finding(rule, subject)
        if finding.verdict not in (FAIL, CONDITIONAL):
            continue
        found = [_outcome(text, rule, finding.resource, plan, before) for plan in plans(offers(judged, rule, subject))]
        yield finding.resource, found


def _outcome(
    text: bytes, rule: Rule, name: str, plan: tuple[Repair, ...], before: dict[tuple[str, str], str]
) -> Outcome:
    made = applied(text, [change for repair in plan for change in repair.changes])
    after = verdicts(judged_text(made.encode()))
    worse = tuple(
        f"{key[0]} {key[1]}: {verdict}"
        for key, verdict in after.items()
        if before.get(key) in (PASS, CONDITIONAL) and _RANK[verdict] > _RANK[before[key]]
    )
    passes = after.get((rule.id, name)) == PASS
    return Outcome(passes, worse, plan, made)
