"""Each format is recorded once, whole, in golden/; `python -m tests.reporters.record` writes the files anew."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from tests.reporters.samples import RULES, audited, finding, sample
from tests.reporters.schemas import CODE_QUALITY, JUNIT, REPORT, SARIF
from trailguard.findings import (
    FAIL,
    UNKNOWN,
    FileError,
    Finding,
    Notice,
    Place,
    Related,
    Report,
    RuleInfo,
    Span,
    Threshold,
    Unverified,
)
from trailguard.reporters import csv_report, github, gitlab, json_report, junit, markdown, ocsf, oscal, sarif, text
from trailguard.terminal import Style

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOLDEN = os.path.join(os.path.dirname(__file__), "golden")
FORMATS: dict[str, Callable[[Report], str]] = {
    "text-100.txt": lambda report: text.render(report, width=100),
    "text-40.txt": lambda report: text.render(report, width=40),
    "text-ascii.txt": lambda report: text.render(report, Style(unicode=False), 80),
    "text-colour.txt": lambda report: text.render(report, Style(colour=True), 80),
    "text-quiet.txt": lambda report: text.render(report, verbosity=-1),
    "text-verbose.txt": lambda report: text.render(report, verbosity=1),
    "report.json": json_report.render,
    "report.sarif": lambda report: sarif.render(report, "/repo", "/repo/infra"),
    "github.txt": lambda report: github.render(report, "/repo", "/repo/infra"),
    "gitlab.json": lambda report: gitlab.render(report, "/repo", "/repo/infra"),
    "junit.xml": junit.render,
    "report.md": markdown.render,
    "report.csv": csv_report.render,
    "oscal.json": oscal.render,
    "ocsf.json": ocsf.render,
}
SILENT = ("text-quiet.txt", "ocsf.json")  # where there is nothing, these say nothing
EMPTY = Report("1.2.3", "default", (), (), (), (), {}, 0, 0, 0)

HOSTILE = (
    "::error file=x::owned",
    "##[error]owned",
    "\x1b[31m\x9b31m\x07\x00\x7f",
    "]]><script>",
    "line\nbreak\r\n::warning::x",
    "bidi \u202e\u2066",
    "name\udcff\ud800",
    "100% a,b:c",
    "[link](1) \\",
    "\u2028 \u2029",
)


def recorded(name: str) -> Report:
    """The report that a format is recorded with."""
    return audited() if name in ("oscal.json", "ocsf.json") else sample()


@pytest.mark.parametrize("name", FORMATS)
def test_golden(name: str) -> None:
    with open(os.path.join(GOLDEN, name), encoding="utf-8", newline="") as stream:
        assert FORMATS[name](recorded(name)) == stream.read()


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_report(name: str) -> None:
    assert FORMATS[name](EMPTY).endswith("\n") or name in SILENT


@pytest.mark.parametrize("name", FORMATS)
def test_notices_are_in_every_format(name: str) -> None:
    written = FORMATS[name](EMPTY._replace(notices=(Notice("a.yaml", 3, "rather remarkable"),)))
    assert re.search(r"rather\s+remarkable", written)


def hostile(value: str) -> Report:
    item = finding(
        RULES[0]._replace(name=value, title=value, remedy=value, references=(value,), controls={value: (value,)}),
        UNKNOWN,
        Span(1, 1, 1, 4),
        file=value,
        resource=value,
        message=value,
        reason=value,
        witness={value: value},
        contexts=(value,),
        subject_file=value,
        construct=value,
        path=("Resources", value, 0),
        related=(Related(value, Span(1, 2, 1, 3), value),),
    )
    return sample()._replace(
        rules=(RULES[0]._replace(name=value, why=value, remedy=value, controls={value: (value,)}),),
        results=(item, item._replace(verdict=FAIL)),
        errors=(FileError(value, 1, 1, value),),
        notices=(Notice(value, 1, value),),
        sources={value: (value.replace("\n", " ").replace("\r", " "),)},
        ignored=((value, value),),
        profile=value,
        how=((value, value),),
    )


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text-colour.txt"])
def test_nothing_of_a_template_steers_terminal_or_runner(name: str, value: str) -> None:
    written = FORMATS[name](hostile(value))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", written)
    written.encode()
    for line in written.splitlines():
        if name == "github.txt" and line.startswith("::"):
            assert re.fullmatch(r"::(error|warning|notice) (\w+=[^:,]*,?)+::.*", line)
        elif not name.endswith((".json", ".sarif")):
            assert not line.lstrip().startswith("::"), line
            assert "##[" not in line


@pytest.mark.parametrize("report", [sample(), EMPTY, *map(hostile, HOSTILE)])
def test_json_and_sarif_keep_to_their_schemas(report: Report) -> None:
    jsonschema.Draft202012Validator(REPORT).validate(json.loads(json_report.render(report)))
    jsonschema.Draft202012Validator(SARIF).validate(json.loads(sarif.render(report, "/repo", "/repo")))
    issues = json.loads(gitlab.render(report, "/repo", "/repo"))
    jsonschema.Draft202012Validator(CODE_QUALITY).validate(issues)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_json_has_every_field_of_a_result() -> None:
    written = json.loads(json_report.render(sample()))
    assert written["results"][0]["witness"] == {"MultiRegion": "false"}
    about = (
        (set(RuleInfo._fields) - {"id", "why", "tool", "changed"}) | (set(Place._fields) - {"span"}) | set(Span._fields)
    )
    every = (set(Finding._fields) - {"place", "blocks"}) | about
    assert set(written["results"][0]) == every - {"deployed"}, "no stack is known"
    known = sample()._replace(results=(finding(deployed=("111122223333/eu-west-1/audit",)),))
    assert set(json.loads(json_report.render(known))["results"][0]) == every
    assert written["summary"] == sample().summary()


def test_controls_that_rest_on_one_mapping_alone_are_marked() -> None:
    loose = Unverified("https://example.com/m", "2026-11-29", {"hipaa": ("b",), "soc2": ("c",)})
    rule = RULES[0]._replace(controls={"hipaa": ("a", "b"), "soc2": ("c",)}, unverified=loose)
    item = sample().results[0]._replace(rule=rule)
    report = EMPTY._replace(rules=(rule,), results=(item,))
    written = json.loads(json_report.render(report))
    jsonschema.validate(written, REPORT)
    marked = {"source": "https://example.com/m", "date": "2026-11-29", "controls": {"hipaa": ["b"], "soc2": ["c"]}}
    assert written["rules"][0]["unverified"] == marked
    assert written["results"][0]["unverified"] == marked["controls"]
    assert written["results"][0]["controls"] == {"hipaa": ["a", "b"], "soc2": ["c"]}
    (row,) = csv.DictReader(io.StringIO(csv_report.render(report)))
    assert row["controls"] == "hipaa a; hipaa b (unverified); soc2 c (unverified)"
    (driven,) = run(report)["tool"]["driver"]["rules"]
    assert driven["properties"]["unverified"] == ["hipaa/b", "soc2/c"]


def test_no_line_of_prose_is_wider_than_the_terminal() -> None:
    for width in (24, 40, 60, 100):
        for line in text.render(sample(), width=width, verbosity=1).splitlines():
            assert len(line) <= width or "https://" in line or re.search(r"yaml:\d|  TG\d", line), line


def run(report: Report, root: str = "/repo", cwd: str = "/repo") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sarif.render(report, root, cwd))["runs"][0]
    return found


@pytest.mark.parametrize(
    ("file", "cwd", "expected"),
    [
        ("a/b.yaml", "/repo", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("../b.yaml", "/repo/a", {"uri": "b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("ü x#?%.yaml", "/repo/a", {"uri": "a/%C3%BC%20x%23%3F%25.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/elsewhere/b c.yaml", "/repo", {"uri": "file:///elsewhere/b%20c.yaml"}),
        ("\udcff.yaml", "/repo", {"uri": "%FF.yaml", "uriBaseId": "%SRCROOT%"}),
        ("<stdin>", "/repo", {"uri": "%3Cstdin%3E", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_sarif_addresses(file: str, cwd: str, expected: dict[str, str]) -> None:
    made = run(EMPTY._replace(results=(finding(file=file),)), cwd=cwd)
    assert made["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == expected


@pytest.mark.skipif("TRAILGUARD_SARIF_MULTITOOL" not in os.environ, reason="names Microsoft's Sarif.Multitool")
@pytest.mark.parametrize("report", [sample(), EMPTY, *map(hostile, HOSTILE)])
def test_the_validator_of_sarif_accepts_it(report: Report, tmp_path: Path) -> None:
    """The schema of the standard and what GitHub asks for; the program is on npm as @microsoft/sarif-multitool."""
    (tmp_path / "report.sarif").write_text(sarif.render(report, "/repo", "/repo"), encoding="utf-8")
    command = [os.environ["TRAILGUARD_SARIF_MULTITOOL"], "validate", "report.sarif", "--rule-kind", "Sarif;Ghas"]
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    told = re.findall(r"(?:error|warning) (\w+):", done.stdout)
    assert "Analysis completed successfully" in done.stdout
    assert set(told) <= {"SARIF2005"}, done.stdout  # trailguard has no page of its own to name


def test_sarif_keeps_what_is_accepted_where_it_is_asked_for() -> None:
    made: dict[str, Any] = json.loads(sarif.render(sample(), "/repo", "/repo", suppressed=True))
    jsonschema.Draft202012Validator(SARIF).validate(made)
    told = [item["suppressions"] for item in made["runs"][0]["results"] if "suppressions" in item]
    reason = "waiver: moved to the archive account in spring (until 2027-03-31)"
    assert told == [[{"kind": "external", "status": "accepted", "justification": reason}]]


def test_sarif_tags_name_every_framework() -> None:
    controls = {f"framework-{number}": tuple(f"c{item}" for item in range(9)) for number in range(12)}
    rule = RULES[0]._replace(controls=controls)
    (made,) = run(EMPTY._replace(rules=(rule,)))["tool"]["driver"]["rules"]
    tags = made["properties"]["tags"]
    assert len(tags) == sarif.TAGS
    assert set(controls) <= set(tags)
    assert tags[-1] == "framework-6/c0"
    assert made["properties"]["controls"] == {name: list(items) for name, items in controls.items()}


def test_sarif_names_the_home_of_the_project() -> None:
    with open(os.path.join(os.path.dirname(GOLDEN), os.pardir, os.pardir, "pyproject.toml"), encoding="utf-8") as file:
        assert f'Repository = "{run(EMPTY)["tool"]["driver"]["informationUri"]}"' in file.read()


def test_sarif_leaves_suppressed_results_out_and_tells_of_errors() -> None:
    made = run(sample())
    assert [item["ruleId"] for item in made["results"]] == ["TG101", "TG103", "TG108", "TG203"]
    assert [item["level"] for item in made["results"]] == ["warning", "error", "warning", "error"]
    assert made["invocations"][0]["executionSuccessful"] is False
    assert all(made["tool"]["driver"]["rules"][item["ruleIndex"]]["id"] == item["ruleId"] for item in made["results"])
    assert run(EMPTY)["invocations"] == [{"executionSuccessful": True}]


def test_github_keeps_to_ten_of_a_kind() -> None:
    many = tuple(
        finding(RULES[index % 4], FAIL, Span(number + 1, 1, number + 1, 2), message=f"m{number}")
        for number, index in enumerate(range(60))
    )
    only_low = Threshold(fail_severity="high")
    written = github.render(EMPTY._replace(results=many, threshold=only_low), "/repo", "/repo").splitlines()
    kinds = [line[2 : line.index(" ")] for line in written if line.startswith("::")]
    assert {kind: kinds.count(kind) for kind in kinds} == {"error": 10, "warning": 10, "notice": 1}
    assert "::notice title=trailguard::40 more are in the log of this step: GitHub shows 10 of a kind" in written
    assert sum(line.startswith(("error: ", "warning: ", "notice: ")) for line in written) == 40
    assert "TG203" in written[0]  # the worst ones are shown


def test_gitlab_names_files_from_the_root_and_grades() -> None:
    issues = json.loads(gitlab.render(sample(), "/repo", "/repo/infra"))
    assert [(issue["check_name"], issue["severity"], issue["location"]["path"]) for issue in issues] == [
        ("trailguard", "blocker", "infra/broken.yaml"),
        ("trailguard", "blocker", "infra/gone.yaml"),
        ("TG101", "minor", "infra/templates/trail.yaml"),
        ("TG103", "major", "infra/templates/trail.yaml"),
        ("TG108", "info", "infra/templates/trail.yaml"),
        ("TG203", "blocker", "infra/templates/trail.yaml"),
        ("trailguard", "info", "infra/templates/trail.yaml"),
    ]
    assert issues[1]["location"]["lines"]["begin"] == 1  # no line is known, GitLab wants one
    assert gitlab.render(EMPTY, "/repo", "/repo") == "[]\n"


@pytest.mark.parametrize("report", [sample(), EMPTY, *map(hostile, HOSTILE)])
def test_junit_counts_what_it_holds_and_names_no_case_twice(report: Report) -> None:
    root = ET.fromstring(junit.render(report))
    assert root.tag == "testsuites"
    for element in [root, *root]:
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(attribute) == str(len(list(element.iter(tag)))), attribute
    cases = list(root.iter("testcase"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    assert all(len(case) <= 1 for case in cases)
    assert len(cases) == len(report.results) + len(report.errors) + len(report.notices)


@pytest.mark.parametrize("report", [sample(), EMPTY, *map(hostile, HOSTILE)])
def test_junit_holds_what_servers_read(report: Report) -> None:
    root = ET.fromstring(junit.render(report))
    assert root.tag == "testsuites"
    for element in root.iter():
        kind = JUNIT[element.tag]
        assert set(kind.required.split()) <= set(element.keys()) <= {*kind.required.split(), *kind.optional.split()}
        assert {child.tag for child in element} <= set(kind.children.split())
        assert kind.text or not (element.text or "").strip()
        counts = [
            value for name, value in element.items() if name in ("tests", "failures", "errors", "skipped", "line")
        ]
        assert all(count.isdecimal() for count in counts)


def test_junit_tells_verdicts_apart() -> None:
    cases = ET.fromstring(junit.render(sample())).iter("testcase")
    told = {case.get("name", "").split(":")[0]: [child.tag for child in case] for case in cases}
    assert told["TG101 multi-region"] in ([], ["failure"])
    assert told["TG203 log-write-allowed"] == ["failure"]
    assert told["can be judged at 4"] == ["error"]
    skipped = [item.get("message") for item in ET.fromstring(junit.render(sample())).iter("skipped")]
    assert "not applicable: no key in these templates" in skipped
    assert "accepted until 2027-03-31: moved to the archive account in spring" in skipped


@pytest.mark.parametrize("value", [*HOSTILE, "=1+1", "@x", 'a,b"c'])
def test_csv_reads_back(value: str) -> None:
    report = hostile(value)
    rows = list(csv.DictReader(io.StringIO(csv_report.render(report))))
    assert [row["verdict"] for row in rows] == ["unknown", "fail", "error", "notice"]
    assert all(set(row) == set(csv_report.COLUMNS) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_csv_has_every_result() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_report.render(sample()))))
    assert [(row["rule"], row["verdict"], row["line"]) for row in rows] == [
        *((item.rule.id, item.verdict, str(item.place.span.line)) for item in sample().results),
        ("", "error", "4"),
        ("", "error", ""),
        ("", "notice", "5"),
    ]
    assert rows[0]["controls"] == "cis-aws-5.0 3.1; aws-fsbp CloudTrail.1"


@pytest.mark.parametrize("value", [*HOSTILE, "a|b", "<b>", "`x`", "**x**", "![x](y)", "$x$", "@team", "<!-- -->"])
def test_markdown_takes_text_as_it_is(value: str) -> None:
    written = markdown.render(hostile(value))
    for row in (line for line in written.splitlines() if line.startswith("|")):
        inner = re.sub(r"&#\d+;|<br>", "", row)
        assert not re.search(r"[<>`*_\[\]$@\\]", inner), row
        assert inner.count("|") in (3, 6)


def test_markdown_leaves_out_what_nobody_reads() -> None:
    many = tuple(finding(RULES[1], FAIL, Span(number, 1, number, 2)) for number in range(1, markdown.MOST + 4))
    written = markdown.render(EMPTY._replace(results=many))
    assert written.count("\n| ❌") == markdown.MOST
    assert "3 more findings are left out here." in written
