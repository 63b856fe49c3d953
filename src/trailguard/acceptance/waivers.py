"""Findings that somebody accepted by a waiver in the configuration, and all that is accepted taken together.

An accepted finding keeps its verdict and gains a reason; it stays in the report. A waiver that suppresses nothing,
names a rule that does not exist, or has expired, is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from trailguard.acceptance.rulings import Ruling, expired, first, no_rule
from trailguard.acceptance.written import Suppressions
from trailguard.findings import Finding, Notice, Suppression
from trailguard.settings.globs import globs
from trailguard.settings.settings import Settings, Waiver

_FOREIGN = re.compile(r"CKV2?_[A-Z]+_\d+|[EWI]\d{4}")


def accepted(
    findings: Iterable[Finding], written: Mapping[str, Suppressions], settings: Settings, today: str
) -> list[Finding]:
    """The findings, accepted where their file or that of their subject says so of what is in it, or a waiver does."""
    waivers = [_ruling(waiver, settings.root) for waiver in settings.waivers]
    return [_ruled(item, written, waivers, today) for item in findings]


def _ruled(finding: Finding, written: Mapping[str, Suppressions], waivers: Iterable[Ruling], today: str) -> Finding:
    if not finding.is_open:
        return finding
    for file in dict.fromkeys((finding.place.file, finding.home)):
        own = written[file].find(finding) if file in written else None
        if own is not None:
            return finding.accepted(own)
    waiver = first(finding, waivers, today)
    return finding if waiver is None else finding.accepted(waiver.suppression)


def _ruling(waiver: Waiver, root: str) -> Ruling:
    def covers(finding: Finding) -> bool:
        is_named = waiver.resource in ("", finding.resource)
        return is_named and globs((waiver.file,), root).fits(finding.place.file)

    why = Suppression("waiver", waiver.reason, waiver.expires)
    return Ruling(waiver.rule, covers, why, waiver.source, waiver.line)


def waiver_notices(findings: Iterable[Finding], settings: Settings, today: str, known: set[str]) -> list[Notice]:
    """What is to be said of the waivers: those that expired, suppress nothing, or name none of the `known` rules."""
    notices = []
    for waiver in settings.waivers:
        suppression = _ruling(waiver, settings.root).suppression
        where = waiver.source or settings.source
        if _FOREIGN.fullmatch(waiver.rule):
            continue  # of cfn-lint or checkov, which may not run beside this scan
        if waiver.rule not in known:
            notices.append(Notice(where, waiver.line, f"the waiver names {no_rule(waiver.rule, known)}"))
        elif expired(suppression, today):
            notices.append(Notice(where, waiver.line, f"the waiver of {waiver.rule} expired on {waiver.expires}"))
        elif not any(
            finding.suppressed == suppression and waiver.rule in (finding.rule.id, finding.rule.name)
            for finding in findings
        ):
            notices.append(Notice(where, waiver.line, f"the waiver of {waiver.rule} suppresses nothing"))
    return notices
