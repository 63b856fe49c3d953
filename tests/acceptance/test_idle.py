"""What the settings name and nothing has is a notice with the nearest right form, where it is certain."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailguard.commands.options import parse
from trailguard.commands.settings_of import settings_of
from trailguard.findings import Report
from trailguard.scanning import scan

TODAY = "2026-06-01"
TRAIL = """\
Parameters: {MultiRegion: {Type: String, Default: "false"}}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: logs, IsMultiRegionTrail: !Ref MultiRegion}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    for name in ("infra/sub/trail.yaml", "other/trail.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(TRAIL)
    (tmp_path / "README.md").write_text("x\n")
    return tmp_path


def report(paths: list[str], *options: str, **more: object) -> Report:
    settings = settings_of(parse("scan", ["--select", "TG101", *options]), quiet=True)
    return scan(paths, settings, on=TODAY, **more)  # type: ignore[arg-type]


def told(paths: list[str], *options: str, **more: object) -> list[tuple[str, int, str]]:
    return list(report(paths, *options, **more).notices)


IDLE = [
    ("exclude: [othr]", 'exclude: "othr" fits no file or folder; did you mean "other"?'),
    ("exclude: [infra/*.yaml]", 'exclude: "infra/*.yaml" fits no file or folder; did you mean "infra/**/*.yaml"?'),
    (
        "exclude: [sub/trail.yaml]",
        'exclude: "sub/trail.yaml" fits no file or folder; did you mean "infra/sub/trail.yaml"?',
    ),
    ("include: ['*.yaml', '*.tmpl']", 'include: "*.tmpl" fits no file or folder'),
    ("parameters: {MultRegion: 'true'}", 'parameters: no template that was judged has a parameter "MultRegion"; did'),
    ("parameters: {A: b, C: d}", 'parameters: no template that was judged has the parameters "A", "C"'),
    ("contexts: [{templates: other/x.yaml, region: eu-west-1}]", 'contexts[0].templates: "other/x.yaml" fits no file'),
    (
        "contexts: [{templates: other, parameters: {X: y}}]",
        'contexts[0]: no template that was judged has a parameter "X',
    ),
    (
        "waivers: [{rule: TG101, file: infra/*.yaml, reason: r, expires: 2027-01-01}]",
        'the waiver of TG101 is for "infra/*.yaml", which fits no file; did you mean "infra/**/*.yaml"?',
    ),
    (
        "waivers: [{rule: TG101, file: infra, resource: Trial, reason: r, expires: 2027-01-01}]",
        'the waiver of TG101 suppresses nothing; did you mean resource "Trail"?',
    ),
    (
        "waivers: [{rule: multi-regoin, file: infra, reason: r, expires: 2027-01-01}]",
        'the waiver names rule "multi-regoin", which does not exist; did you mean "multi-region"?',
    ),
]
GOOD = [
    "exclude: [infra/sub]",
    "exclude: ['**/sub/*.yaml', node_modules, .venv, '!infra', README.md]",
    "include: ['*.yaml', README.md]",
    "parameters: {MultiRegion: 'true', AWS::StackName: x}",
    "contexts: [{templates: other, parameters: {MultiRegion: 'true'}}]",
    "waivers: [{rule: TG101, file: 'infra/**/*.yaml', resource: Trail, reason: r, expires: 2027-01-01}]",
    "waivers: [{rule: TG104, file: infra, reason: its rule is not asked, expires: 2027-01-01}]",
]


@pytest.mark.parametrize(("text", "message"), IDLE)
def test_what_fits_nothing_is_a_notice_where_it_is_written(folder: Path, text: str, message: str) -> None:
    (folder / ".trailguard.yaml").write_text(f"\n{text}\n")
    ((file, line, said),) = told(["."])
    assert (file, line) == (".trailguard.yaml", 2)
    assert said.startswith(message)


@pytest.mark.parametrize("text", GOOD)
def test_what_fits_is_no_notice(folder: Path, text: str) -> None:
    (folder / ".trailguard.yaml").write_text(text)
    assert told(["."]) == []


@pytest.mark.parametrize("text", [text for text, message in IDLE if "does not exist" not in message])
def test_where_files_are_named_the_configuration_may_be_about_others(folder: Path, text: str) -> None:
    (folder / ".trailguard.yaml").write_text(text.replace("infra, resource: Trial", "'**', resource: Trial"))
    assert told(["other/trail.yaml"]) == []
    assert told(["other/trail.yaml"], "--jobs", "1", world=["."]) == []
    assert told(["-"], stdin=TRAIL.encode(), stdin_filename="t.yaml") == []


def test_a_part_of_the_repository_says_nothing_of_the_rest(folder: Path) -> None:
    (folder / ".trailguard.yaml").write_text(
        "exclude: [other]\nparameters: {X: y}\ncontexts: [{templates: other, region: eu-west-1}]\n"
        "waivers: [{rule: TG101, file: '**', resource: Other, reason: r, expires: 2027-01-01}]\n"
    )
    assert told(["infra"]) == []


def test_a_waiver_for_a_file_that_is_named_is_idle(folder: Path) -> None:
    (folder / ".trailguard.yaml").write_text(
        "waivers: [{rule: TG101, file: other/trail.yaml, resource: X, reason: r, expires: 2027-01-01}]\n"
    )
    assert [said for *_, said in told(["other/trail.yaml"])] == ["the waiver of TG101 suppresses nothing"]


@pytest.mark.parametrize("paths", [["."], ["infra/sub/trail.yaml"], ["-"]])
def test_a_misspelt_parameter_on_the_command_line(folder: Path, paths: list[str]) -> None:
    name = "t.yaml" if paths == ["-"] else "infra/sub/trail.yaml"
    given = {"stdin": TRAIL.encode(), "stdin_filename": name} if paths == ["-"] else {}
    message = 'no template that was judged has a parameter "MultRegion"; did you mean "MultiRegion"?'
    assert told(paths, "--parameter", "MultRegion=true", **given) == [(name, 0, f"--parameter: {message}")]
    (folder / "p.json").write_text('{"MultiRegion": "true",\n "MultRegion": "true"}')
    assert told(paths, "--parameters", "p.json", **given) == [("p.json", 2, message)]
    assert told(paths, "--parameter", "MultiRegion=true", **given) == []


def test_patterns_on_the_command_line(folder: Path) -> None:
    message = '--exclude "othr" fits no file or folder; did you mean "other"?'
    assert told(["."], "--exclude", "othr,infra/sub") == [(".", 0, message)]
    assert told(["other/trail.yaml"], "--exclude", "othr") == []


def test_nothing_is_said_where_a_template_cannot_be_judged(folder: Path) -> None:
    (folder / "broken.yaml").write_text("Resources: {Trail: {Type: 'AWS::CloudTrail::Trail'}\n")
    assert told(["broken.yaml"], "--parameter", "X=y") == []


def test_a_macro_may_add_parameters(folder: Path) -> None:
    (folder / "macro.yaml").write_text(f"Transform: Mine\n{TRAIL}")
    assert [said for *_, said in told(["macro.yaml"], "--parameter", "X=y") if "judged has" in said] == []
