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


@pytest.mark.parametrize(("date", "counts"), [("2026-06-01", True), ("2026-05-31", False)])
def test_expiry_is_inclusive(date: str, counts: bool) -> None:
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
    told = "the suppression of TG103 gives no reason; write {rule: TG103, reason: the reason}"
    assert notices == (Notice("dir/t.yaml", 4, told),)


IDLE = "suppresses nothing"


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# trailguard ignore TG101", f"this comment {IDLE}; did you mean `# trailguard: ignore[TG101] the reason`?"),
        ("# trailguard: ignore TG101 x", f"this comment {IDLE}"),
        ("# trailguard: ignore [TG101] x", f"this comment {IDLE}"),
        ("# trailguard: ignore(TG101) x", f"this comment {IDLE}"),
        ("# trailguard: ignore[TG101 x", f"this comment {IDLE}"),
        ("# trailguard: ignroe[TG101] x", f"this comment {IDLE}"),
        ("# trailguard: disable=TG101", f"this comment {IDLE}"),
        ("# trailguard: TG101", f"this comment {IDLE}"),
        ("# trailgaurd: ignore[TG101] x", f"this comment {IDLE}"),
        ("# trail-guard: ignore[TG101] x", f"this comment {IDLE}"),
        ("# trailguards: ignore[TG101] x", f"this comment {IDLE}"),
        ("# Trailguard: Ignore[TG101] x", f"this comment {IDLE}"),
        ("# trailguard - ignore[TG101] x", None),
        ("# trailguard: ignore[] x", f"the suppression names no rule and {IDLE}; write `# trailguard: ignore[TG101]"),
        ("# trailguard: ignore[ , ] x", "the suppression names no rule"),
        ("# trailguard: ignore[TG011] x", 'the suppression names rule "TG011", which does not exist; did you mean "TG'),
        (
            "# trailguard: ignore[TG101] x expires=soon",
            f"the suppression of TG101 {IDLE}: `expires=soon` is not a date",
        ),
        (
            "# trailguard: ignore[TG101] x expires=2026-02-30",
            f"the suppression of TG101 {IDLE}: `expires=2026-02-30` is",
        ),
        ("# trailguard: ignore[TG101] x expires=", f"the suppression of TG101 {IDLE}: `expires=` is not a date"),
        (
            "# trailguard: ignore[TG101] x expires: 2027-01-31",
            "the suppression of TG101 suppresses nothing: `expires: 20",
        ),
        ("# trailguard: ignore[TG101] x until 2027-01-31", "the suppression of TG101 suppresses nothing: `until 2027"),
        ("# the trailguard scan ignores this stack: it is old", None),
        ("# trailguard ignores what is below", None),
        ("# see the trailguard documentation", None),
        ("# safeguard: ignore the bucket", None),
    ],
)
def test_what_is_meant_as_a_suppression_is_reported_with_the_right_form(comment: str, message: str | None) -> None:
    findings, notices = judge(beside=f"  {comment}")
    assert accepted(findings)["TG101"] is None
    told = [notice.message for notice in notices]
    assert [(notice.file, notice.line) for notice in notices] == ([("dir/t.yaml", 8)] if message else [])
    assert len(told) == (message is not None)
    assert all(message is not None and one.startswith(message) for one in told)


@pytest.mark.parametrize("rest", ["", "  ", " expires=2027-01-31"])
def test_a_suppression_without_a_reason_counts_and_is_reported(rest: str) -> None:
    findings, notices = judge(beside=f"  # trailguard: ignore[TG101]{rest}")
    assert accepted(findings)["TG101"] is not None
    told = "the suppression of TG101 gives no reason; write it after the bracket"
    assert [notice.message for notice in notices] == [told]


@pytest.mark.parametrize(
    "above",
    [
        "      EventSelectors:\n        - '# trailguard: ignore[TG101] a'\n",
        '      TrailName: "\n        # trailguard: ignore[TG101] b"\n',
        "      TrailName: |\n        # trailguard: ignore[TG101] c\n",
        "      TrailName: >-\n        text\n        # trailguard: ignore[TG101] d\n",
        "      TrailName: a#\\\n",
    ],
)
def test_what_looks_like_a_comment_inside_a_text_is_none(above: str) -> None:
    findings, notices = judge(above=above)
    assert accepted(findings)["TG101"] is None
    assert notices == ()


def test_a_comment_behind_the_sign_of_a_block_or_after_it_is_one() -> None:
    _, notices = judge(above="      TrailName: |  # trailguard: ignore[TG999] a\n        text\n")
    assert [notice.line for notice in notices] == [8]
    findings, notices = judge(above="      TrailName: |\n        text\n      # trailguard: ignore[TG101] b\n")
    assert accepted(findings)["TG101"] == Suppression("comment", "b")
    assert notices == ()


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("{trailguard: {ignor: [TG101]}}", 'unknown key "ignor" in Metadata for trailguard; did you mean "ignore"?'),
        ("{trailguard: [TG101]}", f"this Metadata {IDLE}; write {{trailguard: {{ignore: [{{rule: TG101, reason"),
        ("{trailguard: {ignore: TG101}}", f"ignore must be a list, and {IDLE}"),
        ("{trailguard: {ignore: [{reason: x}]}}", f"the suppression names no rule and {IDLE}"),
        ("{trailguard: {ignore: [[TG101]]}}", f"the suppression names no rule and {IDLE}"),
        ("{trailguard: {ignore: [{rule: TG101, reason: x, expires: soon}]}}", f"the suppression of TG101 {IDLE}: "),
        ("{trailguard: {ignore: [{rule: TG101, reason: x, expires: !Ref D}]}}", f"the suppression of TG101 {IDLE}: "),
        ("{trailgaurd: {ignore: [{rule: TG101, reason: x}]}}", '"trailgaurd" in Metadata suppresses nothing; did you'),
        ("{Trailguard: {ignore: [{rule: TG101, reason: x}]}}", '"Trailguard" in Metadata suppresses nothing; did you'),
    ],
)
def test_metadata_that_cannot_be_used_is_reported_with_the_right_form(metadata: str, message: str) -> None:
    findings, notices = judge(metadata=f"    Metadata: {metadata}\n")
    assert accepted(findings)["TG101"] is None
    assert [(notice.file, notice.line) for notice in notices] == [("dir/t.yaml", 4)]
    assert notices[0].message.startswith(message)


def test_an_unknown_key_beside_a_good_suppression_is_reported() -> None:
    findings, notices = judge(metadata="    Metadata: {trailguard: {ignore: [{rule: TG101, reason: x, until: y}]}}\n")
    assert accepted(findings)["TG101"] == Suppression("metadata", "x")
    assert [notice.message for notice in notices] == [
        'unknown key "until" in Metadata for trailguard; known are rule, reason, expires'
    ]


def test_a_suppression_of_a_rule_that_is_not_applied_is_not_idle() -> None:
    _, notices = judge(beside="  # trailguard: ignore[TG104] it is not asked here")
    assert notices == ()


BUCKET = """\
Resources:
  Trail:{comment}
    Type: AWS::S3::Bucket{beside}
    Metadata: {metadata}
    DeletionPolicy: Retain
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties: {{Bucket: !Ref Trail, PolicyDocument: {{Statement: []}}}}
Outputs:
  Name: {{Value: !Ref Trail, Export: {{Name: logs}}}}
"""
IMPORTS = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, IsMultiRegionTrail: false, S3BucketName: !ImportValue logs}
"""


def in_two_files(bucket: dict[str, str], imports: str = IMPORTS) -> tuple[dict[str, Finding], list[tuple[str, str]]]:
    with open("bucket.yaml", "w", encoding="utf-8") as stream:
        stream.write(BUCKET.format(**{"comment": "", "metadata": "{}", "beside": "", **bucket}))
    with open("trail.yaml", "w", encoding="utf-8") as stream:
        stream.write(imports)
    report = scan(["."], Settings(select=("TG101", "TG202")), on=TODAY)
    found = {item.rule.id: item for item in report.results}
    return found, [(notice.file, notice.message) for notice in report.notices]


@pytest.mark.parametrize(
    "parts",
    [
        {"metadata": "{trailguard: {ignore: [{rule: TG101, reason: not of the trail}]}}"},
        {"beside": "  # trailguard: ignore[TG101] on the line of the finding\n    # and more"},
        {"beside": "\n    # trailguard: ignore[TG101] above it"},
    ],
)
def test_what_is_written_in_one_file_accepts_nothing_in_another(
    parts: dict[str, str], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    found, notices = in_two_files(
        parts, IMPORTS.replace("  Trail:", "\n  Trail:") if "on the" in str(parts) else IMPORTS
    )
    assert found["TG101"].place.file == "trail.yaml"
    assert found["TG101"].suppressed is None
    assert notices == [("bucket.yaml", "the suppression of TG101 suppresses nothing")]


@pytest.mark.parametrize("where", ["bucket", "trail"])
def test_metadata_of_the_subject_or_of_what_is_at_fault_accepts_across_files(
    where: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    accepting = "{trailguard: {ignore: [{rule: TG202, reason: known}]}}"
    bucket = {"metadata": accepting} if where == "bucket" else {}
    trail = IMPORTS if where == "bucket" else IMPORTS + f"    Metadata: {accepting}\n"
    found, notices = in_two_files(bucket, trail)
    assert (found["TG202"].home, found["TG202"].place.file) == ("trail.yaml", "bucket.yaml")
    expected = found["TG202"].place.path[1] == "Trail" or where == "trail"
    assert (found["TG202"].suppressed == Suppression("metadata", "known")) is expected
    assert (notices == []) is expected


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
