"""The frameworks behind the rules: every control is known, has a title, and either rules behind it or a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import ROOT
from trailguard.commands import rules_markdown, rules_text
from trailguard.errors import RuleError
from trailguard.rulebook.frameworks import Framework, asked_for, behind, load_frameworks
from trailguard.rulebook.rule import Rule
from trailguard.rulebook.shelf import load, prerequisites
from trailguard.settings.checker import is_date
from trailguard.settings.settings import Settings
from trailguard.settings.settings import load as read_settings
from trailguard.terminal import Style

PROWLER = ("https://github.com/prowler-cloud/prowler/tree/5.46.0/prowler/compliance/aws", "2026-11-29")
PREREQUISITES = prerequisites().rules
BOOK = load(Settings(profile="all"))
FRAMEWORKS = load_frameworks(Settings(), BOOK)
# What rules.md promises, apart from the profiles that are lists of rules.
PROMISED = {
    "cis-aws-1.4", "cis-aws-3.0", "cis-aws-5.0", "aws-fsbp", "nist-800-53-r5", "nist-800-171-r2", "pci-dss-4.0.1",
    "hipaa", "soc2", "iso-27001-2022", "cis-aws-6.0", "cis-aws-7.0", "fedramp-moderate-r4", "nist-csf-2.0", "nis2",
    "c5-2025", "ens-rd2022", "cmmc-2",
}  # fmt: skip


def standing_behind(framework: str, control: str) -> list[str]:
    return [rule.id for rule in BOOK.selected if control in rule.controls.get(framework, ())]


def test_the_frameworks_are_the_promised_ones() -> None:
    assert set(FRAMEWORKS) == PROMISED
    assert {name for rule in BOOK.selected for name in rule.controls} == PROMISED


@pytest.mark.parametrize("rule", BOOK.selected, ids=lambda rule: rule.id)
def test_a_rule_names_controls_that_are_known(rule: object) -> None:
    for framework, ids in getattr(rule, "controls", {}).items():
        assert ids
        assert len(set(ids)) == len(ids)
        assert set(ids) <= set(FRAMEWORKS[framework].controls), framework


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=lambda framework: framework.name)
def test_a_control_has_rules_behind_it_or_a_reason_why_not(framework: Framework) -> None:
    assert framework.source.startswith("https://")
    for control in framework.controls.values():
        assert control.title
        assert bool(standing_behind(framework.name, control.id)) is (control.undecidable is None), control.id


@pytest.mark.parametrize(
    ("framework", "control", "rules"),
    [
        ("cis-aws-1.4", "3.3", ["TG301"]),
        ("cis-aws-1.4", "3.4", ["TG109"]),
        ("cis-aws-1.4", "3.8", ["TG401"]),
        ("cis-aws-3.0", "3.1", ["TG101", "TG106", "TG107"]),
        ("cis-aws-3.0", "3.4", ["TG304"]),
        ("cis-aws-3.0", "3.5", ["TG108"]),
        ("cis-aws-3.0", "3.8", ["TG110"]),
        ("cis-aws-5.0", "2.1.1", ["TG308"]),
        ("cis-aws-5.0", "4.5", ["TG403"]),
        ("aws-fsbp", "CloudTrail.1", ["TG101", "TG107"]),
        ("aws-fsbp", "S3.8", ["TG302"]),
        ("nist-800-53-r5", "SC-12(2)", ["TG401"]),
        ("hipaa", "164.312(c)(2)", ["TG103", "TG308"]),
        ("cis-aws-6.0", "4.1", ["TG101", "TG106", "TG107"]),
        ("cis-aws-6.0", "3.1.4", ["TG302"]),
        ("cis-aws-7.0", "4.5", ["TG108"]),
        ("cis-aws-7.0", "5.5", ["TG403"]),
        ("pci-dss-4.0.1", "10.5.1", ["TG305", "TG402", "TG502"]),
        ("fedramp-moderate-r4", "AU-9", ["TG103", "TG108"]),
        ("nist-csf-2.0", "DE.CM-01", ["TG101", "TG106", "TG107", "TG109", "TG111", "TG403"]),
        ("nis2", "3.2.5", ["TG402"]),
        ("c5-2025", "OPS-13.03B", ["TG108", "TG301"]),
        ("ens-rd2022", "op.exp.8.r3", ["TG402"]),
    ],
)
def test_who_stands_behind_a_control(framework: str, control: str, rules: list[str]) -> None:
    assert standing_behind(framework, control) == rules


def test_fsbp_has_four_controls_of_cloudtrail() -> None:
    found = {name for name in FRAMEWORKS["aws-fsbp"].controls if name.startswith("CloudTrail")}
    assert found == {"CloudTrail.1", "CloudTrail.2", "CloudTrail.4", "CloudTrail.5"}


def test_cmmc_is_what_32_cfr_170_14_makes_of_800_171() -> None:
    """The requirements of Level 2 are identical: DD.L2-REQ, where REQ is the number in SP 800-171 Revision 2."""
    domains = {"1": "AC", "3": "AU", "5": "IA", "13": "SC", "14": "SI"}

    def numbered(controls: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(f"{domains[item.split('.')[1]]}.L2-{item}" for item in controls.get("nist-800-171-r2", ()))

    for rule in BOOK.selected:
        assert rule.controls.get("cmmc-2", ()) == numbered(rule.controls), rule.id
        loose = rule.unverified.controls if rule.unverified is not None else {}
        assert loose.get("cmmc-2", ()) == numbered(loose), rule.id
    known = {name: control.title for name, control in FRAMEWORKS["cmmc-2"].controls.items()}
    twins = {name: control.title for name, control in FRAMEWORKS["nist-800-171-r2"].controls.items()}
    assert known == {numbered({"nist-800-171-r2": (name,)})[0]: title for name, title in twins.items()}


@pytest.mark.parametrize(
    ("framework", "rule", "firm", "loose"),
    [
        ("soc2", "TG103", (), ("CC7.3", "PI1.3")),
        ("hipaa", "TG109", ("164.308(a)(3)(ii)(A)", "164.312(b)"), ("164.308(a)(1)(ii)(D)", "164.308(a)(6)(ii)")),
        ("nist-800-171-r2", "TG108", ("3.3.8", "3.13.16"), ("3.13.11",)),
        ("cis-aws-7.0", "TG103", (), ("4.2",)),
        ("cis-aws-6.0", "TG103", ("4.2",), ()),
        ("pci-dss-4.0.1", "TG110", (), ("10.2.1", "10.3.1")),
        ("pci-dss-4.0.1", "TG402", ("10.5.1",), ()),
        ("fedramp-moderate-r4", "TG402", ("AU-6(1)(3)", "AU-11"), ("SI-12",)),
    ],
)
def test_what_rests_on_one_mapping_alone(
    framework: str, rule: str, firm: tuple[str, ...], loose: tuple[str, ...]
) -> None:
    found = {is_firm: items for name, items, is_firm in BOOK.rules[rule].info.relations() if name == framework}
    assert (found.get(True, ()), found.get(False, ())) == (firm, loose)
    assert BOOK.rules[rule].controls[framework] == (*firm, *loose)


@pytest.mark.parametrize(
    "name", ["soc2", "iso-27001-2022", "cis-aws-7.0", "nist-csf-2.0", "nis2", "c5-2025", "ens-rd2022"]
)
def test_a_mapping_by_prowler_alone_is_unverified_throughout(name: str) -> None:
    framework = FRAMEWORKS[name]
    assert framework.source.startswith("https://github.com/prowler-cloud/")
    for control, found in framework.coverage(BOOK.selected):
        assert all(framework.is_unverified(control.id, rule) for rule in found), control.id
    assert framework.origins(BOOK.selected) == (PROWLER,)


def test_every_mapping_has_a_source_and_a_date() -> None:
    for framework in FRAMEWORKS.values():
        assert is_date(framework.date), framework.name
    for rule in BOOK.selected:
        assert rule.unverified is None or (rule.unverified.source, rule.unverified.date) == PROWLER


def asked(name: str, ignore: tuple[str, ...] = ()) -> tuple[Framework, tuple[Rule, ...]]:
    settings = Settings(profile=name, ignore=ignore)
    book = load(settings)
    return asked_for(settings, book)[name], book.selected


def test_what_no_template_can_decide_is_said() -> None:
    framework, selected = asked("cis-aws-3.0")
    text = rules_text.framework_as_text(framework, selected, Style(False), 100)
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index("2.1.2  MFA delete is on")
    assert lines[start + 1].startswith("no template can decide this: CloudFormation has no property for it")
    assert lines[lines.index("3.2  Log file validation is on") + 1] == "TG103  medium  log-file-validation"
    assert lines[-1].startswith(f"11 controls, {len(selected)} rules, 1 beyond any template")
    table = rules_markdown.framework_table(framework, selected)
    assert "| 2.1.2 | MFA delete is on | no template can decide this: " in table
    assert "| 3.2 | Log file validation is on | TG103 log-file-validation |" in table
    told = json.loads(rules_text.as_json(selected, "cis-aws-3.0", (framework,)))["framework"]["controls"]
    assert [item["id"] for item in told if item["undecidable"]] == ["2.1.2"]
    assert next(item["rules"] for item in told if item["id"] == "3.9") == ["TG110"]


def test_prerequisites_have_a_section_of_their_own() -> None:
    framework, selected = asked("soc2")
    lines = rules_text.framework_as_text(framework, selected, Style(False), 100).splitlines()
    start = lines.index("Prerequisites: The trail records, and its logs arrive")
    assert "    TG204  high  delivery-not-denied" in lines[start:]
    table = rules_markdown.framework_table(framework, selected)
    assert "**Prerequisites: The trail records, and its logs arrive.**\n\nWhat a control asks" in table
    assert "\nTG104 depends-on-bucket-policy, TG106 logging-enabled, " in table
    told = json.loads(rules_text.as_json(selected, "soc2", (framework,)))["framework"]
    assert told["prerequisites"]["rules"][:2] == ["TG104", "TG106"]


def test_what_is_unverified_is_marked_with_source_and_date() -> None:
    framework, selected = asked("hipaa")
    text = rules_text.framework_as_text(framework, selected, Style(False), 200)
    lines = text.splitlines()
    start = lines.index("164.312(b)  Audit controls")
    assert "    TG103  medium  log-file-validation  unverified" in lines[start:]
    assert "    TG109  medium  cloudwatch-logs" in lines[start:]
    said = f"What is marked unverified rests on {PROWLER[0]} alone, read {PROWLER[1]}: nobody has held it against "
    assert any(line.startswith(said) for line in lines)
    table = rules_markdown.framework_table(framework, selected)
    assert "TG103 log-file-validation (unverified), TG106 logging-enabled (unverified), TG109 cloudwatch-logs," in table
    assert f"What is marked unverified rests on <{PROWLER[0]}> alone, read {PROWLER[1]}:" in table
    told = json.loads(rules_text.as_json(selected, "hipaa", (framework,)))
    control = next(item for item in told["framework"]["controls"] if item["id"] == "164.312(b)")
    assert control["unverified"] == ["TG101", "TG103", "TG106"]
    assert told["framework"]["unverified"] == [{"source": PROWLER[0], "date": PROWLER[1]}]
    rule = next(item for item in told["rules"] if item["id"] == "TG109")
    assert rule["unverified"]["controls"]["hipaa"] == ["164.308(a)(1)(ii)(D)", "164.308(a)(6)(ii)"]
    explained = rules_text.explain(BOOK.rules["TG109"], Style(False), 200).splitlines()
    assert "  hipaa 164.308(a)(3)(ii)(A), 164.312(b)" in explained
    assert "  hipaa 164.308(a)(1)(ii)(D), 164.308(a)(6)(ii) (unverified)" in explained
    assert any(line.startswith(f"  {said}") for line in explained)
    page = rules_markdown.rule_page(BOOK.rules["TG109"])
    assert "| hipaa | 164.308(a)(1)(ii)(D), 164.308(a)(6)(ii) | unverified |" in page


def test_rules_that_are_left_out_are_missed() -> None:
    framework, selected = asked("cis-aws-3.0", ignore=("TG103", *PREREQUISITES))
    table = rules_markdown.framework_table(framework, selected)
    assert "| 3.2 | Log file validation is on | left out |" in table
    assert "\nleft out.\n" in table


def test_several_profiles_are_the_rules_of_all_of_them() -> None:
    one, other = (set(load(Settings(profile=name)).profiles[name]) for name in ("cis-aws-5.0", "pci-dss-4.0.1"))
    assert one - other
    assert other - one
    for profile in ("cis-aws-5.0, pci-dss-4.0.1", "pci-dss-4.0.1,cis-aws-5.0"):
        assert {rule.id for rule in load(Settings(profile=profile)).selected} == one | other
    with_default = load(Settings(profile="default, pci-dss-4.0.1"))
    assert {rule.id for rule in with_default.selected} == {*with_default.profiles["default"], *other}
    with pytest.raises(RuleError, match=r'there is no profile "cis-aws-5"; did you mean "cis-aws-5\.0"\?'):
        load(Settings(profile="default, cis-aws-5"))


def test_the_frameworks_that_were_asked_for_come_first() -> None:
    settings = Settings(profile="soc2, hipaa, default, soc2")
    infos = behind(load(settings), settings)
    assert [item.name for item in infos[:3]] == ["soc2", "hipaa", "cis-aws-1.4"]
    assert [item.name for item in infos if item.asked] == ["soc2", "hipaa"]
    assert len({item.name for item in infos}) == len(infos)


def test_six_years_for_hipaa_as_documented(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL))
    (tmp_path / "policies").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    book = load(read_settings(str(tmp_path)))
    chosen = {rule.id: rule for rule in book.selected}
    assert chosen.keys() == {*book.profiles["hipaa"], "TG305", "TG402", "TG502"}
    for name in ("TG305", "TG402", "TG502"):
        assert "2190" in str([item.must for item in chosen[name].require]), name


def test_frameworks_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "profiles.yaml").write_text("mine: [TG101]\n")
    (tmp_path / "controls.yaml").write_text(
        "acme:\n  title: The rules of the house\n  source: https://example.com\n"
        "  controls: {A1: Logs are kept, A2: {title: Doors are shut, undecidable: there are no doors}}\n"
    )
    settings = Settings(profile="mine", rule_dirs=(str(tmp_path),))
    book = load(settings)
    framework = load_frameworks(settings, book)["acme"]
    assert [control.undecidable for control in framework.controls.values()] == [None, "there are no doors"]
    assert framework.prerequisites is None
    assert asked_for(settings, book) == {}
    assert [rule.id for rule in book.selected] == ["TG101"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("acme: 1\n", (1, 7), "must be a map with title, source and controls"),
        ("acme: {title: a, sauce: b, controls: {}}\n", (1, 18), 'there is no key "sauce"; did you mean "source"?'),
        ("acme: {title: a, source: b, date: soon, controls: {}}\n", (1, 35), "must be a date such as 2026-11-29"),
        ("acme: {title: a, source: b}\n", (1, 7), "controls is missing"),
        ("acme: {title: a, source: b, controls: {x: {title: t}}}\n", (1, 43), "undecidable is missing"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, place: tuple[int, int], message: str) -> None:
    (tmp_path / "controls.yaml").write_text(text)
    with pytest.raises(RuleError) as caught:
        load_frameworks(Settings(rule_dirs=(str(tmp_path),)), BOOK)
    assert ((caught.value.line, caught.value.column), caught.value.message) == (place, message)
