"""The rules inside the real cfn-lint: what it tells is what a scan tells, and nothing passes in silence."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.hosts.running import FOLDER, TRAIL, Done, Everywhere, attention, cfn_lint, run

pytestmark = pytest.mark.hosts

MODULE = ("-a", "trailguard.hosts.cfn_lint")


def told(done: Done) -> list[tuple[str, str, int, int]]:
    """Ours: id, file, line, column."""
    found = []
    for item in json.loads(done.out):
        start, name = item["Location"]["Start"], item["Rule"]["Id"]
        if name[1:].startswith("TG"):
            found.append((name, item["Filename"] or "", start["LineNumber"], start["ColumnNumber"]))
    return sorted(found)


def place(item: dict[str, Any]) -> tuple[str, int, int, str]:
    start = item["Location"]["Start"]
    return item["Filename"], start["LineNumber"], start["ColumnNumber"], item["Rule"]["Id"][1:]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trail.yaml").write_text(TRAIL, encoding="utf-8")
    return tmp_path


def test_it_finds_what_a_scan_finds_in_every_example_and_rule_folder(
    everywhere: Everywhere, linted: list[dict[str, Any]]
) -> None:
    matches = [item for item in linted if is_ours(item)]
    found = everywhere.found
    assert len(found) > 20_000
    assert {place(item) for item in matches} == {
        (item.place.file, item.place.span.line, item.place.span.column, item.rule.id) for item in found
    }
    counting = {(item.place.file, item.place.span.line, item.rule.id) for item in found if item.verdict == "fail"}
    assert counting == {place(item)[:2] + place(item)[3:] for item in matches if item["Level"] == "Error"}
    alone = {item.message for item in found if item.verdict == "fail" and not item.contexts and not item.subject_file}
    assert {item["Message"] for item in matches} >= alone


def is_ours(item: dict[str, Any]) -> bool:
    return bool(item["Rule"]["Id"][1:].startswith("TG"))


# Templates that cfn-lint refuses on purpose: the file's glob, the ids of cfn-lint's complaints, and the reason.
REFUSED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("examples/broken/misspelt-key-property.yaml", ("E3002",), "the misspelt property is the fault"),
    ("examples/broken/two-bucket-policies.yaml", ("E3019",), "the second policy is the fault"),
    ("rules/*/fail/fn-sub-missing*.yaml", ("E1029",), "the missing Fn::Sub is the fault"),
    ("rules/TG201-*/fail/second-policy-by-parameter.yaml", ("E3019",), "the second policy is the fault"),
    ("rules/TG201-*/fail/two-policies.yaml", ("E3019",), "the second policy is the fault"),
    ("rules/TG113-*/fail/aggregation-of-management-events.yaml", ("E3030",), "the category is the fault"),
    ("rules/TG113-*/fail/attribute-among-properties.yaml", ("E3002",), "the attribute is the fault"),
    ("rules/TG207-*/fail/statement-without-resource.yaml", ("E3512",), "the missing element is the fault"),
    (
        "rules/TG207-*/fail/alias-without-sub.yaml",
        ("E1029", "E1157", "E1162", "E1164", "E3017"),
        "the missing function is the fault",
    ),
    ("rules/TG207-*/fail/refused-policy.yaml", ("E3512",), "the misspelt element is the fault"),
    ("rules/TG208-*/fail/refused-policy-of-the-role.yaml", ("E3510",), "the principal is the fault"),
    ("rules/TG207-*/fail/key-name.yaml", ("E1157", "E1162", "E1164", "E3017"), "the name is the fault"),
    ("rules/TG104-*/fail/depends-on-*reference*.yaml", ("E3001",), "the reference is the fault"),
    ("rules/TG104-*/fail/waits-for-each-other.yaml", ("E3004",), "the circle is the fault"),
    ("rules/TG113-*/fail/bucket-arn-for-name*.yaml", ("E1040",), "the ARN is the fault"),
    ("rules/TG113-*/fail/bucket-by-bare-logical-id.yaml", ("E1161",), "the name is the fault"),
    ("rules/TG113-*/fail/bucket-domain-name.yaml", ("E1040",), "the domain name is the fault"),
    ("rules/TG113-*/fail/bucket-name-of-a-log-group.yaml", ("E1041",), "the log group's name is the fault"),
    ("rules/TG113-*/fail/bucket-name-with-underscore.yaml", ("E1161",), "the name is the fault"),
    ("rules/TG113-*/fail/bucket-name-without-sub.yaml", ("E1029", "E1161"), "the missing function is the fault"),
    ("rules/TG113-*/fail/bucket-removed.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG113-*/fail/bucket-website.yaml", ("E1040",), "the URL is the fault"),
    ("rules/TG113-*/fail/data-resource-type-of-bucket.yaml", ("E3030",), "the type is the fault"),
    ("rules/TG113-*/fail/data-resource-without-sub.yaml", ("E1029",), "the missing function is the fault"),
    ("rules/TG113-*/fail/enabled-for-true.yaml", ("E3012",), "the word is the fault"),
    ("rules/TG113-*/fail/key-prefix-too-long.yaml", ("E3033",), "the length is the fault"),
    ("rules/TG113-*/fail/list-for-a-text.yaml", ("E3012",), "the list is the fault"),
    ("rules/TG113-*/fail/missing-*.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG113-*/fail/misspelt-field-selectors.yaml", ("E3002", "E3003"), "the misspelt property is the fault"),
    ("rules/TG113-*/fail/misspelt-i*.yaml", ("E3002",), "the misspelt property is the fault"),
    ("rules/TG113-*/fail/misspelt-[klov]*.yaml", ("E3002",), "the misspelt property is the fault"),
    ("rules/TG113-*/fail/operator-without-values.yaml", ("E3032",), "the empty list is the fault"),
    ("rules/TG113-*/fail/property-newer-than-the-release.yaml", ("E3002",), "cfn-lint has a list of properties, too"),
    ("rules/TG113-*/fail/quoted-yes.yaml", ("E3012",), "the word is the fault"),
    ("rules/TG113-*/fail/read-write-type-misspelt.yaml", ("E3030",), "the word is the fault"),
    ("rules/TG113-*/fail/role-arn-of-a-bucket.yaml", ("E1156",), "the bucket's ARN is the fault"),
    ("rules/TG113-*/fail/role-arn-of-a-user.yaml", ("E1156",), "the user's ARN is the fault"),
    ("rules/TG113-*/fail/role-name-for-arn.yaml", ("E1041",), "the name is the fault"),
    ("rules/TG113-*/fail/selector-s-property-on-the-trail.yaml", ("E3002",), "the property's place is the fault"),
    ("rules/TG113-*/fail/selector-twice.yaml", ("E3037",), "the second selector is the fault"),
    ("rules/TG113-*/fail/selectors-as-a-map.yaml", ("E3012",), "the map is the fault"),
    ("rules/TG113-*/fail/six*-selector*.yaml", ("E3032",), "the sixth selector is the fault"),
    ("rules/TG113-*/fail/tag-without-value.yaml", ("E3003",), "the missing property is the fault"),
    ("rules/TG113-*/fail/trail-name-ends-in-hyphen.yaml", ("E3031",), "the name is the fault"),
    ("rules/TG113-*/fail/trail-name-too-short.yaml", ("E3033",), "the name is the fault"),
    ("rules/TG113-*/fail/two-trails-of-one-name.yaml", ("E3019",), "the second name is the fault"),
    ("rules/TG212-*/fail/action-beside-not-action.yaml", ("E3512",), "the second element is the fault"),
    ("rules/TG212-*/*/circle-*.yaml", ("E3004",), "the circle is the fault; cfn-lint asks for no conditions there"),
    ("rules/TG212-*/fail/*-waits-for-the-trail.yaml", ("E3004",), "the circle is the fault"),
    ("rules/TG212-*/fail/depends-on-*.yaml", ("E3001",), "the function is the fault"),
    ("rules/TG212-*/fail/effect.yaml", ("E3512",), "the effect is the fault"),
    ("rules/TG212-*/fail/empty-properties.yaml", ("E3012",), "the null is the fault"),
    ("rules/TG212-*/fail/key-policy.yaml", ("E3512",), "the misspelt element is the fault"),
    ("rules/TG212-*/fail/key-refers-to-itself.yaml", ("E3004",), "the circle is the fault"),
    ("rules/TG212-*/fail/misspelt-operator.yaml", ("E3512",), "the operator is the fault"),
    ("rules/TG212-*/fail/names-nobody.yaml", ("E3005",), "the name is the fault"),
    ("rules/TG212-*/fail/no-principal.yaml", ("E3512",), "the missing principal is the fault"),
    ("rules/TG212-*/fail/null-in-an-output.yaml", ("E6003",), "the null is the fault"),
    ("rules/TG212-*/fail/principal-without-sub.yaml", ("E1029", "E3512"), "the missing function is the fault"),
    ("rules/TG212-*/fail/sid-of-a-role.yaml", ("E3510",), "the Sid is the fault"),
    ("rules/TG212-*/fail/topic-policy.yaml", ("E3512",), "the second element is the fault"),
    ("rules/TG212-*/fail/unknown-element.yaml", ("E3512",), "the misspelt element is the fault"),
    ("rules/TG212-*/fail/version.yaml", ("E3512",), "the version is the fault"),
    ("rules/TG212-*/pass/policy-and-trail-*.yaml", ("E3004",), "another rule is about that circle"),
    ("rules/TG106-*/fail/missing.yaml", ("E3003",), "the missing property is the fault"),
)


def complaints(linted: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """What cfn-lint itself refuses in each template: the ids of its rules, with line and words."""
    found: dict[str, dict[str, str]] = {}
    for item in linted:
        if item["Level"] == "Error" and not is_ours(item):
            told = f"{item['Location']['Start']['LineNumber']}: {item['Message']}"
            found.setdefault(item["Filename"], {})[item["Rule"]["Id"]] = told
    return found


def test_cfn_lint_itself_accepts_every_template_that_is_not_meant_to_be_refused(linted: list[dict[str, Any]]) -> None:
    unexpected = {
        (name, lint_id): told
        for name, refused in complaints(linted).items()
        for lint_id, told in refused.items()
        if not any(lint_id in ids and Path(name).match(pattern) for pattern, ids, _ in REFUSED)
    }
    assert unexpected == {}


def test_no_exception_is_left_over(linted: list[dict[str, Any]]) -> None:
    found = complaints(linted)
    for pattern, ids, reason in REFUSED:
        told = {lint_id for name, refused in found.items() if Path(name).match(pattern) for lint_id in refused}
        assert set(ids) == told, f"cfn-lint says something else of {pattern} by now ({reason})"


@pytest.mark.parametrize("option", [MODULE, ("-a", str(FOLDER / "cfn_lint_rules"))], ids=["module", "folder"])
def test_each_form_tells_the_same(option: tuple[str, str], folder: Path) -> None:
    done = cfn_lint(folder, *option, "--format", "json", "--template", "trail.yaml")
    assert (done.status, done.err) == (2 | 4, "")
    assert {(name[1:], line) for name, _, line, _ in told(done)} >= {("TG101", 9)}
    assert {(item.rule.id, item.place.span.line) for item in attention(folder, "trail.yaml")} == {
        (name[1:], line) for name, _, line, _ in told(done)
    }


def test_the_configuration_of_cfn_lint_can_name_them(folder: Path) -> None:
    (folder / ".cfnlintrc").write_text("append_rules: [trailguard.hosts.cfn_lint]\ntemplates: ['*.yaml']\n")
    done = cfn_lint(folder, "--format", "json")
    assert ("ETG101", "trail.yaml", 9, 27) in told(done)


def test_what_does_not_count_is_a_warning(folder: Path) -> None:
    parameters = "Parameters: {Multi: {Type: String, Default: true, AllowedValues: [true, false]}}\nResources:"
    text = TRAIL.replace("Resources:", parameters)
    (folder / "trail.yaml").write_text(text.replace("IsMultiRegionTrail: false", "IsMultiRegionTrail: !Ref Multi"))
    done = cfn_lint(folder, *MODULE, "--format", "json", "--template", "trail.yaml")
    names = {name for name, *_ in told(done)}
    assert "WTG101" in names
    assert not any(name.startswith("E") for name in names)
    assert "(when Multi = false)" in done.out
    (folder / ".trailguard.yaml").write_text("fail_on: conditional\n")
    names = {name for name, *_ in told(cfn_lint(folder, *MODULE, "--format", "json", "--template", "trail.yaml"))}
    assert "ETG101" in names
    assert "WTG101" not in names


def test_standard_input_is_judged_with_its_comments_and_lines(folder: Path) -> None:
    named = told(cfn_lint(folder, *MODULE, "--format", "json", "--template", "trail.yaml"))
    piped = told(cfn_lint(folder, *MODULE, "--format", "json", stdin=TRAIL))
    assert [(name, *rest) for name, _, *rest in piped] == [(name, *rest) for name, _, *rest in named]
    accepted = TRAIL.replace("Trail: false", "Trail: false  # trailguard: ignore[TG101] one Region is all we use")
    assert "ETG101" not in {name for name, *_ in told(cfn_lint(folder, *MODULE, "--format", "json", stdin=accepted))}


def test_its_options_and_metadata_leave_findings_out(folder: Path) -> None:
    done = cfn_lint(folder, *MODULE, "--format", "json", "--ignore-checks", "ETG101", "--template", "trail.yaml")
    assert "ETG101" not in {name for name, *_ in told(done)}
    metadata = "    Metadata: {cfn-lint: {config: {ignore_checks: [ETG101]}}}\n    Properties:"
    (folder / "trail.yaml").write_text(TRAIL.replace("    Properties:", metadata))
    done = cfn_lint(folder, *MODULE, "--format", "json", "--template", "trail.yaml")
    assert "ETG101" not in {name for name, *_ in told(done)}
    assert done.status == 4


def test_templates_are_judged_together(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "stacks", tmp_path / "stacks")
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.yaml"))
    done = cfn_lint(tmp_path, *MODULE, "--format", "json", "--template", *names)
    assert {(name[1:], file, line) for name, file, line, _ in told(done)} == {
        (item.rule.id, item.place.file, item.place.span.line) for item in attention(tmp_path, *names)
    }


def test_what_is_found_in_a_nested_template_is_told_where_it_is_nested(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "stacks" / "nested", tmp_path / "nested")
    (tmp_path / ".trailguard.yaml").write_text("profile: all\n")
    done = cfn_lint(tmp_path, *MODULE, "--format", "json", "--template", "nested/platform.yaml")
    messages = [item["Message"] for item in json.loads(done.out) if item["Rule"]["Id"] == "ETG108"]
    assert [message.partition(": ")[0] for message in messages] == ["nested/audit.yaml:10"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (".trailguard.yaml", "profil: all\n", '.trailguard.yaml:1:1: unknown key "profil"; did you mean "profile"?'),
        (".trailguard.yaml", "rule_dirs: [gone]\n", "gone: "),
        ("trail.yaml", TRAIL + "  Trail2: {Type: 'AWS::CloudTrail::Trail', Properties: !Odd x}\n", "!Odd"),
    ],
    ids=["configuration", "rules", "template"],
)
def test_what_cannot_be_judged_is_an_error(name: str, text: str, message: str, folder: Path) -> None:
    (folder / name).write_text(text)
    done = cfn_lint(folder, *MODULE, "--format", "json", "--template", "trail.yaml")
    errors = [item for item in json.loads(done.out) if item["Rule"]["Id"] in ("ETG000", "E0000")]
    assert any(message in item["Message"] for item in errors), errors
    assert done.status & 2


def test_a_bug_of_ours_is_an_error_on_every_template(folder: Path) -> None:
    broken = folder / "broken"
    broken.mkdir()
    (broken / "sabotage.py").write_text(
        "import trailguard.judging.alone\n"
        "def judge_files(*_):\n    raise ZeroDivisionError('boom')\n"
        "import trailguard.scanning\ntrailguard.scanning.judge_files = judge_files\n"
        "from trailguard.hosts.cfn_lint import *\n"
    )
    done = cfn_lint(folder, "-a", str(broken), "--format", "json", "--template", "trail.yaml")
    assert ("ETG000", "trail.yaml", 1, 1) in told(done)
    assert "internal error, please report it: ZeroDivisionError: boom" in done.out
    assert done.status & 2


def test_notices_are_informational(folder: Path) -> None:
    (folder / "trail.yaml").write_text(TRAIL + "# trailguard: ignore[TG102] of no use\n")
    done = cfn_lint(folder, *MODULE, "-c", "I", "--format", "json", "--template", "trail.yaml")
    assert ("ITG000", "trail.yaml", 10, 1) in told(done)


def test_a_template_without_a_text_is_judged_too(folder: Path) -> None:
    program = (
        "import json, sys\n"
        "from cfnlint.api import lint\nfrom cfnlint.config import ManualArgs\n"
        "config = ManualArgs(append_rules=['trailguard.hosts.cfn_lint'])\n"
        "found = lint(sys.stdin.read(), config=config)\n"
        "print(json.dumps([[item.rule.id, item.linenumber] for item in found]))\n"
    )
    done = run([sys.executable, "-W", "ignore", "-c", program], folder, TRAIL)
    assert done.status == 0, done.err
    assert ["ETG101", 9] in json.loads(done.out)
