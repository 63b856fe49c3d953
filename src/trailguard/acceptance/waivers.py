"""Findings that somebody accepted by a waiver in the configuration, and all that is accepted taken together.

An accepted finding keeps its verdict and gains a reason; it stays in the report. A waiver that suppresses nothing,
names a rule that does not exist, or has expired, is reported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from trailguard.acceptance.written import Ruling, Suppressions, expired, first
from trailguard.findings import Finding, Notice, Suppression
from trailguard.settings.settings import Settings, Waiver

_FOREIGN = re.compile(r"CKV2?_[A-Z]+_\d+|[EWI]\d{4}")


def accepted(
    findings: Iterable[Finding], written: Mapping[str, Suppressions], settings: Settings, today: str
) -> list[Finding]:
    """The findings, accepted where something in their file or in that of their subject says so, or a waiver does."""
    waivers = [_ruling(waiver, settings.root) for waiver in settings.waivers]
    return [_ruled(item, written, waivers, today) for item in findings]


def _ruled(finding: Finding, written: Mapping[str, Suppressions], waivers: Iterable[Ruling], today: str) -> Finding:
    if not finding.is_open:
        return finding
    for file in (finding.place.file, finding.subject_file):
        own = written[file].find(finding) if file in written else None
        if own is not None:
            return finding.accepted(own)
    waiver = first(finding, waivers, today)
    return finding if waiver is None else finding.accepted(waiver.suppression)


def _ruling(waiver: Waiver, root: str) -> Ruling:
    def covers(finding: Finding) -> bool:
        file = finding.place.file
        path = os.path.relpath(file, root).replace(os.sep, "/") if root else file
        named = fnmatchcase(path, waiver.file) or fnmatchcase(file, waiver.file)
        return named and waiver.resource in ("", finding.resource)

    return Ruling(waiver.rule, covers, Suppression("waiver", waiver.reason, waiver.expires), waiver.line)


def waiver_notices(findings: Iterable[Finding], settings: Settings, today: str, known: set[str]) -> list[Notice]:
    """What is to be said of the waivers: those that expired, suppress nothing, or name none of the `known` rules."""
    notices = []
    for waiver in settings.waivers:
        suppression = _ruling(waiver, settings.root).suppression
        where = waiver.source or settings.source
        if _FOREIGN.fullmatch(waiver.rule):
            continue  # of cfn-lint or checkov, which may not run beside this scan
        if waiver.rule not in known:
            notices.append(Notice(where, waiver.line, f'the waiver names rule "{waiver.rule}", which does not exist'))
        elif expired(suppression, today):
            notices.append(Notice(where, waiver.line, f"the waiver of {waiver.rule} expired on {waiver.expires}"))
        elif not any(
            finding.suppressed == suppression and waiver.rule in (finding.rule.id, finding.rule.name)
            for finding in findings
        ):
            notices.append(Notice(where, waiver.line, f"the waiver of {waiver.rule} suppresses nothing"))
    return notices
