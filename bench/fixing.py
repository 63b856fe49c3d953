"""How much of what is found can be repaired, and at what price: `python bench/fixing.py FOLDER [--cfn-lint]`.

Each file is judged and fixed by itself, as `trailguard fix --unsafe` would. Counted are the failures of the default
profile by what becomes of them. Of each edited file it is checked that no comment is lost, that a second run changes
nothing, how many lines change, and with --cfn-lint that cfn-lint reports no error that was not there.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from trailguard import Settings
from trailguard.cloudformation.source.comments import comments
from trailguard.findings import CONDITIONAL, FAIL, Finding, Report
from trailguard.fixes.edits import applied, decoded
from trailguard.fixes.repairing import repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import key_of
from trailguard.reading.discovery import Candidate, discover
from trailguard.rulebook.shelf import load

DEFAULT = {rule.id for rule in load(Settings()).selected}


class Account(NamedTuple):
    """What came of one file: how many findings of which rule and verdict were fixed how, and complaints."""

    counts: Counter[tuple[str, str, str]]
    lines: tuple[int, int]
    complaints: tuple[str, ...]
    left: tuple[str, ...]


def account(path: str, with_cfn_lint: bool) -> Account:
    """Fix one file in memory."""
    look = look_at([path], Settings(exclude=()))
    before = look.outcome()
    wanted = {key_of(one): one for one in _faults(before.report)}
    if not wanted:
        return Account(Counter(), (0, 0), (), ())
    safe = repaired(look, before, wanted)
    after_safe = {key_of(one) for one in _faults(safe.outcome.report)}
    unsafe = repaired(look, before, wanted, unsafe=True) if after_safe else safe
    still = {key_of(one) for one in _faults(unsafe.outcome.report)}
    counts: Counter[tuple[str, str, str]] = Counter()
    left = []
    for key, one in wanted.items():
        how = "safe" if key not in after_safe else "unsafe" if key not in still else "left"
        counts[one.rule.id, one.verdict, how] += 1
        if how != "safe":
            left.append(f"{path}: {key.rule} {key.resource}: {safe.left.get(key, '?')}")
    complaints = []
    changed = (0, 0)
    for name, edits in safe.edits.items():
        old = decoded(before.files[name].data)
        new = applied(old, edits)
        changed = (changed[0] + old.count("\n"), changed[1] + _changed(old, new))
        if [one.text for one in comments(old)] != [one.text for one in comments(new) if one in comments(new)]:
            complaints.append(f"{name}: comments differ")
        if with_cfn_lint:
            complaints += [f"{name}: {error}" for error in sorted(_errors(new, name) - _errors(old, name))]
    again = repaired(look_at([path], Settings()), safe.outcome, wanted) if not safe.edits else None
    if again is not None and again.edits:
        complaints.append(f"{path}: a second run changes more")
    return Account(counts, changed, tuple(complaints), tuple(left))


def _faults(report: Report) -> list[Finding]:
    return [
        one for one in report.results if one.is_open and one.verdict in (FAIL, CONDITIONAL) and one.rule.id in DEFAULT
    ]


def _changed(old: str, new: str) -> int:
    matcher = difflib.SequenceMatcher(None, old.split("\n"), new.split("\n"), autojunk=False)
    return sum(max(b - a, d - c) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal")


def _errors(text: str, name: str) -> set[str]:
    from cfnlint.api import ManualArgs, lint

    matches = lint(text, config=ManualArgs(ignore_checks=["W", "I"]))
    return {f"{match.rule.id} {match.message}" for match in matches if match.rule.id.startswith("E")}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--cfn-lint", action="store_true")
    parser.add_argument("--left", action="store_true", help="list what is left")
    args = parser.parse_args()
    paths = [item.path for item in discover([args.folder]) if isinstance(item, Candidate)]
    counts: Counter[tuple[str, str, str]] = Counter()
    lines = changed = 0
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for one in pool.map(account, paths, [args.cfn_lint] * len(paths), chunksize=4):
            counts.update(one.counts)
            lines, changed = lines + one.lines[0], changed + one.lines[1]
            for text in (*one.complaints, *(one.left if args.left else ())):
                print(text)
    for verdict in (FAIL, CONDITIONAL):
        found = {
            how: sum(number for key, number in counts.items() if key[1:] == (verdict, how))
            for how in ("safe", "unsafe", "left")
        }
        total = sum(found.values()) or 1
        told = ", ".join(f"{how} {number} ({number / total:.0%})" for how, number in found.items())
        print(f"{verdict}: {total} findings: {told}")
    for rule in sorted({key[0] for key in counts}):
        print(rule, {f"{verdict} {how}": number for (of, verdict, how), number in sorted(counts.items()) if of == rule})
    print(f"{changed} of {lines} lines in edited files change")
    return 0


if __name__ == "__main__":
    sys.exit(main())
