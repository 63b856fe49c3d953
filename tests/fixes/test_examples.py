"""Every template that breaks a rule is fixed, or stands in the record with the reason why it is left.

The record, `outcomes.json`, is the reviewer's: it is rewritten on purpose, and its difference is read.

    python -m tests.fixes.test_examples
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests import ROOT
from trailguard.cloudformation.source.comments import comments
from trailguard.cloudformation.source.reading import parse
from trailguard.findings import CONDITIONAL, FAIL, PASS, Finding, Report
from trailguard.fixes.edits import applied, decoded
from trailguard.fixes.proofs import prove, standing
from trailguard.fixes.repairing import Repaired, repaired
from trailguard.fixes.reporting import look_at
from trailguard.judging.offers import Key, key_of
from trailguard.scanning import Outcome
from trailguard.settings.settings import Settings

RECORD = Path(__file__).parent / "outcomes.json"
EXAMPLES = {path.relative_to(ROOT / "rules").as_posix(): path for path in sorted((ROOT / "rules").glob("*/fail/*"))}
FOLDERS = sorted({name.partition("/")[0] for name in EXAMPLES})


def faults(name: str, report: Report) -> list[Finding]:
    """What the rule of an example finds in it."""
    rule = name.partition("-")[0]
    return [one for one in report.results if one.rule.id == rule and one.is_open and one.verdict in (FAIL, CONDITIONAL)]


def fixed(name: str, data: bytes, unsafe: bool) -> tuple[list[Key], Outcome, Repaired]:
    """What there is to repair in a template, what was found, and what came of it."""
    look = look_at(["-"], Settings(), given=("template.yaml", data))
    before = look.outcome()
    wanted = [key_of(one) for one in faults(name, before.report)]
    return wanted, before, repaired(look, before, wanted, unsafe)


@cache
def outcome(name: str) -> str:
    """What comes of an example: what is done, whether that is safe, or why it is left."""
    data = EXAMPLES[name].read_bytes()
    for unsafe in (False, True):
        wanted, before, result = fixed(name, data, unsafe)
        if not wanted:
            return "nothing to fix"
        if result.plans:
            check(before, wanted, result, data, name, unsafe)
        if not faults(name, result.outcome.report):
            reasons = "; ".join(dict.fromkeys(plan.unsafe for plan in result.plans if plan.unsafe))
            return "; ".join(plan.title for plan in result.plans) + (f" (unsafe: {reasons})" if reasons else "")
    return "left: " + "; ".join(dict.fromkeys(result.left.get(key, "") for key in wanted))


def check(before: Outcome, wanted: list[Key], result: Repaired, data: bytes, name: str, unsafe: bool) -> None:
    """What every fix promises, looked at anew: a judgement of the new text that shares nothing with the proof."""
    (edits,) = result.edits.values()
    old = decoded(data)
    new = applied(old, edits)
    assert not parse(new.encode()).problems or parse(data).problems, name
    lost = Counter(one.text for one in comments(old)) - Counter(one.text for one in comments(new))
    assert not lost, f"{name}: {lost} is lost"
    again_wanted, after, again = fixed(name, new.encode(), unsafe)
    assert not again.plans, f"{name}: a second run changes more"
    repaired_keys = [plan.key for plan in result.plans]
    proof = prove(before.report, after.report, repaired_keys, ["template.yaml"], lambda key: key.resource not in old)
    assert proof.holds, f"{name}: {proof.reasons}"
    passing = standing(after.report.results)
    assert all(one.verdict == PASS for key in repaired_keys for one in passing[key].values()), name
    assert set(again_wanted) <= set(wanted), name


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_fault_is_repaired_or_left_for_a_reason(folder: str) -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    names = [name for name in EXAMPLES if name.startswith(f"{folder}/")]
    assert {name: outcome(name) for name in names} == {
        name: told for name, told in recorded.items() if name.startswith(f"{folder}/")
    }, "see the top of this file for how to record outcomes on purpose"


if __name__ == "__main__":
    chosen = sys.argv[1:]
    known = json.loads(RECORD.read_text(encoding="utf-8")) if chosen and RECORD.exists() else {}
    fresh = {}
    for name in EXAMPLES:
        if not chosen or name.startswith(tuple(chosen)):
            try:
                fresh[name] = outcome(name)
            except AssertionError as error:
                print(str(error)[:2000])  # noqa: T201  # it is to be mended before anything is recorded
    told = {name: text for name, text in sorted({**known, **fresh}.items()) if name in EXAMPLES}
    RECORD.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
