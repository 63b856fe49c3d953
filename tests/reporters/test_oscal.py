"""OSCAL assessment results: what refers to what, what is satisfied, and what no text of a template changes.

What the format itself asks for is held against compliance-trestle in test_auditors.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.reporters.samples import FRAMEWORKS, RULES, audited, finding, sample
from tests.reporters.test_reporters import EMPTY, HOSTILE, hostile
from trailguard.findings import (
    CONDITIONAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    ControlInfo,
    FrameworkInfo,
    Report,
    Span,
    Suppression,
    Verdict,
)
from trailguard.reporters import oscal
from trailguard.reporters.oscal_controls import catalog_ids, own_id
from trailguard.reporters.oscal_parts import NAMESPACE, Names, markup, one_line, token

if TYPE_CHECKING:
    from collections.abc import Iterator

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TOKEN = r"[A-Za-z_][A-Za-z0-9._-]*"


def many(count: int = 300) -> Report:
    """A report with so many findings, of which every third shares its fingerprint with the one before."""
    verdicts: tuple[Verdict, ...] = (FAIL, CONDITIONAL, UNKNOWN, PASS)
    results = tuple(
        finding(RULES[number % 4], verdicts[number % 4], Span(number + 1, 1, number + 1, 2), resource=f"R{number // 3}",
                fingerprint=f"f{number - number % 3}", cause=f"c{number // 2}", causes=(f"c{number // 2}",))
        for number in range(count)
    )  # fmt: skip
    return audited()._replace(results=results)


def only_errors() -> Report:
    return EMPTY._replace(errors=sample().errors, date="2026-11-29")


def everything(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(oscal.render(report))["assessment-results"]
    return found


def result(report: Report) -> dict[str, Any]:
    (found,) = everything(report)["results"]
    return dict(found)


def values(tree: object, key: str) -> Iterator[Any]:
    """What stands under a key, wherever it is."""
    if isinstance(tree, dict):
        if key in tree:
            yield tree[key]
        for child in tree.values():
            yield from values(child, key)
    elif isinstance(tree, list):
        for child in tree:
            yield from values(child, key)


def props(tree: dict[str, Any], name: str) -> list[str]:
    return [one["value"] for one in tree["props"] if one["name"] == name]


def findings(report: Report) -> dict[str, dict[str, Any]]:
    """The findings by the control's own name."""
    return {props(one, "control")[0]: one for one in result(report).get("findings", ())}


REPORTS = [sample(), audited(), EMPTY, only_errors(), many(), *map(hostile, HOSTILE)]


@pytest.mark.parametrize("report", REPORTS)
def test_what_is_referred_to_is_there_and_nothing_twice(report: Report) -> None:
    whole = everything(report)
    uuids = list(values(whole, "uuid"))
    assert len(set(uuids)) == len(uuids)
    assert all(re.fullmatch(UUID, one) for one in uuids)
    made = result(report)
    there = {key: {one["uuid"] for one in made.get(key, ())} for key in ("observations", "risks")}
    assert set(values(made, "observation-uuid")) <= there["observations"]
    assert set(values(made, "risk-uuid")) <= there["risks"]
    definitions = made["local-definitions"]
    assert set(values(made, "subject-uuid")) <= {one["uuid"] for one in definitions.get("inventory-items", ())}
    components = {one["uuid"] for one in definitions["assessment-assets"]["components"]}
    assert set(values(made, "actor-uuid")) | set(values(made, "component-uuid")) <= components
    assert [f"#{one['uuid']}" for one in whole["back-matter"]["resources"]] == [whole["import-ap"]["href"]]
    targets = {one["target-id"] for one in values(made, "target") if one["type"] == "objective-id"}
    assert targets == {part["id"] for parts in values(whole.get("local-definitions"), "parts") for part in parts}


@pytest.mark.parametrize("report", REPORTS)
def test_texts_have_the_form_of_their_types(report: Report) -> None:
    whole = everything(report)
    for name in ("control-id", "target-id", "name"):
        assert all(re.fullmatch(TOKEN, one) for one in values(whole, name)), name
    for name in ("title", "value", "version"):
        assert all(re.fullmatch(r"\S(.*\S)?", one) for one in values(whole, name)), name
    for one in [*values(whole, "start"), *values(whole, "collected"), *values(whole, "last-modified")]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", one)
    assert set(values(whole, "ns")) <= {NAMESPACE}
    assert [] not in list(values(whole, "props"))
    for text in values(whole, "description"):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text), "XML could not hold it"


@pytest.mark.parametrize("report", REPORTS)
def test_every_verdict_error_and_notice_is_in_it(report: Report) -> None:
    made = result(report)
    assert len(made.get("observations", ())) == len(report.results)
    entries = made.get("assessment-log", {"entries": []})["entries"]
    assert [*values(entries, "value")].count("error") == len(report.errors)
    assert len(entries) == len(report.errors) + len(report.notices)


def test_it_is_the_same_from_run_to_run_and_follows_the_day() -> None:
    assert oscal.render(audited()) == oscal.render(audited())
    later = everything(audited()._replace(date="2026-11-30"))
    assert set(values(later, "collected")) == {"2026-11-30T00:00:00Z"}
    assert later["uuid"] != everything(audited())["uuid"]
    seen = [one["uuid"] for one in result(audited())["observations"]]
    assert seen == [one["uuid"] for one in later["results"][0]["observations"]], "they are of the same thing"


def test_only_frameworks_that_were_asked_for_are_told_of() -> None:
    reviewed = result(audited())["reviewed-controls"]["control-selections"]
    assert [props(one, "framework") for one in reviewed] == [["nist-800-53-r5"], ["cis-aws-5.0"]]
    assert [one["control-id"] for one in reviewed[0]["include-controls"]] == ["ac-2.4", "au-2", "au-9", "au-11"]
    assert reviewed[0]["links"][1]["href"].endswith("/NIST_SP-800-53_rev5_catalog.json")
    anyone = audited()._replace(frameworks=tuple(one._replace(asked=False) for one in FRAMEWORKS))
    assert len(result(anyone)["reviewed-controls"]["control-selections"]) == 3


def test_without_frameworks_the_rules_are_the_controls() -> None:
    (one,) = result(sample())["reviewed-controls"]["control-selections"]
    assert [item["control-id"] for item in one["include-controls"]] == ["TG101", "TG103", "TG108", "TG203"]
    assert "findings" not in result(sample())
    (one,) = result(EMPTY)["reviewed-controls"]["control-selections"]
    assert one["include-all"] == {}


def test_a_control_says_why_it_is_not_satisfied() -> None:
    told = {name: one["target"]["status"] for name, one in findings(audited()).items()}
    assert {name: (one["state"], one["reason"]) for name, one in told.items()} == {
        "AC-2(4)": ("not-satisfied", "fail"),
        "AU-2": ("not-satisfied", "other"),
        "AU-9": ("not-satisfied", "fail"),
        "AU-11": ("not-satisfied", "other"),
        "2.1.2": ("not-satisfied", "other"),
        "3.1": ("not-satisfied", "fail"),
        "3.7": ("satisfied", "pass"),
    }
    assert told["AU-2"]["remarks"].startswith("not decided: unknown: TG108.")
    assert told["AU-11"]["remarks"].startswith("not judged: not selected: TG305.")
    assert told["2.1.2"]["remarks"].startswith("cannot be told from templates: CloudFormation has no property for it.")
    assert "Errors: 2. Not everything was judged" in told["3.7"]["remarks"]
    assert findings(audited())["AC-2(4)"]["target"]["target-id"] == "ac-2.4_smt"


def test_a_control_refers_to_what_decides_it() -> None:
    made = result(audited())
    observations = {one["uuid"]: one for one in made["observations"]}
    risks = {one["uuid"]: one for one in made["risks"]}
    item = findings(audited())["AC-2(4)"]
    decided = [observations[one["observation-uuid"]] for one in item["related-observations"]]
    assert [(props(one, "rule"), props(one, "verdict")) for one in decided] == [
        (["TG101"], ["conditional"]),
        (["TG203"], ["fail"]),
    ]
    assert props(decided[0], "witness") == ["MultiRegion = false"]
    assert [risks[one["risk-uuid"]]["status"] for one in item["related-risks"]] == ["open", "open"]
    assert "related-observations" not in findings(audited())["AU-11"]


def test_evidence_leads_to_the_line() -> None:
    first = result(audited())["observations"][0]
    place, related = first["relevant-evidence"]
    assert place["href"] == "templates/trail.yaml"
    assert (props(place, "line"), props(place, "column")) == (["10"], ["27"])
    assert props(place, "path") == ['["Resources", "Trail", "Properties", "IsMultiRegionTrail"]']
    assert related["description"] == "templates/trail.yaml:2:3: this parameter decides it"
    assert props(first, "fingerprint") == ["TG101-conditional-10"]


def test_what_is_accepted_says_why_and_until_when() -> None:
    (risk,) = (one for one in result(audited())["risks"] if one["status"] == "deviation-approved")
    assert risk["deadline"] == "2027-03-31T00:00:00Z"
    assert props(risk, "accepted-by") == ["waiver"]
    assert props(risk, "accepted-because") == ["moved to the archive account in spring"]
    held = audited()
    accepted = tuple(
        one.accepted(Suppression("baseline", "known")) if one.rule.id == "TG103" else one for one in held.results
    )
    (control,) = (one for name, one in findings(held._replace(results=accepted)).items() if name == "AU-9")
    assert control["target"]["status"]["state"] == "not-satisfied"
    assert props(control, "state") == ["not met, accepted"]


def test_one_cause_is_one_risk() -> None:
    two = (
        finding(RULES[3], FAIL, cause="c", causes=("c",), message="nothing is granted"),
        finding(RULES[0], FAIL, cause="c", causes=("c",)),
    )
    made = result(audited()._replace(results=two))
    (risk,) = made["risks"]
    assert len(risk["related-observations"]) == 2
    assert "It also breaks TG101." in risk["description"]
    assert risk["remediations"][0]["description"].startswith("Let cloudtrail.amazonaws.com put objects")


def test_it_says_how_it_was_judged() -> None:
    made = result(audited())
    assert props(made, "command") == ["trailguard scan templates --region eu-west-1"]
    assert props(made, "changed-rules") == ["TG103: severity is medium, not high"]
    assert props(made, "region") == ["eu-west-1"]
    (control,) = (one for name, one in findings(audited()).items() if name == "AU-9")
    assert props(control, "changed-rule") == ["TG103: severity is medium, not high"]


VERDICTS = st.lists(st.sampled_from([PASS, FAIL, CONDITIONAL, UNKNOWN, NOT_APPLICABLE, "suppressed"]), max_size=3)


@given(
    st.dictionaries(st.sampled_from("ABC"), VERDICTS), st.sets(st.sampled_from("ABC")), st.sets(st.sampled_from("BC"))
)
def test_only_what_is_met_is_satisfied(verdicts: dict[str, list[Any]], behind: set[str], needed: set[str]) -> None:
    """Met: every rule behind it and every prerequisite was asked, none is open or accepted, and one behind it holds."""
    rules = {name: RULES[0]._replace(id=name) for name in verdicts}
    why = Suppression("comment", "because")
    results = tuple(
        finding(rules[name], FAIL, suppressed=why) if one == "suppressed" else finding(rules[name], one)
        for name, found in verdicts.items()
        for one in found
    )
    control = ControlInfo("1", "One", None, tuple(sorted(behind)), prerequisites=tuple(sorted(needed)))
    framework = FrameworkInfo("f", "F", "", "", (control,))
    report = EMPTY._replace(rules=tuple(rules.values()), results=results, frameworks=(framework,))
    (item,) = result(report)["findings"]
    all_of = behind | needed
    is_met = (
        all(name in verdicts for name in all_of)
        and all(one in (PASS, NOT_APPLICABLE) for name in all_of for one in verdicts[name])
        and any(PASS in verdicts[name] for name in behind)
    )
    assert item["target"]["status"]["state"] == ("satisfied" if is_met else "not-satisfied")


@pytest.mark.parametrize(
    ("framework", "own", "expected"),
    [
        ("nist-800-53-r5", "AU-2", [("au-2", "au-2_smt")]),
        ("nist-800-53-r5", "AC-17(2)", [("ac-17.2", "ac-17.2_smt")]),
        ("fedramp-moderate-r4", "AC-2(g)", [("ac-2", "ac-2_smt.g")]),
        ("fedramp-moderate-r4", "AU-2(a)(d)", [("au-2", "au-2_smt.a"), ("au-2", "au-2_smt.d")]),
        ("fedramp-moderate-r4", "AU-6(1)(3)", [("au-6.1", "au-6.1_smt"), ("au-6.3", "au-6.3_smt")]),
        ("nist-csf-2.0", "GV.OV-03", [("GV.OV-03", "GV.OV-03_statement")]),
        ("nist-800-53-r5", "odd", []),
        ("hipaa", "AU-2", []),
    ],
)
def test_controls_are_named_as_in_their_catalog(framework: str, own: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.control, one.target) for one in catalog_ids(framework, own)] == expected


@pytest.mark.parametrize("framework", ["nist-800-53-r5", "fedramp-moderate-r4", "nist-csf-2.0"])
def test_every_control_of_these_frameworks_is_in_a_catalog(framework: str) -> None:
    rules = Path(__file__).parents[2] / "rules" / "controls.yaml"
    controls = yaml.safe_load(rules.read_text(encoding="utf-8"))[framework]["controls"]
    assert [name for name in controls if not catalog_ids(framework, str(name))] == []


def test_a_part_of_the_evidence_is_called_one() -> None:
    part = audited()._replace(since="origin/main", errors=())
    assert "Only what changed since origin/main is in it" in result(part)["description"]
    assert all("changed since origin/main" in one["target"]["status"]["remarks"] for one in findings(part).values())


@pytest.mark.parametrize(
    ("framework", "own", "expected"),
    [
        ("cis-aws-5.0", "3.1", "cis-aws-5.0_3.1"),
        ("hipaa", "164.312(a)(2)(iv)", "hipaa_164.312.a.2.iv"),
        ("ours", "a b/ü", "ours_a-b"),
        ("2fa", "x", "_2fa_x"),
        ("", "", "_"),
    ],
)
def test_other_controls_are_named_after_their_framework(framework: str, own: str, expected: str) -> None:
    assert own_id(framework, own) == expected


def test_controls_that_differ_in_punctuation_alone_are_kept_apart() -> None:
    controls = tuple(ControlInfo(name, "", None, ("TG101",)) for name in ("1 a", "1-a", "1/a"))
    report = audited()._replace(frameworks=(FrameworkInfo("ours", "Ours", "", "", controls),))
    (selection,) = result(report)["reviewed-controls"]["control-selections"]
    named = [one["control-id"] for one in selection["include-controls"]]
    assert named == ["ours_1-a", "ours_1-a-2", "ours_1-a-3"]


def test_statements_are_selected_where_the_framework_names_them_alone() -> None:
    controls = tuple(ControlInfo(name, "", None, ("TG101",)) for name in ("AC-2(g)", "AU-12(a)(c)", "AU-12", "AU-9"))
    report = audited()._replace(frameworks=(FrameworkInfo("fedramp-moderate-r4", "", "", "", controls),))
    (selection,) = result(report)["reviewed-controls"]["control-selections"]
    assert selection["include-controls"] == [
        {"control-id": "ac-2", "statement-ids": ["ac-2_smt.g"]},
        {"control-id": "au-12"},
        {"control-id": "au-9"},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:*/a_b/*", r"arn:\*/a_b/\*"),
        ("<script>", r"\<script>"),
        ("[x](y) `z`", r"\[x](y) \`z\`"),
        ("_loud_", r"\_loud\_"),
        ("\\* and C:\\dir", r"\\\* and C:\dir"),
        ("bell\x07 \ud800", r"bell\u0007 \ud800"),
    ],
)
def test_text_is_no_markup(text: str, expected: str) -> None:
    assert markup(text) == expected


@given(st.text())
def test_names_and_lines_keep_their_form(text: str) -> None:
    assert re.fullmatch(TOKEN, token(text))
    assert re.fullmatch(r"(\S(.*\S)?)?", one_line(text))


def test_nothing_is_named_twice() -> None:
    names = Names()
    made = [names.uuid("a", "b"), names.uuid("a", "b"), names.uuid("ab"), names.uuid("a", "\udcff")]
    assert len(set(made)) == 4
    assert Names().uuid("a", "b") == made[0]
    assert all(re.fullmatch(UUID, one) for one in made)
