"""Findings that somebody accepted by a waiver in the configuration, and all that is accepted taken together.

An accepted finding keeps its verdict and gains a reason; it stays in the report. A waiver that suppresses nothing,
names a rule that does not exist, or has expired, is reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from trailguard.acceptance.beneath import Beneath, covers, is_only
from trailguard.acceptance.idle import Seen
from trailguard.acceptance.rulings import Ruling, expired, first, no_rule
from trailguard.acceptance.written import Suppressions
from trailguard.errors import nearest
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


class Look(NamedTuple):
    """What there is to tell idle waivers by: all findings, the day, the rules, and what was looked at.

    `known` are the names of all rules, `asked` of those that were applied.
    """

    findings: Sequence[Finding]
    today: str
    known: Collection[str]
    asked: Collection[str]
    seen: Seen


def waiver_notices(settings: Settings, look: Look) -> list[Notice]:
    """What is to be said of the waivers: those that expired, suppress nothing, or name no file or none of the rules."""
    notices = []
    beneath = Beneath(settings.root)
    for waiver in settings.waivers:
        said = _said(waiver, settings.root, look, beneath)
        if said is not None:
            notices.append(Notice(waiver.source or settings.source, waiver.line, said))
    return notices


def _said(waiver: Waiver, root: str, look: Look, beneath: Beneath) -> str | None:
    """What is to be said of a waiver; nothing of one whose rule was not applied, or whose files were not all seen."""
    if _FOREIGN.fullmatch(waiver.rule):
        return None  # of cfn-lint or checkov, which may not run beside this scan
    if waiver.rule not in look.known:
        return f"the waiver names {no_rule(waiver.rule, look.known)}"
    suppression = _ruling(waiver, root).suppression
    if expired(suppression, look.today):
        return f"the waiver of {waiver.rule} expired on {waiver.expires}"
    about = [item for item in look.findings if waiver.rule in (item.rule.id, item.rule.name)]
    if any(item.suppressed == suppression for item in about):
        return None
    fitting = globs((waiver.file,), root)
    is_seen = any(map(fitting.fits, look.seen.files))
    if not is_seen and look.seen.folders and beneath.is_idle(waiver.file):
        return f'the waiver of {waiver.rule} is for "{waiver.file}", which fits no file{beneath.hint(waiver.file)}'
    is_whole = covers(look.seen.folders, waiver.file, root) or is_only(waiver.file, root, look.seen.files)
    if waiver.rule not in look.asked or not is_seen or not is_whole:
        return None
    others = {item.resource for item in about if item.is_open and fitting.fits(item.place.file)}
    near = nearest(waiver.resource, others) if waiver.resource and waiver.resource not in others else None
    return f"the waiver of {waiver.rule} suppresses nothing" + (f'; did you mean resource "{near}"?' if near else "")
