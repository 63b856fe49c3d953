"""Finds for each finding a plan that is proven to repair it, and nothing that does not hold.

Plans that do not touch each other are proven in one judging. Only where that fails are they told apart: first those
that have to do with what failed from the rest, then one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trailguard.cloudformation.source.nodes import Places
from trailguard.findings import PASS, FileEdit, Finding, Fix, Report, Span
from trailguard.fixes.edits import Conflict, Edit, Unwritable, composed, decoded
from trailguard.fixes.plans import Plan, Sources, plans_for
from trailguard.fixes.proofs import Proof, prove, standing
from trailguard.judging.offers import Key, key_of
from trailguard.reading.collected import File
from trailguard.scanning import Look, Outcome
from trailguard.trails.facts.repairs import Repair, Use, joined

_STEPS = 3  # times that what a plan makes worse is repaired with it
_HELPERS = 3  # fixes of others that are tried for what passes with them
_PASSES = 9  # times that what was repaired is looked at again: what one fix makes possible, the next time finds


class Repaired(NamedTuple):
    """What came of it.

    `plans` are those that hold, in the order in which they were found; `fixes` what they change in the files as they
    were, where that can be told of each by itself. `also` are the findings that pass because of the plans of others,
    `left` says of the rest why it is left. `outcome` is what is found with all of it, `edits` what changes by file.
    """

    plans: tuple[Plan, ...]
    fixes: Mapping[Key, Fix]
    also: frozenset[Key]
    left: Mapping[Key, str]
    outcome: Outcome
    edits: Mapping[str, Sequence[Edit]]


def repaired(look: Look, before: Outcome, wanted: Iterable[Key], unsafe: bool = False) -> Repaired:
    """Repair what is wanted among the findings of an outcome, with the `unsafe` plans too if asked for.

    The outcome is one of the look with all of its files.
    """
    keys = set(wanted)
    plans: list[Plan] = []
    fixes: dict[Key, Fix] = {}
    also: set[Key] = set()
    left: dict[Key, str] = {}
    edits: dict[str, list[Edit]] = {}
    outcome = before
    changed: dict[str, File] = {}
    for number in range(_PASSES):
        findings = [one for one in outcome.report.results if one.is_open and key_of(one) in keys]
        mender = _Mender(look, outcome, findings, changed)
        mender.run(unsafe)
        outcome = mender.final()  # which may give plans up
        left = mender.left
        if not mender.accepted:
            break
        if not number:
            fixes = mender.fixes()
        edits = _after(edits, mender.edits())
        changed = mender.files()
        plans += mender.accepted
        also |= mender.also
    repaired_keys = {plan.key for plan in plans}
    return Repaired(tuple(plans), fixes, frozenset(also - repaired_keys), left, outcome, edits)


def offered(look: Look, before: Outcome, wanted: Iterable[Key]) -> dict[Key, Fix]:
    """The fix of each wanted finding that has one, the unsafe ones too.

    Each is about the files as they are, and holds without any other one.
    """
    keys = set(wanted)
    mender = _Mender(look, before, [one for one in before.report.results if one.is_open and key_of(one) in keys])
    mender.run(unsafe=True)
    mender.final()
    return mender.single_fixes()


def _after(first: Mapping[str, list[Edit]], then: Mapping[str, list[Edit]]) -> dict[str, list[Edit]]:
    """The edits that do at once what was done one after the other."""
    return {
        name: composed(first[name], then[name]) if name in first and name in then else first.get(name) or then[name]
        for name in {**first, **then}
    }


class _Mender:
    """Tries the plans for some findings of one outcome, in which some files are `changed` from what the look read."""

    def __init__(
        self, look: Look, before: Outcome, findings: Sequence[Finding], changed: Mapping[str, File] = {}
    ) -> None:
        self._look = look
        self._changed = changed
        self._before = before
        self._sources = Sources(before.files)
        self._last: Outcome = before
        self._is_part = False  # whether the last outcome is about a part of the files
        self._pending: dict[Key, list[Plan]] = {}
        self._findings = {key_of(finding): finding for finding in findings}
        self.accepted: list[Plan] = []
        self.also: set[Key] = set()
        self.left: dict[Key, str] = {}
        uses = _uses(before, self._findings)
        for key, finding in self._findings.items():
            plans, refusal = plans_for(finding, before.offers.get(key, ()), self._sources, uses.get(key.rule, ()))
            self._pending[key] = plans
            self.left[key] = refusal or f"a person has to decide how: {finding.rule.remedy}"

    def run(self, unsafe: bool) -> None:
        """Try all plans: first those that are safe."""
        self._phase(False)
        if unsafe:
            self._phase(True)
        else:
            self._name_unsafe()
        for plan in self.accepted:
            self.left.pop(plan.key, None)
        for key in self.also:
            self.left.pop(key, None)

    def _name_unsafe(self) -> None:
        """Say of what has unsafe plans only what these are."""
        for key, plans in self._pending.items():
            plan = next((one for one in plans if one.unsafe), None)
            if plan is not None:
                self.left[key] = f"only with --unsafe: {_lowered(plan.title)} ({plan.unsafe})"

    def _phase(self, unsafe: bool) -> None:
        """Try the plans of one kind, in rounds: each finding's first one, then the next of those that did not hold."""
        while batch := self._batch(unsafe):
            for plan, reason in self._settled(batch):
                self._pending[plan.key].remove(plan)
                self.left[plan.key] = reason
            self._note_passing()

    def _batch(self, unsafe: bool) -> list[Plan]:
        """The plans to try next, which do not exclude each other; of findings with one cause the first alone."""
        batch: list[Plan] = []
        causes: set[str] = set()
        for key, plans in self._pending.items():
            plan = next((one for one in plans if bool(one.unsafe) is unsafe), None)
            cause = self._findings[key].cause
            if plan is None or cause in causes:
                continue
            try:
                self._sources.edits([one for one in (*self.accepted, *batch, plan) if one.files & plan.files])
            except Conflict as conflict:
                if not batch:  # it is in the way of what was accepted
                    plans.remove(plan)
                    self.left[key] = conflict.reason
                continue
            batch.append(plan)
            causes.update({cause} - {""})
        return batch

    def _settled(self, batch: Sequence[Plan]) -> list[tuple[Plan, str]]:
        """Accept what holds of a batch; give the plans that do not, and why."""
        proof, outcome = self._tried(batch)
        if proof.holds:
            self._accept(batch, outcome)
            return []
        if len(batch) == 1:
            if self._settled_with_more(batch[0], proof, outcome):
                return []
            reason = next(iter(proof.reasons), "it does not hold")
            return [(batch[0], f"{_lowered(batch[0].title)} does not help: {reason}")]
        suspects = [plan for plan in batch if _is_suspect(plan, proof)]
        clear = [plan for plan in batch if plan not in suspects]
        half = len(batch) // 2
        parts = [clear, *([one] for one in suspects)] if suspects and clear else [batch[:half], batch[half:]]
        return [item for part in parts for item in self._settled(part)]

    def _settled_with_more(self, plan: Plan, proof: Proof, outcome: Outcome) -> bool:
        """Accept a plan that makes something else worse together with what repairs that; tell whether it holds."""
        for _ in range(_STEPS):
            wider = self._with_more(plan, proof, outcome)
            if wider is None:
                return False
            if wider.unsafe and not plan.unsafe:
                self._pending[plan.key].append(wider)  # for those who ask for it
                return False
            plan = wider
            proof, outcome = self._tried([plan])
            if proof.holds:
                self._accept([plan], outcome)
                return True
        return False

    def _with_more(self, plan: Plan, proof: Proof, outcome: Outcome) -> Plan | None:
        """A plan, and then the repairs of what it makes worse; None where that cannot be repaired.

        `proof` and `outcome` are what came of it on top of what was accepted.
        """
        if proof.unrepaired or proof.faults:
            return None
        first = self._sources.edits([plan])
        if self.accepted:  # else it was judged by itself
            outcome = self._judged(self._sources.edited(first), first)
        sources = Sources(outcome.files)
        findings = {key_of(one): one for one in outcome.report.results if one.is_open}
        more: list[Plan] = []
        uses = _uses(outcome, proof.worse & findings.keys())
        for key in sorted(proof.worse):
            offers = outcome.offers.get(key, ()) if key in findings else ()
            plans = plans_for(findings[key], offers, sources, uses.get(key.rule, ()))[0] if offers else []
            if not plans:
                return None
            try:
                sources.edits([*more, plans[0]])
            except Conflict:
                continue  # the next step sees to it
            more.append(plans[0])
        try:
            edits = _after(first, sources.edits(more))
        except Unwritable:
            return None
        both = joined([Repair(one.title, (), one.unsafe) for one in (plan, *more)])
        return plan._replace(title=both.title, unsafe=both.unsafe, changes={}, written=edits)

    def _tried(self, batch: Sequence[Plan]) -> tuple[Proof, Outcome]:
        """What judging says with a batch, on top of what was accepted."""
        plans = [*self.accepted, *batch]
        try:
            edits = self._sources.edits(plans)
        except Unwritable as error:
            return Proof(frozenset(plan.key for plan in batch), frozenset(), frozenset(), (error.reason,)), self._last
        touched = {name for plan in batch for name in plan.files}
        outcome = self._judged(self._sources.edited(edits), touched)
        seen = {key_of(one) for one in outcome.report.results}
        wanted = [plan.key for plan in plans if plan in batch or plan.key in seen]
        return prove(self._before.report, outcome.report, wanted, touched, self._sources.lacks), outcome

    def _judged(self, contents: Mapping[str, File], touched: Iterable[str]) -> Outcome:
        """What is found with other contents of some files; where there are several, in what has to do with some."""
        several = len(self._before.files) > 1
        return self._look.outcome({**self._changed, **contents}, touched if several else None)

    def _accept(self, batch: Sequence[Plan], outcome: Outcome) -> None:
        self.accepted += batch
        self._last = outcome
        self._is_part = len(self._before.files) > 1
        for plan in batch:
            del self._pending[plan.key]

    def _note_passing(self) -> None:
        """Take note of what passes because of what was accepted for others."""
        found = standing(self._last.report.results)
        for key in list(self._pending):
            places = found.get(key, {})
            if self.accepted and places and all(one.verdict == PASS for one in places.values()):
                self.also.add(key)
                del self._pending[key]

    def edits(self) -> dict[str, list[Edit]]:
        """What all accepted plans change together."""
        return self._sources.edits(self.accepted)

    def files(self) -> dict[str, File]:
        """The files that differ from what the look read: those that were changed before, and those that are now."""
        return {**self._changed, **self._sources.edited(self.edits())}

    def final(self) -> Outcome:
        """What is found with all accepted plans in all files: the last proof, of all of it at once.

        Plans of which it is not so are given up.
        """
        while self._is_part:
            edits = self.edits()
            outcome = self._look.outcome({**self._changed, **self._sources.edited(edits)})
            wanted = [plan.key for plan in self.accepted]
            proof = prove(self._before.report, outcome.report, wanted, edits, self._sources.lacks)
            if proof.holds:
                self._last, self._is_part = outcome, False
                break
            suspects = [plan for plan in self.accepted if _is_suspect(plan, proof)] or self.accepted
            for plan in suspects:
                self.left[plan.key] = next(iter(proof.reasons), "it does not hold")
            self.accepted = [plan for plan in self.accepted if plan not in suspects]
            if not self.accepted:
                self._last, self._is_part = self._before, False
            self._forget_lost()
        return self._last

    def _forget_lost(self) -> None:
        """What passed because of plans that are given up is left, too."""
        helped = {key for key in self.also if any(self._helps(plan, key) for plan in self.accepted)}
        for key in self.also - helped:
            self.left[key] = "what it would pass with does not hold"
        self.also = helped

    def fixes(self) -> dict[Key, Fix]:
        """The fix of each finding that has one: of those that pass because of others, that of those."""
        found = {plan.key: self._fix([plan]) for plan in self.accepted}
        for key in self.also:
            helper = next((plan for plan in self.accepted if self._helps(plan, key)), None)
            if helper is not None:
                found[key] = found[helper.key]
        return found

    def single_fixes(self) -> dict[Key, Fix]:
        """The fix of each finding that has one which holds by itself: its own, else with what it needs in its files."""
        judged = {frozenset(plan.key for plan in self.accepted): self._last.report}
        found = {}
        for key in (*(plan.key for plan in self.accepted), *sorted(self.also)):
            own = [plan for plan in self.accepted if plan.key == key]
            first = own or [plan for plan in self.accepted if self._helps(plan, key)]
            files = {name for plan in first for name in plan.files}
            wider = [plan for plan in self.accepted if not plan.files.isdisjoint(files)]
            for plans in (*([plan] for plan in first[:_HELPERS]), wider):
                names = frozenset(plan.key for plan in plans)
                edits = self._sources.edits(plans)
                if names not in judged:
                    judged[names] = self._judged(self._sources.edited(edits), edits).report
                if plans and prove(self._before.report, judged[names], [key], edits, self._sources.lacks).holds:
                    found[key] = self._fix(plans)
                    break
        return found

    def _helps(self, plan: Plan, key: Key) -> bool:
        finding = self._findings[key]
        return bool(set(plan.finding.causes) & set(finding.causes)) or plan.key[1:] == key[1:]

    def _fix(self, plans: Sequence[Plan]) -> Fix:
        edits = []
        for name, those in self._sources.edits(plans).items():
            places = Places(self._sources.text(name))
            edits += [FileEdit(name, Span(*places.at(one.start), *places.at(one.end)), one.text) for one in those]
        whole = joined([Repair(plan.title, (), plan.unsafe) for plan in plans])
        return Fix(whole.title, whole.unsafe, tuple(edits))


def _uses(outcome: Outcome, keys: Iterable[Key]) -> Mapping[str, Sequence[Use]]:
    """The uses that the findings with some keys make of text that is used more than once, by rule."""
    found: dict[str, list[Use]] = {}
    for key in keys:
        found.setdefault(key.rule, []).extend(use for repair in outcome.offers.get(key, ()) for use in repair.uses)
    return found


def _is_suspect(plan: Plan, proof: Proof) -> bool:
    """Tell whether a plan has to do with what failed."""
    files = {key.file for key in proof.worse} | proof.faults
    return plan.key in proof.unrepaired or not files.isdisjoint({plan.key.file, *plan.files})


def _lowered(title: str) -> str:
    return "; ".join(part[:1].lower() + part[1:] for part in title.split("; "))


def edits_of(fix: Fix, files: Mapping[str, File]) -> dict[str, list[Edit]]:
    """What a fix changes, by file, as indexes into their texts."""
    found: dict[str, list[Edit]] = {}
    for name, span, text in fix.edits:
        places = Places(decoded(files[name].data))
        start, end = places.index(span.line, span.column), places.index(span.end_line, span.end_column)
        found.setdefault(name, []).append(Edit(start, end, text))
    return found


def with_fixes(report: Report, fixes: Mapping[Key, Fix]) -> Report:
    """The report whose open findings carry their fixes."""
    results = (one._replace(fix=fixes.get(key_of(one))) if one.is_open else one for one in report.results)
    return report._replace(results=tuple(results))
