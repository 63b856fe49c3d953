"""Plans: the changes that may repair a finding, as edits of the files that they are in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from trailguard.cloudformation.source.changes import At, Change, Way
from trailguard.findings import Finding
from trailguard.fixes.changing import edits_for
from trailguard.fixes.edits import Conflict, Edit, Unwritable, applied, decoded, encoded, ordered
from trailguard.fixes.generated import generated
from trailguard.fixes.remarks import keeping_comments
from trailguard.judging.offers import Key, key_of
from trailguard.reading.collected import LINKS, File
from trailguard.reading.discovery import may_hold
from trailguard.trails.facts.repairs import Repair, Use, distinct


class Plan(NamedTuple):
    """Changes by file that may repair a finding. `apart` are written out where an anchor has several users.

    `written` are edits of a plan that needs more than one step, in the place of changes.
    """

    finding: Finding
    title: str
    unsafe: str
    changes: Mapping[str, tuple[Change, ...]]
    apart: bool = False
    written: Mapping[str, Sequence[Edit]] = {}

    @property
    def files(self) -> set[str]:
        """The names of the files that it is about."""
        return {*self.changes, *self.written}

    @property
    def key(self) -> Key:
        """What the finding is about."""
        return key_of(self.finding)


class Sources:
    """The files that may be edited, by their names in the report."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self.files = files
        self._texts: dict[str, str] = {}
        self._refusals: dict[str, str] = {}

    def text(self, name: str) -> str:
        """The text of a file. Raises Unwritable for one that must not be edited."""
        if name not in self.files:
            raise Unwritable(f"{name} is not among the files that were read")
        if name not in self._texts:
            self._texts[name] = decoded(self.files[name].data)
            self._refusals[name] = self._refusal(name)
        if self._refusals[name]:
            raise Unwritable(self._refusals[name])
        return self._texts[name]

    def _refusal(self, name: str) -> str:
        path = self.files[name].path
        if os.path.islink(path):
            return f"{name} is a symbolic link, which is not followed"
        maker = generated(path, self._texts[name])
        return f"{name} is written by {maker}, so its source has to change" if maker else ""

    def lacks(self, key: Key) -> bool:
        """Tell whether a file does not even name a resource, so that edits must have made it."""
        file = self.files.get(key.file)
        return file is None or key.resource not in decoded(file.data)

    def edits(self, plans: Iterable[Plan]) -> dict[str, list[Edit]]:
        """What several plans change, by file. Raises Unwritable, and Conflict where they exclude each other."""
        return self.keeping(self.bare(plans))

    def keeping(self, edits: Mapping[str, Sequence[Edit]]) -> dict[str, list[Edit]]:
        """The same edits, which keep the comments of what they take away."""
        return {name: keeping_comments(self.text(name), those) for name, those in edits.items()}

    def bare(self, plans: Iterable[Plan]) -> dict[str, list[Edit]]:
        """What several plans change but for comments; raises likewise."""
        wanted: dict[str, dict[bool, list[Change]]] = {}
        found: dict[str, list[Edit]] = {}
        for plan in plans:
            for name, edits in plan.written.items():
                found.setdefault(name, []).extend(edits)
            for name, changes in plan.changes.items():
                wanted.setdefault(name, {}).setdefault(plan.apart, []).extend(changes)
        for name, groups in wanted.items():
            for apart, those in groups.items():
                found.setdefault(name, []).extend(edits_for(self.text(name), distinct(those), apart=apart))
        found = {name: ordered(self.text(name), edits) for name, edits in found.items()}
        return {name: edits for name, edits in found.items() if edits}

    def edited(self, edits: Mapping[str, Sequence[Edit]]) -> dict[str, File]:
        """The files as they are after some edits."""
        found = {}
        for name, those in edits.items():
            file = self.files[name]
            data = encoded(file.data, applied(self.text(name), those))
            found[name] = file._replace(data=data, marked=True, refers=file.refers or may_hold(data, LINKS))
        return found

    def lines(self, edits: Mapping[str, Sequence[Edit]]) -> int:
        """How many lines some edits touch."""
        count = 0
        for name, those in edits.items():
            text = self.text(name)
            count += sum(max(text.count("\n", one.start, one.end), one.text.count("\n")) + 1 for one in those)
        return count


def plans_for(
    finding: Finding, repairs: Iterable[Repair], sources: Sources, uses: Iterable[Use] = ()
) -> tuple[list[Plan], str]:
    """What may be tried for a finding, the safe ones first and the smallest first; else why nothing may.

    `uses` are those that all findings of the rule make of text that is used more than once.
    """
    found: list[tuple[bool, int, Plan]] = []
    known: list[dict[str, list[Edit]]] = []
    refusal = ""
    for repair, apart in product(repairs, (False, True)):
        by_file: dict[str, list[Change]] = {}
        for change in repair.changes:
            by_file.setdefault(change.at.file, []).append(change)
        changes = {name: tuple(those) for name, those in by_file.items()}
        unsafe = "; ".join(filter(None, (repair.unsafe, _beside(repair, apart, uses))))
        plan = Plan(finding, repair.title, unsafe, changes, apart)
        try:
            bare = sources.bare([plan])
            edits = sources.keeping(bare)
            if edits and edits not in known:
                known.append(edits)
                found.append((bool(unsafe), sources.lines(bare), plan))
        except Conflict as conflict:
            refusal = refusal or conflict.reason
        except Unwritable as error:
            refusal = refusal or _refused(error, repair, finding)
    found.sort(key=lambda item: item[:2])
    return [plan for _, _, plan in found], refusal


def _beside(repair: Repair, apart: bool, uses: Iterable[Use]) -> str:
    """Why a person should look at a repair that changes what no finding of the rule is about; "" if it does not."""
    for use in repair.uses:
        is_alone = apart and use.is_anchored
        makers: dict[tuple[At, Way], set[str]] = {}
        owns: dict[tuple[At, Way], int] = {}
        for one in (*repair.uses, *uses):
            if one.change == use.change or (one.place == use.place and not is_alone):
                makers.setdefault(one.change, set()).add(one.by)
                owns[one.change] = one.own
        meant = sum(min(len(those), owns[change]) for change, those in makers.items())
        if meant < (use.own if is_alone else use.times):
            *first, last = use.names
            what = f"makes {', '.join(first)} and {last}" if first else f"is used elsewhere in {last}"
            return f"the same text {what}"
    return ""


def _refused(error: Unwritable, repair: Repair, finding: Finding) -> str:
    """Why a repair cannot be written, and what is to be done instead."""
    where = f" in construct {finding.construct}" if finding.construct else ""
    return f"{error.reason}: {repair.title[:1].lower()}{repair.title[1:]}{where}"
