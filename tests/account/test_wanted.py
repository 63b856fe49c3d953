"""What templates name: the texts in them, whole or with holes, and what they import."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.account.wanted import Wanted, wanted
from trailguard.errors import UserError


def found(folder: Path, text: str, name: str = "t.yaml") -> Wanted:
    (folder / name).write_text(text, encoding="utf-8")
    return wanted([str(folder)])[0]


def trail(folder: Path, properties: str, more: str = "") -> Wanted:
    body = f"{more}\nResources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties: {{{properties}}}\n"
    return found(folder, body)


@pytest.mark.parametrize(
    ("properties", "names", "others"),
    [
        ("S3BucketName: audit-logs", ["audit-logs"], ["audit", "other"]),
        ('S3BucketName: !Sub "audit-${AWS::AccountId}"', ["audit-123456789012"], ["logs-123456789012", "my-audit-1"]),
        ('S3BucketName: !Join ["-", [audit, !Ref "AWS::Region"]]', ["audit-eu-west-1"], ["audit", "other-eu-west-1"]),
        ('S3BucketName: {"Fn::Sub": ["${P}-logs", {P: x}]}', ["team-logs"], ["team-data"]),
        ('S3BucketName: !Sub "${AWS::StackName}"', [], ["anything", ""]),
        (
            'KMSKeyId: !Sub "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:alias/audit"',
            ["arn:aws:kms:eu-west-1:123456789012:alias/audit"],
            ["arn:aws:kms:eu-west-1:123456789012:alias/other"],
        ),
        ('KMSKeyId: !Sub "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/${Id}"', [], ["arn:aws:kms:r:1:key/2"]),
        ("A: arn:aws:s3:::audit-logs/AWSLogs/*", ["audit-logs"], ["AWSLogs"]),
        ("A: 123456789012", ["123456789012"], []),
    ],
)
def test_names(tmp_path: Path, properties: str, names: list[str], others: list[str]) -> None:
    told = trail(tmp_path, properties)
    assert [name for name in names if not told.names(name)] == []
    assert [name for name in others if told.names(name)] == []


def test_parameters_name_what_they_may_be(tmp_path: Path) -> None:
    told = trail(
        tmp_path,
        "S3BucketName: !Ref Bucket, KMSKeyId: !Ref Key",
        "Parameters:\n  Bucket: {Type: String, Default: audit-logs, AllowedValues: [audit-logs, others]}\n"
        "  Key: {Type: String}\n  Idle: {Type: String, Default: idle}",
    )
    assert told.names("audit-logs")
    assert told.names("others")
    assert told.buckets == {"audit-logs", "others"}
    assert not told.names("")


def test_imports(tmp_path: Path) -> None:
    told = trail(tmp_path, 'S3BucketName: !ImportValue bucket-name, KMSKeyId: {"Fn::ImportValue": !Sub "${Stack}-key"}')
    assert told.takes("bucket-name")
    assert told.takes("core-key")
    assert not told.takes("core-topic")
    assert not told.names("bucket-name")  # the value that it stands for has another name


def test_a_stack_was_made_from_them_when_resources_agree(tmp_path: Path) -> None:
    told = trail(tmp_path, "")
    assert told.makes([("Trail", "AWS::CloudTrail::Trail"), ("X", "Y")])
    assert not told.makes([("Trail", "AWS::S3::Bucket")])


def test_more_texts(tmp_path: Path) -> None:
    told = trail(tmp_path, "").also(["arn:aws:s3:::given-later/x"])
    assert told.names("given-later")


def test_the_digest_changes_with_what_is_named(tmp_path: Path) -> None:
    one = trail(tmp_path, "S3BucketName: one").digest()
    assert trail(tmp_path, "S3BucketName: one").digest() == one
    assert trail(tmp_path, "S3BucketName: two").digest() != one


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("Resources: [\n", encoding="utf-8")
    (tmp_path / "other.json").write_text('{"name": "package"}', encoding="utf-8")
    with pytest.raises(UserError, match="no CloudFormation template in"):
        wanted([str(tmp_path)])
    with pytest.raises(UserError, match="is not a CloudFormation template"):
        wanted([str(tmp_path / "other.json")])
    with pytest.raises(UserError) as caught:
        wanted([str(tmp_path / "broken.yaml")])
    assert (caught.value.line, caught.value.column) == (1, 12)
    (tmp_path / "t.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}", encoding="utf-8")
    _, faults = wanted([str(tmp_path)])
    assert len(faults) == 1
    assert "broken.yaml:1:12: " in faults[0]


PIECE = st.text("abc-", min_size=1, max_size=5)


@given(st.lists(PIECE, min_size=1, max_size=3), st.lists(PIECE, min_size=2, max_size=2))
def test_a_text_with_holes_names_whatever_fills_them(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], fillings: list[str]
) -> None:
    """An oracle from the meaning of Fn::Sub: put values in, and the result is one of the names."""
    written = "${P}".join(["abc", *pieces])
    filled = fillings[0].join(["abc", *pieces])
    told = trail(tmp_path_factory.mktemp("t"), f'S3BucketName: !Sub "{written}"')
    assert told.names(filled)
    assert not told.names(f"x{filled}")
