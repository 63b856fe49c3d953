"""The HTML report: complete, well formed, forged by nothing in a template, and filtered in a real browser."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests import ROOT
from tests.reporters.samples import RULES, finding, sample
from tests.reporters.test_reporters import EMPTY, HOSTILE, hostile
from trailguard.acceptance import since
from trailguard.commands.cli import main
from trailguard.findings import (
    CONDITIONAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Chain,
    Connection,
    ControlInfo,
    Finding,
    FrameworkInfo,
    Part,
    Prerequisites,
    Report,
    Ruling,
    Span,
    Unverified,
)
from trailguard.reporters import html_chains, html_controls, html_report
from trailguard.reporters import standing as controls
from trailguard.reporters.common import by_cause
from trailguard.reporters.html_text import Html, listing, tag, text
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

VOID = {"meta", "input"}
OPENED = {"img", "link", "iframe", "object", "embed", "audio", "video", "source", "base", "use", "image"}
EVIL = (
    *HOSTILE,
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "<!-- --><![CDATA[ ]]>&amp;&#60;",
    "</pre></title></textarea>",
    "javascript:alert(1)",
)


class Page(HTMLParser):
    """A page as a browser would take it apart; any tag that closes what is not open is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in VOID, f"{tag} must close itself"
        self._take(tag, attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._take(tag, attrs)

    def _take(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def inside(self, tag: str) -> str:
        return "".join(data for name, data in self.texts if name == tag)

    def words(self) -> str:
        return " ".join(data for name, data in self.texts if name not in ("script", "style"))


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "examples")


def judged(*paths: str, **settings: str) -> Report:
    return scan(paths, Settings(**settings), evidence=True)  # type: ignore[arg-type]


def whole() -> Report:
    """The sample with a framework and a chain."""
    rulings = (Ruling("TG203", "log-write-allowed", FAIL, "no"), Ruling("TG201", "exists", PASS, "yes"))
    parts = (
        Part("trail", "Trail", "templates/trail.yaml", 4, (Ruling("TG101", "multi-region", CONDITIONAL, "maybe"),)),
        Part("bucket", "LogBucket", "templates/trail.yaml", 13, ()),
        Part("key", "nothing that was scanned exports it", "", 0, ()),
        Part("log_group", "Group", "templates/trail.yaml", 30, ()),
        Part("role", "Role", "templates/trail.yaml", 33, ()),
        Part("policy", "LogBucketPolicy", "templates/trail.yaml", 13, ()),
    )
    edges = (
        Connection(0, 1, "bucket", True, rulings),
        Connection(0, 2, "key", True, (Ruling("TG108", "kms-encryption", UNKNOWN, "who knows"),)),
        Connection(0, 3, "log_group", False, ()),
        Connection(3, 4, "role", True, ()),
        Connection(1, 5, "policy", True, rulings),
        Connection(0, 5, "order", True, (Ruling("TG104", "order", PASS, "yes"),)),
    )
    controls = (
        ControlInfo("3.1", "All Regions", None, ("TG101",)),
        ControlInfo("2.1", "MFA delete", "only the root user can", ()),
    )
    framework = FrameworkInfo("cis-aws-5.0", "CIS 5.0", "CloudTrail", "https://example.com/cis", controls)
    return sample()._replace(chains=(Chain(parts, edges, ("Audit of parent.yaml",)),), frameworks=(framework,))


def evil(value: str) -> Report:
    """A report in which every text is the same bad one."""
    report = hostile(value)
    ruling = Ruling("TG203", value, FAIL, value)
    parts = (
        Part("trail", value, value, 1, (ruling,)),
        Part("bucket", value, "", 0, ()),
        Part("policy", value, value, 2, ()),
    )
    edges = (Connection(0, 1, "bucket", True, (ruling,)), Connection(0, 2, "order", False, (ruling,)))
    control = ControlInfo(value, value, None, ("TG101", value), (value,), ("TG103", value))
    beyond = ControlInfo(value, value, value, ())
    needed = Prerequisites(value, value, (value,), ("TG103", value))
    origins = ((value, value),)
    framework = FrameworkInfo(value, value, value, value, (control, beyond), value, value, needed, origins, asked=True)
    severity: Any = value
    unverified = Unverified(value, value, {value: (value,)})
    rule = RULES[1]._replace(id=value, severity=severity, references=(value,), unverified=unverified)
    item = report.results[0]
    more = (
        item._replace(rule=rule, fingerprint=value),
        item._replace(verdict=PASS),
        item._replace(verdict=NOT_APPLICABLE),
        sample().results[-1]._replace(place=item.place._replace(file=value), resource=value, message=value),
    )
    return report._replace(
        chains=(Chain(parts, edges, (value,)),),
        frameworks=(framework,),
        rules=(*report.rules, rule),
        results=(*report.results, *more),
    )


@pytest.mark.parametrize("report", [EMPTY, sample(), whole(), *map(evil, EVIL)])
def test_the_page_is_well_formed_and_opens_nothing(report: Report) -> None:
    written = html_report.render(report)
    written.encode()
    page = Page(written)
    assert len(page.all("html")) == len(page.all("main")) == len(page.all("h1")) == 1
    assert len(page.all("script")) == len(page.all("style")) == 1
    ids = [str(attributes["id"]) for _, attributes in page.tags if "id" in attributes]
    assert [name for name, number in Counter(ids).items() if number > 1] == []
    for name, attributes in page.tags:
        assert name not in OPENED
        assert not {"src", "style", "srcset", "action", "background"} & set(attributes), name
        assert not any(key.startswith("on") for key in attributes), name
        href = attributes.get("href") or ""
        assert name != "a" or href.startswith(("https://", "http://")) or href[1:] in ids, href
        for key in ("aria-labelledby", "marker-end"):
            for word in re.findall(r"[\w.-]+", (attributes.get(key) or "").replace("url", "")):
                assert word in ids, word
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", written)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in written.splitlines())


@pytest.mark.parametrize("value", EVIL)
def test_a_bad_text_is_shown_everywhere_and_is_markup_nowhere(value: str) -> None:
    harmless = re.sub(r"\S", "x", value)
    bad, good = Page(html_report.render(evil(value))), Page(html_report.render(evil(harmless)))
    fitted = {"title", "text"}  # in a picture, there are more of them when a text takes more room
    assert [name for name, _ in bad.tags if name not in fitted] == [name for name, _ in good.tags if name not in fitted]


def test_only_web_addresses_become_links() -> None:
    bad = ("javascript:alert(1)", "data:text/html,x", " https://example.com", "//example.com", "HTTPS:x")
    rule = RULES[0]._replace(references=(*bad, "https://example.com/?a=1&b=\"'<"))
    page = Page(html_report.render(sample()._replace(results=(finding(rule),))))
    outward = [item["href"] for item in page.all("a") if not (item["href"] or "").startswith("#")]
    assert outward == ["https://example.com/?a=1&b=\"'<"]
    assert "javascript:alert(1)" in page.words()


def test_the_policy_allows_this_script_and_this_style_alone() -> None:
    page = Page(html_report.render(whole()))
    (policy,) = [item["content"] or "" for item in page.all("meta") if "http-equiv" in item]
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.inside(name).encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"
        assert "http" not in page.inside(name)
        assert "</" not in page.inside(name)


@pytest.mark.slow
@pytest.mark.usefixtures("examples")
def test_a_scan_of_broken_templates_is_told_whole() -> None:
    report = judged("broken")
    written = html_report.render(report)
    page = Page(written)
    open_ = [item for item in report.results if item.verdict in (FAIL, CONDITIONAL, UNKNOWN)]
    groups = by_cause(report)
    assert {item.rule.id for item in open_} == {item.rule.id for group in groups for item in group.all}
    cards = [item for item in page.all("article") if item.get("data-v") != "error"]
    assert Counter(item["data-v"] for item in cards) == Counter(group.lead.verdict for group in groups)
    assert {(FAIL, CONDITIONAL)} == {tuple(Counter(item["data-v"] for item in cards))}
    words = page.words()
    for item in (group.lead for group in groups):
        assert text(item.message) in html_report.render(report)
        assert item.resource in words
    for rule in report.rules:
        assert f"{rule.id}" in words
        if rule.id in {group.lead.rule.id for group in groups}:
            assert words.count(" ".join(rule.remedy.split("\n")[0].split())[:40]) >= 1
    held = [item for item in report.results if item.verdict in (PASS, NOT_APPLICABLE)]
    assert len(page.all("li")) >= len(held)
    assert f"{sum(item.verdict == PASS for item in held)} passed verdicts" in words
    assert len(page.all("figure")) == len(report.chains) > 5
    assert written.index('id="findings"') < written.index('id="chains"')
    assert "KeyPrefix = other" in words
    assert "!Sub 'cloudtrail.${AWS::URLSuffix}'" in page.inside("mark")


@pytest.mark.usefixtures("examples")
def test_stacks_say_where_they_are_judged_and_which_controls_are_met() -> None:
    report = judged("stacks", profile="cis-aws-5.0")
    page = Page(html_report.render(report))
    words = page.words()
    assert "Audit of stacks/nested/platform.yaml" in words
    assert report.frameworks[0].name == "cis-aws-5.0"
    opened = [item for item in page.all("details", **{"class": "framework"}) if "open" in item]
    assert [item["data-name"] for item in opened] == ["cis-aws-5.0"]
    found = {control.id: item.state for control, item in controls.standings(report.frameworks[0], report)}
    assert found["3.1"] == controls.NOT_MET
    assert found["3.2"] == controls.NOT_MET  # validation is on, but the logs do not arrive
    assert found["2.1.2"] == controls.BEYOND
    assert found["3.6"] == controls.NOT_JUDGED


@pytest.mark.usefixtures("examples")
def test_frameworks_that_were_asked_for_come_first_with_their_prerequisites_and_marks() -> None:
    report = judged("broken/logging-off.yaml", profile="soc2, hipaa")
    page = Page(html_report.render(report))
    (first,) = page.all("details", **{"class": "prerequisites"})
    assert "open" in first
    shown = page.all("details", **{"class": "framework"})
    assert [item["data-name"] for item in shown][:2] == ["soc2", "hipaa"]
    assert ["open" in item for item in shown] == [True, True, *[False] * (len(shown) - 2)]
    soc2, hipaa = report.frameworks[:2]
    assert {item.state for control, item in controls.standings(soc2, report) if control.prerequisites} == {
        controls.NOT_MET
    }
    text = str(html_controls.section(report._replace(frameworks=(soc2,)), {"TG106"}))
    assert text.index("Prerequisites: The trail records, and its logs arrive") < text.index(soc2.title)
    assert "prerequisite broken: " in text
    assert text.count(">unverified</span>") == len(soc2.controls)
    assert " alone, read 2026-11-29: nobody has held it" in text
    text = str(html_controls.section(report._replace(frameworks=(hipaa,)), {"TG106"}))
    assert ">unverified: TG101, TG103, TG106</span>" in text  # 164.312(b), the rest of which is the conformance pack's
    assert "TG305, TG402 and TG502" in text


@pytest.mark.usefixtures("examples")
def test_prerequisites_that_hold_are_folded() -> None:
    page = Page(html_report.render(judged("compliant/everything.yaml", profile="soc2")))
    assert ["open" in item for item in page.all("details", **{"class": "prerequisites"})] == [False]


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize("folder", ["broken", "compliant", "stacks"])
def test_what_is_broken_on_a_trail_is_somewhere_in_its_chain(folder: str) -> None:
    report = judged(folder, profile="all")
    found: dict[tuple[str, str], set[str]] = {}
    for item in report.results:
        if item.subject == "trail" and item.verdict in (FAIL, CONDITIONAL, UNKNOWN):
            found.setdefault((item.home, item.resource), set()).add(item.rule.id)
    assert found
    for chain in report.chains:
        trail = chain.parts[0]
        told = {item.rule for _, _, item in html_chains._rulings(chain) if item.verdict in (FAIL, CONDITIONAL, UNKNOWN)}
        about = {item.rule.id for item in report.results if item.subject == "trail"}
        assert told & about == found.get((trail.file, trail.name), set())


def test_a_chain_says_what_is_accepted_in_it(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "broken" / "single-region.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    (number,) = (number for number, line in enumerate(lines) if "IsMultiRegionTrail" in line)
    lines[number] += "  # trailguard: ignore[TG101] one Region is all we have"
    (tmp_path / "trail.yaml").write_text("\n".join(lines), encoding="utf-8")
    page = Page(html_report.render(judged(str(tmp_path / "trail.yaml"))))
    assert page.inside("em") == "accepted: one Region is all we have"
    (tmp_path / "trail.yaml").write_text(text, encoding="utf-8")
    assert Page(html_report.render(judged(str(tmp_path / "trail.yaml")))).inside("em") == ""


def test_an_ordinary_scan_knows_no_frameworks() -> None:
    report = scan([str(ROOT / "examples" / "broken")], Settings())
    assert (report.frameworks, report.chains) == ((), ())
    html_report.render(report)


def standing(verdicts: dict[str, list[str]], *rules: str, undecidable: str | None = None) -> tuple[str, str]:
    control = ControlInfo("1", "title", undecidable, rules)
    told = controls.standing(control, {rule: Counter(found) for rule, found in verdicts.items()})
    return told.state, "; ".join(f"{words} {' '.join(names)}".strip() for words, names in told.reasons)


def test_the_state_of_a_control() -> None:
    assert standing({"A": [PASS], "B": [NOT_APPLICABLE]}, "A", "B") == ("met", "kept A")
    assert standing({"A": [PASS, FAIL], "B": [CONDITIONAL]}, "A", "B") == (
        "not met",
        "broken A; conditional, kept for some parameter values only B",
    )
    assert standing({"A": [CONDITIONAL, UNKNOWN]}, "A")[0] == "not met"
    assert standing({"A": ["suppressed", UNKNOWN, PASS]}, "A") == ("not met, accepted", "broken, and accepted A")
    assert standing({"A": [UNKNOWN, PASS]}, "A") == ("not decided", "unknown A")
    assert standing({"A": [PASS]}, "A", "B") == ("not judged", "not selected B")
    assert standing({"A": [FAIL]}, "A", "B")[0] == "not met"
    assert standing({}, "A") == ("not judged", "not selected A")
    assert standing({"A": []}, "A") == ("not judged", "nothing here is a subject of A")
    assert standing({"A": [NOT_APPLICABLE]}, "A")[0] == "not judged"
    assert standing({}, undecidable="only the root user can") == (
        "cannot be told from templates",
        "only the root user can",
    )


def test_what_is_accepted_and_what_went_wrong_is_told() -> None:
    words = Page(html_report.render(whole())).words()
    for told in (
        "moved to the archive account in spring", "waiver", "2027-03-31",  # the suppression
        "a tab cannot start an indentation", "gone.yaml", "suppression of TG999 suppresses nothing",
        "package.json", "not a CloudFormation template",
        "MultiRegion = false", "this parameter decides it", "nothing that was scanned exports",
        "nested/trail.yaml", "Audit/Trail/Resource", "Network of parent.yaml",
    ):  # fmt: skip
        assert told in words


def test_a_page_about_a_part_says_so() -> None:
    words = Page(html_report.render(sample()._replace(since="main<"))).words()
    assert "Only what changed since main<" in words
    assert "Only what changed" not in Page(html_report.render(sample())).words()
    assert since.narrowed(whole(), EMPTY, "main")[0].frameworks == ()


def test_what_is_accepted_does_not_hold() -> None:
    report = sample()
    accepted = report._replace(results=report.results[-1:] + report.results[4:5], errors=())
    assert "No open finding, 1 accepted." in Page(html_report.render(accepted)).words()
    assert "Every rule that was applied holds." not in Page(html_report.render(accepted)).words()
    held = report._replace(results=report.results[4:5], errors=())
    assert "Every rule that was applied holds." in Page(html_report.render(held)).words()
    assert "There was nothing to judge." in Page(html_report.render(EMPTY)).words()


def test_a_broken_connection_is_told_by_more_than_its_colour() -> None:
    written = html_report.render(whole())
    picture = written[
        written.index('<svg viewBox="0 0 ') : written.index("</svg>", written.index('<svg viewBox="0 0 '))
    ]
    assert len(re.findall('class="line fail"', picture)) == 2
    assert picture.count("✕ fail TG203") == 2
    assert "? unknown TG108" in picture
    assert "! conditional TG101" in picture
    assert "delivers to bucket LogBucket (fail: TG203)." in picture
    assert "in some deployments" in picture
    assert re.search(r"\.line\.fail \{ stroke-dasharray", written)


def test_a_few_chains_come_before_the_findings_and_unbroken_ones_are_folded() -> None:
    written = html_report.render(whole())
    assert written.index('id="chains"') < written.index('id="findings"')
    broken, unbroken = whole().chains[0], Chain(whole().chains[0].parts[1:2], (), ())
    page = Page(html_report.render(whole()._replace(chains=(unbroken, broken))))
    assert len(page.all("details", class_="unbroken")) == 1
    assert len(page.all("figure")) == 2
    assert all("open" not in item for item in page.all("details", class_="unbroken"))


def test_whatever_scrolls_can_be_reached_by_the_keyboard() -> None:
    page = Page(html_report.render(whole()))
    scrolling = [*page.all("pre"), *page.all("div", class_="scroll")]
    assert scrolling
    assert {item["tabindex"] for item in scrolling} == {"0"}
    assert all(item.get("aria-label") for item in page.all("div", class_="scroll"))


def test_the_page_says_how_it_was_judged_and_which_rules_were_changed() -> None:
    page = Page(html_report.render(whole()))
    words = page.words()
    assert "trailguard scan templates --region eu-west-1" in words
    assert page.inside("strong").count("severity is medium, not high") == 2  # at its findings and among the rules
    changed = RULES[0]._replace(changed=("option days is 1, not 365",))
    lowered = Page(html_report.render(whole()._replace(rules=(changed, *RULES[1:]))))
    assert "Changed: TG101: option days is 1, not 365" in lowered.inside("strong")  # beside the control


def test_the_most_severe_rule_comes_first_and_then_the_one_with_most() -> None:
    rules = [RULES[0]._replace(id=f"TG90{number}", severity="high") for number in range(3)]
    counts = (1, 3, 2)
    many = [finding(rule, FAIL, Span(line + 1, 1, line + 1, 2), fingerprint=f"{rule.id}-{line}")
            for rule, count in zip(rules, counts, strict=True) for line in range(count)]  # fmt: skip
    worst = finding(RULES[3], UNKNOWN)
    page = Page(html_report.render(EMPTY._replace(results=(*many, worst), rules=(*rules, RULES[3]))))
    assert [item["data-r"] for item in page.all("section", class_="rule")] == ["TG203", "TG901", "TG902", "TG900"]
    captions = [data for name, data in page.texts if name == "caption"]
    assert "Findings by rule" in captions
    assert "Findings by file" in captions


def test_boxes_of_a_picture_do_not_overlap() -> None:
    for chain in (*whole().chains, *many_parts()):
        edges = html_chains._edges(chain)
        boxes, width, height = html_chains._placed(chain, edges)
        for number, box in enumerate(boxes):
            assert 0 <= box.x < box.x + html_chains._WIDTH <= width
            assert 0 <= box.y < box.y + box.height <= height
            for other in boxes[number + 1 :]:
                apart = other.y >= box.y + box.height or box.y >= other.y + other.height
                assert apart or other.x != box.x


def many_parts() -> list[Chain]:
    """Chains that no usual trail has: several buckets and policies, a role without a log group."""
    trail = Part(
        "trail", "T" * 80, "a/" * 60 + "t.yaml", 1, tuple(Ruling(f"TG{n}", "x", FAIL, "") for n in range(100, 130))
    )
    buckets = [Part("bucket", f"B{n}", "t.yaml", n, ()) for n in range(3)]
    policies = [Part("policy", f"P{n}", "t.yaml", n, ()) for n in range(9)]
    parts = (trail, *buckets, Part("role", "R", "t.yaml", 9, ()), *policies)
    edges = [Connection(0, n, "bucket", False, ()) for n in (1, 2, 3)] + [Connection(0, 4, "role", True, ())]
    for end in range(5, 14):
        edges += [Connection(n, end, "policy", False, ()) for n in (1, 2, 3)] + [Connection(0, end, "order", True, ())]
    return [Chain(parts, tuple(edges), ()), Chain((trail,), (), ())]


def test_the_span_is_marked_exactly() -> None:
    lines = ("Resources:", "  Trail:", "    IsLogging: false  # why", "")
    drawn = listing(lines, Span(3, 16, 3, 21))
    assert "IsLogging: <mark>false</mark>  # why" in drawn
    assert re.findall(r"<i>(\d+)</i>", drawn) == ["1", "2", "3"]
    several = listing(("a: |", "  one", "  two", "b: 1"), Span(1, 4, 3, 6))
    assert re.findall(r"<mark>(.*?)</mark>", several) == ["|", "one", "two"]
    assert listing(lines, Span(9, 1, 9, 2)) == ""
    long = listing(tuple(f"- {n}" for n in range(100)), Span(10, 1, 60, 1))
    assert "42 more lines" in long
    assert len(listing(('{"a":"' + "x" * 90_000 + '","IsLogging":false}',), Span(1, 90_020, 1, 90_025))) < 1000


def test_text_is_escaped_unless_it_is_markup() -> None:
    assert tag("p", "<b>", Html("<i/>"), title='"&') == '<p title="&quot;&amp;">&lt;b&gt;<i/></p>'
    assert text("a\x1bb\u202e\udc80") == "a\\x1bb\\u202e\\udc80"


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_page_is_the_same_from_run_to_run(seed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "trailguard", "scan", "stacks", "--profile", "all", "--format", "html"]
    environ = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, capture_output=True, env=environ, check=False)
    target = tmp_path / "report.html"
    assert done.returncode == main(["scan", "stacks", "--profile", "all", "--output", str(target)]) == 1
    assert target.read_bytes() == done.stdout
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_large_report_stays_small() -> None:
    """2,000 findings, each in a file of its own, with a chain and with what holds."""
    report, results, chains, sources = sample(), [], [], {}
    lines = report.sources["templates/trail.yaml"]
    for number in range(2000):
        file = f"infrastructure/team-{number}/templates/trail.yaml"
        sources[file] = lines
        item = report.results[number % 4]
        results.append(item._replace(place=item.place._replace(file=file), related=(), fingerprint=f"{number:020x}"))
        told = "Nothing in LogBucketPolicy keeps CloudTrail from delivering"
        results += [finding(RULES[1], PASS, file=file, message=told) for _ in range(12)]
        chains += [chain._replace(parts=tuple(part._replace(file=part.file and file) for part in chain.parts))
                   for chain in whole().chains]  # fmt: skip
    report = whole()._replace(results=tuple(results), sources=sources, chains=tuple(chains))
    written = html_report.render(report)
    assert len(written.encode()) < 5_000_000
    assert written.count("<article") == 2000 + len(report.errors)
    assert 90 < written.count("<figure") < len(chains)
    assert "more chains, as a list" in written
    assert written.count(RULES[0].why) == 1


def test_every_text_can_be_read_on_its_ground() -> None:
    style = Page(html_report.render(EMPTY)).inside("style")
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 3  # light, dark, paper
    for colours in schemes:
        for name in ("text", "quiet", "link", "fail", "conditional", "unknown", "pass", "off", "low"):
            for ground in ("page", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        assert contrast(colours["mark-text"], colours["mark"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def browser() -> str | None:
    return next((found for name in ("/usr/bin/chromium", "chromium") if (found := shutil.which(name))), None)


def dumped(page: Path, fragment: str, profile: Path) -> str:
    """The page as the browser has it after the script has run."""
    command = [
        str(browser()), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile}", "--dump-dom", page.as_uri() + fragment,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(browser() is None, reason="no chromium")
@pytest.mark.usefixtures("examples")
def test_a_browser_filters_by_the_address(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main(["scan", "broken", "--output", f"html:{page}", "--output", str(tmp_path / "x.txt")]) == 1
    report = judged("broken")
    groups, results = by_cause(report), report.results
    files = f"#file={quote('broken/logging-off.yaml')}&control=cis-aws-5.0/3.1"
    (control,) = [
        set(item.rules) for frame in report.frameworks if frame.name == "cis-aws-5.0" for item in frame.controls
        if item.id == "3.1"
    ]  # fmt: skip
    wanted: dict[str, Callable[[Finding], bool]] = {
        "": lambda item: True,
        "#verdict=conditional": lambda item: item.verdict == CONDITIONAL,
        "#verdict=fail&q=OVERWRITE+each": lambda item: item.verdict == FAIL and "overwrite each" in item.message,
        files: lambda item: item.place.file == "broken/logging-off.yaml" and item.rule.id in control,
        "#rule=TG203&severity=high": lambda item: item.rule.id == "TG203",
    }
    expected = {}
    held = [item for item in results if item.verdict in (PASS, NOT_APPLICABLE)]
    for fragment, fits in wanted.items():
        shown = [group for group in groups if any(map(fits, group.all))]
        some, evidence = f"{len(shown)} of {len(groups)}", sum(map(fits, held))
        told = f"Shown: {some} findings, {evidence} of {len(held)} lines of evidence"
        whole = f"{len(groups)} findings, 0 accepted, {len(held)} lines of evidence"
        expected[fragment] = Counter(group.lead.verdict for group in shown), told if fragment else whole
    assert all(cards for cards, _ in expected.values())
    for number, (fragment, (cards, count)) in enumerate(expected.items()):
        seen = Page(re.sub(r"<(meta|input)([^>]*[^/])>", r"<\1\2/>", dumped(page, fragment, tmp_path / str(number))))
        assert Counter(item["data-v"] for item in seen.all("article") if "hidden" not in item) == cards, fragment
        assert seen.inside("output") == count
        assert "hidden" not in seen.all("form")[0]
