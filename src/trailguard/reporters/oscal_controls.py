"""The controls of frameworks as OSCAL names them, and a finding for each.

The identifiers of NIST's own catalogs are used where there are such: https://github.com/usnistgov/oscal-content
A finding about a control targets its statement there. For the other frameworks no catalog is published: their
controls are called after the framework, and the document defines an objective for each.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trailguard.reporters.common import link
from trailguard.reporters.oscal_parts import listed, markup, one_line, prop, token
from trailguard.reporters.standing import (
    ACCEPTED,
    MET,
    NOT_MET,
    UNDECIDED,
    Standing,
    standings,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from trailguard.findings import ControlInfo, FrameworkInfo, Report
    from trailguard.reporters.oscal_parts import Names

_CONTENT = "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/"
_REV4 = f"{_CONTENT}SP800-53/rev4/json/NIST_SP-800-53_rev4_catalog.json"
_CATALOGS = {
    "nist-800-53-r5": f"{_CONTENT}SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json",
    "fedramp-moderate-r4": _REV4,
    "nist-csf-2.0": f"{_CONTENT}CSF/v2.0/json/NIST_CSF_v2.0_catalog.json",
}
_SP800_53 = r"([A-Z]{2})-(\d+)((?:\([0-9a-z]+\))*)"
_CSF = r"[A-Z]{2}\.[A-Z]{2}-\d{2}"

# What decides each state, by the verdicts that count for it. The other states are those that nothing was seen of.
_DECIDING = {
    NOT_MET: ("fail", "conditional"),
    ACCEPTED: ("suppressed",),
    UNDECIDED: ("unknown",),
    MET: ("pass",),
}
_REASONS = {MET: "pass", NOT_MET: "fail"}  # OSCAL knows "other" besides


class ControlId(NamedTuple):
    """A control in a catalog, and what of it a finding is about: a statement of the catalog or an objective of ours."""

    control: str
    target: str
    kind: str


class Seen(NamedTuple):
    """What a verdict became: its rule, the verdict that counts, the UUIDs of its observation and of its risks."""

    rule: str
    verdict: str
    observation: str
    risks: tuple[str, ...]


class Controls:
    """The frameworks of a report with the identifiers of their controls.

    Those that were asked for, or all behind the rules where none was.
    """

    def __init__(self, report: Report) -> None:
        asked = tuple(item for item in report.frameworks if item.asked)
        self.frameworks: tuple[FrameworkInfo, ...] = asked or report.frameworks
        self._report = report
        self._taken: set[str] = set()
        self._ids = {
            (framework.name, control.id): self._named(framework.name, control.id)
            for framework in self.frameworks
            for control in framework.controls
        }

    def _named(self, framework: str, own: str) -> tuple[ControlId, ...]:
        found = catalog_ids(framework, own)
        if found:
            return found
        made = own_id(framework, own)
        number = 1
        while made in self._taken:  # names that differ in punctuation alone
            number += 1
            made = f"{own_id(framework, own)}-{number}"
        self._taken.add(made)
        return (ControlId(made, f"{made}_obj", "objective-id"),)

    def reviewed(self) -> dict[str, Any]:
        """Which controls were looked at; the rules themselves where no framework is behind them."""
        selections = [self._selection(item) for item in self.frameworks if item.controls]
        if not selections:
            ids = dict.fromkeys(token(rule.id) for rule in self._report.rules)
            rules = [{"control-id": name} for name in ids]
            told = "No framework is behind these rules of trailguard; they stand for controls of their own."
            selections = [{"description": told, "include-controls": rules}]
            if not rules:
                selections = [{"description": "No rule was asked.", "include-all": {}}]
        return {"control-selections": selections}

    def _selection(self, framework: FrameworkInfo) -> dict[str, Any]:
        statements: dict[str, dict[str, None] | None] = {}
        for control in framework.controls:
            for name in self._ids[framework.name, control.id]:
                part = name.kind == "statement-id" and "_smt." in name.target
                known = statements.setdefault(name.control, {})
                if not part:
                    statements[name.control] = None
                elif known is not None:
                    known[name.target] = None
        sources = [(framework.source, framework.date), *framework.unverified]
        links = [{"href": source, "rel": "reference"} for source, _ in sources if link((source,))]
        catalog = _CATALOGS.get(framework.name)
        links += [{"href": catalog, "rel": "catalog"}] if catalog else []
        about = " ".join(
            f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in (framework.about, framework.note) if text
        )
        return {
            "description": markup(": ".join(text for text in (framework.title or framework.name, about) if text)),
            "props": [
                *prop("framework", framework.name),
                *(item for source, date in sources for item in prop("mapping-read", date)),
                *prop("asked-for", "yes" if framework.asked else "no"),
            ],
            **listed("links", links),
            "include-controls": [
                {"control-id": name, **listed("statement-ids", parts or ())} for name, parts in statements.items()
            ],
        }

    def objectives(self) -> Iterator[dict[str, Any]]:
        """An objective for each control that no published catalog has."""
        for framework in self.frameworks:
            for control in framework.controls:
                for name in self._ids[framework.name, control.id]:
                    if name.kind == "objective-id":
                        title = one_line(control.title or control.id)
                        part = {"id": name.target, "name": "assessment-objective", "prose": markup(title)}
                        props = [*prop("framework", framework.name), *prop("control", control.id)]
                        yield {"control-id": name.control, **listed("props", props), "parts": [part]}

    def findings(self, seen: Iterable[Seen], names: Names, origins: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """A finding for each control: whether it is satisfied, why, and the observations that decide it."""
        by_rule: dict[str, list[Seen]] = {}
        for item in seen:
            by_rule.setdefault(item.rule, []).append(item)
        for framework in self.frameworks:
            for control, state in standings(framework, self._report):
                for name in self._ids[framework.name, control.id]:
                    yield {
                        "uuid": names.uuid("finding", framework.name, control.id, name.target),
                        **self._finding(framework, control, state, by_rule),
                        "origins": origins,
                        "target": _target(control, name, state, self._report),
                        **_related(state, by_rule),
                    }

    def _finding(
        self, framework: FrameworkInfo, control: ControlInfo, state: Standing, by_rule: Mapping[str, list[Seen]]
    ) -> dict[str, Any]:
        title = one_line(f"{framework.title or framework.name} {control.id}: {control.title}").rstrip(":")
        behind = (*control.rules, *(rule for rule in control.prerequisites if rule not in control.rules))
        changed = [f"{rule.id}: {told}" for rule in self._report.rules if rule.id in behind for told in rule.changed]
        return {
            "title": title or "A control",
            "description": markup(f"{state.state}: {reasons(state)}"),
            "props": [
                *prop("framework", framework.name),
                *prop("control", control.id),
                *prop("state", state.state),
                *(item for rule in control.rules for item in prop("rule", rule)),
                *(item for rule in behind[len(control.rules) :] for item in prop("prerequisite", rule)),
                *(item for rule in control.unverified for item in prop("unverified-rule", rule)),
                *(item for told in changed for item in prop("changed-rule", told)),
            ],
        }


def catalog_ids(framework: str, own: str) -> tuple[ControlId, ...]:
    """The identifiers in NIST's catalog of a control: `AC-2(4)` is `ac-2.4`, `AU-2(a)(d)` are two statements of `au-2`.

    Nothing for frameworks of which NIST publishes no catalog.
    """
    if framework not in _CATALOGS:
        return ()
    if re.fullmatch(_CSF, own):
        return (ControlId(own, f"{own}_statement", "statement-id"),)
    match = re.fullmatch(_SP800_53, own)
    if match is None:
        return ()
    control = f"{match[1].lower()}-{int(match[2])}"
    parts = re.findall(r"\((\w+)\)", match[3])
    controls = [f"{control}.{part}" for part in parts if part.isdigit()] or [control]
    items = [f".{part}" for part in parts if not part.isdigit()] or [""]
    return tuple(ControlId(name, f"{name}_smt{item}", "statement-id") for name in controls for item in items)


def own_id(framework: str, own: str) -> str:
    """The identifier of a control that no published catalog has: `hipaa_164.312.b` for `164.312(b)`."""
    dotted = re.sub(r"\((.*?)\)", r".\1", own)
    return token(f"{framework}_{token(dotted).lstrip('_')}")


def reasons(state: Standing) -> str:
    """Why a control is in its state, in words."""
    return "; ".join(f"{words}: {', '.join(rules)}" if rules else words for words, rules in state.reasons)


def _target(control: ControlInfo, name: ControlId, state: Standing, report: Report) -> dict[str, Any]:
    """Whether a statement or an objective is satisfied; what is not met, or cannot be told, is not."""
    told = f"{state.state}: {reasons(state)}."
    if report.errors:
        told += f" Errors: {len(report.errors)}. Not everything was judged, and this says nothing of the rest."
    if report.since:
        told += f" Only what changed since {report.since} was looked at."
    return {
        "type": name.kind,
        "target-id": name.target,
        "title": one_line(control.title) or one_line(control.id) or name.control,
        "props": [*prop("control-id", name.control)],
        "status": {
            "state": "satisfied" if state.state == MET else "not-satisfied",
            "reason": _REASONS.get(state.state, "other"),
            "remarks": markup(told),
        },
    }


def _related(state: Standing, by_rule: Mapping[str, list[Seen]]) -> dict[str, Any]:
    """The observations that decide a state, and their risks."""
    verdicts = _DECIDING.get(state.state, ())
    deciding = [
        item
        for _, rules in state.reasons
        for rule in rules
        for item in by_rule.get(rule, ())
        if item.verdict in verdicts
    ]
    observations = dict.fromkeys(item.observation for item in deciding)
    risks = dict.fromkeys(risk for item in deciding for risk in item.risks)
    return {
        **listed("related-observations", ({"observation-uuid": one} for one in observations)),
        **listed("related-risks", ({"risk-uuid": one} for one in risks)),
    }
