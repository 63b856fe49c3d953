"""Names that AWS refuses, whatever their unknown parts are."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailguard.cloudformation.scenarios.values import GENERATED, VARIABLE, Pieces, Symbol, join_pieces
from trailguard.trails.facts.spelling import at_most, bucket_fault, either, topic_fault, trail_name_fault

NAME = Symbol(VARIABLE, "Name")
ACCOUNT = Symbol(VARIABLE, "AWS::AccountId")
REGION = Symbol(VARIABLE, "AWS::Region")
SUFFIX = Symbol(VARIABLE, "AWS::URLSuffix")
BUCKET = Symbol(GENERATED, "LogBucket")


@pytest.mark.parametrize(
    "pieces",
    [
        ("abc",),
        ("a.b-c.9",),
        ("a" * 63,),
        ("1.2.3.4.5",),
        (BUCKET,),
        (NAME,),
        (NAME, "-logs-", ACCOUNT, "-", REGION),
        ("logs-", NAME),
        ("logs.s3.example",),
        ("audit-111122223333-eu-west-1-an",),
        ("x" * 40 + "-", ACCOUNT, "-", REGION),
    ],
)
def test_names_of_buckets(pieces: Pieces) -> None:
    assert bucket_fault(pieces) is None


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (("ab",), "2 characters"),
        (("a" * 64,), "64 characters"),
        (("LogBucket",), "lower-case"),
        (("log_bucket",), "lower-case"),
        (("log bucket",), "lower-case"),
        (("logs/audit",), "lower-case"),
        (("logs-ä",), "lower-case"),
        ((NAME, "-Logs"), "lower-case"),
        (("-logs",), "begins and ends"),
        (("logs.",), "begins and ends"),
        ((NAME, "-"), "begins and ends"),
        ((".", NAME), "begins and ends"),
        (("a..b",), "two dots"),
        ((NAME, "..b"), "two dots"),
        (("192.168.5.4",), "IP address"),
        (("xn--logs",), "xn--"),
        (("sthree-logs",), "sthree-"),
        (("amzn-s3-demo-bucket",), "amzn-s3-demo-"),
        (("logs-s3alias",), "-s3alias"),
        ((NAME, "--x-s3"), "--x-s3"),
        (("x" * 41 + "-", ACCOUNT, "-", REGION), "more than 63"),
        (("arn:aws:s3:::logs",), "an ARN"),
        (("arn:", Symbol(VARIABLE, "AWS::Partition"), ":s3:::", BUCKET), "an ARN"),
        (("s3://logs",), "a URL"),
        ((BUCKET, ".s3.", SUFFIX), "domain name"),
        ((BUCKET, ".s3.", REGION, ".amazonaws.com"), "domain name"),
        (("logs.s3.dualstack.eu-west-1.amazonaws.com.cn",), "domain name"),
    ],
)
def test_names_that_no_bucket_has(pieces: Pieces, words: str) -> None:
    assert words in (bucket_fault(pieces) or "")


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (("audit trail",), "letters"),
        (("audit.trail",), "letters"),
        (("a" * 257,), "257"),
        (("arn:aws:sqs:eu-west-1:111122223333:audit",), "something else than a topic"),
        (("arn:aws:sns:eu-west-1:111122223333:audit",), ""),
        (("audit-trail_1",), ""),
        (("audit.fifo",), ""),
        ((NAME,), ""),
        ((NAME, ":audit"), ""),
        ((NAME, " audit"), "letters"),
    ],
)
def test_names_of_topics(pieces: Pieces, words: str) -> None:
    assert words in (topic_fault(pieces) or "")
    assert (topic_fault(pieces) is None) is (words == "")


def is_trail_name(name: str) -> bool:
    """By the text of InvalidTrailNameException."""
    letters = all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in name)
    apart = all(not (one in "._-" and other in "._-") for one, other in itertools.pairwise(name))
    ends = name[:1].isalnum() and name[-1:].isalnum()
    address = re.fullmatch(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", name) is not None
    return 3 <= len(name) <= 128 and letters and apart and ends and not address


texts = st.text(st.sampled_from("ab1.-_ ä"), max_size=8)


@given(texts)
def test_names_of_trails(name: str) -> None:
    assert (trail_name_fault(join_pieces((name,))) is None) is is_trail_name(name)


@given(texts, texts, st.sampled_from(("", "ab", "1.2", "a-b_c")))
def test_a_fault_is_there_whatever_the_unknown_part_is(start: str, end: str, middle: str) -> None:
    for fault_of in (bucket_fault, trail_name_fault, topic_fault, at_most(6)):
        if fault_of(join_pieces((start, NAME, end))) is not None:
            assert fault_of(join_pieces((start, middle, end))) is not None


def test_words_of_which_one_is_meant() -> None:
    assert [either(words) for words in (["A"], ["A", "B"], ["A", "B", "C"])] == ["A", "A or B", "A, B or C"]
