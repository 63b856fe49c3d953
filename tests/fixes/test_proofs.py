"""What counts as worse, and what does not."""

from __future__ import annotations

import pytest

from trailguard.findings import FileError, Finding, Notice, Place, Report, RuleInfo, Span, Verdict
from trailguard.fixes.proofs import prove
from trailguard.judging.offers import Key

RULE = RuleInfo("TG101", "n", "t", "high", "w", "r", {}, ())
KEY = Key("TG101", "a.yaml", "Trail")


def finding(
    verdict: Verdict, resource: str = "Trail", contexts: tuple[str, ...] = (), witness: dict[str, str] | None = None
) -> Finding:
    place = Place("a.yaml", Span(1, 1, 1, 2))
    return Finding(RULE, verdict, place, "trail", resource, "m", witness or {}, None, (), "f", contexts)


def report(*results: Finding, errors: tuple[FileError, ...] = (), notices: tuple[Notice, ...] = ()) -> Report:
    return Report("1", "all", (), results, errors, notices, {}, 1, 1, 1)


RANKS: tuple[Verdict, ...] = ("fail", "conditional", "unknown", "pass")


@pytest.mark.parametrize("before", RANKS)
@pytest.mark.parametrize("after", RANKS)
def test_a_milder_verdict_is_not_worse(before: Verdict, after: Verdict) -> None:
    proof = prove(report(finding(before)), report(finding(after)), [], ["a.yaml"])
    assert (KEY in proof.worse) is (RANKS.index(after) < RANKS.index(before))
    assert proof.holds is not proof.worse.__contains__(KEY)


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("not_applicable", "pass", False),
        ("not_applicable", "unknown", False),  # the rule comes to apply
        ("not_applicable", "fail", True),
        ("not_applicable", "conditional", True),
        ("pass", "not_applicable", False),
        ("fail", "not_applicable", False),
    ],
)
def test_rules_that_do_not_apply(before: Verdict, after: Verdict, worse: bool) -> None:
    assert bool(prove(report(finding(before)), report(finding(after)), [], ["a.yaml"]).worse) is worse


@pytest.mark.parametrize("verdict", ["fail", "conditional", "unknown", "not_applicable"])
def test_what_is_to_pass_must_pass_in_every_deployment(verdict: Verdict) -> None:
    before = report(finding("fail", contexts=("x", "y")))
    after = report(finding("pass", contexts=("x",)), finding(verdict, contexts=("y",)))
    assert prove(before, after, [KEY], ["a.yaml"]).unrepaired == {KEY}
    assert prove(before, report(finding("pass", contexts=("x", "y"))), [KEY], ["a.yaml"]).holds


def test_one_deployment_that_gets_worse_is_enough() -> None:
    before = report(finding("pass", contexts=("x", "y")))
    after = report(finding("pass", contexts=("x",)), finding("fail", contexts=("y",)))
    assert prove(before, after, [], ["a.yaml"]).worse == {KEY}


def test_fewer_values_that_break_it_are_better_and_more_are_worse() -> None:
    narrow, wide = finding("conditional", witness={"A": "1", "B": "2"}), finding("conditional", witness={"A": "1"})
    assert prove(report(wide), report(narrow), [], ["a.yaml"]).holds
    assert prove(report(narrow), report(wide), [], ["a.yaml"]).worse == {KEY}


def test_a_subject_that_is_gone_is_worse_where_it_was_judged() -> None:
    assert prove(report(finding("pass")), report(), [], ["a.yaml"]).worse == {KEY}
    assert prove(report(finding("unknown")), report(), [], ["a.yaml"]).holds  # it stood for what is found now
    assert prove(report(finding("pass")), report(), [], ["b.yaml"]).holds  # its file was not looked at


def test_a_new_subject_that_is_at_fault_is_worse() -> None:
    new = finding("fail", "Other")
    assert prove(report(finding("pass")), report(finding("pass"), new), [], ["a.yaml"]).worse == {
        Key("TG101", "a.yaml", "Other")
    }
    assert prove(report(finding("pass")), report(finding("pass"), finding("pass", "Other")), [], ["a.yaml"]).holds


def test_a_subject_that_was_there_all_along_is_revealed() -> None:
    before, after = report(finding("unknown")), report(finding("fail", "Bucket"))
    assert prove(before, after, [], ["a.yaml"], lambda key: key.resource != "Bucket").holds
    assert not prove(before, after, [], ["a.yaml"], lambda key: True).holds


def test_new_errors_and_notices_are_faults_wherever_their_lines_move() -> None:
    old = FileError("a.yaml", 3, 1, "bad on line 3")
    assert prove(report(errors=(old,)), report(errors=(old._replace(line=4, message="bad on line 4"),)), [], []).holds
    assert prove(report(errors=(old,)), report(errors=(old._replace(message="worse"),)), [], []).faults == {"a.yaml"}
    assert prove(report(), report(notices=(Notice("b.yaml", 1, "odd"),)), [], []).faults == {"b.yaml"}
