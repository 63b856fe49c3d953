"""Subjects that nobody gets: no choice of parameters makes them, so a rule has nothing to say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trailguard.findings import NOT_APPLICABLE, Finding, Notice
from trailguard.judging.verdict import NEVER_MADE


def is_unmade(finding: Finding) -> bool:
    """Tell whether a rule does not apply because its subject is never made."""
    return finding.verdict == NOT_APPLICABLE and finding.reason is not None and finding.reason.endswith(NEVER_MADE)


def unmade(findings: Sequence[Finding]) -> Iterable[Notice]:
    """What to say of the subjects that no rule can be asked about in any deployment that is judged, each once."""
    return dict.fromkeys(_unmade(findings))


def _unmade(findings: Sequence[Finding]) -> Iterator[Notice]:
    asked = {(item.home, item.resource, item.rule.id) for item in findings if not is_unmade(item)}
    for item in findings:
        if is_unmade(item) and (item.home, item.resource, item.rule.id) not in asked:
            yield Notice(item.place.file, item.place.span.line, f"{item.resource} {NEVER_MADE}, so it is not judged")
