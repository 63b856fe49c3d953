"""What AWS::Include brings is put into the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cloudformation.resolving import data, root_of
from trailguard.cloudformation.template.includes import include, includes_something, locations
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

CALL = "{Name: AWS::Include, Parameters: {Location: %s}}"
PARTS = {
    "part.yaml": "{A: 1, B: {C: 2}}",
    "more.yaml": "{D: 4}",
    "sections.yaml": "{Resources: {Q: {Type: T}}, Outputs: {O: {Value: 1}}}",
}
PARTS["nested.yaml"] = "{A: 1, Fn::Transform: %s}" % (CALL % "part.yaml")
PARTS["macro.yaml"] = "{Transform: Macro, Resources: {Q: 1}}"
CASES: list[tuple[str, Any]] = [
    ("X: {K: 0, Fn::Transform: %s}" % (CALL % "part.yaml"), {"X": {"K": "0", "A": "1", "B": {"C": "2"}}}),
    ("X: {A: 0, Fn::Transform: %s}" % (CALL % "part.yaml"), {"X": {"A": "0", "B": {"C": "2"}}}),
    ("X: {Fn::Transform: [" + CALL % "part.yaml" + ", " + CALL % "more.yaml" + "]}",
     {"X": {"A": "1", "B": {"C": "2"}, "D": "4"}}),
    ("X: {Fn::Transform: %s}" % (CALL % "nested.yaml"),
     {"X": {"A": "1", "Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "part.yaml"}}}}),
    ("{Transform: [AWS::LanguageExtensions, %s], Resources: {}}" % (CALL % "macro.yaml"),
     {"Transform": ["AWS::LanguageExtensions", "Macro"], "Resources": {"Q": "1"}}),
    ("X: [{Fn::Transform: %s}]" % (CALL % "part.yaml"), {"X": [{"A": "1", "B": {"C": "2"}}]}),
    ("{Transform: %s, Resources: {R: {Type: T}}}" % (CALL % "sections.yaml"),
     {"Resources": {"R": {"Type": "T"}, "Q": {"Type": "T"}}, "Outputs": {"O": {"Value": "1"}}}),
    ("{Resources: {R: 1}, Transform: [AWS::LanguageExtensions, %s]}" % (CALL % "sections.yaml"),
     {"Resources": {"R": "1", "Q": {"Type": "T"}}, "Transform": "AWS::LanguageExtensions",
      "Outputs": {"O": {"Value": "1"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES, ids=range(len(CASES)))
def test_local_parts_are_put_in(text: str, expected: Any) -> None:
    root = root_of(text)
    before = data(root)
    assert data(include(root, lambda location: root_of(PARTS[location]))) == expected
    assert data(root) == before


@pytest.mark.parametrize("text", [
    "X: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/key}}}",
    "X: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: !Ref P}}}",
    "X: {Fn::Transform: {Name: Other, Parameters: {Location: part.yaml}}}",
    "{Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/key}}, Resources: {}}",
])  # fmt: skip
def test_what_is_not_known_stays(text: str) -> None:
    root = root_of(text)
    assert data(include(root, lambda location: None)) == data(root)


def test_a_template_without_includes_is_left_alone() -> None:
    root = root_of("Resources: {A: {Type: T}}")
    assert include(root, lambda location: None) is root


def test_locations_are_found() -> None:
    text = "{Transform: %s, X: {Fn::Transform: [%s, {Name: Other}]}, Y: %s}"
    root = root_of(text % (CALL % "a", CALL % "b", CALL % "data"))
    assert [scalar.value for scalar in locations(root)] == ["a", "b"]
    assert includes_something(root)
    assert not includes_something(root_of("Y: " + CALL % "data"))


def test_what_includes_nothing_is_shared() -> None:
    root = root_of("{X: {Fn::Transform: %s}, Y: {K: 1}}" % (CALL % "part.yaml"))
    assert include(root, lambda location: root_of(PARTS[location])).values["Y"] is root.values["Y"]


TRAIL = """Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      S3BucketName: logs
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: %s}}
"""


def test_findings_point_into_the_included_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "trail.yaml").write_text(TRAIL % "parts/trail.yaml")
    (tmp_path / "templates" / "parts").mkdir()
    (tmp_path / "templates" / "parts" / "trail.yaml").write_text("IsLogging: true\nIsMultiRegionTrail: false\n")
    (found,) = scan(["templates"], Settings(select=("TG101",))).results
    assert (found.verdict, found.place.file, found.subject_file, found.place.span.line, found.place.span.column) == (
        "fail", "templates/parts/trail.yaml", "templates/trail.yaml", 2, 21,
    )  # fmt: skip


@pytest.mark.parametrize("location", ["../outside.yaml", "gone.yaml", "s3://bucket/part.yaml"])
def test_what_lies_outside_is_unknown(location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside.yaml").write_text("IsMultiRegionTrail: true\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "trail.yaml").write_text(TRAIL % location)
    (found,) = scan(["templates"], Settings(select=("TG101",))).results
    reason = f"what AWS::Include of {location} brings (line 6) is not in the scanned files"
    assert (found.verdict, found.reason) == ("unknown", f"{reason}; a local file among them is judged")


def test_a_part_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "part.yaml").write_text("A: [\n")
    (tmp_path / "trail.yaml").write_text(TRAIL % "part.yaml")
    report = scan(["."], Settings(select=("TG101",)))
    assert [error.file for error in report.errors] == ["part.yaml"]
    assert [item.verdict for item in report.results] == ["unknown"]
