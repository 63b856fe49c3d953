"""Trails that may be where nobody sees them are subjects: nothing vanishes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from trailguard.findings import Report
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

Scanner: TypeAlias = Callable[..., Report]


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scanner:
    """Write files, and scan them."""
    monkeypatch.chdir(tmp_path)

    def scan_them(files: dict[str, str], paths: tuple[str, ...] = (".",), **chosen: object) -> Report:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return scan(paths, Settings(**chosen))  # type: ignore[arg-type]

    return scan_them


def stack(url: str, parameters: str = "{}", name: str = "Audit") -> str:
    return (
        f"\n  {name}:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: {url}\n"
        f"      Parameters: {parameters}"
    )


SET = (
    "\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n"
    "      TemplateBody: {Fn::Transform: {Name: Made}}"
)
URL = "https://s3.amazonaws.com/some/{}.yaml"
UNSEEN: list[tuple[dict[str, str], list[tuple[str, int]]]] = [
    ({"a.yaml": stack("gone.yaml", name="Vpc")}, [("Vpc", 5)]),
    ({"a.yaml": stack("gone.yaml", name="Vpc") + stack("away.yaml", name="Dns")}, [("Vpc", 5)]),
    ({"a.yaml": stack(URL.format("vpc"), name="Vpc")}, []),
    (
        {"a.yaml": stack(URL.format("vpc"), name="Vpc") + stack(URL.format("x"), name="TrailStack")},
        [("TrailStack", 10)],
    ),
    ({"a.yaml": stack(URL.format("cloudtrail"), name="Vpc")}, [("Vpc", 5)]),
    ({"a.yaml": stack(URL.format("vpc"), "{TrailName: audit}", name="Vpc")}, [("Vpc", 5)]),
    ({"a.yaml": stack("b.yaml", name="Vpc"), "b.yaml": stack("gone.yaml", name="Inner")}, [("Inner", 5)]),
    (
        {"a.yaml": "\n  Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: 's3://b/k'}}"},
        [("Fn::Transform", 2)],
    ),
    ({"a.yaml": "\n  Fn::Transform: {Name: Made}"}, [("Fn::Transform", 2)]),
    ({"a.yaml": "\n  Q: {Type: 'Our::Trail::Any::MODULE'}\n  R: {Type: 'Our::Queue::Any::MODULE'}"}, [("Q", 2)]),
    (
        {"a.yaml": "\n  AuditTrail: {Fn::Transform: {Name: Made}}\n  Q: {Fn::Transform: {Name: Made}}"},
        [("AuditTrail", 2)],
    ),
    ({"a.yaml": SET}, [("Set", 5)]),
]


@pytest.mark.parametrize(("files", "expected"), UNSEEN, ids=range(len(UNSEEN)))
def test_what_may_make_a_trail_is_a_subject(
    files: dict[str, str], expected: list[tuple[str, int]], scanned: Scanner
) -> None:
    templates = {name: f"Resources:{text}\n" for name, text in files.items()}
    report = scanned(templates, select=("TG101",))
    assert [(item.resource, item.place.span.line, item.verdict) for item in report.results] == [
        (*place, "unknown") for place in expected
    ]
    named = scanned(templates, tuple(sorted(templates)), select=("TG101",))
    assert named.results == report.results


def test_what_includes_sections_may_make_a_trail(scanned: Scanner) -> None:
    text = (
        "Transform: {Name: 'AWS::Include', Parameters: {Location: !Sub 's3://${B}/k'}}\n"
        "Resources: {Q: {Type: 'A::B::C'}}"
    )
    (found,) = scanned({"a.yaml": text}, select=("TG101",)).results
    assert (found.resource, found.place.span.line, found.verdict) == ("Transform", 1, "unknown")
