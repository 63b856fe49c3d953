"""Whether edits hold what they promise: the same judgement of the edited files, held against the one before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from trailguard.findings import CONDITIONAL, FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS, Finding, Report, Verdict
from trailguard.judging.offers import Key, key_of

Standing: TypeAlias = "Mapping[Key, Mapping[str, Finding]]"  # the findings by what they are about, and by deployment
_NOT_JUDGED = (UNKNOWN, NOT_APPLICABLE)
_LINES = re.compile(r"\b(lines?) \d+")


class Proof(NamedTuple):
    """What edits did: the findings that they were to repair and did not, what became worse, and in which files.

    `faults` are the files in which new errors and notices are, `reasons` say what is wrong in a few words.
    """

    unrepaired: frozenset[Key]
    worse: frozenset[Key]
    faults: frozenset[str]
    reasons: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything was repaired and nothing became worse."""
        return not (self.unrepaired or self.worse or self.faults)


def standing(findings: Iterable[Finding]) -> dict[Key, dict[str, Finding]]:
    """What was found about each subject in each deployment."""
    found: dict[Key, dict[str, Finding]] = {}
    for finding in findings:
        places = found.setdefault(key_of(finding), {})
        for context in finding.contexts or ("",):
            old = places.get(context)
            if old is None or VERDICTS.index(finding.verdict) < VERDICTS.index(old.verdict):
                places[context] = finding
    return found


def prove(
    before: Report,
    after: Report,
    wanted: Iterable[Key],
    edited: Iterable[str],
    is_made: Callable[[Key], bool] = lambda key: True,
) -> Proof:
    """Hold a report against the one before; `wanted` is what was to be repaired, `edited` are the edited files.

    Where the later report is about a part of the files, the rest is taken to be as it was. `is_made` tells of a subject
    that was none before whether the edits made it; else it was there, at fault, and nothing was known of it.
    """
    old, new = standing(before.results), standing(after.results)
    judged = {key.file for key in new} | set(edited)
    reasons: list[str] = []
    unrepaired = {key for key in wanted if not _passes(new.get(key, {}), reasons, key)}
    worse = set()
    for key, places in old.items():
        if key.file in judged and key not in unrepaired and _is_worse(places, new.get(key, {}), reasons, key):
            worse.add(key)
    for key in new.keys() - old.keys():
        bad = [one for one in new[key].values() if one.verdict in (FAIL, CONDITIONAL)]
        if bad and is_made(key):
            worse.add(key)
            reasons.append(f"{key.rule} would be broken by {key.resource}")
    faults = _new_faults(before, after)
    return Proof(frozenset(unrepaired), frozenset(worse), frozenset(faults), (*reasons, *faults.values()))


def _passes(places: Mapping[str, Finding], reasons: list[str], key: Key) -> bool:
    bad = next((one for one in places.values() if one.verdict != PASS), None)
    if places and bad is None:
        return True
    reasons.append(f"it would not make {key.rule} pass" + (f" ({bad.verdict}: {bad.message})" if bad else ""))
    return False


def _is_worse(old: Mapping[str, Finding], new: Mapping[str, Finding], reasons: list[str], key: Key) -> bool:
    for context, before in old.items():
        after = new.get(context)
        if after is None and before.verdict in (UNKNOWN, NOT_APPLICABLE):
            continue  # it stood for something that was not found, and now is
        if after is None:
            if before.verdict in _NOT_JUDGED:  # what was named there is a subject itself now
                continue
            reasons.append(f"{key.resource} would not be judged by {key.rule} any more")
            return True
        change = _rank(after, PASS) - _rank(before, UNKNOWN)
        wider = after.verdict == CONDITIONAL and not before.witness.items() <= after.witness.items()
        if change < 0 or (change == 0 and wider):
            reasons.append(f"it would make {key.rule} {after.verdict} for {key.resource}: {after.message}")
            return True
    return False


def _rank(finding: Finding, otherwise: Verdict) -> int:
    """How well a subject stands with a rule. Where the rule comes to apply, what cannot be known is nothing worse."""
    return VERDICTS.index(otherwise if finding.verdict == NOT_APPLICABLE else finding.verdict)


def _new_faults(before: Report, after: Report) -> dict[str, str]:
    """The files with errors or notices that were not there before, whatever their lines, and what those say."""
    known = {(item.file, _bare(item.message)) for part in (before.errors, before.notices) for item in part}
    return {
        item.file: f"{item.file} would get: {item.message}"
        for part in (after.errors, after.notices)
        for item in part
        if (item.file, _bare(item.message)) not in known
    }


def _bare(message: str) -> str:
    return _LINES.sub(r"\1", message)
