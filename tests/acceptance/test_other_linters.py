"""Suppressions written for checkov and cfn-lint, accepted when they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailguard.scanning import scan
from trailguard.settings.settings import Settings

TRAIL = """\
{head}Resources:
  Other: {{Type: AWS::SNS::Topic}}
  Trail:
    Type: AWS::CloudTrail::Trail
{metadata}    Properties:
      S3BucketName: logs{comment}
      IsLogging: false
"""
BOTH = ("cfn-lint", "checkov")
# What is missing in the trail above, besides what is not known of its bucket.
ALL = {"TG101", "TG102", "TG103", "TG106"}


def accepted(
    tmp_path: Path, head: str = "", metadata: str = "", comment: str = "", linters: tuple[str, ...] = BOTH
) -> dict[str, tuple[str, str]]:
    """The rules whose findings are accepted, with kind and reason."""
    path = tmp_path / "trail.yaml"
    path.write_text(TRAIL.format(head=head, metadata=metadata, comment=comment))
    report = scan([str(path)], Settings(foreign_suppressions=linters, select=(*sorted(ALL), "TG108")))
    assert report.notices == ()
    return {item.rule.id: item.suppressed[:2] for item in report.results if item.suppressed is not None}


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("  # checkov:skip=CKV_AWS_67:one Region", {"TG101": ("comment", "checkov:skip=CKV_AWS_67: one Region")}),
        ("  #checkov:skip=CKV_AWS_36", {"TG103": ("comment", "checkov:skip=CKV_AWS_36: no reason")}),
        ("  # checkov:skip=CKV_TG_102: later", {"TG102": ("comment", "checkov:skip=CKV_TG_102: later")}),
        (
            "  # checkov:skip=CKV_AWS_67,CKV_AWS_36:both",
            {
                "TG101": ("comment", "checkov:skip=CKV_AWS_67: both"),
                "TG103": ("comment", "checkov:skip=CKV_AWS_36: both"),
            },
        ),
        ("  # checkov:skip=CKV_AWS_1:another", {}),
        ("  # checkov: skip CKV_AWS_67", {}),
    ],
)
def test_comments_of_checkov(comment: str, expected: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    assert accepted(tmp_path, comment=comment) == expected
    assert accepted(tmp_path, comment=comment, linters=("cfn-lint",)) == {}
    assert accepted(tmp_path, comment=comment, linters=()) == {}


def test_a_comment_holds_for_its_resource_alone(tmp_path: Path) -> None:
    assert accepted(tmp_path, head="# checkov:skip=CKV_AWS_67:not within a resource\n") == {}


def test_metadata_of_checkov(tmp_path: Path) -> None:
    metadata = (
        "    Metadata: {checkov: {skip: [{id: CKV_AWS_67, comment: one Region}, {id: CKV_AWS_36}, {odd: 1}, 7]}}\n"
    )
    expected = {
        "TG101": ("metadata", "checkov CKV_AWS_67: one Region"),
        "TG103": ("metadata", "checkov CKV_AWS_36: no comment"),
    }
    assert accepted(tmp_path, metadata=metadata) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("ETG101", {"TG101"}),
        ("WTG101", {"TG101"}),
        ("ETG10", ALL | {"TG108"}),
        ("ETG", ALL | {"TG108"}),
        ("E3002", set()),
        ("E", set()),
        ("''", set()),
    ],
)
def test_metadata_of_cfn_lint(entry: str, expected: set[str], tmp_path: Path) -> None:
    own = f"Metadata: {{cfn-lint: {{config: {{ignore_checks: [{entry}]}}}}}}\n"
    assert set(accepted(tmp_path, metadata=f"    {own}")) == expected
    assert set(accepted(tmp_path, head=own)) == expected
    assert accepted(tmp_path, head=own, linters=("checkov",)) == {}


def test_a_configuration_can_ask_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trailguard.errors import ConfigError
    from trailguard.settings.settings import load

    (tmp_path / ".trailguard.yaml").write_text("foreign_suppressions: [checkov]\n")
    assert load(str(tmp_path)).foreign_suppressions == ("checkov",)
    (tmp_path / ".trailguard.yaml").write_text("foreign_suppressions: [chekov]\n")
    with pytest.raises(ConfigError, match='cannot be "chekov"; did you mean "checkov"'):
        load(str(tmp_path))
