"""OSCAL assessment results, for whoever keeps the evidence of an assessment: NIST's format, as JSON.

Every verdict is an observation, every cause of open findings and everything accepted is a risk, and every control of
the frameworks has a finding, which is satisfied only where the control is met. The day of the scan stands for all
times, and every UUID is derived from what it identifies: the same report gives the same document.

Source: https://pages.nist.gov/OSCAL-Reference/models/v1.1.3/assessment-results/json-reference/
"""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import quote

from trailguard.findings import CONDITIONAL, FAIL, OPEN, UNKNOWN
from trailguard.reporters.common import (
    HOME,
    also,
    assignments,
    by_cause,
    json_safe,
    judged,
    link,
    name_bytes,
    remedy,
    sentences,
)
from trailguard.reporters.oscal_controls import Controls, Seen
from trailguard.reporters.oscal_parts import NAMESPACE, Names, listed, markup, midnight, moment, one_line, prop
from trailguard.reporters.standing import verdict_that_counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeAlias

    from trailguard.findings import FileError, Finding, Notice, Report, Span

    Json: TypeAlias = dict[str, Any]

OSCAL_VERSION = "1.1.3"


def render(report: Report) -> str:
    """Write the report as OSCAL assessment results."""
    names = Names()
    controls = Controls(report)
    plan = names.uuid("plan")
    document = {
        "metadata": {
            "title": "Assessment of the CloudTrail audit trails in CloudFormation templates",
            "last-modified": moment(report),
            "version": one_line(report.date) or "0",
            "oscal-version": OSCAL_VERSION,
            "props": [*prop("tool-version", report.version), *prop("profile", report.profile)],
        },
        "import-ap": {"href": f"#{plan}"},
        **_objectives(controls),
        "results": [_Assessment(report, controls, names).result()],
        "back-matter": {"resources": [_plan(report, plan)]},
    }
    content = json.dumps(document)  # ASCII, the halves of surrogate pairs too
    whole = {"assessment-results": {"uuid": names.uuid("document", content), **document}}
    return json_safe(json.dumps(whole, ensure_ascii=False, indent=1) + "\n")


def _objectives(controls: Controls) -> Json:
    objectives = listed("objectives-and-methods", controls.objectives())
    return {"local-definitions": objectives} if objectives else {}


def _plan(report: Report, uuid: str) -> Json:
    """What stands for the assessment plan: OSCAL wants one, and the command of the scan is all there is of it."""
    told = "; ".join(f"{key}: {text}" for key, text in judged(report))
    return {"uuid": uuid, "title": "How trailguard was asked to judge", "description": markup(told)}


class _Observed(NamedTuple):
    """A verdict, and the UUIDs of its observation and of its risks."""

    item: Finding
    observation: str
    risks: list[str]


class _Assessment:
    """Builds the one result of a document, whose parts refer to each other by UUID."""

    def __init__(self, report: Report, controls: Controls, names: Names) -> None:
        self._report = report
        self._controls = controls
        self._names = names
        self._day = moment(report)
        tools = dict.fromkeys(("trailguard", *(item.rule.tool for item in report.results if item.rule.tool)))
        self._tools = {tool: names.uuid("tool", tool) for tool in tools}
        places = dict.fromkeys((item.home, item.resource) for item in report.results)
        self._subjects = {place: names.uuid("subject", *place) for place in places}
        self._seen = [
            _Observed(item, names.uuid("observation", item.rule.id, item.fingerprint), []) for item in report.results
        ]

    def result(self) -> Json:
        """The result: what was judged and how, what was seen, and what that means for the controls."""
        report = self._report
        risks = list(self._risks())
        seen = [
            Seen(item.rule.id, verdict_that_counts(item), observation, tuple(risks_of))
            for item, observation, risks_of in self._seen
        ]
        return {
            "uuid": self._names.uuid("result", report.profile, report.date),
            "title": one_line(f"trailguard {report.version}, profile {report.profile}"),
            "description": _summary(report),
            "start": self._day,
            "end": self._day,
            "props": [
                *(item for key, text in judged(report) for item in prop(key.lower(), text, "judged")),
                *(item for key, count in report.summary().items() for item in prop(key, count, "count")),
                *prop("exit-status", report.status()),
            ],
            "local-definitions": self._definitions(),
            "reviewed-controls": self._controls.reviewed(),
            **self._log(),
            **listed("observations", (self._observation(*one) for one in self._seen)),
            **listed("risks", risks),
            **listed("findings", self._controls.findings(seen, self._names, [self._origin("trailguard")])),
        }

    def _definitions(self) -> Json:
        """The resources that were judged, and the tools that judged them."""
        components = [
            {
                "uuid": uuid,
                "type": "software",
                "title": one_line(tool),
                "description": "Proves that CloudFormation templates record and keep a CloudTrail audit trail."
                if tool == "trailguard"
                else "Another linter, which ran beside trailguard on the same templates.",
                **listed("props", prop("version", self._report.version if tool == "trailguard" else "")),
                **listed("links", [{"href": HOME, "rel": "reference"}] if tool == "trailguard" else ()),
                "status": {"state": "operational"},
            }
            for tool, uuid in self._tools.items()
        ]
        items = [
            {
                "uuid": uuid,
                "description": markup(f"{resource or 'The template'} in {file}"),
                "props": [*prop("file", file), *prop("logical-id", resource)] or prop("file", "-"),
            }
            for (file, resource), uuid in self._subjects.items()
        ]
        platform = {
            "uuid": self._names.uuid("platform"),
            "title": "The scan",
            "uses-components": [{"component-uuid": uuid} for uuid in self._tools.values()],
        }
        assets = {"components": components, "assessment-platforms": [platform]}
        return {**listed("inventory-items", items), "assessment-assets": assets}

    def _origin(self, tool: str) -> Json:
        return {"actors": [{"type": "tool", "actor-uuid": self._tools[tool]}]}

    def _observation(self, item: Finding, uuid: str, _risks: list[str]) -> Json:
        """What one rule says of one subject, and where that is written."""
        accepted = item.suppressed
        subject = {"subject-uuid": self._subjects[item.home, item.resource], "type": "inventory-item"}
        return {
            "uuid": uuid,
            "title": _title(item),
            "description": markup(_told(item)),
            "props": [
                *prop("rule", item.rule.id),
                *prop("verdict", item.verdict),
                *prop("severity", item.rule.severity),
                *prop("fingerprint", item.fingerprint),
                *(one for cause in item.causes for one in prop("cause", cause)),
                *prop("witness", assignments(item.witness)),
                *prop("reason", item.reason or ""),
                *(one for context in item.contexts for one in prop("context", context)),
                *(one for name in item.deployed for one in prop("deployed-as", name)),
                *prop("construct", item.construct),
                *(() if accepted is None else _acceptance(item)),
            ],
            "methods": ["EXAMINE"],
            "types": ["finding" if item.verdict in OPEN else "control-objective"],
            "origins": [self._origin(item.rule.tool or "trailguard")],
            "subjects": [{**subject, **({"title": one_line(item.resource)} if one_line(item.resource) else {})}],
            "relevant-evidence": [
                _evidence(item.place.file, item.place.span, "what was judged", item.place.path),
                *(_evidence(one.file, one.span, one.message) for one in item.related),
            ],
            "collected": self._day,
        }

    def _risks(self) -> Iterator[Json]:
        """A risk for each cause of what is broken, and one for each finding that somebody accepts."""
        observed: dict[object, list[_Observed]] = {}
        for one in self._seen:
            observed.setdefault(_key(one.item), []).append(one)
        for shared in by_cause(self._report):
            if shared.lead.verdict in (FAIL, CONDITIONAL):
                about = [one for key in dict.fromkeys(map(_key, shared.all)) for one in observed[key]]
                yield self._risk(shared.lead, about, also(shared))
        for one in self._seen:
            if one.item.suppressed is not None:
                yield self._risk(one.item, [one], "")

    def _risk(self, item: Finding, about: list[_Observed], more: str) -> Json:
        accepted = item.suppressed
        uuid = self._names.uuid("risk", item.rule.id, item.fingerprint)
        for one in about:
            one.risks.append(uuid)
        told = [_told(item)]
        told += [f"It also {more}."] if more else []
        told += [f"Accepted ({accepted.kind}): {accepted.reason}"] if accepted is not None else []
        origin = self._origin(item.rule.tool or "trailguard")
        facet = {"name": "severity", "system": NAMESPACE, "value": item.rule.severity}
        made: Json = {
            "uuid": uuid,
            "title": _title(item),
            "description": markup(" ".join(told)),
            "statement": markup(item.rule.why or item.rule.title or item.rule.id),
            "props": [*prop("severity", item.rule.severity), *(_acceptance(item) if accepted is not None else ())],
            "status": "open" if accepted is None else "deviation-approved",
            "origins": [origin],
            "characterizations": [{"origin": origin, "facets": [facet]}],
        }
        until = midnight(accepted.expires) if accepted is not None else None
        if until is not None:
            made["deadline"] = until
        if remedy(item):
            links = [{"href": one, "rel": "reference"} for one in item.rule.references if link((one,))]
            made["remediations"] = [
                {
                    "uuid": self._names.uuid("remediation", item.rule.id, item.fingerprint),
                    "lifecycle": "recommendation",
                    "title": one_line(f"Fix {item.rule.id}"),
                    "description": markup(remedy(item)),
                    **listed("links", links),
                    "origins": [origin],
                }
            ]
        made["related-observations"] = [{"observation-uuid": one.observation} for one in about]
        return made

    def _log(self) -> Json:
        """What could not be judged, and what else there is to say of the scan."""
        report = self._report
        entries = [self._entry("error", item, item.column) for item in report.errors]
        entries += [self._entry("notice", item, 0) for item in report.notices]
        return {"assessment-log": {"entries": entries}} if entries else {}

    def _entry(self, kind: str, item: FileError | Notice, column: int) -> Json:
        place = [*prop("file", item.file), *prop("line", item.line or ""), *prop("column", column or "")]
        return {
            "uuid": self._names.uuid(kind, item.file, item.line, item.message),
            "title": "Not everything could be judged" if kind == "error" else "Notice",
            "description": markup(item.message or kind),
            "start": self._day,
            "props": [*prop("kind", kind), *place],
        }


def _key(item: Finding) -> object:
    """What tells one verdict from another, whatever is shown beside it."""
    return item.rule.id, item.fingerprint, item.verdict, item.contexts, item.place


def _title(item: Finding) -> str:
    return one_line(f"{item.rule.id} {item.rule.name}: {item.rule.title}")


def _told(item: Finding) -> str:
    """What was found, in sentences."""
    return " ".join((f"{(item.message or item.rule.title or item.verdict).rstrip('.')}.", *sentences(item)))


def _acceptance(item: Finding) -> Iterable[dict[str, str]]:
    """How, why and until when somebody accepts a finding."""
    accepted = item.suppressed
    if accepted is not None:
        yield from prop("accepted-by", accepted.kind)
        yield from prop("accepted-because", accepted.reason)
        yield from prop("accepted-until", accepted.expires or "")


def _evidence(file: str, span: Span, told: str, path: tuple[str | int, ...] = ()) -> Json:
    place = {"href": quote(name_bytes(file), safe="/")} if file and not file.startswith("<") else {}
    return {
        **place,
        "description": markup(f"{file}:{span.line}:{span.column}: {told}"),
        "props": [
            *prop("file", file),
            *prop("line", span.line),
            *prop("column", span.column),
            *prop("end-line", span.end_line),
            *prop("end-column", span.end_column),
            *prop("path", json.dumps(path, ensure_ascii=False) if path else ""),
        ],
    }


def _summary(report: Report) -> str:
    """What was judged in words, and what a reader must not overlook."""
    counts = report.summary()
    told = [
        f"CloudFormation templates judged: {counts['templates']}.",
        f"Trails and other subjects in them: {counts['subjects']}.",
    ]
    if report.errors:
        told.append(f"Errors: {counts['errors']}. Not everything was judged, and a state says nothing of the rest.")
    if report.since:
        told.append(f"Only what changed since {report.since} is in it, and no evidence of the rest.")
    if any(item.verdict == UNKNOWN for item in report.results):
        told.append("What could not be decided is not satisfied; its observation says what settles it.")
    return markup(" ".join(told))
