"""What a hook answers: the worst first, one annotation for each cause, and nothing that AWS would cut."""

from __future__ import annotations

import json

import pytest

from tests.hosts.hooking import event
from trailguard.errors import ConfigError
from trailguard.findings import (
    FileError,
    Finding,
    Notice,
    Place,
    Report,
    RuleInfo,
    Severity,
    Span,
    Suppression,
    Threshold,
    Verdict,
)
from trailguard.hosts.hook_answer import (
    LINK,
    MESSAGE,
    MESSAGE_OF_CONTROL,
    MOST_ANNOTATIONS,
    NAME,
    TEXT,
    Annotation,
    answer,
    cut,
    failure,
    fitting,
    said,
    success,
)
from trailguard.hosts.hook_event import HookError, read

STACK = read(event("stack"))
RESOURCE = read(event("resource"))
USUAL = Threshold()
LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


def rule(number: int, severity: Severity, page: str = "https://example.com/rule") -> RuleInfo:
    return RuleInfo(f"TG{number}", f"rule-{number}", "Title", severity, "Why.", "Do  this.", {}, ("§1", page))


def finding(
    number: int,
    verdict: Verdict = "fail",
    severity: Severity = "high",
    line: int = 3,
    file: str = STACK.name,
    **more: object,
) -> Finding:
    place = Place(file, Span(line, 1, line, 9))
    item = Finding(rule(number, severity), verdict, place, "trail", "Trail", f"M{number}", {}, None, (), f"f{number}")
    return item._replace(**more)  # type: ignore[arg-type]


def report(*results: Finding, threshold: Threshold = USUAL, errors: tuple[FileError, ...] = ()) -> Report:
    return Report("1", "default", (), results, errors, (), {}, 1, 1, 1, threshold=threshold)


def test_nothing_is_found() -> None:
    told = answer(STACK, report(finding(1, "pass"), finding(2, "not_applicable")))
    assert told == success(STACK.token, "trailguard: stack MyStack may be deployed, by the rules of default")
    assert told["callbackDelaySeconds"] == 0
    assert "errorCode" not in told


def test_nothing_is_there() -> None:
    told = answer(STACK, report()._replace(subjects=0), ["one thing", "another"])
    assert told["message"] == "trailguard: stack MyStack holds nothing that the rules are about; one thing; another"


def test_a_finding() -> None:
    told = answer(STACK, report(finding(101)))
    assert told == {
        "hookStatus": "FAILED",
        "errorCode": "NonCompliant",
        "message": "trailguard: 1 finding in stack MyStack: TG101 rule-101: line 3: M101",
        "clientRequestToken": STACK.token,
        "callbackDelaySeconds": 0,
        "annotations": [
            {
                "annotationName": "TG101 rule-101",
                "status": "FAILED",
                "statusMessage": "line 3: M101",
                "severityLevel": "HIGH",
                "remediationMessage": "Do this.",
                "remediationLink": "https://example.com/rule",
            }
        ],
    }


def test_the_worst_comes_first() -> None:
    found = [
        finding(1, "unknown", "critical"),
        finding(2, "conditional", "critical"),
        finding(3, "fail", "low"),
        finding(4, "fail", "critical", line=9),
        finding(5, "fail", "critical", line=2),
        finding(6, "fail", "info"),
    ]
    told = answer(STACK, report(*found, threshold=Threshold(fail_severity="low")))
    names = [item["annotationName"] for item in told["annotations"]]
    assert names == ["TG5 rule-5", "TG4 rule-4", "TG3 rule-3", "TG6 rule-6", "TG1 rule-1", "TG2 rule-2"]
    assert [item["status"] for item in told["annotations"]] == [*["FAILED"] * 4, "SKIPPED", "SKIPPED"]
    assert told["message"].startswith("trailguard: 3 findings in stack MyStack: TG5 ")
    assert told["message"].endswith("; 3 verdicts are open but no reason to fail")


@pytest.mark.parametrize(("severity", "level"), list(zip(SEVERITIES, LEVELS, strict=True)))
def test_severities(severity: Severity, level: str) -> None:
    (told,) = answer(STACK, report(finding(1, severity=severity)))["annotations"]
    assert told["severityLevel"] == level


@pytest.mark.parametrize("verdict", ["conditional", "unknown"])
def test_the_threshold_decides(verdict: Verdict) -> None:
    item = finding(1, verdict, reason="nobody knows.")
    mild = answer(STACK, report(item))
    assert (mild["hookStatus"], [one["status"] for one in mild["annotations"]]) == ("SUCCESS", ["SKIPPED"])
    assert mild["message"].endswith("; 1 verdict is open but no reason to fail")
    strict = answer(STACK, report(item, threshold=Threshold("unknown")))
    assert (strict["hookStatus"], strict["errorCode"]) == ("FAILED", "NonCompliant")
    (told,) = strict["annotations"]
    assert (told["status"], told["statusMessage"]) == ("FAILED", f"line 3: {verdict}: M1 (because nobody knows)")
    assert ("remediationMessage" in told) == (verdict != "unknown")


def test_one_cause_is_one_annotation() -> None:
    found = (finding(1, severity="low", cause="c"), finding(2, "unknown", "critical", cause="c"), finding(3))
    told = answer(STACK, report(*found))
    assert [item["annotationName"] for item in told["annotations"]] == ["TG1 rule-1", "TG3 rule-3"]
    assert told["annotations"][0]["statusMessage"] == "line 3: M1; leaves TG2 undecided"
    assert told["annotations"][0]["severityLevel"] == "CRITICAL"


def test_what_is_accepted_is_skipped() -> None:
    why = Suppression("waiver", "for now", "2030-01-01")
    told = answer(STACK, report(finding(1).accepted(why), finding(2).accepted(Suppression("baseline", ""))))
    assert told["hookStatus"] == "SUCCESS"
    assert [(item["status"], item["statusMessage"]) for item in told["annotations"]] == [
        ("SKIPPED", "accepted until 2030-01-01: for now; line 3: M1"),
        ("SKIPPED", "accepted: baseline; line 3: M2"),
    ]


def test_what_could_not_be_judged_fails() -> None:
    errors = (FileError(STACK.name, 4, 2, "duplicate key"), FileError("existing-1.yaml", 0, 0, "it is gone"))
    told = answer(STACK, report(errors=errors))
    assert (told["hookStatus"], told["errorCode"]) == ("FAILED", "InternalFailure")
    assert told["message"] == (
        "trailguard: stack MyStack could not be judged; line 4: duplicate key; existing-1.yaml: it is gone"
    )
    both = answer(STACK, report(finding(1), errors=errors))
    assert both["errorCode"] == "NonCompliant"
    assert both["message"].endswith("M1; line 4: duplicate key; existing-1.yaml: it is gone")


def test_notices_are_told_but_those_about_the_configuration() -> None:
    notices = (
        Notice(STACK.name, 7, "a suppression is of no use"),
        Notice("known", 0, "it is 40 days old"),
        Notice(".trailguard.yaml", 3, "a waiver fits no file"),
    )
    told = answer(STACK, report()._replace(notices=notices), ["first"], {".trailguard.yaml"})
    assert told["message"].endswith("; first; line 7: a suppression is of no use; known: it is 40 days old")


def test_places_elsewhere_are_named() -> None:
    (told,) = answer(STACK, report(finding(1, file="123456789012/eu-west-1/existing-1.yaml")))["annotations"]
    assert told["statusMessage"] == "123456789012/eu-west-1/existing-1.yaml:3: M1"
    (alone,) = answer(RESOURCE, report(finding(1, file=RESOURCE.name)))["annotations"]
    assert alone["statusMessage"] == "M1"


def test_nothing_is_longer_than_aws_takes() -> None:
    long = finding(1, message="m" * 99_999, rule=rule(1, "high")._replace(name="n" * 9_999, remedy="r" * 99_999))
    told = answer(STACK, report(long))
    (item,) = told["annotations"]
    assert (len(item["annotationName"]), len(item["statusMessage"]), len(item["remediationMessage"])) == (
        NAME,
        TEXT,
        TEXT,
    )
    assert len(told["message"]) == MESSAGE
    assert told["message"].endswith("n…")
    control = answer(RESOURCE._replace(stack_id=""), report(long))
    assert len(control["message"]) == MESSAGE_OF_CONTROL
    far = finding(1)._replace(rule=rule(1, "high", "https://example.com/" + "x" * LINK))
    assert "remediationLink" not in answer(STACK, report(far))["annotations"][0]


def test_nothing_steers_whoever_reads_it() -> None:
    told = answer(STACK, report(finding(1, message="a\nb\x1b[31m\u202e\ud800")))
    assert told["annotations"][0]["statusMessage"] == r"line 3: a\nb\x1b[31m\u202e\ud800"
    json.dumps(told).encode()


def test_annotations_fit_into_the_answer() -> None:
    many: list[Annotation] = [{"annotationName": str(number), "statusMessage": "x" * 100} for number in range(1000)]
    assert fitting(many[:MOST_ANNOTATIONS]) == many[:MOST_ANNOTATIONS]
    for most in (10_000, 1_000_000):
        some = fitting(many, most)
        assert len(json.dumps(some)) <= most + 300
        assert some[:-1] == many[: len(some) - 1]
        assert some[-1]["statusMessage"].startswith(f"{1000 - len(some) + 1} more that do not fit")
        assert len(some) == MOST_ANNOTATIONS or (most == 10_000 and len(some) > 50)


def test_a_failure_says_why() -> None:
    told = failure("t", ConfigError(".trailguard.yaml", 3, 1, "unknown key"))
    assert told["message"] == "trailguard could not judge this deployment: .trailguard.yaml:3:1: unknown key"
    assert (told["hookStatus"], told["errorCode"], told["clientRequestToken"]) == ("FAILED", "InternalFailure", "t")
    assert said(HookError("it is gone")) == "it is gone"
    assert said(KeyError("x")) == "internal error, please report it: KeyError: 'x'"
    assert len(failure("t", HookError("x" * 9_999))["message"]) == MESSAGE_OF_CONTROL


def test_texts_are_cut_to_the_letter() -> None:
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "ab…")
