"""The Code Quality report of GitLab: what is found, in the widget and the diff of a merge request.

Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib
import json

from trailguard.findings import UNKNOWN
from trailguard.reporters.common import from_root, json_safe, open_findings, remarks, suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trailguard.findings import FileError, Finding, Notice, Report, Threshold

_SLIGHT = ("minor", "info")
_SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor", "info": "info"}


def render(report: Report, root: str, cwd: str) -> str:
    """Write one array; files are named from `root`, where the runner checked the repository out."""
    issues = [
        _aside(item, "error", "cannot be judged", "blocker", from_root(item.file, root, cwd)) for item in report.errors
    ]
    issues += [_finding(item, root, cwd, report) for item in open_findings(report)]
    issues += [_aside(item, "notice", "notice", "info", from_root(item.file, root, cwd)) for item in report.notices]
    seen: dict[str, int] = {}
    for issue in issues:  # GitLab takes issues with one fingerprint for one
        mark = issue["fingerprint"]
        seen[mark] = seen.get(mark, 0) + 1
        if seen[mark] > 1:
            issue["fingerprint"] = _mark(mark, str(seen[mark]))
    return json_safe(json.dumps(issues, ensure_ascii=False, indent=1)) + "\n"


def _finding(item: Finding, root: str, cwd: str, report: Report) -> dict[str, Any]:
    told = "; ".join((item.message, *remarks(item)))
    return {
        "description": "\n".join((f"{item.rule.id} {item.rule.name}: {told}", *suggestion((item,), report.sources))),
        "check_name": item.rule.id,
        "fingerprint": item.fingerprint,
        "severity": _severity(item, report.threshold),
        "location": _location(from_root(item.place.file, root, cwd), item.place.span.line, item.place.span.end_line),
    }


def _severity(item: Finding, threshold: Threshold) -> str:
    """What makes the exit status 1 is major at least, the rest is minor at most; what is not decided is information."""
    severity = _SEVERITIES.get(item.rule.severity, "major")
    if threshold.counts(item):
        return "major" if severity in _SLIGHT else severity
    return "info" if item.verdict == UNKNOWN or severity == "info" else "minor"


def _aside(item: FileError | Notice, kind: str, words: str, severity: str, file: str) -> dict[str, Any]:
    """An issue that is not a verdict: what cannot be judged, or a notice."""
    line = max(item.line, 1)
    return {
        "description": f"{words}: {item.message}",
        "check_name": "trailguard",
        "fingerprint": _mark(kind, item.file, item.message),
        "severity": severity,
        "location": _location(file, line, line),
    }


def _location(file: str, begin: int, end: int) -> dict[str, Any]:
    return {"path": file, "lines": {"begin": begin, "end": max(begin, end)}}


def _mark(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]
