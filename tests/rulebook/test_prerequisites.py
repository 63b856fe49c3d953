"""No framework is met by a trail that does not record, or whose logs never arrive.

What breaks recording or delivery is taken from the `fail/` examples of the rules about it; which rules these are is
written here again, from the requirement.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests import ROOT
from trailguard import Settings, scan
from trailguard.findings import CONDITIONAL, FAIL, ControlInfo, FrameworkInfo, Report
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.reporters.standing import MET, NOT_JUDGED, NOT_MET, UNDECIDED, Standing, standing, standings
from trailguard.rulebook.frameworks import behind, load_frameworks
from trailguard.rulebook.shelf import load, prerequisites

PREREQUISITES = (
    "TG104", "TG106", "TG107", "TG113", "TG201", "TG202", "TG203", "TG204", "TG206", "TG207", "TG208", "TG209", "TG212",
)  # fmt: skip
IMPLYING = {"TG101", "TG106", "TG107"}
BREAKING = sorted({*IMPLYING, *PREREQUISITES})
BOOK = load(Settings(profile="all"))
FRAMEWORKS = load_frameworks(Settings(), BOOK)
INFOS = behind(BOOK, Settings())
# What breaks them is judged by itself: no other rule helps to break a control.
NARROW = Settings(select=tuple(BREAKING))
TASK = Task(NARROW, load(NARROW))
EMPTY = scan([], NARROW)
EVERYTHING = str(ROOT / "examples" / "compliant" / "everything.yaml")


def states(framework: FrameworkInfo, report: Report) -> dict[str, Standing]:
    return {control.id: item for control, item in standings(framework, report)}


def test_they_are_written_once_and_implied_by_what_rests_on_the_trail() -> None:
    assert prerequisites().rules == PREREQUISITES
    assert set(prerequisites().implied_by) == IMPLYING
    assert {name for name, item in FRAMEWORKS.items() if item.prerequisites} == set(FRAMEWORKS)
    assert {item.name for item in INFOS} == set(FRAMEWORKS)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_profile_is_the_rules_that_name_the_framework_and_the_prerequisites(name: str) -> None:
    named = {rule.id for rule in BOOK.selected if name in rule.controls}
    assert named & IMPLYING
    assert load(Settings(profile=name)).profiles[name] == tuple(sorted(named.union(PREREQUISITES)))


@pytest.mark.slow
@pytest.mark.parametrize("rule", BREAKING)
def test_what_breaks_recording_or_delivery_breaks_a_control_of_every_framework(rule: str) -> None:
    broken = 0
    for path in map(Path, BOOK.rules[rule].examples("fail")):
        findings = judge_file(path.name, path.read_bytes(), TASK).findings
        if not any(item.rule.id == rule and item.verdict in (FAIL, CONDITIONAL) for item in findings):
            continue
        broken += 1
        report = EMPTY._replace(results=tuple(findings))
        for framework in INFOS:
            assert any(item.state == NOT_MET for item in states(framework, report).values()), (path, framework.name)
    assert broken


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize("rule", ["TG106", "TG107", "TG201", "TG203", "TG204"])
def test_a_framework_s_own_profile_sees_it(name: str, rule: str) -> None:
    """With nothing but `--profile NAME`: the scan fails, and what rests on the trail is not met."""
    path = BOOK.rules[rule].plainest("fail")
    assert path is not None
    report = scan([path], Settings(profile=name), evidence=True)
    assert report.status() == 1
    first = report.frameworks[0]
    assert (first.name, first.asked) == (name, True)
    about = [control for control in first.controls if control.prerequisites]
    assert about
    for control in about:
        assert states(first, report)[control.id].state == NOT_MET, control.id


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_trail_that_is_whole_breaks_none(name: str) -> None:
    report = scan([EVERYTHING], Settings(profile=name), evidence=True)
    found = states(report.frameworks[0], report)
    assert {item.state for item in found.values()}.isdisjoint({NOT_MET, UNDECIDED})
    assert any(item.state == MET for item in found.values())


def test_a_control_about_the_bucket_alone_does_not_rest_on_the_trail() -> None:
    path = BOOK.rules["TG106"].plainest("fail")
    assert path is not None
    report = scan([path], Settings(profile="aws-fsbp"), evidence=True)
    found = states(report.frameworks[0], report)
    assert found["S3.2"].state != NOT_MET
    assert found["CloudTrail.1"].reasons[-1] == ("prerequisite broken", ("TG106",))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"A": "pass", "P": "pass"}, (MET, (("kept", ("A",)),))),
        ({"A": "pass", "P": "not_applicable"}, (MET, (("kept", ("A",)),))),
        ({"A": "pass", "P": "fail"}, (NOT_MET, (("prerequisite broken", ("P",)),))),
        ({"A": "fail", "P": "fail"}, (NOT_MET, (("broken", ("A",)), ("prerequisite broken", ("P",))))),
        ({"A": "pass", "P": "unknown"}, (UNDECIDED, (("prerequisite unknown", ("P",)),))),
        ({"A": "unknown", "P": "fail"}, (NOT_MET, (("prerequisite broken", ("P",)),))),
        ({"A": "pass"}, (NOT_JUDGED, (("not selected", ("P",)),))),
        ({"A": "not_applicable", "P": "pass"}, (NOT_JUDGED, (("nothing here is a subject of", ("A",)),))),
        (
            {"A": "pass", "P": "conditional"},
            (NOT_MET, (("prerequisite conditional, kept for some parameter values only", ("P",)),)),
        ),
        ({"A": "pass", "P": "suppressed"}, ("not met, accepted", (("prerequisite broken, and accepted", ("P",)),))),
    ],
)
def test_the_state_of_a_control_with_a_prerequisite(told: dict[str, str], expected: tuple[str, object]) -> None:
    control = ControlInfo("1", "title", None, ("A",), (), ("P",))
    assert standing(control, {rule: Counter([verdict]) for rule, verdict in told.items()}) == expected
