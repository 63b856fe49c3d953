"""One cause is one finding in the reports for people: the worst leads, and names what else it breaks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import ROOT
from tests.reporters.samples import RULES, finding
from tests.reporters.test_reporters import EMPTY
from trailguard.findings import CONDITIONAL, FAIL, UNKNOWN, Finding, Report, Span, Suppression
from trailguard.reporters import github, html_report, json_report, markdown, text
from trailguard.reporters.common import also, by_cause
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

MULTI, VALIDATION, KMS, WRITE = RULES
FORMATS: dict[str, Callable[[Report], str]] = {
    "text": lambda report: text.render(report, width=200),
    "quiet": lambda report: text.render(report, verbosity=-1),
    "markdown": markdown.render,
    "github": lambda report: github.render(report, "/repo", "/repo"),
    "html": html_report.render,
}


def of_cause(rule: str, verdict: str = FAIL, cause: str = "c", **more: object) -> Finding:
    info = next(item for item in RULES if item.id == rule)
    return finding(info, verdict, cause=cause, causes=(cause,), message=f"message of {rule}", **more)  # type: ignore[arg-type]


def report(*results: Finding) -> Report:
    return EMPTY._replace(results=results, rules=RULES)


THREE = report(of_cause("TG103", UNKNOWN, reason="who knows"), of_cause("TG101"), of_cause("TG203"))


@pytest.mark.parametrize("name", FORMATS)
def test_the_worst_is_shown_and_names_the_others(name: str) -> None:
    written = FORMATS[name](THREE)
    assert "message of TG203" in written
    assert "message of TG101" not in written.replace("&#95;", "_")
    assert "breaks TG101; leaves TG103 undecided" in written


def test_json_keeps_each() -> None:
    written = json.loads(json_report.render(THREE))
    assert [(item["rule"], item["cause"]) for item in written["results"]] == [
        ("TG103", "c"),
        ("TG101", "c"),
        ("TG203", "c"),
    ]
    assert written["causes"] == 1
    assert [item["remedy"] is None for item in written["results"]] == [True, False, False]


@pytest.mark.parametrize("name", FORMATS)
def test_nobody_is_told_to_fix_what_nobody_saw(name: str) -> None:
    rule = MULTI._replace(remedy="Replace the flux capacitor.")
    unknown = finding(rule, UNKNOWN, reason="an export is missing")
    assert "flux" not in FORMATS[name](report(unknown))
    assert "an export is missing" in FORMATS[name](report(unknown))
    if name != "quiet":
        assert "flux" in FORMATS[name](report(unknown._replace(verdict=FAIL)))


def test_what_differs_is_said() -> None:
    first = of_cause("TG203", CONDITIONAL, witness={"A": "1"})
    others = (of_cause("TG101", CONDITIONAL, witness={"A": "2"}), of_cause("TG103", CONDITIONAL, witness={"A": "1"}))
    (shared,) = by_cause(report(first, *others, of_cause("TG108", resource="Other", verdict=CONDITIONAL)))
    assert also(shared) == "breaks TG101 when A = 2; breaks TG103, TG108 of Other"


def test_deployments_are_told_apart_and_what_is_accepted_is_left_out() -> None:
    here, there = of_cause("TG203", contexts=("dev",)), of_cause("TG101", contexts=("prod",))
    accepted = of_cause("TG103", suppressed=Suppression("comment", "so be it"))
    assert [shared.all for shared in by_cause(report(here, there, accepted))] == [(here,), (there,)]
    assert len(by_cause(report(finding(MULTI), finding(WRITE)))) == 2  # without a cause they share none


def test_what_has_several_causes_stands_with_each_of_them() -> None:
    both = finding(WRITE, message="both", cause="ab", causes=("a", "b"))
    first, second = of_cause("TG101", cause="a"), of_cause("TG103", cause="b")
    assert [shared.all for shared in by_cause(report(both, first, second))] == [(first, both), (second, both)]
    assert [shared.all for shared in by_cause(report(both, first))] == [(both,), (first,)]


def test_a_cause_is_an_error_when_any_of_its_findings_is() -> None:
    milder = of_cause("TG203", UNKNOWN)._replace(rule=WRITE)
    written = github.render(report(milder, of_cause("TG101")), "/repo", "/repo")
    assert written.startswith("::error ")


RESULTS = st.lists(
    st.builds(
        lambda rule, verdict, causes, line: finding(
            rule, verdict, Span(line, 1, line, 2), cause="+".join(sorted(causes)), causes=tuple(sorted(causes))
        ),
        st.sampled_from(RULES),
        st.sampled_from([FAIL, CONDITIONAL, UNKNOWN]),
        st.sets(st.sampled_from("abc"), max_size=2),
        st.integers(1, 3),
    ),
    max_size=8,
)


@given(RESULTS)
def test_no_finding_is_lost_and_none_is_shown_twice(results: list[Finding]) -> None:
    groups = by_cause(report(*results))
    assert {id(item) for item in results} >= {id(item) for group in groups for item in group.others}
    named = {(item.rule.id, item.verdict, item.place.span) for group in groups for item in group.all}
    assert named == {(item.rule.id, item.verdict, item.place.span) for item in results}
    leads = [group.lead.cause for group in groups if group.lead.cause]
    assert len(set(leads)) == len(leads)
    for group in groups:
        assert all(set(group.lead.causes) <= set(item.causes) for item in group.others)


TEMPLATES = {
    # One mistake, and the rules that stumble over it.
    "no policy": ("S3BucketName: !Ref Bucket, IsLogging: true", {"TG201", "TG202", "TG203"}),
    "a bucket that nobody makes": (
        "S3BucketName: elsewhere, IsLogging: true",
        {"TG105", "TG201", "TG202", "TG203", "TG204", "TG206", "TG301"},
    ),
    "IsLogging is missing": ("S3BucketName: elsewhere", {"TG106", "TG113"}),
}


@pytest.mark.parametrize(("properties", "rules"), TEMPLATES.values(), ids=TEMPLATES)
def test_one_mistake_is_one_cause(properties: str, rules: set[str], tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "trail.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(
            "Resources:\n  Bucket: {Type: AWS::S3::Bucket}\n  Trail:\n    Type: AWS::CloudTrail::Trail\n"
            f"    Properties: {{{properties}, IncludeGlobalServiceEvents: true}}\n"
        )
    groups = by_cause(scan([path], Settings()))
    assert rules in [{item.rule.id for item in group.all} for group in groups]


@pytest.mark.parametrize(
    ("template", "rules"),
    [
        ("TG201-bucket-policy-exists/fail/two-policies.yaml", {"TG201", "TG202"}),
        ("TG113-valid-combination/fail/multi-region-without-global-events.json", {"TG102", "TG113"}),
    ],
)
def test_mistakes_of_the_examples(template: str, rules: set[str]) -> None:
    path = ROOT / "rules" / template
    groups = by_cause(scan([str(path)], Settings()))
    assert any(rules <= {item.rule.id for item in group.all} for group in groups)


def test_a_macro_is_one_cause(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "trail.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("Transform: Ours\nResources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n")
    (group,) = by_cause(scan([path], Settings()))
    assert len(group.others) > 5
