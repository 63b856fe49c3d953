"""Which findings are known from before: from a baseline, or from an older revision of the same templates.

One known finding covers one finding. It is known again by its rule, file, resource and path, which survive moved lines;
where its file is gone, by the others. A finding that got worse is not covered: a worse verdict, a wider witness, or a
deployment more in which it is so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from trailguard.findings import VERDICTS, Finding, Verdict

Path: TypeAlias = "tuple[str | int, ...]"


class Known(NamedTuple):
    """A finding of before.

    `file` is the one that it is in, `contexts` are the deployments in which it is so. `witness` holds the parameter
    values that break the rule; None where it was not recorded, which then covers any.
    """

    rule: str
    verdict: Verdict
    file: str
    resource: str
    path: Path
    contexts: tuple[str, ...] | None = None
    witness: Mapping[str, str] | None = None

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding at its place is no worse than it."""
        better = VERDICTS.index(finding.verdict) - VERDICTS.index(self.verdict)
        if better < 0 or not (self.contexts is None or set(finding.contexts) <= set(self.contexts)):
            return False
        if better > 0 or self.witness is None:
            return True
        return self.witness.items() <= finding.witness.items()


def known(finding: Finding) -> Known:
    """A finding as one that is known from now on."""
    place = finding.place
    return Known(
        finding.rule.id, finding.verdict, place.file, finding.resource, place.path, finding.contexts, finding.witness
    )


def covering(
    findings: Iterable[Finding], entries: Iterable[Known], is_gone: Callable[[str], bool]
) -> tuple[dict[int, Known], list[Known]]:
    """The entries that cover findings, by the index of each among the findings that are open, and the idle entries.

    `is_gone` tells of the file of an entry whether it is no longer there: it may have been renamed.
    """
    pool = [_Entry(entry) for entry in entries]
    by_place: dict[object, list[_Entry]] = {}
    moved: dict[object, list[_Entry]] = {}
    for entry in pool:
        of = entry.known
        by_place.setdefault((*_key(of.rule, of.resource, of.path), os.path.relpath(of.file)), []).append(entry)
        if is_gone(of.file):
            moved.setdefault(_key(of.rule, of.resource, of.path), []).append(entry)
    waiting = [(index, finding) for index, finding in enumerate(findings) if finding.is_open]
    found: dict[int, Known] = {}
    for places, key_of in ((by_place, _place), (moved, _name)):
        for index, finding in waiting:
            if index not in found:
                candidates = places.get(key_of(finding), ())
                taken = next((one for one in candidates if one.takes(finding)), None)
                if taken is not None:
                    found[index] = taken.known
    return found, [entry.known for entry in pool if not entry.seen]


class _Entry:
    """A known finding, which covers one finding and is seen where there is one at its place, worse or not."""

    __slots__ = ("known", "seen", "used")

    def __init__(self, entry: Known) -> None:
        self.known = entry
        self.seen = False
        self.used = False

    def takes(self, finding: Finding) -> bool:
        """Cover a finding, if it can and has not covered another."""
        self.seen = True
        if self.used or not self.known.covers(finding):
            return False
        self.used = True
        return True


def _place(finding: Finding) -> object:
    return (*_key(finding.rule.id, finding.resource, finding.place.path), os.path.relpath(finding.place.file))


def _name(finding: Finding) -> object:
    return _key(finding.rule.id, finding.resource, finding.place.path)


def _key(rule: str, resource: str, path: Path) -> tuple[object, ...]:
    """What a finding is known by in its file; the functions that a value is put together with do not count."""
    function = next((at for at, part in enumerate(path) if part == "Ref" or str(part).startswith("Fn::")), len(path))
    return rule, resource, path[:function]
