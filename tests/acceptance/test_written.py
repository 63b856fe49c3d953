"""Comments, Metadata and waivers: what they accept, until when, and what is told of those that accept nothing."""

from __future__ import annotations

import pytest

from trailguard.findings import FAIL, Finding, Notice, Suppression
from trailguard.judging.alone import judge_file
from trailguard.judging.results import Task
from trailguard.rulebook.shelf import load
from trailguard.scanning import scan
from trailguard.settings.settings import Settings, Waiver

TEMPLATE = """\
Resources:
  Trail:{header}
    Type: AWS::CloudTrail::Trail
{metadata}    Properties:
      S3BucketName: logs-of-mine
      IsLogging: true
      IncludeGlobalServiceEvents: true
{above}      IsMultiRegionTrail: false{beside}
"""


TODAY = "2026-06-01"


def judge(settings: Settings | None = None, **parts: str) -> tuple[list[Finding], tuple[Notice, ...]]:
    texts = {"header": "", "metadata": "", "above": "", "beside": "", **parts}
    settings = settings or Settings()
    rulebook = load(settings)
    rulebook = rulebook._replace(selected=(rulebook.rules["TG101"], rulebook.rules["TG103"]))
    result = judge_file("dir/t.yaml", TEMPLATE.format(**texts).encode(), Task(settings, rulebook, TODAY))
    assert result.errors == ()
    return list(result.findings), result.notices


def accepted(findings: list[Finding]) -> dict[str, Suppression | None]:
    assert {finding.verdict for finding in findings} == {FAIL}
    return {finding.rule.id: finding.suppressed for finding in findings}


def test_comment_on_the_line_accepts_the_named_rule_with_its_reason() -> None:
    findings, notices = judge(beside="  # trailguard: ignore[TG101] one Region is all we have")
    assert accepted(findings) == {"TG101": Suppression("comment", "one Region is all we have"), "TG103": None}
    assert notices == ()


def test_comment_above_accepts_and_may_use_the_name() -> None:
    findings, _ = judge(above="      # trailguard: ignore[multi-region] legacy\n")
    assert accepted(findings)["TG101"] == Suppression("comment", "legacy")


def test_comment_at_the_logical_id_accepts_what_is_missing() -> None:
    findings, _ = judge(header="  # trailguard: ignore[TG103, TG101] both")
    assert accepted(findings) == {"TG101": None, "TG103": Suppression("comment", "both")}


def test_comment_beside_a_value_does_not_reach_the_next_line() -> None:
    findings, notices = judge(header="  # trailguard: ignore[TG101] too far away")
    assert accepted(findings)["TG101"] is None
    assert [notice.message for notice in notices] == ["the suppression of TG101 suppresses nothing"]


@pytest.mark.parametrize(("date", "counts"), [("2026-06-01", True), ("2026-05-31", False), ("soon", False)])
def test_expiry_is_inclusive_and_a_date_that_cannot_be_read_is_past(date: str, counts: bool) -> None:
    findings, notices = judge(beside=f"  # trailguard: ignore[TG101] until then expires={date}")
    wanted = Suppression("comment", "until then", date) if counts else None
    assert accepted(findings)["TG101"] == wanted
    told = [] if counts else [f"the suppression of TG101 expired on {date}"]
    assert [notice.message for notice in notices] == told


def test_unknown_rule_in_a_comment_is_told() -> None:
    _, notices = judge(beside="  # trailguard: ignore[TG999] never heard of")
    assert notices == (Notice("dir/t.yaml", 8, 'the suppression names rule "TG999", which does not exist'),)


def test_metadata_accepts_wherever_the_finding_is() -> None:
    metadata = "    Metadata: {trailguard: {ignore: [{rule: TG101, reason: accepted, expires: '2027-01-31'}, TG103]}}\n"
    findings, notices = judge(metadata=metadata)
    assert accepted(findings) == {
        "TG101": Suppression("metadata", "accepted", "2027-01-31"),
        "TG103": Suppression("metadata", ""),
    }
    assert notices == ()


def waiver(**changes: str) -> Settings:
    fields = {"rule": "TG101", "file": "dir/*.yaml", "resource": "Trail", "reason": "agreed", "expires": "2026-12-31"}
    fields.update(changes)
    rule, file, resource, reason, expires = fields.values()
    return Settings(waivers=(Waiver(rule, file, resource, reason, expires, ".trailguard.yaml", 3),))


def test_waiver_accepts_by_rule_file_and_resource() -> None:
    findings, _ = judge(waiver())
    assert accepted(findings)["TG101"] == Suppression("waiver", "agreed", "2026-12-31")


@pytest.mark.parametrize(
    "changes", [{"rule": "TG103x"}, {"file": "other/*.yaml"}, {"resource": "Other"}, {"expires": "2026-05-31"}]
)
def test_waiver_that_does_not_fit_accepts_nothing(changes: dict[str, str]) -> None:
    findings, _ = judge(waiver(**changes))
    assert accepted(findings)["TG101"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": "TG999"}, 'the waiver names rule "TG999", which does not exist'),
        ({"expires": "2026-05-31"}, "the waiver of TG101 expired on 2026-05-31"),
        ({"resource": "Other"}, "the waiver of TG101 suppresses nothing"),
    ],
)
def test_idle_waivers_are_told(
    changes: dict[str, str], message: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("t.yaml", "w", encoding="utf-8") as stream:
        stream.write(TEMPLATE.format(header="", metadata="", above="", beside=""))
    report = scan(["t.yaml"], waiver(**{"file": "t.yaml", **changes}), on=TODAY)
    assert [(notice.file, notice.line, notice.message) for notice in report.notices] == [
        (".trailguard.yaml", 3, message)
    ]


def test_suppressed_findings_are_counted_apart(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("t.yaml", "w", encoding="utf-8") as stream:
        stream.write(TEMPLATE.format(header="", metadata="", above="", beside="  # trailguard: ignore[TG101] fine"))
    summary = scan(["t.yaml"], Settings(select=("TG101", "TG106"))).summary()
    assert (summary["suppressed"], summary["fail"], summary["pass"]) == (1, 0, 1)
