"""The report for programs: `trailguard-report/1`, described by schemas/report.schema.json. One result a line."""

from __future__ import annotations

import json

from trailguard.findings import UNKNOWN
from trailguard.reporters.common import by_cause, json_safe, judged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from trailguard.findings import FileError, Finding, Fix, Notice, Related, Report, RuleInfo, Span, Unverified

SCHEMA = "trailguard-report/1"
_SHORT = ("schema", "tool", "profile", "judged", "causes", "summary")  # what stands in a line


def render(report: Report) -> str:
    """Write the report as JSON; everything is in it, pass and suppressed results too."""
    parts = ((key, _line(value) if key in _SHORT else _lines(value)) for key, value in _parts(report))
    return json_safe("{\n" + ",\n".join(f' "{key}": {value}' for key, value in parts) + "\n}\n")


def data(report: Report) -> dict[str, Any]:
    """The same as plain data, for programs that put it into messages of their own."""
    return {key: value if key in _SHORT else list(value) for key, value in _parts(report)}


def _parts(report: Report) -> Iterator[tuple[str, Any]]:
    """The keys of the report with their values; those that are not short are made one by one."""
    yield "schema", SCHEMA
    yield "tool", {"name": "trailguard", "version": report.version}
    yield "profile", report.profile
    yield "judged", {key.replace(" ", "_").lower(): told for key, told in judged(report)}
    yield "causes", len(by_cause(report))
    yield "summary", report.summary()
    yield "rules", map(_rule, report.rules)
    yield "results", map(result, report.results)
    yield "errors", map(_error, report.errors)
    yield "notices", map(_notice, report.notices)
    yield "skipped", ({"file": file, "reason": reason} for file, reason in report.ignored)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(values: Iterable[object]) -> str:
    rows = [_line(value) for value in values]
    return "[\n  " + ",\n  ".join(rows) + "\n ]" if rows else "[]"


def _span(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _controls(controls: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {framework: list(names) for framework, names in controls.items()}


def _unverified(item: Unverified | None) -> dict[str, object] | None:
    return item and {"source": item.source, "date": item.date, "controls": _controls(item.controls)}


def _rule(rule: RuleInfo) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "title": rule.title,
        "severity": rule.severity,
        "why": rule.why,
        "remedy": rule.remedy,
        "controls": _controls(rule.controls),
        "references": list(rule.references),
        "unverified": _unverified(rule.unverified),
        "changed": list(rule.changed),
    }


def result(item: Finding) -> dict[str, object]:
    """One result as plain data; keys of the first version come first."""
    accepted = item.suppressed
    return {
        "rule": item.rule.id,
        "name": item.rule.name,
        "severity": item.rule.severity,
        "verdict": item.verdict,
        "file": item.place.file,
        "subject": item.subject,
        "resource": item.resource,
        "path": list(item.place.path),
        **_span(item.place.span),
        "message": item.message,
        "witness": dict(item.witness),
        "reason": item.reason,
        "remedy": None if item.verdict == UNKNOWN else item.rule.remedy,
        "controls": _controls(item.rule.controls),
        "suppressed": accepted and {"kind": accepted.kind, "reason": accepted.reason, "expires": accepted.expires},
        "fingerprint": item.fingerprint,
        "title": item.rule.title,
        "contexts": list(item.contexts),
        **({"deployed": list(item.deployed)} if item.deployed else {}),
        "subject_file": item.home,
        "construct": item.construct or None,
        "references": list(item.rule.references),
        "related": [_related(place) for place in item.related],
        "cause": item.cause or None,
        "causes": list(item.causes),
        "unverified": _controls(item.rule.unverified.controls) if item.rule.unverified else {},
        "fix": item.fix and _fix(item.fix),
    }


def _fix(fix: Fix) -> dict[str, object]:
    edits = [{"file": edit.file, **_span(edit.span), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "safe": not fix.unsafe, "unsafe": fix.unsafe or None, "edits": edits}


def _related(place: Related) -> dict[str, object]:
    return {"file": place.file, **_span(place.span), "message": place.message}


def _error(error: FileError) -> dict[str, object]:
    return {
        "file": error.file,
        "line": error.line or None,
        "column": error.column or None,
        "message": error.message,
    }


def _notice(notice: Notice) -> dict[str, object]:
    return {"file": notice.file, "line": notice.line or None, "message": notice.message}
