"""Templates of what exists: parts below CloudFormation's limits, texts that mean the same to each reader of YAML."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trailguard.account import templates as module
from trailguard.account.existing import Existing, document, existing, unread
from trailguard.account.templates import as_yaml, templates
from trailguard.cloudformation.source.nodes import plain
from trailguard.cloudformation.source.reading import parse

PLACE = ("123456789012", "eu-west-1")


def bucket(name: str, **properties: Any) -> Existing:
    return existing(PLACE, "AWS::S3::Bucket", f"arn:aws:s3:::{name}", {"BucketName": name, **properties}, name=name)


def test_parts_stay_below_the_limits() -> None:
    things = [bucket(f"b-{number:05}", Tags=[{"Key": "k", "Value": "x" * 100}]) for number in range(1300)]
    texts = templates(things, {})
    read = [yaml.safe_load(text)["Resources"] for text in texts]
    assert [len(each) for each in read] == [499, 499, 302]
    assert [name for each in read for name in each] == [thing.logical_id for thing in things]
    assert templates(reversed(things), {}) == texts


def test_parts_stay_below_a_megabyte() -> None:
    things = [bucket(f"b-{number:05}", Tags=[{"Key": "k", "Value": "ü" * 4000}]) for number in range(300)]
    texts = templates(things, {})
    assert len(texts) == 3
    assert max(len(text.encode()) for text in texts) < 1_000_000
    assert sum(len(yaml.safe_load(text)["Resources"]) for text in texts) == 300


def test_nothing_gives_no_template() -> None:
    assert templates([], {}) == []


def test_one_thing_that_is_too_large_is_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1_100)
    assert len(templates([bucket("a" * 60, Tags=[{"Key": "k", "Value": "x" * 2000}]), bucket("b")], {})) == 2


def test_logical_ids_tell_things_apart_and_last() -> None:
    assert bucket("audit-logs").logical_id == "BucketAuditLogsca408b"
    assert bucket("audit.logs").logical_id != bucket("audit-logs").logical_id
    assert existing(PLACE, "AWS::Logs::LogGroup", "arn:x:y", {}, name="/").logical_id.isalnum()
    assert len(bucket("a-" * 200).logical_id) < 255


def test_a_maker_is_named() -> None:
    maker = {"stack": "123456789012/eu-west-1/audit", "logical_id": "Logs"}
    (text,) = templates([bucket("b")], {(*PLACE, "AWS::S3::Bucket", "b"): maker})
    (resource,) = yaml.safe_load(text)["Resources"].values()
    assert resource["Metadata"]["trailguard"] == {"arn": "arn:aws:s3:::b", **maker}


WORDS = [
    "",
    "y",
    "N",
    "yes",
    "on",
    "off",
    "NULL",
    "~",
    "2012-10-17",
    "012345678901",
    "0x1f",
    "1e3",
    "12:30:45",
    "- a",
    "a: b",
]
WORDS += ["&a", "*", "!Ref", "a #b", "\n", "\t", "é", "\u2028", "{{resolve:ssm:x}}"]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=12)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(10**9), 10**9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcXYZ", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_every_reader_of_yaml_reads_what_was_meant(value: Any) -> None:
    """PyYAML with its words of YAML 1.1, and trailguard's own reader with those of CloudFormation."""
    if not _legal(value):
        return
    text = as_yaml({"Value": value})
    assert yaml.safe_load(text) == {"Value": value}
    assert plain(parse(text.encode()).root) == {"Value": value}


def _legal(value: Any) -> bool:
    """Tell whether YAML can hold a value: surrogates cannot be written in UTF-8."""
    try:
        return bool(str(value).encode()) or True
    except UnicodeEncodeError:
        return False


def test_policies_have_one_order() -> None:
    one = '{"Statement": [{"Principal": {"AWS": ["b", "a"]}, "Action": "s3:*"}, {"Sid": "2"}]}'
    assert document(one) == {"Statement": [{"Principal": {"AWS": ["a", "b"]}, "Action": "s3:*"}, {"Sid": "2"}]}
    assert document("no JSON") == "no JSON"


def test_what_could_not_be_read_is_a_macros_business() -> None:
    assert unread("x")["Fn::Transform"] == {"Name": "TrailguardUnread", "Parameters": {"Reason": "x"}}
