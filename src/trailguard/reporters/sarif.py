"""SARIF 2.1.0, as GitHub code scanning takes it.

Suppressed results are left out unless they are asked for: GitHub ignores `suppressions` and would open an alert for
each. A result is an error when it makes the exit status 1, else a warning.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from trailguard.findings import OPEN
from trailguard.reporters.common import (
    HOME,
    LEVELS,
    from_root,
    json_safe,
    judged,
    level,
    link,
    name_bytes,
    readable,
    remedy,
    sentences,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailguard.findings import FileError, Finding, Fix, Notice, Report, RuleInfo, Span, Suppression, Threshold

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# GitHub reads a number as text, and ranks over 9.0 critical, from 7.0 high, from 4.0 medium, from 0.1 low.
SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5", "info": "0.5"}
LONGEST = 1024  # characters of a rule's description
TAGS = 20  # of a rule, which is as many as GitHub takes; it drops the others
_OUTSIDE = ("waiver", "baseline")  # suppressions that are not written in the template


def render(report: Report, root: str, cwd: str, suppressed: bool = False) -> str:
    """Write the report as SARIF; files are named from `root`, the repository's, and findings name them from `cwd`.

    With `suppressed`, what is accepted is in it, too, and says so.
    """
    places = _Places(root, cwd)
    indexes = {rule.id: index for index, rule in enumerate(report.rules)}
    driver: dict[str, object] = {"name": "trailguard", "version": report.version or "0"}
    driver["semanticVersion"] = driver["version"]
    driver["informationUri"] = HOME
    driver["rules"] = [_rule(rule) for rule in report.rules]
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"trailguard/{report.profile}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, places)],
        "results": [
            _result(item, places, indexes, report.threshold)
            for item in report.results
            if item.is_open or (suppressed and item.suppressed is not None and item.verdict in OPEN)
        ],
        "properties": {"judged": dict(judged(report))},
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_safe(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


class _Places:
    """Turns files and spans into locations, and remembers each file's address."""

    def __init__(self, root: str, cwd: str) -> None:
        self._root = root
        self._cwd = cwd
        self._known: dict[str, dict[str, str]] = {}

    def artifact(self, file: str) -> dict[str, str]:
        if file not in self._known:
            name = from_root(file, self._root, self._cwd)
            encoded = quote(name_bytes(name), safe="/")
            if re.match(r"/|[A-Za-z]:/", name):  # outside of the repository
                drive = name[1:2] == ":"
                self._known[file] = {"uri": f"file:///{name[:2]}{encoded[4:]}" if drive else f"file://{encoded}"}
            else:
                self._known[file] = {"uri": encoded, "uriBaseId": "%SRCROOT%"}
        return self._known[file]

    def physical(self, file: str, span: Span) -> dict[str, object]:
        region = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
        return {"artifactLocation": self.artifact(file), "region": region}

    def point(self, file: str, line: int, column: int) -> dict[str, object]:
        location: dict[str, object] = {"artifactLocation": self.artifact(file)}
        if line:
            location["region"] = {"startLine": line, "startColumn": column or 1}
        return {"physicalLocation": location}


def _rule(rule: RuleInfo) -> dict[str, object]:
    """Describe a rule; GitHub wants none of the texts empty."""
    why, remedy = rule.why.strip() or rule.title or rule.id, rule.remedy.strip()
    links = [item for item in rule.references if link((item,))]
    references = "\n".join(f"- <{item}>" for item in links)
    markdown = why + (f"\n\n**Remedy:** {remedy}" if remedy else "")
    markdown += f"\n\n**References**\n\n{references}" if references else ""
    described: dict[str, object] = {
        "id": rule.id,
        "name": rule.name[:255],
        "shortDescription": {"text": _short(rule.title or rule.id)},
        "fullDescription": {"text": _short(why)},
        "help": {"text": why + (f"\n\nRemedy: {remedy}" if remedy else ""), "markdown": markdown},
        "defaultConfiguration": {"level": LEVELS.get(rule.severity, "warning")},
        "properties": {
            "tags": _tags(rule.controls),
            "controls": {name: list(items) for name, items in rule.controls.items()},
            "precision": "very-high",
            "security-severity": SECURITY_SEVERITY.get(rule.severity, "5.5"),
            **_unverified(rule),
        },
    }
    if links:
        described["helpUri"] = links[0]
    return described


def _tags(controls: Mapping[str, Sequence[str]]) -> list[str]:
    """What a rule is tagged with: every framework, then as many of their controls as there is room for, by turns."""
    tags = ["security", *controls]
    longest = max(map(len, controls.values()), default=0)
    tags += [
        f"{name}/{items[turn]}" for turn in range(longest) for name, items in controls.items() if turn < len(items)
    ]
    return list(dict.fromkeys(tags))[:TAGS]


def _unverified(rule: RuleInfo) -> dict[str, list[str]]:
    """Those of the tags that name a control which rests on one mapping alone."""
    if rule.unverified is None:
        return {}
    return {"unverified": [f"{name}/{item}" for name, items in rule.unverified.controls.items() for item in items]}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _result(item: Finding, places: _Places, indexes: Mapping[str, int], threshold: Threshold) -> dict[str, object]:
    lines = [_literal(text) for text in (item.message or item.rule.title, *sentences(item))]
    related = []
    for number, place in enumerate(item.related, 1):
        lines.append(f"See [{_label(place.message)}]({number}).")
        related.append(
            {
                "id": number,
                "physicalLocation": places.physical(place.file, place.span),
                "message": {"text": place.message},
            }
        )
    if remedy(item):
        lines.append(_literal(f"Remedy: {remedy(item)}"))
    location: dict[str, object] = {"physicalLocation": places.physical(item.place.file, item.place.span)}
    if item.resource:
        location["logicalLocations"] = [{"name": item.resource, "kind": "resource"}]
    result: dict[str, object] = {
        "ruleId": item.rule.id,
        "level": level(item, threshold),
        "message": {"text": "\n".join(lines)},
        "locations": [location],
        "partialFingerprints": {"trailguard/v1": item.fingerprint},
        "properties": {"verdict": item.verdict, "severity": item.rule.severity, "subject": item.subject},
    }
    if item.rule.id in indexes:
        result["ruleIndex"] = indexes[item.rule.id]
    if related:
        result["relatedLocations"] = related
    if item.fix is not None:
        result["fixes"] = [_fix(item.fix, places)]
    if item.suppressed is not None:
        kind = "external" if item.suppressed.kind in _OUTSIDE else "inSource"
        result["suppressions"] = [{"kind": kind, "status": "accepted", "justification": _reason(item.suppressed)}]
    return result


def _fix(fix: Fix, places: _Places) -> dict[str, object]:
    """The edits of a fix by file, as an editor or a code host applies them."""
    changes: dict[str, list[dict[str, object]]] = {}
    for edit in fix.edits:
        region = places.physical(edit.file, edit.span)["region"]
        changes.setdefault(edit.file, []).append({"deletedRegion": region, "insertedContent": {"text": edit.text}})
    warning = f". Review it first: {fix.unsafe}" if fix.unsafe else ""
    return {
        "description": {"text": readable(fix.title + warning)},
        "artifactChanges": [
            {"artifactLocation": places.artifact(file), "replacements": those} for file, those in changes.items()
        ],
    }


def _reason(accepted: Suppression) -> str:
    until = f" (until {accepted.expires})" if accepted.expires else ""
    return readable(f"{accepted.kind}: {accepted.reason}{until}")


def _literal(text: str) -> str:
    """Keep text from being read as a link to a related location."""
    return readable(re.sub(r"([\[\]\\])", r"\\\1", text) if "](" in text else text)


def _label(text: str) -> str:
    return readable(re.sub(r"([\[\]\\])", r"\\\1", text) or "here")


def _invocation(report: Report, places: _Places) -> dict[str, object]:
    """Say whether everything could be judged, and what not."""
    notes: list[dict[str, object]] = [_notification("error", error, error.column, places) for error in report.errors]
    notes += [_notification("note", notice, 0, places) for notice in report.notices]
    invocation: dict[str, object] = {"executionSuccessful": not report.errors}
    if notes:
        invocation["toolExecutionNotifications"] = notes
    return invocation


def _notification(kind: str, item: FileError | Notice, column: int, places: _Places) -> dict[str, object]:
    note: dict[str, object] = {"level": kind, "message": {"text": _literal(item.message) or kind}}
    if item.file:
        note["locations"] = [places.point(item.file, item.line, column)]
    return note
